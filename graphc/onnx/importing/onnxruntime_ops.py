"""Ops of the domain com.microsoft that onnxruntime's quantization and optimisation write: quantized forms of ops, which
are computed with the numbers they stand for, and several ops as one."""
from __future__ import annotations

import math
from typing import Any

import graphc as gc
from graphc.onnx.importing.matrices import product
from graphc.onnx.importing.quantisation import dynamic_quantize, matmul_integer, quantized
from graphc.onnx.importing.recurrent import lstm
from graphc.onnx.importing.rules import Node, full_like, onnx_op, rule_for, static_sizes

_DOMAIN = "com.microsoft"


def _as(node: Node, op: str, *inputs: Any, **defaults: Any) -> Any:
    """The result of an op of ONNX' own domain for the attributes of this node."""
    own = node.standard().with_defaults(**defaults)
    own.op = op
    rule = rule_for("", op, own.version)
    if rule is None:
        raise node.refuse(f"its activation {op!r} is not known")
    return rule(own, *inputs)


def _real(x: Any, scale: Any, zero: Any) -> Any:
    wide = gc.cast(x, gc.int32)
    return gc.cast(wide if zero is None else wide - gc.cast(zero, gc.int32), gc.float32) * scale


def _quantized(y: Any, scale: Any, zero: Any) -> Any:
    return quantized(y / scale, zero, gc.uint8 if zero is None else zero.dtype)


@onnx_op("QLinearAdd", "QLinearMul", domain=_DOMAIN)
def of_two(node: Node, a: Any, a_scale: Any, a_zero: Any, b: Any, b_scale: Any, b_zero: Any, scale: Any,
           zero: Any = None) -> Any:
    a, b = _real(a, a_scale, a_zero), _real(b, b_scale, b_zero)
    return _quantized(a + b if node.op == "QLinearAdd" else a * b, scale, zero)


@onnx_op("QLinearSigmoid", "QLinearLeakyRelu", "QLinearAveragePool", "QLinearGlobalAveragePool", "QLinearSoftmax",
         domain=_DOMAIN)
def of_one(node: Node, x: Any, x_scale: Any, x_zero: Any, scale: Any, zero: Any = None) -> Any:
    if node.attr("channels_last", 0):
        raise node.refuse("channels_last is not supported")
    return _quantized(_as(node, node.op.removeprefix("QLinear"), _real(x, x_scale, x_zero)), scale, zero)


@onnx_op("QLinearConcat", domain=_DOMAIN)
def concat(node: Node, scale: Any, zero: Any, *inputs: Any) -> Any:
    parts = [_real(*inputs[i:i + 3]) for i in range(0, len(inputs), 3)]
    return _quantized(gc.concat(parts, node.axis(parts[0], node.need("axis"))), scale, zero)


@onnx_op("QGemm", domain=_DOMAIN)
def gemm(node: Node, a: Any, a_scale: Any, a_zero: Any, b: Any, b_scale: Any, b_zero: Any, c: Any = None,
         scale: Any = None, zero: Any = None) -> Any:
    """In whole numbers; without a scale of the result it is a real one. b_zero: one, or one a column of the result."""
    if node.attr("transB", 0) and node.rank(b_zero) == 1:
        b_zero = gc.expand_dims(b_zero, 1)
    left, right = (gc.cast(x, gc.int32) - gc.cast(point, gc.int32) for x, point in ((a, a_zero), (b, b_zero)))
    whole = gc.matmul(left, right, transpose_a=bool(node.attr("transA", 0)), transpose_b=bool(node.attr("transB", 0)))
    whole = whole if c is None else whole + c
    factor = a_scale * b_scale * full_like(a_scale, node.attr("alpha", 1.0))
    made = gc.cast(whole, gc.float32) * factor
    return made if scale is None else _quantized(made, scale, zero)


@onnx_op("MatMulIntegerToFloat", domain=_DOMAIN)
def matmul_to_float(node: Node, a: Any, b: Any, a_scale: Any, b_scale: Any, a_zero: Any = None, b_zero: Any = None,
                    bias: Any = None) -> Any:
    made = gc.cast(matmul_integer(node, a, b, a_zero, b_zero), gc.float32) * (a_scale * b_scale)
    return made if bias is None else made + bias


@onnx_op("DynamicQuantizeMatMul", domain=_DOMAIN)
def quantizing_matmul(node: Node, a: Any, b: Any, b_scale: Any, b_zero: Any = None, bias: Any = None) -> Any:
    units, scale, zero = dynamic_quantize(node, a)
    return matmul_to_float(node, units, b, scale, b_scale, zero, b_zero, bias)


