"""A plan split between the host and the device (docs/adr/0040): a plan for the host's runtime, and Parts.

The host's runtime walks the bodies as ever: loops, branches, lists, sizes, Python functions and kernels that the device
lacks. Steps of the device wait until something needs them; then they become one step HOST, whose function has the
device do them all. It gets the sizes they depend on, the values that come from the host and the values that lie on
the device; it gives the values that the host needs and those that stay on the device.

A value on the device is an int64 vector for the host's runtime: its sizes, then its address. Such a vector stands for
the value wherever it crosses into or out of a loop or branch, so that carried values never leave the device. Sizes of
inputs that cross so are bound from it.

A step of the host that needs nothing of the waiting ones, and that they need not wait for, goes ahead of them: so the
parts are as few and as long as the data allow. Nothing goes ahead that could show that a run failed: what has effects
waits until the checks before it are done.
"""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from graphc.exec.cuda.part import Part, leaves_of
from graphc.exec.cuda.residence import Residence
from graphc.ir.records import dataclass
from graphc.plan import plan as p
from graphc.plan.plan import BufferKind, DimKind
from graphc.plan.uses import Uses, root_of, sub_bodies, uses_of

HOST_NAME = "gpu_part"
SIZES_AT_ONCE = 8          # of the kernel `sizes`
_AS_IT_IS = p.Program(("i64",), (), (0,))              # a map's: what is loaded is stored
_LASTING = (BufferKind.CONST, BufferKind.STATE)        # where both sides have them


@dataclass(frozen=True)
class Split:
    """plan: what the host's runtime runs; its last functions are the parts, in their order. parts: of the plan as it
    was. here: the variables whose values the host's steps use."""

    plan: p.Plan
    parts: tuple[Part, ...]
    here: frozenset[int]


def split(plan: p.Plan, residence: Residence) -> Split:
    """The plan, split as `residence` says. Nothing in it may be CARRIED."""
    looped = _looped(plan)
    parts: list[Part] = []
    bodies = [BodySplit(plan, residence, number, parts, number in looped).run() for number in range(len(plan.bodies))]
    here = {body.buffers[root_of(body, b)].index for body in bodies for step in body.steps
            for use in (uses_of(step),) for b in (*use.reads, *use.writes)
            if body.buffers[root_of(body, b)].kind == BufferKind.STATE}
    hosts = (*plan.hosts, *(f"{HOST_NAME}:{part.number}" for part in parts))
    return Split(replace(plan, bodies=tuple(bodies), programs=(*plan.programs, _AS_IT_IS), hosts=hosts), tuple(parts),
                 frozenset(here))


def _looped(plan: p.Plan) -> set[int]:
    """The bodies that may run more than once in a run."""
    found: set[int] = set()
    for number, body in enumerate(plan.bodies):
        for step in body.steps:
            if isinstance(step, p.While) or number in found:
                found.update(sub_bodies(step))
    return found


