"""A plan with sizes, on the device: memory, and its steps as two CUDA graphs.

The host's runtime has taken the same sizes before: it computed the table of dims, which is read from its frame here,
and checked the guards. So a mistake in the user's shapes gives the same error on either device.

Places, in one block of pinned memory and one of the device, at the same offsets: the counter, inputs (copied up before
the steps), what was checked, outputs (copied down behind them). Work begins with the first graph, up to the first step
that writes a variable if there are checks before it; the second one runs when those are good, so that a run that fails
changes nothing.
"""
from __future__ import annotations

import ctypes
import weakref
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from graphc.exec.cuda.arena import place
from graphc.exec.cuda.calls.all import CALLS, STATE_CHECK, STATE_MARK
from graphc.exec.cuda.calls.call import Call, Products
from graphc.exec.cuda.calls.checks import RECORD_WORDS, Check
from graphc.exec.cuda.code.ptx import TENSOR_COMPUTE
from graphc.exec.cuda.driver import Device
from graphc.exec.cuda.halves import widened_buffers
from graphc.exec.cuda.maps import BoundMap, Place, launches
from graphc.exec.cuda.memory import ALIGNMENT, Block, Layout, array_at, state_copy
from graphc.exec.cuda.work import Copy, Work
from graphc.exec.map_code import SIZES, value_dtype
from graphc.ir import dtypes
from graphc.kernels.runtime import tables as t
from graphc.plan import plan as p

if TYPE_CHECKING:
    from graphc.exec.cuda.engine import CudaEngine

_LONG = ctypes.c_int64
RECORD, MOST_CHECKS = 8 * RECORD_WORDS, 2      # bytes of a check; checks of a step
COUNTER_BYTES = 16


def _table(frame: int, field: int, count: int) -> list[int]:
    """A table of a native frame."""
    address = (_LONG * t.FRAME_WORDS).from_address(frame)[field]
    return list((_LONG * count).from_address(address)) if count else []


