"""Decoder, what decoders are, and dynamic_decode, which runs one in a loop of the graph."""
from __future__ import annotations

from abc import ABCMeta, abstractmethod
from typing import Any

import graphc as gc
from graphc.api.public import public
from graphc.rnn.dynamic import transpose_batch_time
from graphc.seq2seq.samples import zeros


@public("contrib.seq2seq.Decoder")
class Decoder(metaclass=ABCMeta):
    """What dynamic_decode calls, as `tf.contrib.seq2seq.Decoder`. Inputs, states and outputs may be nested.

    A subclass has the properties batch_size, output_size and output_dtype; initialize() gives (finished [batch],
    inputs, state), step(time, inputs, state) gives (outputs, next state, next inputs, finished). It is abstract:
    TypeError without initialize and step; properties that are not defined are a NotImplementedError.

    >>> class CountDown(gc.contrib.seq2seq.Decoder):
    ...     batch_size, output_size, output_dtype = 2, gc.TensorShape([]), gc.int32
    ...     def initialize(self, name=None):
    ...         return gc.fill([2], False), gc.constant([0, 0]), gc.constant([3, 1])
    ...     def step(self, time, inputs, state, name=None):
    ...         return state, state - 1, inputs, gc.equal(state, 1)
    >>> outputs, state, lengths = gc.contrib.seq2seq.dynamic_decode(CountDown(), impute_finished=True)
    >>> outputs.eval(), lengths.eval()
    (array([[3, 2, 1],
           [1, 0, 0]], dtype=int32), array([3, 1], dtype=int32))
    """

    tracks_own_finished = False      # True: `step` gives all that is finished, not only what became so

    @property
    def batch_size(self) -> Any:
        raise NotImplementedError(f"{type(self).__name__} does not define batch_size")

    @property
    def output_size(self) -> Any:
        """The sizes or shapes of a row of the outputs."""
        raise NotImplementedError(f"{type(self).__name__} does not define output_size")

    @property
    def output_dtype(self) -> Any:
        """The dtypes of the outputs."""
        raise NotImplementedError(f"{type(self).__name__} does not define output_dtype")

    @abstractmethod
    def initialize(self, name: str | None = None) -> Any:
        """(finished, first inputs, first state)."""

    @abstractmethod
    def step(self, time: Any, inputs: Any, state: Any, name: str | None = None) -> Any:
        """(outputs, next state, next inputs, finished)."""

    def finalize(self, outputs: Any, final_state: Any, sequence_lengths: Any) -> Any:
        """(final outputs, final state), made after the loop; a decoder need not have it."""
        raise NotImplementedError(f"{type(self).__name__} does not define finalize")


