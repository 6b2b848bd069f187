"""Functions of tensors whose rank is known only when they are fed: reductions, transposes, cross entropies, and shapes
that are fed as vectors of any length."""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import graphc as gc

X = np.array([[1.0, -2.0, 3.0], [0.5, 4.0, -1.5]], np.float32)
REDUCTIONS: dict[str, Callable[..., Any]] = {
    "reduce_sum": np.sum, "reduce_mean": np.mean, "reduce_max": np.max, "reduce_min": np.min, "reduce_prod": np.prod,
    "reduce_logsumexp": lambda x, axis, keepdims: np.log(np.exp(x).sum(axis=axis, keepdims=keepdims)),
    "reduce_variance": np.var, "reduce_std": np.std,
}
AXES = [None, 0, 1, -1, -2, [0, 1], [-1], [0, -1], []]


@pytest.fixture(autouse=True)
def graph():
    with gc.Graph().as_default() as made:
        yield made


def value(fetch: Any, feeds: dict) -> Any:
    with gc.Session() as session:
        return session.run(fetch, feeds)


def softmax(x: np.ndarray, axis: int = -1) -> np.ndarray:
    return np.exp(x) / np.exp(x).sum(axis, keepdims=True)


@pytest.mark.parametrize("name", REDUCTIONS)
def test_reductions(name: str) -> None:
    x = gc.placeholder(gc.float32)
    function = getattr(gc.math, name)
    made = {(i, keep): function(x, axis, keepdims=keep) for i, axis in enumerate(AXES) for keep in (False, True)}
    found = value(made, {x: X})
    for (i, keep), result in found.items():
        axis = tuple(AXES[i]) if isinstance(AXES[i], list) else AXES[i]
        expected = REDUCTIONS[name](X.astype(np.float64), axis=axis, keepdims=keep)
        assert result.shape == expected.shape, (AXES[i], keep)
        np.testing.assert_allclose(result, expected, rtol=1e-5, atol=1e-6, err_msg=f"{AXES[i]}, {keep}")


def test_positions_and_truth() -> None:
    x, b = gc.placeholder(gc.float32), gc.placeholder(gc.bool)
    for axis in (0, 1, -1, -2):
        np.testing.assert_array_equal(value(gc.argmax(x, axis), {x: X}), X.argmax(axis))
        np.testing.assert_array_equal(value(gc.argmin(x, axis), {x: X}), X.argmin(axis))
        np.testing.assert_array_equal(value(gc.reduce_all(b, axis), {b: X > 0}), (X > 0).all(axis))
        found = value(gc.reduce_any(b, axis, keepdims=True), {b: X > 0})
        np.testing.assert_array_equal(found, (X > 0).any(axis, keepdims=True))


def test_transpose() -> None:
    x = gc.placeholder(gc.float32)
    y = gc.transpose(x)
    dx, = gc.gradients(gc.reduce_sum(y * y), [x])
    for fed in (np.float32(3), X[0], X, np.arange(24, dtype=np.float32).reshape(2, 3, 4)):
        with gc.Session() as session:
            found, gradient = session.run([y, dx], {x: fed})
        np.testing.assert_array_equal(found, np.transpose(fed))
        np.testing.assert_array_equal(gradient, 2 * fed)


def test_invert_permutation() -> None:
    x = gc.placeholder(gc.int32, [None])
    y = gc.invert_permutation(x)
    np.testing.assert_array_equal(value(y, {x: [2, 0, 1]}), [1, 2, 0])
    np.testing.assert_array_equal(value(gc.invert_permutation([3, 1, 0, 2]), {}), [2, 1, 3, 0])
    for wrong in ([0, 2], [-1, 0], [1, 1]):
        with pytest.raises(gc.errors.InvalidArgumentError, match="InvertPermutation"):
            value(y, {x: wrong})
    with pytest.raises(ValueError, match="no permutation"):
        gc.invert_permutation([0, 2])


@pytest.mark.parametrize("axis", [-1, 0, 1, -2])
def test_softmax_cross_entropy(axis: int) -> None:
    logits, labels = gc.placeholder(gc.float32), gc.placeholder(gc.float32)
    loss = gc.nn.softmax_cross_entropy_with_logits_v2(labels=labels, logits=logits, axis=axis)
    old = gc.nn.softmax_cross_entropy_with_logits(labels=labels, logits=logits, axis=axis)
    gradient, = gc.gradients(old, [logits])
    for shape in ((2, 3), (2, 3, 4)):
        x = np.random.default_rng(1).normal(size=shape).astype(np.float32)
        p = softmax(np.random.default_rng(2).normal(size=shape), axis).astype(np.float32)
        with gc.Session() as session:
            found, found_old, found_gradient = session.run([loss, old, gradient], {logits: x, labels: p})
        expected = -(p * np.log(softmax(x, axis))).sum(axis)
        np.testing.assert_allclose(found, expected, rtol=1e-5)
        np.testing.assert_allclose(found_old, expected, rtol=1e-5)
        np.testing.assert_allclose(found_gradient, softmax(x, axis) - p, rtol=1e-4, atol=1e-6)


def test_fed_shapes_of_any_length() -> None:
    n, x = gc.placeholder(gc.int32), gc.placeholder(gc.float32)
    made = [gc.random_uniform(n), gc.random_normal(n), gc.random_uniform(n, maxval=5, dtype=gc.int32), gc.zeros(n),
            gc.fill(n, 2.0), gc.truncated_normal(n), gc.reshape(x, n), gc.random_uniform([6]) + gc.reshape(x, [-1])]
    with gc.Session() as session:
        for shape in ([6], [2, 3], [3, 2, 1], [6], [1, 1, 2, 3]):
            found = session.run(made, {n: shape, x: X})
            assert [f.shape for f in found[:-1]] == [tuple(shape)] * (len(made) - 1)
            np.testing.assert_array_equal(found[-2].ravel(), X.ravel())


@pytest.mark.parametrize("indices", [[0, 2], (0, 2), np.array([0, 2]), np.array([0, 2], np.uint8)], ids=repr)
def test_indices_are_integers_whatever_stands_beside_them(indices: Any) -> None:
    np.testing.assert_array_equal(value(gc.one_hot(indices, 3), {}), np.eye(3, dtype=np.float32)[[0, 2]])
    np.testing.assert_array_equal(value(gc.one_hot(indices, 3, 5, -1), {}), np.eye(3, dtype=np.int32)[[0, 2]] * 6 - 1)
    if not isinstance(indices, np.ndarray) or indices.dtype != np.uint8:
        np.testing.assert_array_equal(value(gc.gather([1.0, 2.0, 3.0], indices), {}), [1, 3])
