"""Gradients by tensors whose sizes, or rank, only the run tells: at the top, in loops and branches, fused and not."""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import graphc as gc

X = np.random.default_rng(0).uniform(0.5, 1.5, (3, 4)).astype(np.float32)


def looped(f: Callable[[Any], Any], x: Any) -> Any:
    return gc.while_loop(lambda k, a: k < 2, lambda k, a: [k + 1, a + f(x)], [0, 0.0])[1] / 2.0


def branched(f: Callable[[Any], Any], x: Any) -> Any:
    return gc.cond(gc.size(x) > -1, lambda: f(x), lambda: 0.0)


CONTEXTS: dict[str, Callable[..., Any]] = {"top": lambda f, x: f(x), "loop": looped, "branch": branched,
                                           "loop in branch": lambda f, x: branched(lambda y: looped(f, y), x)}

FUNCTIONS: dict[str, Callable[[Any], Any]] = {
    "l2_normalize": lambda x: gc.nn.l2_normalize(x, 1) * x,
    "l2_normalize of all": lambda x: gc.nn.l2_normalize(x * 2.0, [0, 1]) * x,
    "softmax": lambda x: gc.nn.softmax(x) * x,
    "expand_dims": lambda x: gc.expand_dims(x * 2.0, 2) * gc.ones([1, 1, 5]),
    "broadcast_to": lambda x: gc.broadcast_to(gc.reduce_sum(x * x, 1, keepdims=True), [2, 3, 5]),
    "prod": lambda x: gc.reduce_prod(x, 1),
    "where": lambda x: gc.where(x > 1.0, x * x, gc.exp(x)),
    "maximum": lambda x: gc.maximum(x, gc.reduce_mean(x, 0, keepdims=True)),
    "floormod": lambda x: gc.floormod(x, gc.reduce_max(x, 0)),
    "reshape": lambda x: gc.reshape(x, [-1]) * gc.reshape(x * x, [gc.size(x)]),
    "strided": lambda x: x[:, ::2] * x[:, :1],
    "concat": lambda x: gc.concat([x, x * x], -1) * gc.reduce_sum(x),
}


def gradient(name: str, context: str, shape: Any, value: np.ndarray) -> np.ndarray:
    with gc.Graph().as_default():
        x = gc.placeholder(gc.float32, shape)
        y = CONTEXTS[context](lambda t: gc.reduce_sum(FUNCTIONS[name](t)), x)
        found, = gc.gradients(y, x)
        with gc.Session() as session:
            return session.run(found, {x: value})


@pytest.mark.parametrize("fusion", ["1", "0"])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_equal_those_of_known_sizes(name: str, fusion: str, monkeypatch: Any) -> None:
    monkeypatch.setenv("GRAPHC_FUSION", fusion)
    expected = gradient(name, "top", X.shape, X)
    for context in CONTEXTS:
        found = gradient(name, context, [None, None], X)
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4, err_msg=context)


@pytest.mark.parametrize("name", ["concat", "l2_normalize", "maximum", "prod", "reshape", "softmax", "where"])
def test_equal_those_of_a_known_rank(name: str) -> None:
    np.testing.assert_allclose(gradient(name, "top", None, X), gradient(name, "top", X.shape, X), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("name", [n for n in FUNCTIONS if n not in ("maximum", "floormod", "broadcast_to")])
@pytest.mark.parametrize("shape", [(0, 4), (3, 0), (1, 1)])
def test_of_nothing_and_of_one(name: str, shape: tuple[int, ...]) -> None:
    for context in CONTEXTS:
        found = gradient(name, context, [None, None], X[:shape[0], :shape[1]])
        np.testing.assert_allclose(found, gradient(name, "top", shape, X[:shape[0], :shape[1]]), rtol=1e-4, atol=1e-4)


def test_by_what_a_broadcast_repeats_in_this_run() -> None:
    with gc.Graph().as_default():
        x, w = gc.placeholder(gc.float32, [None, None]), gc.placeholder(gc.float32, [None, None, None])
        y = gc.broadcast_to(x, [2, 3, 5]) * 2.0
        z = looped(lambda t: gc.reduce_sum(gc.expand_dims(t * 2.0, 2) * w), x)
        with gc.Session() as session:
            found = session.run(gc.gradients(y, x) + gc.gradients(z, x), {x: X[:, :1], w: np.ones((3, 6, 4))})
    np.testing.assert_array_equal(found[0], np.full((3, 1), 20.0))
    np.testing.assert_array_equal(found[1], np.full((3, 1), 48.0))
