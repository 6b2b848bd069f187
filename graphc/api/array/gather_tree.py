"""The sequences that the beams of a search came along."""
from __future__ import annotations

from typing import Any

from graphc.api.public import public
from graphc.ir.apply import apply, convert_to_tensor
from graphc.ir.dtypes import int32
from graphc.ir.op import OPS
from graphc.ir.tensor import Tensor


@public("contrib.seq2seq.gather_tree")
def gather_tree(step_ids: Any, parent_ids: Any, max_sequence_lengths: Any, end_token: Any,
                name: str | None = None) -> Tensor:
    """The ids of whole beams, int32 [time, batch, beam], from those of each step and the beam that each came from.

    step_ids, parent_ids: int32 [time, batch, beam]. max_sequence_lengths: int32 [batch]; after it, and after the
    first end_token (a scalar), all is end_token. A parent id that is no beam ends the run with InvalidArgumentError.
    Raises TypeError for numbers that are no integers, ValueError for tensors of other dtypes and for other ranks. As
    `tf.contrib.seq2seq.gather_tree`.

    >>> steps = [[[1, 2]], [[3, 4]], [[5, 6]]]                # three steps, one sequence, two beams
    >>> parents = [[[0, 0]], [[1, 0]], [[1, 0]]]
    >>> gc.contrib.seq2seq.gather_tree(steps, parents, [3], 9)[:, 0].eval().T
    array([[1, 4, 5],
           [2, 3, 6]], dtype=int32)
    """
    inputs = [convert_to_tensor(x, int32) for x in (step_ids, parent_ids, max_sequence_lengths, end_token)]
    found: Tensor = apply(OPS["GatherTree"], *inputs, name=name)
    return found
