"""A part of a plan with its sizes, on the device: memory, and its steps as one or two CUDA graphs.

The host's runtime has taken the same sizes before and checked the guards. So a mistake in the user's shapes gives the
same error on either device.

Places, in one block of pinned memory and one of the device, at the same offsets: what is uploaded (copied up before
the steps), what was checked, what is downloaded (copied down behind them). Values that only this part needs lie in an
arena; those that other parts made, or are to have, where the caller says. What comes out of lists is copied to a place
of its own before the first graph, what goes into them after the last one to where the caller says. Work begins with
the first graph, up to the first step that writes a variable if there are checks before it; the second one runs when
those are good, so that a run that fails changes nothing.
"""
from __future__ import annotations

import weakref
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from graphc import errors
from graphc.exec.cuda.arena import place
from graphc.exec.cuda.calls.checks import RECORD_WORDS, Check
from graphc.exec.cuda.code.ptx import TENSOR_COMPUTE
from graphc.exec.cuda.driver import Device
from graphc.exec.cuda.halves import ProductChoice
from graphc.exec.cuda.lives import Lives
from graphc.exec.cuda.memory import ALIGNMENT, Block, Layout, Scratch, array_at, bytes_of, state_copy
from graphc.exec.cuda.narrowed import narrowed
from graphc.exec.cuda.out_of_memory import explained
from graphc.exec.cuda.split.part import Part
from graphc.exec.cuda.step_work import StepWork
from graphc.exec.cuda.vendor.libraries import libraries_of
from graphc.exec.cuda.warpgroup_choice import warpgroups_of
from graphc.exec.cuda.work import Copy, Download, Upload, Work
from graphc.ir import dtypes
from graphc.plan.plan import BufferKind
from graphc.plan.uses import root_of, uses_of

if TYPE_CHECKING:
    from graphc.exec.cuda.engine import DeviceEngine

RECORD, MOST_CHECKS = 8 * RECORD_WORDS, 4      # bytes of a check; checks of a step
NO_STEP = -1
Stage = list[tuple[int, Work]]


