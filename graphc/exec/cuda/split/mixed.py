"""MixedEngine: a plan of which the GPU does some steps and the host the others (split.py).

A run is a run of the host's runtime, which calls the parts as it calls Python functions, but inside the variables'
lock. What belongs to one run on the device is a DeviceRun: the parts' memory and recorded graphs. Runs that go on at
the same time have one each; they are kept for later runs. What lists hold is in memory that a run takes piece by piece
and gives back as a whole (run_memory.py).
"""
from __future__ import annotations

import threading
import weakref
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from graphc import errors
from graphc.exec.cuda.driver import Device
from graphc.exec.cuda.engine import DeviceEngine
from graphc.exec.cuda.frame import DeviceFrame
from graphc.exec.cuda.memory import Block, bytes_of, state_copy, wrote
from graphc.exec.cuda.run_memory import RunMemory
from graphc.exec.cuda.split.list_calls import ListCall
from graphc.exec.cuda.split.part import Part
from graphc.exec.cuda.split.residence import Residence
from graphc.exec.cuda.split.split import name_of, split
from graphc.exec.cuda.work import Brought, Copy
from graphc.exec.frame import Frame, Shapes
from graphc.exec.states import State
from graphc.plan import plan as p
from graphc.plan.costs import sizes_of

FRAMES_KEPT = 8            # of a part: for its sizes and the places of what other parts made
Vector = tuple[int, ...]   # sizes and address of a value on the device


class MixedEngine(DeviceEngine):
    """Runs any plan without CARRIED buffers. residence: of the plan, whose devices are numbers of `devices`; the others
    are Engine's arguments.

    Raises ResourceExhaustedError in a run if the device has no memory left.
    """

    def __init__(self, devices: Sequence[Device], residence: Residence, constants: Mapping[str, Any] | None = None,
                 states: Any = None, hosts: Mapping[str, Callable[..., Any]] | None = None, *settings: Any) -> None:
        self._split = split(residence.plan, residence)
        own = {name_of(function): Launch(weakref.ref(self), function) if isinstance(function, Part) else
               ListCall(weakref.ref(self), function) for function in self._split.functions}
        super().__init__(devices, residence.plan, self._split.plan, constants, states, {**(hosts or {}), **own},
                         *settings)
        self._idle: list[DeviceRun] = []
        self._current = threading.local()

    @property
    def parts(self) -> tuple[Part, ...]:
        return self._split.parts

    def refuse_misfits(self, shapes: Shapes) -> None:
        """Raises InvalidArgumentError for inputs of these shapes if they do not fit, as a run does."""
        self.frames.keep(self._frame(shapes))

    def _cells_here(self) -> list[State]:
        return [cell for i, cell in enumerate(self._cells) if i in self._split.here]

    def _run_numbers(self, inputs: Sequence[np.ndarray], number: int, cancel: int, trace: int) -> list[Any]:
        outer = getattr(self._current, "run", None)
        try:
            self._current.run = self._idle.pop()
        except IndexError:
            self._current.run = DeviceRun()
        self._current.run.trace = trace
        self._current.run.begin()
        self._begin_trace(trace)
        try:
            return super()._run_numbers(inputs, number, cancel, trace)
        finally:
            self._idle.append(self._current.run)
            self._current.run = outer

    def _run_held(self, frame: Frame) -> int:
        run: DeviceRun = self._current.run
        status = 1
        try:
            status = super()._run_held(frame)
        finally:
            self._finish(run, bool(status))
        return status

    def _finish(self, run: DeviceRun, failed: bool) -> None:
        """The newest values of what the parts wrote are on the device; of a run that failed, those before it are on
        the host, if they were."""
        for state, device in run.written.items():
            if not failed:
                wrote(device, self.states, state)
            elif state not in self.states.away:
                state_copy(device, state).version = -1
        run.written.clear()

    def launched(self, part: Part, arrays: Sequence[np.ndarray]) -> list[np.ndarray]:
        """What a part gives. arrays: the sizes that it depends on, if any; what comes from the host; where the values
        are that are on the device."""
        run: DeviceRun = self._current.run
        given = iter(arrays)
        leaves = tuple(next(given).tolist()) if part.leaves else ()
        uploads = [next(given) for _ in part.uploads]
        places = tuple(tuple(vector.tolist()) for vector in given)
        frame = run.frame(self, part, leaves, places)
        if frame.busy:
            frame.device.enter()
            frame.device.wait()
        for target, array in zip(frame.uploads, uploads, strict=True):
            target[...] = array
        before = [Brought(self.devices[part.sources[i]], target, places[i][-1], count)
                  for i, target, count in frame.staged]
        behind = [Copy(run.take(frame.device, count), place, count) for place, _, count in frame.kept]
        self.launch(frame, run.written, run.trace, before, behind)
        frame.busy = bool(uploads) and not frame.waits
        run.written.update(dict.fromkeys(frame.writes, frame.device))
        kept = [np.array((*shape, copy.target)) for copy, (_, shape, _) in zip(behind, frame.kept, strict=True)]
        return [*frame.downloads, *frame.vectors, *kept]

    def gathered(self, home: int, count: int, pieces: Sequence[tuple[int, int, int]]) -> int:
        """The address of `count` new bytes of the current run's, on the device of that number. pieces: where to, from
        which address, how many bytes; where none goes, and where one has the address 0, are zeros."""
        run: DeviceRun = self._current.run
        device = self.devices[home]
        made = run.take(device, count)
        there = [piece for piece in pieces if piece[1]]
        with device.lock:
            if sum(size for _, _, size in there) < count:
                device.clear(made, count)
            for target, source, size in joined(there):
                device.copy(made + target, source, size)
        return made

    def _described(self, frame: Frame, cause: BaseException | None) -> errors.OpError:
        if isinstance(cause, errors.OpError) and getattr(cause, "is_of_part", False):
            return cause
        return super()._described(frame, cause)


