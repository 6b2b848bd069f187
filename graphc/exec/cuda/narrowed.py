"""16-bit floats stay 16 bits on the device: a part's steps changed so that maps and kernels read and write them so.

A plan computes with 16-bit floats as float32 (docs/adr/0021): a map widens what kernels read, and what first reads
their results rounds them. On a GPU with tensor cores neither is needed. For a part whose sizes are known
(docs/adr/0093, 0101)

- a value W = f32(x) is x itself where x lies in memory, element by element as W, and nobody writes there before all
  that reads W has done so; else what writes W writes x in its place, if all that reads W can read x: maps, which widen
  it as they load it, and kernels that take 16-bit floats (calls/short_operands.py);
- results of such kernels of which everything that reads them takes nothing but the value rounded to 16 bits are stored
  rounded.

All factors of a product, or operands of another kernel, must be of one 16-bit type; other kernels read float32 as
before. What is rounded, and where, stays the same; results have the same bits wherever the sums have.
"""
from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from graphc.exec.cuda.calls.products import HALVES
from graphc.exec.cuda.calls.short_operands import taken_by
from graphc.exec.cuda.lives import Event, Life, Lives, Use, map_of, source_of_cast
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
    """What changes in a map. rounded, widened, stores: the 16-bit buffers that accesses go to, by their numbers: of
    loads that the program only rounds, of those that it reads as float32, of stores; dropped: stores that nobody
    reads."""

    rounded: dict[int, int] = field(default_factory=dict)
    widened: dict[int, int] = field(default_factory=dict)
    stores: dict[int, int] = field(default_factory=dict)
    dropped: set[int] = field(default_factory=set)


class _Narrowing:
    """buffers: the body's, with those that are added; edits: of maps, and operands of kernels, by their steps."""

    def __init__(self, plan: p.Plan, part: Part, dims: Sequence[int]) -> None:
        self.plan, self.part, self.body = plan, part, plan.bodies[part.body]
        self.lives = Lives(plan, part, dims)
        self.buffers, self.programs = list(self.body.buffers), list(plan.programs)
        self.shared = {*part.made, *part.given, *part.uploads, *part.downloads, *part.kept}
        self._twins: dict[tuple[int, Event], Twin | None] = {}
        self.edits: dict[int, Edit] = {}
        self.operands: dict[int, dict[int, int]] = {}

    def done(self) -> tuple[p.Plan, Part]:
        chosen = self._kernels()
        for life in [life for lives in self.lives.of_root.values() for life in lives]:
            twin = self._twin(life)
            if twin is not None:
                self._narrow(life, twin, chosen)
        for number, dtype in chosen.items():
            self._narrow_results(number, dtype)
        if not self.edits and not self.operands:
            return self.plan, self.part
        steps, own = list(self.body.steps), []
        for number in self.part.steps:
            step = self._changed(number, steps[number])
            if step is not None:
                steps[number] = step
                own.append(number)
        body = replace(self.body, buffers=tuple(self.buffers), steps=tuple(steps))
        bodies = tuple(body if i == self.part.body else other for i, other in enumerate(self.plan.bodies))
        return replace(self.plan, bodies=bodies, programs=tuple(self.programs)), replace(self.part, steps=tuple(own))

    # Which kernels

    def _kernels(self) -> dict[int, str]:
        """Those whose operands are 16-bit floats, with their type. An operand that was float32 is stored so only if all
        that reads it can read it: kernels whose operand is not leave, until nothing changes."""
        chosen = {number: dtype for number in self.part.steps for dtype in (self._kind(number),) if dtype}
        while True:
            out = {number for number in chosen for life in self._operands(number) if not self._is_there(life, chosen)}
            if not out:
                return chosen
            chosen = {number: dtype for number, dtype in chosen.items() if number not in out}

    def _kind(self, number: int) -> str:
        """The 16-bit type of a kernel's operands if it can take them, "" of all other steps."""
        step, sizes = self.body.steps[number], self.lives.dims
        if not isinstance(step, p.Call):
            return ""
        takes = taken_by(step.kernel)
        if takes is None or not takes.fits([sizes[d] for d in step.dims], step.attrs):
            return ""
        twins = [self._twin(life) for life in self._operands(number)]
        kinds = {"" if twin is None else twin.dtype for twin in twins}
        return kinds.pop() if len(kinds) == 1 else ""

    def _operands(self, number: int) -> list[Life | None]:
        """What a kernel reads of what may be 16-bit floats."""
        step = self.body.steps[number]
        takes = taken_by(step.kernel) if isinstance(step, p.Call) else None
        return [self.lives.read_by(number, Use.READ, i) for i in takes.operands] if takes is not None else []

    def _is_there(self, life: Life | None, chosen: Mapping[int, str]) -> bool:
        """Whether its 16-bit floats lie in memory, or can be stored."""
        twin = self._twin(life)
        return life is not None and twin is not None and (twin.buffer >= 0 or self._can_be_short(life, chosen))

    def _can_be_short(self, life: Life, chosen: Mapping[int, str]) -> bool:
        """Whether nobody needs it as float32."""
        return self._is_private(life) and all(
            event.use == Use.LOAD or self._takes(event, chosen) for event in life.reads)

    def _takes(self, event: Event, chosen: Mapping[int, str]) -> bool:
        """Whether a kernel reads there what it takes as 16-bit floats."""
        step = self.body.steps[event.step]
        takes = taken_by(step.kernel) if isinstance(step, p.Call) and event.step in chosen else None
        return event.use == Use.READ and takes is not None and event.number in takes.operands

    def _is_private(self, life: Life) -> bool:
        """Whether the part's steps alone see the life: of a buffer that others see, too, one that is overwritten."""
        kind = self.body.buffers[life.root].kind
        alone = kind == BufferKind.ARENA and life.root not in self.shared
        overwritten = kind != BufferKind.STATE and life is not self.lives.of_root[life.root][-1]
        return (alone or overwritten) and all(event.step in self.lives.own for event in (*life.writes, *life.reads))

    # Where the 16-bit floats of a life are

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
        """Buffers that hold them, element by element, until all that reads the life has done so."""
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
        last = max(life.reads, default=write)
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

    def _narrow(self, life: Life, twin: Twin, chosen: Mapping[int, str]) -> None:
        """What can read the life's 16-bit floats does, and nobody writes it as float32 if nobody reads that."""
        short = self._can_be_short(life, chosen)
        if twin.buffer < 0 and not short:
            return
        buffer = twin.buffer if twin.buffer >= 0 else self._added(life.root, twin.dtype)
        for event in life.reads:
            if self._takes(event, chosen):
                self.operands.setdefault(event.step, {})[event.number] = buffer
            elif short:
                self._edit(event).widened[event.number] = buffer
        if short:
            for write in life.writes:
                if twin.buffer >= 0:
                    self._edit(write).dropped.add(write.number)
                else:
                    self._edit(write).stores[write.number] = buffer

    def _edit(self, event: Event) -> Edit:
        return self.edits.setdefault(event.step, Edit())

    def _narrow_results(self, number: int, dtype: str) -> None:
        """Of a kernel: those that nobody reads but rounded to that type."""
        step = self.body.steps[number]
        assert isinstance(step, p.Call)
        takes = taken_by(step.kernel)
        assert takes is not None
        for result in takes.results:
            write = Event(number, Use.MADE, result)
            life = next((life for life in self.lives.of_root[root_of(self.body, step.operands[result])]
                         if life.begins == write), None)
            if life is None or life.writes != [write] or not self._is_private(life) or not life.reads or not all(
                    self._is_rounded(event, dtype) for event in life.reads):
                continue
            buffer = self._moved_to(life)
            if buffer < 0:
                buffer = self._added(life.root, dtype)
            self.operands[number][result] = buffer
            for event in life.reads:
                self._edit(event).rounded[event.number] = buffer

    def _moved_to(self, sums: Life) -> int:
        """Where a map does nothing to sums but round them, and stores them as 16-bit floats in a buffer of their own:
        that buffer, which the kernel then writes in the map's stead; -1: there is none."""
        if len(sums.reads) != 1:
            return -1
        load, made = sums.reads[0], map_of(self.body.steps[sums.reads[0].step])
        assert made is not None
        program, edit = self.lives.program(load.step), self._edit(load)
        for number, buffer in edit.stores.items():
            value = source_of_cast(program, program.stores[number], "f32")
            copied = value is not None and value >= len(program.loads) and (
                program.instrs[value - len(program.loads)].args == (load.number,))
            if copied and self.lives.is_whole(made, made.loads[load.number]) and (
                    self.lives.is_whole(made, made.stores[number])):
                edit.dropped.add(number)
                return buffer
        return -1

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
        for i, buffer in {**edit.rounded, **edit.widened}.items():
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
        kinds = [{i: self.buffers[b].dtype for i, b in some.items()} for some in (edit.rounded, edit.widened)]
        shorter, used = _rebuilt(program, kinds[0], kinds[1], values)
        self.programs.append(shorter)
        return replace(made, program=len(self.programs) - 1, loads=tuple(loads[i] for i in used), stores=tuple(stores))


