"""Programs of nets that attend to what they keep: memories, pointers, decoders, relations, capsules."""
from __future__ import annotations

import numpy as np
from kit import Program, adam, cross_entropy, dense, mlp, normal, placeholder, program, weights, whole, zeros
from library import tf


def _drawn(scope):
    """A scope whose variables get values of NumPy, those that cells make, too."""
    def initializer(shape, dtype=None, partition_info=None):
        return tf.constant(normal(*[int(d) for d in shape], scale=0.1))
    return tf.variable_scope(scope, initializer=initializer)


@program
def speech_from_letters():
    """Tacotron's decoder: a prenet, attention that knows where it was, frames; training."""
    memory, frames = placeholder(None, 40, 64), placeholder(None, 20, 16)
    batch = tf.shape(memory)[0]
    keys = tf.reshape(tf.matmul(tf.reshape(memory, [-1, 64]), weights("keys", 64, 32)), [-1, 40, 32])
    query, place, score = weights("query", 64, 32), weights("place", 5, 1, 32), weights("score", 32)
    prenet = [weights("p0", 16, 32), weights("p1", 32, 16)]
    kernel, out = weights("lstm", 16 + 64 + 64, 4 * 64), weights("out", 64 + 64, 16)
    given = tf.transpose(tf.concat([tf.zeros_like(frames[:, :1]), frames[:, :-1]], 1), [1, 0, 2])

    def step(i, c, h, context, total, made):
        x = given[i]
        for w in prenet:
            x = tf.nn.relu(tf.matmul(x, w))
        gates = tf.split(tf.matmul(tf.concat([x, context, h], 1), kernel), 4, 1)
        c = c * tf.sigmoid(gates[2] + 1.0) + tf.sigmoid(gates[0]) * tf.tanh(gates[1])
        h = tf.tanh(c) * tf.sigmoid(gates[3])
        where = tf.nn.conv1d(total[:, :, None], place, 1, "SAME")
        energy = tf.reduce_sum(score * tf.tanh(keys + tf.matmul(h, query)[:, None] + where), 2)
        weight = tf.nn.softmax(energy)
        context = tf.reduce_sum(weight[:, :, None] * memory, 1)
        frame = tf.matmul(tf.concat([h, context], 1), out)
        return i + 1, c, h, context, total + weight, made.write(i, frame)
    zero = tf.zeros(tf.stack([batch, 64]))
    found = tf.while_loop(lambda i, *_: i < 20, step, [
        0, zero, zero, zero, tf.zeros(tf.stack([batch, 40])), tf.TensorArray(tf.float32, 20)])
    loss = tf.reduce_mean(tf.abs(tf.transpose(found[-1].stack(), [1, 0, 2]) - frames))
    return Program([loss, adam(loss)], {memory: normal(16, 40, 64), frames: normal(16, 20, 16)})


