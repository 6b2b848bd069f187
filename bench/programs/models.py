"""Programs of generative models, of gradients of gradients, and of reinforcement learning."""
from __future__ import annotations

import numpy as np
from kit import Program, adam, binary_entropy, conv, dense, mlp, normal, numbers, placeholder, program, weights, whole
from library import tf


@program
def gan_steps():
    """Generator and discriminator of small pictures, a step of each in one run."""
    z, x = placeholder(None, 32), placeholder(None, 16, 16, 1)

    def discriminate(h):
        with tf.variable_scope("d", reuse=tf.AUTO_REUSE):
            for i in range(2):
                kernel = tf.get_variable(f"k{i}", initializer=kernels[i])
                h = tf.nn.leaky_relu(tf.nn.conv2d(h, kernel, [1, 2, 2, 1], "SAME"))
            return tf.matmul(tf.reshape(h, [-1, 512]), tf.get_variable("o", initializer=kernels[2]))
    kernels = [normal(5, 5, 1, 16, scale=0.2), normal(5, 5, 16, 32, scale=0.07), normal(512, 1, scale=0.06)]
    with tf.variable_scope("g"):
        h = tf.reshape(dense(z, 4 * 4 * 32, "in", tf.nn.relu), [-1, 4, 4, 32])
        h = tf.nn.relu(tf.layers.batch_normalization(h, training=True))
        h = tf.nn.conv2d_transpose(h, weights("a", 5, 5, 16, 32), tf.stack([tf.shape(z)[0], 8, 8, 16]), [1, 2, 2, 1])
        fake = tf.sigmoid(tf.nn.conv2d_transpose(tf.nn.relu(h), weights("b", 5, 5, 1, 16),
                                                 tf.stack([tf.shape(z)[0], 16, 16, 1]), [1, 2, 2, 1]))
    of_real, of_fake = discriminate(x), discriminate(fake)
    d_loss = binary_entropy(of_real, tf.ones_like(of_real)) + binary_entropy(of_fake, tf.zeros_like(of_fake))
    g_loss = binary_entropy(of_fake, tf.ones_like(of_fake))
    train = [adam(loss, 2e-4, var_list=tf.trainable_variables(scope)) for loss, scope in ((d_loss, "d"), (g_loss, "g"))]
    return Program([d_loss, g_loss, *train], {z: normal(32, 32), x: numbers(32, 16, 16, 1)})


@program
def gradient_penalty():
    """A critic whose gradient's norm is held near 1 (WGAN-GP): a gradient of a gradient; training."""
    real, fake, share = placeholder(None, 64), placeholder(None, 64), placeholder(None, 1)
    maps = [weights("a", 64, 128), weights("b", 128, 128), weights("c", 128, 1)]

    def critic(x):
        for w in maps[:-1]:
            x = tf.nn.leaky_relu(tf.matmul(x, w))
        return tf.matmul(x, maps[-1])
    between = share * real + (1 - share) * fake
    slope = tf.gradients(critic(between), between)[0]
    penalty = tf.reduce_mean(tf.square(tf.sqrt(tf.reduce_sum(tf.square(slope), 1) + 1e-8) - 1))
    loss = tf.reduce_mean(critic(fake)) - tf.reduce_mean(critic(real)) + 10 * penalty
    return Program([loss, penalty, adam(loss)], {real: normal(64, 64), fake: normal(64, 64), share: numbers(64, 1)})


@program
def masked_autoencoder():
    """An autoencoder whose masked weights let each number see earlier ones alone (MADE); training."""
    x = placeholder(None, 64)
    order, unit = np.arange(64), np.arange(256) % 63
    masks = [np.float32(order[:, None] <= unit), np.float32(unit[:, None] <= unit), np.float32(unit[:, None] < order)]
    h = x
    for i, mask in enumerate(masks):
        h = tf.matmul(h, weights(f"w{i}", *mask.shape) * mask)
        h = tf.nn.relu(h) if i < 2 else h
    loss = binary_entropy(h, x)
    return Program([loss, adam(loss)], {x: np.float32(numbers(64, 64) > 0.5)})


