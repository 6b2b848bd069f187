"""Arithmetic on sparse tensors, element by element."""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

from graphc.api.array.cast import cast
from graphc.api.control.asserts import assert_equal
from graphc.api.public import public
from graphc.api.sparse.tensor import SparseTensor, SparseTensorValue, as_sparse
from graphc.ir import nest
from graphc.ir.apply import apply, convert_to_tensor, is_tensor_like
from graphc.ir.dtypes import float32, float64
from graphc.ir.graph import get_default_graph
from graphc.ops.sparse.dense import SparseTensorDenseAdd
from graphc.ops.sparse.elementwise import SparseDenseCwiseDiv, SparseDenseCwiseMul, SparseSoftmax
from graphc.ops.sparse.merge import SparseAdd, SparseSparseMaximum, SparseSparseMinimum


def with_values(sparse, values):
    """Other values at the same indices."""
    return SparseTensor(sparse.indices, values, sparse.dense_shape)


def is_sparse(x: Any) -> bool:
    return isinstance(x, (SparseTensor, SparseTensorValue))


def _by_dense(op, sparse, dense, name):
    return with_values(sparse, apply(op, sparse.indices, sparse.values, sparse.dense_shape, dense, name=name))


def multiplied(sparse, dense):
    """sparse * dense: the operator."""
    return _by_dense(SparseDenseCwiseMul, sparse, convert_to_tensor(dense, sparse.dtype, name="y"), "mul")


def divided(sparse, dense):
    """sparse / dense: the operator; of integers in floating point."""
    dense = convert_to_tensor(dense, sparse.dtype, name="y")
    if sparse.dtype.is_integer:
        wide = float64 if sparse.dtype.size >= 4 else float32
        sparse, dense = with_values(sparse, cast(sparse.values, wide)), cast(dense, wide)
    return _by_dense(SparseDenseCwiseDiv, sparse, dense, "truediv")


@public("sparse_add", "sparse.add")
def sparse_add(a, b, threshold=None, thresh=None):
    """The sum of two tensors of one shape, of which one or both are sparse; it is sparse if both are.

    Of two sparse ones elements of the sum that are less than threshold (thresh is the older name) either way are left
    out; elements with equal indices are added, within one operand too: real numbers. As `tf.sparse_add`.
    Raises TypeError for two dense ones and different dtypes, ValueError for different shapes and for both thresholds.

    >>> x = gc.SparseTensor([[0], [2]], [1., 5.], [3])
    >>> y = gc.SparseTensor([[0], [1]], [-1., 7.], [3])
    >>> gc.sparse_add(x, y, threshold=0.1).eval().indices
    array([[1],
           [2]])
    >>> gc.sparse_add(x, gc.constant([10., 10., 10.])).eval()
    array([11., 10., 15.], dtype=float32)
    """
    if threshold is not None and thresh is not None:
        raise ValueError("Cannot specify both 'threshold' and 'thresh'")
    least = threshold if threshold is not None else thresh if thresh is not None else 0
    if is_sparse(a) and is_sparse(b):
        a, b = as_sparse(a, "a"), as_sparse(b, "b")
        least = convert_to_tensor(least, a.dtype, name="thresh")
        return SparseTensor(*apply(SparseAdd, a.indices, a.values, a.dense_shape, b.indices, b.values, b.dense_shape,
                                   least))
    if not is_sparse(a) and not is_sparse(b):
        raise TypeError(f"sparse_add: at least one of a and b must be a SparseTensor, but they are {a!r} and {b!r}; "
                        "dense tensors: gc.add")
    sparse, dense = (a, b) if is_sparse(a) else (b, a)
    sparse = as_sparse(sparse)
    dense = dense if is_tensor_like(dense) else convert_to_tensor(dense, sparse.dtype)
    return apply(SparseTensorDenseAdd, sparse.indices, sparse.values, sparse.dense_shape, dense)


