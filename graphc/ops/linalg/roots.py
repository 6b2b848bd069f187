"""Square roots and logarithms of matrices: MatrixSquareRoot, MatrixLogarithm."""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from graphc.ir.builder import GradientBuilder
from graphc.ir.dtypes import COMPLEX
from graphc.ir.host import Host
from graphc.ir.op import Sample, register
from graphc.ir.spec import Spec
from graphc.ir.tensor import Operation
from graphc.ops.linalg.matrices import adjoint, check_numbers, check_square, conjugate
from graphc.ops.linalg.solve import regular


@register
class MatrixSquareRoot(Host):
    """The matrix x with x @ x = input whose eigenvalues have no negative real part; of a real input an error if that is
    not real."""

    operands = ("input",)
    results = ("output",)
    types: ClassVar = {"T": "input"}
    extra = "linalg"
    samples: ClassVar = [Sample({}, (regular(*s).astype(d),), gradient=grad) for s, d, grad in (
        ((3, 3), np.float32, True), ((2, 2, 2), np.float64, True), ((1, 1), np.float32, True),
        ((0, 0), np.float32, False), ((0, 3, 3), np.float32, False))]

    def infer(self, x: Spec) -> Spec:
        check_numbers(self, input=x)
        check_square("input", x)
        return Spec(x.dtype, x.shape)

    def compute(self, x: np.ndarray) -> np.ndarray:
        from scipy.linalg import sqrtm

        result = np.empty_like(x)
        for index in np.ndindex(x.shape[:-2]):
            root = sqrtm(x[index]) if x.shape[-1] else x[index]
            if np.iscomplexobj(root) and not np.iscomplexobj(x):
                if np.abs(root.imag).max() > 1e-3 * np.abs(root).max():
                    raise ValueError("the matrix has no real square root: it has a negative eigenvalue; add to its "
                                     "diagonal, or compute its square root in Python")
                root = root.real
            result[index] = root
        return result

    def grad(self, g: GradientBuilder, node: Operation, dy: Any) -> Sequence[Any]:
        # From x dx + dx x = da: the gradient s has x^H s + s x^H = dy. With the rows of s one after the other, that
        # is a system of n * n equations, whose matrix is kron(x^H, 1) + kron(1, conj x).
        x = node.outputs[0]
        one = g.diagonal(g.ones_like(g.sum(x, [-1])))
        matrix = g.add(_kronecker(g, adjoint(g, x), one, x), _kronecker(g, one, conjugate(g, x), x))
        sizes = g.shape(x)
        flat = g.reshape(dy, g.concat_v2([sizes[:-2], g.pack([g.mul(sizes[-1], sizes[-1]), 1])], 0))
        return [g.reshape(g.matrix_solve(matrix, flat), sizes)]


@register
class MatrixLogarithm(Host):
    """The matrix whose exponential is input, of the eigenvalues with an imaginary part in (-pi, pi].

    As by TF it is one of complex matrices, and has no gradient.
    """

    operands = ("input",)
    results = ("output",)
    types: ClassVar = {"T": "input"}
    extra = "linalg"
    samples: ClassVar = [Sample({}, ((regular(*s) + 0.5j * np.roll(regular(*s), 1, -1)).astype(d),), gradient=False)
                         for s, d in (((3, 3), np.complex64), ((2, 2, 2), np.complex128), ((1, 1), np.complex64),
                                      ((0, 0), np.complex64), ((0, 3, 3), np.complex64))]

    def infer(self, x: Spec) -> Spec:
        if x.dtype not in COMPLEX:
            raise TypeError(f"argument 'input' has dtype {x.dtype.name}, but {self.type} takes complex64 and "
                            "complex128 only; cast it (gc.cast)")
        check_square("input", x)
        return Spec(x.dtype, x.shape)

    def compute(self, x: np.ndarray) -> np.ndarray:
        from scipy.linalg import logm

        result = np.empty_like(x)
        for index in np.ndindex(x.shape[:-2]):
            if x.shape[-1]:
                result[index] = logm(x[index].astype(np.complex128))
        return result


def _kronecker(g: GradientBuilder, a: Any, b: Any, like: Any) -> Any:
    """The products of all elements of square a and b, for batches of matrices of the shape of `like`."""
    left = g.expand_dims(g.expand_dims(a, -2), -1)            # [..., i, 1, j, 1]
    right = g.expand_dims(g.expand_dims(b, -3), -2)           # [..., 1, k, 1, l]
    sizes = g.shape(like)
    count = g.mul(sizes[-1], sizes[-1])
    return g.reshape(g.mul(left, right), g.concat_v2([sizes[:-2], g.pack([count, count])], 0))
