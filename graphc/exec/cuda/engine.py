"""DeviceEngine: an Engine that has a GPU do parts of its plan; CudaEngine: one whose plan is one part.

Both are Engines in all that concerns the plan: the same image, verified by the same code, bound to sizes by the same
code, the same errors. A part's values go to the device through pinned memory, one or two launches of a CUDA graph do
all steps (frame.py), and what the host needs comes back. Variables live on the device while plans there use them; a
plan on the CPU, a saver or a fetch gets the newest value (states.py, memory.py).
"""
from __future__ import annotations

import ctypes
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from types import MappingProxyType
from typing import Any

import numpy as np

from graphc import errors
from graphc.exec import messages
from graphc.exec.cuda.calls.checks import Failure
from graphc.exec.cuda.driver import Device
from graphc.exec.cuda.frame import DeviceFrame
from graphc.exec.cuda.memory import Block, come_from_others, state_copy, wrote
from graphc.exec.cuda.split.part import Part, whole
from graphc.exec.cuda.timing import DeviceEvent, device_speed, traced
from graphc.exec.cuda.work import Brought, Copy
from graphc.exec.engine import Engine
from graphc.exec.frame import Frame, Shapes
from graphc.exec.machine_speed import MachineSpeed
from graphc.exec.states import State
from graphc.kernels.contracts.calls import Status
from graphc.kernels.runtime import tables as t
from graphc.plan import plan as p

_LONG = ctypes.c_int64
NOTHING: Mapping[Any, Any] = MappingProxyType({})


class DeviceEngine(Engine):
    """What both kinds have: devices, constants there, and a launch of a part. device: the first of them, which does
    what was placed on none. reduced: tensor cores may round the factors of float32 products; numbers: which of the
    session's GPUs they are. To be said before the first run."""

    reduced = False
    numbers: tuple[int, ...] = (0,)

    def __init__(self, devices: Sequence[Device], whole_plan: p.Plan, plan: p.Plan, constants: Mapping[str, Any] | None,
                 states: Any, *settings: Any) -> None:
        """plan: what the host's runtime has of whole_plan; the other arguments are Engine's."""
        self.whole_plan = whole_plan
        super().__init__(plan, constants, states, *settings)
        self.devices, self.device = tuple(devices), devices[0]
        self.cells = self._cells
        self.uploaded: dict[tuple[Device, int], Block] = {}    # constants
        self._events: dict[int, list[DeviceEvent]] = {}        # of traced runs, by the addresses of their traces

    def constant_address(self, device: Device, index: int) -> int:
        block = self.uploaded.get((device, index))
        if block is None:
            array = self._constants[index]
            block = self.uploaded[device, index] = Block(device, array.nbytes)
            device.upload(block.address, int(array.ctypes.data), array.nbytes)
        return block.address

    def quick_way(self, counter: Iterator[int], single: bool) -> None:
        """None: a run begins and ends what it has on the device."""

    def device_events(self, trace: int) -> list[DeviceEvent]:
        """What the device did in the run with this trace, which is over; a second time nothing."""
        return self._events.pop(trace, [])

    def _begin_trace(self, trace: int) -> None:
        if trace:
            self._events[trace] = []

    def gpu_speed(self) -> MachineSpeed:
        return device_speed(self.device)

    def launch(self, frame: DeviceFrame, written: Mapping[State, Device] = NOTHING, trace: int = 0,
               before: Sequence[Brought] = (), behind: Sequence[Copy] = ()) -> None:
        """Runs a part whose uploads are in place. written: variables whose newest value is this run's, and where it is.
        trace: of the run, 0: none. before, behind: copies that this run needs.

        Raises what its checks refuse, as InvalidArgumentError for an index that names no place: then no variable has
        changed.
        """
        device = frame.device
        device.enter()
        if self.states.away:
            come_from_others(device, self.states, [state for state in frame.states if state not in written])
        others = {piece.device for piece in before} | {written[state] for state in frame.states if state in written}
        with ExitStack() as held:
            for one in sorted({device, *others}, key=id):      # in one order everywhere
                held.enter_context(one.lock)
            uploaded = [state_copy(device, state).refresh(state) for state in frame.states if state not in written]
            for state in frame.states:
                if written.get(state, device) is not device:
                    state_copy(device, state).follow(state_copy(written[state], state), state)
            for piece in before:
                piece.submit(device)
            self._replay(frame, 0, trace)
            if len(frame.graphs) == 1:
                self._submit(device, behind)
            if frame.waits or any(uploaded):
                device.wait()
            for stage in range(1, len(frame.graphs)):
                self._look_at_checks(frame, frame.early)
                self._replay(frame, stage, trace)
                self._submit(device, behind)
                device.wait()
            try:
                self._look_at_checks(frame, len(frame.checks))
            except errors.OpError:
                for graph in frame.undone:
                    device.replay(graph)
                    device.wait()
                raise

    def _submit(self, device: Device, copies: Sequence[Copy]) -> None:
        for copy in copies:
            copy.submit(device)

    def _replay(self, frame: DeviceFrame, stage: int, trace: int) -> None:
        if trace:
            self._events[trace].extend(traced(frame.device, frame, stage))
        else:
            frame.device.replay(frame.graphs[stage])

    def _look_at_checks(self, frame: DeviceFrame, count: int) -> None:
        """Raises what the first of so many checks refuses."""
        for (step, check), words in zip(frame.checks[:count], frame.checked.tolist(), strict=False):
            failure = check.failure(words)
            if failure is not None:
                raise self._failure(frame.part.body, step, failure)

    def _failure(self, body: int, step: int, failure: Failure) -> errors.OpError:
        """The error that the host's runtime gives for it."""
        return self.refused(body, step, int(failure.status), failure.a, failure.b, detail=failure.detail)

    def refused(self, body: int, step: int, code: int, *words: int, detail: Sequence[int] = ()) -> errors.OpError:
        """The error of the host's runtime with this code and up to three words, for a step of the whole plan."""
        record = np.zeros(t.ERROR_WORDS, np.int64)
        record[[t.ERROR_CODE, t.ERROR_BODY, t.ERROR_STEP]] = code, body, step
        record[[t.ERROR_A, t.ERROR_B, t.ERROR_C][:len(words)]] = words
        record[t.ERROR_DETAIL:t.ERROR_DETAIL + len(detail)] = detail
        return messages.run_error(self.whole_plan, record, None)

    def done_there(self) -> dict[tuple[str, str], int]:
        """Names and types of the user's ops that devices do, with which of them does."""
        origins = self.whole_plan.origins
        return {(origins[o].op_name, origins[o].op_type): part.device for part in self.parts
                for i in part.steps for o in self.whole_plan.bodies[part.body].steps[i].origins}

    @property
    def parts(self) -> tuple[Part, ...]:
        """What the device does, each in one go."""
        raise NotImplementedError


