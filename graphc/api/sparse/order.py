"""The same elements of a sparse tensor under other indices, or in a larger shape."""
from __future__ import annotations

import numpy as np

from graphc.api.array.cast import cast
from graphc.api.array.fill import range_, zeros
from graphc.api.array.gather import gather
from graphc.api.array.identity import identity
from graphc.api.array.join import concat
from graphc.api.array.shapes import shape as shape_of
from graphc.api.array.shapes import size
from graphc.api.control.asserts import assert_less_equal
from graphc.api.math.binary import add, maximum
from graphc.api.math.reduce import reduce_max
from graphc.api.public import public
from graphc.api.sparse.tensor import SparseTensor, as_sparse, rank_of
from graphc.ir.apply import apply, convert_to_tensor
from graphc.ir.dtypes import int64
from graphc.ir.graph import get_default_graph
from graphc.ops.sparse.order import SparseReorder, SparseReshape


@public("sparse_reorder", "sparse.reorder")
def sparse_reorder(sp_input, name=None):
    """The same SparseTensor with its elements in row-major order of their indices, as other functions want them.

    sp_input: of any dtype and rank. As `tf.sparse_reorder`. Raises TypeError for what is no SparseTensor.

    >>> gc.sparse.reorder(gc.SparseTensor([[1, 0], [0, 1]], [7., 5.], [2, 2])).eval().values
    array([5., 7.], dtype=float32)
    """
    sp_input = as_sparse(sp_input)
    indices, values = apply(SparseReorder, sp_input.indices, sp_input.values, sp_input.dense_shape, name=name)
    return SparseTensor(indices, values, identity(sp_input.dense_shape))


@public("sparse_reshape", "sparse.reshape")
def sparse_reshape(sp_input, shape, name=None):
    """The same elements in row-major order under another shape, of which one size may be -1.

    shape: int32 or int64 [new rank]. Raises ValueError if the numbers of elements, zeros counted, are known to differ,
    InvalidArgumentError when run. As `tf.sparse_reshape`. Raises TypeError for what is no SparseTensor.

    >>> x = gc.SparseTensor([[0, 1], [1, 0]], [5., 7.], [2, 3])
    >>> gc.sparse.to_dense(gc.sparse_reshape(x, [3, -1])).eval()
    array([[0., 5.],
           [0., 7.],
           [0., 0.]], dtype=float32)
    """
    sp_input = as_sparse(sp_input)
    with get_default_graph().name_scope(name or "SparseReshape") as scope:
        shape = cast(convert_to_tensor(shape), int64)
        indices, made = apply(SparseReshape, sp_input.indices, sp_input.dense_shape, shape, name=scope)
        known = _known_shape(sp_input, shape)
        return SparseTensor(indices, identity(sp_input.values), made if known is None else known)


