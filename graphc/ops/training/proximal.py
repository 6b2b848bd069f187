"""The updates that pull weights to zero: FTRL, proximal gradient descent, proximal Adagrad.

Where TensorFlow tells l1 > 0 from l1 = 0, one formula does for both: l1 = 0 shrinks by nothing.
"""
from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from graphc.ir.op import register
from graphc.ops.training.update import Emit, SparseUpdate, Update, dense_samples, sparse_samples


def _shrink(e: Emit, x: Any, limit: Any) -> Any:
    """x moved towards 0 by `limit`, but not past it: 0, as for NaN."""
    return e("SelectV2", e("Greater", e("Abs", x), limit), e.sub(x, e.mul(e("Sign", x), limit)), 0.0)


def _shrunken(x: np.ndarray, limit: np.ndarray) -> np.ndarray:
    return np.where(np.abs(x) > limit, x - np.sign(x) * limit, 0.0)


class _Ftrl(Update):
    """The base of the two forms of FTRL (McMahan et al.): `operands` say whether there is l2_shrinkage."""

    refs = ("var", "accum", "linear")

    def formula(self, *inputs: np.ndarray) -> Sequence[np.ndarray]:
        given = dict(zip(self.operands, inputs, strict=True))
        var, accum, linear, grad, lr = (given[k] for k in ("var", "accum", "linear", "grad", "lr"))
        seen = grad + 2 * given.get("l2_shrinkage", 0.0) * var
        total = accum + grad**2
        power, old = total ** -given["lr_power"], accum ** -given["lr_power"]
        linear = linear + seen - (power - old) / lr * var
        with np.errstate(divide="ignore", invalid="ignore"):
            moved = (np.sign(linear) * given["l1"] - linear) / (power / lr + 2 * given["l2"])
        return [np.where(np.abs(linear) <= given["l1"], 0.0, moved), total, linear]

    def expand(self, emit: Callable[..., Any], *inputs: Any) -> Any:
        given = dict(zip(self.operands, inputs, strict=True))
        var, accum, linear, grad, lr, lr_power = (given[k] for k in ("var", "accum", "linear", "grad", "lr",
                                                                     "lr_power"))
        e = Emit(emit, var.spec.dtype)
        seen = grad
        if "l2_shrinkage" in given:
            seen = e.add(grad, e.mul(e.mul(given["l2_shrinkage"], 2.0), var))
        total = e.add(accum, e.square(grad))
        new, old = (_power(e, x, lr_power) for x in (total, accum))
        moved = e.sub(e.add(linear, seen), e.mul(e.div(e.sub(new, old), lr), var))
        below = e.add(e.div(new, lr), e.mul(given["l2"], 2.0))
        shrunken = e.div(e.sub(e.mul(e("Sign", moved), given["l1"]), moved), below)
        # Chosen last: what is shrunken to nothing is 0.0, never -0.0, also where `below` is 0.
        return e("SelectV2", e("LessEqual", e("Abs", moved), given["l1"]), 0.0, shrunken), total, moved


def _power(e: Emit, x: Any, lr_power: Any) -> Any:
    """x ** -lr_power; the usual -0.5 is a root."""
    node = getattr(lr_power, "node", None)
    while node is not None and node.op.type == "Cast":
        node = node.inputs[0].node
    value = getattr(getattr(node, "op", None), "value", None)
    if value is not None and np.shape(value) == () and value == -0.5:
        return e("Sqrt", x)
    return e("Pow", x, e("Neg", lr_power))


_OPERANDS = ("var", "accum", "linear", "grad", "lr", "l1", "l2", "lr_power")
_OPERANDS_V2 = ("var", "accum", "linear", "grad", "lr", "l1", "l2", "l2_shrinkage", "lr_power")
_SPARSE = ("var", "accum", "linear", "grad", "indices", "lr", "l1", "l2", "lr_power")
_SPARSE_V2 = ("var", "accum", "linear", "grad", "indices", "lr", "l1", "l2", "l2_shrinkage", "lr_power")


@register
class ApplyFtrl(_Ftrl):
    """FTRL-Proximal: accum += grad^2; linear gathers gradients; var is computed again from both."""

    operands = _OPERANDS
    samples = dense_samples(operands, _Ftrl.refs)


@register
class ApplyFtrlV2(_Ftrl):
    """ApplyFtrl with l2_shrinkage: 2 * l2_shrinkage * var joins the gradient that linear gathers."""

    operands = _OPERANDS_V2
    samples = dense_samples(operands, _Ftrl.refs)


@register
class SparseApplyFtrl(SparseUpdate):
    """ApplyFtrl for the rows at the indices."""

    dense = "ApplyFtrl"
    operands = _SPARSE
    refs = _Ftrl.refs
    samples = sparse_samples(operands, refs)


@register
class SparseApplyFtrlV2(SparseUpdate):
    """ApplyFtrlV2 for the rows at the indices."""

    dense = "ApplyFtrlV2"
    operands = _SPARSE_V2
    refs = _Ftrl.refs
    samples = sparse_samples(operands, refs)


@register
class ApplyProximalGradientDescent(Update):
    """A step of gradient descent, then towards 0 by alpha * l1 and a division by 1 + alpha * l2."""

    operands = ("var", "alpha", "l1", "l2", "delta")
    samples = dense_samples(operands, Update.refs)

    def formula(self, *inputs: np.ndarray) -> Sequence[np.ndarray]:
        var, alpha, l1, l2, delta = inputs
        return [_shrunken(var - alpha * delta, alpha * l1) / (1 + alpha * l2)]

    def expand(self, emit: Callable[..., Any], *inputs: Any) -> Any:
        var, alpha, l1, l2, delta = inputs
        e = Emit(emit, var.spec.dtype)
        moved = e.sub(var, e.mul(delta, alpha))
        return (e.div(_shrink(e, moved, e.mul(alpha, l1)), e.add(e.mul(l2, alpha), 1.0)),)


@register
class SparseApplyProximalGradientDescent(SparseUpdate):
    """ApplyProximalGradientDescent for the rows at the indices."""

    dense = "ApplyProximalGradientDescent"
    operands = ("var", "alpha", "l1", "l2", "grad", "indices")
    refs = ("var",)
    samples = sparse_samples(operands, refs)


@register
class ApplyProximalAdagrad(Update):
    """ApplyProximalGradientDescent with Adagrad's rate: lr / sqrt(accum)."""

    operands = ("var", "accum", "lr", "l1", "l2", "grad")
    refs = ("var", "accum")
    samples = dense_samples(operands, refs)

    def formula(self, *inputs: np.ndarray) -> Sequence[np.ndarray]:
        var, accum, lr, l1, l2, grad = inputs
        total = accum + grad**2
        rate = lr / np.sqrt(total)
        return [_shrunken(var - rate * grad, rate * l1) / (1 + rate * l2), total]

    def expand(self, emit: Callable[..., Any], *inputs: Any) -> Any:
        var, accum, lr, l1, l2, grad = inputs
        e = Emit(emit, var.spec.dtype)
        total = e.add(accum, e.square(grad))
        rate = e.mul(e("Rsqrt", total), lr)
        moved = e.sub(var, e.mul(grad, rate))
        return e.div(_shrink(e, moved, e.mul(rate, l1)), e.add(e.mul(rate, l2), 1.0)), total


@register
class SparseApplyProximalAdagrad(SparseUpdate):
    """ApplyProximalAdagrad for the rows at the indices."""

    dense = "ApplyProximalAdagrad"
    operands = ("var", "accum", "lr", "l1", "l2", "grad", "indices")
    refs = ("var", "accum")
    samples = sparse_samples(operands, refs)
