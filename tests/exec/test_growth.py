"""Time to bind and run a body of many segments: linear in its size, whatever there is many of."""
from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from growth import assert_proportional

from graphc.exec.engine import Engine
from graphc.plan.plan import (
    Access,
    Bind,
    Body,
    Buffer,
    BufferKind,
    Dim,
    DimKind,
    Guard,
    GuardKind,
    Map,
    Plan,
    Port,
    Program,
    Step,
)

COPY = Program(("f32",), (), (0,))


def many_segments(n: int, what: str) -> Plan:
    """n steps that bind a dim each, and n of something else."""
    dims = [Dim(DimKind.CONST, value=v) for v in (1, 0, 2)]
    dims += [Dim(DimKind.RUNTIME) for _ in range(n)]
    if what == "dims":
        dims += [Dim(DimKind.ADD, (3 + i, 0)) for i in range(n)]
    x, counter = Buffer(BufferKind.INPUT, "f32", (0,)), Buffer(BufferKind.COUNTER, "i64", (2,))
    buffers, steps, guards = [x, counter], list[Step](), []
    outputs = n if what == "outputs" else 1
    buffers += [Buffer(BufferKind.OUTPUT, "f32", (0,), i) for i in range(outputs)]
    for i in range(n):
        steps.append(Bind(1, (3 + i,)))
        if what == "guards":
            guards.append(Guard(GuardKind.LESS_EQUAL, 1, 3 + i, 0, ""))
        elif what == "aliases":
            buffers.append(Buffer(BufferKind.ALIAS, "f32", (0, 0), 0))
        elif what == "handles":
            buffers.append(Buffer(BufferKind.ARENA, "handle", (3 + i,)))
        elif what == "buffers":
            buffers.append(Buffer(BufferKind.ARENA, "f32", (0,)))
            steps.append(_copy(0, len(buffers) - 1))
        elif what == "outputs":
            steps.append(_copy(0, 2 + i))
    if what != "outputs":
        steps.append(_copy(0, 2))
    ports = tuple(Port(f"y{i}", "f32", (1,)) for i in range(outputs))
    body = Body("main", tuple(dims), tuple(buffers), (0,), tuple(2 + i for i in range(outputs)), (), tuple(guards),
                tuple(steps))
    return Plan((Port("x", "f32", (1,)),), ports, (body,), (COPY,))


def _copy(source: int, target: int) -> Map:
    return Map(0, (0,), 0, (Access(source, 1, (0,)),), (Access(target, 1, (0,)),))


@pytest.mark.parametrize("what", ["nothing", "dims", "guards", "buffers", "aliases", "outputs", "handles"])
def test_time_is_linear_in_segments(what: str) -> None:
    x = np.full(1, 3, np.float32)

    def opening(n: int) -> Callable[[], object]:
        plan = many_segments(n, what)
        return lambda: open_and_run(plan)

    def open_and_run(plan: Plan) -> None:
        """A run that binds and one that does not."""
        engine = Engine(plan, threads=1)
        engine.run([x])
        assert engine.run([x])[-1] == 3

    assert_proportional(opening, 1_000)
