"""Attention mechanisms: how well each row of a memory answers a query, as probabilities.

The variables of the memory's layer are made with the mechanism, those of the query where it is called: in a scope of
the mechanism's name, inside of the scope of the cell that calls it.
"""
from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import graphc as gc
from graphc.api.public import public
from graphc.seq2seq.memory import inside_of, masked_score, prepared
from graphc.seq2seq.samples import check_layer, size_of, zeros


@public("contrib.seq2seq.AttentionMechanism")
class AttentionMechanism:
    """What AttentionWrapper takes: mechanism(query, state) gives (alignments, next state).

    query: [batch, depth]; alignments: [batch, time]. Properties that a subclass does not define are a
    NotImplementedError. As `tf.contrib.seq2seq.AttentionMechanism`.

    >>> isinstance(gc.contrib.seq2seq.LuongAttention(3, gc.ones([2, 7, 4])), gc.contrib.seq2seq.AttentionMechanism)
    True
    """

    @property
    def alignments_size(self) -> Any:
        """The time of the memory: alignments are [batch, alignments_size]."""
        raise NotImplementedError(f"{type(self).__name__} does not define alignments_size")

    @property
    def state_size(self) -> Any:
        """The size of the state, for a cell's state_size."""
        raise NotImplementedError(f"{type(self).__name__} does not define state_size")


class MemoryAttention(AttentionMechanism):
    """What all mechanisms over a memory [batch, time, ...] share.

    probability_fn(score, state): probabilities of scores [batch, time]. memory_sequence_length: after it the memory is
    zeros, and the score is score_mask_value, by default minus infinity. custom_key_value_fn(keys, values) gives others.
    """

    def __init__(self, query_layer: Any, memory: Any, probability_fn: Callable[..., Any],
                 memory_sequence_length: Any = None, memory_layer: Any = None, check_inner_dims_defined: bool = True,
                 score_mask_value: Any = None, custom_key_value_fn: Callable[..., Any] | None = None,
                 name: str | None = None) -> None:
        check_layer("query_layer", query_layer)
        check_layer("memory_layer", memory_layer)
        if not callable(probability_fn):
            raise TypeError(f"probability_fn must be callable, saw type: {type(probability_fn).__name__}")
        self._query_layer = query_layer
        self._memory_layer = memory_layer
        self.dtype = None if memory_layer is None else memory_layer.dtype
        self._name = name
        with gc.name_scope(name, "BaseAttentionMechanismInit", gc.nest.flatten(memory)):
            self._values = prepared(memory, memory_sequence_length, check_inner_dims_defined)
            self._keys = self._values if memory_layer is None else memory_layer(self._values)
            if custom_key_value_fn is not None:
                self._keys, self._values = custom_key_value_fn(self._keys, self._values)
            self.dtype = self.dtype or self._keys.dtype
            self._batch_size = size_of(self._keys, 0)
            self._alignments_size = size_of(self._keys, 1)
            inside = inside_of(memory_sequence_length, self._keys)
        mask_value = -math.inf if score_mask_value is None else score_mask_value
        self._probability_fn = lambda score, state: probability_fn(masked_score(score, inside, mask_value), state)

    query_layer = property(lambda self: self._query_layer)
    memory_layer = property(lambda self: self._memory_layer)
    values = property(lambda self: self._values, doc="The memory, masked.")
    keys = property(lambda self: self._keys, doc="What memory_layer made of the memory.")
    batch_size = property(lambda self: self._batch_size)
    alignments_size = property(lambda self: self._alignments_size, doc="The memory's time.")
    state_size = property(lambda self: self._alignments_size)

    def initial_alignments(self, batch_size: Any, dtype: Any) -> Any:
        """[batch_size, alignments_size] zeros."""
        return zeros(batch_size, self._alignments_size, dtype)

    def initial_state(self, batch_size: Any, dtype: Any) -> Any:
        """The same as initial_alignments."""
        return self.initial_alignments(batch_size, dtype)

    def __deepcopy__(self, memo: dict[int, Any]) -> MemoryAttention:
        """Itself: a copy of a cell attends to the same memory."""
        return self

    def _aligned(self, score: Any, state: Any) -> tuple[Any, Any]:
        alignments = self._probability_fn(score, state)
        return alignments, alignments

    def _score_bias(self, dtype: Any, value: float) -> Any:
        return gc.get_variable("attention_score_bias", [], dtype=dtype, initializer=gc.constant_initializer(value))


