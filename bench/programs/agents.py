"""Programs of agents that learn by trying, their nets small and their runs many."""
from __future__ import annotations

import numpy as np
from kit import Program, adam, conv, dense, mlp, normal, numbers, placeholder, program, whole
from library import tf


@program
def replayed_pictures():
    """DQN: a memory in NumPy, a batch of stacked pictures, two nets, the target copied each fourth step."""
    state, after = placeholder(None, 42, 42, 4), placeholder(None, 42, 42, 4)
    action, reward, done = placeholder(None, dtype=tf.int32), placeholder(None), placeholder(None)

    def net(x, scope):
        with tf.variable_scope(scope):
            h = conv(x / 255., 16, 8, "a", 4, tf.nn.relu, "VALID")
            h = conv(h, 32, 4, "b", 2, tf.nn.relu, "VALID")
            return mlp(tf.layers.flatten(h), [128, 6], "out")
    q, target = net(state, "q"), net(after, "target")
    taken = tf.reduce_sum(q * tf.one_hot(action, 6), 1)
    error = tf.stop_gradient(reward + 0.99 * (1 - done) * tf.reduce_max(target, 1)) - taken
    loss = tf.reduce_mean(tf.where(tf.abs(error) < 1, 0.5 * tf.square(error), tf.abs(error) - 0.5))
    train = tf.train.RMSPropOptimizer(2.5e-4, 0.95, epsilon=0.01).minimize(loss, var_list=tf.trainable_variables("q"))
    copy = [t.assign(v) for t, v in zip(tf.trainable_variables("target"), tf.trainable_variables("q"), strict=True)]
    best = tf.argmax(q, 1)
    frames, actions = whole(256, 500, 42, 42, dtype=np.uint8), whole(6, 500)
    rewards, ends = numbers(500), np.float32(numbers(500) > 0.95)
    picks = np.random.RandomState(3)

    def step(session, number):
        found = session.run(best, {state: np.stack([frames[number % 400 + i] for i in range(4)], 2)[None]})
        places = picks.randint(4, 499, 32)
        before = np.stack([frames[places - 3 + i] for i in range(4)], 3)
        later = np.stack([frames[places - 2 + i] for i in range(4)], 3)
        value = session.run([loss, train], {state: before, after: later, action: actions[places],
                                            reward: rewards[places], done: ends[places]})[0]
        if number % 4 == 0:
            session.run(copy)
        return [found, value]
    return Program(step=step)


@program
def actor_and_critic():
    """A3C's step: a convolutional net and an LSTM whose state is fed, gradients of a local net for the global one."""
    x = placeholder(None, 42, 42, 1)
    action, advantage, returns = placeholder(None, dtype=tf.int32), placeholder(None), placeholder(None)
    c, h = placeholder(1, 64), placeholder(1, 64)
    made = {}

    def net(scope):
        with tf.variable_scope(scope):
            y = x
            for i in range(3):
                y = conv(y, 16, 3, f"l{i}", 2, tf.nn.elu)
            y = tf.expand_dims(tf.layers.flatten(y), 0)
            start = tf.nn.rnn_cell.LSTMStateTuple(c, h)
            cell = tf.nn.rnn_cell.LSTMCell(64, initializer=tf.constant_initializer(made.setdefault(
                "k", normal(16 * 36 + 64, 256, scale=0.04))))
            outputs, end = tf.nn.dynamic_rnn(cell, y, initial_state=start, sequence_length=tf.shape(x)[:1])
            flat = tf.reshape(outputs, [-1, 64])
            return dense(flat, 4, "policy"), dense(flat, 1, "value")[:, 0], end
    net("global")
    logits, value, end = net("local")
    logs, chance = tf.nn.log_softmax(logits), tf.nn.softmax(logits)
    taken = tf.reduce_sum(logs * tf.one_hot(action, 4), 1)
    entropy = -tf.reduce_sum(chance * logs)
    loss = -tf.reduce_sum(taken * advantage) + 0.25 * tf.reduce_sum(tf.square(value - returns)) - 0.01 * entropy
    local, shared = tf.trainable_variables("local"), tf.trainable_variables("global")
    slopes, norm = tf.clip_by_global_norm(tf.gradients(loss, local), 40.0)
    train = tf.train.AdamOptimizer(1e-4).apply_gradients(zip(slopes, shared, strict=True))
    sync = tf.group(*[a.assign(b) for a, b in zip(local, shared, strict=True)])
    pictures = numbers(20, 42, 42, 1)
    actions, gains, totals = whole(4, 20), normal(20), normal(20)

    def step(session, _):
        session.run(sync)
        kept = [np.zeros((1, 64), np.float32)] * 2
        for i in range(20):
            policy, *kept = session.run([chance, end[0], end[1]], {x: pictures[i:i + 1], c: kept[0], h: kept[1]})
        zero = np.zeros((1, 64), np.float32)
        values = session.run([loss, norm, train], {x: pictures, action: actions, advantage: gains, returns: totals,
                                                   c: zero, h: zero})
        return [policy, *values[:2]]
    return Program(step=step)


