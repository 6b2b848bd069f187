"""Sparse tensors written into dense ones: SparseToDense, SparseTensorDenseAdd."""
from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from graphc.errors import InvalidArgumentError
from graphc.ir import dims
from graphc.ir.dims import Size
from graphc.ir.dtypes import DType, bool_, float64, int8, int32, int64
from graphc.ir.elementwise import check_dtype
from graphc.ir.known import require_nonnegative
from graphc.ir.op import Op, Sample, attr, operand_field, register
from graphc.ir.spec import Spec, require_equal, text
from graphc.ops.array.gather import wide_indices
from graphc.ops.array.gather_nd import TUPLE_LIMIT, tuple_sizes
from graphc.ops.array.scatter import call_scatter, scattered
from graphc.ops.sparse.cases import SPARSE, int64s, sparse
from graphc.ops.sparse.parts import BEHIND, UNSORTED, checked


def _samples() -> list[Sample]:
    cases = [(np.array(rows, np.int64).reshape(-1, len(shape)), shape) for rows, shape in SPARSE]
    made = [Sample({"output_shape": s}, (i, (len(i),), ()), (None, None, None)) for i, s in cases]
    flat = cases[1][0].ravel()
    made += [Sample({"output_shape": (7,)}, (flat, (3,), ())), Sample({"output_shape": (7,)}, (flat, (), ())),
             Sample({"output_shape": (3,)}, (int64s(2), (), ())),
             Sample({"output_shape": (3, 4)}, (cases[0][0].astype(np.int32), (), ()))]
    unordered = int64s([[2, 1], [0, 0], [2, 1]])
    made += [Sample({"output_shape": (3, 4), "validate_indices": False}, (unordered, (3,), ()), gradient=False)]
    return made + [Sample({"output_shape": (3, 4)}, (cases[0][0], (4,), ()), (None, d, d), gradient=d.is_floating)
                   for d in (float64, int32, int64, int8, bool_)]


@register
class SparseToDense(Op):
    """default_value of shape output_shape, with sparse_values at the index tuples (numbers, of a vector)."""

    checks_data = True
    refusal = BEHIND
    moves = True
    operands = ("sparse_indices", "output_shape", "sparse_values", "default_value")
    results = ("dense",)
    types: ClassVar = {"T": "sparse_values", "Tindices": "sparse_indices"}
    same = ("sparse_values", "default_value")
    output_shape: tuple[Size, ...] = operand_field("ints", dtype="sparse_indices")
    validate_indices: bool = attr("bool", True)
    samples: ClassVar = _samples()

    def result_dtypes(self, *inputs: Spec) -> tuple[DType, ...]:
        return (inputs[1].dtype,)

    def infer(self, indices: Spec, values: Spec, default: Spec) -> Spec:
        check_dtype(self, "sparse_indices", indices.dtype, "index")
        check_dtype(self, "sparse_values", values.dtype, "element")
        if values.dtype != default.dtype:
            raise TypeError(f"argument 'default_value' has dtype {default.dtype.name}, but 'sparse_values' has "
                            f"{values.dtype.name}; cast one of them (gc.cast)")
        if default.shape not in (None, ()):
            raise ValueError(f"argument 'default_value' should be a scalar, but has shape {text(default.shape)}")
        require_nonnegative(self.output_shape, f"the shape {text(self.output_shape)} must not be negative")
        self._check_rows(indices, values)
        return Spec(values.dtype, self.output_shape)

    def _check_rows(self, indices: Spec, values: Spec) -> None:
        shape, rank = indices.shape, len(self.output_shape)
        if rank > TUPLE_LIMIT:
            raise ValueError(f"argument 'output_shape' has {rank} sizes; the limit is {TUPLE_LIMIT}")
        if values.shape is not None and len(values.shape) > 1:
            raise ValueError(f"argument 'sparse_values' must be a vector or a scalar, but has shape "
                             f"{text(values.shape)}")
        if shape is None:
            return
        if len(shape) > 2:
            raise ValueError("argument 'sparse_indices' should be a scalar, vector, or matrix, but has shape "
                             f"{text(shape)}")
        require_equal(shape[1] if len(shape) == 2 else 1, rank, f"argument 'output_shape' has {rank} sizes: there must "
                      f"be one for each column of sparse_indices of shape {text(shape)}")
        if values.shape:
            require_equal(shape[0] if shape else 1, values.shape[0], f"argument 'sparse_values' has incorrect shape "
                          f"{text(values.shape)}: there must be one value, or one for each row of sparse_indices of "
                          f"shape {text(shape)}")

    def reference(self, indices: np.ndarray, values: np.ndarray, default: np.ndarray) -> np.ndarray:
        rank = len(self.output_shape)
        rows = indices.reshape(-1, rank) if indices.size else np.zeros((len(np.atleast_1d(indices)), rank), np.int64)
        listed = rows.tolist()
        if self.validate_indices and any(a >= b for a, b in itertools.pairwise(listed)):
            raise InvalidArgumentError(UNSORTED)
        dense = np.full(self.output_shape, default, values.dtype)  # type: ignore[arg-type]
        return scattered("update", dense, rows, np.array(np.broadcast_to(values, (len(rows),))))

    def grad(self, g: Any, node: Any, dy: Any) -> Sequence[Any]:
        indices, shape, values, _ = node.inputs
        rows = indices if indices.spec.rank == 2 else g.reshape(indices, g.concat_v2([[-1], g.shape(shape)], 0))
        each = values if values.spec.rank == 1 else g.broadcast_to(values, g.shape(rows)[:1])
        found = g.gather_nd_like(dy, rows, each)
        default = g.sub(g.sum(dy), g.sum(found))
        return [None, None, found if values.spec.rank == 1 else g.sum_to(found, g.shape(values)), default]

    def lower(self, b: Any, inputs: Any, outputs: Any) -> None:
        indices, values, default = inputs
        y, rank = outputs[0], len(self.output_shape)
        rows = b.reshape(indices, (indices.shape[0] if indices.rank else 1, rank))
        if self.validate_indices:
            wide = rows
            if rows.dtype != int64:
                wide = b.temporary(int64, rows.shape)
                b.map(lambda s, i: s.cast(i, int64), [rows], [wide])
            sizes = b.temporary(int64, (rank,))
            b.store_sizes(self.output_shape, sizes)
            rows = checked(b, wide, sizes, ordered=True)
        b.copy(default.broadcast(y.shape), y)
        updates = b.contiguous(values.broadcast(rows.shape[:1]))
        b.call("scatter_nd", [wide_indices(b, rows), updates, y], tuple_sizes(y.shape, rank, rows.shape), [rank, 0])


