"""Runs of one plan as a single call of a C function, which native code is (kernels/runtime/quick.py).

QuickRuns owns frames that are bound and that nobody uses; the function takes one whose shapes are those of what it is
given. Frames come in after runs that went another way (`add`), and can be had back (`take`). The interpreter's lock
guards the table: a frame is taken out of it first, then looked at.
"""
from __future__ import annotations

import ctypes
import math
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any

import numpy as np

from graphc.exec.frame import Frame, Shapes
from graphc.ir.locks import new_lock
from graphc.kernels.runtime import tables as t

_FASTCALL = 0x80                 # METH_FASTCALL
_PYTHON = {
    t.QUICK_INCREF: "Py_IncRef", t.QUICK_DECREF: "Py_DecRef", t.QUICK_DICT_NEXT: "PyDict_Next",
    t.QUICK_NEXT: "PyIter_Next", t.QUICK_AS_LONG: "PyLong_AsLongLong", t.QUICK_FROM_LONG: "PyLong_FromLongLong",
    t.QUICK_SAVE: "PyEval_SaveThread", t.QUICK_RESTORE: "PyEval_RestoreThread", t.QUICK_LIST: "PyList_New",
    t.QUICK_SET_ITEM: "PyList_SetItem"}
_NUMPY = {                       # places in NumPy's table of C functions: the same in all versions
    t.QUICK_ARRAY_TYPE: 2, t.QUICK_RETURN: 76, t.QUICK_FROM_DTYPE: 94, t.QUICK_EMPTY: 184, t.QUICK_SET_BASE: 282}


class _Definition(ctypes.Structure):
    """C's PyMethodDef."""

    _fields_ = (("name", ctypes.c_char_p), ("function", ctypes.c_void_p), ("flags", ctypes.c_int),
                ("text", ctypes.c_char_p))


def is_possible() -> bool:
    """Whether this interpreter's objects look as the native code takes them to: CPython's, with its one lock."""
    has_lock = getattr(sys, "_is_gil_enabled", lambda: True)()
    return sys.implementation.name == "cpython" and object.__basicsize__ == 16 and has_lock


