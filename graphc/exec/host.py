"""What the runtime gets from this process: memory, sleeping, and Python functions for host steps (tables.py: HOST).

Memory is libc's malloc; threads sleep on a futex through libc's `syscall` on Linux, and poll elsewhere. A Python
function of a graph is called with the GIL on the thread that runs the plan; its exception is kept for that thread and
raised after the run.
"""
from __future__ import annotations

import ctypes
import platform
import sys
import threading
import time
import weakref
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from graphc.exec import guard
from graphc.exec.interrupt import calling, poll_words
from graphc.exec.slots import borrow_slot, is_all_true, place_of, read_slot, read_words, reserve_slot, write_slot
from graphc.exec.strings.calls import Call, Native
from graphc.exec.strings.ops import native_of
from graphc.exec.strings.runs import held_by_run
from graphc.exec.strings.table import TABLE
from graphc.ir.dtypes import string
from graphc.ir.host import HostCall, strings_of
from graphc.ir.values import to_array
from graphc.kernels.runtime import tables as t

HostFunction = Callable[..., Any]
_SIX = ctypes.CFUNCTYPE(ctypes.c_int64, *[ctypes.c_int64] * 6)
_FUTEX = {"x86_64": 202, "aarch64": 98}
_process = ctypes.CDLL(None)


def address_of(function: Any) -> int:
    return ctypes.cast(function, ctypes.c_void_p).value or 0


def _poll(context: int, address: int, operation: int, expected: int, _a: int, _b: int) -> int:
    time.sleep(0.0005)
    return 0


def _no_wake(context: int, address: int, operation: int, count: int, _a: int, _b: int) -> int:
    return 0


_POLL, _NO_WAKE = _SIX(_poll), _SIX(_no_wake)      # C may call them as long as the process lives


@dataclass(frozen=True)
class _Function:
    """What a plan calls. strings, strings_made: which operands and results are strings. inside: the run keeps the
    variables' lock meanwhile. asserts: there is nothing to do if all of the first operand is true. borrows: it gets
    arrays in the runtime's own memory. native: what is tried first (exec/strings/calls.py)."""

    name: str
    call: HostFunction
    strings: frozenset[int]
    strings_made: frozenset[int]
    inside: bool
    asserts: bool
    borrows: bool
    native: Native | None


def _function(name: str, call: HostFunction) -> _Function:
    return _Function(name, call, *strings_of(name), getattr(call, "stays_inside", False),
                     getattr(call, "asserts", False), getattr(call, "borrows", False),
                     native_of(call.op) if isinstance(call, HostCall) else None)


class Host:
    """A host table. functions: the Python functions of a plan, in the order of Plan.hosts."""

    def __init__(self, functions: Sequence[tuple[str, HostFunction]] = (), memory_limit: int = 0,
                 entry: Mapping[str, int] | None = None, outside: Any = None) -> None:
        """entry: the library's entry points; without them there are no functions, and nothing is polled. outside:
        None, or what is told when a run goes into a function and comes back (engine.py)."""
        self.words = np.zeros(t.HOST_WORDS, np.int64)
        self.address = int(self.words.ctypes.data)
        self._functions = [_function(name, function) for name, function in functions]
        self._outside = outside
        self._failed = threading.local()
        self.words[t.HOST_ALLOC] = address_of(_process.malloc)
        self.words[t.HOST_FREE] = address_of(_process.free)
        if sys.platform == "linux":
            self.words[t.HOST_ADVISE] = address_of(_process.madvise)
        if guard.wanted():
            guard.use(self.words)
        self.words[t.HOST_LIMIT] = memory_limit
        number = _FUTEX.get(platform.machine()) if sys.platform == "linux" else None
        self.words[t.HOST_WAIT] = address_of(_process.syscall if number else _POLL)
        self.words[t.HOST_WAKE] = address_of(_process.syscall if number else _NO_WAKE)
        self.words[t.HOST_WAIT_CONTEXT] = number or 0
        if entry is not None:
            self._reserve = ctypes.PYFUNCTYPE(*[ctypes.c_int64] * 5)(entry["gc_slot_reserve"])
            self._callback = _calling(weakref.ref(self))
            self._calling = calling(self._callback)
            self.words[t.HOST_CONTEXT] = self._calling.ctypes.data
            self.words[t.HOST_FUNCTION] = entry["gc_call_python"]
            for field, word in poll_words(entry["gc_poll_python"]).items():
                self.words[field] = word

    @property
    def functions(self) -> list[HostFunction]:
        return [function.call for function in self._functions]

    def take_exception(self) -> BaseException | None:
        """The exception that a function raised on this thread since the last call, if any."""
        error = getattr(self._failed, "error", None)
        self._failed.error = None
        return error

    def _call(self, host: int, record: int) -> int:
        try:
            operands, slots, _ = read_words(record, t.ASK_FIRST)
            where = read_words(record + 8 * t.ASK_FIRST, operands + slots)
            function = self._functions[host]
            if function.asserts and is_all_true(where[0]):
                return 0
            if function.native is not None:
                called = Call(self._reserve, self.address, function.name, where[:operands], where[operands:],
                              function.strings)
                if function.native(called):
                    return 0
            strings, read = function.strings, borrow_slot if function.borrows else read_slot
            arrays = [TABLE.strings_at(*place_of(slot)) if i in strings else read(slot)
                      for i, slot in enumerate(where[:operands])]
            if self._outside is None or function.inside:     # no user's code
                results = function.call(*arrays)
            else:
                run = self._outside.go()
                try:
                    results = function.call(*arrays)
                finally:
                    self._outside.come_back(run)
            self._fill(function, results, where[operands:])
            return 0
        except BaseException as error:
            self._failed.error = error
            return 1

    def _fill(self, function: _Function, results: Any, slots: Sequence[int]) -> None:
        if len(slots) == 1 and not isinstance(results, (tuple, list)):
            results = (results,)
        elif results is None:
            results = ()
        name = function.name
        if len(results) != len(slots):
            raise ValueError(f"{name} returned {len(results)} values, {len(slots)} were declared")
        for i, (value, slot) in enumerate(zip(results, slots, strict=True)):
            if i in function.strings_made:
                strings = value if type(value) is np.ndarray and value.dtype == object else to_array(value, string)
                address = reserve_slot(self._reserve, self.address, slot, strings.shape, name, i)
                TABLE.write_numbers(strings, held_by_run(), address)
            else:
                write_slot(self._reserve, self.address, slot, value, name, i)


def _calling(host: weakref.ref[Host]) -> Callable[[int, int], int]:
    """The function that native code calls; it does not keep the host, which keeps it."""
    def call(number: int, record: int) -> int:
        found = host()
        return 1 if found is None else found._call(number, record)

    return call