class BodySplit:
    """One body. waiting: steps of the device that no part has yet. here: values that the host has. address: the
    buffer with sizes and address of each value that the device has. passed_on: values whose memory belongs to a body
    that is done, which another run of that body will overwrite."""

    def __init__(self, plan: p.Plan, residence: Residence, number: int, parts: list[Part], repeats: bool) -> None:
        self.plan, self.residence, self.number, self.parts, self.repeats = plan, residence, number, parts, repeats
        self.body = plan.bodies[number]
        self.uses = [uses_of(step).roots(self.body) for step in self.body.steps]
        self.dims, self.buffers = list(self.body.dims), list(self.body.buffers)
        self.slots, self.steps = list(self.body.slots), []     # type: list[p.Slot], list[p.Step]
        self.inputs, self.outputs = list(self.body.inputs), list(self.body.outputs)
        self.of_device = {slot for step in self.body.steps for slot in residence.slots(step)}
        self.goes_out = {self.body.outputs[i]: i for i in residence.made[number]}
        for b in self.goes_out:                # if the host has it, then on the way
            self.buffers[b] = replace(self.buffers[b], kind=BufferKind.ARENA, index=0)
        self.going: dict[int, int] = {}        # the vectors of those that are made
        self.waiting: list[int] = []
        self.here = {b for b, row in enumerate(self.buffers) if row.dtype == "handle"}     # lists are always the host's
        self.address: dict[int, int] = {}
        self.vectors: dict[int, int] = {}      # of the slots of loops and branches
        self.passed_on: set[int] = set()
        self.wanted_here, self.wanted_there = self._last_uses()

    def run(self) -> p.Body:
        self._begin()
        for number, step in enumerate(self.body.steps):
            if number in self.residence.steps[self.number]:
                self.waiting.append(number)
            else:
                self._host_step(number, step)
        self._end()
        return replace(self.body, dims=tuple(self.dims), buffers=tuple(self.buffers), slots=tuple(self.slots),
                       steps=tuple(self.steps), inputs=tuple(self.inputs), outputs=tuple(self.outputs))

    def _last_uses(self) -> tuple[dict[int, int], dict[int, int]]:
        """The last step of the host, and of the device, that reads each value; outputs are read behind all steps."""
        here: dict[int, int] = {}
        there: dict[int, int] = {}
        for number, step in enumerate(self.body.steps):
            if number in self.residence.steps[self.number]:
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
            return list(self.uses[number].reads)
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
            made = self._vector(len(self.body.buffers[buffer].dims) + 1, BufferKind.INPUT, i)
            self.inputs[i], self.address[buffer] = made, made
            self.buffers[buffer] = replace(self.buffers[buffer], kind=BufferKind.ARENA, index=0)
            axes = {dim.operands[1]: d for d, dim in enumerate(self.body.dims)
                    if dim.kind == DimKind.INPUT and dim.operands[0] == i}
            for d in axes.values():
                self.dims[d] = p.Dim(DimKind.RUNTIME)
            self._bind(made, axes, ())

    def _end(self) -> None:
        again = [b for b in self.goes_out if not self._is_there(b) or b in self.passed_on]
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
        missing = [b for b in dict.fromkeys(read) if not self._is_here(b)]
        abroad = [b for b in dict.fromkeys(crossing) if not self._is_there(b)]
        if missing or abroad or self._must_wait(step, self.uses[number]):
            self._launch(number, missing, abroad)
        self._emit(step)
        self.here.update(self.uses[number].writes)
        for written in self.uses[number].writes:
            self.address.pop(written, None)

    def _is_here(self, buffer: int) -> bool:
        """Whether the host has the value, as it is before the waiting steps."""
        return ((buffer in self.here or self.body.buffers[buffer].kind not in _MADE)
                and not any(buffer in self.uses[i].writes for i in self.waiting))

    def _is_there(self, buffer: int) -> bool:
        return buffer in self.address and not any(buffer in self.uses[i].writes for i in self.waiting)

    def _must_wait(self, step: p.Step, use: Uses) -> bool:
        """Whether a step of the host has to come behind the waiting ones, for what it writes or for its effects."""
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
        operands = tuple(self._seen_as(self.address[root_of(self.body, b)], b, root_of(self.body, b), step.origins)
                         if i in given else b for i, b in enumerate(step.operands))
        there = self.residence.slots(step)
        self.steps.append(replace(step, operands=operands, binds=tuple(b for b in step.binds if b.slot not in there)))
        for slot in sorted(there):
            vector = self._vector(self.body.slots[slot].rank + 1)
            self.slots[slot] = p.Slot("i64", 1)
            self.steps.append(p.Take(slot, vector, origins=step.origins))
            self._bind(vector, {b.axis: b.dim for b in step.binds if b.slot == slot}, step.origins)
            self.vectors[slot] = vector

    def _take(self, step: p.Take) -> None:
        root = root_of(self.body, step.buffer)
        self.address[root] = self._seen_as(self.vectors[step.slot], root, step.buffer, step.origins)
        self.here.discard(root)
        self.passed_on.add(root)

    # Parts

    def _launch(self, number: int, missing: Sequence[int], abroad: Sequence[int]) -> None:
        """A part of all that waits, before step `number`. missing: what the host must have behind it; abroad: what must
        have an address behind it. Whatever of its values steps from `number` on read goes along."""
        read = {b for i in self.waiting for b in self.uses[i].reads}
        written = {b for i in self.waiting for b in self.uses[i].writes}
        own = {b for b in written if self.body.buffers[b].kind in _MADE}
        given = {b for b in (read | written | {*missing, *abroad}) if b in self.address}
        uploads = {b for b in (read | {*abroad}) - written - given if self.body.buffers[b].kind not in _LASTING}
        uploads |= {b for b in own & self.here if b not in given}
        made = {b for b in own | uploads if self.wanted_there.get(b, -1) >= number} | {*abroad}
        at_hand = own | {b for b in self.address if b not in self.here | written and self.body.buffers[b].kind in _MADE}
        down = {b for b in at_hand if self.wanted_here.get(b, -1) >= number} | {*missing}
        given |= {b for b in down if b in self.address}
        self._add_part(sorted(uploads), sorted(given), sorted(made), sorted(down))
        self.here -= own
        for b in written - made:
            self.address.pop(b, None)
        self.here |= down
        self.passed_on -= made
        self.waiting = []

    def _add_part(self, uploads: Sequence[int], given: Sequence[int], made: Sequence[int],
                  down: Sequence[int]) -> None:
        body = self.body
        leaves = leaves_of(body, self.waiting, (*uploads, *given, *made, *down))
        number = len(self.parts)
        self.parts.append(Part(number, self.number, tuple(self.waiting), tuple(uploads), tuple(given), tuple(made),
                               tuple(down), leaves, self.repeats))
        origins = tuple(dict.fromkeys(o for i in self.waiting for o in body.steps[i].origins))
        operands = [*([self._store_sizes(leaves, origins)] if leaves else ()), *uploads,
                    *(self.address[b] for b in given)]
        taken: list[tuple[int, int]] = []
        for b in down:
            taken.append((self._slot(body.buffers[b].dtype, len(body.buffers[b].dims)), b))
        for b in made:
            self.address[b] = self._vector_of(b)
            taken.append((self._slot("i64", 1), self.address[b]))
        self.steps.append(p.Host(len(self.plan.hosts) + number, tuple(operands), tuple(s for s, _ in taken),
                                 origins=origins))
        self.steps += [p.Take(slot, b, origins=origins) for slot, b in taken]

    def _vector_of(self, made: int) -> int:
        """The vector of a value that a part makes."""
        length = len(self.body.buffers[made].dims) + 1
        if made not in self.goes_out:
            return self._vector(length)
        if made not in self.going:
            self.going[made] = self._vector(length, BufferKind.OUTPUT, self.goes_out[made])
        return self.going[made]

    # Small things

    def _slot(self, dtype: str, rank: int) -> int:
        self.slots.append(p.Slot(dtype, rank))
        return len(self.slots) - 1

    def _constant(self, value: int) -> int:
        row = p.Dim(DimKind.CONST, value=value)
        if row not in self.dims:
            self.dims.append(row)
        return self.dims.index(row)

    def _vector(self, length: int, kind: BufferKind = BufferKind.ARENA, index: int = 0) -> int:
        self.buffers.append(p.Buffer(kind, "i64", (self._constant(length),), index))
        return len(self.buffers) - 1

    def _seen_as(self, vector: int, buffer: int, like: int, origins: tuple[int, ...]) -> int:
        """The vector of a value seen as `buffer`, of one in which it has the sizes of `like`."""
        wanted, had = self.body.buffers[buffer].dims, self.body.buffers[like].dims
        if wanted == had:
            return vector
        made = self._vector(len(wanted) + 1)
        self._sizes_into(made, wanted, origins)
        one, none = self._constant(1), self._constant(0)
        places = [p.Access(of, self._constant(rank), (none,)) for of, rank in ((vector, len(had)), (made, len(wanted)))]
        self.steps.append(p.Map(len(self.plan.programs), (one,), 0, (places[0],), (places[1],), origins=origins))
        return made

    def _bind(self, vector: int, axes: dict[int, int], origins: tuple[int, ...]) -> None:
        """Dims by the axes whose sizes they become, from the sizes in a vector; others before those are not used."""
        if not axes:
            return
        found = []
        for axis in range(max(axes) + 1):
            if axis not in axes:
                self.dims.append(p.Dim(DimKind.RUNTIME))
            found.append(axes.get(axis, len(self.dims) - 1))
        self.steps.append(p.Bind(vector, tuple(found), origins=origins))

    def _store_sizes(self, leaves: Sequence[int], origins: tuple[int, ...]) -> int:
        vector = self._vector(len(leaves))
        self._sizes_into(vector, leaves, origins)
        return vector

    def _sizes_into(self, vector: int, sizes: Sequence[int], origins: tuple[int, ...]) -> None:
        none = self._constant(0)
        for start in range(0, len(sizes), SIZES_AT_ONCE):
            some = sizes[start:start + SIZES_AT_ONCE]
            padded = (*some, *[none] * (SIZES_AT_ONCE - len(some)))
            self.steps.append(p.Call("sizes.i64", (vector,), padded, (start, len(some)), origins=origins))


_MADE = (BufferKind.ARENA, BufferKind.OUTPUT, BufferKind.INPUT)


