"""Fractional pooling on the device: edges of windows by one thread, then a thread an element."""
from __future__ import annotations

from graphc.exec.cuda.calls.call import Call, launch
from graphc.exec.cuda.calls.checks import Refusal
from graphc.exec.cuda.calls.draws import refused
from graphc.exec.cuda.calls.scans import NARROW
from graphc.exec.cuda.code import fractional as code
from graphc.exec.cuda.code.builder import KernelBuilder
from graphc.exec.cuda.work import Clear, Work
from graphc.kernels.contracts.calls import Status


def edges(call: Call) -> list[Work]:
    """There are as many windows as rows at most, and one at least."""
    (counter, out), (length, n), (pseudo, odd, key) = call.operands, call.dims, call.attrs
    if n < 1 or n > length:
        return [*refused(call), Clear(out, 8 * (n + 1))]
    return launch(call, code.edges(bool(pseudo)), 1, counter, out, length, n, odd, key)


def _counts(call: Call) -> tuple[int, int, bool]:
    """(elements of x, of y, whether positions are narrow)"""
    n, h, w, c, oh, ow = call.dims
    x, y = n * h * w * c, n * oh * ow * c
    return x, y, max(x, y) < NARROW


def _pool(call: Call, kernel: KernelBuilder, arrays: tuple[int, ...], elements: int, *more: int) -> list[Work]:
    """arrays: of the kernel; more: of the call, rows and columns."""
    return launch(call, kernel, elements, *arrays, *more, elements, *call.dims[1:], *call.attrs)


def _checked(call: Call, rows: int, columns: int) -> list[Work]:
    """What refuses edges that make no windows."""
    refusal = Refusal(call.scratch(8 * Refusal.words), Status.INVALID_VALUE)
    call.checks.append(refusal)
    return launch(call, code.refused_edges(), 1, refusal.place, rows, columns, 1, *call.dims[1:], *call.attrs)


def largest(call: Call) -> list[Work]:
    x, rows, columns, y = call.operands
    of_x, of_y, narrow = _counts(call)
    kernel = code.largest(call.types[0], narrow, places=False)
    return _checked(call, rows, columns) + _pool(call, kernel, (x, y), of_y if of_x else 0, rows, columns)


def mean(call: Call) -> list[Work]:
    x, rows, columns, y = call.operands
    of_x, of_y, narrow = _counts(call)
    return _checked(call, rows, columns) + _pool(call, code.mean(call.types[0], narrow), (x, y), of_y if of_x else 0,
                                                 rows, columns)


def largest_gradient(call: Call) -> list[Work]:
    """Where each window has its first greatest element; then each element asks the windows that see it."""
    x, dy, rows, columns, dx = call.operands
    of_x, of_y, narrow = _counts(call)
    if not of_x:
        return _checked(call, rows, columns)
    places, dtype = call.scratch(8 * of_y), call.types[0]
    work = _checked(call, rows, columns)
    work += _pool(call, code.largest(dtype, narrow, places=True), (x, places), of_y, rows, columns)
    return work + _pool(call, code.largest_gradient(dtype, narrow), (places, dy, dx), of_x, rows, columns)


def mean_gradient(call: Call) -> list[Work]:
    dy, rows, columns, dx = call.operands
    of_x, _, narrow = _counts(call)
    return _checked(call, rows, columns) + _pool(call, code.mean_gradient(call.types[0], narrow), (dy, dx), of_x, rows,
                                                 columns)
