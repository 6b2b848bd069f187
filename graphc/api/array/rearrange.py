"""Elements moved along axes: roll, reverse_sequence."""
from __future__ import annotations

from typing import Any

from graphc.api.public import public
from graphc.ir.apply import apply
from graphc.ir.tensor import Tensor
from graphc.ops.array.rearrange import ReverseSequence, Roll


@public("roll", "manip.roll")
def roll(input: Any, shift: Any, axis: Any, name: str | None = None) -> Tensor:
    """Element i along axis goes to i + shift, around the end, as `tf.roll`. shift, axis: numbers, or lists of them."""
    result: Tensor = apply(Roll, input, shift, axis, name=name)
    return result


@public("reverse_sequence")
def reverse_sequence(input: Any, seq_lengths: Any, seq_axis: int | None = None, batch_axis: int | None = None,
                     name: str | None = None, seq_dim: int | None = None, batch_dim: int | None = None) -> Tensor:
    """Of each sequence along seq_axis the first seq_lengths[i] elements reversed, where i is the index along batch_axis
    (0), as `tf.reverse_sequence`. seq_dim, batch_dim: the old names."""
    if seq_axis is not None and seq_dim is not None:
        raise ValueError("reverse_sequence takes one of seq_axis and (deprecated) seq_dim")
    if batch_axis is not None and batch_dim is not None:
        raise ValueError("reverse_sequence takes one of batch_axis and (deprecated) batch_dim")
    sequence = seq_dim if seq_axis is None else seq_axis
    if sequence is None:
        raise ValueError("reverse_sequence: argument 'seq_axis' is missing")
    batch = (batch_dim if batch_axis is None else batch_axis) or 0
    result: Tensor = apply(ReverseSequence, input, seq_lengths, name=name, seq_dim=int(sequence), batch_dim=int(batch))
    return result