@public("sparse_maximum", "sparse.maximum")
def sparse_maximum(sp_a, sp_b, name=None):
    """The greater elements of two sparse tensors of one shape; what one of them lacks counts as 0.

    sp_a, sp_b: real numbers, in row-major order. As `tf.sparse_maximum`. Raises TypeError for other or different dtypes
    and for dense tensors, ValueError for different shapes.

    >>> x = gc.SparseTensor([[0], [2]], [1., -5.], [4])
    >>> y = gc.SparseTensor([[0], [1]], [3., 7.], [4])
    >>> gc.sparse.to_dense(gc.sparse_maximum(x, y)).eval()
    array([3., 7., 0., 0.], dtype=float32)
    """
    return _extreme(SparseSparseMaximum, sp_a, sp_b, name)


@public("sparse_minimum", "sparse.minimum")
def sparse_minimum(sp_a, sp_b, name=None):
    """The lesser elements of two sparse tensors of one shape; what one of them lacks counts as 0.

    sp_a, sp_b: real numbers, in row-major order. As `tf.sparse_minimum`. Raises TypeError for other or different dtypes
    and for dense tensors, ValueError for different shapes.

    >>> x = gc.SparseTensor([[0], [2]], [1., -5.], [4])
    >>> y = gc.SparseTensor([[0], [1]], [3., 7.], [4])
    >>> gc.sparse.to_dense(gc.sparse_minimum(x, y)).eval()
    array([ 1.,  0., -5.,  0.], dtype=float32)
    """
    return _extreme(SparseSparseMinimum, sp_a, sp_b, name)


def _extreme(op, a, b, name):
    a, b = as_sparse(a, "sp_a"), as_sparse(b, "sp_b")
    found = apply(op, a.indices, a.values, a.dense_shape, b.indices, b.values, b.dense_shape, name=name)
    return SparseTensor(*found, a.dense_shape)


@public("sparse_softmax", "sparse.softmax")
def sparse_softmax(sp_input, name=None):
    """The softmax over the elements that are there along the last axis: those that are not have no part in it.

    sp_input: floating point, of rank 2 or more, in row-major order. As `tf.sparse_softmax`. Raises TypeError for other
    dtypes and what is no SparseTensor, ValueError for rank 1.

    >>> x = gc.SparseTensor([[0, 0], [0, 2], [1, 1]], [1., 1., 9.], [2, 3])
    >>> gc.sparse.to_dense(gc.sparse_softmax(x)).eval()
    array([[0.5, 0. , 0.5],
           [0. , 1. , 0. ]], dtype=float32)
    """
    sp_input = as_sparse(sp_input)
    return with_values(sp_input, apply(SparseSoftmax, sp_input.indices, sp_input.values, sp_input.dense_shape,
                                       name=name))


@public("sparse.map_values")
def map_values(op: Callable[..., Any], *args: Any, **kwargs: Any) -> SparseTensor:
    """A SparseTensor of op(values) at the same indices.

    op: a function of tensors that gives a tensor [n]. Of the arguments, also within lists and dicts, each SparseTensor
    becomes its values; they must have the same indices and shapes, or the run ends with InvalidArgumentError.
    ValueError if there is none. Dtypes and ranks: any. As `tf.sparse.map_values`. Raises TypeError if op cannot be
    called.

    >>> x = gc.SparseTensor([[0], [2]], [1., -5.], [4])
    >>> gc.sparse.to_dense(gc.sparse.map_values(gc.maximum, x, 0.5)).eval()
    array([1. , 0. , 0.5, 0. ], dtype=float32)
    """
    found: list[SparseTensor] = []

    def values(leaf: Any) -> Any:
        if not isinstance(leaf, SparseTensor):
            return leaf
        found.append(leaf)
        return leaf.values

    arguments, more = nest.map_structure(values, args), nest.map_structure(values, kwargs)
    if not found:
        raise ValueError("No SparseTensor in argument list of map_values")
    checks = [assert_equal(getattr(found[0], part), getattr(other, part), message=f"Mismatched {what}!")
              for other in found[1:] for part, what in (("dense_shape", "shapes"), ("indices", "indices"))]
    with get_default_graph().control_dependencies([c for c in checks if c is not None]):
        return with_values(found[0], op(*arguments, **more))
