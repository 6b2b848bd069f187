"""Which lists of a plan hold values of the device (split_lists.py has what becomes of their steps).

Handles that may be the same list are one group: what a step makes of a list is in the list's group, and so is what a
loop, a branch or another list hands on. The device's are the groups

 1. whose elements are all of one dtype and rank, for the host then knows of an element its sizes and address only;
 2. on which nothing is done but OPERATIONS, pushing, popping and asking for the length;
 3. of which a step of the device makes or takes an element, and whose elements are not a few integers.
"""
from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import count

from graphc.ir.records import dataclass
from graphc.kernels.layout import ListOperation
from graphc.plan import plan as p
from graphc.plan.uses import root_of, sub_bodies, uses_of

Key = tuple[int, int]      # a body and a buffer in it; (-1, number): what a list of lists holds


@dataclass(frozen=True)
class Form:
    """Of an operation: which operand is the list (-1: none), which the value that goes in (-1: none), whether its
    result is a list, and how much the rank of the value that goes in or comes out is greater than an element's."""

    source: int
    value: int
    is_list: bool
    more: int = 0


@dataclass(frozen=True)
class Elements:
    """What the lists of a group hold, and on which device."""

    dtype: str
    rank: int
    home: int = 0


OPERATIONS = {
    ListOperation.RESERVE: Form(-1, -1, True),
    ListOperation.RESIZE: Form(0, -1, True),
    ListOperation.ERASE: Form(0, -1, True),
    ListOperation.SET: Form(0, 2, True),
    ListOperation.SET_GROWING: Form(0, 2, True),
    ListOperation.GET: Form(0, -1, False),
    ListOperation.GET_OR_ZEROS: Form(0, -1, False),
    ListOperation.STACK: Form(0, -1, False, 1),
    ListOperation.STACK_OR_ZEROS: Form(0, -1, False, 1),
    ListOperation.GATHER: Form(0, -1, False, 1),
    ListOperation.GATHER_OR_ZEROS: Form(0, -1, False, 1),
    ListOperation.SCATTER: Form(0, 2, True, 1),
    ListOperation.SCATTER_GROWING: Form(0, 2, True, 1),
    ListOperation.UNSTACK: Form(-1, 0, True, 1),
    ListOperation.SPLIT: Form(-1, 0, True),
    ListOperation.CONCAT: Form(0, -1, False),
    ListOperation.CONCAT_OR_ZEROS: Form(0, -1, False),
    ListOperation.LENGTHS: Form(0, -1, False),
}


def goes_in(step: p.Step) -> int | None:
    """The buffer whose value, or whose rows, a step puts into a list."""
    if isinstance(step, p.Push):
        return step.value
    if isinstance(step, p.List):
        form = OPERATIONS.get(ListOperation(step.operation))
        return step.operands[form.value] if form is not None and form.value >= 0 else None
    return None


def comes_out(step: p.Step) -> int | None:
    """The slot that gets an element of a list, or some of them."""
    if isinstance(step, p.Pop):
        return step.slot
    if isinstance(step, p.List) and step.operation != ListOperation.LENGTHS:
        form = OPERATIONS.get(ListOperation(step.operation))
        return step.slots[0] if form is not None and not form.is_list else None
    return None


class Groups:
    """Sets of handles that grow together, and the group of what the lists of a group hold, if these are lists."""

    def __init__(self) -> None:
        self._parent: dict[Key, Key] = {}
        self._inside: dict[Key, Key] = {}
        self._names = count()

    def of(self, key: Key) -> Key:
        while key in self._parent:
            key = self._parent[key]
        return key

    def join(self, one: Key, other: Key) -> None:
        one, other = self.of(one), self.of(other)
        if one == other:
            return
        self._parent[other] = one
        inside = self._inside.pop(other, None)
        if inside is not None and one in self._inside:
            self.join(self._inside[one], inside)
        elif inside is not None:
            self._inside[one] = inside

    def inside(self, key: Key) -> Key:
        return self._inside.setdefault(self.of(key), (-1, next(self._names)))


