"""Runs of a plan on a GPU as data, for one set of its inputs' sizes each: what `graphc gpu` writes for the C++ library.

A run is recorded twice, on devices whose memory has different addresses: the words that differ are addresses, whatever
the kernels' code makes of them, and all others are the same numbers. An address becomes a block and a place in it.
"""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from graphc import errors
from graphc.exec.cuda.calls.checks import Check
from graphc.exec.cuda.engine import CudaEngine
from graphc.exec.cuda.recorder import RANGE, Copied, Done, Launched, Recorder
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


@dataclass(frozen=True)
class Recorded:
    """sizes: of all axes of all inputs. memory: the first one is the BLOCK, of which the host has one like it. tasks:
    what is done first, behind that if the first `early` checks are good, and to bring variables back if others are not.
    checks: each with its step; what they look at is in the block, RECORD bytes each from check_place on. uploads,
    downloads: where the inputs are in the block, before them the run's counter if there is one, and the outputs.
    needed: variables that must have a value; written: those that get one."""

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


def record_runs(plan: Plan, constants: Mapping[str, Any], shapes: Sequence[Sequence[Sequence[int]]],
                compute: int, reduced: bool = False) -> list[Recorded]:
    """A run for each of `shapes`, the shapes of the inputs. compute: the compute capability that kernels may need;
    reduced: tensor cores may round the factors of float32 products.

    The plan is one of which lacking_steps says nothing. Raises InvalidArgumentError for sizes that do not fit, as a run
    does.
    """
    alone = joined(plan)
    return [_Pair(*(_Bound(alone.plan, constants, one, Recorder(compute, shift), reduced)
                    for shift in (0, SHIFT))).recorded(alone.steps) for one in shapes]


class _Bound:
    """A plan bound to sizes on a recorder."""

    def __init__(self, plan: Plan, constants: Mapping[str, Any], shapes: Sequence[Sequence[int]],
                 device: Recorder, reduced: bool) -> None:
        self.device, self.shapes = device, tuple(tuple(shape) for shape in shapes)
        self.engine = CudaEngine(device, plan, constants, StateStore())
        self.engine.reduced = reduced
        self.frame = self.engine.device_frame(self.shapes)

    @property
    def graphs(self) -> list[list[Done]]:
        return [self.device.graphs[number - 1] for number in (*self.frame.graphs, *self.frame.undone)]

    def memory(self, block: int) -> Memory:
        """What the block of that number is."""
        address, frame = self.device.begin_of(block), self.frame
        if address == frame.block.address:
            return Memory(MemoryKind.BLOCK, frame.used)
        for (_, index), constant in self.engine.uploaded.items():
            if constant.address == address:
                return Memory(MemoryKind.CONSTANT, self.device.sizes[block], index)
        for index, cell in enumerate(self.engine.cells):
            if self.device in cell.copies and cell.copies[self.device].block.address == address:
                return Memory(MemoryKind.STATE, self.device.sizes[block], index)
        for facts, array in frame.facts:
            if facts.address == address:
                return Memory(MemoryKind.FACTS, array.nbytes, 0, array.tobytes())
        return Memory(MemoryKind.ROOM, self.device.sizes[block])


class _Pair:
    """The same run on two recorders. blocks: by their numbers there, what they are in `memory`."""

    def __init__(self, one: _Bound, other: _Bound) -> None:
        self.one, self.other = one, other
        self.blocks: dict[int, int] = {}
        self.memory: list[Memory] = []
        self._place(one.frame.block.address, other.frame.block.address)

    def recorded(self, steps: Sequence[Step]) -> Recorded:
        """steps: where the steps of the plan's body were."""
        frame, engine = self.one.frame, self.one.engine
        tasks = [tuple(map(self._task, one, other))
                 for one, other in zip(self.one.graphs, self.other.graphs, strict=True)]
        undo = tasks.pop() if frame.undone else ()
        has_counter = any(frame.body.buffers[b].kind == BufferKind.COUNTER for b in frame.part.uploads)
        return Recorded(
            tuple(size for shape in self.one.shapes for size in shape), tuple(self.memory),
            (tasks[0], tasks[1] if len(tasks) > 1 else (), undo),
            tuple((steps[step], check) for step, check in frame.checks), frame.early, frame.check_place, has_counter,
            tuple(frame.places[b] for b in frame.part.uploads),
            tuple(frame.out_places[b] for b in frame.part.downloads),
            tuple((steps[step], state) for step, state in engine.must_be_there), tuple(engine.marked))

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
