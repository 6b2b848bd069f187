"""How a bound map is cut: chunks that the registers hold, tiles that threads take, segments whose results are combined.

By sizes alone, so that results do not depend on the number of threads.
"""
from __future__ import annotations

from . import map_words as m
from .map_blocks import cut_blocks
from .map_plan import value_at
from .memory import function, part, set_word, word

TILE_GOAL = 32768         # elements of a reduction's tile
MOST_SEGMENTS = 1024
PIECES_ELEMENTS = 8192    # of the pieces that are combined at once
MOST_PIECES = 1024        # of a row: its sum is one number from the first to the last


@function
def cut_elements(out):
    """Tiles of a map without reductions: fewer elements if each costs more."""
    cost, loads = word(out, m.ACCESSES), word(out, m.LOADS)
    for i in range(word(out, m.INSTRS)):
        cost += word(value_at(out, loads + i), m.V_NEEDED)
    chunk = word(out, m.CHUNK)
    each = max(65536 // max(cost, 1) // chunk, 1) * chunk
    set_word(out, m.TILE_ELEMENTS, each)
    set_word(out, m.TILES_1, 0)
    if word(out, m.TOTAL) == 0 or not cut_blocks(out, each):
        set_word(out, m.TILES, (word(out, m.TOTAL) + each - 1) // each)


@function
def cut_rows(out):
    """Tiles of a row reduction: blocks of rows, or segments of long rows, combined by phase 1."""
    chunk, rows, cols = word(out, m.CHUNK), word(out, m.ROWS), word(out, m.COLS)
    set_word(out, m.GROUP, chunk // cols * cols if 0 < cols <= chunk else chunk)
    segments = max((cols + TILE_GOAL - 1) // TILE_GOAL, 1)
    set_word(out, m.SEGMENTS, segments)
    set_word(out, m.SEGMENT, TILE_GOAL)
    block = min(max(TILE_GOAL // max(cols, 1), 1), chunk)
    if segments > 1:
        block = min(max(4096 // segments, 1), chunk)
    blocks = (rows + block - 1) // block
    set_word(out, m.BLOCK, block)
    set_word(out, m.TILES, rows * segments if segments > 1 else blocks)
    set_word(out, m.TILES_1, blocks if segments > 1 else 0)


@function
def cut_columns(out):
    """Tiles of a column reduction: blocks of columns times segments of lines, combined by phase 1, or batches
    together."""
    chunk, lines, whole, batch = word(out, m.CHUNK), word(out, m.COLS), word(out, m.WIDTH), word(out, m.BATCH)
    bound = out + 8 * word(out, m.PASS_0)
    inner = word(bound, m.P_INNER)
    block = max(min(whole, chunk), 1)
    blocks = (whole + block - 1) // block
    group = max(chunk // block, 1) if blocks == 1 and (inner == 0 or inner % block == 0) else 1
    each = max(TILE_GOAL // block, (lines + MOST_SEGMENTS - 1) // MOST_SEGMENTS, 1)
    each = (each + group - 1) // group * group
    segments = max((lines + each - 1) // each, 1)
    set_word(out, m.BLOCK, block)
    set_word(out, m.BLOCKS, blocks)
    set_word(out, m.GROUP, group)
    set_word(out, m.SEGMENTS, segments)
    if segments > 1:
        set_word(out, m.SEGMENT, each)
        set_word(out, m.TILES, batch * segments * blocks)
        set_word(out, m.TILES_1, batch * blocks)
    else:
        together = max(TILE_GOAL // max(lines * block, 1), 1) if blocks == 1 else 1
        set_word(out, m.SEGMENT, together)
        set_word(out, m.TILES, (batch + together - 1) // together * blocks)
        set_word(out, m.TILES_1, 0)


@function
def cut(out):
    """Tiles, work and scratch."""
    mode, total, work = word(out, m.MODE), word(out, m.TOTAL), 0
    set_word(out, m.TILE_ELEMENTS, 0)
    set_word(out, m.TURNED, 0)
    if mode == m.MODE_ELEMENTS:
        cut_elements(out)
    elif word(out, m.ROWS) == 0:
        set_word(out, m.TILES, 0)
        set_word(out, m.TILES_1, 0)
    elif mode == m.MODE_ROWS:
        cut_rows(out)
    else:
        cut_columns(out)
    if mode != m.MODE_ELEMENTS and total > 0 and word(out, m.TILES_1) > 0:
        partials = word(out, m.ROWS) * word(out, m.SEGMENTS)
        for j in range(word(out, m.REDUCES)):
            reduce = out + 8 * (word(out, m.REDUCE_ROWS) + m.REDUCE_WORDS * j)
            set_word(reduce, m.R_WORK, work)
            work += (partials * word(reduce, m.R_SIZE) + 63) // 64 * 64
    set_word(out, m.WORK, work)


@part("reduced")
def cut_pieces(out):
    """Of a map that reduces: sets PIECES, and the tiles of a map with pieces: nothing is computed of what it reduces,
    of [rows, pieces, columns], which memory has as [pieces, rows, columns]. Then the same piece of many rows is
    combined at once, in order."""
    bound, columns = out + 8 * word(out, m.PASS_0), word(out + 8 * word(out, m.PASS_0), m.P_SIZES + 2)
    pieces, rows = word(bound, m.P_SIZES + 1), word(bound, m.P_SIZES)
    alone = word(bound, m.P_OPS) + word(bound, m.P_PUTS) == 0 and word(bound, m.P_CODE) == 0
    set_word(out, m.PIECES, 0)
    if word(out, m.MODE) != m.MODE_ROWS or word(bound, m.P_RANK) != 3 or not alone:
        return 0
    for j in range(word(out, m.REDUCES)):
        value = word(out + 8 * (word(out, m.REDUCE_ROWS) + m.REDUCE_WORDS * j), m.R_VALUE)
        access = out + 8 * (word(out, m.ACCESS_ROWS) + m.ACCESS_WORDS * min(value, word(out, m.LOADS)))
        size = word(access, m.A_SIZE)
        if value >= word(out, m.LOADS) or word(access, m.A_CLASS) != m.GATHER:
            return 0
        if word(access, m.A_STRIDES + 2) != size or word(access, m.A_STRIDES) != columns * size:
            return 0
    block = min(PIECES_ELEMENTS // columns, rows // 8, word(out, m.CHUNK))
    if block > 1 and pieces <= MOST_PIECES:
        set_word(out, m.PIECES, 1)
        set_word(out, m.SEGMENTS, 1)
        set_word(out, m.BLOCK, block)
        set_word(out, m.TILES, (rows + block - 1) // block)
        set_word(out, m.TILES_1, 0)
    return 0


@function
def choose_chunk(out):
    """Elements of a chunk: a register is 4 KB, 2 KB if the program has many values."""
    widest = 1
    for i in range(word(out, m.VALUES)):
        widest = max(widest, word(value_at(out, i), m.V_SIZE))
    widest = max(widest, 4)
    chunk = (4096 if word(out, m.VALUES) <= 24 else 2048) // widest
    set_word(out, m.CHUNK, chunk)
    set_word(out, m.SLOT_BYTES, chunk * widest)


@function
def largest_tile(out):
    """Elements of the largest tile of a bound map: of a column reduction that is not known before."""
    if word(out, m.MODE) == m.MODE_COLUMNS and word(out, m.SEGMENTS) > 1:
        return word(out, m.SEGMENT) * word(out, m.BLOCK)
    return 0
