"""Memory of the PTX emulator: allocations with guards, and who touched which byte in a launch.

Refused (PtxError): addresses outside an allocation, or not aligned; memory that is read before anything was written
there; two threads that touch a byte without a barrier between them, one of them writing.
"""
from __future__ import annotations

from typing import Any

import numpy as np

from ptx_text import PtxError

SHIFT = 36                 # allocation k begins at k << SHIFT
WORDS = {1: np.uint8, 2: np.uint16, 4: np.uint32, 8: np.uint64}
NOBODY, SEVERAL = -1, -2


class Allocation:
    """Bytes, and which of them hold something."""

    def __init__(self, count: int, blocks: int = 1) -> None:
        self.count = count                             # of a block, for shared memory
        whole = -(-count // 16) * 16
        self.bytes = np.full(blocks * whole, 0xAB, np.uint8)
        self.written = np.zeros(blocks * whole, bool)
        self.stride = whole


class Memory:
    """The device's memory. Addresses of freed allocations are never used again."""

    def __init__(self) -> None:
        self.allocations: dict[int, Allocation] = {}
        self._next = 1

    def allocate(self, count: int) -> int:
        self.allocations[self._next] = Allocation(count)
        self._next += 1
        return (self._next - 1) << SHIFT

    def free(self, address: int) -> None:
        del self.allocations[address >> SHIFT]

    def view(self, address: int, count: int, writes: bool) -> np.ndarray:
        """The bytes there, for a copy from or to the host."""
        found, offset = self.allocations.get(address >> SHIFT), address & ((1 << SHIFT) - 1)
        if found is None or offset + count > found.count:
            raise PtxError(f"a copy of {count} bytes at {address:#x} leaves its allocation")
        if writes:
            found.written[offset:offset + count] = True
        return found.bytes[offset:offset + count]


class Touched:
    """Of each byte of an allocation, in this launch: the thread that wrote it last, the one that read it, and the
    barriers its block had passed by then."""

    def __init__(self, count: int) -> None:
        self.writer, self.reader = np.full((2, count), NOBODY, np.int64)
        self.written_at, self.read_at = np.zeros((2, count), np.int64)

    def check(self, offsets: np.ndarray, threads: np.ndarray, blocks: np.ndarray, epochs: np.ndarray, width: int,
              writes: bool) -> str:
        """Notes an access of each thread at its offset; what is wrong with it, or "". blocks: of all threads; epochs:
        barriers passed, by block."""
        now = epochs[blocks[threads]]
        if writes and len(np.unique(offsets)) < len(offsets):
            return "threads store to one address in one instruction"
        for byte in range(width):
            at = offsets + byte
            if self._clash(self.writer[at], self.written_at[at], threads, blocks, now):
                return "another thread wrote it, and there was no barrier"
            if writes and self._clash(self.reader[at], self.read_at[at], threads, blocks, now):
                return "another thread read it, and there was no barrier"
            if writes:
                self.writer[at], self.written_at[at] = threads, now
            else:
                again = (self.reader[at] != NOBODY) & (self.reader[at] != threads) & (self.read_at[at] == now)
                self.reader[at] = np.where(again, SEVERAL, threads)
                places, counts = np.unique(at, return_counts=True)
                self.reader[places[counts > 1]] = SEVERAL
                self.read_at[at] = now
        return ""

    @staticmethod
    def _clash(who: np.ndarray, when: np.ndarray, threads: np.ndarray, blocks: np.ndarray, now: np.ndarray) -> bool:
        """SEVERAL threads are taken to be of this block, if it is shared memory or not: blocks never share bytes that
        are written."""
        same = (who == SEVERAL) | (blocks[np.maximum(who, 0)] == blocks[threads])
        return bool(((who != NOBODY) & (who != threads) & ~(same & (when < now))).any())


class Access:
    """The accesses of one launch. Shared memory of block b lies at b * stride of one allocation."""

    def __init__(self, memory: Memory, shared_bytes: int, blocks: np.ndarray) -> None:
        self.memory, self.blocks = memory, blocks
        self.shared = Allocation(max(shared_bytes, 16), int(blocks[-1]) + 1)
        self.touched: dict[int, Touched] = {}
        self.epochs = np.zeros(int(blocks[-1]) + 1, np.int64)

    def __call__(self, space: str, addresses: np.ndarray, size: int, count: int, threads: np.ndarray,
                 data: list[Any] | None = None) -> list[np.ndarray]:
        """Loads `count` elements of `size` bytes from each thread's address, or stores data there."""
        if (addresses % np.uint64(size * count)).any():
            raise PtxError(f"an address that is no multiple of {size * count}")
        loaded = [np.empty(len(addresses), WORDS[size]) for _ in range(count)]
        for key, allocation, chosen, offsets in self._found(space, addresses.astype(np.int64), size * count, threads):
            touched = self.touched.setdefault(key, Touched(len(allocation.bytes)))
            wrong = touched.check(offsets, threads[chosen], self.blocks, self.epochs, size * count, data is not None)
            if wrong:
                raise PtxError(f"race in {space} memory: {wrong}")
            for i in range(count):
                place = offsets + i * size
                every = place[:, None] + np.arange(size)
                if data is None:
                    if not allocation.written[every].all():
                        raise PtxError(f"{space} memory is read before it was written")
                    loaded[i][chosen] = allocation.bytes.view(WORDS[size])[place // size]
                else:
                    stored = np.broadcast_to(np.asarray(data[i]), len(addresses))[chosen]
                    allocation.bytes.view(WORDS[size])[place // size] = stored.view(WORDS[size])
                    allocation.written[every] = True
        return loaded

    def _found(self, space: str, addresses: np.ndarray, count: int, threads: np.ndarray) -> list[Any]:
        """(key, allocation, which of the addresses are in it, their offsets)."""
        every = np.arange(len(addresses))
        if space == "shared":
            if ((addresses < 0) | (addresses + count > self.shared.count)).any():
                raise PtxError(f"outside shared memory, which has {self.shared.count} bytes")
            return [(0, self.shared, every, addresses + self.blocks[threads] * self.shared.stride)]
        found = []
        for key in np.unique(addresses >> SHIFT):
            allocation = self.memory.allocations.get(int(key))
            chosen = every[addresses >> SHIFT == key]
            offsets = addresses[chosen] - (int(key) << SHIFT)
            if allocation is None or (offsets + count > allocation.count).any():
                raise PtxError(f"outside global memory: address {addresses[chosen][0]:#x}, allocation of "
                               f"{allocation.count if allocation else 0} bytes")
            found.append((int(key), allocation, chosen, offsets))
        return found
