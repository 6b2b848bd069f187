"""Programs over sequences: tagging, decoding, translation, language models."""
from __future__ import annotations

import numpy as np
from kit import Program, adam, cross_entropy, dense, mlp, normal, numbers, placeholder, program, weights, whole, zeros
from library import tf

_TAGS, _LENGTH = 12, 40


def _potentials(batch):
    x = placeholder(None, _LENGTH, 32)
    scores = tf.reshape(dense(tf.reshape(x, [-1, 32]), _TAGS, "emit"), [-1, _LENGTH, _TAGS])
    return {x: normal(batch, _LENGTH, 32)}, scores, weights("transitions", _TAGS, _TAGS)


@program
def crf_training():
    """The likelihood of a linear-chain conditional random field, by a scan of log-sum-exp."""
    feed, scores, transitions = _potentials(32)
    tags = placeholder(None, _LENGTH, dtype=tf.int32)
    feed[tags] = whole(_TAGS, 32, _LENGTH)
    steps = tf.transpose(scores, [1, 0, 2])
    alphas = tf.scan(lambda a, s: tf.reduce_logsumexp(a[:, :, None] + transitions[None], 1) + s, steps[1:], steps[0])
    unary = tf.reduce_sum(scores * tf.one_hot(tags, _TAGS), [1, 2])
    binary = tf.reduce_sum(tf.gather_nd(transitions, tf.stack([tags[:, :-1], tags[:, 1:]], 2)), 1)
    loss = tf.reduce_mean(tf.reduce_logsumexp(alphas[-1], 1) - unary - binary)
    return Program([loss, adam(loss)], feed)


@program
def viterbi():
    """The best path of such a field: a scan with back pointers, and one back."""
    feed, scores, transitions = _potentials(32)
    steps = tf.transpose(scores, [1, 0, 2])

    def forward(state, score):
        reached = state[0][:, :, None] + transitions[None]
        return tf.reduce_max(reached, 1) + score, tf.argmax(reached, 1, output_type=tf.int32)

    best, pointers = tf.scan(forward, steps[1:], (steps[0], tf.zeros_like(steps[0], tf.int32)))
    last = tf.argmax(best[-1], 1, output_type=tf.int32)
    path = tf.scan(lambda tag, back: tf.reduce_sum(tf.one_hot(tag, _TAGS, dtype=tf.int32) * back, 1),
                   tf.reverse(pointers, [0]), last)
    return Program([tf.reverse(tf.concat([last[None], path], 0), [0]), tf.reduce_max(best[-1], 1)], feed)


def _speech(batch, time):
    x = placeholder(None, time, 40)
    hidden = tf.nn.relu(tf.nn.conv1d(x, weights("front", 5, 40, 64), 1, "SAME"))
    logits = tf.nn.conv1d(hidden, weights("letters", 1, 64, 28), 1, "SAME")
    return {x: normal(batch, time, 40)}, tf.transpose(logits, [1, 0, 2])


@program
def ctc_training():
    """Convolutions under a connectionist temporal classification, its labels a sparse feed."""
    feed, logits = _speech(16, 80)
    labels = tf.sparse_placeholder(tf.int32)
    where = np.stack([np.repeat(np.arange(16), 12), np.tile(np.arange(12), 16)], 1)
    feed[labels] = (where.astype(np.int64), whole(27, 192), (16, 12))
    loss = tf.reduce_mean(tf.nn.ctc_loss(labels, logits, np.full(16, 80, np.int32)))
    return Program([loss, adam(loss)], feed)


@program
def ctc_decoding():
    """Letters out of such logits, greedily and by a beam."""
    feed, logits = _speech(8, 80)
    lengths = np.full(8, 80, np.int32)
    greedy, _ = tf.nn.ctc_greedy_decoder(logits, lengths)
    beam, chances = tf.nn.ctc_beam_search_decoder(logits, lengths, beam_width=10)
    return Program([tf.sparse_tensor_to_dense(greedy[0]), tf.sparse_tensor_to_dense(beam[0]), chances], feed)


@program
def bidirectional_lengths():
    """A bidirectional LSTM over rows of their own lengths, another longest one each step; training."""
    ids, lengths = placeholder(None, None, dtype=tf.int32), placeholder(None, dtype=tf.int32)
    labels = placeholder(None, dtype=tf.int32)
    x = tf.nn.embedding_lookup(weights("embedding", 1000, 48, scale=0.1), ids)
    cells = [tf.nn.rnn_cell.LSTMCell(64, initializer=tf.constant_initializer(normal(112, 256, scale=0.1)))
             for _ in range(2)]
    _, ((_, forwards), (_, backwards)) = tf.nn.bidirectional_dynamic_rnn(*cells, x, lengths, dtype=tf.float32)
    loss = cross_entropy(dense(tf.concat([forwards, backwards], 1), 5, "out"), labels)
    drawn = whole(1000, 24, 64), whole(5, 24), whole(12, 24) + 1

    def feed(number):
        longest = 13 + number * 7 % 40
        return {ids: drawn[0][:, :longest], labels: drawn[1], lengths: np.minimum(drawn[2] * 4, longest)}
    return Program([loss, adam(loss)], feed)


