"""Programs that infer and plan: states behind noise, components, hidden chains, grids, what is learned from few."""
from __future__ import annotations

import numpy as np
from kit import Program, adam, cross_entropy, dense, normal, numbers, placeholder, program, weights, whole
from library import tf


@program
def smoothed_states():
    """Kalman's filter forwards and Rauch's smoother back, 60 steps of 16 tracks of four numbers, by two scans."""
    seen = placeholder(60, 16, 2)
    a = np.eye(4, dtype=np.float32) + np.eye(4, k=2, dtype=np.float32) * 0.1
    c = np.eye(2, 4, dtype=np.float32)
    noise, error = 0.01 * np.eye(4, dtype=np.float32), 0.1 * np.eye(2, dtype=np.float32)

    def forwards(state, y):
        mean, spread = tf.matmul(state[0], a, transpose_b=True), tf.matmul(tf.matmul(a, state[1]), a.T) + noise
        gain = tf.transpose(tf.matrix_solve(tf.matmul(tf.matmul(c, spread), c.T) + error, tf.matmul(c, spread)))
        return (mean + tf.matmul(y - tf.matmul(mean, c, transpose_b=True), gain, transpose_b=True),
                tf.matmul(np.eye(4, dtype=np.float32) - tf.matmul(gain, c), spread), mean, spread)
    zeros, eye = tf.zeros([16, 4]), tf.eye(4)
    mean, spread, ahead, wide = tf.scan(forwards, seen, (zeros, eye, zeros, eye))

    def back(after, given):
        m, p, next_mean, next_spread = given
        gain = tf.transpose(tf.matrix_solve(next_spread, tf.matmul(a, p)))
        return (m + tf.matmul(after[0] - next_mean, gain, transpose_b=True),
                p + tf.matmul(tf.matmul(gain, after[1] - next_spread), gain, transpose_b=True))
    smooth, _ = tf.scan(back, (mean[:-1], spread[:-1], ahead[1:], wide[1:]), (mean[-1], spread[-1]), reverse=True)
    return Program([smooth], {seen: np.cumsum(normal(60, 16, 2), 0)})


@program
def weighed_particles():
    """A particle filter: 500 particles, 40 steps, weights in logarithms, drawn again by running sums and a search; in
    float64, where no rounding makes it another particle."""
    seen, moves, starts = (placeholder(*shape, dtype=tf.float64) for shape in ((40,), (40, 500), (40,)))
    spots = tf.range(500, dtype=tf.float64)

    def turn(state, given):
        y, move, start = given
        x = 0.9 * state[0] + tf.sin(state[0]) + move
        logs = -0.5 * tf.square((y - x) / 0.5)
        share = tf.nn.softmax(logs)
        picked = tf.searchsorted(tf.cumsum(share), (spots + start) / 500.0)
        return tf.gather(x, tf.minimum(picked, 499)), tf.reduce_sum(share * x), tf.reduce_logsumexp(logs)
    none = tf.constant(0.0, tf.float64)
    _, mean, likely = tf.scan(turn, (seen, moves, starts), (tf.zeros([500], tf.float64), none, none))
    return Program([mean, tf.reduce_sum(likely)], {seen: normal(40), moves: normal(40, 500), starts: numbers(40)})


@program
def independent_components():
    """FastICA: signals whitened by eigenvalues of their covariance, ten turns with tanh, made orthogonal each time."""
    x = placeholder(4, None)
    centred = x - tf.reduce_mean(x, 1, keepdims=True)
    n = tf.cast(tf.shape(x)[1], tf.float32)
    values, vectors = tf.self_adjoint_eig(tf.matmul(centred, centred, transpose_b=True) / n)
    white = tf.matmul(tf.matmul(vectors, tf.diag(tf.rsqrt(values))), tf.matmul(vectors, centred, transpose_a=True))
    w = tf.constant(np.linalg.qr(normal(4, 4))[0].astype(np.float32))
    for _ in range(10):
        made = tf.tanh(tf.matmul(w, white))
        w = (tf.matmul(made, white, transpose_b=True) / n
             - tf.reduce_mean(1 - tf.square(made), 1)[:, None] * w)
        for _ in range(6):                                   # Newton and Schulz' turns towards an orthogonal matrix
            w = w / tf.norm(w) if _ == 0 else 1.5 * w - 0.5 * tf.matmul(tf.matmul(w, w, transpose_b=True), w)
    t = np.linspace(0, 30, 2000)
    signals = np.stack([np.sin(2 * t), np.sign(np.sin(3 * t)), (t % 2) - 1, numbers(2000)]).astype(np.float32)
    return Program([tf.abs(tf.matmul(w, w, transpose_b=True)), tf.reduce_mean(tf.abs(tf.matmul(w, white)))],
                   {x: normal(4, 4) @ signals})


