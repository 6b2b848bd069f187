"""Signals while native code runs: Python's handlers run within some 30 ms, and what they raise (KeyboardInterrupt for
Ctrl-C) ends the run.

Python only notes a signal; its handler waits until the main thread is back in the interpreter. So the native loop of a
run that takes longer than TICK polls now and then (kernels/runtime/tables.py: HOST): in the main thread,
gc_poll_python takes the GIL and has Python run its handlers. An exception is kept until the run has ended.
Reasons: docs/adr/0017.
"""
from __future__ import annotations

import ctypes
import os
import sys
import threading
import time
from typing import Any

import numpy as np

from graphc.kernels.runtime import tables as t

TICK = 0.025                     # seconds
COARSE = 6                       # CLOCK_MONOTONIC_COARSE: no instruction that waits, a resolution of 4 ms
_process = ctypes.CDLL(None)
_python = np.zeros(t.PYTHON_WORDS, np.int64)
_restore: Any = ctypes.PYFUNCTYPE(None, *[ctypes.c_void_p] * 3)(("PyErr_Restore", ctypes.pythonapi))


def poll_words(poll: int) -> dict[int, int]:
    """Words of a host table that make runs poll. poll: the address of gc_poll_python."""
    clock = COARSE if sys.platform == "linux" else time.CLOCK_MONOTONIC
    return {t.HOST_POLL: poll, t.HOST_POLL_CONTEXT: int(_python.ctypes.data), t.HOST_CLOCK_ID: clock,
            t.HOST_CLOCK: clock_function(), t.HOST_TICK: 0, t.HOST_TICK + 1: int(TICK * 1e9)}


def clock_function() -> int:
    """The address of C's clock_gettime."""
    return _address(_process.clock_gettime)


def calling(function: Any) -> np.ndarray:
    """What gc_call_python takes to call `function`, which the caller keeps."""
    return np.array([id(function), int(_python.ctypes.data)], np.int64)


def raise_pending() -> None:
    """Raises what a signal handler raised during this thread's run, if one did."""
    if _python[t.PYTHON_EXCEPTION] and _python[t.PYTHON_MAIN] == threading.get_ident():
        exception = [int(word) or None for word in _python[:3]]       # type, value, traceback: references of ours
        _python[:3] = 0
        _restore(*exception)


def _address(function: Any) -> int:
    return ctypes.cast(function, ctypes.c_void_p).value or 0


def _note_main_thread() -> None:
    _python[:3] = 0
    _python[t.PYTHON_MAIN] = threading.main_thread().ident or 0


_note_main_thread()
_python[t.PYTHON_SELF] = _address(_process.pthread_self)
for _field, _name in {
        t.PYTHON_ENSURE: "PyGILState_Ensure", t.PYTHON_RELEASE: "PyGILState_Release",
        t.PYTHON_CHECK_SIGNALS: "PyErr_CheckSignals", t.PYTHON_FETCH: "PyErr_Fetch", t.PYTHON_CLEAR: "PyErr_Clear",
        t.PYTHON_NEW: "PyTuple_New", t.PYTHON_SET_ITEM: "PyTuple_SetItem", t.PYTHON_FROM_LONG: "PyLong_FromLongLong",
        t.PYTHON_AS_LONG: "PyLong_AsLong", t.PYTHON_CALL: "PyObject_CallObject", t.PYTHON_DECREF: "Py_DecRef"}.items():
    _python[_field] = _address(getattr(ctypes.pythonapi, _name))
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_note_main_thread)