@program
def clipped_policy():
    """PPO: four epochs of eight minibatches of one rollout, clipped ratios of Gaussian policies, clipped values."""
    x, action = placeholder(None, 17), placeholder(None, 6)
    advantage, returns, old_logs, old_values = (placeholder(None) for _ in range(4))
    rate, clip = placeholder(), placeholder()
    mean = mlp(x, [64, 64, 6], "policy", tf.tanh)
    log_spread = tf.get_variable("spread", initializer=np.zeros((1, 6), np.float32))
    value = mlp(x, [64, 64, 1], "value", tf.tanh)[:, 0]
    logs = -tf.reduce_sum(0.5 * tf.square((action - mean) / tf.exp(log_spread)) + log_spread + 0.919, 1)
    ratio = tf.exp(logs - old_logs)
    kept = tf.clip_by_value(ratio, 1 - clip, 1 + clip)
    policy_loss = tf.reduce_mean(tf.maximum(-advantage * ratio, -advantage * kept))
    near = old_values + tf.clip_by_value(value - old_values, -clip, clip)
    value_loss = 0.5 * tf.reduce_mean(tf.maximum(tf.square(value - returns), tf.square(near - returns)))
    entropy = tf.reduce_sum(log_spread + 1.419)
    variables = tf.trainable_variables()
    slopes, _ = tf.clip_by_global_norm(tf.gradients(policy_loss + 0.5 * value_loss - 0.01 * entropy, variables), 0.5)
    train = tf.train.AdamOptimizer(rate, epsilon=1e-5).apply_gradients(zip(slopes, variables, strict=True))
    apart = 0.5 * tf.reduce_mean(tf.square(logs - old_logs))
    rollout = {x: normal(512, 17), action: normal(512, 6), advantage: normal(512), returns: normal(512),
               old_logs: normal(512) - 8, old_values: normal(512)}
    order = np.arange(512)

    def step(session, _):
        found = []
        for epoch in range(4):
            for start in range(0, 512, 64):
                rows = np.roll(order, 31 * epoch)[start:start + 64]
                feed = {name: values[rows] for name, values in rollout.items()}
                found = session.run([policy_loss, value_loss, apart, train], {**feed, rate: 1e-5, clip: 0.2})
        return found[:3]
    return Program(step=step)


