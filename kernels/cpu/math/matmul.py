"""matmul: c[batch, m, n] = a[batch, m, k] times b[batch, k, n], either operand possibly transposed.

Job: floats go through the micro-kernel: bind (matmul_choice.py) picks its shape from the sizes and how B reaches it.
    IN_PLACE   few rows: B is read where it is, but for its last, partial panel
    PACKED     B is a constant: it was packed beforehand (format = shape)
    IN_WORK    phase 0 packs B into the shared workspace
    IN_TILE    each tile packs its own columns of B, block by block
If that is asked for (Choice.MAY_ROUND, docs/adr/0095), float32 may be rounded to bfloat16: both operands, if the
machine multiplies bfloat16 (ROUNDED, matmul_rounded.py), or a constant B of columns enough, packed half as large
(BFLOAT16, BFLOAT16_WIDE).
Three shapes are none of the micro-kernel's: DOTS, few rows of A times B transposed and not packed, by dot products,
before which phase 0 brings A in order if it is transposed; STREAM, one row of A times B not packed; SHORT, tiny
matrices and short sums. Products of few columns are computed turned (products/turned.py): bind and run
exchange the operands' roles, and everything after that knows the exchanged ones only.
Tiles are blocks of rows, so that an epilogue can follow each; few rows are cut into columns instead. A batch with a
shared B and whole rows of A is one tall matrix. Integers: products/integers.py.
Invariants: the order in which an element's products are added depends on sizes only (that of k, but for DOTS), so no
result depends on tiles or threads.
"""
from __future__ import annotations

from ...contracts.calls import Functions
from ...contracts.dtypes import FLOATS
from ..memory import ITEM_SIZES, address, apart, ceil_div, compact, helper, part
from ..products.bfloat16_panels import bfloat16_packing
from ..products.bfloat16_tiles import ISA
from ..products.blocks import blocks
from ..products.dots import dot_products, tile_of
from ..products.integers import make_integers
from ..products.micro import ISAS, bfloat16_shapes, shapes
from ..products.packed_blocks import packed_on_the_way
from ..products.panels import packing
from ..products.short import short_products
from ..products.streams import row_product
from ..products.turned import NOT_TURNED, ONE_COLUMN, turn, turning
from ..words import OK
from .matmul_choice import make_bind, tall
from .matmul_rounded import pack_b, run_rounded
from .matmul_words import (
    BATCHES,
    BFLOAT16,
    BFLOAT16_WIDE,
    DOTS,
    IN_PLACE,
    IN_TILE,
    IN_WORK,
    MAIN,
    MODE,
    NARROW,
    PACK_PANELS,
    ROUNDED,
    ROWS,
    SHAPE,
    SHORT,
    TILE_BATCHES,
    TILE_COLUMNS,
    TILE_PANELS,
    TILE_ROWS,
    TURNED_AT,
    WIDE,
)


