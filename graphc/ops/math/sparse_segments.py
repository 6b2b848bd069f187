"""Rows of a table picked by index and combined by segment: SparseSegmentSum, Mean and SqrtN, their forms with a given
number of segments, and the gradients of Mean and SqrtN."""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from graphc.errors import InvalidArgumentError
from graphc.ir import dims
from graphc.ir.dims import Size
from graphc.ir.dtypes import float32, float64, int8, int32, int64
from graphc.ir.elementwise import check_dtype
from graphc.ir.known import own_symbol, require_nonnegative
from graphc.ir.op import Op, Sample, operand_field, register
from graphc.ir.spec import Spec, require_equal, text
from graphc.ops.math.segments import call_segment, combined, refused

_ROWS, _IDS = np.array([4, 0, 0, 2, 2, 1]), np.array([0, 0, 0, 2, 2, 4])


def _samples(dtypes: Sequence[Any], **fields: Any) -> list[Sample]:
    made = [
        Sample(fields, (shape, rows.astype(t), ids.astype(np.int32)), (d, None, None), low=0.5, high=3)
        for shape, rows, ids, t, d in (
            ((5,), _ROWS, _IDS, np.int32, float32),
            ((5, 3), _ROWS, _IDS, np.int64, float32),
            ((5, 3, 2), _ROWS, _IDS, np.int32, float32),
            ((5, 0), _ROWS, _IDS, np.int32, float32),
            ((5, 3), _ROWS[:0], _IDS[:0], np.int32, float32),
            ((5, 3), _ROWS, _IDS, np.int32, float64),
        )
    ]
    return made + [
        Sample(
            fields,
            ((5, 3), _ROWS.astype(np.int32), _IDS.astype(np.int32)),
            (d, None, None),
            gradient=False,
            low=1,
            high=9,
        )
        for d in dtypes
    ]


def _check(op: Op, first: str, data: Spec, indices: Spec, ids: Spec, kind: str) -> None:
    check_dtype(op, first, data.dtype, kind)
    check_dtype(op, "indices", indices.dtype, "index")
    if ids.dtype != int32:
        raise TypeError(f"argument 'segment_ids' must be int32, but is {ids.dtype.name}; cast it (gc.cast)")
    for name, spec in (("indices", indices), ("segment_ids", ids)):
        if spec.shape is not None and len(spec.shape) != 1:
            raise ValueError(f"{name} must be a vector, but has shape {text(spec.shape)}")
    if indices.shape is not None and ids.shape is not None:
        require_equal(
            indices.shape[0],
            ids.shape[0],
            "segment_ids and indices should have same size, but have shapes "
            f"{text(ids.shape)} and {text(indices.shape)}",
        )
    if data.shape == ():
        raise ValueError(f"{first} must have at least one axis, but is a scalar")


