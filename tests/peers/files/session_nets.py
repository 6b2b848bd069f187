"""More of TensorFlow 1's programs, frozen with control flow v1: searches, boxes, block cells, a transformer."""
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


def _named(*tensors: Any) -> list[Any]:
    return [tf.identity(t, name=f"out_{i}") for i, t in enumerate(tensors)]


def _words() -> Any:
    return tf.placeholder(tf.int32, [None, None], name="words")


def beam_search() -> Built:
    """Three beams, reordered in each step by their parents, until all have ended."""
    words, beams = _words(), 3
    table, out = tf.get_variable("table", [WORDS, WIDTH]), tf.get_variable("out", [WIDTH, WORDS])
    batch = tf.shape(words)[0]
    state = tf.reduce_mean(tf.nn.embedding_lookup(table, words), 1)
    state = tf.reshape(tf.tile(state[:, None], [1, beams, 1]), [-1, WIDTH])
    cell = tf.nn.rnn_cell.GRUCell(WIDTH, name="decoder")

    def body(step: Any, last: Any, state: Any, score: Any, done: Any, made: Any, parents: Any) -> list[Any]:
        output, following = cell(tf.nn.embedding_lookup(table, tf.reshape(last, [-1])), state)
        logits = tf.reshape(tf.nn.log_softmax(tf.matmul(output, out)), [batch, beams, WORDS]) + score[:, :, None]
        logits = tf.where(tf.tile(done[:, :, None], [1, 1, WORDS]), logits - 1e3, logits)
        score, chosen = tf.nn.top_k(tf.reshape(logits, [batch, beams * WORDS]), beams)
        parent, word = chosen // WORDS, chosen % WORDS
        flat = tf.reshape(parent + tf.range(batch)[:, None] * beams, [-1])
        done = tf.reshape(tf.gather(tf.reshape(done, [-1]), flat), [batch, beams]) | tf.equal(word, 0)
        return [step + 1, word, tf.gather(following, flat), score, done, made.write(step, word),
                parents.write(step, parent)]

    arrays = [tf.TensorArray(tf.int32, 0, dynamic_size=True, element_shape=[None, beams]) for _ in range(2)]
    start = [0, tf.ones([batch, beams], tf.int32), state, tf.tile([[0.0, -1e9, -1e9]], [batch, 1]),
             tf.zeros([batch, beams], tf.bool), *arrays]
    *_, score, _, made, parents = tf.while_loop(lambda i, w, s, p, done, *_: (i < 6) & ~tf.reduce_all(done), body,
                                                   start)
    return [words], _named(score, made.stack(), parents.stack())


def best_path() -> Built:
    """The most likely labels of a chain (Viterbi), forwards and back, and its likelihood, by scans."""
    scores, lengths = tf.placeholder(tf.float32, [None, None, 5], name="scores"), tf.placeholder(tf.int32, [None])
    between = tf.get_variable("between", [5, 5])

    def step(before: Any, given: Any) -> Any:
        score, time = given
        moves = before[0][:, :, None] + between[None]
        inside = tf.tile((time < lengths)[:, None], [1, 5])
        stay = tf.tile(tf.range(5)[None], [tf.shape(score)[0], 1])
        return (tf.where(inside, tf.reduce_max(moves, 1) + score, before[0]),
                tf.where(inside, tf.argmax(moves, 1, output_type=tf.int32), stay))

    steps = tf.transpose(scores, [1, 0, 2])
    best, back = tf.scan(step, (steps[1:], tf.range(1, tf.shape(steps)[0])),
                         initializer=(steps[0], tf.zeros_like(steps[0], tf.int32)))
    last = tf.argmax(best[-1], 1, output_type=tf.int32)
    path = tf.scan(lambda label, at: tf.gather_nd(at, tf.stack([tf.range(tf.shape(at)[0]), label], 1)), back,
                   initializer=last, reverse=True)
    total = tf.scan(lambda before, score: tf.reduce_logsumexp(before[:, :, None] + between[None], 1) + score,
                    steps[1:], initializer=steps[0])
    return [scores, lengths], _named(best, path, tf.reduce_logsumexp(total[-1], -1))


def boxes_of_pictures() -> Built:
    """What stands behind an SSD: boxes of each class that overlap little, the best of all, for each picture."""
    given, scores = (tf.placeholder(tf.float32, [None, None, n], name=f"given_{n}") for n in (4, 3))
    middle, size = tf.sigmoid(given[..., :2]), tf.exp(given[..., 2:] * 0.2) * 0.3
    boxes, scores_of = tf.concat([middle - size / 2, middle + size / 2], -1), tf.sigmoid(scores)

    def of_one(one: Any) -> Any:
        box, score = one
        found = []
        for kind in range(3):
            kept = tf.image.non_max_suppression(box, score[:, kind], 5, 0.5, 0.3)
            found.append(tf.concat([tf.gather(box, kept), tf.gather(score[:, kind:kind + 1], kept),
                                    tf.fill([tf.size(kept), 1], float(kind))], 1))
        rows = tf.concat(found, 0)
        count = tf.minimum(8, tf.shape(rows)[0])
        rows = tf.gather(rows, tf.nn.top_k(rows[:, 4], count).indices)
        return tf.pad(rows, [[0, 8 - count], [0, 0]]), count

    rows, counts = tf.map_fn(of_one, (boxes, scores_of), dtype=(tf.float32, tf.int32))
    soft = tf.image.non_max_suppression_with_scores(boxes[0], scores_of[0, :, 0], 6, 0.5, 0.1, soft_nms_sigma=0.3)
    several = tf.image.combined_non_max_suppression(boxes[:, :, None], scores_of, 4, 6, 0.5, 0.2)
    return [given, scores], _named(rows, counts, *soft, *several)