def make_shape_run(dtype, shape):
    """The functions (pack tile, compute tile) for one shape of the micro-kernel."""
    size, width = ITEM_SIZES[dtype], shape.width
    line_bytes = shape.line_bytes(size)
    kit = blocks(dtype, shape)
    pack_panels = bfloat16_packing(shape) if shape.bfloat16 else packing(dtype, shape).pack_panels
    multiply, kit_scratch = kit.multiply, kit.scratch_bytes
    multiply_packing = None if shape.bfloat16 else packed_on_the_way(dtype, shape)

    @helper
    def pack_tile(target, b, n, k, b_batch, transpose_b, choice, tile):
        panels = ceil_div(n, width)
        groups = ceil_div(panels, choice[PACK_PANELS])
        index, first = tile // groups, tile % groups * choice[PACK_PANELS]
        pack_panels(target + (index * panels + first) * k * line_bytes, b + index * b_batch * size, n, k,
                    transpose_b, first, min(first + choice[PACK_PANELS], panels))

    @helper
    def packed_product(a, b, c, c_row, packed, m, n, k, transpose_a, transpose_b, choice, scratch, first_row, rows,
                       first_panel, panels):
        """Rows and panels of one matrix. b: where B stands, for the modes that read it; packed: B packed, for the
        others; c_row: bytes from one row of C to the next."""
        a_row, a_step = (size, m * size) if transpose_a else (k * size, size)
        column = first_panel * width
        multiply(a + first_row * a_row, a_row, a_step, rows, k, packed + first_panel * k * line_bytes, k * line_bytes,
                 line_bytes, min(n - column, panels * width), c + first_row * c_row + column * size, c_row, scratch)

    @helper
    def product(a, b, c, c_row, packed, m, n, k, transpose_a, transpose_b, choice, scratch, first_row, rows,
                first_panel, panels):
        """The same, however B arrives."""
        if choice[MODE] != IN_PLACE and choice[MODE] != IN_TILE:
            packed_product(a, b, c, c_row, packed, m, n, k, transpose_a, transpose_b, choice, scratch, first_row, rows,
                           first_panel, panels)
            return
        a_row, a_step = (size, m * size) if transpose_a else (k * size, size)
        source, column = a + first_row * a_row, first_panel * width
        target, columns = c + first_row * c_row + column * size, min(n - column, panels * width)
        if choice[MODE] == IN_TILE:
            multiply_packing(source, a_row, a_step, rows, k, b, n, transpose_b, first_panel, panels, target, c_row,
                             scratch)
            return
        whole = columns // width * width
        if whole > 0:
            multiply(source, a_row, a_step, rows, k, b + column * size, width * size, n * size, whole, target,
                     c_row, scratch)
        if whole < columns:
            last = (column + whole) // width
            pack_panels(scratch + kit_scratch, b, n, k, transpose_b, last, last + 1)
            multiply(source, a_row, a_step, rows, k, scratch + kit_scratch, 0, width * size, columns - whole,
                     target + whole * size, c_row, scratch)

    product_of_tile = packed_product if shape.bfloat16 else product     # bfloat16 is always packed beforehand

    def compute_tile(a, b, c, c_row, packed, m, n, k, a_batch, b_batch, transpose_a, transpose_b, choice, scratch,
                     tile):
        compact()
        panels = ceil_div(n, width)
        column_tiles, row_tiles = ceil_div(panels, choice[TILE_PANELS]), ceil_div(choice[ROWS], choice[TILE_ROWS])
        first_panel = tile % column_tiles * choice[TILE_PANELS]
        first_row = tile // column_tiles % row_tiles * choice[TILE_ROWS]
        first_batch = tile // column_tiles // row_tiles * choice[TILE_BATCHES]
        for index in range(first_batch, min(first_batch + choice[TILE_BATCHES], choice[BATCHES])):
            right = b + index * b_batch * size
            ready = packed + (index * panels * k * line_bytes if b_batch != 0 else 0)
            product_of_tile(a + index * a_batch * size, right, c + index * choice[ROWS] * n * size, c_row, ready, m,
                            n, k, transpose_a, transpose_b, choice, scratch, first_row,
                            min(choice[TILE_ROWS], choice[ROWS] - first_row), first_panel,
                            min(choice[TILE_PANELS], panels - first_panel))
    # A small runner has no bfloat16. Of others the parts are within: a part brings all that it might call.
    return pack_tile, part("tile", shape)(compute_tile) if shape.bfloat16 else helper(compute_tile)


