"""Cells around a cell with variables of their own: an embedding of the inputs, projections of inputs and outputs."""
from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import graphc as gc
from graphc.api.public import public
from graphc.rnn import structures
from graphc.rnn.cell import RNNCell
from graphc.rnn.linear import linear


class Scoped(RNNCell):
    """A cell around a cell that opens a scope of its own, so that the inner cell's variables stand in it."""

    def __init__(self, cell: Any, reuse: bool | None) -> None:
        super().__init__(_reuse=reuse)
        structures.assert_like_rnncell("cell", cell)
        self._cell = cell

    @property
    def state_size(self) -> Any:
        return self._cell.state_size

    @property
    def output_size(self) -> Any:
        return self._cell.output_size

    def zero_state(self, batch_size: Any, dtype: Any) -> Any:
        with gc.name_scope(f"{type(self).__name__}ZeroState"):
            return self._cell.zero_state(batch_size, dtype)


@public("contrib.rnn.EmbeddingWrapper", "compat.v1.nn.rnn_cell.EmbeddingWrapper")
class EmbeddingWrapper(Scoped):
    """Takes indices as inputs and gives the cell their rows of the variable "embedding"; as
    `tf.contrib.rnn.EmbeddingWrapper`. initializer: by default the scope's, or uniform with variance 1.

    Indices are int32 or int64, [batch] or [batch, 1]. Raises TypeError for others and for what is no cell, ValueError
    for sizes below 1.

    >>> cell = gc.contrib.rnn.EmbeddingWrapper(gc.nn.rnn_cell.GRUCell(3), embedding_classes=10, embedding_size=4)
    >>> words = gc.constant([[7, 2, 2], [1, 0, 0]])
    >>> outputs, state = gc.nn.dynamic_rnn(cell, gc.expand_dims(words, 2), dtype=gc.float32)
    >>> outputs.shape, gc.trainable_variables()[0].shape
    (TensorShape([Dimension(2), Dimension(3), Dimension(3)]), TensorShape([Dimension(10), Dimension(4)]))
    """

    def __init__(self, cell: Any, embedding_classes: int, embedding_size: int, initializer: Any = None,
                 reuse: bool | None = None) -> None:
        super().__init__(cell, reuse)
        if embedding_classes <= 0 or embedding_size <= 0:
            raise ValueError("Both embedding_classes and embedding_size must be > 0: "
                             f"{embedding_classes}, {embedding_size}.")
        self._embedding_classes = embedding_classes
        self._embedding_size = embedding_size
        self._initializer = initializer

    def call(self, inputs: Any, state: Any) -> tuple[Any, Any]:
        with gc.device("/cpu:0"):
            bound = math.sqrt(3)
            initializer = (self._initializer or gc.get_variable_scope().initializer
                           or gc.random_uniform_initializer(-bound, bound))
            embedding = gc.get_variable("embedding", [self._embedding_classes, self._embedding_size],
                                        structures.flatten(state)[0].dtype, initializer=initializer)
            return self._cell(gc.nn.embedding_lookup(embedding, gc.reshape(inputs, [-1])), state)


@public("contrib.rnn.InputProjectionWrapper", "compat.v1.nn.rnn_cell.InputProjectionWrapper")
class InputProjectionWrapper(Scoped):
    """Gives the cell activation(inputs * kernel + bias), num_proj columns; as
    `tf.contrib.rnn.InputProjectionWrapper`. input_size has no effect.

    Inputs are floats [batch, n]: ValueError for another rank; TypeError for what is no cell.

    >>> cell = gc.contrib.rnn.InputProjectionWrapper(gc.nn.rnn_cell.GRUCell(3), num_proj=2)
    >>> output, state = cell(gc.ones([1, 8]), cell.zero_state(1, gc.float32))
    >>> [(v.op.name, v.shape.as_list()) for v in gc.trainable_variables()]
    [('input_projection_wrapper/kernel', [8, 2]), ('input_projection_wrapper/bias', [2]),
    ('input_projection_wrapper/gru_cell/gates/kernel', [5, 6]), ('input_projection_wrapper/gru_cell/gates/bias',
    [6]), ('input_projection_wrapper/gru_cell/candidate/kernel', [5, 3]),
    ('input_projection_wrapper/gru_cell/candidate/bias', [3])]
    """

    def __init__(self, cell: Any, num_proj: int, activation: Callable[[Any], Any] | None = None,
                 input_size: Any = None, reuse: bool | None = None) -> None:
        super().__init__(cell, reuse)
        self._num_proj = num_proj
        self._activation = activation

    def call(self, inputs: Any, state: Any) -> tuple[Any, Any]:
        projected = linear(inputs, self._num_proj, bias=True)
        return self._cell(self._activation(projected) if self._activation else projected, state)


@public("contrib.rnn.OutputProjectionWrapper", "compat.v1.nn.rnn_cell.OutputProjectionWrapper")
class OutputProjectionWrapper(Scoped):
    """Gives activation(the cell's outputs * kernel + bias), output_size columns; as
    `tf.contrib.rnn.OutputProjectionWrapper`.

    The cell's outputs are floats [batch, n]. Raises TypeError for what is no cell, ValueError for an output_size below
    1.

    >>> cell = gc.contrib.rnn.OutputProjectionWrapper(gc.nn.rnn_cell.GRUCell(3), output_size=10)
    >>> output, state = cell(gc.ones([1, 8]), cell.zero_state(1, gc.float32))
    >>> output.shape, state.shape
    (TensorShape([Dimension(1), Dimension(10)]), TensorShape([Dimension(1), Dimension(3)]))
    """

    def __init__(self, cell: Any, output_size: int, activation: Callable[[Any], Any] | None = None,
                 reuse: bool | None = None) -> None:
        super().__init__(cell, reuse)
        if output_size < 1:
            raise ValueError(f"Parameter output_size must be > 0: {output_size}.")
        self._output_size = output_size
        self._activation = activation

    @property
    def output_size(self) -> Any:
        return self._output_size

    def call(self, inputs: Any, state: Any) -> tuple[Any, Any]:
        output, new_state = self._cell(inputs, state)
        projected = linear(output, self._output_size, bias=True)
        return self._activation(projected) if self._activation else projected, new_state
