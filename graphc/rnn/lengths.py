"""Sequences of different lengths in one batch: past its length, a row's output is zeros and its state stays."""
from __future__ import annotations

from typing import Any

import graphc as gc
from graphc.rnn import structures


def as_lengths(sequence_length: Any) -> gc.Tensor:
    """sequence_length as an int32 vector. Raises ValueError for another rank."""
    lengths = gc.cast(gc.convert_to_tensor(sequence_length), gc.int32)
    if lengths.shape.ndims not in (None, 1):
        raise ValueError(f"sequence_length must be a vector of length batch_size, but saw shape: {lengths.shape}")
    return gc.identity(lengths, name="sequence_length")


def checked(lengths: gc.Tensor, batch_size: Any) -> gc.Tensor:
    """The lengths, after a check that there is one for each row."""
    known = lengths.shape.as_list()[0] if lengths.shape.ndims is not None else None
    if known is not None and isinstance(batch_size, int):
        if known != batch_size:
            raise ValueError(f"Expected shape for Tensor {lengths.name} is [{batch_size}] but saw shape: [{known}]")
        return lengths
    found, wanted = gc.shape(lengths), gc.stack([batch_size])
    check = gc.Assert(gc.reduce_all(gc.equal(found, wanted)),
                      [f"Expected shape for Tensor {lengths.name} is ", wanted, " but saw shape: ", found])
    with gc.control_dependencies([check]):
        return gc.identity(lengths, name="CheckSeqLen")


def kept_past_end(time: Any, lengths: gc.Tensor, old: Any, new: Any) -> Any:
    """`old` in the rows whose sequence has ended, else `new`; scalars and TensorArrays are always the new ones."""
    return where_finished(gc.greater_equal(time, lengths), old, new)


def where_finished(finished: gc.Tensor, old: Any, new: Any) -> Any:
    """`old` in the rows that are finished, else `new`."""
    structures.assert_same_structure(old, new)

    def chosen(old_leaf: Any, new_leaf: Any) -> Any:
        if isinstance(old_leaf, gc.TensorArray) or old_leaf.shape.ndims == 0:
            return new_leaf
        kept = gc.where(finished, old_leaf, new_leaf)
        kept.set_shape(old_leaf.shape)
        return kept

    return structures.map_structure(chosen, old, new)
