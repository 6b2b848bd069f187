"""Random programs of nested tf.cond, tf.while_loop, tf.case, TensorArrays and gradients, built in TensorFlow."""
from __future__ import annotations

import dataclasses
import random
from typing import Any

import numpy as np
import tensorflow.compat.v1 as tf


@dataclasses.dataclass
class Program:
    graph_def: Any
    feeds: list[dict[str, Any]]
    fetches: list[str]


class Maker:
    """values: float tensors of shape [2]; every one stays small, by tanh."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.x = tf.placeholder(tf.float32, [2], name="x")
        self.y = tf.placeholder(tf.float32, [None], name="y")
        self.p = tf.placeholder(tf.bool, [], name="p")
        self.n = tf.placeholder(tf.int32, [], name="n")

    def program(self) -> Program:
        values = [self.x, self.y * 0.5]
        for _ in range(self.random.randint(2, 4)):
            values.append(self.value(values, 3))
        last = tf.add_n(values[-2:])
        fetches = [last]
        if self.random.random() < 0.6:
            fetches += [g for g in tf.gradients(last, [self.x, self.y]) if g is not None]
        named = [tf.identity(t, name=f"out_{i}") for i, t in enumerate(fetches)]
        graph_def = tf.get_default_graph().as_graph_def(add_shapes=self.random.random() < 0.5)
        nodes = list(graph_def.node)
        if self.random.random() < 0.5:
            self.random.shuffle(nodes)
            del graph_def.node[:]
            graph_def.node.extend(nodes)
        draw = np.random.default_rng(self.random.randrange(10**9))
        feeds = [{"x:0": draw.normal(size=2).astype(np.float32), "y:0": draw.normal(size=2).astype(np.float32),
                  "p:0": p, "n:0": np.int32(n)} for p, n in ((True, 3), (False, 0), (False, 2), (True, 1))]
        return Program(graph_def, feeds, [t.name for t in named])

    def value(self, values: list[Any], depth: int) -> Any:
        """A new value of those given, and of any around."""
        kinds = [self.plain, self.plain]
        if depth:
            kinds += [self.cond, self.cond, self.loop, self.loop, self.case, self.mapped, self.chain]
        return self.random.choice(kinds)(values, depth)

    def plain(self, values: list[Any], depth: int) -> Any:
        a, b = self.random.choice(values), self.random.choice(values)
        return self.random.choice([
            lambda: tf.tanh(a + b), lambda: tf.tanh(a * b - 0.5), lambda: a * 0.5 - tf.sin(b), lambda: tf.identity(a),
            lambda: tf.where(a > b, a, tf.cos(b)), lambda: tf.constant([0.25, -1.0]) * a,
            lambda: tf.ones_like(a) * self.random.random(), lambda: tf.constant([0.5, 0.75])])()

    def chain(self, values: list[Any], depth: int) -> Any:
        own = list(values)
        for _ in range(2):
            own.append(self.value(own, depth - 1))
        return own[-1]

    def pred(self, values: list[Any]) -> Any:
        return self.random.choice([
            lambda: self.p, lambda: tf.reduce_sum(self.random.choice(values)) > 0.0, lambda: self.n > 1,
            lambda: tf.logical_not(self.p), lambda: tf.logical_and(self.p, tf.reduce_min(values[-1]) < 0.3)])()

    def cond(self, values: list[Any], depth: int) -> Any:
        count = self.random.choice([1, 1, 2])

        def side() -> list[Any]:
            return [self.value(values, depth - 1) for _ in range(count)]

        found = tf.cond(self.pred(values), side, side)
        return tf.add_n(found) if isinstance(found, list) else found

    def case(self, values: list[Any], depth: int) -> Any:
        pairs = [(self.pred(values), lambda: self.value(values, depth - 1)) for _ in range(2)]
        return tf.case(pairs, default=lambda: self.value(values, depth - 1))

    def loop(self, values: list[Any], depth: int) -> Any:
        trips = self.random.choice([lambda: self.n, lambda: tf.constant(2), lambda: self.n + 1])()

        def body(i: Any, a: Any, b: Any) -> list[Any]:
            scaled = a * tf.cast(i + 1, tf.float32) * 0.3
            inner = [*values, a, b, scaled]
            return [i + 1, tf.tanh(self.value(inner, depth - 1)), self.random.choice([a, b, scaled])]

        def test(i: Any, a: Any, b: Any) -> Any:
            return tf.logical_and(i < trips, tf.reduce_sum(b) < 5.0)

        limit = self.random.choice([None, None, 3])
        start = [tf.constant(0), self.random.choice(values), self.random.choice(values)]
        shapes = [tf.TensorShape([]), tf.TensorShape([None]), tf.TensorShape([None])]
        _, a, b = tf.while_loop(test, body, start, shape_invariants=shapes, maximum_iterations=limit)
        return a + b

    def mapped(self, values: list[Any], depth: int) -> Any:
        rows = tf.stack([self.random.choice(values) for _ in range(3)])

        def step(row: Any) -> Any:
            row.set_shape([2])
            return self.value([*values, row], depth - 1)

        return self.random.choice([
            lambda: tf.reduce_mean(tf.map_fn(step, rows), 0), lambda: tf.foldl(lambda a, r: tf.tanh(a + step(r)), rows),
            lambda: tf.reduce_sum(tf.scan(lambda a, r: tf.tanh(a * 0.5 - step(r)), rows), 0)])()


def make(seed: int) -> Program:
    with tf.Graph().as_default():
        return Maker(seed).program()
