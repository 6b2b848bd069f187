"""SharedLock: many readers or one writer; a writer that waits goes before new readers, a fork before both.

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

A `wake` that is lost that way costs the ones who wait at most LONGEST_SLEEP seconds.
"""
from __future__ import annotations

import os
import threading
import time
import weakref
from collections import deque
from collections.abc import Hashable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from graphc.ir.locks import new_lock

LONGEST_SLEEP = 0.05
FORK_WAITS = 10.0          # seconds that a fork waits for a run that writes
_all: weakref.WeakSet[SharedLock] = weakref.WeakSet()


class SharedLock:
    """See the header. A holder stands in the lock once at a time."""

    def __init__(self) -> None:
        self.readers: set[Hashable] = set()
        self.writers: set[Hashable] = set()
        self.gates: deque[Any] = deque()          # a closed lock for each thread that sleeps
        self._wanting: set[Hashable] = set()      # writers that wait
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
            if exclusive:
                if self.writers or self.readers:
                    return False
                self.writers.add(holder)
            else:
                if self.writers or (self._wanting and not forking):
                    return False
                self.readers.add(holder)
        return True

    def _wait(self, holder: Hashable, exclusive: bool, deadline: float | None) -> bool:
        """Whether the lock was had before the deadline (of time.monotonic)."""
        try:
            if exclusive:
                self._wanting.add(holder)
            while True:
                gate = threading.Lock()
                gate.acquire()
                self.gates.append(gate)
                if self._try(holder, exclusive):
                    return True
                if not gate.acquire(timeout=LONGEST_SLEEP):
                    with suppress(ValueError):
                        self.gates.remove(gate)
                if deadline is not None and time.monotonic() > deadline:
                    return False
        finally:
            self._wanting.discard(holder)
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
        for held in (self.readers, self.writers, self._wanting, self._forking, self.gates):
            held.clear()


def _before_fork() -> None:
    late = [lock for lock in list(_all) if not lock.before_fork()]
    if late:
        import warnings

        warnings.warn(f"graphc: the process is forked while a run writes variables, and has been for {FORK_WAITS:.0f} "
                      "seconds; in the child they may be half written. Fork between runs.", RuntimeWarning,
                      stacklevel=2)


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
