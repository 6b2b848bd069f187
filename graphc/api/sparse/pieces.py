"""Sparse tensors joined, split and cut; elements and rows kept, masked and filled in."""
from __future__ import annotations

from graphc.api.array.gather import gather, where
from graphc.api.array.identity import identity
from graphc.api.array.join import concat, stack
from graphc.api.array.partition import setdiff1d
from graphc.api.array.shapes import reshape
from graphc.api.gradients.slices import IndexedSlices
from graphc.api.math.reduce import reduce_max
from graphc.api.public import public
from graphc.api.sparse.tensor import SparseTensor, as_sparse
from graphc.ir.apply import apply, convert_to_tensor
from graphc.ir.dtypes import int64
from graphc.ops.sparse.empty_rows import SparseFillEmptyRows
from graphc.ops.sparse.join import SparseConcat, SparseSplit
from graphc.ops.sparse.slicing import SparseSlice


def one_of(new, old, new_name, old_name):
    """The value of an argument that may be given under its deprecated name. Raises ValueError if both are."""
    if new is not None and old is not None:
        raise ValueError(f"Cannot specify both '{old_name}' and '{new_name}'")
    return old if new is None else new


@public("sparse_concat", "sparse.concat")
def sparse_concat(axis, sp_inputs, name=None, expand_nonconcat_dim=False, concat_dim=None, expand_nonconcat_dims=None):
    """Sparse tensors, one after the other along axis.

    axis: an int; concat_dim is its older name. sp_inputs: a non-empty list of one rank and dtype, in row-major order.
    expand_nonconcat_dim(s): along the other axes all grow to the largest size; else these must be equal, or the run
    ends with InvalidArgumentError. As `tf.sparse_concat`. Raises TypeError for another list or different dtypes,
    ValueError for different ranks, an axis that is not there, and both names.

    >>> x, y = gc.SparseTensor([[0, 1]], [5.], [1, 2]), gc.SparseTensor([[0, 0]], [7.], [1, 3])
    >>> gc.sparse.to_dense(gc.sparse_concat(1, [x, y])).eval()
    array([[0., 5., 7., 0., 0.]], dtype=float32)
    >>> gc.sparse.to_dense(gc.sparse_concat(0, [x, y], expand_nonconcat_dim=True)).eval()
    array([[0., 5., 0.],
           [7., 0., 0.]], dtype=float32)
    """
    axis = one_of(axis, concat_dim, "axis", "concat_dim")
    if not isinstance(sp_inputs, (list, tuple)) or not sp_inputs:
        raise TypeError("Inputs must be a list or tuple of sparse tensors, and not an empty one")
    inputs = [as_sparse(x, f"sp_inputs[{i}]") for i, x in enumerate(sp_inputs)]
    if len(inputs) == 1:
        return inputs[0]
    shapes = [x.dense_shape for x in inputs]
    if expand_nonconcat_dim if expand_nonconcat_dims is None else expand_nonconcat_dims:
        largest = reduce_max(stack(shapes), 0)
        after = largest[:0] if axis == -1 else largest[axis + 1:]
        shapes = [concat([largest[:axis], s[axis:] if axis == -1 else s[axis:axis + 1], after], 0) for s in shapes]
    return SparseTensor(*apply(SparseConcat, [x.indices for x in inputs], [x.values for x in inputs], shapes, name=name,
                               concat_dim=int(axis), N=len(inputs)))


class _KeywordRequired:
    def __repr__(self):
        return "KeywordRequired()"


@public("sparse_split", "sparse.split")
def sparse_split(keyword_required=_KeywordRequired(), sp_input=None, num_split=None, axis=None, name=None,
                 split_dim=None):
    """A list of num_split parts of a sparse tensor along axis; if they are not equal, the first ones are larger by one.

    Arguments must be given by name (ValueError); split_dim is the older name of axis. sp_input: of any dtype and rank;
    num_split, axis: ints. As `tf.sparse_split`. Raises ValueError for a num_split below 1, an axis that is not there
    and arguments that are missing, TypeError for what is no SparseTensor; more parts than the axis is long end the run
    with InvalidArgumentError.

    >>> x = gc.SparseTensor([[0, 0], [0, 2]], [5., 7.], [1, 3])
    >>> [gc.sparse.to_dense(part).eval() for part in gc.sparse_split(sp_input=x, num_split=2, axis=1)]
    [array([[5., 0.]], dtype=float32), array([[7.]], dtype=float32)]
    """
    if not isinstance(keyword_required, _KeywordRequired):
        raise ValueError("Keyword arguments are required for this function.")
    axis = one_of(axis, split_dim, "axis", "split_dim")
    for given, what in ((sp_input, "sp_input"), (num_split, "num_split"), (axis, "axis")):
        if given is None:
            raise ValueError(f"{what} is required")
    sp_input, count = as_sparse(sp_input), int(num_split)
    axis = convert_to_tensor(axis, None if hasattr(axis, "dtype") else int64, name="split_dim")
    found = apply(SparseSplit, axis, sp_input.indices, sp_input.values, sp_input.dense_shape, name=name,
                  num_split=count)
    return [SparseTensor(*found[i::count]) for i in range(count)]


