"""Programs that make pictures and sounds: flows, variational and autoregressive models, cycles, style."""
from __future__ import annotations

import numpy as np
from kit import (
    Program,
    adam,
    binary_entropy,
    conv,
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
def glow_training():
    """Steps of a flow: norms of channels, a trained 1 x 1 rotation with its determinant, affine coupling; training."""
    x = placeholder(None, 16, 16, 3)
    h = tf.reshape(tf.transpose(tf.reshape(x, [-1, 8, 2, 8, 2, 3]), [0, 1, 3, 5, 2, 4]), [-1, 8, 8, 12])
    logs = tf.zeros_like(h[:, 0, 0, 0])
    for i in range(4):
        scale = tf.get_variable(f"scale{i}", initializer=np.zeros((1, 1, 1, 12), np.float32))
        h = (h + tf.get_variable(f"shift{i}", initializer=np.zeros((1, 1, 1, 12), np.float32))) * tf.exp(scale)
        turn = tf.get_variable(f"turn{i}", initializer=np.linalg.qr(normal(12, 12))[0].astype(np.float32))
        h = tf.nn.conv2d(h, tf.reshape(turn, [1, 1, 12, 12]), [1, 1, 1, 1], "SAME")
        logs += 64 * (tf.reduce_sum(scale) + tf.log(tf.abs(tf.matrix_determinant(turn))))
        first, second = h[..., :6], h[..., 6:]
        made = conv(conv(conv(first, 64, 3, f"a{i}", activation=tf.nn.relu), 64, 1, f"b{i}", activation=tf.nn.relu),
                    12, 3, f"c{i}")
        shift, share = made[..., 0::2], tf.sigmoid(made[..., 1::2] + 2.0)
        h = tf.concat([first, (second + shift) * share], 3)
        logs += tf.reduce_sum(tf.log(share), [1, 2, 3])
    loss = tf.reduce_mean(0.5 * tf.reduce_sum(tf.square(h), [1, 2, 3]) - logs)
    return Program([loss, adam(loss)], {x: normal(16, 16, 16, 3)})


@program
def real_nvp():
    """Eight coupling layers of two-dimensional points by masks, forwards and back; training."""
    x, noise = placeholder(None, 2), placeholder(None, 2)
    nets = [([weights(f"{n}{i}_{j}", *s, scale=0.2) for n in "st" for j, s in enumerate(((2, 64), (64, 64), (64, 2)))])
            for i in range(8)]
    masks = [np.float32([i % 2, 1 - i % 2]) for i in range(8)]

    def net(h, layers, last):
        for w in layers[:2]:
            h = tf.nn.leaky_relu(tf.matmul(h, w))
        return last(tf.matmul(h, layers[2]))
    z, logs = x, 0.0
    for layers, mask in zip(reversed(nets), reversed(masks), strict=True):
        fixed = mask * z
        s = net(fixed, layers[:3], tf.tanh) * (1 - mask)
        z = (1 - mask) * (z - net(fixed, layers[3:], tf.identity)) * tf.exp(-s) + fixed
        logs -= tf.reduce_sum(s, 1)
    loss = -tf.reduce_mean(logs - 0.5 * tf.reduce_sum(tf.square(z), 1))
    made = noise
    for layers, mask in zip(nets, masks, strict=True):
        fixed = mask * made
        s = net(fixed, layers[:3], tf.tanh) * (1 - mask)
        made = fixed + (1 - mask) * (made * tf.exp(s) + net(fixed, layers[3:], tf.identity))
    with tf.control_dependencies([made]):                # not of the weights behind the update
        train = adam(loss)
    return Program([loss, made, train], {x: normal(256, 2), noise: normal(256, 2)})


@program
def importance_weighted():
    """A variational autoencoder with twenty samples a picture, weighed by their importance (IWAE); training."""
    x, noise = placeholder(None, 196), placeholder(20, None, 16)
    h = mlp(x, [128, 128], "enc", tf.tanh)
    mean, log_spread = dense(tf.tanh(h), 16, "mean"), dense(tf.tanh(h), 16, "spread") * 0.5
    z = mean + tf.exp(log_spread) * noise
    logits = tf.reshape(mlp(tf.reshape(z, [-1, 16]), [128, 128, 196], "dec", tf.tanh), [20, -1, 196])
    tiled = tf.tile(x[None], [20, 1, 1])
    seen = -tf.reduce_sum(tf.nn.sigmoid_cross_entropy_with_logits(logits=logits, labels=tiled), 2)
    prior = -0.5 * tf.reduce_sum(tf.square(z), 2)
    posterior = tf.reduce_sum(-0.5 * tf.square(noise) - log_spread, 2)
    loss = -tf.reduce_mean(tf.reduce_logsumexp(seen + prior - posterior, 0)) + np.float32(np.log(20))
    return Program([loss, adam(loss)], {x: np.float32(numbers(32, 196) > 0.5), noise: normal(20, 32, 16)})


@program
def pixels_in_order():
    """A gated PixelCNN: masked convolutions of rows above and of what is to the left, 16 levels; training."""
    x = placeholder(None, 16, 16, dtype=tf.int32)

    def masked(h, channels, shape, name, own):
        mask = np.ones((*shape, int(h.shape[-1]), channels), np.float32)
        rows, columns = shape
        if rows > 1:
            mask[rows // 2 + (1 if own else 0):] = 0
        else:
            mask[:, columns // 2 + (1 if own else 0):] = 0
        kernel = weights(name, *mask.shape)
        return tf.nn.conv2d(h, kernel * mask, [1, 1, 1, 1], "SAME")

    def gated(h):
        a, b = tf.split(h, 2, 3)
        return tf.tanh(a) * tf.sigmoid(b)
    down = right = tf.one_hot(x, 16)
    for i in range(4):
        below = masked(down, 64, (3, 3), f"v{i}", i > 0)
        across = masked(right, 64, (1, 3), f"h{i}", i > 0) + conv(below, 64, 1, f"vh{i}")
        down = gated(below)
        made = conv(gated(across), 32, 1, f"o{i}")
        right = made if i == 0 else right + made
    logits = conv(tf.nn.relu(right), 16, 1, "out")
    loss = cross_entropy(logits, x)
    return Program([loss, adam(loss)], {x: whole(16, 8, 16, 16)})


@program
def cycles_of_pictures():
    """CycleGAN: two generators and discriminators, cycles, a pool of earlier pictures in NumPy; a step of each."""
    real = [placeholder(None, 32, 32, 3) for _ in "ab"]
    pooled = [placeholder(None, 32, 32, 3) for _ in "ab"]

    def norm(h):
        mean, variance = tf.nn.moments(h, [1, 2], keepdims=True)
        return (h - mean) * tf.rsqrt(variance + 1e-5)
    made_weights = {}

    def layer(h, channels, size, name, stride=1):
        key = tf.get_variable_scope().name + name
        if key not in made_weights:
            made_weights[key] = weights(name, size, size, int(h.shape[-1]), channels, scale=0.05)
        return tf.nn.conv2d(h, made_weights[key], [1, stride, stride, 1], "SAME")

    def generate(h, scope):
        with tf.variable_scope(scope):
            padded = tf.pad(h, [[0, 0], [3, 3], [3, 3], [0, 0]], "REFLECT")
            h = tf.nn.relu(norm(layer(padded, 16, 7, "in")[:, 3:-3, 3:-3]))
            h = tf.nn.relu(norm(layer(h, 32, 3, "down", 2)))
            for i in range(2):
                h += norm(layer(tf.nn.relu(norm(layer(h, 32, 3, f"a{i}"))), 32, 3, f"b{i}"))
            h = tf.nn.relu(norm(layer(tf.image.resize_nearest_neighbor(h, [32, 32]), 16, 3, "up")))
            return tf.tanh(layer(h, 3, 7, "out"))

    def judge(h, scope):
        with tf.variable_scope(scope):
            for i, channels in enumerate((16, 32)):
                h = tf.nn.leaky_relu(norm(layer(h, channels, 4, f"d{i}", 2)), 0.2)
            return layer(h, 1, 4, "out")
    fake = [generate(real[1], "ga"), generate(real[0], "gb")]
    cycled = [generate(fake[1], "ga"), generate(fake[0], "gb")]
    cycle = sum(tf.reduce_mean(tf.abs(c - r)) for c, r in zip(cycled, real, strict=True))
    fooled = (tf.reduce_mean(tf.square(judge(f, d) - 1)) for f, d in zip(fake, ("da", "db"), strict=True))
    g_loss = 10 * cycle + sum(fooled)
    d_loss = sum(tf.reduce_mean(tf.square(judge(r, d) - 1)) + tf.reduce_mean(tf.square(judge(p, d)))
                 for r, p, d in zip(real, pooled, ("da", "db"), strict=True)) / 2
    train = [tf.train.AdamOptimizer(2e-4, beta1=0.5).minimize(loss, var_list=[
        v for v in tf.trainable_variables() if v.name[0] == kind]) for loss, kind in ((g_loss, "g"), (d_loss, "d"))]
    feed = {x: numbers(1, 32, 32, 3, low=-1) for x in real}
    pool = [numbers(1, 32, 32, 3, low=-1) for _ in "ab"]

    def step(session, _):
        values = session.run([g_loss, *fake, train[0]], feed)
        pool[:] = values[1:3]
        return [values[0], session.run([d_loss, train[1]], {**feed, pooled[0]: pool[0], pooled[1]: pool[1]})[0]]
    return Program(step=step)


@program
def style_of_a_picture():
    """A picture is the variable: content and Gram matrices of fixed convolutions, total variation; a step of Adam."""
    picture = tf.get_variable("picture", initializer=numbers(1, 64, 64, 3))
    kernels = [normal(3, 3, *c, scale=(2 / 9 / c[0]) ** 0.5) for c in ((3, 16), (16, 16), (16, 32), (32, 32), (32, 64))]
    content, style = numbers(1, 64, 64, 3), numbers(1, 64, 64, 3)

    def features(x):
        found = []
        for i, kernel in enumerate(kernels):
            x = tf.nn.relu(tf.nn.conv2d(x, tf.constant(kernel), [1, 1, 1, 1], "SAME"))
            found.append(x)
            if i % 2:
                x = tf.nn.avg_pool(x, [1, 2, 2, 1], [1, 2, 2, 1], "SAME")
        return found

    def gram(x):
        rows = tf.reshape(x, [-1, int(x.shape[-1])])
        return tf.matmul(rows, rows, transpose_a=True) / tf.cast(tf.size(x), tf.float32)
    made, like, kind = features(picture), features(tf.constant(content)), features(tf.constant(style))
    loss = tf.reduce_mean(tf.square(made[3] - like[3]))
    loss += 100 * tf.add_n([tf.nn.l2_loss(gram(a) - gram(b)) for a, b in zip(made, kind, strict=True)])
    loss += 1e-3 * tf.reduce_sum(tf.image.total_variation(picture))
    step = tf.train.AdamOptimizer(0.02).minimize(loss, var_list=[picture])
    with tf.control_dependencies([step]):
        clipped = picture.assign(tf.clip_by_value(picture, 0., 1.))
    return Program([loss, tf.group(clipped)])


@program
def wavenet_sampling():
    """WaveNet makes twenty samples, one a run, its dilated layers' past in queues."""
    sample = placeholder(4, dtype=tf.int32)
    h = tf.matmul(tf.one_hot(sample, 64), weights("in", 64, 32))
    pushes, starts, skips = [], [], []
    for i in range(8):
        dilation = 2 ** i
        queue = tf.FIFOQueue(dilation, [tf.float32], shapes=[[4, 32]], name=f"queue{i}")
        starts.append(queue.enqueue_many([tf.zeros([dilation, 4, 32])]))
        past = queue.dequeue()
        with tf.control_dependencies([past]):
            pushes.append(queue.enqueue([h]))
        gates = tf.matmul(past, weights(f"p{i}", 32, 64)) + tf.matmul(h, weights(f"n{i}", 32, 64))
        made = tf.tanh(gates[:, :32]) * tf.sigmoid(gates[:, 32:])
        skips.append(tf.matmul(made, weights(f"s{i}", 32, 64)))
        h = h + tf.matmul(made, weights(f"r{i}", 32, 32))
    logits = tf.matmul(tf.nn.relu(tf.add_n(skips)), weights("out", 64, 64))
    chosen = tf.argmax(logits, 1, output_type=tf.int32)

    def step(session, number):
        if number == 0:
            session.run(starts)
        values = np.zeros(4, np.int32)
        for _ in range(20):
            values, scores, _ = session.run([chosen, logits, pushes], {sample: values})
        return [values, scores]
    return Program(step=step)


@program
def wavenet_training():
    """Causal, dilated convolutions of a row of samples, gates, residual and skipped ways; training."""
    sound = placeholder(None, 512, dtype=tf.int32)
    shifted = tf.pad(tf.one_hot(sound[:, :-1], 64), [[0, 0], [1, 0], [0, 0]])
    h = tf.nn.conv1d(shifted, weights("in", 2, 64, 32), 1, "VALID")
    skips = []
    for i in range(8):
        dilation = 2 ** (i % 8)
        padded = tf.pad(h, [[0, 0], [dilation, 0], [0, 0]])
        gates = tf.nn.convolution(padded, weights(f"g{i}", 2, 32, 64), "VALID", dilation_rate=[dilation])
        made = tf.tanh(gates[:, :, :32]) * tf.sigmoid(gates[:, :, 32:])
        skips.append(tf.nn.conv1d(made, weights(f"s{i}", 1, 32, 64), 1, "SAME"))
        h = h + tf.nn.conv1d(made, weights(f"r{i}", 1, 32, 32), 1, "SAME")
    logits = tf.nn.conv1d(tf.nn.relu(tf.add_n(skips)), weights("out", 1, 64, 64), 1, "SAME")
    loss = cross_entropy(logits, sound[:, 1:])
    return Program([loss, adam(loss)], {sound: whole(64, 4, 512)})


@program
def drawing_steps():
    """DRAW: a picture read and painted by grids of Gaussian filters for eight steps, two LSTMs; training."""
    x, noise = placeholder(None, 400), placeholder(8, None, 10)
    batch, units, n = tf.shape(x)[0], 64, 5
    kernels = {"e": weights("e", 2 * n * n + 2 * units, 4 * units), "d": weights("d", 10 + units, 4 * units)}
    look, paint = weights("look", units, 20), weights("paint", units, n * n)
    where = weights("where", units, 5, scale=0.1)
    bias = zeros("bias", 5)

    def lstm(v, state, kernel):
        c, h = state
        i, j, f, o = tf.split(tf.matmul(tf.concat([v, h], 1), kernel), 4, 1)
        c = c * tf.sigmoid(f + 1.0) + tf.sigmoid(i) * tf.tanh(j)
        return c, tf.tanh(c) * tf.sigmoid(o)

    def filters(h):
        gx, gy, log_spread, log_stride, log_gain = tf.split(tf.matmul(h, where) + bias, 5, 1)
        stride = 19 / (n - 1) * tf.exp(log_stride)
        steps = tf.reshape(tf.cast(tf.range(n), tf.float32), [1, -1]) - n / 2 + 0.5
        places = tf.reshape(tf.cast(tf.range(20), tf.float32), [1, 1, -1])
        found = []
        for g in (gx, gy):
            middle = tf.reshape(10.5 * (g + 1) + steps * stride, [-1, n, 1])
            f = tf.exp(-tf.square(places - middle) / (2 * tf.reshape(tf.exp(log_spread), [-1, 1, 1])))
            found.append(f / tf.maximum(tf.reduce_sum(f, 2, keepdims=True), 1e-8))
        return found[0], found[1], tf.exp(log_gain)

    def read(picture, fx, fy, gain):
        seen = tf.matmul(fy, tf.matmul(tf.reshape(picture, [-1, 20, 20]), fx, transpose_b=True))
        return tf.reshape(seen, [-1, n * n]) * gain
    zero = tf.zeros(tf.stack([batch, units]))
    encoder = decoder = (zero, zero)
    canvas, divergence = tf.zeros_like(x), []
    for t in range(8):
        rest = x - tf.sigmoid(canvas)
        fx, fy, gain = filters(decoder[1])
        glimpse = tf.concat([read(x, fx, fy, gain), read(rest, fx, fy, gain), decoder[1]], 1)
        encoder = lstm(glimpse, encoder, kernels["e"])
        mean, log_spread = tf.split(tf.matmul(encoder[1], look), 2, 1)
        divergence.append(tf.reduce_sum(tf.square(mean) + tf.exp(2 * log_spread) - 2 * log_spread - 1, 1))
        decoder = lstm(mean + tf.exp(log_spread) * noise[t], decoder, kernels["d"])
        fx, fy, gain = filters(decoder[1])
        patch = tf.reshape(tf.matmul(decoder[1], paint), [-1, n, n])
        painted = tf.matmul(fy, tf.matmul(patch, fx), transpose_a=True)
        canvas += tf.reshape(painted, [-1, 400]) / gain
    loss = 400 * binary_entropy(canvas, x) + 0.5 * tf.reduce_mean(tf.add_n(divergence))
    optimizer = tf.train.AdamOptimizer(1e-3, beta1=0.5)
    pairs = [(tf.clip_by_norm(g, 5), v) for g, v in optimizer.compute_gradients(loss)]
    return Program([loss, optimizer.apply_gradients(pairs)],
                   {x: np.float32(numbers(32, 400) > 0.5), noise: normal(8, 32, 10)})
