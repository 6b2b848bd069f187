"""What matmul's bind tells its run and pack: shapes, how B arrives, words of Choice."""
from __future__ import annotations

from ..words import USER

IN_PLACE, PACKED, IN_WORK, IN_TILE = 0, 1, 2, 3
# Those that have a way of their own are numbered as it is (contracts/math.py).
MAIN, NARROW, WIDE, DOTS, STREAM, SHORT, ROUNDED, BFLOAT16, BFLOAT16_WIDE = range(1, 10)
# Words of choice: how B arrives; shape; batches and rows after merging; rows, panels and batches of a tile; panels of
# a pack tile; columns of a tile; where in scratch memory a tile of C turned stands.
(MODE, SHAPE, BATCHES, ROWS, TILE_ROWS, TILE_PANELS, TILE_BATCHES, PACK_PANELS, TILE_COLUMNS,
 TURNED_AT, B_TILES) = range(USER, USER + 11)
# Of ROUNDED only: tiles of phase 0 that pack B (above), bands of A of one that packs A (0: none does), and where in
# work these are.
TILE_BANDS, BANDS_AT = TILE_COLUMNS, TURNED_AT
