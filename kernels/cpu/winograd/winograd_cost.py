"""Whether Winograd's convolution is faster than the direct one: a model of both, in steps of the micro-kernel.

A step multiplies one row of a register tile by a panel for one channel: a cycle, or nearly. The constants are measured
(docs/adr/0042), with AVX-512 and AVX2; what is written and read by transforms is counted in bytes, for tiles of 6 x 6
pixels: what each element of a larger tile costs grows with its side.
"""
from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from ..memory import helper, round_up
from .winograd_forms import Form

DTYPES = ("f32",)                      # who asks for float64 asks for its exactness
FEWEST = 16                            # channels of the source: fewer are copied as patches, and a vector has as many
LEAST = 4                              # steps that a register tile takes however few rows it has
PRODUCT_COST = 1.15                    # of a step, with what surrounds it
TRANSFORM_COST = 7 / 3                 # of a byte of a transformed picture's or filter's row
RESULT_COST = 6 / 5                    # of a byte of a row of results
# The same for the gradient of a filter, whose transforms write more than the second cache holds.
FILTER_TRANSFORM_COST, FILTER_RESULT_COST = 6, 7 / 3
FILTER_DIRECT_COST = 1.18              # of a step of the direct way there, whose sums go through memory
FILTER_NARROW_COST = 1.4               # the same of a panel of one vector, in parts of it
PACK_COST = 20                         # of a row of a panel that the direct way packs in every run
LINE_WORK = 1 / 4                      # of a tile of 6 pixels of one line: a sixth, and what each tile needs itself
GAIN, GAIN_OF_LARGE = 1.15, 1.3         # it must be faster by so much, as its results are less exact


@dataclass(frozen=True)
class Costs:
    """faster(tiles, blocks, products, sc, tc, packed, size, lanes, width): whether a form is, for sc channels of the
    source and tc of the target. blocks: of tiles, for each of which the filter is transformed; products: of pixels of
    the target with taps that are inside of the source, a channel; packed: whether the filter is packed before a run;
    size, lanes, width: of an element, a vector, a panel.
    filter_grad_faster(tiles, blocks, pixels, c, oc, size, lanes, width): whether it is for the gradient of a filter;
    tiles: of dy, in so many blocks; pixels: of dy."""

    faster: Any
    filter_grad_faster: Any


@cache
def costs(form: Form) -> Costs:
    points, taps, grad_taps = form.points, form.all_taps, form.all_outputs
    work, gain = (form.inputs / 6) ** 3 if form.axes == 2 else LINE_WORK, GAIN if form.inputs == 6 else GAIN_OF_LARGE

    @helper
    def faster(tiles, blocks, products, sc, tc, packed, size, lanes, width):
        if sc < FEWEST or tc == 0 or tiles == 0:
            return False
        columns = round_up(tc, width)
        # Of each channel of the source.
        filled = (lanes if tc <= lanes else columns) / width
        direct = (max(products, taps * LEAST) + (0 if packed else taps * PACK_COST)) * filled
        transformed = points * max(tiles, LEAST) * columns / width
        cost = PRODUCT_COST * transformed + work * size * (
            TRANSFORM_COST * (tiles + blocks * columns) + RESULT_COST * tiles * columns / sc)
        return cost * gain < direct

    @helper
    def filter_grad_faster(tiles, blocks, pixels, c, oc, size, lanes, width):
        if min(c, oc) < FEWEST or pixels == 0:
            return False
        columns = round_up(oc, width)
        # Of each channel of x.
        filled = (FILTER_NARROW_COST * lanes if oc <= lanes else columns) / width
        direct = FILTER_DIRECT_COST * grad_taps * pixels * filled
        products = points * (tiles + LEAST * blocks) * columns / width
        cost = PRODUCT_COST * products + work * size * (
            FILTER_TRANSFORM_COST * tiles * (1 + round_up(oc, lanes) / c) + FILTER_RESULT_COST * blocks * columns)
        return cost * gain < direct
    return Costs(faster, filter_grad_faster)


@helper
def fits(kh, kw, stride_h, stride_w, dilation_h, dilation_w):
    """Whether Winograd computes such convolutions."""
    return (kh == 3 or kh == 5) and kw == kh and stride_h * stride_w == 1 and dilation_h == dilation_w


@helper
def fits_line(kh, kw, stride_h, stride_w):
    """Whether it does so along one axis."""
    return kh * kw == 3 and stride_h * stride_w == 1


@helper
def spacing_of(kh, dilation_h, dilation_w):
    """The dilation that a filter has along its axis, or both."""
    return dilation_h if kh > 1 else dilation_w