@onnx_op("DynamicQuantizeLSTM", domain=_DOMAIN)
def quantized_lstm(node: Node, x: Any, w: Any, r: Any, b: Any = None, lengths: Any = None, h: Any = None, c: Any = None,
                   peepholes: Any = None, w_scale: Any = None, w_zero: Any = None, r_scale: Any = None,
                   r_zero: Any = None) -> Any:
    """With the real weights, turned: onnxruntime also rounds x and the states in each step, which is less exact."""
    def turned(weights: Any, scale: Any, zero: Any) -> Any:
        if node.rank(scale) == 2:
            scale, zero = gc.expand_dims(scale, 1), gc.expand_dims(zero, 1)
        elif static_sizes(scale) != [1] and node.rank(scale) == 1:
            scale, zero = (gc.reshape(p, [-1, 1, 1]) for p in (scale, zero))
        return gc.transpose(_real(weights, scale, zero), [0, 2, 1])

    own = node.standard()
    own.op = "LSTM"
    return lstm(own, x, turned(w, w_scale, w_zero), turned(r, r_scale, r_zero), b, lengths, h, c, peepholes)


@onnx_op("FusedConv", domain=_DOMAIN)
def fused_conv(node: Node, x: Any, w: Any, bias: Any = None, added: Any = None) -> Any:
    y = _as(node, "Conv", x, w, bias)
    return _activated(node, y if added is None else y + added)


@onnx_op("FusedGemm", domain=_DOMAIN)
def fused_gemm(node: Node, a: Any, b: Any, c: Any = None) -> Any:
    alpha = node.attr("activation_alpha")
    return _activated(node, _as(node, "Gemm", a, b, c), *([] if alpha is None else [alpha]))


def _activated(node: Node, y: Any, *given: float) -> Any:
    """The activation of a fused op, with its parameters: of LeakyRelu alpha; of HardSigmoid alpha, beta; of Clip both
    ends."""
    name, values = node.attr("activation", ""), list(node.attr("activation_params") or given)
    if not name:
        return y
    if name == "Clip" and len(values) == 2:
        return gc.clip_by_value(y, full_like(y, values[0]), full_like(y, values[1]))
    if name in ("LeakyRelu", "HardSigmoid"):
        own = node.standard(**dict(zip(("alpha", "beta"), values, strict=False)))
        own.op = name
        rule = rule_for("", name, own.version)
        assert rule is not None
        return rule(own, y)
    if name not in ("Relu", "Sigmoid", "Tanh"):
        raise node.refuse(f"its activation {name!r} is not supported")
    return _as(node, name, y)


@onnx_op("FusedMatMul", domain=_DOMAIN)
def fused_matmul(node: Node, a: Any, b: Any) -> Any:
    if node.attr("transBatchA", 0) or node.attr("transBatchB", 0):
        raise node.refuse("transposed batches are not supported")
    turned = [_last_two(node, x) if node.attr(name, 0) and node.rank(x) > 1 else x
              for x, name in ((a, "transA"), (b, "transB"))]
    y = product(node, *turned)
    return y * full_like(y, node.attr("alpha", 1.0))


def _last_two(node: Node, x: Any) -> Any:
    rank = node.rank(x)
    return gc.transpose(x, [*range(rank - 2), rank - 1, rank - 2])


@onnx_op("Gelu", "BiasGelu", domain=_DOMAIN)
def gelu(node: Node, x: Any, bias: Any = None) -> Any:
    x = x if bias is None else x + bias
    return x * full_like(x, 0.5) * (full_like(x, 1) + gc.erf(x * full_like(x, math.sqrt(0.5))))


@onnx_op("FastGelu", domain=_DOMAIN)
def fast_gelu(node: Node, x: Any, bias: Any = None) -> Any:
    x = x if bias is None else x + bias
    inner = full_like(x, math.sqrt(2 / math.pi)) * (x + full_like(x, 0.044715) * x * x * x)
    return full_like(x, 0.5) * x * (full_like(x, 1) + gc.tanh(inner))


@onnx_op("QuickGelu", domain=_DOMAIN)
def quick_gelu(node: Node, x: Any) -> Any:
    return x * gc.sigmoid(x * full_like(x, node.attr("alpha", 1.702)))


@onnx_op("SkipLayerNormalization", "SkipSimplifiedLayerNormalization", domain=_DOMAIN)
def skip_normalization(node: Node, x: Any, skip: Any, scale: Any, *rest: Any) -> Any:
    """(normalised sum, mean, 1 / deviation, the sum); simplified: by the root mean square, without an offset."""
    simple = "Simplified" in node.op
    offset, bias = (None, *rest, None)[:2] if simple else (*rest, None, None)[:2]
    total = x + skip if bias is None else x + skip + bias
    mean = gc.zeros_like(total[..., :1]) if simple else gc.reduce_mean(total, -1, keepdims=True)
    centred = total - mean
    inverse = gc.rsqrt(gc.reduce_mean(centred * centred, -1, keepdims=True) + full_like(x, node.attr("epsilon", 1e-5)))
    y = centred * inverse * scale
    return y if offset is None else y + offset, mean, inverse, total


@onnx_op("SimplifiedLayerNormalization")
def simplified_normalization(node: Node, x: Any, scale: Any) -> Any:
    """In the default domain, too, onnxruntime writes this one."""
    axes = list(range(node.axis(x, node.attr("axis", -1)), node.rank(x)))
    inverse = gc.rsqrt(gc.reduce_mean(x * x, axes, keepdims=True) + full_like(x, node.attr("epsilon", 1e-5)))
    return x * inverse * scale, inverse
