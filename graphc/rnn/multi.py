"""MultiRNNCell: cells on top of each other."""
from __future__ import annotations

from typing import Any

import graphc as gc
from graphc.api.public import public
from graphc.rnn import structures
from graphc.rnn.cell import RNNCell
from graphc.wording import warn


@public("nn.rnn_cell.MultiRNNCell", "contrib.rnn.MultiRNNCell")
class MultiRNNCell(RNNCell):
    """Each cell's output is the input of the next one, as `tf.nn.rnn_cell.MultiRNNCell`.

    state_is_tuple=False: the states are the columns of one matrix; then no cell's own state may be a tuple. Raises
    TypeError for cells that are no list, ValueError for an empty one and for a state that is no tuple of as many.

    >>> cell = gc.nn.rnn_cell.MultiRNNCell([gc.nn.rnn_cell.LSTMCell(3), gc.nn.rnn_cell.GRUCell(2)])
    >>> outputs, states = gc.nn.dynamic_rnn(cell, gc.ones([2, 5, 4]), dtype=gc.float32)
    >>> outputs.shape, cell.state_size
    (TensorShape([Dimension(2), Dimension(5), Dimension(2)]), (LSTMStateTuple(c=3, h=3), 2))
    """

    def __init__(self, cells: Any, state_is_tuple: bool = True) -> None:
        super().__init__()
        if not isinstance(cells, (list, tuple)):
            raise TypeError(f"MultiRNNCell: argument 'cells' must be a list or tuple, but saw: {cells}.")
        if not cells:
            raise ValueError("Must specify at least one cell for MultiRNNCell.")
        for i, cell in enumerate(cells):
            structures.assert_like_rnncell(f"cells[{i}]", cell)
        if not state_is_tuple and any(structures.is_nested(cell.state_size) for cell in cells):
            raise ValueError("Some cells return tuples of states, but the flag state_is_tuple is not set.  State sizes "
                             f"are: {[cell.state_size for cell in cells]}")
        if len({id(cell) for cell in cells}) < len(cells):
            warn("at least two cells given to MultiRNNCell are the same object and share their variables; "
                 "make one for each layer: [make_cell() for _ in range(layers)]")
        self._cells = cells
        self._state_is_tuple = state_is_tuple

    @property
    def state_size(self) -> Any:
        """A tuple of those of the cells, or their sum."""
        sizes = tuple(cell.state_size for cell in self._cells)
        return sizes if self._state_is_tuple else sum(sizes)

    @property
    def output_size(self) -> Any:
        """That of the last cell."""
        return self._cells[-1].output_size

    def zero_state(self, batch_size: Any, dtype: Any) -> Any:
        if not self._state_is_tuple:
            return super().zero_state(batch_size, dtype)
        with gc.name_scope(f"{type(self).__name__}ZeroState"):
            return tuple(cell.zero_state(batch_size, dtype) for cell in self._cells)

    @property
    def trainable_weights(self) -> list[Any]:
        return self._of_cells("trainable_weights") if self.trainable else []

    @property
    def non_trainable_weights(self) -> list[Any]:
        frozen = [] if self.trainable else self._of_cells("trainable_weights")
        return [*frozen, *self._of_cells("non_trainable_weights")]

    def _of_cells(self, kind: str) -> list[Any]:
        return [variable for cell in self._cells for variable in getattr(cell, kind, ())]

    def call(self, inputs: Any, state: Any) -> tuple[Any, Any]:
        if self._state_is_tuple and not structures.is_nested(state):
            raise ValueError(f"Expected state to be a tuple of length {len(self._cells)}, but received: {state}")
        states = state if self._state_is_tuple else gc.split(state, [c.state_size for c in self._cells], axis=1)
        new_states = []
        for i, (cell, old) in enumerate(zip(self._cells, states, strict=True)):
            with gc.variable_scope(f"cell_{i}"):
                inputs, new = cell(inputs, old)
                new_states.append(new)
        return inputs, tuple(new_states) if self._state_is_tuple else gc.concat(new_states, 1)
