"""channel_moments and channel_products: what batch normalisation in training sums over all pixels, in one pass.

Job: of each x[rows, cols], of `outer` ones, the mean, variance and unbiased variance of each column; of dy and x the
columns' sums of dy and of dy * (x - mean), and both divided by the rows. The variance is that of deviations from the
mean: a block of rows is read twice, the second time from the cache, and blocks are combined by Chan's formula, so that
a large mean costs no more digits than the elements have lost to it.
Tiles are parts of the rows, whose columns go to the workspace; phase 1 puts them together in order.
Invariants: parts and blocks follow from the sizes alone; of no rows everything but the sums is NaN.
"""
from __future__ import annotations

from ...contracts.calls import Functions
from ..memory import ITEM_SIZES, NUMBA_TYPES, apart, ceil_div, helper, offset, pointer_to
from ..words import OK, SCRATCH_BYTES, TILES, TILES_1, USER, WORK_BYTES

PART = 1 << 16                         # elements of a part, at least
MOST_PARTS = 32
BLOCK_BYTES = 32 * 1024                # of a block of rows, about
COLUMNS = 1024                         # of a tile of phase 1
PART_ROWS, PARTS, BLOCK_ROWS = USER, USER + 1, USER + 2


def make_bind(size):
    @helper
    def bind_parts(outer, rows, cols, choice):
        """Parts of rows, each of which leaves two numbers a column, as does a block in scratch."""
        if cols == 0 or outer == 0:
            return
        parts = min(max(rows * cols // PART, 1), MOST_PARTS, max(rows, 1))
        choice[PART_ROWS] = max(ceil_div(rows, parts), 1)
        choice[PARTS] = ceil_div(rows, choice[PART_ROWS])
        choice[BLOCK_ROWS] = max(BLOCK_BYTES // (cols * size) // 4 * 4, 4)
        choice[SCRATCH_BYTES], choice[WORK_BYTES] = 2 * cols * size, outer * max(choice[PARTS], 1) * 2 * cols * size
        choice[TILES], choice[TILES_1] = outer * choice[PARTS], outer * ceil_div(cols, COLUMNS)
    return bind_parts


def make_loops(dtype):
    """(clear(target, cols), add_rows(sums, x, rows, cols), add_squares(sums, x, mean, rows, cols), add_products(
    sums, products, dy, x, mean, rows, cols)): each of the others adds up rows of a block, some at a time."""
    zero = NUMBA_TYPES[dtype](0)

    @helper
    def clear(target, cols):
        for j in range(cols):
            target[j] = zero

    @helper
    def add_rows(sums, x, rows, cols):
        apart()
        whole = rows // 4 * 4
        for i in range(0, whole, 4):
            a, b, c, d = (offset(x, i * cols), offset(x, (i + 1) * cols), offset(x, (i + 2) * cols),
                          offset(x, (i + 3) * cols))
            for j in range(cols):
                sums[j] += (a[j] + b[j]) + (c[j] + d[j])
        for i in range(whole, rows):
            a = offset(x, i * cols)
            for j in range(cols):
                sums[j] += a[j]

    @helper
    def add_squares(sums, x, mean, rows, cols):
        whole = rows // 4 * 4
        for i in range(0, whole, 4):
            a, b, c, d = (offset(x, i * cols), offset(x, (i + 1) * cols), offset(x, (i + 2) * cols),
                          offset(x, (i + 3) * cols))
            for j in range(cols):
                m = mean[j]
                e, f, g, h = a[j] - m, b[j] - m, c[j] - m, d[j] - m
                sums[j] += (e * e + f * f) + (g * g + h * h)
        for i in range(whole, rows):
            a = offset(x, i * cols)
            for j in range(cols):
                e = a[j] - mean[j]
                sums[j] += e * e

    @helper
    def add_products(sums, products, dy, x, mean, rows, cols):
        whole = rows // 2 * 2
        for i in range(0, whole, 2):
            a, b, c, d = (offset(dy, i * cols), offset(dy, (i + 1) * cols), offset(x, i * cols),
                          offset(x, (i + 1) * cols))
            for j in range(cols):
                sums[j] += a[j] + b[j]
                products[j] += a[j] * (c[j] - mean[j]) + b[j] * (d[j] - mean[j])
        for i in range(whole, rows):
            a, c = offset(dy, i * cols), offset(x, i * cols)
            for j in range(cols):
                sums[j] += a[j]
                products[j] += a[j] * (c[j] - mean[j])
    return clear, add_rows, add_squares, add_products


def make_moments(types):
    dtype = types["T"]
    size, at, of = ITEM_SIZES[dtype], pointer_to(dtype), NUMBA_TYPES[dtype]
    bind_parts = make_bind(size)
    clear, add_rows, add_squares, _ = make_loops(dtype)

    @helper
    def combine(means, squares, more_means, more_squares, count, more, cols):
        """Chan's formula: `count` rows and `more` ones."""
        apart()
        kept, share, weight = of(count) / of(count + more), of(more) / of(count + more), of(count) * of(more) / of(
            count + more)
        for j in range(cols):
            step = more_means[j] - means[j]
            means[j] = means[j] * kept + more_means[j] * share     # of infinity, too
            squares[j] += more_squares[j] + step * weight * step

    @helper
    def block_moments(means, squares, x, rows, cols):
        clear(means, cols)
        add_rows(means, x, rows, cols)
        share = of(1) / of(rows)
        for j in range(cols):
            means[j] *= share
        clear(squares, cols)
        add_squares(squares, x, means, rows, cols)

    def bind(outer, rows, cols, choice):
        bind_parts(outer, rows, cols, choice)

    def run(x, mean, variance, unbiased, outer, rows, cols, choice, work, scratch, phase, tile):
        parts, strips = choice[PARTS], ceil_div(cols, COLUMNS)
        if phase == 0:
            number, means = tile // parts, at(work + tile * 2 * cols * size)
            first, squares = tile % parts * choice[PART_ROWS], offset(means, cols)
            count = min(choice[PART_ROWS], rows - first)
            more_means, more_squares = at(scratch), at(scratch + cols * size)
            clear(means, 2 * cols)
            for start in range(0, count, choice[BLOCK_ROWS]):
                some = min(choice[BLOCK_ROWS], count - start)
                source = offset(x, (number * rows + first + start) * cols)
                block_moments(more_means, more_squares, source, some, cols)
                combine(means, squares, more_means, more_squares, start, some, cols)
            return OK
        number, first = tile // strips, tile % strips * COLUMNS
        count, means = min(COLUMNS, cols - first), offset(mean, number * cols + first)
        squares, total = offset(variance, number * cols + first), offset(unbiased, number * cols + first)
        clear(means, count)
        clear(squares, count)
        for part in range(parts):
            before, made = part * choice[PART_ROWS], at(work + ((number * parts + part) * 2 * cols + first) * size)
            combine(means, squares, made, offset(made, cols), before, min(choice[PART_ROWS], rows - before), count)
        others = max(rows - 1, min(rows, 1))
        for j in range(count):
            total[j] = squares[j] / of(others)
            squares[j] /= of(rows)
            means[j] = means[j] if rows > 0 else squares[j]
        return OK
    return Functions(bind, run)


def make_products(types):
    dtype = types["T"]
    size, at, of = ITEM_SIZES[dtype], pointer_to(dtype), NUMBA_TYPES[dtype]
    bind_parts = make_bind(size)
    clear, add_rows, _, add_products = make_loops(dtype)

    def bind(rows, cols, choice):
        bind_parts(1, rows, cols, choice)

    def run(dy, x, mean, total, product, mean_total, mean_product, rows, cols, choice, work, scratch, phase, tile):
        if phase == 0:
            first, sums = tile * choice[PART_ROWS], at(work + tile * 2 * cols * size)
            count, products = min(choice[PART_ROWS], rows - first), offset(sums, cols)
            clear(sums, 2 * cols)
            some_sums, some_products = at(scratch), at(scratch + cols * size)
            for start in range(0, count, choice[BLOCK_ROWS]):
                some, begin = min(choice[BLOCK_ROWS], count - start), (first + start) * cols
                clear(some_sums, cols)
                clear(some_products, cols)
                add_products(some_sums, some_products, offset(dy, begin), offset(x, begin), mean, some, cols)
                add_rows(sums, some_sums, 1, cols)
                add_rows(products, some_products, 1, cols)
            return OK
        first = tile * COLUMNS
        count, sums, products = min(COLUMNS, cols - first), offset(total, first), offset(product, first)
        clear(sums, count)
        clear(products, count)
        for part in range(choice[PARTS]):
            made = at(work + (part * 2 * cols + first) * size)
            add_rows(sums, made, 1, count)
            add_rows(products, offset(made, cols), 1, count)
        for j in range(count):
            mean_total[first + j] = sums[j] / of(rows)
            mean_product[first + j] = products[j] / of(rows)
        return OK
    return Functions(bind, run)
