"""Elements moved along axes: roll, reverse_sequence."""
from __future__ import annotations

from typing import Any

from graphc.api.public import public
from graphc.ir.apply import apply
from graphc.ir.tensor import Tensor
from graphc.ops.array.rearrange import ReverseSequence, Roll


@public("roll", "manip.roll")
def roll(input: Any, shift: Any, axis: Any, name: str | None = None) -> Tensor:
    """Element i along an axis goes to i + shift, around the end.

    input: of any dtype. shift, axis: int32 or int64 scalars, or vectors of the same length; shifts along one axis add
    up. Raises ValueError for a scalar input, an axis out of range and lengths that differ, TypeError for Python shifts
    that are no integers. As `tf.roll`.

    >>> gc.roll([1, 2, 3, 4, 5], shift=2, axis=0).eval()
    array([4, 5, 1, 2, 3], dtype=int32)
    >>> gc.roll([[1, 2], [3, 4]], shift=[1, 1], axis=[0, 1]).eval()
    array([[4, 3],
           [2, 1]], dtype=int32)
    """
    result: Tensor = apply(Roll, input, shift, axis, name=name)
    return result


@public("reverse_sequence")
def reverse_sequence(input: Any, seq_lengths: Any, seq_axis: int | None = None, batch_axis: int | None = None,
                     name: str | None = None, seq_dim: int | None = None, batch_dim: int | None = None) -> Tensor:
    """Of each sequence the first seq_lengths[i] elements reversed, the others left: what a backward RNN reads.

    input: of any dtype. seq_lengths: int32 or int64 [batch], at most the size of seq_axis. seq_axis: the time axis,
    which must be given; batch_axis: 0 by default. seq_dim, batch_dim: their older names. Raises ValueError if seq_axis
    is missing, is batch_axis or is out of range, and for another number of lengths, TypeError for other dtypes of them;
    a length that is too large ends the run with InvalidArgumentError. As `tf.reverse_sequence`.

    >>> x = gc.constant([[1, 2, 3, 0], [4, 5, 0, 0]])
    >>> gc.reverse_sequence(x, [3, 2], seq_axis=1).eval()
    array([[3, 2, 1, 0],
           [5, 4, 0, 0]], dtype=int32)
    """
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
