"""Memory of the device that a run takes piece by piece, and gives back as a whole: what lists hold.

The host's lists have memory of the same kind (kernels/runtime/lists.py): a list shares its elements with those that it
was made of, so none is freed before the run ends. The next run gets the same chunks again.
"""
from __future__ import annotations

from graphc.exec.cuda.driver import Device
from graphc.exec.cuda.memory import ALIGNMENT, Block

CHUNK = 1 << 20


class RunMemory:
    """Of one run at a time; `begin` says that another one begins."""

    def __init__(self) -> None:
        self._chunks: list[tuple[Block, int]] = []     # bytes of each
        self._current, self._used = 0, 0

    def begin(self) -> None:
        self._current, self._used = 0, 0

    def take(self, device: Device, count: int) -> int:
        """The address of so many bytes, never 0. Raises ResourceExhaustedError."""
        size = -(-max(count, 1) // ALIGNMENT) * ALIGNMENT
        while self._current < len(self._chunks):
            block, room = self._chunks[self._current]
            if room - self._used >= size:
                self._used += size
                return block.address + self._used - size
            self._current, self._used = self._current + 1, 0
        room = max(size, CHUNK, sum(room for _, room in self._chunks) // 2)
        self._chunks.append((Block(device, room), room))
        self._used = size
        return self._chunks[-1][0].address
