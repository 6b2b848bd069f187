"""Refusals of the runtime's verifier that random mutations (tests/fuzz) seldom come to, each by a small Plan."""
from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from graphc import errors
from graphc.exec.engine import Engine
from graphc.exec.image import make_image, number_names
from graphc.exec.library import load_library
from graphc.exec.native import native_functions
from graphc.kernels.layout import ListOperation
from graphc.kernels.runtime import tables as t
from graphc.plan.plan import Body, BufferKind, Host, If, Instr, List, Plan, Port, Program, Push, Step, Take, While

from hand import Writer, instr

COPY = Program(("f32",), (), (0,))
SUM_OF_SUM = Program(("f32",), (instr("reduce.add", "f32", 0), instr("reduce.add", "f32", 1)), (2,))


def writer(*dtypes: str) -> tuple[Writer, int, list[int]]:
    """A body with scalar inputs of these dtypes; the size 1, the inputs."""
    b = Writer("body")
    return b, b.const(1), [b.input(d) for d in dtypes]


def passing(dtype: str, out: str | None = None, outputs: int = 1) -> Body:
    """A body of one scalar, which it returns (as `out`: it only says so)."""
    b, one, (x,) = writer(dtype)
    for _ in range(outputs):
        result = b.output(out or dtype)
        if out is None or out == dtype:
            b.map(0 if dtype == "f32" else 1, (one,), [b.access(x, 0)], [b.access(result, 0)])
        else:
            b.map(2, (one,), [], [b.access(result, 0)])
    return b.body()


def program_cast(dtype: str) -> Program:
    return Program((), (Instr("const", dtype, (), 1),), (0,))


BOOL = program_cast("bool")
PROGRAMS = (COPY, Program(("bool",), (), (0,)), program_cast("i32"))


def plan(make: Callable[[Writer, int], list[Step]], *bodies: Body, programs: tuple[Program, ...] = PROGRAMS,
         hosts: tuple[str, ...] = ()) -> Plan:
    """x (f32, one element) -> y, with steps in between."""
    b = Writer("main")
    one = b.const(1)
    x, y = b.input("f32"), b.output("f32")
    for step in make(b, x):
        b.step(step)
    b.map(0, (one,), [b.access(x, 0)], [b.access(y, 0)])
    return Plan((Port("x", "f32", ()),), (Port("y", "f32", ()),), (b.body(), *bodies), programs, hosts=hosts)


def reduce_twice(b: Writer, x: int) -> list[Step]:
    b.map(3, (b.const(1),), [b.access(x, 1)], [b.access(b.arena("f32"))], reduced=1)
    return []


def loop(test: str, slot: str) -> Callable[[Writer, int], list[Step]]:
    return lambda b, x: [While(1, 2, (x,), 1, (b.slot(slot, 0),))]


def choice(b: Writer, x: int) -> list[Step]:
    return [If(x, 1, 1, (x,), (b.slot("f32", 0),))]


def choice_of_two(b: Writer, x: int) -> list[Step]:
    p = b.arena("bool")
    b.map(2, (b.const(1),), [], [b.access(p, 0)])
    return [If(p, 1, 1, (x,), (b.slot("f32", 0),))]


def truth() -> Body:
    b, one, _ = writer("f32")
    b.map(3, (one,), [], [b.access(b.output("bool"), 0)])
    return b.body()


def host_with_list(b: Writer, x: int) -> list[Step]:
    handle = b.arena("handle")
    return [Host(0, (handle,), ())]


def nested(depth: int) -> Plan:
    """Branches in branches; every body but the last one has a step that runs the next."""
    bodies = []
    for level in range(depth):
        b = Writer(f"body{level}")
        one, x, y = b.const(1), b.input("f32"), b.output("f32")
        p, slot = b.arena("bool"), b.slot("f32", 0)
        if level + 1 < depth:
            b.map(2, (one,), [], [b.access(p, 0)])
            b.step(If(p, level + 1, level + 1, (x,), (slot,)))
            b.step(Take(slot, y))
        else:
            b.map(0, (one,), [b.access(x, 0)], [b.access(y, 0)])
        bodies.append(b.body())
    return Plan((Port("x", "f32", ()),), (Port("y", "f32", ()),), tuple(bodies), (*PROGRAMS[:2], program_cast("bool")))


def changing(*places: tuple[int, int], outputs: int = 1, inputs: int = 2) -> Body:
    """A body that passes inputs on in their own memory: (output, input) of each; the other outputs are copies."""
    b = Writer("body")
    one, kept = b.const(1), dict(places)
    ports = [b.buffer(BufferKind.CARRIED if i in kept.values() else BufferKind.INPUT, "f32", index=i)
             for i in range(inputs)]
    results = []
    for i in range(outputs):
        results.append(ports[kept[i]] if i in kept else b.buffer(BufferKind.OUTPUT, "f32", index=i))
        if i not in kept:
            b.map(0, (one,), [b.access(ports[0], 0)], [b.access(results[-1], 0)])
    return replace(b.body(), inputs=tuple(ports), outputs=tuple(results))


def condition() -> Body:
    b, one, _ = writer("f32", "f32")
    b.map(2, (one,), [], [b.access(b.output("bool"), 0)])
    return b.body()


