"""Convolutions by warpgroups, and their gradients, for the input where windows are one pixel apart: products whose one
factor TMA makes of the pictures, where they are, zeros around them included (code/warpgroup_windows.py). For pictures
and filters that are 16-bit floats in memory. Of the gradient for the input the pictures are dy, and the filter's taps
and channels lie the other way round, which the copies read as they are.
"""
from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from graphc.exec.cuda.calls.call import Call, size_of
from graphc.exec.cuda.calls.products import HALVES, NARROW, SMALLEST, Factors, parts_added
from graphc.exec.cuda.calls.warpgroups import ENDLESS, TRIES, TRIES_OF_A_PANEL, Variant, parts_that_fill, tiles_of
from graphc.exec.cuda.calls.windows import Windows
from graphc.exec.cuda.code.ptx import WARPGROUP_COMPUTE, make_ptx
from graphc.exec.cuda.code.warpgroup_products import HEIGHT, STAGES, THREADS, WarpgroupProduct, warpgroup_product
from graphc.exec.cuda.code.warpgroup_windows import Windowed
from graphc.exec.cuda.code.warpgroups import ELEMENTS
from graphc.exec.cuda.tensor_map import CORNERS, MOST_OFFSET, MOST_STRIDE, AnyMap, PictureMap, TensorMap
from graphc.exec.cuda.vendor.cudnn import Kind
from graphc.exec.cuda.work import Launch, Work

if TYPE_CHECKING:
    from graphc.exec.cuda.calls.convolutions import Convolution

PIECE = 8                  # elements of 16 bytes, at multiples of which all must lie


@dataclass(frozen=True)
class Seen:
    """What is computed: n pictures of h x w pixels with c channels, seen by windows, of which each has oc results. top,
    left: rows and columns outside of the picture that the first one sees. kind: of the gradient for the input, filters
    lie [taps from the last to the first, oc, c], else [taps, c, oc]. element, result: of both factors, and of the
    results, in memory."""

    kind: Kind
    n: int
    h: int
    w: int
    c: int
    windows: Windows
    oc: int
    top: int
    left: int
    element: str
    result: str

    @property
    def taps(self) -> int:
        return self.windows.kh * self.windows.kw

    @property
    def pixels(self) -> int:
        """Of all results."""
        return self.n * self.windows.oh * self.windows.ow

    @property
    def padded(self) -> int:
        """Taps times channels, which fill whole lines."""
        line = ELEMENTS[self.element].line
        return self.taps * -(-self.c // line) * line

    @property
    def factors(self) -> Factors:
        """Of the product."""
        m, k = (self.taps * self.c, self.pixels) if self.kind is Kind.FILTER else (self.pixels, self.padded)
        return Factors("f32", 1, m, self.oc, k, element=self.element,
                       result=self.result if self.result in HALVES else "")

    @property
    def operations(self) -> float:
        return 2.0 * self.pixels * self.taps * self.c * self.oc

    @property
    def upper(self) -> tuple[int, int]:
        """As PictureMap has it."""
        w = self.windows
        return ((w.ow - 1) * w.stride_w - self.left - (self.w - 1), (w.oh - 1) * w.stride_h - self.top - (self.h - 1))


def seen(call: Call, kind: Kind, v: Convolution) -> Seen | None:
    """The call as such, None if it is none, or TMA cannot read it so."""
    w, element = v.windows, call.stored_as(0)
    if kind is not Kind.INPUT:
        found = Seen(kind, v.n, v.h, v.w, v.c, w, v.oc, v.top, v.left, element, call.stored_as(2))
    elif w.stride_h == w.stride_w == 1:
        back = Windows(w.kh, w.kw, v.h, v.w, 1, 1, w.dilation_h, w.dilation_w)
        found = Seen(kind, v.n, w.oh, w.ow, v.oc, back, v.c, (w.kh - 1) * w.dilation_h - v.top,
                     (w.kw - 1) * w.dilation_w - v.left, element, call.stored_as(2))
    else:
        return None
    is_short = element in HALVES and element == call.stored_as(1)
    return found if v.groups == 1 and is_short and _can_be_read(found) else None


def _can_be_read(s: Seen) -> bool:
    w, (least, most) = s.windows, CORNERS
    if s.c % PIECE or s.oc % PIECE or min(s.n, s.h, s.w, s.taps) < 1 or (
            min(s.pixels, s.oc, s.taps * s.c) < SMALLEST or max(s.pixels, s.padded) >= NARROW):
        return False
    far = (w.kh - 1) * w.dilation_h, (w.kw - 1) * w.dilation_w
    return (all(least <= corner <= most for corner in (-s.top, -s.left, *s.upper)) and max(far) <= MOST_OFFSET
            and max(w.stride_h, w.stride_w) <= MOST_STRIDE)


def variants(s: Seen) -> list[Variant]:
    narrow = min(STAGES)
    return [Variant(s.element, columns, parts) for columns in STAGES if columns == narrow or s.oc > narrow
            for parts in sorted({1, parts_that_fill(s.factors, columns)})]


def work(call: Call, s: Seen, variant: Variant, pictures: int, second: int, results: int,
         is_trial: bool = False) -> list[Work]:
    """second: filters, or dy. is_trial: as in warpgroups.py."""
    f, w, element = s.factors, s.windows, ELEMENTS[s.element]
    all_panels = -(-f.k // element.line)
    panels = -(-all_panels // variant.parts)
    parts = -(-all_panels // panels)
    patience = TRIES + TRIES_OF_A_PANEL * panels if is_trial else ENDLESS
    target = call.scratch(4 * parts * f.m * f.n) if parts > 1 else results
    of_filter = s.kind is Kind.FILTER
    made = WarpgroupProduct(element, variant.columns, not of_filter, s.kind is Kind.INPUT, True, parts > 1,
                            f.dtype if parts > 1 else f.made, Windowed.DEPTHS if of_filter else Windowed.ROWS)
    a = PictureMap(s.element, pictures, s.n, s.h, s.w, s.c, (-s.left, -s.top), s.upper, (w.stride_w, w.stride_h),
                   element.line if of_filter else HEIGHT)
    last = -1 if s.kind is Kind.FORWARD else s.taps - 1
    whole = replace(f, m=s.padded) if of_filter else f
    words: tuple[int | AnyMap, ...] = (
        a, _second(s, second, made), target, whole.m, f.n, f.k, f.m * f.n, f.n, 0, 0, patience, *[panels] * made.parts,
        s.c, w.kw, w.oh, w.ow, w.stride_h, w.stride_w, s.top, s.left, w.dilation_h, w.dilation_w, last)
    kernel, blocks = warpgroup_product(made), parts * tiles_of(whole, made.columns)
    return [Launch(make_ptx(kernel.text(), WARPGROUP_COMPUTE), kernel.name, (blocks,), (THREADS,), words, made.shared),
            *parts_added(call, f, parts, target, results)]


def _second(s: Seen, address: int, made: WarpgroupProduct) -> TensorMap:
    """Filters, a matrix for each tap; of their gradient dy."""
    size, line = size_of(s.element), made.element.line
    if s.kind is Kind.FILTER:
        return TensorMap(s.element, address, s.oc, s.pixels, 1, size * s.oc, size * s.oc * s.pixels, line)
    length, lines = (s.c, s.oc) if made.along_b else (s.oc, s.c)
    return TensorMap(s.element, address, length, lines, s.taps, size * length, size * length * lines,
                     made.columns if made.along_b else line)
