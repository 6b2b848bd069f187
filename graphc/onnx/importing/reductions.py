"""Sums, extremes and the like along axes; running sums."""
from __future__ import annotations

from typing import Any

import graphc as gc
from graphc.onnx.importing.rules import Node, onnx_op


def _log_sum(x: Any, axes: Any, keepdims: bool) -> Any:
    return gc.log(gc.reduce_sum(x, axes, keepdims))


def _l2(x: Any, axes: Any, keepdims: bool) -> Any:
    if x.dtype.is_integer:
        return gc.cast(gc.sqrt(gc.reduce_sum(gc.square(gc.cast(x, gc.float64)), axes, keepdims)), x.dtype)
    return gc.sqrt(gc.reduce_sum(gc.square(x), axes, keepdims))


def _extreme(of_numbers: Any, of_bools: Any) -> Any:
    return lambda x, axes, keepdims: (of_bools if x.dtype == gc.bool else of_numbers)(x, axes, keepdims)


_REDUCTIONS = {
    "ReduceSum": gc.reduce_sum, "ReduceMean": gc.reduce_mean, "ReduceProd": gc.reduce_prod,
    "ReduceMax": _extreme(gc.reduce_max, gc.reduce_any), "ReduceMin": _extreme(gc.reduce_min, gc.reduce_all),
    "ReduceLogSum": _log_sum, "ReduceLogSumExp": gc.reduce_logsumexp, "ReduceL2": _l2,
    "ReduceL1": lambda x, axes, keepdims: gc.reduce_sum(gc.abs(x), axes, keepdims),
    "ReduceSumSquare": lambda x, axes, keepdims: gc.reduce_sum(gc.square(x), axes, keepdims),
}


@onnx_op(*_REDUCTIONS)
def reduction(node: Node, x: Any, axes: Any = None) -> Any:
    """No axes: all, or none if the node says so."""
    wanted = node.axes(x, axes)
    if not wanted:
        if node.attr("noop_with_empty_axes", 0):
            return _alone(node, x)
        wanted = None
    if wanted is None and node.attr("keepdims", 1):
        wanted = list(range(node.rank(x)))
    return _REDUCTIONS[node.op](x, wanted, bool(node.attr("keepdims", 1)))


def _alone(node: Node, x: Any) -> Any:
    """The reduction of each element alone."""
    if node.op in ("ReduceL1", "ReduceL2"):
        return gc.abs(x)
    if node.op == "ReduceSumSquare":
        return gc.square(x)
    return gc.log(x) if node.op == "ReduceLogSum" else gc.identity(x)


@onnx_op("ArgMax", "ArgMin")
def arg_extreme(node: Node, x: Any) -> Any:
    axis = node.axis(x, node.attr("axis", 0))
    find = gc.argmax if node.op == "ArgMax" else gc.argmin
    if node.attr("select_last_index", 0):
        size = gc.shape(x, out_type=gc.int64)[axis]
        found = size - gc.constant(1, gc.int64) - find(gc.reverse(x, [axis]), axis)
    else:
        found = find(x, axis)
    return gc.expand_dims(found, axis) if node.attr("keepdims", 1) else found


@onnx_op("CumSum", "CumProd")
def running(node: Node, x: Any, axis: Any) -> Any:
    along = node.axis(x, int(node.known(axis, "the axis").reshape(())))
    function = gc.cumsum if node.op == "CumSum" else gc.cumprod
    return function(x, along, bool(node.attr("exclusive", 0)), bool(node.attr("reverse", 0)))
