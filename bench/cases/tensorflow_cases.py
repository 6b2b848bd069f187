"""The cases of bench/run.py in TensorFlow's compat.v1: the same scripts as graphc's, in a Session."""
from __future__ import annotations

from collections.abc import Callable

import numpy as np
import tensorflow.compat.v1 as tf

import shared


def make(threads: int, gpu: bool) -> dict[str, Callable[[], Callable[[], object]]]:
    tf.disable_v2_behavior()
    config = tf.ConfigProto(intra_op_parallelism_threads=threads, inter_op_parallelism_threads=1,
                            device_count={"GPU": int(gpu)})

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

    def adam() -> tf.train.Optimizer:
        return tf.train.AdamOptimizer(shared.ADAM_RATE, shared.BETA_1, shared.BETA_2, shared.EPSILON)

    def train(logits: Callable[[tf.Tensor], tf.Tensor], images: np.ndarray,
              targets: np.ndarray, optimizer: Callable[[], tf.train.Optimizer] = adam) -> Callable[[], object]:
        with tf.Graph().as_default() as graph:
            x = tf.placeholder(tf.float32, [None, *images.shape[1:]])
            labels = tf.placeholder(tf.int64, [None])
            losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits(x))
            loss = tf.reduce_mean(losses)
            step = optimizer().minimize(loss)
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

    def resnet() -> Callable[[], object]:
        r = shared.rng()

        def conv(h: tf.Tensor, form: shared.Convolution) -> tf.Tensor:
            padding = [[0, 0], [form.pad] * 2, [form.pad] * 2, [0, 0]]
            h = tf.nn.conv2d(h, tf.Variable(form.filter(r)), [1, form.stride, form.stride, 1], padding)
            scale, shift = (tf.Variable(make(form.results, np.float32)) for make in (np.ones, np.zeros))
            return tf.nn.fused_batch_norm(h, scale, shift, epsilon=1e-5)[0]

        def logits(h: tf.Tensor) -> tf.Tensor:
            h = tf.nn.relu(conv(h, shared.RESNET_FIRST))
            h = tf.pad(h, [[0, 0], [1, 1], [1, 1], [0, 0]])
            h = tf.nn.max_pool(h, [1, 3, 3, 1], [1, 2, 2, 1], "VALID")
            for (first, second, third), shortcut in shared.resnet_blocks():
                y = tf.nn.relu(conv(tf.nn.relu(conv(h, first)), second))
                h = tf.nn.relu(conv(y, third) + (conv(h, shortcut) if shortcut else h))
            h = tf.reduce_mean(h, [1, 2])
            bias = tf.Variable(np.zeros(shared.RESNET_CLASSES, np.float32))
            return tf.matmul(h, tf.Variable(shared.resnet_dense())) + bias

        return train(logits, *shared.resnet_batch(),
                     lambda: tf.train.GradientDescentOptimizer(shared.RESNET_RATE))

    def decoder(t: shared.Transformer, tokens: tf.Tensor) -> tf.Tensor:
        """Logits of the word that follows each token."""
        w = {name: tf.Variable(value) for name, value in t.weights().items()}
        later = np.triu(np.full((t.tokens, t.tokens), -1e9, np.float32), 1)

        def norm(h: tf.Tensor, name: str) -> tf.Tensor:
            mean, variance = tf.nn.moments(h, [-1], keep_dims=True)
            return (h - mean) * tf.rsqrt(variance + 1e-5) * w[f"{name}/scale"] + w[f"{name}/shift"]

        def dense(h: tf.Tensor, name: str) -> tf.Tensor:
            return tf.matmul(h, w[f"{name}/w"]) + w[f"{name}/b"]

        def gelu(h: tf.Tensor) -> tf.Tensor:
            return 0.5 * h * (1 + tf.tanh(0.7978845608 * (h + 0.044715 * h * h * h)))

        def attention(h: tf.Tensor, name: str) -> tf.Tensor:
            parts = tf.reshape(dense(h, f"{name}/qkv"), [-1, t.tokens, 3, t.heads, t.head])
            q, k, v = tf.unstack(tf.transpose(parts, [2, 0, 3, 1, 4]))
            scores = tf.matmul(q, k, transpose_b=True) * t.head ** -0.5 + later
            mixed = tf.transpose(tf.matmul(tf.nn.softmax(scores), v), [0, 2, 1, 3])
            return dense(tf.reshape(mixed, [-1, t.width]), f"{name}/project")

        h = tf.reshape(tf.gather(w["words"], tokens) + w["places"], [-1, t.width])
        for i in range(t.layers):
            h += attention(norm(h, f"{i}/attention"), str(i))
            h += dense(gelu(dense(norm(h, f"{i}/dense"), f"{i}/up")), f"{i}/down")
        return tf.matmul(norm(h, "last"), w["words"], transpose_b=True)

    def transformer() -> Callable[[], object]:
        with tf.Graph().as_default() as graph:
            tokens, following = (tf.placeholder(tf.int64, [None, shared.TRAINED.tokens]) for _ in range(2))
            losses = tf.nn.sparse_softmax_cross_entropy_with_logits(
                labels=tf.reshape(following, [-1]), logits=decoder(shared.TRAINED, tokens))
            loss = tf.reduce_mean(losses)
            step = adam().minimize(loss)
        s = session(graph)
        fed = dict(zip((tokens, following), shared.TRAINED.text(), strict=True))
        return lambda: s.run([step, loss], fed)

    def gpt2(t: shared.Transformer) -> Callable[[], object]:
        with tf.Graph().as_default() as graph:
            tokens = tf.placeholder(tf.int64, [None, t.tokens])
            logits = decoder(t, tokens)
        s, value = session(graph), t.text()[0]
        return lambda: s.run(logits, {tokens: value})

    return {"tiny": tiny, "chain": chain, "chain-unfused": chain, "mlp-train": mlp, "lenet-train": lenet,
            "resnet-train": resnet, "transformer-train": transformer,
            "gpt2-small": lambda: gpt2(shared.GPT2_SMALL),
            "gpt2-long": lambda: gpt2(shared.GPT2_LONG)}