class _Sparse(Op):
    checks_data = True
    refusal = "segment ids are not increasing: {1} comes after {0}"
    operands: ClassVar[tuple[str, ...]] = ("data", "indices", "segment_ids")
    results = ("output",)
    types: ClassVar[dict[str, str]] = {"T": "data", "Tidx": "indices"}
    how: ClassVar[str]
    kind: ClassVar[str] = "floating"
    given: ClassVar[bool] = False

    def infer(self, *inputs: Spec) -> Spec:
        data, indices, ids = inputs
        _check(self, "data", data, indices, ids, self.kind)
        rows: Size = self.num_segments if self.given else own_symbol(self, "segments")
        if isinstance(rows, int) and rows < 0:
            raise ValueError(f"num_segments must not be negative, but is {rows}")
        if self.given:
            require_nonnegative([rows], "num_segments must not be negative")
        return Spec(data.dtype, None if data.shape is None else (rows, *data.shape[1:]))

    def reference(self, *inputs: np.ndarray) -> np.ndarray:
        data, indices, ids = inputs
        limit = self.num_segments if self.given else np.inf
        refused(ids, limit)
        if len(indices) and (indices.min() < 0 or indices.max() >= len(data)):
            raise InvalidArgumentError(f"index {indices.max()} is not in [0, {len(data)})")
        count = limit if self.given else ids[-1] + 1 if len(ids) else 0
        result = np.zeros((count, *data.shape[1:]), data.dtype)
        for i in np.unique(ids):
            result[i] = combined(self.how, data[indices[ids == i]])
        return result

    def lower(self, b: Any, inputs: Any, outputs: Any) -> None:
        data, indices, ids = inputs
        y = outputs[0]
        if not self.given:
            found = b.temporary(int64, (1,))
            b.call("segment_count", [ids, found], dims=[ids.elements])
            b.bind(found, [y.shape[0]])
        picked = b.temporary(data.dtype, (indices.shape[0], *data.shape[1:]))
        b.call(
            "gather", [data, indices, picked], dims=[1, data.shape[0], dims.product(data.shape[1:]), indices.elements]
        )
        call_segment(b, self.how, picked, ids, y, True)

    def grad(self, g: Any, node: Any, dy: Any) -> list[Any]:
        data, indices, ids = node.inputs[:3]
        rows = g.reshape(g.gather_v2(g.shape(data), [0], 0), [])
        found = self.to_data(g, dy, indices, ids, rows)
        return [found, *(None for _ in node.inputs[1:])]

    @staticmethod
    def to_data(g: Any, dy: Any, indices: Any, ids: Any, rows: Any) -> Any:
        return g.unsorted_segment_sum(g.gather_v2(dy, ids, 0), indices, rows)


class _Mean(_Sparse):
    @staticmethod
    def to_data(g: Any, dy: Any, indices: Any, ids: Any, rows: Any) -> Any:
        return g.sparse_segment_mean_grad(dy, indices, ids, g.cast(rows, int32))


class _SqrtN(_Sparse):
    @staticmethod
    def to_data(g: Any, dy: Any, indices: Any, ids: Any, rows: Any) -> Any:
        return g.sparse_segment_sqrt_n_grad(dy, indices, ids, g.cast(rows, int32))


_INTEGERS = (int32, int64, int8)
_GIVEN = ("data", "indices", "segment_ids", "num_segments")
_GIVEN_TYPES = {"T": "data", "Tidx": "indices", "Tnumsegments": "num_segments"}


@register
class SparseSegmentSum(_Sparse):
    """The sums of the rows of data that indices names, by segment"""

    how, kind = "sum", "number"
    samples = _samples(_INTEGERS)


@register
class SparseSegmentSumWithNumSegments(_Sparse):
    """SparseSegmentSum with a given number of segments"""

    how, kind, given = "sum", "number", True
    operands, types = _GIVEN, _GIVEN_TYPES
    num_segments: Size = operand_field("int")
    samples = [*_samples(_INTEGERS, num_segments=5), *_samples((), num_segments=8)[:2]]


@register
class SparseSegmentMean(_Mean):
    """The means of the rows of data that indices names, by segment"""

    how = "mean"
    samples = _samples(())


@register
class SparseSegmentMeanWithNumSegments(_Mean):
    """SparseSegmentMean with a given number of segments"""

    how, given = "mean", True
    operands, types = _GIVEN, _GIVEN_TYPES
    num_segments: Size = operand_field("int")
    samples = [*_samples((), num_segments=5), *_samples((), num_segments=8)[:2]]


@register
class SparseSegmentSqrtN(_SqrtN):
    """The sums of the rows of data that indices names, by segment, over the root of their number"""

    how = "sqrt_n"
    samples = _samples(())


@register
class SparseSegmentSqrtNWithNumSegments(_SqrtN):
    """SparseSegmentSqrtN with a given number of segments"""

    how, given = "sqrt_n", True
    operands, types = _GIVEN, _GIVEN_TYPES
    num_segments: Size = operand_field("int")
    samples = [*_samples((), num_segments=5), *_samples((), num_segments=8)[:2]]


