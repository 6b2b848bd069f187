"""Kernels of linear algebra: a block a matrix, and of that a panel of columns or rows at a time; what the panels before
have to do with it is a product (calls/matrices.py).

What is refused is noted a matrix: the row less REFUSED, 0 if nothing is. The kernels go on with what they have then.
"""
from __future__ import annotations

from graphc.exec.cuda.code.builder import THREADS, TWO_BLOCKS, Array, KernelBuilder, Value
from graphc.exec.cuda.code.indices import refuse
from graphc.exec.cuda.code.warps import DECLARATIONS, WARP, WARPS, joined_among

REFUSED = 1 << 40          # more than a matrix has rows
STRIP = 32                 # columns of right sides that a block solves, at most: a power of two


def cholesky_columns(dtype: str, further: bool) -> KernelBuilder:
    """gc_cholesky(a, known, factor, refused, n, first, last), a block a matrix: columns first to last of the factor,
    and zeros over the diagonal. known[rows from first on, these columns]: what columns before take off, if `further`.

    The element of a row is found by a warp; two barriers a column."""
    k = KernelBuilder("gc_cholesky", before=DECLARATIONS, attributes=TWO_BLOCKS)
    a, known, factor = (k.array(name, dtype) for name in ("a", "known", "factor"))
    refused = k.array("refused", "i64")
    n, first, last = k.numbers("n", "first", "last")
    pivots = k.shared("pivots", dtype, 2)                  # of this column and of the one before, which is still read
    matrix, thread, width = k.index("ctaid.x"), k.index("tid.x"), last - first
    lane, warp = thread & (WARP - 1), thread // WARP
    a, factor, known = a.at(matrix * n * n), factor.at(matrix * n * n), known.at(matrix * (n - first) * width)
    with k.loop(first, last) as j:
        upper = factor.at(j * n)
        with k.loop(j + warp, n, THREADS) as top:          # a warp's rows are WARPS apart; a lane keeps one of them
            taken = k.variable(0, dtype)
            with k.loop(0, k.least((n - top + (WARPS - 1)) // WARPS, WARP)) as number:
                total = _dot(k, factor.at((top + number * WARPS) * n), upper, first, j, pivots)
                taken.set(k.choose(lane.equals(number), total, taken.get()))
            i = top + lane * WARPS
            with k.when(i < n):
                value = a[i * n + j] - taken.get()
                value = value - known[(i - first) * width + (j - first)] if further else value
                factor[i * n + j] = value
                with k.when(i.equals(j)):
                    pivots[j & 1] = value
        k.barrier()
        pivot = pivots[j & 1]
        root = k.call("sqrt", pivot)
        with k.loop(j + thread, n, THREADS) as i:
            factor[i * n + j] = k.choose(i.equals(j), root, factor[i * n + j] / root)
        with k.when(thread.equals(0) & (pivot <= 0)), k.when(refused[matrix] >= 0):
            refused[matrix] = j - REFUSED
        k.barrier()
    with k.loop(thread, last * width, THREADS) as number:
        i, column = number // width, first + number % width
        with k.when(i < column):
            factor[i * n + column] = k.constant(0, dtype)
    return k


def _dot(k: KernelBuilder, a: Array, b: Array, first: Value, end: Value, shared: Array) -> Value:
    """The sum of the products of elements first to end of two rows, by a warp, whose lanes stay together."""
    lane, total = k.index("tid.x") & (WARP - 1), k.variable(0, a.dtype)
    with k.loop(first, end, WARP) as start:
        inside = start + lane < end
        at = k.choose(inside, start + lane, start)
        total.set(k.choose(inside, k.multiply_add(a[at], b[at], total.get()), total.get()))
    return joined_among(k, total.get(), WARP, lambda x, y: x + y, shared)


def substitution(dtype: str, strip: int, upper: bool, unit: bool, further: bool) -> KernelBuilder:
    """gc_substitute(t, b, known, x, n, columns, b_batch, t_row, t_step, first, count), a block a matrix and `strip`
    columns of its right sides: rows first to first + count of x = t^-1 (b - known), t triangular, of which an element
    is t_row and t_step from the next ones. b_batch: elements from one b to the next. unit: t's diagonal counts as ones.
    """
    k = KernelBuilder("gc_substitute")
    t, b, known, x = (k.array(name, dtype) for name in ("t", "b", "known", "x"))
    n, columns, b_batch, t_row, t_step, first, count = k.numbers(
        "n", "columns", "b_batch", "t_row", "t_step", "first", "count")
    thread, strips = k.index("tid.x"), (columns + (strip - 1)) // strip
    matrix, start = k.index("ctaid.x") // strips, k.index("ctaid.x") % strips * strip
    width = k.least(columns - start, strip)
    t, b = t.at(matrix * n * n), b.at(matrix * b_batch + start)
    known, x = known.at(matrix * count * columns + start), x.at(matrix * n * columns + start)
    with k.loop(thread, count * strip, THREADS) as number:
        row, column = number // strip, number % strip
        with k.when(column < width):
            value = b[(first + row) * columns + column]
            x[(first + row) * columns + column] = value - known[row * columns + column] if further else value
    k.barrier()
    with k.loop(0, count) as done:
        row, rest = first + (count - 1 - done if upper else done), count - 1 - done
        if not unit:
            with k.when(thread < width):
                x[row * columns + thread] = x[row * columns + thread] / t[row * (t_row + t_step)]
            k.barrier()
        with k.loop(thread, rest * strip, THREADS) as number:
            other, column = number // strip + (first if upper else row + 1), number % strip
            with k.when(column < width):
                factor, place = -t[other * t_row + row * t_step], other * columns + column
                x[place] = k.multiply_add(factor, x[row * columns + column], x[place])
        k.barrier()
    return k


def refused_matrix() -> KernelBuilder:
    """gc_refused_matrix(first, refused, record, batch): the record of the first matrix that is refused: which, and the
    row."""
    k = KernelBuilder("gc_refused_matrix")
    first, refused, record = (k.array(name, "i64") for name in ("first", "refused", "record"))
    batch = k.number("batch")
    k.go_on_if(k.index("tid.x").equals(0))
    number = first[0]
    refuse(k, record, number < batch)
    k.go_on_if(number < batch)
    record[1], record[2] = number, refused[number] + REFUSED
    return k
