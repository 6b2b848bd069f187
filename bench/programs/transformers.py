"""Programs of attention: encoders, decoders, and what was made in its place, forwards and in training."""
from __future__ import annotations

import numpy as np
from kit import Program, adam, cross_entropy, dense, normal, placeholder, program, weights, whole, zeros
from library import tf


def _norm(x, name):
    width = int(x.shape[-1])
    mean, variance = tf.nn.moments(x, [-1], keepdims=True)
    return tf.nn.batch_normalization(x, mean, variance, zeros(name + "_b", width),
                                     weights(name + "_g", width, scale=1.0), 1e-6)


def _gelu(x):
    return 0.5 * x * (1.0 + tf.math.erf(x / np.sqrt(2.0).astype(np.float32)))


def _dense(x, units, name, activation=None):
    """Of the last axis, as matrices: BERT's code does so."""
    flat = dense(tf.reshape(x, [-1, int(x.shape[-1])]), units, name, activation)
    return tf.reshape(flat, tf.concat([tf.shape(x)[:-1], [units]], 0))


def _split(x, heads):
    shape = tf.shape(x)
    return tf.transpose(tf.reshape(x, [shape[0], shape[1], heads, int(x.shape[-1]) // heads]), [0, 2, 1, 3])


def _joined(x, width):
    shape = tf.shape(x)
    return tf.reshape(tf.transpose(x, [0, 2, 1, 3]), [shape[0], shape[2], width])


def _attention(x, memory, heads, name, change=lambda scores: scores, keep=None):
    """Heads by reshapes and transposes; change: what is done to the scores."""
    width = int(x.shape[-1])
    q, k, v = (_split(_dense(a, width, f"{name}_{n}"), heads) for a, n in ((x, "q"), (memory, "k"), (memory, "v")))
    weight = tf.nn.softmax(change(tf.matmul(q, k, transpose_b=True) * (width // heads) ** -0.5))
    weight = weight if keep is None else tf.nn.dropout(weight, keep_prob=keep)
    return _dense(_joined(tf.matmul(weight, v), width), width, name + "_o")


def _by_einsum(x, memory, heads, name, change=lambda scores: scores):
    """Heads as Keras' MultiHeadAttention has them."""
    width = int(x.shape[-1])
    depth = width // heads
    q, k, v = (tf.einsum("abc,cde->abde", a, weights(f"{name}_{n}", width, heads, depth, scale=width ** -0.5))
               for a, n in ((x, "q"), (memory, "k"), (memory, "v")))
    weight = tf.nn.softmax(change(tf.einsum("aecd,abcd->acbe", k, q * depth ** -0.5)))
    mixed = tf.einsum("acbe,aecd->abcd", weight, v)
    return tf.einsum("abcd,cde->abe", mixed, weights(name + "_o", heads, depth, width, scale=width ** -0.5))


def _encoder(x, layers, heads, attention, keep=None):
    """Norms behind, as in BERT."""
    width = int(x.shape[-1])

    def dropped(h):
        return h if keep is None else tf.nn.dropout(h, keep_prob=keep)

    for i in range(layers):
        x = _norm(x + dropped(attention(x, heads, f"{i}_attention")), f"{i}_first")
        x = _norm(x + dropped(_dense(_dense(x, 4 * width, f"{i}_up", _gelu), width, f"{i}_down")), f"{i}_second")
    return x


def _bert(batch, tokens, layers, width, heads, keep=None):
    """ids and the mask of padding are fed, of unknown batch, as modeling.py has them."""
    ids, padding = (placeholder(None, tokens, dtype=tf.int32) for _ in range(2))
    x = tf.gather(weights("words", 4000, width, scale=0.1), ids) + weights("places", tokens, width, scale=0.1)
    x = _norm(x, "embedded")
    shape = tf.shape(ids)
    seen = tf.ones([shape[0], shape[1], 1]) * tf.cast(tf.reshape(padding, [shape[0], 1, shape[1]]), tf.float32)
    hidden = (1.0 - tf.expand_dims(seen, 1)) * -10000.0
    x = _encoder(x, layers, heads, lambda h, n, name: _attention(h, h, n, name, lambda s: s + hidden, keep), keep)
    lengths = np.arange(batch) % 3 * (tokens // 4) + tokens // 2
    mask = (np.arange(tokens)[None] < lengths[:, None]).astype(np.int32)
    return {ids: whole(4000, batch, tokens), padding: mask}, x


@program
def bert():
    """Four layers of BERT-base, one text of 128 tokens, forwards."""
    feed, x = _bert(1, 128, 4, 768, 12)
    return Program(tf.tanh(dense(x[:, 0], 768, "pooled")), feed)


@program
def bert_training():
    """Two layers of BERT-base, 8 texts of 64 tokens, dropout as in its code; Adam."""
    feed, x = _bert(8, 64, 2, 768, 12, keep=0.9)
    labels = placeholder(None, dtype=tf.int32)
    feed[labels] = whole(2, 8)
    loss = cross_entropy(dense(tf.tanh(dense(x[:, 0], 768, "pooled")), 2, "classes"), labels)
    return Program([loss, adam(loss)], feed, drawn=True)


@program
def keras_attention_training():
    """Two layers whose heads einsum makes, a mask of keys that is fed, [batch, 1, 1, tokens]; Adam."""
    x, seen = placeholder(None, 64, 256), placeholder(None, 64)
    hidden = (1.0 - seen[:, None, None, :]) * -1e9
    y = _encoder(x, 2, 8, lambda h, n, name: _by_einsum(h, h, n, name, lambda s: s + hidden))
    loss = tf.reduce_mean(tf.square(y))
    mask = (np.arange(64)[None] < 20 + 3 * np.arange(16)[:, None]).astype(np.float32)
    return Program([loss, adam(loss)], {x: normal(16, 64, 256), seen: mask})


@program
def vision_transformer():
    """Patches of pictures through four layers of ViT-S, 197 tokens, forwards."""
    x = placeholder(None, 224, 224, 3)
    patches = tf.nn.conv2d(x, weights("patches", 16, 16, 3, 384), [1, 16, 16, 1], "VALID")
    h = tf.reshape(tf.nn.bias_add(patches, zeros("b", 384)), [-1, 196, 384])
    first = tf.tile(weights("class", 1, 1, 384), [tf.shape(h)[0], 1, 1])
    h = tf.concat([first, h], 1) + weights("places", 197, 384, scale=0.1)
    for i in range(4):
        n = _norm(h, f"{i}_first")
        h += _attention(n, n, 6, f"{i}_attention")
        h += _dense(_dense(_norm(h, f"{i}_second"), 1536, f"{i}_up", _gelu), 384, f"{i}_down")
    return Program(dense(_norm(h, "last")[:, 0], 1000, "classes"), {x: normal(2, 224, 224, 3)})


def _rms(x, name):
    return x * tf.rsqrt(tf.reduce_mean(tf.square(x), -1, keepdims=True) + 1e-6) * weights(
        name, int(x.shape[-1]), scale=1.0)


def _t5_bias(queries, keys, heads, name):
    """Of the relative distance of two tokens, learned: [1, heads, queries, keys]."""
    distance = np.abs(np.arange(queries)[:, None] - np.arange(keys)[None])
    bucket = np.minimum(np.where(distance < 8, distance, 8 + np.log2(np.maximum(distance, 1) / 8) * 4), 31)
    return tf.transpose(tf.gather(weights(name, 32, heads, scale=0.3), bucket.astype(np.int32)), [2, 0, 1])[None]


@program
def t5_training():
    """An encoder and a decoder of two layers, 48 and 32 tokens, relative distances learned; Adam."""
    ids, made, following = (placeholder(None, n, dtype=tf.int32) for n in (48, 32, 32))
    words = weights("words", 2000, 256, scale=0.5)
    h, there = tf.gather(words, ids), _t5_bias(48, 48, 4, "encoder")
    for i in range(2):
        n = _rms(h, f"e{i}_first")
        h += _attention(n, n, 4, f"e{i}", lambda s: s + there)
        h += _dense(_dense(_rms(h, f"e{i}_second"), 1024, f"e{i}_up", tf.nn.relu), 256, f"e{i}_down")
    memory, y = _rms(h, "memory"), tf.gather(words, made)
    behind = _t5_bias(32, 32, 4, "decoder") + np.triu(np.full((32, 32), -1e9, np.float32), 1)
    for i in range(2):
        n = _rms(y, f"d{i}_first")
        y += _attention(n, n, 4, f"d{i}", lambda s: s + behind)
        y += _attention(_rms(y, f"d{i}_second"), memory, 4, f"c{i}")
        y += _dense(_dense(_rms(y, f"d{i}_third"), 1024, f"d{i}_up", tf.nn.relu), 256, f"d{i}_down")
    logits = tf.matmul(tf.reshape(_rms(y, "last"), [-1, 256]), words, transpose_b=True)
    loss = cross_entropy(logits, tf.reshape(following, [-1]))
    feed = {ids: whole(2000, 8, 48), made: whole(2000, 8, 32), following: whole(2000, 8, 32)}
    return Program([loss, adam(loss)], feed)


@program
def gpt_masked_by_products():
    """Two layers with the mask of openai/gpt-2: w * b - 1e10 * (1 - b), 256 tokens; Adam."""
    ids, following = (placeholder(None, 256, dtype=tf.int32) for _ in range(2))
    words = weights("words", 2000, 256, scale=0.1)
    h = tf.gather(words, ids) + weights("places", 256, 256, scale=0.1)
    size = tf.shape(ids)[1]
    seen = tf.cast(tf.range(size)[:, None] >= tf.range(size)[None], tf.float32)[None, None]
    for i in range(2):
        n = _norm(h, f"{i}_first")
        h += _attention(n, n, 4, f"{i}", lambda s: s * seen - 1e10 * (1 - seen))
        h += _dense(_dense(_norm(h, f"{i}_second"), 1024, f"{i}_up", _gelu), 256, f"{i}_down")
    logits = tf.matmul(tf.reshape(_norm(h, "last"), [-1, 256]), words, transpose_b=True)
    loss = cross_entropy(logits, tf.reshape(following, [-1]))
    return Program([loss, adam(loss)], {ids: whole(2000, 4, 256), following: whole(2000, 4, 256)})


@program
def conformer_training():
    """A block: half a dense part, attention with relative places, a convolution of each channel, half a dense part."""
    x = placeholder(None, 100, 144)

    def half(h, name):
        return h + 0.5 * _dense(_dense(_norm(h, name), 576, name + "_up", tf.nn.swish), 144, name + "_down")

    h = half(x, "before")
    n = _norm(h, "attention")
    q, k, v = (_split(_dense(n, 144, f"a_{name}"), 4) for name in "qkv")
    places = tf.reshape(weights("places", 199 * 144, scale=0.1), [199, 4, 36])
    content = tf.matmul(q + weights("u", 4, 1, 36, scale=0.1), k, transpose_b=True)
    apart = tf.einsum("bhid,jhd->bhij", q + weights("w", 4, 1, 36, scale=0.1), places)
    shape = tf.shape(apart)                                              # row i of it, moved by i places
    moved = tf.reshape(tf.pad(apart, [[0, 0], [0, 0], [0, 0], [1, 0]]), [shape[0], 4, 200, 100])[:, :, 1:]
    moved = tf.reshape(moved, [shape[0], 4, 100, 199])[..., :100]
    h += _dense(_joined(tf.matmul(tf.nn.softmax((content + moved) / 6.0), v), 144), 144, "a_o")
    gate = _dense(_norm(h, "convolution"), 288, "gate")
    c = gate[..., :144] * tf.sigmoid(gate[..., 144:])
    c = tf.nn.depthwise_conv2d(c[:, :, None], weights("taps", 15, 1, 144, 1), [1, 1, 1, 1], "SAME")[:, :, 0]
    h += _dense(tf.nn.swish(_norm(c, "channels")), 144, "pointwise")
    h = _norm(half(h, "behind"), "last")
    loss = tf.reduce_mean(tf.square(h))
    return Program([loss, adam(loss)], {x: normal(8, 100, 144)})


@program
def linear_attention_training():
    """Features of q and k in place of the softmax, sums over keys up to each token; Adam."""
    x = placeholder(None, 128, 128)
    q, k, v = (_split(_dense(x, 128, name), 4) for name in "qkv")
    q, k = tf.nn.elu(q) + 1, tf.nn.elu(k) + 1
    sums = tf.cumsum(tf.einsum("bhtd,bhte->bhtde", k, v), 2)
    mixed = tf.einsum("bhtd,bhtde->bhte", q, sums)
    norm = tf.einsum("bhtd,bhtd->bht", q, tf.cumsum(k, 2))
    loss = tf.reduce_mean(tf.square(_dense(_joined(mixed / norm[..., None], 128), 128, "o")))
    return Program([loss, adam(loss)], {x: normal(4, 128, 128)})


@program
def performer():
    """Random features, no order of tokens: two products of small matrices; forwards."""
    x = placeholder(None, 512, 256)
    q, k, v = (_split(_dense(x, 256, name), 4) for name in "qkv")
    features = normal(64, 64)

    def phi(a):
        a = a * 64 ** -0.25
        product = tf.einsum("bhtd,md->bhtm", a, features)
        return tf.exp(product - 0.5 * tf.reduce_sum(tf.square(a), -1, keepdims=True)
                      - tf.reduce_max(product, [-1, -2], keepdims=True)) + 1e-6

    q, k = phi(q), phi(k)
    mixed = tf.einsum("bhtm,bhmd->bhtd", q, tf.einsum("bhtm,bhtd->bhmd", k, v))
    norm = tf.einsum("bhtm,bhm->bht", q, tf.reduce_sum(k, 2))
    return Program(_dense(_joined(mixed / norm[..., None], 256), 256, "o"), {x: normal(2, 512, 256)})


@program
def state_space_training():
    """A selective scan as Mamba's: h = exp(dt a) h + dt b x by a while_loop over tokens; Adam."""
    x = placeholder(None, 64, 64)
    dt = tf.nn.softplus(_dense(x, 64, "dt"))
    b, c = _dense(x, 16, "b"), _dense(x, 16, "c")
    a = -tf.exp(weights("a", 64, 16, scale=0.5))
    steps = [tf.transpose(t, [1, 0, 2]) for t in (x, dt, b, c)]

    def step(i, h, ys):
        u, d, into, out = (t[i] for t in steps)
        h = tf.exp(d[..., None] * a) * h + (d * u)[..., None] * into[:, None]
        return i + 1, h, ys.write(i, tf.reduce_sum(h * out[:, None], -1))

    _, _, ys = tf.while_loop(lambda i, h, ys: i < 64, step,
                             [0, tf.zeros([tf.shape(x)[0], 64, 16]), tf.TensorArray(tf.float32, 64)])
    y = tf.transpose(ys.stack(), [1, 0, 2]) + x * weights("d", 64, scale=1.0)
    loss = tf.reduce_mean(tf.square(_dense(y * tf.nn.swish(_dense(x, 64, "z")), 64, "o")))
    return Program([loss, adam(loss)], {x: normal(8, 64, 64)})


@program
def translation_training():
    """An LSTM reads, another one writes, with additive attention in each step of a while_loop; Adam."""
    ids, made, following = (placeholder(None, n, dtype=tf.int32) for n in (30, 25, 25))
    words, units = weights("words", 1000, 64, scale=0.3), 96

    def cell(x, state, name, inputs):
        gates = tf.matmul(tf.concat([x, state[1]], 1), weights(name, inputs + units, 4 * units)) + zeros(
            name + "_b", 4 * units)
        i, j, f, o = tf.split(gates, 4, 1)
        c = tf.sigmoid(f + 1.0) * state[0] + tf.sigmoid(i) * tf.tanh(j)
        return c, tf.sigmoid(o) * tf.tanh(c)

    nothing = tf.zeros([tf.shape(ids)[0], units])
    read = tf.transpose(tf.gather(words, ids), [1, 0, 2])
    with tf.variable_scope("read", reuse=tf.AUTO_REUSE):
        states = tf.scan(lambda s, x: cell(x, s, "reader", 64), read, (nothing, nothing))
    memory = tf.transpose(states[1], [1, 0, 2])
    keys = _dense(memory, 64, "keys")
    query, score = weights("query", units, 64), weights("score", 64, scale=0.3)
    given = tf.transpose(tf.gather(words, made), [1, 0, 2])

    def attended(h):
        weight = tf.nn.softmax(tf.reduce_sum(score * tf.tanh(keys + tf.matmul(h, query)[:, None]), 2))
        return tf.reduce_sum(weight[..., None] * memory, 1)

    def step(state, x):
        c, h = cell(tf.concat([x, state[2]], 1), state[:2], "writer", 64 + units)
        return c, h, attended(h)

    with tf.variable_scope("write", reuse=tf.AUTO_REUSE):
        written = tf.scan(step, given, (states[0][-1], states[1][-1], nothing))
    both = tf.reshape(tf.concat([written[1], written[2]], 2), [-1, 2 * units])
    loss = cross_entropy(dense(both, 1000, "vocabulary"), tf.reshape(tf.transpose(following), [-1]))
    return Program([loss, adam(loss)], {ids: whole(1000, 16, 30), made: whole(1000, 16, 25),
                                        following: whole(1000, 16, 25)})


@program
def attention_of_one_key():
    """All heads of q share one k and v, by einsum; causal by band_part; training."""
    x = placeholder(None, 128, 256)
    q = _split(_dense(x, 256, "q"), 8)
    k, v = _dense(x, 32, "k"), _dense(x, 32, "v")
    hidden = (tf.linalg.band_part(tf.ones([128, 128]), -1, 0) - 1.0) * 1e9
    weight = tf.nn.softmax(tf.einsum("bhtd,bsd->bhts", q, k) * 32 ** -0.5 + hidden)
    y = _dense(_joined(tf.einsum("bhts,bsd->bhtd", weight, v), 256), 256, "o")
    loss = tf.reduce_mean(tf.square(y))
    return Program([loss, adam(loss)], {x: normal(8, 128, 256)})


@program
def norms_training():
    """Group, instance, weight and batch norms by hand, between convolutions; Adam."""
    x = placeholder(None, 24, 24, 32)

    def moments(h, axes):
        mean, variance = tf.nn.moments(h, axes, keepdims=True)
        return (h - mean) * tf.rsqrt(variance + 1e-5)

    def scaled(h, name):
        return h * weights(name + "_g", 32, scale=1.0) + zeros(name + "_b", 32)

    def convolved(h, name):
        return tf.nn.conv2d(h, weights(name, 1, 1, 32, 32), [1, 1, 1, 1], "SAME")

    groups = moments(tf.reshape(convolved(x, "c1"), [-1, 24, 24, 8, 4]), [1, 2, 4])
    h = scaled(tf.reshape(groups, [-1, 24, 24, 32]), "n1")
    h = scaled(moments(convolved(tf.nn.relu(h), "c2"), [1, 2]), "n2")
    h = scaled(moments(convolved(tf.nn.relu(h), "c3"), [0, 1, 2]), "n3")
    v = weights("v", 32, 32)
    w = v * tf.rsqrt(tf.reduce_sum(tf.square(v), 0, keepdims=True)) * weights("g", 32, scale=1.0)
    h = tf.reshape(tf.matmul(tf.reshape(tf.nn.relu(h), [-1, 32]), w), [-1, 24, 24, 32])
    loss = tf.reduce_mean(tf.square(h))
    return Program([loss, adam(loss)], {x: normal(8, 24, 24, 32)})
