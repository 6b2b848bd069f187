"""A writer for Plans by hand: it hands out ids and nothing else, so that a Plan reads in the order in which it runs.

It knows no op and does no optimisation: what stands in tests/plan/five.py is exactly what the runtime gets.
"""
from __future__ import annotations

from dataclasses import dataclass, field

from graphc.plan.plan import (
    Access,
    Body,
    Buffer,
    BufferKind,
    Dim,
    DimKind,
    Guard,
    GuardKind,
    Instr,
    Map,
    Slot,
    Step,
)


@dataclass
class Writer:
    """Collects one body."""

    name: str
    dims: list[Dim] = field(default_factory=list)
    buffers: list[Buffer] = field(default_factory=list)
    slots: list[Slot] = field(default_factory=list)
    guards: list[Guard] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    writes: tuple[int, ...] = ()

    def const(self, value: int) -> int:
        return self._dim(Dim(DimKind.CONST, (), value))

    def dim(self, kind: DimKind, *operands: int) -> int:
        return self._dim(Dim(kind, operands))

    def size_of(self, argument: int, axis: int) -> int:
        return self.dim(DimKind.INPUT, argument, axis)

    def runtime(self) -> int:
        self.dims.append(Dim(DimKind.RUNTIME))
        return len(self.dims) - 1

    def _dim(self, dim: Dim) -> int:
        if dim in self.dims:
            return self.dims.index(dim)
        self.dims.append(dim)
        return len(self.dims) - 1

    def buffer(self, kind: BufferKind, dtype: str, *dims: int, index: int = 0) -> int:
        self.buffers.append(Buffer(kind, dtype, dims, index))
        return len(self.buffers) - 1

    def input(self, dtype: str, *dims: int) -> int:
        return self.buffer(BufferKind.INPUT, dtype, *dims, index=self._count(BufferKind.INPUT))

    def output(self, dtype: str, *dims: int) -> int:
        return self.buffer(BufferKind.OUTPUT, dtype, *dims, index=self._count(BufferKind.OUTPUT))

    def arena(self, dtype: str, *dims: int) -> int:
        return self.buffer(BufferKind.ARENA, dtype, *dims)

    def slot(self, dtype: str, rank: int) -> int:
        self.slots.append(Slot(dtype, rank))
        return len(self.slots) - 1

    def step(self, step: Step) -> None:
        self.steps.append(step)

    def access(self, buffer: int, *strides: int, offset: int = 0) -> Access:
        """Strides and offset are numbers, or dim ids wrapped in `Id`."""
        return Access(buffer, self._number(offset), tuple(self._number(s) for s in strides))

    def _number(self, value: int | Id) -> int:
        return value.id if isinstance(value, Id) else self.const(value)

    def map(self, program: int, domain: tuple[int, ...], loads: list[Access], stores: list[Access], reduced: int = 0,
            origin: int = 0) -> None:
        self.step(Map(program, domain, reduced, tuple(loads), tuple(stores), origins=(origin,)))

    def guard(self, kind: GuardKind, a: int, b: int, message: str, origin: int = 0) -> None:
        self.guards.append(Guard(kind, a, b, origin, message))

    def _count(self, kind: BufferKind) -> int:
        return sum(b.kind == kind for b in self.buffers)

    def body(self) -> Body:
        inputs = tuple(i for i, b in enumerate(self.buffers) if b.kind == BufferKind.INPUT)
        outputs = tuple(i for i, b in enumerate(self.buffers) if b.kind == BufferKind.OUTPUT)
        return Body(self.name, tuple(self.dims), tuple(self.buffers), inputs, outputs, tuple(self.slots),
                    tuple(self.guards), tuple(self.steps), self.writes)


@dataclass(frozen=True)
class Id:
    """A dim id used as a stride or an offset."""

    id: int


def instr(op: str, dtype: str, *args: int, value: float | int = 0) -> Instr:
    return Instr(op, dtype, args, value)
