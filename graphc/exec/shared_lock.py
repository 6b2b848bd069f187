"""SharedLock: many readers or one writer; a writer that waits goes before new readers, a fork before both.

Nobody is held off for long: who wants to write lets those go first who came earlier and have waited for PATIENCE. For
less it does not, or threads that write in turn would do little but wake each other.

Ctrl-C may end any Python function at any call, also inside this file. So who holds the lock is told by two sets: a
holder that ends takes itself out of the one that it may stand in, which is a single call of C code, and does no harm if
it does not stand there:

    held = lock.writers if exclusive else lock.readers
    try:
        lock.acquire(holder, exclusive)
        ...
    finally:
        held.discard(holder)
        lock.wake()

A `wake` that is lost that way costs the ones who wait at most LONGEST_SLEEP seconds; one who was ended while it waited,
and still stands in the line, is passed over from the time on when it should have looked again.
"""
from __future__ import annotations

import os
import threading
import time
import weakref
from collections import deque
from collections.abc import Hashable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from graphc.ir.locks import new_lock
from graphc.wording import warn

LONGEST_SLEEP = 0.05
PATIENCE = 0.005           # seconds that who came first is made to wait, at the most
FORGOTTEN = 0.5            # seconds after which one that does not look again is not waiting any more
FORK_WAITS = 10.0          # seconds that a fork waits for a run that writes
_all: weakref.WeakSet[SharedLock] = weakref.WeakSet()


@dataclass
class _Waiting:
    """came, looked: in seconds of time.monotonic."""

    exclusive: bool
    came: float
    looked: float


class SharedLock:
    """See the header. A holder stands in the lock once at a time."""

    def __init__(self) -> None:
        self.readers: set[Hashable] = set()
        self.writers: set[Hashable] = set()
        self.gates: deque[Any] = deque()          # a closed lock for each thread that sleeps
        self._line: dict[Hashable, _Waiting] = {}
        self._forking: set[Hashable] = set()      # threads that wait to fork: a writer in a loop must not starve them
        self._deciding = new_lock()
        _all.add(self)

    def acquire(self, holder: Hashable, exclusive: bool) -> None:
        if not self._try(holder, exclusive):
            self._wait(holder, exclusive, None)

    def _try(self, holder: Hashable, exclusive: bool) -> bool:
        with self._deciding:
            forking = holder in self._forking
            if self._forking and not forking:
                return False
            if self.writers or (exclusive and self.readers):
                return False
            if self._line and not forking and self._comes_later(holder, exclusive):
                return False
            (self.writers if exclusive else self.readers).add(holder)
        return True

    def _comes_later(self, holder: Hashable, exclusive: bool) -> bool:
        """Whether one in the line goes first. The first in it never waits for another one, so somebody always goes."""
        now = time.monotonic()
        own = self._line.get(holder)
        came = own.came if own is not None else now
        return any(other.came < came and now - other.looked < FORGOTTEN
                   and (now - other.came > PATIENCE if exclusive else other.exclusive)
                   for other in list(self._line.values()) if other is not own)

    def _wait(self, holder: Hashable, exclusive: bool, deadline: float | None) -> bool:
        """Whether the lock was had before the deadline (of time.monotonic)."""
        now = time.monotonic()
        own = _Waiting(exclusive, now, now)
        try:
            self._line[holder] = own
            while True:
                gate = threading.Lock()
                gate.acquire()
                self.gates.append(gate)
                own.looked = time.monotonic()
                if self._try(holder, exclusive):
                    return True
                if not gate.acquire(timeout=LONGEST_SLEEP):
                    with suppress(ValueError):
                        self.gates.remove(gate)
                if deadline is not None and time.monotonic() > deadline:
                    return False
        finally:
            self._line.pop(holder, None)
            self.wake()

    def wake(self) -> None:
        """Has everybody who sleeps look again."""
        while self.gates:
            try:
                self.gates.popleft().release()
            except IndexError:
                return

    @contextmanager
    def holding(self, exclusive: bool) -> Iterator[None]:
        holder = object()
        held = self.writers if exclusive else self.readers
        try:
            self.acquire(holder, exclusive)
            yield
        finally:
            held.discard(holder)
            self.wake()

    def before_fork(self) -> bool:
        """Waits until no run writes: the child gets whole variables. False if one still does."""
        thread = threading.get_ident()
        try:
            self._forking.add(thread)
            return self._try(thread, False) or self._wait(thread, False, time.monotonic() + FORK_WAITS)
        finally:
            self._forking.discard(thread)
            self.wake()

    def after_fork_in_child(self) -> None:
        for held in (self.readers, self.writers, self._line, self._forking, self.gates):
            held.clear()


def _before_fork() -> None:
    late = [lock for lock in list(_all) if not lock.before_fork()]
    if late:

        warn(f"graphc: the process is forked while a run writes variables, and has been for {FORK_WAITS:.0f} "
             "seconds; in the child they may be half written. Fork between runs.", RuntimeWarning)


def _after_fork_in_parent() -> None:
    for lock in list(_all):
        lock.readers.discard(threading.get_ident())
        lock.wake()


def _after_fork_in_child() -> None:
    for lock in list(_all):
        lock.after_fork_in_child()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before_fork, after_in_parent=_after_fork_in_parent,
                        after_in_child=_after_fork_in_child)
