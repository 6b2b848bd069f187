"""What a CPU has as one kernel (docs/adr/0056), made of what the device has: gradients of softmax and of its logarithm,
losses whose gradient is times a number a row."""
from __future__ import annotations

from dataclasses import replace

from graphc.exec.cuda.calls.call import Call, ProgramBuilder, map_work, size_of
from graphc.exec.cuda.calls.rows import losses, sparse_losses
from graphc.exec.cuda.work import Work


def softmax_gradient(call: Call) -> list[Work]:
    """dx = (dy - sum(dy y)) y"""
    return _gradient(call, logarithm=False)


def log_softmax_gradient(call: Call) -> list[Work]:
    """dx = dy - sum(dy) exp(y)"""
    return _gradient(call, logarithm=True)


def _gradient(call: Call, logarithm: bool) -> list[Work]:
    (y, dy, dx), (rows, cols), dtype = call.operands, call.dims, call.types[0]
    if not rows * cols:
        return []
    sums, of_all, of_rows = call.scratch(rows * size_of(dtype)), (cols, 1), (1, 0)
    b = ProgramBuilder(call.stored_as(0), call.stored_as(1))
    by = b.as_type(dtype, 1)
    program = b.program(b("reduce.add", dtype, by if logarithm else b("mul", dtype, b.as_type(dtype, 0), by)))
    work = list(map_work(call, program, (rows, cols), 1, [(y, of_all), (dy, of_all), (sums, of_rows)]))
    b = ProgramBuilder(call.stored_as(0), call.stored_as(1), dtype)
    value, by = b.as_type(dtype, 0), b.as_type(dtype, 1)
    if logarithm:
        made = b("sub", dtype, by, b("mul", dtype, 2, b("exp", dtype, value)))
    else:
        made = b("mul", dtype, b("sub", dtype, by, 2), value)
    return [*work, *map_work(call, b.program(b.as_type(call.stored_as(2), made)), (rows, cols), 0,
                             [(y, of_all), (dy, of_all), (sums, of_rows), (dx, of_all)])]


def weighted_losses(call: Call) -> list[Work]:
    logits, labels, weights, loss, product = call.operands
    gradient = _gradients_place(call)
    return [*losses(replace(call, operands=(logits, labels, loss, gradient))),
            *_times(call, gradient, weights, product)]


def weighted_sparse_losses(call: Call) -> list[Work]:
    """The product comes where the logits are."""
    labels, weights, loss, logits = call.operands
    gradient = _gradients_place(call)
    return [*sparse_losses(replace(call, operands=(logits, labels, loss, gradient))),
            *_times(call, gradient, weights, logits)]


def _gradients_place(call: Call) -> int:
    rows, cols = call.dims
    return call.scratch(rows * cols * size_of(call.types[0]))


def _times(call: Call, gradient: int, weights: int, product: int) -> list[Work]:
    (rows, cols), dtype = call.dims, call.types[0]
    b = ProgramBuilder(dtype, dtype)
    return list(map_work(call, b.program(b("mul", dtype, 0, 1)), (rows, cols), 0,
                         [(gradient, (cols, 1)), (weights, (1, 0)), (product, (cols, 1))])) if rows * cols else []
