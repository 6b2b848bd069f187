"""Determinants, and sign and logarithm of their absolute values."""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from graphc.ir.builder import GradientBuilder
from graphc.ir.op import Sample, register
from graphc.ir.spec import Spec
from graphc.ir.tensor import Operation
from graphc.ops.linalg.by_kernel import ByKernel, factored
from graphc.ops.linalg.matrices import check_numbers, check_square, conjugate, given_or_zeros, spread
from graphc.ops.linalg.solve import regular

_SAMPLES = [Sample({}, (m.astype(d),)) for m, d in (
    (regular(4, 4), np.float32), (-regular(3, 3), np.float64), (regular(2, 3, 3), np.float64),
    (regular(2, 2, 2, 2), np.float32), (regular(1, 1), np.float32), (regular(0, 0), np.float32),
    (regular(0, 3, 3), np.float32))]


@register
class MatrixDeterminant(ByKernel):
    """The determinant of each matrix; 1 of one without rows."""

    operands = ("input",)
    results = ("output",)
    types: ClassVar = {"T": "input"}
    samples: ClassVar = _SAMPLES

    def infer(self, x: Spec) -> Spec:
        check_numbers(self, input=x)
        check_square("input", x)
        return Spec(x.dtype, None if x.shape is None else x.shape[:-2])

    def compute(self, x: np.ndarray) -> np.ndarray:
        return np.asarray(np.linalg.det(x))

    def lower_real(self, b: Any, inputs: Sequence[Any], outputs: Sequence[Any]) -> None:
        _, _, facts = factored(b, inputs[0], False)
        b.copy(facts.select(facts.rank - 1, 0), outputs[0])

    def grad(self, g: GradientBuilder, node: Operation, dy: Any) -> Sequence[Any]:
        inverse = g.matrix_inverse(node.inputs[0], adjoint=True)
        return [g.mul(spread(g, g.mul(dy, conjugate(g, node.outputs[0]))), inverse)]


@register
class LogMatrixDeterminant(ByKernel):
    """The sign of each determinant, and the logarithm of its absolute value: 0 and -inf of a singular matrix."""

    operands = ("input",)
    results = ("sign", "log_abs_determinant")
    types: ClassVar = {"T": "input"}
    samples: ClassVar = [*_SAMPLES, Sample({}, (np.ones((2, 2), np.float32),), gradient=False)]

    def infer(self, x: Spec) -> tuple[Spec, Spec]:
        check_numbers(self, input=x)
        check_square("input", x)
        spec = Spec(x.dtype, None if x.shape is None else x.shape[:-2])
        return spec, spec

    def compute(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        sign, logarithm = np.linalg.slogdet(x)
        return np.asarray(sign), np.asarray(logarithm).astype(x.dtype, copy=False)

    def lower_real(self, b: Any, inputs: Sequence[Any], outputs: Sequence[Any]) -> None:
        _, _, facts = factored(b, inputs[0], False)
        for number, result in enumerate(outputs, 1):
            b.copy(facts.select(facts.rank - 1, number), result)

    def grad(self, g: GradientBuilder, node: Operation, *dys: Any) -> Sequence[Any]:
        x, sign = node.inputs[0], node.outputs[0]
        if not x.dtype.is_complex:
            if dys[1] is None:
                return [g.zeros_like(x)]                    # the sign is constant
            return [g.mul(spread(g, dys[1]), g.matrix_inverse(x, adjoint=True))]
        # Of complex numbers the sign is exp(i angle); the logarithm, which is real, and the angle are the parts of
        # log det, whose derivative is tr(x^-1 dx).
        real = x.dtype.real_dtype
        by_logarithm, by_sign = (given_or_zeros(g, node, dys, i) for i in (1, 0))
        turning = g.imag(g.mul(by_sign, g.conj(sign)), Tout=real)
        share = g.complex(g.real(by_logarithm, Tout=real), turning, Tout=x.dtype)
        return [g.mul(spread(g, share), g.matrix_inverse(x, adjoint=True))]
