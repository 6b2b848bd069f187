"""Which steps of a plan the device does, and which values of loops and branches stay in its memory.

A step is the device's if it has all that the step needs, the caller lets it, and it is worth the way there: what makes
a few integers or truth values of a few numbers (counters of loops, sizes, conditions) stays with the host, or a loop
would ask the device in every iteration whether it goes on. Then some steps go back to the host:

 1. what some steps of the host write in part, the host writes whole;
 2. of a variable that the plan writes and that both would use, and of one of strings, the host does all.

Lists whose elements the device makes or takes hold values of the device (listed.py): what goes into them is read there,
what comes out of them is made there.

Of several devices a step is that one's on which its op was placed, the first one's if on none. What crosses into a
loop or a branch is that device's which does all of it, or else the first one's; so is what a list holds.

A value that goes into or comes out of a loop or a branch crosses as the device's if a step of the device in there, at
any depth, reads or makes it. Every other one crosses as the host's.
"""
from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from graphc.exec.cuda.split.listed import comes_out, goes_in, listed_steps
from graphc.exec.cuda.support import is_the_hosts, lacking
from graphc.exec.map_code import LLVM_TYPES
from graphc.plan import plan as p
from graphc.plan.uses import root_of, sub_bodies, uses_of

FEW = 16                   # elements: of integers or truth values so many stay with the host
LONGEST_RANK = 7           # of what crosses: one axis more holds the address


