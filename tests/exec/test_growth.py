"""Time to bind and run a body of many segments: linear in its size, whatever there is many of.

Growth is compared, not seconds: four times as much may take 2.5 * 2.5 times as long. Were it quadratic, it would be 16.
"""
from __future__ import annotations

import time

import numpy as np
import pytest

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
FEW, MANY, GROWTH = 2_000, 8_000, 2.5 * 2.5


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


def seconds(n: int, what: str) -> float:
    """Of the thread's own time, the least of several tries: opening, a run that binds and one that does not."""
    plan, x, best = many_segments(n, what), np.full(1, 3, np.float32), float("inf")
    for _ in range(4):
        started = time.thread_time()
        engine = Engine(plan, threads=1)
        engine.run([x])
        assert engine.run([x])[-1] == 3
        best = min(best, time.thread_time() - started)
    return best


@pytest.mark.parametrize("what", ["nothing", "dims", "guards", "buffers", "aliases", "outputs", "handles"])
def test_time_is_linear_in_segments(what: str) -> None:
    few, many = seconds(FEW, what), seconds(MANY, what)
    assert many < GROWTH * few, (few, many)
