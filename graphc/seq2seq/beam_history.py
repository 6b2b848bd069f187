"""What was kept at every step of a beam search, in the order of the final beams."""
from __future__ import annotations

from typing import Any

import graphc as gc
from graphc.seq2seq.beams import Beams


def sorted_history(history: Any, parent_ids: Any, lengths: Any, beams: Beams) -> gc.Tensor:
    """history [time, batch * width, ...] or [time, batch, width, ...]: what belongs to the beam that each final one
    came from, up to its length; after it as it is. An error when run if the sizes do not fit."""
    time, batch, width = gc.shape(parent_ids)[0], beams.batch_size, beams.width
    with gc.control_dependencies([_check(history, beams)]):
        own = gc.tile(gc.reshape(gc.range(width), [1, 1, -1]), [time, batch, 1])
        longest = gc.cast(gc.reduce_max(lengths, axis=1), gc.int32)
        found = gc.contrib.seq2seq.gather_tree(own, parent_ids, max_sequence_lengths=longest, end_token=width + 1)
        inside = gc.transpose(gc.sequence_mask(lengths, maxlen=time), perm=[2, 0, 1])
        found = gc.where(inside, found, own)
        steps = gc.tile(gc.reshape(gc.range(time), [-1, 1, 1]), [1, batch, width])
        entries = gc.tile(gc.reshape(gc.range(batch), [1, -1, 1]), [time, 1, width])
        rows = gc.reshape(history, [time, batch, width, -1])
        ordered = gc.gather_nd(rows, gc.stack([steps, entries, found], -1))
        made = gc.reshape(ordered, gc.shape(history))
        made.set_shape(history.shape)
        return made


def _check(history: Any, beams: Beams) -> Any:
    sizes = gc.shape(history)
    fits = gc.equal(sizes[1], beams.batch_size * beams.width)
    if history.shape.ndims != 2:
        both = gc.logical_and(gc.equal(sizes[1], beams.batch_size), gc.equal(sizes[2], beams.width))
        fits = gc.logical_or(fits, both)
    return gc.Assert(fits, ["TensorArray reordering expects elements to be reshapable to [batch_size, beam_size, -1] "
                            f"which is incompatible with the dynamic shape of {history.name} elements. Consider "
                            "setting reorder_tensor_arrays to False to disable TensorArray reordering during the "
                            "beam search."])
