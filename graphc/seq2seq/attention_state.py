"""AttentionWrapperState: what an AttentionWrapper carries from step to step."""
from __future__ import annotations

from typing import Any, NamedTuple

import graphc as gc
from graphc.api.public import public


class _Fields(NamedTuple):
    cell_state: Any
    attention: Any
    time: Any
    alignments: Any
    alignment_history: Any
    attention_state: Any


@public("contrib.seq2seq.AttentionWrapperState")
class AttentionWrapperState(_Fields):
    """The state of an AttentionWrapper, as `tf.contrib.seq2seq.AttentionWrapperState`: that of the wrapped cell, the
    last attention, the number of steps, and of each mechanism (a tuple, if they are given as a list) the last
    alignments, the TensorArray of all of them or (), and its state. clone(name=value, ...) gives a copy with other
    values, as for a first state that an encoder made.

    clone raises ValueError for other names, structures and shapes.

    >>> mechanism = gc.contrib.seq2seq.LuongAttention(4, gc.ones([2, 7, 6]))
    >>> cell = gc.contrib.seq2seq.AttentionWrapper(gc.nn.rnn_cell.GRUCell(4), mechanism)
    >>> state = cell.zero_state(2, gc.float32).clone(cell_state=gc.ones([2, 4]))
    >>> state.cell_state.eval()[0], state.attention.shape
    (array([1., 1., 1., 1.], dtype=float32), TensorShape([Dimension(2), Dimension(6)]))
    """

    __slots__ = ()

    def clone(self, **kwargs: Any) -> AttentionWrapperState:
        """The state with other fields, which must nest as before. Raises ValueError if the shape of a tensor differs;
        what is not known of shapes is checked when run."""
        return gc.nest.map_structure(_with_shape_of, self, self._replace(**kwargs))


def _with_shape_of(old: Any, new: Any) -> Any:
    if not (isinstance(old, gc.Tensor) and isinstance(new, gc.Tensor)):
        return new
    if not new.shape.is_compatible_with(old.shape):
        raise ValueError(f"the shape of {new.name} is {new.shape}, but that of what it replaces, {old.name}, is "
                         f"{old.shape}. Are you using the BeamSearchDecoder? Then states and memory need "
                         "contrib.seq2seq.tile_batch")
    if old.shape.is_fully_defined() and new.shape.is_fully_defined():
        return new
    message = f"{new.name} must have the shape of {old.name}, which it replaces"
    with gc.control_dependencies([gc.assert_equal(gc.shape(new), gc.shape(old), message=message)]):
        checked = gc.identity(new)
    checked.set_shape(old.shape)
    return checked
