"""moments: a mean and the variance around it, of rows or of columns, become one step.

As users write it (tf.nn.moments) that is a mean, squares of deviations from it, and their mean: x is read twice. What
is made here reads it once: row_moments where the last axes are reduced, channel_moments (batch_norm.py) where axes in
front of the last are, all of them or those behind some. Channels between reduced axes are rows whose means and
variances are put together. Rows and lines of a few elements stay maps, which take many at once.

Of float32 and float64. A GPU has no such kernels (plan/compile.py).
"""
from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from graphc.ir import dims
from graphc.ir.dtypes import float32, float64
from graphc.ir.node import Flow, Node, Origin, Value, make_node
from graphc.ir.op import Op, normalise_axes
from graphc.ir.records import dataclass
from graphc.ir.spec import Shape, Spec
from graphc.ops.array.identity import Identity
from graphc.ops.array.shapes import Reshape
from graphc.ops.math.binary import AddV2, SquaredDifference, Sub
from graphc.ops.math.reduction import Mean
from graphc.ops.math.unary import Square
from graphc.passes.norms.batch_norm import ChannelMoments
from graphc.passes.shared.fused import is_unit_alias
from graphc.passes.shared.groups import Group, Values, with_groups

if TYPE_CHECKING:
    from graphc.ir.steps import A, StepBuilder

LEAST_ROW = 32             # elements of a row, if they are known
LEAST_LINE = 16            # channels, if they are known
LEAST_LINES = 16           # pixels of a channel, if they are known


@dataclass(frozen=True)
class RowMoments(Op):
    """The mean and the variance of each row, which the last `axes` axes of x make."""

    type: ClassVar[str] = "_RowMoments"
    operands = ("x",)
    results = ("mean", "variance")
    axes: int

    def infer(self, *inputs: Spec) -> tuple[Spec, ...]:
        assert inputs[0].shape is not None
        return (Spec(inputs[0].dtype, inputs[0].shape[:-self.axes]),) * 2

    def reference(self, *inputs: np.ndarray) -> tuple[np.ndarray, ...]:
        x = inputs[0].astype(np.float64)
        along = tuple(range(x.ndim - self.axes, x.ndim))
        count = np.float64(np.prod(x.shape[-self.axes:]))
        with np.errstate(all="ignore"):
            mean = x.sum(along, keepdims=True) / count
            found = mean.squeeze(along), np.square(x - mean).sum(along) / count
        return tuple(a.astype(inputs[0].dtype) for a in found)

    def lower(self, b: StepBuilder[A], inputs: Sequence[A], outputs: Sequence[A]) -> None:
        shape = inputs[0].shape
        b.call("row_moments", [*inputs, *outputs],
               dims=[dims.product(shape[:-self.axes]), dims.product(shape[-self.axes:])])


def moments(flow: Flow) -> Flow:
    groups: dict[Value, Group] = {}
    for node in flow.nodes():
        for mean, op in _found(node):
            if mean not in groups:
                groups[mean] = _group(op, mean, node.value())
    return with_groups(flow, list(groups.values())) if groups else flow


def _found(node: Node) -> Iterator[tuple[Value, Op]]:
    """The mean whose variance a node is, and what computes both."""
    if not isinstance(node.op, Mean) or node.specs[0].dtype not in (float32, float64):
        return
    squares = node.inputs[0].node
    inner = squares.inputs[0].node if isinstance(squares.op, Square) else squares
    if not isinstance(inner.op, Sub if inner is not squares else SquaredDifference):
        return
    for x, other in (inner.inputs, inner.inputs[::-1]):
        mean = _through_units(other)
        shape = x.spec.shape
        if not isinstance(mean.node.op, Mean) or mean.node.inputs[0] != x or shape is None:
            continue
        axes = set(normalise_axes(node.op.axis, len(shape)))
        kept = tuple(1 if axis in axes else size for axis, size in enumerate(shape))
        op = _kernel(shape, axes)
        same = set(normalise_axes(mean.node.op.axis, len(shape))) == axes and squares.specs[0].shape == shape
        if op is not None and same and _aligned(other.spec.shape) == _aligned(kept):
            yield mean, op
            return


def _kernel(shape: Shape, axes: set[int]) -> Op | None:
    """Rows are the last axes, columns those in front of the last one; axes of one element are of either."""
    rank, wanted = len(shape), {axis for axis in axes if shape[axis] != 1}
    kept = [axis for axis, size in enumerate(shape) if size != 1 and axis not in wanted]
    if not wanted:
        return None
    if not kept or max(kept) < max(wanted):
        first = max(kept, default=-1) + 1
        return RowMoments(rank - first) if _enough(shape[first:], LEAST_ROW) else None
    batch = max(kept[:-1], default=-1) + 1
    if kept[-1] == rank - 1 and batch <= min(wanted):
        enough = _enough(shape[-1:], LEAST_LINE) and _enough(shape[batch:-1], LEAST_LINES)
        return ChannelMoments(batch) if enough else None
    return None


def _enough(sizes: Shape, least: int) -> bool:
    elements = dims.product(sizes)
    return not isinstance(elements, int) or elements >= least


def _through_units(value: Value) -> Value:
    while is_unit_alias(value.node) or (isinstance(value.node.op, Identity) and not value.node.after):
        value = value.node.inputs[0]
    return value


def _aligned(shape: Shape | None) -> Shape | None:
    """As it broadcasts: without axes of one element in front."""
    while shape and shape[0] == 1:
        shape = shape[1:]
    return shape


def _group(op: Op, mean: Value, variance: Value) -> Group:
    origins = tuple(dict.fromkeys((*mean.node.origins, *variance.node.origins)))
    outer = _outer_axes(op, variance.node, mean.node.inputs[0].spec.shape or ())

    def build(inputs: Values, _: Values) -> Values:
        made = make_node(op, inputs, origins)
        results = made.value(0), made.value(1)
        if isinstance(op, RowMoments) and outer:
            results = _together(*results, outer, origins)
        return tuple(_shaped(value, old) for value, old in zip(results, (mean, variance), strict=True))

    return Group(mean.node.inputs[:1], (mean, variance), build)


def _outer_axes(op: Op, variance: Node, shape: Shape) -> tuple[int, ...]:
    """The axes that are reduced beside those of the rows, of more than one element."""
    assert isinstance(variance.op, Mean)
    rows = len(shape) - op.axes if isinstance(op, RowMoments) else 0
    return tuple(axis for axis in normalise_axes(variance.op.axis, len(shape)) if axis < rows and shape[axis] != 1)


def _together(means: Value, variances: Value, axes: tuple[int, ...],
              origins: tuple[Origin, ...]) -> tuple[Value, Value]:
    """Mean and variance over `axes` of rows that are equally long: the mean of the variances, and of the squares of
    what the rows' means deviate by."""
    def emit(op: Op, *inputs: Value) -> Value:
        return make_node(op, inputs, origins).value()

    mean = emit(Mean(axis=axes, keep_dims=True), means)
    total = emit(AddV2(), variances, emit(Square(), emit(Sub(), means, mean)))
    return mean, emit(Mean(axis=axes, keep_dims=True), total)


def _shaped(made: Value, old: Value) -> Value:
    """Under the shape of the value that it replaces."""
    shape = old.spec.shape
    if made.spec.shape == shape or shape is None:
        return made
    node = make_node(Reshape(shape=shape), (made,), old.node.origins)
    return replace(node, specs=old.node.specs).value()