class LuongScore(MemoryAttention):
    """Scores are products of query and keys; with `scale` times a variable."""

    def __init__(self, num_units: int, memory: Any, scale: bool, dtype: Any, **more: Any) -> None:
        layer = gc.layers.Dense(num_units, name="memory_layer", use_bias=False, dtype=dtype or gc.float32)
        super().__init__(None, memory, memory_layer=layer, **more)
        self._num_units = num_units
        self._scale = scale

    def _score(self, query: Any) -> Any:
        """[batch, time] for query [batch, units]. Raises ValueError unless keys have as many units."""
        depth, units = query.get_shape()[-1].value, self._keys.get_shape()[-1].value
        if depth is None or depth != units:
            raise ValueError(f"Incompatible or unknown inner dimensions between query and keys.  Query ({query.name}) "
                             f"has units: {depth}.  Keys ({self._keys.name}) have units: {units}.  Perhaps you need to "
                             f"set num_units to the keys' dimension ({units})?")
        factor = gc.get_variable("attention_g", [], dtype=query.dtype,
                                 initializer=gc.ones_initializer()) if self._scale else None
        score = gc.squeeze(gc.matmul(gc.expand_dims(query, 1), self._keys, transpose_b=True), [1])
        return score if factor is None else factor * score


class BahdanauScore(MemoryAttention):
    """Scores are sums of v * tanh(keys + query); with `normalize` v has the length g, and b is added inside."""

    def __init__(self, num_units: int, memory: Any, normalize: bool, dtype: Any, **more: Any) -> None:
        layers = [gc.layers.Dense(num_units, name=name, use_bias=False, dtype=dtype or gc.float32)
                  for name in ("query_layer", "memory_layer")]
        super().__init__(layers[0], memory, memory_layer=layers[1], **more)
        self._num_units = num_units
        self._normalize = normalize

    def _score(self, query: Any) -> Any:
        """[batch, time] for query [batch, ...]."""
        asked = gc.expand_dims(self._query_layer(query), 1)
        v = gc.get_variable("attention_v", [self._num_units], dtype=query.dtype)
        if not self._normalize:
            return gc.reduce_sum(v * gc.tanh(self._keys + asked), [2])
        length = gc.constant_initializer(math.sqrt(1.0 / self._num_units))
        g = gc.get_variable("attention_g", [], dtype=query.dtype, initializer=length)
        b = gc.get_variable("attention_b", [self._num_units], dtype=query.dtype, initializer=gc.zeros_initializer())
        v = g * v * gc.rsqrt(gc.reduce_sum(gc.square(v)))
        return gc.reduce_sum(v * gc.tanh(self._keys + asked + b), [2])


@public("contrib.seq2seq.LuongAttention")
class LuongAttention(LuongScore):
    """Multiplicative attention, as `tf.contrib.seq2seq.LuongAttention`. num_units must be the query's depth.

    probability_fn(score): by default softmax. dtype: of the memory's layer, by default float32.
    score = query * (memory * memory_layer), a product of vectors. memory: [batch, time, depth]; past
    memory_sequence_length it is not seen. scale: scores are scaled by a learned number. memory and query are of that
    dtype: TypeError for others, and for a probability_fn that is not callable. Raises ValueError if the depth of memory
    is not known, or that of the query is not num_units.

    >>> mechanism = gc.contrib.seq2seq.LuongAttention(3, gc.ones([2, 5, 6]), memory_sequence_length=[5, 2])
    >>> alignments, state = mechanism(gc.ones([2, 3]), mechanism.initial_state(2, gc.float32))
    >>> gc.global_variables_initializer().run()
    >>> alignments.eval()
    array([[0.2, 0.2, 0.2, 0.2, 0.2],
           [0.5, 0.5, 0. , 0. , 0. ]], dtype=float32)
    """

    def __init__(self, num_units: int, memory: Any, memory_sequence_length: Any = None, scale: bool = False,
                 probability_fn: Callable[..., Any] | None = None, score_mask_value: Any = None, dtype: Any = None,
                 custom_key_value_fn: Callable[..., Any] | None = None, name: str | None = "LuongAttention") -> None:
        super().__init__(num_units, memory, scale, dtype, probability_fn=_of_score(probability_fn),
                         memory_sequence_length=memory_sequence_length, score_mask_value=score_mask_value,
                         custom_key_value_fn=custom_key_value_fn, name=name)

    def __call__(self, query: Any, state: Any) -> tuple[Any, Any]:
        with gc.variable_scope(None, "luong_attention", [query]):
            score = self._score(query)
        return self._aligned(score, state)


