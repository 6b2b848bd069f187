"""A frame of the native runtime, as Python sees it: what one run at a time of a plan works on."""
from __future__ import annotations

import ctypes
import math
from collections.abc import Callable, Mapping
from functools import partial
from struct import Struct
from typing import Any

import numpy as np

from graphc import errors
from graphc.exec.output_memory import LARGE, OutputMemory
from graphc.exec.states import aligned_empty
from graphc.kernels.runtime import tables as t
from graphc.plan.plan import Plan

ALIGN_FROM = 1 << 14       # outputs of at least so many bytes begin at a multiple of 64 (numpy gives 16)
_POINTER_OFFSET = object.__basicsize__     # of an array's data pointer in the object (PyArrayObject_fields.data)
_LONG = ctypes.c_int64
Shapes = tuple[tuple[int, ...], ...]
Output = tuple[tuple[int, ...], Any, bool]     # shape, dtype, aligned


class Frame:
    """A native frame, its call record and its error record.

    set_run(number, cancel, trace, id of each input, id of each output) fills in the record for a run; 0: no output.
    """

    def __init__(self, plan: Plan, native: Mapping[str, Callable[..., int]], model: int) -> None:
        words = t.CALL_WORDS + len(plan.inputs) + len(plan.outputs)
        self.call = np.zeros(words, np.int64)
        self.error = np.zeros(t.ERROR_WORDS, np.int64)
        self.set_run = partial(Struct(f"{words - t.CALL_RUN}q").pack_into, self.call.data.cast("B"), 8 * t.CALL_RUN)
        self.call_address = int(self.call.ctypes.data)
        self.address = native["gc_frame_open"](model, int(self.error.ctypes.data))
        if not self.address:
            raise errors.ResourceExhaustedError("no memory for a frame of the plan, or memory_limit is too low")
        self.call[t.CALL_FRAME] = self.address
        self.call[t.CALL_INDIRECT] = _POINTER_OFFSET
        self.call[t.CALL_ERROR] = self.error.ctypes.data
        slots = (_LONG * t.FRAME_WORDS).from_address(self.address)[t.FRAME_OUTPUTS]
        self.slots = [slots + 8 * i * t.SLOT_RECORD for i in range(len(plan.outputs))]
        self.shapes: Shapes = ()                   # of the inputs that it is bound for
        self.generation = 0                        # see frames.py
        self.record: np.ndarray | None = None      # for quick runs (quick.py)
        self.record_address = 0
        self.outputs: list[Output | None] = []     # None: not known before the run
        self.makers: list[Callable[[], Any]] = []  # of the outputs' arrays
        self.fast = False                          # all outputs known
        self.large = False                         # one of them is to be memory that is used again

    def be_quick(self, record: np.ndarray) -> None:
        self.record, self.record_address = record, int(record.ctypes.data)

    @property
    def busy(self) -> bool:
        """Whether a quick run uses it."""
        return self.record is not None and bool(self.record[t.RECORD_BUSY])

    def free(self) -> None:
        """After a quick run that failed."""
        if self.record is not None:
            self.record[t.RECORD_BUSY] = 0

    def expect(self, shapes: Shapes, outputs: list[Output | None], memory: OutputMemory) -> None:
        """Notes what it is bound for, and what the next run will write; memory: where large outputs come from."""
        self.shapes, self.record = shapes, None
        self.outputs, self.fast = outputs, None not in outputs
        sizes = [0 if o is None else _bytes(o[0], o[1]) for o in outputs]
        self.large = max(sizes, default=0) >= LARGE
        memory.expect(sizes)
        self.makers = [_nothing if o is None else partial(
            memory.empty if size >= LARGE else aligned_empty if o[2] else np.empty, o[0], o[1])
            for o, size in zip(outputs, sizes, strict=True)]


def _nothing() -> None:
    return None


def _bytes(shape: tuple[int, ...], dtype: Any) -> int:
    return math.prod(shape) * int(dtype.itemsize)


def output_in(slot: int, dtype: Any) -> Output | None:
    """What the slot says of the output that the next run will write."""
    words = (_LONG * t.SLOT_RECORD).from_address(slot)
    if words[t.SLOT_RANK] < 0:
        return None
    shape = tuple(words[t.SLOT_SIZES:t.SLOT_SIZES + words[t.SLOT_RANK]])
    return shape, dtype, _bytes(shape, dtype) >= ALIGN_FROM
