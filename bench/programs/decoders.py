"""Programs of language models: training with dropout in attention, shared layers, decoding with cached keys."""
from __future__ import annotations

import numpy as np
from kit import Program, adam, cross_entropy, dense, normal, placeholder, program, weights, whole, zeros
from library import tf
from transformers import _attention, _dense, _gelu, _norm


def _gpt(tokens, layers, width, heads, words, keep=None):
    """Losses of gpt-2: norms in front, causal masks that are added, a tied embedding."""
    ids, following = (placeholder(None, tokens, dtype=tf.int32) for _ in range(2))
    table = weights("words", words, width, scale=0.1)
    h = tf.gather(table, ids) + weights("places", tokens, width, scale=0.1)
    later = np.triu(np.full((tokens, tokens), -1e9, np.float32), 1)

    def dropped(x):
        return x if keep is None else tf.nn.dropout(x, keep_prob=keep)

    h = dropped(h)
    for i in range(layers):
        n = _norm(h, f"{i}_first")
        h += dropped(_attention(n, n, heads, f"{i}_attention", lambda s: s + later, keep))
        h += dropped(_dense(_dense(_norm(h, f"{i}_second"), 4 * width, f"{i}_up", _gelu), width, f"{i}_down"))
    logits = tf.matmul(tf.reshape(_norm(h, "last"), [-1, width]), table, transpose_b=True)
    return ids, following, cross_entropy(logits, tf.reshape(following, [-1]))


@program
def gpt_training():
    """Two layers of 768, 4 texts of 128 tokens, 8,000 words, no dropout; Adam."""
    ids, following, loss = _gpt(128, 2, 768, 12, 8000)
    return Program([loss, adam(loss)], {ids: whole(8000, 4, 128), following: whole(8000, 4, 128)})


@program
def gpt_training_with_dropout():
    """Four layers of 256, 4 texts of 256 tokens; a tenth is dropped, of attention's weights, too; Adam."""
    ids, following, loss = _gpt(256, 4, 256, 8, 2000, keep=0.9)
    return Program([loss, adam(loss)], {ids: whole(2000, 4, 256), following: whole(2000, 4, 256)}, drawn=True)


@program
def albert_training():
    """One layer that is applied four times, words of 64 made 256; Adam."""
    ids, wanted = (placeholder(None, 128, dtype=tf.int32) for _ in range(2))
    table = weights("words", 4000, 64, scale=0.3)
    h = _norm(_dense(tf.gather(table, ids), 256, "wide") + weights("places", 128, 256, scale=0.1), "embedded")
    for _ in range(4):
        with tf.variable_scope("layer", reuse=tf.AUTO_REUSE):
            h = _norm(h + _attention(h, h, 8, "attention"), "first")
            h = _norm(h + _dense(_dense(h, 1024, "up", _gelu), 256, "down"), "second")
    logits = tf.matmul(tf.reshape(_dense(h, 64, "narrow"), [-1, 64]), table, transpose_b=True)
    loss = cross_entropy(logits, tf.reshape(wanted, [-1]))
    return Program([loss, adam(loss)], {ids: whole(4000, 4, 128), wanted: whole(4000, 4, 128)})


