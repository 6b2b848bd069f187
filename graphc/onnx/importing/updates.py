"""Gradients and steps of optimizers, of the domain ai.onnx.preview.training."""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

import graphc as gc
from graphc.onnx.importing.rules import Node, full_like, onnx_op

_DOMAIN = "ai.onnx.preview.training"


def _each(inputs: tuple[Any, ...], per: int, step: Callable[..., tuple[Any, ...]]) -> tuple[Any, ...]:
    """Inputs and outputs are ordered by kind: all values, all gradients, all first states, ..."""
    count = len(inputs) // per
    made = [step(*inputs[i::count]) for i in range(count)]
    return tuple(result[k] for k in range(len(made[0])) for result in made)


def _regularised(node: Node, x: Any, g: Any) -> Any:
    return full_like(x, node.attr("norm_coefficient", 0.0)) * x + g


@onnx_op("Gradient", domain=_DOMAIN)
def gradient(node: Node, *inputs: Any) -> Any:
    """The derivatives of the tensor y by each of xs, which must be the node's own inputs."""
    names = [name.decode() for name in (*node.need("xs"), *(node.attr("zs") or []))]
    values = node.build.scope_values
    if node.input_names != names:
        raise node.refuse(f"its inputs are {', '.join(node.input_names)}, but xs and zs are {', '.join(names)}; "
                          "gradients at other values than those in the graph are not supported")
    if node.need("y") not in values:
        raise node.refuse(f"there is no tensor {node.need('y')!r}, whose gradient it asks for")
    xs = list(inputs[:len(node.need("xs"))])
    found = gc.gradients(values[node.need("y")], xs)
    return tuple(gc.zeros_like(x) if dx is None else dx for x, dx in zip(xs, found, strict=True))


@onnx_op("Adagrad", domain=_DOMAIN)
def adagrad(node: Node, rate: Any, t: Any, *inputs: Any) -> Any:
    def step(x: Any, g: Any, h: Any) -> tuple[Any, ...]:
        own = rate / (full_like(rate, 1) + gc.cast(t, rate.dtype) * full_like(rate, node.attr("decay_factor", 0.0)))
        g = _regularised(node, x, g)
        new = h + gc.square(g)
        return x - own * g / (gc.sqrt(new) + full_like(x, node.attr("epsilon", 1e-6))), new
    return _each(inputs, 3, step)


@onnx_op("Momentum", domain=_DOMAIN)
def momentum(node: Node, rate: Any, t: Any, *inputs: Any) -> Any:
    def step(x: Any, g: Any, v: Any) -> tuple[Any, ...]:
        g = _regularised(node, x, g)
        alpha = full_like(x, node.need("alpha"))
        beta = gc.where_v2(gc.greater(t, full_like(t, 0)), full_like(x, node.need("beta")), full_like(x, 1))
        new = alpha * v + beta * g
        return x - rate * (g + alpha * new if node.need("mode") == "nesterov" else new), new
    return _each(inputs, 3, step)


@onnx_op("Adam", domain=_DOMAIN)
def adam(node: Node, rate: Any, t: Any, *inputs: Any) -> Any:
    def step(x: Any, g: Any, v: Any, h: Any) -> tuple[Any, ...]:
        one = full_like(x, 1)
        alpha, beta = full_like(x, node.attr("alpha", 0.9)), full_like(x, node.attr("beta", 0.999))
        g = _regularised(node, x, g)
        v, h = alpha * v + (one - alpha) * g, beta * h + (one - beta) * gc.square(g)
        power = gc.cast(t, x.dtype)
        corrected = rate * gc.sqrt(one - gc.pow(beta, power)) / (one - gc.pow(alpha, power))
        own = gc.where_v2(gc.greater(t, full_like(t, 0)), corrected, rate)
        new = x - own * v / (gc.sqrt(h) + full_like(x, node.attr("epsilon", 1e-6)))
        return (one - full_like(x, node.attr("norm_coefficient_post", 0.0))) * new, v, h
    return _each(inputs, 4, step)
