"""copy: y = x, for every dtype that has a size; a list handle ("handle") is 8 bytes.

Invariant: x and y are the same memory or do not overlap.
"""
from __future__ import annotations

from ...contracts.calls import Functions
from ..memory import ITEM_SIZES, address, copy_bytes, offset
from ..stream import AHEAD, BEYOND_CACHES, fence, stream_bytes
from ..words import OK, TILE_ELEMENTS, TILES

TILE_BYTES = 256 * 1024


def make(types):
    size = ITEM_SIZES[types["T"]]
    per_tile = TILE_BYTES // size

    def bind(elements, choice):
        choice[TILES] = (elements + per_tile - 1) // per_tile
        choice[TILE_ELEMENTS] = per_tile

    def run(x, y, elements, choice, work, scratch, phase, tile):
        first = tile * per_tile
        source, target = address(offset(x, first)), address(offset(y, first))
        if source != target and elements * size >= BEYOND_CACHES:
            stream_bytes(target, source, min(per_tile, elements - first) * size, source + AHEAD)
            fence()
        elif source != target:
            copy_bytes(target, source, min(per_tile, elements - first) * size)
        return OK
    return Functions(bind, run)
