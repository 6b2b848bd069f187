"""A convolution, or its gradient for the input, as a matrix product whose rows of A are looked up: one segment a tap.

Job: target[pixel, :] = sum over taps (u, v) of source[pixel moved by the tap, :] B[u, v]. Forwards, source is x, target
y and B the filter; backwards, source is dy, target dx and B the filter with its channels exchanged. No patch is ever
copied.
Order: groups of register tiles, whose tables are made once; chunks of channels; blocks of taps; panels; register tiles.
Invariants: every row and column of the source is checked, outside means a row of zeros in scratch; a tap that is
outside for a whole register tile is left out; backwards with a stride, a register tile has only pixels of one residue,
which meet the same taps.
"""
from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from ..memory import ITEM_SIZES, apart, compact, helper, int64_at, part, round_up, zero_bytes
from ..products.micro import TABLE_WORDS, Shape, streaming_kernel

GROUP = 16                             # register tiles whose tables are made at once
CHUNK = 1024                           # most channels of a segment
BLOCK = 1152                           # k of a block of taps, about
PANEL_BYTES = 512 * 1024               # of the panels of a block: they stay in the second cache
# Words of a register tile: first pixel, height; then for each row: address of its picture, row and column of its pixel.
TILE_WORDS = 2 + 3 * 16
_SEGMENT_BYTES = TABLE_WORDS * 8


@dataclass(frozen=True)
class Taps:
    """convolve(source, packed, target, sh, sw, sc, th, tw, tc, kh, kw, stride_h, stride_w, dilation_h, dilation_w,
    pad_top, pad_left, first, some, first_panel, panels, scratch): forwards, first and some are pixels of the target,
    backwards rows of its pictures, numbered through all pictures. scratch_bytes(sc, kh, kw) says how much scratch that
    needs."""

    convolve: Any
    scratch_bytes: Any


@helper
def scratch_bytes(size, sc, taps):
    return round_up(sc * size, 64) + GROUP * (TILE_WORDS * 8 + taps * (_SEGMENT_BYTES + 8)) + 64


@cache
def make_locate(backward):
    """The function from a position of the target and a tap to the position of the source, or -1 outside."""
    @helper
    def forwards(position, tap, stride, dilation, pad, limit):
        found = position * stride - pad + tap * dilation
        return found if 0 <= found < limit else -1

    @helper
    def backwards(position, tap, stride, dilation, pad, limit):
        moved = position + pad - tap * dilation
        found = moved // stride
        return found if moved >= 0 and moved % stride == 0 and found < limit else -1
    return backwards if backward else forwards


@cache
def make_table(dtype, backward):
    """The functions that describe register tiles: place(tile, ...) and fill(table, tile, ...)."""
    size, locate = ITEM_SIZES[dtype], make_locate(backward)

    @helper
    def place(tile, pixel, height, pitch, source, sh, sw, sc, th, tw):
        """Fills the words of a register tile of `height` pixels, `pitch` apart, from flat pixel number `pixel`."""
        tile[0], tile[1] = pixel, height
        line, column = pixel // tw, pixel % tw
        picture, row = line // th, line % th
        for r in range(height):
            tile[2 + 3 * r] = source + picture * sh * sw * sc * size
            tile[3 + 3 * r], tile[4 + 3 * r] = row, column
            column += pitch
            while column >= tw and r + 1 < height:
                column -= tw
                row += 1
                if row == th:
                    row = 0
                    picture += 1

    @helper
    def fill_row(table, tile, height, u, v, zeros, sh, sw, sc, stride_h, stride_w, dilation_h, dilation_w, pad_top,
                 pad_left):
        """The addresses of one segment, pixel by pixel; returns how many are inside."""
        inside = 0
        for r in range(height):
            i = locate(tile[3 + 3 * r], u, stride_h, dilation_h, pad_top, sh)
            j = locate(tile[4 + 3 * r], v, stride_w, dilation_w, pad_left, sw)
            if i >= 0 and j >= 0:
                table[1 + r] = tile[2 + 3 * r] + (i * sw + j) * sc * size
                inside += 1
            else:
                table[1 + r] = zeros
        return inside

    @helper
    def fill(table, tile, first_tap, last_tap, tap_bytes, zeros, sh, sw, sc, kw, stride_h, stride_w, dilation_h,
             dilation_w, pad_top, pad_left):
        """The segments of taps first_tap to last_tap; returns how many there are."""
        apart()
        height, segments = tile[1], 0
        end = 3 * (height - 1)
        one_line = tile[2] == tile[2 + end] and tile[3] == tile[3 + end]
        step = (sc if backward else stride_w * sc) * size
        for tap in range(first_tap, last_tap):
            u, v = tap // kw, tap % kw
            segment = int64_at(table + segments * _SEGMENT_BYTES)
            segment[0] = tap * tap_bytes
            if one_line:
                i = locate(tile[3], u, stride_h, dilation_h, pad_top, sh)
                if i < 0:
                    continue
                first = locate(tile[4], v, stride_w, dilation_w, pad_left, sw)
                last = locate(tile[4 + end], v, stride_w, dilation_w, pad_left, sw)
                if first >= 0 and last >= 0:
                    start = tile[2] + (i * sw + first) * sc * size
                    for r in range(height):
                        segment[1 + r] = start + r * step
                    segments += 1
                    continue
            if fill_row(segment, tile, height, u, v, zeros, sh, sw, sc, stride_h, stride_w, dilation_h, dilation_w,
                        pad_top, pad_left):
                segments += 1
        return segments
    return place, fill


