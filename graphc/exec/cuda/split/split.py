"""A plan split between the host and the device (docs/adr/0040): a plan for the host's runtime, and Parts.

The host's runtime walks the bodies as ever: loops, branches, lists, sizes, Python functions and kernels that the device
lacks. Steps of the device wait until something needs them; then they become one step HOST, whose function has the
device do them all. It gets the sizes they depend on, the values that come from the host and the values that lie on
the device; it gives the values that the host needs and those that stay on the device.

A value on the device is an int64 vector for the host's runtime: its sizes, then its address. Such a vector stands for
the value wherever it crosses into or out of a loop or branch, so that carried values never leave the device. Sizes of
inputs that cross so are bound from it. Lists of the device's values hold such vectors (split_lists.py).

Of several devices each has steps that wait, and what waits on one needs nothing of what waits on another. A value is on
the device that made it, and is copied for a part of another one, which makes it its own if it is to cross there.

A step of the host that needs nothing of the waiting ones, and that they need not wait for, goes ahead of them: so the
parts are as few and as long as the data allow. Nothing goes ahead that could show that a run failed: what has effects
waits until the checks before it are done.
"""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from graphc.exec.cuda.split.host_body import PROGRAMS, HostBody
from graphc.exec.cuda.split.list_calls import LIST_NAME, ListUse
from graphc.exec.cuda.split.listed import comes_out, goes_in
from graphc.exec.cuda.split.part import Part, leaves_of
from graphc.exec.cuda.split.residence import Residence
from graphc.exec.cuda.split.split_lists import ListStep
from graphc.ir.records import dataclass
from graphc.plan import plan as p
from graphc.plan.plan import BufferKind, DimKind
from graphc.plan.uses import Uses, root_of, sub_bodies, uses_of

HOST_NAME = "gpu_part"
_NONE: Mapping[int, int] = MappingProxyType({})
_LASTING = (BufferKind.CONST, BufferKind.STATE)        # where both sides have them


@dataclass(frozen=True)
class Split:
    """plan: what the host's runtime runs; its last functions are `functions`, in their order: parts of the plan as it
    was, and what is done for lists. here: the variables whose values the host's steps use."""

    plan: p.Plan
    functions: tuple[Part | ListUse, ...]
    here: frozenset[int]

    @property
    def parts(self) -> tuple[Part, ...]:
        return tuple(function for function in self.functions if isinstance(function, Part))


def name_of(function: Part | ListUse) -> str:
    return f"{HOST_NAME if isinstance(function, Part) else LIST_NAME}:{function.number}"


def split(plan: p.Plan, residence: Residence) -> Split:
    """The plan, split as `residence` says. Nothing in it may be CARRIED."""
    looped = _looped(plan)
    functions: list[Part | ListUse] = []
    inner: list[p.Body] = []
    bodies = [BodySplit(plan, residence, number, functions, inner, number in looped).run()
              for number in range(len(plan.bodies))]
    here = {body.buffers[root_of(body, b)].index for body in bodies for step in body.steps
            for use in (uses_of(step),) for b in (*use.reads, *use.writes)
            if body.buffers[root_of(body, b)].kind == BufferKind.STATE}
    hosts = (*plan.hosts, *map(name_of, functions))
    return Split(replace(plan, bodies=(*bodies, *inner), programs=(*plan.programs, *PROGRAMS), hosts=hosts),
                 tuple(functions), frozenset(here))


def _looped(plan: p.Plan) -> set[int]:
    """The bodies that may run more than once in a run."""
    found: set[int] = set()
    for number, body in enumerate(plan.bodies):
        for step in body.steps:
            if isinstance(step, p.While) or number in found:
                found.update(sub_bodies(step))
    return found