class Residence:
    """steps: of each body the numbers of the steps that the device does; lists: of each body those on lists of the
    device's values, with what these hold. given, made: of each body the numbers of its inputs and outputs that are the
    device's; homes: of each body which device's they are; where: of each body the device of each of its steps.
    written_here: the variables that the host writes. may: whether the caller lets a device do a step; place: which
    device that is then, by a number; stays: whether a value (its body's number and its own) may go into and come out of
    loops and branches as a device's; holds: whether lists may hold values of a device."""

    def __init__(self, plan: p.Plan, may: Callable[[p.Step], bool] = lambda step: True,
                 place: Callable[[p.Step], int] = lambda step: 0,
                 stays: Callable[[int, int], bool] = lambda number, buffer: True, holds: bool = True) -> None:
        self.plan, self._stays = plan, stays
        self.steps = [{i for i, step in enumerate(body.steps) if self._fits(body, step) and may(step)}
                      for body in plan.bodies]
        self.given: list[set[int]] = [set() for _ in plan.bodies]
        self.made: list[set[int]] = [set() for _ in plan.bodies]
        while self._give_back():
            pass
        self.written_here = {state for number, body in enumerate(plan.bodies) for i, step in enumerate(body.steps)
                             if i not in self.steps[number] for state in _states(body, uses_of(step).writes)}
        self.where = [{i: place(body.steps[i]) for i in sorted(steps)}
                      for body, steps in zip(plan.bodies, self.steps, strict=True)]
        self.homes = [0] * len(plan.bodies)
        for number in reversed(range(len(plan.bodies))):
            self._find_homes(number)
        self.lists = listed_steps(plan, self.where, _fits_list) if holds else [{} for _ in plan.bodies]
        for number in reversed(range(len(plan.bodies))):
            self._cross(number)

    def _fits(self, body: p.Body, step: p.Step) -> bool:
        return (isinstance(step, (p.Map, p.Call)) and not lacking(self.plan, step)
                and not is_the_hosts(self.plan, body, step) and not _is_for_the_host(body, step))

    # What goes back to the host

    def _give_back(self) -> bool:
        """Gives steps back by the two rules of the header. Returns whether there were any."""
        shared = self._shared_states()
        found = False
        for number, body in enumerate(self.plan.bodies):
            mixed = self._written_by_the_host(number)
            back = {i for i in self.steps[number] for use in (uses_of(body.steps[i]).roots(body),)
                    if mixed.intersection(use.writes) or shared.intersection(_states(body, (*use.reads, *use.writes)))}
            self.steps[number] -= back
            found |= bool(back)
        return found

    def _written_by_the_host(self, number: int) -> set[int]:
        body = self.plan.bodies[number]
        return {root_of(body, b) for i, step in enumerate(body.steps) if i not in self.steps[number]
                for b in uses_of(step).writes}

    def _shared_states(self) -> set[int]:
        """Variables that steps on both sides use and any step writes; and those of strings, which the host has to hold
        by their numbers."""
        used: tuple[set[int], set[int]] = (set(), set())
        written: set[int] = set()
        for number, body in enumerate(self.plan.bodies):
            for i, step in enumerate(body.steps):
                use = uses_of(step).roots(body)
                used[i in self.steps[number]].update(_states(body, (*use.reads, *use.writes)))
                written.update(_states(body, use.writes))
        return used[0] & used[1] & written | {i for i, state in enumerate(self.plan.states) if state.dtype == "str"}

    # What crosses

    def _find_homes(self, number: int) -> None:
        """Of the loops and branches of a body."""
        for step in self.plan.bodies[number].steps:
            inner = sub_bodies(step)
            devices = {device for b in inner for device in self._devices(b)}
            for b in inner:
                self.homes[b] = next(iter(devices)) if len(devices) == 1 else 0

    def _devices(self, number: int) -> set[int]:
        """Of the steps of a body, at any depth."""
        found = set(self.where[number].values())
        for step in self.plan.bodies[number].steps:
            for b in sub_bodies(step):
                found |= self._devices(b)
        return found

    def _cross(self, number: int) -> None:
        """Decides for the loops and branches of a body, whose own bodies are decided."""
        body = self.plan.bodies[number]
        for step in body.steps:
            if isinstance(step, p.While):
                self._cross_loop(number, step)
            elif isinstance(step, p.If):
                self._cross_branch(number, step)

    def _cross_loop(self, number: int, step: p.While) -> None:
        bodies = self.plan.bodies
        for i, operand in enumerate(step.operands):
            carried = i < step.carried
            places = [(number, operand), *((b, bodies[b].inputs[i]) for b in (step.cond, step.body))]
            if carried:
                places += [(step.body, bodies[step.body].outputs[i]), *self._taken(number, step.slots[i])]
            wanted = self._reads(step.cond, i) or self._reads(step.body, i) or (carried and self._makes(step.body, i))
            if wanted and self._cross_all(places) and not (
                    carried and _into_variable(bodies[number], step.slots[i])):
                self.given[step.cond].add(i)
                self.given[step.body].add(i)
                if carried:
                    self.made[step.body].add(i)

    def _cross_branch(self, number: int, step: p.If) -> None:
        both, bodies = (step.then, step.orelse), self.plan.bodies
        for i, operand in enumerate(step.operands):
            places = [(number, operand), *((b, bodies[b].inputs[i]) for b in both)]
            if any(self._reads(b, i) for b in both) and self._cross_all(places):
                for b in both:
                    self.given[b].add(i)
        for i, slot in enumerate(step.slots):
            places = [*((b, bodies[b].outputs[i]) for b in both), *self._taken(number, slot)]
            if (any(self._makes(b, i) for b in both) and self._cross_all(places)
                    and not _into_variable(bodies[number], slot)):
                for b in both:
                    self.made[b].add(i)

    def _taken(self, number: int, slot: int) -> list[tuple[int, int]]:
        """Where a body has what is in a slot."""
        return [(number, step.buffer) for step in self.plan.bodies[number].steps
                if isinstance(step, p.Take) and step.slot == slot]

    def _cross_all(self, places: Sequence[tuple[int, int]]) -> bool:
        """Whether the value with these places, in bodies and of them, can cross as the device's."""
        return all(_crosses(self.plan.bodies[number], buffer) and self._stays(number, buffer)
                   for number, buffer in places)

    def _reads(self, number: int, given: int) -> bool:
        """Whether the device reads an input of a body, maybe in a loop or branch of that."""
        body = self.plan.bodies[number]
        wanted = body.inputs[given]
        for i, step in enumerate(body.steps):
            if i in self.steps[number]:
                if wanted in uses_of(step).roots(body).reads:
                    return True
            elif self.goes_in(number, i) == wanted:
                return True
            elif sub_bodies(step):
                if any(root_of(body, b) == wanted for b in self.crossing(step)):
                    return True
        return False

    def _makes(self, number: int, made: int) -> bool:
        """Whether the device makes an output of a body, maybe in a loop or branch of that."""
        body = self.plan.bodies[number]
        wanted = body.outputs[made]
        slots = self.slots(number)
        for i, step in enumerate(body.steps):
            if isinstance(step, p.Take) and step.slot in slots and root_of(body, step.buffer) == wanted:
                return True
            if i in self.steps[number] and wanted in uses_of(step).roots(body).writes:
                return True
        return False

    def crossing(self, step: p.Step) -> Iterator[int]:
        """The operands of a loop or branch that cross as the device's."""
        assert isinstance(step, (p.While, p.If))
        given = self.given[sub_bodies(step)[0]]
        return (operand for i, operand in enumerate(step.operands) if i in given)

    def crossing_slots(self, step: p.Step) -> set[int]:
        """The slots of a loop or a branch that get values of the device."""
        inner = sub_bodies(step)
        if not inner:
            return set()
        assert isinstance(step, (p.While, p.If))
        return {slot for i, slot in enumerate(step.slots) if i in self.made[inner[1]]}

    def slots(self, number: int) -> set[int]:
        """The slots of a body that get values of the device."""
        body = self.plan.bodies[number]
        out = {comes_out(body.steps[i]) for i in self.lists[number]}
        return {slot for slot in out if slot is not None}.union(*map(self.crossing_slots, body.steps))

    def goes_in(self, number: int, place: int) -> int:
        """The value of the device that a step of a body puts into a list, -1: none."""
        body = self.plan.bodies[number]
        buffer = goes_in(body.steps[place]) if place in self.lists[number] else None
        return -1 if buffer is None else root_of(body, buffer)


