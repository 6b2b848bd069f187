"""Sums and greatest elements along axes of a sparse tensor, and its product with a dense matrix."""
from __future__ import annotations

from graphc.api.array.fill import range_
from graphc.api.array.shapes import size
from graphc.api.array.transpose import transpose
from graphc.api.public import public
from graphc.api.sparse.pieces import one_of
from graphc.api.sparse.tensor import SparseTensor, SparseTensorValue, as_sparse, rank_of
from graphc.ir.apply import apply, convert_to_tensor, is_tensor_like
from graphc.ir.graph import get_default_graph
from graphc.ops.sparse.product import SparseTensorDenseMatMul
from graphc.ops.sparse.reduce import SparseReduceMax, SparseReduceMaxSparse, SparseReduceSum, SparseReduceSumSparse


def _reduced(op, sp_input, axis, keepdims, reduction_axes, keep_dims):
    sp_input = as_sparse(sp_input)
    axis = one_of(axis, reduction_axes, "axis", "reduction_axes")
    keep = one_of(keepdims, keep_dims, "keepdims", "keep_dims")
    if axis is None:
        rank = rank_of(sp_input)
        axis = range_(size(sp_input.dense_shape)) if rank is None else list(range(rank))
    return apply(op, sp_input.indices, sp_input.values, sp_input.dense_shape, axis, keep_dims=bool(keep))


@public("sparse_reduce_sum", "sparse.reduce_sum")
def sparse_reduce_sum(sp_input, axis=None, keepdims=None, reduction_axes=None, keep_dims=None):
    """The sums along axis, an int, a list or None for all, as a dense tensor.

    sp_input: real numbers in row-major order. keepdims: the axes stay, with size 1. reduction_axes, keep_dims: older
    names. The result has its dtype. As `tf.sparse_reduce_sum`. Raises TypeError for other dtypes, what is no
    SparseTensor, and an axis that is no integer; ValueError for an axis that is not there or comes twice, and both
    names of an argument.

    >>> x = gc.SparseTensor([[0, 0], [0, 2], [1, 1]], [5., 6., 7.], [2, 3])
    >>> gc.sparse_reduce_sum(x, axis=1).eval()
    array([11.,  7.], dtype=float32)
    >>> gc.sparse_reduce_sum(x).eval()
    np.float32(18.0)
    """
    return _reduced(SparseReduceSum, sp_input, axis, keepdims, reduction_axes, keep_dims)


@public("sparse_reduce_sum_sparse", "sparse.reduce_sum_sparse")
def sparse_reduce_sum_sparse(sp_input, axis=None, keepdims=None, reduction_axes=None, keep_dims=None):
    """The sums along axis, as a SparseTensor; arguments as of `gc.sparse_reduce_sum`. As `tf.sparse_reduce_sum_sparse`.

    Dtypes and errors are the same, too.

    >>> x = gc.SparseTensor([[0, 0], [0, 2], [2, 1]], [5., 6., 7.], [3, 3])
    >>> gc.sparse_reduce_sum_sparse(x, axis=1).eval().indices
    array([[0],
           [2]])
    """
    return SparseTensor(*_reduced(SparseReduceSumSparse, sp_input, axis, keepdims, reduction_axes, keep_dims))


@public("sparse_reduce_max", "sparse.reduce_max")
def sparse_reduce_max(sp_input, axis=None, keepdims=None, reduction_axes=None, keep_dims=None):
    """The greatest of the elements that are there along axis, 0 without any, as a dense tensor.

    Zeros that are not stored do not count: of negative elements the result is negative. Arguments and errors as
    of `gc.sparse_reduce_sum`. As `tf.sparse_reduce_max`.

    >>> x = gc.SparseTensor([[0, 0], [0, 2], [2, 1]], [-5., -6., 7.], [3, 3])
    >>> gc.sparse_reduce_max(x, axis=1).eval()
    array([-5.,  0.,  7.], dtype=float32)
    """
    return _reduced(SparseReduceMax, sp_input, axis, keepdims, reduction_axes, keep_dims)


@public("sparse_reduce_max_sparse", "sparse.reduce_max_sparse")
def sparse_reduce_max_sparse(sp_input, axis=None, keepdims=None, reduction_axes=None, keep_dims=None):
    """The greatest of the elements that are there along axis, as a SparseTensor; arguments as of
    `gc.sparse_reduce_sum`.

    Dtypes and errors are the same, too. As `tf.sparse_reduce_max_sparse`.

    >>> x = gc.SparseTensor([[0, 0], [0, 2], [2, 1]], [-5., -6., 7.], [3, 3])
    >>> gc.sparse_reduce_max_sparse(x, axis=1).eval().values
    array([-5.,  7.], dtype=float32)
    """
    return SparseTensor(*_reduced(SparseReduceMaxSparse, sp_input, axis, keepdims, reduction_axes, keep_dims))


@public("sparse_tensor_dense_matmul", "sparse.sparse_dense_matmul", "sparse.matmul")
def sparse_tensor_dense_matmul(sp_a, b, adjoint_a=False, adjoint_b=False, name=None):
    """The product of a sparse and a dense matrix, in this order or the other: dense [n, m].

    sp_a: a SparseTensor [n, k], b: [k, m] of its dtype: floating point, int32 or int64. adjoint_a, adjoint_b: of their
    transposes. It has gradients by the values and by the dense matrix. As `tf.sparse_tensor_dense_matmul`. Raises
    TypeError for other or different dtypes and for two dense matrices, ValueError for shapes that do not fit; indices
    outside of sp_a end the run with InvalidArgumentError.

    >>> x = gc.SparseTensor([[0, 0], [1, 2]], [2., 3.], [2, 3])
    >>> gc.sparse.matmul(x, [[1., 1.], [5., 5.], [10., 20.]]).eval()
    array([[ 2.,  2.],
           [30., 60.]], dtype=float32)
    """
    if isinstance(b, (SparseTensor, SparseTensorValue)):
        # A B = (B' A')', in which the sparse one comes first.
        return transpose(sparse_tensor_dense_matmul(b, sp_a, adjoint_a=not adjoint_b, adjoint_b=not adjoint_a,
                                                    name=name))
    sp_a = as_sparse(sp_a, "sp_a")
    with get_default_graph().name_scope(name or "SparseTensorDenseMatMul"):
        b = b if is_tensor_like(b) else convert_to_tensor(b, sp_a.dtype, name="b")
        return apply(SparseTensorDenseMatMul, sp_a.indices, sp_a.values, sp_a.dense_shape, b,
                     adjoint_a=bool(adjoint_a), adjoint_b=bool(adjoint_b))
