"""Programs of people who compute: simulations, inference in probabilistic models, minimisers, geometry."""
from __future__ import annotations

import numpy as np
from kit import Program, adam, mlp, normal, numbers, placeholder, program, weights, whole
from library import tf


def _laplacian(x):
    """The five-point stencil of a field that goes round, by rolled copies."""
    return (tf.roll(x, 1, 0) + tf.roll(x, -1, 0) + tf.roll(x, 1, 1) + tf.roll(x, -1, 1)) - 4.0 * x


@program
def reaction_diffusion():
    """Gray and Scott's two chemicals on a grid of 128 x 128: ten steps by assignments to variables in a run."""
    start = np.zeros((128, 128), np.float32)
    start[54:74, 54:74] = 0.5
    u, v = tf.get_variable("u", initializer=1 - start), tf.get_variable("v", initializer=start / 2)
    a, b = tf.identity(u), tf.identity(v)
    for _ in range(10):
        reaction = a * b * b
        a, b = (a + 0.16 * _laplacian(a) - reaction + 0.035 * (1 - a),
                b + 0.08 * _laplacian(b) + reaction - 0.1 * b)
    with tf.control_dependencies([a, b]):
        step = tf.group(u.assign(a), v.assign(b))
    return Program([step, tf.reduce_mean(a), tf.reduce_max(b)])


@program
def waves_by_convolution():
    """The tutorial of partial differential equations: a pond, a Laplace kernel by conv2d, assignments."""
    kernel = np.array([[0.5, 1, 0.5], [1, -6, 1], [0.5, 1, 0.5]], np.float32)[:, :, None, None]
    drops = np.zeros((200, 200), np.float32)
    drops[whole(200, 40), whole(200, 40)] = numbers(40)
    height, speed = tf.get_variable("h", initializer=drops), tf.get_variable("s", initializer=np.zeros_like(drops))
    eps, damping = placeholder(), placeholder()
    bent = tf.nn.depthwise_conv2d(height[None, :, :, None], kernel, [1, 1, 1, 1], "SAME")[0, :, :, 0]
    new_height = height + eps * speed
    new_speed = speed + eps * (bent - damping * speed)
    with tf.control_dependencies([new_height, new_speed]):
        step = tf.group(height.assign(new_height), speed.assign(new_speed))
    return Program([step, tf.reduce_sum(tf.square(new_height))], {eps: 0.03, damping: 0.04})


@program
def whirls_by_spectra():
    """Navier and Stokes' equation of a plane's vorticity, by Fourier transforms, in a loop of five steps."""
    n = 64
    k = np.fft.fftfreq(n, 1 / n).astype(np.float32)
    kx, ky = np.meshgrid(k, k, indexing="ij")
    square = kx * kx + ky * ky
    inverse = np.where(square == 0, 0, 1 / np.where(square == 0, 1, square)).astype(np.float32)
    keep = ((np.abs(kx) < n / 3) & (np.abs(ky) < n / 3)).astype(np.complex64)
    field = placeholder(n, n)

    def slope(spectrum):
        stream = spectrum * inverse.astype(np.complex64)
        flow = [tf.real(tf.ifft2d(stream * (1j * ky).astype(np.complex64))),
                tf.real(tf.ifft2d(stream * (-1j * kx).astype(np.complex64)))]
        slopes = [tf.real(tf.ifft2d(spectrum * (1j * d).astype(np.complex64))) for d in (kx, ky)]
        carried = flow[0] * slopes[0] + flow[1] * slopes[1]
        return -tf.fft2d(tf.cast(carried, tf.complex64)) * keep - spectrum * (1e-3 * square).astype(np.complex64)

    def step(i, spectrum):
        middle = spectrum + 0.005 * slope(spectrum)
        return i + 1, spectrum + 0.01 * slope(middle)
    _, spectrum = tf.while_loop(lambda i, _: i < 5, step, [0, tf.fft2d(tf.cast(field, tf.complex64))])
    return Program([tf.real(tf.ifft2d(spectrum))], {field: normal(n, n)})


