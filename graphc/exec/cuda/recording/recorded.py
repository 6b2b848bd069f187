"""Runs of a plan or of a part of one on a GPU as data, for one set of sizes each: what `graphc gpu` writes for the C++
library.

A run is recorded twice, on devices whose memory has different addresses: the words that differ are addresses, whatever
the kernels' code makes of them, and all others are the same numbers. An address becomes a block and a place in it.
"""
from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from graphc import errors
from graphc.exec.cuda.calls.checks import Check
from graphc.exec.cuda.engine import CudaEngine
from graphc.exec.cuda.frame import DeviceFrame
from graphc.exec.cuda.recording.recorder import RANGE, Copied, Done, Launched, Recorder
from graphc.exec.states import StateStore
from graphc.plan.joined import joined
from graphc.plan.plan import BufferKind, Plan

SHIFT = 1 << 61


class MemoryKind(IntEnum):
    """What a block is (proto/gpu_code.proto)."""

    BLOCK = 0                  # what goes up and comes down
    ROOM = 1                   # memory of the run
    FACTS = 2                  # bytes that every run finds there
    CONSTANT = 3               # index: which of the plan's
    STATE = 4                  # index: which of the plan's
    GIVEN = 5                  # index: which of the values that other parts made
    MADE = 6                   # index: which of the values that other parts are to have


@dataclass(frozen=True)
class Memory:
    kind: MemoryKind
    size: int
    index: int = 0
    facts: bytes = b""


@dataclass(frozen=True)
class Place:
    """A byte of a block of memory: which one, how far from its beginning; memory -1: `offset` is no address."""

    memory: int
    offset: int


@dataclass(frozen=True)
class Kernel:
    ptx: str
    name: str
    grid: tuple[int, ...]
    block: tuple[int, ...]
    words: tuple[Place, ...]


@dataclass(frozen=True)
class Moved:
    """As recorder.Copied. Of uploads and downloads only the device's end is said: in the host's block they are at the
    same offset."""

    kind: str
    target: Place
    source: Place
    count: int


NOWHERE = Place(-1, 0)
Task = Kernel | Moved
Step = tuple[int, int]         # a body of the plan, a step of it


Shape = tuple[int, ...]


@dataclass(frozen=True)
class Shapes:
    """Of what goes into a part and comes out: from the host, from other parts; for other parts, for the host."""

    uploads: tuple[Shape, ...]
    given: tuple[Shape, ...]
    made: tuple[Shape, ...]
    downloads: tuple[Shape, ...]


@dataclass(frozen=True)
class Recorded:
    """sizes: of all axes of all inputs; of a part its leaves. memory: the first one is the BLOCK, of which the host has
    one like it. tasks: what is done first, behind that if the first `early` checks are good, and to bring variables
    back if others are not. checks: each with its step; what they look at is in the block, RECORD bytes each from
    check_place on. uploads, downloads: where the inputs are in the block, before them the run's counter if there is
    one, and the outputs. needed: variables that must have a value; written: those that get one. shapes: None of a run
    of a whole plan."""

    sizes: tuple[int, ...]
    memory: tuple[Memory, ...]
    tasks: tuple[tuple[Task, ...], ...]
    checks: tuple[tuple[Step, Check], ...]
    early: int
    check_place: int
    has_counter: bool
    uploads: tuple[int, ...]
    downloads: tuple[int, ...]
    needed: tuple[tuple[Step, int], ...]
    written: tuple[int, ...]
    shapes: Shapes | None = None


def record_runs(plan: Plan, constants: Mapping[str, Any], shapes: Sequence[Sequence[Sequence[int]]],
                compute: int, reduced: bool = False) -> list[Recorded]:
    """A run for each of `shapes`, the shapes of the inputs. compute: the compute capability that kernels may need;
    reduced: tensor cores may round the factors of float32 products.

    The plan is one of which lacking_steps says nothing. Raises InvalidArgumentError for sizes that do not fit, as a run
    does.
    """
    alone = joined(plan)
    steps = alone.steps[0]

    def bound(sizes: Sequence[Sequence[int]], shift: int) -> Bound:
        device = Recorder(compute, shift)
        engine = CudaEngine(device, alone.plan, constants, StateStore())
        engine.reduced = reduced
        return Bound(device, engine, engine.device_frame(tuple(tuple(shape) for shape in sizes)))

    def recorded(sizes: Sequence[Sequence[int]]) -> Recorded:
        one, other = (bound(sizes, shift) for shift in (0, SHIFT))
        needed = tuple((steps[step], state) for step, state in one.engine.must_be_there)
        return record(one, other, tuple(size for shape in sizes for size in shape), steps.__getitem__, needed,
                      tuple(one.engine.marked))

    return [recorded(sizes) for sizes in shapes]


