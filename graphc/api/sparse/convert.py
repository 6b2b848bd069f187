"""Sparse tensors made of dense ones, and dense ones of sparse ones."""
from __future__ import annotations

import numbers
from collections.abc import Iterable

from graphc.api.array.cast import cast
from graphc.api.array.fill import fill, ones, range_, zeros
from graphc.api.array.gather import gather_nd, where
from graphc.api.array.join import concat, stack
from graphc.api.array.shapes import expand_dims, shape
from graphc.api.math.binary import minimum
from graphc.api.math.comparison import not_equal
from graphc.api.public import public
from graphc.api.sparse.order import sparse_reorder
from graphc.api.sparse.tensor import SparseTensor, SparseTensorValue, as_sparse
from graphc.ir.apply import apply, convert_to_tensor, is_tensor_like
from graphc.ir.dtypes import as_dtype, float32, int64
from graphc.ir.graph import get_default_graph
from graphc.ir.tensor import Tensor
from graphc.ops.sparse.dense import SparseToDense


@public("sparse_to_dense")
def sparse_to_dense(sparse_indices, output_shape, sparse_values, default_value=0, validate_indices=True, name=None):
    """default_value of shape output_shape, with sparse_values at sparse_indices.

    sparse_indices: int32 or int64 [n, rank], of a vector also [n] (of one element a scalar). sparse_values: [n], or a
    scalar for all. validate_indices: indices that do not ascend, or repeat, end the run with InvalidArgumentError;
    those outside always do. default_value: a scalar of the values' dtype. As `tf.sparse_to_dense`; of a SparseTensor:
    `gc.sparse.to_dense`. Raises TypeError for another dtype, ValueError for shapes that do not fit.

    >>> gc.sparse_to_dense([1, 3], [5], [10., 30.], default_value=-1.).eval()
    array([-1., 10., -1., 30., -1.], dtype=float32)
    """
    with get_default_graph().name_scope(name or "SparseToDense") as scope:
        indices = convert_to_tensor(sparse_indices, name="sparse_indices")
        output_shape = convert_to_tensor(output_shape, None if is_tensor_like(output_shape) else indices.dtype,
                                         name="output_shape")
        values = convert_to_tensor(sparse_values, name="sparse_values")
        default = default_value if is_tensor_like(default_value) else convert_to_tensor(default_value, values.dtype,
                                                                                        name="default_value")
        return apply(SparseToDense, indices, output_shape, values, default, name=scope,
                     validate_indices=bool(validate_indices))


@public("sparse.to_dense", "sparse_tensor_to_dense")
def sparse_tensor_to_dense(sp_input, default_value=None, validate_indices=True, name=None):
    """The dense tensor, default_value (0, or an empty string) where sp_input has no element.

    validate_indices: indices that do not ascend in row-major order, or repeat, end the run with InvalidArgumentError
    (gc.sparse.reorder); those outside always do. sp_input: of any dtype and rank; default_value: a scalar of its dtype.
    As `tf.sparse_tensor_to_dense`. Raises TypeError for what is no SparseTensor, and another default_value.

    >>> x = gc.SparseTensor([[0, 1], [1, 0]], [5., 7.], [2, 3])
    >>> gc.sparse.to_dense(x).eval()
    array([[0., 5., 0.],
           [7., 0., 0.]], dtype=float32)
    >>> gc.sparse.to_dense(x, default_value=-1.).eval()
    array([[-1.,  5., -1.],
           [ 7., -1., -1.]], dtype=float32)
    """
    sp_input = as_sparse(sp_input)
    if default_value is None:
        default_value = zeros([], sp_input.dtype)
    return sparse_to_dense(sp_input.indices, sp_input.dense_shape, sp_input.values, default_value, validate_indices,
                           name)


@public("sparse.from_dense")
def from_dense(tensor, name=None):
    """A SparseTensor of the elements that are not 0 (not False, not empty of strings).

    tensor: numbers, bools or strings. As `tf.sparse.from_dense`. Raises ValueError for a scalar.

    >>> gc.sparse.from_dense([[0., 5.], [7., 0.]]).eval()
    SparseTensorValue(indices=array([[0, 1],
           [1, 0]]), values=array([5., 7.], dtype=float32), dense_shape=array([2, 2]))
    """
    with get_default_graph().name_scope(name or "dense_to_sparse"):
        tensor = convert_to_tensor(tensor)
        indices = where(not_equal(tensor, zeros([], tensor.dtype)))
        return SparseTensor(indices, gather_nd(tensor, indices), shape(tensor, out_type=int64))