@program
def turing_machine():
    """A controller that reads and writes a memory by content and by shifts, twenty steps; training."""
    x, y = placeholder(None, 20, 8), placeholder(None, 20, 8)
    slots, width, units = 32, 12, 48
    head = width + 1 + 1 + 3 + 1
    kernel, to_heads = weights("k", 8 + width + units, 4 * units), weights("heads", units, 2 * head + 2 * width)
    to_out = weights("out", units + width, 8)
    batch = tf.shape(x)[0]
    memory = tf.tile(tf.constant(normal(slots, width, scale=0.1))[None], tf.stack([batch, 1, 1]))
    c = h = tf.zeros(tf.stack([batch, units]))
    read = tf.zeros(tf.stack([batch, width]))
    start = np.eye(1, slots, dtype=np.float32)
    looks = [tf.tile(tf.constant(start), tf.stack([batch, 1]))] * 2

    def look(parts, before):
        key, strength, gate, shift, sharp = tf.split(parts, [width, 1, 1, 3, 1], 1)
        alike = tf.reduce_sum(tf.nn.l2_normalize(memory, 2, 1e-6) * tf.nn.l2_normalize(key, 1, 1e-6)[:, None], 2)
        content = tf.nn.softmax(tf.nn.softplus(strength) * alike)
        gate = tf.sigmoid(gate)
        mixed = gate * content + (1 - gate) * before
        shift = tf.nn.softmax(shift)
        turned = sum(shift[:, j:j + 1] * tf.roll(mixed, j - 1, 1) for j in range(3))
        raised = tf.pow(turned + 1e-6, 1 + tf.nn.softplus(sharp))
        return raised / tf.reduce_sum(raised, 1, keepdims=True)
    made = []
    for t in range(20):
        gates = tf.split(tf.matmul(tf.concat([x[:, t], read, h], 1), kernel), 4, 1)
        c = c * tf.sigmoid(gates[2] + 1.0) + tf.sigmoid(gates[0]) * tf.tanh(gates[1])
        h = tf.tanh(c) * tf.sigmoid(gates[3])
        parts = tf.split(tf.matmul(h, to_heads), [head, head, width, width], 1)
        looks = [look(parts[i], looks[i]) for i in range(2)]
        memory = (memory * (1 - looks[1][:, :, None] * tf.sigmoid(parts[2])[:, None])
                  + looks[1][:, :, None] * tf.tanh(parts[3])[:, None])
        read = tf.squeeze(tf.matmul(looks[0][:, None], memory), 1)
        made.append(tf.matmul(tf.concat([h, read], 1), to_out))
    loss = tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(logits=tf.stack(made, 1), labels=y))
    optimizer = tf.train.RMSPropOptimizer(1e-3, momentum=0.9)
    pairs = [(tf.clip_by_value(g, -10, 10), v) for g, v in optimizer.compute_gradients(loss)]
    bits = np.float32(normal(16, 20, 8) > 0)
    return Program([loss, optimizer.apply_gradients(pairs)], {x: bits, y: bits[:, ::-1]})


@program
def end_to_end_memory():
    """Questions over fifty sentences, three hops, words' places weighed, a linear start; training."""
    story, question, answer = (placeholder(None, *s, dtype=tf.int32) for s in ((50, 7), (7,), ()))
    tables = [weights(f"t{i}", 180, 40, scale=0.1) for i in range(4)]
    j, k = np.arange(1, 8)[:, None] / 7, np.arange(1, 41)[None] / 40
    places = (1 - j - k * (1 - 2 * j)).astype(np.float32)
    times = [weights(f"time{i}", 50, 40, scale=0.1) for i in range(4)]

    def sentences(table, ids):
        masked = tf.concat([tf.zeros([1, 40]), table[1:]], 0)
        return tf.reduce_sum(tf.nn.embedding_lookup(masked, ids) * places, -2)
    u = sentences(tables[0], question)
    for hop in range(3):
        keys, kept = (sentences(tables[hop + n], story) + times[hop + n] for n in range(2))
        chance = tf.nn.softmax(tf.reduce_sum(keys * u[:, None], 2))
        u = u + tf.reduce_sum(kept * chance[:, :, None], 1)
    loss = cross_entropy(tf.matmul(u, tables[3], transpose_b=True), answer)
    optimizer = tf.train.AdamOptimizer(1e-2, epsilon=0.1)
    pairs = [(tf.clip_by_norm(g, 40.0), v) for g, v in optimizer.compute_gradients(loss)]
    return Program([loss, optimizer.apply_gradients(pairs)], {
        story: whole(180, 32, 50, 7), question: whole(180, 32, 7), answer: whole(180, 32)})


