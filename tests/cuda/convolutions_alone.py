"""Convolutions by warpgroups on the device, without a plan around them."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from graphc.exec.cuda.calls.call import Call, Products
from graphc.exec.cuda.calls.convolutions import Convolution
from graphc.exec.cuda.calls.warpgroup_convolutions import seen, work
from graphc.exec.cuda.calls.warpgroups import Variant
from graphc.exec.cuda.calls.windows import Windows
from graphc.exec.cuda.memory import Block
from graphc.exec.cuda.vendor.cudnn import Kind
from graphc.exec.library import load_library

from products_alone import HALVES

RANDOM = np.random.default_rng(41)


@dataclass(frozen=True)
class Case:
    """Pictures [n, h, w, c], filters [kh, kw, c, oc], zeros before (top, left) and behind."""

    pictures: tuple[int, int, int, int]
    kernel: tuple[int, int]
    oc: int
    strides: tuple[int, int] = (1, 1)
    dilations: tuple[int, int] = (1, 1)
    before: tuple[int, int] = (0, 0)
    behind: tuple[int, int] = (0, 0)

    @property
    def convolution(self) -> Convolution:
        n, h, w, c = self.pictures
        sizes = [(size + a + b - (taps - 1) * rate - 1) // stride + 1 for size, a, b, taps, rate, stride in zip(
            (h, w), self.before, self.behind, self.kernel, self.dilations, self.strides, strict=True)]
        return Convolution(n, h, w, 1, c, Windows(*self.kernel, *sizes, *self.strides, *self.dilations), self.oc,
                           *self.before)

    @property
    def shapes(self) -> tuple[tuple[int, ...], ...]:
        """Of pictures, filters and results."""
        v = self.convolution
        return self.pictures, (*self.kernel, v.c, self.oc), (v.n, v.windows.oh, v.windows.ow, self.oc)


def reference(case: Case, kind: Kind, a: np.ndarray, f: np.ndarray) -> np.ndarray:
    """By the definition, in float64; a: pictures, of the gradient for the input dy; f: filters, of their gradient
    dy."""
    v = case.convolution
    (n, h, w, c), window = case.pictures, v.windows
    framed = np.zeros((n, h + 400, w + 400, c))
    result = np.zeros(case.shapes[1 if kind is Kind.FILTER else 2])
    if kind is not Kind.INPUT:
        framed[:, 200:200 + h, 200:200 + w] = a
    for u, t in np.ndindex(*case.kernel):
        row, column = 200 - v.top + u * window.dilation_h, 200 - v.left + t * window.dilation_w
        seen_by = (slice(None), slice(row, row + window.oh * window.stride_h, window.stride_h),
                   slice(column, column + window.ow * window.stride_w, window.stride_w))
        if kind is Kind.FORWARD:
            result += framed[seen_by] @ f[u, t].astype(float)
        elif kind is Kind.FILTER:
            result[u, t] = np.einsum("nijc,nijo->co", framed[seen_by], f.astype(float))
        else:
            framed[seen_by] += a @ f[u, t].T.astype(float)
    return result if kind is not Kind.INPUT else framed[:, 200:200 + h, 200:200 + w]


def convolved(device: Any, case: Case, kind: Kind, variant: Variant, result: str = "") -> tuple[np.ndarray, np.ndarray]:
    """(what the variant makes of numbers whose sums are exact, what it should be). result: f32, or as the factors."""
    device.enter()
    kept: list[Block] = []
    x, filters, y = case.shapes
    first, second, last = {Kind.FORWARD: (x, filters, y), Kind.INPUT: (y, filters, x),
                           Kind.FILTER: (x, y, filters)}[kind]
    a, f = (RANDOM.integers(-8, 9, shape).astype(HALVES[variant.element]) / 8 for shape in (first, second))
    out = np.empty(last, np.float32 if result == "f32" else HALVES[variant.element])

    def room(count: int) -> int:
        kept.append(Block(device, count))
        return kept[-1].address

    places = [room(array.nbytes) for array in (a, f, out)]
    for place, array in zip(places, (a, f), strict=False):
        device.upload(place, array.ctypes.data, array.nbytes)
    stored = variant.element, variant.element, result or variant.element
    call = Call(("f32",), tuple(places), (), (), load_library(), room, lambda facts: 0, products=Products.EXACT_BF16,
                stored=stored)
    what = seen(call, kind, case.convolution)
    assert what is not None
    for step in work(call, what, variant, *places):
        step.prepare(device)
        step.submit(device)
    device.download(out.ctypes.data, places[2], out.nbytes)
    device.wait()
    return out, reference(case, kind, a, f).astype(out.dtype)
