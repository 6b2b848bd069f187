"""What a run puts into the device's stream: kernels and copies, as data."""
from __future__ import annotations

import ctypes
from dataclasses import dataclass
from typing import Any, Protocol

from graphc.exec.cuda.driver import Device
from graphc.exec.cuda.tensor_map import AnyMap

WORD = 1 << 64


class Work(Protocol):
    """name: what a trace says."""

    @property
    def name(self) -> str: ...

    def prepare(self, device: Device) -> None:
        """What must come before it is submitted for the first time, outside of a recording."""

    def submit(self, device: Device) -> None:
        """Puts it into the stream."""


@dataclass(frozen=True)
class Launch:
    """A kernel of a module with its parameters, 8 bytes each: a smaller one is the low bytes; a tensor map is 128.
    shared: bytes of shared memory for each block, beside what the kernel declares."""

    ptx: str
    name: str
    grid: tuple[int, ...]
    block: tuple[int, ...]
    words: tuple[int | AnyMap, ...]
    shared: int = 0

    def prepare(self, device: Device) -> None:
        function = device.function(self.ptx, self.name)
        if self.shared:
            device.allow_shared(function, self.shared)

    def submit(self, device: Device) -> None:
        places = [device.tensor_map(word) if not isinstance(word, int) else ctypes.c_uint64(word % WORD)
                  for word in self.words]
        addresses: ctypes.Array[Any] = (ctypes.c_void_p * len(places))(*map(ctypes.addressof, places))
        device.launch(device.function(self.ptx, self.name), self.grid, self.block, addresses, self.shared)


@dataclass(frozen=True)
class Upload:
    """From the host's pinned memory."""

    target: int
    source: int
    count: int
    name = "upload"

    def prepare(self, device: Device) -> None:
        pass

    def submit(self, device: Device) -> None:
        device.upload(self.target, self.source, self.count)


@dataclass(frozen=True)
class Download:
    """Into the host's pinned memory."""

    target: int
    source: int
    count: int
    name = "download"

    def prepare(self, device: Device) -> None:
        pass

    def submit(self, device: Device) -> None:
        device.download(self.target, self.source, self.count)


@dataclass(frozen=True)
class Brought:
    """From the memory of a device, which may be another one."""

    device: Device
    target: int
    source: int
    count: int

    def submit(self, device: Device) -> None:
        if self.device is device:
            device.copy(self.target, self.source, self.count)
        else:
            device.copy_from(self.device, self.target, self.source, self.count)


@dataclass(frozen=True)
class Copy:
    """From one place of the device's memory to another."""

    target: int
    source: int
    count: int
    name = "copy"

    def prepare(self, device: Device) -> None:
        pass

    def submit(self, device: Device) -> None:
        device.copy(self.target, self.source, self.count)


@dataclass(frozen=True)
class Clear:
    target: int
    count: int
    name = "clear"

    def prepare(self, device: Device) -> None:
        pass

    def submit(self, device: Device) -> None:
        device.clear(self.target, self.count)
