"""How calls of a session's objects wait (of queues, accumulators and barriers).

A call that has to wait waits on the object's condition, without Python's lock, until another thread's run changes the
object, the session is closed, or the run's time is up. Calls of one kind get their turn in the order of their coming.
"""
from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from graphc import errors

LOOK = 0.05             # seconds between two looks at whether the run's time is up


class Deadline(threading.local):
    """cancel: of this thread's run, what its timer sets, or None."""

    cancel: Any = None

    @contextmanager
    def of(self, cancel: Any) -> Iterator[None]:
        before, self.cancel = self.cancel, cancel
        try:
            yield
        finally:
            self.cancel = before


DEADLINE = Deadline()


class Waiting:
    """An object whose calls may wait. owner: tells whether the session is closed."""

    stays_inside = False

    def __init__(self, owner: Any, call: Any) -> None:
        self.owner, self.name = owner, f"{call.definition.type.removesuffix('V2')} '{call.owner}'"
        self.definition = call.definition
        self.changed = threading.Condition()

    def wake(self) -> None:
        """The session is closed: what waits is cancelled."""
        with self.changed:
            self.changed.notify_all()

    def holds(self) -> str:
        """What is in it, for messages."""
        raise NotImplementedError

    def _wait(self, what: str) -> None:
        if self.owner.closed:
            raise errors.CancelledError(f"{what} operation was cancelled: the session is closed")
        cancel = DEADLINE.cancel
        if cancel is not None and cancel[0]:
            raise errors.CancelledError(f"{what} operation was cancelled: {self.name} has {self.holds()}")
        self.changed.wait(LOOK if cancel is not None else None)

    @contextmanager
    def _turn(self, line: deque[object]) -> Iterator[Callable[[], bool]]:
        """Inside, the function tells whether it is this call's turn in the line."""
        me = object()
        line.append(me)
        try:
            yield lambda: line[0] is me
        finally:
            line.remove(me)
            self.changed.notify_all()
