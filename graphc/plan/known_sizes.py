"""Which sizes in a plan's bodies follow from those of its inputs, whatever a run computes.

Bodies are gone through as a run would, with shapes in place of values. A size that would depend on data is None, and
so is one that is not the same in all iterations of a loop, in both branches, or in all elements of a list. A loop is
gone through again until its carried shapes say nothing that they did not say before: each time at least one more size
is None, so this ends.
"""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from graphc.kernels.layout import ListOperation
from graphc.plan import plan as p
from graphc.plan.costs import COMPUTE, LEAVES
from graphc.plan.plan import DimKind
from graphc.plan.uses import root_of

Size = int | None
Shape = tuple[Size, ...]
_READS = (ListOperation.GET, ListOperation.GET_OR_ZEROS)
_SETS = (ListOperation.SET, ListOperation.SET_GROWING)
_ROWS = (ListOperation.SCATTER, ListOperation.SCATTER_GROWING, ListOperation.UNSTACK)
_SAME = (ListOperation.RESIZE, ListOperation.ERASE, ListOperation.RESERVE)


@dataclass(frozen=True)
class Known:
    """Of a value. shape: its sizes. elements: of a list the shape of what it holds, None: nothing yet; unclear: of a
    list that nothing is known of that."""

    shape: Shape
    elements: Shape | None = None
    unclear: bool = False


def known_sizes(plan: p.Plan, shapes: Sequence[Sequence[int]]) -> list[list[Size] | None]:
    """Of each body the table of dims, for inputs of these shapes; None of a body that nothing runs."""
    walk = _Walk(plan)
    walk.body(0, [Known(tuple(shape)) for shape in shapes])
    return [[walk.size(number, d) for d in range(len(body.dims))] if walk.tables[number].runs else None
            for number, body in enumerate(plan.bodies)]


def _same(one: Shape, other: Shape) -> Shape | None:
    """What both say; None if they have different ranks."""
    if len(one) != len(other):
        return None
    return tuple(a if a == b else None for a, b in zip(one, other, strict=True))


def _either(one: Known, other: Known) -> Known:
    """What holds of both."""
    shape = _same(one.shape, other.shape)
    assert shape is not None, "a value has one rank"
    if one.elements is None or other.elements is None:
        elements = one.elements if other.elements is None else other.elements
        return Known(shape, elements, one.unclear or other.unclear)
    elements = _same(one.elements, other.elements)
    return Known(shape, elements, one.unclear or other.unclear or elements is None)


def _holding(held: Known, element: Shape) -> Known:
    """The list with one more element."""
    return _either(held, Known((), element))


@dataclass
class _Table:
    """Of a body: its leaves as all visits so far have had them, what was made of these, and whether there were any."""

    leaves: dict[int, Size] = field(default_factory=dict)
    made: dict[int, Size] = field(default_factory=dict)
    runs: bool = False


class _Walk:
    def __init__(self, plan: p.Plan) -> None:
        self.plan = plan
        self.tables = [_Table() for _ in plan.bodies]

    def size(self, number: int, dim: int) -> Size:
        row, table = self.plan.bodies[number].dims[dim], self.tables[number]
        if row.kind == DimKind.CONST:
            return row.value
        if row.kind in LEAVES:
            return table.leaves.get(dim)
        if dim not in table.made:
            sizes = [self.size(number, d) for d in row.operands]
            table.made[dim] = None if None in sizes else COMPUTE[row.kind](*sizes)
        return table.made[dim]

    def body(self, number: int, given: Sequence[Known]) -> list[Known]:
        """What its outputs are."""
        return _Visit(self, number, given).outputs()

    def tell(self, number: int, dim: int, size: Size) -> None:
        """A leaf is that size, or one of several."""
        table = self.tables[number]
        table.leaves[dim] = size if table.leaves.get(dim, size) == size else None
        table.made.clear()