@public("sparse_to_indicator", "sparse.to_indicator")
def sparse_to_indicator(sp_input, vocab_size, name=None):
    """Bools [..., vocab_size], of which those at the ids in sp_input's values are true: lists of ids as many-hot rows.

    sp_input: int32 or int64 [..., ids]. As `tf.sparse_to_indicator`. Raises TypeError for strings, what is no
    SparseTensor, and a vocab_size that is no integer; an id that is not below it ends the run with
    InvalidArgumentError.

    >>> ids = gc.SparseTensor([[0, 0], [0, 1], [1, 0]], [2, 0, 1], [2, 2])
    >>> gc.sparse_to_indicator(ids, vocab_size=4).eval()
    array([[ True, False,  True, False],
           [False,  True, False, False]])
    """
    sp_input = as_sparse(sp_input)
    with get_default_graph().name_scope(name or "SparseToIndicator"):
        count = shape(sp_input.indices)[:1]
        marks = SparseTensor(sp_input.indices, fill(count, True), sp_input.dense_shape)
        merged = sparse_merge(sp_input, marks, vocab_size)
        return sparse_tensor_to_dense(merged, default_value=False, validate_indices=False)


@public("sparse_merge", "sparse.merge")
def sparse_merge(sp_ids, sp_values, vocab_size, name=None, already_sorted=False):
    """The values of sp_values where, in place of the last index, the ids of sp_ids stand: features given as ids and
    numbers.

    sp_ids: int32 or int64 [..., n], or a list of several for as many last axes; sp_values: as many values at the same
    indices. vocab_size: the size of the last axis, or a list. already_sorted: the ids ascend in each row. As
    `tf.sparse_merge`. Raises TypeError for what is no SparseTensor, strings as ids, and other sizes than integers, one
    for each of sp_ids; ValueError if their numbers or those of ids and values differ.

    >>> ids = gc.SparseTensor([[0, 0], [0, 1], [1, 0]], [2, 0, 1], [2, 2])
    >>> weights = gc.SparseTensor([[0, 0], [0, 1], [1, 0]], [0.5, 2., 4.], [2, 2])
    >>> gc.sparse.to_dense(gc.sparse_merge(ids, weights, vocab_size=3)).eval()
    array([[2. , 0. , 0.5],
           [0. , 4. , 0. ]], dtype=float32)
    """
    if isinstance(sp_ids, (SparseTensor, SparseTensorValue)):
        sp_ids, vocab_size = [sp_ids], [vocab_size]
    elif not isinstance(vocab_size, Iterable) or isinstance(vocab_size, Tensor):
        raise TypeError(f"vocab_size has to be a list of Tensors or Python ints. Found {type(vocab_size)}")
    sp_ids, vocab_size = list(sp_ids), list(vocab_size)
    for size in vocab_size:
        if not isinstance(size, (Tensor, numbers.Integral)):
            raise TypeError(f"vocab_size has to be a Tensor or Python int. Found {type(size)}")
    if len(sp_ids) != len(vocab_size):
        raise ValueError("sp_ids and vocab_size have to have equal lengths.")
    with get_default_graph().name_scope(name or "SparseMerge"):
        every, values = [as_sparse(ids, "sp_ids") for ids in sp_ids], as_sparse(sp_values, "sp_values")
        columns = [expand_dims(cast(ids.values, int64), 1) for ids in every]
        sizes = stack([cast(size, int64) for size in vocab_size])
        merged = SparseTensor(concat([every[0].indices[:, :-1], *columns], 1), values.values,
                              concat([every[0].dense_shape[:-1], sizes], 0))
        return merged if already_sorted else sparse_reorder(merged)


@public("sparse.eye")
def sparse_eye(num_rows, num_columns=None, dtype=float32, name=None):
    """A SparseTensor [num_rows, num_columns] with ones on the diagonal.

    num_rows, num_columns (by default num_rows): ints or integer scalars, else TypeError. dtype: of numbers or bool,
    TypeError for strings. As `tf.sparse.eye`.

    >>> gc.sparse.to_dense(gc.sparse.eye(2, 3)).eval()
    array([[1., 0., 0.],
           [0., 1., 0.]], dtype=float32)
    """
    with get_default_graph().name_scope(name or "eye"):
        rows = _size(num_rows, "num_rows")
        columns = rows if num_columns is None else _size(num_columns, "num_columns")
        diagonal = range_(minimum(rows, columns))
        return SparseTensor(stack([diagonal, diagonal], 1), ones(shape(diagonal), as_dtype(dtype)),
                            stack([rows, columns]))


def _size(value, name):
    if isinstance(value, numbers.Integral):
        return convert_to_tensor(int(value), int64, name=name)
    if not isinstance(value, Tensor):
        raise TypeError(f"{name} must be an integer value")
    return cast(value, int64)
