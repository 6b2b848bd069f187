"""Running sums of exponentials, Bessel functions, counts of numbers, ranges of floats, sums of chosen rows."""
from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from graphc.api.array.fill import range_
from graphc.api.array.source import constant
from graphc.api.control.while_loop import while_loop
from graphc.api.math.segments import sparse_segment_mean, sparse_segment_sqrt_n, sparse_segment_sum
from graphc.errors import DataLossError, UnimplementedError
from graphc.ir.dtypes import int32, int64
from graphc.ir.tensor import Tensor
from graphc.serial.composed.kind import Composed, g, known_int
from graphc.serial.graph_pb2 import NodeDef


def _running_log_sum(node: NodeDef, inputs: Sequence[Tensor]) -> list[Tensor]:
    """CumulativeLogsumexp: log of the sums of exp(x) along an axis. Each round adds to every element the sum that
    stands 1, 2, 4, ... places before it, so that what is far below the largest one keeps its digits."""
    x = inputs[0]
    rank = x.spec.rank
    if rank is None:
        raise UnimplementedError("the rank of its input is unknown")
    axis = known_int(node, inputs[1], "axis")
    if not -rank <= axis < rank:
        raise DataLossError(f"its axis is {axis}, but its input has {rank} axes")
    axis %= rank
    if node.attr["reverse"].b:
        x = g.reverse_v2(x, [axis])
    count = g.shape(x)[axis]
    places = g.range(0, count)
    nothing = constant(float("-inf"), x.dtype)

    def before(sums: Tensor, by: Any) -> Tensor:
        """What stands `by` places before."""
        moved = g.gather_v2(sums, g.maximum(places - by, 0), axis)
        is_there = g.reshape(g.greater_equal(places, by), [-1 if i == axis else 1 for i in range(rank)])
        return g.select_v2(is_there, moved, nothing)  # type: ignore[no-any-return]

    if node.attr["exclusive"].b:
        x = before(x, 1)
    _, made = while_loop(lambda by, sums: by < count, lambda by, sums: (by * 2, _log_sum(sums, before(sums, by))),
                         [constant(1, int32), x])
    return [g.reverse_v2(made, [axis]) if node.attr["reverse"].b else made]


def _log_sum(a: Tensor, b: Tensor) -> Tensor:
    """log(exp a + exp b)"""
    larger = g.maximum(a, b)
    finite = g.select_v2(g.is_finite(larger), larger, g.zeros_like(larger))
    return g.log(g.exp(a - finite) + g.exp(b - finite)) + finite  # type: ignore[no-any-return]


def _bessel(scaled: str) -> Callable[[NodeDef, Sequence[Tensor]], list[Any]]:
    """BesselI0 and BesselI1, of their forms times exp(-|x|)."""
    return lambda node, inputs: [getattr(g, scaled)(inputs[0]) * g.exp(g.abs(inputs[0]))]


def _counts(node: NodeDef, inputs: Sequence[Tensor]) -> list[Tensor]:
    """DenseBincount: how often each number below `size` is in a vector, or in each row of a matrix, or the sum of the
    weights there; with binary_output whether it is there."""
    x, size, weights = inputs[:3]
    if x.spec.rank not in (1, 2):
        raise UnimplementedError(f"its input has the shape {x.shape}; vectors and matrices are supported")
    numbers, bins = g.cast(x, int32), g.cast(size, int32)
    rows = g.shape(x)[0] if x.spec.rank == 2 else constant(1)
    if x.spec.rank == 2:       # each row has bins of its own; what is too large is in none
        own = numbers + g.expand_dims(g.range(0, rows), 1) * bins
        numbers = g.select_v2(g.less(numbers, 0), numbers, g.select_v2(g.less(numbers, bins), own, rows * bins))
    made = g.bincount(g.reshape(numbers, [-1]), rows * bins, g.reshape(weights, [-1]))
    if node.attr["binary_output"].b:
        made = g.cast(g.greater(made, g.zeros_like(made)), weights.dtype)
    return [g.reshape(made, g.pack([rows, bins])) if x.spec.rank == 2 else made]


def _is_range_of_floats(node: NodeDef, inputs: Sequence[Tensor]) -> bool:
    return bool(inputs) and inputs[0].dtype.is_floating


def _range(node: NodeDef, inputs: Sequence[Tensor]) -> list[Tensor]:
    """Range of floats."""
    start, limit, delta = inputs[:3]
    return [range_(start, limit, delta)]


def _has_long_ids(node: NodeDef, inputs: Sequence[Tensor]) -> bool:
    return len(inputs) > 2 and inputs[2].dtype == int64


def _segments(node: NodeDef, inputs: Sequence[Tensor]) -> list[Tensor]:
    """SparseSegmentSum and its like, the ids being int64: there are fewer than 2**31 segments."""
    data, indices, ids, *count = inputs
    made: Tensor = SEGMENTS[node.op](  # type: ignore[no-untyped-call]
        data, indices, ids, num_segments=count[0] if count else None)
    return [made]


SEGMENTS = {f"SparseSegment{kind}{given}": function for given in ("", "WithNumSegments") for kind, function in (
    ("Sum", sparse_segment_sum), ("Mean", sparse_segment_mean), ("SqrtN", sparse_segment_sqrt_n))}
NUMBERS = {
    "Range": Composed(3, ("output",), _range, _is_range_of_floats),
    **{name: Composed(3, ("output",), _segments, _has_long_ids) for name in SEGMENTS},
    "CumulativeLogsumexp": Composed(2, ("out",), _running_log_sum), "DenseBincount": Composed(3, ("output",), _counts),
    "BesselI0": Composed(1, ("y",), _bessel("bessel_i0e")), "BesselI1": Composed(1, ("y",), _bessel("bessel_i1e"))}