@program
def beam_search():
    """A recurrent decoder with attention, four beams, twenty words: top_k, gathers and TensorArrays in a loop."""
    batch, beams, width, words = 4, 4, 64, 500
    source = placeholder(batch, 15, width)
    table, recur = weights("words", words, width, scale=0.3), weights("recur", 3 * width, width)
    output = weights("output", width, words)
    memory = tf.reshape(tf.tile(source[:, None], [1, beams, 1, 1]), [batch * beams, 15, width])

    def body(step, word, state, chance, found):
        attention = tf.nn.softmax(tf.squeeze(tf.matmul(memory, state[:, :, None]), 2))
        context = tf.reduce_sum(memory * attention[:, :, None], 1)
        state = tf.tanh(tf.matmul(tf.concat([tf.gather(table, word), state, context], 1), recur))
        scores = tf.nn.log_softmax(tf.matmul(state, output)) + tf.reshape(chance, [-1, 1])
        chance, best = tf.nn.top_k(tf.reshape(scores, [batch, beams * words]), beams)
        parent = tf.reshape(best // words + np.arange(batch, dtype=np.int32)[:, None] * beams, [-1])
        word = tf.reshape(best % words, [-1])
        return step + 1, word, tf.gather(state, parent), chance, found.write(step, tf.stack([parent, word]))

    start = np.array([[0.] + [-1e9] * (beams - 1)] * batch, np.float32)
    zero = tf.zeros([batch * beams], tf.int32)
    *_, chance, found = tf.while_loop(
        lambda step, *_: step < 20, body,
        [0, zero, tf.zeros([batch * beams, width]), start, tf.TensorArray(tf.int32, 20)])
    return Program([chance, found.stack()], {source: normal(batch, 15, width)})


def _norm(x, name):
    mean, variance = tf.nn.moments(x, [-1], keep_dims=True)
    return (x - mean) * tf.rsqrt(variance + 1e-6) * (1 + zeros(name, int(x.shape[-1])))


@program
def decoder_with_cache():
    """A transformer's decoder word by word, keys and values of earlier ones in caches that grow; 24 words."""
    batch, width, heads, words, layers = 4, 64, 4, 300, 2
    table = weights("words", words, width, scale=0.3)
    maps = [[weights(f"{n}{i}", width, width) for n in "qkvo"] + [weights(f"up{i}", width, 4 * width),
            weights(f"down{i}", 4 * width, width)] for i in range(layers)]

    def heads_of(x):
        return tf.reshape(x, [batch, heads, 1, width // heads])

    def body(step, word, caches, found):
        x, grown = tf.gather(table, word), []
        for (q, k, v, o, up, down), (keys, values) in zip(maps, caches, strict=True):
            keys = tf.concat([keys, heads_of(tf.matmul(x, k))], 2)
            values = tf.concat([values, heads_of(tf.matmul(x, v))], 2)
            shares = tf.nn.softmax(tf.matmul(heads_of(tf.matmul(x, q)), keys, transpose_b=True) / 4.)
            x = x + tf.matmul(tf.reshape(tf.matmul(shares, values), [batch, width]), o)
            x = x + tf.matmul(tf.nn.relu(tf.matmul(x, up)), down)
            mean, variance = tf.nn.moments(x, [1], keep_dims=True)
            x = (x - mean) * tf.rsqrt(variance + 1e-6)
            grown.append((keys, values))
        word = tf.argmax(tf.matmul(x, table, transpose_b=True), 1, output_type=tf.int32)
        return step + 1, word, grown, tf.concat([found, word[:, None]], 1)

    empty = [(tf.zeros([batch, heads, 0, width // heads]),) * 2 for _ in range(layers)]
    cache_shape = tf.TensorShape([batch, heads, None, width // heads])
    first = placeholder(batch, dtype=tf.int32)
    found = tf.while_loop(
        lambda step, *_: step < 24, body, [0, first, empty, tf.zeros([batch, 0], tf.int32)],
        shape_invariants=[tf.TensorShape([]), tf.TensorShape([batch]), [(cache_shape,) * 2] * layers,
                          tf.TensorShape([batch, None])])[-1]
    return Program([found], {first: whole(words, batch)})


@program
def mixture_of_experts():
    """The two best of eight experts for each row, by gates; training."""
    experts, width = 8, 64
    x, y = placeholder(None, width), placeholder(None, width)
    gates, chosen = tf.nn.top_k(tf.nn.softmax(dense(x, experts, "gate")), 2)
    share = tf.reduce_sum(tf.one_hot(chosen, experts) * (gates / tf.reduce_sum(gates, 1, keepdims=True))[:, :, None], 1)
    up, down = weights("up", experts, width, 128, scale=0.2), weights("down", experts, 128, width, scale=0.1)
    hidden = tf.nn.relu(tf.einsum("bd,edh->beh", x, up))
    made = tf.einsum("beh,ehd,be->bd", hidden, down, share)
    balance = tf.reduce_sum(tf.square(tf.reduce_mean(share, 0)))
    loss = tf.reduce_mean(tf.square(made - y)) + 0.01 * balance
    return Program([loss, adam(loss)], {x: normal(128, width), y: normal(128, width)})


@program
def gru_language_model():
    """A GRU unrolled over twenty letters; training with clipped gradients and a decaying rate."""
    ids = placeholder(32, 21, dtype=tf.int32)
    x = tf.unstack(tf.nn.embedding_lookup(weights("letters", 96, 64, scale=0.3), ids[:, :-1]), axis=1)
    gates, candidate = weights("gates", 192, 256), weights("candidate", 192, 128)
    state, outputs = tf.zeros([32, 128]), []
    for now in x:
        reset, update = tf.split(tf.sigmoid(tf.matmul(tf.concat([now, state], 1), gates)), 2, 1)
        new = tf.tanh(tf.matmul(tf.concat([now, reset * state], 1), candidate))
        state = update * state + (1 - update) * new
        outputs.append(state)
    logits = dense(tf.reshape(tf.stack(outputs, 1), [-1, 128]), 96, "out")
    loss = cross_entropy(logits, tf.reshape(ids[:, 1:], [-1]))
    step = tf.train.get_or_create_global_step()
    rate = tf.train.exponential_decay(0.002, step, 100, 0.97)
    variables = tf.trainable_variables()
    gradients, norm = tf.clip_by_global_norm(tf.gradients(loss, variables), 1.0)
    train = tf.train.AdamOptimizer(rate).apply_gradients(zip(gradients, variables, strict=True), step)
    return Program([loss, norm, train], {ids: whole(96, 32, 21)})


@program
def transformer_classifier():
    """Two layers of a transformer over padded rows with a mask, another length each step; training."""
    width, heads = 64, 4
    ids, labels = placeholder(None, None, dtype=tf.int32), placeholder(None, dtype=tf.int32)
    batch, time = tf.shape(ids)[0], tf.shape(ids)[1]
    mask = tf.cast(tf.not_equal(ids, 0), tf.float32)
    x = tf.gather(weights("words", 500, width, scale=0.3), ids) + weights("places", 64, width, scale=0.1)[:time]

    def heads_of(x):
        return tf.transpose(tf.reshape(x, [batch, time, heads, width // heads]), [0, 2, 1, 3])

    for i in range(2):
        inner = _norm(x, f"first{i}")
        q, k, v = (heads_of(tf.tensordot(inner, weights(f"{n}{i}", width, width), 1)) for n in "qkv")
        scores = tf.matmul(q, k, transpose_b=True) / 4. + (mask[:, None, None] - 1) * 1e9
        mixed = tf.reshape(tf.transpose(tf.matmul(tf.nn.softmax(scores), v), [0, 2, 1, 3]), [batch, time, width])
        x = x + tf.tensordot(mixed, weights(f"o{i}", width, width), 1)
        hidden = tf.nn.relu(tf.tensordot(_norm(x, f"second{i}"), weights(f"up{i}", width, 4 * width), 1))
        x = x + tf.tensordot(hidden, weights(f"down{i}", 4 * width, width), 1)
    pooled = tf.reduce_sum(x * mask[:, :, None], 1) / tf.reduce_sum(mask, 1, keepdims=True)
    loss = cross_entropy(mlp(pooled, [64, 4], "top"), labels)
    drawn, classes, ends = whole(499, 16, 64) + 1, whole(4, 16), whole(20, 16) + 1

    def feed(number):
        longest = 21 + number * 5 % 40
        given = drawn[:, :longest] * (np.arange(longest) < ends[:, None] * longest // 20)
        given[:, 0] = 1
        return {ids: given, labels: classes}
    return Program([loss, adam(loss)], feed)


@program
def pointer_scores():
    """A score of every pair of places of two sentences, masked; the best span (a reading net's last layer)."""
    x, y = placeholder(None, None, 100), placeholder(None, None, 100)
    first = tf.einsum("btd,d->bt", x, weights("begin", 100, scale=0.1))
    pairs = tf.einsum("btd,de,bse->bts", x, weights("between", 100, 100), y)
    begin, end = tf.nn.log_softmax(first), tf.nn.log_softmax(tf.reduce_max(pairs, 2))
    spans = tf.matrix_band_part(begin[:, :, None] + end[:, None], 0, 15)
    spans = tf.where(tf.equal(spans, 0), tf.fill(tf.shape(spans), -1e9), spans)
    return Program([tf.argmax(tf.reduce_max(spans, 2), 1), tf.argmax(tf.reduce_max(spans, 1), 1)],
                   {x: numbers(8, 120, 100), y: numbers(8, 20, 100)})
