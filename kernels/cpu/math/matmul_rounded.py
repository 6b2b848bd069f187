"""matmul's way ROUNDED: both operands become bfloat16 (products/bfloat16_blocks.py), where the machine multiplies that.

Job: bind's model of costs, tiles, and run. B was packed beforehand, or phase 0 packs it; A is packed by each tile for
itself, or, if tiles of columns share rows, by phase 0.
"""
from __future__ import annotations

from ...contracts.bfloat16 import TILES as AMX
from ..memory import apart, ceil_div, helper, part, round_up
from ..products.bfloat16_blocks import (
    HEIGHT,
    SIZE,
    STEP_BYTES,
    WIDTH,
    pack_bands,
    pack_pairs,
    rounded_product,
    scratch_bytes,
    steps_of,
)
from ..products.bfloat16_tiles import SQUARE_BYTES, STEP, TILE
from ..tiles import shared_evenly
from ..words import (
    FORMAT,
    MAY_ROUND,
    PACK_TILES,
    PACKED_BYTES,
    SCRATCH_BYTES,
    TILE_ELEMENTS,
    TILES,
    TILES_1,
    VARIANT,
    WORK_BYTES,
)
from .matmul_words import (
    B_TILES,
    BANDS_AT,
    BATCHES,
    IN_WORK,
    MODE,
    PACK_PANELS,
    PACKED,
    ROUNDED,
    ROWS,
    SHAPE,
    TILE_BANDS,
    TILE_BATCHES,
    TILE_PANELS,
    TILE_ROWS,
)

# How many multiplications of bfloat16 an instruction set does in the time of one of float32. And how many of these take
# as long as packing an element of A, which comes in rows, and of B, which comes from further away, as what is around a
# row of a panel's C, and around a matrix. Measured (docs/adr/0095).
TILES_GAIN, DOTS_GAIN = 7, 2
A_COST, B_COST, LINE_COST, MATRIX_COST = 8, 20, 64, 1 << 14
PRODUCTS = 1 << 19                     # multiplications of a tile that take as long as what is around it is worth
PACK_BYTES = 64 * 1024                 # of a tile of packing
MOST_TILES = 32                        # of a matrix's rows, about
FAR_BYTES, FAR_ROWS = 512 * 1024, 192  # of a B that is not read for fewer rows than that
FEW_TILES, COLUMN_TILES = 4, 16        # fewer tiles of rows are cut into columns, too, about so many in all


@helper
def quickness(choice):
    return TILES_GAIN if choice[MAY_ROUND] >= AMX else DOTS_GAIN


@helper
def cost_of_rounded(batches, rows, n, k, packed_matrices, choice):
    """Multiplications of float32 that take as long. packed_matrices: B's that are packed for the product."""
    high, wide, long = round_up(rows, TILE), round_up(n, TILE), round_up(k, STEP)
    each = high * wide * long // quickness(choice) + LINE_COST * high * ceil_div(n, WIDTH) + MATRIX_COST
    return batches * (each + A_COST * high * long) + packed_matrices * B_COST * wide * long


