"""Factors of matrices, eigenvalues and singular values, and what follows from them. Computed by NumPy (Lu and square
roots: SciPy), so that such a graph runs in Python only.

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
    """The lower triangular factor of symmetric positive definite matrices, as `tf.cholesky`."""
    made: Tensor = apply(Cholesky, input, name=name)
    return made


@public("qr", "linalg.qr")
def qr(input: Any, full_matrices: bool = False, name: str | None = None) -> QrFactors:
    """(q, r) with q @ r = input, as `tf.qr`."""
    return QrFactors(*apply(Qr, input, full_matrices=bool(full_matrices), name=name))


@public("svd", "linalg.svd")
def svd(tensor: Any, full_matrices: bool = False, compute_uv: bool = True, name: str | None = None) -> Any:
    """(s, u, v) with tensor = u @ diag(s) @ adjoint(v), or s alone. As `tf.svd`."""
    s, u, v = apply(Svd, tensor, compute_uv=bool(compute_uv), full_matrices=bool(full_matrices), name=name)
    return (real(s), u, v) if compute_uv else real(s)


@public("self_adjoint_eig", "linalg.eigh")
def self_adjoint_eig(tensor: Any, name: str | None = None) -> tuple[Tensor, Tensor]:
    """(eigenvalues, eigenvectors in columns) of symmetric matrices, as `tf.self_adjoint_eig`."""
    values, vectors = apply(SelfAdjointEigV2, tensor, compute_v=True, name=name)
    return values, vectors


@public("self_adjoint_eigvals", "linalg.eigvalsh")
def self_adjoint_eigvals(tensor: Any, name: str | None = None) -> Tensor:
    """The eigenvalues of symmetric matrices in ascending order, as `tf.self_adjoint_eigvals`."""
    values, _ = apply(SelfAdjointEigV2, tensor, compute_v=False, name=name)
    made: Tensor = values
    return made


@public("linalg.sqrtm", "matrix_square_root")
def matrix_square_root(input: Any, name: str | None = None) -> Tensor:
    """x with x @ x = input, as `tf.linalg.sqrtm`. Needs SciPy."""
    made: Tensor = apply(MatrixSquareRoot, input, name=name)
    return made


@public("linalg.logm")
def matrix_logarithm(input: Any, name: str | None = None) -> Tensor:
    """The logarithm of each complex matrix, as `tf.linalg.logm`. Needs SciPy."""
    made: Tensor = apply(MatrixLogarithm, input, name=name)
    return made


@public("linalg.lu")
def lu(input: Any, output_idx_type: Any = int32, name: str | None = None) -> LuFactors:
    """(lu, p): L under the diagonal and U above it, and the order of the rows. As `tf.linalg.lu`. Needs SciPy."""
    return LuFactors(*apply(Lu, input, output_idx_type=as_dtype(output_idx_type), name=name))


@public("linalg.lu_reconstruct")
def lu_reconstruct(lower_upper: Any, perm: Any, validate_args: bool = False, name: str | None = None) -> Tensor:
    """The matrices that `lu` was given, as `tf.linalg.lu_reconstruct`."""
    with get_default_graph().name_scope(name or "lu_reconstruct"):
        factors, perm = _lu_operands(lower_upper, perm, validate_args)
        return matmul(_order(factors, perm), matmul(_unit_lower(factors), _upper(factors)), transpose_a=True)


@public("linalg.lu_solve")
def lu_solve(lower_upper: Any, perm: Any, rhs: Any, validate_args: bool = False, name: str | None = None) -> Tensor:
    """x with A @ x = rhs, given lu(A). As `tf.linalg.lu_solve`."""
    with get_default_graph().name_scope(name or "lu_solve"):
        factors, perm = _lu_operands(lower_upper, perm, validate_args)
        ordered = matmul(_order(factors, perm), convert_to_tensor(rhs, factors.dtype, name="rhs"))
        return matrix_triangular_solve(_upper(factors), matrix_triangular_solve(_unit_lower(factors), ordered),
                                       lower=False)


@public("linalg.lu_matrix_inverse")
def lu_matrix_inverse(lower_upper: Any, perm: Any, validate_args: bool = False, name: str | None = None) -> Tensor:
    """The inverse of A, given lu(A). As `tf.linalg.lu_matrix_inverse`."""
    with get_default_graph().name_scope(name or "lu_matrix_inverse"):
        factors, perm = _lu_operands(lower_upper, perm, validate_args)
        return lu_solve(factors, perm, _ones(factors))


@public("linalg.pinv")
def pinv(a: Any, rcond: Any = None, validate_args: bool = False, name: str | None = None) -> Tensor:
    """The Moore-Penrose inverse: singular values up to rcond times the largest count as 0. As `tf.linalg.pinv`."""
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
    """How many singular values are larger than tol, as `tf.linalg.matrix_rank`."""
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
