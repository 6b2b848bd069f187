"""Cells that are one op each in TensorFlow. Here every cell is compiled: these are LSTMCell and GRUCell with other
arguments and names of variables."""
from __future__ import annotations

from typing import Any

import graphc as gc
from graphc.api.public import public
from graphc.rnn.basic import GRUCell
from graphc.rnn.lstm import LSTMCell, bounded


@public("contrib.rnn.LSTMBlockCell")
class LSTMBlockCell(LSTMCell):
    """LSTMCell in one op, as `tf.contrib.rnn.LSTMBlockCell`, with the variables of BasicLSTMCell. cell_clip bounds the
    memory if it is positive; gradients pass the bound.

    Inputs are floats [batch, n]. The state is an LSTMStateTuple of [batch, num_units]. Raises as BasicLSTMCell.

    >>> cell = gc.contrib.rnn.LSTMBlockCell(3)
    >>> output, state = cell(gc.ones([2, 4]), cell.zero_state(2, gc.float32))
    >>> output.shape, [(v.op.name, v.shape.as_list()) for v in cell.variables]
    (TensorShape([Dimension(2), Dimension(3)]), [('lstm_cell/kernel', [7, 12]), ('lstm_cell/bias', [12])])
    """

    def __init__(self, num_units: int, forget_bias: float = 1.0, cell_clip: float | None = None,
                 use_peephole: bool = False, dtype: Any = None, reuse: bool | None = None,
                 name: str = "lstm_cell") -> None:
        super().__init__(num_units, use_peephole, forget_bias=forget_bias, dtype=dtype, reuse=reuse, name=name)
        self._limit = cell_clip if cell_clip is not None and cell_clip > 0 else None

    def _bounded_memory(self, c: Any) -> Any:
        return c if self._limit is None else c + gc.stop_gradient(bounded(c, self._limit) - c)


@public("contrib.rnn.GRUBlockCellV2")
class GRUBlockCellV2(GRUCell):
    """GRUCell in one op, with its variables and its results, as `tf.contrib.rnn.GRUBlockCellV2`. cell_size: a former
    name of num_units.

    Inputs are floats [batch, n]. The state is [batch, num_units]. Raises ValueError unless one of num_units and
    cell_size is given, else as GRUCell.

    >>> cell = gc.contrib.rnn.GRUBlockCellV2(3)
    >>> output, state = cell(gc.ones([2, 4]), cell.zero_state(2, gc.float32))
    >>> output.shape, [(v.op.name, v.shape.as_list()) for v in cell.variables][:2]
    (TensorShape([Dimension(2), Dimension(3)]), [('gru_cell/gates/kernel', [7, 6]), ('gru_cell/gates/bias', [6])])
    """

    def __init__(self, num_units: int | None = None, cell_size: int | None = None, reuse: bool | None = None,
                 name: str = "gru_cell") -> None:
        if (cell_size is None) == (num_units is None):
            raise ValueError("Exactly one of num_units or cell_size must be provided.")
        super().__init__(num_units if cell_size is None else cell_size, reuse=reuse, name=name)


@public("contrib.rnn.GRUBlockCell")
class GRUBlockCell(GRUBlockCellV2):
    """GRUBlockCellV2, as `tf.contrib.rnn.GRUBlockCell` with the variables w_ru, b_ru, w_c and b_c.

    Inputs, state and errors are those of that.

    >>> cell = gc.contrib.rnn.GRUBlockCell(3)
    >>> output, state = cell(gc.ones([2, 4]), cell.zero_state(2, gc.float32))
    >>> [(v.op.name, v.shape.as_list()) for v in cell.variables]
    [('gru_cell/w_ru', [7, 6]), ('gru_cell/b_ru', [6]), ('gru_cell/w_c', [7, 3]), ('gru_cell/b_c', [3])]
    """

    variable_names = ("w_ru", "b_ru", "w_c", "b_c")
