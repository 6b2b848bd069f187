"""Helpers for training: the next input is the one given, or by chance one made of the outputs."""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

import graphc as gc
from graphc.api.public import public
from graphc.rnn.dynamic import transpose_batch_time
from graphc.seq2seq.helper import Helper
from graphc.seq2seq.samples import bernoulli, categorical, embedding_function


@public("contrib.seq2seq.TrainingHelper")
class TrainingHelper(Helper):
    """Reads the inputs [batch, time, ...], or [time, batch, ...] if time_major; a sequence ends at its length in
    sequence_length, a vector; as `tf.contrib.seq2seq.TrainingHelper`. The sample ids are the argmax of the outputs.

    Inputs are of any dtype and of rank 2 or more. Raises ValueError for others and for lengths that are no vector.

    >>> cell, inputs = gc.nn.rnn_cell.GRUCell(3), gc.placeholder(gc.float32, [None, None, 4])
    >>> lengths = gc.placeholder(gc.int32, [None])
    >>> helper = gc.contrib.seq2seq.TrainingHelper(inputs, lengths)
    >>> decoder = gc.contrib.seq2seq.BasicDecoder(cell, helper, cell.zero_state(helper.batch_size, gc.float32))
    >>> outputs, state, _ = gc.contrib.seq2seq.dynamic_decode(decoder)
    >>> gc.global_variables_initializer().run()
    >>> outputs.rnn_output.eval({inputs: np.ones([2, 5, 4]), lengths: [5, 3]}).shape
    (2, 5, 3)
    """

    def __init__(self, inputs: Any, sequence_length: Any, time_major: bool = False, name: str | None = None) -> None:
        with gc.name_scope(name, "TrainingHelper", [inputs, sequence_length]):
            self._inputs = inputs = gc.convert_to_tensor(inputs, name="inputs")
            steps = inputs if time_major else transpose_batch_time(inputs)
            self._input_array = _unstacked(steps)
            self._sequence_length = gc.convert_to_tensor(sequence_length, name="sequence_length")
            if self._sequence_length.get_shape().ndims != 1:
                raise ValueError("Expected sequence_length to be a vector, but received shape: "
                                 f"{self._sequence_length.get_shape()}")
            self._zero_inputs = gc.zeros_like(steps[0, :])
            self._batch_size = gc.size(self._sequence_length)

    inputs = property(lambda self: self._inputs)
    sequence_length = property(lambda self: self._sequence_length)
    batch_size = property(lambda self: self._batch_size)
    sample_ids_shape = property(lambda self: gc.TensorShape([]))
    sample_ids_dtype = property(lambda self: gc.int32)

    def initialize(self, name: str | None = None) -> Any:
        with gc.name_scope(name, "TrainingHelperInitialize"):
            finished = gc.equal(gc.cast(0, self._sequence_length.dtype), self._sequence_length)
            return finished, self._read_unless(gc.reduce_all(finished), 0)

    def sample(self, time: Any, outputs: Any, state: Any = None, name: str | None = None) -> Any:
        with gc.name_scope(name, "TrainingHelperSample", [time, outputs]):
            return gc.cast(gc.argmax(outputs, axis=-1), gc.int32)

    def next_inputs(self, time: Any, outputs: Any, state: Any, sample_ids: Any = None,
                    name: str | None = None) -> Any:
        with gc.name_scope(name, "TrainingHelperNextInputs", [time, outputs]):
            next_time = time + 1
            finished = gc.cast(next_time, self._sequence_length.dtype) >= self._sequence_length
            return finished, self._read_unless(gc.reduce_all(finished), next_time), state

    def _read_unless(self, finished: Any, time: Any) -> gc.Tensor:
        """The inputs of that time; zeros if all is finished."""
        return gc.cond(finished, lambda: self._zero_inputs, lambda: self._input_array.read(time))