def _rebuilt(program: p.Program, rounded: Mapping[int, str], widened: Mapping[int, str],
             stores: Sequence[int]) -> tuple[p.Program, list[int]]:
    """(the program that makes these values, which of its loads are left). rounded, widened: loads that are 16-bit
    floats now, which the program did nothing with but round them to that; which it reads as float32."""
    count, short = len(program.loads), {**rounded, **widened}
    same = {count + i: instr.args[0] for i, instr in enumerate(program.instrs)
            if instr.op == "cast" and short.get(instr.args[0]) == instr.dtype}
    needed, wide, left = set(), set(), list(stores)        # wide: loads of which float32 is needed
    while left:
        value = left.pop()
        if value in widened:
            wide.add(value)
        value = same.get(value, value)
        if value not in needed:
            needed.add(value)
            left += program.instrs[value - count].args if value >= count else []
    used = [i for i in range(count) if i in needed]
    casts = [i for i in used if i in wide]
    number_of = {value: number for number, value in enumerate([*used, *(v for v in sorted(needed) if v >= count)])}
    after = {value: number + len(casts) * (value >= count) for value, number in number_of.items()}
    cast_of = {value: len(used) + number for number, value in enumerate(casts)}

    def renamed(value: int) -> int:
        return cast_of[value] if value in widened else after[same.get(value, value)]

    instrs = (*(p.Instr("cast", "f32", (after[i],)) for i in casts),
              *(replace(instr, args=tuple(map(renamed, instr.args)))
                for i, instr in enumerate(program.instrs) if count + i in needed))
    dtypes = tuple(short.get(i, value_dtype(program, i)) for i in used)
    return p.Program(dtypes, instrs, tuple(map(renamed, stores))), used
