"""Programs that rank and recommend: interests, crossings, towers, sparse factors, tables with attention."""
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
def deep_interest():
    """What a user clicked, weighed by an attention net against the item (DIN), Dice activations, AUC; training."""
    seen, item, lengths = placeholder(None, None, dtype=tf.int32), placeholder(None, dtype=tf.int32), placeholder(
        None, dtype=tf.int32)
    label = placeholder(None)
    items, kinds = weights("items", 5000, 16, scale=0.1), weights("kinds", 100, 16, scale=0.1)
    of_item = tf.constant(whole(100, 5000))

    def embedded(ids):
        of_kind = tf.nn.embedding_lookup(kinds, tf.gather(of_item, ids))
        return tf.concat([tf.nn.embedding_lookup(items, ids), of_kind], -1)

    def dice(x, name):
        alpha = zeros(name, int(x.shape[-1]))
        chance = tf.sigmoid(tf.layers.batch_normalization(x, center=False, scale=False, training=True, name=name))
        return alpha * (1 - chance) * x + chance * x
    keys, query = embedded(seen), embedded(item)
    tiled = tf.tile(query[:, None], tf.stack([1, tf.shape(keys)[1], 1]))
    both = tf.reshape(tf.concat([tiled, keys, tiled - keys, tiled * keys], 2), [-1, 128])
    scores = tf.reshape(mlp(both, [40, 20, 1], "att", tf.sigmoid), tf.stack([-1, tf.shape(keys)[1]])) / 32 ** 0.5
    mask = tf.sequence_mask(lengths, tf.shape(keys)[1])
    weight = tf.nn.softmax(tf.where(mask, scores, tf.ones_like(scores) * (-2.0 ** 32 + 1)))
    taste = tf.squeeze(tf.matmul(weight[:, None], keys), 1)
    h = tf.concat([taste, query, taste * query], 1)
    for i, units in enumerate((80, 40)):
        h = dice(dense(h, units, f"h{i}"), f"dice{i}")
    logits = dense(h, 1, "out")[:, 0]
    loss = binary_entropy(logits, label)
    train = tf.train.GradientDescentOptimizer(0.1).minimize(loss)
    return Program([loss, tf.sigmoid(logits), train], {
        seen: whole(5000, 64, 40), item: whole(5000, 64), lengths: 1 + whole(40, 64),
        label: np.float32(numbers(64) > 0.5)})


@program
def crossed_vectors():
    """Compressed interactions of 20 fields (xDeepFM), a deep and a linear part; training."""
    ids, label = placeholder(None, 20, dtype=tf.int32), placeholder(None)
    fields = tf.nn.embedding_lookup(weights("fields", 20 * 200, 10, scale=0.1), ids + np.arange(20) * 200)
    linear = tf.reduce_sum(tf.nn.embedding_lookup(zeros("linear", 20 * 200), ids + np.arange(20) * 200), 1)
    first = tf.split(fields, 10 * [1], 2)
    hidden, sums = fields, []
    for i, maps in enumerate((32, 32)):
        split = tf.split(hidden, 10 * [1], 2)
        products = tf.matmul(first, split, transpose_b=True)                 # [10, batch, 20, maps]
        rows = tf.reshape(products, tf.stack([10, -1, 20 * int(hidden.shape[1])]))
        filters = weights(f"f{i}", 1, 20 * int(hidden.shape[1]), maps)
        made = tf.nn.conv1d(tf.transpose(rows, [1, 0, 2]), filters, 1, "VALID")
        hidden = tf.transpose(tf.nn.relu(made), [0, 2, 1])
        sums.append(tf.reduce_sum(hidden, 2))
    deep = mlp(tf.reshape(fields, [-1, 200]), [64, 64, 1], "deep")
    logits = (dense(tf.concat(sums, 1), 1, "cin") + deep)[:, 0] + linear
    loss = binary_entropy(logits, label) + 1e-4 * tf.nn.l2_loss(fields)
    return Program([loss, adam(loss)], {ids: whole(200, 256, 20), label: np.float32(numbers(256) > 0.5)})