@register
class SparseTensorDenseAdd(Op):
    """A sparse tensor added to a dense one of the same shape."""

    checks_data = True
    operands = ("a_indices", "a_values", "a_shape", "b")
    results = ("output",)
    types: ClassVar = {"T": "a_values", "Tindices": "a_indices"}
    samples: ClassVar = [Sample({}, (*sparse(*case), case[1])) for case in SPARSE] + [
        Sample({}, (*sparse(*SPARSE[0]), (3, 4)), (None, d, None, d), gradient=d.is_floating)
        for d in (float64, int32, int64, int8)] + [
        Sample({}, (np.array([[1, 0], [0, 2], [1, 0]], np.int32), (3,), np.array([2, 3], np.int32), (2, 3)))]

    def result_dtypes(self, *inputs: Spec) -> tuple[DType, ...]:
        return (inputs[1].dtype,)

    def infer(self, indices: Spec, values: Spec, shape: Spec, dense: Spec) -> Spec:
        check_dtype(self, "a_indices", indices.dtype, "index")
        check_dtype(self, "a_values", values.dtype, "number")
        if shape.dtype != indices.dtype:
            raise TypeError(f"argument 'a_shape' has dtype {shape.dtype.name}, but 'a_indices' has "
                            f"{indices.dtype.name}; cast one of them (gc.cast)")
        if dense.dtype != values.dtype:
            raise TypeError(f"argument 'b' has dtype {dense.dtype.name}, but 'a_values' has {values.dtype.name}; cast "
                            "one of them (gc.cast)")
        for name, spec, rank in (("a_indices", indices, 2), ("a_values", values, 1), ("a_shape", shape, 1)):
            if spec.shape is not None and len(spec.shape) != rank:
                raise ValueError(f"argument '{name}' must have rank {rank}, but its shape is {text(spec.shape)}")
        if indices.shape is not None and values.shape is not None:
            require_equal(indices.shape[0], values.shape[0], "there must be one row of a_indices for each of a_values")
        if dense.shape is None:
            return Spec(values.dtype, None)
        message = f"the sparse tensor and b of shape {text(dense.shape)} must have one shape"
        for spec, axis in ((indices, -1), (shape, 0)):
            if spec.shape is not None:
                require_equal(spec.shape[axis], len(dense.shape), message)
        if shape.value is not None:
            for a, n in zip(shape.value, dense.shape, strict=True):
                require_equal(a, n, message)
        return Spec(values.dtype, dense.shape)

    def reference(self, indices: np.ndarray, values: np.ndarray, shape: np.ndarray, dense: np.ndarray) -> np.ndarray:
        if tuple(shape) != dense.shape:
            raise InvalidArgumentError(f"shapes {tuple(shape)} and {dense.shape} differ")
        return scattered("add", dense, indices, values)

    def grad(self, g: Any, node: Any, dy: Any) -> Sequence[Any]:
        return [None, g.gather_nd_like(dy, node.inputs[0], node.inputs[1]), None, dy]

    def lower(self, b: Any, inputs: Any, outputs: Any) -> None:
        indices, values, shape, dense = inputs
        y = outputs[0]
        require_shape(b, shape, dense.shape)
        call_scatter(b, dense, b.reshape(indices, (indices.shape[0], dense.rank)), values, y, "add")


def require_shape(b: Any, shape: Any, sizes: Sequence[Size]) -> None:
    """Ends the run unless the elements of a shape operand are these sizes."""
    found: list[Size] = []
    for i in range(len(sizes)):
        one = b.temporary(int64, ())
        b.map(lambda s, v: s.cast(v, int64), [shape.select(0, i)], [one])
        found.append(_bound(b, one))
    for a, n in zip(found, sizes, strict=True):
        b.require("equal", a, n, "the sparse and the dense operand must have one shape: their sizes along an axis")


def _bound(b: Any, x: Any) -> Size:
    size: Size = dims.symbol("size", ("runtime", "size"))
    b.bind(x, [size])
    return size
