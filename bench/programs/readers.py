"""Programs that read and speak: texts in two directions, questions, speech, words without order, aligned words."""
from __future__ import annotations

import numpy as np
from kit import (
    Program,
    adam,
    binary_entropy,
    cross_entropy,
    dense,
    mlp,
    normal,
    numbers,
    placeholder,
    program,
    weights,
    whole,
    zeros,
)
from library import tf


@program
def both_directions_by_letters():
    """ELMo's language model: words by filters over letters, a highway, an LSTM each way with projections; training."""
    letters, words = placeholder(None, 12, 10, dtype=tf.int32), placeholder(None, 12, dtype=tf.int32)
    h = tf.gather(weights("letters", 60, 16, scale=0.3), letters)
    flat = tf.reshape(h, [-1, 10, 16])
    parts = [tf.reduce_max(tf.nn.relu(tf.nn.conv1d(flat, weights(f"k{n}", n, 16, 32), 1, "VALID")), 1)
             for n in (1, 2, 3)]
    word = tf.concat(parts, 1)
    gate = tf.sigmoid(dense(word, 96, "gate") - 2.0)
    word = gate * tf.nn.relu(dense(word, 96, "turn")) + (1 - gate) * word
    x = tf.reshape(dense(word, 32, "narrow"), [-1, 12, 32])
    losses = []
    for name, values, known in (("right", x, words), ("left", tf.reverse(x, [1]), tf.reverse(words, [1]))):
        with tf.variable_scope(name):
            cell = tf.nn.rnn_cell.LSTMCell(128, num_proj=32, cell_clip=3.0, proj_clip=3.0, initializer=_spread(160))
            made, _ = tf.nn.dynamic_rnn(cell, values, dtype=tf.float32)
            logits = tf.tensordot(made[:, :-1], weights("out", 32, 500), 1)
            losses.append(cross_entropy(logits, known[:, 1:]))
    loss = tf.add_n(losses)
    return Program([loss, adam(loss)], {letters: whole(60, 16, 12, 10), words: whole(500, 16, 12)})


def _spread(seed):
    """An initialiser whose numbers are NumPy's."""
    def made(shape, dtype=None, partition_info=None):
        draw = np.random.RandomState(seed)
        return tf.constant(draw.uniform(-0.08, 0.08, [int(n) for n in shape]).astype(np.float32))
    return made


@program
def attention_both_ways():
    """BiDAF: a passage and a question, likeness of all pairs, attention both ways, two pointers; training."""
    passage, question = placeholder(None, 40, dtype=tf.int32), placeholder(None, 10, dtype=tf.int32)
    begin, end = placeholder(None, dtype=tf.int32), placeholder(None, dtype=tf.int32)
    table = weights("words", 1000, 32, scale=0.3)

    def read(x, units, name, reuse=False):
        with tf.variable_scope(name, reuse=reuse):
            cells = [tf.nn.rnn_cell.GRUCell(units, kernel_initializer=_spread(k + units),
                                            bias_initializer=tf.zeros_initializer()) for k in range(2)]
            return tf.concat(tf.nn.bidirectional_dynamic_rnn(*cells, x, dtype=tf.float32)[0], 2)
    h, u = read(tf.gather(table, passage), 32, "read"), read(tf.gather(table, question), 32, "read", True)
    similar = (tf.squeeze(tf.tensordot(h, weights("a", 64, 1), 1), 2)[:, :, None]
               + tf.squeeze(tf.tensordot(u, weights("b", 64, 1), 1), 2)[:, None, :]
               + tf.matmul(h * weights("c", 64, scale=0.2), u, transpose_b=True))
    asked = tf.matmul(tf.nn.softmax(similar), u)
    noticed = tf.matmul(tf.nn.softmax(tf.reduce_max(similar, 2))[:, None], h)
    g = tf.concat([h, asked, h * asked, h * noticed], 2)
    m = read(g, 32, "model")
    first = tf.squeeze(tf.tensordot(tf.concat([g, m], 2), weights("p", 320, 1), 1), 2)
    last = tf.squeeze(tf.tensordot(tf.concat([g, read(m, 32, "end")], 2), weights("q", 320, 1), 1), 2)
    loss = cross_entropy(first, begin) + cross_entropy(last, end)
    return Program([loss, adam(loss)], {passage: whole(1000, 16, 40), question: whole(1000, 16, 10),
                                        begin: whole(40, 16), end: whole(40, 16)})


@program
def bags_of_parts():
    """FastText: words and pairs of words by hashing, a mean of the rows of a large table, a softmax; SGD."""
    words, label = placeholder(None, 20, dtype=tf.int32), placeholder(None, dtype=tf.int32)
    pairs = tf.floormod(words[:, 1:] * 31 + words[:, :-1], 20000) + 5000
    ids = tf.concat([words, pairs], 1)
    there = tf.cast(tf.not_equal(ids, 0), tf.float32)[:, :, None]
    mean = tf.reduce_sum(tf.nn.embedding_lookup(weights("table", 25000, 16, scale=0.1), ids) * there, 1)
    loss = cross_entropy(dense(mean / tf.reduce_sum(there, 1), 20, "out"), label)
    train = tf.train.GradientDescentOptimizer(0.5).minimize(loss)
    return Program([loss, train], {words: whole(5000, 256, 20), label: whole(20, 256)})


