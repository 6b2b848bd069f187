"""The optimizers' update ops. Each is a formula on the old values of its refs; what it writes is what `expand`
returns."""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from graphc.ir.op import OPS, Composite, Effect, Op, Sample, attr, register
from graphc.ir.spec import Spec, text

_SHAPES = ((), (17,), (2, 3, 5), (65,))


def _check(op: Op, ref: Spec, specs: dict[str, Spec]) -> Spec:
    """The updated variable's spec. Raises if a gradient or slot has another shape, a rate is no scalar, or dtypes
    differ."""
    for name, spec in specs.items():
        if spec.dtype != ref.dtype:
            raise TypeError(f"argument '{name}' has dtype {spec.dtype.name}, but the variable has {ref.dtype.name}")
        wanted = ref.shape if name in ("delta", "grad", "accum", "m", "v") else ()
        if wanted is None or spec.shape is None:
            continue
        known = [(a, b) for a, b in zip(wanted, spec.shape, strict=False) if isinstance(a, int) and isinstance(b, int)]
        if len(wanted) != len(spec.shape) or any(a != b for a, b in known):
            raise ValueError(f"argument '{name}' must have shape {text(wanted)}, but has {text(spec.shape)}")
    return ref


class _Formula:
    """Arithmetic on the values of `expand`, or on arrays where emit is None: one formula for both."""

    def __init__(self, emit: Callable[..., Any] | None) -> None:
        self.emit = emit

    def __call__(self, op: str, *values: Any) -> Any:
        made = OPS[op]()
        return made.reference(*values) if self.emit is None else self.emit(made, *values)

    def one(self, like: Any) -> Any:
        if self.emit is None:
            return np.ones((), like.dtype)
        return self.emit(OPS["Const"](np.ones((), like.spec.dtype.numpy), like.spec.dtype))  # type: ignore[call-arg]


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
        return self._new(_Formula(None), *inputs)[0]

    def expand(self, emit: Callable[..., Any], *inputs: Any) -> Any:
        return self._new(_Formula(emit), *inputs)

    def _new(self, f: _Formula, var: Any, alpha: Any, delta: Any) -> tuple[Any, ...]:
        return (f("Sub", var, f("Mul", alpha, delta)),)


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
        return self._new(_Formula(None), *inputs)[0]

    def expand(self, emit: Callable[..., Any], *inputs: Any) -> Any:
        return self._new(_Formula(emit), *inputs)

    def _new(self, f: _Formula, var: Any, accum: Any, lr: Any, grad: Any, momentum: Any) -> tuple[Any, ...]:
        moved = f("Add", f("Mul", accum, momentum), grad)
        step = f("Add", grad, f("Mul", moved, momentum)) if self.use_nesterov else moved
        return f("Sub", var, f("Mul", step, lr)), moved


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
        return self._new(_Formula(None), *inputs)[0]

    def expand(self, emit: Callable[..., Any], *inputs: Any) -> Any:
        return self._new(_Formula(emit), *inputs)

    def _new(self, f: _Formula, var: Any, m: Any, v: Any, beta1_power: Any, beta2_power: Any, lr: Any, beta1: Any,
             beta2: Any,
             epsilon: Any, grad: Any) -> tuple[Any, ...]:
        one = f.one(lr)
        rest1, rest2 = f("Sub", one, beta1), f("Sub", one, beta2)
        rate = f("RealDiv", f("Mul", lr, f("Sqrt", f("Sub", one, beta2_power))), f("Sub", one, beta1_power))
        new_m = f("Add", m, f("Mul", f("Sub", grad, m), rest1))
        new_v = f("Add", v, f("Mul", f("Sub", f("Mul", grad, grad), v), rest2))
        direction = f("Add", f("Mul", grad, rest1), f("Mul", beta1, new_m)) if self.use_nesterov else new_m
        moved = f("RealDiv", f("Mul", direction, rate), f("Add", f("Sqrt", new_v), epsilon))
        return f("Sub", var, moved), new_m, new_v
