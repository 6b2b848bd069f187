"""Cholesky factors of symmetric positive definite matrices."""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from graphc.ir.builder import GradientBuilder
from graphc.ir.dtypes import int64
from graphc.ir.op import Sample, register
from graphc.ir.spec import Spec, require_equal, text
from graphc.ir.tensor import Operation
from graphc.ops.linalg.by_kernel import ByKernel, batch_of
from graphc.ops.linalg.matrices import (
    adjoint,
    check_floating,
    check_numbers,
    check_square,
    half_diagonal,
    lower_part,
    product,
)


def definite(*shape: int) -> np.ndarray:
    """Symmetric positive definite matrices with well separated eigenvalues, for samples."""
    x = np.random.default_rng(7).uniform(-1, 1, shape)
    return (x @ np.swapaxes(x, -1, -2) + np.diag(np.arange(1.0, shape[-1] + 1))).astype(np.float32)


@register
class Cholesky(ByKernel):
    """The lower triangular L with L @ adjoint(L) = input, of which only the lower triangle is read."""

    operands = ("input",)
    results = ("output",)
    types: ClassVar = {"T": "input"}
    # The gradient is that of symmetric matrices: tests/ops/linalg/test_linalg.py.
    samples: ClassVar = [Sample({}, (definite(*s).astype(t),), gradient=False) for s, t in (
        ((4, 4), np.float32), ((2, 3, 3), np.float64), ((1, 1), np.float32), ((0, 0), np.float32),
        ((0, 3, 3), np.float32), ((2, 2, 5, 5), np.float32))]

    def infer(self, x: Spec) -> Spec:
        check_numbers(self, input=x)
        check_square("input", x)
        return Spec(x.dtype, x.shape)

    def compute(self, x: np.ndarray) -> np.ndarray:
        try:
            return np.linalg.cholesky(x)
        except np.linalg.LinAlgError:
            raise ValueError("Cholesky decomposition was not successful. The input might not be valid: it must be "
                             "symmetric and positive definite.") from None

    def lower_real(self, b: Any, inputs: Sequence[Any], outputs: Sequence[Any]) -> None:
        x = inputs[0]
        b.call("cholesky", [x, outputs[0]], dims=[batch_of(x), x.shape[-1]])

    def grad(self, g: GradientBuilder, node: Operation, dy: Any) -> Sequence[Any]:
        # Murray, "Differentiation of the Cholesky decomposition", 2016: L^-H phi(L^H dL) L^-1, made symmetric.
        factor = node.outputs[0]
        middle = half_diagonal(g, lower_part(g, product(g, factor, dy, adjoint_a=True)))
        left = g.matrix_triangular_solve(factor, middle, is_lower=True, adjoint=True)
        right = g.matrix_triangular_solve(factor, adjoint(g, left), is_lower=True, adjoint=True)
        return [g.scale(0.5, g.add(right, adjoint(g, right)))]


@register
class CholeskyGrad(ByKernel):
    """The gradient of Cholesky by its input, given the factor l and the gradient by it, of both of which only the lower
    triangle is read. TF 1 has none of its own."""

    operands = ("l", "grad")
    results = ("output",)
    types: ClassVar = {"T": "l"}
    samples: ClassVar = [Sample({}, (np.linalg.cholesky(definite(*s)).astype(d), dy.astype(d)), gradient=False)
                         for s, d in (((4, 4), np.float32), ((2, 3, 3), np.float64), ((0, 3, 3), np.float32))
                         for dy in (np.random.default_rng(1).uniform(-1, 1, s),)]

    def infer(self, factor: Spec, grad: Spec) -> Spec:
        check_floating(self, l=factor, grad=grad)
        check_square("l", factor)
        if factor.shape is None or grad.shape is None:
            return Spec(factor.dtype, factor.shape if grad.shape is None else grad.shape)
        message = f"'l' and 'grad' must have one shape, but have {text(factor.shape)} and {text(grad.shape)}"
        if len(factor.shape) != len(grad.shape):
            raise ValueError(message)
        return Spec(factor.dtype,
                    tuple(require_equal(a, b, message) for a, b in zip(factor.shape, grad.shape, strict=True)))

    def compute(self, factor: np.ndarray, grad: np.ndarray) -> np.ndarray:
        upper = np.swapaxes(np.tril(factor), -1, -2)
        if not np.diagonal(upper, axis1=-2, axis2=-1).all():
            raise ValueError("Input matrix is not invertible.")
        middle = np.tril(upper @ np.tril(grad))
        index = np.arange(factor.shape[-1])
        middle[..., index, index] *= 0.5
        left = np.linalg.solve(upper, middle)
        right = np.swapaxes(np.linalg.solve(upper, np.swapaxes(left, -1, -2)), -1, -2)
        return (right + np.swapaxes(right, -1, -2)) * right.dtype.type(0.5)

    def lower_real(self, b: Any, inputs: Sequence[Any], outputs: Sequence[Any]) -> None:
        factor, result, n = inputs[0], outputs[0], inputs[0].shape[-1]
        rank, sizes, each = factor.rank, [batch_of(factor), n, n], n * n
        turned = [*range(rank - 2), rank - 1, rank - 2]
        triangle, lower, product, middle, left, right = (b.temporary(factor.dtype, factor.shape) for _ in range(6))

        def over(s: Any) -> Any:
            """How far over the diagonal an element is."""
            return s("sub", s.index(rank - 1), s.index(rank - 2))

        def cut(s: Any, x: Any) -> Any:
            return s("select", s("less_equal", over(s), s.constant(0, int64)), x, s.constant(0, factor.dtype))

        def halved(s: Any, x: Any) -> Any:
            half = s("mul", x, s.constant(0.5, factor.dtype))
            return cut(s, s("select", s("equal", over(s), s.constant(0, int64)), half, x))

        b.map(cut, [factor], [triangle])
        b.map(cut, [inputs[1]], [lower])
        b.call("matmul", [triangle, lower, product], dims=[*sizes, n, each, each], attrs=[1, 0])
        b.map(halved, [product], [middle])
        b.call("triangular_solve", [factor, middle, left], dims=[*sizes, each], attrs=[1, 1])
        b.call("triangular_solve", [factor, left.transpose(turned), right], dims=[*sizes, each], attrs=[1, 1])
        b.map(lambda s, x, y: s("mul", s("add", x, y), s.constant(0.5, factor.dtype)),
              [right, right.transpose(turned)], [result])
