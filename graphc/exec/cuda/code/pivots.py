"""Kernels of LU decompositions with partial pivoting, a panel of columns at a time (calls/matrices.py).

swaps[matrix, j]: the row that changed places with row j. The pivot is the first of the greatest, NaNs are none, but for
one that stands on the diagonal, as on the CPU; without any but 0 a column is left as it is.
"""
from __future__ import annotations

from graphc.exec.cuda.code.builder import THREADS, KernelBuilder
from graphc.exec.cuda.code.matrices import REFUSED
from graphc.exec.cuda.code.warps import DECLARATIONS, WARP, WARPS, joined_among


def lu_columns(dtype: str) -> KernelBuilder:
    """gc_lu_columns(lu, swaps, refused, n, first, last), a block a matrix: columns first to last of what is left, WARP
    of them at most, their rows in order."""
    k = KernelBuilder("gc_lu_columns", before=DECLARATIONS)
    lu, swaps, refused = k.array("lu", dtype), k.array("swaps", "i64"), k.array("refused", "i64")
    n, first, last = k.numbers("n", "first", "last")
    greatest, places = k.shared("greatest", dtype, WARPS), k.shared("places", "i64", WARPS)
    matrix, thread = k.index("ctaid.x"), k.index("tid.x")
    lu, swaps = lu.at(matrix * n * n), swaps.at(matrix * n)
    with k.loop(first, last) as j:
        best, where = k.variable(-1, dtype), k.variable(n)
        with k.loop(j + thread, n, THREADS) as i:
            value = k.call("abs", lu[i * n + j])
            value = k.choose(value.differs(value), k.choose(i.equals(j), k.constant(float("inf"), dtype), -1), value)
            better = value > best.get()
            best.set(k.choose(better, value, best.get()))
            where.set(k.choose(better, i, where.get()))
        most = joined_among(k, best.get(), THREADS, k.greatest, greatest)
        mine = k.choose(best.get().equals(most), where.get(), n)
        pivot_row = joined_among(k, mine, THREADS, k.least, places)
        with k.when(thread.equals(0)):
            swaps[j] = pivot_row
        with k.when((first + thread < last) & pivot_row.differs(j)):
            column = first + thread
            upper, lower = lu[j * n + column], lu[pivot_row * n + column]
            lu[j * n + column], lu[pivot_row * n + column] = lower, upper
        k.barrier()
        pivot = lu[j * n + j]
        with k.when(thread.equals(0) & ~(k.call("abs", pivot) > 0)), k.when(refused[matrix] >= 0):
            refused[matrix] = j - REFUSED
        with k.when(pivot.differs(0)):
            with k.loop(j + 1 + thread, n, THREADS) as i:
                lu[i * n + j] = lu[i * n + j] / pivot
        k.barrier()
        with k.when(pivot.differs(0)), k.loop(thread, (n - 1 - j) * WARP, THREADS) as number:
            i, column = j + 1 + number // WARP, j + 1 + number % WARP
            with k.when(column < last):
                place = i * n + column
                lu[place] = k.multiply_add(-lu[i * n + j], lu[j * n + column], lu[place])
        k.barrier()
    return k


def lu_rows(dtype: str) -> KernelBuilder:
    """gc_lu_rows(lu, swaps, columns of all, n, first, last): in all other columns the rows of a panel change places; of
    those right of it, the panel's rows of U. A thread a column."""
    k = KernelBuilder("gc_lu_rows")
    lu, swaps = k.array("lu", dtype), k.array("swaps", "i64")
    columns, n, first, last = k.numbers("columns", "n", "first", "last")
    matrix, column = k.parts(k.thread(columns), n)
    k.go_on_if((column < first) | (column >= last))
    lu, swaps = lu.at(matrix * n * n), swaps.at(matrix * n)
    with k.loop(first, last) as j:
        other = swaps[j]
        upper, lower = lu[j * n + column], lu[other * n + column]
        lu[j * n + column], lu[other * n + column] = lower, upper
    k.go_on_if(column >= last)
    with k.loop(first + 1, last) as i:
        total = k.variable(lu[i * n + column])
        with k.loop(first, i) as j:
            total.set(k.multiply_add(-lu[i * n + j], lu[j * n + column], total.get()))
        lu[i * n + column] = total.get()
    return k


def lu_order(dtype: str) -> KernelBuilder:
    """gc_lu_order(lu, swaps, order, facts, batch, n), a thread a matrix: which row became which, and of the matrix its
    determinant, the sign of that, and the logarithm of its absolute value."""
    k = KernelBuilder("gc_lu_order")
    lu, swaps = k.array("lu", dtype), k.array("swaps", "i64")
    order, facts = k.array("order", "i32"), k.array("facts", dtype)
    batch, n = k.numbers("batch", "n")
    matrix = k.thread(batch)
    lu, swaps, order, facts = (x.at(matrix * size) for x, size in ((lu, n * n), (swaps, n), (order, n), (facts, 3)))
    with k.loop(0, n) as i:
        order[i] = i.to("i32")
    product, sign, logarithm = k.variable(1, dtype), k.variable(1, dtype), k.variable(0, dtype)
    with k.loop(0, n) as i:
        other = swaps[i]
        upper, lower = order[i], order[other]
        order[i], order[other] = lower, upper
        with k.when(other.differs(i)):
            product.set(-product.get())
            sign.set(-sign.get())
    with k.loop(0, n) as i:
        value = lu[i * n + i]
        size = k.call("abs", value)
        product.set(product.get() * value)
        logarithm.set(logarithm.get() + k.call("log", size))
        turned = k.choose(value < 0, -sign.get(), k.choose(value > 0, sign.get(), sign.get() * size))
        sign.set(turned)
    facts[0] = k.choose(sign.get().equals(0), 0, product.get())
    facts[1], facts[2] = sign.get() + 0, logarithm.get()
    return k


def ordered(dtype: str, back: bool, narrow: bool) -> KernelBuilder:
    """gc_ordered(order, b, x, elements, n, columns, b_batch): x[i] = b[order[i]] of each matrix, or x[order[i]] = b[i];
    an order that is not there counts as 0."""
    k = KernelBuilder("gc_ordered", narrow)
    order, b, x = k.array("order", "i32"), k.array("b", dtype), k.array("x", dtype)
    elements, n, columns, b_batch = k.numbers("elements", "n", "columns", "b_batch")
    matrix, i, column = k.parts(k.thread(elements), n, columns)
    place = order[matrix * n + i].to("i64")
    place = k.choose(place.inside(0, n), place, 0)
    source, target = (i, place) if back else (place, i)
    x[(matrix * n + target) * columns + column] = b[matrix * b_batch + source * columns + column]
    return k
