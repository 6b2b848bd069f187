"""GridLSTMCell: LSTMs over time and over windows of the inputs ("frequencies") that see each other's memory."""
from __future__ import annotations

from collections import namedtuple
from typing import Any

import graphc as gc
from graphc.api.public import public
from graphc.rnn import structures
from graphc.rnn.cell import RNNCell
from graphc.rnn.lstm import bounded
from graphc.rnn.sharded import sharded, windows


@public("contrib.rnn.GridLSTMCell")
class GridLSTMCell(RNNCell):
    """An LSTM over time and one over windows of the inputs, each with its own weights, as
    `tf.contrib.rnn.GridLSTMCell`: the output is both LSTMs' h for each window, side by side.

    A window has feature_size columns, and begins frequency_skip after the one before. num_frequency_blocks: the number
    of windows in each block, whose columns are start_freqindex_list[i] to end_freqindex_list[i] (without them one block
    of all columns). initializer has no effect, as in TensorFlow. Inputs are floats [batch, n]. Raises ValueError
    without num_frequency_blocks, feature_size or frequency_skip, if their number of windows is not that of the inputs,
    or for lists of different lengths; TypeError for integers.

    >>> cell = gc.contrib.rnn.GridLSTMCell(2, feature_size=3, frequency_skip=3, num_frequency_blocks=[2])
    >>> outputs, state = gc.nn.static_rnn(cell, [gc.ones([1, 6])], dtype=gc.float32)
    >>> outputs[0].shape                        # two windows, two LSTMs of two units
    TensorShape([Dimension(1), Dimension(8)])
    """

    prefixes: tuple[str, ...] = ("",)      # of the parts of the state: one for each direction
    tuple_name = "GridLSTMStateTuple"

    def __init__(self, num_units: int, use_peepholes: bool = False, share_time_frequency_weights: bool = False,
                 cell_clip: float | None = None, initializer: Any = None, num_unit_shards: int = 1,
                 forget_bias: float = 1.0, feature_size: int | None = None, frequency_skip: int | None = None,
                 num_frequency_blocks: list[int] | None = None, start_freqindex_list: list[int] | None = None,
                 end_freqindex_list: list[int] | None = None, couple_input_forget_gates: bool = False,
                 state_is_tuple: bool = True, reuse: bool | None = None) -> None:
        super().__init__(_reuse=reuse)
        if num_frequency_blocks is None or feature_size is None or frequency_skip is None:
            raise ValueError("Must specify num_frequency_blocks, feature_size and frequency_skip")
        self._num_units = num_units
        self._use_peepholes = use_peepholes
        self._share_weights = share_time_frequency_weights
        self._cell_clip = cell_clip
        self._shards = num_unit_shards
        self._forget_bias = forget_bias
        self._feature_size = feature_size
        self._frequency_skip = frequency_skip
        self._blocks = [int(count) for count in num_frequency_blocks]
        self._bounds = _bounds(self._blocks, start_freqindex_list, end_freqindex_list)
        self._coupled = couple_input_forget_gates
        self._state_is_tuple = state_is_tuple
        names = [f"{prefix}state_f{window:02d}_b{block:02d}_{part}" for prefix in self.prefixes
                 for block, count in enumerate(self._blocks) for window in range(count) for part in "cm"]
        self._tuple = namedtuple(self.tuple_name, names)

    @property
    def state_tuple_type(self) -> Any:
        """The namedtuple of the state; None if the state is a matrix."""
        return self._tuple if self._state_is_tuple else None

    @property
    def state_size(self) -> Any:
        sizes = self._tuple(*[self._num_units] * len(self._tuple._fields))
        return sizes if self._state_is_tuple else sum(sizes)

    @property
    def output_size(self) -> Any:
        return self._num_units * len(self._tuple._fields)

    def call(self, inputs: Any, state: Any) -> tuple[Any, Any]:
        outputs, states = self._over_blocks(self._windows(inputs), state, "")
        return gc.concat(outputs, 1), self._tuple(*states) if self._state_is_tuple else gc.concat(states, 1)

    def _windows(self, inputs: Any, offset: int = 0) -> list[list[Any]]:
        """The windows of each block; with an offset, of the inputs moved by so many columns, zeros coming in."""
        if offset:
            inputs = gc.pad(inputs, [[0, 0], [max(-offset, 0), max(offset, 0)]])
        first = max(offset, 0)
        found = []
        for count, bounds in zip(self._blocks, self._bounds, strict=True):
            start, end = bounds or (0, inputs.shape[1].value - abs(offset))
            block = windows(inputs[:, start + first:end + first], self._feature_size, self._frequency_skip)
            if len(block) != count:
                raise ValueError(f"Invalid num_frequency_blocks, requires {count} but gets {len(block)}, please check "
                                 "the input size and filter config are correct.")
            found.append(block)
        return found

    def _over_blocks(self, blocks: list[list[Any]], state: Any, prefix: str) -> tuple[list[Any], list[Any]]:
        outputs, states = [], []
        for number, block in enumerate(blocks):
            weights = _Weights(self, number, block[0])
            c_freq = h_freq = structures.zeros(structures.batch_size_of(block[0], 0), self._num_units, block[0].dtype)
            for k, window in enumerate(block):
                c_time, h_time = self._old(state, f"{prefix}state_f{k:02d}_b{number:02d}", k)
                x = gc.concat([window, h_time, h_freq], 1)
                c_freq, c_time, h_freq, h_time = self._pair(weights, x, c_freq, c_time)
                outputs += [h_time, h_freq]
                states += [c_time, h_time]
        return outputs, states

    def _old(self, state: Any, name: str, window: int) -> tuple[Any, Any]:
        """c and h of a window over time. In a matrix, blocks share the columns of their windows, as in TensorFlow."""
        if self._state_is_tuple:
            return getattr(state, f"{name}_c"), getattr(state, f"{name}_m")
        units = self._num_units
        first = 2 * window * units
        return state[:, first:first + units], state[:, first + units:first + 2 * units]

    def _pair(self, weights: _Weights, x: Any, c_freq: Any, c_time: Any) -> tuple[Any, Any, Any, Any]:
        """The next c and h of both LSTMs: over the windows, and over time."""
        old = (c_freq, c_time)
        new, outputs = [], []
        for direction, c in zip(("freq", "time"), old, strict=True):
            gates = weights.gates(direction, x)
            keep_new = gc.sigmoid(gates[0] + weights.peep("I", direction, old))
            keep_old = (1.0 - keep_new if self._coupled
                        else gc.sigmoid(gates[2] + self._forget_bias + weights.peep("F", direction, old)))
            new.append(bounded(keep_old * c + keep_new * gc.tanh(gates[1]), self._cell_clip))
            outputs.append(gates[-1])
        hs = [gc.sigmoid(o + weights.peep("O", direction, new)) * gc.tanh(c)
              for o, c, direction in zip(outputs, new, ("freq", "time"), strict=True)]
        return new[0], new[1], hs[0], hs[1]


