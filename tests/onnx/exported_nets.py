"""Nets that are exported: NETS[name]() builds one in the default graph and gives (inputs, outputs, make), where
make(batch) are arrays for the inputs."""
from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import graphc as gc

Net = tuple[list[Any], list[Any], Callable[[int], list[np.ndarray]]]


def _numbers(*shape: int) -> np.ndarray:
    return np.random.default_rng(sum(shape)).normal(size=shape).astype(np.float32)


def digits() -> Net:
    """examples/digits_cnn.py, without dropout."""
    sys.path.insert(0, str(Path(__file__).parents[2] / "examples"))
    from digits_cnn import network

    x = gc.placeholder(gc.float32, [None, 8, 8, 1], name="x")
    return [x], [network(x, gc.constant(1.0))], lambda batch: [_numbers(batch, 8, 8, 1)]


def pictures() -> Net:
    x = gc.placeholder(gc.float32, [None, 16, 16, 3], name="x")
    h = gc.layers.conv2d(x, 8, 3, padding="same", strides=2)
    h = gc.nn.relu(gc.layers.batch_normalization(h))
    h = h + gc.layers.separable_conv2d(h, 8, 3, padding="same", activation=gc.nn.relu)
    h = gc.layers.average_pooling2d(h, 2, 2)
    h = gc.layers.conv2d_transpose(h, 4, 3, 2, padding="same")
    h = gc.image.resize_bilinear(h, [12, 12])
    return [x], [gc.reduce_mean(h, [1, 2]), h], lambda batch: [_numbers(batch, 16, 16, 3)]


def recurrent() -> Net:
    x = gc.placeholder(gc.float32, [None, None, 3], name="x")
    rows, state = gc.nn.dynamic_rnn(gc.nn.rnn_cell.BasicLSTMCell(5), x, dtype=gc.float32)
    with gc.variable_scope("second"):
        more, _ = gc.nn.dynamic_rnn(gc.nn.rnn_cell.GRUCell(4), rows, dtype=gc.float32)
    return [x], [gc.layers.dense(more[:, -1], 2), state.h, rows], lambda batch: [_numbers(batch, 6, 3)]


def with_lengths() -> Net:
    x, lengths = gc.placeholder(gc.float32, [None, 7, 3], name="x"), gc.placeholder(gc.int32, [None], name="lengths")
    cells = [gc.nn.rnn_cell.LSTMCell(4) for _ in range(2)]
    (forwards, backwards), _ = gc.nn.bidirectional_dynamic_rnn(*cells, x, lengths, dtype=gc.float32)
    return [x, lengths], [gc.concat([forwards, backwards], 2)], lambda batch: [
        _numbers(batch, 7, 3), np.arange(batch, dtype=np.int32) + 3]


def transformer() -> Net:
    """One encoder block with two heads over embedded words, padding masked."""
    words = gc.placeholder(gc.int32, [None, None], name="words")
    width, heads = 8, 2
    h = gc.nn.embedding_lookup(gc.get_variable("words_table", [11, width]), words)
    sizes = gc.shape(h)

    def split(t: Any) -> Any:
        return gc.transpose(gc.reshape(t, [sizes[0], sizes[1], heads, width // heads]), [0, 2, 1, 3])

    q, k, v = (split(gc.layers.dense(h, width, name=name)) for name in ("q", "k", "v"))
    scores = gc.matmul(q, k, transpose_b=True) / np.float32(np.sqrt(width // heads))
    hidden = gc.cast(gc.equal(words, 0), gc.float32) * -1e9
    weights = gc.nn.softmax(scores + gc.expand_dims(gc.expand_dims(hidden, 1), 1))
    mixed = gc.reshape(gc.transpose(gc.matmul(weights, v), [0, 2, 1, 3]), [sizes[0], sizes[1], width])
    h = gc.contrib.layers.layer_norm(h + gc.layers.dense(mixed, width, name="o"), begin_norm_axis=-1)
    inner = gc.layers.dense(h, 16, activation=gc.nn.relu, name="inner")
    h = gc.contrib.layers.layer_norm(h + gc.layers.dense(inner, width, name="outer"), begin_norm_axis=-1)
    return [words], [h], lambda batch: [np.random.default_rng(batch).integers(1, 11, (batch, 5)).astype(np.int32)]


def control() -> Net:
    """A branch inside a loop, with what both take from around them."""
    x = gc.placeholder(gc.float32, [None, 2], name="x")
    w = gc.get_variable("w", [2, 2])

    def body(i: Any, h: Any) -> Any:
        changed = gc.cond(gc.reduce_sum(h) > 0.0, lambda: gc.tanh(gc.matmul(h, w)), lambda: h + 1.0)
        return i + 1, changed

    _, h = gc.while_loop(lambda i, h: i < 4, body, [gc.constant(0), x])
    mapped = gc.map_fn(lambda row: row * 2.0 + gc.reduce_sum(row), x)
    return [x], [h, mapped], lambda batch: [_numbers(batch, 2)]


NETS: dict[str, Callable[[], Net]] = {
    net.__name__: net for net in (digits, pictures, recurrent, with_lengths, transformer, control)}
