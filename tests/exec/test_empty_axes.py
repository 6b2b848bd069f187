"""Which memory a map touches when some of its axes have no elements: all of that is compared with the operands' sizes.

A row of no elements is a row all the same: its value (the reduction's identity) is computed and stored, and what does
not move along the row is loaded for it. Every case is tried out by enumerating the points of the domain.
"""
from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
import pytest

from graphc import errors
from graphc.exec.engine import Engine
from graphc.plan.plan import Access, BufferKind, Call, Constant, Map, Plan, Port, Program

from hand import Writer, instr

ELEMENT = Program(("f32", "f32"), (instr("add", "f32", 0, 1),), (2,))
# y[row] = sum of a along the row + b; z = a + b at every element
ROW = Program(("f32", "f32"), (instr("reduce.add", "f32", 0), instr("add", "f32", 2, 1), instr("add", "f32", 0, 1)),
              (3, 4))
# Nothing moves along the row at all
ONLY_ROW = Program(("f32",), (instr("const", "f32", value=2.0), instr("reduce.add", "f32", 1),
                              instr("add", "f32", 2, 0)), (3,))


@dataclass(frozen=True)
class Operand:
    """A buffer of `size` elements as a map meets it; axes: those over which the map goes."""

    size: int
    offset: int
    strides: tuple[int, ...]

    def offsets(self, domain: tuple[int, ...]) -> np.ndarray:
        """Of every point of the first axes of the domain, in row-major order."""
        points = itertools.product(*(range(n) for n in domain[:len(self.strides)]))
        return np.array([self.offset + sum(i * s for i, s in zip(p, self.strides, strict=True)) for p in points], int)

    def fits(self, domain: tuple[int, ...]) -> bool:
        return bool(np.all((self.offsets(domain) >= 0) & (self.offsets(domain) < self.size)))


@dataclass(frozen=True)
class Case:
    program: Program
    domain: tuple[int, ...]
    reduced: int
    loads: tuple[Operand, ...]
    stores: tuple[Operand, ...]

    @property
    def rows(self) -> tuple[int, ...]:
        return self.domain[:len(self.domain) - self.reduced]

    def fits(self) -> bool:
        return all(o.fits(self.domain) for o in (*self.loads, *self.stores))

    def plan(self, view: bool) -> Plan:
        """view: the loads go through aliases."""
        b = Writer("main")
        constants, loads, stores = [], [], []
        for i, load in enumerate(self.loads):
            size = b.const(load.size)
            buffer = b.buffer(BufferKind.CONST, "f32", size, index=i)
            if view:
                buffer = b.buffer(BufferKind.ALIAS, "f32", b.const(1), size, index=buffer)
            constants.append(Constant(f"c{i}", "f32", (load.size,)))
            still = (0,) * (len(self.domain) - len(load.strides))
            loads.append(b.access(buffer, *load.strides, *still, offset=load.offset))
        for store in self.stores:
            stores.append(b.access(b.output("f32", b.const(store.size)), *store.strides, offset=store.offset))
        b.map(0, tuple(b.const(n) for n in self.domain), loads, stores, self.reduced)
        ports = tuple(Port(f"y{i}", "f32", (s.size,)) for i, s in enumerate(self.stores))
        return Plan((), ports, (b.body(),), (self.program,), tuple(constants))

    def wanted(self, values: list[np.ndarray]) -> list[np.ndarray]:
        """What is stored, in the order of the points or rows."""
        if self.program == ONLY_ROW:
            count = int(np.prod(self.domain[len(self.rows):]))
            return [2.0 * count + values[0][self.loads[0].offsets(self.domain)]]
        a, b = (v[o.offsets(self.domain)] for v, o in zip(values, self.loads, strict=True))
        if self.reduced == 0:
            return [a + b]
        each = b.reshape((*self.rows, *(1,) * self.reduced))
        elements = a.reshape(self.domain)
        axes = tuple(range(len(self.rows), len(self.domain)))
        return [(elements.sum(axes) + b.reshape(self.rows)).ravel(), (elements + each).ravel()]