class _Weights:
    """The variables of one block. With shared weights, both directions take those of the frequencies."""

    def __init__(self, cell: GridLSTMCell, block: int, window: Any) -> None:
        units, dtype, gates = cell._num_units, window.dtype, 3 if cell._coupled else 4
        rows = window.shape[1].value + 2 * units
        self.directions = ("freq",) if cell._share_weights else ("freq", "time")
        self.number_of_gates = gates
        self.linear = {}
        for direction in self.directions:
            name = f"{direction[0]}_{block}"
            matrix = sharded(f"W_{name}", [rows, gates * units], dtype, cell._shards)
            bias = gc.get_variable(f"B_{name}", [gates * units], dtype, initializer=gc.zeros_initializer())
            self.linear[direction] = (matrix, bias)
        self.diagonals = {}
        if cell._use_peepholes:
            for direction in self.directions:
                for gate in "IO" if cell._coupled else "FIO":
                    self.diagonals[gate, direction] = [
                        gc.get_variable(f"W_{gate}_diag_{direction}{source}_{block}", [units], dtype)
                        for source in "ft"]

    def gates(self, direction: str, x: Any) -> list[Any]:
        matrix, bias = self.linear[self._own(direction)]
        return gc.split(gc.nn.bias_add(gc.matmul(x, matrix), bias), self.number_of_gates, axis=1)

    def peep(self, gate: str, direction: str, memories: Any) -> Any:
        """What both memories add to a gate; 0 without peepholes."""
        factors = self.diagonals.get((gate, self._own(direction)))
        return 0.0 if factors is None else factors[0] * memories[0] + factors[1] * memories[1]

    def _own(self, direction: str) -> str:
        return direction if direction in self.directions else "freq"


