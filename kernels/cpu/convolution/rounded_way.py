"""ROUNDED as a way of conv2d and of the gradient for its input: what their bind, pack and run call."""
from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from ...contracts.bfloat16 import TILES as BY_TILES
from ..memory import ceil_div, compact, helper, part
from ..products.bfloat16_tiles import ISA
from ..words import FORMAT, MAY_ROUND
from .conv_tiles import GROUP_LINES, PACK_PANELS, tile_part
from .rounded import WIDTH, group_bytes, is_one_run, make_rounded, panel_bytes
from .rounded_choice import ROUNDED_GROUPS, bind_rounded, group_of, joins_taps, rounded_pays
from .rounded_planes import SIZE


@dataclass(frozen=True)
class RoundedWay:
    """fits(sc, kh, kw, tw, stride_h, stride_w, dilation_h, dilation_w, choice): whether it can be taken.
    pays(n, sc, kh, kw, tc, th, tw, the same, packed, winograd): whether it is faster. bind(n, sh, sw, sc, kh, kw, tc,
    th, tw, the same, top, left, packed, choice), pack(target, f, sc, kh, kw, tc, dilation_w, choice, tile), run(source,
    f, target, sizes as of bind, choice, work, scratch, phase, tile): as of a kernel. top, left: where in the source the
    first pixel of the target begins."""

    fits: Any
    pays: Any
    bind: Any
    pack: Any
    run: Any


@cache
def make_rounded_way(dtype: str, isa: str, turned: bool) -> RoundedWay:
    """turned: of the gradient for the input, without strides."""
    if dtype != "f32" or isa != ISA:
        return _nowhere()
    kit = make_rounded(turned)
    pack_filter, round_group, convolve = kit.pack, kit.round_group, kit.convolve

    @helper
    def fits(sc, kh, kw, tw, stride_h, stride_w, dilation_h, dilation_w, choice):
        joins = joins_taps(sc, kw, dilation_w, turned)
        return choice[MAY_ROUND] >= BY_TILES and kh * kw * sc > 0 and group_of(
            joins, 1, tw, sc, kh, kw, stride_h, stride_w, dilation_h, dilation_w) > 0

    @helper
    def pays(n, sc, kh, kw, tc, th, tw, stride_h, stride_w, dilation_h, dilation_w, packed, winograd):
        return rounded_pays(n, sc, kh, kw, tc, th, tw, stride_h, stride_w, dilation_h, dilation_w, packed, winograd,
                            turned)

    @helper
    def bind(n, sh, sw, sc, kh, kw, tc, th, tw, stride_h, stride_w, dilation_h, dilation_w, top, left, packed, choice):
        bind_rounded(n, th, tw, sc, kh, kw, tc, stride_h, stride_w, dilation_h, dilation_w,
                     is_one_run(sh, sw, th, tw, kh, kw, stride_h, stride_w, top, left), packed, turned, choice)

    @helper
    def pack(target, f, sc, kh, kw, tc, dilation_w, choice, tile):
        joins, first = joins_taps(sc, kw, dilation_w, turned), tile * choice[PACK_PANELS]
        pack_filter(target + first * panel_bytes(joins, sc, kh, kw), f, joins, sc, tc, kh, kw, first,
                    min(first + choice[PACK_PANELS], ceil_div(tc, WIDTH)))

    @part("rounded_way", "back" if turned else "forth")
    def run(source, f, target, n, sh, sw, sc, kh, kw, tc, th, tw, stride_h, stride_w, dilation_h, dilation_w, top, left,
            choice, work, scratch, phase, tile):
        compact()
        joins, panels = joins_taps(sc, kw, dilation_w, turned), ceil_div(tc, WIDTH)
        one_run = is_one_run(sh, sw, th, tw, kh, kw, stride_h, stride_w, top, left)
        lines, pixels = (n * th * tw, 1) if one_run else (n * th, tw)
        packed, rounded_at, pack_tiles, group = f, work, 0, choice[GROUP_LINES]
        if choice[FORMAT] == 0:
            packed, pack_tiles = work, ceil_div(panels, choice[PACK_PANELS])
            rounded_at += panels * panel_bytes(joins, sc, kh, kw)
        if phase == 0 and tile < pack_tiles:
            pack(work, f, sc, kh, kw, tc, dilation_w, choice, tile)
            return
        if phase == 0 and choice[ROUNDED_GROUPS] > 0:
            number = tile - pack_tiles
            bytes_ = group_bytes(joins, group, pixels, sc, kh, kw, stride_h, stride_w, dilation_h, dilation_w)
            round_group(rounded_at + number * bytes_, joins, source, sh, sw, sc, th, tw, kh, kw, stride_h, stride_w,
                        dilation_h, dilation_w, top, left, number * group, min(group, lines - number * group), group)
            return
        first, count, first_panel, some = tile_part(tile, lines, panels, choice)
        convolve(source, packed, rounded_at if choice[ROUNDED_GROUPS] > 0 else 0, joins,
                 target + first * pixels * tc * SIZE, sh, sw, sc, th, tw, tc, kh, kw, stride_h, stride_w, dilation_h,
                 dilation_w, top, left, first, count, group, first_panel, some, scratch)
    return RoundedWay(fits, pays, bind, pack, run)


def _nowhere() -> RoundedWay:
    """Of a dtype or an instruction set that has no such products."""
    @helper
    def fits(sc, kh, kw, tw, stride_h, stride_w, dilation_h, dilation_w, choice):
        return False

    @helper
    def pays(n, sc, kh, kw, tc, th, tw, stride_h, stride_w, dilation_h, dilation_w, packed, winograd):
        return False

    @helper
    def bind(n, sh, sw, sc, kh, kw, tc, th, tw, stride_h, stride_w, dilation_h, dilation_w, top, left, packed, choice):
        pass

    @helper
    def pack(target, f, sc, kh, kw, tc, dilation_w, choice, tile):
        pass

    @helper
    def run(source, f, target, n, sh, sw, sc, kh, kw, tc, th, tw, stride_h, stride_w, dilation_h, dilation_w, top, left,
            choice, work, scratch, phase, tile):
        pass
    return RoundedWay(fits, pays, bind, pack, run)
