"""Sparse tensors joined and split along an axis: SparseConcat, SparseSplit."""
from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from graphc.errors import InvalidArgumentError
from graphc.ir.dims import Size
from graphc.ir.dtypes import DType, bool_, float64, int8, int32, int64
from graphc.ir.elementwise import check_dtype, check_rank
from graphc.ir.known import own_symbol
from graphc.ir.op import Op, Sample, attr, operand_field, register
from graphc.ir.spec import Spec, require_equal
from graphc.ops.array.refuse import require_none
from graphc.ops.sparse.cases import SPARSE, arrays_of, check_inside, entries, sparse
from graphc.ops.sparse.parts import check_int64, check_parts, checked, joined, positions, row_order, take


def axis_number(axis: int, rank: Size, what: str) -> Size:
    """The axis counted from the front. Raises ValueError if there is no such axis."""
    if not isinstance(axis, (int, np.integer)):
        raise ValueError(f"argument '{what}' must be known while the graph is built, but is {axis}")
    if isinstance(rank, int) and not -rank <= axis < rank:
        raise ValueError(f"argument '{what}' {axis} is out of range for sparse tensors of rank {rank}")
    return int(axis) if axis >= 0 else rank + int(axis)


_JOINED = [(0, [([[0, 1], [2, 0]], (3, 4)), ([[1, 1]], (2, 4))]),
           (1, [([[0, 1], [2, 0]], (3, 4)), ([[0, 0], [1, 1]], (3, 2))]),
           (-1, [SPARSE[2], SPARSE[2], SPARSE[2]]), (0, [SPARSE[1]]), (0, [SPARSE[4], SPARSE[4]]),
           (1, [SPARSE[5], SPARSE[5]])]


def _concat_sample(axis: int, given: Sequence[Any], dtype: DType | None = None) -> Sample:
    columns = list(zip(*(sparse(*one) for one in given), strict=True))
    return Sample({"concat_dim": axis, "N": len(given)}, tuple(x for column in columns for x in column),
                  (*[None] * len(given), *[dtype] * len(given)), gradient=False)


