"""grouped_conv2d_filter_grad: the gradient of a convolution in groups for its filter, one kernel for all groups.

Job: dw[u, v, k, (g, o)] = sum over output pixels of x[the pixel moved by the tap, (g, k)] dy[pixel, (g, o)]. Ways, as
in grouped.py:
    ROWS      the lanes are channels of dy, x is permuted to them in registers (group_sums.py); float32
    PRODUCTS  the micro-kernel: rows of A are a group's channels of x, B the group's of dy, packed. The lines of x that
              some lines of dy meet are copied, a group's channels side by side, if they are few: its pixels lie a
              multiple of 1 KB apart in memory, and those meet in few sets of the first cache
A tile is some units of some lines; the sums of each part of the lines go to the workspace, and phase 1 adds them.
Invariants: parts and tiles depend on sizes only; pixels outside x are left out before the loop; a tile writes its own
units' columns of its part.
"""
from __future__ import annotations

from ..convolution.conv_tiles import by_isa
from ..convolution.lines import reach
from ..convolution.parts import make_add_parts, sum_elements
from ..memory import ITEM_SIZES, address, ceil_div, compact, helper, int64_at, pointer_to, round_up, zero_bytes
from ..pooling.channel_windows import end_tap, first_tap
from ..products.micro import TABLE_WORDS, micro_kernel, shapes
from ..products.panels import packing
from ..vector import vectors
from ..ways import takes
from ..words import OK, SCRATCH_BYTES, TILES, TILES_1, USER, VARIANT, WORK_BYTES
from .group_sums import PLACES, make_grouped
from .grouped import PRODUCTS, ROWS, widest
from .grouped_ways import GROUP_UNITS, INDEX_BYTES, SPARE, UNIT_GROUPS, WIDTH, make_index

PARTS, PART_LINES, UNIT_TILES, GROUP_LINES, SUM_ELEMENTS, COPIED = range(USER, USER + 6)
SUMS = 1 << 21                         # multiplications of a tile, at least
MOST_TILES = 32
PART_PIXELS = 512                      # of a part, at least
WORK_LIMIT = 32 << 20                  # bytes of all parts
GROUP_BYTES, GROUP_PIXELS, MOST_LINES = 32 * 1024, 64, 64      # of dy's lines that are packed at once
SOURCE_BYTES = 512 * 1024              # of x's lines for them, with all groups: they stay in the second cache
COPY_BYTES = 64 * 1024                 # of x's copied lines, at most
TABLE_BYTES = MOST_LINES * TABLE_WORDS * 8


@helper
def inside(start, stride, pixels, w):
    """The first pixel whose place, start + pixel * stride, is one of w, and the one after the last."""
    first = min(first_tap(start, stride), pixels)
    return first, max(end_tap(start, stride, pixels, w), first)


