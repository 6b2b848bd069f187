"""attention: softmax(scale q kT + mask) v of each matrix of a batch, without a matrix of all scores.

Job: a tile takes a block of rows of q, computes their scores into scratch, where they stay in the second cache, turns
them into exponentials, and multiplies those with v; what the exponentials of a row add up to divides the row of the
result. So nothing of the size rows * cols is in memory but for the mask, if there is one.
    phase 0    packs k, and v if its rows are no whole panels, into the workspace
    phase 1    (phase 0, if there is nothing to pack) a tile for each block of rows
Few rows read k as it lies, by dot products.
Invariants: a row's scores are computed by one tile, in an order that depends on sizes only; a row whose scores are
all -inf gives NaN, as softmax does; cols = 0 gives zeros.
"""
from __future__ import annotations

from ...contracts.calls import Functions
from ...scalars.exponential import exp_f32, exp_f64
from ..memory import ITEM_SIZES, NUMBA_TYPES, address, ceil_div, helper, offset, pointer_to, round_up, zero_bytes
from ..products.blocks import blocks
from ..products.dots import dot_products, tile_of
from ..products.micro import ISAS, shapes
from ..products.panels import packing
from ..vector import vectors
from ..words import OK, SCRATCH_BYTES, TILE_ELEMENTS, TILES, TILES_1, USER, WORK_BYTES

EXP = {"f32": exp_f32, "f64": exp_f64}
# Words of choice: rows of a tile; bytes of the packed k and v of one matrix, 0 where they are read in place.
ROWS, K_BYTES, V_BYTES = range(USER, USER + 3)
DOT_ROWS = 16                          # more rows of q pay for packing k
SCORES = 256 * 1024                    # bytes of a tile's scores, about
PRODUCTS = 1 << 19                     # multiplications of a tile, at least


def make_bind(dtype, shape, scratch_bytes):
    size, width, height = ITEM_SIZES[dtype], shape.width, shape.rows

    def bind(outer, inner, rows, cols, depth, columns, mask_outer, mask_inner, mask_row, masked, scale, choice):
        batch = outer * inner
        if batch * rows * columns == 0:
            return
        by_scores = SCORES // max(cols * size, 1)
        by_work = ceil_div(PRODUCTS, max(cols * (depth + columns), 1))
        most = min(max(by_scores // height * height, height), round_up(by_work, height) * 4)
        choice[ROWS] = ceil_div(rows, ceil_div(rows, most))
        choice[K_BYTES] = ceil_div(cols, width) * width * depth * size if rows > DOT_ROWS else 0
        choice[V_BYTES] = ceil_div(columns, width) * width * cols * size if columns % width != 0 else 0
        tiles = batch * ceil_div(rows, choice[ROWS])
        choice[WORK_BYTES] = batch * (choice[K_BYTES] + choice[V_BYTES])
        choice[SCRATCH_BYTES] = scratch_bytes + choice[ROWS] * (cols + 1) * size
        if rows % choice[ROWS] == 0:
            choice[TILE_ELEMENTS] = choice[ROWS] * columns
        if choice[WORK_BYTES] > 0:
            choice[TILES], choice[TILES_1] = batch, tiles
        else:
            choice[TILES] = tiles
    return bind


def make_exponentials(dtype):
    """The function (scores, mask, cols, masked, scale): a row of scores becomes exponentials; returns 1 / their sum."""
    exp, one = EXP[dtype], NUMBA_TYPES[dtype](1)
    row_sum, row_max = vectors(dtype).row_sum, vectors(dtype).row_max

    @helper
    def exponentials(scores, mask, cols, masked, scale):
        if masked != 0:
            for j in range(cols):
                scores[j] = scores[j] * scale + mask[j]
        else:
            for j in range(cols):
                scores[j] *= scale
        greatest = row_max(scores, cols)
        for j in range(cols):
            scores[j] = exp(scores[j] - greatest)
        return one / row_sum(scores, cols)
    return exponentials


def make_run(dtype, isa):
    size, number = ITEM_SIZES[dtype], NUMBA_TYPES[dtype]
    shape = shapes(isa, dtype).main
    width, kit, pack_panels = shape.width, blocks(dtype, shape), packing(dtype, shape).pack_panels
    multiply, dots = kit.multiply, dot_products(dtype, tile_of(isa))
    exponentials, at, kit_scratch = make_exponentials(dtype), pointer_to(dtype), kit.scratch_bytes

    @helper
    def pack(k, v, cols, depth, columns, choice, target):
        """k and v of one matrix."""
        if choice[K_BYTES] > 0:
            pack_panels(target, k, cols, depth, 1, 0, ceil_div(cols, width))
        if choice[V_BYTES] > 0:
            pack_panels(target + choice[K_BYTES], v, columns, cols, 0, 0, ceil_div(columns, width))

    @helper
    def score(q, k, scores, rows, cols, depth, choice, packed, scratch):
        """scores[rows, cols] = q kT"""
        if choice[K_BYTES] > 0:
            multiply(q, depth * size, size, rows, depth, packed, depth * width * size, width * size, cols, scores,
                     cols * size, scratch)
        else:
            dots(rows, cols, depth, q, depth * size, k, depth * size, scores, cols * size)

    @helper
    def mix(v, scores, y, rows, cols, columns, choice, packed, scratch):
        """y[rows, columns] = scores v"""
        if choice[V_BYTES] > 0:
            multiply(scores, cols * size, size, rows, cols, packed + choice[K_BYTES], cols * width * size,
                     width * size, columns, y, columns * size, scratch)
        else:
            multiply(scores, cols * size, size, rows, cols, v, width * size, columns * size, columns, y,
                     columns * size, scratch)

    def run(q, k, v, mask, y, outer, inner, rows, cols, depth, columns, mask_outer, mask_inner, mask_row, masked,
            scale, choice, work, scratch, phase, tile):
        each = choice[K_BYTES] + choice[V_BYTES]
        if phase == 0 and each > 0:
            pack(address(k) + tile * cols * depth * size, address(v) + tile * cols * columns * size, cols, depth,
                 columns, choice, work + tile * each)
            return OK
        parts = ceil_div(rows, choice[ROWS])
        index, first = tile // parts, tile % parts * choice[ROWS]
        count = min(choice[ROWS], rows - first)
        target = address(y) + (index * rows + first) * columns * size
        if cols == 0:
            zero_bytes(target, count * columns * size)
            return OK
        scores, packed = scratch + kit_scratch, work + index * each
        score(address(q) + (index * rows + first) * depth * size, address(k) + index * cols * depth * size, scores,
              count, cols, depth, choice, packed, scratch)
        above = offset(mask, index // inner * mask_outer + index % inner * mask_inner + first * mask_row)
        parts_of_one = at(scores + choice[ROWS] * cols * size)        # 1 / the sum of each row
        for i in range(count):
            parts_of_one[i] = exponentials(at(scores + i * cols * size), offset(above, i * mask_row), cols, masked,
                                           number(scale))
        mix(address(v) + index * cols * columns * size, scores, target, count, cols, columns, choice, packed, scratch)
        for i in range(count):
            row = at(target + i * columns * size)
            for j in range(columns):
                row[j] *= parts_of_one[i]
        return OK
    return run


def make(types):
    dtype = types["T"]
    binds, runs = {}, {}
    for isa in ISAS:
        shape = shapes(isa, dtype).main
        binds[isa] = make_bind(dtype, shape, blocks(dtype, shape).scratch_bytes)
        runs[isa] = make_run(dtype, isa)
    return Functions(binds, runs)
