"""Programs over tables, ids and clusters: embeddings, recommendations, clustering, trees."""
from __future__ import annotations

import numpy as np
from kit import (
    Program,
    adam,
    binary_entropy,
    cross_entropy,
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
def sampled_softmax():
    """Words from the words around them, against 64 drawn ones of 20,000."""
    context, word = placeholder(None, 4, dtype=tf.int32), placeholder(None, 1, dtype=tf.int64)
    hidden = tf.reduce_mean(tf.nn.embedding_lookup(weights("in", 20000, 100, scale=0.1), context), 1)
    sampled = tf.nn.log_uniform_candidate_sampler(word, 1, 64, True, 20000, seed=3)
    loss = tf.reduce_mean(tf.nn.sampled_softmax_loss(
        weights("out", 20000, 100, scale=0.1), zeros("bias", 20000), word, hidden, 64, 20000, sampled_values=sampled))
    train = tf.train.AdagradOptimizer(0.5).minimize(loss)
    return Program([loss, train], {context: whole(20000, 128, 4), word: whole(20000, 128, 1)}, drawn=True)


@program
def skip_grams():
    """Pairs of a word and its neighbours out of a text, cut in the graph, and a step of training with them."""
    text = placeholder(None, dtype=tf.int32)
    window = 3
    count = tf.shape(text)[0] - 2 * window
    middle = tf.range(count) + window
    shifts = np.array([s for s in range(-window, window + 1) if s], np.int32)
    near = tf.gather(text, middle[:, None] + shifts)
    words = tf.tile(tf.gather(text, middle)[:, None], [1, 2 * window])
    table, context = weights("words", 5000, 64, scale=0.1), weights("context", 5000, 64, scale=0.1)
    right = tf.reduce_sum(tf.gather(table, words) * tf.gather(context, near), 2)
    wrong = tf.reduce_sum(tf.gather(table, words) * tf.gather(context, tf.random_shuffle(near, seed=1)), 2)
    loss = tf.reduce_mean(tf.nn.softplus(-right)) + tf.reduce_mean(tf.nn.softplus(wrong))
    return Program([loss, tf.train.GradientDescentOptimizer(0.1).minimize(loss)], {text: whole(5000, 400)}, drawn=True)


@program
def alternating_least_squares():
    """Factors of users by a batch of small systems of equations, then of items."""
    ratings, seen = placeholder(200, 150), placeholder(200, 150)
    users, items = weights("users", 200, 16, scale=0.3), weights("items", 150, 16, scale=0.3)

    def solve(factors, values, mask):
        grams = tf.einsum("un,nf,ng->ufg", mask, factors, factors) + 0.1 * tf.eye(16)
        sides = tf.matmul(values * mask, factors)
        return tf.squeeze(tf.matrix_solve(grams, sides[:, :, None]), 2)
    new_users = users.assign(solve(items, ratings, seen))
    new_items = items.assign(solve(new_users, tf.transpose(ratings), tf.transpose(seen)))
    error = tf.reduce_sum(tf.square((tf.matmul(new_users, new_items, transpose_b=True) - ratings) * seen))
    return Program([error], {ratings: numbers(200, 150), seen: np.float32(numbers(200, 150) > 0.7)})


@program
def feature_columns():
    """Wide and deep by feature columns: buckets, hashes, vocabularies, a crossing, embeddings; training."""
    age, job, town = placeholder(None, 1), placeholder(None, 1, dtype=tf.string), placeholder(None, 1, dtype=tf.string)
    label = placeholder(None, 1)
    column = tf.feature_column
    years = column.numeric_column("age")
    ages = column.bucketized_column(years, [18, 25, 30, 35, 40, 45, 50, 55, 60, 65])
    jobs = column.categorical_column_with_vocabulary_list("job", [f"job{i}" for i in range(12)])
    towns = column.categorical_column_with_hash_bucket("town", 200)
    deep = [years, column.indicator_column(jobs),
            column.embedding_column(towns, 8, initializer=tf.constant_initializer(normal(200, 8)))]
    crossed = column.crossed_column([ages, "job"], 300)
    features = {"age": age, "job": job, "town": town}
    logits = mlp(column.input_layer(features, deep), [64, 32, 1], "deep")
    logits += column.linear_model(features, [ages, jobs, crossed])
    loss = binary_entropy(logits, label)
    strings = [np.array([f"{kind}{i}" for i in whole(n, 256)], object)[:, None]
               for kind, n in (("job", 12), ("town", 90))]
    feed = {age: numbers(256, 1, high=80), job: strings[0], town: strings[1], label: np.float32(numbers(256, 1) > 0.5)}
    return Program([loss, tf.train.FtrlOptimizer(0.1).minimize(loss)], feed)


@program
def boosted_splits():
    """The best split of every feature: buckets, sums of gradients by bucket, running sums, gains."""
    x, gradient, hessian = placeholder(None, 20), placeholder(None), placeholder(None)
    buckets = tf.cast(tf.clip_by_value(tf.floor(x * 32), 0, 31), tf.int32) + tf.range(20) * 32
    place = tf.reshape(buckets, [-1])

    def sums(values):
        repeated = tf.reshape(tf.tile(values[:, None], [1, 20]), [-1])
        return tf.cumsum(tf.reshape(tf.unsorted_segment_sum(repeated, place, 640), [20, 32]), 1)
    g, h = sums(gradient), sums(hessian)
    rest_g, rest_h = g[:, -1:] - g, h[:, -1:] - h
    gain = tf.square(g) / (h + 1) + tf.square(rest_g) / (rest_h + 1)
    best = tf.argmax(tf.reshape(gain, [-1]))
    return Program([gain, best, tf.reduce_max(gain, 1)],
                   {x: numbers(2000, 20), gradient: normal(2000), hessian: numbers(2000)})


@program
def factorization_machine():
    """Weighted sparse ids of each row, combined; pairs by the square of the sum; training."""
    ids, values, label = tf.sparse_placeholder(tf.int64), tf.sparse_placeholder(tf.float32), placeholder(None)
    linear, factors = weights("linear", 10000, 1, scale=0.1), weights("factors", 10000, 16, scale=0.1)
    first = tf.nn.embedding_lookup_sparse(linear, ids, values, combiner="sum")
    total = tf.nn.embedding_lookup_sparse(factors, ids, values, combiner="sum")
    squares = tf.nn.embedding_lookup_sparse(tf.square(factors), ids, tf.square(values), combiner="sum")
    logits = first[:, 0] + 0.5 * tf.reduce_sum(tf.square(total) - squares, 1)
    loss = binary_entropy(logits, label)
    where = np.stack([np.repeat(np.arange(256), 20), np.tile(np.arange(20), 256)], 1).astype(np.int64)
    feed = {ids: (where, whole(10000, 5120, dtype=np.int64), (256, 20)), values: (where, numbers(5120), (256, 20)),
            label: np.float32(numbers(256) > 0.5)}
    return Program([loss, adam(loss)], feed)


@program
def nearest_neighbours():
    """The labels of 50 queries by their 10 nearest of 3,000 points, and a confusion matrix."""
    points, queries = placeholder(None, 24), placeholder(None, 24)
    labels, right = placeholder(None, dtype=tf.int32), placeholder(None, dtype=tf.int32)
    distance = (tf.reduce_sum(tf.square(queries), 1, keepdims=True) + tf.reduce_sum(tf.square(points), 1)
                - 2 * tf.matmul(queries, points, transpose_b=True))
    _, nearest = tf.nn.top_k(-distance, 10)
    votes = tf.reduce_sum(tf.one_hot(tf.gather(labels, nearest), 5), 1)
    found = tf.argmax(votes, 1, output_type=tf.int32)
    return Program([found, tf.confusion_matrix(right, found, 5)], {
        points: normal(3000, 24), queries: normal(50, 24), labels: whole(5, 3000), right: whole(5, 50)})


@program
def hard_triplets():
    """A loss of the farthest of each kind and the nearest of others (batch-hard triplets); training."""
    x, label = placeholder(None, 128), placeholder(None, dtype=tf.int32)
    code = tf.nn.l2_normalize(mlp(x, [128, 32], "code"), 1)
    products = tf.matmul(code, code, transpose_b=True)
    distance = tf.sqrt(tf.maximum(2 - 2 * products, 1e-12))
    same = tf.equal(label[:, None], label[None])
    farthest = tf.reduce_max(tf.where(same, distance, tf.zeros_like(distance)), 1)
    nearest = tf.reduce_min(tf.where(same, tf.fill(tf.shape(distance), 1e9), distance), 1)
    loss = tf.reduce_mean(tf.nn.relu(farthest - nearest + 0.3))
    return Program([loss, adam(loss)], {x: normal(128, 128), label: whole(16, 128)})


@program
def gaussian_mixture():
    """A step of expectation and maximisation with full covariances."""
    count, size = 8, 6
    x = placeholder(None, size)
    means, spreads = weights("means", count, size, scale=1.0), tf.get_variable(
        "spreads", initializer=np.tile(np.eye(size, dtype=np.float32), (count, 1, 1)))
    shares = tf.get_variable("shares", initializer=np.full(count, 1 / count, np.float32))
    factors = tf.cholesky(spreads)
    moved = tf.transpose(x[:, None] - means, [1, 2, 0])
    solved = tf.matrix_triangular_solve(factors, moved)
    logs = tf.reduce_sum(tf.log(tf.matrix_diag_part(factors)), 1)
    chances = tf.transpose(-0.5 * tf.reduce_sum(tf.square(solved), 1)) - logs + tf.log(shares)
    parts, likelihood = tf.nn.softmax(chances), tf.reduce_mean(tf.reduce_logsumexp(chances, 1))
    total = tf.reduce_sum(parts, 0)
    middle = tf.matmul(parts, x, transpose_a=True) / total[:, None]
    apart = x[:, None] - middle
    spread = tf.einsum("nk,nki,nkj->kij", parts, apart, apart) / total[:, None, None] + 1e-3 * tf.eye(size)
    with tf.control_dependencies([likelihood]):
        update = tf.group(means.assign(middle), spreads.assign(spread), shares.assign(total / tf.reduce_sum(total)))
    return Program([likelihood, update], {x: normal(1000, size)})


@program
def ranking():
    """Pairs of a list with another order than their relevance (RankNet), and its discounted gain; training."""
    x, relevance = placeholder(None, 30, 40), placeholder(None, 30)
    scores = tf.reshape(mlp(tf.reshape(x, [-1, 40]), [64, 1], "score"), [-1, 30])
    better = tf.cast(tf.greater(relevance[:, :, None], relevance[:, None]), tf.float32)
    loss = tf.reduce_sum(better * tf.nn.softplus(scores[:, None] - scores[:, :, None])) / tf.reduce_sum(better)
    order = tf.nn.top_k(scores, 30)[1]
    gains = tf.batch_gather(tf.pow(2., relevance) - 1, order) / np.log2(np.arange(30, dtype=np.float32) + 2)
    return Program([loss, tf.reduce_mean(tf.reduce_sum(gains[:, :10], 1)), adam(loss)],
                   {x: normal(32, 30, 40), relevance: np.float32(whole(4, 32, 30))})


@program
def session_recommender():
    """The mean of the items seen so far, by masks, against all items; training and the twenty best."""
    seen, target = placeholder(None, 20, dtype=tf.int32), placeholder(None, dtype=tf.int32)
    items = weights("items", 3000, 48, scale=0.2)
    mask = tf.cast(tf.greater(seen, 0), tf.float32)[:, :, None]
    taste = tf.reduce_sum(tf.gather(items, seen) * mask, 1) / tf.maximum(tf.reduce_sum(mask, 1), 1)
    logits = tf.matmul(taste, items, transpose_b=True)
    loss = cross_entropy(logits, target)
    hit = tf.reduce_mean(tf.cast(tf.nn.in_top_k(logits, target, 20), tf.float32))
    return Program([loss, hit, adam(loss)], {seen: whole(3000, 64, 20), target: whole(3000, 64)})
