"""Convolutions at the edges of pictures: which results zeros may have made NaN, and what is launched to look at them.

The zeros are those around a picture, and between the pixels of dy that strides put apart (code/edges.py).
"""
from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from graphc.exec.cuda.calls.call import Call, launch
from graphc.exec.cuda.calls.products import NARROW
from graphc.exec.cuda.code import edges as code
from graphc.exec.cuda.code.builder import KernelBuilder
from graphc.exec.cuda.work import Work

if TYPE_CHECKING:
    from graphc.exec.cuda.calls.convolutions import Convolution

Span = tuple[int, int]     # the first row, or column, and the one after the last


def _windows_inside(count: int, size: int, taps: int, stride: int, rate: int, pad: int) -> Span:
    """The windows along an axis all taps of which lie in a picture of `size`."""
    end = min((size - 1 - (taps - 1) * rate + pad) // stride + 1, count)
    first = max(-(-pad // stride), 0)
    return (first, end) if first < end else (0, 0)


def _pixels_inside(size: int, count: int, taps: int, stride: int, rate: int, pad: int) -> Span:
    """The pixels along an axis each tap of which is some window's."""
    first, end = max((taps - 1) * rate - pad, 0), min(count - pad, size)
    return (first, end) if stride == 1 and first < end else (0, 0)


def _looked_at(call: Call, v: Convolution, kernel: Callable[[code.Types, bool], KernelBuilder],
               operands: tuple[int, ...], size: tuple[int, int, int], spans: tuple[Span, Span]) -> list[Work]:
    """size: rows, columns and channels of what is looked at outside of the spans."""
    (top, bottom), (left, right) = spans
    around = size[0] * size[1] - (bottom - top) * (right - left)
    elements = v.n * around * size[2]
    return launch(call, kernel(_types(call), _narrow(v)), elements, *operands, elements, *_words(v), around, top,
                  bottom, left, right)


def _types(call: Call) -> code.Types:
    return code.Types(call.types[0], call.stored_as(0), call.stored_as(1), call.stored_as(2))


def _narrow(v: Convolution) -> bool:
    return max(v.x(0).count, v.y(0).count, v.taps * v.c * v.groups * v.oc) < NARROW


def _words(v: Convolution) -> tuple[int, ...]:
    w = v.windows
    return (v.h, v.w, v.groups * v.c, w.kh, w.kw, w.oh, w.ow, v.top, v.left, w.stride_h, w.stride_w, w.dilation_h,
            w.dilation_w, v.c, v.oc)


def _inner_windows(v: Convolution) -> tuple[Span, Span]:
    w = v.windows
    return (_windows_inside(w.oh, v.h, w.kh, w.stride_h, w.dilation_h, v.top),
            _windows_inside(w.ow, v.w, w.kw, w.stride_w, w.dilation_w, v.left))


def results(call: Call, v: Convolution, x: int, f: int, y: int) -> list[Work]:
    """y = x convolved by f."""
    size = v.windows.oh, v.windows.ow, v.groups * v.oc
    return _looked_at(call, v, code.results, (x, f, y), size, _inner_windows(v))


def inputs(call: Call, v: Convolution, dy: int, f: int, dx: int) -> list[Work]:
    """dx = the gradient for x."""
    w = v.windows
    inner = (_pixels_inside(v.h, w.oh, w.kh, w.stride_h, w.dilation_h, v.top),
             _pixels_inside(v.w, w.ow, w.kw, w.stride_w, w.dilation_w, v.left))
    return _looked_at(call, v, code.inputs, (dy, f, dx), (v.h, v.w, v.groups * v.c), inner)


def filters(call: Call, v: Convolution, x: int, dy: int, df: int) -> list[Work]:
    """df = the gradient for the filter; nothing if all windows lie in the picture."""
    if _inner_windows(v) == ((0, v.windows.oh), (0, v.windows.ow)):
        return []
    elements = v.taps * v.c * v.groups * v.oc
    return launch(call, code.filters(_types(call), _narrow(v)), elements, x, dy, df, elements, *_words(v), v.n)