@program
def chains_by_counting():
    """Baum and Welch: a hidden chain of 8 states learned from 32 sequences of 50 symbols, a turn a run."""
    def variable(name, *shape):
        rows = numbers(*shape, low=0.2)
        return tf.get_variable(name, initializer=rows / rows.sum(-1, keepdims=True))
    start, turns, shows = variable("start", 8), variable("turns", 8, 8), variable("shows", 8, 20)
    seen = placeholder(None, 50, dtype=tf.int32)
    chances = tf.transpose(tf.gather(tf.transpose(shows), seen), [1, 0, 2])

    def forwards(state, chance):
        made = tf.matmul(state[0], turns) * chance
        scale = tf.reduce_sum(made, 1, keepdims=True)
        return made / scale, scale
    first = start * chances[0]
    scale = tf.reduce_sum(first, 1, keepdims=True)
    alphas, scales = tf.scan(forwards, chances[1:], (first / scale, scale))
    alphas, scales = tf.concat([(first / scale)[None], alphas], 0), tf.concat([scale[None], scales], 0)
    betas = tf.scan(lambda after, given: tf.matmul(after * given[0], turns, transpose_b=True) / given[1],
                    (chances[1:], scales[1:]), tf.ones_like(first), reverse=True)
    betas = tf.concat([betas, tf.ones_like(first)[None]], 0)
    states = alphas * betas
    states /= tf.reduce_sum(states, 2, keepdims=True)
    pairs = turns * tf.einsum("tbi,tbj->ij", alphas[:-1], betas[1:] * chances[1:] / scales[1:])
    told = tf.matmul(tf.reshape(tf.transpose(states, [1, 0, 2]), [-1, 8]), tf.one_hot(tf.reshape(seen, [-1]), 20),
                     transpose_a=True) + 1e-4
    likely = tf.reduce_mean(tf.reduce_sum(tf.log(scales), 0))
    with tf.control_dependencies([likely, pairs, told, states]):
        step = tf.group(start.assign(tf.reduce_mean(states[0], 0)),
                        turns.assign(pairs / tf.reduce_sum(pairs, 1, keepdims=True)),
                        shows.assign(told / tf.reduce_sum(told, 1, keepdims=True)))
    return Program([likely, step], {seen: whole(20, 32, 50)})


