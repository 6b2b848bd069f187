"""Losses: the public cross entropies and norms."""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from graphc.ir.elementwise import SHAPES, check_kind
from graphc.ir.op import Composite, Sample, register
from graphc.ir.spec import Spec
from graphc.ops.math.reduction import Sum


@register
class L2Loss(Composite):
    """sum(t ** 2) / 2"""

    operands = ("t",)
    results = ("output",)
    types = {"T": "t"}
    samples = [Sample({}, (shape,)) for shape in SHAPES]

    def infer(self, *inputs: Spec) -> Spec:
        check_kind(self, inputs, "floating")
        return Spec(inputs[0].dtype, ())

    def reference(self, *inputs: np.ndarray) -> np.ndarray:
        x = inputs[0].astype(np.float64)
        return np.asarray((x * x).sum() / 2, inputs[0].dtype)

    def expand(self, emit: Callable[..., Any], *inputs: Any) -> Any:
        return emit(_HalfSquares(axis=tuple(range(len(inputs[0].spec.shape)))), inputs[0])

    def grad(self, g, node, dy):
        return [node.inputs[0] * dy]


@register
class _HalfSquares(Sum):
    """The sum of squares along axes, halved. graphc's own op: only L2Loss is made of it."""

    kind = "floating"
    samples = [Sample({"axis": (0, 1)}, ((3, 17),)), Sample({"axis": (1,), "keep_dims": True}, ((2, 3, 5),))]

    def map_element(self, s: Any, x: Any) -> Any:
        return s("square", x)

    def finish(self, s: Any, total: Any, count: Any) -> Any:
        return s("mul", total, s.constant(0.5, s.dtype(total)))

    def reference(self, *inputs: np.ndarray) -> np.ndarray:
        return super().reference(np.square(inputs[0])) * inputs[0].dtype.type(0.5)

    def grad(self, g, node, dy):
        return [node.inputs[0] * self.spread(g, node, dy), None]