@dataclass(frozen=True)
class Bound:
    """A plan or a part bound to sizes on a recorder. given, made: addresses of the part's."""

    device: Recorder
    engine: Any                # DeviceEngine
    frame: DeviceFrame
    given: tuple[int, ...] = ()
    made: tuple[int, ...] = ()

    @property
    def graphs(self) -> list[list[Done]]:
        return [self.device.graphs[number - 1] for number in (*self.frame.graphs, *self.frame.undone)]

    def memory(self, block: int) -> Memory:
        """What the block of that number is."""
        address, frame, size = self.device.begin_of(block), self.frame, self.device.sizes[block]
        if address == frame.block.address:
            return Memory(MemoryKind.BLOCK, frame.used)
        for kind, addresses in ((MemoryKind.GIVEN, self.given), (MemoryKind.MADE, self.made)):
            if address in addresses:
                return Memory(kind, size, addresses.index(address))
        for (_, index), constant in self.engine.uploaded.items():
            if constant.address == address:
                return Memory(MemoryKind.CONSTANT, size, index)
        for index, cell in enumerate(self.engine.cells):
            if self.device in cell.copies and cell.copies[self.device].block.address == address:
                return Memory(MemoryKind.STATE, size, index)
        for facts, array in frame.facts:
            if facts.address == address:
                return Memory(MemoryKind.FACTS, array.nbytes, 0, array.tobytes())
        return Memory(MemoryKind.ROOM, size)


def record(one: Bound, other: Bound, sizes: Shape, place: Callable[[int], Step],
           needed: tuple[tuple[Step, int], ...], written: tuple[int, ...], shapes: Shapes | None = None) -> Recorded:
    """What both do. place: where a step of the frame's body stands in the plan that the file is for; the others as in
    Recorded."""
    return _Pair(one, other).recorded(sizes, place, needed, written, shapes)


class _Pair:
    """The same run on two recorders. blocks: by their numbers there, what they are in `memory`."""

    def __init__(self, one: Bound, other: Bound) -> None:
        self.one, self.other = one, other
        self.blocks: dict[int, int] = {}
        self.memory: list[Memory] = []
        self._place(one.frame.block.address, other.frame.block.address)

    def recorded(self, sizes: Shape, place: Callable[[int], Step], needed: tuple[tuple[Step, int], ...],
                 written: tuple[int, ...], shapes: Shapes | None) -> Recorded:
        frame = self.one.frame
        tasks = [tuple(map(self._task, one, other))
                 for one, other in zip(self.one.graphs, self.other.graphs, strict=True)]
        undo = tasks.pop() if frame.undone else ()
        has_counter = shapes is None and any(frame.body.buffers[b].kind == BufferKind.COUNTER
                                             for b in frame.part.uploads)
        return Recorded(
            sizes, tuple(self.memory), (tasks[0], tasks[1] if len(tasks) > 1 else (), undo),
            tuple((place(step), check) for step, check in frame.checks), frame.early, frame.check_place, has_counter,
            tuple(frame.places[b] for b in frame.part.uploads),
            tuple(frame.out_places[b] for b in frame.part.downloads), needed, written, shapes)

    def _task(self, one: Done, other: Done) -> Task:
        if isinstance(one, Launched):
            assert isinstance(other, Launched)
            _need((one.ptx, one.name, one.grid, one.block) == (other.ptx, other.name, other.grid, other.block))
            return Kernel(one.ptx, one.name, one.grid, one.block, tuple(map(self._place, one.words, other.words)))
        assert isinstance(other, Copied)
        _need((one.kind, one.count) == (other.kind, other.count))
        target, source = NOWHERE, NOWHERE
        if one.kind != "download":
            target = self._place(one.target, other.target)
        if one.kind in ("download", "copy"):
            source = self._place(one.source, other.source)
        return Moved(one.kind, target, source, one.count)

    def _place(self, one: int, other: int) -> Place:
        if one == other:
            return Place(-1, one)
        _need(other - one == SHIFT)
        block = one // RANGE
        if block not in self.blocks:
            memory = self.one.memory(block)
            _need(memory == self.other.memory(block))
            self.blocks[block] = len(self.memory)
            self.memory.append(memory)
        return Place(self.blocks[block], one - self.one.device.begin_of(block))


def _need(same: bool) -> None:
    if not same:
        raise errors.InternalError("a run on the GPU depends on where its memory is, so that it cannot be recorded")
