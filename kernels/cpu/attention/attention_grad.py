"""attention_grad, attention_general_grad: the gradients of attention by q, k and v, without a matrix of all scores.

Job: q, k, v and dy are read by strides; y, dq, dk and dv may have their inner axis after the rows, as in attention.py.
With p = exp(scale q kT + mask - greatest) * part, from what attention_kept kept of each row, and d = the sum of
dy y along a row,

    dv = pT dy      dt = p (dy vT - d) scale      dq = dt k      dk = dtT q

where a dropout (dropping.py) multiplies p by f, dv = (p f)T dy and dt = p (f dy vT - d) scale. All of it is computed
block by block: a block of rows and columns of p and dt is made in scratch, where it stays in the second cache, and
multiplied three times. A tile takes a group of row blocks of one matrix, and of these all columns.
    phase 0    a tile for each group. If a matrix is one group, it adds to dk and dv themselves, else to sums of its own
               in the workspace
    phase 1    those sums are added up, in the order of the groups
attention_general_grad also knows dropout, and gives the gradient of a mask that is added, dt / scale added up over the
axes along which the mask is broadcast: then a tile takes the same rows of all matrices that share a mask's, one after
the other, and adds them to the result.

Columns at either end of a block that the mask provably hides from all of its rows add exactly 0 and are left out
(attention_blocks.py).
Invariants: groups and blocks depend on sizes only, not on the ISA, and so does the order of every sum; cols = 0 gives
zeros.
"""
from __future__ import annotations

from functools import cache

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
from ..products.blocks import blocks
from ..products.micro import shapes
from ..products.panels import packing
from ..words import OK, SCRATCH_BYTES, TILES, TILES_1, USER, WORK_BYTES
from .attention import make_with
from .attention_blocks import NO_MASK, block_of, copy_rows, gathering, matrix_at, row_dot, spans, steps_of
from .attention_weights import make_differentiate, make_weigh
from .dropping import EXTRA

# Words of choice: rows and columns of a block; rows of a group; groups of a matrix; how many matrices of the outer and
# the inner axis a tile takes.
ROWS, COLS, GROUP_ROWS, GROUPS, OUTERS, INNERS = range(USER, USER + 6)
MOST_COLS = 256
BLOCK_BYTES = 256 * 1024               # of p and dt of a block, about
FEW_TILES = 8                          # with as many matrices each is one group
HEIGHTS = 42                           # rows of a block: whole tiles of every ISA, on which no bit may depend
PAD = 16                               # elements after a row of p: columns that are read do not collide in the cache


