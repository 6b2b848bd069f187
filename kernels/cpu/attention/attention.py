"""attention, attention_kept, attention_dropped: softmax(scale q kT + mask) v of each matrix of a batch, without a
matrix of all scores.

Job: a tile takes a block of rows of q, computes their scores into scratch, where they stay in the second cache, turns
them into exponentials, and multiplies those with v; what the exponentials of a row add up to divides the row of the
result. So nothing of the size rows * cols is in memory but for the mask, if there is one. Keys that the mask provably
hides from all rows of a tile are left out (attention_blocks.py), with causal masks nearly half. q, k and v are read by
strides, as they lie in one product's result; y may have its inner axis (heads) after the rows, as the next product
wants them.
    phase 0    packs k, and v if its rows are no whole panels or lie apart, into the workspace; makes the tables of the
               mask
    phase 1    (phase 0, if there is nothing to prepare) a tile for each block of rows
Few rows read k by dot products, and both as they lie. attention_kept also writes, for attention_grad, each row's
greatest score and 1 / the sum of its exponentials. So does attention_dropped, which multiplies the weights by the
factors of a dropout (dropping.py).
Invariants: a row's scores are computed by one tile, in an order that depends on sizes only, not on the ISA's tiles (a
library may hold one ISA's code in another's place); a row whose scores are all -inf gives NaN, as softmax does; cols =
0 gives zeros.
"""
from __future__ import annotations

from functools import cache

from ...contracts.calls import Functions
from ...scalars.exponential import exp_f32, exp_f64
from ..memory import (
    ITEM_SIZES,
    NUMBA_TYPES,
    address,
    apart,
    ceil_div,
    helper,
    int64_at,
    offset,
    pointer_to,
    round_up,
    zero_bytes,
)
from ..products.blocks import blocks, k_block
from ..products.dots import dot_products, tile_of
from ..products.micro import ISAS, shapes
from ..products.panels import packing
from ..vector import vectors
from ..words import OK, SCRATCH_BYTES, TILE_ELEMENTS, TILES, TILES_1, USER, WORK_BYTES
from .attention_blocks import NO_MASK, block_of, copy_rows, gathering, masks, matrix_at, spans, steps_of
from .dropping import EXTRA, dropping

EXP = {"f32": exp_f32, "f64": exp_f64}
# Words of choice: rows of a tile; bytes of the packed k and v of one matrix, 0 where they are read in place; matrices
# of the mask that are tabulated, 0 if none are.
ROWS, K_BYTES, V_BYTES, TABLES = range(USER, USER + 4)
DOT_ROWS = 16                          # more rows of q pay for packing k
TABLED_COLS = 256                      # fewer columns are not worth a table
SCORES = 256 * 1024                    # bytes of a tile's scores, about
PRODUCTS = 1 << 19                     # multiplications of a tile, at least
SURVEY = 64                            # bytes of what is known of a matrix: the greatest |k|^2, or infinity
TABLE_ROWS = 64                        # rows of the mask that one tile tabulates