@program
def neural_ode():
    """A differential equation given by a net, solved by Runge and Kutta's rule in a loop of twenty steps; training."""
    x, y = placeholder(None, 8), placeholder(None, 8)
    first, second = weights("first", 8, 32), weights("second", 32, 8, scale=0.1)

    def slope(h):
        return tf.matmul(tf.tanh(tf.matmul(h, first)), second)

    def step(i, h):
        k1 = slope(h)
        k2 = slope(h + 0.025 * k1)
        k3 = slope(h + 0.025 * k2)
        k4 = slope(h + 0.05 * k3)
        return i + 1, h + 0.05 / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
    _, h = tf.while_loop(lambda i, h: i < 20, step, [0, x])
    loss = tf.reduce_mean(tf.square(h - y))
    return Program([loss, adam(loss)], {x: normal(64, 8), y: normal(64, 8)})


@program
def newton_step():
    """Newton's step of a logistic regression: its hessian by tf.hessians, and a system of equations."""
    x, y = placeholder(None, 12), placeholder(None)
    w = tf.get_variable("w", initializer=np.zeros(12, np.float32))
    loss = binary_entropy(tf.reduce_sum(x * w, 1), y) + 0.01 * tf.reduce_sum(tf.square(w))
    gradient, hessian = tf.gradients(loss, w)[0], tf.hessians(loss, w)[0]
    move = tf.squeeze(tf.matrix_solve(hessian, gradient[:, None]), 1)
    with tf.control_dependencies([loss]):
        update = w.assign_sub(0.5 * move)
    return Program([loss, hessian, update], {x: normal(200, 12), y: np.float32(numbers(200) > 0.5)})


@program
def hamiltonian_walk():
    """Ten leaps of a Hamiltonian walk for 64 chains: gradients inside a loop."""
    start, push = placeholder(None, 10), placeholder(None, 10)
    mean = normal(10)

    def slope(q):
        energy = tf.reduce_sum(0.5 * tf.square(q - mean) + tf.log(1 + tf.exp(-q)), 1)
        return tf.gradients(energy, q)[0]

    def leap(i, q, p):
        p = p - 0.05 * slope(q)
        q = q + 0.1 * p
        return i + 1, q, p - 0.05 * slope(q)
    _, q, p = tf.while_loop(lambda i, *_: i < 10, leap, [0, start, push])
    return Program([q, p], {start: normal(64, 10), push: normal(64, 10)})


@program
def policy_gradient():
    """Returns by a scan from the back, a policy over padded episodes with a mask, entropy; training."""
    x, action = placeholder(None, None, 8), placeholder(None, None, dtype=tf.int32)
    reward, mask = placeholder(None, None), placeholder(None, None)
    turned = tf.transpose(tf.reverse(reward * mask, [1]))
    returns = tf.reverse(tf.transpose(tf.scan(lambda a, r: 0.99 * a + r, turned, tf.zeros_like(reward[:, 0]))), [1])
    count = tf.reduce_sum(mask)
    mean = tf.reduce_sum(returns * mask) / count
    spread = tf.sqrt(tf.reduce_sum(tf.square(returns - mean) * mask) / count)
    advantage = tf.stop_gradient((returns - mean) / (spread + 1e-6))
    logits = tf.reshape(mlp(tf.reshape(x, [-1, 8]), [64, 64, 4], "policy", tf.tanh),
                        tf.stack([tf.shape(x)[0], tf.shape(x)[1], 4]))
    chance = tf.nn.log_softmax(logits)
    taken = tf.reduce_sum(chance * tf.one_hot(action, 4), 2)
    entropy = -tf.reduce_sum(tf.exp(chance) * chance, 2)
    loss = -tf.reduce_sum(mask * (taken * advantage + 0.01 * entropy)) / count
    ends = whole(30, 16) + 20
    return Program([loss, adam(loss)], {
        x: normal(16, 50, 8), action: whole(4, 16, 50), reward: numbers(16, 50),
        mask: np.float32(np.arange(50) < ends[:, None])})


