"""A plan whose prepare body is done in every run: its steps stand before those of body 0, and its outputs are values
of the run.

For devices that compute all of it anew each time (a GPU). Only maps and calls of kernels can be joined.
"""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from graphc.ir.records import dataclass
from graphc.plan import plan as p
from graphc.plan.plan import BufferKind, DimKind


@dataclass(frozen=True)
class Joined:
    """steps: of each step of the plan's body 0, where it was: its body's number, and its own in that body."""

    plan: p.Plan
    steps: tuple[tuple[int, int], ...]


def joined(plan: p.Plan) -> Joined:
    """The plan with one body. It has nothing but maps and calls, and no further bodies."""
    main = plan.bodies[0]
    if plan.prepare < 0:
        return Joined(plan, tuple((0, i) for i in range(len(main.steps))))
    moved = _Moved(main, plan.bodies[plan.prepare])
    before = moved.steps()
    body = replace(main, dims=(*main.dims, *moved.dims()), buffers=moved.buffers(), steps=(*before, *main.steps),
                   guards=(*main.guards, *moved.guards()))
    places = [*((plan.prepare, i) for i in range(len(before))), *((0, i) for i in range(len(main.steps)))]
    return Joined(replace(plan, bodies=(body,), prepare=-1), tuple(places))


class _Moved:
    """The prepare body `inner` with the numbers that its dims and buffers have behind those of `main`."""

    def __init__(self, main: p.Body, inner: p.Body) -> None:
        self.main, self.inner = main, inner
        self.first_dim, self.first_buffer = len(main.dims), len(main.buffers)
        self.prepared: dict[int, int] = {}             # by output: the buffer of `main` that is it
        for number, row in enumerate(main.buffers):
            if row.kind == BufferKind.PREPARED:
                self.prepared.setdefault(row.index, number)

    def dims(self) -> list[p.Dim]:
        return [dim if dim.kind == DimKind.CONST else replace(dim, operands=self._dims(dim.operands))
                for dim in self.inner.dims]

    def guards(self) -> list[p.Guard]:
        return [replace(g, a=g.a + self.first_dim, b=g.b + self.first_dim) for g in self.inner.guards]

    def buffers(self) -> tuple[p.Buffer, ...]:
        ours = [self._prepared(number, row) for number, row in enumerate(self.main.buffers)]
        return (*ours, *map(self._moved, self.inner.buffers))

    def steps(self) -> list[p.Step]:
        return [self._step(step) for step in self.inner.steps]

    def _prepared(self, number: int, row: p.Buffer) -> p.Buffer:
        if row.kind != BufferKind.PREPARED:
            return row
        first = self.prepared[row.index]
        return replace(row, kind=BufferKind.ARENA, index=0) if number == first else replace(
            row, kind=BufferKind.ALIAS, index=first)

    def _moved(self, row: p.Buffer) -> p.Buffer:
        row = replace(row, dims=self._dims(row.dims))
        if row.kind == BufferKind.ALIAS:
            return replace(row, index=self._buffer(row.index))
        return replace(row, kind=BufferKind.ARENA, index=0) if row.kind == BufferKind.OUTPUT else row

    def _step(self, step: p.Step) -> p.Step:
        if isinstance(step, p.Map):
            return self._map(step)
        assert isinstance(step, p.Call)
        return replace(step, operands=tuple(map(self._buffer, step.operands)), dims=self._dims(step.dims),
                       epilogue=None if step.epilogue is None else self._map(step.epilogue))

    def _map(self, step: p.Map) -> p.Map:
        return replace(step, domain=self._dims(step.domain), loads=tuple(map(self._access, step.loads)),
                       stores=tuple(map(self._access, step.stores)))

    def _access(self, access: p.Access) -> p.Access:
        return p.Access(self._buffer(access.buffer), access.offset + self.first_dim, self._dims(access.strides))

    def _dims(self, numbers: Sequence[int]) -> tuple[int, ...]:
        return tuple(number + self.first_dim for number in numbers)

    def _buffer(self, number: int) -> int:
        row = self.inner.buffers[number]
        if row.kind == BufferKind.OUTPUT and row.index in self.prepared:
            return self.prepared[row.index]
        return number + self.first_buffer