@register
class SparseConcat(Op):
    """Sparse tensors, one after the other along concat_dim. No gradient, as in TensorFlow 1: it is None."""

    checks_data = True
    moves = True
    operands = ("indices*", "values*", "shapes*")
    results = ("output_indices", "output_values", "output_shape")
    types: ClassVar = {"T": "values*"}
    concat_dim: int = attr("int")
    N: int = attr("int")
    samples: ClassVar = [_concat_sample(*case) for case in _JOINED] + [
        _concat_sample(*_JOINED[1], dtype=d) for d in (float64, int32, int64, int8, bool_)]

    def result_dtypes(self, *inputs: Spec) -> tuple[DType, ...]:
        return int64, inputs[self.N].dtype, int64

    def infer(self, *inputs: Spec) -> tuple[Spec, ...]:
        n = self.N
        if n < 1 or len(inputs) != 3 * n:
            raise ValueError(f"{n} indices, values and shapes are needed, but {len(inputs)} tensors are given")
        total: Size = 0
        rank: Size | None = None
        for i in range(n):
            indices, values, shape = inputs[i], inputs[n + i], inputs[2 * n + i]
            check_dtype(self, "values", values.dtype, "element")
            if values.dtype != inputs[n].dtype:
                raise TypeError(f"values[{i}] has dtype {values.dtype.name}, but values[0] has {inputs[n].dtype.name}; "
                                "cast one of them (gc.cast)")
            check_int64(f"indices[{i}]", indices, 2)
            check_rank(f"values[{i}]", values, 1)
            check_int64(f"shapes[{i}]", shape, 1)
            counts = [s.shape[0] for s in (indices, values) if s.shape is not None]
            if len(counts) == 2:
                require_equal(*counts, f"the number of elements of indices[{i}] and of values[{i}]")
            total = total + (counts[0] if counts else own_symbol(self, f"count {i}"))
            for size in ([indices.shape[1]] if indices.shape else []) + ([shape.shape[0]] if shape.shape else []):
                rank = size if rank is None else require_equal(rank, size, f"ranks of the inputs, here number {i}")
        rank = own_symbol(self, "rank") if rank is None else rank
        axis = axis_number(self.concat_dim, rank, "concat_dim")
        return (Spec(int64, (total, rank)), Spec(inputs[n].dtype, (total,)),
                Spec(int64, (rank,)).with_value(_joined_shape([shape.value for shape in inputs[2 * n:]], axis)))

    def reference(self, *inputs: np.ndarray) -> tuple[np.ndarray, ...]:
        n, axis = self.N, self.concat_dim % len(inputs[-1])
        begin, found = 0, []
        for i in range(n):
            shape = inputs[2 * n + i]
            if any(a != b for j, (a, b) in enumerate(zip(shape, inputs[2 * n], strict=True)) if j != axis):
                raise InvalidArgumentError("shapes do not match")
            found += [((*row[:axis], row[axis] + begin, *row[axis + 1:]), value)
                      for row, value in entries(inputs[i], inputs[n + i])]
            begin += int(shape[axis])
        made = inputs[2 * n].copy()
        made[axis] = begin
        if axis:
            found.sort(key=lambda entry: entry[0])
        return *arrays_of(found, len(made), inputs[n].dtype), made

    def grad(self, g: Any, node: Any, *dys: Any) -> Sequence[Any]:
        return [None] * len(node.inputs)

    def lower(self, b: Any, inputs: Any, outputs: Any) -> None:
        n, shape = self.N, outputs[2]
        axis = axis_number(self.concat_dim, shape.shape[0], "concat_dim")
        b.copy(inputs[2 * n], shape)
        begin = b.temporary(int64, (1,))
        b.fill(begin, 0)
        rows = []
        for i in range(n):
            self._check_sizes(b, inputs[2 * n], inputs[2 * n + i], axis)
            moved, end = b.temporary(int64, inputs[i].shape), b.temporary(int64, (1,))
            b.copy(inputs[i], moved)
            column = moved.select(1, axis)
            b.map(lambda s, j, first: s("add", j, first), [inputs[i].select(1, axis), begin.broadcast(column.shape)],
                  [column])
            b.map(lambda s, m, k: s("add", m, k), [begin, inputs[2 * n + i].part(0, axis, 1)], [end])
            rows.append(moved)
            begin = end
        b.copy(begin, shape.part(0, axis, 1))
        every, values = joined(b, rows), joined(b, inputs[n:2 * n])
        if isinstance(axis, int) and axis == 0:        # in order already, if its operands are
            b.copy(every, outputs[0])
            b.copy(values, outputs[1])
            return
        order = row_order(b, every)
        take(b, every, order, outputs[0])
        take(b, values, order, outputs[1])

    def _check_sizes(self, b: Any, first: Any, shape: Any, axis: Size) -> None:
        for begin, size in ((0, axis), (axis + 1, first.shape[0] - axis - 1)):
            require_none(b, lambda s, m, n: s("not_equal", m, n),
                         [first.part(0, begin, size), shape.part(0, begin, size)], (size,),
                         f"inputs must have one shape but for concat_dim {self.concat_dim}: sizes that differ")


def _joined_shape(shapes: Sequence[Sequence[Size] | None], axis: Size) -> list[Size] | None:
    if any(shape is None for shape in shapes) or not isinstance(axis, int):
        return None
    made, total = list(shapes[0] or ()), 0
    for shape in shapes:
        total = total + (shape or ())[axis]     # type: ignore[assignment]
    made[axis] = total
    return made


_SPLITS = [(1, 2, SPARSE[0]), (0, 2, SPARSE[0]), (-1, 2, SPARSE[2]), (0, 3, SPARSE[1]), (1, 3, SPARSE[4]),
           (0, 1, SPARSE[3])]