@program
def dueling_q_learning():
    """A double, dueling Q net with a slowly following target, and priorities of what was replayed; training."""
    old, new = placeholder(None, 12), placeholder(None, 12)
    action, reward = placeholder(None, dtype=tf.int32), placeholder(None)
    done, importance = placeholder(None), placeholder(None)

    def q_values(x, scope, reuse=False):
        with tf.variable_scope(scope, reuse=reuse):
            h = tf.layers.dense(x, 64, tf.nn.relu, kernel_initializer=first, name="h")
            value = tf.layers.dense(h, 1, kernel_initializer=second, name="v")
            gain = tf.layers.dense(h, 5, kernel_initializer=third, name="a")
            return value + gain - tf.reduce_mean(gain, 1, keepdims=True)
    first, second, third = (tf.constant_initializer(normal(*s, scale=0.2)) for s in ((12, 64), (64, 1), (64, 5)))
    online, following = q_values(old, "online"), q_values(new, "target")
    rows = tf.range(tf.shape(old)[0])
    best = tf.argmax(q_values(new, "online", reuse=True), 1, output_type=tf.int32)
    target = reward + 0.99 * (1 - done) * tf.gather_nd(following, tf.stack([rows, best], 1))
    error = tf.gather_nd(online, tf.stack([rows, action], 1)) - tf.stop_gradient(target)
    loss = tf.reduce_mean(importance * tf.where(tf.abs(error) < 1, 0.5 * tf.square(error), tf.abs(error) - 0.5))
    train = adam(loss, var_list=tf.trainable_variables("online"))
    with tf.control_dependencies([train]):
        both = zip(tf.trainable_variables("target"), tf.trainable_variables("online"), strict=True)
        follow = tf.group(*[t.assign(0.99 * t + 0.01 * o) for t, o in both])
    return Program([loss, tf.abs(error), follow], {
        old: normal(64, 12), new: normal(64, 12), action: whole(5, 64), reward: numbers(64),
        done: np.float32(numbers(64) > 0.9), importance: numbers(64)})


@program
def soft_actor():
    """An actor of squashed normal numbers, two critics and a temperature; a step of each."""
    x, action, target, noise = placeholder(None, 11), placeholder(None, 3), placeholder(None), placeholder(None, 3)
    with tf.variable_scope("actor"):
        made = mlp(x, [64, 64, 6], "a")
        mean, log_spread = made[:, :3], tf.clip_by_value(made[:, 3:], -5, 2)
    sample = mean + tf.exp(log_spread) * noise
    squashed = tf.tanh(sample)
    slope = 2 * (0.693147 - sample - tf.nn.softplus(-2 * sample))       # log(1 - squashed^2)
    chance = tf.reduce_sum(-0.5 * tf.square(noise) - log_spread - 0.919 - slope, 1)
    heads = [[normal(14, 64, scale=0.3), normal(64, 1, scale=0.2)] for _ in range(2)]

    def critics(a):
        with tf.variable_scope("critic", reuse=tf.AUTO_REUSE):
            both = tf.concat([x, a], 1)
            return [tf.matmul(tf.nn.relu(tf.matmul(both, tf.get_variable(f"u{i}", initializer=u))),
                              tf.get_variable(f"v{i}", initializer=v))[:, 0] for i, (u, v) in enumerate(heads)]
    critic_loss = tf.add_n([tf.reduce_mean(tf.square(q - target)) for q in critics(action)])
    log_alpha = tf.get_variable("alpha", initializer=np.float32(0))
    actor_loss = tf.reduce_mean(tf.exp(log_alpha) * chance - tf.minimum(*critics(squashed)))
    alpha_loss = -tf.reduce_mean(log_alpha * tf.stop_gradient(chance - 3.))
    steps = [(loss, adam(loss, var_list=variables)) for loss, variables in (
        (critic_loss, tf.trainable_variables("critic")), (actor_loss, tf.trainable_variables("actor")),
        (alpha_loss, [log_alpha]))]
    feed = {x: normal(128, 11), action: numbers(128, 3, low=-1), target: normal(128), noise: normal(128, 3)}
    return Program(step=lambda session, _: [session.run(one, feed) for one in steps])


@program
def vector_quantized():
    """An autoencoder through the nearest of 128 codes, gradients straight through; training."""
    x = placeholder(None, 16, 16, 3)
    h = conv(conv(x, 32, 4, "a", 2, tf.nn.relu), 16, 3, "b")
    codes = weights("codes", 128, 16, scale=0.5)
    flat = tf.reshape(h, [-1, 16])
    distance = (tf.reduce_sum(tf.square(flat), 1, keepdims=True) - 2 * tf.matmul(flat, codes, transpose_b=True)
                + tf.reduce_sum(tf.square(codes), 1))
    taken = tf.reshape(tf.nn.embedding_lookup(codes, tf.argmin(distance, 1)), tf.shape(h))
    pull = tf.reduce_mean(tf.square(tf.stop_gradient(taken) - h))
    pull += tf.reduce_mean(tf.square(taken - tf.stop_gradient(h)))
    through = h + tf.stop_gradient(taken - h)
    made = tf.nn.conv2d_transpose(through, weights("up", 4, 4, 3, 16), tf.shape(x), [1, 2, 2, 1])
    loss = tf.reduce_mean(tf.square(made - x)) + pull
    return Program([loss, adam(loss)], {x: numbers(16, 16, 16, 3)})
