"""The updates of gradient descent, Momentum and Adam: `expand` makes each of ops, `formula` says it once more, as the
papers write it."""
from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from graphc.ir.op import attr, register
from graphc.ops.training.update import Emit, SparseUpdate, Update, dense_samples, sparse_samples


@register
class ApplyGradientDescent(Update):
    """var -= alpha * delta."""

    operands = ("var", "alpha", "delta")
    samples = dense_samples(operands, Update.refs, low=-0.9)

    def formula(self, *inputs: np.ndarray) -> Sequence[np.ndarray]:
        var, alpha, delta = inputs
        return [var - alpha * delta]

    def expand(self, emit: Callable[..., Any], *inputs: Any) -> Any:
        var, alpha, delta = inputs
        e = Emit(emit, var.spec.dtype)
        return (e.sub(var, e.mul(alpha, delta)),)


@register
class ApplyMomentum(Update):
    """accum = accum * momentum + grad; var -= lr * accum, or with Nesterov lr * (grad + momentum * accum)."""

    operands = ("var", "accum", "lr", "grad", "momentum")
    refs = ("var", "accum")
    use_nesterov: bool = attr("bool", False)
    samples = dense_samples(operands, refs, {"use_nesterov": False}, {"use_nesterov": True})

    def formula(self, *inputs: np.ndarray) -> Sequence[np.ndarray]:
        var, accum, lr, grad, momentum = inputs
        velocity = momentum * accum + grad
        ahead = lr * grad + lr * momentum * velocity if self.use_nesterov else lr * velocity
        return [var - ahead, velocity]

    def expand(self, emit: Callable[..., Any], *inputs: Any) -> Any:
        var, accum, lr, grad, momentum = inputs
        e = Emit(emit, var.spec.dtype)
        moved = e.add(e.mul(accum, momentum), grad)
        step = e.add(grad, e.mul(moved, momentum)) if self.use_nesterov else moved
        return e.sub(var, e.mul(step, lr)), moved


@register
class SparseApplyMomentum(SparseUpdate):
    """ApplyMomentum for the rows at the indices."""

    dense = "ApplyMomentum"
    operands = ("var", "accum", "lr", "grad", "indices", "momentum")
    refs = ("var", "accum")
    use_nesterov: bool = attr("bool", False)
    samples = sparse_samples(operands, refs, {"use_nesterov": False}, {"use_nesterov": True})


@register
class ApplyAdam(Update):
    """Adam (Kingma and Ba), with epsilon outside of the bias correction, as TF: epsilon is the paper's "epsilon
    hat"."""

    operands = ("var", "m", "v", "beta1_power", "beta2_power", "lr", "beta1", "beta2", "epsilon", "grad")
    refs = ("var", "m", "v")
    use_nesterov: bool = attr("bool", False)
    samples = dense_samples(operands, refs, {"use_nesterov": False}, {"use_nesterov": True})

    def formula(self, *inputs: np.ndarray) -> Sequence[np.ndarray]:
        var, m, v, beta1_power, beta2_power, lr, beta1, beta2, epsilon, grad = inputs
        rate = lr * np.sqrt(1 - beta2_power) / (1 - beta1_power)
        # As TF writes it: of an infinity that stays one, the difference is NaN.
        first, second = m + (grad - m) * (1 - beta1), v + (grad * grad - v) * (1 - beta2)
        direction = beta1 * first + (1 - beta1) * grad if self.use_nesterov else first
        return [var - rate * direction / (np.sqrt(second) + epsilon), first, second]

    def expand(self, emit: Callable[..., Any], *inputs: Any) -> Any:
        var, m, v, beta1_power, beta2_power, lr, beta1, beta2, epsilon, grad = inputs
        e = Emit(emit, var.spec.dtype)
        rest1, rest2 = e.sub(1.0, beta1), e.sub(1.0, beta2)
        rate = e.div(e.mul(lr, e("Sqrt", e.sub(1.0, beta2_power))), e.sub(1.0, beta1_power))
        new_m = e.add(m, e.mul(e.sub(grad, m), rest1))
        new_v = e.add(v, e.mul(e.sub(e.square(grad), v), rest2))
        direction = new_m
        if self.use_nesterov:
            direction = e.add(e.mul(grad, rest1), e.mul(beta1, new_m))
        moved = e.div(e.mul(direction, rate), e.add(e("Sqrt", new_v), epsilon))
        return e.sub(var, moved), new_m, new_v
