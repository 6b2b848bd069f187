"""Sums and greatest elements along axes of a sparse tensor: SparseReduceSum and SparseReduceMax, which make it dense,
SparseReduceSumSparse and SparseReduceMaxSparse. Only elements that are there count; where there are none, 0 comes out.
"""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from graphc.ir import dims
from graphc.ir.dims import Size
from graphc.ir.dtypes import DType, bool_, float64, int8, int32, int64
from graphc.ir.elementwise import check_dtype, check_rank
from graphc.ir.known import own_symbol, regrouped
from graphc.ir.op import Op, Sample, attr, normalise_axes, operand_field, register
from graphc.ir.spec import Spec, require_equal
from graphc.ops.math.segments import call_segment
from graphc.ops.sparse.cases import SPARSE, arrays_of, check_inside, entries, int64s
from graphc.ops.sparse.parts import check_int64, checked, first_of_groups, places_of, put, row_groups, row_order, take

_AXES = [(SPARSE[0], (0,)), (SPARSE[0], (-1,)), (SPARSE[0], (0, 1)), (SPARSE[0], ()), (SPARSE[2], (0, 2)),
         (SPARSE[2], (1,)), (SPARSE[1], (0,)), (SPARSE[4], (1,)), (SPARSE[5], (0,)), (SPARSE[3], (1,)),
         (([[2, 1], [0, 3], [2, 1], [0, 0]], (3, 4)), (1,))]


def _samples(dtypes: Sequence[DType], gradient: bool) -> list[Sample]:
    def one(case: Any, axes: Any, keep: bool, dtype: DType | None = None) -> Sample:
        rows, shape = case
        indices = int64s(rows).reshape(-1, len(shape))
        fields = {"input_shape": tuple(shape), "reduction_axes": axes, "keep_dims": keep}
        floating = dtype is None or dtype.is_floating
        return Sample(fields, (indices, (len(indices),)), (None, dtype), gradient=gradient and floating, low=-9, high=9)

    made = [one(case, axes, keep) for case, axes in _AXES for keep in (False, True)]
    return made + [one(SPARSE[0], (1,), False, d) for d in dtypes]


class _Reduced(Op):
    checks_data = True
    operands: ClassVar[tuple[str, ...]] = ("input_indices", "input_values", "input_shape", "reduction_axes")
    results: ClassVar[tuple[str, ...]] = ("output",)
    types: ClassVar[dict[str, str]] = {"T": "input_values"}
    how: ClassVar[str]
    input_shape: tuple[Size, ...]
    reduction_axes: tuple[int, ...]
    keep_dims: bool

    def result_dtypes(self, *inputs: Spec) -> tuple[DType, ...]:
        return (inputs[1].dtype,)

    def check(self, indices: Spec, values: Spec) -> list[int]:
        """The axes that are kept."""
        check_int64("input_indices", indices, 2)
        check_dtype(self, "input_values", values.dtype, "number")
        check_rank("input_values", values, 1)
        rank = len(self.input_shape)
        if indices.shape is not None:
            require_equal(indices.shape[1], rank, "input_indices must have one column for each size of input_shape")
            if values.shape is not None:
                require_equal(indices.shape[0], values.shape[0], "input_values must have one element for each row of "
                              "input_indices")
        axes = normalise_axes(self.reduction_axes, rank)
        return [i for i in range(rank) if i not in axes]

    def kept(self) -> list[int]:
        axes = normalise_axes(self.reduction_axes, len(self.input_shape))
        return [i for i in range(len(self.input_shape)) if i not in axes]

    def infer(self, *inputs: Spec) -> Any:
        kept = self.check(*inputs)
        shape = tuple(size if i in kept else 1 for i, size in enumerate(self.input_shape)
                      if self.keep_dims or i in kept)
        return Spec(inputs[1].dtype, shape)

    def groups(self, indices: np.ndarray, values: np.ndarray) -> list[tuple[tuple[int, ...], Any]]:
        """For the reference: the kept indices that occur, each with the elements combined."""
        check_inside(indices, self.input_shape)  # type: ignore[arg-type]
        kept, found = self.left(), {}
        with np.errstate(all="ignore"):
            for row, value in entries(indices, values):
                place = tuple(row[i] for i in kept)
                old = found.get(place)
                found[place] = value if old is None else old + value if self.how == "sum" else max(old, value)
        return [(place, found[place]) for place in sorted(found)]

    def left(self) -> list[int]:
        """The kept axes, for the reference."""
        rank = len(self.input_shape)
        return sorted(set(range(rank)) - {axis % rank for axis in self.reduction_axes})

    def reference(self, *inputs: np.ndarray) -> Any:
        kept = self.left()
        made = np.zeros([self.input_shape[i] for i in kept], inputs[1].dtype)  # type: ignore[misc]
        for place, value in self.groups(*inputs):
            made[place] = value
        if not self.keep_dims:
            return made
        return np.expand_dims(made, [i for i in range(len(self.input_shape)) if i not in kept])

    def columns(self, b: Any, indices: Any) -> Any:
        """The index tuples of kept axes only, after a look whether all are inside."""
        kept, sizes = self.kept(), b.temporary(int64, (len(self.input_shape),))
        b.store_sizes(self.input_shape, sizes)
        rows, made = checked(b, indices, sizes), b.temporary(int64, (indices.shape[0], len(kept)))
        if not kept:
            b.fill(made, 0)
        for i, axis in enumerate(kept):
            b.copy(rows.select(1, axis), made.select(1, i))
        return made

    def places(self, b: Any, columns: Any, shape: Sequence[Size]) -> Any:
        """The row-major number of each kept index tuple."""
        if not shape:
            zeros = b.temporary(int64, columns.shape[:1])
            b.fill(zeros, 0)
            return zeros
        sizes = b.temporary(int64, (len(shape),))
        b.store_sizes(shape, sizes)
        return places_of(b, columns, sizes)

    def lower(self, b: Any, inputs: Any, outputs: Any) -> None:
        indices, values = inputs
        shape = [self.input_shape[i] for i in self.kept()]
        places = self.places(b, self.columns(b, indices), shape)
        y = regrouped(outputs[0], (dims.product(shape),))
        if self.how == "sum":
            call_segment(b, "sum", values, places, y, False)
            return
        greatest, present = b.temporary(y.dtype, y.shape), b.temporary(bool_, y.shape)
        call_segment(b, "max", values, places, greatest, False)
        some = b.temporary(bool_, places.shape)
        b.fill(some, True)
        b.fill(present, False)
        put(b, some, places, present)
        b.map(lambda s, there, v: s("select", there, v, s.constant(0, y.dtype)), [present, greatest], [y])


