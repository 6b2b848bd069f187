"""search_sorted: where in a sorted row a value could be put.

Job: out[r, j] = how many elements of row r are less than values[r, j] (attr upper: not greater), by bisection.
"""
from __future__ import annotations

from ...contracts.calls import Functions
from ..memory import offset
from ..words import OK, TILE_ELEMENTS, TILES

TILE = 4096                            # values of a tile


def make(types):
    def bind(rows, n, count, upper, choice):
        choice[TILES] = (rows * count + TILE - 1) // TILE
        choice[TILE_ELEMENTS] = TILE

    def run(row, values, out, rows, n, count, upper, choice, work, scratch, phase, tile):
        for position in range(tile * TILE, min(tile * TILE + TILE, rows * count)):
            sorted_row, value = offset(row, position // count * n), values[position]
            low, high = 0, n
            while low < high:
                middle = (low + high) // 2
                element = sorted_row[middle]
                if not value < element if upper else element < value:
                    low = middle + 1
                else:
                    high = middle
            out[position] = low
        return OK
    return Functions(bind, run)
