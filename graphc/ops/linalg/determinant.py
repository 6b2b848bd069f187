"""Determinants, and sign and logarithm of their absolute values."""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from graphc.ir.builder import GradientBuilder
from graphc.ir.host import Host
from graphc.ir.op import Sample, register
from graphc.ir.spec import Spec
from graphc.ir.tensor import Operation
from graphc.ops.linalg.matrices import check_floating, check_square, spread
from graphc.ops.linalg.solve import regular

_SAMPLES = [Sample({}, (m.astype(d),)) for m, d in (
    (regular(4, 4), np.float32), (-regular(3, 3), np.float64), (regular(2, 3, 3), np.float64),
    (regular(2, 2, 2, 2), np.float32), (regular(1, 1), np.float32), (regular(0, 0), np.float32),
    (regular(0, 3, 3), np.float32))]


@register
class MatrixDeterminant(Host):
    """The determinant of each matrix; 1 of one without rows."""

    operands = ("input",)
    results = ("output",)
    types: ClassVar = {"T": "input"}
    samples: ClassVar = _SAMPLES

    def infer(self, x: Spec) -> Spec:
        check_floating(self, input=x)
        check_square("input", x)
        return Spec(x.dtype, None if x.shape is None else x.shape[:-2])

    def compute(self, x: np.ndarray) -> np.ndarray:
        return np.asarray(np.linalg.det(x))

    def grad(self, g: GradientBuilder, node: Operation, dy: Any) -> Sequence[Any]:
        inverse = g.matrix_inverse(node.inputs[0], adjoint=True)
        return [g.mul(spread(g, g.mul(dy, node.outputs[0])), inverse)]


@register
class LogMatrixDeterminant(Host):
    """The sign of each determinant, and the logarithm of its absolute value: 0 and -inf of a singular matrix."""

    operands = ("input",)
    results = ("sign", "log_abs_determinant")
    types: ClassVar = {"T": "input"}
    samples: ClassVar = [*_SAMPLES, Sample({}, (np.ones((2, 2), np.float32),), gradient=False)]

    def infer(self, x: Spec) -> tuple[Spec, Spec]:
        check_floating(self, input=x)
        check_square("input", x)
        spec = Spec(x.dtype, None if x.shape is None else x.shape[:-2])
        return spec, spec

    def compute(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        sign, logarithm = np.linalg.slogdet(x)
        return np.asarray(sign), np.asarray(logarithm)

    def grad(self, g: GradientBuilder, node: Operation, *dys: Any) -> Sequence[Any]:
        if dys[1] is None:
            return [g.zeros_like(node.inputs[0])]       # the sign is constant
        return [g.mul(spread(g, dys[1]), g.matrix_inverse(node.inputs[0], adjoint=True))]