@program
def n_bodies():
    """200 bodies that draw each other, twenty steps of leapfrog in a loop, their energy."""
    place, speed = placeholder(None, 3), placeholder(None, 3)
    mass = numbers(200, low=0.5, high=1.5)

    def pull(x):
        apart = x[None] - x[:, None]
        square = tf.reduce_sum(tf.square(apart), 2) + 0.01
        return tf.reduce_sum(apart * (mass[None] * tf.pow(square, -1.5))[:, :, None], 1)

    def step(i, x, v, a):
        v = v + 0.005 * a
        x = x + 0.01 * v
        a = pull(x)
        return i + 1, x, v + 0.005 * a, a
    _, x, v, _ = tf.while_loop(lambda i, *_: i < 20, step, [0, place, speed, pull(place)])
    energy = 0.5 * tf.reduce_sum(mass[:, None] * tf.square(v))
    return Program([energy, x], {place: normal(200, 3), speed: normal(200, 3, scale=0.1)})


@program
def mandelbrot():
    """The tutorial's set: complex numbers in variables, a step of all in a run, counted where they stay small."""
    y, x = np.mgrid[-1.3:1.3:0.01, -2:1:0.01]
    c = (x + 1j * y).astype(np.complex64)
    z = tf.get_variable("z", initializer=np.zeros_like(c))
    count = tf.get_variable("count", initializer=np.zeros(c.shape, np.float32))
    new = z * z + c
    small = tf.abs(new) < 4
    step = tf.group(z.assign(tf.where(small, new, z)), count.assign_add(tf.cast(small, tf.float32)))
    return Program([step, tf.reduce_sum(tf.cast(small, tf.int32))])


@program
def gaussian_process():
    """The evidence of a Gaussian process by Cholesky's factors, trained, and its mean and variance elsewhere."""
    x, y, elsewhere = placeholder(None, 4), placeholder(None, 1), placeholder(None, 4)
    scale, width, noise = (tf.get_variable(n, initializer=np.float32(v))
                           for n, v in (("scale", 0.0), ("width", 0.3), ("noise", -1.0)))

    def kernel(a, b):
        a, b = a / tf.exp(width), b / tf.exp(width)
        apart = (tf.reduce_sum(tf.square(a), 1)[:, None] + tf.reduce_sum(tf.square(b), 1)
                 - 2 * tf.matmul(a, b, transpose_b=True))
        return tf.exp(scale) * tf.exp(-0.5 * tf.maximum(apart, 0.))
    count = tf.shape(x)[0]
    factor = tf.cholesky(kernel(x, x) + (tf.exp(noise) + 1e-4) * tf.eye(count))
    solved = tf.matrix_triangular_solve(factor, y)
    loss = 0.5 * tf.reduce_sum(tf.square(solved)) + tf.reduce_sum(tf.log(tf.matrix_diag_part(factor)))
    cross = tf.matrix_triangular_solve(factor, kernel(x, elsewhere))
    mean = tf.matmul(cross, solved, transpose_a=True)
    variance = tf.exp(scale) - tf.reduce_sum(tf.square(cross), 0)
    data = normal(150, 4)
    return Program([loss, mean, variance, adam(loss, 0.01)],
                   {x: data, y: np.sin(data.sum(1, keepdims=True)), elsewhere: normal(50, 4)})


@program
def limited_memory_minimiser():
    """L-BFGS of a logistic regression: ten steps in a while_loop, five kept differences in TensorArrays' stacks."""
    x, y = placeholder(None, 30), placeholder(None)
    kept = 5

    def value_and_slope(w):
        logits = tf.reduce_sum(x * w, 1)
        loss = tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(logits=logits, labels=y))
        loss += 0.01 * tf.reduce_sum(tf.square(w))
        return loss, tf.gradients(loss, w)[0]

    def direction(g, moves, turns):
        q, shares = g, []
        for j in range(kept):
            rho = tf.div_no_nan(1., tf.reduce_sum(moves[j] * turns[j]))
            shares.append((rho, rho * tf.reduce_sum(moves[j] * q)))
            q = q - shares[-1][1] * turns[j]
        q = q * 0.5
        for j in reversed(range(kept)):
            rho, share = shares[j]
            q = q + (share - rho * tf.reduce_sum(turns[j] * q)) * moves[j]
        return -q

    def step(i, w, g, moves, turns, loss):
        new = w + direction(g, moves, turns)
        new_loss, new_g = value_and_slope(new)
        moves = tf.concat([(new - w)[None], moves[:-1]], 0)
        turns = tf.concat([(new_g - g)[None], turns[:-1]], 0)
        return i + 1, new, new_g, moves, turns, new_loss
    start = tf.zeros([30])
    loss, slope = value_and_slope(start)
    empty = tf.zeros([kept, 30])
    found = tf.while_loop(lambda i, *_: i < 10, step, [0, start, slope, empty, empty, loss])
    return Program([found[5], found[1]], {x: normal(300, 30), y: np.float32(numbers(300) > 0.5)})


