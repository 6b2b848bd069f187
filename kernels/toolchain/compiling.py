"""COMPILING: the lock that is held while LLVM works in this process, beside other threads. Does not import llvmlite.

A fork waits for what is being compiled, so that the child can use LLVM; so does the end of the process, after which no
thread gets into LLVM any more: its global objects are destroyed while threads may still run. Imported long before there
is something to compile: what a fork finds out only while it is under way comes too late.
"""
from __future__ import annotations

import atexit
import os

from ..locks import reentrant_lock

COMPILING = reentrant_lock()
_held: list[bool] = []                 # by forks: none, if this module was being imported when one began


def _before_fork() -> None:
    COMPILING.acquire()
    _held.append(True)


def _after_fork() -> None:
    if _held:
        _held.pop()
        COMPILING.release()


def _in_child() -> None:
    _held.clear()
    COMPILING._at_fork_reinit()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before_fork, after_in_parent=_after_fork, after_in_child=_in_child)
atexit.register(COMPILING.acquire)
