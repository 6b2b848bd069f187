"""Q-learning with a target network and replay: an agent walks to a goal. Run: graphc tf1 deep_q_network.py"""
import collections
import random

import numpy as np
import tensorflow as tf

tf.app.flags.DEFINE_integer("episodes", 150, "episodes of training")
FLAGS = tf.app.flags.FLAGS
SIDE, ACTIONS, GAMMA, BATCH = 5, 4, 0.9, 32


class Grid(object):
    """From a corner to the opposite one: a step costs 0.05, the goal gives 1."""

    moves = [(0, 1), (0, -1), (1, 0), (-1, 0)]

    def reset(self):
        self.at, self.steps = (0, 0), 0
        return self.observe()

    def observe(self):
        seen = np.zeros([SIDE, SIDE], np.float32)
        seen[self.at] = 1
        return seen.reshape(-1)

    def step(self, action):
        self.at = tuple(min(max(p + d, 0), SIDE - 1) for p, d in zip(self.at, self.moves[action]))
        self.steps += 1
        done = self.at == (SIDE - 1, SIDE - 1)
        return self.observe(), 1.0 if done else -0.05, done or self.steps >= 50


class Agent(object):
    def __init__(self):
        self.state = tf.placeholder(tf.float32, [None, SIDE * SIDE])
        self.action = tf.placeholder(tf.int32, [None])
        self.target = tf.placeholder(tf.float32, [None])
        self.q = self.network("online")
        self.next_q = self.network("target")
        taken = tf.reduce_sum(self.q * tf.one_hot(self.action, ACTIONS), axis=1)
        loss = tf.losses.huber_loss(self.target, taken)
        self.train_op = tf.train.AdamOptimizer(0.01).minimize(loss)
        online, target = (tf.get_collection(tf.GraphKeys.GLOBAL_VARIABLES, scope=s + "/") for s in ("online", "target"))
        self.update = tf.group(*[t.assign(o) for t, o in zip(target, online)])

    def network(self, scope):
        with tf.variable_scope(scope):
            w1 = tf.get_variable("w1", [SIDE * SIDE, 32], initializer=tf.truncated_normal_initializer(0, 0.1, seed=1))
            b1 = tf.get_variable("b1", [32], initializer=tf.zeros_initializer())
            w2 = tf.get_variable("w2", [32, ACTIONS], initializer=tf.truncated_normal_initializer(0, 0.1, seed=2))
            return tf.matmul(tf.nn.relu(tf.matmul(self.state, w1) + b1), w2)


def main(_):
    random.seed(0)
    grid, agent, memory = Grid(), Agent(), collections.deque(maxlen=2000)
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        session.run(agent.update)
        rewards = []
        for episode in range(FLAGS.episodes):
            state, done, total = grid.reset(), False, 0.0
            epsilon = max(0.05, 1 - episode / 80.0)
            while not done:
                q = session.run(agent.q, {agent.state: state[None]})
                action = random.randrange(ACTIONS) if random.random() < epsilon else int(np.argmax(q))
                following, reward, done = grid.step(action)
                memory.append((state, action, reward, following, done))
                state, total = following, total + reward
                if len(memory) >= BATCH:
                    s, a, r, n, d = map(np.array, zip(*random.sample(list(memory), BATCH)))
                    best = session.run(agent.next_q, {agent.state: n}).max(axis=1)
                    session.run(agent.train_op, {agent.state: s, agent.action: a, agent.target: r + GAMMA * best * ~d})
            session.run(agent.update)
            rewards.append(total)
            if episode % 50 == 49:
                print("episodes to {}: mean reward {:.2f}".format(episode + 1, np.mean(rewards[-20:])))


if __name__ == "__main__":
    tf.app.run()
