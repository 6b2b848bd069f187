"""Factors of matrices, eigenvalues and singular values, and what follows from them. Kernels factor real matrices by
Cholesky, lu and qr; NumPy and SciPy compute the rest, which runs in Python only.

validate_args: ranks and sizes of matrices are checked whatever it says; True adds the rank of an order of rows.
"""
from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from graphc.api.array.cast import cast
from graphc.api.array.gather import one_hot
from graphc.api.array.identity import identity
from graphc.api.array.select import where_v2
from graphc.api.array.shapes import rank, shape
from graphc.api.control.asserts import assert_equal
from graphc.api.linalg.solve import matrix_triangular_solve
from graphc.api.math.comparison import greater
from graphc.api.math.complex_numbers import real
from graphc.api.math.matmul import matmul
from graphc.api.math.reduce import reduce_max, reduce_sum
from graphc.api.public import public
from graphc.ir.apply import apply, convert_to_tensor
from graphc.ir.dtypes import as_dtype, int32
from graphc.ir.graph import get_default_graph
from graphc.ir.tensor import Tensor
from graphc.ops.array.fill import OnesLike
from graphc.ops.linalg.cholesky import Cholesky
from graphc.ops.linalg.decompose import Lu, Qr, SelfAdjointEigV2, Svd
from graphc.ops.linalg.matrices import _Band, _Diagonal
from graphc.ops.linalg.roots import MatrixLogarithm, MatrixSquareRoot


class QrFactors(NamedTuple):
    q: Tensor
    r: Tensor


class LuFactors(NamedTuple):
    lu: Tensor
    p: Tensor


@public("cholesky", "linalg.cholesky")
def cholesky(input: Any, name: str | None = None) -> Tensor:
    """The lower triangular factor L of symmetric positive definite matrices, L @ adjoint(L) = input: [..., n, n].

    input: float32, float64 or complex; only the lower triangle is read. A matrix that is not positive definite ends the
    run with InvalidArgumentError. Raises TypeError for other dtypes, ValueError for shapes that are known not to be
    square. As `tf.cholesky`.

    >>> gc.cholesky([[4., 2.], [2., 5.]]).eval()
    array([[2., 0.],
           [1., 2.]], dtype=float32)
    """
    made: Tensor = apply(Cholesky, input, name=name)
    return made


@public("qr", "linalg.qr")
def qr(input: Any, full_matrices: bool = False, name: str | None = None) -> QrFactors:
    """(q, r) with q @ r = input, the columns of q orthonormal and r upper triangular.

    input: float32, float64 or complex [..., m, n]. full_matrices: q is [m, m] in place of [m, min(m, n)]. The signs are
    LAPACK's. It has a gradient where m >= n (or not full_matrices). Raises TypeError for other dtypes, ValueError for a
    rank below 2. As `tf.qr`.

    >>> q, r = gc.qr([[3., 1.], [4., 2.]])
    >>> gc.matmul(q, r).eval()
    array([[3., 1.],
           [4., 2.]], dtype=float32)
    >>> gc.abs(r).eval()
    array([[5. , 2.2],
           [0. , 0.4]], dtype=float32)
    """
    return QrFactors(*apply(Qr, input, full_matrices=bool(full_matrices), name=name))


@public("svd", "linalg.svd")
def svd(tensor: Any, full_matrices: bool = False, compute_uv: bool = True, name: str | None = None) -> Any:
    """(s, u, v) with tensor = u @ diag(s) @ adjoint(v); s alone unless compute_uv.

    tensor: float32, float64 or complex [..., m, n]; s: real [..., min(m, n)], descending. full_matrices: u and v are
    square. v, not its transpose, as in TensorFlow and unlike NumPy. Raises TypeError for other dtypes, ValueError for a
    rank below 2. As `tf.svd`.

    >>> s, u, v = gc.svd([[3., 2.], [2., 3.]])
    >>> s.eval()
    array([5., 1.], dtype=float32)
    >>> gc.matmul(u * s, v, transpose_b=True).eval()
    array([[3., 2.],
           [2., 3.]], dtype=float32)
    """
    s, u, v = apply(Svd, tensor, compute_uv=bool(compute_uv), full_matrices=bool(full_matrices), name=name)
    return (real(s), u, v) if compute_uv else real(s)


@public("self_adjoint_eig", "linalg.eigh")
def self_adjoint_eig(tensor: Any, name: str | None = None) -> tuple[Tensor, Tensor]:
    """(eigenvalues [..., n] in ascending order, eigenvectors [..., n, n] in columns) of symmetric (Hermitian) matrices.

    tensor: float32, float64 or complex; only the lower triangle is read. Raises TypeError for other dtypes, ValueError
    for shapes that are known not to be square. As `tf.self_adjoint_eig`.

    >>> values, vectors = gc.self_adjoint_eig([[2., 1.], [1., 2.]])
    >>> values.eval()
    array([1., 3.], dtype=float32)
    >>> gc.abs(vectors).eval()                               # their signs are LAPACK's
    array([[0.7071, 0.7071],
           [0.7071, 0.7071]], dtype=float32)
    """
    values, vectors = apply(SelfAdjointEigV2, tensor, compute_v=True, name=name)
    return values, vectors