@program
def coarse_and_fine_grids():
    """Poisson's equation by multigrid: smoothing, the rest on a coarser grid, back by interpolation, three turns."""
    given = placeholder(1, 65, 65, 1)
    kernel = np.float32([[0, 1, 0], [1, 0, 1], [0, 1, 0]])[:, :, None, None]
    coarser = np.float32([[1, 2, 1], [2, 4, 2], [1, 2, 1]])[:, :, None, None] / 16

    def inside(x):
        return tf.pad(x, [[0, 0], [1, 1], [1, 1], [0, 0]])

    def around(x):
        return inside(tf.nn.conv2d(x, kernel, [1, 1, 1, 1], "VALID"))

    def turn(x, f, n):
        h2 = (1.0 / (n - 1)) ** 2
        for _ in range(2):
            x = 0.2 * x + 0.2 * (around(x) + h2 * f)
        if n > 5:
            rest = f - (4 * x - around(x)) / h2
            few = inside(tf.nn.conv2d(rest[:, 1:-1, 1:-1], coarser, [1, 2, 2, 1], "VALID"))
            fix = turn(tf.zeros_like(few), few, n // 2 + 1)
            x = x + tf.image.resize_bilinear(fix, [n, n], align_corners=True)
        for _ in range(2):
            x = 0.2 * x + 0.2 * (around(x) + h2 * f)
        return x
    x = tf.zeros_like(given)
    for _ in range(3):
        x = turn(x, given, 65)
    return Program([x], {given: np.pad(normal(1, 63, 63, 1), ((0, 0), (1, 1), (1, 1), (0, 0)))})


@program
def learned_start():
    """MAML: 8 tasks at once, two steps of gradients inside of the loss, whose own gradient trains where they begin."""
    x, y, new_x, new_y = (placeholder(8, 10, 1) for _ in range(4))
    shapes = ((1, 40), (40,), (40, 40), (40,), (40, 1), (1,))
    first = [weights(f"w{i}", *s) if len(s) > 1 else weights(f"w{i}", *s, scale=0.0) for i, s in enumerate(shapes)]

    def loss_of(w, x, y):
        h = tf.nn.relu(tf.matmul(x, w[0]) + w[1])
        h = tf.nn.relu(tf.matmul(h, w[2]) + w[3])
        return tf.reduce_mean(tf.square(tf.matmul(h, w[4]) + w[5] - y))

    def task(given):
        x, y, new_x, new_y = given
        w = first
        for _ in range(2):
            w = [v - 0.01 * g for v, g in zip(w, tf.gradients(loss_of(w, x, y), w), strict=True)]
        return loss_of(w, new_x, new_y)
    losses = [task((x[i], y[i], new_x[i], new_y[i])) for i in range(8)]
    loss = tf.reduce_mean(tf.stack(losses))
    at, then = numbers(8, 10, 1, low=-5, high=5), numbers(8, 10, 1, low=-5, high=5)
    return Program([loss, adam(loss)], {x: at, y: np.sin(at), new_x: then, new_y: np.sin(then)})


@program
def policy_with_memory():
    """PPO with an LSTM: masked steps of 16 worlds, states that an end resets, clipped ratios and values; training."""
    seen, masks = placeholder(20, 16, 8), placeholder(20, 16, 1)
    action = placeholder(20, 16, dtype=tf.int32)
    old, gains, returns, values = (placeholder(20, 16) for _ in range(4))
    kernel, bias = weights("kernel", 64 + 64, 256, scale=0.1), weights("bias", 256, scale=0.0)
    h = tf.tanh(tf.tensordot(seen, weights("in", 8, 64), 1))

    def turn(state, given):
        x, goes_on = given
        c, m = state[0] * goes_on, state[1] * goes_on
        i, f, o, u = tf.split(tf.matmul(tf.concat([x, m], 1), kernel) + bias, 4, 1)
        c = tf.sigmoid(f) * c + tf.sigmoid(i) * tf.tanh(u)
        return c, tf.sigmoid(o) * tf.tanh(c)
    _, made = tf.scan(turn, (h, masks), (tf.zeros([16, 64]), tf.zeros([16, 64])))
    logits = tf.tensordot(made, weights("pi", 64, 4, scale=0.05), 1)
    value = tf.tensordot(made, weights("v", 64, 1), 1)[..., 0]
    log = -tf.nn.sparse_softmax_cross_entropy_with_logits(logits=logits, labels=action)
    ratio = tf.exp(log - old)
    gain = (gains - tf.reduce_mean(gains)) / (tf.math.reduce_std(gains) + 1e-8)
    policy = tf.reduce_mean(tf.maximum(-gain * ratio, -gain * tf.clip_by_value(ratio, 0.8, 1.2)))
    clipped = values + tf.clip_by_value(value - values, -0.2, 0.2)
    worth = 0.5 * tf.reduce_mean(tf.maximum(tf.square(value - returns), tf.square(clipped - returns)))
    entropy = tf.reduce_mean(tf.reduce_sum(-tf.nn.softmax(logits) * tf.nn.log_softmax(logits), 2))
    loss = policy + 0.5 * worth - 0.01 * entropy
    optimizer = tf.train.AdamOptimizer(3e-4, epsilon=1e-5)
    gradients, variables = zip(*optimizer.compute_gradients(loss), strict=True)
    train = optimizer.apply_gradients(list(zip(tf.clip_by_global_norm(gradients, 0.5)[0], variables, strict=True)))
    return Program([loss, train], {
        seen: normal(20, 16, 8), masks: np.float32(numbers(20, 16, 1) > 0.05), action: whole(4, 20, 16),
        old: -numbers(20, 16, low=1.2, high=1.6), gains: normal(20, 16), returns: normal(20, 16),
        values: normal(20, 16)})


@program
def sampled_neighbours():
    """GraphSAGE: rows of a node's neighbours and of theirs gathered, means, two layers, a length of 1; training."""
    table = tf.constant(normal(3000, 64))
    nodes, near, far = (placeholder(None, dtype=tf.int32), placeholder(None, 10, dtype=tf.int32),
                        placeholder(None, 10, 5, dtype=tf.int32))
    label = placeholder(None, dtype=tf.int32)

    def layer(own, others, name, last=False):
        n, around = int(own.shape[-1]), tf.reduce_mean(others, -2)
        made = tf.concat([tf.tensordot(own, weights(name + "_own", n, 32), 1),
                          tf.tensordot(around, weights(name + "_others", n, 32), 1)], -1)
        return made if last else tf.nn.relu(made)
    x, x1, x2 = tf.gather(table, nodes), tf.gather(table, near), tf.gather(table, far)
    with tf.variable_scope("one"):
        h = layer(x, x1, "a")
    with tf.variable_scope("two"):
        h1 = layer(x1, x2, "a")
    h = tf.nn.l2_normalize(layer(h, h1, "b", True), 1)
    loss = cross_entropy(dense(h, 12, "out"), label)
    return Program([loss, adam(loss)], {nodes: whole(3000, 128), near: whole(3000, 128, 10),
                                        far: whole(3000, 128, 10, 5), label: whole(12, 128)})


@program
def planned_by_model():
    """MuZero's search: 20 simulations in a loop, a child picked by its bound, a learned model, values sent back."""
    start = placeholder(1, 32)
    model, value, prior = weights("model", 36, 33, scale=0.3), weights("value", 32, 1), weights("prior", 32, 4)
    nodes, actions = 24, 4

    def expand(i, hidden, counts, sums, children, priors):
        def down(node, action, depth, path):
            n = tf.cast(tf.gather(counts, node), tf.float32)
            mean = tf.gather(sums, node) / (1.0 + n)
            bound = mean + tf.gather(priors, node) * tf.sqrt(1.0 + tf.reduce_sum(n)) / (1.0 + n)
            chosen = tf.cast(tf.argmax(bound), tf.int32)
            path = path + tf.one_hot(node * actions + chosen, nodes * actions)
            return tf.gather_nd(children, [node, chosen]), node * actions + chosen, depth + 1, path
        last, edge, _, path = tf.while_loop(lambda node, *_: node >= 0, down,
                                            [0, 0, 0, tf.zeros([nodes * actions])])
        before = tf.gather(hidden, [edge // actions])
        made = tf.matmul(tf.concat([before, tf.one_hot([edge % actions], actions)], 1), model)
        state = tf.tanh(made[:, :32])
        worth = made[0, 32] + 0.97 * tf.tanh(tf.matmul(state, value))[0, 0]
        path = tf.reshape(path, [nodes, actions])
        with tf.control_dependencies([last]):
            hidden = tf.tensor_scatter_update(hidden, [[i]], state)
        children = tf.tensor_scatter_update(children, [[edge // actions, edge % actions]], [i])
        priors = tf.tensor_scatter_update(priors, [[i]], tf.nn.softmax(tf.matmul(state, prior)))
        return i + 1, hidden, counts + tf.cast(path, tf.int32), sums + worth * path, children, priors
    hidden = tf.concat([start, tf.zeros([nodes - 1, 32])], 0)
    priors = tf.concat([tf.nn.softmax(tf.matmul(start, prior)), tf.zeros([nodes - 1, 4])], 0)
    found = tf.while_loop(lambda i, *_: i < 21, expand,
                          [1, hidden, tf.zeros([nodes, actions], tf.int32), tf.zeros([nodes, actions]),
                           tf.fill([nodes, actions], -1), priors])
    return Program([found[2][0], found[3][0]], {start: normal(1, 32)})
