"""Memory that ends, or begins, at a page which nothing may touch: one element too far is a fault, not a wrong number.

A process that touches such a page dies of SIGSEGV; pytest's fault handler then prints the test and the line.
"""
from __future__ import annotations

import ctypes
import mmap
import os
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from declared import value_of

from graphc.kernels.contracts.kernel import Kernel
from graphc.kernels.toolchain.testing import LoadedKernel

PAGE = mmap.PAGESIZE
READ, WRITE = 1, 2
_libc = ctypes.CDLL(None, use_errno=True)
_libc.mmap.restype = ctypes.c_void_p
_libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, *[ctypes.c_int] * 3, ctypes.c_long]
_libc.mprotect.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
_libc.munmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t]


class Memory:
    """Blocks between two guard pages. at_end: flush with the page behind, else with the one before."""

    def __init__(self, at_end: bool) -> None:
        self.at_end = at_end
        self.pages: list[tuple[int, int]] = []

    def block(self, nbytes: int, fill: int = 0x7F, align: int = 1) -> np.ndarray:
        """A block of bytes. align: of its first one, at the cost of so many bytes less one behind it."""
        inner = max(-(-nbytes // PAGE), 1) * PAGE
        start = _libc.mmap(None, inner + 2 * PAGE, 0, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS, -1, 0)
        if start in (None, ctypes.c_void_p(-1).value):
            raise MemoryError(os.strerror(ctypes.get_errno()))
        self.pages.append((start, inner + 2 * PAGE))
        self._protect(start + PAGE, inner, READ | WRITE)
        first = start + PAGE + ((inner - nbytes) // align * align if self.at_end else 0)
        made = np.frombuffer((ctypes.c_uint8 * nbytes).from_address(first), np.uint8)
        made.fill(fill)
        return made

    def scratch(self, nbytes: int) -> np.ndarray:
        return self.block(nbytes, align=64)

    def forbid_writing(self, block: np.ndarray) -> None:
        first = block.ctypes.data // PAGE * PAGE
        self._protect(first, max(-(-block.nbytes // PAGE), 1) * PAGE, READ)

    def _protect(self, start: int, size: int, protection: int) -> None:
        if _libc.mprotect(start, size, protection):
            raise OSError(ctypes.get_errno(), "mprotect")

    def free(self) -> None:
        for start, size in self.pages:
            _libc.munmap(start, size)
        self.pages.clear()


class GuardedKernel:
    """Calls a loaded kernel with operands of exactly the declared extents, twice: once with a guard page right
    behind each, once with one right before. What a kernel only reads it cannot write."""

    def __init__(self, declared: Kernel, loaded: LoadedKernel) -> None:
        self.declared, self.loaded = declared, loaded

    def __call__(self, *operands: Any, dims: Sequence[int], attrs: Sequence[float] = (), persistent: bool = False,
                 winograd: bool = True, way: int = -1, packable: int = 1,
                 order: Callable[[int], Sequence[int]] = range, bfloat16: int = 0) -> int:
        names = dict(zip((*self.declared.dims, *self.declared.attrs), (*map(int, dims), *attrs), strict=True))
        arrays = [np.asarray(o) for o in operands]
        before = [a.copy() for a in arrays]
        status = 0
        for at_end in (False, True):
            for array, values in zip(arrays, before, strict=True):
                if array.flags.writeable:
                    array[...] = values
            memory = Memory(at_end)
            blocks = self._place(arrays, names, memory)
            status = self.loaded(*blocks, dims=dims, attrs=self.declared.attr_words(attrs), persistent=persistent,
                                 winograd=winograd, way=way, packable=packable, order=order, allocate=memory.scratch,
                                 bfloat16=bfloat16)
            for operand, array, block in zip(self.declared.operands, arrays, blocks, strict=True):
                if operand.role != "in":
                    array.reshape(-1)[:block.size] = block
            memory.free()
        return status

    def choice(self, *arguments: Any, **options: Any) -> np.ndarray:
        """What bind decides: LoadedKernel.choice."""
        return self.loaded.choice(*arguments, **options)

    def _place(self, arrays: list[np.ndarray], names: dict[str, int], memory: Memory) -> list[np.ndarray]:
        """Copies of the operands. Operands that are one array share a block; what is only read is protected."""
        made: dict[int, np.ndarray] = {}
        written = {a.ctypes.data for o, a in zip(self.declared.operands, arrays, strict=True) if o.role != "in"}
        blocks = []
        for operand, array in zip(self.declared.operands, arrays, strict=True):
            extent = value_of(operand.extent, names)
            assert array.flags.c_contiguous and 0 <= extent <= array.size, (self.loaded.name, operand, extent)
            key = array.ctypes.data if array.size else -len(blocks) - 1
            if key not in made:
                made[key] = memory.block(extent * array.itemsize)
                made[key][:] = array.reshape(-1)[:extent].view(np.uint8)
                if key not in written:
                    memory.forbid_writing(made[key])
            blocks.append(made[key].view(array.dtype))
        return blocks
