"""GRAPHC_GUARD=1: every block of the runtime's memory ends at a page that nothing may touch; each buffer has one.

For debugging and fuzzing: a kernel or map that goes beyond a buffer ends the process with SIGSEGV there and then. Slow,
and it takes two pages a buffer at least.
"""
from __future__ import annotations

import ctypes
import mmap
import os

import numpy as np

from graphc.kernels.runtime import tables as t

PAGE = mmap.PAGESIZE
_libc = ctypes.CDLL(None)
_libc.mmap.restype = ctypes.c_void_p
_libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, *[ctypes.c_int] * 3, ctypes.c_long]
_libc.mprotect.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
_libc.munmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t]
_TWO = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_int64, ctypes.c_int64)
_pages: dict[int, tuple[int, int]] = {}        # address of a block -> where its pages begin, their bytes


def wanted() -> bool:
    return os.environ.get("GRAPHC_GUARD", "0") not in ("", "0")


def use(words: np.ndarray) -> None:
    """Has the runtime take its memory from here. words: of a HOST table."""
    for word, function in ((t.HOST_ALLOC, _ALLOCATE), (t.HOST_FREE, _FREE)):
        words[word] = ctypes.cast(function, ctypes.c_void_p).value or 0
    words[t.HOST_APART] = 1


def _allocate(size: int, _context: int) -> int:
    """A block whose bytes are 0x5A. It begins at a multiple of 64, so up to 63 bytes after it may be touched, none if
    its size is such a multiple too."""
    size = -(-size // 64) * 64
    total = -(-size // PAGE) * PAGE + PAGE
    start = _libc.mmap(None, total, mmap.PROT_READ | mmap.PROT_WRITE,
                       mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS, -1, 0) if size < 1 << 46 else None
    if start in (None, ctypes.c_void_p(-1).value):
        return 0
    _libc.mprotect(start + total - PAGE, PAGE, 0)
    address = int(start + total - PAGE - size)
    if size < 1 << 24:
        ctypes.memset(address, 0x5A, size)
    _pages[address] = start, total
    return address


def _free(address: int, _context: int) -> int:
    found = _pages.pop(address, None)
    if found is not None:
        _libc.munmap(*found)
    return 0


_ALLOCATE, _FREE = _TWO(_allocate), _TWO(_free)      # C may call them as long as the process lives
