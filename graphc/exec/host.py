"""What the runtime gets from this process: memory, sleeping, and Python functions for host steps (tables.py: HOST).

Memory is libc's malloc; threads sleep on a futex through libc's `syscall` on Linux, and poll elsewhere. A Python
function of a graph is called with the GIL on the thread that runs the plan; its exception is kept for that thread and
raised behind the run.
"""
from __future__ import annotations

import ctypes
import platform
import sys
import threading
import time
import weakref
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from graphc import errors
from graphc.exec import guard
from graphc.exec.interrupt import calling, poll_words
from graphc.exec.string_runs import numbered
from graphc.exec.strings import TABLE
from graphc.ir import dtypes
from graphc.ir.dtypes import string
from graphc.ir.host import strings_of
from graphc.ir.values import to_array
from graphc.kernels.runtime import tables as t

HostFunction = Callable[..., Any]
_SIX = ctypes.CFUNCTYPE(ctypes.c_int64, *[ctypes.c_int64] * 6)
_FUTEX = {"x86_64": 202, "aarch64": 98}
_DTYPES = {d.number: d for d in dtypes.ALL}
_process = ctypes.CDLL(None)


def address_of(function: Any) -> int:
    return ctypes.cast(function, ctypes.c_void_p).value or 0


def _poll(context: int, address: int, operation: int, expected: int, _a: int, _b: int) -> int:
    time.sleep(0.0005)
    return 0


def _no_wake(context: int, address: int, operation: int, count: int, _a: int, _b: int) -> int:
    return 0


_POLL, _NO_WAKE = _SIX(_poll), _SIX(_no_wake)      # C may call them as long as the process lives


class Host:
    """A host table. functions: the Python functions of a plan, in the order of Plan.hosts."""

    def __init__(self, functions: Sequence[tuple[str, HostFunction]] = (), memory_limit: int = 0,
                 entry: Mapping[str, int] | None = None, outside: Any = None) -> None:
        """entry: the library's entry points; without them there are no functions, and nothing is polled. outside:
        None, or what is told when a run goes into a function and comes back (engine.py)."""
        self.words = np.zeros(t.HOST_WORDS, np.int64)
        self.address = int(self.words.ctypes.data)
        self._functions = [(name, function, *strings_of(name)) for name, function in functions]
        self._outside = outside
        self._failed = threading.local()
        self.words[t.HOST_ALLOC] = address_of(_process.malloc)
        self.words[t.HOST_FREE] = address_of(_process.free)
        if guard.wanted():
            guard.use(self.words)
        self.words[t.HOST_LIMIT] = memory_limit
        number = _FUTEX.get(platform.machine()) if sys.platform == "linux" else None
        self.words[t.HOST_WAIT] = address_of(_process.syscall if number else _POLL)
        self.words[t.HOST_WAKE] = address_of(_process.syscall if number else _NO_WAKE)
        self.words[t.HOST_WAIT_CONTEXT] = number or 0
        if entry is not None:
            self._reserve = ctypes.CFUNCTYPE(*[ctypes.c_int64] * 5)(entry["gc_slot_reserve"])
            self._callback = _calling(weakref.ref(self))
            self._calling = calling(self._callback)
            self.words[t.HOST_CONTEXT] = self._calling.ctypes.data
            self.words[t.HOST_FUNCTION] = entry["gc_call_python"]
            for field, word in poll_words(entry["gc_poll_python"]).items():
                self.words[field] = word

    def take_exception(self) -> BaseException | None:
        """The exception that a function raised on this thread since the last call, if any."""
        error = getattr(self._failed, "error", None)
        self._failed.error = None
        return error

    def _call(self, host: int, record: int) -> int:
        try:
            operands, slots = _words(record, t.ASK_FIRST)[:2]
            where = _words(record, t.ASK_FIRST + operands + slots)[t.ASK_FIRST:]
            arrays = [read_slot(slot) for slot in where[:operands]]
            name, function, taken, made = self._functions[host]
            for i in taken:
                arrays[i] = TABLE.strings(arrays[i])
            if self._outside is None or getattr(function, "stays_inside", False):     # no user's code
                results = function(*arrays)
            else:
                run = self._outside.go()
                try:
                    results = function(*arrays)
                finally:
                    self._outside.come_back(run)
            self._fill(name, results, where[operands:], made)
            return 0
        except BaseException as error:
            self._failed.error = error
            return 1

    def _fill(self, name: str, results: Any, slots: Sequence[int], made: frozenset[int]) -> None:
        if len(slots) == 1 and not isinstance(results, (tuple, list)):
            results = (results,)
        elif results is None:
            results = ()
        if len(results) != len(slots):
            raise ValueError(f"{name} returned {len(results)} values, {len(slots)} were declared")
        for position, (value, slot) in enumerate(zip(results, slots, strict=True)):
            if position in made:
                value = numbered(to_array(value, string))
            write_slot(self._reserve, self.address, slot, value, f"result {position} of {name}")


def _calling(host: weakref.ref[Host]) -> Callable[[int, int], int]:
    """The function that native code calls; it does not keep the host, which keeps it."""
    def call(number: int, record: int) -> int:
        found = host()
        return 1 if found is None else found._call(number, record)

    return call


def _words(address: int, count: int) -> list[int]:
    return list((ctypes.c_int64 * count).from_address(address))


def read_slot(slot: int) -> np.ndarray:
    """A copy of the array in a SLOT."""
    words = _words(slot, t.SLOT_RECORD)
    shape = tuple(words[t.SLOT_SIZES:t.SLOT_SIZES + words[t.SLOT_RANK]])
    array = np.empty(shape, _DTYPES[words[t.SLOT_DTYPE]].numpy)
    if array.nbytes:
        ctypes.memmove(array.ctypes.data, words[t.SLOT_ADDRESS], array.nbytes)
    return array


def write_slot(reserve: Any, host: int, slot: int, value: Any, what: str) -> None:
    """Puts an array into a SLOT, whose dtype and rank it must have."""
    words = _words(slot, t.SLOT_RECORD)
    dtype, rank = _DTYPES[words[t.SLOT_DTYPE]], words[t.SLOT_RANK]
    array = np.asarray(value)
    if array.dtype != dtype.numpy:
        if isinstance(value, (np.ndarray, np.generic)):
            raise TypeError(f"{what} is {array.dtype}, but {dtype.name} was declared")
        array = array.astype(dtype.numpy)
    if array.ndim != rank:
        raise errors.InvalidArgumentError(f"{what} has shape {array.shape}, but rank {rank} was declared")
    array = array if array.flags.c_contiguous else np.ascontiguousarray(array)
    sizes = (ctypes.c_int64 * 8)(*array.shape)
    address = reserve(host, slot, rank, ctypes.addressof(sizes))
    if not address:
        raise MemoryError(f"no memory for {what}, {array.nbytes} bytes")
    if array.nbytes:
        ctypes.memmove(address, array.ctypes.data, array.nbytes)
