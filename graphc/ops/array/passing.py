"""Ops that pass values on: IdentityN."""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from graphc.ir.builder import GradientBuilder
from graphc.ir.dtypes import DType, float32, float64, int32
from graphc.ir.op import Composite, Sample, attr, register
from graphc.ir.spec import Spec
from graphc.ir.tensor import Operation


@register
class IdentityN(Composite):
    """The inputs, none of which is ready before all are."""

    operands = ("input*",)
    results = ("output*",)
    T: tuple[DType, ...] = attr("list(type)")
    samples: ClassVar = [Sample({"T": t}, s, t, gradient=set(t) == {float32}) for t, s in (
        ((float32,), ((2, 3),)), ((float32, float64), ((3,), ())), ((float32, float32), ((0, 2), (2, 5))),
        ((int32, float32), ((2, 3), (2,))))]

    def infer(self, *inputs: Spec) -> tuple[Spec, ...]:
        given = tuple(x.dtype for x in inputs)
        if given != tuple(self.T):
            raise TypeError(f"the inputs have dtypes {[d.name for d in given]}, but T says {[d.name for d in self.T]}")
        return inputs

    def result_dtypes(self, *inputs: Spec) -> tuple[DType, ...]:
        return tuple(self.T)

    def reference(self, *inputs: np.ndarray) -> tuple[np.ndarray, ...]:
        return inputs

    def grad(self, g: GradientBuilder, node: Operation, *dys: Any) -> Sequence[Any]:
        return dys

    def expand(self, emit: Any, *inputs: Any) -> Any:
        return inputs
