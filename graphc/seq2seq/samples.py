"""Random choices of helpers, zeros of decoders, and what else several files of this room need."""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

import graphc as gc
from graphc.rnn import structures


def bernoulli(probability: Any, count: Any, dtype: Any, seed: Any) -> gc.Tensor:
    """[count, *probability's shape]: 1 (or True) with that probability."""
    uniform = gc.random_uniform(gc.concat([[count], gc.shape(probability)], 0), dtype=probability.dtype, seed=seed)
    return gc.cast(gc.less(uniform, probability), dtype)


def categorical(logits: Any, seed: Any) -> gc.Tensor:
    """int32 of logits' shape without the last axis: an index drawn by the softmax of each row."""
    logits = gc.convert_to_tensor(logits, name="logits")
    rows = logits if logits.shape.ndims == 2 else gc.reshape(logits, [-1, gc.shape(logits)[-1]])
    draws = gc.multinomial(rows, 1, seed=seed, output_dtype=gc.int64 if logits.dtype.size > 4 else gc.int32)
    return gc.cast(gc.reshape(draws, gc.shape(logits)[:-1]), gc.int32)


def zeros(batch_size: Any, size: Any, dtype: Any) -> gc.Tensor:
    """[batch_size, *size] zeros; size may be a scalar tensor, too."""
    if isinstance(size, gc.Tensor):
        return gc.zeros(gc.stack([gc.convert_to_tensor(batch_size, gc.int32), size]), dtype)
    return structures.zeros(batch_size, size, dtype)


def embedding_function(embedding: Any) -> Callable[[Any], Any]:
    """ids -> rows: a function as it is given, or the lookup in a table."""
    if callable(embedding):
        return embedding
    return lambda ids: gc.nn.embedding_lookup(embedding, ids)


def size_of(tensor: Any, axis: int) -> Any:
    """The size of an axis: a number if it is known, else a scalar tensor."""
    known = tensor.shape[axis].value
    return gc.shape(tensor)[axis] if known is None else known


def start_and_end(start_tokens: Any, end_token: Any) -> tuple[gc.Tensor, gc.Tensor]:
    """Both as int32 tensors. Raises ValueError unless they are a vector and a scalar."""
    start = gc.convert_to_tensor(start_tokens, dtype=gc.int32, name="start_tokens")
    end = gc.convert_to_tensor(end_token, dtype=gc.int32, name="end_token")
    if start.get_shape().ndims != 1:
        raise ValueError(f"start_tokens must be a vector, but its shape is {start.get_shape()}")
    if end.get_shape().ndims != 0:
        raise ValueError(f"end_token must be a scalar, but its shape is {end.get_shape()}")
    return start, end


def check_layer(what: str, layer: Any) -> None:
    """Raises TypeError unless it is a layer, or None."""
    if layer is not None and not isinstance(layer, gc.layers.Layer):
        raise TypeError(f"{what} must be a Layer, received: {type(layer).__name__}")


def sizes_behind(layer: Any, size: Any) -> Any:
    """The size of a row of what `layer` makes of rows of that size; the size itself if there is no layer."""
    if layer is None:
        return size
    shapes = gc.nest.map_structure(lambda s: gc.TensorShape([None]).concatenate(s), size)
    return gc.nest.map_structure(lambda s: s[1:], layer.compute_output_shape(shapes))