class CudaEngine(DeviceEngine):
    """Runs a plan of which support.py says that the device can do it all; arguments as Engine's.

    Raises ResourceExhaustedError if the device has no memory left.
    """

    on_device = True

    def __init__(self, device: Device, plan: p.Plan, constants: Mapping[str, Any] | None = None, states: Any = None,
                 *settings: Any) -> None:
        super().__init__([device], plan, plan, constants, states, *settings)
        self._device_frames: dict[int, DeviceFrame] = {}           # by the native frame's address
        self._part = whole(plan)
        body = plan.bodies[0]
        info = {i: b.index for i, b in enumerate(body.buffers) if b.kind == p.BufferKind.STATE_INFO}
        named = [(i, s.kernel, info[s.operands[0]]) for i, s in enumerate(body.steps)
                 if isinstance(s, p.Call) and s.kernel in ("state_check", "state_mark")]
        self.must_be_there = [(i, state) for i, kernel, state in named if kernel == "state_check"]
        self.marked = [state for _, kernel, state in named if kernel == "state_mark"]

    @property
    def parts(self) -> tuple[Part, ...]:
        return (self._part,)

    def device_frame(self, shapes: Shapes) -> DeviceFrame:
        """A frame for inputs of these shapes, in which nothing runs."""
        return self._device_frames[self._frame(shapes).address]

    def _run_numbers(self, inputs: Sequence[np.ndarray], number: int, cancel: int, trace: int) -> list[Any]:
        """A run that has begun is not cancelled."""
        shapes = tuple([a.shape for a in inputs])
        self._begin_trace(trace)
        self.device.enter()
        frame = self.frames.take(shapes) or self._frame(shapes)
        try:
            with self.states.holding(self._writes):
                return self._run_frame(frame, inputs, number, trace)
        finally:
            self.frames.keep(frame)

    def _frame(self, shapes: Shapes) -> Frame:
        frame = super()._frame(shapes)
        self.device.enter()
        self._device_frames.pop(frame.address, None)
        table = (_LONG * t.FRAME_WORDS).from_address(frame.address)[t.FRAME_DIMS]
        dims = (_LONG * len(self.plan.bodies[0].dims)).from_address(table)[:] if table else []
        try:
            with self.device.lock:
                self._device_frames[frame.address] = DeviceFrame(self, self._part, dims)
        except BaseException:
            self.frames.spare.append(frame)
            raise
        return frame

    def _run_frame(self, frame: Frame, inputs: Sequence[np.ndarray], number: int, trace: int) -> list[np.ndarray]:
        for step, state in self.must_be_there:
            if not self.cells[state].info[0]:
                raise self._failure(0, step, Failure(Status.UNINITIALISED))
        work = self._device_frames[frame.address]
        fed = work.uploads
        if len(fed) > len(inputs):
            fed[0][:] = number, 0                      # the counter
            fed = fed[1:]
        for target, array in zip(fed, inputs, strict=True):
            np.copyto(target, array)
        self.launch(work, trace=trace)
        if not work.waits:
            self.device.wait()
        for state in self.marked:
            self.cells[state].info += (1 - self.cells[state].info[0], 1)
            wrote(self.device, self.states, self.cells[state])
        return [output.copy() for output in work.downloads]
