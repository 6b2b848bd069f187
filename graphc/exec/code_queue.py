"""Compiles the fused programs of engines beside their runs, in a thread that is there while there is something to do.

One for all sessions; nothing is ever compiled in a thread that runs a plan. Code and evaluator give the same bits, so
it does not matter from which run on there is code. The thread never keeps the process: it is a daemon, and
kernels/toolchain/compiling.py sees to it that it is not inside LLVM when the process ends or forks. A child compiles
what was waiting when it submits the next engine.

No run waits for the thread, not even one of 0.1 ms:
 - it keeps its usual priority: with a lower one it would hold Python's lock for as long as others have its core;
 - while it works, threads that want that lock get it within 0.02 ms (Python's own limit is 5 ms);
 - it is started by a first run, which takes long anyway (`get_ready`), and lingers, as a start takes 0.3 ms and more;
 - that run also imports what is used here: Python compiles a module without bytecode in one call of some milliseconds.
"""
from __future__ import annotations

import os
import sys
import threading
import weakref
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from graphc.ir.late_imports import load
from graphc.ir.locks import new_lock
from graphc.kernels.toolchain import compiling as compiling

if TYPE_CHECKING:
    from graphc.exec.engine import Engine


@dataclass(frozen=True)
class Task:
    """engine: whose programs are compiled, unless it is gone by then. done: set when that is over, however it ended."""

    engine: weakref.ref[Engine]
    done: threading.Event = field(default_factory=threading.Event)


HANDED_OVER = 2e-5         # seconds
LINGERS = 1.0              # seconds without work after which the thread ends
_waiting: deque[Task] = deque()
_lock = new_lock()
_work_there = threading.Event()
_thread: threading.Thread | None = None
_usual_interval: float | None = None       # while the thread works


@contextmanager
def _lock_handed_over_soon() -> Iterator[None]:
    global _usual_interval
    _usual_interval = before = sys.getswitchinterval()
    sys.setswitchinterval(min(before, HANDED_OVER))
    ours = sys.getswitchinterval()
    try:
        yield
    finally:
        _usual_interval = None
        if sys.getswitchinterval() == ours:      # else the program has chosen another one
            sys.setswitchinterval(before)


def get_ready() -> None:
    """Imports what the thread works with, but for LLVM, and starts it."""
    load("graphc.exec.jit")
    with _lock:
        _start()


def submit(engine: Engine) -> threading.Event:
    """Compiles the engine's programs soon (jit.install); the event is set when that is over."""
    task = Task(weakref.ref(engine))
    engine.code_asked_for = True
    with _lock:
        _waiting.append(task)
        _start()
        _work_there.set()
    return task.done


def _start() -> None:
    """Starts the thread unless there is one. The caller holds _lock."""
    global _thread
    if _thread is not None:
        return
    _thread = threading.Thread(target=_work, name="graphc-compile", daemon=True)
    try:
        _thread.start()
    except RuntimeError:                   # no more threads, or the process is ending: the evaluator goes on
        _thread = None
        while _waiting:
            _waiting.popleft().done.set()
    except BaseException:
        _thread = None
        raise


def settle() -> None:
    """Returns when all that was submitted is compiled: for tests and measurements."""
    while True:
        with _lock:
            if _thread is None or not _waiting:
                return
            last = _waiting[-1]
        last.done.wait()


def _work() -> None:
    while (task := _next()) is not None:
        try:
            engine = task.engine()
            if engine is not None:
                with _lock_handed_over_soon():
                    load("graphc.exec.jit").install(engine)
            del engine
        except BaseException:              # shown as any thread's; the evaluator goes on
            threading.excepthook(threading.ExceptHookArgs([*sys.exc_info(), threading.current_thread()]))
        finally:
            with _lock:
                _waiting.popleft()
            task.done.set()


def _next() -> Task | None:
    """The task submitted first, which stays in the queue until it is done; None when the thread is to end."""
    global _thread
    while True:
        in_time = _work_there.wait(LINGERS)
        with _lock:
            if _waiting:
                return _waiting[0]
            _work_there.clear()
            if not in_time:
                _thread = None
                return None


def _after_fork_in_child() -> None:
    """Tasks are kept, but for their events, which a thread may have been about to set."""
    global _thread, _waiting, _work_there, _usual_interval
    if _usual_interval is not None and sys.getswitchinterval() <= HANDED_OVER:
        sys.setswitchinterval(_usual_interval)
    _usual_interval = None
    _thread, _waiting, _work_there = None, deque(Task(task.engine) for task in _waiting), threading.Event()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork_in_child)
