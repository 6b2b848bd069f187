"""Index tuples of sparse tensors on the device: grouped, found, checked."""
from __future__ import annotations

from graphc.exec.cuda.calls.call import Call, ProgramBuilder, checked, launch, map_work
from graphc.exec.cuda.calls.checks import Refusal
from graphc.exec.cuda.calls.indices import first_bad
from graphc.exec.cuda.calls.scans import NARROW, Lines, scanned
from graphc.exec.cuda.code import tuples as code
from graphc.exec.cuda.code.indices import AXES, put_rows
from graphc.exec.cuda.work import Clear, Work
from graphc.kernels.contracts.calls import Status


def row_groups(call: Call) -> list[Work]:
    """Runs of equal tuples are numbered by how many begin before."""
    (rows, order, group, count), (n, depth, width) = call.operands, call.dims
    if not n:
        return [Clear(count, 8)]
    begins, numbers = call.scratch(8 * n), call.scratch(8 * n)
    work = [*checked(call, order, n, "i64", n), Clear(group, 8 * n)]
    work += launch(call, code.heads(), n, rows, order, begins, n, depth, width)
    work += scanned(call, "i64", Lines(1, n, 1), begins, begins)
    b = ProgramBuilder("i64")
    less = b.program(b("sub", "i64", 0, b("const", "i64", value=1)))
    work += map_work(call, less, (n,), 0, [(begins, (1,)), (numbers, (1,))])
    work += launch(call, put_rows(8, n < NARROW), n, order, numbers, group, n, 1, n)
    last = ProgramBuilder("i64").program(0)
    return [*work, *map_work(call, last, (1,), 0, [(begins + 8 * (n - 1), (1,)), (count, (1,))])]


def find_rows(call: Call) -> list[Work]:
    (rows, table, order, place), (n, m, depth) = call.operands, call.dims
    work = checked(call, order, m if n else 0, "i64", m)
    return work + launch(call, code.find_rows(), n, rows, table, order, place, n, m, depth)


def check_rows(call: Call) -> list[Work]:
    """What is outside is told before what is in no order, of one tuple; else whichever comes first."""
    (rows, sizes, y), (n, depth), (ordered,) = call.operands, call.dims, call.attrs
    if not n:
        return []
    outside, behind = call.scratch(8 * n), call.scratch(8 * n)
    work = launch(call, code.check_rows(), n, rows, sizes, outside, behind, n, depth)
    if not ordered:
        work.append(Clear(behind, 8 * n))
    first_outside, first_behind = first_bad(call, outside, n), first_bad(call, behind, n)
    work += [*first_outside[0], *first_behind[0]]
    told = Refusal(call.scratch(8 * Refusal.words),
                   Status.INDEX_TUPLE if 2 <= depth <= AXES else Status.INDEX_OUT_OF_RANGE)
    call.checks.append(told)
    work += launch(call, code.refused_row(depth), 1, first_outside[1], first_behind[1], rows, sizes, told.place, n)
    if ordered:
        told = Refusal(call.scratch(8 * Refusal.words), Status.INVALID_VALUE)
        call.checks.append(told)
        work += launch(call, code.refused_order(), 1, first_behind[1], first_outside[1], rows, told.place, n, depth)
    copied = ProgramBuilder("i64").program(0)
    return [*work, *map_work(call, copied, (n * depth,), 0, [(rows, (1,)), (y, (1,))])]
