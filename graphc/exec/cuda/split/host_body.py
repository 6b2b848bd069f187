"""A body of the plan that is left for the host, while it is made (split.py): its rows, and steps that many places need.

A value of the device is an int64 vector there: its sizes, then its address.
"""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from graphc.plan import plan as p
from graphc.plan.plan import BufferKind, DimKind

SIZES_AT_ONCE = 8          # of the kernel `sizes`
# Maps that all bodies share, by their numbers after the plan's own programs.
AS_IT_IS, IS_ZERO, MINUS_ONE = range(3)
PROGRAMS = (p.Program(("i64",), (), (0,)),
            p.Program(("i64",), (p.Instr("const", "i64"), p.Instr("equal", "bool", (0, 1))), (2,)),
            p.Program((), (p.Instr("const", "i32", value=-1),), (0,)))


class HostBody:
    """plan: the whole one, which is split; body: what is there to begin with. functions: what the host's runtime calls,
    after the plan's own functions; inner: bodies after the plan's own. Both are the plan's, and grow."""

    def __init__(self, plan: p.Plan, body: p.Body, functions: list[Any], inner: list[p.Body]) -> None:
        self.plan, self.body, self.functions, self.inner = plan, body, functions, inner
        self.dims, self.buffers, self.slots = list(body.dims), list(body.buffers), list(body.slots)
        self.inputs, self.outputs = list(body.inputs), list(body.outputs)
        self.steps: list[p.Step] = []

    def made(self) -> p.Body:
        return replace(self.body, dims=tuple(self.dims), buffers=tuple(self.buffers), slots=tuple(self.slots),
                       steps=tuple(self.steps), inputs=tuple(self.inputs), outputs=tuple(self.outputs))

    # Rows

    def slot(self, dtype: str, rank: int) -> int:
        self.slots.append(p.Slot(dtype, rank))
        return len(self.slots) - 1

    def constant(self, value: int) -> int:
        row = p.Dim(DimKind.CONST, value=value)
        if row not in self.dims:
            self.dims.append(row)
        return self.dims.index(row)

    def runtime_dim(self) -> int:
        self.dims.append(p.Dim(DimKind.RUNTIME))
        return len(self.dims) - 1

    def buffer(self, dtype: str, dims: Sequence[int], kind: BufferKind = BufferKind.ARENA, index: int = 0) -> int:
        self.buffers.append(p.Buffer(kind, dtype, tuple(dims), index))
        return len(self.buffers) - 1

    def vector(self, length: int, kind: BufferKind = BufferKind.ARENA, index: int = 0) -> int:
        return self.buffer("i64", (self.constant(length),), kind, index)

    # Steps

    def call(self, function: Any, operands: Sequence[int], slots: Sequence[int], origins: tuple[int, ...],
             binds: tuple[p.SlotBind, ...] = ()) -> None:
        """A call of a function whose `number` is that of the next one."""
        assert function.number == len(self.functions)
        self.functions.append(function)
        self.steps.append(p.Host(len(self.plan.hosts) + function.number, tuple(operands), tuple(slots), binds,
                                 origins=origins))

    def map(self, program: int, load: p.Access | None, store: p.Access, count: int, origins: tuple[int, ...]) -> None:
        """One of PROGRAMS over `count` elements."""
        loads = (load,) if load is not None else ()
        self.steps.append(p.Map(len(self.plan.programs) + program, (self.constant(count),), 0, loads, (store,),
                                origins=origins))

    def element(self, buffer: int, number: int = 0) -> p.Access:
        """An operand of `map`: from that element of a vector on."""
        return p.Access(buffer, self.constant(number), (self.constant(1),))

    def bind(self, vector: int, axes: dict[int, int], origins: tuple[int, ...]) -> None:
        """Dims by the axes whose sizes they become, from the sizes in a vector; others before those are not used."""
        if axes:
            found = [axes[axis] if axis in axes else self.runtime_dim() for axis in range(max(axes) + 1)]
            self.steps.append(p.Bind(vector, tuple(found), origins=origins))

    def store_sizes(self, sizes: Sequence[int], origins: tuple[int, ...]) -> int:
        """A vector of these dims' sizes."""
        vector = self.vector(len(sizes))
        self.sizes_into(vector, sizes, origins)
        return vector

    def sizes_into(self, vector: int, sizes: Sequence[int], origins: tuple[int, ...]) -> None:
        none = self.constant(0)
        for start in range(0, len(sizes), SIZES_AT_ONCE):
            some = sizes[start:start + SIZES_AT_ONCE]
            padded = (*some, *[none] * (SIZES_AT_ONCE - len(some)))
            self.steps.append(p.Call("sizes.i64", (vector,), padded, (start, len(some)), origins=origins))

    def seen_as(self, vector: int, buffer: int, like: int, origins: tuple[int, ...]) -> int:
        """The vector of a value seen as `buffer`, of one in which it has the sizes of `like`."""
        wanted, had = self.body.buffers[buffer].dims, self.body.buffers[like].dims
        if wanted == had:
            return vector
        made = self.vector(len(wanted) + 1)
        self.sizes_into(made, wanted, origins)
        self.map(AS_IT_IS, self.element(vector, len(had)), self.element(made, len(wanted)), 1, origins)
        return made
