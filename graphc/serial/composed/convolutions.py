"""Convolutions in groups, and what TensorFlow's optimizer made of a convolution, product or normalisation and of what
follows it: _FusedConv2D and its like, which are in graphs that were saved after it."""
from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from graphc.api.array.join import concat, split
from graphc.api.array.shapes import reshape
from graphc.errors import DataLossError, UnimplementedError
from graphc.ir.apply import apply
from graphc.ir.op import OPS
from graphc.ir.tensor import Tensor
from graphc.serial.composed.kind import Composed, g, text
from graphc.serial.graph_pb2 import NodeDef


def _groups(node: NodeDef, inputs: Sequence[Tensor]) -> int:
    """How many groups of channels a Conv2D has: each has as many as its filter is deep."""
    if len(inputs) < 2 or any(x.spec.shape is None or len(x.spec.shape) != 4 for x in inputs[:2]):
        return 1
    channels = inputs[0].spec.shape[_channel_axis(node)]    # type: ignore[index]
    depth = inputs[1].spec.shape[2]                         # type: ignore[index]
    known = isinstance(channels, int) and isinstance(depth, int) and depth > 0 and channels % depth == 0
    return channels // depth if known else 1                # type: ignore[return-value]


def _channel_axis(node: NodeDef) -> int:
    return 1 if text(node, "data_format", "NHWC") == "NCHW" else 3


def _grouped_convolution(node: NodeDef, inputs: Sequence[Tensor]) -> list[Tensor]:
    """A depthwise one where each group is a channel, else one of each group."""
    x, filters = inputs
    count, axis = _groups(node, inputs), _channel_axis(node)
    attributes = _window(node)
    height, width, depth, made = filters.spec.shape or ()
    if not isinstance(made, int) or made % count:
        raise UnimplementedError(f"its {count} groups of channels give {made} channels, which is no multiple of them")
    strides = [s for i, s in enumerate(attributes["strides"]) if i not in (0, axis)]
    fits = len(set(strides)) == 1 and (max(strides) == 1 or max(attributes["dilations"]) == 1)
    if depth == 1 and fits and isinstance(height, int) and isinstance(width, int):
        own = reshape(filters, [height, width, count, made // count])
        return [apply(OPS["DepthwiseConv2dNative"], x, own, **attributes)]
    parts = zip(split(x, count, axis), split(filters, count, 3), strict=True)
    return [concat([apply(OPS["Conv2D"], part, own, **attributes) for part, own in parts], axis)]


def _window(node: NodeDef) -> dict[str, Any]:
    return {"strides": tuple(node.attr["strides"].list.i), "padding": text(node, "padding"),
            "explicit_paddings": tuple(node.attr["explicit_paddings"].list.i),
            "data_format": text(node, "data_format", "NHWC"),
            "dilations": tuple(node.attr["dilations"].list.i) or (1, 1, 1, 1)}


def _fused_convolution(node: NodeDef, inputs: Sequence[Tensor]) -> list[Tensor]:
    pair = inputs[:2]
    made = (_grouped_convolution(node, pair)[0] if _groups(node, pair) > 1
            else apply(OPS["Conv2D"], *pair, **_window(node)))
    return [_followed(node, made, inputs[2:])]


def _fused_depthwise(node: NodeDef, inputs: Sequence[Tensor]) -> list[Tensor]:
    return [_followed(node, apply(OPS["DepthwiseConv2dNative"], *inputs[:2], **_window(node)), inputs[2:])]


def _fused_product(node: NodeDef, inputs: Sequence[Tensor]) -> list[Tensor]:
    made = g.mat_mul(*inputs[:2], transpose_a=node.attr["transpose_a"].b, transpose_b=node.attr["transpose_b"].b)
    return [_followed(node, made, inputs[2:])]


def _followed(node: NodeDef, made: Tensor, arguments: Sequence[Tensor]) -> Tensor:
    """What the ops of the attribute fused_ops make of it, one after the other; arguments: what they take besides."""
    left = iter(arguments)
    for name in (s.decode(errors="replace") for s in node.attr["fused_ops"].list.s):
        if name == "BiasAdd":
            made = g.bias_add(made, _next(left), data_format=text(node, "data_format", "NHWC"))
        elif name == "Add":
            made = g.add_v2(made, _next(left))
        elif name == "FusedBatchNorm":
            made = g.fused_batch_norm_v3(made, *(_next(left) for _ in range(4)), epsilon=node.attr["epsilon"].f,
                                         data_format=text(node, "data_format", "NHWC"), is_training=False)[0]
        else:
            made = _activated(name, made, node)
    return made


def _next(arguments: Iterator[Tensor]) -> Tensor:
    found = next(arguments, None)
    if found is None:
        raise DataLossError("its fused_ops take more inputs than it has")
    return found


def _activated(name: str, x: Tensor, node: NodeDef) -> Tensor:
    simple = {"Relu": g.relu, "Relu6": g.relu6, "Elu": g.elu, "Tanh": g.tanh, "Sigmoid": g.sigmoid, "_Sigmoid":
              g.sigmoid, "Identity": g.identity}
    made: Tensor
    if name in simple:
        made = simple[name](x)
    elif name == "LeakyRelu":
        made = g.leaky_relu(x, alpha=node.attr["leakyrelu_alpha"].f if "leakyrelu_alpha" in node.attr else 0.2)
    elif name == "GeluExact":
        made = g.scale(0.5, x) * (g.erf(g.scale(0.5**0.5, x)) + 1)
    elif name == "GeluApproximate":
        made = g.scale(0.5, x) * (g.tanh(g.scale((2 / 3.141592653589793)**0.5, x + g.scale(0.044715, x * x * x))) + 1)
    else:
        raise UnimplementedError(f"its attribute fused_ops holds '{name}', which is not known")
    return made


def _fused_normalisation(node: NodeDef, inputs: Sequence[Tensor]) -> list[Tensor]:
    """_FusedBatchNormEx: what it normalised, plus a side input, through an activation."""
    y, *statistics = g.fused_batch_norm_v3(
        *inputs[:5], epsilon=node.attr["epsilon"].f if "epsilon" in node.attr else 0.0001,
        data_format=text(node, "data_format", "NHWC"),
        is_training=node.attr["is_training"].b if "is_training" in node.attr else True)
    for side in inputs[5:]:
        y = g.add_v2(y, side)
    return [_activated(text(node, "activation_mode", "Identity"), y, node), *statistics]


CONVOLUTIONS = {
    "Conv2D": Composed(2, ("output",), _grouped_convolution, lambda node, inputs: _groups(node, inputs) > 1),
    "_FusedConv2D": Composed(2, ("output",), _fused_convolution),
    "_FusedDepthwiseConv2dNative": Composed(2, ("output",), _fused_depthwise),
    "_FusedMatMul": Composed(2, ("product",), _fused_product),
    "_FusedBatchNormEx": Composed(5, ("y", "batch_mean", "batch_variance", "reserve_space_1", "reserve_space_2",
                                      "reserve_space_3"), _fused_normalisation)}