@program
def two_towers():
    """Users and items by two nets, each row's item against those of the others, less their frequency; training."""
    user, history, item = placeholder(None, dtype=tf.int32), placeholder(None, 10, dtype=tf.int32), placeholder(
        None, dtype=tf.int32)
    often = placeholder(None)
    users, items = weights("users", 20000, 32, scale=0.1), weights("items", 8000, 32, scale=0.1)
    of_user = tf.concat([tf.gather(users, user), tf.reduce_mean(tf.gather(items, history), 1)], 1)
    u = tf.nn.l2_normalize(mlp(of_user, [64, 32], "u"), 1)
    v = tf.nn.l2_normalize(mlp(tf.gather(items, item), [64, 32], "v"), 1)
    logits = tf.matmul(u, v, transpose_b=True) / 0.05 - tf.log(often)[None]
    itself = tf.cast(tf.eye(tf.shape(u)[0]), tf.bool)
    others = tf.logical_and(tf.equal(item[:, None], item[None]), tf.logical_not(itself))
    logits = tf.where(others, tf.fill(tf.shape(logits), -1e9), logits)
    loss = cross_entropy(logits, tf.range(tf.shape(u)[0]))
    train = tf.train.AdagradOptimizer(0.05).minimize(loss)
    hits = tf.reduce_mean(tf.cast(tf.nn.in_top_k(logits, tf.range(tf.shape(u)[0]), 10), tf.float32))
    return Program([loss, hits, train], {user: whole(20000, 256), history: whole(8000, 256, 10), item: whole(8000, 256),
                                         often: numbers(256, low=0.01, high=0.1)})


@program
def table_attention():
    """TabNet: steps that choose columns by sparsemax, gated layers with norms of small parts of a batch; training."""
    x, label = placeholder(256, 32), placeholder(None, dtype=tf.int32)

    def sparsemax(z):
        ordered = tf.nn.top_k(z, 32)[0]
        sums = tf.cumsum(ordered, 1)
        k = np.arange(1, 33, dtype=np.float32)
        count = tf.reduce_sum(tf.cast(1 + k * ordered > sums, tf.int32), 1)
        rows = tf.range(tf.shape(z)[0])
        tau = (tf.gather_nd(sums, tf.stack([rows, count - 1], 1)) - 1) / tf.cast(count, tf.float32)
        return tf.maximum(0., z - tau[:, None])

    def norm(h, name):
        size = int(h.shape[-1])
        parts = tf.reshape(h, [4, 64, size])
        mean, variance = tf.nn.moments(parts, [1], keepdims=True)
        parts = (parts - mean) * tf.rsqrt(variance + 1e-3)
        return tf.reshape(parts, [256, size]) * tf.get_variable(name, initializer=np.ones(size, np.float32))

    def gated(h, name):
        h = norm(dense(h, 64, name), name + "_n")
        return h[:, :32] * tf.sigmoid(h[:, 32:])
    h = norm(x, "first")
    prior, decided, cost = tf.ones_like(x), 0.0, 0.0
    chosen = gated(h, "start")[:, 16:]
    for i in range(3):
        mask = sparsemax(norm(dense(chosen, 32, f"m{i}"), f"mn{i}") * prior)
        cost += tf.reduce_mean(tf.reduce_sum(-mask * tf.log(mask + 1e-5), 1)) / 3
        prior *= 1.3 - mask
        step = gated(h * mask, f"a{i}")
        step = (step + gated(step, f"b{i}")) * np.float32(0.5 ** 0.5)
        decided += tf.nn.relu(step[:, :16])
        chosen = step[:, 16:]
    loss = cross_entropy(dense(decided, 7, "out"), label) + 1e-3 * cost
    return Program([loss, adam(loss)], {x: normal(256, 32), label: whole(7, 256)})


