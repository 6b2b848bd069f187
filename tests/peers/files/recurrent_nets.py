"""TensorFlow 1's recurrent programs, frozen with control flow v1: Enter, Switch, Merge, TensorArrays."""
from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

os.environ["TF_USE_LEGACY_KERAS"] = "1"       # for tf.nn.rnn_cell
import numpy as np
import tensorflow.compat.v1 as tf
from freezing import of_first_version
from kinds import drawn

Built = tuple[list[Any], list[Any]]
WORDS, WIDTH = 40, 16


def _rows() -> Any:
    return tf.placeholder(tf.float32, [None, None, 8], name="rows")


def _named(*tensors: Any) -> list[Any]:
    return [tf.identity(t, name=f"out_{i}") for i, t in enumerate(tensors)]


def dynamic_lstm() -> Built:
    rows = _rows()
    cell = tf.nn.rnn_cell.LSTMCell(WIDTH, use_peepholes=True, num_proj=6)
    outputs, state = tf.nn.dynamic_rnn(cell, rows, dtype=tf.float32)
    return [rows], _named(outputs, state.c)


def dynamic_gru_layers() -> Built:
    rows = _rows()
    cells = tf.nn.rnn_cell.MultiRNNCell([tf.nn.rnn_cell.GRUCell(n) for n in (12, 7)])
    outputs, states = tf.nn.dynamic_rnn(cells, rows, dtype=tf.float32)
    return [rows], _named(outputs, *states)


def bidirectional_lengths() -> Built:
    rows, lengths = _rows(), tf.placeholder(tf.int32, [None], name="lengths")
    cells = [tf.nn.rnn_cell.BasicLSTMCell(n) for n in (9, 11)]
    outputs, states = tf.nn.bidirectional_dynamic_rnn(*cells, rows, lengths, dtype=tf.float32)
    return [rows, lengths], _named(tf.concat(outputs, 2), states[1].h)


def _encoded(words: Any) -> tuple[Any, Any, Any]:
    table = tf.get_variable("table", [WORDS, 8], initializer=tf.random_normal_initializer())
    outputs, state = tf.nn.dynamic_rnn(tf.nn.rnn_cell.GRUCell(WIDTH), tf.nn.embedding_lookup(table, words),
                                       dtype=tf.float32)
    return table, outputs, state


def _decoder(attention: bool) -> Built:
    """Greedy decoding as BasicDecoder did it: a loop that ends when all sequences have, with a TensorArray."""
    words = tf.placeholder(tf.int32, [None, None], name="words")
    table, memory, state = _encoded(words)
    cell = tf.nn.rnn_cell.GRUCell(WIDTH, name="decoder")
    project = tf.get_variable("project", [WIDTH, WORDS], initializer=tf.random_normal_initializer())
    batch = tf.shape(words)[0]

    def body(step: Any, last: Any, state: Any, done: Any, scores: Any) -> list[Any]:
        given = tf.nn.embedding_lookup(table, last)
        if attention:
            weights = tf.nn.softmax(tf.einsum("btd,bd->bt", memory, state))
            given = tf.concat([given, tf.reduce_sum(memory * weights[:, :, None], 1)], 1)
        output, following = cell(given, state)
        logits = tf.matmul(output, project)
        following = tf.where(done, state, following)
        chosen = tf.argmax(logits, 1, output_type=tf.int32)
        return [step + 1, chosen, following, done | tf.equal(chosen, 0), scores.write(step, logits)]

    scores = tf.TensorArray(tf.float32, 0, dynamic_size=True, element_shape=[None, WORDS])
    begin = [tf.constant(0), tf.ones([batch], tf.int32), state, tf.zeros([batch], tf.bool), scores]
    steps, _, state, _, scores = tf.while_loop(lambda i, w, s, done, a: (i < 12) & ~tf.reduce_all(done), body, begin)
    return [words], _named(tf.transpose(scores.stack(), [1, 0, 2]), state, steps)


def training_step() -> Built:
    """The gradients of a recurrent net's loss: what was computed in each iteration lies on stacks."""
    rows = _rows()
    outputs, state = tf.nn.dynamic_rnn(tf.nn.rnn_cell.LSTMCell(6), rows, dtype=tf.float32)
    loss = tf.reduce_mean(tf.square(outputs)) + tf.reduce_sum(state.c)
    return [rows], _named(loss, *tf.gradients(loss, [rows, *tf.trainable_variables()]))


def nested_loops() -> Built:
    rows = _rows()

    def outer(i: Any, total: Any) -> list[Any]:
        _, inner = tf.while_loop(lambda j, x: j <= i, lambda j, x: [j + 1, tf.tanh(x + rows[:, 0])],
                                 [tf.constant(0), total])
        return [i + 1, tf.cond(tf.reduce_mean(inner) > 0.0, lambda: inner * 0.5, lambda: inner + total)]

    steps, total = tf.while_loop(lambda i, _: i < 4, outer, [tf.constant(0), tf.reduce_sum(rows, 1)],
                                 shape_invariants=[tf.TensorShape([]), tf.TensorShape([None, 8])])
    return [rows], _named(total, steps)


def _of_rows(build: Callable[[], Built], folder: Path) -> None:
    of_first_version(build, folder, [[drawn(1, 1, 20, 8)], [drawn(2, 3, 7, 8)]])


def _with_lengths(build: Callable[[], Built], folder: Path) -> None:
    of_first_version(build, folder, [[drawn(1, 1, 20, 8), np.array([17], np.int32)],
                                     [drawn(2, 3, 7, 8), np.array([7, 1, 4], np.int32)]])


def _of_words(build: Callable[[], Built], folder: Path) -> None:
    draws = np.random.default_rng(4)
    of_first_version(build, folder, [[draws.integers(1, WORDS, size).astype(np.int32)] for size in ((1, 20), (3, 7))])


MODELS: dict[str, Callable[[Path], None]] = {
    "dynamic_lstm": partial(_of_rows, dynamic_lstm), "dynamic_gru_layers": partial(_of_rows, dynamic_gru_layers),
    "bidirectional_lengths": partial(_with_lengths, bidirectional_lengths),
    "greedy_decoder": partial(_of_words, partial(_decoder, False)),
    "attention_decoder": partial(_of_words, partial(_decoder, True)),
    "training_step": partial(_of_rows, training_step), "nested_loops": partial(_of_rows, nested_loops),
}