def _clipped(x):
    return tf.minimum(tf.nn.relu(x), 20.0)


@program
def deep_speech():
    """Deep Speech 2: spectra by filters in two dimensions, two bidirectional layers, clipped relu, CTC; training."""
    x, labels = placeholder(None, 80, 40, 1), tf.sparse_placeholder(tf.int32)
    h = tf.minimum(tf.nn.relu(tf.nn.conv2d(x, weights("k0", 11, 9, 1, 16), [1, 2, 2, 1], "SAME")), 20.0)
    h = tf.minimum(tf.nn.relu(tf.nn.conv2d(h, weights("k1", 11, 7, 16, 16), [1, 1, 2, 1], "SAME")), 20.0)
    h = tf.reshape(h, [-1, 40, 160])
    for i in range(2):
        with tf.variable_scope(f"layer{i}"):
            mean, variance = tf.nn.moments(h, [0, 1])
            h = tf.nn.batch_normalization(h, mean, variance, zeros("o", int(h.shape[-1])), None, 1e-5)
            cells = [tf.nn.rnn_cell.BasicRNNCell(64, activation=_clipped) for _ in "ab"]
            with tf.variable_scope("r", initializer=_spread(7 + i)):
                h = tf.concat(tf.nn.bidirectional_dynamic_rnn(*cells, h, dtype=tf.float32)[0], 2)
    logits = tf.transpose(tf.reshape(dense(tf.reshape(h, [-1, 128]), 29, "out"), [-1, 40, 29]), [1, 0, 2])
    loss = tf.reduce_mean(tf.nn.ctc_loss(labels, logits, tf.fill([tf.shape(x)[0]], 40)))
    places = np.array([(b, t) for b in range(8) for t in range(12)], np.int64)
    return Program([loss, adam(loss)], {x: normal(8, 80, 40, 1), labels: (places, whole(28, 96), (8, 12))})


@program
def dilated_past():
    """A temporal convolutional net: causal filters with growing gaps, weight norm, residuals, dropout; training."""
    x, y, kept = placeholder(None, 200, 2), placeholder(None, 1), placeholder(None, 1, 32)
    h = x
    for i in range(5):
        y_in = h
        for k in "ab":
            v = weights(f"v{i}{k}", 3, int(h.shape[-1]), 32)
            w = tf.nn.l2_normalize(v, [0, 1]) * tf.get_variable(f"g{i}{k}", initializer=np.ones(32, np.float32))
            padded = tf.pad(h, [[0, 0], [2 << i, 0], [0, 0]])
            h = tf.nn.relu(tf.nn.conv1d(padded, w, 1, "VALID", dilations=1 << i) + zeros(f"b{i}{k}", 32)) * kept
        way = y_in if int(y_in.shape[-1]) == 32 else tf.nn.conv1d(y_in, weights(f"way{i}", 1, 2, 32), 1, "SAME")
        h = tf.nn.relu(h + way)
    loss = tf.reduce_mean(tf.square(dense(h[:, -1], 1, "out") - y))
    return Program([loss, adam(loss)], {x: numbers(16, 200, 2), y: numbers(16, 1),
                                        kept: np.float32(numbers(16, 1, 32) > 0.1) / 0.9})


@program
def spectra_of_letters():
    """Tacotron's decoder: a prenet, attention that knows where it was, two LSTMs, a postnet; training."""
    memory, frames = placeholder(None, 30, 64), placeholder(None, 40, 20)
    keys = tf.tensordot(memory, weights("keys", 64, 32), 1)
    cells = [tf.nn.rnn_cell.LSTMCell(64, initializer=_spread(k)) for k in range(2)]
    prenet, query = [weights("p0", 20, 32), weights("p1", 32, 32)], weights("query", 64, 32)
    places, score = weights("places", 9, 1, 32), weights("score", 32, 1)
    out, stop = weights("out", 128, 20), weights("stop", 128, 1)
    batch = tf.shape(memory)[0]
    inputs = tf.transpose(tf.concat([tf.zeros([batch, 1, 20]), frames[:, :-1]], 1), [1, 0, 2])
    with tf.variable_scope("cells") as scope:
        for k, cell in enumerate(cells):                       # their variables stand outside of the loop
            cell(tf.zeros([1, 96 if k == 0 else 128]), cell.zero_state(1, tf.float32), scope=f"c{k}")
        scope.reuse_variables()

        def turn(kept, frame):
            states, context, past = kept[0], kept[1], kept[2]
            x = frame
            for w in prenet:
                x = tf.nn.relu(tf.matmul(x, w))
            made, first = cells[0](tf.concat([x, context], 1), tf.nn.rnn_cell.LSTMStateTuple(*states[0]), scope="c0")
            located = tf.nn.conv1d(past[:, :, None], places, 1, "SAME")
            energies = tf.tanh(keys + tf.matmul(made, query)[:, None] + located)
            share = tf.nn.softmax(tf.squeeze(tf.tensordot(energies, score, 1), 2))
            context = tf.squeeze(tf.matmul(share[:, None], memory), 1)
            made, second = cells[1](tf.concat([made, context], 1), tf.nn.rnn_cell.LSTMStateTuple(*states[1]),
                                    scope="c1")
            both = tf.concat([made, context], 1)
            return (tuple(first), tuple(second)), context, past + share, both
        none = tf.zeros([batch, 64])
        start = (((none, none), (none, none)), none, tf.zeros([batch, 30]), tf.zeros([batch, 128]))
        made = tf.transpose(tf.scan(turn, inputs, start)[3], [1, 0, 2])
    spectrum = tf.tensordot(made, out, 1)
    post = spectrum
    for i in range(3):
        post = tf.nn.conv1d(post, weights(f"post{i}", 5, int(post.shape[-1]), 32 if i < 2 else 20), 1, "SAME")
        post = tf.tanh(post) if i < 2 else post
    loss = (tf.reduce_mean(tf.abs(spectrum - frames)) + tf.reduce_mean(tf.abs(spectrum + post - frames))
            + tf.reduce_mean(tf.nn.softplus(tf.tensordot(made, stop, 1))))
    return Program([loss, adam(loss)], {memory: normal(8, 30, 64), frames: normal(8, 40, 20, scale=0.3)})


