"""The memory of attention mechanisms, and scores: what is after the end of a sequence counts for nothing."""
from __future__ import annotations

from typing import Any

import graphc as gc


def prepared(memory: Any, lengths: Any, check_sizes: bool) -> Any:
    """The memory [batch, time, ...], maybe nested, as tensors; zeros after the lengths, if there are any.

    check_sizes: raises ValueError if a size but the first two is not known.
    """
    memory = gc.nest.map_structure(lambda m: gc.convert_to_tensor(m, name="memory"), memory)
    leaves = gc.nest.flatten(memory)
    for leaf in leaves if check_sizes else ():
        if not leaf.get_shape()[2:].is_fully_defined():
            raise ValueError(f"Expected memory {leaf.name} to have fully defined inner dims, but saw shape: "
                             f"{leaf.get_shape()}")
    if lengths is None:
        return memory
    mask = gc.sequence_mask(gc.convert_to_tensor(lengths, name="memory_sequence_length"),
                            maxlen=gc.shape(leaves[0])[1], dtype=leaves[0].dtype)

    def masked(leaf: Any) -> Any:
        wide = mask
        for axis in range(2, leaf.get_shape().ndims):
            wide = gc.expand_dims(wide, axis)
        return leaf * wide

    return gc.nest.map_structure(masked, memory)


def inside_of(lengths: Any, memory: Any) -> Any:
    """bool[batch, time]: what is inside of the lengths, which must be greater than 0; None without lengths.

    Made with the mechanism, so that a loop that calls it checks nothing at every step.
    """
    if lengths is None:
        return None
    message = "All values in memory_sequence_length must be greater than zero."
    with gc.control_dependencies([gc.assert_positive(lengths, message=message)]):
        return gc.sequence_mask(lengths, maxlen=gc.shape(gc.nest.flatten(memory)[0])[1])


def masked_score(score: Any, inside: Any, value: float) -> Any:
    """The score [batch, time], and `value` where it is not inside."""
    return score if inside is None else gc.where(inside, score, value * gc.ones_like(score))