@public("contrib.seq2seq.ScheduledEmbeddingTrainingHelper")
class ScheduledEmbeddingTrainingHelper(TrainingHelper):
    """With sampling_probability a sequence reads the embedding of an id drawn from its outputs, as
    `tf.contrib.seq2seq.ScheduledEmbeddingTrainingHelper`. The sample ids are -1 where none was drawn.

    seed: of the ids that are drawn; scheduling_seed: of where some are. sampling_probability: a scalar or a
    float[batch]: ValueError for others. Inputs and errors as TrainingHelper's; embedding as GreedyEmbeddingHelper's.

    >>> table, cell = gc.get_variable("embedding", [10, 4]), gc.nn.rnn_cell.GRUCell(8)
    >>> inputs = gc.nn.embedding_lookup(table, [[1, 2, 3], [4, 5, 6]])
    >>> helper = gc.contrib.seq2seq.ScheduledEmbeddingTrainingHelper(inputs, [3, 2], table, sampling_probability=0.)
    >>> decoder = gc.contrib.seq2seq.BasicDecoder(cell, helper, cell.zero_state(2, gc.float32), gc.layers.Dense(10))
    >>> outputs, state, lengths = gc.contrib.seq2seq.dynamic_decode(decoder)
    >>> gc.global_variables_initializer().run()
    >>> outputs.sample_id.eval()
    array([[-1, -1, -1],
           [-1, -1, -1]], dtype=int32)
    """

    def __init__(self, inputs: Any, sequence_length: Any, embedding: Any, sampling_probability: Any,
                 time_major: bool = False, seed: Any = None, scheduling_seed: Any = None,
                 name: str | None = None) -> None:
        with gc.name_scope(name, "ScheduledEmbeddingSamplingWrapper", [sampling_probability]):
            self._embedding_fn = embedding_function(embedding)
            self._sampling_probability = _probability(sampling_probability)
            self._seed = seed
            self._scheduling_seed = scheduling_seed
            super().__init__(inputs, sequence_length, time_major, name)

    def sample(self, time: Any, outputs: Any, state: Any = None, name: str | None = None) -> Any:
        with gc.name_scope(name, "ScheduledEmbeddingTrainingHelperSample", [time, outputs]):
            chosen = bernoulli(self._sampling_probability, self.batch_size, gc.bool, self._scheduling_seed)
            return gc.where(chosen, categorical(outputs, self._seed), gc.fill([self.batch_size], -1))

    def next_inputs(self, time: Any, outputs: Any, state: Any, sample_ids: Any = None,
                    name: str | None = None) -> Any:
        with gc.name_scope(name, "ScheduledEmbeddingTrainingHelperNextInputs", [time, outputs, sample_ids]):
            finished, inputs, state = super().next_inputs(time, outputs, state, sample_ids, name)

            def mixed() -> gc.Tensor:
                sampled, other = _places(sample_ids > -1), _places(sample_ids <= -1)
                return _merged(sampled, self._embedding_fn(gc.gather_nd(sample_ids, sampled)), other, inputs)

            return finished, gc.cond(gc.reduce_all(finished), lambda: inputs, mixed), state


