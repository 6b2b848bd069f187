"""Running a bound map, tile by tile.

What turns, what reduces and what writes past the caches are parts: a runner for models without such maps is linked
without them.
Results depend on sizes only: chunks, blocks, tiles and segments are those of map_bind, partial results are combined in
index order.
"""
from __future__ import annotations

from ..cpu.stream import fence, stream_rows
from . import map_words as m
from .map_blocks import run_blocks
from .map_chunk import address_of, chunk_at, run_chunk, start_pass
from .map_move import offset_of
from .map_reduce import combine_column_tile, combine_row_tile, run_column_tile, run_row_tile
from .memory import function, or_left_out, part, word


@part("streamed")
def run_streamed(out, counter, begin, end):
    """Positions [begin, end) of a map that only moves, row by row past the caches."""
    bound, source = out + 8 * word(out, m.PASS_0), out + 8 * word(out, m.ACCESS_ROWS)
    target, size = source + 8 * m.ACCESS_WORDS, word(source, m.A_SIZE)
    last = word(bound, m.P_RANK) - 1
    inner, above = word(bound, m.P_SIZES + last), max(last - 1, 0)
    while begin < end:
        count, rows = min(inner - begin % inner, end - begin), 1
        if count == inner and last > 0:
            extent = word(bound, m.P_SIZES + above)
            rows = min(extent - begin // inner % extent, (end - begin) // inner)
        stream_rows(address_of(target, counter) + offset_of(bound, target + 8 * m.A_STRIDES, begin),
                    word(target, m.A_STRIDES + above),
                    address_of(source, counter) + offset_of(bound, source + 8 * m.A_STRIDES, begin),
                    word(source, m.A_STRIDES + above), count * size, rows)
        begin += count * rows
    fence()
    return 0


@function
def run_elements(out, counter, scratch, begin, end):
    """Pass 0 over positions [begin, end), without reductions. Returns a Status."""
    if end <= begin:
        return 0
    if word(out, m.STREAMS) != 0:
        return or_left_out(run_streamed, (out, counter, begin, end))
    most = word(out, m.MOST)
    pointers = start_pass(out, 0, counter, scratch, min(most, end - begin))
    while begin < end:
        count = chunk_at(out, 0, begin, end, most)
        run_chunk(out, 0, counter, scratch, pointers, begin, count)
        begin += count
    return 0


@part("turned")
def run_turned(out, counter, scratch, tile):
    run_blocks(out, counter, scratch, tile)
    return 0


@part("reduced")
def run_reduced(out, counter, work, scratch, phase, tile):
    if word(out, m.MODE) == m.MODE_ROWS:
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
def map_run(out, counter, work, scratch, phase, tile):
    """Runs a tile of a phase. counter: address of the COUNTER buffer. Returns a Status."""
    if word(out, m.TURNED) != 0:
        return or_left_out(run_turned, (out, counter, scratch, tile))
    if word(out, m.MODE) != m.MODE_ELEMENTS:
        return or_left_out(run_reduced, (out, counter, work, scratch, phase, tile))
    begin = tile * word(out, m.TILE_ELEMENTS)
    return run_elements(out, counter, scratch, begin, min(begin + word(out, m.TILE_ELEMENTS), word(out, m.TOTAL)))


@function
def map_run_range(out, counter, work, scratch, begin, end):
    """Runs elements [begin, end), in row-major order, of a map without reductions."""
    return run_elements(out, counter, scratch, begin, end)
