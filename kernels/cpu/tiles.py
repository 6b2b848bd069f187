"""How many tiles: numbers that a few threads share without a rest.

Job: rounds the number of tiles that a kernel's sizes ask for. Tiles depend on sizes only (results must not depend on
threads), so the number must suit any number of threads: of 7 tiles two threads run 4 and 3, an eighth of the time one
of them waits.
"""
from __future__ import annotations

from .memory import helper


@helper
def shared_evenly(wanted):
    """The number next to `wanted` (in proportion) of 1, 2, 4, 6, 8, 12, 16, 24, 48 and multiples of 48: powers of two
    are parted by 2, 4, 8 threads without a rest, those of three by 3 threads, too."""
    if wanted >= 36:
        return (wanted + 24) // 48 * 48
    tiles = 1
    for larger in (2, 4, 6, 8, 12, 16, 24):
        if wanted * wanted >= tiles * larger:
            tiles = larger
    return tiles


@helper
def longest_share(items, each, threads):
    """Items that one of the threads treats, if tiles are `each` of them, but for the last, and threads take them in
    turns."""
    tiles = items // each
    return tiles // threads * each + (each if tiles % threads != 0 else items % each)


@helper
def shared_as_well(items, each, other):
    """Whether 2 and 4 threads are done, within 5 %, as soon with tiles of `each` items as with tiles of `other`."""
    for threads in (2, 4):
        if 20 * longest_share(items, each, threads) > 21 * longest_share(items, other, threads):
            return False
    return True
