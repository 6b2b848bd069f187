"""Vector products, norms, traces and products of matrices with vectors."""
from __future__ import annotations

import numpy as np

from graphc.api.array.broadcast import broadcast_to
from graphc.api.array.cast import cast
from graphc.api.array.fill import range_, zeros_like
from graphc.api.array.select import select
from graphc.api.array.shapes import expand_dims, shape, squeeze
from graphc.api.array.transpose import transpose
from graphc.api.linalg.decompose import svd
from graphc.api.math.binary import pow
from graphc.api.math.comparison import equal
from graphc.api.math.complex_numbers import conj
from graphc.api.math.matmul import matmul
from graphc.api.math.reduce import all_axes, deprecated, reduce_max, reduce_sum
from graphc.api.math.unary import abs, sqrt
from graphc.api.public import public
from graphc.ir.apply import apply, convert_to_tensor
from graphc.ir.graph import get_default_graph
from graphc.ops.math.linear import Cross, EuclideanNorm, SparseMatMul


@public("cross", "linalg.cross")
def cross(a, b, name=None):
    """The vector products of three-element vectors in the last axis. As `tf.cross`."""
    return apply(Cross, a, b, name=name)


@public("math.reduce_euclidean_norm")
def reduce_euclidean_norm(input_tensor, axis=None, keepdims=False, name=None):
    """The root of the sum of squares along `axis`. As `tf.math.reduce_euclidean_norm`."""
    x = convert_to_tensor(input_tensor)
    return apply(EuclideanNorm, x, all_axes(x, axis), keep_dims=bool(keepdims), name=name)


@public("sparse_matmul")
def sparse_matmul(a, b, transpose_a=False, transpose_b=False, a_is_sparse=False, b_is_sparse=False, name=None):
    """The product of two float32 matrices with many zeros, which here are computed like others. As
    `tf.sparse_matmul`."""
    return apply(
        SparseMatMul,
        a,
        b,
        transpose_a=bool(transpose_a),
        transpose_b=bool(transpose_b),
        a_is_sparse=bool(a_is_sparse),
        b_is_sparse=bool(b_is_sparse),
        name=name,
    )


@public("linalg.matvec")
def matvec(a, b, transpose_a=False, adjoint_a=False, a_is_sparse=False, b_is_sparse=False, name=None):
    """The product of matrices with vectors, in the last axes of a and of b. As `tf.linalg.matvec`."""
    with get_default_graph().name_scope(name or "MatVec"):
        product = matmul(
            a,
            expand_dims(b, -1),
            transpose_a=transpose_a,
            adjoint_a=adjoint_a,
            a_is_sparse=a_is_sparse,
            b_is_sparse=b_is_sparse,
        )
        return squeeze(product, [-1])


@public("trace", "linalg.trace")
def trace(x, name=None):
    """The sum of the main diagonal of the matrices in the last two axes. As `tf.trace`."""
    with get_default_graph().name_scope(name or "Trace") as scope:
        x = convert_to_tensor(x, name="x")
        return reduce_sum(on_diagonal(x), [-2, -1], name=scope)


def on_diagonal(x):
    """x with zeros off the main diagonal of its last two axes."""
    sizes = shape(x)
    rows, columns = range_(0, sizes[-2]), range_(0, sizes[-1])
    return select(broadcast_to(equal(expand_dims(rows, 1), columns), sizes), x, zeros_like(x))


@public("norm", "linalg.norm")
def norm(tensor, ord="euclidean", axis=None, keepdims=None, name=None, keep_dims=None):
    """The norm of vectors (axis None or an int) or matrices (axis a pair) of order `ord`. As `tf.norm`.

    ord: "euclidean", 1, 2, np.inf or any positive number; of matrices "euclidean", "fro", 1, 2 (the greatest singular
    value) or np.inf.
    """
    keepdims = bool(deprecated(keepdims, keep_dims, "keepdims", "keep_dims"))
    matrix = isinstance(axis, (tuple, list)) and len(axis) == 2
    _check_norm(ord, axis, matrix)
    with get_default_graph().name_scope(name or "norm"):
        tensor = convert_to_tensor(tensor, name="tensor")
        axes = None if axis is None else tuple(axis) if matrix else (axis,)
        result = _norm_kept(tensor, ord, axes, matrix)
        return result if keepdims else squeeze(result, axes)


@public("linalg.normalize")
def normalize(tensor, ord="euclidean", axis=None, name=None):
    """(tensor by its norm, the norm), as `tf.linalg.normalize`; arguments as of `norm`."""
    with get_default_graph().name_scope(name or "normalize"):
        tensor = convert_to_tensor(tensor)
        length = norm(tensor, ord, axis, keepdims=True)
        length = cast(length, tensor.dtype)
        return tensor / length, length


def _largest_singular(tensor, axes):
    """The greatest singular value of each matrix in these two axes, which stay with size 1."""
    rank = tensor.spec.rank
    if rank is None:
        raise ValueError(f"norm: 'ord' = 2 needs a tensor of known rank, but got {tensor!r}; give it one: set_shape")
    last = [axis % rank for axis in axes]
    order = [axis for axis in range(rank) if axis not in last] + last
    values = reduce_max(abs(svd(transpose(tensor, order), compute_uv=False)), axis=-1, keepdims=True)
    return transpose(expand_dims(values, -1), np.argsort(order).tolist())


def _check_norm(order, axis, matrix):
    if matrix:
        if not all(isinstance(a, int) for a in axis) or axis[0] == axis[1]:
            raise ValueError("'axis' must be None, an integer, or a tuple of 2 unique integers")
        supported = ["euclidean", "fro", 1, 2, np.inf]
        if order not in supported:
            raise ValueError(f"'ord' must be a supported matrix norm in {supported}, got {order}")
        return
    if not (isinstance(axis, (int, np.integer)) or axis is None):
        raise ValueError("'axis' must be None, an integer, or a tuple of 2 unique integers")
    if order != "euclidean" and (isinstance(order, str) or not np.isreal(order) or order <= 0):
        raise ValueError(f"'ord' must be a supported vector norm, got {order}")


def _norm_kept(tensor, order, axes, matrix):
    if matrix and order in (2, 2.0):
        return _largest_singular(tensor, axes)
    if order in ("fro", "euclidean", 2, 2.0):
        return sqrt(reduce_sum(tensor * conj(tensor), axes, keepdims=True))
    size = abs(tensor)
    first = None if axes is None else axes[0]
    if order == 1:
        size = reduce_sum(size, first, keepdims=True)
        return reduce_max(size, axes[-1], keepdims=True) if matrix else size
    if order == np.inf:
        size = reduce_sum(size, axes[1], keepdims=True) if matrix else size
        return reduce_max(size, first, keepdims=True)
    return pow(reduce_sum(pow(size, order), axes, keepdims=True), 1.0 / order)
