"""matmul's bind: which of the ways of math/matmul.py a product goes, and its tiles.

Invariant: all of it depends on sizes only, and on whether B is a constant.
"""
from __future__ import annotations

from ...contracts.bfloat16 import DOTS as BOTH_ROUNDED
from ..memory import ITEM_SIZES, apart, ceil_div, helper, round_up
from ..products.bfloat16_tiles import ISA
from ..products.blocks import blocks
from ..products.dots import COLUMNS
from ..products.micro import bfloat16_shapes
from ..products.row_tile import tile_shape
from ..products.short import TOGETHER
from ..products.streams import RUN
from ..products.turned import NOT_TURNED, ONE_COLUMN, turn
from ..tiles import shared_as_well, shared_evenly
from ..vector import LANES
from ..ways import takes
from ..words import (
    FORMAT,
    MAY_ROUND,
    PACK_TILES,
    PACKED_BYTES,
    PERSISTENT,
    SCRATCH_BYTES,
    TILE_ELEMENTS,
    TILES,
    TILES_1,
    VARIANT,
    WORK_BYTES,
)
from .matmul_rounded import bind_rounded, cost_of_rounded
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
    PACKED,
    ROUNDED,
    ROWS,
    SHAPE,
    SHORT,
    STREAM,
    TILE_BATCHES,
    TILE_COLUMNS,
    TILE_PANELS,
    TILE_ROWS,
    TURNED_AT,
    WIDE,
)

PRODUCTS = 1 << 19                     # multiplications of a tile, at least
MOST_TILES = 32                        # tiles of one matrix, about; more if they would pass
MOST_PRODUCTS = 1 << 31                # which take some 50 ms: a run is interrupted between tiles
FEW_TILES = 4                          # blocks of rows fewer than this are cut into columns, too
COLUMN_TILES = 24                      # then so many in all, about
FEW_PANELS = 8                         # panels fewer than this are too few tiles
PACK_BYTES = 32 * 1024                 # of a tile of packing
SMALL = 256 * 1024                     # bytes of a B that a tile may pack for itself
FAR_BYTES = 2 * 1024 * 1024            # of a B that no second cache holds
LINE, COLLIDING = 64, 4096             # bytes of a line; of a distance at which lines meet in a set of the first cache
ALONE_TILES = 4                        # register tiles of rows, for which no matrix of a batch is packed
PACKING_ROWS = 32                      # register tiles of rows, of a tile that packs for itself
BFLOAT16_COLUMNS = 32                     # fewer stay float32, on every ISA
DOT_ROWS = 16                          # more rows of A pay for transposing B
DOT_SUM = 4                            # products of an element, a row of A, from which dot products pass short ones
DOT_PRODUCTS = 1 << 16                 # of a tile of DOTS or STREAM, at least: they wait for memory
TINY = 1 << 11                         # of a pair of matrices of few rows, at most; eight times if B is slow to pack
SHORT_SUM = 4                          # products of an element, at most, of few rows; thrice in rows of a vector
TILED_SUM, COLLIDING_SUM = 12, 8       # of more rows, if B is larger than NEAR_BYTES; if its rows meet in a set
# Of a B that stays in the first cache, half of that if it is transposed for it; of one that two tiles of rows read.
NEAR_BYTES, ONCE_BYTES = 24 * 1024, 96 * 1024
# Of an element of B to transpose it, to pack it, and to pack it where it is in no square of lanes x lanes.
TURN_COST, PACK_COST, BESIDE_COST = 100, 64, 640
MATRIX_COST = 1 << 16                  # of what the micro-kernel's way does for a matrix
TURN_ROWS = 128                        # of a tile that transposes B for itself, at least
AROUND = 512                        # multiplications that take as long as what is around those of a pair


@helper
def tall(batch, m, k, a_batch, b_batch, transpose_a):
    """(batch, m), where a batch with one B and whole rows of A is one matrix."""
    if b_batch == 0 and a_batch == m * k and transpose_a == 0:
        return 1, batch * m
    return batch, m


@helper
def positive(number):
    """1 if it is, else 0: without a branch, for each would double what toolchain/reach.py has to follow."""
    return min(max(number, 0), 1)


@helper
def gain_of_dots(rows, k):
    """At least 0 if so many dot products with each row of transposed(B) take no longer than to pack it, measured: 1 and
    k / 140 against k * (24 + rows) / 420, of which k / 18 is the packing. Up to three rows always."""
    return k * (24 + rows) - positive(rows - 3) * rows * 420