@program
def trust_region():
    """TRPO: products with Fisher's matrix by two gradients, ten steps of conjugate gradients, a flat step."""
    x, action, advantage, old = placeholder(None, 11), placeholder(None, 3), placeholder(None), placeholder(None, 3)
    mean = mlp(x, [32, 32, 3], "policy", tf.tanh)
    variables = tf.trainable_variables()
    sizes = [int(np.prod(v.shape.as_list())) for v in variables]

    def flat(parts):
        return tf.concat([tf.reshape(p, [-1]) for p in parts], 0)
    ratio = tf.exp(-0.5 * tf.reduce_sum(tf.square(action - mean) - tf.square(action - old), 1))
    slope = flat(tf.gradients(tf.reduce_mean(ratio * advantage), variables))
    apart = 0.5 * tf.reduce_mean(tf.reduce_sum(tf.square(tf.stop_gradient(mean) - mean), 1))
    of_apart = flat(tf.gradients(apart, variables))

    def curved(v):
        return flat(tf.gradients(tf.reduce_sum(of_apart * v), variables)) + 0.1 * v

    way, rest, turn, size = tf.zeros_like(slope), slope, slope, tf.reduce_sum(tf.square(slope))
    for _ in range(10):
        product = curved(tf.stop_gradient(turn))
        length = size / tf.reduce_sum(turn * product)
        way, rest = way + length * turn, rest - length * product
        after = tf.reduce_sum(tf.square(rest))
        turn, size = rest + after / size * turn, after
    length = tf.sqrt(0.02 / (tf.reduce_sum(way * curved(tf.stop_gradient(way))) + 1e-8))
    parts = tf.split(length * way, sizes)
    with tf.control_dependencies([way]):
        train = tf.group(*[v.assign_add(tf.reshape(p, v.shape)) for v, p in zip(variables, parts, strict=True)])
    return Program([tf.reduce_mean(ratio * advantage), length, train], {
        x: normal(200, 11), action: normal(200, 3), advantage: normal(200), old: normal(200, 3, scale=0.1)})


@program
def importance_of_actions():
    """IMPALA: V-trace's corrected values by a scan from the back, a policy over unrolled steps; training."""
    x, action = placeholder(20, None, 32), placeholder(20, None, dtype=tf.int32)
    behaviour, reward, going = placeholder(20, None, 6), placeholder(20, None), placeholder(20, None)
    h = tf.nn.relu(dense(tf.reshape(x, [-1, 32]), 128, "h"))
    logits = tf.reshape(dense(h, 6, "policy"), [20, -1, 6])
    values = tf.reshape(dense(h, 1, "value"), [20, -1])

    def chance(scores):
        return -tf.nn.sparse_softmax_cross_entropy_with_logits(logits=scores, labels=action)
    ratio = tf.exp(chance(logits) - chance(behaviour))
    rho, c = tf.minimum(1.0, ratio), tf.minimum(1.0, ratio)
    discount = 0.99 * going
    later = tf.concat([values[1:], values[-1:]], 0)
    deltas = rho * (reward + discount * later - values)
    fixed = tf.scan(lambda a, v: v[0] + v[1] * v[2] * a, (deltas, discount, c), tf.zeros_like(values[0]),
                    reverse=True, back_prop=False, parallel_iterations=1)
    targets = tf.stop_gradient(fixed + values)
    after = tf.concat([targets[1:], values[-1:]], 0)
    advantage = tf.stop_gradient(rho * (reward + discount * after - values))
    policy = tf.nn.softmax(logits)
    loss = (-tf.reduce_sum(chance(logits) * advantage) + 0.25 * tf.reduce_sum(tf.square(targets - values))
            + 0.01 * tf.reduce_sum(policy * tf.nn.log_softmax(logits)))
    rate = tf.train.polynomial_decay(6e-4, tf.train.get_or_create_global_step(), 10000, 0)
    train = tf.train.RMSPropOptimizer(rate, 0.99, 0.0, 0.1).minimize(loss, tf.train.get_global_step())
    return Program([loss, tf.reduce_mean(targets), train], {
        x: normal(20, 16, 32), action: whole(6, 20, 16), behaviour: normal(20, 16, 6), reward: numbers(20, 16),
        going: np.float32(numbers(20, 16) > 0.05)})


@program
def many_small_runs():
    """An episode of 200 steps, one observation a run, sampled by NumPy, then one step of training over all."""
    x, action, weight = placeholder(None, 4), placeholder(None, dtype=tf.int32), placeholder(None)
    logits = mlp(x, [32, 2], "policy")
    chance = tf.nn.softmax(logits)
    loss = tf.reduce_mean(weight * tf.nn.sparse_softmax_cross_entropy_with_logits(logits=logits, labels=action))
    train = adam(loss, 1e-2)
    seen = normal(200, 4)

    def step(session, _):
        taken = [int(session.run(chance, {x: row[None]})[0, 0] < 0.5) for row in seen]
        return session.run([loss, train], {x: seen, action: np.array(taken, np.int32), weight: seen[:, 0]})[0]
    return Program(step=step)