@public("self_adjoint_eigvals", "linalg.eigvalsh")
def self_adjoint_eigvals(tensor: Any, name: str | None = None) -> Tensor:
    """The eigenvalues of symmetric (Hermitian) matrices in ascending order: [..., n].

    tensor: float32, float64 or complex [..., n, n]; only the lower triangle is read. Raises TypeError for other dtypes,
    ValueError for shapes that are known not to be square. As `tf.self_adjoint_eigvals`.

    >>> gc.self_adjoint_eigvals([[2., 1.], [1., 2.]]).eval()
    array([1., 3.], dtype=float32)
    """
    values, _ = apply(SelfAdjointEigV2, tensor, compute_v=False, name=name)
    made: Tensor = values
    return made


@public("linalg.sqrtm", "matrix_square_root")
def matrix_square_root(input: Any, name: str | None = None) -> Tensor:
    """x with x @ x = input, the principal root of each matrix. Needs SciPy.

    input: float32, float64 or complex [..., n, n]. Raises TypeError for other dtypes, ValueError for shapes that are
    known not to be square. A negative eigenvalue of a real matrix ends the run with InvalidArgumentError. As
    `tf.linalg.sqrtm`.

    >>> gc.linalg.sqrtm([[5., 4.], [4., 5.]]).eval()
    array([[2., 1.],
           [1., 2.]], dtype=float32)
    """
    made: Tensor = apply(MatrixSquareRoot, input, name=name)
    return made


@public("linalg.logm")
def matrix_logarithm(input: Any, name: str | None = None) -> Tensor:
    """The principal logarithm of each matrix, which `gc.linalg.expm` undoes. Needs SciPy.

    input: complex [..., n, n], else TypeError. Raises ValueError for shapes that are known not to be square. As
    `tf.linalg.logm`.

    >>> x = gc.constant([[1., 2.], [3., 4.]], gc.complex128)
    >>> gc.real(gc.linalg.logm(gc.linalg.expm(x))).eval()
    array([[1., 2.],
           [3., 4.]])
    """
    made: Tensor = apply(MatrixLogarithm, input, name=name)
    return made


@public("linalg.lu")
def lu(input: Any, output_idx_type: Any = int32, name: str | None = None) -> LuFactors:
    """(lu, p): L below the diagonal (its own diagonal is 1) and U on and above it; row i of L @ U is row p[i] of input.

    input: float32, float64 or complex [..., n, n]. output_idx_type: int32 or int64, of p. A singular matrix ends the
    run with InvalidArgumentError. Needs SciPy. Raises TypeError for other dtypes, ValueError for shapes that are known
    not to be square. As `tf.linalg.lu`.

    >>> factors, order = gc.linalg.lu([[1., 2.], [4., 6.]])
    >>> factors.eval()
    array([[4.  , 6.  ],
           [0.25, 0.5 ]], dtype=float32)
    >>> order.eval()
    array([1, 0], dtype=int32)
    """
    return LuFactors(*apply(Lu, input, output_idx_type=as_dtype(output_idx_type), name=name))


@public("linalg.lu_reconstruct")
def lu_reconstruct(lower_upper: Any, perm: Any, validate_args: bool = False, name: str | None = None) -> Tensor:
    """The matrices that `gc.linalg.lu` was given: [..., n, n].

    lower_upper, perm: what that gave. validate_args: their ranks are compared in the run. Raises TypeError for other
    dtypes than `gc.linalg.lu` takes, ValueError for shapes that do not fit. As `tf.linalg.lu_reconstruct`.

    >>> gc.linalg.lu_reconstruct(*gc.linalg.lu([[1., 2.], [4., 6.]])).eval()
    array([[1., 2.],
           [4., 6.]], dtype=float32)
    """
    with get_default_graph().name_scope(name or "lu_reconstruct"):
        factors, perm = _lu_operands(lower_upper, perm, validate_args)
        return matmul(_order(factors, perm), matmul(_unit_lower(factors), _upper(factors)), transpose_a=True)


@public("linalg.lu_solve")
def lu_solve(lower_upper: Any, perm: Any, rhs: Any, validate_args: bool = False, name: str | None = None) -> Tensor:
    """x with A @ x = rhs, given lu(A): for many right-hand sides of one matrix.

    lower_upper, perm: of `gc.linalg.lu`; rhs: [..., n, k]. validate_args: their ranks are compared in the run. rhs has
    the dtype of lower_upper: float32, float64 or complex. Raises TypeError for other dtypes of lower_upper, ValueError
    for a rhs of another dtype and for shapes that are known not to fit; a 0 on the diagonal of U ends the run with
    InvalidArgumentError. As `tf.linalg.lu_solve`.

    >>> factors = gc.linalg.lu([[2., 0.], [0., 4.]])
    >>> gc.linalg.lu_solve(*factors, rhs=[[2.], [2.]]).eval()
    array([[1. ],
           [0.5]], dtype=float32)
    """
    with get_default_graph().name_scope(name or "lu_solve"):
        factors, perm = _lu_operands(lower_upper, perm, validate_args)
        ordered = matmul(_order(factors, perm), convert_to_tensor(rhs, factors.dtype, name="rhs"))
        return matrix_triangular_solve(_upper(factors), matrix_triangular_solve(_unit_lower(factors), ordered),
                                       lower=False)


