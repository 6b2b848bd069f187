"""16-bit floats stay 16 bits on the device: a part's steps changed so that products read and write them as such.

A plan multiplies 16-bit floats as float32 (docs/adr/0021): a map widens factors, and what first reads a product's sums
rounds them. On tensor cores neither is needed. For a part whose sizes are known (docs/adr/0093)

- a factor that was widened, W = f32(x), is x itself where x lies in memory, element by element as W, and nobody writes
  there before the products have read it; else the map that writes W writes x in its place, if products alone read W;
- sums of which everything that reads them takes nothing but the value rounded to 16 bits are stored rounded.

Both factors of a product must be of one 16-bit type, and lie so that 16 bytes can be copied at a time
(Factors.fits_halves); other products, and kernels of other kinds, read float32 as before. What is rounded, and where,
stays the same; results have the same bits wherever the sums have.
"""
from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from graphc.exec.cuda.calls.products import HALVES, Factors
from graphc.exec.cuda.lives import PRODUCT, Event, Life, Lives, Use, map_of, source_of_cast
from graphc.exec.cuda.split.part import Part
from graphc.exec.map_code import value_dtype
from graphc.plan import plan as p
from graphc.plan.plan import BufferKind
from graphc.plan.uses import root_of


def narrowed(plan: p.Plan, part: Part, dims: Sequence[int]) -> tuple[p.Plan, Part]:
    """The plan and the part with such steps; themselves if there are none. dims: the body's table of sizes."""
    if not any(dtype in HALVES for program in plan.programs
               for dtype in (*program.loads, *(instr.dtype for instr in program.instrs))):
        return plan, part
    return _Narrowing(plan, part, dims).done()


@dataclass(frozen=True)
class Twin:
    """The 16-bit floats of a life that holds them as float32. buffer: where they lie; -1: they can be stored
    instead."""

    dtype: str
    buffer: int = -1


@dataclass
class Edit:
    """What changes in a map. loads, stores: the 16-bit buffers that accesses go to, by their numbers; dropped: stores
    that nobody reads."""

    loads: dict[int, int] = field(default_factory=dict)
    stores: dict[int, int] = field(default_factory=dict)
    dropped: set[int] = field(default_factory=set)


