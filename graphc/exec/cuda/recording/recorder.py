"""Recorder: a Device that is not there. What would be done on it is kept as data (graphc gpu; docs/adr/0052).

Memory that it gives has addresses that no memory has: each block its own range, in whose middle it begins. So it can
be told from a number which block it points into, if the number is an address at all (recorded.py).
"""
from __future__ import annotations

import ctypes
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from graphc.exec.cuda.driver import Device
from graphc.ir.locks import new_lock

RANGE = 1 << 40                # of addresses, of a block
LARGEST = 1 << 62              # a device has all the memory that somebody wants


@dataclass(frozen=True)
class Launched:
    """A kernel: its module's text, its name, and its parameters as words."""

    ptx: str
    name: str
    grid: tuple[int, ...]
    block: tuple[int, ...]
    words: tuple[int, ...]


@dataclass(frozen=True)
class Copied:
    """What a copy or a clearing does. kind: "copy", "clear" (without a source), "upload", "download"."""

    kind: str
    target: int
    source: int
    count: int


Done = Launched | Copied


class Recorder(Device):
    """compute: the compute capability that kernels may need. shift: added to all addresses, so that two Recorders give
    different ones."""

    def __init__(self, compute: int, shift: int) -> None:
        self.name, self.compute, self.memory, self.limit = "a GPU", compute, LARGEST, 0
        self.lock, self.stream, self.modules = new_lock(), 0, {}
        self.graphs: list[list[Done]] = []             # all that was recorded; a graph's number is its place + 1
        self.sizes: list[int] = []                     # of the blocks
        self._shift = shift
        self._kernels: list[tuple[str, str]] = []      # a function's number is its place + 1
        self._functions: dict[tuple[str, str], int] = {}
        self._pinned: dict[int, Any] = {}
        self._doing: list[Done] | None = None          # while it records

    def begin_of(self, block: int) -> int:
        """The address of a block."""
        return block * RANGE + RANGE // 2 + self._shift

    def enter(self) -> None:
        pass

    def usable(self) -> bool:
        return True

    def free_memory(self) -> int:
        return LARGEST

    def allocate(self, count: int) -> int:
        self.sizes.append(count)
        return self.begin_of(len(self.sizes) - 1)

    def allocate_pinned(self, count: int) -> int:
        """Memory of the host's that a frame makes arrays on: real."""
        room = ctypes.create_string_buffer(max(count, 1))
        self._pinned[ctypes.addressof(room)] = room
        return ctypes.addressof(room)

    def free(self, address: int) -> None:
        pass

    def free_pinned(self, address: int) -> None:
        self._pinned.pop(address, None)

    def upload(self, target: int, source: int, count: int) -> None:
        self._note(Copied("upload", target, source, count))

    def download(self, target: int, source: int, count: int) -> None:
        self._note(Copied("download", target, source, count))

    def copy(self, target: int, source: int, count: int) -> None:
        if target != source:
            self._note(Copied("copy", target, source, count))

    def clear(self, target: int, count: int) -> None:
        self._note(Copied("clear", target, 0, count))

    def _note(self, done: Copied) -> None:
        """What is done outside a graph, when memory is made, whoever runs the graphs does by himself."""
        if self._doing is not None and done.count:
            self._doing.append(done)

    def wait(self) -> None:
        pass

    def function(self, ptx: str, name: str) -> int:
        kernel = ptx, name
        if kernel not in self._functions:
            self._kernels.append(kernel)
            self._functions[kernel] = len(self._kernels)
        return self._functions[kernel]

    def launch(self, function: int, grid: Sequence[int], block: Sequence[int], parameters: ctypes.Array[Any],
               shared: int = 0) -> None:
        assert self._doing is not None, "kernels run in graphs only"
        assert not shared, "a recorded launch has the shared memory that its kernel declares"
        words = tuple(ctypes.c_uint64.from_address(place).value for place in parameters)
        self._doing.append(Launched(*self._kernels[function - 1], tuple(grid), tuple(block), words))

    def record(self, work: Callable[[], None]) -> int:
        made: list[Done] = []
        self._doing = made
        try:
            work()
        finally:
            self._doing = None
        self.graphs.append(made)
        return len(self.graphs)

    def forget(self, graph: int) -> None:
        pass

    def replay(self, graph: int) -> None:
        raise AssertionError("nothing runs on a recorder")
