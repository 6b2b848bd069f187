"""A product whose B is packed on the way: block by block, right before it is multiplied.

Job: what a tile of all rows of A, or so many that packing does not matter, does with its own columns of B. A block that
was packed is in the second cache when it is multiplied, where a B that is packed as a whole goes to memory and back.
Order and cuts are those of blocks.py, so an element's products are added as there.
Invariants: reads B in its columns and k only; scratch holds what blocks.py asks for, and after it the block.
"""
from __future__ import annotations

from functools import cache
from typing import Any

from ..memory import ITEM_SIZES, compact, part
from .blocks import blocks, k_block
from .micro import Shape
from .panels import packing


@cache
def packed_on_the_way(dtype: str, shape: Shape) -> Any:
    """The numba function (a, a_row, a_step, rows, k, b, n, transposed, first, panels, c, c_row, scratch): addresses and
    steps in bytes; b: all of B[k, n], or B[n, k]; c: where its column `first` * width, of the first panel, goes."""
    size, width, longest, kit = ITEM_SIZES[dtype], shape.width, k_block(dtype, shape), blocks(dtype, shape)
    pack, product, block_panels = packing(dtype, shape).pack_apart, kit.product, kit.panels
    scratch_bytes, line_bytes = kit.scratch_bytes, width * size

    @part("packing", shape)
    def multiply(a, a_row, a_step, rows, k, b, n, transposed, first, panels, c, c_row, scratch):
        compact()
        b_row, b_step = (k * size, size) if transposed else (n * size, n * size)
        packed, k_blocks = scratch + scratch_bytes, max((k + longest - 1) // longest, 1)
        for start in range(0, panels, block_panels):
            panel, stop = first + start, first + min(start + block_panels, panels)
            for k_number in range(k_blocks):
                first_k = k * k_number // k_blocks
                length = k * (k_number + 1) // k_blocks - first_k
                pack(packed, b + first_k * b_step, b_row, n, length, transposed, panel, stop)
                product(a + first_k * a_step, a_row, a_step, rows, length, packed, length * line_bytes, line_bytes,
                        min(n, stop * width) - panel * width, c + start * width * size, c_row, scratch, k_number)
    return multiply
