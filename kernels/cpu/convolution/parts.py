"""Gradients for filters are sums over pixels, which fall into parts, each with a sum of its own: these added up.

Job: phase 1 of such a kernel. Invariants: parts are added in order, tile by tile of elements, whatever the threads.
"""
from __future__ import annotations

from functools import cache
from typing import Any

from ..memory import ITEM_SIZES, ceil_div, copy_bytes, helper, pointer_to, round_up

SUM_TILES, LEAST_ELEMENTS = 24, 1024


@helper
def sum_elements(elements):
    """Elements of a tile of phase 1."""
    return round_up(max(ceil_div(elements, SUM_TILES), LEAST_ELEMENTS), 16)


@cache
def make_add_parts(dtype: str) -> Any:
    """The function (target, work, elements, parts, tile_elements, tile): one tile of the sum of all parts, which stand
    one after another at work."""
    size, at = ITEM_SIZES[dtype], pointer_to(dtype)

    @helper
    def add_parts(target, work, elements, parts, tile_elements, tile):
        first = tile * tile_elements
        count = min(tile_elements, elements - first)
        result = at(target + first * size)
        copy_bytes(target + first * size, work + first * size, count * size)
        for part in range(1, parts):
            addend = at(work + (part * elements + first) * size)
            for i in range(count):
                result[i] += addend[i]
    return add_parts
