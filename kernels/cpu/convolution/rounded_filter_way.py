"""ROUNDED as a way of the gradient for the filter: whether it pays, its tiles, and what bind and run call."""
from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from ...contracts.bfloat16 import TILES as BY_TILES
from ..memory import ceil_div, compact, helper, part, round_up
from ..products.bfloat16_tiles import ISA, TILE
from ..tiles import shared_evenly
from ..words import MAY_ROUND, SCRATCH_BYTES, TILES, TILES_1, USER, VARIANT, WORK_BYTES
from .conv_tiles import ROUNDED
from .rounded import STEP_BYTES, WIDTH
from .rounded_choice import GAIN, LINE_STEPS, TILE_STEPS, WINOGRAD_PART
from .rounded_filter_grad import group_steps, make_rounded_filter_grad, one_run, runs, scratch_bytes

FEWEST = 16                            # channels of x and of dy: fewer would leave most of a tile empty
WORK_LIMIT = 64 << 20                  # bytes of the pairs of dy
MOST_BYTES = 4 << 20                   # of scratch
MOST_TILES = 24
TILE_PANELS, GROUPS = USER, USER + 1   # words of choice: panels of a tile; groups of pixels
TURN_STEPS = 100                       # of 16 channels of 32 pixels
DIRECT_COST = 1.18                     # of a step of float32 (winograd_cost.py)


@dataclass(frozen=True)
class RoundedFilterWay:
    """fits and pays(sizes and attributes of the kernel, choice or winograd); bind(the same, choice); run(x, dy, dw, the
    same, choice, work, scratch, phase, tile)."""

    fits: Any
    pays: Any
    bind: Any
    run: Any


@helper
def pairs_bytes(groups, some, high, pitch, oc):
    return groups * ceil_div(oc, WIDTH) * group_steps(some, high, pitch) * STEP_BYTES


@cache
def make_rounded_filter_way(dtype: str, isa: str) -> RoundedFilterWay:
    if dtype != "f32" or isa != ISA:
        return _nowhere()
    kit = make_rounded_filter_grad()
    pack, multiply = kit.pack, kit.multiply

    @helper
    def fits(n, h, w, c, kh, kw, oc, oh, ow, stride_h, stride_w, dilation_h, dilation_w, pad_top, pad_left, choice):
        if choice[MAY_ROUND] < BY_TILES or min(c, oc) < FEWEST or n * oh * ow == 0:
            return False
        joined = one_run(h, w, kh, kw, oh, ow, stride_h, stride_w, pad_top, pad_left)
        pitch, _, _, high, some, groups = runs(n, oh, ow, kh, kw, stride_h, stride_w, dilation_h, dilation_w, joined)
        return pairs_bytes(groups, some, high, pitch, oc) <= WORK_LIMIT and scratch_bytes(
            some, high, pitch, kh, kw, stride_h, stride_w, dilation_h, dilation_w) <= MOST_BYTES

    @helper
    def pays(n, h, w, c, kh, kw, oc, oh, ow, stride_h, stride_w, dilation_h, dilation_w, pad_top, pad_left, winograd):
        joined = one_run(h, w, kh, kw, oh, ow, stride_h, stride_w, pad_top, pad_left)
        pitch, _, _, high, some, groups = runs(n, oh, ow, kh, kw, stride_h, stride_w, dilation_h, dilation_w, joined)
        steps = groups * group_steps(some, high, pitch)
        wide, deep = ceil_div(oc, TILE), ceil_div(c, TILE)
        products = kh * kw * wide * deep * (steps * TILE_STEPS + groups * 2 * TILE * LINE_STEPS)
        turned = steps * (deep * min(stride_h, kh) * min(stride_w, kw) + wide) * TURN_STEPS
        columns = round_up(oc, TILE) if oc <= TILE else round_up(oc, WIDTH)
        direct = DIRECT_COST * n * oh * ow * kh * kw * c * columns / WIDTH
        return (products + turned) * GAIN < direct * (WINOGRAD_PART if winograd else 1.0)

    @helper
    def bind(n, h, w, c, kh, kw, oc, oh, ow, stride_h, stride_w, dilation_h, dilation_w, pad_top, pad_left, choice):
        joined = one_run(h, w, kh, kw, oh, ow, stride_h, stride_w, pad_top, pad_left)
        pitch, _, _, high, some, groups = runs(n, oh, ow, kh, kw, stride_h, stride_w, dilation_h, dilation_w, joined)
        panels, down = ceil_div(oc, WIDTH), ceil_div(c, WIDTH)
        across = shared_evenly(min(max(panels // 2, 1), max(MOST_TILES // down, 1)))
        choice[VARIANT], choice[GROUPS] = ROUNDED, groups
        choice[TILE_PANELS] = ceil_div(panels, across)
        choice[WORK_BYTES] = pairs_bytes(groups, some, high, pitch, oc)
        choice[SCRATCH_BYTES] = scratch_bytes(some, high, pitch, kh, kw, stride_h, stride_w, dilation_h, dilation_w)
        choice[TILES], choice[TILES_1] = groups, down * ceil_div(panels, choice[TILE_PANELS])

    @part("rounded_filter_way")
    def run(x, dy, dw, n, h, w, c, kh, kw, oc, oh, ow, stride_h, stride_w, dilation_h, dilation_w, pad_top, pad_left,
            choice, work, scratch, phase, tile):
        compact()
        panels = ceil_div(oc, WIDTH)
        if phase == 0:
            pack(work + tile * (choice[WORK_BYTES] // choice[GROUPS]), scratch, dy, n, h, w, c, kh, kw, oc, oh, ow,
                 stride_h, stride_w, dilation_h, dilation_w, pad_top, pad_left, tile)
            return
        across = ceil_div(panels, choice[TILE_PANELS])
        first = tile % across * choice[TILE_PANELS]
        multiply(x, work, dw, n, h, w, c, kh, kw, oc, oh, ow, stride_h, stride_w, dilation_h, dilation_w, pad_top,
                 pad_left, tile // across * WIDTH, first, min(choice[TILE_PANELS], panels - first), scratch)
    return RoundedFilterWay(fits, pays, bind, run)


def _nowhere() -> RoundedFilterWay:
    """Of a dtype or an instruction set that has no such products."""
    @helper
    def fits(n, h, w, c, kh, kw, oc, oh, ow, stride_h, stride_w, dilation_h, dilation_w, pad_top, pad_left, choice):
        return False

    @helper
    def pays(n, h, w, c, kh, kw, oc, oh, ow, stride_h, stride_w, dilation_h, dilation_w, pad_top, pad_left, winograd):
        return False

    @helper
    def bind(n, h, w, c, kh, kw, oc, oh, ow, stride_h, stride_w, dilation_h, dilation_w, pad_top, pad_left, choice):
        pass

    @helper
    def run(x, dy, dw, n, h, w, c, kh, kw, oc, oh, ow, stride_h, stride_w, dilation_h, dilation_w, pad_top, pad_left,
            choice, work, scratch, phase, tile):
        pass
    return RoundedFilterWay(fits, pays, bind, run)