def joined(pieces: Sequence[tuple[int, int, int]]) -> list[tuple[int, int, int]]:
    """The same copies; those that lie one after another, on both sides, are one."""
    found: list[tuple[int, int, int]] = []
    for target, source, size in pieces:
        if found and found[-1][0] + found[-1][2] == target and found[-1][1] + found[-1][2] == source:
            target, source, size = found[-1][0], found[-1][1], found.pop()[2] + size
        found.append((target, source, size))
    return found


class Launch:
    """The function that the host's runtime calls for a part."""

    stays_inside = True        # no code of the user's: the run keeps the variables' lock
    borrows = True

    def __init__(self, engine: weakref.ref[MixedEngine], part: Part) -> None:
        self._engine, self._part = engine, part

    def __call__(self, *arrays: np.ndarray) -> list[np.ndarray]:
        engine = self._engine()
        assert engine is not None
        try:
            return engine.launched(self._part, arrays)
        except errors.OpError as error:
            error.is_of_part = True    # type: ignore[attr-defined]
            raise


class DeviceRun:
    """Of one run at a time: bound parts, the memory of what they make for others, and the variables that were written.

    What a part in a loop makes lies in two blocks in turn, since the iteration that makes the next value may still
    read the last one. The block does not depend on where the part's own operands are, so that the addresses come back
    to the same few, and with them the graphs.
    """

    def __init__(self) -> None:
        self._frames: dict[int, OrderedDict[Any, DeviceFrame]] = {}
        self._blocks: dict[tuple[int, int, int], tuple[Block, int]] = {}
        self._turns: dict[int, int] = {}
        self.written: dict[State, Device] = {}         # where
        self._memory: dict[Device, RunMemory] = {}     # of lists
        self.trace = 0                                 # the address of the run's trace

    def begin(self) -> None:
        for memory in self._memory.values():
            memory.begin()

    def take(self, device: Device, count: int) -> int:
        """So many bytes of the device, until the run ends."""
        device.enter()
        with device.lock:
            return self._memory.setdefault(device, RunMemory()).take(device, count)

    def frame(self, engine: MixedEngine, part: Part, leaves: Vector, given: tuple[Vector, ...]) -> DeviceFrame:
        """The part bound to these sizes and places."""
        turn = self._turns[part.number] = 1 - self._turns.get(part.number, 1) if part.repeats else 0
        fixed = tuple(vector[:-1] if b in part.loose else vector for b, vector in zip(part.given, given, strict=True))
        key, frames = (leaves, fixed, turn), self._frames.setdefault(part.number, OrderedDict())
        found = frames.get(key)
        if found is None:
            found = self._bound(engine, part, leaves, given, turn)
            frames[key] = found
        frames.move_to_end(key)
        return found

    def _bound(self, engine: MixedEngine, part: Part, leaves: Vector, given: tuple[Vector, ...],
               turn: int) -> DeviceFrame:
        body, device = engine.whole_plan.bodies[part.body], engine.devices[part.device]
        device.enter()
        told = dict(zip(part.leaves, leaves, strict=True))
        dims = sizes_of(body, lambda number, _: told.get(number, 0))       # the others are of no value of the part
        _check_sizes(part, body, dims, given)
        made = [self._vector(device, part, body, i, turn, dims) for i in range(len(part.made))]
        frames = self._frames[part.number]
        with device.lock:
            while len(frames) >= FRAMES_KEPT:
                device.wait()
                frames.popitem(last=False)
            return DeviceFrame(engine, part, dims, [v[-1] for v in given], made)

    def _vector(self, device: Device, part: Part, body: p.Body, position: int, turn: int,
                dims: Sequence[int]) -> Vector:
        """Sizes and address of what the part makes as its value `position`."""
        shape = tuple(dims[d] for d in body.buffers[part.made[position]].dims)
        count = bytes_of(body.buffers[part.made[position]].dtype, shape)
        key = part.number, position, turn
        block, capacity = self._blocks.get(key, (None, -1))
        if block is None or capacity < count:
            with device.lock:
                if block is not None:
                    device.wait()                      # nothing may read it any more
                    self._frames[part.number].clear()  # they write to it
                grown = count if block is None else count + count // 2
                block = Block(device, grown)
            self._blocks[key] = block, grown
        return (*shape, block.address)


def _check_sizes(part: Part, body: p.Body, dims: Sequence[int], given: tuple[Vector, ...]) -> None:
    for buffer, vector in zip(part.given, given, strict=True):
        wanted = tuple(dims[d] for d in body.buffers[buffer].dims)
        if vector[:-1] != wanted:
            raise errors.InvalidArgumentError(
                f"a value that goes into {body.name} has shape {vector[:-1]}, {wanted} is wanted")