def block_cells() -> Built:
    """A layer of contrib's LSTMBlockFusedCell, and both block cells."""
    rows = tf.placeholder(tf.float32, [None, None, 8], name="rows")

    def weights(name: str, *shape: int) -> Any:
        return tf.get_variable(name, shape, initializer=tf.random_normal_initializer(stddev=0.5))

    zero = tf.zeros([tf.shape(rows)[1], 4])
    lstm = {"w": weights("w", 12, 16), "wci": weights("i", 4), "wcf": weights("f", 4), "wco": weights("o", 4),
            "b": weights("b", 16)}
    layer = tf.raw_ops.BlockLSTM(seq_len_max=tf.constant(5, tf.int64), x=rows, cs_prev=zero + 0.1, h_prev=zero,
                                 cell_clip=0.5, use_peephole=True, **lstm)
    cell = tf.raw_ops.LSTMBlockCell(x=rows[0], cs_prev=zero + 0.1, h_prev=zero, **lstm)
    gated = tf.raw_ops.GRUBlockCell(x=rows[0], h_prev=zero + 0.1, w_ru=weights("ru", 12, 8), w_c=weights("c", 12, 4),
                                    b_ru=weights("b_ru", 8), b_c=weights("b_c", 4))
    return [rows], _named(layer.h, layer.cs, *cell, *gated)


def encoder_of_words() -> Built:
    """Two blocks of BERT as its own code writes them: one-hot words, masks added, erf, einsum."""
    words, mask = _words(), tf.placeholder(tf.int32, [None, None], name="mask")
    batch, steps, width, heads = tf.shape(words)[0], tf.shape(words)[1], 32, 4

    def norm(x: Any, name: str) -> Any:
        mean, variance = tf.nn.moments(x, [-1], keep_dims=True)
        gamma = tf.get_variable(f"{name}_gamma", [width], initializer=tf.ones_initializer())
        return tf.nn.batch_normalization(x, mean, variance, tf.get_variable(f"{name}_beta", [width]), gamma, 1e-12)

    def dense(x: Any, size: int, name: str) -> Any:
        y = tf.tensordot(x, tf.get_variable(f"{name}_kernel", [int(x.shape[-1]), size]), [[-1], [0]])
        return tf.nn.bias_add(y, tf.get_variable(f"{name}_bias", [size]))

    def gelu(x: Any) -> Any:
        return x * 0.5 * (1.0 + tf.erf(x / np.float32(np.sqrt(2.0))))

    flat = tf.matmul(tf.one_hot(tf.reshape(words, [-1]), WORDS), tf.get_variable("words_table", [WORDS, width]))
    places = tf.slice(tf.get_variable("places", [64, width]), [0, 0], [steps, width])
    x = norm(tf.reshape(flat, [batch, steps, width]) + places[None], "first")
    hidden = (1.0 - tf.cast(mask[:, None, None, :], tf.float32)) * -10000.0
    for n in range(2):
        query, key, value = (tf.einsum("bnd,dhk->bhnk", x, tf.get_variable(f"{kind}{n}", [width, heads, 8]))
                             for kind in ("query", "key", "value"))
        weights = tf.nn.softmax(tf.matmul(query, key, transpose_b=True) / np.float32(np.sqrt(8.0)) + hidden)
        seen = tf.reshape(tf.transpose(tf.matmul(weights, value), [0, 2, 1, 3]), [batch, steps, width])
        x = norm(x + dense(seen, width, f"seen{n}"), f"a{n}")
        x = norm(x + dense(gelu(dense(x, 64, f"wide{n}")), width, f"back{n}"), f"b{n}")
    pooled = tf.tanh(dense(tf.squeeze(x[:, 0:1], 1), width, "pooled"))
    return [words, mask], _named(x, pooled, tf.einsum("bnd,vd->bnv", x, tf.get_variable("vocabulary", [9, width])))


_DRAWS = np.random.default_rng(4)
SENTENCES = [_DRAWS.integers(1, WORDS, size).astype(np.int32) for size in ((1, 20), (3, 7))]
MASKS = [np.ones((1, 20), np.int32), (np.arange(7) < np.array([[7], [3], [5]])).astype(np.int32)]
CASES: dict[str, tuple[Callable[[], Built], list[list[np.ndarray]]]] = {
    "beam_search": (beam_search, [[words] for words in SENTENCES]),
    "best_path": (best_path, [[drawn(1, 1, 9, 5), np.array([7], np.int32)],
                              [drawn(2, 3, 6, 5), np.array([6, 1, 4], np.int32)]]),
    "boxes_of_pictures": (boxes_of_pictures, [[drawn(1, 1, 40, 4), drawn(3, 1, 40, 3)],
                                              [drawn(2, 2, 25, 4), drawn(4, 2, 25, 3)]]),
    "block_cells": (block_cells, [[drawn(1, 9, 1, 8)], [drawn(2, 7, 3, 8)]]),
    "encoder_of_words": (encoder_of_words, [list(pair) for pair in zip(SENTENCES, MASKS, strict=True)]),
}
MODELS: dict[str, Callable[[Path], None]] = {
    name: partial(lambda build, cases, folder: of_first_version(build, folder, cases), *case)
    for name, case in CASES.items()}
