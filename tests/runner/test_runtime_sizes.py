"""Outputs whose sizes come out of the data: runs with equal input shapes and other values, against NumPy and Python.

A frame of the runtime is kept from run to run and still holds the sizes of the run before; none of them may be taken
for those of the next run.
"""
from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import pytest

import graphc as gc

import native as n
from files import build_runner
from threads import in_threads

N = None
Arrays = list[np.ndarray]


@dataclass(frozen=True)
class Program:
    """build() -> placeholders, outputs; feeds(rng) -> values of equal shapes each time; expected(*values) by NumPy."""
    build: Callable[[], tuple[list[gc.Tensor], list[gc.Tensor]]]
    feeds: Callable[[np.random.Generator], Arrays]
    expected: Callable[..., Arrays]


def _floats(rng: np.random.Generator, *shape: int) -> np.ndarray:
    return rng.standard_normal(shape).astype(np.float32)


def _bools(rng: np.random.Generator, *shape: int) -> np.ndarray:
    """Anything from all False to all True."""
    return rng.random(shape) < rng.choice([0, 0.1, 0.5, 0.9, 1])


def _masked(shape: list[int | None], mask_rank: int, *sizes: int) -> Program:
    def build() -> tuple[list[gc.Tensor], list[gc.Tensor]]:
        x, m = gc.placeholder(gc.float32, shape), gc.placeholder(gc.bool, shape[:mask_rank])
        return [x, m], [gc.boolean_mask(x, m)]

    return Program(build, lambda rng: [_floats(rng, *sizes), _bools(rng, *sizes[:mask_rank])], lambda x, m: [x[m]])


def _known_and_unknown() -> tuple[list[gc.Tensor], list[gc.Tensor]]:
    x, m = gc.placeholder(gc.float32, [N, 3]), gc.placeholder(gc.bool, [N])
    kept = gc.boolean_mask(x, m)
    return [x, m], [x + 1, kept, gc.reduce_sum(kept, 0), gc.where(m), kept * 2]


def _places(rank: int) -> Program:
    def build() -> tuple[list[gc.Tensor], list[gc.Tensor]]:
        m = gc.placeholder(gc.bool, [N] * rank)
        return [m], [gc.where(m)]

    return Program(build, lambda rng: [_bools(rng, *[9, 4, 3][:rank])], lambda m: [np.argwhere(m)])


def _grown() -> tuple[list[gc.Tensor], list[gc.Tensor]]:
    x, turns = gc.placeholder(gc.float32, [N]), gc.placeholder(gc.int32, [])
    _, made = gc.while_loop(lambda i, _: i < turns, lambda i, a: [i + 1, gc.concat([a, a + 1], 0)], [0, x],
                            shape_invariants=[gc.TensorShape([]), gc.TensorShape([N])])
    return [x, turns], [made]


def _grown_by_numpy(x: np.ndarray, turns: np.ndarray) -> Arrays:
    for _ in range(int(turns)):
        x = np.concatenate([x, x + 1])
    return [x]


def _branches() -> tuple[list[gc.Tensor], list[gc.Tensor]]:
    p, x = gc.placeholder(gc.bool, []), gc.placeholder(gc.float32, [N])
    return [p, x], [gc.cond(p, lambda: x[:2], lambda: gc.concat([x, x, x], 0))]


def _branch_of_masks() -> tuple[list[gc.Tensor], list[gc.Tensor]]:
    p, x, m = gc.placeholder(gc.bool, []), gc.placeholder(gc.float32, [N]), gc.placeholder(gc.bool, [N])
    return [p, x, m], [gc.cond(p, lambda: gc.boolean_mask(x, m), lambda: x * 2)]


def _filled() -> tuple[list[gc.Tensor], list[gc.Tensor]]:
    size, value = gc.placeholder(gc.int32, [2]), gc.placeholder(gc.float32, [])
    return [size, value], [gc.fill(size, value)]


def _counted() -> tuple[list[gc.Tensor], list[gc.Tensor]]:
    limit = gc.placeholder(gc.int32, [])
    return [limit], [gc.range(limit), gc.zeros([limit, 2]) + 1]


def _cut() -> tuple[list[gc.Tensor], list[gc.Tensor]]:
    x, begin, end = gc.placeholder(gc.float32, [N, 3]), gc.placeholder(gc.int32, []), gc.placeholder(gc.int32, [])
    return [x, begin, end], [x[begin:end]]


def _padded() -> tuple[list[gc.Tensor], list[gc.Tensor]]:
    """A map behind a kernel that writes a part of its result, more of which is padding than a tile holds."""
    x, before, behind = (gc.placeholder(dtype, shape) for dtype, shape in (
        (gc.float32, [N, 3]), (gc.int32, []), (gc.int32, [])))
    return [x, before, behind], [gc.tanh(gc.pad(x, [[before, behind], [0, 0]]) + 1.0),
                                 gc.tanh(gc.pad(x, [[0, behind * 999], [0, 0]]) + 1.0)]


