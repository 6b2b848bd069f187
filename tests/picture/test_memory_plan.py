"""The memory plan that is shown is the runtime's: what is alive at the same time lies apart, inside of the arena."""
from __future__ import annotations

import itertools
from xml.etree import ElementTree

import numpy as np
import pytest

import graphc as gc
from graphc.exec.memory_plan import MemoryPlan, element_size, memory_plans
from graphc.picture.memory import Rectangle, memory_svg


def engine_of(session: gc.Session):
    prepared, = [p for p in session._plans.values() if p.engines]
    engine, = prepared.engines.values()
    return engine


@pytest.fixture
def session():
    with gc.Graph().as_default():
        x = gc.placeholder(gc.float32, [None, 64], name="x")
        y = x
        for _ in range(4):
            y = gc.nn.softmax(gc.matmul(y, gc.constant(np.eye(64, dtype=np.float32))))
        with gc.Session() as made:
            for rows in (8, 32):
                made.run(y, {x: np.ones((rows, 64))})
            yield made


def test_each_shape_has_a_plan_and_its_sizes_grow(session: gc.Session) -> None:
    small, large = sorted(memory_plans(engine_of(session)), key=lambda plan: plan.shapes)
    assert (small.shapes, large.shapes) == (((8, 64),), ((32, 64),))
    assert [4 * b.size for b in small.buffers] == [b.size for b in large.buffers]
    assert small.buffers[0].size == 8 * 64 * 4
    assert 0 < small.size < large.size


def test_what_is_alive_together_lies_apart(session: gc.Session) -> None:
    for plan in memory_plans(engine_of(session)):
        check_apart(plan)


def check_apart(plan: MemoryPlan) -> None:
    for b in plan.buffers:
        assert 0 <= b.first <= b.last and b.offset % 64 == 0 and b.offset + b.size <= plan.arenas[b.segment]
    for a, b in itertools.combinations(plan.buffers, 2):
        together = a.segment == b.segment and a.first <= b.last and b.first <= a.last
        assert not together or a.offset + a.size <= b.offset or b.offset + b.size <= a.offset


def test_memory_is_used_again(session: gc.Session) -> None:
    plan = memory_plans(engine_of(session))[0]
    assert plan.size < sum(b.size for b in plan.buffers)


def test_sizes_that_a_run_finds_have_an_arena_of_their_own() -> None:
    with gc.Graph().as_default(), gc.Session() as session:
        x = gc.placeholder(gc.float32, [None])
        kept = gc.boolean_mask(x, x > 0)
        y = gc.cumsum(gc.exp(gc.cumsum(gc.cumsum(kept))))
        session.run(y, {x: np.float32([1, -1, 2])})
        plan, = memory_plans(engine_of(session))
    assert len(plan.arenas) > 1
    check_apart(plan)


def test_handles_are_words() -> None:
    assert [element_size(d) for d in ("handle", "f32", "bool", "bf16", "c128", "i64")] == [8, 4, 1, 2, 16, 8]


def test_the_picture_has_a_rectangle_a_buffer_to_scale() -> None:
    svg = ElementTree.fromstring(memory_svg([Rectangle("a <b>: x", 0, 1, 0, 50), Rectangle("c", 2, 2, 50, 50)], 3, 100))
    first, second = svg.findall("{http://www.w3.org/2000/svg}rect")
    assert float(first.get("width")) == 2 * float(second.get("width"))
    assert float(first.get("height")) == float(second.get("height"))
    assert float(first.get("y")) == float(second.get("y")) + float(second.get("height"))
    assert first.find("{http://www.w3.org/2000/svg}title").text == "a <b>: x"