@program
def pointer_generator():
    """A summary's words drawn from a vocabulary or copied from the article, with coverage; training."""
    article, summary = placeholder(None, None, dtype=tf.int32), placeholder(None, 15, dtype=tf.int32)
    lengths, extra = placeholder(None, dtype=tf.int32), placeholder(dtype=tf.int32)
    words, units, batch = 1000, 64, tf.shape(article)[0]
    table = weights("words", words, 32, scale=0.1)
    with _drawn("encoder"):
        both, states = tf.nn.bidirectional_dynamic_rnn(
            tf.nn.rnn_cell.LSTMCell(units), tf.nn.rnn_cell.LSTMCell(units),
            tf.nn.embedding_lookup(table, tf.minimum(article, words - 1)), lengths, dtype=tf.float32)
    memory = tf.concat(both, 2)
    c, h = (tf.nn.relu(dense(tf.concat([getattr(s, n) for s in states], 1), units, f"reduce_{n}")) for n in "ch")
    keys = tf.squeeze(tf.nn.conv2d(memory[:, :, None], weights("keys", 1, 1, 2 * units, 64), [1, 1, 1, 1], "SAME"), 2)
    mask = tf.sequence_mask(lengths, tf.shape(article)[1], tf.float32)
    query, cover, score = weights("query", 2 * units, 64), weights("cover", 64), weights("score", 64)
    kernel = weights("lstm", 32 + 2 * units + units, 4 * units)
    gate, out, bias = weights("gate", 4 * units, 1), weights("out", 3 * units, words), zeros("bias", words)
    context, covered = tf.zeros(tf.stack([batch, 2 * units])), tf.zeros_like(mask)
    rows = tf.range(batch)
    places = tf.stack([tf.tile(rows[:, None], tf.stack([1, tf.shape(article)[1]])), article], 2)
    losses = []
    given = tf.concat([tf.zeros_like(summary[:, :1]), summary[:, :-1]], 1)
    for t in range(15):
        x = tf.nn.embedding_lookup(table, tf.minimum(given[:, t], words - 1))
        gates = tf.split(tf.matmul(tf.concat([x, context, h], 1), kernel), 4, 1)
        c = c * tf.sigmoid(gates[2] + 1.0) + tf.sigmoid(gates[0]) * tf.tanh(gates[1])
        h = tf.tanh(c) * tf.sigmoid(gates[3])
        energy = tf.reduce_sum(score * tf.tanh(keys + tf.matmul(tf.concat([c, h], 1), query)[:, None]
                                               + covered[:, :, None] * cover), 2)
        weight = tf.nn.softmax(energy) * mask
        weight = weight / tf.reduce_sum(weight, 1, keepdims=True)
        context = tf.reduce_sum(weight[:, :, None] * memory, 1)
        drawn = tf.sigmoid(tf.matmul(tf.concat([context, c, h], 1), gate))
        vocabulary = tf.nn.softmax(tf.matmul(tf.concat([h, context], 1), out) + bias)
        longer = tf.concat([drawn * vocabulary, tf.zeros(tf.stack([batch, extra]))], 1)
        final = longer + tf.scatter_nd(places, (1 - drawn) * weight, tf.stack([batch, words + extra]))
        chosen = tf.gather_nd(final, tf.stack([rows, summary[:, t]], 1))
        losses.append(-tf.log(chosen + 1e-10) + tf.reduce_sum(tf.minimum(weight, covered), 1))
        covered += weight
    loss = tf.reduce_mean(tf.add_n(losses)) / 15
    optimizer, variables = tf.train.AdagradOptimizer(0.15, initial_accumulator_value=0.1), tf.trainable_variables()
    slopes, norm = tf.clip_by_global_norm(tf.gradients(loss, variables), 2.0)
    train = optimizer.apply_gradients(zip(slopes, variables, strict=True))
    return Program([loss, norm, train], {article: whole(words + 20, 8, 60), lengths: 30 + whole(31, 8),
                                         summary: whole(words, 8, 15), extra: 20})


def _dense_rows(x, units, name):
    """A dense layer of [time, batch, features]."""
    return tf.tensordot(x, weights(name + "_w", int(x.shape[-1]), units), [[2], [0]]) + zeros(name + "_b", units)


def _norm_rows(x, name):
    """A layer norm, as contrib wrote it."""
    mean, variance = tf.nn.moments(x, [-1], keepdims=True)
    size = int(x.shape[-1])
    return tf.nn.batch_normalization(x, mean, variance, zeros(name + "_b", size),
                                     tf.get_variable(name + "_g", initializer=np.ones(size, np.float32)), 1e-12)