def random_operand(rng: np.random.Generator, domain: tuple[int, ...], axes: int, dense: bool = False) -> Operand:
    """Half of them as large as they must be, the others of any size."""
    strides = [int(s) for s in rng.integers(0, 4, axes)]
    if dense:
        strides = [int(np.prod(domain[k + 1:axes])) for k in range(axes)]
    elif axes == len(domain):
        strides[-1] = int(rng.integers(1, 4))        # moves along the row, so that no row value may use it
    offset = int(rng.integers(0, 4))
    size = 1 + max(Operand(0, offset, tuple(strides)).offsets(domain), default=-1)
    return Operand(int(size if rng.random() < 0.7 else rng.integers(0, 6)), offset, tuple(strides))


def random_case(rng: np.random.Generator) -> Case:
    rank = int(rng.integers(1, 4))
    domain = tuple(int(n) for n in rng.choice([0, 1, 2, 3], rank, p=[0.35, 0.15, 0.3, 0.2]))
    reduced = int(rng.integers(0, rank + 1))
    outer = rank - reduced
    if reduced == 0:
        loads = [random_operand(rng, domain, rank) for _ in range(2)]
        return Case(ELEMENT, domain, 0, tuple(loads), (random_operand(rng, domain, rank, dense=True),))
    row = random_operand(rng, domain, outer)
    if rng.random() < 0.3:
        return Case(ONLY_ROW, domain, reduced, (row,), (random_operand(rng, domain, outer, dense=True),))
    stores = (random_operand(rng, domain, outer, dense=True), random_operand(rng, domain, rank, dense=True))
    return Case(ROW, domain, reduced, (random_operand(rng, domain, rank), row), stores)


@pytest.mark.parametrize("view", [False, True], ids=["buffers", "views"])
def test_what_a_map_touches_is_inside_its_operands(view: bool) -> None:
    rng = np.random.default_rng(1)
    counts = {True: 0, False: 0}
    for _ in range(400):
        case = random_case(rng)
        values = [rng.integers(-9, 9, o.size).astype(np.float32) for o in case.loads]
        engine = Engine(case.plan(view), {f"c{i}": v for i, v in enumerate(values)}, threads=1)
        empty = 0 in case.domain
        if not case.fits():
            with pytest.raises(errors.InternalError, match="out of its memory"):
                engine.run([])
            counts[False] += empty
            continue
        counts[True] += empty
        for store, found, wanted in zip(case.stores, engine.run([]), case.wanted(values), strict=True):
            np.testing.assert_array_equal(found[store.offsets(case.domain)], wanted, err_msg=str(case))
    assert min(counts.values()) > 30, counts


@pytest.mark.parametrize("domain", [(0,), (3,), (3, 0), (0, 3), (2, 2)], ids=str)
def test_what_an_epilogue_touches_is_inside_its_operands(domain: tuple[int, ...]) -> None:
    elements = int(np.prod(domain))
    for size, offset in ((1, 0), (1, 1), (0, 0)):
        b = Writer("main")
        axes = tuple(b.const(n) for n in domain)
        x, c = b.input("f32", b.size_of(0, 0)), b.buffer(BufferKind.CONST, "f32", b.const(size))
        y = b.output("f32", b.const(elements))
        steps = [int(np.prod(domain[k + 1:])) for k in range(len(domain))]
        loads = (b.access(y, *steps), b.access(c, *(0 for _ in domain), offset=offset))
        tail = Map(0, axes, 0, loads, (Access(y, loads[0].offset, loads[0].strides),))
        b.step(Call("copy.f32", (x, y), (b.const(elements),), epilogue=tail))
        plan = Plan((Port("x", "f32", (-1,)),), (Port("y", "f32", (elements,)),), (b.body(),), (ELEMENT,),
                    (Constant("c", "f32", (size,)),))
        engine = Engine(plan, {"c": np.full(size, 7, np.float32)}, threads=1)
        feed = np.arange(elements, dtype=np.float32)
        if elements == 0 or offset < size:
            np.testing.assert_array_equal(engine.run([feed])[0], feed + 7)
        else:
            with pytest.raises(errors.InternalError, match="out of its memory"):
                engine.run([feed])
