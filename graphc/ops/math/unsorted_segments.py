"""Rows combined by segment, with ids in any order and a given number of segments: UnsortedSegmentSum and so on; and
what their gradients are made of."""
from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np

from graphc.errors import InvalidArgumentError
from graphc.ir import dims
from graphc.ir.dims import Size
from graphc.ir.dtypes import float32, float64, int8, int32, int64
from graphc.ir.elementwise import check_dtype
from graphc.ir.known import require_nonnegative
from graphc.ir.op import Op, Sample, operand_field, register
from graphc.ir.spec import Spec, require_equal, text
from graphc.ops.math.segments import call_segment, combined

_ANY = np.array([2, 0, -1, 2, 4, 0])
_FULL = np.array([2, 0, -1, 2, 1, 0], np.int32)
_UNSORTED = [
    Sample({"num_segments": n}, (shape, ids.astype(t)), (d, None), gradient=d.is_floating, low=0.5, high=3)
    for n, shape, ids, t, d in (
        (5, (6,), _ANY, np.int32, float32),
        (6, (6, 3), _ANY, np.int64, float32),
        (5, (2, 3), _ANY.reshape(2, 3), np.int32, float32),
        (5, (2, 3, 2), _ANY.reshape(2, 3), np.int32, float32),
        (3, (), np.array(1), np.int32, float32),
        (3, (0, 2), _ANY[:0], np.int32, float32),
        (5, (6, 2), _ANY, np.int32, float64),
        (5, (6,), _ANY, np.int32, int32),
        (5, (6,), _ANY, np.int32, int64),
        (5, (6,), _ANY, np.int32, int8),
    )
]


class _Unsorted(Op):
    """data, for each of its rows (or parts, if ids has more axes) the number of its segment, and how many there are.
    Negative numbers leave a row out."""

    checks_data = True
    operands = ("data", "segment_ids", "num_segments")
    results = ("output",)
    types: ClassVar[dict[str, str]] = {"T": "data", "Tindices": "segment_ids", "Tnumsegments": "num_segments"}
    kind: ClassVar[str] = "number"
    how: ClassVar[str]
    neutral: ClassVar[Callable[[Any], Any]]
    num_segments: Size
    samples = _UNSORTED

    def infer(self, *inputs: Spec) -> Spec:
        data, ids = inputs
        check_dtype(self, "data", data.dtype, self.kind)
        check_dtype(self, "segment_ids", ids.dtype, "index")
        if isinstance(self.num_segments, int) and self.num_segments < 0:
            raise ValueError(f"num_segments must not be negative, but is {self.num_segments}")
        require_nonnegative([self.num_segments], "num_segments must not be negative")
        if data.shape is None or ids.shape is None:
            return Spec(data.dtype, None)
        message = f"data.shape = {text(data.shape)} does not start with segment_ids.shape = {text(ids.shape)}"
        if len(ids.shape) > len(data.shape):
            raise ValueError(message)
        for have, want in zip(data.shape, ids.shape, strict=False):
            require_equal(have, want, message)
        return Spec(data.dtype, (self.num_segments, *data.shape[len(ids.shape) :]))

    def reference(self, *inputs: np.ndarray) -> np.ndarray:
        data, ids = inputs
        rows, flat = data.reshape((ids.size, *data.shape[ids.ndim :])), ids.ravel()
        if flat.size and flat.max() >= self.num_segments:
            raise InvalidArgumentError(f"index {flat.max()} is not in [0, {self.num_segments})")
        result = np.full((self.num_segments, *rows.shape[1:]), type(self).neutral(data.dtype), data.dtype)  # type: ignore
        for i in np.unique(flat[flat >= 0]):
            result[i] = combined(self.how, rows[flat == i])
        return result

    def lower(self, b: Any, inputs: Any, outputs: Any) -> None:
        call_segment(b, self.how, *inputs, outputs[0], False)


@register
class UnsortedSegmentSum(_Unsorted):
    """The sum of the rows of each segment; 0 without any"""

    kind = "numeric"
    of_complex = "linear"
    how = "sum"
    neutral = staticmethod(lambda dtype: 0)
    num_segments: Size = operand_field("int")

    def grad(self, g, node, dy):
        return [g.gather_kept(dy, node.inputs[1]), None, None]


@register
class UnsortedSegmentProd(_Unsorted):
    """The product of the rows of each segment; 1 without any"""

    how = "prod"
    neutral = staticmethod(lambda dtype: 1)
    num_segments: Size = operand_field("int")
    samples = [
        *_UNSORTED,
        Sample(
            {"num_segments": 3},
            (np.array([2, 0, 3, 0, 4, 0, 5], np.float32), np.array([0, 0, 1, 2, 1, 2, 0], np.int32)),
            gradient=False,
        ),
    ]

    def grad(self, g, node, dy):
        """Where an element is 0 the product of the others, which is 0 if there is another 0."""
        data, ids, number = node.inputs
        zero = g.equal(data, 0)
        zeros = g.unsorted_segment_sum(g.cast(zero, ids.dtype), ids, number)
        dy = g.select(g.greater(zeros, 1), g.zeros_like(dy), dy)
        others = g.unsorted_segment_prod(g.select(zero, g.ones_like(data), data), ids, number)
        safe = g.select(zero, g.ones_like(data), data)
        partial = g.select(zero, g.gather_kept(others, ids), g.real_div(g.gather_kept(node.outputs[0], ids), safe))
        return [g.mul(g.gather_kept(dy, ids), partial), None, None]