class BodySplit(HostBody):
    """One body. waiting: steps of devices that no part has yet. here: values that the host has. address: the
    buffer with sizes and address of each value that a device has, homes: which one; kept: the buffers of those in
    memory that the run keeps, on the list's device. passed_on: values whose memory belongs to a body that is done,
    which another run of that body will overwrite, or to a list; loose: those of them that lie somewhere else each
    time."""

    def __init__(self, plan: p.Plan, residence: Residence, number: int, functions: list[Any], inner: list[p.Body],
                 repeats: bool) -> None:
        super().__init__(plan, plan.bodies[number], functions, inner)
        self.residence, self.number, self.repeats = residence, number, repeats
        self.where, self.home = residence.where[number], residence.homes[number]
        self.uses = [uses_of(step).roots(self.body) for step in self.body.steps]
        self.of_device = residence.slots(number)
        self.goes_out = {self.body.outputs[i]: i for i in residence.made[number]}
        for b in self.goes_out:                # if the host has it, then on the way
            self.buffers[b] = replace(self.buffers[b], kind=BufferKind.ARENA, index=0)
        self.going: dict[int, int] = {}        # the vectors of those that are made
        self.waiting: list[int] = []
        self.here = {b for b, row in enumerate(self.buffers) if row.dtype == "handle"}     # lists are always the host's
        self.address: dict[int, int] = {}
        self.homes: dict[int, int] = {}
        self.vectors: dict[int, tuple[int, int]] = {}          # of slots, and the devices
        self.from_lists: set[int] = set()      # slots
        self.passed_on: set[int] = set()
        self.loose: set[int] = set()
        self.kept: dict[int, tuple[int, int]] = {}
        self.wanted_here, self.wanted_there = self._last_uses()
        self.wanted_kept = {residence.goes_in(number, i): (i, held.home) for i, held in residence.lists[number].items()}

    def run(self) -> p.Body:
        self._begin()
        for number, step in enumerate(self.body.steps):
            if number in self.where:
                self._part_from_others(number)
                self.waiting.append(number)
            else:
                self._host_step(number, step)
        self._end()
        return self.made()

    def _last_uses(self) -> tuple[dict[int, int], dict[int, int]]:
        """The last step of the host, and of the device, that reads each value; outputs are read after all steps."""
        here: dict[int, int] = {}
        there: dict[int, int] = {}
        for number, step in enumerate(self.body.steps):
            if number in self.where:
                there.update(dict.fromkeys((*self.uses[number].reads, *self.uses[number].writes), number))
                continue
            crossing = self._crossing(step)
            there.update(dict.fromkeys(crossing, number))
            here.update(dict.fromkeys(self._read_here(number, step), number))
        for output in self.body.outputs:
            (there if output in self.goes_out else here)[root_of(self.body, output)] = len(self.body.steps)
        return here, there

    def _crossing(self, step: p.Step) -> list[int]:
        if not sub_bodies(step):
            return []
        return [root_of(self.body, b) for b in self.residence.crossing(step)]

    def _read_here(self, number: int, step: p.Step) -> list[int]:
        """What a step of the host reads itself."""
        if not sub_bodies(step):
            inside = self.residence.goes_in(self.number, number)
            return [b for b in self.uses[number].reads if b != inside]
        assert isinstance(step, (p.While, p.If))
        given = self.residence.given[sub_bodies(step)[0]]
        stay = [root_of(self.body, b) for i, b in enumerate(step.operands) if i not in given]
        return [*stay, root_of(self.body, step.pred)] if isinstance(step, p.If) else stay

    # Ends of the body

    def _begin(self) -> None:
        """Inputs of the device come as their sizes and addresses."""
        self.here.update(b for i, b in enumerate(self.body.inputs) if i not in self.residence.given[self.number])
        for i in sorted(self.residence.given[self.number]):
            buffer = self.body.inputs[i]
            made = self.vector(len(self.body.buffers[buffer].dims) + 1, BufferKind.INPUT, i)
            self.inputs[i], self.address[buffer], self.homes[buffer] = made, made, self.home
            self.buffers[buffer] = replace(self.buffers[buffer], kind=BufferKind.ARENA, index=0)
            axes = {dim.operands[1]: d for d, dim in enumerate(self.body.dims)
                    if dim.kind == DimKind.INPUT and dim.operands[0] == i}
            for d in axes.values():
                self.dims[d] = p.Dim(DimKind.RUNTIME)
            self.bind(made, axes, ())

    def _end(self) -> None:
        again = {b: self.home for b in self.goes_out if not self._is_there(b, self.home) or b in self.passed_on}
        stay = [b for b in self.body.outputs if b not in self.goes_out and not self._is_here(b)]
        if self.waiting or again or stay:
            self._launch(len(self.body.steps), stay, again)
        for b, i in self.goes_out.items():
            self.outputs[i] = self.address[b]

    # Steps of the host

    def _host_step(self, number: int, step: p.Step) -> None:
        if isinstance(step, p.Take) and step.slot in self.of_device:
            return self._take(step)
        read, crossing = self._read_here(number, step), self._crossing(step)
        inside = self.residence.goes_in(self.number, number)
        missing = [b for b in dict.fromkeys(read) if not self._is_here(b)]
        target = self.residence.homes[sub_bodies(step)[0]] if crossing else 0
        abroad = {b: target for b in crossing if not self._is_there(b, target) or b in self.loose}
        listed = {}
        if inside >= 0 and not self._is_kept(inside, number):
            listed[inside] = self.residence.lists[self.number][number].home
        if missing or abroad or listed or self._must_wait(step, self.uses[number]):
            self._launch(number, missing, abroad, listed)
        if number in self.residence.lists[self.number]:
            self._list_step(number, step)
        else:
            self._emit(step)
        self.here.update(self.uses[number].writes)
        for written in self.uses[number].writes:
            self._forget(written)

    def _forget(self, buffer: int) -> None:
        """Another value is in the buffer now."""
        self.address.pop(buffer, None)
        self.kept.pop(buffer, None)
        self.loose.discard(buffer)

    def _is_here(self, buffer: int) -> bool:
        """Whether the host has the value, as it is before the waiting steps."""
        return ((buffer in self.here or self.body.buffers[buffer].kind not in _MADE)
                and not any(buffer in self.uses[i].writes for i in self.waiting))

    def _is_there(self, buffer: int, device: int) -> bool:
        return (buffer in self.address and self.homes[buffer] == device
                and not any(buffer in self.uses[i].writes for i in self.waiting))

    def _is_kept(self, buffer: int, number: int) -> bool:
        """Whether a value is kept where the list of step `number` is."""
        _, home = self.kept.get(buffer, (0, -1))
        return (home == self.residence.lists[self.number][number].home
                and not any(buffer in self.uses[i].writes for i in self.waiting))

    def _must_wait(self, step: p.Step, use: Uses) -> bool:
        """Whether a step of the host has to come after the waiting ones, for what it writes or for its effects."""
        rows = self.body.buffers
        touched = {b for i in self.waiting for b in (*self.uses[i].reads, *self.uses[i].writes)}
        if touched.intersection(use.writes):
            return True
        if isinstance(step, (p.Host, p.While, p.If)):
            return any(rows[b].kind == BufferKind.STATE for b in touched) or any(map(self._checks, self.waiting))
        if any(rows[b].kind == BufferKind.STATE_INFO for b in use.writes):
            return bool(self.waiting)
        return (any(rows[b].kind == BufferKind.STATE for b in use.writes)
                and any(map(self._checks, self.waiting)))

    def _checks(self, number: int) -> bool:
        """Whether a step of the device may end the run: one that takes indices."""
        step = self.body.steps[number]
        return isinstance(step, p.Call) and any(self.body.buffers[b].dtype in ("i32", "i64")
                                                for b in self.uses[number].reads)

    def _emit(self, step: p.Step) -> None:
        if not sub_bodies(step):
            self.steps.append(step)
            return
        assert isinstance(step, (p.While, p.If))
        given = self.residence.given[sub_bodies(step)[0]]
        operands = tuple(self.seen_as(self.address[root_of(self.body, b)], b, root_of(self.body, b), step.origins)
                         if i in given else b for i, b in enumerate(step.operands))
        there = self.residence.crossing_slots(step)
        self.steps.append(replace(step, operands=operands, binds=tuple(b for b in step.binds if b.slot not in there)))
        for slot in sorted(there):
            vector = self.vector(self.body.slots[slot].rank + 1)
            self.slots[slot] = p.Slot("i64", 1)
            self.steps.append(p.Take(slot, vector, origins=step.origins))
            self.bind(vector, {b.axis: b.dim for b in step.binds if b.slot == slot}, step.origins)
            self.vectors[slot] = vector, self.residence.homes[sub_bodies(step)[0]]

    def _list_step(self, number: int, step: p.Step) -> None:
        buffer, given = goes_in(step), -1
        if buffer is not None:
            root = root_of(self.body, buffer)
            given = self.seen_as(self.kept[root][0], buffer, root, step.origins)
        elements = self.residence.lists[self.number][number]
        vector = ListStep(self, (self.number, number), step, elements).emit(given)
        if vector is not None:
            assert isinstance(step, (p.Pop, p.List))
            self.bind(vector, {b.axis: b.dim for b in step.binds}, step.origins)
            slot = comes_out(step)
            assert slot is not None
            self.vectors[slot] = vector, elements.home
            self.from_lists.add(slot)

    def _take(self, step: p.Take) -> None:
        root = root_of(self.body, step.buffer)
        self._forget(root)
        vector, self.homes[root] = self.vectors[step.slot]
        self.address[root] = self.seen_as(vector, root, step.buffer, step.origins)
        self.here.discard(root)
        self.passed_on.add(root)
        if step.slot in self.from_lists:
            self.loose.add(root)
            self.kept[root] = self.address[root], self.homes[root]

    # Parts

    def _part_from_others(self, number: int) -> None:
        """Before step `number` waits on its device: what waits on another one and has to come before it goes."""
        use, device = self.uses[number], self.where[number]
        writes = any(self.body.buffers[b].kind == BufferKind.STATE for b in use.writes)
        for other in sorted({self.where[i] for i in self.waiting} - {device}):
            waiting = [i for i in self.waiting if self.where[i] == other]
            written = {b for i in waiting for b in self.uses[i].writes}
            read = {b for i in waiting for b in self.uses[i].reads}
            needed = written.intersection((*use.reads, *use.writes))
            if needed or read.intersection(use.writes) or (writes and any(map(self._checks, waiting))):
                there = {b for b in needed if self.body.buffers[b].kind in _MADE}
                self._launch_on(other, number, (), sorted(there), ())

    def _launch(self, number: int, missing: Sequence[int], abroad: Mapping[int, int],
                listed: Mapping[int, int] = _NONE) -> None:
        """Parts of all that waits, before step `number`. missing: what the host must have after them; abroad: what
        must have an address after them, and on which device; listed: what must be kept for a list, and where. Those
        come last for which the host waits."""
        writers = {b: self.where[i] for i in self.waiting for b in self.uses[i].writes}

        def source(b: int, otherwise: int) -> int:
            at_home = b in self.address and b not in self.here
            return writers.get(b, self.homes[b] if at_home else otherwise)

        needs = {b: source(b, 0) for b in missing}
        devices = {self.home, *writers.values(), *needs.values(), *(self.where[i] for i in self.waiting),
                   *abroad.values(), *listed.values()}
        for device in sorted(devices, key=lambda d: (d in needs.values(), d)):
            here = [b for b in missing if needs[b] == device]
            there = {b for b, to in abroad.items() if source(b, to) == device and (to == device or b in writers)}
            there |= {b for b, to in listed.items() if writers.get(b, to) == device != to}
            kept = [b for b, to in listed.items() if source(b, to) == device == to]
            if here or there or kept or any(self.where[i] == device for i in self.waiting):
                self._launch_on(device, number, here, sorted(there), kept)
        for device in sorted(devices):
            there = {b for b, to in abroad.items() if to == device and not self._is_there(b, device)}
            kept = [b for b, to in listed.items() if to == device != self.kept.get(b, (0, -1))[1]]
            if there or kept:
                self._launch_on(device, number, (), sorted(there), kept)

    def _launch_on(self, device: int, number: int, missing: Sequence[int], abroad: Sequence[int],
                   listed: Sequence[int]) -> None:
        """A part of all that waits on a device. Whatever of its values steps from `number` on read goes along."""
        waiting = [i for i in self.waiting if self.where[i] == device]
        read = {b for i in waiting for b in self.uses[i].reads}
        written = {b for i in waiting for b in self.uses[i].writes}
        own = {b for b in written if self.body.buffers[b].kind in _MADE}
        given = {b for b in (read | written | {*missing, *abroad, *listed}) if self._is_taken_over(b, device)}
        uploads = {b for b in (read | {*abroad, *listed}) - written - given
                   if self.body.buffers[b].kind not in _LASTING or self._changes(b)}
        uploads |= {b for b in own & self.here if b not in given}
        new = own | uploads.difference(self.address)       # others stay where another device has them
        listing = {b: self.wanted_kept[b][1] for b in new if self.wanted_kept.get(b, (-1, 0))[0] >= number}
        made = {b for b in new if self.wanted_there.get(b, -1) >= number} | {*abroad}
        made |= {b for b, home in listing.items() if home != device}
        at_hand = own | {b for b in self.address if self.homes[b] == device and b not in self.here | written
                         and self.body.buffers[b].kind in _MADE}
        down = {b for b in at_hand if self.wanted_here.get(b, -1) >= number} | {*missing}
        given |= {b for b in down if b in self.address}
        kept = {b for b, home in listing.items() if home == device} | {*listed}
        vectors = self._add_part(device, waiting, sorted(uploads), sorted(given), sorted(made), sorted(down),
                                 sorted(kept))
        self.here -= own
        for b in written - made:
            self._forget(b)
        self.kept = {b: v for b, v in self.kept.items() if b not in written} | vectors
        self.here |= down
        self.passed_on -= made
        self.loose -= made
        self.waiting = [i for i in self.waiting if self.where[i] != device]

    def _changes(self, buffer: int) -> bool:
        """Whether it is a variable that the host writes: the device may have the value from before that. (A loop's body
        writes none: what it changes is carried, and written after it.)"""
        row = self.body.buffers[buffer]
        return row.kind == BufferKind.STATE and row.index in self.residence.written_here

    def _is_taken_over(self, buffer: int, device: int) -> bool:
        """Whether a part of a device gets a value from where it is on a device: rather from the host than from another
        one."""
        return buffer in self.address and (self.homes[buffer] == device or buffer not in self.here)

    def _add_part(self, device: int, waiting: Sequence[int], uploads: Sequence[int], given: Sequence[int],
                  made: Sequence[int], down: Sequence[int], kept: Sequence[int]) -> dict[int, tuple[int, int]]:
        """The vectors of what is kept, with the device."""
        body = self.body
        leaves = leaves_of(body, waiting, (*uploads, *given, *made, *down, *kept))
        sources = tuple(self.homes[b] for b in given)
        loose = tuple(b for b in given if b in self.loose or self.homes[b] != device)
        part = Part(len(self.functions), self.number, tuple(waiting), tuple(uploads), tuple(given), tuple(made),
                    tuple(down), leaves, self.repeats, loose, tuple(kept), device, sources)
        origins = tuple(dict.fromkeys(o for i in waiting for o in body.steps[i].origins))
        operands = [*([self.store_sizes(leaves, origins)] if leaves else ()), *uploads,
                    *(self.address[b] for b in given)]
        self.address |= {b: self._vector_of(b) for b in made}
        self.homes |= dict.fromkeys(made, device)
        vectors = {b: self.vector(len(body.buffers[b].dims) + 1) for b in kept}
        taken = [(self.slot(body.buffers[b].dtype, len(body.buffers[b].dims)), b) for b in down]
        taken += [(self.slot("i64", 1), vector) for vector in (*(self.address[b] for b in made), *vectors.values())]
        self.call(part, operands, [slot for slot, _ in taken], origins)
        self.steps += [p.Take(slot, b, origins=origins) for slot, b in taken]
        return {b: (vector, device) for b, vector in vectors.items()}

    def _vector_of(self, made: int) -> int:
        """The vector of a value that a part makes."""
        length = len(self.body.buffers[made].dims) + 1
        if made not in self.goes_out:
            return self.vector(length)
        if made not in self.going:
            self.going[made] = self.vector(length, BufferKind.OUTPUT, self.goes_out[made])
        return self.going[made]


_MADE = (BufferKind.ARENA, BufferKind.OUTPUT, BufferKind.INPUT)