class DeviceFrame:
    """See the header. native: the address of the host's frame; outputs: shape and dtype of each."""

    def __init__(self, engine: CudaEngine, native: int, inputs: Sequence[tuple[int, ...]],
                 outputs: Sequence[tuple[tuple[int, ...], Any]]) -> None:
        self.device, self.plan, self.body = engine.device, engine.plan, engine.plan.bodies[0]
        self.engine = weakref.proxy(engine)
        self.dims = _table(native, t.FRAME_DIMS, len(self.body.dims))
        self.pinned, self.block, self.arena = self._memory(inputs, outputs)
        self.addresses = self._addresses()
        self.widened = widened_buffers(self.plan, self.body)
        self.scratch: list[Block] = []
        self.facts: list[tuple[Block, np.ndarray]] = []
        self.checks: list[tuple[int, Check]] = []      # with the number of the step
        work, cut = self._steps()
        self.checked = self._checked_array()
        self.graphs = self._record(work, cut)

    # Memory

    def _memory(self, inputs: Sequence[tuple[int, ...]],
                outputs: Sequence[tuple[tuple[int, ...], Any]]) -> tuple[Block, Block, Block]:
        layout = Layout()
        layout.place(COUNTER_BYTES)
        kinds = [dtypes.as_dtype(port.dtype).stored.numpy for port in self.plan.inputs]
        sizes = [int(np.prod(shape, dtype=np.int64)) * np.dtype(kind).itemsize
                 for shape, kind in zip(inputs, kinds, strict=True)]
        self.input_places = [layout.place(size) for size in sizes]
        self.uploaded = layout.used
        self.check_place = layout.place(RECORD * MOST_CHECKS * max(len(self.body.steps), 1))
        self.downloaded = layout.used
        self.output_places = [layout.place(int(np.prod(shape, dtype=np.int64)) * np.dtype(kind).itemsize)
                              for shape, kind in outputs]
        self.used = layout.used
        pinned, block = Block(self.device, self.used, pinned=True), Block(self.device, self.used)
        self.counter = array_at(pinned.address, (2,), np.dtype(np.int64))
        self.inputs = [array_at(pinned.address + at, shape, np.dtype(kind))
                       for at, shape, kind in zip(self.input_places, inputs, kinds, strict=True)]
        self.outputs = [array_at(pinned.address + at, shape, np.dtype(kind))
                        for at, (shape, kind) in zip(self.output_places, outputs, strict=True)]
        return pinned, block, self._arena()

    def _arena(self) -> Block:
        rows = enumerate(self.body.buffers)
        self.arena_places, size = place(self.body, {i: self._bytes(i) for i, b in rows if b.kind == p.BufferKind.ARENA})
        return Block(self.device, size)

    def _bytes(self, buffer: int) -> int:
        row = self.body.buffers[buffer]
        return int(np.prod([self.dims[d] for d in row.dims], dtype=np.int64)) * dtypes.as_dtype(row.dtype).stored.size

    def _addresses(self) -> list[int]:
        """Of the body's buffers, on the device; 0 of those that stay on the host."""
        found = []
        for i, buffer in enumerate(self.body.buffers):
            found.append(0 if buffer.kind == p.BufferKind.ALIAS else self._address(i, buffer))
        return [found[b.index] if b.kind == p.BufferKind.ALIAS else at
                for b, at in zip(self.body.buffers, found, strict=True)]

    def _address(self, number: int, buffer: p.Buffer) -> int:
        kind, index = buffer.kind, buffer.index
        if kind == p.BufferKind.INPUT:
            return self.block.address + self.input_places[index]
        if kind == p.BufferKind.OUTPUT:
            return self.block.address + self.output_places[index]
        if kind == p.BufferKind.CONST:
            return int(self.engine.constant_address(index))
        if kind == p.BufferKind.STATE:
            return state_copy(self.device, self.engine.cells[index]).block.address
        if kind == p.BufferKind.COUNTER:
            return self.block.address
        return self.arena.address + self.arena_places[number] if kind == p.BufferKind.ARENA else 0

    def _scratch(self, count: int) -> int:
        self.scratch.append(Block(self.device, count))
        return self.scratch[-1].address

    def _facts(self, stored: bytes) -> int:
        """Bytes that every run finds on the device."""
        block, array = Block(self.device, len(stored)), np.frombuffer(stored, np.uint8).copy()
        self.facts.append((block, array))
        self.device.upload(block.address, int(array.ctypes.data), len(stored))
        return block.address

    # Steps

    def _steps(self) -> tuple[list[Work], int]:
        """(the work of all steps, how much of it comes before the first step that writes a variable)."""
        work: list[Work] = []
        cut = -1
        for number, step in enumerate(self.body.steps):
            if cut < 0 and self._writes_state(step):
                cut = len(work)
            if isinstance(step, p.Map):
                work += self._map(step)
            else:
                assert isinstance(step, p.Call)
                work += self._call(number, step)
        return work, cut if self.checks and cut > 0 else len(work)

    def _writes_state(self, step: p.Step) -> bool:
        if isinstance(step, p.Call):
            buffers = [step.operands[-1]] if step.operands else []
            buffers += [a.buffer for a in step.epilogue.stores] if step.epilogue is not None else []
        else:
            assert isinstance(step, p.Map)
            buffers = [a.buffer for a in step.stores]
        rows = self.body.buffers
        return any(rows[rows[b].index if rows[b].kind == p.BufferKind.ALIAS else b].kind == p.BufferKind.STATE
                   for b in buffers)

    def _map(self, step: p.Map) -> Sequence[Work]:
        program, domain = self.plan.programs[step.program], [self.dims[d] for d in step.domain]
        rank, places = len(domain), {}
        kinds = [*program.loads, *(value_dtype(program, v) for v in program.stores)]
        for number, (access, kind) in enumerate(zip((*step.loads, *step.stores), kinds, strict=True)):
            size = SIZES[kind]
            strides = [size * self.dims[d] for d in access.strides]
            first = self.addresses[access.buffer] + size * self.dims[access.offset]
            places[number] = Place(first, (*strides, *[0] * (rank - len(strides))))
        number = len(kinds)
        for instr in program.instrs:
            if instr.op in ("index", "linear"):
                places[number] = Place(0, _counted(instr, domain))
                number += 1
        bound = BoundMap(program, tuple(domain), step.reduced, places)
        return launches(bound, self.engine.library, self._scratch)

    def _call(self, number: int, step: p.Call) -> Sequence[Work]:
        name, *types = step.kernel.split(".")
        if name in (STATE_CHECK, STATE_MARK):
            return []
        call = Call(tuple(types), tuple(self.addresses[o] for o in step.operands),
                    tuple(self.dims[d] for d in step.dims), step.attrs, self.engine.library, self._scratch, self._facts,
                    products=self._products(step))
        work = list(CALLS[name](call))
        for check in call.checks:
            at = self.check_place + RECORD * len(self.checks)
            work.append(Copy(self.block.address + at, check.place, 8 * check.words))
            self.checks.append((number, check))
        return work + list(self._map(step.epilogue)) if step.epilogue is not None else work

    def _products(self, step: p.Call) -> Products:
        """Of 16-bit floats tensor cores are exact; float32 they round, where the user lets them."""
        if self.device.compute < TENSOR_COMPUTE:
            return Products.FUSED
        if self.widened.issuperset(step.operands[:-1]):
            return Products.EXACT
        return Products.ROUNDED if self.engine.reduced else Products.FUSED

    def _checked_array(self) -> np.ndarray:
        """The words of each check, where the device leaves them."""
        return array_at(self.pinned.address + self.check_place, (len(self.checks), RECORD_WORDS), np.dtype(np.int64))

    # Graphs

    def _record(self, work: Sequence[Work], cut: int) -> list[int]:
        device = self.device
        for step in work:                              # loads modules, which must not happen while recording
            step.prepare(device)

        def first() -> None:
            device.upload(self.block.address, self.pinned.address, self.uploaded)
            for step in work[:cut]:
                step.submit(device)
            self._download(self.check_place, self.downloaded)
            if cut == len(work):
                self._download(self.downloaded, self.used)

        def second() -> None:
            for step in work[cut:]:
                step.submit(device)
            self._download(self.downloaded, self.used)

        device.wait()                                  # what was uploaded so far
        graphs = [device.record(part) for part in ((first,) if cut == len(work) else (first, second))]
        weakref.finalize(self, _destroy, device, graphs).atexit = False
        return graphs

    def _download(self, begin: int, end: int) -> None:
        if begin == self.check_place:
            end = begin + ALIGNMENT * -(-RECORD * len(self.checks) // ALIGNMENT)
        self.device.download(self.pinned.address + begin, self.block.address + begin, end - begin)


def _counted(instr: p.Instr, domain: Sequence[int]) -> tuple[int, ...]:
    """Strides of an index value: its axis alone counts, or all of them, row-major."""
    if instr.op == "index":
        return tuple(int(axis == instr.value) for axis in range(len(domain)))
    strides, stride = [], 1
    for size in reversed(domain):
        strides.append(stride)
        stride *= size
    return tuple(reversed(strides))


def _destroy(device: Device, graphs: Sequence[int]) -> None:
    if device.usable():
        device.enter()
        for graph in graphs:
            device.forget(graph)
