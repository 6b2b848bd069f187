"""The words of which TensorFlow's kernels make their random numbers."""
from __future__ import annotations

from graphc.api.public import public
from graphc.ops.random.tensorflow_numbers import Stream


@public("python.framework.random_seed.philox_words")
def philox_words(seed: int, seed2: int, first: int, count: int) -> list[int]:
    """4 * count words of 32 bits of the Philox stream under the two seeds, from its group `first` on: a Python
    function.

    What TensorFlow's kernels make their numbers of; for programs that reproduce them. seed, seed2, first, count: ints;
    a list of ints. graphc's own.

    >>> gc.python.framework.random_seed.philox_words(1, 2, first=0, count=1)
    [3878945999, 2364392915, 1057429302, 168492509]
    """
    words: list[int] = Stream(seed, seed2, first).words(4 * count).tolist()
    return words