@public("sparse_slice", "sparse.slice")
def sparse_slice(sp_input, start, size, name=None):
    """The elements in a box of `size` from `start` on, which ends with the tensor: no error beyond it.

    start, size: int64 [rank]. As `tf.sparse_slice`. Raises TypeError for floats and what is no SparseTensor, ValueError
    for another number of them, InvalidArgumentError when run for negative ones.

    >>> x = gc.SparseTensor([[0, 0], [0, 2], [1, 1]], [5., 6., 7.], [2, 3])
    >>> gc.sparse.to_dense(gc.sparse_slice(x, [0, 1], [2, 9])).eval()
    array([[0., 6.],
           [7., 0.]], dtype=float32)
    """
    sp_input = as_sparse(sp_input)
    return SparseTensor(*apply(SparseSlice, sp_input.indices, sp_input.values, sp_input.dense_shape,
                               convert_to_tensor(start, int64), convert_to_tensor(size, int64), name=name))


@public("sparse_retain", "sparse.retain")
def sparse_retain(sp_input, to_retain):
    """The elements for which to_retain, bool [n], is true; the shape stays.

    Raises ValueError if it is known not to be as long as the values. As `tf.sparse_retain`. Raises TypeError for what
    is no SparseTensor.

    >>> x = gc.SparseTensor([[0], [2], [3]], [5., -6., 7.], [4])
    >>> gc.sparse.to_dense(gc.sparse_retain(x, x.values > 0.)).eval()
    array([5., 0., 0., 7.], dtype=float32)
    """
    sp_input, to_retain = as_sparse(sp_input), convert_to_tensor(to_retain)
    to_retain.shape.assert_has_rank(1)
    if not sp_input.values.shape.is_compatible_with(to_retain.shape):
        raise ValueError(f"sparse_retain: argument 'to_retain' has {to_retain.shape[0]} elements, but sp_input "
                         f"{sp_input.values.shape[0]}")
    kept = reshape(where(to_retain), [-1])
    return SparseTensor(gather(sp_input.indices, kept), gather(sp_input.values, kept), identity(sp_input.dense_shape))


@public("sparse_mask", "sparse.mask")
def sparse_mask(a, mask_indices, name=None):
    """IndexedSlices of the rows of the IndexedSlices `a` whose indices are not among mask_indices.

    a: of any dtype; mask_indices: a vector of the dtype of a.indices. As `tf.sparse_mask`. Raises TypeError for another
    dtype, ValueError for another rank.

    >>> a = gc.IndexedSlices(gc.constant([[1., 2.], [3., 4.]]), gc.constant([10, 20]), gc.constant([30, 2]))
    >>> gc.sparse_mask(a, [10]).indices.eval()
    array([20], dtype=int32)
    """
    indices, places = setdiff1d(a.indices, mask_indices)
    return IndexedSlices(gather(a.values, places, name=name), indices, a.dense_shape)


@public("sparse_fill_empty_rows", "sparse.fill_empty_rows")
def sparse_fill_empty_rows(sp_input, default_value, name=None):
    """(sp_input with default_value at column 0 of each row without an element, bool [rows]: which those are).

    sp_input: [rows, columns]. What embeddings of lists of ids need where a list is empty. default_value: a scalar of
    its dtype, any. As `tf.sparse_fill_empty_rows`. Raises TypeError for what is no SparseTensor, and a Python value of
    another kind; ValueError for a tensor of another dtype and for no scalar; InvalidArgumentError when run for an index
    outside.

    >>> x = gc.SparseTensor([[0, 1], [2, 0]], [5., 7.], [3, 2])
    >>> filled, empty = gc.sparse_fill_empty_rows(x, default_value=-1.)
    >>> gc.sparse.to_dense(filled).eval()
    array([[ 0.,  5.],
           [-1.,  0.],
           [ 7.,  0.]], dtype=float32)
    >>> empty.eval()
    array([False,  True, False])
    """
    sp_input = as_sparse(sp_input)
    default = convert_to_tensor(default_value, sp_input.dtype)
    indices, values, empty, _ = apply(SparseFillEmptyRows, sp_input.indices, sp_input.values, sp_input.dense_shape,
                                      default, name=name)
    return SparseTensor(indices, values, sp_input.dense_shape), empty
