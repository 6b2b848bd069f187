"""A block of a matrix product: rows of A against packed (or suitably placed) panels of B.

Job: cuts k and n so that a block of B stays in the second cache and a tile of A in the first, and calls the
micro-kernel. Order: blocks of panels, blocks of k, tiles of rows, panels; so every element of C gets its products in
the order of k.
Tiles of a transposed A are brought in order first (columns.py), if they are used for some panels. What comes next, of A
or of B, is asked for while a panel is multiplied.
Columns after the last whole panel that fill no more than half of one are multiplied by the kernel of half the width.
Invariants: reads A only in its rows and k; scratch holds SCRATCH bytes (scratch_bytes), a table and a copy of a tile of
A.
"""
from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from ..memory import ITEM_SIZES, copy_bytes, helper, int64_at, part
from .columns import tile_columns
from .micro import Shape, half_of, streaming_kernel

TABLE_BYTES = 128
# Rows at a multiple of this distance meet in one set of the first cache: from so many panels on it pays to copy a tile.
COLLIDING = 4096
COPY_PANELS = 4
# A tile of a transposed A is copied for so many panels, if it has more k: less stays in the first cache as it lies,
# though its rows stand across two lines.
TURNED_PANELS, TURNED_LENGTH = 8, 128
# A tile of fewer rows is done with a line of B before the next one could come from memory: it asks for what it needs
# soon, and so does one that is alone with so few rows.
STREAMED_ROWS = 4
ROWS_AHEAD = 8
ALONE_ROWS = 8
BYTES_AHEAD = 8192


@dataclass(frozen=True)
class Blocks:
    """multiply(a, a_row, a_step, rows, k, b, b_panel, b_step, columns, c, c_row, scratch): addresses, steps in bytes.

    a_row, a_step: from one row of A to the next, from one k to the next; one of the two is the size of an element.
    b_panel, b_step: from one panel of B to the next, from one k to the next. columns: of C, and of B's panels together.
    multiply_onto(the same): adds the product to what stands in C. product(the same, onto): either.
    panels: of a block of B, which takes block_bytes.
    """

    shape: Shape
    multiply: Any
    multiply_onto: Any
    product: Any
    scratch_bytes: int
    panels: int
    block_bytes: int


def k_block(dtype: str, shape: Shape) -> int:
    """k of a block: a tile of A takes up to 28 KB of the first cache."""
    if shape.vectors == 1:
        return 2048 * 4 // ITEM_SIZES[dtype]
    return 512 * 4 // ITEM_SIZES[dtype] if shape.rows > 3 else 1024 * 4 // ITEM_SIZES[dtype]


