"""fold_batch_norm: a scale per channel after a convolution goes into its weights, if neither changes from run to run.

Expansion turns a batch norm of inference into (conv(x, w) - mean) * factor + offset. The rules below carry `factor`
to the weights; w * factor and mean * factor are then computed once, in the prepare body. Rounding changes as it does
in any such folding (tests compare with a tolerance). Only where the convolution's result has no other user.
"""
from __future__ import annotations

from graphc.ir import dims
from graphc.ir.node import Flow, Node, Value, make_node
from graphc.ops.array.shapes import Reshape
from graphc.ops.math.binary import Mul
from graphc.ops.nn.convolution import Conv2D
from graphc.passes.shared.rewriter import Reads, Replacement, rewrite
from graphc.passes.weights.persistent import Persistence


def fold_batch_norm(flow: Flow) -> Flow:
    if not any(isinstance(node.op, Conv2D) for node in flow.nodes()):
        return flow
    reads = Reads(flow)
    persists = Persistence(flow)

    def is_row(value: Value, channels: object) -> bool:
        """A persistent value with one element a channel."""
        shape = value.spec.shape or ()
        return persists(value.node) and len(shape) >= 1 and shape[-1] == channels and all(
            dims.same(s, 1) for s in shape[:-1])

    def behind_conv(value: Value) -> bool:
        """conv, or conv with shifts after it, used here only."""
        while reads(value) <= 1:
            node = value.node
            if isinstance(node.op, Conv2D):
                return node.op.data_format == "NHWC" and persists(node.inputs[1].node)
            if not node.op.homogeneous or not is_row(node.inputs[1], (value.spec.shape or (None,))[-1]):
                return False
            value = node.inputs[0]
        return False

    def scaled(node: Node) -> tuple[Value, Value] | None:
        """(x, factor) of a product of a convolution's result and a row."""
        if not isinstance(node.op, Mul):
            return None
        channels = (node.specs[0].shape or (None,))[-1]
        for x, factor in (node.inputs, node.inputs[::-1]):
            if is_row(factor, channels) and behind_conv(x):
                return x, factor
        return None

    def factor_inwards(node: Node) -> Replacement:
        """(conv + b) * f -> conv * f + b * f, and so for -"""
        found = scaled(node)
        if found is None or not found[0].node.op.homogeneous:
            return None
        x, factor = found
        inner, shift = x.node.inputs
        product = make_node(Mul(), (inner, factor), node.origins).value()
        moved = make_node(Mul(), (shift, factor), node.origins).value()
        if moved.spec.shape != shift.spec.shape:          # a bias is a vector, the factor may be [1, 1, 1, channels]
            moved = make_node(Reshape(shape=shift.spec.shape or ()), (moved,), node.origins).value()
        return make_node(x.node.op, (product, moved), x.node.origins)

    def factor_into_weights(node: Node) -> Replacement:
        """conv(x, w) * f -> conv(x, w * f)"""
        found = scaled(node)
        if found is None or not isinstance(found[0].node.op, Conv2D):
            return None
        conv, factor = found[0].node, found[1]
        weights = make_node(Mul(), (conv.inputs[1], factor), node.origins).value()
        return make_node(conv.op, (conv.inputs[0], weights), conv.origins, conv.after)

    return rewrite(flow, [factor_inwards, factor_into_weights], reads)
