"""Programs of many small steps: long loops, nested ones, scalars, maps over rows, branches, large feeds."""
from __future__ import annotations

import numpy as np
from kit import Program, adam, dense, normal, numbers, placeholder, program, weights, whole
from library import tf


@program
def thousand_turns():
    """A loop of 1,000 turns over scalars: Collatz' rule with a branch."""
    start = placeholder(dtype=tf.int32)

    def turn(i, n, most):
        n = tf.cond(tf.equal(n % 2, 0), lambda: n // 2, lambda: 3 * n + 1)
        return i + 1, n, tf.maximum(most, n)
    _, n, most = tf.while_loop(lambda i, *_: i < 1000, turn, [0, start, start])
    return Program([n, most], {start: 27})


@program
def scalar_arithmetic():
    """Three hundred operations on scalars, one after another."""
    x, y = placeholder(), placeholder()
    a, b = x, y
    for i in range(75):
        a, b = tf.sin(a) * 0.9 + b / (1.5 + i), tf.sqrt(tf.abs(b)) - a * 0.1
    return Program([a, b], {x: np.float32(0.3), y: np.float32(0.7)})


@program
def edit_distance():
    """Levenshtein's distance of two rows of letters by loops in a loop."""
    first, second = placeholder(None, dtype=tf.int32), placeholder(None, dtype=tf.int32)
    count = tf.shape(second)[0]

    def row(i, above):
        def cell(j, last, made):
            cost = tf.cast(tf.not_equal(first[i], second[j]), tf.int32)
            best = tf.minimum(tf.minimum(above[j + 1] + 1, last + 1), above[j] + cost)
            return j + 1, best, made.write(j + 1, best)
        made = tf.TensorArray(tf.int32, count + 1).write(0, i + 1)
        _, _, made = tf.while_loop(lambda j, *_: j < count, cell, [0, i + 1, made])
        return i + 1, made.stack()
    _, last = tf.while_loop(lambda i, _: i < tf.shape(first)[0], row, [0, tf.range(count + 1)],
                            shape_invariants=[tf.TensorShape([]), tf.TensorShape([None])])
    return Program([last[-1]], {first: whole(4, 25), second: whole(4, 30)})


@program
def map_over_rows():
    """A function of each row: its outer product, the largest, and a sum by foldl; with a gradient."""
    x = placeholder(None, 12)
    w = weights("w", 12)
    tops = tf.map_fn(lambda r: tf.reduce_max(r[:, None] * (r * w)[None], 1), x)
    total = tf.foldl(lambda a, r: 0.9 * a + tf.tanh(r), tops, tf.zeros([12]))
    loss = tf.reduce_sum(total)
    return Program([loss, tf.gradients(loss, w)[0]], {x: normal(80, 12)})


@program
def sampling_loop():
    """A recurrent net that goes on until its sum is large enough: a loop whose end the numbers tell."""
    x = placeholder(None, 16)
    w = weights("w", 16, 16, scale=0.3)

    def go_on(i, h, total):
        return tf.logical_and(i < 200, tf.reduce_sum(total) < 400.)
    i, _, total = tf.while_loop(go_on, lambda i, h, t: (i + 1, tf.tanh(tf.matmul(h, w) + x), t + tf.abs(h)),
                                [0, tf.zeros_like(x), tf.zeros_like(x)])
    return Program([i, total], {x: normal(4, 16)})


@program
def branches():
    """Ways by a number: tf.case of four nets, and one by tf.cond."""
    x, way = placeholder(None, 32), placeholder(dtype=tf.int32)
    maps = [weights(f"w{i}", 32, 32) for i in range(4)]
    made = tf.case([(tf.equal(way, i), lambda w=w: tf.tanh(tf.matmul(x, w))) for i, w in enumerate(maps[:3])],
                   default=lambda: tf.nn.relu(tf.matmul(x, maps[3])))
    made = tf.cond(tf.reduce_mean(made) > 0, lambda: made * 2, lambda: -made)
    drawn = normal(16, 32)
    return Program([made], lambda number: {x: drawn, way: number % 4})


@program
def large_feeds():
    """Sixteen megabytes fed each step, of which some statistics are wanted."""
    x = placeholder(None, 1024)
    mean, variance = tf.nn.moments(x, [0])
    return Program([mean, variance, tf.reduce_max(x)], {x: numbers(4096, 1024)})


@program
def another_length():
    """One dimension, another size each step: windows, running means, a norm."""
    x = placeholder(None, None)
    running = tf.cumsum(x, 1) / tf.cast(tf.range(tf.shape(x)[1]) + 1, tf.float32)
    apart = x[:, 3:] - running[:, :-3]
    drawn = normal(8, 600)
    return Program([tf.norm(apart, axis=1), tf.reduce_max(running, 1)], lambda n: {x: drawn[:, :50 + n * 37 % 500]})


@program
def unrolled_fixed_point():
    """Two hundred turns written out, not as a loop: a fixed point of a small net, and its gradient."""
    x = placeholder(None, 24)
    w = weights("w", 24, 24, scale=0.1)
    h = tf.zeros_like(x)
    for _ in range(200):
        h = tf.tanh(tf.matmul(h, w) + x)
    loss = tf.reduce_mean(tf.square(dense(h, 1, "out")))
    return Program([loss, adam(loss)], {x: normal(8, 24)})
