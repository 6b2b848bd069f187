"""pads: a convolution or max pooling after a pad passes over the pad by itself, so that no padded copy is made.

    conv(pad(x, zeros), w)       -> conv with explicit paddings     w finite: zeros times infinity would be NaN
    max_pool(pad(x, -infinity))  -> max_pool with explicit paddings

PyTorch's nets as ONNX have the second for each pooling with padding, TensorFlow's ResNets the first ("fixed padding").
After the layout, which has brought pads and windows into the kernels' order; sizes of pads must be known.
"""
from __future__ import annotations

import dataclasses
from typing import Any, ClassVar

import numpy as np

from graphc.ir.node import Flow, Node, Value, make_node
from graphc.ir.op import Alias, View
from graphc.ir.records import dataclass
from graphc.ir.spec import Shape
from graphc.ops.array.pad import Pad, PadV2
from graphc.ops.array.source import Const
from graphc.ops.nn.convolution import Conv2D
from graphc.ops.nn.depthwise import DepthwiseConv2dNative
from graphc.ops.nn.max_pooling import MaxPool
from graphc.ops.nn.window import Axis, axes
from graphc.passes.shared.rewriter import Replacement, asked_of, rewrite
from graphc.passes.simplification.simplify import permutation


@dataclass(frozen=True)
class PaddedMaxPool(MaxPool):
    """MaxPool of NHWC pictures, with paddings, (before, after) of each axis in a row, which never are the largest."""

    type: ClassVar[str] = "_PaddedMaxPool"
    paddings: tuple[int, ...] = ()

    def spatial(self, picture: Shape) -> tuple[Axis, Axis]:
        return axes(picture, self.ksize[1:3], self.strides, (), "EXPLICIT", self.paddings, "NHWC")


def pads(flow: Flow) -> Flow:
    return rewrite(flow, [convolution, max_pooling])


@asked_of(Conv2D, DepthwiseConv2dNative)
def convolution(node: Node) -> Replacement:
    """conv(pad(x, 0), w) -> conv(x, w)"""
    op: Any = node.op
    x, w = node.inputs
    found = _without_border(x, 0.0)
    if found is None or op.data_format != "NHWC" or op.padding == "SAME" or not _is_finite(w):
        return None
    inner, around = found
    total = tuple(a + b for a, b in zip(around, op.explicit_paddings or (0,) * 8, strict=True))
    made = dataclasses.replace(op, padding="EXPLICIT", explicit_paddings=total)
    return make_node(made, (inner, w), node.origins, node.after).value()


@asked_of(MaxPool)
def max_pooling(node: Node) -> Replacement:
    """max_pool(pad(x, -infinity)) -> max_pool(x)"""
    op: Any = node.op
    found = _without_border(node.inputs[0], -np.inf)
    if found is None or isinstance(op, PaddedMaxPool) or op.data_format != "NHWC" or op.padding != "VALID":
        return None
    inner, around = found
    if any(max(around[2 * axis:2 * axis + 2]) >= op.ksize[axis] for axis in (1, 2)):
        return None                      # windows without a pixel
    made = PaddedMaxPool(ksize=op.ksize, strides=op.strides, padding="EXPLICIT", data_format="NHWC", paddings=around)
    return make_node(made, (inner,), node.origins, node.after).value()


def _without_border(value: Value, fill: float) -> tuple[Value, tuple[int, ...]] | None:
    """What is inside of a border of `fill` around the picture, and how many elements that has before and after each
    axis; None if there is none, or of widths that are not known. The picture may be a transpose of what was padded."""
    outer, perm = value.node, permutation(value.node)
    node = outer.inputs[0].node if perm is not None else outer
    op = node.op
    if not isinstance(op, (Pad, PadV2)) or node.requirements or len(op.paddings) != 4:
        return None
    given = node.inputs[1].node.op if isinstance(op, PadV2) else None
    border = 0.0 if given is None else given.value if isinstance(given, Const) else np.nan
    pairs = [op.paddings[axis] for axis in perm or range(4)]
    flat = tuple(p for pair in pairs for p in pair)
    if border != fill or not all(isinstance(p, int) for p in flat) or any(flat[:2]) or any(flat[6:]):
        return None
    inner = node.inputs[0]
    if perm is not None:
        inner = make_node(outer.op, (inner,), outer.origins, outer.after).value()
    return inner, flat  # type: ignore[return-value]


def _is_finite(value: Value) -> bool:
    """Whether the elements are those of a constant, and finite."""
    node = value.node
    while isinstance(node.op, (View, Alias)):
        node = node.inputs[0].node
    return isinstance(node.op, Const) and bool(np.isfinite(node.op.value.sum(dtype=np.float64)))