class _UnsortedExtreme(_Unsorted):
    """Rows that tie share the gradient."""

    # What empty segments hold depends on the dtype, and sums over it overflow: those samples have no gradient.
    samples = [
        *(dataclasses.replace(s, gradient=False) for s in _UNSORTED),
        *(
            Sample({"num_segments": 3}, (shape, _FULL.reshape(shape[: len(shape) - rest])), (d, None), low=0.5, high=3)
            for shape, rest, d in (((6,), 0, float32), ((6, 3), 1, float32), ((2, 3, 2), 1, float64))
        ),
    ]

    def grad(self, g, node, dy):
        data, ids, number = node.inputs
        kept = g.gather_kept(g.ones_like(node.outputs[0]), ids)
        chosen = g.logical_and(g.equal(data, g.gather_kept(node.outputs[0], ids)), g.greater(kept, 0))
        ties = g.unsorted_segment_sum(g.cast(chosen, dy.dtype), ids, number)
        shared = g.gather_kept(g.div_no_nan(dy, ties), ids)
        return [g.select(chosen, shared, g.zeros_like(data)), None, None]


@register
class UnsortedSegmentMin(_UnsortedExtreme):
    """The least of the rows of each segment; the greatest number of the dtype without any"""

    how = "min"
    neutral = staticmethod(lambda dtype: (np.finfo if dtype.kind == "f" else np.iinfo)(dtype).max)
    num_segments: Size = operand_field("int")


@register
class UnsortedSegmentMax(_UnsortedExtreme):
    """The greatest of the rows of each segment; the least number of the dtype without any"""

    how = "max"
    neutral = staticmethod(lambda dtype: (np.finfo if dtype.kind == "f" else np.iinfo)(dtype).min)
    num_segments: Size = operand_field("int")


@register
class _GatherKept(Op):
    """The rows of params that ids names, and zeros for ids below 0: what gradients of unsorted segments are of.
    graphc's own op."""

    of_complex = "linear"
    checks_data = True
    operands = ("params", "ids")
    results = ("output",)
    types: ClassVar = {"T": "params", "Tindices": "ids"}
    samples: ClassVar = [
        Sample({}, (shape, ids.astype(np.int32)), (d, None), gradient=d.is_floating, low=-9, high=9)
        for shape, ids, d in (
            ((5,), _ANY, float32),
            ((5, 3), _ANY.reshape(2, 3), float32),
            ((5, 2), _ANY[:0], float64),
            ((5, 2), np.array(-1), float32),
            ((5,), _ANY, int32),
            ((5,), _ANY, int64),
        )
    ]

    def infer(self, *inputs: Spec) -> Spec:
        params, ids = inputs
        check_dtype(self, "params", params.dtype, "product")
        check_dtype(self, "ids", ids.dtype, "index")
        if params.shape is None or ids.shape is None:
            return Spec(params.dtype, None)
        if not params.shape:
            raise ValueError("params must have at least one axis")
        return Spec(params.dtype, (*ids.shape, *params.shape[1:]))

    def reference(self, *inputs: np.ndarray) -> np.ndarray:
        params, ids = inputs
        rows = np.concatenate([params, np.zeros((1, *params.shape[1:]), params.dtype)])
        return rows[np.where(ids < 0, len(params), ids)]

    def lower(self, b: Any, inputs: Any, outputs: Any) -> None:
        params, ids = inputs
        y = outputs[0]
        inner = y.shape[ids.rank :]
        clipped, rows = b.temporary(ids.dtype, ids.shape), b.temporary(y.dtype, y.shape)
        b.map(lambda s, i: s("max", i, s.constant(0, ids.dtype)), [ids], [clipped])
        padded = b.temporary(y.dtype, (params.shape[0] + 1, *params.shape[1:]))
        b.copy(params, padded.part(0, 0, params.shape[0]))
        b.fill(padded.part(0, params.shape[0], 1), 0)
        b.call("gather", [padded, clipped, rows], dims=[1, padded.shape[0], dims.product(inner), ids.elements])
        b.map(
            lambda s, i, v: s("select", s("less", i, s.constant(0, ids.dtype)), s.constant(0, y.dtype), v),
            [ids.broadcast_trailing(inner), rows],
            [y],
        )

    def grad(self, g, node, dy):
        params, ids = node.inputs
        return [g.unsorted_segment_sum(dy, ids, g.reshape(g.gather_v2(g.shape(params), [0], 0), [])), None]