@program
def topics_by_expectation():
    """Latent topics of 64 documents by variational inference: a loop until the shares stand still."""
    counts = placeholder(None, 500)
    topics = tf.get_variable("topics", initializer=np.random.RandomState(0).gamma(100, 0.01, (20, 500)).astype("f"))
    chance = tf.exp(tf.digamma(topics) - tf.digamma(tf.reduce_sum(topics, 1, keepdims=True)))

    def shares_of(gamma):
        return tf.exp(tf.digamma(gamma) - tf.digamma(tf.reduce_sum(gamma, 1, keepdims=True)))

    def step(i, gamma, _):
        share = shares_of(gamma)
        ratio = counts / (tf.matmul(share, chance) + 1e-8)
        new = 0.1 + share * tf.matmul(ratio, chance, transpose_b=True)
        return i + 1, new, tf.reduce_mean(tf.abs(new - gamma))
    _, gamma, change = tf.while_loop(lambda i, _, change: tf.logical_and(i < 30, change > 1e-3), step,
                                     [0, tf.ones([tf.shape(counts)[0], 20]), 1.0])
    share = shares_of(gamma)
    found = 0.01 + chance * tf.matmul(share, counts / (tf.matmul(share, chance) + 1e-8), transpose_a=True)
    return Program([gamma, change, topics.assign(0.7 * topics + 0.3 * found)],
                   {counts: np.float32(whole(4, 64, 500) * (numbers(64, 500) > 0.8))})


@program
def k_means():
    """Lloyd's rule of 2,000 points and 16 centres, in a loop until none changes its centre."""
    x = placeholder(None, 8)

    def nearest(centres):
        apart = tf.reduce_sum(tf.square(x[:, None] - centres[None]), 2)
        return tf.argmin(apart, 1, output_type=tf.int32)

    def step(i, centres, place, _):
        sums = tf.unsorted_segment_sum(x, place, 16)
        counts = tf.unsorted_segment_sum(tf.ones_like(x[:, :1]), place, 16)
        centres = sums / tf.maximum(counts, 1)
        after = nearest(centres)
        return i + 1, centres, after, tf.reduce_any(tf.not_equal(after, place))
    start = x[:16]
    found = tf.while_loop(lambda i, *rest: tf.logical_and(i < 12, rest[-1]), step, [0, start, nearest(start), True])
    return Program([found[0], found[1]], {x: normal(2000, 8)})


@program
def hidden_markov():
    """Forward and backward messages of a hidden Markov model by scans in logarithms, and its parameters' slopes."""
    seen = placeholder(None, None, dtype=tf.int32)                   # [time, batch]
    move, show = tf.nn.log_softmax(weights("move", 12, 12, scale=1.0)), tf.nn.log_softmax(
        weights("show", 12, 30, scale=1.0))
    lit = tf.gather(tf.transpose(show), seen)                        # [time, batch, states]

    def forward(alpha, light):
        return tf.reduce_logsumexp(alpha[:, :, None] + move[None], 1) + light

    def backward(beta, light):
        return tf.reduce_logsumexp(move[None] + (beta + light)[:, None], 2)
    alphas = tf.scan(forward, lit[1:], lit[0] - np.log(12.0))
    betas = tf.scan(backward, lit[1:], tf.zeros_like(lit[0]), reverse=True)
    likelihood = tf.reduce_sum(tf.reduce_logsumexp(alphas[-1], 1))
    states = tf.nn.softmax(alphas[:-1] + betas[1:])
    slopes = tf.gradients(likelihood, tf.trainable_variables())
    return Program([likelihood, states, *slopes], {seen: whole(30, 40, 8)})


