"""map_fn, scan, foldl, foldr, vectorized_map, case, switch_case: values, structures, gradients, shapes, errors."""
from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import graphc as gc
from graphc import errors

X = np.arange(12, dtype=np.float64).reshape(4, 3) / 7


@pytest.fixture(autouse=True)
def graph() -> Iterator[gc.Graph]:
    with gc.Graph().as_default() as made:
        yield made


def run(fetches: Any, feeds: Any = None) -> Any:
    with gc.Session() as session:
        return session.run(fetches, feeds)


def scanned(function: Callable[[Any, Any], Any], rows: Any, first: Any) -> np.ndarray:
    found = [first]
    for row in rows:
        found.append(function(found[-1], row))
    return np.array(found)


VALUES: dict[str, tuple[Callable[[gc.Tensor], gc.Tensor], np.ndarray]] = {
    "map": (lambda x: gc.map_fn(lambda r: gc.reduce_sum(r * r), x), (X * X).sum(1)),
    "map of two": (lambda x: gc.map_fn(lambda p: p[0] * p[1], (x, x + 1), dtype=gc.float64), X * (X + 1)),
    "map in map": (lambda x: gc.map_fn(lambda r: gc.map_fn(lambda e: e * e, r), x), X * X),
    "vectorized map": (lambda x: gc.vectorized_map(lambda r: {"y": r * r}, x)["y"], X * X),
    "scan": (lambda x: gc.scan(lambda a, r: a * r + r, x), scanned(lambda a, r: a * r + r, X[1:], X[0])),
    "scan from a value": (lambda x: gc.scan(lambda a, r: a + gc.reduce_sum(r), x, np.float64(0)), np.cumsum(X.sum(1))),
    "scan backwards": (lambda x: gc.scan(lambda a, r: a * 0.5 + r, x, reverse=True),
                       scanned(lambda a, r: a * 0.5 + r, X[:-1][::-1], X[3])[::-1]),
    "foldl": (lambda x: gc.foldl(lambda a, r: a * 0.5 + r, x), ((X[0] / 2 + X[1]) / 2 + X[2]) / 2 + X[3]),
    "foldr": (lambda x: gc.foldr(lambda a, r: a * 0.5 + r, x), ((X[3] / 2 + X[2]) / 2 + X[1]) / 2 + X[0]),
    "foldr from a value": (lambda x: gc.foldr(lambda a, r: a * 0.5 + r, x, np.ones(3)),
                           (((0.5 + X[3]) / 2 + X[2]) / 2 + X[1]) / 2 + X[0]),
}


@pytest.mark.parametrize("static", [True, False])
@pytest.mark.parametrize("name", VALUES)
def test_values_and_gradients(name: str, static: bool) -> None:
    function, expected = VALUES[name]
    x = gc.placeholder(gc.float64, [4, 3] if static else [None, 3])
    y = function(x)
    assert y.shape.as_list()[1:] == list(expected.shape[1:])
    assert not static or y.shape.as_list() == list(expected.shape)
    loss = gc.reduce_sum(gc.sin(y))
    dx = gc.gradients(loss, x)[0]
    with gc.Session() as session:
        np.testing.assert_allclose(session.run(y, {x: X}), expected, rtol=1e-12)
        found = session.run(dx, {x: X})
        for i in np.ndindex(X.shape):
            step = np.zeros_like(X)
            step[i] = 1e-6
            slope = (session.run(loss, {x: X + step}) - session.run(loss, {x: X - step})) / 2e-6
            np.testing.assert_allclose(found[i], slope, rtol=1e-6, atol=1e-7)


def test_structures() -> None:
    x, n = gc.constant(X), gc.range(4)
    made = gc.map_fn(lambda p: {"sum": gc.reduce_sum(p["x"]), "both": (p["n"], p["x"][0] > 0.5)}, {"x": x, "n": n},
                     dtype={"sum": gc.float64, "both": (gc.int32, gc.bool)})
    total = gc.foldl(lambda a, p: (a[0] + p[0][0], a[1] * 2 + p[1]), (x, n), initializer=(np.float64(0), 1))
    kept = gc.scan(lambda a, e: [a[1], a[0] + e], n, initializer=[0, 1])
    found, (first, second), (a, b) = run([made, total, kept])
    np.testing.assert_allclose(found["sum"], X.sum(1))
    assert found["both"][0].tolist() == [0, 1, 2, 3] and found["both"][1].tolist() == [False, False, True, True]
    np.testing.assert_allclose([first, second], [X[:, 0].sum(), 27])
    assert a.tolist() == [1, 0, 2, 2] and b.tolist() == [0, 2, 2, 5]


