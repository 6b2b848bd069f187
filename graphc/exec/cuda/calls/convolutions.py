"""Convolutions over NHWC on the device, made of copies with strides, products and maps.

A convolution is a product of the windows of its output pixels, read where they lie (code/windows.py), and the filter;
its gradient for the filter one of the windows, turned, and dy. Its gradient for x is a convolution of dy, too, but that
multiplies zeros where windows are strides apart, and fills tiles badly for few channels: then columns, what each window
hands to each of its taps, are computed and added up, at the price of writing and reading them.

Those in groups are the same products, one of each group, whose rows lie between those of the others: no channel is
copied. What zeros outside of the picture make NaN of is mended after the product (edges.py).
"""
from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from graphc.exec.cuda.calls import edges, taps
from graphc.exec.cuda.calls.call import Call, ProgramBuilder, launch, map_work, size_of
from graphc.exec.cuda.calls.products import HALVES, NARROW, Factors, Spaced, Windowed, cost, product
from graphc.exec.cuda.calls.windows import Line, Pictures, Windows, copied, inside, padded
from graphc.exec.cuda.code.taps import fold
from graphc.exec.cuda.vendor.cudnn import Kind
from graphc.exec.cuda.work import Clear, Work

MOVED = 2000.0             # bytes a nanosecond: columns are written at memory's speed, read at half of it


@dataclass(frozen=True)
class Convolution:
    """What a call says: pictures x of n x h x w with `groups` times c channels, windows on them, oc results of a group,
    rows and columns of padding before the picture."""

    n: int
    h: int
    w: int
    groups: int
    c: int
    windows: Windows
    oc: int
    top: int
    left: int

    @property
    def taps(self) -> int:
        return self.windows.kh * self.windows.kw

    @property
    def pixels(self) -> int:
        """Of all results."""
        return self.n * self.windows.oh * self.windows.ow

    def x(self, address: int) -> Pictures:
        return Pictures(address, self.n, self.h, self.w, self.groups * self.c)

    def y(self, address: int) -> Pictures:
        return Pictures(address, self.n, self.windows.oh, self.windows.ow, self.groups * self.oc)

    def spaced(self, a: int, b: int, c: int) -> dict[str, Any]:
        """Of Factors of all groups: where matrices of that many columns in memory lie, side by side."""
        g = self.groups
        return {} if g == 1 else {"a_batch": a, "b_batch": b, "spaced": Spaced(g * a, g * b, g * c, c)}


Made = Callable[[Call, Convolution, int, int, int], list[Work]]    # of two factors and a result at these addresses


def _parts(call: Call) -> Convolution:
    n, h, w, *groups, c, kh, kw, oc, oh, ow = call.dims
    top, left = call.attrs[4:]
    windows = Windows(kh, kw, oh, ow, *call.attrs[:4])
    return Convolution(n, h, w, groups[0] if groups else 1, c, windows, oc, top, left)


def _windowed(x: Pictures, windows: Windows, channels: int) -> Windowed | None:
    """channels: of a group. None of windows that are the pixels as they lie, one after the other: an ordinary
    matrix."""
    (picture, row, column, _), (tap_row, tap) = windows.strides(x)
    each = windows.kh, windows.kw, column, row, picture
    if each == (1, 1, x.c, windows.ow * x.c, windows.oh * windows.ow * x.c):
        return None
    return Windowed(x.count, channels, windows.kw, windows.oh, windows.ow, picture, row, column, tap_row, tap)


def _stored(call: Call) -> dict[str, Any]:
    """Of Factors: what both factors are in memory, and the result, if it is not what is summed."""
    kinds = {"element": call.stored_as(0), "result": call.stored_as(2)}
    return {name: kind for name, kind in kinds.items() if kind in HALVES}


def _framed(call: Call, v: Convolution, x: int) -> tuple[list[Work], Pictures]:
    """x with what its windows see around it."""
    return inside(call.of_type(call.stored_as(0)), v.x(x), v.windows, v.top, v.left)


