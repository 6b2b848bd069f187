"""static_rnn and its relatives: a cell over a list of inputs, unrolled into the graph."""
from __future__ import annotations

from typing import Any

import graphc as gc
from graphc.api.public import public
from graphc.rnn import structures
from graphc.rnn.lengths import as_lengths, kept_past_end


@public("nn.static_rnn", "contrib.rnn.static_rnn", "compat.v1.nn.rnn")
def static_rnn(cell: Any, inputs: Any, initial_state: Any = None, dtype: Any = None, sequence_length: Any = None,
               scope: Any = None) -> tuple[list[Any], Any]:
    """Runs `cell` over a list of inputs [batch, ...]; gives (list of outputs, final state); as `tf.nn.static_rnn`.

    sequence_length [batch]: past a row's length its output is zeros and its state stays. Raises TypeError for what is
    no cell or no list, ValueError if inputs is empty, if neither initial_state nor dtype is given, or if a size of the
    inputs but the batch's is not known.

    >>> cell = gc.nn.rnn_cell.BasicRNNCell(2)
    >>> inputs = [gc.ones([3, 4]) for _ in range(5)]
    >>> outputs, state = gc.nn.static_rnn(cell, inputs, dtype=gc.float32, sequence_length=[5, 1, 0])
    >>> gc.global_variables_initializer().run()
    >>> (gc.stack(outputs).eval() != 0.)[..., 0]
    array([[ True,  True, False],
           [ True, False, False],
           [ True, False, False],
           [ True, False, False],
           [ True, False, False]])
    """
    structures.assert_like_rnncell("cell", cell)
    _check_sequence(inputs)
    inputs = [structures.map_structure(gc.convert_to_tensor, step) for step in inputs]
    _check_sizes(structures.flatten(inputs))
    outputs = []
    with gc.variable_scope(scope or "rnn") as entered:
        batch_size = structures.batch_size_of(inputs, axis=0)
        state = structures.initial_state_of(cell, initial_state, batch_size, dtype)
        steps = None if sequence_length is None else _Lengths(sequence_length, cell, batch_size,
                                                              structures.state_dtype(dtype, state))
        for time, step in enumerate(inputs):
            if time:
                entered.reuse_variables()
            output, new_state = cell(step, state)
            if steps is not None:
                output, new_state = steps.after(time, output, state, new_state)
            state = new_state
            outputs.append(output)
    return outputs, state


class _Lengths:
    """Where each row of the batch ends."""

    def __init__(self, sequence_length: Any, cell: Any, batch_size: Any, dtype: Any) -> None:
        self.lengths = as_lengths(sequence_length)
        self.no_output = structures.map_structure(lambda size: structures.zeros(batch_size, size, dtype),
                                                  cell.output_size)

    def after(self, time: int, output: Any, state: Any, new_state: Any) -> tuple[Any, Any]:
        return (kept_past_end(time, self.lengths, self.no_output, output),
                kept_past_end(time, self.lengths, state, new_state))


def _check_sequence(inputs: Any) -> None:
    if not isinstance(inputs, (list, tuple)):
        raise TypeError(f"inputs must be a sequence: a list of one tensor a step, but is {inputs!r}; gc.unstack(x, "
                        "axis=1) makes it of [batch, time, depth]")
    if not inputs:
        raise ValueError("inputs must not be empty")


def _check_sizes(leaves: list[Any]) -> None:
    for leaf in leaves:
        if leaf.shape.ndims is None or not leaf.shape[1:].is_fully_defined():
            raise ValueError("Input size (every dimension of inputs but the first) must be accessible via shape "
                             f"inference, but {leaf.name} has the shape {leaf.shape}")


