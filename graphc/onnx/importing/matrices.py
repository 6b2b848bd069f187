"""Products of matrices."""
from __future__ import annotations

from typing import Any

import graphc as gc
from graphc.onnx.importing.rules import Node, full_like, onnx_op


@onnx_op("MatMul")
def matmul(node: Node, a: Any, b: Any) -> Any:
    return product(node, a, b)


def product(node: Node, a: Any, b: Any) -> Any:
    """As numpy.matmul: vectors are a row, or a column; the batch axes broadcast."""
    left, right = node.rank(a), node.rank(b)
    if not left or not right:
        raise node.invalid("a scalar is no matrix")
    dtype = a.dtype
    if dtype.is_integer and dtype not in (gc.int32, gc.int64):
        a, b = gc.cast(a, gc.int64), gc.cast(b, gc.int64)
    a = gc.expand_dims(a, 0) if left == 1 else a
    b = gc.expand_dims(b, -1) if right == 1 else b
    y = gc.matmul(a, b)
    y = gc.squeeze(y, [-2]) if left == 1 else y
    y = gc.squeeze(y, [-1]) if right == 1 else y
    return gc.cast(y, dtype)


@onnx_op("Gemm")
def gemm(node: Node, a: Any, b: Any, c: Any = None) -> Any:
    alpha, beta = node.attr("alpha", 1.0), node.attr("beta", 1.0)
    y = gc.matmul(a, b, transpose_a=bool(node.attr("transA", 0)), transpose_b=bool(node.attr("transB", 0)))
    if alpha != 1.0:
        y = _scaled(y, alpha)
    if c is None or beta == 0.0:
        return y
    return y + (c if beta == 1.0 else _scaled(c, beta))


def _scaled(x: Any, factor: float) -> Any:
    if x.dtype.is_integer:
        return gc.cast(gc.cast(x, gc.float64) * gc.constant(factor, gc.float64), x.dtype)
    return x * full_like(x, factor)


@onnx_op("Einsum")
def einsum(node: Node, *inputs: Any) -> Any:
    equation = node.need("equation").replace(" ", "")
    if any(x.dtype.is_integer and x.dtype not in (gc.int32, gc.int64) for x in inputs):
        raise node.refuse(f"einsum of {inputs[0].dtype.name} is not supported: cast to int32")
    return gc.einsum(equation, *inputs)


@onnx_op("Det")
def determinant(node: Node, x: Any) -> Any:
    return gc.matrix_determinant(x)
