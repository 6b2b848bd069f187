"""What a convolution in groups does along a line of the target: its two ways, and the NaNs that zeros make.

Job: a line is described by the functions of grouped.py: rows `lines` of taps, `x_line` bytes of the source apart, each
with `taps` taps: tap t of pixel j lies at column + j * step + t * next_tap of `w` columns. Its taps in a packed unit
begin at f and lie f_line and f_tap apart. `rows` computes it, in registers (group_sums.py); `fill` writes the table of
one register tile of it, and `products` multiplies all tiles that were filled; `mend` computes those NaNs again that
stand at its edges, where 0 was multiplied by an infinite weight.
Invariants: columns are checked against the picture before they are read; units first to last only are written.
"""
from __future__ import annotations

from functools import cache
from typing import Any

from ..memory import ITEM_SIZES, compact, helper, int64_at, pointer_to, zero_bytes
from ..pooling.channel_windows import end_tap, first_tap
from ..products.micro import TABLE_WORDS, micro_kernel, shapes
from ..vector import vectors
from ..words import USER
from .group_sums import PIXELS, WIDE, make_grouped

# Words of choice after those of conv_tiles.py: elements of a line of a unit; units of a group, or groups of a unit;
# taps at once.
WIDTH, GROUP_UNITS, UNIT_GROUPS, TAPS = range(USER + 6, USER + 10)
PIECES = 16                            # register tiles whose tables are made at once
PIECE_WORDS = 3                        # of a register tile: where its result goes, its height, its segments
ZEROS, SPARE, INDEX_BYTES = 64, 128, 192
SEGMENT_BYTES = TABLE_WORDS * 8


@cache
def make_index(isa: str) -> Any:
    """The function (sg, tg, scratch) that writes which channel of a vector of the source each lane of the target
    begins with, sg and tg being the channels of a group; after them a vector of zeros, at ZEROS, and one to be
    written, at SPARE."""
    int32_at, lanes = pointer_to("i32"), WIDE.get(isa, 0)

    @helper
    def write(sg, tg, scratch):
        index = int32_at(scratch)
        for lane in range(lanes):
            index[lane] = lane // tg * sg if lane // tg * sg < lanes else 0
        zero_bytes(scratch + ZEROS, INDEX_BYTES - ZEROS)
    return write


@cache
def make_rows(isa: str) -> Any:
    """The function that computes units first to last of a line by group_sums.py; scratch begins with the index."""
    size, three, one = ITEM_SIZES["f32"], make_grouped(isa, True).rows, make_grouped(isa, False).rows

    @helper
    def rows(source, x_line, lines, column, step, next_tap, taps, w, f, f_line, f_tap, unit_bytes, target, y_step,
             pixels, sg, tg, groups, first, last, choice, scratch):
        compact()
        some = choice[TAPS]
        for unit in range(first, last):
            group = unit * choice[UNIT_GROUPS]
            count = min(choice[UNIT_GROUPS], groups - group)
            x, y, weights = source + group * sg * size, target + group * tg * size, f + unit * unit_bytes
            for done in range(0, pixels, PIXELS):
                arguments = (x, x_line, column + done * step, step, next_tap * some, w, groups * sg * size,
                             scratch + ZEROS, weights, f_line, f_tap * some, lines, taps // some, sg, scratch,
                             count * sg, y + done * y_step, y_step, pixels - done, count * tg)
                if some == 3:
                    three(arguments)
                else:
                    one(arguments)
    return rows


