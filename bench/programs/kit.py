"""What the programs of this folder are made of: how one is declared, numbers, and layers as people wrote them in 2018.

A program is a function that builds a graph and returns a Program. Its values must be the same in both libraries:
weights and data are drawn by NumPy, from a seed of the program's name.
"""
from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from library import tf

Feed = dict[Any, Any]


@dataclass
class Program:
    """fetches and what is fed to them, the same each step or by the number of the step; or a step of its own, which
    gets the Session and its number and returns values. drawn: values hang on random numbers of the library's own, and
    only their shapes are compared."""

    fetches: Any = None
    feed: Feed | Callable[[int], Feed] | None = None
    step: Callable[[Any, int], Any] | None = None
    drawn: bool = False

    def run(self, session: Any, number: int) -> Any:
        if self.step is not None:
            return self.step(session, number)
        return session.run(self.fetches, self.feed(number) if callable(self.feed) else self.feed)


PROGRAMS: dict[str, Callable[[], Program]] = {}
_random = np.random.RandomState(0)


def program(build: Callable[[], Program]) -> Callable[[], Program]:
    """Declares a program under the function's name."""
    def seeded() -> Program:
        _random.seed(zlib.crc32(build.__name__.encode()) & 0xFFFFFFFF)
        return build()
    PROGRAMS[build.__name__] = seeded
    return seeded


def numbers(*shape: int, low: float = 0.0, high: float = 1.0) -> np.ndarray:
    """float32, equally distributed."""
    return np.asarray(_random.uniform(low, high, shape), np.float32)


def normal(*shape: int, scale: float = 1.0) -> np.ndarray:
    """float32, of a normal distribution."""
    return np.asarray(_random.standard_normal(shape) * scale, np.float32)


def whole(below: int, *shape: int, dtype: Any = np.int32) -> np.ndarray:
    """Integers from 0 on."""
    return _random.randint(0, below, shape).astype(dtype)


def weights(name: str, *shape: int, scale: float | None = None) -> Any:
    """A variable; of a scale that keeps the variance of what it is multiplied with."""
    inputs = int(np.prod(shape[:-1])) or 1
    return tf.get_variable(name, initializer=normal(*shape, scale=(2 / inputs) ** 0.5 if scale is None else scale))


def zeros(name: str, *shape: int) -> Any:
    return tf.get_variable(name, initializer=np.zeros(shape, np.float32))


def placeholder(*shape: int | None, dtype: Any = None) -> Any:
    return tf.placeholder(dtype or tf.float32, shape)


def dense(x: Any, units: int, name: str, activation: Any = None) -> Any:
    made = tf.nn.bias_add(tf.matmul(x, weights(name + "_w", int(x.shape[-1]), units)), zeros(name + "_b", units))
    return activation(made) if activation else made


def mlp(x: Any, units: Sequence[int], name: str, activation: Any = None) -> Any:
    """Dense layers, an activation behind all but the last."""
    for i, n in enumerate(units):
        x = dense(x, n, f"{name}{i}", (activation or tf.nn.relu) if i < len(units) - 1 else None)
    return x


def conv(x: Any, channels: int, size: int, name: str, stride: int = 1, activation: Any = None,
         padding: str = "SAME") -> Any:
    kernel = weights(name + "_k", size, size, int(x.shape[-1]), channels)
    made = tf.nn.bias_add(tf.nn.conv2d(x, kernel, [1, stride, stride, 1], padding), zeros(name + "_b", channels))
    return activation(made) if activation else made


def cross_entropy(logits: Any, labels: Any) -> Any:
    """The mean over all labels."""
    return tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(logits=logits, labels=labels))


def binary_entropy(logits: Any, labels: Any) -> Any:
    return tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(logits=logits, labels=labels))


def adam(loss: Any, rate: float = 1e-3, **options: Any) -> Any:
    return tf.train.AdamOptimizer(rate).minimize(loss, **options)