@program
def transformer_with_memory():
    """Transformer-XL: keys by their distance, shifted by a padding and a reshape, hidden rows kept; training."""
    tokens = placeholder(None, 33, dtype=tf.int32)
    layers, width, heads, kept, words = 3, 64, 4, 32, 500
    depth, span = width // heads, 32 + kept
    table = weights("words", words, width, scale=0.1)
    distances = np.arange(span - 1, -1, -1.0)[:, None] / 10000 ** (np.arange(0, width, 2) / width)
    places = tf.constant(np.concatenate([np.sin(distances), np.cos(distances)], 1).astype(np.float32))
    mask = np.triu(np.ones((32, span), np.float32), kept + 1)[:, :, None, None] * 1e30
    u, v = weights("u", heads, depth, scale=0.1), weights("v", heads, depth, scale=0.1)
    batch = tf.shape(tokens)[0]
    turned = tf.transpose(tokens)                                     # time in front, as its authors wrote it
    h, updates = tf.nn.embedding_lookup(table, turned[:-1]) * width ** 0.5, []

    def shifted(x):
        x = tf.reshape(tf.pad(x, [[0, 0], [1, 0], [0, 0], [0, 0]]), tf.stack([span + 1, 32, batch, heads]))
        return tf.reshape(x[1:], tf.stack([32, span, batch, heads]))
    for i in range(layers):
        memory = tf.get_variable(f"memory{i}", initializer=np.zeros((kept, 8, width), np.float32), trainable=False)
        both = tf.concat([tf.stop_gradient(tf.identity(memory)), h], 0)
        updates.append((memory, h[-kept:]))
        made = tf.einsum("tbd,de->tbe", both, weights(f"qkv{i}", width, 3 * width))
        q, k, value = (tf.reshape(part, tf.stack([-1, batch, heads, depth])) for part in tf.split(made, 3, -1))
        q = q[-32:]
        r = tf.reshape(tf.matmul(places, weights(f"r{i}", width, width)), [span, heads, depth])
        content = tf.einsum("ibnd,jbnd->ijbn", q + u, k)
        place = shifted(tf.einsum("ibnd,jnd->ijbn", q + v, r))
        weight = tf.nn.softmax((content + place) * depth ** -0.5 * (1 - mask / 1e30) - mask, 1)
        made = tf.reshape(tf.einsum("ijbn,jbnd->ibnd", weight, value), tf.stack([32, batch, width]))
        h = _norm_rows(h + _dense_rows(made, width, f"o{i}"), f"onorm{i}")
        h = _norm_rows(h + _dense_rows(tf.nn.relu(_dense_rows(h, 256, f"up{i}")), width, f"down{i}"), f"fnorm{i}")
    logits = tf.einsum("tbd,wd->tbw", h, table)
    loss = cross_entropy(logits, turned[1:])
    train = adam(loss)
    with tf.control_dependencies([train]):
        keep = tf.group(*[memory.assign(new) for memory, new in updates])
    return Program([loss, keep], {tokens: whole(words, 8, 33)})


@program
def relations():
    """A relation network: all pairs of 25 cells of a picture beside the question, a net of each pair; training."""
    cells, question, answer = placeholder(None, 25, 24), placeholder(None, 16), placeholder(None, dtype=tf.int32)
    first = tf.tile(cells[:, :, None], [1, 1, 25, 1])
    second = tf.tile(cells[:, None], [1, 25, 1, 1])
    asked = tf.tile(question[:, None, None], [1, 25, 25, 1])
    pairs = tf.reshape(tf.concat([first, second, asked], 3), [-1, 64])
    related = mlp(pairs, [64, 64, 64], "g")
    summed = tf.reduce_sum(tf.reshape(tf.nn.relu(related), [-1, 625, 64]), 1)
    loss = cross_entropy(mlp(summed, [64, 10], "f"), answer)
    return Program([loss, adam(loss)], {cells: normal(16, 25, 24), question: normal(16, 16), answer: whole(10, 16)})


@program
def capsules():
    """Capsules that agree by routing: predictions of each for each, three rounds, a margin loss; training."""
    x, label = placeholder(None, 6, 6, 64), placeholder(None, dtype=tf.int32)
    batch = tf.shape(x)[0]

    def squashed(s):
        square = tf.reduce_sum(tf.square(s), -1, keepdims=True)
        return square / (1 + square) * s / tf.sqrt(square + 1e-9)
    low = squashed(tf.reshape(tf.nn.conv2d(x, weights("k", 3, 3, 64, 64), [1, 2, 2, 1], "VALID"), [-1, 32, 8]))
    w = weights("w", 1, 32, 10, 8, 16, scale=0.1)
    tiled = tf.tile(low[:, :, None, None], [1, 1, 10, 1, 1])
    votes = tf.squeeze(tf.matmul(tiled, tf.tile(w, tf.stack([batch, 1, 1, 1, 1]))), 3)    # [batch, 32, 10, 16]
    fixed = tf.stop_gradient(votes)
    logits = tf.zeros(tf.stack([batch, 32, 10, 1]))
    for turn in range(3):
        share = tf.nn.softmax(logits, 2)
        high = squashed(tf.reduce_sum(share * (votes if turn == 2 else fixed), 1, keepdims=True))
        if turn < 2:
            logits += tf.reduce_sum(fixed * high, -1, keepdims=True)
    length = tf.sqrt(tf.reduce_sum(tf.square(high[:, 0]), 2) + 1e-9)
    right = tf.one_hot(label, 10)
    loss = tf.reduce_mean(tf.reduce_sum(right * tf.square(tf.maximum(0., 0.9 - length))
                                        + 0.5 * (1 - right) * tf.square(tf.maximum(0., length - 0.1)), 1))
    return Program([loss, adam(loss)], {x: normal(16, 6, 6, 64), label: whole(10, 16)})