@public("linalg.lu_matrix_inverse")
def lu_matrix_inverse(lower_upper: Any, perm: Any, validate_args: bool = False, name: str | None = None) -> Tensor:
    """The inverse of A, given lu(A): [..., n, n]. Arguments as of `gc.linalg.lu_solve`. As
    `tf.linalg.lu_matrix_inverse`.

    Dtypes and errors are those of `gc.linalg.lu_solve`, too.

    >>> gc.linalg.lu_matrix_inverse(*gc.linalg.lu([[2., 1.], [1., 1.]])).eval()
    array([[ 1., -1.],
           [-1.,  2.]], dtype=float32)
    """
    with get_default_graph().name_scope(name or "lu_matrix_inverse"):
        factors, perm = _lu_operands(lower_upper, perm, validate_args)
        return lu_solve(factors, perm, _ones(factors))


@public("linalg.pinv")
def pinv(a: Any, rcond: Any = None, validate_args: bool = False, name: str | None = None) -> Tensor:
    """The Moore-Penrose inverse of each matrix: [..., m, n] gives [..., n, m].

    a: float32 or float64 (TypeError otherwise). rcond: singular values up to rcond times the largest count as 0; by
    default 10 * max(m, n) * epsilon. Raises ValueError for a rank below 2. As `tf.linalg.pinv`.

    >>> gc.linalg.pinv([[1., 2.]]).eval()
    array([[0.2],
           [0.4]], dtype=float32)
    """
    with get_default_graph().name_scope(name or "pinv"):
        matrix = convert_to_tensor(a, name="a")
        if not matrix.dtype.is_floating:
            raise TypeError(f"pinv: argument 'a' must be of floating point numbers, but has dtype {matrix.dtype.name}")
        least = 10.0 * _tolerance(matrix) if rcond is None else convert_to_tensor(rcond, matrix.dtype, name="rcond")
        s, u, v = svd(matrix)
        kept = greater(s, least * reduce_max(s, [-1], keepdims=True))
        inverse = where_v2(kept, 1.0 / where_v2(kept, s, 1.0), 0.0)
        return matmul(matmul(v, apply(_Diagonal, inverse)), u, transpose_b=True)


@public("linalg.matrix_rank")
def matrix_rank(a: Any, tol: Any = None, validate_args: bool = False, name: str | None = None) -> Tensor:
    """How many singular values of each matrix are larger than tol: int32 [...].

    a: float32, float64 or complex [..., m, n]. tol: by default max(m, n) * epsilon times the largest one. Raises
    TypeError for other dtypes, ValueError for a rank below 2. As `tf.linalg.matrix_rank`.

    >>> gc.linalg.matrix_rank([[1., 2.], [2., 4.]]).eval()
    np.int32(1)
    """
    with get_default_graph().name_scope(name or "matrix_rank"):
        matrix = convert_to_tensor(a, name="a")
        s = svd(matrix, compute_uv=False)
        if tol is None:
            tol = _tolerance(matrix) * reduce_max(s, [-1], keepdims=True)
        return reduce_sum(cast(greater(s, tol), int32), [-1])


def _lu_operands(lower_upper: Any, perm: Any, validate: bool) -> tuple[Tensor, Tensor]:
    """Both as tensors; validate: the ranks must belong together, as products would broadcast what does not."""
    factors, order = convert_to_tensor(lower_upper, name="lower_upper"), convert_to_tensor(perm, name="perm")
    if not validate:
        return factors, order
    fits = assert_equal(rank(factors), rank(order) + 1, message="`rank(lower_upper)` must equal `rank(perm) + 1`.")
    with get_default_graph().control_dependencies([fits]):
        return identity(factors), order


def _tolerance(matrix: Tensor) -> Any:
    """What TF takes for 0 beside 1: the larger size of the matrix times epsilon."""
    return float(np.finfo(matrix.dtype.numpy).eps) * cast(reduce_max(shape(matrix)[-2:]), matrix.dtype.real_dtype)


def _ones(x: Tensor) -> Any:
    """Unit matrices of x's shape."""
    return apply(_Diagonal, reduce_sum(apply(OnesLike, x) * 0.0, [-1]) + 1.0)


def _unit_lower(factors: Tensor) -> Any:
    return apply(_Band, factors, below=-1, above=0) - apply(_Band, factors, below=0, above=0) + _ones(factors)


def _upper(factors: Tensor) -> Any:
    return apply(_Band, factors, below=0, above=-1)


def _order(factors: Tensor, perm: Any) -> Tensor:
    """The matrices whose products put rows into the order `perm`."""
    return cast(one_hot(perm, shape(factors)[-1], dtype=factors.dtype.real_dtype), factors.dtype)
