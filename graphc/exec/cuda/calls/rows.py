"""Softmax and the losses on it, on the device: maps over x[rows, cols] and over values of rows."""
from __future__ import annotations

from graphc.exec.cuda.calls.call import Call, ProgramBuilder, checked, map_work, size_of
from graphc.exec.cuda.work import Clear, Work


def _row_maximum(call: Call, x: int, rows: int, cols: int) -> tuple[list[Work], int]:
    """(what computes the largest element of each row, where it stands)."""
    dtype = call.types[0]
    b = ProgramBuilder(dtype)
    greatest = call.scratch(rows * size_of(dtype))
    return list(map_work(call, b.program(b("reduce.max", dtype, 0)), (rows, cols), 1,
                     [(x, (cols, 1)), (greatest, (1, 0))])), greatest


def softmax(call: Call) -> list[Work]:
    (x, y), (rows, cols), dtype = call.operands, call.dims, call.types[0]
    work, greatest = _row_maximum(call, x, rows, cols)
    scale = call.scratch(rows * size_of(dtype))
    b = ProgramBuilder(dtype, dtype)
    e = b("exp", dtype, b("sub", dtype, 0, 1))
    total = b("div", dtype, b("const", dtype, value=1.0), b("reduce.add", dtype, e))
    work += map_work(call, b.program(e, total), (rows, cols), 1,
                 [(x, (cols, 1)), (greatest, (1, 0)), (y, (cols, 1)), (scale, (1, 0))])
    b = ProgramBuilder(dtype, dtype)
    return work + map_work(call, b.program(b("mul", dtype, 0, 1)), (rows, cols), 0,
                       [(y, (cols, 1)), (scale, (1, 0)), (y, (cols, 1))])


def _logarithm(call: Call, x: int, greatest: int, rows: int, cols: int) -> tuple[list[Work], int]:
    """(what computes the logarithm of the sum of exp(x - greatest) of each row, where it stands)."""
    dtype = call.types[0]
    found = call.scratch(rows * size_of(dtype))
    b = ProgramBuilder(dtype, dtype)
    total = b("reduce.add", dtype, b("exp", dtype, b("sub", dtype, 0, 1)))
    return list(map_work(call, b.program(b("log", dtype, total)), (rows, cols), 1,
                     [(x, (cols, 1)), (greatest, (1, 0)), (found, (1, 0))])), found


def log_softmax(call: Call) -> list[Work]:
    (x, y), (rows, cols), dtype = call.operands, call.dims, call.types[0]
    work, greatest = _row_maximum(call, x, rows, cols)
    more, logarithm = _logarithm(call, x, greatest, rows, cols)
    b = ProgramBuilder(dtype, dtype, dtype)
    return work + more + map_work(call, b.program(b("sub", dtype, b("sub", dtype, 0, 1), 2)), (rows, cols), 0,
                              [(x, (cols, 1)), (greatest, (1, 0)), (logarithm, (1, 0)), (y, (cols, 1))])


def losses(call: Call, sparse: bool = False) -> list[Work]:
    """loss = sum of p (log sum - (x - max)) over a row, gradient = softmax - p; sparse: p is 1 at the row's label."""
    (x, labels, loss, gradient), (rows, cols), dtype = call.operands, call.dims, call.types[0]
    if not cols:
        return [Clear(loss, rows * size_of(dtype))]
    work, greatest = _row_maximum(call, x, rows, cols)
    more, logarithm = _logarithm(call, x, greatest, rows, cols)
    label = call.types[1] if sparse else dtype
    b = ProgramBuilder(dtype, dtype, dtype, label)
    less = b("sub", dtype, b("sub", dtype, 0, 1), 2)               # the logarithm of the softmax
    zero = b("const", dtype, value=0.0)
    if sparse:
        hit = b("equal", "bool", b("index", label, value=1), 3)
        weight = b("select", dtype, hit, b("const", dtype, value=1.0), zero)
        part = b("select", dtype, hit, b("neg", dtype, less), zero)
    else:
        weight = 3
        part = b("select", dtype, b("not_equal", "bool", weight, zero), b("mul", dtype, weight, b("neg", dtype, less)),
                 zero)
    backward = b("sub", dtype, b("exp", dtype, less), weight)
    program = b.program(backward, b("reduce.add", dtype, part))
    places = [(x, (cols, 1)), (greatest, (1, 0)), (logarithm, (1, 0)), (labels, (1, 0) if sparse else (cols, 1)),
              (gradient, (cols, 1)), (loss, (1, 0)), *([(0, (0, 1))] if sparse else [])]
    return work + more + map_work(call, program, (rows, cols), 1, places)


def sparse_losses(call: Call) -> list[Work]:
    return [*checked(call, call.operands[1], call.dims[0], call.types[1], call.dims[1]), *losses(call, sparse=True)]
