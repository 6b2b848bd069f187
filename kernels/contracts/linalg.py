"""Linear algebra, declared: factors of matrices, and equations; the functions stand in kernels/cpu/linalg/.

Matrices are stored row by row, batches of them one after another.
"""
from __future__ import annotations

from .dtypes import FLOATS
from .kernel import Kernel, Operand, at_least, at_most, over

_MATRICES = "batch * n * n"
_EQUATIONS = ("batch", "n", "columns", "rhs_batch")
_RIGHT = Operand("rhs", "in", "T", "min(batch, 1) * ((batch - 1) * rhs_batch + n * columns)")
_SOLUTION = Operand("x", "out", "T", "batch * n * columns")

KERNELS = (
    Kernel("cholesky",
           (Operand("a", "in", "T", _MATRICES), Operand("factor", "out", "T", _MATRICES)),
           ("batch", "n"), (), over(T=FLOATS), "cpu.linalg.dense:make_cholesky",
           at_least(0, "batch", "n"), "batch * n * n * n // 3"),
    # regular: whether a matrix that is not invertible is an error. facts: of each matrix its determinant, the sign of
    # that, and the logarithm of its absolute value.
    Kernel("lu",
           (Operand("a", "in", "T", _MATRICES), Operand("lu", "out", "T", _MATRICES),
            Operand("order", "out", "i32", "batch * n"), Operand("facts", "out", "T", "batch * 3")),
           ("batch", "n"), ("regular",), over(T=FLOATS), "cpu.linalg.dense:make_lu",
           (*at_least(0, "batch", "n", "regular"), *at_most(1, "regular"), "n < 2147483648"),
           "2 * batch * n * n * n // 3"),
    # inner: the columns of q, and rows of r.
    Kernel("qr",
           (Operand("a", "in", "T", "batch * m * n"), Operand("q", "out", "T", "batch * m * inner"),
            Operand("r", "out", "T", "batch * inner * n")),
           ("batch", "m", "n", "inner"), (), over(T=FLOATS), "cpu.linalg.dense:make_qr",
           (*at_least(0, "batch", "m", "n"), "inner == min(m, n) or inner == m"),
           "4 * batch * m * n * min(m, n)"),
    # What lu factored, and right sides: rhs_batch elements from one to the next, 0 if all matrices share one.
    Kernel("lu_solve",
           (Operand("lu", "in", "T", _MATRICES), Operand("order", "in", "i32", "batch * n"), _RIGHT, _SOLUTION),
           _EQUATIONS, ("adjoint",), over(T=FLOATS), "cpu.linalg.dense:make_lu_solve",
           (*at_least(0, *_EQUATIONS, "adjoint"), *at_most(1, "adjoint")), "2 * batch * n * n * columns"),
    Kernel("triangular_solve",
           (Operand("a", "in", "T", _MATRICES), _RIGHT, _SOLUTION),
           _EQUATIONS, ("lower", "adjoint"), over(T=FLOATS), "cpu.linalg.dense:make_triangular_solve",
           (*at_least(0, *_EQUATIONS, "lower", "adjoint"), *at_most(1, "lower", "adjoint")),
           "batch * n * n * columns"),
)
