"""contrib.memory_stats: how much memory is in use. graphc has no allocator of its own to ask: it is the process'."""
from __future__ import annotations

import os
import resource
from collections.abc import Callable

import numpy as np

import graphc as gc
from graphc.api.public import public

_PAGE = os.sysconf("SC_PAGE_SIZE")


def _told(number: Callable[[], int], name: str) -> gc.Tensor:
    """An int64 scalar, asked for in each run."""
    made: gc.Tensor = gc.py_func(lambda: np.int64(number()), [], gc.int64, name=name)
    made.set_shape([])
    return made


@public("contrib.memory_stats.MaxBytesInUse")
def MaxBytesInUse() -> gc.Tensor:
    """The most memory that the process has held so far, in bytes: an int64 scalar, asked for in each run.

    As `tf.contrib.memory_stats.MaxBytesInUse`, which counts a device's allocator.

    >>> most = gc.contrib.memory_stats.MaxBytesInUse()
    >>> most.dtype, most.eval() > 1_000_000
    (gc.int64, np.True_)
    """
    return _told(lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024, "MaxBytesInUse")


@public("contrib.memory_stats.BytesInUse")
def BytesInUse() -> gc.Tensor:
    """The memory that the process holds, in bytes: an int64 scalar, asked for in each run.

    As `tf.contrib.memory_stats.BytesInUse`, which counts a device's allocator.

    >>> gc.contrib.memory_stats.BytesInUse().eval() > 1_000_000
    np.True_
    """
    return _told(_resident, "BytesInUse")


@public("contrib.memory_stats.BytesLimit")
def BytesLimit() -> gc.Tensor:
    """The memory of the machine, in bytes: an int64 scalar.

    As `tf.contrib.memory_stats.BytesLimit`, which gives the limit of a device's allocator.

    >>> stats = gc.contrib.memory_stats
    >>> (stats.BytesInUse() < stats.BytesLimit()).eval()
    np.True_
    """
    return _told(lambda: os.sysconf("SC_PHYS_PAGES") * _PAGE, "BytesLimit")


def _resident() -> int:
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * _PAGE
