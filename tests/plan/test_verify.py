"""Each invariant that plan/verify.py checks, broken once in a sound Plan."""
from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest

from graphc.errors import InternalError
from graphc.plan.plan import Access, Buffer, BufferKind, Call, Dim, DimKind, Instr, Map, Plan, Program, Take
from graphc.plan.verify import verify_plan

from five import CASES


def changed(plan: Plan, body: int = 0, **fields: Any) -> Plan:
    bodies = list(plan.bodies)
    bodies[body] = dataclasses.replace(bodies[body], **fields)
    return dataclasses.replace(plan, bodies=tuple(bodies))


def steps(plan: Plan, change: Callable[[list[Any]], None], body: int = 0) -> Plan:
    made = list(plan.bodies[body].steps)
    change(made)
    return changed(plan, body, steps=tuple(made))


def late_operand(plan: Plan) -> Plan:
    rows = list(plan.bodies[0].dims)
    rows[0] = Dim(DimKind.ADD, (len(rows) - 1, 0))
    return changed(plan, dims=tuple(rows))


def unbound(plan: Plan) -> Plan:
    return changed(plan, dims=(*plan.bodies[0].dims, Dim(DimKind.RUNTIME)))


def missing_input(plan: Plan) -> Plan:
    return changed(plan, dims=(*plan.bodies[0].dims, Dim(DimKind.INPUT, (7, 0))))


def alias_of_alias(plan: Plan) -> Plan:
    buffers = plan.bodies[0].buffers
    number = next(i for i, b in enumerate(buffers) if b.kind == BufferKind.ALIAS)
    return changed(plan, buffers=(*buffers, Buffer(BufferKind.ALIAS, "f32", buffers[number].dims, number)))


def wide_rank(plan: Plan) -> Plan:
    return changed(plan, buffers=(*plan.bodies[0].buffers, Buffer(BufferKind.ARENA, "f32", (0,) * 9)))


def write_input(plan: Plan) -> Plan:
    def change(made: list[Any]) -> None:
        operands = (*made[0].operands[:-1], plan.bodies[0].inputs[0])
        made[0] = dataclasses.replace(made[0], operands=operands, epilogue=None)
    return steps(plan, change)


def unlisted_state(plan: Plan) -> Plan:
    return changed(plan, writes=())


def read_first(plan: Plan) -> Plan:
    return steps(plan, lambda made: made.reverse())


def take_first(plan: Plan) -> Plan:
    return steps(plan, lambda made: made.insert(0, next(s for s in made if isinstance(s, Take))))


def backward_body(plan: Plan) -> Plan:
    def change(made: list[Any]) -> None:
        number = next(i for i, s in enumerate(made) if type(s).__name__ == "While")
        made[number] = dataclasses.replace(made[number], body=0)
    return steps(plan, change)


def unknown_origin(plan: Plan) -> Plan:
    def change(made: list[Any]) -> None:
        made[0] = dataclasses.replace(made[0], origins=(99,))
    return steps(plan, change)


def late_argument(plan: Plan) -> Plan:
    wrong = Program(("f32",), (Instr("neg", "f32", (1,)),), (1,))
    return dataclasses.replace(plan, programs=(wrong, *plan.programs[1:]))


def wrong_dtype(plan: Plan) -> Plan:
    programs = [dataclasses.replace(p, loads=("f64", *p.loads[1:])) for p in plan.programs]
    return dataclasses.replace(plan, programs=tuple(programs))


def short_load(plan: Plan) -> Plan:
    def change(made: list[Any]) -> None:
        number = next(i for i, s in enumerate(made) if isinstance(s, Map))
        load = made[number].loads[0]
        made[number] = dataclasses.replace(made[number], loads=(
            Access(load.buffer, load.offset, load.strides + (0, 0)), *made[number].loads[1:]))
    return steps(plan, change)


def in_place_kernel(plan: Plan) -> Plan:
    def change(made: list[Any]) -> None:
        number = next(i for i, s in enumerate(made) if isinstance(s, Call) and s.kernel.startswith("matmul"))
        operands = made[number].operands
        made[number] = dataclasses.replace(made[number], operands=(*operands[:-1], operands[0]))
    return steps(plan, change)


BROKEN: dict[str, tuple[str, Callable[[Plan], Plan], str]] = {
    "dim operands": ("adam", late_operand, "its operands come before it"),
    "unbound dim": ("adam", unbound, "every RUNTIME dim is bound once"),
    "missing input": ("adam", missing_input, "input 7 exists"),
    "alias of alias": ("conv_norm_dense", alias_of_alias, "that is no alias"),
    "rank": ("adam", wide_rank, "its rank is at most 8"),
    "input written": ("conv_norm_dense", write_input, "it writes no INPUT buffer"),
    "state written": ("adam", unlisted_state, "the body lists state"),
    "read before write": ("conv_norm_dense", read_first, "is written before it is read"),
    "slot": ("loop_with_host", take_first, "is filled before"),
    "bodies": ("loop_with_host", backward_body, "has a larger number"),
    "origins": ("adam", unknown_origin, "its origins exist"),
    "program order": ("adam", late_argument, "come before it"),
    "dtype": ("adam", wrong_dtype, "is of f64"),
    "strides": ("adam", short_load, "a load has a stride for each axis"),
    "kernel in place": ("masked_matmul", in_place_kernel, "it does not write its inputs"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_broken(name: str) -> None:
    case, breaking, message = BROKEN[name]
    with pytest.raises(InternalError) as error:
        verify_plan(breaking(CASES[case]().plan))
    assert message in str(error.value)
