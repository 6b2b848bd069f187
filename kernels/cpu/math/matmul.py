"""matmul: c[batch, m, n] = a[batch, m, k] times b[batch, k, n], either operand possibly transposed.

Job: floats go through the micro-kernel: bind picks its shape from the sizes and how B reaches it.
    IN_PLACE   few rows: B is read where it is, but for its last, partial panel
    PACKED     B is a constant: it was packed beforehand (format = shape)
    IN_WORK    phase 0 packs B into the shared workspace
    IN_TILE    a batch of different, small Bs: each tile packs its own
A constant B of float32 may be packed as bfloat16, half as large (BRAIN, BRAIN_WIDE; docs/adr/0055): if that is asked
for, and B has columns enough.
Two shapes are none of the micro-kernel's: DOTS, few rows of A times B transposed and not packed, by dot products, and
STREAM, one row of A times B not packed. Products of few columns are computed turned (products/turned.py): bind and run
exchange the operands' roles, and everything behind that knows the exchanged ones only.
Tiles are blocks of rows, so that an epilogue can follow each; few rows are cut into columns instead. A batch with a
shared B and whole rows of A is one tall matrix. Integers take the simple form.
Invariants: the order in which an element's products are added depends on sizes only (that of k, but for DOTS), so no
result depends on tiles or threads.
"""
from __future__ import annotations

from ...contracts.calls import Functions
from ...contracts.dtypes import FLOATS
from ..memory import ITEM_SIZES, NUMBA_TYPES, address, apart, ceil_div, compact, helper, offset, pointer_to, round_up
from ..products.blocks import blocks
from ..products.brain import brain_packing
from ..products.dots import COLUMNS, dot_products, tile_of
from ..products.micro import ISAS, brain_shapes, shapes
from ..products.panels import packing
from ..products.streams import RUN, row_product
from ..products.turned import NOT_TURNED, ONE_COLUMN, turn, write_turned
from ..tiles import shared_as_well, shared_evenly
from ..ways import takes
from ..words import (
    BRAIN_WEIGHTS,
    FORMAT,
    OK,
    PACK_TILES,
    PACKED_BYTES,
    PERSISTENT,
    SCRATCH_BYTES,
    TILE_ELEMENTS,
    TILES,
    TILES_1,
    USER,
    VARIANT,
    WORK_BYTES,
)

IN_PLACE, PACKED, IN_WORK, IN_TILE = 0, 1, 2, 3
MAIN, NARROW, WIDE, DOTS, STREAM, BRAIN, BRAIN_WIDE = range(1, 8)
# Words of choice: how B arrives; shape; batches and rows after merging; rows, panels and batches of a tile; panels of
# a pack tile; columns of a tile; where in scratch memory a tile of C turned stands.
(MODE, SHAPE, BATCHES, ROWS, TILE_ROWS, TILE_PANELS, TILE_BATCHES, PACK_PANELS, TILE_COLUMNS,
 TURNED_AT) = range(USER, USER + 10)
PRODUCTS = 1 << 19                     # multiplications of a tile, at least
MOST_TILES = 32                        # tiles of one matrix, about; more if they would pass
MOST_PRODUCTS = 1 << 31                # which take some 50 ms: a run is interrupted between tiles
FEW_TILES = 4                          # blocks of rows fewer than this are cut into columns, too
COLUMN_TILES = 24                      # then so many in all, about
PACK_BYTES = 32 * 1024                 # of a tile of packing
SMALL = 256 * 1024                     # bytes of a B that a tile may pack for itself
BRAIN_COLUMNS = 32                     # fewer stay float32, on every ISA
DOT_ROWS = 16                          # more rows of A pay for transposing B
DOT_PRODUCTS = 1 << 16                 # of a tile of DOTS or STREAM, at least: they wait for memory