@cache
def make_taps(dtype: str, shape: Shape, backward: bool) -> Taps:
    size, width, most_rows = ITEM_SIZES[dtype], shape.width, shape.rows
    micro = streaming_kernel(dtype, shape)
    place, fill = make_table(dtype, backward)

    @helper
    def group_products(tiles, counts, table, group, packed, target, sc, tc, taps, pitch, first_panel, panels):
        """All products of a group of register tiles; counts: segments of each block of taps, block by block."""
        chunks = max((sc + CHUNK - 1) // CHUNK, 1)
        block = max(BLOCK // max((sc + chunks - 1) // chunks, 1), 1)
        some, panel_bytes = max(PANEL_BYTES // (BLOCK * width * size), 1), taps * sc * width * size
        for chunk in range(chunks):
            start = sc * chunk // chunks
            length = sc * (chunk + 1) // chunks - start
            for first_tap in range(0, max(taps, 1), block):
                later = chunk > 0 or first_tap > 0
                for first in range(first_panel, first_panel + panels, some):
                    last = min(first + some, first_panel + panels)
                    for number in range(group):
                        tile = int64_at(tiles + number * TILE_WORDS * 8)
                        segments = counts[number * taps + first_tap] if length > 0 and taps > 0 else 0
                        if segments == 0 and later:
                            continue
                        segment = table + (number * taps + first_tap) * _SEGMENT_BYTES
                        for panel in range(first, last):
                            ahead = 0
                            if number == 0:    # B comes from memory: what is multiplied next is asked for
                                ahead = panel_bytes
                                if panel + 1 == last and last == first_panel + panels and first_tap + block < taps:
                                    ahead = (first_panel - panel) * panel_bytes + block * sc * width * size
                            elif taps == 1 and panel == first and number + 1 < group:    # so do the pixels
                                ahead = (int64_at(segment + _SEGMENT_BYTES)[1] + start * size
                                         - (packed + panel * panel_bytes + start * width * size))
                            micro(tile[1], segments, length, start * size, size,
                                  packed + panel * panel_bytes + start * width * size, width * size, segment,
                                  target + (tile[0] * tc + panel * width) * size, pitch * tc * size, later,
                                  tc - panel * width, ahead, width * size)

    @part("taps", shape, "back" if backward else "forth")
    def convolve(source, packed, target, sh, sw, sc, th, tw, tc, kh, kw, stride_h, stride_w, dilation_h, dilation_w,
                 pad_top, pad_left, first, some, first_panel, panels, scratch):
        compact()
        taps = kh * kw
        zeros, tiles = scratch, scratch + round_up(sc * size, 64)
        counts = int64_at(tiles + GROUP * TILE_WORDS * 8)
        table = tiles + GROUP * (TILE_WORDS + taps) * 8
        zero_bytes(zeros, sc * size)
        chunks = max((sc + CHUNK - 1) // CHUNK, 1)
        block = max(BLOCK // max((sc + chunks - 1) // chunks, 1), 1)
        # Runs of pixels at an equal distance: the whole range, or in each line the pixels of each residue.
        pitch, unit = stride_w if backward else 1, tw if backward else 1
        runs = 1 if pitch == 1 else some * min(pitch, tw)
        group = 0
        for run in range(runs):
            start, count = first * unit, some * unit
            if pitch > 1:
                residues = min(pitch, tw)
                residue = run % residues
                start += run // residues * tw + residue
                count = (tw - residue + pitch - 1) // pitch
            pieces = (count + most_rows - 1) // most_rows
            for piece in range(pieces):
                begin = count * piece // pieces
                tile = int64_at(tiles + group * TILE_WORDS * 8)
                place(tile, start + begin * pitch, count * (piece + 1) // pieces - begin, pitch, source, sh, sw, sc,
                      th, tw)
                for tap in range(0, taps, block):
                    counts[group * taps + tap] = fill(
                        table + (group * taps + tap) * _SEGMENT_BYTES, tile, tap, min(tap + block, taps),
                        sc * width * size, zeros, sh, sw, sc, kw, stride_h, stride_w, dilation_h, dilation_w, pad_top,
                        pad_left)
                group += 1
                if group == GROUP or (run == runs - 1 and piece == pieces - 1):
                    group_products(tiles, counts, table, group, packed, target, sc, tc, taps, pitch, first_panel,
                                   panels)
                    group = 0

    @helper
    def needed(sc, kh, kw):
        return scratch_bytes(size, sc, kh * kw)
    return Taps(convolve, needed)