@program
def bayesian_weights():
    """A net of uncertain weights (Bayes by backprop): samples, their logarithms under prior and posterior; training."""
    x, y, noise = placeholder(None, 16), placeholder(None, 1), [placeholder(17, 32), placeholder(33, 1)]
    divergence, h = 0.0, x
    for i, drawn in enumerate(noise):
        shape = [int(d) for d in drawn.shape]
        mean = weights(f"mean{i}", *shape, scale=0.1)
        spread = tf.nn.softplus(tf.get_variable(f"spread{i}", initializer=np.full(shape, -3, np.float32)))
        w = mean + spread * drawn
        prior = tf.log(0.5 * tf.exp(-0.5 * tf.square(w)) + 0.5 * tf.exp(-50 * tf.square(w)) / 0.1 + 1e-8)
        divergence += tf.reduce_sum(-0.5 * tf.square(drawn) - tf.log(spread) - prior)
        h = tf.matmul(tf.concat([h, tf.ones_like(h[:, :1])], 1), w)
        h = tf.nn.relu(h) if i == 0 else h
    loss = divergence / 1000 + tf.reduce_mean(tf.square(h - y))
    return Program([loss, adam(loss)], {x: normal(64, 16), y: normal(64, 1),
                                        noise[0]: normal(17, 32), noise[1]: normal(33, 1)})


@program
def chains_of_poses():
    """Arms of seven joints as products of 4 x 4 matrices, their hands' places, and the joints' slopes."""
    angles, goal = placeholder(None, 7), placeholder(None, 3)
    links = np.tile(np.eye(4, dtype=np.float32), (7, 1, 1))
    links[:, :3, 3] = numbers(7, 3, high=0.4)
    pose = tf.eye(4, batch_shape=[tf.shape(angles)[0]])
    for i in range(7):
        s, c = tf.sin(angles[:, i]), tf.cos(angles[:, i])
        one, none = tf.ones_like(s), tf.zeros_like(s)
        rows = ([c, -s, none, none], [s, c, none, none], [none, none, one, none], [none, none, none, one])
        turn = tf.stack([tf.stack(row, 1) for row in rows], 1)
        pose = tf.matmul(tf.matmul(pose, turn), tf.tile(links[i][None], [tf.shape(angles)[0], 1, 1]))
    loss = tf.reduce_sum(tf.square(pose[:, :3, 3] - goal))
    return Program([loss, tf.gradients(loss, angles)[0]], {angles: normal(256, 7), goal: numbers(256, 3)})


@program
def evolution():
    """Evolution strategies: 512 small nets of drawn weights at once by products of stacks, ranks, a step."""
    x, y, drawn = placeholder(None, 8), placeholder(None, 1), placeholder(None, 8 * 16 + 16)
    mean = tf.get_variable("mean", initializer=normal(144, scale=0.3))
    tried = mean + 0.1 * tf.concat([drawn, -drawn], 0)
    first, second = tf.reshape(tried[:, :128], [-1, 8, 16]), tf.reshape(tried[:, 128:], [-1, 16, 1])
    inputs = tf.tile(x[None], [tf.shape(tried)[0], 1, 1])
    made = tf.matmul(tf.tanh(tf.matmul(inputs, first)), second)
    score = -tf.reduce_mean(tf.square(made - y), [1, 2])
    count = tf.shape(score)[0]
    order = tf.nn.top_k(-score, count)[1]
    rank = tf.cast(tf.invert_permutation(order), tf.float32) / tf.cast(count - 1, tf.float32) - 0.5
    half = count // 2
    move = tf.reduce_mean((rank[:half] - rank[half:])[:, None] * drawn, 0)
    with tf.control_dependencies([score]):
        step = mean.assign_add(0.5 * move)
    return Program([tf.reduce_max(score), step], {x: normal(20, 8), y: normal(20, 1), drawn: normal(256, 144)})


@program
def voxels():
    """Points to cells: counts and means by scatter_nd, a hull, and a convolution of three dimensions over them."""
    points, features = placeholder(None, 3), placeholder(None, 8)
    cell = tf.clip_by_value(tf.cast(tf.floor(points * 16), tf.int32), 0, 15)
    counts = tf.scatter_nd(cell, tf.ones_like(points[:, 0]), [16, 16, 16])
    sums = tf.scatter_nd(cell, features, [16, 16, 16, 8])
    mean = sums / tf.maximum(counts, 1)[..., None]
    h = tf.nn.relu(tf.nn.conv3d(mean[None], weights("k", 3, 3, 3, 8, 16), [1, 2, 2, 2, 1], "SAME"))
    h = tf.nn.max_pool3d(h, [1, 2, 2, 2, 1], [1, 2, 2, 2, 1], "SAME")
    logits = mlp(tf.reshape(h, [1, 4 * 4 * 4 * 16]), [32, 4], "out")
    back = tf.gather_nd(mean, cell)
    loss = tf.reduce_sum(tf.square(logits)) + tf.reduce_mean(tf.square(back - features))
    return Program([loss, adam(loss)], {points: numbers(2000, 3), features: normal(2000, 8)})