def make_simple(types):
    zero = NUMBA_TYPES[types["T"]](0)

    def bind(batch, m, n, k, a_batch, b_batch, transpose_a, transpose_b, choice):
        rows = max(16384 // max(n, 1), 1)
        choice[USER] = rows
        choice[TILES] = (batch * m + rows - 1) // rows
        choice[TILE_ELEMENTS] = rows * n

    def run(a, b, c, batch, m, n, k, a_batch, b_batch, transpose_a, transpose_b, choice, work, scratch, phase, tile):
        a_row, a_step = (1, m) if transpose_a else (k, 1)
        first = tile * choice[USER]
        for row in range(first, min(first + choice[USER], batch * m)):
            index, i = row // m, row % m
            left, right, target = offset(a, index * a_batch + i * a_row), offset(b, index * b_batch), offset(c, row * n)
            for j in range(n):
                target[j] = zero
            if transpose_b:
                for j in range(n):
                    total = zero
                    for p in range(k):
                        total += left[p * a_step] * right[j * k + p]
                    target[j] = total
            else:
                for p in range(k):
                    factor, line = left[p * a_step], offset(right, p * n)
                    for j in range(n):
                        target[j] += factor * line[j]
        return OK
    return Functions(bind, run)


@helper
def tall(batch, m, k, a_batch, b_batch, transpose_a):
    """(batch, m), where a batch with one B and whole rows of A is one matrix."""
    if b_batch == 0 and a_batch == m * k and transpose_a == 0:
        return 1, batch * m
    return batch, m


def make_bind(dtype, sizes, isa):
    size, may_be_brain, brains = ITEM_SIZES[dtype], dtype == "f32", brain_shapes(isa)
    kits = [blocks(dtype, s) for s in (sizes.main, sizes.narrow, sizes.wide)]
    width_main, width_narrow, width_wide = (kit.shape.width for kit in kits)
    rows_main, rows_narrow, rows_wide = (kit.shape.rows for kit in kits)
    scratch_main, scratch_narrow, scratch_wide = (kit.scratch_bytes for kit in kits)
    width_brain, width_long = (shape.width for shape in brains)
    rows_brain, rows_long = (shape.rows for shape in brains)
    line_brain, line_long = (shape.line_bytes(size) for shape in brains)
    scratch_brain, scratch_long = (blocks("f32", shape).scratch_bytes for shape in brains)

    @helper
    def shape_of(rows, n, way, brain):
        """Shape, its width and rows, the bytes of a line of a panel, and the scratch it needs. way: DOTS, STREAM, or 0.
        brain: whether B becomes bfloat16."""
        if way != 0:
            return way, COLUMNS if way == DOTS else RUN, rows, 0, 0
        if brain and rows <= rows_long and n > width_brain:
            return BRAIN_WIDE, width_long, rows_long, line_long, scratch_long
        if brain:
            return BRAIN, width_brain, rows_brain, line_brain, scratch_brain
        if rows <= rows_wide and n > width_main:
            return WIDE, width_wide, rows_wide, width_wide * size, scratch_wide
        if n <= width_narrow:
            return NARROW, width_narrow, rows_narrow, width_narrow * size, scratch_narrow
        return MAIN, width_main, rows_main, width_main * size, scratch_main

    @helper
    def tile_rows(rows, height, n, k):
        """Rows of a tile: enough work, few enough tiles that threads share evenly, and B is not read too often if it
        is beyond the second cache."""
        least = ceil_div(PRODUCTS, max(n * k, 1))
        if n * k * size > 512 * 1024:
            least = max(least, 6 * height)
        few = min(ceil_div(rows, MOST_TILES), MOST_PRODUCTS // max(n * k, 1))
        even = ceil_div(rows, shared_evenly(max(rows // max(least, few, height), 1)))
        balanced = ceil_div(rows, ceil_div(rows, height))
        whole = min(max((even + balanced // 2) // balanced, 1) * balanced, rows)     # register tiles
        return shared_as_well(rows, whole, even)

    @helper
    def bind_roles(batch, m, n, k, a_batch, b_batch, transpose_a, transpose_b, persistent, turned, choice):
        """bind, of the operands in the roles in which they are multiplied."""
        apart()
        merged = batch == 1 or (b_batch == 0 and a_batch == m * k and transpose_a == 0)
        batches, rows = (1, batch * m) if merged else (batch, m)
        way = 0
        if persistent == 0 and transpose_b != 0 and rows <= DOT_ROWS and (transpose_a == 0 or m == 1 or turned) and (
                takes(choice, DOTS, True)):
            way = DOTS
        elif persistent == 0 and transpose_b == 0 and rows == 1 and takes(choice, STREAM, True):
            way = STREAM
        brain = may_be_brain and persistent != 0 and choice[BRAIN_WEIGHTS] != 0 and n >= BRAIN_COLUMNS
        shape, width, height, line_bytes, scratch = shape_of(rows, n, way, brain)
        panels = ceil_div(n, width)
        panel_bytes = k * line_bytes
        different = batches if b_batch != 0 else 1
        choice[SHAPE], choice[BATCHES], choice[ROWS] = shape, batches, rows
        choice[PACK_PANELS] = min(max(PACK_BYTES // max(panel_bytes, 1), 1), panels)
        choice[TILE_PANELS], choice[TILE_BATCHES] = panels, 1
        choice[TILE_ROWS] = tile_rows(rows, height, n, k)
        pack_tiles = different * ceil_div(panels, choice[PACK_PANELS])
        if persistent != 0:
            choice[MODE] = PACKED
            choice[FORMAT] = shape
            choice[PACKED_BYTES], choice[PACK_TILES] = different * panels * panel_bytes, pack_tiles
        elif way != 0:
            choice[MODE] = IN_PLACE
        elif different > 1 and panels * panel_bytes <= SMALL and takes(
                choice, IN_TILE, rows <= 32 * height and (transpose_b != 0 or n % width != 0)):
            choice[MODE] = IN_TILE
            choice[TILE_ROWS] = rows
            scratch += panels * panel_bytes
        elif transpose_b == 0 and takes(
                choice, IN_PLACE, rows <= 5 * height or (different > 1 and panels * panel_bytes <= SMALL)):
            choice[MODE] = IN_PLACE
            scratch += panel_bytes
        else:
            choice[MODE] = IN_WORK
            choice[WORK_BYTES], choice[TILES] = different * panels * panel_bytes, pack_tiles
        choice[VARIANT] = way if way != 0 else choice[MODE]
        if choice[MODE] == IN_TILE:
            choice[TILE_BATCHES] = min(ceil_div(PRODUCTS, max(rows * n * k, 1)), batches)
        else:
            if rows <= 2 * height or turned:
                choice[TILE_ROWS] = rows
            row_tiles = ceil_div(rows, choice[TILE_ROWS])
            if row_tiles < FEW_TILES:
                least = ceil_div(DOT_PRODUCTS if way != 0 else PRODUCTS, max(choice[TILE_ROWS] * width * k, 1))
                choice[TILE_PANELS] = min(max(least, ceil_div(panels * row_tiles, COLUMN_TILES)), panels)
        if choice[MODE] != IN_TILE and choice[TILE_ROWS] == rows and choice[TILE_PANELS] == panels:
            choice[TILE_BATCHES] = min(ceil_div(PRODUCTS, max(rows * n * k, 1)), batches)
        tiles = (ceil_div(batches, choice[TILE_BATCHES]) * ceil_div(rows, choice[TILE_ROWS])
                 * ceil_div(panels, choice[TILE_PANELS]))
        choice[TILES_1 if choice[MODE] == IN_WORK else TILES] = tiles
        if choice[TILE_PANELS] == panels and (batches == 1 or rows % choice[TILE_ROWS] == 0):
            choice[TILE_ELEMENTS] = choice[TILE_BATCHES] * choice[TILE_ROWS] * n
        elif rows == 1 and batches == 1:
            choice[TILE_ELEMENTS] = choice[TILE_PANELS] * width
        choice[TILE_COLUMNS] = choice[TILE_PANELS] * width
        choice[SCRATCH_BYTES] = choice[TURNED_AT] = scratch

    def bind(batch, m, n, k, a_batch, b_batch, transpose_a, transpose_b, choice):
        if batch * m * n == 0:
            return
        batch, m = tall(batch, m, k, a_batch, b_batch, transpose_a)
        turned = turn(batch, m, n, k, transpose_a, width_narrow)
        if turned == NOT_TURNED:
            bind_roles(batch, m, n, k, a_batch, b_batch, transpose_a, transpose_b, choice[PERSISTENT], False, choice)
            return
        if turned == ONE_COLUMN:
            bind_roles(batch, 1, m, k, b_batch, a_batch, 0, 1 - transpose_a, 0, False, choice)
            return
        bind_roles(batch, n, m, k, b_batch, a_batch, 1 - transpose_b, 1 - transpose_a, 0, True, choice)
        choice[TILE_ELEMENTS] = choice[TILE_COLUMNS] * n
        choice[SCRATCH_BYTES] += round_up(choice[TILE_COLUMNS] * n * size, 64)
        if choice[SHAPE] == DOTS and transpose_b == 0:          # phase 0 brings B's columns in order
            choice[MODE], choice[WORK_BYTES] = IN_WORK, n * k * size
            choice[TILES_1], choice[TILES] = choice[TILES], 1
    return bind


def make_shape_run(dtype, shape):
    """The functions (pack tile, compute tile) for one shape of the micro-kernel."""
    size, width = ITEM_SIZES[dtype], shape.width
    line_bytes = shape.line_bytes(size)
    kit, pack_panels = blocks(dtype, shape), brain_packing(shape) if shape.brain else packing(dtype, shape).pack_panels
    multiply, kit_scratch = kit.multiply, kit.scratch_bytes

    @helper
    def pack_tile(target, b, n, k, b_batch, transpose_b, choice, tile):
        panels = ceil_div(n, width)
        groups = ceil_div(panels, choice[PACK_PANELS])
        index, first = tile // groups, tile % groups * choice[PACK_PANELS]
        pack_panels(target + (index * panels + first) * k * line_bytes, b + index * b_batch * size, n, k,
                    transpose_b, first, min(first + choice[PACK_PANELS], panels))

    @helper
    def product(a, b, c, c_row, packed, m, n, k, transpose_a, transpose_b, choice, scratch, first_row, rows,
                first_panel, panels):
        """Rows and panels of one matrix. b: where B stands, for the modes that read it; packed: B packed, for the
        others; c_row: bytes from one row of C to the next."""
        a_row, a_step = (size, m * size) if transpose_a else (k * size, size)
        source, column = a + first_row * a_row, first_panel * width
        target, columns = c + first_row * c_row + column * size, min(n - column, panels * width)
        if choice[MODE] != IN_PLACE:
            multiply(source, a_row, a_step, rows, k, packed + first_panel * k * line_bytes, k * line_bytes,
                     line_bytes, columns, target, c_row, scratch)
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

    @helper
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
            if choice[MODE] == IN_TILE:
                ready = scratch + kit_scratch
                pack_panels(ready, right, n, k, transpose_b, 0, panels)
            product(a + index * a_batch * size, right, c + index * choice[ROWS] * n * size, c_row, ready, m, n, k,
                    transpose_a, transpose_b, choice, scratch, first_row,
                    min(choice[TILE_ROWS], choice[ROWS] - first_row), first_panel,
                    min(choice[TILE_PANELS], panels - first_panel))
    return pack_tile, compute_tile


def make_unpacked_run(dtype, isa):
    """The function that computes a tile of DOTS or STREAM: all rows, and columns, of some matrices of the batch."""
    size, dots, stream = ITEM_SIZES[dtype], dot_products(dtype, tile_of(isa)), row_product(dtype)

    @helper
    def compute_tile(a, b, c, c_row, n, k, a_batch, b_batch, choice, tile):
        m, wide = choice[ROWS], choice[TILE_COLUMNS]
        column_tiles = ceil_div(n, wide)
        column = tile % column_tiles * wide
        columns = min(wide, n - column)
        first = tile // column_tiles * choice[TILE_BATCHES]
        for index in range(first, min(first + choice[TILE_BATCHES], choice[BATCHES])):
            left, right, target = a + index * a_batch * size, b + index * b_batch * size, c + (
                index * m * n + column) * size
            if choice[SHAPE] == DOTS:
                dots(m, columns, k, left, k * size, right + column * k * size, k * size, target, c_row)
            else:
                stream(columns, k, left, size, right + column * size, n * size, target)
    return compute_tile


def make_fast(dtype, isa):
    """bind, run and pack of one ISA."""
    size, sizes, at = ITEM_SIZES[dtype], shapes(isa, dtype), pointer_to(dtype)
    width_narrow = sizes.narrow.width
    pack_main, compute_main = make_shape_run(dtype, sizes.main)
    pack_narrow, compute_narrow = make_shape_run(dtype, sizes.narrow)
    pack_wide, compute_wide = make_shape_run(dtype, sizes.wide)
    brain = dtype == "f32"
    pack_brain, compute_brain, pack_long, compute_long = (
        function for shape in brain_shapes(isa) for function in make_shape_run("f32", shape))
    compute_unpacked = make_unpacked_run(dtype, isa)

    @helper
    def pack_any(target, b, n, k, b_batch, transpose_b, choice, tile):
        apart()
        if choice[SHAPE] == MAIN:
            pack_main(target, b, n, k, b_batch, transpose_b, choice, tile)
        elif choice[SHAPE] == NARROW:
            pack_narrow(target, b, n, k, b_batch, transpose_b, choice, tile)
        elif brain and choice[SHAPE] == BRAIN:
            pack_brain(target, b, n, k, b_batch, transpose_b, choice, tile)
        elif brain and choice[SHAPE] == BRAIN_WIDE:
            pack_long(target, b, n, k, b_batch, transpose_b, choice, tile)
        else:
            pack_wide(target, b, n, k, b_batch, transpose_b, choice, tile)

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
        elif brain and choice[SHAPE] == BRAIN:
            compute_brain(a, b, c, c_row, packed, m, n, k, a_batch, b_batch, transpose_a, transpose_b, choice, scratch,
                          tile)
        elif brain and choice[SHAPE] == BRAIN_WIDE:
            compute_long(a, b, c, c_row, packed, m, n, k, a_batch, b_batch, transpose_a, transpose_b, choice, scratch,
                         tile)
        else:
            compute_unpacked(a, b, c, c_row, n, k, a_batch, b_batch, choice, tile)

    @helper
    def run_turned(a, b, c, m, n, k, transpose_a, transpose_b, choice, work, scratch, phase, tile):
        """A tile of C turned: columns of its n rows, which are rows of C."""
        if phase == 0 and choice[SHAPE] == DOTS and choice[MODE] == IN_WORK:
            write_turned(k, n, at(b), n, at(work))
            return
        if phase == 0 and choice[MODE] == IN_WORK:
            pack_any(work, a, m, k, 0, 1 - transpose_a, choice, tile)
            return
        packed, few = work if choice[MODE] == IN_WORK else a, b
        if choice[SHAPE] == DOTS and choice[MODE] == IN_WORK:
            few = work
        made, columns = scratch + choice[TURNED_AT], choice[TILE_COLUMNS]
        column = tile * columns
        compute_any(few, a, made - column * size, columns * size, packed, n, m, k, 0, 0, 1 - transpose_b,
                    1 - transpose_a, choice, scratch, tile)
        write_turned(n, min(columns, m - column), at(made), columns, at(c + column * n * size))

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
        if phase == 0 and choice[MODE] == IN_WORK:
            pack_any(work, right, n, k, b_batch, transpose_b, choice, tile)
            return OK
        compute_any(left, right, target, n * size, work if choice[MODE] == IN_WORK else right, m, n, k, a_batch,
                    b_batch, transpose_a, transpose_b, choice, scratch, tile)
        return OK

    def pack(source, batch, m, n, k, a_batch, b_batch, transpose_a, transpose_b, choice, target, tile):
        pack_any(target, address(source), n, k, b_batch, transpose_b, choice, tile)
        return OK

    return make_bind(dtype, sizes, isa), run, pack


def make(types):
    if types["T"] not in FLOATS:
        return make_simple(types)
    made = {isa: make_fast(types["T"], isa) for isa in ISAS}
    return Functions(*({isa: functions[role] for isa, functions in made.items()} for role in range(3)))