def _decoder(batch, width, heads, layers, words, most):
    """A step of a decoder: (token, place, keys and values) -> logits, keys and values; one tensor a layer."""
    table, places = weights("words", words, width, scale=0.3), weights("places", most, width, scale=0.1)
    made = [[weights(f"{i}_{n}", *s) for n, s in (("qkv", (width, 3 * width)), ("o", (width, width)),
                                                  ("up", (width, 4 * width)), ("down", (4 * width, width)))]
            for i in range(layers)]
    norms = [[(weights(f"{i}_{n}_g", width, scale=1.0), zeros(f"{i}_{n}_b", width)) for n in range(2)]
             for i in range(layers)]

    def norm(x, pair):
        mean, variance = tf.nn.moments(x, [-1], keepdims=True)
        return tf.nn.batch_normalization(x, mean, variance, pair[1], pair[0], 1e-6)

    def step(token, place, caches):
        h, after = tf.gather(table, token) + places[place], []
        for (qkv, o, up, down), (first, second), cache in zip(made, norms, caches, strict=True):
            q, k, v = tf.split(tf.matmul(norm(h, first), qkv), 3, 1)
            rows = tf.shape(token)[0]
            both = tf.reshape(tf.concat([k, v], 1), [rows, 1, 2, heads, width // heads])
            cache = tf.concat([cache, both], 1)                      # [rows, tokens, 2, heads, depth]
            after.append(cache)
            q = tf.reshape(q, [rows, heads, 1, width // heads])
            keys, kept = (tf.transpose(cache[:, :, n], [0, 2, 1, 3]) for n in range(2))
            weight = tf.nn.softmax(tf.matmul(q, keys, transpose_b=True) * (width // heads) ** -0.5)
            h += tf.matmul(tf.reshape(tf.matmul(weight, kept), [rows, width]), o)
            h += tf.matmul(tf.nn.relu(tf.matmul(norm(h, second), up)), down)
        return tf.matmul(h, table, transpose_b=True), after
    return step


@program
def greedy_decoding():
    """48 tokens of 4 texts by a while_loop, two layers of 256 whose keys and values grow by a row each time."""
    first = placeholder(None, dtype=tf.int32)
    step = _decoder(4, 256, 4, 2, 1000, 64)

    def body(i, token, written, *caches):
        logits, caches = step(token, i, caches)
        token = tf.argmax(logits, 1, output_type=tf.int32)
        return (i + 1, token, written.write(i, token), *caches)

    empty = [tf.zeros([tf.shape(first)[0], 0, 2, 4, 64]) for _ in range(2)]
    grown = tf.TensorShape([None, None, 2, 4, 64])
    found = tf.while_loop(lambda i, *_: i < 48, body, [0, first, tf.TensorArray(tf.int32, 48), *empty],
                          shape_invariants=[tf.TensorShape([]), tf.TensorShape([None]), tf.TensorShape(None),
                                            grown, grown])
    return Program(found[2].stack(), {first: whole(1000, 4)})


@program
def beams_with_cached_keys():
    """The best 4 of all texts, 32 tokens, whose cached keys are gathered anew each time."""
    first = placeholder(None, dtype=tf.int32)
    step, beams = _decoder(4, 128, 4, 2, 500, 64), 4
    batch = tf.shape(first)[0]

    def tiled(x):
        return tf.reshape(tf.tile(x[:, None], [1, beams] + [1] * (x.shape.ndims - 1)),
                          tf.concat([[batch * beams], tf.shape(x)[1:]], 0))

    def body(i, token, score, *caches):
        logits, caches = step(token, i, caches)
        total = score[:, :, None] + tf.reshape(tf.nn.log_softmax(logits), [batch, beams, 500])
        best, place = tf.nn.top_k(tf.reshape(total, [batch, beams * 500]), beams)
        parent = tf.reshape(place // 500 + tf.range(batch)[:, None] * beams, [-1])
        return (i + 1, tf.reshape(place % 500, [-1]), best, *(tf.gather(c, parent) for c in caches))

    empty = [tf.zeros([batch * beams, 0, 2, 4, 32]) for _ in range(2)]
    start = tf.zeros([batch, 1]) + np.array([[0.0] + [-1e9] * (beams - 1)], np.float32)
    grown = tf.TensorShape([None, None, 2, 4, 32])
    found = tf.while_loop(lambda i, *_: i < 32, body, [0, tiled(first), start, *empty],
                          shape_invariants=[tf.TensorShape([]), tf.TensorShape([None]), tf.TensorShape([None, beams]),
                                            grown, grown])
    return Program([found[1], found[2]], {first: whole(500, 4)})


@program
def layer_norm_lstm_training():
    """A cell with norms of its gates, by dynamic_rnn with lengths; Adam."""
    x, lengths = placeholder(None, 30, 64), placeholder(None, dtype=tf.int32)
    units = 96

    class Cell(tf.nn.rnn_cell.RNNCell):
        state_size, output_size = (units, units), units

        def call(self, inputs, state):
            c, h = state
            width = int(inputs.shape[-1]) + units
            kernel = tf.get_variable("kernel", [width, 4 * units])
            gates = tf.split(tf.matmul(tf.concat([inputs, h], 1), kernel), 4, 1)

            def norm(g, name):
                gamma = tf.get_variable(name + "_g", [units], initializer=tf.ones_initializer())
                beta = tf.get_variable(name + "_b", [units], initializer=tf.zeros_initializer())
                mean, variance = tf.nn.moments(g, [1], keepdims=True)
                return (g - mean) * tf.rsqrt(variance + 1e-5) * gamma + beta

            i, j, f, o = (norm(g, n) for g, n in zip(gates, "ijfo", strict=True))
            c = c * tf.sigmoid(f + 1.0) + tf.sigmoid(i) * tf.tanh(j)
            h = tf.tanh(norm(c, "c")) * tf.sigmoid(o)
            return h, (c, h)

    outputs, _ = tf.nn.dynamic_rnn(Cell(), x, sequence_length=lengths, dtype=tf.float32)
    loss = tf.reduce_mean(tf.square(outputs))
    return Program([loss, adam(loss)], {x: normal(16, 30, 64), lengths: 10 + whole(20, 16)}, drawn=True)


@program
def bidirectional_training():
    """LSTM and GRU of both directions with lengths, one behind the other; Adam."""
    x, lengths = placeholder(None, 40, 64), placeholder(None, dtype=tf.int32)
    h = x
    for name, kind in (("lstm", tf.nn.rnn_cell.LSTMCell), ("gru", tf.nn.rnn_cell.GRUCell)):
        both, _ = tf.nn.bidirectional_dynamic_rnn(kind(64), kind(64), h, sequence_length=lengths, dtype=tf.float32,
                                                  scope=name)
        h = tf.concat(both, 2)
    loss = tf.reduce_mean(tf.square(dense(tf.reshape(h, [-1, 128]), 10, "out")))
    return Program([loss, adam(loss)], {x: normal(16, 40, 64), lengths: 10 + whole(30, 16)}, drawn=True)
