"""The updates that divide by what they have seen: Adagrad, AdagradDA, Adadelta, RMSProp."""
from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from graphc.ir.op import OPS, attr, register
from graphc.ops.training.update import Emit, SparseUpdate, Update, dense_samples, sparse_samples

_SLOTS = ({"update_slots": True}, {"update_slots": False})


@register
class ApplyAdagrad(Update):
    """accum += grad^2; var -= lr * grad / sqrt(accum). update_slots: whether accum grows."""

    operands = ("var", "accum", "lr", "grad")
    refs = ("var", "accum")
    update_slots: bool = attr("bool", True)
    samples = dense_samples(operands, refs, *_SLOTS)

    def formula(self, *inputs: np.ndarray) -> Sequence[np.ndarray]:
        var, accum, lr, grad = inputs
        total = accum + grad**2 if self.update_slots else accum
        return [var - lr * grad / np.sqrt(total), total]

    def expand(self, emit: Callable[..., Any], *inputs: Any) -> Any:
        var, accum, lr, grad = inputs
        e = Emit(emit, var.spec.dtype)
        total = e.add(accum, e.square(grad)) if self.update_slots else accum
        return e.sub(var, e.mul(e.mul(grad, lr), e("Rsqrt", total))), total


@register
class SparseApplyAdagrad(SparseUpdate):
    """ApplyAdagrad for the rows at the indices."""

    dense = "ApplyAdagrad"
    operands = ("var", "accum", "lr", "grad", "indices")
    refs = ("var", "accum")
    update_slots: bool = attr("bool", True)
    samples = sparse_samples(operands, refs, *_SLOTS)


@register
class ApplyAdagradDA(Update):
    """Adagrad by dual averaging (Duchi et al.): var is computed again from the sums of gradients and of their squares.
    """

    operands = ("var", "gradient_accumulator", "gradient_squared_accumulator", "grad", "lr", "l1", "l2", "global_step")
    refs = ("var", "gradient_accumulator", "gradient_squared_accumulator")
    samples = dense_samples(operands, refs)

    def formula(self, *inputs: np.ndarray) -> Sequence[np.ndarray]:
        _, total, squares, grad, lr, l1, l2, step = inputs
        total, squares = total + grad, squares + grad**2
        shrunken = np.sign(total) * np.maximum(np.abs(total) - np.maximum(l1, 0) * step, 0)
        return [-lr * shrunken / (l2 * step * lr + np.sqrt(squares)), total, squares]

    def expand(self, emit: Callable[..., Any], *inputs: Any) -> Any:
        var, total, squares, grad, lr, l1, l2, step = inputs
        e = Emit(emit, var.spec.dtype)
        steps = emit(OPS.make("Cast", DstT=var.spec.dtype), step)
        total, squares = e.add(total, grad), e.add(squares, e.square(grad))
        limit = e.mul(e("Maximum", l1, 0.0), steps)
        shrunken = e.mul(e("Sign", total), e("Maximum", e.sub(e("Abs", total), limit), 0.0))
        below = e.add(e.mul(e.mul(l2, steps), lr), e("Sqrt", squares))
        return e("Neg", e.div(e.mul(shrunken, lr), below)), total, squares


@register
class SparseApplyAdagradDA(SparseUpdate):
    """ApplyAdagradDA for the rows at the indices."""

    dense = "ApplyAdagradDA"
    operands = ("var", "gradient_accumulator", "gradient_squared_accumulator", "grad", "indices", "lr", "l1", "l2",
                "global_step")
    refs = ("var", "gradient_accumulator", "gradient_squared_accumulator")
    samples = sparse_samples(operands, refs)


@register
class ApplyAdadelta(Update):
    """Adadelta (Zeiler): the step is as large as the recent steps were, in units of the recent gradients."""

    operands = ("var", "accum", "accum_update", "lr", "rho", "epsilon", "grad")
    refs = ("var", "accum", "accum_update")
    samples = dense_samples(operands, refs)

    def formula(self, *inputs: np.ndarray) -> Sequence[np.ndarray]:
        var, accum, steps, lr, rho, epsilon, grad = inputs
        accum = rho * accum + (1 - rho) * grad**2
        step = np.sqrt(steps + epsilon) / np.sqrt(accum + epsilon) * grad
        return [var - lr * step, accum, rho * steps + (1 - rho) * step**2]

    def expand(self, emit: Callable[..., Any], *inputs: Any) -> Any:
        var, accum, steps, lr, rho, epsilon, grad = inputs
        e = Emit(emit, var.spec.dtype)
        new = e.mix(accum, rho, e.square(grad))
        step = e.mul(e.mul(e("Sqrt", e.add(steps, epsilon)), e("Rsqrt", e.add(new, epsilon))), grad)
        return e.sub(var, e.mul(step, lr)), new, e.mix(steps, rho, e.square(step))


