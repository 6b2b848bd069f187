"""Helpers say what a BasicDecoder's cell reads next: the base class, and those made of functions."""
from __future__ import annotations

from abc import ABCMeta, abstractmethod
from collections.abc import Callable
from typing import Any

import graphc as gc
from graphc.api.public import public


@public("contrib.seq2seq.Helper")
class Helper(metaclass=ABCMeta):
    """What makes a BasicDecoder's inputs and samples, as `tf.contrib.seq2seq.Helper`.

    batch_size, sample_ids_shape (of one) and sample_ids_dtype; initialize() gives (finished [batch], inputs),
    sample(time, outputs, state) the ids, next_inputs(time, outputs, state, sample_ids) gives (finished, inputs, state).
    It is abstract: TypeError for a subclass without all of them.

    >>> helper = gc.contrib.seq2seq.TrainingHelper(gc.ones([2, 5, 4]), sequence_length=[5, 0])
    >>> isinstance(helper, gc.contrib.seq2seq.Helper)
    True
    >>> finished, inputs = helper.initialize()
    >>> finished.eval(), inputs.eval()
    (array([False,  True]), array([[1., 1., 1., 1.],
           [1., 1., 1., 1.]], dtype=float32))
    """

    @property
    @abstractmethod
    def batch_size(self) -> Any:
        """A scalar int32 tensor."""

    @property
    @abstractmethod
    def sample_ids_shape(self) -> Any:
        """The shape of what `sample` gives, without the batch."""

    @property
    @abstractmethod
    def sample_ids_dtype(self) -> Any:
        """The dtype of what `sample` gives."""

    @abstractmethod
    def initialize(self, name: str | None = None) -> Any:
        """(which sequences are finished before the first step, the first inputs)."""

    @abstractmethod
    def sample(self, time: Any, outputs: Any, state: Any, name: str | None = None) -> Any:
        """The ids that stand for the outputs."""

    @abstractmethod
    def next_inputs(self, time: Any, outputs: Any, state: Any, sample_ids: Any, name: str | None = None) -> Any:
        """(which sequences are finished, the next inputs, the next state)."""


@public("contrib.seq2seq.CustomHelper")
class CustomHelper(Helper):
    """A helper made of three functions, as `tf.contrib.seq2seq.CustomHelper`.

    initialize_fn() gives (finished, inputs), sample_fn(time=, outputs=, state=) the ids, next_inputs_fn(time=,
    outputs=, state=, sample_ids=) gives (finished, inputs, state). sample_ids_shape, by default a scalar, and
    sample_ids_dtype, by default int32, are those of one id. Reading batch_size before initialize is a ValueError.

    >>> def begin():
    ...     return gc.fill([2], False), gc.zeros([2, 4])
    >>> def sample(time, outputs, state):
    ...     return gc.argmax(outputs, -1, output_type=gc.int32)
    >>> def next_inputs(time, outputs, state, sample_ids):
    ...     return gc.fill([2], time >= 2), gc.one_hot(sample_ids, 4), state
    >>> helper, cell = gc.contrib.seq2seq.CustomHelper(begin, sample, next_inputs), gc.nn.rnn_cell.GRUCell(4)
    >>> decoder = gc.contrib.seq2seq.BasicDecoder(cell, helper, cell.zero_state(2, gc.float32))
    >>> outputs, state, lengths = gc.contrib.seq2seq.dynamic_decode(decoder)
    >>> gc.global_variables_initializer().run()
    >>> outputs.sample_id.eval().shape, lengths.eval()
    ((2, 3), array([3, 3], dtype=int32))
    """

    def __init__(self, initialize_fn: Callable[..., Any], sample_fn: Callable[..., Any],
                 next_inputs_fn: Callable[..., Any], sample_ids_shape: Any = None,
                 sample_ids_dtype: Any = None) -> None:
        self._initialize_fn = initialize_fn
        self._sample_fn = sample_fn
        self._next_inputs_fn = next_inputs_fn
        self._batch_size: Any = None
        self._sample_ids_shape = gc.TensorShape(sample_ids_shape or [])
        self._sample_ids_dtype = sample_ids_dtype or gc.int32

    @property
    def batch_size(self) -> Any:
        """Raises ValueError before `initialize`."""
        if self._batch_size is None:
            raise ValueError("batch_size accessed before initialize was called")
        return self._batch_size

    sample_ids_shape = property(lambda self: self._sample_ids_shape)
    sample_ids_dtype = property(lambda self: self._sample_ids_dtype)

    def initialize(self, name: str | None = None) -> Any:
        with gc.name_scope(name, f"{type(self).__name__}Initialize"):
            finished, inputs = self._initialize_fn()
            if self._batch_size is None:
                self._batch_size = gc.size(finished)
        return finished, inputs

    def sample(self, time: Any, outputs: Any, state: Any, name: str | None = None) -> Any:
        with gc.name_scope(name, f"{type(self).__name__}Sample"):
            return self._sample_fn(time=time, outputs=outputs, state=state)

    def next_inputs(self, time: Any, outputs: Any, state: Any, sample_ids: Any, name: str | None = None) -> Any:
        with gc.name_scope(name, f"{type(self).__name__}NextInputs"):
            return self._next_inputs_fn(time=time, outputs=outputs, state=state, sample_ids=sample_ids)


