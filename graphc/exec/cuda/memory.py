"""Memory of the device and of the host, freed with what it belongs to; copies of variables on the device."""
from __future__ import annotations

import ctypes
import weakref
from collections.abc import Iterable, Sequence

import numpy as np

from graphc.exec.cuda.driver import Device
from graphc.exec.states import State, StateStore
from graphc.ir import dtypes

ALIGNMENT = 256


class Block:
    """`count` bytes of the device, in which places are given out one after the other; of the host if `pinned`."""

    def __init__(self, device: Device, count: int, pinned: bool = False) -> None:
        self.address = device.allocate_pinned(count) if pinned else device.allocate(count)
        weakref.finalize(self, _free, device, self.address, pinned).atexit = False


class Scratch:
    """Memory that a step needs only while it runs: the next steps, which follow it in the stream, get the same."""

    def __init__(self, device: Device) -> None:
        self._device = device
        self._blocks: list[tuple[int, Block]] = []     # bytes of each
        self._taken: set[Block] = set()                # by this step

    def take(self, count: int) -> int:
        """The address of so many bytes: the smallest block of an earlier step that is large enough, or a new one."""
        fitting = [(size, block) for size, block in self._blocks if size >= count and block not in self._taken]
        if fitting:
            _, block = min(fitting, key=lambda one: one[0])
        else:
            block = Block(self._device, count)
            self._blocks.append((count, block))
        self._taken.add(block)
        return block.address

    def next_step(self) -> None:
        self._taken.clear()


def _free(device: Device, address: int, pinned: bool) -> None:
    if device.usable():
        device.enter()
        (device.free_pinned if pinned else device.free)(address)


class Layout:
    """Places in a block that does not exist yet: offsets, each a multiple of ALIGNMENT."""

    def __init__(self) -> None:
        self.used = 0

    def place(self, count: int) -> int:
        offset = self.used
        self.used += -(-max(count, 1) // ALIGNMENT) * ALIGNMENT
        return offset


def bytes_of(dtype: str, shape: Sequence[int]) -> int:
    """Of a buffer of a plan with this dtype and shape."""
    return int(np.prod(shape, dtype=np.int64)) * dtypes.as_dtype(dtype).stored.size


def array_at(address: int, shape: Sequence[int], dtype: np.dtype) -> np.ndarray:
    """The host's memory there as an array."""
    count = int(np.prod(shape, dtype=np.int64)) * dtype.itemsize
    if not count:
        return np.empty(shape, dtype)
    return np.frombuffer(memoryview((ctypes.c_char * count).from_address(address)), dtype).reshape(shape)


class StateCopy:
    """A variable's memory on a device. version: of the value that it holds (State.info[1]), -1: none."""

    def __init__(self, device: Device, state: State) -> None:
        self.device, self.version = device, -1
        self.block = Block(device, state.value.nbytes)

    def bring_home(self, state: State) -> None:
        """Copies the value into the host's memory."""
        self.device.enter()
        with self.device.lock:
            self.device.download(state.value.ctypes.data, self.block.address, state.value.nbytes)
            self.device.wait()

    def refresh(self, state: State) -> bool:
        """Uploads the value, unless the device has it. Whether it did: the host's memory is read until the device has
        waited."""
        if self.version == state.info[1]:
            return False
        self.device.upload(self.block.address, state.value.ctypes.data, state.value.nbytes)
        self.version = int(state.info[1])
        return True


    def follow(self, other: StateCopy, state: State) -> None:
        """Takes the value of another device's copy, which a run that has not ended has written. Its version is nobody's
        yet."""
        self.device.copy_from(other.device, self.block.address, other.block.address, state.value.nbytes)
        self.version = -1


def state_copy(device: Device, state: State) -> StateCopy:
    found: StateCopy | None = state.copies.get(device)
    if found is None:
        found = state.copies[device] = StateCopy(device, state)
    return found


def come_from_others(device: Device, states: StateStore, wanted: Iterable[State]) -> None:
    """Before a run there reads them: the newest values that another device alone has come home."""
    states.bring_home([state for state in states.away.intersection(wanted) if state.newest is not state_copy(
        device, state)])


def wrote(device: Device, states: StateStore, state: State) -> None:
    """After a run on the device that changed a variable, whose version tells of it: its newest value is there alone."""
    state.newest = state_copy(device, state)
    state.newest.version = int(state.info[1])
    states.away.add(state)