def _convolved(call: Call, v: Convolution, x: Pictures, filters: int, y: int) -> list[Work]:
    """y = windows times filters[kh, kw, v.c, groups, v.oc]; x has a frame."""
    factors = Factors(call.types[0], v.groups, v.pixels, v.oc, v.taps * v.c, windows=_windowed(x, v.windows, v.c),
                      **v.spaced(v.c, v.oc, v.oc), **_stored(call))
    return product(call, factors, x.address, filters, y)


def quickest(call: Call, kind: Kind, v: Convolution, own: Made, mend: Made) -> list[Work]:
    """The call's result by warpgroups or by NVIDIA's library where those are faster, else by `own`. mend: what looks
    behind their results at what zeros have made NaN; `own` does that itself."""
    best = call.warpgroups.best_convolution(call, kind, v, own, mend) if call.warpgroups is not None else own
    found = call.libraries.convolution(call, kind, v, best, mend) if call.libraries is not None else None
    return best(call, v, *call.operands) if found is None else found


def convolution(call: Call) -> list[Work]:
    return quickest(call, Kind.FORWARD, _parts(call), _convolution, edges.results)


def _convolution(call: Call, v: Convolution, x: int, filters: int, y: int) -> list[Work]:
    work, framed = _framed(call, v, x)
    return work + _convolved(call, v, framed, filters, y) + edges.results(call, v, x, filters, y)


def filter_gradient(call: Call) -> list[Work]:
    return quickest(call, Kind.FILTER, _parts(call), _filter_gradient, edges.filters)


def _filter_gradient(call: Call, v: Convolution, x: int, dy: int, dw: int) -> list[Work]:
    """dw = the windows, turned, times dy."""
    if not v.pixels:
        return [Clear(dw, v.taps * v.c * v.groups * v.oc * size_of(call.stored_as(2)))]
    work, framed = _framed(call, v, x)
    factors = Factors(call.types[0], v.groups, v.taps * v.c, v.oc, v.pixels, transpose_a=True,
                      windows=_windowed(framed, v.windows, v.c), **v.spaced(v.c, v.oc, v.oc), **_stored(call))
    return work + product(call, factors, framed.address, dy, dw) + edges.filters(call, v, x, dy, dw)


def input_gradient(call: Call) -> list[Work]:
    return quickest(call, Kind.INPUT, _parts(call), _input_gradient, edges.inputs)


def _input_gradient(call: Call, v: Convolution, dy: int, filters: int, dx: int) -> list[Work]:
    """Whichever is expected to be quicker: by windows of dy, or by columns."""
    dtype, stored = call.types[0], _stored(call)
    by_windows = cost(call, Factors(dtype, v.groups, v.n * v.h * v.w, v.c, v.taps * v.oc, **stored))
    moved = 2 * v.pixels * v.taps * v.groups * v.c * size_of(dtype) / MOVED
    by_columns = cost(call, Factors(dtype, v.groups, v.pixels, v.taps * v.c, v.oc, transpose_b=True, **stored)) + moved
    return (_by_columns if by_columns < by_windows else _by_windows)(call, v, dy, filters, dx)


def _by_windows(call: Call, v: Convolution, dy: int, filters: int, dx: int) -> list[Work]:
    """dx = dy, its pixels apart by the strides, convolved with the filter turned round."""
    windows, factors = v.windows, call.of_type(call.stored_as(0))
    size = size_of(factors.types[0])
    high, wide = (windows.kh - 1) * windows.dilation_h, (windows.kw - 1) * windows.dilation_w
    work, framed = padded(factors, v.y(dy), Line(windows.oh, v.h + high, high - v.top, windows.stride_h),
                          Line(windows.ow, v.w + wide, wide - v.left, windows.stride_w))
    results = v.groups * v.oc
    turned = call.scratch(v.taps * results * v.c * size)   # [kh, kw, oc, groups, c], taps from the last to the first
    last = filters + size * (v.taps - 1) * v.c * results
    work += copied(factors, (windows.kh, windows.kw, v.oc, v.groups, v.c),
                   (last, (-windows.kw * v.c * results, -v.c * results, 1, v.oc, results)),
                   (turned, (windows.kw * results * v.c, results * v.c, v.groups * v.c, v.c, 1)))
    back = Windows(windows.kh, windows.kw, v.h, v.w, 1, 1, windows.dilation_h, windows.dilation_w)
    work += _convolved(call, replace(v, c=v.oc, oc=v.c, windows=back), framed, turned, dx)
    return work + edges.inputs(call, v, dy, filters, dx)


