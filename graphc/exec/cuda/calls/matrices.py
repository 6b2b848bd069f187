"""Linear algebra on the device: factors of matrices, and equations, a panel at a time; what panels have to do with
those before is a product, never of rounded factors."""
from __future__ import annotations

from dataclasses import dataclass, replace

from graphc.exec.cuda.calls.call import (
    Call,
    Products,
    ProgramBuilder,
    blocks,
    checked,
    launch,
    map_work,
    size_of,
)
from graphc.exec.cuda.calls.checks import Refusal
from graphc.exec.cuda.calls.indices import first_bad
from graphc.exec.cuda.calls.products import NARROW, Factors, Spaced, product
from graphc.exec.cuda.code import matrices as code
from graphc.exec.cuda.code import pivots, reflections
from graphc.exec.cuda.work import Clear, Work
from graphc.kernels.contracts.calls import Status

PANEL, PIVOTED = 64, 32    # rows or columns that a block does alone; of those that change places, a warp's width


def _exact(call: Call) -> Call:
    return replace(call, products=Products.FUSED)


def _refused(call: Call, rows: int, batch: int, status: Status) -> list[Work]:
    """What reports the first matrix of which a row is refused."""
    work, first = first_bad(call, rows, batch)
    refusal = Refusal(call.scratch(8 * Refusal.words), status)
    call.checks.append(refusal)
    return work + launch(call, code.refused_matrix(), 1, first, rows, refusal.place, batch)


def cholesky(call: Call) -> list[Work]:
    (a, factor), (batch, n), dtype = call.operands, call.dims, call.types[0]
    if not batch * n:
        return []
    size, refused = size_of(dtype), call.scratch(8 * batch)
    known = call.scratch(batch * max(n - PANEL, 0) * min(n, PANEL) * size)
    work: list[Work] = [Clear(refused, 8 * batch)]
    for first in range(0, n, PANEL):
        last, rows = min(first + PANEL, n), n - first
        before = factor + first * n * size
        if first:
            lines = Spaced(n, n, last - first, rows * (last - first))
            work += product(_exact(call), Factors(dtype, batch, rows, last - first, first, n * n, n * n,
                                                  transpose_b=True, spaced=lines), before, before, known)
        work += blocks(call, code.cholesky_columns(dtype, first > 0), (batch,), a, known, factor, refused, n, first,
                       last)
    return work + _refused(call, refused, batch, Status.NOT_DEFINITE)


@dataclass(frozen=True)
class Equations:
    """t x = b of a batch: t is the lower or upper triangle, transposed if `turned`, of n x n; unit: with ones on its
    diagonal; b_batch: elements from one b to the next."""

    batch: int
    n: int
    columns: int
    b_batch: int
    upper: bool
    turned: bool
    unit: bool = False