class _SparseGrad(Op):
    """grad of the segments back to the output_dim0 rows of data, over the segment's number of rows (or its root)."""

    checks_data = True
    refusal = "segment ids are not increasing: {1} comes after {0}"
    operands = ("grad", "indices", "segment_ids", "output_dim0")
    results = ("output",)
    types: ClassVar[dict[str, str]] = {"T": "grad", "Tidx": "indices"}
    root: ClassVar[bool]
    output_dim0: Size
    samples = [
        Sample({"output_dim0": n}, (shape, _ROWS.astype(t), _IDS.astype(np.int32)), (d, None, None))
        for n, shape, t, d in (
            (5, (5,), np.int32, float32),
            (6, (5, 3), np.int64, float32),
            (5, (5, 2), np.int32, float64),
            (5, (5, 0), np.int32, float32),
        )
    ]

    def infer(self, *inputs: Spec) -> Spec:
        dy, indices, ids = inputs
        _check(self, "grad", dy, indices, ids, "floating")
        require_nonnegative([self.output_dim0], "output_dim0 must not be negative")
        return Spec(dy.dtype, None if dy.shape is None else (self.output_dim0, *dy.shape[1:]))

    def reference(self, *inputs: np.ndarray) -> np.ndarray:
        dy, indices, ids = inputs
        refused(ids, len(dy))
        result = np.zeros((self.output_dim0, *dy.shape[1:]), dy.dtype)  # type: ignore[arg-type]
        for index, segment in zip(indices, ids, strict=True):
            count = dy.dtype.type(np.sum(ids == segment))
            result[index] += dy[segment] / (np.sqrt(count) if self.root else count)
        return result

    def lower(self, b: Any, inputs: Any, outputs: Any) -> None:
        dy, indices, ids = inputs
        y, n, segments, inner = outputs[0], ids.shape[0], dy.shape[0], dims.product(dy.shape[1:])
        ones, counts = b.temporary(dy.dtype, (n,)), b.temporary(dy.dtype, (segments,))
        b.fill(ones, 1)
        b.call("segment", [ones, ids, counts], dims=[n, 1, segments], attrs=[0, 1])

        def shared(s: Any, v: Any, count: Any) -> Any:
            by = s("max", count, s.constant(1, s.dtype(count)))
            return s("div", v, s("sqrt", by) if self.root else by)

        scaled, rows = b.temporary(dy.dtype, dy.shape), b.temporary(dy.dtype, (n, *dy.shape[1:]))
        b.map(shared, [dy, counts.broadcast_trailing(dy.shape[1:])], [scaled])
        b.call("gather", [scaled, ids, rows], dims=[1, segments, inner, n])
        b.call("scatter_add", [rows, indices, y], dims=[1, y.shape[0], inner, n])


@register
class SparseSegmentMeanGrad(_SparseGrad):
    """SparseSegmentMean's gradient"""

    root = False
    output_dim0: Size = operand_field("int")

    def grad(self, g, node, dy):
        _, indices, ids, _ = node.inputs
        segments = g.reshape(g.gather_v2(g.shape(node.inputs[0]), [0], 0), [])
        return [g.sparse_segment_mean_with_num_segments(dy, indices, ids, segments), None, None, None]


@register
class SparseSegmentSqrtNGrad(_SparseGrad):
    """SparseSegmentSqrtN's gradient"""

    root = True
    output_dim0: Size = operand_field("int")

    def grad(self, g, node, dy):
        _, indices, ids, _ = node.inputs
        segments = g.reshape(g.gather_v2(g.shape(node.inputs[0]), [0], 0), [])
        return [g.sparse_segment_sqrt_n_with_num_segments(dy, indices, ids, segments), None, None, None]
