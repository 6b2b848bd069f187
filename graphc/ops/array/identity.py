"""Ops that pass a value on: Identity, StopGradient; and NoOp, which has none."""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from graphc.ir.builder import GradientBuilder
from graphc.ir.dtypes import bool_, float64, int64
from graphc.ir.op import Alias, Op, Permuted, Sample, register
from graphc.ir.spec import Spec
from graphc.ir.tensor import Operation

_SAMPLES = [Sample({}, ((2, 3, 5),)), Sample({}, ((),), (float64,)), Sample({}, ((0, 3),)),
            Sample({}, ((17,),), (int64,)), Sample({}, (np.array([True, False]),), (bool_,))]


@register
class Identity(Alias):
    """y = input"""

    operands = ("input",)
    results = ("output",)
    types: ClassVar = {"T": "input"}
    samples: ClassVar = _SAMPLES

    def infer(self, x: Spec) -> Spec:
        return x

    def reference(self, x: np.ndarray) -> np.ndarray:
        return x

    def grad(self, g: GradientBuilder, node: Operation, dy: Any) -> Sequence[Any]:
        return [dy]

    def permuted(self, perm: tuple[int, ...], ranks: tuple[int, ...]) -> Permuted | None:
        return Permuted(self, (perm,), (perm,))


@register
class StopGradient(Identity):
    """y = input, whose gradient is cut off"""

    samples: ClassVar = [Sample(s.attributes, s.inputs, s.dtypes, gradient=False) for s in _SAMPLES]

    def grad(self, g: GradientBuilder, node: Operation, dy: Any) -> Sequence[Any]:
        return [None]


@register
class PreventGradient(Identity):
    """y = input, whose gradient is refused"""

    samples: ClassVar = [Sample(s.attributes, s.inputs, s.dtypes, gradient=False) for s in _SAMPLES]

    def grad(self, g: GradientBuilder, node: Operation, dy: Any) -> Sequence[Any]:
        raise LookupError(f"the gradient of {node.name!r} was explicitly forbidden")


@register
class NoOp(Op):
    """Nothing; other ops wait for its control inputs."""

    results = ()
    samples: ClassVar = [Sample()]

    def infer(self) -> tuple[Spec, ...]:
        return ()

    def reference(self) -> tuple[()]:
        return ()

    def lower(self, b: Any, inputs: Any, outputs: Any) -> None:
        pass


@register
class ControlTrigger(NoOp):
    """Nothing, even where its control inputs stand in a branch that is not taken: a NoOp, as those are in bodies."""