def make_bind(dtype, isa):
    size, sizes, wide = ITEM_SIZES[dtype], shapes(isa, dtype), widest(dtype, isa)
    width_main, width_narrow = sizes.main.width, sizes.narrow.width

    @helper
    def bind_tiles(lines, ow, elements, units, choice):
        tiles = min(max(lines * ow * elements // SUMS, 1), MOST_TILES)
        parts = min(tiles, max(lines * ow // PART_PIXELS, 1), max(WORK_LIMIT // max(elements * size, 1), 1), lines)
        choice[PART_LINES] = ceil_div(lines, max(parts, 1))
        choice[PARTS] = ceil_div(lines, choice[PART_LINES])
        choice[UNIT_TILES] = min(ceil_div(tiles, choice[PARTS]), units)
        choice[TILES] = choice[PARTS] * choice[UNIT_TILES]
        if choice[PARTS] > 1:
            choice[WORK_BYTES], choice[SUM_ELEMENTS] = choice[PARTS] * elements * size, sum_elements(elements)
            choice[TILES_1] = ceil_div(elements, choice[SUM_ELEMENTS])

    def bind(n, h, w, groups, c, kh, kw, oc, oh, ow, stride_h, stride_w, dilation_h, dilation_w, pad_top, pad_left,
             choice):
        elements = kh * kw * c * groups * oc
        if elements == 0:
            return
        if n * oh * ow == 0:
            choice[PARTS], choice[TILES] = 0, 1
            return
        if 2 * max(c, oc) <= wide and takes(choice, ROWS, True):
            choice[VARIANT], choice[WIDTH], choice[GROUP_UNITS] = ROWS, wide, 1
            choice[UNIT_GROUPS], choice[SCRATCH_BYTES] = wide // max(c, oc), INDEX_BYTES
        else:
            choice[VARIANT], choice[WIDTH] = PRODUCTS, width_narrow if oc <= width_narrow else width_main
            choice[GROUP_UNITS], choice[UNIT_GROUPS] = ceil_div(oc, choice[WIDTH]), 1
            line_bytes = ow * choice[WIDTH] * size
            cached = min(GROUP_BYTES // line_bytes, SOURCE_BYTES // max(stride_h * w * groups * c * size, 1))
            choice[GROUP_LINES] = min(max(cached, ceil_div(GROUP_PIXELS, ow)), MOST_LINES, oh)
            choice[SCRATCH_BYTES] = TABLE_BYTES + round_up(choice[GROUP_LINES] * line_bytes, 64)
            copied = min((choice[GROUP_LINES] - 1) * stride_h + reach(kh, dilation_h), h) * w * c * size
            if copied <= COPY_BYTES:
                choice[COPIED] = choice[SCRATCH_BYTES]
                choice[SCRATCH_BYTES] += copied
        bind_tiles(n * oh, ow, elements, ceil_div(groups, choice[UNIT_GROUPS]) * choice[GROUP_UNITS], choice)
    return bind


def make_rows(isa):
    """The function (x, dy, sums, w, ow, kw, start, stride, dilation, c, oc, groups, tap_bytes, first, last, choice,
    scratch): what one line of dy adds to the sums of one row of the filter, of units first to last. x is where its line
    begins, start the column of tap 0 of pixel 0."""
    size, three, one = ITEM_SIZES["f32"], make_grouped(isa, True).taps, make_grouped(isa, False).taps

    @helper
    def add(x, dy, sums, begin, end, start, stride, dilation, c, oc, groups, tap_bytes, taps, count, scratch):
        """The pixels begin to end, of one unit of `count` groups."""
        item, step = groups * c * size, groups * oc * size
        if end <= begin:
            return
        for k in range(0, c, PLACES):
            arguments = (x + (start + begin * stride) * item, stride * item, dilation * item, dy + begin * step, step,
                         end - begin, scratch, k, count * c, sums + k * step, tap_bytes, step, c - k, count * oc,
                         scratch + SPARE)
            if taps == 3:
                three(arguments)
            else:
                one(arguments)

    @helper
    def rows(x, dy, sums, w, ow, kw, start, stride, dilation, c, oc, groups, tap_bytes, first, last, choice, scratch):
        compact()
        for unit in range(first, last):
            group = unit * choice[UNIT_GROUPS]
            count = min(choice[UNIT_GROUPS], groups - group)
            source, gradient, target = x + group * c * size, dy + group * oc * size, sums + group * oc * size
            v = 0
            while v < kw:
                taps = 3 if v + 3 <= kw else 1
                begin, _ = inside(start + v * dilation, stride, ow, w)
                _, end = inside(start + (v + taps - 1) * dilation, stride, ow, w)
                end = max(begin, end)
                add(source, gradient, target + v * tap_bytes, begin, end, start + v * dilation, stride, dilation, c,
                    oc, groups, tap_bytes, taps, count, scratch)
                for t in range(v, v + taps if taps > 1 else v):    # pixels that not all three taps meet
                    column = start + t * dilation
                    low, high = inside(column, stride, ow, w)
                    add(source, gradient, target + t * tap_bytes, low, min(high, begin), column, stride, dilation, c,
                        oc, groups, tap_bytes, 1, count, scratch)
                    add(source, gradient, target + t * tap_bytes, max(low, end), high, column, stride, dilation, c, oc,
                        groups, tap_bytes, 1, count, scratch)
                v += taps
    return rows


def make_products(dtype, isa):
    """The function that computes one unit's sums over some lines."""
    size, sizes, at, kit = ITEM_SIZES[dtype], shapes(isa, dtype), pointer_to(dtype), vectors(dtype)
    lanes, load, store, load_some, store_some = kit.lanes, kit.load, kit.store, kit.load_some, kit.store_some
    micro_main, micro_narrow = micro_kernel(dtype, sizes.main), micro_kernel(dtype, sizes.narrow)
    pack_main, pack_narrow = packing(dtype, sizes.main).pack, packing(dtype, sizes.narrow).pack
    width_narrow, rows_main, rows_narrow = sizes.narrow.width, sizes.main.rows, sizes.narrow.rows

    @helper
    def copy_lines(target, x, pixels, c, item):
        """The channels of a group of some lines, side by side."""
        compact()
        for pixel in range(pixels):
            goal, values = at(target + pixel * c * size), at(x + pixel * item)
            for k in range(0, c, lanes):
                if c - k >= lanes:
                    store(goal, k, load(values, k))
                else:
                    store_some(goal, k, load_some(values, k, c - k), c - k)

    @helper
    def fill(words, x, h, w, line, lines, row_offset, stride_h, stride_w, column, begin, item, line_bytes, b_bytes,
             height):
        """The segments of `lines` lines of dy, from number `line` of their picture on, that are inside; returns how
        many."""
        segments = 0
        for number in range(lines):
            i = (line + number) * stride_h + row_offset
            if 0 <= i < h:
                place = segments * TABLE_WORDS
                words[place] = number * line_bytes + begin * b_bytes
                source = x + (i * w + begin * stride_w + column) * item
                for r in range(height):
                    words[place + 1 + r] = source + r * size
                segments += 1
        return segments

    @helper
    def products(x, dy, result, h, w, groups, c, kh, kw, oc, ow, stride_h, stride_w, dilation_h, dilation_w, pad_top,
                 pad_left, line, lines, later, unit, choice, scratch):
        """One unit of some lines of a picture, whose pixels begin at x; dy: where the lines begin."""
        compact()
        width, group = choice[WIDTH], unit // choice[GROUP_UNITS]
        column = unit % choice[GROUP_UNITS] * width
        narrow, step, packed = width == width_narrow, groups * oc * size, scratch + TABLE_BYTES
        source, goal = x + group * c * size, result + (group * oc + column) * size
        if narrow:
            pack_narrow(packed, dy + (group * oc + column) * size, step, lines * ow, oc - column)
        else:
            pack_main(packed, dy + (group * oc + column) * size, step, lines * ow, oc - column)
        item = groups * c * size
        if choice[COPIED] > 0:
            first = max(line * stride_h - pad_top, 0)
            last = min((line + lines - 1) * stride_h - pad_top + reach(kh, dilation_h), h)
            copy_lines(scratch + choice[COPIED], source + first * w * item, max(last - first, 0) * w, c, item)
            source, item = scratch + choice[COPIED] - first * w * c * size, c * size
        tiles = ceil_div(c, rows_narrow if narrow else rows_main)
        for number in range(kh * kw * tiles):
            tap, tile = number // tiles, number % tiles
            channel = c * tile // tiles
            height, place = c * (tile + 1) // tiles - channel, tap % kw * dilation_w - pad_left
            begin, end = inside(place, stride_w, ow, w)
            segments = 0
            if end > begin:
                segments = fill(int64_at(scratch), source + channel * size, h, w, line, lines,
                                tap // kw * dilation_h - pad_top, stride_h, stride_w, place, begin, item,
                                ow * width * size, width * size, height)
            target = goal + (tap * c + channel) * step
            if narrow:
                micro_narrow(height, segments, end - begin, 0, stride_w * item, packed, width * size, scratch, target,
                             step, later, oc - column)
            else:
                micro_main(height, segments, end - begin, 0, stride_w * item, packed, width * size, scratch, target,
                           step, later, oc - column)
    return products


def make_by_rows(isa):
    """The function that computes the sums of units first to last over some lines by ROWS."""
    size, rows, index = ITEM_SIZES["f32"], make_rows(isa), make_index(isa)

    @helper
    def by_rows(x, dy, result, h, w, groups, c, kh, kw, oc, oh, ow, stride_h, stride_w, dilation_h, dilation_w,
                pad_top, pad_left, first_line, lines, first, last, choice, scratch):
        compact()
        item, step = groups * c * size, groups * oc * size
        begin, end = first * choice[UNIT_GROUPS] * oc * size, min(last * choice[UNIT_GROUPS], groups) * oc * size
        for row in range(kh * kw * c):
            zero_bytes(result + row * step + begin, end - begin)
        index(c, oc, scratch)
        for line in range(first_line, first_line + lines if w > 0 else first_line):
            start = line % oh * stride_h - pad_top
            for u in range(first_tap(start, dilation_h), end_tap(start, dilation_h, kh, h)):
                rows(x + (line // oh * h + start + u * dilation_h) * w * item, dy + line * ow * step,
                     result + u * kw * c * step, w, ow, kw, -pad_left, stride_w, dilation_w, c, oc, groups, c * step,
                     first, last, choice, scratch)
    return by_rows


def make_isa(dtype, isa):
    """bind and run for one ISA."""
    size, add_parts = ITEM_SIZES[dtype], make_add_parts(dtype)
    products = make_products(dtype, isa)
    by_rows = make_by_rows(isa if widest(dtype, isa) else "")

    def run(x, dy, dw, n, h, w, groups, c, kh, kw, oc, oh, ow, stride_h, stride_w, dilation_h, dilation_w, pad_top,
            pad_left, choice, work, scratch, phase, tile):
        source, gradient, target, elements = address(x), address(dy), address(dw), kh * kw * c * groups * oc
        if choice[PARTS] == 0:
            zero_bytes(target, elements * size)
            return OK
        if phase == 1:
            add_parts(target, work, elements, choice[PARTS], choice[SUM_ELEMENTS], tile)
            return OK
        units = ceil_div(groups, choice[UNIT_GROUPS]) * choice[GROUP_UNITS]
        part, number = tile // choice[UNIT_TILES], tile % choice[UNIT_TILES]
        first, last = units * number // choice[UNIT_TILES], units * (number + 1) // choice[UNIT_TILES]
        first_line = part * choice[PART_LINES]
        lines = min(choice[PART_LINES], n * oh - first_line)
        result = work + part * elements * size if choice[PARTS] > 1 else target
        if choice[VARIANT] == ROWS:
            by_rows(source, gradient, result, h, w, groups, c, kh, kw, oc, oh, ow, stride_h, stride_w, dilation_h,
                    dilation_w, pad_top, pad_left, first_line, lines, first, last, choice, scratch)
            return OK
        done = 0
        while done < lines:                # some lines of one picture at once
            picture, line = (first_line + done) // oh, (first_line + done) % oh
            count = min(choice[GROUP_LINES], lines - done, oh - line)
            for unit in range(first, last):
                products(source + picture * h * w * groups * c * size, gradient + (first_line + done) * ow * groups * oc
                         * size, result, h, w, groups, c, kh, kw, oc, ow, stride_h, stride_w, dilation_h, dilation_w,
                         pad_top, pad_left, line, count, done > 0, unit, choice, scratch)
            done += count
        return OK
    return make_bind(dtype, isa), run


def make(types):
    return by_isa(make_isa, types["T"])