def _by_columns(call: Call, v: Convolution, dy: int, filters: int, dx: int) -> list[Work]:
    """columns[windows, groups, taps and channels] = dy times the filter, turned; what windows see of a pixel is added
    up."""
    dtype, windows, width, stored = call.types[0], v.windows, v.taps * v.c, _stored(call)
    stored.pop("result", "")               # columns are summed before they are rounded
    columns = call.scratch(v.pixels * v.groups * width * size_of(dtype))
    work = product(call, Factors(dtype, v.groups, v.pixels, width, v.oc, transpose_b=True,
                                 **v.spaced(v.oc, v.oc, width), **stored), dy, filters, columns)
    dense = windows.dilation_h == windows.dilation_w == 1
    elements, in_groups = v.x(dx).count, v.groups > 1
    kernel = fold(dtype, call.stored_as(2), dense, in_groups, max(elements, v.pixels * v.groups * width) < NARROW)
    return work + launch(call, kernel, elements, columns, dx, elements, v.h, v.w, v.groups * v.c, windows.kh,
                         windows.kw, windows.oh, windows.ow, v.top, v.left, windows.stride_h, windows.stride_w,
                         windows.dilation_h, windows.dilation_w, *([v.groups, v.c] if in_groups else []))


# One filter a channel: as many groups as channels

def _channelwise(call: Call) -> Convolution:
    n, h, w, c, kh, kw, oh, ow, top, left = call.dims
    return Convolution(n, h, w, c, 1, Windows(kh, kw, oh, ow, *call.attrs[:4]), 1, top, left)


def depthwise(call: Call) -> list[Work]:
    """With taps from the last to the first, and no strides, it is the gradient for the input of the convolution the
    other way."""
    def own(there: Call, v: Convolution, *at: int) -> list[Work]:
        return taps.depthwise(there, *at)

    v = _channelwise(call)
    w = v.windows
    if not call.attrs[4]:
        return quickest(call, Kind.FORWARD, v, own, edges.results)
    if w.stride_h != 1 or w.stride_w != 1:
        return taps.depthwise(call, *call.operands)
    back = Convolution(v.n, w.oh, w.ow, v.groups, 1, replace(w, oh=v.h, ow=v.w), 1,
                       (w.kh - 1) * w.dilation_h - v.top, (w.kw - 1) * w.dilation_w - v.left)
    return quickest(call, Kind.INPUT, back, own, edges.inputs)


def depthwise_input_gradient(call: Call) -> list[Work]:
    return quickest(call, Kind.INPUT, _channelwise(call),
                    lambda there, _, *at: taps.depthwise_input_gradient(there, *at), edges.inputs)


def depthwise_filter_gradient(call: Call) -> list[Work]:
    return quickest(call, Kind.FILTER, _channelwise(call), _depthwise_filter_gradient, edges.filters)


def _depthwise_filter_gradient(call: Call, v: Convolution, x: int, dy: int, df: int) -> list[Work]:
    """df[tap, channel] = the sum of x dy over pictures and windows."""
    n, c, windows, dtype = v.n, v.groups, v.windows, call.types[0]
    kh, kw, oh, ow = windows.kh, windows.kw, windows.oh, windows.ow
    if not n * oh * ow:
        return [Clear(df, kh * kw * c * size_of(dtype))]
    work, framed = inside(call, v.x(x), windows, v.top, v.left)
    (picture, row, column, channel), of_tap = windows.strides(framed)
    b = ProgramBuilder(dtype, dtype)
    program = b.program(b("reduce.add", dtype, b("mul", dtype, 0, 1)))
    work += map_work(call, program, (kh, kw, c, n, oh, ow), 3, [
        (framed.address, (*of_tap, channel, picture, row, column)), (dy, (0, 0, 1, oh * ow * c, ow * c, c)),
        (df, (kw * c, c, 1, 0, 0, 0))])
    return work + edges.filters(call, v, x, dy, df)
