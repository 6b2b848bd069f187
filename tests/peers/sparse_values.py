"""Operands that are sparse tensors: indices that may stand together, in order and within the shape."""
from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import assume

from graphc.ir.op import Op

# Of the lists of one tensor, the names behind what they begin with.
INDICES, SHAPES = ("indices",), ("shape", "dense_shape", "shapes")
DENSE = {"SparseTensorDenseAdd": "b", "SparseDenseCwiseAdd": "dense", "SparseDenseCwiseMul": "dense",
         "SparseDenseCwiseDiv": "dense"}
ONE_SHAPE = ("SparseAdd", "SparseSparseMaximum", "SparseSparseMinimum")
# Lists that belong together in another way: as a sample has them.
KEPT = ("SparseAddGrad", "SparseSliceGrad", "FractionalAvgPoolGrad", "FractionalMaxPoolGrad")
LARGEST = 3  # sizes of the axes behind the fourth: gradients of TensorFlow's make dense tensors


def is_sparse(op: type[Op]) -> bool:
    return op.__module__.startswith("graphc.ops.sparse.") and op.type not in KEPT


def ordered(op: type[Op], fields: dict[str, Any], values: tuple[np.ndarray, ...],
            generator: np.random.Generator) -> tuple[np.ndarray, ...]:
    """The operands of a case, with other indices and shapes of its sparse tensors."""
    made = list(values)
    count = fields.get("N", 1)
    names = [n.rstrip("*") for n in op.operands if n.rstrip("*") not in op.field_operands()]
    if op.operands[0].endswith("*"):
        names = [n for n in names for _ in range(count)]
    first: tuple[int, ...] | None = None
    for place, name in enumerate(names):
        if not name.endswith("indices") or made[place].ndim != 2:
            continue
        front = name.removesuffix("indices").removesuffix("sparse_")
        rows, rank = made[place].shape
        shape_name = next((front + s for s in SHAPES if front + s in (*names, *fields)), None)
        if shape_name is None and op.type == "SparseToDense":
            shape_name = "output_shape"
        if shape_name is None and "input_shape" in (*names, *fields):
            shape_name = "input_shape"
        if shape_name is None:
            continue
        if shape_name in names:
            at = names.index(shape_name) + (place % count if count > 1 else 0)
            shape = _with_room(_related(op, fields, names, made, made[at], first), rows, rank)
            made[at] = np.array(shape, made[at].dtype)
        else:
            shape = tuple(int(n) for n in fields[shape_name])
        first = first or shape
        made[place] = _indices(generator, rows, shape).astype(made[place].dtype)
    return tuple(made)


def _related(op: type[Op], fields: dict[str, Any], names: list[str], made: list[np.ndarray], given: np.ndarray,
             first: tuple[int, ...] | None) -> list[int]:
    """The shape: as that of the dense operand or of the tensor before, where those must fit."""
    shape = [max(int(n), 0) for n in given]
    if op.type in DENSE:
        dense = made[names.index(DENSE[op.type])].shape
        shape[len(shape) - len(dense):] = dense
    if op.type == "SparseTensorDenseMatMul":
        b = made[names.index("b")].shape
        shape[0 if fields.get("adjoint_a") else 1] = b[1 if fields.get("adjoint_b") else 0]
    if first is not None and len(first) == len(shape):
        if op.type in ONE_SHAPE:
            shape = list(first)
        if op.type == "SparseConcat":
            axis = fields["concat_dim"] % len(shape)
            shape = [n if i == axis else m for i, (n, m) in enumerate(zip(shape, first, strict=True))]
        if op.type == "SparseToSparseSetOperation":
            shape[:-1] = first[:-1]
    return shape


def _with_room(shape: list[int], rows: int, rank: int) -> tuple[int, ...]:
    assume(len(shape) == rank)
    return tuple(min(n, LARGEST) if i > 3 else min(n, 40) for i, n in enumerate(shape))


def _indices(generator: np.random.Generator, rows: int, shape: tuple[int, ...]) -> np.ndarray:
    room = int(np.prod(shape, dtype=np.float64))
    assume(rows <= room < 2**40)
    if room < 10_000:
        flat = np.sort(generator.choice(room, rows, replace=False)) if room else np.zeros(0, np.int64)
    else:
        flat = np.unique(generator.integers(0, room, 4 * rows + 1))
        flat = np.sort(generator.permutation(flat)[:rows])
    assume(flat.size == rows)
    return np.stack(np.unravel_index(flat, shape), -1) if shape else np.zeros((rows, 0), np.int64)
