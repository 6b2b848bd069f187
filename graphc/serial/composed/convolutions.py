"""What TensorFlow's optimizer made of a convolution, product or normalisation and of what follows it: _FusedConv2D and
its like, which are in graphs that were saved after it."""
from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from graphc.errors import DataLossError, UnimplementedError
from graphc.ir.apply import apply
from graphc.ir.op import OPS
from graphc.ir.tensor import Tensor
from graphc.serial.composed.kind import Composed, g, text
from graphc.serial.graph_pb2 import NodeDef


def _window(node: NodeDef) -> dict[str, Any]:
    return {"strides": tuple(node.attr["strides"].list.i), "padding": text(node, "padding"),
            "explicit_paddings": tuple(node.attr["explicit_paddings"].list.i),
            "data_format": text(node, "data_format", "NHWC"),
            "dilations": tuple(node.attr["dilations"].list.i) or (1, 1, 1, 1)}


def _fused_convolution(node: NodeDef, inputs: Sequence[Tensor]) -> list[Tensor]:
    return [_followed(node, apply(OPS["Conv2D"], *inputs[:2], **_window(node)), inputs[2:])]


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
    "_FusedConv2D": Composed(2, ("output",), _fused_convolution),
    "_FusedDepthwiseConv2dNative": Composed(2, ("output",), _fused_depthwise),
    "_FusedMatMul": Composed(2, ("product",), _fused_product),
    "_FusedBatchNormEx": Composed(5, ("y", "batch_mean", "batch_variance", "reserve_space_1", "reserve_space_2",
                                      "reserve_space_3"), _fused_normalisation)}
