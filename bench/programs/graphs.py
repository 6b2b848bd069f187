"""Programs over graphs, and of linear algebra: sparse products, sums by index, factors."""
from __future__ import annotations

import numpy as np
from kit import Program, adam, cross_entropy, dense, normal, numbers, placeholder, program, weights, whole
from library import tf


def _edges(nodes, count):
    """Sorted edges without doubles, int64[n, 2]."""
    return np.unique(whole(nodes, count, 2, dtype=np.int64), axis=0)


@program
def pagerank():
    """Fifty products with a sparse matrix in a loop."""
    edges, nodes = _edges(2000, 12000), 2000
    out = np.bincount(edges[:, 1], minlength=nodes)
    matrix = tf.SparseTensor(edges, (1 / out[edges[:, 1]]).astype(np.float32), [nodes, nodes])
    start = placeholder(nodes, 1)
    _, rank = tf.while_loop(lambda i, r: i < 50, lambda i, r: (
        i + 1, 0.85 * tf.sparse_tensor_dense_matmul(matrix, r) + 0.15 / nodes), [0, start])
    return Program([tf.nn.top_k(rank[:, 0], 10)[0], rank], {start: np.full((nodes, 1), 1 / nodes, np.float32)})


@program
def graph_attention():
    """Shares of a node's edges by a softmax over segments; training."""
    nodes, edges = 1000, _edges(1000, 6000).astype(np.int32)
    x, labels = placeholder(nodes, 64), placeholder(nodes, dtype=tf.int32)
    source, target = placeholder(None, dtype=tf.int32), placeholder(None, dtype=tf.int32)
    h = tf.matmul(x, weights("map", 64, 32))
    score = tf.nn.leaky_relu(tf.gather(tf.matmul(h, weights("left", 32, 1)), source)
                             + tf.gather(tf.matmul(h, weights("right", 32, 1)), target))
    share = tf.exp(score - tf.gather(tf.stop_gradient(tf.unsorted_segment_max(score, target, nodes)), target))
    share /= tf.gather(tf.unsorted_segment_sum(share, target, nodes), target)
    mixed = tf.nn.elu(tf.unsorted_segment_sum(share * tf.gather(h, source), target, nodes))
    loss = cross_entropy(dense(mixed, 7, "out"), labels)
    return Program([loss, adam(loss)], {x: normal(nodes, 64), labels: whole(7, nodes), source: edges[:, 1],
                                        target: edges[:, 0]})


@program
def molecules():
    """Messages along bonds of many small graphs at once, sums by graph; training."""
    atoms, graphs = 600, 40
    x, bond = placeholder(None, 16), placeholder(None, 2, dtype=tf.int32)
    graph, y = placeholder(None, dtype=tf.int32), placeholder(None, 1)
    h = dense(x, 32, "in", tf.nn.relu)
    for i in range(3):
        message = tf.gather(dense(h, 32, f"message{i}"), bond[:, 0])
        h = tf.nn.relu(dense(h, 32, f"own{i}") + tf.unsorted_segment_sum(message, bond[:, 1], tf.shape(x)[0]))
    total = dense(tf.concat([tf.segment_sum(h, graph), tf.segment_max(h, graph)], 1), 1, "out")
    loss = tf.reduce_mean(tf.square(total - y))
    return Program([loss, adam(loss)], {x: normal(atoms, 16), bond: whole(atoms, 1300, 2),
                                        graph: np.repeat(np.arange(graphs), 15).astype(np.int32), y: normal(graphs, 1)})


@program
def subspace_iteration():
    """The largest eigenvalues of a matrix by twenty products, each made orthogonal by QR."""
    a = placeholder(80, 80)
    start = normal(80, 6)
    _, q = tf.while_loop(lambda i, q: i < 20, lambda i, q: (i + 1, tf.qr(tf.matmul(a, q))[0]), [0, start])
    values = tf.diag_part(tf.matmul(q, tf.matmul(a, q), transpose_a=True))
    m = normal(80, 80)
    m = m + m.T + 30 * np.diag(np.arange(80) ** 3 / 80.0 ** 3)
    return Program([values], {a: np.float32(m)})


@program
def ridge_regression():
    """A gram matrix, its factor, and predictions for new rows with their errors."""
    x, y, new = placeholder(None, 60), placeholder(None, 3), placeholder(None, 60)
    gram = tf.matmul(x, x, transpose_a=True) + tf.eye(60)
    factor = tf.cholesky(gram)
    weight = tf.cholesky_solve(factor, tf.matmul(x, y, transpose_a=True))
    spread = tf.reduce_sum(tf.square(tf.matrix_triangular_solve(factor, tf.transpose(new))), 0)
    return Program([tf.matmul(new, weight), spread, 2 * tf.reduce_sum(tf.log(tf.diag_part(factor)))],
                   {x: normal(500, 60), y: normal(500, 3), new: normal(200, 60)})


@program
def kalman_filter():
    """Forty steps of a filter over 32 tracks: inverses and products of small matrices in a scan."""
    size = 4
    seen = placeholder(40, None, 2)
    move = np.eye(size, dtype=np.float32) + np.eye(size, k=2, dtype=np.float32)
    look, noise = np.eye(2, size, dtype=np.float32), 0.1 * np.eye(2, dtype=np.float32)
    batch = tf.shape(seen)[1]

    def step(state, z):
        mean, spread = state
        mean = tf.matmul(mean, move, transpose_b=True)
        spread = tf.einsum("ij,bjk,lk->bil", move, spread, move) + 0.01 * tf.eye(size)
        cross = tf.einsum("bij,kj->bik", spread, look)
        gain = tf.matmul(cross, tf.matrix_inverse(tf.einsum("ij,bjk->bik", look, cross) + noise))
        mean += tf.squeeze(tf.matmul(gain, (z - tf.matmul(mean, look, transpose_b=True))[:, :, None]), 2)
        return mean, spread - tf.matmul(gain, cross, transpose_b=True)
    means, spreads = tf.scan(step, seen, (tf.zeros([batch, size]), tf.tile(tf.eye(size)[None], [batch, 1, 1])))
    return Program([means, spreads[-1]], {seen: np.cumsum(normal(40, 32, 2), 0)})


@program
def sinkhorn():
    """The plan of an optimal transport: a hundred turns of log-sum-exp over rows and columns."""
    x, y = placeholder(None, 2), placeholder(None, 2)
    cost = -tf.reduce_sum(tf.square(x[:, None] - y[None]), 2) / 0.1

    def turn(i, f, g):
        f = -tf.reduce_logsumexp(cost + g[None], 1)
        return i + 1, f, -tf.reduce_logsumexp(cost + f[:, None], 0)
    _, f, g = tf.while_loop(lambda i, *_: i < 100, turn, [0, tf.zeros_like(x[:, 0]), tf.zeros_like(y[:, 0])])
    plan = tf.exp(cost + f[:, None] + g[None])
    return Program([tf.reduce_sum(plan * cost), tf.reduce_sum(plan, 1)], {x: numbers(60, 2), y: numbers(70, 2)})
