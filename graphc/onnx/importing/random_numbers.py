"""Random numbers. Their streams are graphc's: another program draws other numbers for the same seed."""
from __future__ import annotations

from typing import Any

import graphc as gc
from graphc.onnx.element_types import dtype_of
from graphc.onnx.importing.rules import Node, onnx_op


def _seed(node: Node) -> int | None:
    seed = node.attr("seed")
    return None if seed is None else int(seed)


def _dtype(node: Node, default: Any) -> Any:
    return default if node.attr("dtype") is None else dtype_of(node.attr("dtype"), str(node))


def _uniform(node: Node, shape: Any, dtype: Any) -> Any:
    return gc.random_uniform(shape, node.attr("low", 0.0), node.attr("high", 1.0), dtype, seed=_seed(node))


def _normal(node: Node, shape: Any, dtype: Any) -> Any:
    return gc.random_normal(shape, node.attr("mean", 0.0), node.attr("scale", 1.0), dtype, seed=_seed(node))


@onnx_op("RandomUniform")
def uniform(node: Node) -> Any:
    return _uniform(node, node.need("shape"), _dtype(node, gc.float32))


@onnx_op("RandomNormal")
def normal(node: Node) -> Any:
    return _normal(node, node.need("shape"), _dtype(node, gc.float32))


@onnx_op("RandomUniformLike")
def uniform_like(node: Node, x: Any) -> Any:
    return _uniform(node, gc.shape(x), _dtype(node, x.dtype))


@onnx_op("RandomNormalLike")
def normal_like(node: Node, x: Any) -> Any:
    return _normal(node, gc.shape(x), _dtype(node, x.dtype))


@onnx_op("Bernoulli")
def bernoulli(node: Node, x: Any) -> Any:
    """1 with probability x, else 0."""
    draws = gc.random_uniform(gc.shape(x), dtype=x.dtype, seed=_seed(node))
    return gc.cast(gc.less(draws, x), _dtype(node, x.dtype))


@onnx_op("Multinomial")
def multinomial(node: Node, x: Any) -> Any:
    """Classes drawn by log probabilities [batch, classes]."""
    made = gc.multinomial(x, node.attr("sample_size", 1), seed=_seed(node))
    return gc.cast(made, _dtype(node, gc.int32))


