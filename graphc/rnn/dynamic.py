"""dynamic_rnn: a cell over a sequence in a loop of the graph, and the same in both directions."""
from __future__ import annotations

from typing import Any

import graphc as gc
from graphc.api.public import public
from graphc.rnn import structures
from graphc.rnn.lengths import as_lengths, checked, kept_past_end


@public("nn.dynamic_rnn")
def dynamic_rnn(cell: Any, inputs: Any, sequence_length: Any = None, initial_state: Any = None, dtype: Any = None,
                parallel_iterations: int | None = None, swap_memory: bool = False, time_major: bool = False,
                scope: Any = None) -> tuple[Any, Any]:
    """Runs `cell` over inputs [batch, time, ...], or [time, batch, ...] if time_major; as `tf.nn.dynamic_rnn`.

    Gives (outputs, final state); inputs, outputs and states may be nested. sequence_length [batch]: past a row's length
    its output is zeros and its state stays. dtype: that of initial_state if none is given, and of the outputs.
    parallel_iterations and swap_memory have no effect. Raises TypeError for what is no cell, ValueError if neither
    initial_state nor dtype is given, if inputs have less than 3 axes or their depth is not known, or for another number
    of lengths.

    >>> cell = gc.nn.rnn_cell.GRUCell(3)
    >>> x, lengths = gc.placeholder(gc.float32, [None, None, 4]), gc.placeholder(gc.int32, [None])
    >>> outputs, state = gc.nn.dynamic_rnn(cell, x, lengths, dtype=gc.float32)
    >>> gc.global_variables_initializer().run()
    >>> values = outputs.eval({x: np.ones([2, 5, 4]), lengths: [5, 2]})
    >>> values.shape, (values[:, :, 0] != 0.).astype(int)
    ((2, 5, 3), array([[1, 1, 1, 1, 1],
           [1, 1, 0, 0, 0]]))
    """
    structures.assert_like_rnncell("cell", cell)
    with gc.variable_scope(scope or "rnn"):
        inputs = structures.map_structure(gc.convert_to_tensor, inputs)
        if not time_major:
            inputs = structures.map_structure(transpose_batch_time, inputs)
        lengths = None if sequence_length is None else as_lengths(sequence_length)
        batch_size = structures.batch_size_of(inputs, axis=1)
        state = structures.initial_state_of(cell, initial_state, batch_size, dtype)
        if lengths is not None:
            lengths = checked(lengths, batch_size)
        outputs, state = _run(cell, inputs, state, lengths, batch_size, dtype)
        if not time_major:
            outputs = structures.map_structure(transpose_batch_time, outputs)
        return outputs, state


@public("contrib.rnn.best_effort_input_batch_size", "compat.v1.contrib.rnn._best_effort_input_batch_size")
def best_effort_input_batch_size(flat_input: Any) -> Any:
    """The batch size of tensors [time, batch, ...]: a number if one of them tells it, else a scalar tensor; as
    `tf.contrib.rnn.best_effort_input_batch_size`.

    Raises ValueError for a tensor of rank 1.

    >>> known, unknown = gc.placeholder(gc.float32, [None, 4, 2]), gc.placeholder(gc.float32, [None, None, 2])
    >>> gc.contrib.rnn.best_effort_input_batch_size([unknown, known])
    4
    >>> gc.contrib.rnn.best_effort_input_batch_size([unknown]).eval({unknown: np.zeros([5, 3, 2])})
    np.int32(3)
    """
    return structures.batch_size_of(list(flat_input), axis=1)


@public("contrib.rnn.transpose_batch_time", "compat.v1.contrib.rnn._transpose_batch_time",
        "compat.v1.contrib.seq2seq._transpose_batch_time")
def transpose_batch_time(x: Any) -> gc.Tensor:
    """x with its first two axes exchanged, or x itself if it has fewer.

    x: of any dtype and known rank (ValueError otherwise). As `tf.contrib.rnn.transpose_batch_time`.

    >>> gc.contrib.rnn.transpose_batch_time(gc.zeros([2, 5, 3])).shape
    TensorShape([Dimension(5), Dimension(2), Dimension(3)])
    """
    x = gc.convert_to_tensor(x)
    if x.shape.ndims is None:
        raise ValueError(f"the rank of inputs must be known, but is not: {x!r}")
    if x.shape.ndims < 2:
        return x
    return gc.transpose(x, [1, 0, *range(2, x.shape.ndims)])


