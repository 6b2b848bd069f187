"""A plan in which no loop and no branch changes an operand in place: what is CARRIED is copied where its body begins.

For plans that a device does in part (exec/cuda/split/split.py): a value there is in the memory of whoever made it.
"""
from __future__ import annotations

from dataclasses import replace

from graphc.ir.dtypes import as_dtype
from graphc.plan import plan as p
from graphc.plan.builder import MOVED_AS
from graphc.plan.plan import BufferKind, DimKind


def uncarried(plan: p.Plan) -> tuple[p.Plan, tuple[int, ...]]:
    """The plan, and of each of its bodies how many steps are new, which come first."""
    bodies = [_Body(body) for body in plan.bodies]
    for body in bodies:
        body.copy_in()
    return (replace(plan, bodies=tuple(body.made() for body in bodies)), tuple(len(body.copies) for body in bodies))


class _Body:
    def __init__(self, body: p.Body) -> None:
        self.body = body
        self.dims, self.buffers, self.inputs = list(body.dims), list(body.buffers), list(body.inputs)
        self.copies: list[p.Step] = []

    def copy_in(self) -> None:
        """What was CARRIED becomes the OUTPUT that it was as well, and begins as a copy of an INPUT."""
        for number, row in enumerate(self.body.buffers):
            if row.kind == BufferKind.CARRIED:
                self.buffers[number] = replace(row, kind=BufferKind.OUTPUT, index=self.body.outputs.index(number))
                self.inputs[row.index] = len(self.buffers)
                self.buffers.append(replace(row, kind=BufferKind.INPUT))
                self._copy(row, self.inputs[row.index], number)

    def _copy(self, row: p.Buffer, source: int, target: int) -> None:
        """By numbers that the kernel has: a complex number is two."""
        elements = self._elements(row.dims)
        moved = MOVED_AS.get(row.dtype)
        if moved is not None:
            self.dims.append(p.Dim(DimKind.CONST, value=as_dtype(row.dtype).size // moved.size))
            self.dims.append(p.Dim(DimKind.MUL, (elements, len(self.dims) - 1)))
            elements = len(self.dims) - 1
            row = replace(row, dtype=moved.short)
            source, target = (self._seen_as(moved.short, elements, buffer) for buffer in (source, target))
        self.copies.append(p.Call(f"copy.{row.dtype}", (source, target), (elements,)))

    def _seen_as(self, dtype: str, elements: int, buffer: int) -> int:
        self.buffers.append(p.Buffer(BufferKind.ALIAS, dtype, (elements,), buffer))
        return len(self.buffers) - 1

    def _elements(self, sizes: tuple[int, ...]) -> int:
        """The dim that is the product of these."""
        self.dims.append(p.Dim(DimKind.CONST, value=1))
        for size in sizes:
            self.dims.append(p.Dim(DimKind.MUL, (len(self.dims) - 1, size)))
        return len(self.dims) - 1

    def made(self) -> p.Body:
        return replace(self.body, dims=tuple(self.dims), buffers=tuple(self.buffers), inputs=tuple(self.inputs),
                       steps=(*self.copies, *self.body.steps))
