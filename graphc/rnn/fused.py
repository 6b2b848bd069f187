"""What runs a whole sequence [time, batch, depth] in one call, under TensorFlow's names for it."""
from __future__ import annotations

from abc import ABCMeta, abstractmethod
from typing import Any

import graphc as gc
from graphc.api.public import public
from graphc.rnn.blocks import LSTMBlockCell
from graphc.rnn.cell import LayerRNNCell
from graphc.rnn.dynamic import dynamic_rnn
from graphc.rnn.static import static_rnn


@public("contrib.rnn.FusedRNNCell")
class FusedRNNCell(metaclass=ABCMeta):
    """Base of what computes a whole sequence at once, as `tf.contrib.rnn.FusedRNNCell`: called with inputs [time,
    batch, depth], or a list of one matrix a step, it gives (outputs in the same form, final state).

    The state is in the cell's form, dtype that of a first state of zeros, sequence_length [batch].

    >>> cell = gc.contrib.rnn.FusedRNNCellAdaptor(gc.nn.rnn_cell.GRUCell(3))
    >>> isinstance(cell, gc.contrib.rnn.FusedRNNCell)
    True
    >>> outputs, state = cell([gc.ones([2, 4]), gc.ones([2, 4])], dtype=gc.float32)
    >>> len(outputs), outputs[0].shape
    (2, TensorShape([Dimension(2), Dimension(3)]))
    """

    @abstractmethod
    def __call__(self, inputs: Any, initial_state: Any = None, dtype: Any = None, sequence_length: Any = None,
                 scope: Any = None) -> tuple[Any, Any]:
        """Runs the whole sequence."""


@public("contrib.rnn.FusedRNNCellAdaptor")
class FusedRNNCellAdaptor(FusedRNNCell):
    """A cell as a FusedRNNCell, by dynamic_rnn or static_rnn; as `tf.contrib.rnn.FusedRNNCellAdaptor`.

    Raises ValueError when called with neither initial_state nor dtype.

    >>> cell = gc.contrib.rnn.FusedRNNCellAdaptor(gc.nn.rnn_cell.GRUCell(3), use_dynamic_rnn=True)
    >>> outputs, state = cell(gc.ones([5, 2, 4]), dtype=gc.float32, sequence_length=[5, 2])
    >>> outputs.shape, state.shape
    (TensorShape([Dimension(5), Dimension(2), Dimension(3)]), TensorShape([Dimension(2), Dimension(3)]))
    """

    def __init__(self, cell: Any, use_dynamic_rnn: bool = False) -> None:
        self._cell = cell
        self._use_dynamic_rnn = use_dynamic_rnn

    def __call__(self, inputs: Any, initial_state: Any = None, dtype: Any = None, sequence_length: Any = None,
                 scope: Any = None) -> tuple[Any, Any]:
        listed = isinstance(inputs, list)
        if self._use_dynamic_rnn:
            outputs, state = dynamic_rnn(self._cell, gc.stack(inputs) if listed else inputs, sequence_length,
                                         initial_state, dtype, time_major=True, scope=scope)
            return gc.unstack(outputs, num=len(inputs)) if listed else outputs, state
        outputs, state = static_rnn(self._cell, inputs if listed else gc.unstack(inputs), initial_state, dtype,
                                    sequence_length, scope)
        return outputs if listed else gc.stack(outputs), state


@public("contrib.rnn.TimeReversedFusedRNN")
class TimeReversedFusedRNN(FusedRNNCell):
    """A FusedRNNCell from the end of each sequence, as `tf.contrib.rnn.TimeReversedFusedRNN`.

    Inputs, state and errors are those of the cell, which is a FusedRNNCell.

    >>> backward = gc.contrib.rnn.TimeReversedFusedRNN(gc.contrib.rnn.LSTMBlockFusedCell(3))
    >>> outputs, state = backward(gc.ones([5, 2, 4]), dtype=gc.float32)
    >>> gc.global_variables_initializer().run()
    >>> np.array_equal(outputs[0].eval(), state.h.eval())
    True
    """

    def __init__(self, cell: FusedRNNCell) -> None:
        self._cell = cell

    def __call__(self, inputs: Any, initial_state: Any = None, dtype: Any = None, sequence_length: Any = None,
                 scope: Any = None) -> tuple[Any, Any]:
        outputs, state = self._cell(_reversed(inputs, sequence_length), initial_state=initial_state, dtype=dtype,
                                    sequence_length=sequence_length, scope=scope)
        return _reversed(outputs, sequence_length), state


def _reversed(x: Any, lengths: Any) -> Any:
    if isinstance(x, list):
        return x[::-1]
    return gc.reverse(x, [0]) if lengths is None else gc.reverse_sequence(x, lengths, seq_axis=0, batch_axis=1)


@public("contrib.rnn.LSTMBlockFusedCell")
class LSTMBlockFusedCell(LSTMBlockCell):
    """An LSTM over a whole sequence [time, batch, depth], as `tf.contrib.rnn.LSTMBlockFusedCell`: a call takes the
    arguments of a FusedRNNCell. Past a row's length its output is zeros and its state stays.

    Inputs are floats. Raises ValueError for others, for another rank or number of lengths, and with neither
    initial_state nor dtype.

    >>> cell = gc.contrib.rnn.LSTMBlockFusedCell(3)
    >>> outputs, state = cell(gc.ones([5, 2, 4]), dtype=gc.float32, sequence_length=[5, 1])
    >>> gc.global_variables_initializer().run()
    >>> (outputs.eval()[:, :, 0] != 0.).astype(int)
    array([[1, 1],
           [1, 0],
           [1, 0],
           [1, 0],
           [1, 0]])
    """

    def __init__(self, num_units: int, forget_bias: float = 1.0, cell_clip: float | None = None,
                 use_peephole: bool = False, reuse: bool | None = None, dtype: Any = None,
                 name: str = "lstm_fused_cell") -> None:
        super().__init__(num_units, forget_bias, cell_clip, use_peephole, dtype, reuse, name)

    num_units = property(lambda self: self._num_units, doc="The size of c and h.")

    def __call__(self, inputs: Any, initial_state: Any = None, dtype: Any = None, sequence_length: Any = None,
                 scope: Any = None) -> tuple[Any, Any]:
        listed = isinstance(inputs, list)
        sequence = gc.stack(inputs) if listed else gc.convert_to_tensor(inputs)
        if initial_state is not None and len(initial_state) != 2:
            raise ValueError("Expecting initial_state to be a tuple with length 2 or None")
        initial = None if initial_state is None else self.joined(*initial_state)
        self._set_scope(scope)
        outputs, state = dynamic_rnn(_Step(self), sequence, sequence_length, initial, dtype, time_major=True,
                                     scope=self._scope)
        return gc.unstack(outputs, num=len(inputs)) if listed else outputs, state


FusedRNNCell.register(LSTMBlockFusedCell)      # which it is in TensorFlow, too


class _Step:
    """One step of a fused cell, for dynamic_rnn."""

    def __init__(self, cell: LSTMBlockFusedCell) -> None:
        self._cell = cell
        self.output_size, self.state_size, self.zero_state = cell.output_size, cell.state_size, cell.zero_state

    def __call__(self, inputs: Any, state: Any) -> tuple[Any, Any]:
        return LayerRNNCell.__call__(self._cell, inputs, state)
