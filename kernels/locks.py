"""Locks that `with` always frees, also where a signal handler raises.

CPython 3.14 looks for signals between the call of `__enter__` and the block (python/cpython issue 148874; no other
version does): what a handler raises there comes out of a lock that is held, and nobody frees it. It does so after
every call, but not after the step of a `for`, and what an iterator of C code does in that step is not interrupted. So
`__enter__` takes the lock in one, and returns. `__exit__` must stay the lock's own: Python functions begin with a look
for signals.
"""
from __future__ import annotations

import sys
import threading
from typing import Any


class _Lock:
    """A lock of threading, for `with`; what else is used of it is its own."""

    __slots__ = ("__exit__", "__weakref__", "_at_fork_reinit", "acquire", "release")

    def __init__(self, lock: Any) -> None:
        self.acquire, self.release = lock.acquire, lock.release
        self.__exit__ = lock.__exit__
        self._at_fork_reinit = lock._at_fork_reinit

    def __enter__(self) -> None:
        for _ in iter(self.acquire, None):
            return
        raise RuntimeError("a signal handler raised StopIteration")


def _as_it_is(lock: Any) -> Any:
    return lock


_freed: Any = _Lock if sys.version_info[:2] == (3, 14) else _as_it_is


def lock() -> Any:
    """A threading.Lock."""
    return _freed(threading.Lock())


def reentrant_lock() -> Any:
    """A threading.RLock."""
    return _freed(threading.RLock())
