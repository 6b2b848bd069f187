"""Depthwise convolutions, volumes, dilation and pooling by places on the device."""
from __future__ import annotations

from graphc.exec.cuda.calls.call import Call, launch, size_of
from graphc.exec.cuda.calls.indices import combine, refuse_bad
from graphc.exec.cuda.calls.scans import NARROW
from graphc.exec.cuda.code import taps as code
from graphc.exec.cuda.code.builder import KernelBuilder
from graphc.exec.cuda.code.groups import Combination
from graphc.exec.cuda.code.indices import take_rows
from graphc.exec.cuda.work import Clear, Work
from graphc.kernels.contracts.calls import Status
from graphc.kernels.contracts.dtypes import DTYPES


def _windows(call: Call) -> tuple[int, int, bool]:
    """(elements of x, of y, whether positions are narrow) of a call over windows of pictures."""
    n, h, w, c, _, _, oh, ow = call.dims[:8]
    x, y = n * h * w * c, n * oh * ow * c
    return x, y, max(x, y) < NARROW


def depthwise(call: Call, *operands: int) -> list[Work]:
    _, y, narrow = _windows(call)
    *steps, flip = call.attrs
    return launch(call, code.depthwise(call.types[0], bool(flip), narrow), y, *operands, y, *call.dims[1:], *steps)


def depthwise_input_gradient(call: Call, *operands: int) -> list[Work]:
    x, _, narrow = _windows(call)
    kernel = code.depthwise_input(call.types[0], narrow)
    return launch(call, kernel, x, *operands, x, *call.dims[1:], *call.attrs)


# The depth of volumes

def _depth(call: Call, kernel: KernelBuilder, elements: int) -> list[Work]:
    _, d, m, c, taps, outputs, pad = call.dims
    return launch(call, kernel, elements, *call.operands, elements, d, m, c, taps, outputs, pad, *call.attrs)


def unfold_depth(call: Call) -> list[Work]:
    n, _, m, c, taps, outputs, _ = call.dims
    elements = n * outputs * m * taps * c
    return _depth(call, code.unfold_depth(call.types[0], _are_narrow(call)), elements)


def fold_depth(call: Call) -> list[Work]:
    n, d, m, c, *_ = call.dims
    return _depth(call, code.fold_depth(call.types[0], _are_narrow(call)), n * d * m * c)


def _are_narrow(call: Call) -> bool:
    n, d, m, c, taps, outputs, _ = call.dims
    return n * m * c * max(d, outputs * taps) < NARROW


def window_sum(call: Call) -> list[Work]:
    (x, y), (rows, cols), (radius,) = call.operands, call.dims, call.attrs
    kernel = code.window_sum(call.types[0], rows * cols < NARROW)
    return launch(call, kernel, rows * cols, x, y, rows * cols, cols, radius)


# Dilation

def dilation(call: Call) -> list[Work]:
    _, y, narrow = _windows(call)
    row = DTYPES[call.types[0]]
    lowest = float("-inf") if row.kind == "float" else 0 if row.kind == "uint" else -(1 << 8 * row.size - 1)
    kernel = code.dilation(call.types[0], lowest, narrow)
    return launch(call, kernel, y, *call.operands, y, *call.dims[1:], *call.attrs)


def _dilation_gradient(call: Call, of_filter: bool) -> list[Work]:
    (x, f, dy, out), dtype = call.operands, call.types[0]
    elements, windows, narrow = _windows(call)
    n, h, w, c, kh, kw, oh, ow = call.dims[:8]
    rows = kh * kw * c if of_filter else h * w * c
    keys = call.scratch(8 * windows)
    work: list[Work] = [Clear(out, (rows if of_filter else elements) * size_of(dtype))]
    kernel = code.dilation_places(dtype, of_filter, narrow)
    work += launch(call, kernel, windows, x, f, keys, windows, *call.dims[1:], *call.attrs)
    batches = 1 if of_filter else n
    added = Combination("add", dtype, "i64", by_batch=True, narrow=narrow)
    return work + combine(call, added, keys, dy, out, batches, oh * ow * c * (n if of_filter else 1), 1, rows)


def dilation_input_gradient(call: Call) -> list[Work]:
    return _dilation_gradient(call, of_filter=False)


def dilation_filter_gradient(call: Call) -> list[Work]:
    return _dilation_gradient(call, of_filter=True)


# Max pooling

def pool_places(call: Call) -> list[Work]:
    _, y, narrow = _windows(call)
    stride_h, stride_w, batched = call.attrs
    kernel = code.pool_places(call.types[0], narrow)
    return launch(call, kernel, y, *call.operands, y, *call.dims[1:], stride_h, stride_w, 1, 1, batched)


def _place_keys(call: Call, where: int) -> tuple[list[Work], int]:
    """(what makes places in each picture of `where` and has those that are not there reported, where they stand)."""
    (n, m, size), (batched,) = call.dims, call.attrs
    keys = call.scratch(8 * n * m)
    work = launch(call, code.place_keys(n * m < NARROW), n * m, where, keys, n * m, m, size, batched)
    if n * m:
        work += refuse_bad(call, keys, where, "i64", n * m, "limit", Status.INDEX_OUT_OF_RANGE, size)[0]
    return work, keys


def pool_scatter(call: Call) -> list[Work]:
    (dy, where, dx), (n, m, size), dtype = call.operands, call.dims, call.types[0]
    work, keys = _place_keys(call, where)
    work.append(Clear(dx, n * size * size_of(dtype)))
    added = Combination("add", dtype, "i64", by_batch=True, narrow=n * max(m, size) < NARROW)
    return work + combine(call, added, keys, dy, dx, n, m, 1, size)


def pool_pick(call: Call) -> list[Work]:
    (x, where, y), (n, m, size), dtype = call.operands, call.dims, call.types[0]
    work, keys = _place_keys(call, where)
    kernel = take_rows(size_of(dtype), n * max(m, size) < NARROW)
    return work + launch(call, kernel, n * m if size else 0, x, keys, y, n * m, m, 1, size)


def _volumes(call: Call) -> tuple[int, int, bool]:
    n, d, h, w, c, _, _, _, od, oh, ow = call.dims[:11]
    x, y = n * d * h * w * c, n * od * oh * ow * c
    return x, y, max(x, y) < NARROW


def pool3d_gradient(call: Call) -> list[Work]:
    x, _, narrow = _volumes(call)
    kernel = code.pool_gradient(call.types[0], narrow)
    return launch(call, kernel, x, *call.operands, x, *call.dims[1:], *call.attrs)


def pool3d_second_gradient(call: Call) -> list[Work]:
    _, y, narrow = _volumes(call)
    kernel = code.pool_second_gradient(call.types[0], False, narrow)
    return launch(call, kernel, y, *call.operands, y, *call.dims[1:], *call.attrs)


def pool_second_gradient(call: Call) -> list[Work]:
    """A picture is a volume of one frame."""
    _, y, narrow = _windows(call)
    _, h, w, c, kh, kw, oh, ow = call.dims
    stride_h, stride_w, top, left = call.attrs
    kernel = code.pool_second_gradient(call.types[0], True, narrow)
    return launch(call, kernel, y, *call.operands, y, 1, h, w, c, 1, kh, kw, 1, oh, ow, 0, top, left, 1, stride_h,
                  stride_w)
