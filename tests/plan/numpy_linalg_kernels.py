"""The kernels of linear algebra and Fourier transforms, in NumPy: see numpy_kernels.py. Computed in float64."""
from __future__ import annotations

import numpy as np

from numpy_kernels import Arrays, KernelError, kernel


def _matrices(x: np.ndarray, *shape: int) -> np.ndarray:
    return x.reshape(shape).astype(np.float64)


@kernel
def cholesky(x: Arrays, d: list[int], attrs: list[int]) -> None:
    batch, n = d
    try:
        x[1][...] = np.linalg.cholesky(_matrices(x[0], batch, n, n)).ravel()
    except np.linalg.LinAlgError:
        raise KernelError("not positive definite") from None


def _eliminated(a: np.ndarray) -> list[int]:
    """Makes a the factors L, without its ones, and U. Returns the order of a's rows that they are of."""
    n, order = len(a), list(range(len(a)))
    for k in range(n):
        best = k + int(np.abs(a[k:, k]).argmax())
        a[[k, best]] = a[[best, k]]
        order[k], order[best] = order[best], order[k]
        if a[k, k] != 0:
            a[k + 1:, k] /= a[k, k]
            a[k + 1:, k + 1:] -= np.outer(a[k + 1:, k], a[k, k + 1:])
    return order


@kernel
def lu(x: Arrays, d: list[int], attrs: list[int]) -> None:
    batch, n = d
    made, orders, facts = _matrices(x[0], batch, n, n), x[2].reshape(batch, n), x[3].reshape(batch, 3)
    for a, order, fact in zip(made, orders, facts, strict=True):
        sign, logarithm = np.linalg.slogdet(a)
        order[...] = _eliminated(a)
        if attrs[0] and not (np.diagonal(a) != 0).all():
            raise KernelError("not invertible")
        fact[...] = sign * np.exp(logarithm), sign, logarithm
    x[1][...] = made.ravel()


def _right_sides(x: np.ndarray, d: list[int]) -> np.ndarray:
    batch, n, columns, step = d
    return np.stack([_matrices(x[i * step:i * step + n * columns], n, columns) for i in range(batch)]) \
        if batch else np.zeros((0, n, columns))


@kernel
def lu_solve(x: Arrays, d: list[int], attrs: list[int]) -> None:
    batch, n, columns, _ = d
    factors, orders = _matrices(x[0], batch, n, n), x[1].reshape(batch, n)
    made = np.zeros((batch, n, columns))
    for factor, order, rhs, y in zip(factors, orders, _right_sides(x[2], d), made, strict=True):
        matrix = np.zeros((n, n))
        matrix[order] = (np.tril(factor, -1) + np.eye(n)) @ np.triu(factor)
        y[...] = np.linalg.solve(matrix.T if attrs[0] else matrix, rhs)
    x[3][...] = made.ravel()


@kernel
def triangular_solve(x: Arrays, d: list[int], attrs: list[int]) -> None:
    batch, n = d[:2]
    lower, adjoint = attrs
    triangle = (np.tril if lower else np.triu)(_matrices(x[0], batch, n, n))
    if not np.diagonal(triangle, axis1=1, axis2=2).all():
        raise KernelError("not invertible")
    x[2][...] = np.linalg.solve(triangle.swapaxes(1, 2) if adjoint else triangle, _right_sides(x[1], d)).ravel()


@kernel
def qr(x: Arrays, d: list[int], attrs: list[int]) -> None:
    batch, m, n, inner = d
    whole = "complete" if inner == m else "reduced"
    x[1][...], x[2][...] = (part.ravel() for part in np.linalg.qr(_matrices(x[0], batch, m, n), whole))


@kernel
def fft(x: Arrays, d: list[int], attrs: list[int]) -> None:
    outer, n, inner, (inverse, real) = d[0], d[1] * d[2], d[3], attrs
    if real and not inverse:
        made = np.fft.rfft(x[0].reshape(outer, 2 * n))
    else:
        given = x[0].reshape(outer, n + real, inner, 2)
        numbers = given[..., 0] + 1j * given[..., 1]
        made = (np.fft.ifft if inverse else np.fft.fft)(numbers, axis=1) if not real else np.fft.irfft(
            numbers[..., 0], 2 * n)
    x[2][...] = made.ravel() if real and inverse else np.stack([made.real, made.imag], -1).ravel()
