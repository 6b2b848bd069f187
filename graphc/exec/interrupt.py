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
_record = np.zeros(t.POLL_WORDS, np.int64)
_restore: Any = ctypes.PYFUNCTYPE(None, *[ctypes.c_void_p] * 3)(("PyErr_Restore", ctypes.pythonapi))


def poll_words(poll: int) -> dict[int, int]:
    """Words of a host table that make runs poll. poll: the address of gc_poll_python."""
    clock = COARSE if sys.platform == "linux" else time.CLOCK_MONOTONIC
    return {t.HOST_POLL: poll, t.HOST_POLL_CONTEXT: int(_record.ctypes.data), t.HOST_CLOCK_ID: clock,
            t.HOST_CLOCK: _address(_process.clock_gettime), t.HOST_TICK: 0, t.HOST_TICK + 1: int(TICK * 1e9)}


def raise_pending() -> None:
    """Raises what a signal handler raised during this thread's run, if one did."""
    if _record[t.POLL_EXCEPTION] and _record[t.POLL_MAIN] == threading.get_ident():
        exception = [int(word) or None for word in _record[:3]]       # type, value and traceback, references of ours
        _record[:3] = 0
        _restore(*exception)


def _address(function: Any) -> int:
    return ctypes.cast(function, ctypes.c_void_p).value or 0


def _note_main_thread() -> None:
    _record[:3] = 0
    _record[t.POLL_MAIN] = threading.main_thread().ident or 0


_note_main_thread()
_record[t.POLL_SELF] = _address(_process.pthread_self)
for _field, _name in ((t.POLL_ENSURE, "PyGILState_Ensure"), (t.POLL_RELEASE, "PyGILState_Release"),
                      (t.POLL_CHECK, "PyErr_CheckSignals"), (t.POLL_FETCH, "PyErr_Fetch")):
    _record[_field] = _address(getattr(ctypes.pythonapi, _name))
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_note_main_thread)
