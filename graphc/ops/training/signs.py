"""The updates that compare the signs of a gradient and of its moving average (Bello et al.): PowerSign, AddSign."""
from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from graphc.ir.op import register
from graphc.ops.training.update import Emit, Update, dense_samples


@register
class ApplyPowerSign(Update):
    """m is the average of gradients; var -= lr * exp(logbase * sign_decay * sign(grad) * sign(m)) * grad."""

    operands = ("var", "m", "lr", "logbase", "sign_decay", "beta", "grad")
    refs = ("var", "m")
    samples = dense_samples(operands, refs)

    def formula(self, *inputs: np.ndarray) -> Sequence[np.ndarray]:
        var, m, lr, logbase, decay, beta, grad = inputs
        m = beta * m + (1 - beta) * grad
        return [var - lr * np.exp(logbase * decay * np.sign(grad) * np.sign(m)) * grad, m]

    def expand(self, emit: Callable[..., Any], *inputs: Any) -> Any:
        var, m, lr, logbase, decay, beta, grad = inputs
        e = Emit(emit, var.spec.dtype)
        new = e.mix(m, beta, grad)
        factor = e("Exp", e.mul(e.mul(e("Sign", grad), e("Sign", new)), e.mul(logbase, decay)))
        return e.sub(var, e.mul(e.mul(factor, grad), lr)), new


@register
class ApplyAddSign(Update):
    """m is the average of gradients; var -= lr * (alpha + sign_decay * sign(grad) * sign(m)) * grad."""

    operands = ("var", "m", "lr", "alpha", "sign_decay", "beta", "grad")
    refs = ("var", "m")
    samples = dense_samples(operands, refs)

    def formula(self, *inputs: np.ndarray) -> Sequence[np.ndarray]:
        var, m, lr, alpha, decay, beta, grad = inputs
        m = beta * m + (1 - beta) * grad
        return [var - lr * (alpha + decay * np.sign(grad) * np.sign(m)) * grad, m]

    def expand(self, emit: Callable[..., Any], *inputs: Any) -> Any:
        var, m, lr, alpha, decay, beta, grad = inputs
        e = Emit(emit, var.spec.dtype)
        new = e.mix(m, beta, grad)
        factor = e.add(e.mul(e.mul(e("Sign", grad), e("Sign", new)), decay), alpha)
        return e.sub(var, e.mul(e.mul(factor, grad), lr)), new