@public("contrib.seq2seq.BahdanauAttention")
class BahdanauAttention(BahdanauScore):
    """Additive attention, as `tf.contrib.seq2seq.BahdanauAttention`.

    probability_fn(score): by default softmax. dtype: of both layers, by default float32.
    score = v * tanh(query * query_layer + memory * memory_layer), both layers of num_units. memory: [batch, time,
    depth]; past memory_sequence_length it is not seen. normalize: v is of length 1, times a learned number. Called with
    a query [batch, depth] and the state before. memory and query are of that dtype: TypeError for others, and for a
    probability_fn that is not callable. Raises ValueError if the depth of memory is not known, or for another number of
    lengths.

    >>> mechanism = gc.contrib.seq2seq.BahdanauAttention(4, gc.ones([2, 5, 6]), memory_sequence_length=[5, 2])
    >>> alignments, state = mechanism(gc.ones([2, 3]), mechanism.initial_state(2, gc.float32))
    >>> gc.global_variables_initializer().run()
    >>> alignments.eval()
    array([[0.2, 0.2, 0.2, 0.2, 0.2],
           [0.5, 0.5, 0. , 0. , 0. ]], dtype=float32)
    """

    def __init__(self, num_units: int, memory: Any, memory_sequence_length: Any = None, normalize: bool = False,
                 probability_fn: Callable[..., Any] | None = None, score_mask_value: Any = None, dtype: Any = None,
                 custom_key_value_fn: Callable[..., Any] | None = None,
                 name: str | None = "BahdanauAttention") -> None:
        super().__init__(num_units, memory, normalize, dtype, probability_fn=_of_score(probability_fn),
                         memory_sequence_length=memory_sequence_length, score_mask_value=score_mask_value,
                         custom_key_value_fn=custom_key_value_fn, name=name)

    def __call__(self, query: Any, state: Any) -> tuple[Any, Any]:
        with gc.variable_scope(None, "bahdanau_attention", [query]):
            score = self._score(query)
        return self._aligned(score, state)


def _of_score(probability_fn: Callable[..., Any] | None) -> Callable[..., Any]:
    """A function of score and state that looks at the score only."""
    function = probability_fn or gc.nn.softmax
    if not callable(function):
        raise TypeError(f"probability_fn must be callable, saw type: {type(function).__name__}")
    return lambda score, state: function(score)


@public("contrib.seq2seq.hardmax")
def hardmax(logits: Any, name: str | None = None) -> gc.Tensor:
    """1 where the largest logit of the last axis is, else 0.

    logits: real numbers of rank 1 or more, whose shape and dtype the result has. Raises TypeError for strings and
    bools, ValueError for scalars. As `tf.contrib.seq2seq.hardmax`.

    >>> gc.contrib.seq2seq.hardmax([[1., 5., 2.], [7., 0., 0.]]).eval()
    array([[0., 1., 0.],
           [1., 0., 0.]], dtype=float32)
    """
    with gc.name_scope(name, "Hardmax", [logits]):
        logits = gc.convert_to_tensor(logits, name="logits")
        return gc.one_hot(gc.argmax(logits, -1), size_of(logits, -1), dtype=logits.dtype)