def make_unpacked_run(dtype, isa):
    """The function that computes a tile of DOTS, STREAM or SHORT: rows and columns of some matrices of the batch."""
    size, dots, stream, short = (
        ITEM_SIZES[dtype], dot_products(dtype, tile_of(isa)), row_product(dtype), short_products(dtype, isa))

    @helper
    def compute_tile(a, b, c, c_row, n, k, a_batch, b_batch, transpose_a, transpose_b, choice, scratch, tile):
        m, wide, high = choice[ROWS], choice[TILE_COLUMNS], choice[TILE_ROWS]
        a_row, a_step = (size, m * size) if transpose_a else (k * size, size)
        b_row, b_column = (k * size, k * size) if transpose_b else (n * size, size)
        column_tiles, row_tiles = ceil_div(n, wide), ceil_div(m, high)
        column, row = tile % column_tiles * wide, tile // column_tiles % row_tiles * high
        first = tile // column_tiles // row_tiles * choice[TILE_BATCHES]
        columns, rows, batches = min(wide, n - column), min(high, m - row), (
            min(choice[TILE_BATCHES], choice[BATCHES] - first))
        left, right = a + first * a_batch * size + row * a_row, b + first * b_batch * size + column * b_column
        target = c + first * m * n * size + row * c_row + column * size
        if choice[SHAPE] == SHORT:
            short(batches, rows, columns, k, left, a_row, a_step, a_batch * size, right, b_row, b_batch * size,
                  transpose_b, target, c_row, m * n * size, scratch)
            return
        for index in range(batches):
            if choice[SHAPE] == DOTS:
                dots(m, columns, k, left + index * a_batch * size, k * size, right + index * b_batch * size, b_row,
                     target + index * m * n * size, c_row)
            else:
                stream(columns, k, left + index * a_batch * size, size, right + index * b_batch * size, b_row,
                       target + index * m * n * size)
    return compute_tile