@register
class SparseApplyAdadelta(SparseUpdate):
    """ApplyAdadelta for the rows at the indices."""

    dense = "ApplyAdadelta"
    operands = ("var", "accum", "accum_update", "lr", "rho", "epsilon", "grad", "indices")
    refs = ("var", "accum", "accum_update")
    samples = sparse_samples(operands, refs)


@register
class ApplyRMSProp(Update):
    """ms = rho * ms + (1 - rho) * grad^2; mom = momentum * mom + lr * grad / sqrt(ms + epsilon); var -= mom."""

    operands = ("var", "ms", "mom", "lr", "rho", "momentum", "epsilon", "grad")
    refs = ("var", "ms", "mom")
    samples = dense_samples(operands, refs)

    def formula(self, *inputs: np.ndarray) -> Sequence[np.ndarray]:
        var, ms, mom, lr, rho, momentum, epsilon, grad = inputs
        ms = rho * ms + (1 - rho) * grad**2
        mom = momentum * mom + lr * grad / np.sqrt(ms + epsilon)
        return [var - mom, ms, mom]

    def expand(self, emit: Callable[..., Any], *inputs: Any) -> Any:
        var, ms, mom, lr, rho, momentum, epsilon, grad = inputs
        e = Emit(emit, var.spec.dtype)
        new_ms = e.add(ms, e.mul(e.sub(e.square(grad), ms), e.sub(1.0, rho)))
        step = e.mul(e.mul(grad, lr), e("Rsqrt", e.add(new_ms, epsilon)))
        new_mom = e.add(e.mul(mom, momentum), step)
        return e.sub(var, new_mom), new_ms, new_mom


@register
class SparseApplyRMSProp(SparseUpdate):
    """ApplyRMSProp for the rows at the indices."""

    dense = "ApplyRMSProp"
    operands = ("var", "ms", "mom", "lr", "rho", "momentum", "epsilon", "grad", "indices")
    refs = ("var", "ms", "mom")
    samples = sparse_samples(operands, refs)


@register
class ApplyCenteredRMSProp(Update):
    """ApplyRMSProp with the variance of the gradients, ms - mg^2, in place of their mean square."""

    operands = ("var", "mg", "ms", "mom", "lr", "rho", "momentum", "epsilon", "grad")
    refs = ("var", "mg", "ms", "mom")
    samples = dense_samples(operands, refs)

    def formula(self, *inputs: np.ndarray) -> Sequence[np.ndarray]:
        var, mg, ms, mom, lr, rho, momentum, epsilon, grad = inputs
        mg, ms = rho * mg + (1 - rho) * grad, rho * ms + (1 - rho) * grad**2
        mom = momentum * mom + lr * grad / np.sqrt(ms - mg**2 + epsilon)
        return [var - mom, mg, ms, mom]

    def expand(self, emit: Callable[..., Any], *inputs: Any) -> Any:
        var, mg, ms, mom, lr, rho, momentum, epsilon, grad = inputs
        e = Emit(emit, var.spec.dtype)
        rest = e.sub(1.0, rho)
        new_mg = e.add(mg, e.mul(e.sub(grad, mg), rest))
        new_ms = e.add(ms, e.mul(e.sub(e.square(grad), ms), rest))
        below = e.add(e.sub(new_ms, e.square(new_mg)), epsilon)
        new_mom = e.add(e.mul(mom, momentum), e.mul(e.mul(grad, lr), e("Rsqrt", below)))
        return e.sub(var, new_mom), new_mg, new_ms, new_mom


@register
class SparseApplyCenteredRMSProp(SparseUpdate):
    """ApplyCenteredRMSProp for the rows at the indices."""

    dense = "ApplyCenteredRMSProp"
    operands = ("var", "mg", "ms", "mom", "lr", "rho", "momentum", "epsilon", "grad", "indices")
    refs = ("var", "mg", "ms", "mom")
    samples = sparse_samples(operands, refs)
