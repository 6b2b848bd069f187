"""The cases of bench/run.py in TensorFlow's compat.v1: the same scripts as graphc's, in a Session."""
from __future__ import annotations

from collections.abc import Callable

import numpy as np
import tensorflow.compat.v1 as tf

import shared


def make(threads: int) -> dict[str, Callable[[], Callable[[], object]]]:
    tf.disable_v2_behavior()
    config = tf.ConfigProto(intra_op_parallelism_threads=threads, inter_op_parallelism_threads=1)

    def session(graph: tf.Graph) -> tf.Session:
        made = tf.Session(graph=graph, config=config)
        with graph.as_default():
            made.run(tf.global_variables_initializer())
        return made

    def tiny() -> Callable[[], object]:
        with tf.Graph().as_default() as graph:
            x = tf.placeholder(tf.float32, [4])
            y = x + 1.0
        s, value = session(graph), np.ones(4, np.float32)
        return lambda: s.run(y, {x: value})

    def chain() -> Callable[[], object]:
        with tf.Graph().as_default() as graph:
            x = tf.placeholder(tf.float32, [None])
            w = tf.constant(np.full(shared.CHAIN_SIZE, 1.01, np.float32))
            y = x
            for _ in range(shared.CHAIN_LENGTH):
                y = tf.tanh(y * w)
        s, value = session(graph), np.ones(shared.CHAIN_SIZE, np.float32)
        return lambda: s.run(y, {x: value})

    def train(logits: Callable[[tf.Tensor], tf.Tensor], images: np.ndarray,
              targets: np.ndarray) -> Callable[[], object]:
        with tf.Graph().as_default() as graph:
            x = tf.placeholder(tf.float32, [None, *images.shape[1:]])
            labels = tf.placeholder(tf.int64, [None])
            losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits(x))
            loss = tf.reduce_mean(losses)
            step = tf.train.GradientDescentOptimizer(shared.RATE).minimize(loss)
        s = session(graph)
        return lambda: s.run([step, loss], {x: images, labels: targets})

    def mlp() -> Callable[[], object]:
        def logits(h: tf.Tensor) -> tf.Tensor:
            weights = shared.mlp_weights()
            for i, w in enumerate(weights):
                h = tf.matmul(h, tf.Variable(w)) + tf.Variable(np.zeros(w.shape[1], np.float32))
                h = tf.nn.relu(h) if i < len(weights) - 1 else h
            return h

        return train(logits, *shared.mlp_batch())

    def lenet() -> Callable[[], object]:
        def logits(h: tf.Tensor) -> tf.Tensor:
            c1, c2, d1, d2 = shared.lenet_weights()
            for w in (c1, c2):
                bias = tf.Variable(np.zeros(w.shape[3], np.float32))
                h = tf.nn.conv2d(h, tf.Variable(w), [1, 1, 1, 1], "SAME") + bias
                h = tf.nn.max_pool(tf.nn.relu(h), [1, 2, 2, 1], [1, 2, 2, 1], "SAME")
            h = tf.reshape(h, [-1, 7 * 7 * 64])
            h = tf.nn.relu(tf.matmul(h, tf.Variable(d1)) + tf.Variable(np.zeros(512, np.float32)))
            return tf.matmul(h, tf.Variable(d2)) + tf.Variable(np.zeros(10, np.float32))

        return train(logits, *shared.lenet_batch())

    return {"tiny": tiny, "chain": chain, "chain-unfused": chain, "mlp-train": mlp, "lenet-train": lenet}
