"""raw_rnn: a cell in a loop of the graph whose inputs and end are told by a function."""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

import graphc as gc
from graphc.api.public import public
from graphc.rnn import structures
from graphc.rnn.lengths import where_finished


@public("nn.raw_rnn")
def raw_rnn(cell: Any, loop_fn: Callable[..., Any], parallel_iterations: int | None = None, swap_memory: bool = False,
            scope: Any = None) -> tuple[Any, Any, Any]:
    """Runs `cell` until all rows are finished, as `tf.nn.raw_rnn`.

    Gives (TensorArrays of what was emitted, final state, final loop state).

    loop_fn(time, cell_output, cell_state, loop_state) gives (finished [batch], next input, next cell state, what to
    emit, next loop state). It is called first with Nones: then the state is the initial one and what to emit says the
    structure (None: the cell's output). Rows that are finished emit zeros and keep their state. parallel_iterations and
    swap_memory have no effect. Raises TypeError for what is no cell, and for a loop_fn that is not callable.

    >>> cell = gc.nn.rnn_cell.GRUCell(2)
    >>> lengths = gc.constant([1, 3])
    >>> def feed_back(time, output, state, _):      # each output is the next input
    ...     if output is None:
    ...         return gc.fill([2], False), gc.zeros([2, 2]), gc.ones([2, 2]), None, None
    ...     return time >= lengths, output, state, output, None
    >>> emitted, state, _ = gc.nn.raw_rnn(cell, feed_back)
    >>> gc.global_variables_initializer().run()
    >>> (emitted.stack().eval() != 0.)[..., 0].astype(int)       # [time, batch]
    array([[1, 1],
           [0, 1],
           [0, 1]])
    """
    structures.assert_like_rnncell("cell", cell)
    if not callable(loop_fn):
        raise TypeError("loop_fn must be a callable")
    with gc.variable_scope(scope or "rnn"):
        time = gc.constant(0, gc.int32)
        finished, first_input, state, emit, loop_state = loop_fn(time, None, None, None)
        structures.assert_same_structure(state, cell.state_size)
        state = structures.map_structure(gc.convert_to_tensor, state)
        batch_size = structures.batch_size_of(first_input, axis=0)
        emitted = _Emitted(cell, state, emit, batch_size)
        return _run(cell, loop_fn, emitted, (time, finished, first_input, emitted.arrays, state,
                                             gc.constant(0) if loop_state is None else loop_state), loop_state is None)


class _Emitted:
    """What the loop emits: one TensorArray for each part, and the zeros of rows that are finished."""

    def __init__(self, cell: Any, state: Any, emit: Any, batch_size: Any) -> None:
        static = batch_size if isinstance(batch_size, int) else None
        if emit is None:
            dtype = structures.flatten(state)[0].dtype
            kinds = structures.map_structure(lambda size: _Kind(structures.sizes_of(size), dtype), cell.output_size)
        else:
            kinds = structures.map_structure(_Kind.of, emit)
        parts = enumerate(structures.flatten(kinds))
        arrays = [gc.TensorArray(kind.dtype, size=0, dynamic_size=True, name=f"rnn_output_{i}",
                                 element_shape=None if kind.sizes is None else [static, *kind.sizes])
                  for i, kind in parts]
        self.arrays = structures.pack(kinds, arrays)
        self.zeros = structures.map_structure(lambda kind: kind.zeros(batch_size), kinds)


class _Kind:
    """The sizes (after the batch) and dtype of one part of what is emitted; example: a tensor like it."""

    def __init__(self, sizes: Any, dtype: Any, example: Any = None) -> None:
        self.sizes, self.dtype, self.example = sizes, dtype, example

    @classmethod
    def of(cls, example: Any) -> _Kind:
        example = gc.convert_to_tensor(example)
        return cls(example.shape.as_list() if example.shape.is_fully_defined() else None, example.dtype, example)

    def zeros(self, batch_size: Any) -> Any:
        if self.sizes is not None:
            batch = gc.convert_to_tensor(batch_size, gc.int32)
            return gc.zeros(gc.stack([batch, *self.sizes]), self.dtype)
        return gc.zeros(gc.concat([[batch_size], gc.shape(self.example)], 0), self.dtype)


def _run(cell: Any, loop_fn: Callable[..., Any], emitted: _Emitted, loop_vars: tuple[Any, ...],
         without_state: bool) -> tuple[Any, Any, Any]:
    def step(time: Any, finished: Any, inputs: Any, arrays: Any, state: Any, loop_state: Any) -> tuple[Any, ...]:
        output, cell_state = cell(inputs, state)
        structures.assert_same_structure(state, cell_state)
        structures.assert_same_structure(cell.output_size, output)
        now_finished, next_input, next_state, emit, next_loop_state = loop_fn(
            time + 1, output, cell_state, loop_state)
        structures.assert_same_structure(state, next_state)
        structures.assert_same_structure(inputs, next_input)
        structures.assert_same_structure(arrays, emit)
        emit = where_finished(finished, emitted.zeros, emit)
        arrays = structures.map_structure(lambda array, part: array.write(time, part), arrays, emit)
        return (time + 1, gc.logical_or(finished, now_finished), next_input, arrays,
                where_finished(finished, state, next_state), loop_state if next_loop_state is None else next_loop_state)

    *_, arrays, state, loop_state = gc.while_loop(lambda _, finished, *rest: gc.logical_not(gc.reduce_all(finished)),
                                                  step, loop_vars)
    return arrays, state, None if without_state else loop_state