def _known_shape(sp_input, shape):
    """The new shape if it is known while the graph is built."""
    wanted, static = shape.value_sizes(), sp_input.shape
    if wanted is None or not static.is_fully_defined():
        return None
    sizes = [int(s) if isinstance(s, int) else None for s in wanted]
    if sum(s == -1 for s in sizes) > 1:
        raise ValueError(f"At most one dimension can be inferred (-1). Found: {sizes}")
    total = int(np.prod(static.as_list(), dtype=np.int64))
    if None in sizes or (-1 in sizes and 0 in sizes):
        return None
    rest = int(np.prod([s for s in sizes if s != -1], dtype=np.int64))
    found = [total // rest if s == -1 else s for s in sizes]
    if int(np.prod(found, dtype=np.int64)) != total:
        raise ValueError(f"Cannot reshape a tensor with {total} elements to shape {sizes} ({rest} elements).")
    return found


@public("sparse_transpose", "sparse.transpose")
def sparse_transpose(sp_input, perm=None, name=None):
    """The axes in the order of perm, by default reversed, and the elements in row-major order again.

    perm: int32 or int64 [rank]. As `tf.sparse_transpose`. Raises TypeError for another dtype of perm and what is no
    SparseTensor, ValueError for an axis that is not there.

    >>> x = gc.SparseTensor([[0, 1], [0, 2], [1, 0]], [5., 6., 7.], [2, 3])
    >>> gc.sparse.to_dense(gc.sparse_transpose(x)).eval()
    array([[0., 7.],
           [5., 0.],
           [6., 0.]], dtype=float32)
    """
    sp_input = as_sparse(sp_input)
    with get_default_graph().name_scope(name or "SparseTranspose"):
        if perm is None:
            rank = rank_of(sp_input)
            perm = size(sp_input.dense_shape) - 1 - range_(size(sp_input.dense_shape)) if rank is None else list(
                range(rank))[::-1]
        return sparse_reorder(SparseTensor(gather(sp_input.indices, perm, axis=1), sp_input.values,
                                           gather(sp_input.dense_shape, perm)))


@public("sparse.expand_dims")
def sparse_expand_dims(sp_input, axis=None, name=None):
    """A new axis of size 1 before `axis`, an int, by default at the end. ValueError if that is beyond the rank.

    sp_input: of any dtype and rank. As `tf.sparse.expand_dims`. Raises TypeError for an axis that is no int, and what
    is no SparseTensor.

    >>> gc.sparse.expand_dims(gc.SparseTensor([[1]], [5.], [3]), 0).eval().dense_shape
    array([1, 3])
    """
    sp_input = as_sparse(sp_input)
    axis = -1 if axis is None else axis
    if not isinstance(axis, (int, np.integer)):
        raise TypeError("axis must be an integer value in range [-rank(sp_input) - 1, rank(sp_input)]")
    rank = rank_of(sp_input)
    if rank is not None and not -rank - 1 <= axis <= rank:
        raise ValueError(f"axis {axis} is not in the range [{-rank - 1}, {rank}]")
    with get_default_graph().name_scope(name or "expand_dims"):
        if axis < 0:
            axis = axis + 1 + (size(sp_input.dense_shape) if rank is None else rank)
        column = zeros(concat([shape_of(sp_input.indices)[:1], [1]], 0), int64)
        one = convert_to_tensor(np.ones(1, np.int64))
        indices, sizes = sp_input.indices, sp_input.dense_shape
        return SparseTensor(concat([indices[:, :axis], column, indices[:, axis:]], 1), sp_input.values,
                            concat([sizes[:axis], one, sizes[axis:]], 0))


@public("sparse_reset_shape", "sparse.reset_shape")
def sparse_reset_shape(sp_input, new_shape=None):
    """The same elements in new_shape, which may not be smaller; by default in the smallest shape that holds them all.

    Raises ValueError if new_shape has another rank or is known to be smaller, else InvalidArgumentError when run.
    sp_input: of any dtype; new_shape: integers [rank]. As `tf.sparse_reset_shape`.

    >>> x = gc.SparseTensor([[0, 1], [1, 0]], [5., 7.], [4, 9])
    >>> gc.sparse_reset_shape(x).eval().dense_shape
    array([2, 2])
    >>> gc.sparse_reset_shape(x, [5, 10]).eval().dense_shape
    array([ 5, 10])
    """
    sp_input = as_sparse(sp_input)
    indices, values, old = (identity(part) for part in (sp_input.indices, sp_input.values, sp_input.dense_shape))
    if new_shape is None:
        last = maximum(reduce_max(indices, 0), convert_to_tensor(-1, int64))
        return SparseTensor(indices, values, add(last, convert_to_tensor(1, int64)))
    sizes = cast(convert_to_tensor(new_shape), int64)
    if sizes.shape.ndims not in (1, None):
        raise ValueError(f"sparse_reset_shape: argument 'new_shape' must be a vector, but has shape {sizes.shape}")
    if not sizes.shape.is_compatible_with(old.shape):
        raise ValueError(f"sparse_reset_shape: argument 'new_shape' has {sizes.shape[0]} sizes, but sp_input "
                         f"{old.shape[0]} axes")
    wanted = sizes.value_sizes()
    if wanted is not None and all(isinstance(s, int) for s in wanted) and sp_input.shape.is_fully_defined():
        have = sp_input.shape.as_list()
        if any(a > b for a, b in zip(have, wanted, strict=True)):
            raise ValueError("Requested new_shape should have dimension sizes >= sp_input.shape.  Found new_shape "
                             f"({list(wanted)}), sp_input.shape ({have}).")
        return SparseTensor(indices, values, sizes)
    with get_default_graph().control_dependencies([assert_less_equal(old, sizes)]):
        return SparseTensor(indices, values, identity(sizes))
