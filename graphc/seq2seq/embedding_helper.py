"""Helpers for inference: the next input is the embedding of the best id, or of one that is drawn."""
from __future__ import annotations

from typing import Any

import graphc as gc
from graphc.api.public import public
from graphc.seq2seq.helper import Helper
from graphc.seq2seq.samples import categorical, embedding_function, start_and_end


@public("contrib.seq2seq.GreedyEmbeddingHelper")
class GreedyEmbeddingHelper(Helper):
    """Reads the embedding of the argmax of the outputs, as `tf.contrib.seq2seq.GreedyEmbeddingHelper`.

    embedding: a function of ids, or a table. start_tokens: int32[batch]; end_token: int32 scalar. Raises TypeError for
    numbers that are no integers, ValueError for tensors of another dtype or rank; TypeError for outputs that are no
    single tensor.

    >>> table, cell = gc.get_variable("embedding", [10, 4]), gc.nn.rnn_cell.GRUCell(8)
    >>> helper = gc.contrib.seq2seq.GreedyEmbeddingHelper(table, start_tokens=gc.fill([2], 1), end_token=0)
    >>> decoder = gc.contrib.seq2seq.BasicDecoder(cell, helper, cell.zero_state(2, gc.float32), gc.layers.Dense(10))
    >>> outputs, state, lengths = gc.contrib.seq2seq.dynamic_decode(decoder, maximum_iterations=5)
    >>> gc.global_variables_initializer().run()
    >>> bool((lengths.eval() <= 5).all())
    True
    """

    def __init__(self, embedding: Any, start_tokens: Any, end_token: Any) -> None:
        self._embedding_fn = embedding_function(embedding)
        self._start_tokens, self._end_token = start_and_end(start_tokens, end_token)
        self._batch_size = gc.size(self._start_tokens)
        self._start_inputs = self._embedding_fn(self._start_tokens)

    batch_size = property(lambda self: self._batch_size)
    sample_ids_shape = property(lambda self: gc.TensorShape([]))
    sample_ids_dtype = property(lambda self: gc.int32)

    def initialize(self, name: str | None = None) -> Any:
        return gc.tile([False], [self._batch_size]), self._start_inputs

    def sample(self, time: Any, outputs: Any, state: Any, name: str | None = None) -> Any:
        """Raises TypeError unless outputs is one tensor."""
        return gc.argmax(_single(outputs), axis=-1, output_type=gc.int32)

    def next_inputs(self, time: Any, outputs: Any, state: Any, sample_ids: Any, name: str | None = None) -> Any:
        finished = gc.equal(sample_ids, self._end_token)
        inputs = gc.cond(gc.reduce_all(finished), lambda: self._start_inputs, lambda: self._embedding_fn(sample_ids))
        return finished, inputs, state


@public("contrib.seq2seq.SampleEmbeddingHelper")
class SampleEmbeddingHelper(GreedyEmbeddingHelper):
    """Reads the embedding of an id drawn by the softmax of outputs / softmax_temperature, as
    `tf.contrib.seq2seq.SampleEmbeddingHelper`. Other parameters and errors as GreedyEmbeddingHelper's; the ids are
    int32[batch].

    >>> table, cell = gc.get_variable("embedding", [10, 4]), gc.nn.rnn_cell.GRUCell(8)
    >>> helper = gc.contrib.seq2seq.SampleEmbeddingHelper(table, gc.fill([2], 1), end_token=0, softmax_temperature=0.5)
    >>> decoder = gc.contrib.seq2seq.BasicDecoder(cell, helper, cell.zero_state(2, gc.float32), gc.layers.Dense(10))
    >>> outputs, state, lengths = gc.contrib.seq2seq.dynamic_decode(decoder, maximum_iterations=5)
    >>> outputs.sample_id.shape, outputs.sample_id.dtype
    (TensorShape([Dimension(2), Dimension(None)]), gc.int32)
    """

    def __init__(self, embedding: Any, start_tokens: Any, end_token: Any, softmax_temperature: Any = None,
                 seed: Any = None) -> None:
        super().__init__(embedding, start_tokens, end_token)
        self._softmax_temperature = softmax_temperature
        self._seed = seed

    def sample(self, time: Any, outputs: Any, state: Any, name: str | None = None) -> Any:
        """Raises TypeError unless outputs is one tensor."""
        logits = _single(outputs)
        if self._softmax_temperature is not None:
            logits = logits / self._softmax_temperature
        return categorical(logits, self._seed)


def _single(outputs: Any) -> gc.Tensor:
    if not isinstance(outputs, gc.Tensor):
        raise TypeError(f"Expected outputs to be a single Tensor, got: {type(outputs)}")
    return outputs
