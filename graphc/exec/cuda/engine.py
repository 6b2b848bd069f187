"""CudaEngine: a Plan whose runs happen on the GPU.

It is an Engine in all that concerns the plan: the same image, verified by the same code, bound to sizes by the same
code, the same errors. What a run does is another thing: inputs go to the device through pinned memory, one or two
launches of a CUDA graph do all steps (frame.py), outputs come back. Variables live on the device while plans there use
them; a plan on the CPU, a saver or a fetch gets the newest value (states.py, memory.py).
"""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from graphc import errors
from graphc.exec import messages
from graphc.exec.cuda.calls.checks import Failure
from graphc.exec.cuda.driver import Device
from graphc.exec.cuda.frame import DeviceFrame
from graphc.exec.cuda.memory import Block, state_copy, wrote
from graphc.exec.engine import Engine, Shapes
from graphc.exec.frame import Frame
from graphc.kernels.contracts.calls import Status
from graphc.kernels.runtime import tables as t
from graphc.plan import plan as p


class CudaEngine(Engine):
    """Runs a plan of which support.py says that the device can; arguments as Engine's.

    Raises ResourceExhaustedError if the device has no memory left.
    """

    on_device = True

    def __init__(self, device: Device, plan: p.Plan, constants: Mapping[str, Any] | None = None, states: Any = None,
                 *settings: Any, reduced: bool = False) -> None:
        """reduced: products of float32 may be those of tensor cores."""
        super().__init__(plan, constants, states, *settings)
        self.reduced = reduced
        self.device, self.library = device, self._library
        self.cells = self._cells
        self._uploaded: dict[int, Block] = {}          # constants
        self._device_frames: dict[int, DeviceFrame] = {}           # by the native frame's address
        steps = plan.bodies[0].steps
        info = {i: b.index for i, b in enumerate(plan.bodies[0].buffers) if b.kind == p.BufferKind.STATE_INFO}
        named = [(i, s.kernel, info[s.operands[0]]) for i, s in enumerate(steps)
                 if isinstance(s, p.Call) and s.kernel in ("state_check", "state_mark")]
        self._must_be_there = [(i, state) for i, kernel, state in named if kernel == "state_check"]
        self._marked = [state for _, kernel, state in named if kernel == "state_mark"]
        self._used = sorted({b.index for b in plan.bodies[0].buffers if b.kind == p.BufferKind.STATE})

    def constant_address(self, index: int) -> int:
        block = self._uploaded.get(index)
        if block is None:
            array = self._constants[index]
            block = self._uploaded[index] = Block(self.device, array.nbytes)
            self.device.upload(block.address, int(array.ctypes.data), array.nbytes)
        return block.address

    def run(self, inputs: Sequence[np.ndarray], run_number: int | None = None, cancel: int = 0,
            trace: int = 0, numbered: bool = False) -> list[np.ndarray]:
        """As Engine.run. A run that has begun is not cancelled; the device's steps are not traced."""
        fitting = [self._fit(i, a) for i, a in enumerate(inputs)]
        shapes = tuple([a.shape for a in fitting])
        self.device.enter()
        try:
            frame = self._free[shapes].pop()
        except (KeyError, IndexError):
            frame = self._frame(shapes)
        number = next(self.runs) if run_number is None else run_number
        try:
            with self.states.holding(self._writes):
                return self._run_frame(frame, fitting, number)
        finally:
            self._free.setdefault(shapes, []).append(frame)

    def _frame(self, shapes: Shapes) -> Frame:
        frame = super()._frame(shapes)
        outputs = [o[:2] for o in frame.outputs if o is not None]
        assert len(outputs) == len(frame.outputs), "sizes that depend on data do not run on the device"
        self._device_frames.pop(frame.address, None)
        try:
            with self.device.lock:
                self._device_frames[frame.address] = DeviceFrame(self, frame.address, shapes, outputs)
        except BaseException:
            self._spare.append(frame)
            raise
        return frame

    def _run_frame(self, frame: Frame, inputs: Sequence[np.ndarray], number: int) -> list[np.ndarray]:
        for step, state in self._must_be_there:
            if not self.cells[state].info[0]:
                raise self._failure(Failure(Status.UNINITIALISED), step)
        work = self._device_frames[frame.address]
        work.counter[:] = number, 0
        for target, array in zip(work.inputs, inputs, strict=True):
            np.copyto(target, array)
        with self.device.lock:
            for state in self._used:
                state_copy(self.device, self.cells[state]).refresh(self.cells[state])
            self.device.replay(work.graphs[0])
            self.device.wait()
            self._look_at_checks(work)
            for graph in work.graphs[1:]:
                self.device.replay(graph)
                self.device.wait()
            for state in self._marked:
                wrote(self.states, self.cells[state])
            return [output.copy() for output in work.outputs]

    def _look_at_checks(self, work: DeviceFrame) -> None:
        for (step, check), words in zip(work.checks, work.checked.tolist(), strict=True):
            failure = check.failure(words)
            if failure is not None:
                raise self._failure(failure, step)

    def _failure(self, failure: Failure, step: int) -> errors.OpError:
        """The error that the host's runtime gives for it."""
        record = np.zeros(t.ERROR_WORDS, np.int64)
        record[[t.ERROR_CODE, t.ERROR_STEP, t.ERROR_A, t.ERROR_B]] = int(failure.status), step, failure.a, failure.b
        record[t.ERROR_DETAIL:t.ERROR_DETAIL + len(failure.detail)] = failure.detail
        return messages.run_error(self.plan, record, None)
