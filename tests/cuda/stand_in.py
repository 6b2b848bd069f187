"""A device without a GPU: its memory is the emulator's, its kernels run there, one after the other.

It stands in for graphc.exec.cuda.driver.Device, so that everything above the driver runs as on a GPU. `work` counts
what was done.
"""
from __future__ import annotations

import ctypes
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from graphc import errors
from graphc.exec.cuda import driver
from graphc.exec.cuda.tensor_map import BYTES, AnyMap

from ptx.emulator import Launch
from ptx.memory import Memory
from ptx.tensor_map import packed
from ptx.text import TENSOR_MAP, Kernel, parse


class StandIn:
    """See the header. most: bytes that it has."""

    name, driver_version, compute, multiprocessors = "stand-in", 13000, 75, 2
    clock, bandwidth = 1e9, 32e9
    most_steps = 10 ** 6                               # instructions of a kernel

    def __init__(self, most: int = 1 << 30) -> None:
        self.memory, self.limit, self.device_memory = most, 0, Memory()
        self.lock = threading.Lock()
        self.work: Counter[str] = Counter()
        self._pinned: dict[int, ctypes.Array[ctypes.c_char]] = {}
        self._kernels: dict[str, dict[str, Kernel]] = {}
        self._recording: list[Callable[[], None]] | None = None
        self._graphs: dict[int, list[Callable[[], None]]] = {}

    def enter(self) -> None:
        pass

    def usable(self) -> bool:
        return True

    def wait(self) -> None:
        assert self._recording is None, "a wait cannot be recorded"

    # Memory

    def free_memory(self) -> int:
        return self.memory - sum(a.count for a in self.device_memory.allocations.values())

    def allocate(self, count: int) -> int:
        used = self.memory - self.free_memory()
        if count > (self.limit or self.memory) - used:
            raise errors.ResourceExhaustedError(f"the GPU {self.name} has no memory for {count} bytes more")
        return self.device_memory.allocate(max(count, 1))

    def free(self, address: int) -> None:
        self.device_memory.free(address)

    def allocate_pinned(self, count: int) -> int:
        block = ctypes.create_string_buffer(max(count, 1))
        self._pinned[ctypes.addressof(block)] = block
        return ctypes.addressof(block)

    def free_pinned(self, address: int) -> None:
        del self._pinned[address]

    def upload(self, target: int, source: int, count: int) -> None:
        def act() -> None:
            self.device_memory.view(target, count, True)[:] = np.frombuffer(_bytes(source, count), np.uint8)

        self._do("upload", act, count)

    def download(self, target: int, source: int, count: int) -> None:
        def act() -> None:
            np.frombuffer(_bytes(target, count), np.uint8)[:] = self.device_memory.view(source, count, False)

        self._do("download", act, count)

    def copy(self, target: int, source: int, count: int) -> None:
        def act() -> None:
            self.device_memory.view(target, count, True)[:] = self.device_memory.view(source, count, False)

        self._do("copy", act, count)

    def copy_from(self, other: StandIn, target: int, source: int, count: int) -> None:
        def act() -> None:
            self.device_memory.view(target, count, True)[:] = other.device_memory.view(source, count, False)

        self._do("peer", act, count)

    def clear(self, target: int, count: int) -> None:
        self._do("clear", lambda: self.device_memory.view(target, count, True).fill(0), count)

    # Code

    def function(self, ptx: str, name: str) -> tuple[str, str]:
        if ptx not in self._kernels:
            assert self._recording is None, "a module cannot be loaded while recording"
            self._kernels[ptx] = parse(ptx)
        return ptx, name

    def allow_shared(self, function: tuple[str, str], count: int) -> None:
        pass

    def tensor_map(self, tensor: AnyMap) -> ctypes.Array[ctypes.c_char]:
        return ctypes.create_string_buffer(packed(tensor), BYTES)

    def launch(self, function: tuple[str, str], grid: Sequence[int], block: Sequence[int],
               parameters: ctypes.Array[Any], shared: int = 0) -> None:
        kernel = self._kernels[function[0]][function[1]]
        words = [bytes(_bytes(address, BYTES)) if kind == TENSOR_MAP else ctypes.c_uint64.from_address(address).value
                 for (_, kind), address in zip(kernel.parameters, parameters, strict=True)]
        self._do("launch", lambda: Launch(self.device_memory, kernel, grid, block[0], words, shared,
                                          most_steps=self.most_steps).run(), 1)

    def _do(self, what: str, act: Callable[[], None], count: int) -> None:
        if not count:
            return

        def counted() -> None:
            self.work[what] += 1
            act()

        if self._recording is None:
            counted()
        else:
            self._recording.append(counted)

    def record(self, work: Callable[[], None]) -> int:
        self._recording = []
        try:
            work()
            self._graphs[len(self._graphs) + 1] = self._recording
        finally:
            self._recording = None
        return len(self._graphs)

    def replay(self, graph: int) -> None:
        for act in self._graphs[graph]:
            act()

    def forget(self, graph: int) -> None:
        self._graphs[graph] = []

    def times(self, recorded: bool = False) -> Times:
        return Times(self)


class Times:
    """Marks between what it does, by the host's clock."""

    def __init__(self, device: StandIn) -> None:
        self._device, self._seen = device, []  # type: StandIn, list[float]

    def mark(self) -> None:
        self._device._do("mark", lambda: self._seen.append(time.perf_counter()), 1)

    def seconds(self) -> list[float]:
        return [second - self._seen[0] for second in self._seen]


def _bytes(address: int, count: int) -> ctypes.Array[ctypes.c_char]:
    return (ctypes.c_char * count).from_address(address)


@contextmanager
def standing_in(device: StandIn | None) -> Iterator[StandIn | None]:
    """Inside, find_device gives this device; None: there is no GPU."""
    before = list(driver._found)
    driver._found[:] = [device]  # type: ignore[list-item]
    try:
        yield device
    finally:
        driver._found[:] = before
