"""AttentionCellWrapper: a cell that also sees what it gave in its last steps."""
from __future__ import annotations

from typing import Any

import graphc as gc
from graphc.api.public import public
from graphc.rnn import structures
from graphc.rnn.cell import RNNCell
from graphc.rnn.linear import linear


@public("contrib.rnn.AttentionCellWrapper")
class AttentionCellWrapper(RNNCell):
    """Attention over the last attn_length outputs, as `tf.contrib.rnn.AttentionCellWrapper`.

    attn_size: the size of the outputs; attn_vec_size: that of the attention's hidden layer; input_size: that of what
    the cell gets. The state is (the cell's, attention, the window of outputs), or all as columns of one matrix. Inputs
    are floats [batch, n]: ValueError for another rank. Raises TypeError for what is no cell, ValueError for an
    attn_length below 1, and if state_is_tuple is False and the cell's state is a tuple.

    >>> cell = gc.contrib.rnn.AttentionCellWrapper(gc.nn.rnn_cell.GRUCell(3), attn_length=4)
    >>> cell.state_size
    (3, 3, 12)
    >>> outputs, state = gc.nn.dynamic_rnn(cell, gc.ones([2, 5, 8]), dtype=gc.float32)
    >>> outputs.shape
    TensorShape([Dimension(2), Dimension(5), Dimension(3)])
    """

    def __init__(self, cell: Any, attn_length: int, attn_size: int | None = None, attn_vec_size: int | None = None,
                 input_size: int | None = None, state_is_tuple: bool = True, reuse: bool | None = None) -> None:
        super().__init__(_reuse=reuse)
        structures.assert_like_rnncell("cell", cell)
        if structures.is_nested(cell.state_size) and not state_is_tuple:
            raise ValueError("Cell returns tuple of states, but the flag state_is_tuple is not set. State size is: "
                             f"{cell.state_size}")
        if attn_length <= 0:
            raise ValueError(f"attn_length should be greater than zero, got {attn_length}")
        self._cell = cell
        self._attn_length = attn_length
        self._attn_size = cell.output_size if attn_size is None else attn_size
        self._attn_vec_size = self._attn_size if attn_vec_size is None else attn_vec_size
        self._input_size = input_size
        self._state_is_tuple = state_is_tuple

    @property
    def state_size(self) -> Any:
        sizes = (self._cell.state_size, self._attn_size, self._attn_size * self._attn_length)
        return sizes if self._state_is_tuple else sum(sizes)

    @property
    def output_size(self) -> Any:
        return self._attn_size

    def call(self, inputs: Any, state: Any) -> tuple[Any, Any]:
        if not self._state_is_tuple:
            window = self._attn_size * self._attn_length
            state = gc.split(state, [self._cell.state_size, self._attn_size, window], axis=1)
        inner, attention, window = state
        window = gc.reshape(window, [-1, self._attn_length, self._attn_size])
        size = inputs.shape[1].value if self._input_size is None else self._input_size
        output, new_inner = self._cell(linear([inputs, attention], size, bias=True), inner)
        query = gc.concat(structures.flatten(new_inner), 1) if self._state_is_tuple else new_inner
        attention = self._attend(query, window)
        with gc.variable_scope("attn_output_projection"):
            output = linear([output, attention], self._attn_size, bias=True)
        window = gc.concat([window[:, 1:], gc.expand_dims(output, 1)], 1)
        new_state = (new_inner, attention, gc.reshape(window, [-1, self._attn_length * self._attn_size]))
        return output, new_state if self._state_is_tuple else gc.concat(list(new_state), 1)

    def _attend(self, query: Any, window: Any) -> Any:
        """The mean of the window's rows, weighted by what the query makes of them."""
        dtype = query.dtype
        with gc.variable_scope("attention"):
            k = gc.get_variable("attn_w", [1, 1, self._attn_size, self._attn_vec_size], dtype)
            v = gc.get_variable("attn_v", [self._attn_vec_size], dtype)
            hidden = gc.reshape(window, [-1, self._attn_length, 1, self._attn_size])
            features = gc.nn.conv2d(hidden, k, [1, 1, 1, 1], "SAME")
            y = gc.reshape(linear(query, self._attn_vec_size, bias=True), [-1, 1, 1, self._attn_vec_size])
            weights = gc.nn.softmax(gc.reduce_sum(v * gc.tanh(features + y), [2, 3]))
            weighted = gc.reshape(weights, [-1, self._attn_length, 1, 1]) * hidden
            return gc.reshape(gc.reduce_sum(weighted, [1, 2]), [-1, self._attn_size])
