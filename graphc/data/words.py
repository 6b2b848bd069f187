"""Random words, as TensorFlow's ops take them from their stream."""
from __future__ import annotations

from collections.abc import Iterator

import numpy as np

import graphc as gc

WORDS_AT_ONCE = 256


class Words:
    """Random words of 32 bits, as TensorFlow's ops take them from their stream."""

    def __init__(self, seed: int, seed2: int) -> None:
        self.seeds, self.groups = (seed, seed2), 0
        self.words: Iterator[int] = iter(())

    def next(self) -> int:
        for word in self.words:
            return word
        self.words = iter(gc.python.framework.random_seed.philox_words(*self.seeds, self.groups, WORDS_AT_ONCE))
        self.groups += WORDS_AT_ONCE
        return next(self.words)


def random_words(seeds: tuple[int, int]) -> Words:
    """The words of these seeds; others in every process for (0, 0)."""
    if seeds == (0, 0):
        drawn = np.random.SeedSequence().generate_state(2)
        return Words(int(drawn[0]), int(drawn[1]))
    return Words(*seeds)
