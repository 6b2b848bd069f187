"""A float32 product whose operands are both rounded to bfloat16, by the processor's own instructions for that
(bfloat16_tiles.py): what is packed, and blocks of what was packed.

B is packed as panels of WIDTH columns, one after the other, each a step of k after the other. A is packed as bands of
TILE rows, each a step after the other: by every tile of work for itself, block by block, so that it is in the second
cache when it is multiplied; or all of it beforehand, if tiles share rows. What is missing in the last step of k is
zeros, in both. Blocks of k, of which an element's sums are made in order, depend on k only.
Invariants: elements of A, B and C only are read or written; of a last panel of up to TILE columns, squares of the other
columns are neither written nor read. scratch: scratch_bytes(rows, k).
"""
from __future__ import annotations

from ..memory import ceil_div, copy_bytes, helper, int64_at, part, round_up, zero_bytes
from .bfloat16_tiles import (
    LINE_BYTES,
    PAIRS,
    ROWS,
    SQUARE_BYTES,
    STEP,
    TILE,
    TURNED,
    begin_tiles,
    convert,
    convert_part,
    end_tiles,
    multiply_dots,
    multiply_tiles,
)

WIDTH = HEIGHT = 2 * TILE              # columns of a panel; rows that are multiplied at a time
SIZE = 4                               # bytes of a float32
STEP_BYTES = 2 * SQUARE_BYTES          # of a panel
BLOCK_ROWS, BLOCK_STEPS = 256, 24      # of A: 384 KB, which the second cache has room for
EDGE_ROW = WIDTH * SIZE                # bytes of a row of a part of C that is no whole tile
_TABLE_BYTES = 64
_EDGE_BYTES = HEIGHT * EDGE_ROW


@helper
def steps_of(k):
    return ceil_div(k, STEP)


@helper
def scratch_bytes(rows, k):
    """Of a tile of so many rows, whose A it packs for itself; 0 rows: A was packed."""
    return _TABLE_BYTES + _EDGE_BYTES + min(round_up(rows, TILE), BLOCK_ROWS) // TILE * SQUARE_BYTES * min(
        steps_of(k), BLOCK_STEPS)


@part("bfloat16_squares")
def convert_lines(kind, target, target_row, target_next, source, source_row, lines, k):
    """TILE rows of A or columns of B, of which `lines` are there: a square for each step of k."""
    along = kind < PAIRS
    source_next = STEP * (SIZE if along else source_row)
    done = 0
    if lines >= TILE:
        done = k // STEP
        if done > 0:
            convert(kind, target, target_row, target_next, source, source_row, source_next, done)
    for step in range(done, steps_of(k)):
        there = min(k - step * STEP, STEP)
        rows, columns = (min(lines, TILE), there) if along else (there, min(lines, TILE))
        convert_part(kind, target + step * target_next, target_row, rows, source + step * source_next, source_row,
                     columns, 0)


@helper
def pack_pairs(target, b, n, k, transposed, first, last):
    """Panels `first` to `last` of a whole B[k, n], or B[n, k], of float32."""
    kind, column_step, row = (ROWS + TURNED, k * SIZE, k * SIZE) if transposed else (PAIRS, SIZE, n * SIZE)
    for panel in range(first, last):
        place = target + (panel - first) * steps_of(k) * STEP_BYTES
        for half in range(2):
            column = panel * WIDTH + half * TILE
            if column < n:
                convert_lines(kind, place + half * SQUARE_BYTES, LINE_BYTES, STEP_BYTES, b + column * column_step, row,
                              n - column, k)


@helper
def pack_bands(target, a, a_row, a_step, rows, k, band_bytes):
    """Bands of A; one of a_row and a_step is SIZE."""
    kind, source_row = (ROWS, a_row) if a_step == SIZE else (PAIRS + TURNED, a_step)
    for row in range(0, rows, TILE):
        convert_lines(kind, target + row // TILE * band_bytes, LINE_BYTES, SQUARE_BYTES, a + row * a_row, source_row,
                      rows - row, k)


@helper
def copy_part(target, target_row, source, source_row, rows, columns):
    for i in range(rows):
        copy_bytes(target + i * target_row, source + i * source_row, columns * SIZE)


@helper
def multiply_square(by_tiles, steps, left, band_bytes, right, c, c_row, rows, columns, onto, table, edge):
    """Up to HEIGHT rows and WIDTH columns of C."""
    words = int64_at(table)
    words[0], words[1], words[2] = 0, left, left + band_bytes
    shape = min((rows - 1) // TILE, 1) * 2 + min((columns - 1) // TILE, 1)
    whole = rows % TILE == 0 and columns % TILE == 0
    target, target_row = (c, c_row) if whole else (edge, EDGE_ROW)
    if not whole and onto:
        copy_part(edge, EDGE_ROW, c, c_row, rows, columns)
    if by_tiles:
        multiply_tiles(shape, 1, steps, LINE_BYTES, SQUARE_BYTES, right, table, target, target_row, onto, 0)
    else:
        multiply_dots(shape, 1, steps, LINE_BYTES, SQUARE_BYTES, right, table, target, target_row, onto, 0)
    if not whole:
        copy_part(c, c_row, edge, EDGE_ROW, rows, columns)


@part("bfloat16_product")
def rounded_product(by_tiles, a, a_row, a_step, packed, rows, k, b, columns, c, c_row, scratch):
    """c[rows, columns] = a times the panels of B from `b` on. packed: bands of A, all of k, 0: they are made here."""
    table, edge, made = scratch, scratch + _TABLE_BYTES, scratch + _TABLE_BYTES + _EDGE_BYTES
    all_steps = steps_of(k)
    if all_steps == 0:
        for i in range(rows):
            zero_bytes(c + i * c_row, columns * SIZE)
        return
    blocks = ceil_div(all_steps, BLOCK_STEPS)
    if by_tiles:
        begin_tiles()
    for first_row in range(0, rows, BLOCK_ROWS):
        height = min(rows - first_row, BLOCK_ROWS)
        for block in range(blocks):
            first = all_steps * block // blocks
            steps = all_steps * (block + 1) // blocks - first
            bands, band_bytes = packed + first_row // TILE * all_steps * SQUARE_BYTES + first * SQUARE_BYTES, (
                all_steps * SQUARE_BYTES)
            if packed == 0:
                bands, band_bytes = made, steps * SQUARE_BYTES
                pack_bands(made, a + first_row * a_row + first * STEP * a_step, a_row, a_step, height,
                           min(k - first * STEP, steps * STEP), band_bytes)
            for column in range(0, columns, WIDTH):
                right = b + column // WIDTH * all_steps * STEP_BYTES + first * STEP_BYTES
                for row in range(0, height, HEIGHT):
                    multiply_square(by_tiles, steps, bands + row // TILE * band_bytes, band_bytes, right,
                                    c + (first_row + row) * c_row + column * SIZE, c_row, min(height - row, HEIGHT),
                                    min(columns - column, WIDTH), min(block, 1), table, edge)
    if by_tiles:
        end_tiles()