@register
class SparseSplit(Op):
    """num_split parts of a sparse tensor along split_dim; the first ones are longer by 1 if it does not divide."""

    checks_data = True
    moves = True
    operands = ("split_dim", "indices", "values", "shape")
    results = ("output_indices*", "output_values*", "output_shape*")
    types: ClassVar = {"T": "values"}
    split_dim: int = operand_field("int", dtype="int64")
    num_split: int = attr("int")
    samples: ClassVar = [Sample({"split_dim": axis, "num_split": n}, sparse(*case), gradient=False)
                         for axis, n, case in _SPLITS] + [
        Sample({"split_dim": 1, "num_split": 3}, sparse(*SPARSE[0]), (None, d), gradient=False)
        for d in (float64, int32, int64, int8, bool_)]

    def result_dtypes(self, *inputs: Spec) -> tuple[DType, ...]:
        n = self.num_split
        return (int64,) * n + (inputs[1].dtype,) * n + (int64,) * n

    def infer(self, *inputs: Spec) -> tuple[Spec, ...]:
        indices, values, shape = inputs
        check_dtype(self, "values", values.dtype, "element")
        if self.num_split < 1:
            raise ValueError(f"num_split must be at least 1, but is {self.num_split}")
        names = ("indices", "values", "shape")
        for name, spec, rank in zip(names, inputs, (2, 1, 1), strict=True):
            check_rank(name, spec, rank) if name == "values" else check_int64(name, spec, rank)
        _, rank_ = check_parts(self, indices, values, shape, first=1)
        axis_number(self.split_dim, rank_, "split_dim")
        counts = [own_symbol(self, f"count {i}") for i in range(self.num_split)]
        return (*(Spec(int64, (c, rank_)) for c in counts), *(Spec(values.dtype, (c,)) for c in counts),
                *(Spec(int64, (rank_,)) for _ in counts))

    def reference(self, *inputs: np.ndarray) -> tuple[np.ndarray, ...]:
        indices, values, shape = inputs
        axis, n = self.split_dim % len(shape), self.num_split
        if not 1 <= n <= shape[axis]:
            raise InvalidArgumentError(f"num_split {n} must be from 1 to {shape[axis]}")
        check_inside(indices, shape)
        bounds = np.cumsum([0, *[len(part) for part in np.array_split(np.arange(shape[axis]), n)]])
        made: list[tuple[np.ndarray, ...]] = []
        for low, high in itertools.pairwise(bounds):
            inside = (indices[:, axis] >= low) & (indices[:, axis] < high)
            rows, sizes = indices[inside], shape.copy()
            rows[:, axis] -= low
            sizes[axis] = high - low
            made.append((rows, values[inside], sizes))
        return tuple(part[k] for k in range(3) for part in made)

    def lower(self, b: Any, inputs: Any, outputs: Any) -> None:
        indices, values, shape = inputs
        n, axis = self.num_split, axis_number(self.split_dim, shape.shape[0], "split_dim")
        size = shape.part(0, axis, 1)
        require_none(b, lambda s, m: s("less", m, s.constant(n, int64)), [size], (1,),
                     f"num_split {n} must not be more than the size of the axis")
        indices = checked(b, indices, shape)
        for i in range(n):
            low, high = (self._bound(b, size, k) for k in (i, i + 1))
            mask = b.temporary(bool_, indices.shape[:1])
            column = indices.select(1, axis)
            b.map(lambda s, j, first, last: s("and", s("less_equal", first, j), s("less", j, last)),
                  [column, low.broadcast(column.shape), high.broadcast(column.shape)], [mask])
            kept = positions(b, mask, outputs[n + i].shape[0])
            take(b, indices, kept, outputs[i])
            take(b, values, kept, outputs[n + i])
            moved = outputs[i].select(1, axis)
            b.map(lambda s, j, first: s("sub", j, first), [moved, low.broadcast(moved.shape)], [moved])
            b.copy(shape, outputs[2 * n + i])
            b.map(lambda s, first, last: s("sub", last, first), [low, high], [outputs[2 * n + i].part(0, axis, 1)])

    def _bound(self, b: Any, size: Any, number: int) -> Any:
        """Where part `number` begins: int64[1]."""
        made = b.temporary(int64, (1,))

        def begin(s: Any, m: Any) -> Any:
            n, i = s.constant(self.num_split, int64), s.constant(number, int64)
            return s("add", s("mul", i, s("floordiv", m, n)), s("min", i, s("mod", m, n)))

        b.map(begin, [size], [made])
        return made
