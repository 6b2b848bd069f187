"""Locks that a forked child can use: there they are free, whoever held them in the parent.

The threads that held them are not there. What they were changing is left as it was at the fork: a graph that another
thread was adding an op to, a plan that was being compiled (and is compiled again).
"""
from __future__ import annotations

import os
import weakref
from typing import Any

from graphc.kernels import locks

_locks: weakref.WeakSet[Any] = weakref.WeakSet()


def new_lock() -> Any:
    """A threading.Lock."""
    lock = locks.lock()
    _locks.add(lock)
    return lock


def new_reentrant_lock() -> Any:
    """A threading.RLock."""
    lock = locks.reentrant_lock()
    _locks.add(lock)
    return lock


def _free_all() -> None:
    for lock in list(_locks):
        lock._at_fork_reinit()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_free_all)
