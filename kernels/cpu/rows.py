"""Tiles of whole rows, for kernels that treat every row of a matrix alike.

Invariant: the rows of a tile are contiguous and their number depends on the sizes only.
"""
from __future__ import annotations

from .memory import helper
from .words import TILE_ELEMENTS, TILES, USER

ROW_ELEMENTS = 8192                    # elements of a tile, about; a longer row is a tile of its own


@helper
def bind_rows(rows, cols, choice):
    """choice[USER] becomes the number of rows of a tile."""
    per_tile = max(ROW_ELEMENTS // max(cols, 1), 1)
    choice[USER] = per_tile
    choice[TILES] = (rows + per_tile - 1) // per_tile if cols > 0 else 0
    choice[TILE_ELEMENTS] = per_tile * cols
