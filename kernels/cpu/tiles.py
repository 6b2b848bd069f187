"""How many tiles: numbers that a few threads share without a rest.

Job: rounds the number of tiles that a kernel's sizes ask for. Tiles depend on sizes only (results must not depend on
threads), so the number must suit any number of threads: of 7 tiles two threads run 4 and 3, an eighth of the time one
of them waits.
Invariant: nothing here branches, so that reach.py, which follows binds with bounds in place of sizes, is led nowhere.
"""
from __future__ import annotations

from .memory import helper


@helper
def shared_evenly(wanted):
    """The number next to `wanted` (in proportion) of 1, 2, 4, 6, 8, 12, 16, 24, 48 and multiples of 48: powers of two
    are parted by 2, 4, 8 threads without a rest, those of three by 3 threads, too."""
    square = wanted * wanted                  # against the product of neighbours: 1 * 2, 2 * 4, 4 * 6, ...
    few = (1 + min(square // 2, 1) + 2 * (min(square // 8, 1) + min(square // 24, 1) + min(square // 48, 1))
           + 4 * (min(square // 96, 1) + min(square // 192, 1)) + 8 * min(square // 384, 1))
    return max(few, (wanted + 24) // 48 * 48 * min(wanted // 36, 1))


@helper
def longest_share(items, each, threads):
    """Items that one of the threads treats, if tiles are `each` of them, but for the last, and threads take them in
    turns."""
    tiles = items // each
    rest = min(tiles % threads, 1)
    return tiles // threads * each + rest * each + (1 - rest) * (items % each)


@helper
def shared_as_well(items, each, other):
    """`each`, if 2 and 4 threads are done, within 5 %, as soon with tiles of so many items as with tiles of `other`;
    else `other`."""
    later = max(20 * longest_share(items, each, 2) - 21 * longest_share(items, other, 2),
                20 * longest_share(items, each, 4) - 21 * longest_share(items, other, 4))
    return each + min(max(later, 0), 1) * (other - each)
