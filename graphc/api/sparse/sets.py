"""Sets along the last axis of tensors, and edit distances of sequences."""
from __future__ import annotations

from graphc.api.public import public
from graphc.api.sparse.elementwise import is_sparse
from graphc.api.sparse.tensor import SparseTensor, as_sparse
from graphc.ir.apply import apply, convert_to_tensor
from graphc.ops.sparse.distance import EditDistance
from graphc.ops.sparse.sets import (
    DenseToDenseSetOperation,
    DenseToSparseSetOperation,
    SetSize,
    SparseToSparseSetOperation,
)


@public("sets.size", "sets.set_size")
def set_size(a, validate_indices=True):
    """How many different elements each row along the last axis of a sparse tensor has: int32 [...].

    a: a SparseTensor (else TypeError) of integers of 32 bits or less, or int64; strings are refused. validate_indices:
    indices out of order end the run with InvalidArgumentError. As `tf.sets.size`.

    >>> a = gc.SparseTensor([[0, 0], [0, 1], [0, 2], [1, 0]], [4, 4, 7, 1], [2, 3])
    >>> gc.sets.size(a).eval()
    array([2, 1], dtype=int32)
    """
    if not is_sparse(a):
        raise TypeError(f"Expected `SparseTensor`, got {a}.")
    a = as_sparse(a, "a")
    return apply(SetSize, a.indices, a.values, a.dense_shape, validate_indices=bool(validate_indices))


def _flipped(operation):
    return {"a-b": "b-a", "b-a": "a-b"}.get(operation, operation)


def _operation(a, b, operation, validate):
    if is_sparse(a) and not is_sparse(b):                  # TensorFlow has the op for the dense one first only
        a, b, operation = b, a, _flipped(operation)
    fields = {"set_operation": operation, "validate_indices": bool(validate)}
    if is_sparse(a):
        a, b = as_sparse(a, "a"), as_sparse(b, "b")
        return SparseTensor(*apply(SparseToSparseSetOperation, a.indices, a.values, a.dense_shape, b.indices, b.values,
                                   b.dense_shape, **fields))
    a = convert_to_tensor(a, name="a")
    if is_sparse(b):
        b = as_sparse(b, "b")
        return SparseTensor(*apply(DenseToSparseSetOperation, a, b.indices, b.values, b.dense_shape, **fields))
    return SparseTensor(*apply(DenseToDenseSetOperation, a, convert_to_tensor(b, a.dtype, name="b"), **fields))


@public("sets.intersection", "sets.set_intersection")
def set_intersection(a, b, validate_indices=True):
    """A SparseTensor of what the rows along the last axes of both have in common, sorted.

    a, b: tensors or SparseTensors of integers of one dtype and rank, all axes but the last equal. As
    `tf.sets.intersection`, which takes strings, too: give their numbers in a vocabulary. Raises TypeError for other
    dtypes (uint32, uint64 are among these), ValueError for ranks and shapes that do not fit.

    >>> gc.sparse.to_dense(gc.sets.intersection(gc.constant([[1, 2, 3], [4, 5, 6]]), [[3, 1, 9], [5, 5, 7]])).eval()
    array([[1, 3],
           [5, 0]], dtype=int32)
    """
    return _operation(a, b, "intersection", validate_indices)


@public("sets.difference", "sets.set_difference")
def set_difference(a, b, aminusb=True, validate_indices=True):
    """A SparseTensor of what the rows of a have and those of b lack (aminusb False: the other way round), sorted.

    Arguments and errors as of `gc.sets.intersection`. As `tf.sets.difference`.

    >>> gc.sparse.to_dense(gc.sets.difference(gc.constant([[1, 2, 3]]), [[3, 9, 9]])).eval()
    array([[1, 2]], dtype=int32)
    >>> gc.sparse.to_dense(gc.sets.difference(gc.constant([[1, 2, 3]]), [[3, 9, 9]], aminusb=False)).eval()
    array([[9]], dtype=int32)
    """
    return _operation(a, b, "a-b" if aminusb else "b-a", validate_indices)


@public("sets.union", "sets.set_union")
def set_union(a, b, validate_indices=True):
    """A SparseTensor of what the rows of either have, each once and sorted; arguments as of `gc.sets.intersection`.

    Its dtypes, shapes and errors, too. As `tf.sets.union`.

    >>> gc.sparse.to_dense(gc.sets.union(gc.constant([[1, 2, 3]]), [[3, 9, 9]])).eval()
    array([[1, 2, 3, 9]], dtype=int32)
    """
    return _operation(a, b, "union", validate_indices)


@public("edit_distance")
def edit_distance(hypothesis, truth, normalize=True, name="edit_distance"):
    """By how many insertions, deletions and substitutions each sequence along the last axis differs from that of truth.

    hypothesis, truth: SparseTensors (else TypeError) of one dtype and rank, at least 2, in row-major order; the result
    is float32 [...]. normalize: over the length of the true sequence; inf where that is empty and the other is not. As
    `tf.edit_distance`.

    >>> def letters(word):
    ...     return gc.SparseTensor([[0, i] for i in range(len(word))], list(word), [1, len(word)])
    >>> gc.edit_distance(letters("kitten"), letters("sitting"), normalize=False).eval()
    array([3.], dtype=float32)
    """
    if not is_sparse(hypothesis):
        raise TypeError("Hypothesis must be a SparseTensor.")
    if not is_sparse(truth):
        raise TypeError("Truth must be a SparseTensor.")
    found, right = as_sparse(hypothesis, "hypothesis"), as_sparse(truth, "truth")
    return apply(EditDistance, found.indices, found.values, found.dense_shape, right.indices, right.values,
                 right.dense_shape, name=name, normalize=bool(normalize))