@program
def sparse_factors():
    """Factors of a sparse matrix of ratings, by its entries: gathers, biases, products with the matrix; training."""
    ratings = tf.sparse_placeholder(tf.float32)
    users, items = weights("users", 600, 20, scale=0.2), weights("items", 400, 20, scale=0.2)
    of_user, of_item = zeros("of_user", 600), zeros("of_item", 400)
    u, i = ratings.indices[:, 0], ratings.indices[:, 1]
    made = (tf.reduce_sum(tf.gather(users, u) * tf.gather(items, i), 1) + tf.gather(of_user, u) + tf.gather(of_item, i))
    error = tf.reduce_mean(tf.square(made - ratings.values))
    seen = tf.sparse_tensor_dense_matmul(ratings, items)
    total = tf.sparse_reduce_sum(ratings, 1)
    loss = error + 1e-3 * (tf.nn.l2_loss(users) + tf.nn.l2_loss(items)) / 1000
    train = tf.train.MomentumOptimizer(0.5, 0.9).minimize(loss)
    where = np.unique(np.stack([whole(600, 6000), whole(400, 6000)], 1), axis=0).astype(np.int64)
    return Program([loss, tf.reduce_sum(seen), tf.reduce_max(total), train],
                   {ratings: (where, numbers(len(where), high=5), (600, 400))})


@program
def noise_contrastive():
    """word2vec by tf.nn.nce_loss with 64 drawn words, and the nearest of 16 words; training."""
    word, context = placeholder(None, dtype=tf.int32), placeholder(None, 1, dtype=tf.int64)
    table = tf.get_variable("table", initializer=numbers(10000, 128, low=-1))
    nce, bias = weights("nce", 10000, 128, scale=0.09), zeros("bias", 10000)
    loss = tf.reduce_mean(tf.nn.nce_loss(nce, bias, context, tf.nn.embedding_lookup(table, word), 64, 10000))
    train = tf.train.GradientDescentOptimizer(1.0).minimize(loss)
    unit = table / tf.sqrt(tf.reduce_sum(tf.square(table), 1, keepdims=True))
    alike = tf.matmul(tf.nn.embedding_lookup(unit, np.arange(16, dtype=np.int32)), unit, transpose_b=True)
    feed = {word: whole(10000, 128), context: whole(10000, 128, 1)}

    def step(session, number):
        value = session.run([loss, train], feed)[0]
        return [value, session.run(alike)] if number % 10 == 0 else [value, np.zeros((16, 10000), np.float32)]
    return Program(step=step, drawn=True)


@program
def sets_of_ids():
    """What two users have in common and what not: sets of rows, their sizes, Jaccard's measure, distinct pairs."""
    first, second = placeholder(None, 20, dtype=tf.int64), placeholder(None, 20, dtype=tf.int64)
    both, either = tf.sets.set_intersection(first, second), tf.sets.set_union(first, second)
    alone = tf.sets.set_difference(first, second)
    sizes = [tf.cast(tf.sets.set_size(s), tf.float32) for s in (both, either, alone)]
    pairs = tf.reshape(first * 1000 + second, [-1])
    _, _, counts = tf.unique_with_counts(pairs)
    shared = tf.sparse_tensor_to_dense(both, default_value=-1)
    return Program([sizes[0] / sizes[1], sizes[2], shared, tf.reduce_max(counts)],
                   {first: whole(60, 128, 20, dtype=np.int64), second: whole(60, 128, 20, dtype=np.int64)})


@program
def graph_of_edges():
    """Messages along edges by gathers and unsorted segments, edges renewed, too (interaction network); training."""
    nodes, edges = placeholder(None, 16), placeholder(None, 8)
    ends = placeholder(None, 2, dtype=tf.int32)
    target = placeholder(None, 4)
    count = tf.shape(nodes)[0]
    h, e = mlp(nodes, [32, 32], "n"), mlp(edges, [32, 32], "e")
    for i in range(3):
        both = tf.concat([tf.gather(h, ends[:, 0]), tf.gather(h, ends[:, 1]), e], 1)
        e = e + mlp(both, [64, 32], f"edge{i}")
        arrived = tf.unsorted_segment_sum(e, ends[:, 1], count)
        most = tf.unsorted_segment_max(e, ends[:, 1], count)
        most = tf.where(most < -1e30, tf.zeros_like(most), most)
        h = h + mlp(tf.concat([h, arrived, most], 1), [64, 32], f"node{i}")
    loss = tf.reduce_mean(tf.square(mlp(h, [32, 4], "out") - target))
    return Program([loss, adam(loss)], {nodes: normal(200, 16), edges: normal(1500, 8), ends: whole(200, 1500, 2),
                                        target: normal(200, 4)})