@program
def letters_with_kept_state():
    """char-rnn: two LSTMs whose state is fed back from the last run; clipped gradients; training."""
    x, y = placeholder(16, 25, dtype=tf.int32), placeholder(16, 25, dtype=tf.int32)
    with _drawn("rnn"):
        cell = tf.nn.rnn_cell.MultiRNNCell([tf.nn.rnn_cell.LSTMCell(96) for _ in range(2)])
        start = cell.zero_state(16, tf.float32)
        outputs, end = tf.nn.dynamic_rnn(cell, tf.nn.embedding_lookup(weights("letters", 65, 96), x),
                                         initial_state=start)
    logits = dense(tf.reshape(outputs, [-1, 96]), 65, "out")
    loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(logits=logits, labels=tf.reshape(y, [-1])))
    variables = tf.trainable_variables()
    slopes, _ = tf.clip_by_global_norm(tf.gradients(loss, variables), 5.0)
    train = tf.train.AdamOptimizer(2e-3).apply_gradients(zip(slopes, variables, strict=True))
    text = whole(65, 16, 26)
    kept = {}

    def step(session, _):
        feed = {x: text[:, :-1], y: text[:, 1:]}
        if kept:
            for (c, h), (of_c, of_h) in zip(start, kept["state"], strict=True):
                feed[c], feed[h] = of_c, of_h
        value, kept["state"], _ = session.run([loss, end, train], feed)
        return value
    return Program(step=step)


@program
def tags_of_sentences():
    """Words and their letters by bidirectional LSTMs of unknown lengths; training."""
    words, letters = placeholder(None, None, dtype=tf.int32), placeholder(None, None, None, dtype=tf.int32)
    lengths, sizes = placeholder(None, dtype=tf.int32), placeholder(None, None, dtype=tf.int32)
    tags = placeholder(None, None, dtype=tf.int32)

    def both_ways(x, units, count, name):
        with _drawn(name):
            return tf.nn.bidirectional_dynamic_rnn(tf.nn.rnn_cell.LSTMCell(units), tf.nn.rnn_cell.LSTMCell(units),
                                                   x, count, dtype=tf.float32)
    shape = tf.shape(letters)
    spelled = tf.reshape(tf.nn.embedding_lookup(weights("letters", 40, 16), letters), [-1, shape[2], 16])
    _, ((_, ahead), (_, behind)) = both_ways(spelled, 16, tf.reshape(sizes, [-1]), "of_letters")
    spelled = tf.reshape(tf.concat([ahead, behind], 1), tf.stack([shape[0], shape[1], 32]))
    x = tf.concat([tf.nn.embedding_lookup(weights("words", 800, 32), words), spelled], 2)
    outputs, _ = both_ways(x, 48, lengths, "of_words")
    flat = dense(tf.reshape(tf.concat(outputs, 2), [-1, 96]), 9, "out")
    scores = tf.reshape(flat, tf.stack([-1, shape[1], 9]))
    mask = tf.sequence_mask(lengths)
    losses = tf.nn.sparse_softmax_cross_entropy_with_logits(logits=scores, labels=tags)
    loss = tf.reduce_mean(tf.boolean_mask(losses, mask))
    return Program([loss, adam(loss)], {
        words: whole(800, 16, 20), letters: whole(40, 16, 20, 8), lengths: 8 + np.arange(16) % 13,
        sizes: 1 + np.arange(320).reshape(16, 20) % 8, tags: whole(9, 16, 20)})