def _run(cell: Any, inputs: Any, state: Any, lengths: Any, batch_size: Any, dtype: Any) -> tuple[Any, Any]:
    """The loop over the first axis of the inputs."""
    leaves = structures.flatten(inputs)
    _check_inputs(leaves)
    output_dtype = structures.state_dtype(dtype, state)
    time_steps = gc.shape(leaves[0])[0]
    static_batch = batch_size if isinstance(batch_size, int) else None
    time = gc.constant(0, gc.int32, name="time")
    with gc.name_scope("dynamic_rnn"):
        sources = [gc.TensorArray(leaf.dtype, time_steps, element_shape=leaf.shape[1:], name=f"input_{i}").unstack(leaf)
                   for i, leaf in enumerate(leaves)]
        results = [gc.TensorArray(output_dtype, time_steps, name=f"output_{i}",
                                  element_shape=[static_batch, *structures.sizes_of(size)])
                   for i, size in enumerate(structures.flatten(cell.output_size))]
    no_output = None if lengths is None else structures.map_structure(
        lambda size: structures.zeros(batch_size, size, output_dtype), cell.output_size)

    def step(time: Any, results: Any, state: Any) -> Any:
        read = [source.read(time) for source in sources]
        for tensor, leaf in zip(read, leaves, strict=True):
            tensor.set_shape(leaf.shape[1:])
        output, new_state = cell(structures.pack(inputs, read), state)
        if lengths is not None:
            output = kept_past_end(time, lengths, no_output, output)
            new_state = kept_past_end(time, lengths, state, new_state)
        written = [array.write(time, part) for array, part in zip(results, structures.flatten(output), strict=True)]
        return time + 1, written, new_state

    end = time_steps
    if lengths is not None:
        end = gc.minimum(time_steps, gc.maximum(1, gc.reduce_max(lengths)))
    _, results, state = gc.while_loop(lambda time, *_: time < end, step, (time, results, state))
    stacked = [array.stack() for array in results]
    for output, size in zip(stacked, structures.flatten(cell.output_size), strict=True):
        output.set_shape([leaves[0].shape[0].value, static_batch, *structures.sizes_of(size)])
    return structures.pack(cell.output_size, stacked), state


def _check_inputs(leaves: list[Any]) -> None:
    first = leaves[0].shape
    for leaf in leaves:
        shape = leaf.shape
        if shape.ndims is None or shape.ndims < 3:
            raise ValueError(f"dynamic_rnn: inputs must have at least 3 axes, but {leaf.name} has the shape {shape}")
        if not shape[2:].is_fully_defined():
            raise ValueError("Input size (depth of inputs) must be accessible via shape inference, but saw value None: "
                             f"{leaf.name} has the shape {shape}")
        for axis, what in enumerate(("Time steps is", "Batch_size is")):
            if not shape[axis].is_compatible_with(first[axis]):
                raise ValueError(f"{what} not the same for all the elements in the input: {first} and {shape}")


@public("nn.bidirectional_dynamic_rnn")
def bidirectional_dynamic_rnn(cell_fw: Any, cell_bw: Any, inputs: Any, sequence_length: Any = None,
                              initial_state_fw: Any = None, initial_state_bw: Any = None, dtype: Any = None,
                              parallel_iterations: int | None = None, swap_memory: bool = False,
                              time_major: bool = False, scope: Any = None) -> tuple[Any, Any]:
    """dynamic_rnn of cell_fw, and of cell_bw from the end of each sequence; as `tf.nn.bidirectional_dynamic_rnn`.

    Gives ((outputs forward, outputs backward), (state forward, state backward)), outputs in the inputs' order. inputs:
    [batch, time, ...], or [time, batch, ...] if time_major; dtypes and errors are those of `gc.nn.dynamic_rnn`.

    >>> forward, backward = gc.nn.rnn_cell.GRUCell(3), gc.nn.rnn_cell.GRUCell(3)
    >>> x = gc.placeholder(gc.float32, [None, None, 4])
    >>> outputs, states = gc.nn.bidirectional_dynamic_rnn(forward, backward, x, dtype=gc.float32)
    >>> gc.global_variables_initializer().run()
    >>> gc.concat(outputs, 2).eval({x: np.ones([2, 5, 4])}).shape
    (2, 5, 6)
    """
    structures.assert_like_rnncell("cell_fw", cell_fw)
    structures.assert_like_rnncell("cell_bw", cell_bw)
    time_axis, batch_axis = (0, 1) if time_major else (1, 0)

    def backwards(x: Any) -> Any:
        if sequence_length is None:
            return gc.reverse(x, axis=[time_axis])
        return gc.reverse_sequence(x, sequence_length, seq_axis=time_axis, batch_axis=batch_axis)

    with gc.variable_scope(scope or "bidirectional_rnn"):
        with gc.variable_scope("fw") as fw_scope:
            output_fw, state_fw = dynamic_rnn(cell_fw, inputs, sequence_length, initial_state_fw, dtype,
                                              parallel_iterations, swap_memory, time_major, fw_scope)
        with gc.variable_scope("bw") as bw_scope:
            reversed_inputs = structures.map_structure(backwards, inputs)
            output_bw, state_bw = dynamic_rnn(cell_bw, reversed_inputs, sequence_length, initial_state_bw, dtype,
                                              parallel_iterations, swap_memory, time_major, bw_scope)
    return (output_fw, structures.map_structure(backwards, output_bw)), (state_fw, state_bw)