def _is_for_the_host(body: p.Body, step: p.Step) -> bool:
    use = uses_of(step)
    return (all(_is_few(body, b) and _counts(body, b) for b in use.writes)
            and all(_is_few(body, b) for b in use.reads)
            and not any(body.buffers[root_of(body, b)].kind == p.BufferKind.STATE for b in use.writes))


def _is_few(body: p.Body, buffer: int) -> bool:
    count = 1
    for d in body.buffers[buffer].dims:
        if body.dims[d].kind != p.DimKind.CONST:
            return False
        count *= body.dims[d].value
    return count <= FEW


def _counts(body: p.Body, buffer: int) -> bool:
    """Whether it holds integers or truth values."""
    dtype = body.buffers[buffer].dtype
    return dtype == "bool" or dtype[0] in "iu"


def _crosses(body: p.Body, buffer: int) -> bool:
    """Whether a value of this kind can cross as the device's."""
    row = body.buffers[buffer]
    return (row.dtype in LLVM_TYPES and len(row.dims) <= LONGEST_RANK
            and not (_is_few(body, buffer) and _counts(body, buffer)))


def _fits_list(body: p.Body, buffer: int) -> bool:
    return _crosses(body, buffer) and body.buffers[buffer].kind != p.BufferKind.STATE


def _into_variable(body: p.Body, slot: int) -> bool:
    """Whether a slot's value goes right into a variable, which the host does."""
    return any(body.buffers[root_of(body, step.buffer)].kind == p.BufferKind.STATE for step in body.steps
               if isinstance(step, p.Take) and step.slot == slot)


def _states(body: p.Body, buffers: tuple[int, ...]) -> set[int]:
    """The variables that these buffers are, or are aliases of."""
    rows = [body.buffers[root_of(body, b)] for b in buffers]
    return {row.index for row in rows if row.kind == p.BufferKind.STATE}