@helper
def tile_rows(rows, n, k, choice):
    """Rows of a tile: enough work, few enough tiles that threads share evenly, and B is not read too often."""
    least = ceil_div(PRODUCTS * quickness(choice), max(n * k, 1))
    if n * k * SIZE // 2 > FAR_BYTES:
        least = max(least, FAR_ROWS)
    tiles = max(rows // max(least, ceil_div(rows, MOST_TILES), HEIGHT), 1)
    return min(round_up(ceil_div(rows, shared_evenly(tiles)), HEIGHT), rows)


@helper
def bind_rounded(batches, rows, n, k, different, plain, choice):
    """different: matrices B; plain: whether they are packed in the step."""
    apart()
    panels, steps = ceil_div(n, WIDTH), steps_of(k)
    panel_bytes, bands = steps * STEP_BYTES, ceil_div(rows, TILE)
    choice[SHAPE], choice[BATCHES], choice[ROWS], choice[VARIANT] = ROUNDED, batches, rows, ROUNDED
    choice[PACK_PANELS] = min(max(PACK_BYTES // max(panel_bytes, 1), 1), panels)
    pack_tiles, packed_bytes = different * ceil_div(panels, choice[PACK_PANELS]), different * panels * panel_bytes
    if plain:
        choice[MODE], choice[WORK_BYTES], choice[B_TILES] = IN_WORK, packed_bytes, pack_tiles
    else:
        choice[MODE], choice[FORMAT] = PACKED, ROUNDED
        choice[PACKED_BYTES], choice[PACK_TILES] = packed_bytes, pack_tiles
    high = tile_rows(rows, n, k, choice)
    row_tiles, wide, together = ceil_div(rows, high), panels, 1
    if row_tiles * batches < FEW_TILES:
        least = ceil_div(PRODUCTS * quickness(choice), max(high * WIDTH * k, 1))
        wide = min(max(least, ceil_div(panels * row_tiles * batches, COLUMN_TILES)), panels)
    elif row_tiles == 1:
        together = min(ceil_div(PRODUCTS * quickness(choice), max(rows * n * k, 1)), batches)
    choice[TILE_ROWS], choice[TILE_PANELS], choice[TILE_BATCHES] = high, wide, together
    before = choice[B_TILES]
    if wide < panels:
        choice[TILE_BANDS] = min(max(PACK_BYTES // max(steps * SQUARE_BYTES, 1), 1), bands)
        choice[BANDS_AT] = choice[WORK_BYTES]
        choice[WORK_BYTES] += batches * bands * steps * SQUARE_BYTES
        before += batches * ceil_div(bands, choice[TILE_BANDS])
    choice[SCRATCH_BYTES] = scratch_bytes(0 if wide < panels else high, k)
    tiles = ceil_div(batches, together) * row_tiles * ceil_div(panels, wide)
    choice[TILES] = before if before > 0 else tiles
    choice[TILES_1] = tiles if before > 0 else 0
    if wide == panels and (batches == 1 or rows % high == 0):
        choice[TILE_ELEMENTS] = together * high * n
    elif rows == 1 and batches == 1:
        choice[TILE_ELEMENTS] = wide * WIDTH


@part("rounded_pack")
def pack_b(target, b, n, k, b_batch, transpose_b, choice, tile):
    panels = ceil_div(n, WIDTH)
    groups = ceil_div(panels, choice[PACK_PANELS])
    index, first = tile // groups, tile % groups * choice[PACK_PANELS]
    pack_pairs(target + (index * panels + first) * steps_of(k) * STEP_BYTES, b + index * b_batch * SIZE, n, k,
               transpose_b, first, min(first + choice[PACK_PANELS], panels))


@helper
def pack_a(work, a, a_row, a_step, k, a_batch, choice, tile):
    bands, each = ceil_div(choice[ROWS], TILE), choice[TILE_BANDS]
    groups, band_bytes = ceil_div(bands, each), steps_of(k) * SQUARE_BYTES
    index, first = tile // groups, tile % groups * each
    rows = min(each * TILE, choice[ROWS] - first * TILE)
    pack_bands(work + choice[BANDS_AT] + (index * bands + first) * band_bytes,
               a + index * a_batch * SIZE + first * TILE * a_row, a_row, a_step, rows, k, band_bytes)


@part("rounded")
def run_rounded(a, b, c, m, n, k, a_batch, b_batch, transpose_a, transpose_b, choice, work, scratch, phase, tile):
    """A tile. b: B as it is, or packed beforehand."""
    a_row, a_step = (SIZE, m * SIZE) if transpose_a else (k * SIZE, SIZE)
    if phase == 0 and choice[TILES_1] > 0:
        if tile < choice[B_TILES]:
            pack_b(work, b, n, k, b_batch, transpose_b, choice, tile)
        else:
            pack_a(work, a, a_row, a_step, k, a_batch, choice, tile - choice[B_TILES])
        return
    panels, steps, rows, high = ceil_div(n, WIDTH), steps_of(k), choice[ROWS], choice[TILE_ROWS]
    column_tiles, row_tiles = ceil_div(panels, choice[TILE_PANELS]), ceil_div(rows, high)
    panel, row = tile % column_tiles * choice[TILE_PANELS], tile // column_tiles % row_tiles * high
    first = tile // column_tiles // row_tiles * choice[TILE_BATCHES]
    right, bands = work if choice[MODE] == IN_WORK else b, ceil_div(rows, TILE)
    for index in range(first, min(first + choice[TILE_BATCHES], choice[BATCHES])):
        matrix = index * panels if b_batch != 0 else 0
        band = index * bands + row // TILE
        packed = work + choice[BANDS_AT] + band * steps * SQUARE_BYTES if choice[TILE_BANDS] != 0 else 0
        by_tiles = choice[MAY_ROUND] >= AMX
        rounded_product(by_tiles, a + index * a_batch * SIZE + row * a_row, a_row, a_step,
                        packed, min(high, rows - row), k, right + (matrix + panel) * steps * STEP_BYTES,
                        min(n - panel * WIDTH, choice[TILE_PANELS] * WIDTH),
                        c + ((index * rows + row) * n + panel * WIDTH) * SIZE, n * SIZE, scratch)
