"""Tiles of a transposed A, brought in order: for each k the elements of a tile's rows side by side, in a line.

Job: A as it lies has a line of many rows for each k, mostly in another page, and the rows of a tile stand across two
lines of the cache. A few tiles that follow each other are copied at a time, AT_ONCE k after the other, so that each
line comes once and is still in the first cache for the next tile.
Invariants: reads rows of the tiles in their k only; writes together * tile_bytes.
"""
from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from ..memory import ITEM_SIZES, helper, pointer_to
from ..vector import vectors
from .micro import Shape

MOST_TOGETHER, TOGETHER_BYTES = 4, 160 * 1024
AT_ONCE = 8
LOW_ROWS = 8                           # tiles up to this height have shorter lines


@dataclass(frozen=True)
class Columns:
    """copy(target, source, a_step, k, height, higher, tiles, available): so many tiles, the first `higher` of them of a
    row more than `height`. source: the first tile's first element; a_step: bytes from one k to the next; available:
    elements of a line of A from there on.
    together: tiles at most; step: bytes from one k to the next of a copied tile; tile_bytes: from one tile to the
    next."""

    copy: Any
    together: int
    step: int
    tile_bytes: int


@cache
def tile_columns(dtype: str, shape: Shape, longest: int) -> Columns:
    """longest: k of a tile, at most."""
    size, at, kit = ITEM_SIZES[dtype], pointer_to(dtype), vectors(dtype)
    load, store, lanes = kit.load, kit.store, kit.lanes
    elements = LOW_ROWS if shape.rows <= LOW_ROWS else 2 * LOW_ROWS
    step, copied = elements * size, max(elements, lanes)
    tile_bytes = longest * step + copied * size          # what a vector has beyond its line is the next line's

    @helper
    def copy(target, source, a_step, k, height, higher, tiles, available):
        for first in range(0, k, AT_ONCE):
            column = 0
            for tile in range(tiles):
                rows, start = height + min(max(higher - tile, 0), 1), target + tile * tile_bytes
                for i in range(first, min(first + AT_ONCE, k)):
                    line, values = at(start + i * step), at(source + i * a_step + column * size)
                    if available - column >= copied:
                        for j in range(0, copied, lanes):
                            store(line, j, load(values, j))
                    else:
                        for j in range(rows):
                            line[j] = values[j]
                column += rows
    return Columns(copy, max(min(MOST_TOGETHER, TOGETHER_BYTES // tile_bytes), 1), step, tile_bytes)