def _solved(call: Call, e: Equations, t: int, b: int, x: int) -> list[Work]:
    dtype, n, columns = call.types[0], e.n, e.columns
    size, work, steps = size_of(dtype), [], (1, n) if e.turned else (n, 1)     # type: int, list[Work], tuple[int, int]
    strip = min(1 << (columns - 1).bit_length(), code.STRIP)
    known = call.scratch(e.batch * min(n, PANEL) * columns * size) if n > PANEL else 0
    firsts = range(0, n, PANEL)
    for first in reversed(firsts) if e.upper else firsts:
        count = min(PANEL, n - first)
        start, done = (first + count, n - first - count) if e.upper else (0, first)
        if done:
            lines = Spaced(n, columns, columns, count * columns)
            f = Factors(dtype, e.batch, count, columns, done, n * n, n * columns, transpose_a=e.turned, spaced=lines)
            work += product(_exact(call), f, t + (first * steps[0] + start * steps[1]) * size,
                            x + start * columns * size, known)
        kernel = code.substitution(dtype, strip, e.upper, e.unit, done > 0)
        work += blocks(call, kernel, (e.batch * -(-columns // strip),), t, b, known, x, n, columns, e.b_batch, *steps,
                       first, count)
    return work


def triangular_solve(call: Call) -> list[Work]:
    (a, rhs, x), (batch, n, columns, rhs_batch), (lower, adjoint) = call.operands, call.dims, call.attrs
    if not batch * n * columns:
        return []
    refused = call.scratch(8 * batch)
    p = ProgramBuilder(call.types[0])
    is_zero = p("equal", "bool", 0, p("const", call.types[0], value=0.0))
    row = p("sub", "i64", p("index", "i64", value=1), p("const", "i64", value=code.REFUSED))
    least = p("reduce.min", "i64", p("select", "i64", is_zero, row, p("const", "i64", value=0)))
    work: list[Work] = list(map_work(call, p.program(least), (batch, n), 1,
                                     [(a, (n * n, n + 1)), (refused, (1, 0)), (0, (0, 1))]))
    work += _refused(call, refused, batch, Status.NOT_INVERTIBLE)
    return work + _solved(call, Equations(batch, n, columns, rhs_batch, lower == adjoint, adjoint == 1), a, rhs, x)


def lu(call: Call) -> list[Work]:
    """Columns of a panel, then its rows, then what these take from what is left: a product, and a map."""
    (a, target, order, facts), (batch, n), (regular,) = call.operands, call.dims, call.attrs
    dtype, each = call.types[0], n * n
    if not batch:
        return []
    size, swaps, refused = size_of(dtype), call.scratch(8 * batch * n), call.scratch(8 * batch)
    known = call.scratch(batch * max(n - PIVOTED, 0) ** 2 * size)
    b = ProgramBuilder(dtype)
    work: list[Work] = [*map_work(call, b.program(0), (batch * each,), 0, [(a, (1,)), (target, (1,))]),
                        Clear(refused, 8 * batch)]
    for first in range(0, n, PIVOTED):
        last = min(first + PIVOTED, n)
        left = n - last
        work += blocks(call, pivots.lu_columns(dtype), (batch,), target, swaps, refused, n, first, last)
        if n > PIVOTED:
            work += launch(call, pivots.lu_rows(dtype), batch * n, target, swaps, batch * n, n, first, last)
        if left:
            f = Factors(dtype, batch, left, left, last - first, each, each, spaced=Spaced(n, n, left, left * left))
            below, beside, rest = (target + (row * n + column) * size for row, column in (
                (last, first), (first, last), (last, last)))
            b = ProgramBuilder(dtype, dtype)
            work += product(_exact(call), f, below, beside, known)
            work += map_work(call, b.program(b("sub", dtype, 0, 1)), (batch, left, left), 0, [
                (rest, (each, n, 1)), (known, (left * left, left, 1)), (rest, (each, n, 1))])
    work += launch(call, pivots.lu_order(dtype), batch, target, swaps, order, facts, batch, n)
    return work + (_refused(call, refused, batch, Status.NOT_INVERTIBLE) if regular else [])


def lu_solve(call: Call) -> list[Work]:
    """Of a its lower triangle first, of its transpose U's, which is the lower one then."""
    (factors, order, rhs, x), (batch, n, columns, rhs_batch), (adjoint,) = call.operands, call.dims, call.attrs
    dtype, elements = call.types[0], batch * n * columns
    if not elements:
        return []
    work = list(checked(call, order, batch * n, "i32", n))
    here, there = (call.scratch(elements * size_of(dtype)) for _ in range(2))
    narrow, each = max(elements, batch * n) < NARROW, n * columns
    if not adjoint:
        kernel = pivots.ordered(dtype, False, narrow)
        work += launch(call, kernel, elements, order, rhs, here, elements, n, columns, rhs_batch)
    lower = Equations(batch, n, columns, rhs_batch if adjoint else each, False, adjoint == 1, not adjoint)
    upper = replace(lower, b_batch=each, upper=True, unit=adjoint == 1)
    work += _solved(call, lower, factors, rhs if adjoint else here, there)
    work += _solved(call, upper, factors, there, here if adjoint else x)
    if adjoint:
        kernel = pivots.ordered(dtype, True, narrow)
        work += launch(call, kernel, elements, order, here, x, elements, n, columns, each)
    return work


def qr(call: Call) -> list[Work]:
    """A block a matrix does all of it: many matrices fill the device, one does not."""
    (a, q, r), (batch, m, n, inner), dtype = call.operands, call.dims, call.types[0]
    if not batch * m * inner:
        return [Clear(r, batch * inner * n * size_of(dtype))]
    copies, taus = call.scratch(batch * m * n * size_of(dtype)), call.scratch(batch * min(m, n) * size_of(dtype))
    return blocks(call, reflections.qr(dtype), (batch,), a, q, r, copies, taus, m, n, inner)