def make_bind(dtype, shape, scratch_bytes):
    size, width, height, block = ITEM_SIZES[dtype], shape.width, shape.rows, block_of(shape.width)

    @helper
    def tables(outer, inner, rows, cols, mask_outer, mask_inner, masked):
        """Matrices of the mask that are to be tabulated."""
        if masked == NO_MASK or rows <= DOT_ROWS or cols < TABLED_COLS:
            return 0
        return (outer if mask_outer != 0 else 1) * (inner if mask_inner != 0 else 1)

    def bind(outer, inner, rows, cols, depth, columns, mask_outer, mask_inner, mask_row, q_at, q_outer, q_inner, q_row,
             k_at, k_outer, k_inner, k_row, v_at, v_outer, v_inner, v_row, masked, inside, scale, choice):
        batch = outer * inner
        if batch * rows * columns == 0:
            return
        by_scores = SCORES // max(cols * size, 1)
        by_work = ceil_div(PRODUCTS, max(cols * (depth + columns), 1))
        most = min(max(by_scores // height * height, height), round_up(by_work, height) * 4)
        choice[ROWS] = ceil_div(rows, ceil_div(rows, most))
        choice[K_BYTES] = ceil_div(cols, width) * width * depth * size if rows > DOT_ROWS else 0
        packed = columns % width != 0 or (v_row != columns and rows > DOT_ROWS)
        choice[V_BYTES] = ceil_div(columns, width) * width * cols * size if packed else 0
        choice[TABLES] = tables(outer, inner, rows, cols, mask_outer, mask_inner, masked)
        tiles = batch * ceil_div(rows, choice[ROWS])
        choice[WORK_BYTES] = batch * (choice[K_BYTES] + choice[V_BYTES])
        choice[SCRATCH_BYTES] = scratch_bytes + choice[ROWS] * (cols + 1) * size + (cols + EXTRA) * size
        if q_row != depth:                             # copies of what lies apart
            choice[SCRATCH_BYTES] += choice[ROWS] * depth * size
        if inside != 0:
            choice[SCRATCH_BYTES] += choice[ROWS] * columns * size
        if rows % choice[ROWS] == 0 and (inside == 0 or inner == 1):
            choice[TILE_ELEMENTS] = choice[ROWS] * columns
        table_tiles = 0
        if choice[TABLES] > 0:
            table_rows = rows if mask_row != 0 else 1
            table_tiles = choice[TABLES] * ceil_div(table_rows, TABLE_ROWS)
            choice[WORK_BYTES] += batch * SURVEY + choice[TABLES] * table_rows * ceil_div(cols, block) * size
        if choice[WORK_BYTES] > 0:
            choice[TILES], choice[TILES_1] = batch + table_tiles, tiles
        else:
            choice[TILES] = tiles
    return bind


def make_exponentials(dtype):
    """The function (scores, mask, cols, masked, scale): a row of scores becomes exponentials; returns the greatest of
    them and 1 / their sum."""
    exp, one, apply = EXP[dtype], NUMBA_TYPES[dtype](1), masks(dtype).apply
    row_sum, row_max = vectors(dtype).row_sum, vectors(dtype).row_max

    @helper
    def exponentials(scores, mask, cols, masked, scale):
        apart()
        if masked != NO_MASK:
            apply(scores, mask, cols, masked, scale)
        else:
            for j in range(cols):
                scores[j] *= scale
        greatest = row_max(scores, cols)
        for j in range(cols):
            scores[j] = exp(scores[j] - greatest)
        return greatest, one / row_sum(scores, cols)
    return exponentials


def make_prepare(dtype, isa):
    """The function of phase 0 (k, v, mask, ..., work, tile)."""
    shape = shapes(isa, dtype).main
    size, width, block = ITEM_SIZES[dtype], shape.width, block_of(shape.width)
    pack_apart, at, look = packing(dtype, shape).pack_apart, pointer_to(dtype), spans(dtype, shape.width)
    survey, tabulate, endless = look.survey, look.tabulate, NUMBA_TYPES[dtype](float("inf"))

    @helper
    def pack(k, k_row, v, v_row, cols, depth, columns, choice, target):
        """k and v of one matrix."""
        if choice[K_BYTES] > 0:
            pack_apart(target, k, k_row * size, cols, depth, 1, 0, ceil_div(cols, width))
        if choice[V_BYTES] > 0:
            pack_apart(target + choice[K_BYTES], v, v_row * size, columns, cols, 0, 0, ceil_div(columns, width))

    @helper
    def prepare(k, k_steps, v, v_steps, mask, outer, inner, rows, cols, depth, columns, mask_outer, mask_inner,
                mask_row, choice, work, tile):
        apart()
        each, batch = choice[K_BYTES] + choice[V_BYTES], outer * inner
        if tile < batch:
            right, mixed = offset(k, matrix_at(tile, inner, k_steps)), offset(v, matrix_at(tile, inner, v_steps))
            if each > 0:
                pack(address(right), k_steps[2], address(mixed), v_steps[2], cols, depth, columns, choice,
                     work + tile * each)
            if choice[TABLES] > 0:
                known = at(work + batch * each + tile * SURVEY)
                known[0] = survey(right, cols, k_steps[2], depth)
                if survey(mixed, cols, v_steps[2], columns) == endless:
                    known[0] = endless
            return
        table_rows = rows if mask_row != 0 else 1
        parts = ceil_div(table_rows, TABLE_ROWS)
        index, first = (tile - batch) // parts, (tile - batch) % parts * TABLE_ROWS
        inners = inner if mask_inner != 0 else 1
        source = offset(mask, index // inners * mask_outer + index % inners * mask_inner + first * mask_row)
        blocks_of_row = ceil_div(cols, block)
        table = at(work + batch * (each + SURVEY) + (index * table_rows + first) * blocks_of_row * size)
        tabulate(source, min(TABLE_ROWS, table_rows - first), mask_row, cols, table)
    return prepare


def make_tile(dtype, isa):
    """The function that computes a block of rows; at address kept (0: nowhere) it writes two numbers for each row.
    dropped: whether draw and drop are there (dropping.py)."""
    size, number = ITEM_SIZES[dtype], NUMBA_TYPES[dtype]
    shape = shapes(isa, dtype).main
    width, kit, look, block = shape.width, blocks(dtype, shape), spans(dtype, shape.width), block_of(shape.width)
    multiply, multiply_onto, longest = kit.multiply, kit.multiply_onto, k_block(dtype, shape)
    dots, survey, span = dot_products(dtype, tile_of(isa)), look.survey, look.span
    gathered = gathering(dtype)
    exponentials, at, kit_scratch = make_exponentials(dtype), pointer_to(dtype), kit.scratch_bytes
    factors, half, zero = dropping(dtype), number(0.5), number(0)

    @helper
    def score(q, k, k_row, scores, rows, low, count, cols, depth, choice, packed, scratch):
        """scores[rows, count] = q kT, of the columns from `low` on"""
        if choice[K_BYTES] > 0:
            multiply(q, depth * size, size, rows, depth, packed + low * depth * size, depth * width * size,
                     width * size, count, scores, cols * size, scratch)
        else:
            dots(rows, count, depth, q, depth * size, k + low * k_row * size, k_row * size, scores, cols * size)

    @helper
    def mix(v, v_row, scores, y, rows, low, count, cols, columns, choice, packed, scratch):
        """y[rows, columns] = scores v, of the rows of v from `low` on. What is added up together are the same columns
        whatever is left out: so the bits do not tell how large tiles are."""
        sums = max(ceil_div(cols, longest), 1)
        done = 0
        for piece in range(sums):
            first = max(cols * piece // sums - low, 0)
            part = min(cols * (piece + 1) // sums - low, count) - first
            if part <= 0:
                continue
            left, above = scores + first * size, low + first
            right, panel, step = v + above * v_row * size, width * size, v_row * size
            if choice[V_BYTES] > 0:
                right, panel, step = packed + choice[K_BYTES] + above * width * size, cols * width * size, width * size
            if done == 0:
                multiply(left, cols * size, size, rows, part, right, panel, step, columns, y, columns * size, scratch)
            else:
                multiply_onto(left, cols * size, size, rows, part, right, panel, step, columns, y, columns * size,
                              scratch)
            done = 1

    @helper
    def drop_row(weights, draw, drop, first, count, spare):
        apart()
        by = factors(draw, drop, first, count, spare)
        for j in range(count):
            weights[j] *= by[j]

    @helper
    def counting(q, index, first, count, outer, inner, rows, cols, depth, mask_outer, mask_inner, mask_row, scale,
                 factor, choice, work):
        """The first and the last + 1 of the columns that count for the tile's rows. factor: of weights."""
        if choice[TABLES] == 0:
            return 0, cols
        batch, each = outer * inner, choice[K_BYTES] + choice[V_BYTES]
        table_rows, blocks_of_row = (rows if mask_row != 0 else 1), ceil_div(cols, block)
        inners = inner if mask_inner != 0 else 1
        table_number = (index // inner * inners if mask_outer != 0 else 0) + (index % inner if mask_inner != 0 else 0)
        table_first = first if mask_row != 0 else 0
        table = at(work + batch * (each + SURVEY) + (table_number * table_rows + table_first) * blocks_of_row * size)
        known = at(work + batch * each + index * SURVEY)
        bound = (survey(q, count, depth, depth) + known[0]) * half * abs(scale)
        bound += factor - factor                       # 0 times infinity is not 0
        return span(table, count, blocks_of_row if mask_row != 0 else 0, cols, bound)

    @helper
    def compute(q, q_steps, k, k_steps, v, v_steps, draw, drop, dropped, mask, y, y_steps, kept, outer, inner, rows,
                cols, depth, columns, mask_outer, mask_inner, mask_row, masked, scale, choice, work, scratch, tile):
        apart()
        parts = ceil_div(rows, choice[ROWS])
        index, first = tile // parts, tile % parts * choice[ROWS]
        count = min(choice[ROWS], rows - first)
        q_row, y_row = q_steps[2], y_steps[2]
        target = address(offset(y, matrix_at(index, inner, y_steps) + first * y_row))
        notes = at(kept + (index * rows + first) * 2 * size)
        if cols == 0:
            for i in range(count):
                zero_bytes(target + i * y_row * size, columns * size)
            if kept != 0:
                for i in range(2 * count):
                    notes[i] = zero
            return
        scores = scratch + kit_scratch
        spare = scores + choice[ROWS] * (cols + 1) * size
        left = gathered(offset(q, matrix_at(index, inner, q_steps) + first * q_row), q_row, count, depth, spare)
        low, high = counting(left, index, first, count, outer, inner, rows, cols, depth, mask_outer, mask_inner,
                             mask_row, scale, drop[2] if dropped != 0 else half, choice, work)
        packed = work + index * (choice[K_BYTES] + choice[V_BYTES])
        score(address(left), address(offset(k, matrix_at(index, inner, k_steps))), k_steps[2], scores, count,
              low, high - low, cols, depth, choice, packed, scratch)
        above = offset(mask, index // inner * mask_outer + index % inner * mask_inner + first * mask_row + low)
        parts_of_one = at(scores + choice[ROWS] * cols * size)        # 1 / the sum of each row
        by_weights = scratch + choice[SCRATCH_BYTES] - (cols + EXTRA) * size
        for i in range(count):
            weights = at(scores + i * cols * size)
            greatest, part = exponentials(weights, offset(above, i * mask_row), high - low, masked, scale)
            if dropped != 0:
                drop_row(weights, draw, drop, (index * rows + first + i) * cols + low, high - low, by_weights)
            parts_of_one[i] = part
            if kept != 0:
                notes[2 * i] = greatest
                notes[2 * i + 1] = part
        mixed = target
        if y_row != columns:
            mixed = spare if q_row == depth else spare + choice[ROWS] * depth * size
        mix(address(offset(v, matrix_at(index, inner, v_steps))), v_steps[2], scores, mixed, count, low,
            high - low, cols, columns, choice, packed, scratch)
        for i in range(count):
            row = at(mixed + i * columns * size)
            for j in range(columns):
                row[j] *= parts_of_one[i]
        if mixed != target:
            copy_rows(target, y_row * size, mixed, columns * size, count, columns * size)
    return compute


@cache
def make_runs(dtype, isa):
    """run of attention, of attention_kept and of attention_dropped."""
    number, at = NUMBA_TYPES[dtype], pointer_to(dtype)
    prepare, compute = make_prepare(dtype, isa), make_tile(dtype, isa)

    @helper
    def run_tile(q, q_steps, k, k_steps, v, v_steps, draw, drop, dropped, mask, y, kept, outer, inner, rows, cols,
                 depth, columns, mask_outer, mask_inner, mask_row, masked, inside, scale, choice, work, scratch, phase,
                 tile):
        apart()
        if phase == 0 and choice[WORK_BYTES] > 0:
            prepare(k, k_steps, v, v_steps, mask, outer, inner, rows, cols, depth, columns, mask_outer, mask_inner,
                    mask_row, choice, work, tile)
        else:
            compute(q, q_steps, k, k_steps, v, v_steps, draw, drop, dropped, mask, y,
                    steps_of(inside, inner, rows, columns), kept, outer, inner, rows, cols, depth, columns, mask_outer,
                    mask_inner, mask_row, masked, number(scale), choice, work, scratch, tile)

    def run(q, k, v, mask, y, outer, inner, rows, cols, depth, columns, mask_outer, mask_inner, mask_row, q_at, q_outer,
            q_inner, q_row, k_at, k_outer, k_inner, k_row, v_at, v_outer, v_inner, v_row, masked, inside, scale, choice,
            work, scratch, phase, tile):
        run_tile(offset(q, q_at), (q_outer, q_inner, q_row), offset(k, k_at), (k_outer, k_inner, k_row),
                 offset(v, v_at), (v_outer, v_inner, v_row), int64_at(0), at(0), 0, mask, y, 0, outer, inner, rows,
                 cols, depth, columns, mask_outer, mask_inner, mask_row, masked, inside, scale, choice, work, scratch,
                 phase, tile)
        return OK

    def run_kept(q, k, v, mask, kept, y, outer, inner, rows, cols, depth, columns, mask_outer, mask_inner, mask_row,
                 q_at, q_outer, q_inner, q_row, k_at, k_outer, k_inner, k_row, v_at, v_outer, v_inner, v_row, masked,
                 inside, scale, choice, work, scratch, phase, tile):
        run_tile(offset(q, q_at), (q_outer, q_inner, q_row), offset(k, k_at), (k_outer, k_inner, k_row),
                 offset(v, v_at), (v_outer, v_inner, v_row), int64_at(0), at(0), 0, mask, y, address(kept), outer,
                 inner, rows, cols, depth, columns, mask_outer, mask_inner, mask_row, masked, inside, scale, choice,
                 work, scratch, phase, tile)
        return OK

    def run_dropped(q, k, v, draw, drop, mask, kept, y, outer, inner, rows, cols, depth, columns, mask_outer,
                    mask_inner, mask_row, q_at, q_outer, q_inner, q_row, k_at, k_outer, k_inner, k_row, v_at, v_outer,
                    v_inner, v_row, masked, inside, scale, choice, work, scratch, phase, tile):
        run_tile(offset(q, q_at), (q_outer, q_inner, q_row), offset(k, k_at), (k_outer, k_inner, k_row),
                 offset(v, v_at), (v_outer, v_inner, v_row), draw, drop, 1, mask, y, address(kept), outer, inner, rows,
                 cols, depth, columns, mask_outer, mask_inner, mask_row, masked, inside, scale, choice, work, scratch,
                 phase, tile)
        return OK
    return run, run_kept, run_dropped


def make_with(types, bind_of, run_of):
    """Functions of bind_of(dtype, main shape, scratch bytes of blocks) and run_of(dtype, isa)."""
    dtype = types["T"]
    binds, runs = {}, {}
    for isa in ISAS:
        shape = shapes(isa, dtype).main
        binds[isa] = bind_of(dtype, shape, blocks(dtype, shape).scratch_bytes)
        runs[isa] = run_of(dtype, isa)
    return Functions(binds, runs)


def make(types):
    return make_with(types, make_bind, lambda dtype, isa: make_runs(dtype, isa)[0])


def make_kept(types):
    return make_with(types, make_bind, lambda dtype, isa: make_runs(dtype, isa)[1])


def make_dropped(types):
    return make_with(types, make_bind, lambda dtype, isa: make_runs(dtype, isa)[2])
