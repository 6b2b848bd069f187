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
    """How many different elements each row along the last axis of a sparse tensor has, as `tf.sets.size`."""
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
    """What the rows along the last axes of both have in common, as a sparse tensor, as `tf.sets.intersection`."""
    return _operation(a, b, "intersection", validate_indices)


@public("sets.difference", "sets.set_difference")
def set_difference(a, b, aminusb=True, validate_indices=True):
    """What the rows of one have and those of the other lack, as a sparse tensor, as `tf.sets.difference`.

    aminusb: of a; else of b.
    """
    return _operation(a, b, "a-b" if aminusb else "b-a", validate_indices)


@public("sets.union", "sets.set_union")
def set_union(a, b, validate_indices=True):
    """What the rows of either have, as a sparse tensor, as `tf.sets.union`."""
    return _operation(a, b, "union", validate_indices)


@public("edit_distance")
def edit_distance(hypothesis, truth, normalize=True, name="edit_distance"):
    """By how many insertions, deletions and substitutions each sequence along the last axis differs from that of truth,
    as `tf.edit_distance`; normalize: over the length of the latter."""
    if not is_sparse(hypothesis):
        raise TypeError("Hypothesis must be a SparseTensor.")
    if not is_sparse(truth):
        raise TypeError("Truth must be a SparseTensor.")
    found, right = as_sparse(hypothesis, "hypothesis"), as_sparse(truth, "truth")
    return apply(EditDistance, found.indices, found.values, found.dense_shape, right.indices, right.values,
                 right.dense_shape, name=name, normalize=bool(normalize))