@cache
def make_products(dtype: str, isa: str) -> Any:
    """The functions fill(...), which writes the table of a register tile of a line, and products(count, ...),
    of all tiles that were filled."""
    size, sizes = ITEM_SIZES[dtype], shapes(isa, dtype)
    micro_main, micro_narrow = micro_kernel(dtype, sizes.main), micro_kernel(dtype, sizes.narrow)
    width_narrow, rows_main, rows_narrow = sizes.narrow.width, sizes.main.rows, sizes.narrow.rows

    @helper
    def tile_rows(choice):
        return rows_narrow if choice[WIDTH] == width_narrow else rows_main

    @helper
    def fill(source, x_line, lines, column, step, next_tap, taps, w, item, f, f_line, f_tap, target, height,
             zeros, table, words_at):
        """The segments of `height` pixels from `column` on; those that are outside for all of them are left out."""
        compact()
        words, segments = int64_at(words_at), 0
        for u in range(lines):
            for t in range(taps):
                segment, inside = int64_at(table + segments * SEGMENT_BYTES), 0
                segment[0] = f + u * f_line + t * f_tap
                for r in range(height):
                    at = column + r * step + t * next_tap
                    if 0 <= at < w:
                        segment[1 + r] = source + u * x_line + at * item
                        inside += 1
                    else:
                        segment[1 + r] = zeros
                if inside > 0:
                    segments += 1
        words[0], words[1], words[2] = target, height, segments

    @helper
    def products(count, f, unit_bytes, y_step, sg, tg, first, last, taps, table, kept, choice):
        """Units first to last; f: where the filter's first unit begins."""
        compact()
        width = choice[WIDTH]
        for unit in range(first, last):
            group, column = unit // choice[GROUP_UNITS], unit % choice[GROUP_UNITS] * width
            right, start = f + unit * unit_bytes, group * sg * size
            for number in range(count):
                words = int64_at(kept + number * PIECE_WORDS * 8)
                goal, segments = words[0] + (group * tg + column) * size, words[2] if sg > 0 else 0
                if width == width_narrow:
                    micro_narrow(words[1], segments, sg, start, size, right, width * size,
                                 table + number * taps * SEGMENT_BYTES, goal, y_step, False, tg - column)
                else:
                    micro_main(words[1], segments, sg, start, size, right, width * size,
                               table + number * taps * SEGMENT_BYTES, goal, y_step, False, tg - column)
    return tile_rows, fill, products


@cache
def make_mend(dtype: str) -> Any:
    """The function that computes again what is NaN of the pixels at the edges of a line, channels of units first to
    last."""
    size, at, row_sum = ITEM_SIZES[dtype], pointer_to(dtype), vectors(dtype).row_sum

    @helper
    def first_channel(unit, tg, groups, choice):
        """Of the target, where a unit begins."""
        group, part = unit // choice[GROUP_UNITS] * choice[UNIT_GROUPS], unit % choice[GROUP_UNITS]
        return min(group * tg + part * choice[WIDTH], groups * tg)

    @helper
    def exact(source, x_line, lines, column, next_tap, taps, w, item, weights, f_line, f_tap, sg, choice):
        """One element of the target, from the pixels that are inside."""
        some, line_bytes, total = choice[TAPS], choice[WIDTH] * size, 0.0
        for u in range(lines):
            for t in range(taps):
                place = column + t * next_tap
                if 0 <= place < w:
                    x, f = at(source + u * x_line + place * item), weights + u * f_line + t // some * some * f_tap
                    for k in range(sg):
                        total += x[k] * at(f + (k * some + t % some) * line_bytes)[0]
        return total

    @helper
    def mend_pixel(source, x_line, lines, column, next_tap, taps, w, f, f_line, f_tap, unit_bytes, target, sg, tg,
                   groups, first, end, choice):
        compact()
        values = at(target)
        for channel in range(first, end):
            if values[channel] != values[channel]:
                group, t = channel // tg, channel % tg
                unit = group // choice[UNIT_GROUPS] * choice[GROUP_UNITS] + t // choice[WIDTH]
                lane = group % choice[UNIT_GROUPS] * tg + t % choice[WIDTH]
                values[channel] = exact(source + group * sg * size, x_line, lines, column, next_tap, taps, w,
                                        groups * sg * size, f + unit * unit_bytes + lane * size, f_line, f_tap, sg,
                                        choice)

    @helper
    def mend(source, x_line, lines, column, step, next_tap, taps, w, f, f_line, f_tap, unit_bytes, target, y_step,
             pixels, sg, tg, groups, first, last, choice):
        compact()
        begin, end = first_channel(first, tg, groups, choice), first_channel(last, tg, groups, choice)
        inside = min(first_tap(column, step), pixels)
        after = max(end_tap(column + (taps - 1) * next_tap, step, pixels, w), inside)
        for edge in range(pixels - after + inside):
            j = edge if edge < inside else edge - inside + after
            total = row_sum(at(target + j * y_step + begin * size), end - begin)
            if total != total:
                mend_pixel(source, x_line, lines, column + j * step, next_tap, taps, w, f, f_line, f_tap, unit_bytes,
                           target + j * y_step, sg, tg, groups, begin, end, choice)
    return mend
