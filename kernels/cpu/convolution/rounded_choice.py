"""Whether and how a convolution is computed of rounded operands (rounded.py): a model of costs, and its tiles.

Costs are in steps, as of Winograd (winograd_cost.py): a step of float32 multiplies one row of a register tile by a
panel of 32 columns for one channel, a cycle or nearly.
"""
from __future__ import annotations

from ..memory import ceil_div, helper, round_up
from ..products.bfloat16_tiles import STEP, TILE
from ..tiles import shared_evenly
from ..words import (
    FORMAT,
    PACK_TILES,
    PACKED_BYTES,
    SCRATCH_BYTES,
    TILE_ELEMENTS,
    TILES,
    TILES_1,
    USER,
    VARIANT,
    WORK_BYTES,
)
from .conv_tiles import (
    GROUP_LINES,
    MOST_TILES,
    PACK_PANELS,
    ROUNDED,
    SHAPE,
    TILE_LINES,
    TILE_PANELS,
    pack_panels_of,
    tile_lines,
)
from .rounded import SUM_BYTES, WIDTH, group_bytes, panel_bytes, table_bytes
from .rounded_planes import SIZE, across, pitch_of, planes_bytes, remainders

ROUNDED_SHAPE = 4                      # of choice[SHAPE], beside MAIN, NARROW and PLANAR
ROUNDED_GROUPS = USER + 6              # word of choice: groups that phase 0 rounds for all tiles; 0: it rounds none
TILE_STEPS = 24                        # of a tile of C, for STEP channels
LINE_STEPS = 2                         # of 64 bytes that are rounded, or copied from scratch
PACK_STEPS = 4                         # of 64 bytes of a filter that is packed in every run
WINOGRAD_PART = 0.4                    # of the direct way's steps, that Winograd takes at best
GAIN = 1.15                            # it must be faster by so much, as its results are less exact
GROUP_BYTES = 192 * 1024               # of a group's planes, about: they stay in the second cache beside panels
MOST_BYTES = 4 << 20                   # of them, at most
FEW_PIXELS = 8 * WIDTH                 # of so many, tiles are panels
PANEL_PRODUCTS = 1 << 22               # multiplications of such a tile, at least
_DOUBLINGS = 9


@helper
def joins_taps(c, kw, dilation_w, turned):
    """Whether a row of the filter is multiplied as one tap: that fills the steps better. Turned, it is no run."""
    return not turned and c < STEP and kw > 1 and dilation_w == 1


@helper
def group_of(joins, lines, tw, c, kh, kw, stride_h, stride_w, dilation_h, dilation_w):
    """Lines of a group; 0 if one takes too much scratch."""
    if planes_bytes(joins, 1, tw, c, kh, kw, stride_h, stride_w, dilation_h, dilation_w) > MOST_BYTES:
        return 0
    best = 1
    for _ in range(_DOUBLINGS):
        more = min(2 * best, lines)
        if planes_bytes(joins, more, tw, c, kh, kw, stride_h, stride_w, dilation_h, dilation_w) <= GROUP_BYTES:
            best = max(more, best)
    return best


@helper
def rounded_steps(n, c, kh, kw, tc, th, tw, stride_h, stride_w, dilation_h, dilation_w, packed, joins):
    """Of a convolution of rounded operands."""
    taps, depth, stride, dilation = across(joins, c, kw, stride_w, dilation_w)
    pitch = pitch_of(tw, taps, stride, dilation)
    high = ceil_div(n * th * pitch, TILE) if kh == 1 else n * ceil_div(th * pitch, TILE)
    tiles = high * ceil_div(tc, TILE)
    products = tiles * kh * taps * ceil_div(depth, STEP) * TILE_STEPS
    lines = n * th * min(stride_h, kh) * remainders(taps, stride, dilation) * pitch * ceil_div(depth, STEP)
    filter_ = 0 if packed else ceil_div(tc, WIDTH) * panel_bytes(joins, c, kh, kw) // 64 * PACK_STEPS
    return products + (lines + tiles * TILE) * LINE_STEPS + filter_


@helper
def rounded_pays(n, c, kh, kw, tc, th, tw, stride_h, stride_w, dilation_h, dilation_w, packed, winograd, turned):
    """Whether it is faster than float32. winograd: whether that may go by Winograd."""
    columns = WIDTH // 2 if 2 * tc <= WIDTH else round_up(tc, WIDTH)
    direct = n * th * tw * kh * kw * c * columns // WIDTH
    joins = joins_taps(c, kw, dilation_w, turned)
    return rounded_steps(n, c, kh, kw, tc, th, tw, stride_h, stride_w, dilation_h, dilation_w, packed,
                         joins) * GAIN < direct * (WINOGRAD_PART if winograd else 1.0)


@helper
def bind_rounded(n, th, tw, c, kh, kw, tc, stride_h, stride_w, dilation_h, dilation_w, one_run, packed, turned, choice):
    """Tiles of computing, packing and rounding. one_run: pixels of the target are lines of their own."""
    joins, panels = joins_taps(c, kw, dilation_w, turned), ceil_div(tc, WIDTH)
    lines, high, pixels = (n * th * tw, n * th * tw, 1) if one_run else (n * th, th, tw)
    bytes_, k = panel_bytes(joins, c, kh, kw), kh * kw * c
    choice[VARIANT], choice[SHAPE] = ROUNDED, ROUNDED_SHAPE
    choice[TILE_LINES], choice[TILE_PANELS] = tile_lines(lines, pixels, k, tc, WIDTH, SIZE), panels
    choice[PACK_PANELS] = pack_panels_of(panels, bytes_)
    pack_tiles, work = (0, 0) if packed else (ceil_div(panels, choice[PACK_PANELS]), panels * bytes_)
    groups = 0
    if lines * pixels <= FEW_PIXELS and panels > 1:
        choice[TILE_LINES] = lines
        parts = min(shared_evenly(max(lines * pixels * k * tc // PANEL_PRODUCTS, 1)), panels, MOST_TILES)
        choice[TILE_PANELS] = ceil_div(panels, parts)
        choice[GROUP_LINES] = lines if kh == 1 else high
        groups = ceil_div(lines, choice[GROUP_LINES])
        work += groups * group_bytes(joins, choice[GROUP_LINES], pixels, c, kh, kw, stride_h, stride_w, dilation_h,
                                     dilation_w)
        choice[SCRATCH_BYTES] = table_bytes(kh, kw) + SUM_BYTES
    else:
        choice[GROUP_LINES] = group_of(joins, choice[TILE_LINES], pixels, c, kh, kw, stride_h, stride_w, dilation_h,
                                       dilation_w)
        choice[SCRATCH_BYTES] = table_bytes(kh, kw) + SUM_BYTES + group_bytes(
            joins, choice[GROUP_LINES], pixels, c, kh, kw, stride_h, stride_w, dilation_h, dilation_w)
    choice[ROUNDED_GROUPS], choice[WORK_BYTES] = groups, work
    if packed:
        choice[FORMAT], choice[PACKED_BYTES] = ROUNDED_SHAPE, panels * bytes_
        choice[PACK_TILES] = ceil_div(panels, choice[PACK_PANELS])
    tiles = ceil_div(lines, choice[TILE_LINES]) * ceil_div(panels, choice[TILE_PANELS])
    if pack_tiles + groups > 0:
        choice[TILES], choice[TILES_1] = pack_tiles + groups, tiles
    else:
        choice[TILES] = tiles
    if choice[TILE_PANELS] == panels:
        choice[TILE_ELEMENTS] = choice[TILE_LINES] * pixels * tc
