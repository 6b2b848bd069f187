"""Placing buffers: what is alive together lies apart, close to the least that any placement takes, and in a time that
does not grow with the square of a chain's length; frames for many shapes take a bounded amount of memory."""
from __future__ import annotations

import itertools
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

import graphc as gc
from graphc.exec import engine as engines
from graphc.exec.engine import Engine
from graphc.exec.memory_plan import MemoryPlan, memory_plan, memory_plans
from graphc.plan.plan import Access, Body, Buffer, BufferKind, Dim, DimKind, Map, Plan, Port, Program

sys.path.insert(0, str(Path(__file__).parent.parent / "passes"))

from growth import assert_proportional

from picture_nets import NETS, built

NEAR = 1.1      # of the least


def check(plan: MemoryPlan) -> None:
    for a, b in itertools.combinations(plan.buffers, 2):
        together = a.segment == b.segment and a.first <= b.last and b.first <= a.last
        assert not together or a.offset + a.size <= b.offset or b.offset + b.size <= a.offset, (a, b)
    assert plan.least <= plan.size <= NEAR * plan.least


def intervals(sizes: list[int], lives: list[tuple[int, int]]) -> Plan:
    """Buffer i, of so many numbers, is written by step lives[i][0] and read for the last time by step lives[i][1]; each
    step copies a number to or from each buffer that it is said to touch."""
    dims = [Dim(DimKind.CONST, value=v) for v in (1, 0, *sizes)]
    buffers = [Buffer(BufferKind.INPUT, "f32", (0,)), Buffer(BufferKind.OUTPUT, "f32", (0,))]
    buffers += [Buffer(BufferKind.ARENA, "f32", (2 + i,)) for i in range(len(sizes))]
    read: list[list[Access]] = [[] for _ in range(max(last for _, last in lives) + 1)]
    written: list[list[Access]] = [[] for _ in read]
    for i, (first, last) in enumerate(lives):
        written[first].append(Access(2 + i, 1, (0,)))
        read[last].append(Access(2 + i, 1, (0,)))
    steps = list(zip(map(tuple, read), map(tuple, written), strict=True))
    kinds = sorted({(len(r), len(w)) for r, w in steps})
    programs = tuple(Program(("f32",) * (1 + r), (), (0,) * (w + 1)) for r, w in kinds)
    maps = tuple(Map(kinds.index((len(r), len(w))), (0,), 0, (Access(0, 1, (0,)), *r), (*w, Access(1, 1, (0,))))
                 for r, w in steps)
    body = Body("main", tuple(dims), tuple(buffers), (0,), (1,), (), (), maps)
    return Plan((Port("x", "f32", (1,)),), (Port("y", "f32", (1,)),), (body,), programs)


def placed(plan: Plan) -> MemoryPlan:
    engine = Engine(plan, threads=1)
    engine.run([np.ones(1, np.float32)])
    found, = memory_plans(engine)
    return found


@pytest.mark.parametrize("seed", range(12))
def test_random_lifetimes(seed: int) -> None:
    draw = np.random.default_rng(seed)
    firsts = np.sort(draw.integers(0, 90, 150))
    lives = [(int(f), int(f + 1 + draw.geometric(0.15))) for f in firsts]
    sizes = [int(s) for s in draw.choice([1, 17, 31, 1_000, 4_096, 65_536], 150)]
    check(placed(intervals(sizes, lives)))


def test_buffers_that_one_after_the_other_have_no_gap_share_a_place() -> None:
    found = placed(intervals([100] * 40, [(i, i + 1) for i in range(40)]))
    check(found)
    assert found.size == 2 * 448


def test_a_hole_of_several_steps_is_used() -> None:
    sizes, lives = [4_096, 4_096, 1_024], [(0, 1), (8, 9), (3, 6)]
    assert placed(intervals(sizes, lives)).size == 4 * 4_096


@pytest.fixture(params=[(name, training) for name in NETS for training in (False, True)], ids=str)
def net(request: pytest.FixtureRequest) -> Iterator[MemoryPlan]:
    name, training = request.param
    with gc.Graph().as_default(), gc.Session() as session:
        x, fetches = built(name, "NHWC", training)
        session.run(gc.global_variables_initializer())
        value = np.zeros([4 if size is None else size for size in x.shape.as_list()], np.float32)
        yield session.explain(fetches, {x: value}, runs=1).memory


def test_networks_take_little_more_than_is_alive_at_the_same_time(net: MemoryPlan) -> None:
    check(net)


def test_time_is_linear_in_a_chain() -> None:
    def binding(n: int) -> Callable[[], object]:
        engine = Engine(intervals([100 + i % 3 for i in range(n)], [(i, i + 1) for i in range(n)]), threads=1)
        return lambda: engine.run([np.ones(1, np.float32)])

    assert_proportional(binding, 1_000)


def test_many_large_shapes_share_frames(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engines, "BYTES_KEPT", 4 << 20)
    with gc.Graph().as_default(), gc.Session() as session:
        x = gc.placeholder(gc.float32, [None, 256])
        y = gc.cumsum(gc.cumsum(x, 1), 1)
        for rows in (*range(1_000, 1_020), *range(1, 12), 1_003):
            assert session.run(y, {x: np.ones((rows, 256))})[rows - 1, 2] == 6
        prepared, = [p for p in session._plans.values() if p.engines]
        engine, = prepared.engines.values()
        assert len(engine._frames) <= 5        # of 1 MB each, and what little the small ones take
        assert memory_plan(engine, [(1_003, 256)]) is not None
