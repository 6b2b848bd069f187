"""Parts of sparse tensors: SparseSlice and its gradient."""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from graphc.ir.dtypes import DType, bool_, float32, float64, int8, int32, int64
from graphc.ir.elementwise import check_dtype
from graphc.ir.known import own_symbol
from graphc.ir.op import Composite, Op, Sample, register
from graphc.ir.spec import Spec, require_equal
from graphc.ops.array.refuse import require_none
from graphc.ops.math.binary import Add
from graphc.ops.math.unsorted_segments import _GatherKept
from graphc.ops.sparse.cases import SPARSE, arrays_of, entries, int64s, sparse
from graphc.ops.sparse.parts import axis_of, check_int64, check_parts, positions, take
from graphc.ops.sparse.rows import _FindRows

_SLICES = [(SPARSE[0], (0, 1), (2, 3)), (SPARSE[0], (0, 0), (9, 9)), (SPARSE[0], (2, 2), (1, 1)),
           (SPARSE[0], (5, 0), (1, 4)), (SPARSE[2], (0, 1, 0), (2, 1, 2)), (SPARSE[1], (2,), (3,)),
           (SPARSE[4], (0, 1), (1, 1)), (SPARSE[3], (0, 0), (0, 1))]


@register
class SparseSlice(Op):
    """The elements from `start` on in a box of `size`, which ends with the tensor."""

    checks_data = True
    moves = True
    operands = ("indices", "values", "shape", "start", "size")
    results = ("output_indices", "output_values", "output_shape")
    types: ClassVar = {"T": "values"}
    samples: ClassVar = [Sample({}, (*sparse(*case), int64s(start), int64s(size))) for case, start, size in _SLICES] + [
        Sample({}, (*sparse(*SPARSE[0]), int64s([0, 1]), int64s([2, 3])), (None, d), gradient=d.is_floating)
        for d in (float64, int32, int64, int8, bool_)]

    def result_dtypes(self, *inputs: Spec) -> tuple[DType, ...]:
        return int64, inputs[1].dtype, int64

    def infer(self, *inputs: Spec) -> tuple[Spec, ...]:
        indices, values, shape, start, size = inputs
        check_dtype(self, "values", values.dtype, "element")
        _, rank = check_parts(self, indices, values, shape)
        for name, spec in (("start", start), ("size", size)):
            check_int64(name, spec, 1)
            if spec.shape is not None:
                require_equal(spec.shape[0], rank, f"argument '{name}' must have one element for each axis")
        count = own_symbol(self, "count")
        return Spec(int64, (count, rank)), Spec(values.dtype, (count,)), Spec(int64, (rank,))

    def reference(self, *inputs: np.ndarray) -> tuple[np.ndarray, ...]:
        indices, values, shape, start, size = inputs
        if np.any(start < 0) or np.any(size < 0):
            raise ValueError("start and size must not be negative")
        found = [(tuple(row - start), value) for row, value in entries(indices, values)
                 if all(first <= i < first + n for i, first, n in zip(row, start, size, strict=True))]
        return *arrays_of(found, len(shape), values.dtype), np.maximum(np.minimum(size, shape - start), 0)

    def lower(self, b: Any, inputs: Any, outputs: Any) -> None:
        indices, values, shape, start, size = inputs
        inside, mask = b.temporary(bool_, indices.shape), b.temporary(bool_, indices.shape[:1])
        require_none(b, lambda s, i, n: s("or", s("less", i, s.constant(0, int64)), s("less", n, s.constant(0, int64))),
                     [start, size], start.shape, "start and size must not be negative")
        b.map(lambda s, i, first, n: s("and", s("less_equal", first, i), s("less", s("sub", i, first), n)),
              [indices, start.broadcast(indices.shape), size.broadcast(indices.shape)], [inside])
        b.reduce("and", inside, mask, (1,))
        kept = positions(b, mask, outputs[1].shape[0])
        found = take(b, indices, kept)
        b.map(lambda s, i, first: s("sub", i, first), [found, start.broadcast(found.shape)], [outputs[0]])
        take(b, values, kept, outputs[1])
        b.map(lambda s, m, first, n: s("max", s("min", n, s("sub", m, first)), s.constant(0, int64)),
              [shape, start, size], [outputs[2]])

    def grad(self, g: Any, node: Any, *dys: Any) -> Sequence[Any]:
        if dys[1] is None:
            return [None] * 5
        return [None, g.sparse_slice_grad(dys[1], node.inputs[0], node.inputs[3], node.outputs[0]), None, None, None]


@register
class SparseSliceGrad(Composite):
    """The gradient of SparseSlice's values: 0 for what is outside of the box."""

    operands = ("backprop_val_grad", "input_indices", "input_start", "output_indices")
    results = ("val_grad",)
    types: ClassVar = {"T": "backprop_val_grad"}
    samples: ClassVar = [Sample({}, ((2,), int64s([[0, 1], [1, 1], [2, 0]]), int64s([1, 0]), int64s([[0, 1], [1, 0]])),
                                (d,), gradient=d.is_floating) for d in (float32, float64, int32, int64)] + [
        Sample({}, ((0,), int64s([[0, 1]]), int64s([1, 0]), np.zeros((0, 2), np.int64)))]

    def infer(self, *inputs: Spec) -> Spec:
        dy, rows, start, found = inputs
        check_dtype(self, "backprop_val_grad", dy.dtype, "product")
        for name, spec, rank in zip(self.operands[1:], inputs[1:], (2, 1, 2), strict=True):
            check_int64(name, spec, rank)
        if axis_of(found, 1) is not None and axis_of(start, 0) is not None:
            require_equal(found.shape[1], start.shape[0], "columns of output_indices and elements of input_start")  # type: ignore
        return Spec(dy.dtype, _FindRows().infer(rows, found).shape)

    def reference(self, *inputs: np.ndarray) -> np.ndarray:
        dy, rows, start, found = inputs
        known = dict(entries(found + start, dy))
        return np.array([known.get(tuple(row), 0) for row in rows.tolist()], dy.dtype)

    def expand(self, emit: Any, *inputs: Any) -> Any:
        dy, rows, start, found = inputs
        return emit(_GatherKept(), dy, emit(_FindRows(), rows, emit(Add(), found, start)))

    def grad(self, g: Any, node: Any, dy: Any) -> Sequence[Any]:
        first, rows, start, found = node.inputs
        return [g.unsorted_segment_sum(dy, g.find_rows(rows, g.add(found, start)), g.size(first)), None, None, None]