@cache
def make_bind(dtype, shape, scratch_bytes):
    """bind of attention_grad and of attention_general_grad."""
    size, width = ITEM_SIZES[dtype], shape.width

    @helper
    def packed_bytes(columns, k):
        """Of a matrix [k, columns] in panels."""
        return ceil_div(columns, width) * width * k * size

    @helper
    def choose(outer, inner, rows, cols, depth, columns, q_row, dy_row, k_row, dq_inside, dk_inside, dv_inside, outers,
               inners, most_groups, choice):
        """outers, inners: how many matrices of these axes a tile takes, all or 1."""
        batch = outer * inner
        across = min(round_up(max(cols, 1), width), max(MOST_COLS // width * width, width))
        most = max(BLOCK_BYTES // (2 * min(max(cols, 1), MOST_COLS) * size) // HEIGHTS * HEIGHTS, HEIGHTS)
        down = ceil_div(max(rows, 1), ceil_div(max(rows, 1), most))
        row_blocks = ceil_div(max(rows, 1), down)
        places = (outer if outers == 1 else 1) * (inner if inners == 1 else 1)
        groups = min(row_blocks, max(FEW_TILES // max(places, 1), 1), most_groups)
        choice[ROWS], choice[COLS], choice[OUTERS], choice[INNERS] = down, across, outers, inners
        choice[GROUP_ROWS] = ceil_div(row_blocks, groups) * down
        choice[GROUPS] = ceil_div(max(rows, 1), choice[GROUP_ROWS])
        choice[TILES] = places * choice[GROUPS]
        if choice[GROUPS] > 1:
            choice[TILES_1] = batch
            choice[WORK_BYTES] = batch * choice[GROUPS] * cols * (depth + columns) * size
        choice[SCRATCH_BYTES] = (scratch_bytes + packed_bytes(across, depth) + packed_bytes(across, columns)
                                 + packed_bytes(depth, max(across, down)) + packed_bytes(columns, down)
                                 + 2 * down * (across + PAD) * size + choice[GROUP_ROWS] * size
                                 + (across + EXTRA) * size)
        # Copies of what lies apart: a group's rows of q, dy and dq, a block of k, dk and dv.
        if q_row != depth:
            choice[SCRATCH_BYTES] += choice[GROUP_ROWS] * depth * size
        if dy_row != columns:
            choice[SCRATCH_BYTES] += choice[GROUP_ROWS] * columns * size
        if dq_inside != 0:
            choice[SCRATCH_BYTES] += choice[GROUP_ROWS] * depth * size
        if k_row != depth:
            choice[SCRATCH_BYTES] += across * depth * size
        if dk_inside != 0:
            choice[SCRATCH_BYTES] += across * depth * size
        if dv_inside != 0:
            choice[SCRATCH_BYTES] += across * columns * size

    def bind(outer, inner, rows, cols, depth, columns, mask_outer, mask_inner, mask_row, q_at, q_outer, q_inner, q_row,
             k_at, k_outer, k_inner, k_row, v_at, v_outer, v_inner, v_row, dy_at, dy_outer, dy_inner, dy_row, masked,
             y_inside, dq_inside, dk_inside, dv_inside, scale, choice):
        if outer * inner * (rows + cols) * (depth + columns) != 0:
            choose(outer, inner, rows, cols, depth, columns, q_row, dy_row, k_row, dq_inside, dk_inside, dv_inside, 1,
                   1, FEW_TILES, choice)

    def bind_general(outer, inner, rows, cols, depth, columns, mask_outer, mask_inner, mask_row, q_at, q_outer,
                     q_inner, q_row, k_at, k_outer, k_inner, k_row, v_at, v_outer, v_inner, v_row, dy_at, dy_outer,
                     dy_inner, dy_row, by_outer, by_inner, by_row, masked, y_inside, dq_inside, dk_inside, dv_inside,
                     dropped, trained, scale, choice):
        if trained != 0:                               # also of a mask that no matrix reads: its gradient is 0
            choose(outer, inner, rows, cols, depth, columns, q_row, dy_row, k_row, dq_inside, dk_inside, dv_inside,
                   1 if by_outer != 0 else outer, 1 if by_inner != 0 else inner, 1 if by_row == 0 else FEW_TILES,
                   choice)
        elif outer * inner * (rows + cols) * (depth + columns) != 0:
            choose(outer, inner, rows, cols, depth, columns, q_row, dy_row, k_row, dq_inside, dk_inside, dv_inside, 1,
                   1, FEW_TILES, choice)
    return bind, bind_general


def make_group(dtype, isa):
    """The function that computes a group of rows: adds to dk and dv (at addresses), writes its rows of dq. place: that
    of the group's first weight."""
    size, endless = ITEM_SIZES[dtype], NUMBA_TYPES[dtype](float("inf"))
    half = NUMBA_TYPES[dtype](0.5)
    shape = shapes(isa, dtype).main
    width, kit, look, at = shape.width, blocks(dtype, shape), spans(dtype, shape.width), pointer_to(dtype)
    multiply, multiply_onto, kit_scratch = kit.multiply, kit.multiply_onto, kit.scratch_bytes
    survey, visible, gathered, block = look.survey, look.visible, gathering(dtype), block_of(shape.width)
    pack_panels, pack_apart = packing(dtype, shape).pack_panels, packing(dtype, shape).pack_apart
    weigh, differentiate, dot = make_weigh(dtype), make_differentiate(dtype), row_dot(dtype)

    @helper
    def onto(a, a_row, a_step, rows, k, b, columns, packed, c, scratch):
        """c[rows, columns] += a b, where b[k, columns] is read in place if its rows are whole panels, else packed."""
        if columns % width == 0:
            multiply_onto(a, a_row, a_step, rows, k, b, width * size, columns * size, columns, c, columns * size,
                          scratch)
        else:
            pack_panels(packed, b, columns, k, 0, 0, ceil_div(columns, width))
            multiply_onto(a, a_row, a_step, rows, k, packed, k * width * size, width * size, columns, c, columns * size,
                          scratch)

    @helper
    def scatter(source, rows, length, target, row_step):
        """target = source, whose rows follow each other, unless it is there. Addresses."""
        if row_step != length:
            copy_rows(target, row_step * size, source, length * size, rows, length * size)

    @helper
    def row_sums(y, y_row, dy, rows, columns, sums):
        for i in range(rows):
            sums[i] = dot(offset(y, i * y_row), offset(dy, i * columns), columns)

    @helper
    def bound_of(q, k, k_row, v, v_row, dy, rows, cols, depth, columns, scale, factor):
        """Of |scale q k|, or infinity if something is not finite."""
        if survey(v, cols, v_row, columns) == endless or survey(dy, rows, columns, columns) == endless:
            return endless
        return (survey(q, rows, depth, depth) + survey(k, cols, k_row, depth)) * half * abs(scale) + (factor - factor)

    @helper
    def compute(q, q_row, k, k_row, v, v_row, draw, drop, dropped, place, mask, kept, y, y_row, dy, dy_row, by_mask,
                by_row, trained, dq, dq_row, dk, dk_row, dv, dv_row, rows, cols, depth, columns, mask_row, masked,
                scale, choice, scratch):
        apart()
        down, across = choice[ROWS], choice[COLS]
        row_step = across + PAD
        by_q = scratch + kit_scratch                       # k and v of a block of columns, in panels
        by_dy = by_q + ceil_div(across, width) * width * depth * size
        spare = by_dy + ceil_div(across, width) * width * columns * size
        other = spare + ceil_div(depth, width) * width * max(across, down) * size
        scores = other + ceil_div(columns, width) * width * down * size
        dp = scores + down * row_step * size
        sums = at(dp + down * row_step * size)
        apart_at = dp + down * row_step * size + choice[GROUP_ROWS] * size
        if q_row != depth:
            q, apart_at = gathered(q, q_row, rows, depth, apart_at), apart_at + choice[GROUP_ROWS] * depth * size
        if dy_row != columns:
            dy, apart_at = gathered(dy, dy_row, rows, columns, apart_at), apart_at + choice[GROUP_ROWS] * columns * size
        by_rows, of_k, of_v = address(dq), 0, 0
        if dq_row != depth:
            by_rows, apart_at = apart_at, apart_at + choice[GROUP_ROWS] * depth * size
        if dk_row != depth:
            of_k, apart_at = apart_at, apart_at + across * depth * size
        if dv_row != columns:
            of_v, apart_at = apart_at, apart_at + across * columns * size
        row_sums(y, y_row, dy, rows, columns, sums)
        zero_bytes(by_rows, rows * depth * size)
        looking = masked != NO_MASK and cols > block
        bound = endless
        if looking:
            bound = bound_of(q, k, k_row, v, v_row, dy, rows, cols, depth, columns, scale,
                             drop[2] if dropped != 0 else half)
        by_weights = scratch + choice[SCRATCH_BYTES] - (across + EXTRA) * size
        for first in range(0, cols, across):
            wide = min(across, cols - first)
            right, mixed = gathered(offset(k, first * k_row), k_row, wide, depth, apart_at), offset(v, first * v_row)
            by_k = of_k if dk_row != depth else dk + first * depth * size
            by_v = of_v if dv_row != columns else dv + first * columns * size
            zero_bytes(by_k, wide * depth * size)
            zero_bytes(by_v, wide * columns * size)
            panels = ceil_div(wide, width)
            pack_panels(by_q, address(right), wide, depth, 1, 0, panels)
            pack_apart(by_dy, address(mixed), v_row * size, wide, columns, 1, 0, panels)
            for top in range(0, rows, down):
                tall = min(down, rows - top)
                above, notes = offset(mask, top * mask_row + first), offset(kept, 2 * top)
                low, high = 0, wide
                if looking:
                    low, high = visible(above, tall, mask_row, wide, notes, bound)
                some = high - low
                if some <= 0:
                    continue
                left, upper = address(offset(q, top * depth)), address(offset(dy, top * columns))
                above = offset(above, low)
                multiply(left, depth * size, size, tall, depth, by_q + low * depth * size, depth * width * size,
                         width * size, some, scores, row_step * size, scratch)
                weigh(at(scores), above, notes, tall, row_step, mask_row, some, masked, scale)
                multiply(upper, columns * size, size, tall, columns, by_dy + low * columns * size,
                         columns * width * size, width * size, some, dp, row_step * size, scratch)
                differentiate(at(dp), at(scores), draw, drop, dropped, place + top * cols + first + low, cols, above,
                              offset(by_mask, top * by_row + first + low), by_row, trained, offset(sums, top), tall,
                              row_step, mask_row, some, masked, scale, by_weights)
                onto(scores, size, row_step * size, some, tall, upper, columns, other, by_v + low * columns * size,
                     scratch)
                onto(dp, size, row_step * size, some, tall, left, depth, spare, by_k + low * depth * size, scratch)
                onto(dp, row_step * size, size, tall, some, address(offset(right, low * depth)), depth, spare,
                     by_rows + top * depth * size, scratch)
            scatter(by_k, wide, depth, dk + first * dk_row * size, dk_row)
            scatter(by_v, wide, columns, dv + first * dv_row * size, dv_row)
        scatter(by_rows, rows, depth, address(dq), dq_row)
    return compute


@cache
def make_runs(dtype, isa):
    """run of attention_grad and of attention_general_grad."""
    size, number, at = ITEM_SIZES[dtype], NUMBA_TYPES[dtype], pointer_to(dtype)
    compute = make_group(dtype, isa)

    @helper
    def add_up(target, row_step, rows, length, parts, groups, step):
        """target[rows, length] = the sum of `groups` parts, `step` bytes apart."""
        apart()
        for i in range(rows):
            zero_bytes(address(offset(target, i * row_step)), length * size)
        for group in range(groups):
            for i in range(rows):
                row, part = offset(target, i * row_step), at(parts + group * step + i * length * size)
                for j in range(length):
                    row[j] += part[j]

    @helper
    def of_matrix(q, q_steps, k, k_steps, v, v_steps, y, kept, dy, dy_steps, draw, drop, dropped, mask, by_mask, by_row,
                  trained, dq, dk, dv, index, group, inner, rows, cols, depth, columns, mask_outer, mask_inner,
                  mask_row, masked, y_inside, dq_inside, dk_inside, dv_inside, scale, choice, work, scratch):
        """A group of rows of one matrix; by_mask: where its first row is."""
        apart()
        groups, of_k, of_v, first = choice[GROUPS], cols * depth, cols * columns, group * choice[GROUP_ROWS]
        dk_steps, dv_steps = steps_of(dk_inside, inner, cols, depth), steps_of(dv_inside, inner, cols, columns)
        to_k, dk_row = address(offset(dk, matrix_at(index, inner, dk_steps))), dk_steps[2]
        to_v, dv_row = address(offset(dv, matrix_at(index, inner, dv_steps))), dv_steps[2]
        if groups > 1:
            to_k, dk_row = work + (index * groups + group) * (of_k + of_v) * size, depth
            to_v, dv_row = to_k + of_k * size, columns
        y_steps, dq_steps = steps_of(y_inside, inner, rows, columns), steps_of(dq_inside, inner, rows, depth)
        above = offset(mask, index // inner * mask_outer + index % inner * mask_inner + first * mask_row)
        compute(offset(q, matrix_at(index, inner, q_steps) + first * q_steps[2]), q_steps[2],
                offset(k, matrix_at(index, inner, k_steps)), k_steps[2],
                offset(v, matrix_at(index, inner, v_steps)), v_steps[2], draw, drop, dropped,
                (index * rows + first) * cols, above,
                offset(kept, 2 * (index * rows + first)),
                offset(y, matrix_at(index, inner, y_steps) + first * y_steps[2]), y_steps[2],
                offset(dy, matrix_at(index, inner, dy_steps) + first * dy_steps[2]), dy_steps[2], by_mask, by_row,
                trained, offset(dq, matrix_at(index, inner, dq_steps) + first * dq_steps[2]), dq_steps[2], to_k, dk_row,
                to_v, dv_row, min(choice[GROUP_ROWS], rows - first), cols, depth, columns, mask_row, masked,
                number(scale), choice, scratch)

    @helper
    def run_tile(q, q_steps, k, k_steps, v, v_steps, y, kept, dy, dy_steps, draw, drop, dropped, mask, dq, dk, dv,
                 by_mask, by_steps, trained, outer, inner, rows, cols, depth, columns, mask_outer, mask_inner, mask_row,
                 masked, y_inside, dq_inside, dk_inside, dv_inside, scale, choice, work, scratch, phase, tile):
        groups, of_k, of_v = choice[GROUPS], cols * depth, cols * columns
        if phase == 1:
            dk_steps, dv_steps = steps_of(dk_inside, inner, cols, depth), steps_of(dv_inside, inner, cols, columns)
            parts, step = work + tile * groups * (of_k + of_v) * size, (of_k + of_v) * size
            add_up(offset(dk, matrix_at(tile, inner, dk_steps)), dk_steps[2], cols, depth, parts, groups, step)
            add_up(offset(dv, matrix_at(tile, inner, dv_steps)), dv_steps[2], cols, columns, parts + of_k * size,
                   groups, step)
            return OK
        group, outers, inners = tile % groups, choice[OUTERS], choice[INNERS]
        first, across = group * choice[GROUP_ROWS], inner if inners == 1 else 1
        first_outer = tile // groups // across if outers == 1 else 0
        first_inner = tile // groups % across
        of_mask = offset(by_mask, first_outer * by_steps[0] + first_inner * by_steps[1] + first * by_steps[2])
        if trained != 0:
            for i in range(min(choice[GROUP_ROWS], rows - first) if by_steps[2] != 0 else 1):
                zero_bytes(address(offset(of_mask, i * by_steps[2])), cols * size)
        if (rows + cols) * (depth + columns) == 0:
            return OK
        for i in range(first_outer, min(first_outer + outers, outer)):
            for j in range(first_inner, min(first_inner + inners, inner)):
                of_matrix(q, q_steps, k, k_steps, v, v_steps, y, kept, dy, dy_steps, draw, drop, dropped, mask, of_mask,
                          by_steps[2], trained, dq, dk, dv, i * inner + j, group, inner, rows, cols, depth, columns,
                          mask_outer, mask_inner, mask_row, masked, y_inside, dq_inside, dk_inside, dv_inside, scale,
                          choice, work, scratch)
        return OK

    def run(q, k, v, y, kept, dy, mask, dq, dk, dv, outer, inner, rows, cols, depth, columns, mask_outer, mask_inner,
            mask_row, q_at, q_outer, q_inner, q_row, k_at, k_outer, k_inner, k_row, v_at, v_outer, v_inner, v_row,
            dy_at, dy_outer, dy_inner, dy_row, masked, y_inside, dq_inside, dk_inside, dv_inside, scale, choice, work,
            scratch, phase, tile):
        return run_tile(offset(q, q_at), (q_outer, q_inner, q_row), offset(k, k_at), (k_outer, k_inner, k_row),
                        offset(v, v_at), (v_outer, v_inner, v_row), y, kept, offset(dy, dy_at),
                        (dy_outer, dy_inner, dy_row), int64_at(0), at(0), 0, mask, dq, dk, dv, at(0), (0, 0, 0), 0,
                        outer, inner, rows, cols, depth, columns, mask_outer, mask_inner, mask_row, masked, y_inside,
                        dq_inside, dk_inside, dv_inside, scale, choice, work, scratch, phase, tile)

    def run_general(q, k, v, y, kept, dy, draw, drop, mask, dq, dk, dv, by_mask, outer, inner, rows, cols, depth,
                    columns, mask_outer, mask_inner, mask_row, q_at, q_outer, q_inner, q_row, k_at, k_outer, k_inner,
                    k_row, v_at, v_outer, v_inner, v_row, dy_at, dy_outer, dy_inner, dy_row, by_outer, by_inner, by_row,
                    masked, y_inside, dq_inside, dk_inside, dv_inside, dropped, trained, scale, choice, work, scratch,
                    phase, tile):
        return run_tile(offset(q, q_at), (q_outer, q_inner, q_row), offset(k, k_at), (k_outer, k_inner, k_row),
                        offset(v, v_at), (v_outer, v_inner, v_row), y, kept, offset(dy, dy_at),
                        (dy_outer, dy_inner, dy_row), draw, drop, dropped, mask, dq, dk, dv, by_mask,
                        (by_outer, by_inner, by_row), trained, outer, inner, rows, cols, depth, columns, mask_outer,
                        mask_inner, mask_row, masked, y_inside, dq_inside, dk_inside, dv_inside, scale, choice, work,
                        scratch, phase, tile)
    return run, run_general


def make(types):
    return make_with(types, lambda *given: make_bind(*given)[0], lambda dtype, isa: make_runs(dtype, isa)[0])


def make_general(types):
    return make_with(types, lambda *given: make_bind(*given)[1], lambda dtype, isa: make_runs(dtype, isa)[1])
