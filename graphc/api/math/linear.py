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
    """The vector products of three-element vectors in the last axis.

    a, b: real numbers [..., 3] of one shape and dtype; another last size, and different shapes, are a ValueError.
    Raises TypeError for other or different dtypes. As `tf.cross`.

    >>> gc.cross([[1., 0., 0.]], [[0., 1., 0.]]).eval()
    array([[0., 0., 1.]], dtype=float32)
    """
    return apply(Cross, a, b, name=name)


@public("math.reduce_euclidean_norm")
def reduce_euclidean_norm(input_tensor, axis=None, keepdims=False, name=None):
    """sqrt(sum(x * x)) along `axis`.

    input_tensor: numbers, whose dtype the result has; that of integers is rounded down to one. axis: an int, a list of
    them, or None for all; keepdims: those axes stay, with size 1. Raises TypeError for strings and bools, ValueError
    for an axis that is not there. As `tf.math.reduce_euclidean_norm`.

    >>> gc.math.reduce_euclidean_norm([[3., 4.], [6., 8.]], axis=1).eval()
    array([ 5., 10.], dtype=float32)
    """
    x = convert_to_tensor(input_tensor)
    return apply(EuclideanNorm, x, all_axes(x, axis), keep_dims=bool(keepdims), name=name)


@public("sparse_matmul")
def sparse_matmul(a, b, transpose_a=False, transpose_b=False, a_is_sparse=False, b_is_sparse=False, name=None):
    """The product of two float32 matrices with many zeros, which here are computed like others.

    transpose_a, transpose_b: of the transposed one. a_is_sparse and b_is_sparse change no result. For tensors that are
    stored sparse see `gc.sparse.matmul`. Raises TypeError for other dtypes, ValueError for other ranks than 2 and inner
    sizes that are known to differ. As `tf.sparse_matmul`.

    >>> gc.sparse_matmul([[0., 2.], [1., 0.]], [[1., 2.], [3., 4.]], a_is_sparse=True).eval()
    array([[6., 8.],
           [1., 2.]], dtype=float32)
    """
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
    """The product of matrices with vectors: [..., n, m] times [..., m] gives [..., n].

    a, b: of one dtype, their front axes broadcast. transpose_a, adjoint_a: of the transposed (and conjugated) matrices.
    Dtypes and errors as of `gc.matmul`. As `tf.linalg.matvec`.

    >>> a = gc.constant([[1., 2.], [3., 4.]])
    >>> gc.linalg.matvec(a, [1., 10.]).eval()
    array([21., 43.], dtype=float32)
    >>> gc.linalg.matvec(a, [1., 10.], transpose_a=True).eval()
    array([31., 42.], dtype=float32)
    """
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
    """The sum of the main diagonal of the matrices in the last two axes: [..., n, m] gives [...].

    x: numbers of rank 2 or more (ValueError below); the matrices need not be square. Raises TypeError for strings and
    bools. As `tf.trace`.

    >>> gc.trace([[1., 2.], [3., 4.]]).eval()
    np.float32(5.0)
    """
    with get_default_graph().name_scope(name or "Trace") as scope:
        x = convert_to_tensor(x, name="x")
        if x.spec.rank is not None and x.spec.rank < 2:
            raise ValueError(f"trace: argument 'x' must have rank 2 or more, but has shape {x.shape}")
        return reduce_sum(on_diagonal(x), [-2, -1], name=scope)


def on_diagonal(x):
    """x with zeros off the main diagonal of its last two axes."""
    sizes = shape(x)
    rows, columns = range_(0, sizes[-2]), range_(0, sizes[-1])
    return select(broadcast_to(equal(expand_dims(rows, 1), columns), sizes), x, zeros_like(x))


@public("norm", "linalg.norm")
def norm(tensor, ord="euclidean", axis=None, keepdims=None, name=None, keep_dims=None):
    """The norm of vectors (axis None or an int) or of matrices (axis a pair of ints) of order `ord`.

    Args:
        tensor: floating point or complex; integers are a TypeError where ord needs a root or a power.
        ord: "euclidean", 1, 2, np.inf or any positive number; of matrices "euclidean" or "fro" (the root of the sum of
            squares), 1 (the greatest sum of a column), np.inf (of a row) or 2 (the greatest singular value, by NumPy).
        axis: None: of all elements as one vector.
        keepdims: the axes stay, with size 1.

    Raises ValueError for another ord, and for axes that are not there. As `tf.norm`. The gradient of a norm that is 0
    is NaN, as in TensorFlow.

    >>> x = gc.constant([[3., -4.], [6., 8.]])
    >>> gc.norm(x, axis=1).eval()
    array([ 5., 10.], dtype=float32)
    >>> gc.norm(x, ord=1, axis=1, keepdims=True).eval()
    array([[ 7.],
           [14.]], dtype=float32)
    >>> gc.norm(x, ord=np.inf, axis=[0, 1]).eval()
    np.float32(14.0)
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
    """(tensor / its norm, the norm), the norm with axes of size 1 so that both broadcast.

    Arguments as of `gc.norm`; both results have the dtype of tensor. A norm of 0 makes NaN: `gc.nn.l2_normalize` has a
    smallest one. Errors as of `gc.norm`. As `tf.linalg.normalize`.

    >>> unit, length = gc.linalg.normalize([[3., 4.], [0., 2.]], axis=1)
    >>> unit.eval()
    array([[0.6, 0.8],
           [0. , 1. ]], dtype=float32)
    >>> length.eval()
    array([[5.],
           [2.]], dtype=float32)
    """
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