def make_fast(dtype, isa):
    """bind, run and pack of one ISA."""
    size, sizes = ITEM_SIZES[dtype], shapes(isa, dtype)
    width_narrow = sizes.narrow.width
    pack_main, compute_main = make_shape_run(dtype, sizes.main)
    pack_narrow, compute_narrow = make_shape_run(dtype, sizes.narrow)
    pack_wide, compute_wide = make_shape_run(dtype, sizes.wide)
    may_be_bfloat16 = dtype == "f32"
    rounds = may_be_bfloat16 and isa == ISA
    pack_bfloat16, compute_bfloat16, pack_long, compute_long = (
        function for shape in bfloat16_shapes(isa) for function in make_shape_run("f32", shape))
    compute_unpacked, write_turned = make_unpacked_run(dtype, isa), turning(dtype)

    @helper
    def pack_any(target, b, n, k, b_batch, transpose_b, choice, tile):
        apart()
        if choice[SHAPE] == MAIN:
            pack_main(target, b, n, k, b_batch, transpose_b, choice, tile)
        elif choice[SHAPE] == NARROW:
            pack_narrow(target, b, n, k, b_batch, transpose_b, choice, tile)
        elif may_be_bfloat16 and choice[SHAPE] == BFLOAT16:
            pack_bfloat16(target, b, n, k, b_batch, transpose_b, choice, tile)
        elif rounds and choice[SHAPE] == ROUNDED:
            pack_b(target, b, n, k, b_batch, transpose_b, choice, tile)
        elif may_be_bfloat16 and choice[SHAPE] == BFLOAT16_WIDE:
            pack_long(target, b, n, k, b_batch, transpose_b, choice, tile)
        else:
            pack_wide(target, b, n, k, b_batch, transpose_b, choice, tile)

    @helper
    def prepare(work, a, b, m, n, k, b_batch, transpose_b, choice, tile):
        """A tile of phase 0: B is packed, or the columns of a transposed A are brought in order, for dot products."""
        if choice[SHAPE] == DOTS:
            write_turned(k, m, a, m, work)
        else:
            pack_any(work, b, n, k, b_batch, transpose_b, choice, tile)

    @helper
    def compute_any(a, b, c, c_row, packed, m, n, k, a_batch, b_batch, transpose_a, transpose_b, choice, scratch, tile):
        apart()
        if choice[SHAPE] == MAIN:
            compute_main(a, b, c, c_row, packed, m, n, k, a_batch, b_batch, transpose_a, transpose_b, choice, scratch,
                         tile)
        elif choice[SHAPE] == NARROW:
            compute_narrow(a, b, c, c_row, packed, m, n, k, a_batch, b_batch, transpose_a, transpose_b, choice, scratch,
                           tile)
        elif choice[SHAPE] == WIDE:
            compute_wide(a, b, c, c_row, packed, m, n, k, a_batch, b_batch, transpose_a, transpose_b, choice, scratch,
                         tile)
        elif may_be_bfloat16 and choice[SHAPE] == BFLOAT16:
            compute_bfloat16(a, b, c, c_row, packed, m, n, k, a_batch, b_batch, transpose_a, transpose_b, choice,
                             scratch, tile)
        elif may_be_bfloat16 and choice[SHAPE] == BFLOAT16_WIDE:
            compute_long(a, b, c, c_row, packed, m, n, k, a_batch, b_batch, transpose_a, transpose_b, choice, scratch,
                         tile)
        else:
            compute_unpacked(packed if choice[MODE] == IN_WORK else a, b, c, c_row, n, k, a_batch, b_batch, transpose_a,
                             transpose_b, choice, scratch, tile)

    @helper
    def run_turned(a, b, c, m, n, k, transpose_a, transpose_b, choice, work, scratch, phase, tile):
        """A tile of C turned: columns of its n rows, which are rows of C."""
        if phase == 0 and choice[MODE] == IN_WORK:
            prepare(work, b, a, n, m, k, 0, 1 - transpose_a, choice, tile)
            return
        packed = work if choice[MODE] == IN_WORK else a
        made, columns = scratch + choice[TURNED_AT], choice[TILE_COLUMNS]
        column = tile * columns
        compute_any(b, a, made - column * size, columns * size, packed, n, m, k, 0, 0, 1 - transpose_b, 1 - transpose_a,
                    choice, scratch, tile)
        write_turned(n, min(columns, m - column), made, columns, c + column * n * size)

    def run(a, b, c, batch, m, n, k, a_batch, b_batch, transpose_a, transpose_b, choice, work, scratch, phase, tile):
        left, right, target = address(a), address(b), address(c)
        batch, m = tall(batch, m, k, a_batch, b_batch, transpose_a)
        turned = turn(batch, m, n, k, transpose_a, width_narrow)
        if turned != NOT_TURNED and turned != ONE_COLUMN:
            run_turned(left, right, target, m, n, k, transpose_a, transpose_b, choice, work, scratch, phase, tile)
            return OK
        if turned == ONE_COLUMN:
            left, right, a_batch, b_batch = right, left, b_batch, a_batch
            m, n, transpose_a, transpose_b = 1, m, 0, 1 - transpose_a
        if rounds and choice[SHAPE] == ROUNDED:
            run_rounded(left, right, target, m, n, k, a_batch, b_batch, transpose_a, transpose_b, choice, work, scratch,
                        phase, tile)
            return OK
        if phase == 0 and choice[MODE] == IN_WORK:
            prepare(work, left, right, m, n, k, b_batch, transpose_b, choice, tile)
            return OK
        compute_any(left, right, target, n * size, work if choice[MODE] == IN_WORK else right, m, n, k, a_batch,
                    b_batch, transpose_a, transpose_b, choice, scratch, tile)
        return OK

    def pack(source, batch, m, n, k, a_batch, b_batch, transpose_a, transpose_b, choice, target, tile):
        pack_any(target, address(source), n, k, b_batch, transpose_b, choice, tile)
        return OK

    return make_bind(dtype, sizes, isa), run, pack


def make(types):
    """bind, run and pack for the dtypes of a call."""
    if types["T"] not in FLOATS:
        return make_integers(types["T"])
    made = {isa: make_fast(types["T"], isa) for isa in ISAS}
    return Functions(*({isa: functions[role] for isa, functions in made.items()} for role in range(3)))