@public("contrib.seq2seq.dynamic_decode")
def dynamic_decode(decoder: Any, output_time_major: bool = False, impute_finished: bool = False,
                   maximum_iterations: Any = None, parallel_iterations: int = 32, swap_memory: bool = False,
                   scope: Any = None) -> tuple[Any, Any, Any]:
    """Steps of `decoder` until all sequences are finished, as `tf.contrib.seq2seq.dynamic_decode`.

    Gives (outputs [batch, time, ...], or [time, batch, ...] if output_time_major, the final state, the sequences'
    lengths). impute_finished: after its end the outputs of a sequence are zeros and its state stays.
    maximum_iterations: a scalar; no more steps than that. parallel_iterations and swap_memory have no effect. Raises
    TypeError for what is no Decoder and for a number of iterations that is no integer, ValueError for a tensor of it
    that is no int32 scalar.

    >>> cell, inputs = gc.nn.rnn_cell.GRUCell(3), gc.ones([2, 5, 4])
    >>> helper = gc.contrib.seq2seq.TrainingHelper(inputs, sequence_length=[4, 2])
    >>> decoder = gc.contrib.seq2seq.BasicDecoder(cell, helper, cell.zero_state(2, gc.float32))
    >>> outputs, state, lengths = gc.contrib.seq2seq.dynamic_decode(decoder, impute_finished=True)
    >>> gc.global_variables_initializer().run()
    >>> (outputs.rnn_output.eval()[:, :, 0] != 0.).astype(int), lengths.eval()
    (array([[1, 1, 1, 1],
           [1, 1, 0, 0]]), array([4, 2], dtype=int32))
    """
    if not isinstance(decoder, Decoder):
        raise TypeError(f"Expected decoder to be type Decoder, but saw: {type(decoder)}")
    with gc.variable_scope(scope, "decoder"):
        if maximum_iterations is not None:
            maximum_iterations = gc.convert_to_tensor(maximum_iterations, dtype=gc.int32, name="maximum_iterations")
            if maximum_iterations.get_shape().ndims != 0:
                raise ValueError("maximum_iterations must be a scalar, but its shape is "
                                 f"{maximum_iterations.get_shape()}")
        finished, inputs, state = decoder.initialize()
        zero_outputs = gc.nest.map_structure(lambda size, dtype: zeros(decoder.batch_size, size, dtype),
                                             decoder.output_size, decoder.output_dtype)
        if maximum_iterations is not None:
            finished = gc.logical_or(finished, 0 >= maximum_iterations)
        first = (gc.constant(0, dtype=gc.int32), _empty_arrays(decoder), state, inputs, finished,
                 gc.zeros_like(finished, dtype=gc.int32))
        step = _Step(decoder, impute_finished, zero_outputs)
        _, arrays, state, _, _, lengths = gc.while_loop(
            lambda time, arrays, state, inputs, finished, lengths: gc.logical_not(gc.reduce_all(finished)), step, first,
            parallel_iterations=parallel_iterations, swap_memory=swap_memory, maximum_iterations=maximum_iterations)
        outputs = gc.nest.map_structure(lambda array: array.stack(), arrays)
        try:
            outputs, state = decoder.finalize(outputs, state, lengths)
        except NotImplementedError:
            pass
        if not output_time_major:
            outputs = gc.nest.map_structure(transpose_batch_time, outputs)
    return outputs, state, lengths


def _empty_arrays(decoder: Decoder) -> Any:
    batch = gc.get_static_value(gc.convert_to_tensor(decoder.batch_size, name="batch_size"))

    def empty(size: Any, dtype: Any) -> gc.TensorArray:
        known = isinstance(size, gc.TensorShape) and size.ndims != 0
        shape = gc.TensorShape([None if batch is None else int(batch)]).concatenate(size) if known else None
        return gc.TensorArray(dtype, size=0, dynamic_size=True, element_shape=shape)

    return gc.nest.map_structure(empty, decoder.output_size, decoder.output_dtype)


class _Step:
    """The body of the loop."""

    def __init__(self, decoder: Decoder, impute: bool, zero_outputs: Any) -> None:
        self.decoder = decoder
        self.impute = impute
        self.zero_outputs = zero_outputs

    def __call__(self, time: Any, arrays: Any, state: Any, inputs: Any, finished: Any, lengths: Any) -> Any:
        outputs, next_state, next_inputs, now_finished = self.decoder.step(time, inputs, state)
        if not self.decoder.tracks_own_finished:
            now_finished = gc.logical_or(now_finished, finished)
        lengths = gc.where(gc.logical_not(finished), gc.fill(gc.shape(lengths), time + 1), lengths)
        gc.nest.assert_same_structure(state, next_state)
        gc.nest.assert_same_structure(arrays, outputs)
        gc.nest.assert_same_structure(inputs, next_inputs)
        if self.impute:
            outputs = gc.nest.map_structure(lambda new, zero: gc.where(finished, zero, new), outputs,
                                            self.zero_outputs)
            next_state = gc.nest.map_structure(lambda new, old: _kept(finished, old, new), next_state, state)
        arrays = gc.nest.map_structure(lambda array, output: array.write(time, output), arrays, outputs)
        return time + 1, arrays, next_state, next_inputs, now_finished, lengths


def _kept(finished: Any, old: Any, new: Any) -> Any:
    """The old state where a sequence is finished; arrays and scalars belong to no sequence."""
    if isinstance(old, gc.TensorArray):
        return new
    new.set_shape(old.shape)
    return new if new.shape.ndims == 0 else gc.where(finished, old, new)
