"""Which warp and which block a thread of a launch is of, and which barriers those have passed.

Sets of threads are numbers ("who"): a thread's own number, all of a warp, all of a block, or everybody.
"""
from __future__ import annotations

import numpy as np

WARP = 32
NOBODY, OF_WARP, OF_BLOCK, EVERYBODY = -1, 1 << 40, 2 << 40, 3 << 40


class Threads:
    """block, warp: of each thread; blocks_passed, warps_passed: barriers that each block and each warp has passed."""

    def __init__(self, blocks: int, threads: int) -> None:
        number = np.arange(blocks * threads)
        self.block, inside = number // threads, number % threads
        self.lane = inside % WARP
        self.warps_of_block = -(-threads // WARP)
        self.warp = self.block * self.warps_of_block + inside // WARP
        self.blocks_passed = np.zeros(blocks, np.int64)
        self.warps_passed = np.zeros(blocks * self.warps_of_block, np.int64)

    def now(self, threads: np.ndarray) -> np.ndarray:
        """Barriers that the block and the warp of each have passed."""
        return np.stack([self.blocks_passed[self.block[threads]], self.warps_passed[self.warp[threads]]])

    def block_of(self, who: np.ndarray) -> np.ndarray:
        """-1: of none, or of several."""
        number = who & (OF_WARP - 1)
        found = np.where(who >= OF_BLOCK, number, number // self.warps_of_block)
        found = np.where(who < OF_WARP, self.block[np.where(who < OF_WARP, np.maximum(who, 0), 0)], found)
        return np.where((who == NOBODY) | (who >= EVERYBODY), -1, found)

    def warp_of(self, who: np.ndarray) -> np.ndarray:
        """-1: of none, or of several."""
        number = who & (OF_WARP - 1)
        found = np.where(who < OF_WARP, self.warp[np.where(who < OF_WARP, np.maximum(who, 0), 0)], number)
        return np.where((who == NOBODY) | (who >= OF_BLOCK), -1, found)

    def together(self, one: np.ndarray, other: np.ndarray) -> np.ndarray:
        """The smallest set that holds both."""
        if ((one == other) | (one == NOBODY) | (other == NOBODY)).all():
            return np.maximum(one, other)
        warp, block = self.warp_of(one), self.block_of(one)
        joined = np.where((warp >= 0) & (warp == self.warp_of(other)), OF_WARP + warp,
                          np.where((block >= 0) & (block == self.block_of(other)), OF_BLOCK + block, EVERYBODY))
        joined = np.where(one == other, one, joined)
        return np.where(one == NOBODY, other, np.where(other == NOBODY, one, joined))

    def ordered(self, who: np.ndarray, when: np.ndarray, threads: np.ndarray, now: np.ndarray) -> np.ndarray:
        """Whether what `who` did after `when` barriers comes before what these threads do now."""
        alone = (who == NOBODY) | (who == threads)
        if alone.all():                    # which it mostly is, and the sets below take most of the emulator's time
            return alone
        by_block = (self.block_of(who) == self.block[threads]) & (when[0] < now[0])
        by_warp = (self.warp_of(who) == self.warp[threads]) & (when[1] < now[1])
        return alone | by_block | by_warp