def looping(*bodies: Body, operands: tuple[int, ...] = (0, 0), carried: int = 1) -> Plan:
    return plan(lambda b, x: [While(1, 2, tuple(x for _ in operands), carried,
                                    tuple(b.slot("f32", 0) for _ in range(carried)))], *bodies,
                programs=(*PROGRAMS[:2], BOOL))


def inside(operands: Callable[[int, int], tuple[int, int]]) -> Plan:
    """A loop in a loop whose body changes input 0, on operands that are the outer body's inputs."""
    b = Writer("outer")
    x, y = b.buffer(BufferKind.CARRIED, "f32"), b.buffer(BufferKind.INPUT, "f32", index=1)
    slot = b.slot("f32", 0)
    b.step(While(3, 4, operands(x, y), 1, (slot,)))
    b.step(Take(slot, x))
    outer = replace(b.body(), inputs=(x, y), outputs=(x,))
    return looping(condition(), outer, condition(), changing((0, 0)))


def branching(*bodies: Body) -> Plan:
    def make(b: Writer, x: int) -> list[Step]:
        p = b.arena("bool")
        b.map(2, (b.const(1),), [], [b.access(p, 0)])
        return [If(p, 1, 2, (x, x), (b.slot("f32", 0),))]

    return plan(make, *bodies, programs=(*PROGRAMS[:2], BOOL))


def first_body_carries() -> Plan:
    b = Writer("main")
    x = b.buffer(BufferKind.CARRIED, "f32")
    body = replace(b.body(), inputs=(x,), outputs=(x,))
    return Plan((Port("x", "f32", ()),), (Port("y", "f32", ()),), (body,), PROGRAMS)


LONG = Program((), tuple(Instr("const", "f32", (), 1.0) for _ in range(20_000)), (0,))
REFUSED = {
    33: lambda: looping(condition(), replace(changing((0, 0)), outputs=changing((0, 0)).outputs * 2), carried=2),
    42: lambda: nested(40),
    44: first_body_carries,
    58: lambda: plan(reduce_twice, programs=(*PROGRAMS, SUM_OF_SUM)),
    59: lambda: plan(lambda b, x: [], programs=(*PROGRAMS, LONG)),
    105: lambda: inside(lambda x, y: (x, x)),
    106: lambda: branching(changing((0, 0)), changing((0, 1))),
    107: lambda: looping(condition(), changing((0, 1))),
    112: lambda: plan(choice_of_two, passing("f32", outputs=2), programs=(COPY, PROGRAMS[1], BOOL)),
    116: lambda: looping(changing((0, 0)), changing((0, 0))),
    117: lambda: plan(loop("bool", "i32"), truth(), passing("f32", "i32"), programs=(*PROGRAMS, BOOL)),
    119: lambda: plan(choice, passing("f32")),
    120: lambda: plan(lambda b, x: [Host(3, (x,), ())], hosts=("f",)),
    121: lambda: plan(host_with_list, hosts=("f",)),
    134: lambda: plan(lambda b, x: [List(99, (b.arena("handle"),), (b.slot("handle", 0),))]),
    135: lambda: plan(lambda b, x: [List(int(ListOperation.ADD), (b.arena("handle"),), (b.slot("handle", 0),))]),
    136: lambda: plan(lambda b, x: [List(int(ListOperation.UNSTACK), (x,), (b.slot("handle", 0),))]),
    137: lambda: plan(lambda b, x: [List(int(ListOperation.LENGTHS), (b.arena("handle"),), (b.slot("f32", 1),))]),
    130: lambda: plan(lambda b, x: [Push(x, x, b.arena("handle"))]),
}


def check_of(made: Plan) -> int | None:
    try:
        Engine(made, hosts={name: lambda *r: r for name in made.hosts}, threads=1)
    except errors.InternalError as error:
        found = re.search(r"does not verify.*check (\d+)", str(error))
        return int(found[1]) if found else None
    return None


@pytest.mark.parametrize("check", REFUSED)
def test_refused(check: int) -> None:
    assert check_of(REFUSED[check]()) == check


def test_nesting_that_is_not_too_deep() -> None:
    x = np.float32(3)
    assert Engine(nested(20), threads=1).run([np.array(x)])[0] == x


@pytest.mark.parametrize("words", [-1, 0, 3, 15, 1 << 40])
def test_images_of_no_size(words: int) -> None:
    library = load_library()
    verify = native_functions(library.entry)["gc_verify"]
    image = make_image(nested(2), *number_names(library.names, library.registry))
    work, error = np.empty(4 * len(image) + 64, np.int64), np.zeros(t.ERROR_WORDS, np.int64)
    status = verify(*(int(v) for v in (image.ctypes.data, words, library.registry.ctypes.data, work.ctypes.data,
                                       error.ctypes.data)))
    assert status == t.BAD_IMAGE and error[t.ERROR_A] == 1


def test_what_bodies_may_change() -> None:
    """The same Plans as above where they are right."""
    for made in (looping(condition(), changing((0, 0))), inside(lambda x, y: (x, y)),
                 branching(changing((0, 1)), changing((0, 1))), branching(changing(), changing())):
        assert check_of(made) is None
