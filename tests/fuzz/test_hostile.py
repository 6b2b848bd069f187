"""Plans that were made to hurt: work out of all proportion to their size, loops without end, ports that lie."""
from __future__ import annotations

import dataclasses
import threading
import time
from typing import Any

import numpy as np
import pytest

from graphc import errors
from graphc.exec.engine import Engine
from graphc.plan.plan import (
    Access,
    Body,
    Buffer,
    BufferKind,
    Call,
    Dim,
    DimKind,
    Host,
    Instr,
    Map,
    Plan,
    Port,
    Program,
    Slot,
    Step,
)
from graphc.plan.verify import verify_plan
from graphc.serial.plan_proto import parse_plan, save_plan

from five import CASES

SECONDS = 5.0        # of a core: far more than any of these takes, far less than if work were not bounded
ONE = Program(("f32",), (), (0,))


def one_body(dims: list[Dim], steps: list[Step], programs: tuple[Program, ...] = (ONE,), **fields: Any) -> Plan:
    """x (f32, one element) -> y (f32, one element); dim 0 is 1, dim 1 is 0."""
    dims = [Dim(DimKind.CONST, value=1), Dim(DimKind.CONST, value=0), *dims]
    extra = fields.pop("buffers", ())
    buffers = (Buffer(BufferKind.INPUT, "f32", (0,)), Buffer(BufferKind.OUTPUT, "f32", (0,)), *extra)
    copy = Map(0, (0,), 0, (Access(0, 1, (0,)),), (Access(1, 1, (0,)),))
    body = Body("main", tuple(dims), buffers, (0,), (1,), fields.pop("slots", ()), (), (*steps, copy))
    return Plan((Port("x", "f32", (1,)),), (Port("y", "f32", (1,)),), (body,), programs, **fields)


def refused(plan: Plan, *hosts: str) -> None:
    started = time.process_time()
    with pytest.raises(errors.OpError):
        Engine(plan, hosts={name: lambda: 0 for name in hosts}, threads=1)
    assert time.process_time() - started < SECONDS


def cancelled(plan: Plan, threads: int) -> None:
    engine, flag, started = Engine(plan, threads=threads), np.zeros(1, np.int64), time.process_time()
    timer = threading.Timer(0.2, lambda: flag.__setitem__(0, 1))
    timer.start()
    with pytest.raises(errors.CancelledError):
        engine.run([np.ones(1, np.float32)], cancel=flag.ctypes.data)
    timer.join()
    assert time.process_time() - started < SECONDS


def test_plain() -> None:
    assert Engine(one_body([], []), threads=1).run([np.full(1, 3, np.float32)])[0] == 3


@pytest.mark.parametrize("threads", [1, 2])
def test_a_map_of_endless_points_can_be_cancelled(threads: int) -> None:
    wide = Dim(DimKind.CONST, value=1 << 40)
    cancelled(one_body([wide], [Map(0, (2,), 0, (Access(0, 1, (1,)),), (Access(1, 1, (1,)),))]), threads)


def test_a_column_reduction_of_endless_lines_is_refused_or_cancelled() -> None:
    total = Program(("f32",), (Instr("reduce.add", "f32", (0,)),), (1,))
    dims = [Dim(DimKind.CONST, value=v) for v in (1 << 42, 4, 8)]
    matrix = Buffer(BufferKind.ARENA, "f32", (3, 4))
    row = Buffer(BufferKind.ARENA, "f32", (4,))
    fill = Map(0, (3, 4), 0, (Access(0, 1, (1, 1)),), (Access(2, 1, (4, 0)),))
    reduce = Map(1, (4, 2, 3), 2, (Access(2, 1, (0, 1, 4)),), (Access(3, 1, (0,)),))
    plan = one_body(dims, [fill, reduce], (ONE, total), buffers=(matrix, row))
    started = time.process_time()
    with pytest.raises(errors.OpError):
        Engine(plan, threads=1, memory_limit=1 << 24).run([np.ones(1, np.float32)])
    assert time.process_time() - started < SECONDS


def test_many_slots_of_a_step() -> None:
    many = 200_000
    host = Host(0, (), tuple(range(many)))
    plan = one_body([], [host, host], slots=(Slot("f32", 0),) * many, hosts=("f",))
    started = time.process_time()
    Engine(plan, hosts={"f": lambda: 0}, threads=1)
    assert time.process_time() - started < SECONDS
    refused(one_body([], [Host(0, (), (0, 0))], slots=(Slot("f32", 0),), hosts=("f",)), "f")


def test_many_maps_of_a_long_program() -> None:
    long = Program((), tuple(Instr("const", "f32", (), 1.0) for _ in range(10_000)), (0,))
    plan = one_body([], [Map(1, (0,), 0, (), (Access(1, 1, (0,)),))] * 30_000, (ONE, long))
    refused(plan)


def test_dims_that_fan_in() -> None:
    """Each dim is the sum of the one before with itself: 2 ** n ways, but n dims."""
    dims = [Dim(DimKind.MUL, (i + 1, i + 1)) for i in range(60)]
    plan = one_body(dims, [], buffers=(Buffer(BufferKind.ARENA, "f32", (61,)),))
    started = time.process_time()
    verify_plan(plan)
    assert time.process_time() - started < SECONDS


@pytest.mark.parametrize("port", [Port("x", "f64", (1,)), Port("x", "f32", ()), Port("x", "i32", (1,))])
def test_ports_that_lie(port: Port) -> None:
    plan = dataclasses.replace(one_body([], []), inputs=(port,))
    refused(plan)
    with pytest.raises(errors.DataLossError, match="save the graph again"):
        parse_plan(save_plan(plan).SerializeToString())


@pytest.mark.parametrize("dtype", ["handle", "string"])
def test_feeds_are_numbers(dtype: str) -> None:
    plan = one_body([], [])
    body = plan.bodies[0]
    buffers = tuple(dataclasses.replace(b, dtype=dtype) for b in body.buffers)
    ports = [tuple(dataclasses.replace(p, dtype=dtype) for p in each) for each in (plan.inputs, plan.outputs)]
    step = Call("copy.handle", (0, 1), (0,))
    body = dataclasses.replace(body, buffers=buffers, steps=(step,))
    refused(Plan(*ports, (body,), ()))


def test_rows_too_long() -> None:
    plan = CASES["adam"]().plan
    body = plan.bodies[0]
    dims = (dataclasses.replace(body.dims[0], kind=DimKind.INPUT, operands=(0, 0, 0, 0, 0)), *body.dims[1:])
    refused(dataclasses.replace(plan, bodies=(dataclasses.replace(body, dims=dims), *plan.bodies[1:])))
