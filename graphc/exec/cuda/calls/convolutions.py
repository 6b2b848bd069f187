"""Convolutions over NHWC on the device, made of copies with strides, products and maps.

A convolution is a product of the windows of its output pixels, read where they lie (code/windows.py), and the filter;
its gradient for the filter one of the windows, turned, and dy. Its gradient for x is a convolution of dy, too, but that
multiplies zeros where windows are strides apart, and fills tiles badly for few channels: then columns, what each window
hands to each of its taps, are computed and added up, at the price of writing and reading them.
"""
from __future__ import annotations

from graphc.exec.cuda.calls.call import Call, ProgramBuilder, launch, map_work, size_of
from graphc.exec.cuda.calls.products import NARROW, Factors, Windowed, cost, product
from graphc.exec.cuda.calls.windows import Line, Pictures, Windows, copied, inside, padded
from graphc.exec.cuda.code.taps import fold
from graphc.exec.cuda.work import Clear, Work

MOVED = 2000.0             # bytes a nanosecond: columns are written at memory's speed, read at half of it


def _windowed(x: Pictures, windows: Windows) -> Windowed | None:
    """None of windows that are the pixels as they lie, one after the other: an ordinary matrix."""
    (picture, row, column, _), (tap_row, tap) = windows.strides(x)
    each = windows.kh, windows.kw, column, row, picture
    if each == (1, 1, x.c, windows.ow * x.c, windows.oh * windows.ow * x.c):
        return None
    return Windowed(x.count, x.c, windows.kw, windows.oh, windows.ow, picture, row, column, tap_row, tap)


def _convolved(call: Call, x: Pictures, windows: Windows, filters: int, y: Pictures) -> list[Work]:
    """y = windows times filters[kh, kw, x.c, y.c]; x has a frame."""
    factors = Factors(call.types[0], 1, x.n * windows.oh * windows.ow, y.c, windows.kh * windows.kw * x.c,
                      windows=_windowed(x, windows))
    return product(call, factors, x.address, filters, y.address)


def _parts(call: Call) -> tuple[tuple[int, ...], Windows, int, int, int]:
    """(n, h, w, c of x; windows; channels of y; padding) of a convolution's call."""
    n, h, w, c, kh, kw, oc, oh, ow = call.dims
    return (n, h, w, c), Windows(kh, kw, oh, ow, *call.attrs[:4]), oc, call.attrs[4], call.attrs[5]


def convolution(call: Call) -> list[Work]:
    x, filters, y = call.operands
    shape, windows, oc, top, left = _parts(call)
    work, framed = inside(call, Pictures(x, *shape), windows, top, left)
    return work + _convolved(call, framed, windows, filters, Pictures(y, shape[0], windows.oh, windows.ow, oc))


def filter_gradient(call: Call) -> list[Work]:
    """dw = the windows, turned, times dy."""
    x, dy, dw = call.operands
    (n, h, w, c), windows, oc, top, left = _parts(call)
    width, pixels = windows.kh * windows.kw * c, n * windows.oh * windows.ow
    if not pixels:
        return [Clear(dw, width * oc * size_of(call.types[0]))]
    work, framed = inside(call, Pictures(x, n, h, w, c), windows, top, left)
    factors = Factors(call.types[0], 1, width, oc, pixels, transpose_a=True, windows=_windowed(framed, windows))
    return work + product(call, factors, framed.address, dy, dw)


def input_gradient(call: Call) -> list[Work]:
    """Whichever is expected to be quicker: by windows of dy, or by columns."""
    (n, h, w, c), windows, oc, _, _ = _parts(call)
    kh, kw, pixels, dtype = windows.kh, windows.kw, n * windows.oh * windows.ow, call.types[0]
    by_windows = cost(call, Factors(dtype, 1, n * h * w, c, kh * kw * oc))
    moved = 2 * pixels * kh * kw * c * size_of(dtype) / MOVED
    by_columns = cost(call, Factors(dtype, 1, pixels, kh * kw * c, oc, transpose_b=True)) + moved
    return _by_columns(call) if by_columns < by_windows else _by_windows(call)


def _by_windows(call: Call) -> list[Work]:
    """dx = dy, its pixels apart by the strides, convolved with the filter turned round."""
    dy, filters, dx = call.operands
    (n, h, w, c), windows, oc, top, left = _parts(call)
    kh, kw, size = windows.kh, windows.kw, size_of(call.types[0])
    high, wide = (kh - 1) * windows.dilation_h, (kw - 1) * windows.dilation_w
    apart = Pictures(dy, n, windows.oh, windows.ow, oc)
    work, framed = padded(call, apart, Line(apart.h, h + high, high - top, windows.stride_h),
                          Line(apart.w, w + wide, wide - left, windows.stride_w))
    turned = call.scratch(kh * kw * oc * c * size)             # [kh, kw, oc, c], taps from the last to the first
    last = filters + size * (kh * kw - 1) * c * oc
    work += copied(call, (kh, kw, oc, c), (last, (-kw * c * oc, -c * oc, 1, oc)),
                   (turned, (kw * oc * c, oc * c, c, 1)))
    back = Windows(kh, kw, h, w, 1, 1, windows.dilation_h, windows.dilation_w)
    return work + _convolved(call, framed, back, turned, Pictures(dx, n, h, w, c))


def _by_columns(call: Call) -> list[Work]:
    """columns[windows, taps and channels] = dy times the filter, turned; what windows see of a pixel is added up."""
    dy, filters, dx = call.operands
    (n, h, w, c), windows, oc, top, left = _parts(call)
    dtype, pixels, width = call.types[0], n * windows.oh * windows.ow, windows.kh * windows.kw * c
    columns = call.scratch(pixels * width * size_of(dtype))
    work = product(call, Factors(dtype, 1, pixels, width, oc, transpose_b=True), dy, filters, columns)
    dense = windows.dilation_h == windows.dilation_w == 1
    elements = n * h * w * c
    kernel = fold(dtype, dense, max(elements, pixels * width) < NARROW)
    return work + launch(call, kernel, elements, columns, dx, elements, h, w, c, windows.kh, windows.kw, windows.oh,
                         windows.ow, top, left, windows.stride_h, windows.stride_w, windows.dilation_h,
                         windows.dilation_w)


def depthwise_filter_gradient(call: Call) -> list[Work]:
    """df[tap, channel] = the sum of x dy over pictures and windows."""
    x, dy, df = call.operands
    n, h, w, c, kh, kw, oh, ow, top, left = call.dims
    dtype = call.types[0]
    if not n * oh * ow:
        return [Clear(df, kh * kw * c * size_of(dtype))]
    windows = Windows(kh, kw, oh, ow, *call.attrs)
    work, framed = inside(call, Pictures(x, n, h, w, c), windows, top, left)
    (picture, row, column, channel), taps = windows.strides(framed)
    b = ProgramBuilder(dtype, dtype)
    program = b.program(b("reduce.add", dtype, b("mul", dtype, 0, 1)))
    return work + map_work(call, program, (kh, kw, c, n, oh, ow), 3, [
        (framed.address, (*taps, channel, picture, row, column)), (dy, (0, 0, 1, oh * ow * c, ow * c, c)),
        (df, (kw * c, c, 1, 0, 0, 0))])