class _Narrowing:
    """buffers: the body's, with those that are added; edits: of maps, and operands of products, by their steps."""

    def __init__(self, plan: p.Plan, part: Part, dims: Sequence[int]) -> None:
        self.plan, self.part, self.body = plan, part, plan.bodies[part.body]
        self.lives = Lives(plan, part, dims)
        self.buffers, self.programs = list(self.body.buffers), list(plan.programs)
        self.shared = {*part.made, *part.given, *part.uploads, *part.downloads, *part.kept}
        self._twins: dict[tuple[int, Event], Twin | None] = {}
        self.edits: dict[int, Edit] = {}
        self.operands: dict[int, dict[int, int]] = {}

    def done(self) -> tuple[p.Plan, Part]:
        chosen = self._products()
        if not chosen:
            return self.plan, self.part
        for life, twin in self._factors(chosen):
            self._narrow_factor(life, twin, chosen)
        for number, dtype in chosen.items():
            self._narrow_sums(number, dtype)
        steps, own = list(self.body.steps), []
        for number in self.part.steps:
            step = self._changed(number, steps[number])
            if step is not None:
                steps[number] = step
                own.append(number)
        body = replace(self.body, buffers=tuple(self.buffers), steps=tuple(steps))
        bodies = tuple(body if i == self.part.body else other for i, other in enumerate(self.plan.bodies))
        return replace(self.plan, bodies=bodies, programs=tuple(self.programs)), replace(self.part, steps=tuple(own))

    # Which products

    def _products(self) -> dict[int, str]:
        """The products whose factors are 16-bit floats, with their type. A factor that was float32 is stored so only if
        all that reads it is among them: products whose factor is not leave, until nothing changes."""
        chosen = {number: dtype for number in self.part.steps for dtype in (self._kind(number),) if dtype}
        while True:
            out = {event.step for life, twin in self._factors(chosen) if twin.buffer < 0
                   for event in life.reads if event.step in chosen and not self._only_read_by(life, chosen)}
            if not out:
                return chosen
            chosen = {number: dtype for number, dtype in chosen.items() if number not in out}

    def _kind(self, number: int) -> str:
        """The 16-bit type of both factors of a product that can take them, "" of all other steps."""
        step, sizes = self.body.steps[number], self.lives.dims
        if not isinstance(step, p.Call) or step.kernel != f"{PRODUCT}.f32":
            return ""
        batch, m, n, k, a_batch, b_batch = (sizes[d] for d in step.dims)
        if not Factors("f32", batch, m, n, k, a_batch, b_batch, bool(step.attrs[0]), bool(step.attrs[1])).fits_halves:
            return ""
        twins = [self._twin(life) for life in map(self.lives.read_by, (number, number), (Use.READ, Use.READ), (0, 1))]
        kinds = {"" if twin is None else twin.dtype for twin in twins}
        return kinds.pop() if len(kinds) == 1 else ""

    def _factors(self, chosen: Mapping[int, str]) -> Iterator[tuple[Life, Twin]]:
        """What the products read, each once."""
        seen: set[tuple[int, Event]] = set()
        for number in chosen:
            for operand in (0, 1):
                life = self.lives.read_by(number, Use.READ, operand)
                twin = self._twin(life)
                if life is not None and twin is not None and (life.root, life.begins) not in seen:
                    seen.add((life.root, life.begins))
                    yield life, twin

    def _only_read_by(self, life: Life, chosen: Mapping[int, str]) -> bool:
        return self._is_private(life) and all(event.use == Use.READ and event.step in chosen for event in life.reads)

    def _is_private(self, life: Life) -> bool:
        """Whether the part's steps alone see the life: of a buffer that others see, too, one that is overwritten."""
        kind = self.body.buffers[life.root].kind
        alone = kind == BufferKind.ARENA and life.root not in self.shared
        overwritten = kind != BufferKind.STATE and life is not self.lives.of_root[life.root][-1]
        return (alone or overwritten) and all(event.step in self.lives.own for event in (*life.writes, *life.reads))

    # Where the 16-bit floats of a factor are

    def _twin(self, life: Life | None) -> Twin | None:
        if life is None:
            return None
        known = (life.root, life.begins)
        if known not in self._twins:
            self._twins[known] = self._found_twin(life)
        return self._twins[known]

    def _found_twin(self, life: Life) -> Twin | None:
        kind = self.lives.widened_from(life)
        if not kind:
            return None
        for buffer in self._candidates(life, kind):
            return Twin(kind, buffer)
        return Twin(kind) if self._is_private(life) else None

    def _candidates(self, life: Life, kind: str) -> Iterator[int]:
        """Buffers that hold them, element by element, until the last product has read them."""
        write = life.begins
        if len(life.writes) > 1 or write.step not in self.lives.own:
            return
        made = map_of(self.body.steps[write.step])
        assert made is not None
        program = self.lives.program(write.step)
        value = source_of_cast(program, program.stores[write.number], "f32")
        if not self.lives.is_whole(made, made.stores[write.number]):
            return
        places = [(Event(write.step, Use.STORE, i), access) for i, access in enumerate(made.stores)
                  if program.stores[i] == value]
        if value is not None and value < len(program.loads):
            places.append((Event(write.step, Use.LOAD, value), made.loads[value]))
        last = max((event for event in life.reads if event.use == Use.READ), default=write)
        for event, access in places:
            if self.body.buffers[access.buffer].dtype == kind and self.lives.is_whole(made, access) and (
                    self._stays(event, access.buffer, last)):
                yield access.buffer

    def _stays(self, there: Event, buffer: int, last: Event) -> bool:
        """Whether nobody writes the buffer between the event and the last one that reads it."""
        root = root_of(self.body, buffer)
        if self.body.buffers[root].kind == BufferKind.STATE and any(
                number not in self.lives.own for number in range(there.step, last.step)):
            return False                       # a loop's body may write variables
        return not any(write != there and there < write < last
                       for life in self.lives.of_root.get(root, ()) for write in life.writes)

    # What changes

    def _narrow_factor(self, life: Life, twin: Twin, chosen: Mapping[int, str]) -> None:
        buffer = twin.buffer if twin.buffer >= 0 else self._added(life.root, twin.dtype)
        for event in life.reads:
            if event.use == Use.READ and event.step in chosen and event.number < 2:
                self.operands.setdefault(event.step, {})[event.number] = buffer
        if self._only_read_by(life, chosen):
            for write in life.writes:
                edit = self.edits.setdefault(write.step, Edit())
                if twin.buffer >= 0:
                    edit.dropped.add(write.number)
                else:
                    edit.stores[write.number] = buffer

    def _narrow_sums(self, number: int, dtype: str) -> None:
        """Of a product whose sums nobody reads but rounded to that type."""
        step = self.body.steps[number]
        assert isinstance(step, p.Call)
        write = Event(number, Use.MADE, 2)
        life = next((life for life in self.lives.of_root[root_of(self.body, step.operands[2])]
                     if life.begins == write), None)
        if life is None or life.writes != [write] or not self._is_private(life) or not life.reads or not all(
                self._is_rounded(event, dtype) for event in life.reads):
            return
        buffer = self._added(life.root, dtype)
        self.operands[number][2] = buffer
        for event in life.reads:
            self.edits.setdefault(event.step, Edit()).loads[event.number] = buffer

    def _is_rounded(self, event: Event, dtype: str) -> bool:
        if event.use != Use.LOAD:
            return False
        program = self.lives.program(event.step)
        return event.number not in program.stores and all(
            instr.op == "cast" and instr.dtype == dtype for instr in program.instrs if event.number in instr.args)

    def _added(self, like: int, dtype: str) -> int:
        self.buffers.append(p.Buffer(BufferKind.ARENA, dtype, self.body.buffers[like].dims))
        return len(self.buffers) - 1

    def _changed(self, number: int, step: p.Step) -> p.Step | None:
        """None: nothing is left of it."""
        edit, made = self.edits.get(number), map_of(step)
        if edit is not None and made is not None:
            made = self._changed_map(made, edit)
        if isinstance(step, p.Map):
            return made
        assert isinstance(step, p.Call)
        instead = self.operands.get(number, {})
        operands = tuple(instead.get(i, buffer) for i, buffer in enumerate(step.operands))
        return replace(step, operands=operands, epilogue=made)

    def _changed_map(self, made: p.Map, edit: Edit) -> p.Map | None:
        program, loads, stores = self.programs[made.program], list(made.loads), []
        for i, buffer in edit.loads.items():
            loads[i] = replace(loads[i], buffer=buffer)
        values = []
        for i, (access, value) in enumerate(zip(made.stores, program.stores, strict=True)):
            if i in edit.dropped:
                continue
            source = source_of_cast(program, value, "f32") if i in edit.stores else value
            assert source is not None
            values.append(source)
            stores.append(replace(access, buffer=edit.stores.get(i, access.buffer)))
        if not stores:
            return None
        shorter, used = _rebuilt(program, {i: self.buffers[b].dtype for i, b in edit.loads.items()}, values)
        self.programs.append(shorter)
        return replace(made, program=len(self.programs) - 1, loads=tuple(loads[i] for i in used), stores=tuple(stores))


def _rebuilt(program: p.Program, rounded: Mapping[int, str], stores: Sequence[int]) -> tuple[p.Program, list[int]]:
    """(the program that makes these values, which of its loads are left). rounded: loads that are 16-bit floats now,
    which the program did nothing with but round them to that."""
    count = len(program.loads)
    same = {count + i: instr.args[0] for i, instr in enumerate(program.instrs)
            if instr.op == "cast" and instr.args[0] in rounded}
    needed, left = set(), [same.get(value, value) for value in stores]
    while left:
        value = left.pop()
        if value not in needed:
            needed.add(value)
            left += [same.get(a, a) for a in program.instrs[value - count].args] if value >= count else []
    used = [i for i in range(count) if i in needed]
    new = {old: number for number, old in enumerate(sorted(needed))}

    def renamed(value: int) -> int:
        return new[same.get(value, value)]

    instrs = tuple(replace(instr, args=tuple(map(renamed, instr.args)))
                   for i, instr in enumerate(program.instrs) if count + i in needed)
    dtypes = tuple(rounded.get(i, value_dtype(program, i)) for i in used)
    return p.Program(dtypes, instrs, tuple(map(renamed, stores))), used
