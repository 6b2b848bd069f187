"""QR by Householder's reflections, a block a matrix: signs, and the scale of very large and small numbers, are the
CPU's (kernels/cpu/linalg/qr.py).

A copy of the matrix becomes R with the vectors of the reflections 1 - tau v vT below its diagonal, v's first element
being 1. Q begins as ones and is multiplied by them from the last to the first. A warp's lanes are columns, its warps
rows, so that what is read lies side by side; sums over rows are joined in shared memory.
"""
from __future__ import annotations

from dataclasses import dataclass

from graphc.exec.cuda.code.builder import THREADS, Array, KernelBuilder, Value
from graphc.exec.cuda.code.warps import DECLARATIONS, WARP, WARPS, joined, joined_among

# Exponents of 2: numbers beyond the first are scaled by the second.
LARGE = {"f32": (40, 88), "f64": (400, 600)}


@dataclass(frozen=True)
class _Matrix:
    """`rows` rows of `width` elements."""

    elements: Array
    rows: Value
    width: Value

    def at(self, row: Value, column: Value) -> Value:
        return row * self.width + column


def qr(dtype: str) -> KernelBuilder:
    """gc_qr(a, q, r, copies, taus, m, n, inner): a[m, n] = q[m, inner] r[inner, n]. copies: room for a; taus: for
    min(m, n) numbers of each matrix."""
    k = KernelBuilder("gc_qr", before=DECLARATIONS)
    a, q, r, copies, taus = (k.array(name, dtype) for name in ("a", "q", "r", "copies", "taus"))
    m, n, inner = k.numbers("m", "n", "inner")
    number, thread, least = k.index("ctaid.x"), k.index("tid.x"), k.least(m, n)
    a, taus = a.at(number * m * n), taus.at(number * least)
    q, r = q.at(number * m * inner), r.at(number * inner * n)
    sums, parts = k.shared("sums", dtype, WARPS), k.shared("parts", dtype, THREADS)
    copy, made = _Matrix(copies.at(number * m * n), m, n), _Matrix(q, m, inner)
    before, after = _scales(k, a, m * n, sums)
    with k.loop(thread, m * n, THREADS) as i:
        copy.elements[i] = a[i] * before
    with k.loop(thread, m * inner, THREADS) as i:
        q[i] = k.choose((i // inner).equals(i % inner), k.constant(1.0, dtype), 0.0)
    k.barrier()
    with k.loop(0, least) as column:
        tau = _reflection(k, copy, column, taus, sums)
        _turn(k, copy, column, tau, copy, column + 1, parts)
    with k.loop(0, least) as done:
        column = least - 1 - done
        _turn(k, copy, column, taus[column], made, column, parts)
    with k.loop(thread, inner * n, THREADS) as i:
        row, column = i // n, i % n
        there = (row <= column) & (row < m)
        place = k.choose(there, copy.at(row, column), 0)
        r[i] = k.choose(there, copy.elements[place] * after, 0.0)
    return k


def _scales(k: KernelBuilder, a: Array, count: Value, shared: Array) -> tuple[Value, Value]:
    """What the elements are multiplied with before, and R behind, so that no square overflows."""
    dtype, greatest = a.dtype, k.variable(0.0, a.dtype)
    with k.loop(k.index("tid.x"), count, THREADS) as i:
        size = k.call("abs", a[i])
        greatest.set(k.choose(size > greatest.get(), size, greatest.get()))
    k.barrier()
    most = joined_among(k, greatest.get(), THREADS, k.greatest, shared)
    (limit, exponent), one = LARGE[dtype], k.constant(1.0, dtype)
    down, up = k.constant(2.0 ** -exponent, dtype), k.constant(2.0 ** exponent, dtype)
    large, small = most > 2.0 ** limit, (most > 0.0) & (most < 2.0 ** -limit)
    return (k.choose(large, down, k.choose(small, up, one)), k.choose(large, up, k.choose(small, down, one)))


def _reflection(k: KernelBuilder, copy: _Matrix, column: Value, taus: Array, shared: Array) -> Value:
    """Makes the column R's above and the reflection's below the diagonal. Returns tau, 0 where nothing is below."""
    thread, elements, total = k.index("tid.x"), copy.elements, k.variable(0.0, copy.elements.dtype)
    with k.loop(column + 1 + thread, copy.rows, THREADS) as row:
        value = elements[copy.at(row, column)]
        total.set(k.multiply_add(value, value, total.get()))
    alpha = elements[copy.at(column, column)]
    k.barrier()
    below = joined_among(k, total.get(), THREADS, lambda x, y: x + y, shared)
    norm = k.call("sqrt", k.multiply_add(alpha, alpha, below))
    some, beta = below.differs(0.0), k.choose(alpha < 0.0, norm, -norm)
    tau = k.choose(some, (beta - alpha) / beta, 0.0)
    with k.loop(column + 1 + thread, copy.rows, THREADS) as row:
        place = copy.at(row, column)
        elements[place] = k.choose(some, elements[place] / (alpha - beta), elements[place])
    with k.when(thread.equals(0)):
        elements[copy.at(column, column)] = k.choose(some, beta, alpha)
        taus[column] = tau
    k.barrier()
    return tau


def _turn(k: KernelBuilder, copy: _Matrix, column: Value, tau: Value, target: _Matrix, first: Value,
          parts: Array) -> None:
    """Multiplies the target's columns from `first` on by the reflection of a column."""
    thread, v, x = k.index("tid.x"), copy.elements, target.elements
    lane, warp = thread & (WARP - 1), thread // WARP
    with k.loop(first, target.width, WARP) as start:
        there, total = start + lane < target.width, k.variable(0.0, x.dtype)
        place = k.choose(there, start + lane, start)
        with k.loop(column + 1 + warp, copy.rows, WARPS) as row:
            total.set(k.multiply_add(v[copy.at(row, column)], x[target.at(row, place)], total.get()))
        parts[thread] = total.get()
        top = x[target.at(column, place)]
        k.barrier()
        whole = tau * (top + joined([parts[other * WARP + lane] for other in range(WARPS)], lambda a, b: a + b))
        with k.when(there):
            with k.when(warp.equals(0)):
                x[target.at(column, place)] = top - whole
            with k.loop(column + 1 + warp, copy.rows, WARPS) as row:
                at = target.at(row, place)
                x[at] = k.multiply_add(-v[copy.at(row, column)], whole, x[at])
        k.barrier()
