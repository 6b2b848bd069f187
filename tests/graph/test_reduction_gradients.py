"""Gradients of reductions along every axis, also of tensors whose rank is not known while the graph is built."""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import graphc as gc

from differences import check, placeholders

REDUCTIONS: dict[str, Callable[..., gc.Tensor]] = {
    "sum": gc.reduce_sum, "mean": gc.reduce_mean, "prod": gc.reduce_prod, "max": gc.reduce_max, "min": gc.reduce_min,
    "logsumexp": gc.reduce_logsumexp, "variance": gc.math.reduce_variance, "std": gc.math.reduce_std,
}
AXES: list[Any] = [0, 1, -1, -2, [0, -1], [1, 0], [], None]


@pytest.fixture(autouse=True)
def fresh_graph():
    with gc.Graph().as_default():
        yield


@pytest.mark.parametrize("declared", ["rank unknown", "sizes unknown"])
@pytest.mark.parametrize("name", REDUCTIONS)
def test_every_axis(name: str, declared: str) -> None:
    for number, axis in enumerate(AXES):
        if axis == [] and name in ("std", "variance"):
            continue        # of one element: not differentiable, or 0
        feeds = placeholders([(3, 4)], declared)
        x, = feeds
        y = REDUCTIONS[name](x, axis, keepdims=bool(number % 2))
        check(y * y, feeds, order=2 if name != "std" else 1, tolerance=1e-4)


@pytest.mark.parametrize("keepdims", [False, True])
@pytest.mark.parametrize("name", REDUCTIONS)
def test_rank_three(name: str, keepdims: bool) -> None:
    for axis in ([1], [0, 2], [-1, -3], [-2]):
        feeds = placeholders([(2, 3, 2)], "rank unknown")
        x, = feeds
        y = REDUCTIONS[name](x, axis, keepdims=keepdims)
        check(y * y, feeds)


@pytest.mark.parametrize("declared", ["rank unknown", "sizes unknown"])
@pytest.mark.parametrize("name", ["sum", "mean", "prod", "max", "min"])
def test_equal_shapes_give_equal_gradients_whatever_is_declared(name: str, declared: str) -> None:
    """Against sizes that are known, without differences: exact, and with elements 0 and ties."""
    value = np.array([[1.0, 0, 2], [2, 2, 0], [0, 0, 3]])
    for axis in AXES:
        found = []
        for said in ([3, 3], None if declared == "rank unknown" else [None, None]):
            x = gc.placeholder(gc.float64, said)
            y = REDUCTIONS[name](x, axis)
            with gc.Session() as session:
                found.append(session.run(gc.gradients(y * y, x)[0], {x: value}))
        np.testing.assert_allclose(found[1], found[0], rtol=1e-12)


@pytest.mark.parametrize("name", ["sum", "mean", "prod", "max", "min"])
def test_axis_that_only_the_feed_tells(name: str) -> None:
    """Every axis but the first: a range up to the rank."""
    x = gc.placeholder(gc.float64)
    y = REDUCTIONS[name](x, gc.range(1, gc.rank(x)))
    value = np.random.default_rng(2).uniform(0.5, 1.5, (2, 3, 2))
    check(y * y, {x: value})


def test_nothing_to_reduce() -> None:
    for name in ("sum", "mean", "prod"):
        for shape in ((0, 3), (3, 0)):
            x = gc.placeholder(gc.float64)
            y = REDUCTIONS[name](x, 1)
            with gc.Session() as session:
                assert session.run(gc.gradients(y, x)[0], {x: np.zeros(shape)}).shape == shape