def _bounds(blocks: list[int], starts: list[int] | None, ends: list[int] | None) -> list[Any]:
    """First and last column of each block; None for all columns."""
    if not starts:
        if len(blocks) != 1:
            raise ValueError(f"Length of num_frequency_blocks is not 1, but instead is {len(blocks)}")
        return [None]
    if len(starts) != len(ends or ()) or len(starts) != len(blocks):
        raise ValueError(f"num_frequency_blocks, start_freqindex_list and end_freqindex_list must have one length, but "
                         f"are {blocks}, {starts} and {ends}")
    return list(zip(starts, ends or (), strict=True))


@public("contrib.rnn.BidirectionalGridLSTMCell")
class BidirectionalGridLSTMCell(GridLSTMCell):
    """GridLSTMCell over the windows in both directions, as `tf.contrib.rnn.BidirectionalGridLSTMCell`.
    backward_slice_offset: so many columns are the windows of the second direction moved.

    Inputs and errors are those of that.

    >>> cell = gc.contrib.rnn.BidirectionalGridLSTMCell(2, feature_size=3, frequency_skip=3, num_frequency_blocks=[2])
    >>> outputs, state = gc.nn.static_rnn(cell, [gc.ones([1, 6])], dtype=gc.float32)
    >>> outputs[0].shape
    TensorShape([Dimension(1), Dimension(16)])
    """

    prefixes = ("fwd_", "bwd_")
    tuple_name = "BidirectionalGridLSTMStateTuple"

    def __init__(self, num_units: int, use_peepholes: bool = False, share_time_frequency_weights: bool = False,
                 cell_clip: float | None = None, initializer: Any = None, num_unit_shards: int = 1,
                 forget_bias: float = 1.0, feature_size: int | None = None, frequency_skip: int | None = None,
                 num_frequency_blocks: list[int] | None = None, start_freqindex_list: list[int] | None = None,
                 end_freqindex_list: list[int] | None = None, couple_input_forget_gates: bool = False,
                 backward_slice_offset: int = 0, reuse: bool | None = None) -> None:
        super().__init__(num_units, use_peepholes, share_time_frequency_weights, cell_clip, initializer,
                         num_unit_shards, forget_bias, feature_size, frequency_skip, num_frequency_blocks,
                         start_freqindex_list, end_freqindex_list, couple_input_forget_gates, True, reuse)
        self._offset = int(backward_slice_offset)

    def call(self, inputs: Any, state: Any) -> tuple[Any, Any]:
        with gc.variable_scope("fwd"):
            outputs, states = self._over_blocks(self._windows(inputs), state, "fwd_")
        backward = [block[::-1] for block in self._windows(inputs, self._offset)]
        with gc.variable_scope("bwd"):
            more_outputs, more_states = self._over_blocks(backward, state, "bwd_")
        return gc.concat(outputs + more_outputs, 1), self._tuple(*states, *more_states)