class DeviceFrame:
    """See the header. dims: the body's table of sizes. given: addresses of the part's `given` values; made: sizes and
    address of each of its `made` ones.

    uploads, downloads: arrays in pinned memory, to be filled before and read after a run. staged: by the place among
    `given`, where values out of lists are copied; kept: where values for lists are, with their sizes. stages: what each
    of the graphs does, every piece with the number of its step, NO_STEP of copies to and from. waits: whether the host
    has to wait for it; busy: whether what was uploaded may still be read. early: how many checks are known behind the
    first graph, if there are two; undone: the graph that brings variables back, if there are checks behind the first
    step that writes one. Raises ResourceExhaustedError, which names the largest values.
    """

    def __init__(self, engine: DeviceEngine, part: Part, dims: Sequence[int], given: Sequence[int] = (),
                 made: Sequence[Sequence[int]] = ()) -> None:
        self.device, self.plan, self.part, self.dims = engine.devices[part.device], engine.whole_plan, part, dims
        self.has_tensor_cores = self.device.compute >= TENSOR_COMPUTE
        if self.has_tensor_cores:
            self.plan, self.part = narrowed(self.plan, part, dims)
            part = self.part
        self.engine: DeviceEngine = weakref.proxy(engine)
        self.body = self.plan.bodies[part.body]
        self.uses = [uses_of(self.body.steps[i]).roots(self.body) for i in part.steps]
        self.written = {b for use in self.uses for b in use.writes}
        self.vectors = [np.array(vector, np.int64) for vector in made]
        self.made_addresses = [vector[-1] for vector in made]
        self.scratch: list[Block] = []
        self.staged: list[tuple[int, int, int]] = []           # with their bytes
        self.facts: list[tuple[Block, np.ndarray]] = []
        self.states = [engine.cells[i] for i in sorted(self._states(used=True))]
        self.writes = [engine.cells[i] for i in sorted(self._states(used=False))]
        try:
            self._memory()
            places = self._stage(dict(zip(part.given, given, strict=True)))
            self.addresses = self._addresses(places, dict(zip(part.made, self.made_addresses, strict=True)))
            work, cut = self._work(places)
            self.kept = [(self.addresses.get(b) or self._source(b, places), self.shape(b), self.size_of(b))
                         for b in part.kept]
        except errors.ResourceExhaustedError as error:
            raise explained(error, self) from None
        self.stages = self._stages(work, cut)
        self.graphs, self.undone = self._record()
        self.waits = bool(part.downloads or self.checks)
        self.busy = False

    def shape(self, buffer: int) -> tuple[int, ...]:
        return tuple(self.dims[d] for d in self.body.buffers[buffer].dims)

    def size_of(self, buffer: int) -> int:
        return bytes_of(self.body.buffers[buffer].dtype, self.shape(buffer))

    def _states(self, used: bool) -> set[int]:
        """The variables that the part uses, or writes."""
        found = set(self.written)
        if used:
            found.update({*self.part.made, *self.part.kept}.difference(self.part.uploads),
                         *(use.reads for use in self.uses))
        return {self.body.buffers[b].index for b in found if self.body.buffers[b].kind == BufferKind.STATE}

    # Memory

    def _memory(self) -> None:
        layout, part = Layout(), self.part
        self.places = {b: layout.place(self.size_of(b)) for b in part.uploads}
        self.uploaded = layout.used
        self.check_place = layout.place(RECORD * MOST_CHECKS * max(len(part.steps), 1))
        self.downloaded = layout.used
        self.out_places = {b: layout.place(self.size_of(b)) for b in part.downloads}
        self.used = layout.used
        self.pinned, self.block = Block(self.device, self.used, pinned=True), Block(self.device, self.used)
        self.uploads = [self._array(b, self.places[b]) for b in part.uploads]
        self.downloads = [self._array(b, self.out_places[b]) for b in part.downloads]
        own = self.written - {*part.made, *part.downloads, *part.uploads, *part.given, *part.kept}
        sizes = {b: self.size_of(b) for b in sorted(own) if self.body.buffers[b].kind != BufferKind.STATE}
        self.arena_places, size = place([(*use.reads, *use.writes) for use in self.uses], sizes)
        self.arena = Block(self.device, size)

    def _stage(self, given: Mapping[int, int]) -> dict[int, int]:
        """Where the part finds its given values."""
        found = dict(given)
        for position, buffer in enumerate(self.part.given):
            if buffer in self.part.loose:
                found[buffer] = self._scratch(self.size_of(buffer))
                self.staged.append((position, found[buffer], self.size_of(buffer)))
        return found

    def _array(self, buffer: int, at: int) -> np.ndarray:
        dtype = dtypes.as_dtype(self.body.buffers[buffer].dtype).stored.numpy
        return array_at(self.pinned.address + at, self.shape(buffer), np.dtype(dtype))

    def _addresses(self, given: Mapping[int, int], made: Mapping[int, int]) -> dict[int, int]:
        """Where the part's values are, on the device."""
        found = {b: self.arena.address + at for b, at in self.arena_places.items()}
        for buffer in {b for use in self.uses for b in (*use.reads, *use.writes)}.difference(found):
            row = self.body.buffers[buffer]
            if row.kind == BufferKind.CONST:
                found[buffer] = self.engine.constant_address(self.device, row.index)
            elif row.kind == BufferKind.STATE:
                found[buffer] = state_copy(self.device, self.engine.cells[row.index]).block.address
            elif buffer in given:
                found[buffer] = self._scratch(self.size_of(buffer)) if buffer in self.written else given[buffer]
        alone = {b for b in self.part.kept if b in self.written and self._is_own(b)}
        found |= {b: self._scratch(self.size_of(b)) for b in sorted(alone.difference(
            found, made, self.places, self.out_places))}
        found |= {b: self.block.address + at for b, at in self.places.items()}
        found |= {b: self.block.address + at for b, at in self.out_places.items() if b in self.written}
        return found | {b: made[b] for b in made if self._is_own(b)}

    def _is_own(self, buffer: int) -> bool:
        """Whether a value is no constant and no variable."""
        return self.body.buffers[buffer].kind not in (BufferKind.CONST, BufferKind.STATE)

    def _source(self, buffer: int, given: Mapping[int, int]) -> int:
        """Where a value is when the part begins; 0 if nowhere."""
        row = self.body.buffers[buffer]
        if buffer in self.places:
            return self.block.address + self.places[buffer]
        if row.kind == BufferKind.CONST:
            return int(self.engine.constant_address(self.device, row.index))
        if row.kind == BufferKind.STATE:
            return state_copy(self.device, self.engine.cells[row.index]).block.address
        return given.get(buffer, 0)

    def _scratch(self, count: int) -> int:
        self.scratch.append(Block(self.device, count))
        return self.scratch[-1].address

    def _facts(self, stored: bytes) -> int:
        """Bytes that every run finds on the device."""
        block, array = Block(self.device, len(stored)), np.frombuffer(stored, np.uint8).copy()
        self.facts.append((block, array))
        self.device.upload(block.address, int(array.ctypes.data), len(stored))
        return block.address

    # Work

    def _work(self, given: Mapping[int, int]) -> tuple[Stage, int]:
        """(the work of all steps, how much of it comes before the first step that writes a variable)."""
        lives = Lives(self.plan, self.part, self.dims) if self.has_tensor_cores else None
        products = ProductChoice(lives, self.engine.reduced)
        self.shared = Scratch(self.device)
        writer = StepWork(self.plan, self.part.body, self.dims, self._address, self.engine.library, self.shared.take,
                          self._facts, products, libraries_of(self.device), warpgroups_of(self.device))
        self.checks: list[tuple[int, Check]] = []      # with the number of the step
        work: Stage = [(NO_STEP, copy) for copy in self._copies_before(given)]
        cut, ends = -1, []
        for number, use in zip(self.part.steps, self.uses, strict=True):
            if cut < 0 and any(self.body.buffers[b].kind == BufferKind.STATE for b in use.writes):
                cut = len(work)
            made, checks = writer.work(number)
            work += [(number, piece) for piece in made]
            assert len(checks) <= MOST_CHECKS, f"{self.body.steps[number]} has {len(checks)} checks"
            for check in checks:
                at = self.check_place + RECORD * len(self.checks)
                work.append((number, Copy(self.block.address + at, check.place, 8 * check.words)))
                self.checks.append((number, check))
                ends.append(len(work))
            self.shared.next_step()
        work += [(NO_STEP, copy) for copy in self._copies_behind(given)]
        self.checked = array_at(self.pinned.address + self.check_place, (len(self.checks), RECORD_WORDS),
                                np.dtype(np.int64))
        self.early = len(ends) if cut < 0 else sum(end <= cut for end in ends)
        self.undo: list[Work] = []
        if self.early < len(ends):
            work[cut:cut] = [(NO_STEP, copy) for copy in self._kept()]
        return work, cut if cut > 0 and self.early else len(work)

    def _kept(self) -> list[Copy]:
        """What keeps the values of the variables that are written; `undo` gets what brings them back."""
        kept = []
        for state in self.writes:
            place, size = state_copy(self.device, state).block.address, state.value.nbytes
            kept.append(Copy(self._scratch(size), place, size))
            self.undo.append(Copy(place, kept[-1].target, size))
        return kept

    def _address(self, buffer: int) -> int:
        return self.addresses.get(root_of(self.body, buffer), 0)

    def _copies_before(self, given: Mapping[int, int]) -> Iterator[Copy]:
        """What has another address in this part than it comes with."""
        for buffer in {*self.part.made, *self.part.given, *self.part.uploads}:
            source, target = self._source(buffer, given), self.addresses.get(buffer, 0)
            if source and target and source != target and self._is_own(buffer):
                yield Copy(target, source, self.size_of(buffer))

    def _copies_behind(self, given: Mapping[int, int]) -> Iterator[Copy]:
        """What is wanted in a second place, too."""
        for buffer, at in self.out_places.items():
            source, target = self.addresses.get(buffer) or self._source(buffer, given), self.block.address + at
            if source != target:
                yield Copy(target, source, self.size_of(buffer))
        for buffer, address in zip(self.part.made, self.made_addresses, strict=True):
            if not self._is_own(buffer):
                yield Copy(address, self._source(buffer, given), self.size_of(buffer))

    # Graphs

    def _stages(self, work: Stage, cut: int) -> list[Stage]:
        """The work in one or two stages, with what goes up before and what comes down behind."""
        checked = self._down(self.check_place, ALIGNMENT * -(-RECORD * len(self.checks) // ALIGNMENT))
        down = self._down(self.downloaded, self.used - self.downloaded)
        up: Stage = [(NO_STEP, Upload(self.block.address, self.pinned.address, self.uploaded))] if self.uploaded else []
        if cut == len(work):
            return [[*up, *work, *checked, *down]]
        return [[*up, *work[:cut], *checked], [*work[cut:], *(checked if self.undo else []), *down]]

    def _down(self, begin: int, count: int) -> Stage:
        there = Download(self.pinned.address + begin, self.block.address + begin, count)
        return [(NO_STEP, there)] if count else []

    def _record(self) -> tuple[list[int], list[int]]:
        """The graphs of the stages, and of what brings variables back."""
        device, undo = self.device, [(NO_STEP, copy) for copy in self.undo]

        def recorded(stage: Stage) -> int:
            return device.record(lambda: submit(device, stage))

        for stage in self.stages:
            for _, piece in stage:
                piece.prepare(device)                  # loads modules, which must not happen while recording
        device.wait()                                  # what was uploaded so far
        graphs, undone = [recorded(stage) for stage in self.stages], [recorded(undo)] if undo else []
        weakref.finalize(self, _destroy, device, [*graphs, *undone]).atexit = False
        return graphs, undone


def submit(device: Device, stage: Stage) -> None:
    for _, piece in stage:
        piece.submit(device)


def _destroy(device: Device, graphs: Sequence[int]) -> None:
    if device.usable():
        device.enter()
        for graph in graphs:
            device.forget(graph)
