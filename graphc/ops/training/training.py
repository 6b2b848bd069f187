"""The optimizers' update ops. Each is a formula on the old values of its refs: `expand` makes it of ops, `reference`
says it once more, in float64, as the papers write it."""
from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from graphc.ir.elementwise import check_kind
from graphc.ir.op import Composite, Effect, Op, Sample, attr, register
from graphc.ir.spec import Spec, require_equal, text
from graphc.ops.array.source import Const
from graphc.ops.math.binary import Add, Mul, Sub
from graphc.ops.math.division import RealDiv
from graphc.ops.math.unary import Sqrt

_SHAPES = ((), (17,), (2, 3, 5), (65,))


def _check(op: Op, ref: Spec, specs: dict[str, Spec]) -> Spec:
    """The updated variable's spec. Raises if a gradient or slot has another shape, a rate is no scalar, or dtypes
    differ."""
    check_kind(op, (ref,), "floating")
    for name, spec in specs.items():
        if spec.dtype != ref.dtype:
            raise TypeError(f"argument '{name}' has dtype {spec.dtype.name}, but the variable has {ref.dtype.name}")
        wanted = ref.shape if name in ("delta", "grad", "accum", "m", "v") else ()
        if wanted is None or spec.shape is None:
            continue
        message = f"argument '{name}' must have shape {text(wanted)}, but has {text(spec.shape)}"
        if len(wanted) != len(spec.shape):
            raise ValueError(message)
        for a, b in zip(wanted, spec.shape, strict=True):
            try:
                require_equal(a, b, message)
            except ValueError:
                raise ValueError(message) from None
    return ref


def _new_values(old: Sequence[np.ndarray], new: Sequence[np.ndarray]) -> tuple[np.ndarray, ...]:
    """What a reference computed in float64, in the variables' dtype."""
    return tuple(np.asarray(b, a.dtype) for a, b in zip(old, new, strict=True))


def _wide(inputs: Sequence[np.ndarray]) -> list[np.ndarray]:
    return [np.asarray(x, np.float64) for x in inputs]


@register
class ApplyGradientDescent(Composite):
    """var -= alpha * delta."""

    operands = ("var", "alpha", "delta")
    results = ("out",)
    types = {"T": "var"}
    refs = ("var",)
    effect = Effect.WRITE
    use_locking: bool = attr("bool", False)
    samples = [Sample({}, (shape, (), shape), gradient=False) for shape in _SHAPES]

    def infer(self, var: Spec, alpha: Spec, delta: Spec) -> Spec:
        return _check(self, var, {"alpha": alpha, "delta": delta})

    def reference(self, *inputs: np.ndarray) -> Any:
        var, alpha, delta = _wide(inputs)
        return _new_values(inputs[:1], [var - alpha * delta])

    def expand(self, emit: Callable[..., Any], *inputs: Any) -> Any:
        var, alpha, delta = inputs
        return (emit(Sub(), var, emit(Mul(), alpha, delta)),)


@register
class ApplyMomentum(Composite):
    """accum = accum * momentum + grad; var -= lr * accum, or with Nesterov lr * (grad + momentum * accum)."""

    operands = ("var", "accum", "lr", "grad", "momentum")
    results = ("out",)
    types = {"T": "var"}
    refs = ("var", "accum")
    effect = Effect.WRITE
    use_locking: bool = attr("bool", False)
    use_nesterov: bool = attr("bool", False)
    samples = [Sample({"use_nesterov": n}, (shape, shape, (), shape, ()), gradient=False, low=0.1)
               for shape in _SHAPES for n in (False, True)]

    def infer(self, var: Spec, accum: Spec, lr: Spec, grad: Spec, momentum: Spec) -> Spec:
        return _check(self, var, {"accum": accum, "lr": lr, "grad": grad, "momentum": momentum})

    def reference(self, *inputs: np.ndarray) -> Any:
        var, accum, lr, grad, momentum = _wide(inputs)
        velocity = momentum * accum + grad
        ahead = lr * grad + lr * momentum * velocity if self.use_nesterov else lr * velocity
        return _new_values(inputs[:2], [var - ahead, velocity])

    def expand(self, emit: Callable[..., Any], *inputs: Any) -> Any:
        var, accum, lr, grad, momentum = inputs
        moved = emit(Add(), emit(Mul(), accum, momentum), grad)
        step = emit(Add(), grad, emit(Mul(), moved, momentum)) if self.use_nesterov else moved
        return emit(Sub(), var, emit(Mul(), step, lr)), moved


@register
class ApplyAdam(Composite):
    """Adam (Kingma and Ba), with epsilon outside of the bias correction, as TF: epsilon is the paper's "epsilon
    hat"."""

    operands = ("var", "m", "v", "beta1_power", "beta2_power", "lr", "beta1", "beta2", "epsilon", "grad")
    results = ("out",)
    types = {"T": "var"}
    refs = ("var", "m", "v")
    effect = Effect.WRITE
    use_locking: bool = attr("bool", False)
    use_nesterov: bool = attr("bool", False)
    samples = [Sample({"use_nesterov": n}, (shape, shape, shape, *((),) * 6, shape), gradient=False, low=0.1, high=0.9)
               for shape in _SHAPES for n in (False, True)]

    def infer(self, *inputs: Spec) -> Spec:
        return _check(self, inputs[0], dict(zip(self.operands[1:], inputs[1:], strict=True)))

    def reference(self, *inputs: np.ndarray) -> Any:
        var, m, v, beta1_power, beta2_power, lr, beta1, beta2, epsilon, grad = _wide(inputs)
        rate = lr * np.sqrt(1 - beta2_power) / (1 - beta1_power)
        # As TF writes it: of an infinity that stays one, the difference is NaN.
        first, second = m + (grad - m) * (1 - beta1), v + (grad * grad - v) * (1 - beta2)
        direction = beta1 * first + (1 - beta1) * grad if self.use_nesterov else first
        return _new_values(inputs[:3], [var - rate * direction / (np.sqrt(second) + epsilon), first, second])

    def expand(self, emit: Callable[..., Any], *inputs: Any) -> Any:
        var, m, v, beta1_power, beta2_power, lr, beta1, beta2, epsilon, grad = inputs
        one = emit(Const(np.ones((), lr.spec.dtype.numpy), lr.spec.dtype))
        rest1, rest2 = emit(Sub(), one, beta1), emit(Sub(), one, beta2)
        corrected = emit(Sqrt(), emit(Sub(), one, beta2_power))
        rate = emit(RealDiv(), emit(Mul(), lr, corrected), emit(Sub(), one, beta1_power))
        new_m = emit(Add(), m, emit(Mul(), emit(Sub(), grad, m), rest1))
        new_v = emit(Add(), v, emit(Mul(), emit(Sub(), emit(Mul(), grad, grad), v), rest2))
        direction = new_m
        if self.use_nesterov:
            direction = emit(Add(), emit(Mul(), grad, rest1), emit(Mul(), beta1, new_m))
        moved = emit(RealDiv(), emit(Mul(), direction, rate), emit(Add(), emit(Sqrt(), new_v), epsilon))
        return emit(Sub(), var, moved), new_m, new_v