def make_bind(dtype, sizes, isa):
    """bind of one ISA. sizes: its shapes."""
    size, may_be_bfloat16, bfloat16_tiles = ITEM_SIZES[dtype], dtype == "f32", bfloat16_shapes(isa)
    rounds = may_be_bfloat16 and isa == ISA
    lanes = LANES * 4 // size
    kits = [blocks(dtype, s) for s in (sizes.main, sizes.narrow, sizes.wide)]
    width_main, width_narrow, width_wide = (kit.shape.width for kit in kits)
    rows_main, rows_narrow, rows_wide = (kit.shape.rows for kit in kits)
    scratch_main, scratch_narrow, scratch_wide = (kit.scratch_bytes for kit in kits)
    block_main, block_narrow, block_wide = (kit.block_bytes for kit in kits)
    rows_short, columns_short = tile_shape(isa)[0], tile_shape(isa)[1] * lanes
    width_bfloat16, width_long = (shape.width for shape in bfloat16_tiles)
    rows_bfloat16, rows_long = (shape.rows for shape in bfloat16_tiles)
    line_bfloat16, line_long = (shape.line_bytes(size) for shape in bfloat16_tiles)
    scratch_bfloat16, scratch_long = (blocks("f32", shape).scratch_bytes for shape in bfloat16_tiles)

    @helper
    def gain_of_few(batches, rows, n, k, transpose_b):
        """`gain` for fewer rows than a tile has."""
        wasted = positive(lanes + 1 - n) * positive(n + width_narrow - lanes)       # what a tile has beside a row of C
        quick = (1 - positive(n % lanes)) * max(1 - transpose_b, positive(k + 1 - 2 * lanes))     # to read, or to pack
        limit = TINY * (8 - 7 * max(quick, 2 - min(rows, 2)))
        return max(SHORT_SUM * (1 + 2 * wasted) - k, positive(batches * rows - 1) * (limit + 1) - 1 - rows * n * k)

    @helper
    def gain(batches, rows, n, k, transpose_b):
        """At least 0 if an element has too few products, or a pair of matrices, for the micro-kernel."""
        longest = TILED_SUM - (TILED_SUM - COLLIDING_SUM) * (1 - positive(n * size % COLLIDING))
        near = NEAR_BYTES + (ONCE_BYTES - NEAR_BYTES) * positive(2 * rows_short + 1 - rows)
        fits = max(near - (1 + transpose_b) * n * k * size, longest - k)
        # Quarters of what a row, a column and half a k take, and what it takes to begin a tile, and with a matrix.
        rest = n % width_main
        narrow = positive(width_narrow + 1 - rest)
        columns = 4 * (n - rest) + positive(rest) * (5 * width_narrow * narrow + 4 * width_main * (1 - narrow))
        micro = columns * (2 * k * rows + 10 * round_up(rows, rows_main)) + MATRIX_COST
        # One vector at a time takes longer; without AVX-512 its masks are slow.
        wide = (1 if columns_short > lanes else 0) * positive(n + 1 - columns_short)
        slow = (1 if columns_short == lanes else 0) * positive(lanes - n)
        columns = wide * 4 * round_up(n, columns_short) + (1 - wide) * (1 + slow) * 9 * round_up(n, lanes) // 2
        aside = 1 - positive(max(rows - 2 * TOGETHER, 2 * TOGETHER - rows))         # so many rows go by no tile
        high = aside * rows + (1 - aside) * round_up(rows, rows_short)
        squares = n // lanes * lanes * (k // lanes * lanes)
        micro += transpose_b * (PACK_COST * squares + BESIDE_COST * (n * k - squares))
        micro += (1 - transpose_b) * positive(batches - 1) * positive(rest) * PACK_COST * n * k
        many = min(fits, micro - columns * high * (2 * k + 3) - transpose_b * TURN_COST * n * k)
        few = positive(rows_short - rows)
        return few * gain_of_few(batches, rows, n, k, transpose_b) + (1 - few) * many

    @helper
    def shape_of(rows, n, way, bfloat16):
        """Shape, its width and rows, the bytes of a line of a panel, the scratch it needs, and that of a block of B.
        way: DOTS, STREAM, SHORT, or 0. bfloat16: whether B becomes bfloat16."""
        if way != 0:
            return way, COLUMNS if way == DOTS else RUN if way == STREAM else columns_short, (
                rows_short if way == SHORT else rows), 0, 0, 0
        if bfloat16 and rows <= rows_long and n > width_bfloat16:
            return BFLOAT16_WIDE, width_long, rows_long, line_long, scratch_long, 0
        if bfloat16:
            return BFLOAT16, width_bfloat16, rows_bfloat16, line_bfloat16, scratch_bfloat16, 0
        if rows <= rows_wide and n > width_main:
            return WIDE, width_wide, rows_wide, width_wide * size, scratch_wide, block_wide
        if n <= width_narrow:
            return NARROW, width_narrow, rows_narrow, width_narrow * size, scratch_narrow, block_narrow
        return MAIN, width_main, rows_main, width_main * size, scratch_main, block_main

    @helper
    def rows_packing(batches, panels, height, products):
        """Of how many rows at most a tile, which takes them all, may pack for itself; few, if there are too few tiles
        of columns for threads to share. products: of a row and a panel."""
        shared = min(batches - 1 + panels // FEW_PANELS, 1)
        return min((2 + (PACKING_ROWS - 2) * shared) * height, MOST_PRODUCTS // max(products, 1))

    @helper
    def rows_in_place(n, k):
        """Up to how many register tiles of rows B is read as it lies: fewer if its vectors stand across two lines of
        the cache, and fewest if its rows meet in a few sets of the caches; of a B beyond the second cache, which comes
        in faster in runs of its rows than panel by panel, a quarter of that and less."""
        across, collide = min(n * size % LINE, 1), 1 - min(n * size % COLLIDING, 1)
        far = positive(n * k * size - FAR_BYTES)
        return (1 - far) * (PACKING_ROWS - 20 * across - 24 * collide) + far * (8 - 6 * across - 7 * collide)

    @helper
    def tile_rows(rows, height, n, k, way, transpose_b):
        """Rows of a tile: enough work, few enough tiles that threads share evenly, and B is not read too often if it
        is beyond the second cache."""
        least = ceil_div(PRODUCTS, max(n * k, 1))
        if way == SHORT:
            least = max(least, TURN_ROWS * transpose_b)
        elif n * k * size > 512 * 1024:
            least = max(least, 6 * height)
        few = min(ceil_div(rows, MOST_TILES), MOST_PRODUCTS // max(n * k, 1))
        even = ceil_div(rows, shared_evenly(max(rows // max(least, few, height), 1)))
        balanced = ceil_div(rows, ceil_div(rows, height))
        whole = min(max((even + balanced // 2) // balanced, 1) * balanced, rows)     # register tiles
        return shared_as_well(rows, whole, even)

    @helper
    def way_of(batches, rows, n, k, transpose_a, transpose_b, turned, choice):
        """The way of its own that a product by a B that is no constant goes, 0: the micro-kernel's."""
        short = gain(batches, rows, n, k, transpose_b)
        dots = transpose_b * positive(DOT_ROWS + 1 - rows) * max(1 - transpose_a, 2 - min(rows, 2), 2 - min(batches, 2))
        long = positive(k + 1 - 2 * lanes) * positive(
            k * lanes - DOT_SUM * rows * min(n, lanes) * (1 + positive(rows + 1 - rows_short)))
        if takes(choice, SHORT, min(short, -dots * long) >= 0):
            return SHORT
        if dots != 0 and takes(choice, DOTS, turned or max(1 - rows, short, min(
                k - 2 * lanes, gain_of_dots(rows, k))) >= 0):
            return DOTS
        if transpose_b == 0 and rows == 1 and takes(choice, STREAM, True):
            return STREAM
        return 0

    @helper
    def set_mode(batches, rows, n, k, transpose_b, different, panel_bytes, width, height, way, plain, choice):
        """How B arrives, and what that takes. different: matrices B. Returns bytes of scratch for it."""
        panels = choice[TILE_PANELS]
        pack_tiles, small = different * ceil_div(panels, choice[PACK_PANELS]), panels * panel_bytes <= SMALL
        if not plain:
            choice[MODE], choice[FORMAT] = PACKED, choice[SHAPE]
            choice[PACKED_BYTES], choice[PACK_TILES] = different * panels * panel_bytes, pack_tiles
        elif way != 0:
            choice[MODE] = IN_PLACE
        elif different == batches and rows <= rows_packing(batches, panels, height, width * k) and takes(
                choice, IN_TILE, transpose_b != 0 or (
                    n % width != 0 and rows > ALONE_TILES * height if different > 1 and small else (
                    rows > rows_in_place(n, k) * height))):
            choice[MODE] = IN_TILE
        elif transpose_b == 0 and takes(
                choice, IN_PLACE, rows <= rows_in_place(n, k) * height or (different > 1 and small)):
            choice[MODE] = IN_PLACE
            return panel_bytes
        else:
            choice[MODE] = IN_WORK
            choice[WORK_BYTES], choice[TILES] = different * panels * panel_bytes, pack_tiles
        return 0

    @helper
    def set_tiles(batches, rows, n, k, transpose_b, width, height, way, turned, choice):
        """Rows, panels and batches of a tile; TILE_PANELS is all of them before."""
        panels, cost = choice[TILE_PANELS], rows * n * k + (AROUND if way == SHORT else 0)
        choice[TILE_ROWS] = rows if rows <= 2 * height or turned or choice[MODE] == IN_TILE else tile_rows(
            rows, height, n, k, way, transpose_b)
        row_tiles = ceil_div(rows, choice[TILE_ROWS])
        if choice[MODE] == IN_TILE:
            row_tiles = ceil_div(batches, ceil_div(PRODUCTS, max(cost, 1)))
        if row_tiles < FEW_TILES:
            least = ceil_div(DOT_PRODUCTS if way != 0 else PRODUCTS, max(choice[TILE_ROWS] * width * k, 1))
            choice[TILE_PANELS] = min(max(least, ceil_div(panels * row_tiles, COLUMN_TILES)), panels)
        if way == SHORT and transpose_b != 0:
            choice[TILE_PANELS] = min(choice[TILE_PANELS], max(ONCE_BYTES // max(width * k * size, 1), 1))
        if choice[TILE_ROWS] == rows and choice[TILE_PANELS] == panels:
            choice[TILE_BATCHES] = min(ceil_div(PRODUCTS, max(cost, 1)), batches)

    @helper
    def may_round(batches, rows, n, k, different, plain, choice):
        """Whether both operands become bfloat16: if that is quicker than float32. A row or two times weights wait for
        these, of which float32 is made again."""
        cost = cost_of_rounded(batches, rows, n, k, different if plain else 0, choice)
        return takes(choice, ROUNDED, cost < batches * rows * n * k)

    @helper
    def bind_roles(batch, m, n, k, a_batch, b_batch, transpose_a, transpose_b, persistent, turned, choice):
        """bind, of the operands in the roles in which they are multiplied."""
        apart()
        merged = batch == 1 or (b_batch == 0 and a_batch == m * k and transpose_a == 0)
        batches, rows = (1, batch * m) if merged else (batch, m)
        different = batches if b_batch != 0 else 1
        plain = persistent == 0
        if rounds and choice[MAY_ROUND] >= BOTH_ROUNDED and not turned and may_round(
                batches, rows, n, k, different, plain, choice):
            bind_rounded(batches, rows, n, k, different, plain, choice)
            return
        way = way_of(batches, rows, n, k, transpose_a, transpose_b, turned, choice) if plain else 0
        bfloat16 = may_be_bfloat16 and not plain and choice[MAY_ROUND] != 0 and n >= BFLOAT16_COLUMNS
        shape, width, height, line_bytes, scratch, block = shape_of(rows, n, way, bfloat16)
        panels, panel_bytes = ceil_div(n, width), k * line_bytes
        choice[SHAPE], choice[BATCHES], choice[ROWS] = shape, batches, rows
        choice[PACK_PANELS] = min(max(PACK_BYTES // max(panel_bytes, 1), 1), panels)
        choice[TILE_PANELS], choice[TILE_BATCHES] = panels, 1
        scratch += set_mode(batches, rows, n, k, transpose_b, different, panel_bytes, width, height, way, plain, choice)
        choice[VARIANT] = way if way != 0 else choice[MODE]
        set_tiles(batches, rows, n, k, transpose_b, width, height, way, turned, choice)
        if choice[MODE] == IN_TILE:
            scratch += min(choice[TILE_PANELS] * panel_bytes, block)
        elif way == SHORT and transpose_b != 0:
            scratch = round_up(min(choice[TILE_PANELS] * width, n) * k * size, 64)
        tiles = (ceil_div(batches, choice[TILE_BATCHES]) * ceil_div(rows, choice[TILE_ROWS])
                 * ceil_div(panels, choice[TILE_PANELS]))
        if way == DOTS and transpose_a != 0 and rows != 1:                # phase 0 brings A's columns in order
            choice[MODE], choice[WORK_BYTES], choice[TILES] = IN_WORK, rows * k * size, 1
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
    return bind
