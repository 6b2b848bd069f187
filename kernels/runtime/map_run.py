"""Running a bound map, tile by tile.

Results depend on sizes only: chunks, blocks, tiles and segments are those of map_bind, partial results are combined in
index order.
"""
from __future__ import annotations

from . import map_words as m
from .map_blocks import run_blocks
from .map_chunk import chunk_at, run_chunk, start_pass
from .map_reduce import combine_column_tile, combine_row_tile, run_column_tile, run_row_tile
from .memory import function, word


@function
def run_elements(out, counter, scratch, begin, end):
    """Pass 0 over positions [begin, end), without reductions."""
    if end <= begin:
        return
    most = word(out, m.MOST)
    pointers = start_pass(out, 0, counter, scratch, min(most, end - begin))
    while begin < end:
        count = chunk_at(out, 0, begin, end, most)
        run_chunk(out, 0, counter, scratch, pointers, begin, count)
        begin += count


@function
def map_run(out, counter, work, scratch, phase, tile):
    """Runs a tile of a phase. counter: address of the COUNTER buffer. Returns a Status."""
    mode = word(out, m.MODE)
    if word(out, m.TURNED) != 0:
        run_blocks(out, counter, scratch, tile)
    elif mode == m.MODE_ELEMENTS:
        begin = tile * word(out, m.TILE_ELEMENTS)
        run_elements(out, counter, scratch, begin, min(begin + word(out, m.TILE_ELEMENTS), word(out, m.TOTAL)))
    elif mode == m.MODE_ROWS:
        if phase == 0:
            run_row_tile(out, counter, work, scratch, tile)
        else:
            combine_row_tile(out, counter, work, scratch, tile)
    elif phase == 0:
        run_column_tile(out, counter, work, scratch, tile)
    else:
        combine_column_tile(out, counter, work, scratch, tile)
    return 0


@function
def map_run_range(out, counter, work, scratch, begin, end):
    """Runs elements [begin, end), in row-major order, of a map without reductions."""
    run_elements(out, counter, scratch, begin, end)
    return 0