@public("contrib.seq2seq.InferenceHelper")
class InferenceHelper(Helper):
    """A helper that reads its own samples, as `tf.contrib.seq2seq.InferenceHelper`.

    sample_fn(outputs) gives samples of sample_shape and sample_dtype, end_fn(samples) says which end their sequence;
    next_inputs_fn(samples) gives the next inputs, by default the samples themselves.

    >>> helper = gc.contrib.seq2seq.InferenceHelper(
    ...     sample_fn=lambda outputs: outputs, sample_shape=[3], sample_dtype=gc.float32, start_inputs=gc.zeros([2, 3]),
    ...     end_fn=lambda samples: gc.fill([2], False))
    >>> cell = gc.nn.rnn_cell.GRUCell(3)
    >>> decoder = gc.contrib.seq2seq.BasicDecoder(cell, helper, cell.zero_state(2, gc.float32))
    >>> outputs, state, lengths = gc.contrib.seq2seq.dynamic_decode(decoder, maximum_iterations=4)
    >>> gc.global_variables_initializer().run()
    >>> outputs.sample_id.eval().shape
    (2, 4, 3)
    """

    def __init__(self, sample_fn: Callable[..., Any], sample_shape: Any, sample_dtype: Any, start_inputs: Any,
                 end_fn: Callable[..., Any], next_inputs_fn: Callable[..., Any] | None = None) -> None:
        self._sample_fn = sample_fn
        self._end_fn = end_fn
        self._sample_shape = gc.TensorShape(sample_shape)
        self._sample_dtype = sample_dtype
        self._next_inputs_fn = next_inputs_fn
        self._batch_size = gc.shape(start_inputs)[0]
        self._start_inputs = gc.convert_to_tensor(start_inputs, name="start_inputs")

    batch_size = property(lambda self: self._batch_size)
    sample_ids_shape = property(lambda self: self._sample_shape)
    sample_ids_dtype = property(lambda self: self._sample_dtype)

    def initialize(self, name: str | None = None) -> Any:
        return gc.tile([False], [self._batch_size]), self._start_inputs

    def sample(self, time: Any, outputs: Any, state: Any, name: str | None = None) -> Any:
        return self._sample_fn(outputs)

    def next_inputs(self, time: Any, outputs: Any, state: Any, sample_ids: Any, name: str | None = None) -> Any:
        inputs = sample_ids if self._next_inputs_fn is None else self._next_inputs_fn(sample_ids)
        return self._end_fn(sample_ids), inputs, state