class QuickRuns:
    """run(feed_dict) or run(value, ...): what the plan gives for values in the order of its inputs, as a list, or the
    first output alone if `single`; None if no frame fits or a value would have to be converted; of a run that failed
    the frame's address (an int), see `failed`."""

    def __init__(self, entry: Mapping[str, int], counter: Iterator[int], single: bool, inputs: Sequence[Any],
                 outputs: Sequence[Any]) -> None:
        """counter: gives the number of each run. inputs, outputs: NumPy's dtypes."""
        self.frames: list[Frame] = []          # of the table
        self._leaving: list[Frame] = []        # in use when they were taken out
        self._lock = new_lock()
        self._table = np.zeros(t.QUICK_VALUES + len(inputs), np.int64)
        self._words = self._table.data
        self._table[:t.QUICK_COUNT] = (python_functions().ctypes.data, entry["gc_run"], id(counter), 0, single,
                                       len(inputs), len(outputs))
        self._keep = counter, inputs, outputs
        self._dtypes = [id(dtype) for dtype in (*inputs, *outputs)]
        self.run: Callable[..., Any] = _function(entry["gc_quick_run"], self._table)

    @property
    def last_number(self) -> int:
        """The number of the last run."""
        return int(self._words[t.QUICK_LAST])

    def add(self, frame: Frame) -> bool:
        """Takes over a frame that is bound and not in use; no: there is no room, a size is known only in runs, or
        outputs are large (output_memory.py)."""
        with self._lock:
            count = len(self.frames)
            if count == t.QUICK_FRAMES or not frame.fast or frame.large:
                return False
            if frame.record is None:
                frame.be_quick(self._record(frame))
            self.frames.append(frame)
            self._words[t.QUICK_RECORDS + count] = frame.record_address
            self._words[t.QUICK_COUNT] = count + 1
        return True

    def take(self, shapes: Shapes | None = None) -> Frame | None:
        """A frame that is bound for these shapes, or for any, and not in use any more; None if there is none."""
        with self._lock:
            for i, frame in enumerate(self.frames):
                if shapes is None or frame.shapes == shapes:
                    self._remove(i)
                    if not frame.busy:
                        return frame
                    self._insert(i, frame)
        return None

    def clear(self) -> list[Frame]:
        """All frames that are not in use; the others see `left`."""
        with self._lock:
            self._words[t.QUICK_COUNT] = 0
            found, self.frames = self.frames, []
            return self._not_in_use(found)

    def left(self) -> list[Frame]:
        """Frames that were in use when they were cleared and are not any more."""
        with self._lock:
            found, self._leaving = self._leaving, []
            return self._not_in_use(found)

    def _not_in_use(self, frames: list[Frame]) -> list[Frame]:
        """Those; the others are leaving. Each is asked once: its run may end meanwhile, and who is given a frame twice
        closes it twice."""
        free: list[Frame] = []
        for frame in frames:
            (self._leaving if frame.busy else free).append(frame)
        return free

    def forget(self) -> None:
        """Leaves all frames, used or not, as they are."""
        self._words[t.QUICK_COUNT] = 0
        self.frames, self._leaving = [], []

    def idle(self) -> int:
        """How many frames are not in use."""
        return sum(not frame.busy for frame in (*self.frames, *self._leaving))

    def failed(self, address: int) -> Frame:
        """The frame whose run failed. It is in use until `free` is called."""
        return next(frame for frame in (*self.frames, *self._leaving) if frame.address == address)

    def _remove(self, i: int) -> None:
        del self.frames[i]
        self._write()

    def _insert(self, i: int, frame: Frame) -> None:
        self.frames.insert(i, frame)
        self._write()

    def _write(self) -> None:
        addresses = [frame.record_address for frame in self.frames]
        self._words[t.QUICK_COUNT] = 0
        self._table[t.QUICK_RECORDS:t.QUICK_RECORDS + len(addresses)] = addresses
        self._words[t.QUICK_COUNT] = len(addresses)

    def _record(self, frame: Frame) -> np.ndarray:
        record = np.zeros(t.RECORD_PORTS + t.PORT_WORDS * len(self._dtypes), np.int64)
        record[:t.RECORD_PORTS] = 0, frame.address, frame.call_address, 0
        outputs = [(shape, dtype.itemsize * math.prod(shape) + 64 if aligned else 0)
                   for shape, dtype, aligned in (o for o in frame.outputs if o is not None)]
        ports = [*((shape, 0) for shape in frame.shapes), *outputs]
        for i, ((shape, size), dtype) in enumerate(zip(ports, self._dtypes, strict=True)):
            at = t.RECORD_PORTS + t.PORT_WORDS * i
            record[at:at + t.PORT_SIZES] = dtype, len(shape), size, 0
            record[at + t.PORT_SIZES:at + t.PORT_SIZES + len(shape)] = shape
        return record


@cache
def python_functions() -> np.ndarray:
    """The addresses of the interpreter's and NumPy's functions and objects, as tables.py lists them."""
    words = np.zeros(t.QUICK_PYTHON_WORDS, np.int64)
    words[[t.QUICK_NONE, t.QUICK_DICT_TYPE, t.QUICK_BYTE]] = id(None), id(dict), id(np.dtype(np.uint8))
    for place, name in _PYTHON.items():
        words[place] = ctypes.cast(getattr(ctypes.pythonapi, name), ctypes.c_void_p).value or 0
    table = _numpy_table()
    for place, number in _NUMPY.items():
        words[place] = table[number]
    return words


def _numpy_table() -> Any:
    """NumPy's table of C functions (PyArray_API in C); its module has another name in NumPy 1."""
    core = sys.modules.get("numpy._core._multiarray_umath") or sys.modules["numpy.core._multiarray_umath"]
    pointer = ctypes.PYFUNCTYPE(ctypes.c_void_p, ctypes.py_object, ctypes.c_char_p)(
        ("PyCapsule_GetPointer", ctypes.pythonapi))
    return ctypes.cast(pointer(core._ARRAY_API, None), ctypes.POINTER(ctypes.c_size_t))


_definitions: dict[int, _Definition] = {}      # they live as long as the process: function objects point to them


def _function(address: int, own: np.ndarray) -> Callable[..., Any]:
    """A function object of the C function at that address, which gets `own` as its first argument."""
    definition = _definitions.setdefault(address, _Definition(b"run", address, _FASTCALL, b"Runs a plan."))
    make = ctypes.PYFUNCTYPE(ctypes.py_object, ctypes.c_void_p, ctypes.py_object, ctypes.c_void_p)(
        ("PyCFunction_NewEx", ctypes.pythonapi))
    made: Callable[..., Any] = make(ctypes.addressof(definition), own, None)
    return made
