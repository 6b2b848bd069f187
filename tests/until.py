"""Waiting for what another thread does: for the thing itself, not for some time in which it should have happened.

The limits end a test that hangs; no test's outcome depends on how long something takes on a busy machine.
"""
from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable

LIMIT = 60.0


def until(true: Callable[[], object]) -> None:
    end = time.monotonic() + LIMIT
    while not true():
        assert time.monotonic() < end, "it never happens"
        time.sleep(0.001)


def until_inside(thread: threading.Thread, function: str) -> None:
    """Until the thread is somewhere in a call of the Python function of this name."""
    until(lambda: function in functions_of(thread))


def functions_of(thread: threading.Thread) -> list[str]:
    """The names of the Python functions that the thread is in."""
    assert thread.is_alive(), "the thread has ended"
    frame, found = sys._current_frames().get(thread.ident or 0), []
    while frame is not None:
        found.append(frame.f_code.co_name)
        frame = frame.f_back
    return found
