"""Compiles the fused programs of engines beside their runs, in one thread that is there while there is something to do.

Code and evaluator give the same bits, so it does not matter from which run on there is code. The thread never keeps the
process: it is a daemon, and kernels/toolchain/load.py sees to it that it is not inside LLVM when the process ends or
forks. A child compiles what was waiting when it submits the next engine.
"""
from __future__ import annotations

import os
import threading
import weakref
from collections import deque
from typing import TYPE_CHECKING

from graphc.exec import jit
from graphc.ir.locks import new_lock

if TYPE_CHECKING:
    from graphc.exec.engine import Engine

_waiting: deque[weakref.ref[Engine]] = deque()
_lock = new_lock()
_thread: threading.Thread | None = None


def submit(engine: Engine) -> None:
    """Compiles the engine's programs soon (jit.install), unless it is gone by then."""
    global _thread
    with _lock:
        _waiting.append(weakref.ref(engine))
        if _thread is None:
            _thread = threading.Thread(target=_work, name="graphc-compile", daemon=True)
            try:
                _thread.start()
            except RuntimeError:           # no more threads, or the process is ending: the evaluator goes on
                _thread = None
                _waiting.clear()
            except BaseException:
                _thread = None
                raise


def settle() -> None:
    """Returns when all that was submitted is compiled: for tests and measurements."""
    while (thread := _thread) is not None:
        thread.join()


def _work() -> None:
    global _thread
    while True:
        with _lock:
            if not _waiting:
                _thread = None
                return
            engine = _waiting[0]()
        try:
            if engine is not None:
                jit.install(engine)
        except BaseException:
            with _lock:
                _waiting.popleft()
                _thread = None
            raise                          # shown by threading.excepthook; the evaluator goes on
        del engine
        _waiting.popleft()


def _after_fork_in_child() -> None:
    global _thread
    _thread = None


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork_in_child)