class _Visit:
    """Of a body, with values of these kinds as its inputs."""

    def __init__(self, walk: _Walk, number: int, given: Sequence[Known]) -> None:
        self.walk, self.number, self.given, self.body = walk, number, given, walk.plan.bodies[number]
        self.lists = dict(zip(self.body.inputs, given, strict=True))     # and other values, which nobody asks for
        self.slots: dict[int, Known] = {}
        walk.tables[number].runs = True
        for d, dim in enumerate(self.body.dims):
            if dim.kind == DimKind.INPUT:
                walk.tell(number, d, given[dim.operands[0]].shape[dim.operands[1]])

    def outputs(self) -> list[Known]:
        for step in self.body.steps:
            self._step(step)
        return [self._value(b) for b in self.body.outputs]

    def _value(self, buffer: int) -> Known:
        root = root_of(self.body, buffer)
        shape = tuple(self.walk.size(self.number, d) for d in self.body.buffers[buffer].dims)
        held = self.lists.get(root)
        if self.body.buffers[root].dtype != "handle" or held is None:
            return Known(shape)
        return Known(shape, held.elements, held.unclear)

    def _step(self, step: p.Step) -> None:
        if isinstance(step, p.While):
            self._loop(step)
        elif isinstance(step, p.If):
            given = [self._value(b) for b in step.operands]
            then, orelse = (self.walk.body(b, given) for b in (step.then, step.orelse))
            self._fill(step.slots, list(map(_either, then, orelse)))
        elif isinstance(step, p.Take):
            if self.body.buffers[step.buffer].dtype == "handle":
                self.lists[root_of(self.body, step.buffer)] = self.slots.get(step.slot, Known((), unclear=True))
        elif isinstance(step, p.Push):
            self._hold(step.result, _holding(self._value(step.source), self._value(step.value).shape))
        elif isinstance(step, p.Pop):
            self._hold(step.result, self._value(step.source))
            self._take_out(step.slot, self._value(step.source))
        elif isinstance(step, p.List):
            self._list(step)
        elif isinstance(step, p.Call):
            if step.operands and self.body.buffers[step.operands[0]].dtype == "handle":
                self._hold(step.operands[-1], self._value(step.operands[0]))         # of lists there are copies only
        elif isinstance(step, p.Bind):
            for d in step.dims:
                self.walk.tell(self.number, d, None)
        for bind in getattr(step, "binds", ()):
            known = self.slots.get(bind.slot)
            self.walk.tell(self.number, bind.dim, known.shape[bind.axis] if known is not None else None)

    def _hold(self, buffer: int, held: Known) -> None:
        self.lists[root_of(self.body, buffer)] = held

    def _fill(self, slots: Sequence[int], values: Sequence[Known]) -> None:
        self.slots.update(zip(slots, values, strict=True))

    def _take_out(self, slot: int, held: Known) -> None:
        """A list's element goes to a slot; of an element that is a list nothing is known."""
        if held.elements is not None and not held.unclear:
            self.slots[slot] = Known(held.elements, unclear=True)

    def _loop(self, step: p.While) -> None:
        given = [self._value(b) for b in step.operands]
        while True:
            self.walk.body(step.cond, given)
            made = [*self.walk.body(step.body, given), *given[step.carried:]]
            both = list(map(_either, given, made))
            if both == given:
                break
            given = both
        self._fill(step.slots, given[:step.carried])

    def _list(self, step: p.List) -> None:
        operation, slot = ListOperation(step.operation), step.slots[0]
        given = [self._value(b) for b in step.operands]
        if operation in _READS:
            self._take_out(slot, given[0])
        elif operation in _SETS:
            self.slots[slot] = _holding(given[0], given[2].shape)
        elif operation in _ROWS:
            held = Known(()) if operation == ListOperation.UNSTACK else given[0]
            self.slots[slot] = _holding(held, given[-1].shape[1:])
        elif operation in _SAME:
            self.slots[slot] = Known(()) if operation == ListOperation.RESERVE else given[0]
        elif self.body.slots[slot].dtype == "handle":
            self.slots[slot] = Known((), unclear=True)
