"""Modules that are imported when something in them is first used, and never while another thread forks.

Python's lock of a module that is being imported stays held in a forked child, by a thread that is not there: the child
would wait for it for ever. So whoever forks waits here until no such import is going on.
"""
from __future__ import annotations

import importlib
import os
from types import ModuleType

from graphc.kernels.locks import reentrant_lock

_importing = reentrant_lock()


def load(module: str) -> ModuleType:
    """The module, imported if it was not."""
    with _importing:
        return importlib.import_module(module)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_importing.acquire, after_in_parent=_importing.release,
                        after_in_child=_importing.release)
