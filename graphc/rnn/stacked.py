"""Layers of bidirectional networks: each takes both outputs of the one below."""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

import graphc as gc
from graphc.api.public import public
from graphc.rnn.dynamic import bidirectional_dynamic_rnn
from graphc.rnn.static import static_bidirectional_rnn


@public("contrib.rnn.stack_bidirectional_rnn")
def stack_bidirectional_rnn(cells_fw: Any, cells_bw: Any, inputs: Any, initial_states_fw: Any = None,
                            initial_states_bw: Any = None, dtype: Any = None, sequence_length: Any = None,
                            scope: Any = None) -> tuple[Any, tuple[Any, ...], tuple[Any, ...]]:
    """static_bidirectional_rnn for each pair of cells; gives (list of outputs, states forward, states backward), as
    `tf.contrib.rnn.stack_bidirectional_rnn`.

    Raises ValueError for lists of cells that are empty or of different lengths and for initial states that are no list,
    else as that.

    >>> forward, backward = [[gc.nn.rnn_cell.GRUCell(n) for n in (3, 2)] for _ in range(2)]
    >>> outputs, state_forward, state_backward = gc.contrib.rnn.stack_bidirectional_rnn(
    ...     forward, backward, [gc.ones([2, 4])] * 5, dtype=gc.float32)
    >>> len(outputs), outputs[0].shape
    (5, TensorShape([Dimension(2), Dimension(4)]))
    """
    def layer(cell_fw: Any, cell_bw: Any, x: Any, state_fw: Any, state_bw: Any, cell_scope: Any) -> Any:
        return static_bidirectional_rnn(cell_fw, cell_bw, x, state_fw, state_bw, dtype, sequence_length, cell_scope)

    return _stacked(layer, cells_fw, cells_bw, inputs, initial_states_fw, initial_states_bw, scope)


@public("contrib.rnn.stack_bidirectional_dynamic_rnn")
def stack_bidirectional_dynamic_rnn(cells_fw: Any, cells_bw: Any, inputs: Any, initial_states_fw: Any = None,
                                    initial_states_bw: Any = None, dtype: Any = None, sequence_length: Any = None,
                                    parallel_iterations: int | None = None, time_major: bool = False,
                                    scope: Any = None, swap_memory: bool = False,
                                    ) -> tuple[Any, tuple[Any, ...], tuple[Any, ...]]:
    """bidirectional_dynamic_rnn for each pair of cells; gives (outputs side by side, states forward, states backward),
    as `tf.contrib.rnn.stack_bidirectional_dynamic_rnn`.

    Raises ValueError for lists of cells that are empty or of different lengths and for initial states that are no list,
    else as that.

    >>> forward, backward = [[gc.nn.rnn_cell.GRUCell(n) for n in (3, 2)] for _ in range(2)]
    >>> outputs, state_forward, state_backward = gc.contrib.rnn.stack_bidirectional_dynamic_rnn(
    ...     forward, backward, gc.ones([2, 5, 4]), dtype=gc.float32)
    >>> outputs.shape, [state.shape for state in state_forward]
    (TensorShape([Dimension(2), Dimension(5), Dimension(4)]), [TensorShape([Dimension(2), Dimension(3)]),
    TensorShape([Dimension(2), Dimension(2)])])
    """
    def layer(cell_fw: Any, cell_bw: Any, x: Any, state_fw: Any, state_bw: Any, cell_scope: Any) -> Any:
        outputs, states = bidirectional_dynamic_rnn(cell_fw, cell_bw, x, sequence_length, state_fw, state_bw, dtype,
                                                    parallel_iterations, swap_memory, time_major)
        return gc.concat(outputs, 2), *states

    return _stacked(layer, cells_fw, cells_bw, inputs, initial_states_fw, initial_states_bw, scope)


def _stacked(layer: Callable[..., Any], cells_fw: Any, cells_bw: Any, inputs: Any, states_fw: Any, states_bw: Any,
             scope: Any) -> tuple[Any, tuple[Any, ...], tuple[Any, ...]]:
    for name, cells in (("cells_fw", cells_fw), ("cells_bw", cells_bw)):
        if not isinstance(cells, list) or not cells:
            raise ValueError(f"{name} must be a list of RNNCells (one per layer), and not empty.")
    if len(cells_fw) != len(cells_bw):
        raise ValueError("Forward and Backward cells must have the same depth.")
    for name, states in (("initial_states_fw", states_fw), ("initial_states_bw", states_bw)):
        if states is not None and (not isinstance(states, list) or len(states) != len(cells_fw)):
            raise ValueError(f"{name} must be a list of state tensors (one per layer).")
    none = [None] * len(cells_fw)
    finals = []
    with gc.variable_scope(scope or "stack_bidirectional_rnn"):
        for i, one in enumerate(zip(cells_fw, cells_bw, states_fw or none, states_bw or none, strict=True)):
            cell_fw, cell_bw, state_fw, state_bw = one
            with gc.variable_scope(f"cell_{i}") as cell_scope:
                inputs, *final = layer(cell_fw, cell_bw, inputs, state_fw, state_bw, cell_scope)
            finals.append(final)
    forward, backward = zip(*finals, strict=True)
    return inputs, forward, backward