class ListGroups:
    """The groups of a plan's lists, each named by one of its handles; a handle that no step writes is an empty list and
    of no group. elements: dtypes and ranks of what goes into a group's lists and comes out; values: the buffers of
    that; steps: those on its lists, by body and number; refused: groups that break the second rule."""

    def __init__(self, plan: p.Plan) -> None:
        self._plan, self._groups = plan, Groups()
        self._empty = {(number, b) for number, body in enumerate(plan.bodies) for b in _unwritten_handles(body)}
        self.elements: dict[Key, set[Elements]] = defaultdict(set)
        self.values: dict[Key, list[Key]] = defaultdict(list)
        self.steps: dict[Key, list[Key]] = defaultdict(list)
        for number, body in enumerate(plan.bodies):
            for step in body.steps:
                self._join(number, body, step)
        self.refused = {self.of(number, b) for number, body in enumerate(plan.bodies)
                        for b, row in enumerate(body.buffers) if row.dtype == "handle" and _stays(number, row)}
        for number, body in enumerate(plan.bodies):
            for i, step in enumerate(body.steps):
                self._note(number, body, i, step)

    def of(self, number: int, buffer: int) -> Key:
        return self._groups.of((number, root_of(self._plan.bodies[number], buffer)))

    # What belongs together

    def _join(self, number: int, body: p.Body, step: p.Step) -> None:
        inner = sub_bodies(step)
        if inner:
            self._join_bodies(number, body, step)
            return
        lists = [self.of(number, b) for b in self._handles(number, body, step)]
        for other in lists[1:]:
            self._groups.join(lists[0], other)
        for buffer in _elements(body, step):
            if body.buffers[buffer].dtype == "handle" and lists:
                self._groups.join(self._groups.inside(lists[0]), self.of(number, buffer))

    def _join_bodies(self, number: int, body: p.Body, step: p.Step) -> None:
        assert isinstance(step, (p.While, p.If))
        inner = sub_bodies(step)
        pairs = [((number, operand), (b, self._plan.bodies[b].inputs[i]))
                 for i, operand in enumerate(step.operands) for b in inner]
        makers = (inner[1],) if isinstance(step, p.While) else inner
        for b in makers:
            outputs = self._plan.bodies[b].outputs
            if isinstance(step, p.While):
                pairs += [((number, step.operands[i]), (b, output)) for i, output in enumerate(outputs)]
            pairs += [((number, taken), (b, output)) for slot, output in zip(step.slots, outputs, strict=True)
                      for taken in _taken(body, slot)]
        for (one, a), (other, b) in pairs:
            if self._plan.bodies[one].buffers[a].dtype == "handle":
                self._groups.join(self.of(one, a), self.of(other, b))

    def _handles(self, number: int, body: p.Body, step: p.Step) -> list[int]:
        """The handles of a step that are of one group."""
        return [b for b in _handles(body, step) if (number, root_of(body, b)) not in self._empty]

    # What is known of them

    def _note(self, number: int, body: p.Body, place: int, step: p.Step) -> None:
        if sub_bodies(step) or isinstance(step, p.Take):
            return
        lists = self._handles(number, body, step)
        if not lists:
            return
        group = self.of(number, lists[0])
        form = OPERATIONS.get(ListOperation(step.operation)) if isinstance(step, p.List) else None
        if isinstance(step, p.Host) or (isinstance(step, p.List) and form is None):
            self.refused.add(group)
        if not isinstance(step, (p.List, p.Push, p.Pop)):
            return
        self.steps[group].append((number, place))
        inside, outside, more = goes_in(step), comes_out(step), form.more if form is not None else 0
        if inside is not None:
            row = body.buffers[inside]
            self.elements[group].add(Elements(row.dtype, len(row.dims) - more))
        if outside is not None:
            slot = body.slots[outside]
            self.elements[group].add(Elements(slot.dtype, slot.rank - more))
        self.values[group] += [(number, root_of(body, b)) for b in _elements(body, step)]


def listed_steps(plan: p.Plan, steps: Sequence[Mapping[int, int]],
                 fits: Callable[[p.Body, int], bool]) -> list[dict[int, Elements]]:
    """Of each body the steps on lists of a device's values, by their numbers, with what these lists hold. steps: of
    each body those that devices do, and which; fits: whether a value may be known by its sizes and its address."""
    groups = ListGroups(plan)
    used = [_users(body, steps[number]) for number, body in enumerate(plan.bodies)]
    found: list[dict[int, Elements]] = [{} for _ in plan.bodies]
    for group, elements in groups.elements.items():
        values = groups.values[group]
        devices = {device for number, b in values for device in used[number][b]}
        if (group not in groups.refused and len(elements) == 1 and devices
                and all(fits(plan.bodies[number], b) for number, b in values)):
            home = devices.pop() if len(devices) == 1 else 0
            for number, place in groups.steps[group]:
                found[number][place] = replace(next(iter(elements)), home=home)
    return found


def _users(body: p.Body, steps: Mapping[int, int]) -> dict[int, set[int]]:
    """The devices whose steps use each value."""
    found: dict[int, set[int]] = defaultdict(set)
    for i, device in steps.items():
        use = uses_of(body.steps[i]).roots(body)
        for b in (*use.reads, *use.writes):
            found[b].add(device)
    return found


def _unwritten_handles(body: p.Body) -> set[int]:
    written = {root_of(body, b) for step in body.steps for b in uses_of(step).writes}
    return {b for b, row in enumerate(body.buffers)
            if row.dtype == "handle" and row.kind == p.BufferKind.ARENA and b not in written}


def _handles(body: p.Body, step: p.Step) -> list[int]:
    if isinstance(step, (p.Push, p.Pop)):
        return [step.source, step.result]
    use = uses_of(step)
    found = [b for b in (*use.reads, *use.writes) if body.buffers[root_of(body, b)].dtype == "handle"]
    if isinstance(step, p.List):
        form = OPERATIONS.get(ListOperation(step.operation))
        if form is not None:
            found = [step.operands[form.source]] if form.source >= 0 else []
        if form is None or form.is_list:
            found += _taken(body, step.slots[0]) if body.slots[step.slots[0]].dtype == "handle" else []
    return found


def _elements(body: p.Body, step: p.Step) -> Iterator[int]:
    """The buffers of what a step puts into a list or takes out of it, elements or rows of them."""
    inside, outside = goes_in(step), comes_out(step)
    if inside is not None:
        yield inside
    if outside is not None:
        yield from _taken(body, outside)


def _stays(number: int, row: p.Buffer) -> bool:
    """Whether a handle comes from outside of a run, or goes there."""
    return row.kind == p.BufferKind.STATE or (number == 0 and row.kind in (p.BufferKind.INPUT, p.BufferKind.OUTPUT))


def _taken(body: p.Body, slot: int) -> list[int]:
    """The buffers that get what is in a slot."""
    return [step.buffer for step in body.steps if isinstance(step, p.Take) and step.slot == slot]