@program
def aligned_words():
    """IBM's first model: which word translates which, by counting; one turn of expectation and maximisation a run."""
    table = tf.get_variable("t", initializer=np.full((300, 400), 1 / 400, np.float32))
    source, target = placeholder(None, 12, dtype=tf.int32), placeholder(None, 14, dtype=tf.int32)
    pairs = tf.stack([tf.tile(source[:, :, None], [1, 1, 14]), tf.tile(target[:, None], [1, 12, 1])], 3)
    chances = tf.gather_nd(table, pairs)
    total = tf.reduce_sum(chances, 1, keepdims=True)
    counts = tf.scatter_nd(tf.reshape(pairs, [-1, 2]), tf.reshape(chances / total, [-1]), [300, 400])
    likely = tf.reduce_mean(tf.log(total))
    with tf.control_dependencies([likely]):
        step = table.assign((counts + 1e-6) / tf.reduce_sum(counts + 1e-6, 1, keepdims=True))
    return Program([likely, step.op], {source: whole(300, 64, 12), target: whole(400, 64, 14)})


@program
def neural_collaboration():
    """NCF: a product of two tables beside a net of two others, one answer; training with negatives."""
    user, item, label = (placeholder(None, dtype=tf.int32), placeholder(None, dtype=tf.int32), placeholder(None, 1))
    rows = {name: tf.nn.embedding_lookup(weights(name, 4000, 16, scale=0.1), ids)
            for name, ids in (("gu", user), ("gi", item), ("mu", user), ("mi", item))}
    h = mlp(tf.concat([rows["mu"], rows["mi"]], 1), [64, 32, 16], "net")
    loss = binary_entropy(dense(tf.concat([rows["gu"] * rows["gi"], tf.nn.relu(h)], 1), 1, "out"), label)
    return Program([loss, adam(loss)], {user: whole(4000, 1024), item: whole(4000, 1024),
                                        label: np.float32(numbers(1024, 1) > 0.8)})


@program
def news_by_entities():
    """DKN: titles as words and entities in two channels, filters of three widths, attention; training."""
    clicked, shown, label = (placeholder(None, 8, 10, dtype=tf.int32), placeholder(None, 10, dtype=tf.int32),
                             placeholder(None, 1))
    tables = [weights("words", 2000, 32, scale=0.2), weights("entities", 2000, 32, scale=0.2)]
    kernels = [weights(f"k{n}", n, 1, 64, 24) for n in (1, 2, 3)]

    def title(ids):
        both = tf.concat([tf.gather(tables[0], ids), tf.tanh(tf.gather(tables[1], ids))], 2)[:, :, None]
        return tf.concat([tf.reduce_max(tf.nn.relu(tf.nn.conv2d(both, k, [1, 1, 1, 1], "VALID")), [1, 2])
                          for k in kernels], 1)
    past, candidate = tf.reshape(title(tf.reshape(clicked, [-1, 10])), [-1, 8, 72]), title(shown)
    joined = tf.concat([past, tf.tile(candidate[:, None], [1, 8, 1])], 2)
    share = tf.nn.softmax(tf.reshape(mlp(tf.reshape(joined, [-1, 144]), [32, 1], "att"), [-1, 8]))
    user = tf.reduce_sum(share[:, :, None] * past, 1)
    loss = binary_entropy(mlp(tf.concat([user, candidate], 1), [32, 1], "out"), label)
    return Program([loss, adam(loss)], {clicked: whole(2000, 32, 8, 10), shown: whole(2000, 32, 10),
                                        label: np.float32(numbers(32, 1) > 0.5)})
