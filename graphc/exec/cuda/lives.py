"""What one buffer of a body holds, one value after the other, as a part with known sizes sees it.

Plans write results over operands, so a buffer may hold a product's sums and then, as 16-bit floats that are float32
again, what an activation makes of them. A *life* begins where a map of the part writes all elements of a buffer, or a
kernel whose results are wholly written (calls/short_operands.py); whatever else is written joins the life that there
is. What a step reads it reads before it writes.
"""
from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import IntEnum

from graphc.exec.cuda.calls.short_operands import taken_by
from graphc.exec.cuda.split.part import Part
from graphc.exec.map_code import value_dtype
from graphc.kernels.contracts.all import kernel_of
from graphc.plan import plan as p
from graphc.plan.costs import value_of
from graphc.plan.uses import root_of, uses_of


class Use(IntEnum):
    """How a step uses a buffer, in the order in which that happens."""

    READ = 0                           # by a kernel, as its operand `number`
    MADE = 1                           # written by a kernel
    LOAD = 2                           # by a map, or the map after a kernel, as its access `number`
    STORE = 3
    OTHER = 4                          # by a step of another kind, or of another part


@dataclass(frozen=True, order=True)
class Event:
    step: int
    use: Use
    number: int


@dataclass
class Life:
    """root: the buffer. begins: the event that wrote all of it, or the first one."""

    root: int
    begins: Event
    writes: list[Event] = field(default_factory=list)
    reads: list[Event] = field(default_factory=list)


class Lives:
    """Of all buffers that a body's steps use. dims: its table of sizes, of which the part's steps' are right."""

    def __init__(self, plan: p.Plan, part: Part, dims: Sequence[int]) -> None:
        self.plan, self.body, self.dims = plan, plan.bodies[part.body], dims
        self.own = set(part.steps)
        self.of_root: dict[int, list[Life]] = {}
        self._reading: dict[tuple[int, Event], Life] = {}
        for number, step in enumerate(self.body.steps):
            for event, buffer, writes in sorted(self._events(number, step)):
                self._note(root_of(self.body, buffer), event, writes)

    def read_by(self, step: int, use: Use, number: int) -> Life | None:
        """What that access reads; None if nothing has been written there."""
        buffer = self.buffer_of(Event(step, use, number))
        return self._reading.get((root_of(self.body, buffer), Event(step, use, number)))

    def buffer_of(self, event: Event) -> int:
        """Of an event of a map or a kernel: the buffer as the step names it."""
        step = self.body.steps[event.step]
        if event.use in (Use.READ, Use.MADE):
            assert isinstance(step, p.Call)
            return step.operands[event.number]
        made = map_of(step)
        assert made is not None
        return (made.loads if event.use == Use.LOAD else made.stores)[event.number].buffer

    def widened_from(self, life: Life) -> str | None:
        """The 16-bit type of which the whole life is float32, "" if of several; None if it holds other numbers."""
        kinds = {self._cast_from(event) for event in life.writes}
        if None in kinds or not kinds:
            return None
        return kinds.pop() if len(kinds) == 1 else ""

    def _cast_from(self, write: Event) -> str | None:
        if write.use != Use.STORE:
            return None
        program = self.program(write.step)
        source = source_of_cast(program, program.stores[write.number], "f32")
        return None if source is None or value_dtype(program, source) not in ("f16", "bf16") else value_dtype(
            program, source)

    def program(self, step: int) -> p.Program:
        made = map_of(self.body.steps[step])
        assert made is not None
        return self.plan.programs[made.program]

    def count(self, buffer: int) -> int:
        return product_of(self.dims[d] for d in self.body.buffers[buffer].dims)

    def is_whole(self, step: p.Map, access: p.Access) -> bool:
        """Whether the access is each element of its buffer, one after the other."""
        expected, domain = 1, [self.dims[d] for d in step.domain]
        for size, stride in zip(reversed(domain), reversed([self.dims[d] for d in access.strides]), strict=False):
            if size != 1 and stride != expected:
                return False
            expected *= size
        return not step.reduced and not self.dims[access.offset] and expected == self.count(
            root_of(self.body, access.buffer))

    def _events(self, number: int, step: p.Step) -> Iterator[tuple[Event, int, bool]]:
        """(event, buffer, whether it writes)"""
        if number not in self.own and not isinstance(step, p.Map):
            use = uses_of(step)
            # What loops and branches, and Python, do with what they are given is not looked at.
            writes = use.writes if isinstance(step, p.Call) else (*use.reads, *use.writes)
            yield from ((Event(number, Use.OTHER, i), b, False) for i, b in enumerate(use.reads))
            yield from ((Event(number, Use.OTHER, len(use.reads) + i), b, True) for i, b in enumerate(writes))
            return
        if isinstance(step, p.Call):
            kernel = kernel_of(step.kernel)
            assert kernel is not None, step.kernel
            for i, (buffer, operand) in enumerate(zip(step.operands, kernel.operands, strict=True)):
                if operand.role != "out":
                    yield Event(number, Use.READ, i), buffer, False
                if operand.role != "in":
                    yield Event(number, Use.MADE, i), buffer, True
        made = map_of(step)
        if made is not None:
            yield from ((Event(number, Use.LOAD, i), access.buffer, False) for i, access in enumerate(made.loads))
            yield from ((Event(number, Use.STORE, i), access.buffer, True) for i, access in enumerate(made.stores))

    def _note(self, root: int, event: Event, writes: bool) -> None:
        lives = self.of_root.setdefault(root, [])
        if writes and (not lives or self._is_whole_write(root, event)):
            lives.append(Life(root, event))
        if writes:
            lives[-1].writes.append(event)
        elif lives:
            lives[-1].reads.append(event)
            self._reading[root, event] = lives[-1]

    def _is_whole_write(self, root: int, event: Event) -> bool:
        step = self.body.steps[event.step]
        if event.step not in self.own or event.use == Use.OTHER:
            return False
        if event.use == Use.STORE:
            made = map_of(step)
            assert made is not None
            return self.is_whole(made, made.stores[event.number])
        assert isinstance(step, p.Call)
        kernel, takes = kernel_of(step.kernel), taken_by(step.kernel)
        if kernel is None or takes is None or event.number not in takes.results:
            return False
        sizes = dict(zip((*kernel.dims, *kernel.attrs), (*(self.dims[d] for d in step.dims), *step.attrs), strict=True))
        return self.count(root) == value_of(kernel.operands[event.number].extent, sizes)


def map_of(step: p.Step) -> p.Map | None:
    """A map itself, or the one behind a kernel."""
    if isinstance(step, p.Call):
        return step.epilogue
    return step if isinstance(step, p.Map) else None


def source_of_cast(program: p.Program, value: int, dtype: str) -> int | None:
    """What is cast to that type where the value is nothing but a cast; else None."""
    number = value - len(program.loads)
    if number < 0:
        return None
    instr = program.instrs[number]
    return instr.args[0] if instr.op == "cast" and instr.dtype == dtype else None


def product_of(sizes: Iterable[int]) -> int:
    count = 1
    for size in sizes:
        count *= size
    return count
