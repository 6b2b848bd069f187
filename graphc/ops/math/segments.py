"""Rows combined by segment, with ids that ascend: SegmentSum and so on. The number of segments comes from the data."""
from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from graphc.errors import InvalidArgumentError
from graphc.ir import dims
from graphc.ir.dtypes import float32, float64, int8, int32, int64
from graphc.ir.elementwise import check_dtype
from graphc.ir.known import own_symbol
from graphc.ir.op import Op, Sample, register
from graphc.ir.spec import Spec, require_equal, text
from graphc.ops.math.widened import from_order, in_order, narrow, target, widened

HOW = {"sum": 0, "mean": 1, "sqrt_n": 2, "prod": 3, "min": 4, "max": 5}  # attr of kernel segment
_IDS = np.array([0, 0, 1, 3, 3, 3])


def refused(ids: np.ndarray, limit: float = np.inf) -> None:
    """Raises InvalidArgumentError for sorted ids that a run would end at."""
    if len(ids) and (ids.min() < 0 or ids.max() >= limit):
        raise InvalidArgumentError(f"index {ids.min() if ids.min() < 0 else ids.max()} is not in [0, {limit})")
    if np.any(np.diff(ids) < 0):
        raise InvalidArgumentError("segment ids are not increasing")


def combined(how: str, rows: np.ndarray) -> np.ndarray:
    """The rows of one segment combined, one after the other."""
    dtype, count = rows.dtype, rows.dtype.type(len(rows))
    if how in ("sum", "mean", "sqrt_n"):
        total = np.add.reduce(rows, axis=0, dtype=dtype)
        if how == "sum":
            return total
        if how == "sqrt_n":
            return np.asarray(total / np.sqrt(count))
        quotient = total / count if dtype.kind == "f" else np.sign(total) * (np.abs(total) // count)
        return np.asarray(quotient).astype(dtype)
    function = {"prod": np.multiply, "min": np.minimum, "max": np.maximum}[how]
    return np.asarray(function.reduce(rows, axis=0, dtype=dtype))


class _Sorted(Op):
    """data, and for each of its rows the number of its segment, ascending. Segments without rows are 0, of products
    1."""

    checks_data = True
    refusal = "segment ids are not increasing: {1} comes after {0}"
    operands = ("data", "segment_ids")
    results = ("output",)
    types: ClassVar[dict[str, str]] = {"T": "data", "Tindices": "segment_ids"}
    how: ClassVar[str]
    kind: ClassVar[str] = "number"
    samples = [
        *(
            Sample({}, (shape, ids.astype(t)), (d, None), gradient=d.is_floating, low=0.5, high=3)
            for shape, ids, t, d in (
                ((6,), _IDS, np.int32, float32),
                ((6, 3, 2), _IDS, np.int64, float32),
                ((1, 5), _IDS[:1] + 2, np.int32, float32),
                ((0, 3), _IDS[:0], np.int32, float32),
                ((6, 0), _IDS, np.int32, float32),
                ((6, 2), _IDS, np.int32, float64),
                ((6, 2), _IDS, np.int32, int32),
                ((6, 2), _IDS, np.int32, int64),
                ((6,), _IDS, np.int32, int8),
            )
        )
    ]

    def infer(self, *inputs: Spec) -> Spec:
        data, ids = inputs
        check_dtype(self, "data", data.dtype, self.kind)
        check_dtype(self, "segment_ids", ids.dtype, "index")
        if ids.shape is not None and len(ids.shape) != 1:
            raise ValueError(f"segment_ids must be a vector, but has shape {text(ids.shape)}")
        if data.shape is None:
            return Spec(data.dtype, None)
        if not data.shape:
            raise ValueError("data must have at least one axis, but is a scalar")
        if ids.shape is not None:
            require_equal(
                data.shape[0],
                ids.shape[0],
                "segment_ids should be the same size as dimension 0 of input: data "
                f"has shape {text(data.shape)}, segment_ids {text(ids.shape)}",
            )
        return Spec(data.dtype, (own_symbol(self, "segments"), *data.shape[1:]))

    def reference(self, *inputs: np.ndarray) -> np.ndarray:
        data, ids = inputs
        refused(ids)
        result = np.full((ids[-1] + 1 if len(ids) else 0, *data.shape[1:]), int(self.how == "prod"), data.dtype)
        for i in np.unique(ids):
            result[i] = combined(self.how, data[ids == i])
        return result

    def lower(self, b: Any, inputs: Any, outputs: Any) -> None:
        data, ids = inputs
        y, found = outputs[0], b.temporary(int64, (1,))
        b.call("segment_count", [ids, found], dims=[ids.elements])
        b.bind(found, [y.shape[0]])
        call_segment(b, self.how, data, ids, y, True)


def call_segment(b: Any, how: str, data: Any, ids: Any, y: Any, ascending: bool) -> None:
    """y = the rows of data, one for each element of ids, combined."""
    made, compares = target(b, y), how in ("min", "max")
    b.call(
        "segment",
        [in_order(b, data) if compares else widened(b, data), ids, made],
        dims=[ids.elements, dims.product(y.shape[1:]), y.shape[0]],
        attrs=[HOW[how], int(ascending)],
    )
    (from_order if compares else narrow)(b, made, y)


@register
class SegmentSum(_Sorted):
    """The sum of the rows of each segment"""

    how = "sum"

    def grad(self, g, node, dy):
        return [g.gather_v2(dy, node.inputs[1], 0), None]


@register
class SegmentMean(_Sorted):
    """The mean of the rows of each segment; of integers rounded towards 0"""

    how = "mean"
    kind = "number_in_int64"           # of sums that are divided

    def grad(self, g, node, dy):
        data, ids = node.inputs
        rest = g.sub(g.reshape(g.rank(data), [1]), 1)
        ones = g.fill(g.concat_v2([g.shape(ids), g.fill(rest, 1)], 0), g.constant(1, dy.dtype))
        return [g.gather_v2(g.real_div(dy, g.segment_sum(ones, ids)), ids, 0), None]


@register
class SegmentProd(_Sorted):
    """The product of the rows of each segment. No gradient, as in TensorFlow 1."""

    how = "prod"
    samples = [Sample(s.attributes, s.inputs, s.dtypes, False, s.tolerance, s.low, s.high) for s in _Sorted.samples]


class _SortedExtreme(_Sorted):
    """Rows that tie share the gradient."""

    kind = "number_in_int64"           # segments without rows are 0, which in_order would move

    def grad(self, g, node, dy):
        data, ids = node.inputs
        chosen = g.equal(data, g.gather_v2(node.outputs[0], ids, 0))
        ties = g.segment_sum(g.cast(chosen, dy.dtype), ids)
        return [g.select(chosen, g.gather_v2(g.real_div(dy, ties), ids, 0), g.zeros_like(data)), None]


@register
class SegmentMin(_SortedExtreme):
    """The least of the rows of each segment"""

    how = "min"


@register
class SegmentMax(_SortedExtreme):
    """The greatest of the rows of each segment"""

    how = "max"