@register
class SparseReduceSum(_Reduced):
    """The sums along the axes of a sparse tensor, as a dense one."""

    how = "sum"
    input_shape: tuple[Size, ...] = operand_field("ints", dtype="int64")
    reduction_axes: tuple[int, ...] = operand_field("int_or_ints")
    keep_dims: bool = attr("bool", False)
    samples: ClassVar = _samples((float64, int32, int64, int8), True)

    def grad(self, g: Any, node: Any, dy: Any) -> Sequence[Any]:
        indices, values, shape, axes = node.inputs
        shape, rank = g.cast(shape, int64), g.cast(g.size(shape), axes.dtype)
        axes = g.reshape(g.floor_mod(axes, rank), [-1])
        reduced = g.greater(g.unsorted_segment_sum(g.ones_like(axes), axes, rank), 0)
        wide = g.reshape(dy, g.select(reduced, g.ones_like(shape), shape))
        return [None, g.gather_nd_like(wide, g.dense_tuples(indices, shape, wide), values), None, None]


@register
class SparseReduceMax(_Reduced):
    """The greatest elements along the axes of a sparse tensor, as a dense one. No gradient, as in TensorFlow 1."""

    how = "max"
    input_shape: tuple[Size, ...] = operand_field("ints", dtype="int64")
    reduction_axes: tuple[int, ...] = operand_field("int_or_ints")
    keep_dims: bool = attr("bool", False)
    samples: ClassVar = _samples((float64, int32, int64, int8), False)


class _ReducedSparse(_Reduced):
    results: ClassVar[tuple[str, ...]] = ("output_indices", "output_values", "output_shape")

    def result_dtypes(self, *inputs: Spec) -> tuple[DType, ...]:
        return int64, inputs[1].dtype, int64

    def infer(self, *inputs: Spec) -> Any:
        shape = super().infer(*inputs).shape
        count = own_symbol(self, "count")
        return (Spec(int64, (count, len(shape))), Spec(inputs[1].dtype, (count,)),
                Spec(int64, (len(shape),)).with_value(shape))

    def reference(self, *inputs: np.ndarray) -> Any:
        kept, rank = self.left(), len(self.input_shape)
        found = self.groups(*inputs)
        shape = [self.input_shape[i] for i in kept]
        if self.keep_dims:
            found = [(tuple(place[kept.index(i)] if i in kept else 0 for i in range(rank)), value)
                     for place, value in found]
            shape = [size if i in kept else 1 for i, size in enumerate(self.input_shape)]
        return *arrays_of(found, len(shape), inputs[1].dtype), np.array(shape, np.int64)

    def lower(self, b: Any, inputs: Any, outputs: Any) -> None:
        indices, values, shape = outputs
        rows = self.columns(b, inputs[0])
        group, found = row_groups(b, rows, row_order(b, rows), rows.shape[1])
        b.bind(found, [values.shape[0]])
        call_segment(b, self.how, inputs[1], group, values, False)
        picked, kept = take(b, rows, first_of_groups(b, group, values.shape[0])), self.kept()
        b.fill(indices, 0)
        for i, axis in enumerate(kept):
            b.copy(picked.select(1, i), indices.select(1, axis if self.keep_dims else i))
        if not shape.shape[0]:
            b.fill(shape, 0)
        b.store_sizes([size if i in kept else 1 for i, size in enumerate(self.input_shape)
                       if self.keep_dims or i in kept], shape)


@register
class SparseReduceSumSparse(_ReducedSparse):
    """The sums along the axes of a sparse tensor, as a sparse one. No gradient, as in TensorFlow 1."""

    how = "sum"
    input_shape: tuple[Size, ...] = operand_field("ints", dtype="int64")
    reduction_axes: tuple[int, ...] = operand_field("int_or_ints")
    keep_dims: bool = attr("bool", False)
    samples: ClassVar = _samples((float64, int32, int64, int8), False)


@register
class SparseReduceMaxSparse(_ReducedSparse):
    """The greatest elements along the axes of a sparse tensor, as a sparse one. No gradient, as in TensorFlow 1."""

    how = "max"
    input_shape: tuple[Size, ...] = operand_field("ints", dtype="int64")
    reduction_axes: tuple[int, ...] = operand_field("int_or_ints")
    keep_dims: bool = attr("bool", False)
    samples: ClassVar = _samples((float64, int32, int64, int8), False)
