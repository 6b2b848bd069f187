"""A plan whose prepare body is done in every run: its steps stand before those of body 0, and its outputs are values
of the run.

For devices that compute all of it again each time (a GPU). Only maps and calls of kernels can be joined.
"""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from graphc.errors import UnimplementedError
from graphc.ir.records import dataclass
from graphc.plan import plan as p
from graphc.plan.plan import BufferKind, DimKind

Place = tuple[int, int]


@dataclass(frozen=True)
class Joined:
    """steps: of each step of each body of the plan, where it was: its body's number, and its own in that body."""

    plan: p.Plan
    steps: tuple[tuple[Place, ...], ...]


def joined(plan: p.Plan) -> Joined:
    """The plan; what was its prepare body is left without a step, or left out if it is the last one.

    Raises UnimplementedError if that has loops or branches, or another body than 0 asks for what it makes.
    """
    places = [tuple((number, i) for i in range(len(body.steps))) for number, body in enumerate(plan.bodies)]
    if plan.prepare < 0:
        return Joined(plan, tuple(places))
    main, inner = plan.bodies[0], plan.bodies[plan.prepare]
    _refuse_others(plan, inner)
    moved = _Moved(main, inner)
    before = moved.steps()
    body = replace(main, dims=(*main.dims, *moved.dims()), buffers=moved.buffers(), steps=(*before, *main.steps),
                   guards=(*main.guards, *moved.guards()))
    bodies = [body, *plan.bodies[1:]]
    places[0] = (*places[plan.prepare], *places[0])
    if plan.prepare == len(bodies) - 1:
        del bodies[-1], places[-1]
    else:
        bodies[plan.prepare], places[plan.prepare] = p.Body(inner.name, (), (), (), (), (), (), ()), ()
    return Joined(replace(plan, bodies=tuple(bodies), prepare=-1), tuple(places))


def _refuse_others(plan: p.Plan, inner: p.Body) -> None:
    for step in inner.steps:
        if not isinstance(step, (p.Map, p.Call)):
            origin = plan.origins[step.origins[0]].op_name if step.origins else inner.name
            raise UnimplementedError(f"'{origin}' is computed when weights change, and not by maps and kernels alone: "
                                     "no GPU computes that in a run")
    for body in plan.bodies[1:]:
        if any(row.kind == BufferKind.PREPARED for row in body.buffers):
            raise UnimplementedError(f"{body.name} asks for what is computed when weights change: no GPU computes that "
                                     "in a run")


class _Moved:
    """The prepare body `inner` with the numbers that its dims and buffers have after those of `main`."""

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