@cache
def blocks(dtype: str, shape: Shape) -> Blocks:
    size, width, most_rows = ITEM_SIZES[dtype], shape.width, shape.rows
    micro = streaming_kernel(dtype, shape)
    half = half_of(dtype, shape)
    half_micro, half_width = (micro, 0) if half is None else (streaming_kernel(dtype, half), half.width)
    longest = k_block(dtype, shape)
    line_bytes = shape.line_bytes(size)
    panels_block = max(512 * 1024 // (longest * line_bytes), 1)
    copy_row = (longest + 16) * size       # of a copied tile, row by row
    turned = tile_columns(dtype, shape, longest)
    copy_columns, together, column_step, turned_bytes = turned.copy, turned.together, turned.step, turned.tile_bytes

    @part("multiply", shape)
    def product(a, a_row, a_step, rows, k, b, b_panel, b_step, columns, c, c_row, scratch, onto):
        table, copied = int64_at(scratch), scratch + TABLE_BYTES
        table[0] = 0
        panels = (columns + width - 1) // width
        tiles = (rows + most_rows - 1) // most_rows
        low_height = rows // tiles
        higher = rows - low_height * tiles     # tiles that have a row more
        k_blocks = max((k + longest - 1) // longest, 1)
        for first_panel in range(0, panels, panels_block):
            last_panel = min(first_panel + panels_block, panels)
            copying = last_panel - first_panel >= COPY_PANELS
            turning = last_panel - first_panel >= TURNED_PANELS
            for k_number in range(k_blocks):
                first_k = k * k_number // k_blocks
                length = k * (k_number + 1) // k_blocks - first_k
                row = 0
                for tile in range(tiles):
                    height = low_height + min(max(higher - tile, 0), 1)
                    origin = a + row * a_row + first_k * a_step
                    source, step, row_step = origin, a_step, a_row
                    # What the next tile needs of A is asked for by `asking` panels, each at a row more.
                    following, asking, next_step = origin + height * a_row, min(tiles - 1 - tile, 1), a_step
                    collide = copying and a_step % COLLIDING == 0
                    if a_step != size and (collide or (turning and length > TURNED_LENGTH)):
                        place = tile % together
                        if place == 0:
                            copy_columns(copied, source, a_step, length, low_height, higher - tile,
                                         min(tiles - tile, together), rows - row)
                        source, step, row_step = copied + place * turned_bytes, column_step, size
                        first_row = (tile - place + together) * low_height + min(tile - place + together, higher)
                        following = a + first_row * a_row + first_k * a_step + place * line_bytes
                        asking = min(max(tiles - (tile - place + together), 0), 1)
                    elif a_step == size and a_row == length * size:
                        next_step = line_bytes
                    elif a_step == size:
                        asking, next_step = asking * height, size
                        if copying and a_row % COLLIDING == 0:
                            for i in range(height):
                                copy_bytes(copied + i * copy_row, source + i * a_row, length * size)
                            source, row_step = copied, copy_row
                    for i in range(height):
                        table[1 + i] = source + i * row_step
                    for panel in range(first_panel, last_panel):
                        line, target = b + panel * b_panel + first_k * b_step, c + row * c_row + panel * width * size
                        ahead, ahead_step = ROWS_AHEAD * b_step, b_step
                        number = panel - first_panel if tile > 0 else panel + 1 - last_panel
                        if most_rows < STREAMED_ROWS:
                            ahead = ROWS_AHEAD * b_step
                        elif rows <= ALONE_ROWS and b_step == line_bytes:
                            ahead = BYTES_AHEAD
                        elif number >= 0 and number < asking:
                            ahead, ahead_step = following + number * a_row - line, next_step
                        elif tile == 0:    # B comes from memory: what is multiplied next is asked for
                            ahead = b_panel
                            if panel + 1 == last_panel:
                                ahead = ((first_panel - panel) * b_panel + length * b_step if k_number + 1 < k_blocks
                                         else b_panel - first_k * b_step)
                        elif tile + 1 == tiles and k_number + 1 < k_blocks:
                            ahead = length * b_step
                        elif tile + 1 == tiles and panel + panels_block < panels:
                            ahead = panels_block * b_panel - first_k * b_step
                        if columns - panel * width <= half_width:
                            half_micro(height, min(length, 1), length, 0, step, line, b_step, scratch, target, c_row,
                                       onto + k_number, columns - panel * width, ahead, ahead_step)
                        else:
                            micro(height, min(length, 1), length, 0, step, line, b_step, scratch, target, c_row,
                                  onto + k_number, columns - panel * width, ahead, ahead_step)
                    row += height

    @helper
    def multiply(a, a_row, a_step, rows, k, b, b_panel, b_step, columns, c, c_row, scratch):
        product(a, a_row, a_step, rows, k, b, b_panel, b_step, columns, c, c_row, scratch, 0)

    @helper
    def multiply_onto(a, a_row, a_step, rows, k, b, b_panel, b_step, columns, c, c_row, scratch):
        product(a, a_row, a_step, rows, k, b, b_panel, b_step, columns, c, c_row, scratch, 1)

    most = max(copy_row * most_rows, together * turned_bytes)
    return Blocks(shape, multiply, multiply_onto, product, TABLE_BYTES + (most + 63) // 64 * 64, panels_block,
                  panels_block * longest * line_bytes)