def test_nothing_to_map() -> None:
    x = gc.placeholder(gc.float32, [None, 2])
    mapped = gc.map_fn(lambda r: r * 2, x)
    folded = gc.foldl(lambda a, r: a + r, x, initializer=np.zeros(2, np.float32))
    with gc.Session() as session:
        assert session.run(mapped, {x: np.ones((3, 2))}).tolist() == [[2, 2]] * 3
        assert session.run(folded, {x: np.zeros((0, 2))}).tolist() == [0, 0]
        assert session.run(gc.map_fn(lambda r: r * 2, gc.zeros([0, 2]))).shape == (0, 2)


def test_options_and_names() -> None:
    x = gc.constant(X)
    y = gc.map_fn(lambda r: r * 2, x, parallel_iterations=3, back_prop=False, swap_memory=True, infer_shape=False,
                  name="mine")
    assert gc.gradients(y, x) == [None] and y.op.name.startswith("mine/")
    assert gc.scan(lambda a, r: a + r, x, name="other").op.name.startswith("other/")
    assert gc.foldl(lambda a, r: a + r, x).op.name.startswith("foldl/")


def test_refused() -> None:
    with pytest.raises(TypeError, match="must be callable"):
        gc.map_fn(3, X)
    with pytest.raises(ValueError, match="not scalars"):
        gc.map_fn(lambda e: e, 1.0)
    with pytest.raises(ValueError, match="different first sizes"):
        gc.map_fn(lambda p: p[0], (X, X[:2]), dtype=gc.float64)
    with pytest.raises(ValueError, match="nested structure"):
        gc.map_fn(lambda e: (e, e), X)
    with pytest.raises(TypeError, match="dtype"):
        gc.map_fn(lambda e: e, X, dtype=gc.int32)
    with pytest.raises(ValueError, match="nested structure"):
        gc.scan(lambda a, e: (a, e), X)


def test_case() -> None:
    p, q = gc.placeholder(gc.bool, []), gc.placeholder(gc.bool, [])
    x = gc.constant(3.0)
    pairs = [(p, lambda: x), (q, lambda: x * 2)]
    plain, exclusive = gc.case(pairs, default=lambda: -x), gc.case(pairs, default=lambda: -x, exclusive=True)
    without, last = gc.case({p: lambda: x, q: lambda: x * 2}), gc.case([(p, lambda: [x])], lambda: [x * 2], strict=True)
    assert isinstance(last, list)
    with gc.Session() as session:
        for a, b, expected in ((0, 0, -3), (1, 0, 3), (0, 1, 6)):
            assert session.run([plain, exclusive], {p: a, q: b}) == [expected, expected]
        assert session.run(plain, {p: 1, q: 1}) == 3 and session.run(without, {p: 0, q: 1}) == 6
        with pytest.raises(errors.InvalidArgumentError, match="more than 1 conditions"):
            session.run(exclusive, {p: 1, q: 1})
        with pytest.raises(errors.InvalidArgumentError, match="None of conditions"):
            session.run(without, {p: 0, q: 0})
    for wrong, message in ((3, "list, tuple, or dict"), ([p], "2-tuple"), ([(x, lambda: x)], "type bool"),
                           ([(p, x)], "callable"), ([(True, lambda: x)], "type bool")):
        with pytest.raises(TypeError, match=message):
            gc.case(wrong)
    with pytest.raises(ValueError, match="non-empty"):
        gc.case([])


def test_switch_case() -> None:
    i, x = gc.placeholder(gc.int32, []), gc.constant(3.0)
    listed = gc.switch_case(i, [lambda: x, lambda: x * 2, lambda: x * 3])
    numbered = gc.switch_case(i, {7: lambda: x * 7, 5: lambda: x * 5}, default=lambda: -x)
    pairs = gc.switch_case(i, [(2, lambda: x * 2), (0, lambda: x * 0)])
    slope = gc.gradients(listed, x)[0]
    with gc.Session() as session:
        for number, expected in ((0, 3), (1, 6), (2, 9), (3, 9), (-1, 9)):
            assert session.run([listed, slope], {i: number}) == [expected, expected / 3]
        assert [session.run(numbered, {i: k}) for k in (5, 7, 6)] == [15, 21, -3]
        assert [session.run(pairs, {i: k}) for k in (0, 2, 1)] == [0, 6, 6]
    for wrong in ((gc.constant(1.0), [lambda: x]), (i, []), (i, [x]), (i, [(1.5, lambda: x)])):
        with pytest.raises(TypeError):
            gc.switch_case(*wrong)