@public("nn.static_state_saving_rnn", "contrib.rnn.static_state_saving_rnn", "compat.v1.nn.state_saving_rnn")
def static_state_saving_rnn(cell: Any, inputs: Any, state_saver: Any, state_name: Any, sequence_length: Any = None,
                            scope: Any = None) -> tuple[list[Any], Any]:
    """static_rnn that begins at state_saver.state(name) and ends with state_saver.save_state(name, state), as
    `tf.nn.static_state_saving_rnn`. state_name: one name for each part of the cell's state.

    Raises ValueError for another structure or number of names, else as that.

    >>> class Kept:
    ...     def __init__(self):
    ...         self.values = {"h": gc.Variable(gc.zeros([1, 2]), trainable=False)}
    ...     def state(self, name):
    ...         return self.values[name]
    ...     def save_state(self, name, value):
    ...         return gc.assign(self.values[name], value)
    >>> kept = Kept()
    >>> outputs, state = gc.nn.static_state_saving_rnn(gc.nn.rnn_cell.GRUCell(2), [gc.ones([1, 3])], kept, "h")
    >>> gc.global_variables_initializer().run()
    >>> np.array_equal(outputs[0].eval(), kept.state("h").eval())
    True
    """
    if structures.is_nested(cell.state_size) != structures.is_nested(state_name):
        raise ValueError(f"state_name should be the same type as cell.state_size.  state_name: {state_name}, "
                         f"cell.state_size: {cell.state_size}")
    names, sizes = structures.flatten(state_name), structures.flatten(cell.state_size)
    if len(names) != len(sizes):
        raise ValueError(f"#elems(state_name) != #elems(state_size): {len(names)} vs. {len(sizes)}")
    begin = structures.pack(cell.state_size, [state_saver.state(name) for name in names])
    outputs, state = static_rnn(cell, inputs, begin, sequence_length=sequence_length, scope=scope)
    saved = [state_saver.save_state(name, part) for name, part in zip(names, structures.flatten(state), strict=True)]
    with gc.control_dependencies(saved):
        outputs[-1] = structures.map_structure(gc.identity, outputs[-1])
        return outputs, structures.map_structure(gc.identity, state)


@public("nn.static_bidirectional_rnn", "contrib.rnn.static_bidirectional_rnn", "compat.v1.nn.bidirectional_rnn")
def static_bidirectional_rnn(cell_fw: Any, cell_bw: Any, inputs: Any, initial_state_fw: Any = None,
                             initial_state_bw: Any = None, dtype: Any = None, sequence_length: Any = None,
                             scope: Any = None) -> tuple[list[Any], Any, Any]:
    """static_rnn of cell_fw, and of cell_bw from the end of each sequence; as `tf.nn.static_bidirectional_rnn`.

    Gives (list of both outputs side by side, state forward, state backward). Inputs, dtypes and errors are those of
    `gc.nn.static_rnn`.

    >>> cells = [gc.nn.rnn_cell.GRUCell(2) for _ in range(2)]
    >>> inputs = [gc.ones([3, 4]) for _ in range(5)]
    >>> outputs, forward, backward = gc.nn.static_bidirectional_rnn(*cells, inputs, dtype=gc.float32)
    >>> len(outputs), outputs[0].shape, forward.shape
    (5, TensorShape([Dimension(3), Dimension(4)]), TensorShape([Dimension(3), Dimension(2)]))
    """
    structures.assert_like_rnncell("cell_fw", cell_fw)
    structures.assert_like_rnncell("cell_bw", cell_bw)
    _check_sequence(inputs)
    with gc.variable_scope(scope or "bidirectional_rnn"):
        with gc.variable_scope("fw") as fw_scope:
            forward, state_fw = static_rnn(cell_fw, inputs, initial_state_fw, dtype, sequence_length, fw_scope)
        with gc.variable_scope("bw") as bw_scope:
            turned = _reversed(list(inputs), sequence_length)
            backward, state_bw = static_rnn(cell_bw, turned, initial_state_bw, dtype, sequence_length, bw_scope)
    backward = _reversed(backward, sequence_length)
    flat = [gc.concat(pair, 1) for pair in zip(structures.flatten(forward), structures.flatten(backward), strict=True)]
    return structures.pack(forward, flat), state_fw, state_bw


def _reversed(steps: list[Any], lengths: Any) -> list[Any]:
    """The steps from the last to the first; with lengths, each row from its own end."""
    if lengths is None:
        return steps[::-1]
    columns = zip(*(structures.flatten(step) for step in steps), strict=True)
    turned = [gc.unstack(gc.reverse_sequence(gc.stack(column), lengths, seq_axis=0, batch_axis=1), num=len(steps))
              for column in columns]
    return [structures.pack(step, list(leaves)) for step, leaves in zip(steps, zip(*turned, strict=True), strict=True)]
