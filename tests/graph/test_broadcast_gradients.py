"""Gradients of broadcasts whose axes are known only while running: a size may turn out to be 1, or 0."""
from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import graphc as gc

from differences import check, placeholders

BINARY: dict[str, Callable[[Any, Any], Any]] = {
    "add": gc.add, "subtract": gc.subtract, "multiply": gc.multiply, "divide": gc.divide, "pow": gc.pow,
    "maximum": gc.maximum, "minimum": gc.minimum, "squared_difference": gc.squared_difference,
    "atan2": gc.atan2, "floormod": gc.floormod,
    "where": lambda a, b: gc.where_v2(a > 1.0, a * 1.0, b * 2.0),
}
SHAPES = [((2, 3), (1, 3)), ((2, 1), (1, 3)), ((1, 1), (2, 3)), ((2, 3), (2, 3)), ((1, 1), (1, 1)), ((0, 3), (1, 3)),
          ((0, 1), (0, 3)), ((1, 3), (0, 1))]
DECLARED = ["known", "sizes unknown", "rank unknown"]


@pytest.fixture(autouse=True)
def fresh_graph():
    with gc.Graph().as_default():
        yield


@pytest.fixture(params=["0", "1"], ids=["unfused", "fused"], autouse=True)
def fusion(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRAPHC_FUSION", request.param)


@pytest.mark.parametrize("name", BINARY)
def test_binary_ops(name: str) -> None:
    for shapes in (SHAPES[i] for i in (0, 1, 2, 5)):
        feeds = placeholders(shapes)
        check(BINARY[name](*feeds), feeds, order=2)


@pytest.mark.parametrize("declared", DECLARED)
def test_what_is_declared(declared: str) -> None:
    for shapes in [*SHAPES, ((3,), (2, 1)), ((), (2, 3)), ((2, 1, 3), (4, 1))]:
        feeds = placeholders(shapes, declared)
        a, b = feeds
        check(a * b, feeds, order=2)


def test_one_graph_for_all_sizes() -> None:
    """The axes are chosen in each run, by one plan."""
    a, b = gc.placeholder(gc.float64, [None, None]), gc.placeholder(gc.float64, [None, None])
    found = gc.gradients(a * b, [a, b])
    rng = np.random.default_rng(1)
    with gc.Session() as session:
        for sizes in itertools.product((0, 1, 3), repeat=4):
            x, y = rng.normal(size=sizes[:2]), rng.normal(size=sizes[2:])
            if any(m != n and 1 not in (m, n) for m, n in zip(x.shape, y.shape, strict=True)):
                continue
            whole = np.broadcast_shapes(x.shape, y.shape)
            for g, one, other in zip(session.run(found, {a: x, b: y}), (x, y), (y, x), strict=True):
                axes = tuple(i for i in range(2) if one.shape[i] == 1)
                expected = np.broadcast_to(other, whole).sum(axis=axes, keepdims=True)
                np.testing.assert_allclose(g, expected, rtol=1e-12)
                assert g.shape == one.shape


def test_many_axes() -> None:
    """More open axes than one map over split axes could have."""
    feeds = placeholders([(1, 2, 1, 2, 1, 2, 1, 2), (2, 1, 2, 1, 2, 1, 2, 1)])
    a, b = feeds
    check(a * b, feeds)


@pytest.mark.parametrize(("invariant", "other"), [((2, 3), (2, 1)), ((1, 3), (1, 1)), ((2, 3), (1, 3)),
                                                  ((0, 3), (0, 1)), ((2, 3), ()), ((2, 3), (3,))])
@pytest.mark.parametrize("declared", [[None, 3], [None, None]])
def test_in_a_loop(invariant: tuple[int, ...], other: tuple[int, ...], declared: Any) -> None:
    rng = np.random.default_rng(5)
    x, w = gc.placeholder(gc.float64, declared), gc.placeholder(gc.float64, [None] * len(other))
    h = gc.while_loop(lambda i, h: i < 3, lambda i, h: [i + 1, gc.tanh(h * w) + h / (w + 1.0)], [0, x],
                      shape_invariants=[[], [None, None]])[1]
    check(h, {x: rng.uniform(0.5, 1, invariant), w: rng.uniform(0.5, 1, other)}, order=2)


@pytest.mark.parametrize("shapes", SHAPES)
def test_in_a_branch(shapes: Any) -> None:
    feeds = placeholders(shapes)
    a, b = feeds
    y = gc.cond(gc.reduce_sum(a) > -1.0, lambda: a * b, lambda: a / b)
    check(y, feeds, order=2)


def test_sizes_that_do_not_fit() -> None:
    a, b = gc.placeholder(gc.float64, [None, None]), gc.placeholder(gc.float64, [None, None])
    found = gc.gradients(a * b, [a, b])
    with gc.Session() as session, pytest.raises(gc.errors.InvalidArgumentError, match=r"\(2, 3\) and \(3, 3\)"):
        session.run(found, {a: np.ones((2, 3)), b: np.ones((3, 3))})