@public("contrib.seq2seq.ScheduledOutputTrainingHelper")
class ScheduledOutputTrainingHelper(TrainingHelper):
    """With sampling_probability a sequence reads its own outputs, or next_inputs_fn of them, as
    `tf.contrib.seq2seq.ScheduledOutputTrainingHelper`. The sample ids are 1 where it does, else 0.

    auxiliary_inputs: what stands after the inputs, and after the outputs that are read, along the last axis.
    sampling_probability: a scalar or a float[batch]: ValueError for others. Inputs and errors as TrainingHelper's.

    >>> cell, inputs = gc.nn.rnn_cell.GRUCell(4), gc.ones([2, 3, 4])
    >>> helper = gc.contrib.seq2seq.ScheduledOutputTrainingHelper(inputs, [3, 3], sampling_probability=1.)
    >>> decoder = gc.contrib.seq2seq.BasicDecoder(cell, helper, cell.zero_state(2, gc.float32))
    >>> outputs, state, lengths = gc.contrib.seq2seq.dynamic_decode(decoder)
    >>> gc.global_variables_initializer().run()
    >>> outputs.sample_id.eval()
    array([[1, 1, 1],
           [1, 1, 1]], dtype=int32)
    """

    def __init__(self, inputs: Any, sequence_length: Any, sampling_probability: Any, time_major: bool = False,
                 seed: Any = None, next_inputs_fn: Callable[..., Any] | None = None, auxiliary_inputs: Any = None,
                 name: str | None = None) -> None:
        with gc.name_scope(name, "ScheduledOutputTrainingHelper", [inputs, sampling_probability]):
            self._sampling_probability = _probability(sampling_probability)
            self._auxiliary_array = None
            if auxiliary_inputs is not None:
                auxiliary = gc.convert_to_tensor(auxiliary_inputs, name="auxiliary_inputs")
                inputs = gc.concat((gc.convert_to_tensor(inputs, name="inputs"), auxiliary), -1)
                self._auxiliary_array = _unstacked(auxiliary if time_major else transpose_batch_time(auxiliary))
            self._seed = seed
            self._next_inputs_fn = next_inputs_fn
            super().__init__(inputs, sequence_length, time_major, name)

    def sample(self, time: Any, outputs: Any, state: Any = None, name: str | None = None) -> Any:
        with gc.name_scope(name, "ScheduledOutputTrainingHelperSample", [time, outputs]):
            return bernoulli(self._sampling_probability, self.batch_size, gc.int32, self._seed)

    def next_inputs(self, time: Any, outputs: Any, state: Any, sample_ids: Any = None,
                    name: str | None = None) -> Any:
        with gc.name_scope(name, "ScheduledOutputTrainingHelperNextInputs", [time, outputs, sample_ids]):
            finished, inputs, state = super().next_inputs(time, outputs, state, sample_ids, name)
            chosen = gc.cast(sample_ids, gc.bool)

            def mixed() -> gc.Tensor:
                if self._next_inputs_fn is None:
                    return gc.where(chosen, self._with_auxiliary(outputs, time, None), inputs)
                sampled, other = _places(chosen), _places(gc.logical_not(chosen))
                made = self._next_inputs_fn(gc.gather_nd(outputs, sampled))
                return _merged(sampled, self._with_auxiliary(made, time, sampled), other, inputs)

            as_given = gc.logical_or(gc.reduce_all(finished), gc.logical_not(gc.reduce_any(chosen)))
            return finished, gc.cond(as_given, lambda: inputs, mixed), state

    def _with_auxiliary(self, outputs: Any, time: Any, places: Any) -> gc.Tensor:
        """The outputs, at these places of the batch, with the next auxiliary inputs after them."""
        if self._auxiliary_array is None:
            return outputs
        auxiliary = self._auxiliary_array.read(time + 1)
        if places is not None:
            auxiliary = gc.gather_nd(auxiliary, places)
        return gc.concat((outputs, auxiliary), -1)


def _probability(value: Any) -> gc.Tensor:
    tensor = gc.convert_to_tensor(value, name="sampling_probability")
    if tensor.get_shape().ndims not in (0, 1):
        raise ValueError("sampling_probability must be either a scalar or a vector. saw shape: "
                         f"{tensor.get_shape()}")
    return tensor


def _unstacked(steps: Any) -> gc.TensorArray:
    array = gc.TensorArray(steps.dtype, size=gc.shape(steps)[0], element_shape=steps.get_shape()[1:])
    return array.unstack(steps)


def _places(chosen: Any) -> gc.Tensor:
    """int32[count, 1]: where in the batch."""
    return gc.cast(gc.where(chosen), gc.int32)


def _merged(sampled: Any, new: Any, other: Any, inputs: Any) -> gc.Tensor:
    """`new` at the sampled places of the batch, `inputs` at the others."""
    shape = gc.shape(inputs)
    return (gc.scatter_nd(indices=sampled, updates=new, shape=shape)
            + gc.scatter_nd(indices=other, updates=gc.gather_nd(inputs, other), shape=shape))
