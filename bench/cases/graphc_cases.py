"""The cases of bench/run.py in graphc."""
from __future__ import annotations

import os
from collections.abc import Callable

import numpy as np

import graphc as gc

import shared

Case = Callable[[], Callable[[], object]]


def make(threads: int, gpu: bool) -> dict[str, Case]:
    config = gc.ConfigProto(intra_op_parallelism_threads=threads, device_count={"GPU": int(gpu)})

    def session(graph: gc.Graph) -> gc.Session:
        made = gc.Session(graph=graph, config=config)
        with graph.as_default():
            made.run(gc.global_variables_initializer())
        return made

    def tiny() -> Callable[[], object]:
        with gc.Graph().as_default() as graph:
            x = gc.placeholder(gc.float32, [4])
            y = x + 1.0
        s, value = session(graph), np.ones(4, np.float32)
        return lambda: s.run(y, {x: value})

    def chain() -> Callable[[], object]:
        with gc.Graph().as_default() as graph:
            x = gc.placeholder(gc.float32, [None])
            w = gc.constant(np.full(shared.CHAIN_SIZE, 1.01, np.float32))
            y = x
            for _ in range(shared.CHAIN_LENGTH):
                y = gc.tanh(y * w)
        s, value = session(graph), np.ones(shared.CHAIN_SIZE, np.float32)
        return lambda: s.run(y, {x: value})

    def chain_unfused() -> Callable[[], object]:
        os.environ["GRAPHC_FUSION"] = "0"
        try:
            run = chain()
            run()
            return run
        finally:
            del os.environ["GRAPHC_FUSION"]

    def adam() -> gc.train.Optimizer:
        return gc.train.AdamOptimizer(shared.ADAM_RATE, shared.BETA_1, shared.BETA_2, shared.EPSILON)

    def train(logits: Callable[[gc.Tensor], gc.Tensor], images: np.ndarray,
              targets: np.ndarray, optimizer: Callable[[], gc.train.Optimizer] = adam) -> Callable[[], object]:
        with gc.Graph().as_default() as graph:
            x = gc.placeholder(gc.float32, [None, *images.shape[1:]])
            labels = gc.placeholder(gc.int64, [None])
            losses = gc.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits(x))
            loss = gc.reduce_mean(losses)
            step = optimizer().minimize(loss)
        s = session(graph)
        return lambda: s.run([step, loss], {x: images, labels: targets})

    def mlp() -> Callable[[], object]:
        def logits(h: gc.Tensor) -> gc.Tensor:
            weights = shared.mlp_weights()
            for i, w in enumerate(weights):
                h = gc.matmul(h, gc.Variable(w)) + gc.Variable(np.zeros(w.shape[1], np.float32))
                h = gc.nn.relu(h) if i < len(weights) - 1 else h
            return h

        return train(logits, *shared.mlp_batch())

    def lenet() -> Callable[[], object]:
        def logits(h: gc.Tensor) -> gc.Tensor:
            c1, c2, d1, d2 = shared.lenet_weights()
            for w in (c1, c2):
                bias = gc.Variable(np.zeros(w.shape[3], np.float32))
                h = gc.nn.conv2d(h, gc.Variable(w), [1, 1, 1, 1], "SAME") + bias
                h = gc.nn.max_pool(gc.nn.relu(h), [1, 2, 2, 1], [1, 2, 2, 1], "SAME")
            h = gc.reshape(h, [-1, 7 * 7 * 64])
            h = gc.nn.relu(gc.matmul(h, gc.Variable(d1)) + gc.Variable(np.zeros(512, np.float32)))
            return gc.matmul(h, gc.Variable(d2)) + gc.Variable(np.zeros(10, np.float32))

        return train(logits, *shared.lenet_batch())

    def resnet() -> Callable[[], object]:
        r = shared.rng()

        def conv(h: gc.Tensor, form: shared.Convolution) -> gc.Tensor:
            padding = [[0, 0], [form.pad] * 2, [form.pad] * 2, [0, 0]]
            h = gc.nn.conv2d(h, gc.Variable(form.filter(r)), [1, form.stride, form.stride, 1], padding)
            scale, shift = (gc.Variable(make(form.results, np.float32)) for make in (np.ones, np.zeros))
            return gc.nn.fused_batch_norm(h, scale, shift, epsilon=1e-5)[0]

        def logits(h: gc.Tensor) -> gc.Tensor:
            h = gc.nn.relu(conv(h, shared.RESNET_FIRST))
            h = gc.pad(h, [[0, 0], [1, 1], [1, 1], [0, 0]])
            h = gc.nn.max_pool(h, [1, 3, 3, 1], [1, 2, 2, 1], "VALID")
            for (first, second, third), shortcut in shared.resnet_blocks():
                y = gc.nn.relu(conv(gc.nn.relu(conv(h, first)), second))
                h = gc.nn.relu(conv(y, third) + (conv(h, shortcut) if shortcut else h))
            h = gc.reduce_mean(h, [1, 2])
            bias = gc.Variable(np.zeros(shared.RESNET_CLASSES, np.float32))
            return gc.matmul(h, gc.Variable(shared.resnet_dense())) + bias

        return train(logits, *shared.resnet_batch(),
                     lambda: gc.train.GradientDescentOptimizer(shared.RESNET_RATE))

    def decoder(t: shared.Transformer, tokens: gc.Tensor) -> gc.Tensor:
        """Logits of the word that follows each token."""
        w = {name: gc.Variable(value) for name, value in t.weights().items()}
        later = np.triu(np.full((t.tokens, t.tokens), -1e9, np.float32), 1)

        def norm(h: gc.Tensor, name: str) -> gc.Tensor:
            mean, variance = gc.nn.moments(h, [-1], keep_dims=True)
            return (h - mean) * gc.rsqrt(variance + 1e-5) * w[f"{name}/scale"] + w[f"{name}/shift"]

        def dense(h: gc.Tensor, name: str) -> gc.Tensor:
            return gc.matmul(h, w[f"{name}/w"]) + w[f"{name}/b"]

        def gelu(h: gc.Tensor) -> gc.Tensor:
            return 0.5 * h * (1 + gc.tanh(0.7978845608 * (h + 0.044715 * h * h * h)))

        def attention(h: gc.Tensor, name: str) -> gc.Tensor:
            parts = gc.reshape(dense(h, f"{name}/qkv"), [-1, t.tokens, 3, t.heads, t.head])
            q, k, v = gc.unstack(gc.transpose(parts, [2, 0, 3, 1, 4]))
            scores = gc.matmul(q, k, transpose_b=True) * t.head ** -0.5 + later
            mixed = gc.transpose(gc.matmul(gc.nn.softmax(scores), v), [0, 2, 1, 3])
            return dense(gc.reshape(mixed, [-1, t.width]), f"{name}/project")

        h = gc.reshape(gc.gather(w["words"], tokens) + w["places"], [-1, t.width])
        for i in range(t.layers):
            h += attention(norm(h, f"{i}/attention"), str(i))
            h += dense(gelu(dense(norm(h, f"{i}/dense"), f"{i}/up")), f"{i}/down")
        return gc.matmul(norm(h, "last"), w["words"], transpose_b=True)

    def transformer() -> Callable[[], object]:
        with gc.Graph().as_default() as graph:
            tokens, following = (gc.placeholder(gc.int64, [None, shared.TRAINED.tokens]) for _ in range(2))
            losses = gc.nn.sparse_softmax_cross_entropy_with_logits(
                labels=gc.reshape(following, [-1]), logits=decoder(shared.TRAINED, tokens))
            loss = gc.reduce_mean(losses)
            step = adam().minimize(loss)
        s = session(graph)
        fed = dict(zip((tokens, following), shared.TRAINED.text(), strict=True))
        return lambda: s.run([step, loss], fed)

    def gpt2(t: shared.Transformer) -> Callable[[], object]:
        with gc.Graph().as_default() as graph:
            tokens = gc.placeholder(gc.int64, [None, t.tokens])
            logits = decoder(t, tokens)
        s, value = session(graph), t.text()[0]
        return lambda: s.run(logits, {tokens: value})

    return {"tiny": tiny, "chain": chain, "chain-unfused": chain_unfused, "mlp-train": mlp, "lenet-train": lenet,
            "resnet-train": resnet, "transformer-train": transformer,
            "gpt2-small": lambda: gpt2(shared.GPT2_SMALL),
            "gpt2-long": lambda: gpt2(shared.GPT2_LONG)}
