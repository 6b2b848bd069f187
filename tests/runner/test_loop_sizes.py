"""Loops that capture sizes, or quotients and the like of sizes, while what they carry grows or shrinks: what is
captured stays known inside, though the value that had this size has another one by then. Sessions and C++, against
NumPy."""
from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import graphc as gc

import native as n
from files import build_runner

TURNS = 3
SCALAR, VECTOR = gc.TensorShape([]), gc.TensorShape([None])

# What is made of a size and of a fed number, as a tensor and in Python.
NUMBERS: dict[str, tuple[Callable[[Any, Any], Any], Callable[[int, int], int]]] = {
    "itself": (lambda s, d: s, lambda s, d: s),
    "truncated": (lambda s, d: gc.truncatediv(s, 2), lambda s, d: s // 2),
    "truncated by a fed one": (lambda s, d: gc.abs(gc.truncatediv(s, d)), lambda s, d: s // abs(d)),
    "truncated of a difference": (lambda s, d: gc.truncatediv(s - 5, 2) + 3, lambda s, d: int((s - 5) / 2) + 3),
    "floored": (lambda s, d: gc.floordiv(s, 3), lambda s, d: s // 3),
    "rest": (lambda s, d: gc.floormod(s, 3), lambda s, d: s % 3),
    "least": (lambda s, d: gc.minimum(s, 2), lambda s, d: min(s, 2)),
    "greatest": (lambda s, d: gc.maximum(s, 4), lambda s, d: max(s, 4)),
    "product": (lambda s, d: gc.floormod(s * gc.truncatediv(s, 2), 5) + s, lambda s, d: s * (s // 2) % 5 + s),
}
Program = tuple[Callable[[Any, Any, Any], Any], Callable[[np.ndarray, Callable[[int], int]], np.ndarray]]


def size_of(x: Any) -> Any:
    return gc.shape(x)[0]


def loop(step: Callable[[Any, Any], Any], start: Any) -> Any:
    return gc.while_loop(lambda i, a: i < TURNS, lambda i, a: [i + 1, step(i, a)], [0, start],
                         shape_invariants=[SCALAR, VECTOR])[1]


def turns(step: Callable[[int, np.ndarray], np.ndarray], start: np.ndarray) -> np.ndarray:
    for i in range(TURNS):
        start = step(i, start).astype(np.float32)
    return start


def filled(size: Any, x: Any) -> Any:
    return gc.fill([size], gc.reduce_sum(x))


def _grown(x: Any, d: Any, number: Any) -> Any:
    size = number(size_of(x), d)
    return loop(lambda i, a: gc.concat([a, filled(size, x)], 0), x)


def _shrunken(x: Any, d: Any, number: Any) -> Any:
    size = number(size_of(x), d)
    return loop(lambda i, a: gc.concat([a[:size] * 2.0, a[:1]], 0), x)


def _in_loops(x: Any, d: Any, number: Any) -> Any:
    size = number(size_of(x), d)

    def step(i: Any, a: Any) -> Any:
        return loop(lambda j, b: gc.concat([b[1:], filled(size, b), x], 0), a)[:number(size_of(a), d) + 2]

    return loop(step, x)


def _made_inside(x: Any, d: Any, number: Any) -> Any:
    def step(i: Any, a: Any) -> Any:
        both = gc.concat([a, x], 0)
        return gc.concat([filled(number(size_of(both), d), x), a[:1]], 0)

    return loop(step, x)


def _branches(x: Any, d: Any, number: Any) -> Any:
    size = number(size_of(x), d)
    return loop(lambda i, a: gc.cond(gc.equal(i, 1), lambda: gc.concat([a[:size], x], 0),
                                     lambda: gc.concat([a, filled(size, x)], 0)), x)


def _only_captured(x: Any, d: Any, number: Any) -> Any:
    """x itself is no operand of the loop."""
    size = number(size_of(x), d)
    return loop(lambda i, a: gc.concat([a, gc.ones([size])], 0), gc.ones([size_of(x)]))


def _pieces(a: np.ndarray, size: int, x: np.ndarray) -> np.ndarray:
    return np.concatenate([a, np.full(size, x.sum())])


def _in_loops_by_numpy(x: np.ndarray, number: Callable[[int], int]) -> np.ndarray:
    size = number(len(x))
    return turns(lambda i, a: turns(lambda j, b: np.concatenate([b[1:], np.full(size, b.sum()), x]), a)[
        :number(len(a)) + 2], x)


PROGRAMS: dict[str, Program] = {
    "grown": (_grown, lambda x, f: turns(lambda i, a: _pieces(a, f(len(x)), x), x)),
    "shrunken": (_shrunken, lambda x, f: turns(lambda i, a: np.concatenate([a[:f(len(x))] * 2, a[:1]]), x)),
    "in loops": (_in_loops, _in_loops_by_numpy),
    "made inside": (_made_inside, lambda x, f: turns(
        lambda i, a: np.concatenate([np.full(f(len(a) + len(x)), x.sum()), a[:1]]), x)),
    "branches": (_branches, lambda x, f: turns(
        lambda i, a: np.concatenate([a[:f(len(x))], x]) if i == 1 else _pieces(a, f(len(x)), x), x)),
    "only captured": (_only_captured, lambda x, f: np.ones(len(x) + TURNS * f(len(x)))),
}
FED = [(np.arange(size, dtype=np.float32) / 8 - 1, np.array(d, np.int32))
       for size, d in ((4, -3), (1, 2), (0, 1), (7, 2), (17, -5))]


@pytest.fixture(scope="module")
def native() -> Iterator[n.Native]:
    yield n.Native(build_runner() / "libgraphc.so")


@pytest.mark.parametrize("fusion", ["1", "0"])
@pytest.mark.parametrize("number", NUMBERS)
@pytest.mark.parametrize("program", PROGRAMS)
def test_sizes_captured(program: str, number: str, fusion: str, native: n.Native,
                        monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRAPHC_FUSION", fusion)
    (build, by_numpy), (of_tensors, of_numbers) = PROGRAMS[program], NUMBERS[number]
    with gc.Graph().as_default() as graph, gc.Session(graph=graph) as session:
        x, d = gc.placeholder(gc.float32, [None], name="x"), gc.placeholder(gc.int32, [], name="d")
        made = build(x, d, of_tensors)
        file = gc.freeze(session, [made, d * 2], [x, d]).SerializeToString()
        with native.load(file) as model:
            for value, divisor in FED:
                right = by_numpy(value, lambda s, by=int(divisor): of_numbers(s, by))
                for _ in range(2):
                    for found in (session.run(made, {x: value, d: divisor}), model.run([value, divisor])[0]):
                        assert found.shape == right.shape
                        np.testing.assert_allclose(found, right, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("number", NUMBERS)
@pytest.mark.parametrize("program", ["grown", "shrunken", "in loops", "branches"])
def test_gradients(program: str, number: str, native: n.Native) -> None:
    """Of a weighted sum, which is linear in x where the sizes stay: central differences are exact."""
    (build, by_numpy), (of_tensors, of_numbers) = PROGRAMS[program], NUMBERS[number]
    with gc.Graph().as_default() as graph, gc.Session(graph=graph) as session:
        x, d = gc.placeholder(gc.float32, [None], name="x"), gc.placeholder(gc.int32, [], name="d")
        made = build(x, d, of_tensors)
        weights = gc.cos(gc.cast(gc.range(size_of(made)), gc.float32))
        gradient = gc.gradients(gc.reduce_sum(made * weights), x)[0]
        file = gc.freeze(session, [gradient, d * 2], [x, d]).SerializeToString()
        with native.load(file) as model:
            for value, divisor in FED[:4]:
                def total(moved: np.ndarray, by: int = int(divisor)) -> float:
                    result = by_numpy(moved, lambda s: of_numbers(s, by)).astype(np.float64)
                    return float(result @ np.cos(np.arange(len(result))))

                right = [(total(value + unit) - total(value - unit)) / 2
                         for unit in np.eye(len(value), dtype=np.float32)]
                for found in (session.run(gradient, {x: value, d: divisor}), model.run([value, divisor])[0]):
                    np.testing.assert_allclose(found, np.reshape(right, value.shape), rtol=1e-3, atol=1e-3)