def _padded_by_numpy(x: np.ndarray, before: np.ndarray, behind: np.ndarray) -> Arrays:
    return [np.tanh(np.pad(x, [(int(a), int(b)), (0, 0)]) + 1) for a, b in ((before, behind), (0, behind * 999))]


def _by_size(rng: np.random.Generator) -> np.ndarray:
    return np.array(rng.integers(0, 30), np.int32)


PROGRAMS = {
    "mask": _masked([N], 1, 100),
    "mask_of_rows": _masked([N, 3], 1, 40, 3),
    "mask_of_matrix": _masked([N, N], 2, 11, 7),
    "mask_of_static_size": _masked([64], 1, 64),
    "known_and_unknown": Program(
        _known_and_unknown, lambda rng: [_floats(rng, 20, 3), _bools(rng, 20)],
        lambda x, m: [x + 1, x[m], x[m].sum(0), np.argwhere(m), x[m] * 2]),
    "places_1": _places(1),
    "places_2": _places(2),
    "places_3": _places(3),
    "grown": Program(_grown, lambda rng: [_floats(rng, 5), np.array(rng.integers(0, 7), np.int32)], _grown_by_numpy),
    "branches": Program(
        _branches, lambda rng: [np.array(rng.random() < 0.5), _floats(rng, 50)],
        lambda p, x: [x[:2] if p else np.concatenate([x, x, x])]),
    "branch_of_masks": Program(
        _branch_of_masks, lambda rng: [np.array(rng.random() < 0.7), _floats(rng, 60), _bools(rng, 60)],
        lambda p, x, m: [x[m] if p else x * 2]),
    "filled": Program(
        _filled, lambda rng: [rng.integers(0, 20, 2).astype(np.int32), _floats(rng)],
        lambda size, value: [np.full(size, value)]),
    "counted": Program(
        _counted, lambda rng: [_by_size(rng)],
        lambda limit: [np.arange(limit, dtype=np.int32), np.ones((int(limit), 2), np.float32)]),
    "cut": Program(
        _cut, lambda rng: [_floats(rng, 40, 3), _by_size(rng), _by_size(rng)],
        lambda x, begin, end: [x[int(begin):int(end)]]),
    "padded": Program(_padded, lambda rng: [_floats(rng, 7, 3), _by_size(rng), _by_size(rng)], _padded_by_numpy),
    "padded nothing": Program(_padded, lambda rng: [_floats(rng, 0, 3), _by_size(rng), _by_size(rng)],
                              _padded_by_numpy),
}


@pytest.fixture(scope="module")
def native() -> Iterator[n.Native]:
    yield n.Native(build_runner() / "libgraphc.so")


def _equal(found: Arrays, right: Arrays) -> None:
    for a, b in zip(found, right, strict=True):
        assert np.shape(a) == np.shape(b)
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("name", PROGRAMS)
def test_equal_shapes_other_values(native: n.Native, name: str) -> None:
    program, rng = PROGRAMS[name], np.random.default_rng(0)
    with gc.Graph().as_default() as graph, gc.Session(graph=graph) as session:
        inputs, outputs = program.build()
        file = gc.freeze(session, outputs, inputs).SerializeToString()
        with native.load(file) as model:
            sizes = set()
            for _ in range(25):
                values = [np.asarray(v) for v in program.feeds(rng)]
                found, right = model.run(values), program.expected(*values)
                _equal(found, right)
                _equal(session.run(outputs, dict(zip(inputs, values, strict=True))), right)
                sizes.add(tuple(a.shape for a in found))
        assert len(sizes) > 1, "the sizes were to differ"


@pytest.mark.parametrize("name", PROGRAMS)
def test_from_several_threads(native: n.Native, name: str) -> None:
    program = PROGRAMS[name]
    with gc.Graph().as_default() as graph, gc.Session(graph=graph) as session:
        inputs, outputs = program.build()
        file = gc.freeze(session, outputs, inputs).SerializeToString()
    with native.load(file) as model:
        def work(number: int) -> None:
            rng = np.random.default_rng(number)
            for _ in range(40):
                values = [np.asarray(v) for v in program.feeds(rng)]
                _equal(model.run(values), program.expected(*values))

        in_threads(6, work)


def test_model_without_inputs(native: n.Native) -> None:
    """Of other sizes in each run, though there is no input that could tell the runs apart."""
    with gc.Graph().as_default() as graph, gc.Session(graph=graph) as session:
        drawn = gc.random_uniform([200], seed=1)
        file = gc.freeze(session, [drawn, gc.boolean_mask(drawn, drawn < 0.5)]).SerializeToString()
    with native.load(file) as model:
        sizes = set()
        for _ in range(20):
            all_of_them, kept = model.run([])
            _equal([kept], [all_of_them[all_of_them < 0.5]])
            sizes.add(kept.shape)
        assert len(sizes) > 1
