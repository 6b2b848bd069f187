"""conv2d_filter_grad: the gradient of a convolution for its filter, as a matrix product on the micro-kernel.

Job: dw[u, v, :, :] = sum over output pixels of x[the pixel moved by the tap, :] outer dy[pixel, :]. A is x transposed,
read where it is: its rows are channels, its k the pixels of a line, one segment a line; with few channels, its rows are
those of all taps, read from padded lines (lines.py), and where lines are short a segment is a column; for a filter of
1 x 1 that meets each pixel all pixels are one line. B is dy, packed line by line into scratch; the lines of x and dy
that are next are asked for meanwhile (coming.py). Filters of 3 x 3 and 5 x 5 without stride go by
winograd_filter_grad.py where that is faster; by rounded_filter_grad.py, of operands rounded to bfloat16, if that is
asked for and the processor multiplies them.
With few results, which would leave most lanes idle, and no stride, x and dy change places: the sums [taps, oc, c] over
pixels of x of dy moved by the tap, taps from the last to the first, are turned when parts are added.
Tiles are columns of dw, then rows; where these are too few, output pixels fall into parts: each part's sum goes to the
workspace, and phase 1 adds the parts in order.
Invariants: the number of parts depends on the sizes only; pixels outside x are left out before the loop; every tile
writes its own rows and columns of its part.
"""
from __future__ import annotations

from ..memory import ITEM_SIZES, address, ceil_div, compact, helper, int64_at, pointer_to, prefetch, round_up
from ..products.micro import TABLE_WORDS, shapes, streaming_kernel
from ..products.panels import packing
from ..tiles import shared_evenly
from ..ways import takes
from ..winograd.winograd_cost import DTYPES as WINOGRAD_DTYPES
from ..winograd.winograd_cost import FEWEST, fits
from ..winograd.winograd_filter_grad import make_filter_grad
from ..words import NO_WINOGRAD, OK, SCRATCH_BYTES, TILE_ELEMENTS, TILES, TILES_1, USER, VARIANT, WORK_BYTES
from .borders import make_mend_filter
from .coming import coming_lines, coming_part, coming_step
from .conv_tiles import MAIN, NARROW, ROUNDED, WINOGRAD, by_isa
from .filter_rows import inside, joins, next_row
from .lines import LINE_WORDS, buffer_bytes, line_elements, make_padding
from .lines import group_lines as lines_of_group
from .parts import make_add_parts, sum_elements
from .rounded_filter_way import make_rounded_filter_way

CHANNELS, LINES = 0, 1
FEW_CHANNELS = 16                      # below, register tiles of several taps pay for padded lines
FEW_RESULTS = 8                        # up to so many, x and dy change places where there is no stride
# Words of choice: shape; parts; lines of a part; tiles of rows of dw and rows of each; tiles of columns and columns of
# each; lines of a group; elements of a tile of phase 1; whether x and dy have changed places. WINOGRAD has its own from
# PART_LINES on, but for the last two.
(SHAPE, PARTS, PART_LINES, ROW_TILES, TILE_ROWS, COLUMN_TILES, TILE_COLUMNS, GROUP_LINES, SUM_ELEMENTS,
 TURNED) = range(USER, USER + 10)
PRODUCTS = 1 << 21                     # multiplications of a tile, at least
MOST_TILES = 24
LEAST_COLUMNS = 128                    # of a tile
LEAST_ROWS = 512                       # of a tile: those of the same columns pack the same of dy
PART_PIXELS = 512                      # of a part, at least
WORK_LIMIT = 32 << 20                  # bytes of all parts
GROUP_BYTES = 128 * 1024               # of the packed lines of dy that a tile treats at once
GROUP_X_BYTES = 128 * 1024             # of the lines of x that belong to them: the next group's are asked for meanwhile
GROUP_PIXELS = 64                      # of them, at least: sums are read and written once a group
MOST_LINES = 64                        # of a group
SHORT = 2                              # where a picture has so many lines a pixel of one, segments are columns
TABLE_BYTES = MOST_LINES * TABLE_WORDS * 8


def make_shape(dtype, sizes, wide):
    """The functions (channels, padded_lines): each adds one part's products. wide: in panels of the shape `main` of the
    micro-kernel, of which the last may be half as wide; else of the shape `narrow`."""
    shape = sizes.main if wide else sizes.narrow
    size, width, most_rows, lanes = ITEM_SIZES[dtype], shape.width, shape.rows, shape.lanes
    micro, micro_narrow = streaming_kernel(dtype, shape), streaming_kernel(dtype, sizes.narrow)
    pack, pad = packing(dtype, shape).pack, make_padding(dtype)

    @helper
    def products(height, segments, length, a_step, packed, panel_bytes, b_step, table, result, columns, oc, later,
                 coming, number, step):
        """One register tile of rows of the result, after `number` others, against all panels. Of what is coming, `step`
        bytes are asked for with each pixel."""
        panels, asked = ceil_div(columns, width), panel_bytes // (width * size) * step
        for panel in range(panels):
            left, right = columns - panel * width, packed + panel * panel_bytes
            place = coming_part(coming, (number * panels + panel) * asked)
            ahead = place - right if place != 0 else 0
            if wide and left <= lanes:
                micro_narrow(height, segments, length, 0, a_step, right, b_step, table,
                             result + panel * width * size, oc * size, later, left, ahead, step)
            else:
                micro(height, segments, length, 0, a_step, right, b_step, table, result + panel * width * size,
                      oc * size, later, left, ahead, step)

    @helper
    def pack_lines(target, dy, pixels, first, columns, oc):
        """Panels of dy's rows first to first + pixels."""
        for panel in range(ceil_div(columns, width)):
            column = panel * width
            pack(target + panel * pixels * width * size, dy + (first * oc + column) * size, oc * size, pixels,
                 columns - column)

    @helper
    def tap_words(words, x, height, channel, h, w, c, oh, ow, stride_h, row_offset, column, begin, first_line, lines):
        """Segments, one a line of the result whose line of x is inside; returns how many. column: of x, the first."""
        segments = 0
        for line in range(first_line, first_line + lines):
            i = line % oh * stride_h + row_offset
            if i < 0 or i >= h:
                continue
            at = segments * TABLE_WORDS
            words[at] = ((line - first_line) * ow + begin) * width * size
            source = x + (((line // oh * h + i) * w + column) * c + channel) * size
            for r in range(height):
                words[at + 1 + r] = source + r * size
            segments += 1
        return segments

    @helper
    def tap_products(x, packed, result, first_channel, channels, columns, h, w, c, oc, oh, ow, stride_h, stride_w,
                     row_offset, column_offset, first_line, lines, later, table, coming, number, step, ahead,
                     ahead_rows):
        """Some channels of one tap, one group of lines: rows of the result are the channels. coming: what is asked for
        meanwhile, by register tiles from `number` on, `step` bytes a pixel; ahead: rows of dy that are asked for before
        it, where they do not lie side by side."""
        begin, end = inside(column_offset, stride_w, w, ow)
        words, single = int64_at(table), h * w * oh * ow == 1
        panel_bytes = lines * ow * width * size
        tiles = ceil_div(channels, most_rows)
        for tile in range(tiles):
            channel = first_channel + channels * tile // tiles
            height = first_channel + channels * (tile + 1) // tiles - channel
            for row in range(ahead_rows * tile // tiles, ahead_rows * (tile + 1) // tiles):
                for place in range(0, columns * size, 64):
                    prefetch(ahead + row * oc * size + place)
            segments, length = 0, end - begin
            if single and row_offset == 0 and column_offset == 0:    # pixels that follow each other: one segment
                segments, length, words[0] = 1, lines, 0
                for r in range(height):
                    words[1 + r] = x + (first_line * c + channel + r) * size
            else:
                segments = tap_words(words, x, height, channel, h, w, c, oh, ow, stride_h, row_offset,
                                     begin * stride_w + column_offset, begin, first_line,
                                     lines if length > 0 else 0)
            if segments == 0 and later:
                continue
            products(height, segments, length, stride_w * c * size, packed, panel_bytes, width * size, table,
                     result + channel * oc * size, columns, oc, later, coming, number + tile, step)

    @helper
    def channels(x, dy, result, h, w, c, kh, kw, oc, oh, ow, stride_h, stride_w, dilation_h, dilation_w, pad_top,
                 pad_left, first_line, lines, last_line, first_row, last_row, columns, group_lines, scratch):
        compact()
        packed = scratch + TABLE_BYTES
        for start in range(0, lines, group_lines):
            count = min(group_lines, lines - start)
            pack_lines(packed, dy, count * ow, (first_line + start) * ow, columns, oc)
            following = first_line + start + count
            more = min(group_lines, last_line - following)
            coming = coming_lines(x, dy, h, w, c, kh, oc, oh, ow, stride_h, dilation_h, pad_top, following, more,
                                  columns, last_row - first_row >= c, size)
            # Pixels that are one segment ask for a little each; else a segment asks for as much as it reads of B.
            first_tap, step = first_row // c, width * size
            if h * w * oh * ow == 1:
                step = coming_step(coming, ceil_div(c, most_rows) * ceil_div(columns, width) * count, step)
            for tap in range(first_tap, ceil_div(last_row, c)):
                channel = max(first_row - tap * c, 0)
                tap_products(x, packed, result + tap * c * oc * size, channel, min(last_row - tap * c, c) - channel,
                             columns, h, w, c, oc, oh, ow, stride_h, stride_w, tap // kw * dilation_h - pad_top,
                             tap % kw * dilation_w - pad_left, first_line + start, count, start > 0, scratch, coming,
                             (tap - first_tap) * ceil_div(c, most_rows), step, dy + following * ow * oc * size,
                             more * ow if tap == first_tap and columns < oc else 0)

    @helper
    def row_words(words, line_words, row, height, count, c, kw, line_bytes, dilation_h, dilation_w, b_bytes):
        """Segments, one a line, for `height` rows of the result from `row` on: which tap and channel each is."""
        u, v, channel = row // c // kw, row // c % kw, row % c
        for r in range(height):
            shift = u * dilation_h * line_bytes + (v * dilation_w * c + channel) * size
            for i in range(count):
                words[i * TABLE_WORDS + 1 + r] = line_words[i * LINE_WORDS] + shift
            u, v, channel = next_row(u, v, channel, c, kw)
        for i in range(count):
            words[i * TABLE_WORDS] = i * b_bytes

    @helper
    def column_words(words, line, row, height, columns, pixel_bytes, c, kw, line_bytes, dilation_h, dilation_w, first):
        """Segments, one a column of pixels from `line` down; first: of B, in bytes."""
        u, v, channel = row // c // kw, row // c % kw, row % c
        for r in range(height):
            shift = u * dilation_h * line_bytes + (v * dilation_w * c + channel) * size
            for i in range(columns):
                words[i * TABLE_WORDS + 1 + r] = line + i * pixel_bytes + shift
            u, v, channel = next_row(u, v, channel, c, kw)
        for i in range(columns):
            words[i * TABLE_WORDS] = first + i * width * size

    @helper
    def padded_lines(x, dy, result, h, w, c, kh, kw, oc, oh, ow, stride_h, stride_w, dilation_h, dilation_w, pad_top,
                     pad_left, first_line, lines, last_line, first_row, last_row, columns, group_lines, scratch):
        compact()
        words, packed = int64_at(scratch), scratch + TABLE_BYTES
        addresses = packed + round_up(group_lines * ow * ceil_div(columns, width) * width * size, 64)
        line_bytes = line_elements(ow, kw, stride_w, dilation_w, c) * size
        rows = last_row - first_row
        # A segment is a line, or, where lines are short, a column: few pixels a segment cost more than their products.
        down = SHORT * ow < min(oh, group_lines)
        tiles = ceil_div(rows, most_rows)
        for start in range(0, lines, group_lines):
            count = min(group_lines, lines - start)
            pack_lines(packed, dy, count * ow, (first_line + start) * ow, columns, oc)
            pad(addresses, x, h, w, c, oh, first_line + start, count, ow, kh, kw, stride_h, stride_w, dilation_h,
                dilation_w, -pad_top, -pad_left)
            following = first_line + start + count
            more = min(group_lines, last_line - following)
            coming = coming_lines(x, dy, h, w, c, kh, oc, oh, ow, stride_h, dilation_h, pad_top, following, more,
                                  columns, True, size)
            done, number = 0, 0
            while done < count:            # all lines at once, or those of a picture, whose distance is the same
                part = min(count - done, oh - (first_line + start + done) % oh) if down else count
                for tile in range(tiles):
                    row = first_row + rows * tile // tiles
                    height = first_row + rows * (tile + 1) // tiles - row
                    if down:
                        column_words(words, int64_at(addresses)[done * LINE_WORDS], row, height, ow,
                                     stride_w * c * size, c, kw, line_bytes, dilation_h, dilation_w,
                                     done * ow * width * size)
                    else:
                        row_words(words, int64_at(addresses), row, height, count, c, kw, line_bytes, dilation_h,
                                  dilation_w, ow * width * size)
                    products(height, ow if down else count, part if down else ow,
                             (stride_h * line_bytes) if down else (stride_w * c * size), packed,
                             count * ow * width * size, (ow if down else 1) * width * size, scratch,
                             result + row * oc * size, columns, oc, start + done > 0, coming, number, width * size)
                    number += 1
                done += part
    return channels, padded_lines


def make_bind(dtype, sizes, rounded):
    size = ITEM_SIZES[dtype]
    width_main, width_narrow = sizes.main.width, sizes.narrow.width
    winograd = make_filter_grad(dtype, sizes.main)
    pays_winograd, bind_winograd = winograd.pays, winograd.bind
    has_winograd = dtype in WINOGRAD_DTYPES
    fits_rounded, pays_rounded, bind_rounded = rounded.fits, rounded.pays, rounded.bind

    @helper
    def bind_sums(elements, choice):
        """Tiles of phase 1, where there are several parts."""
        if choice[PARTS] > 1 or choice[TURNED] != 0:
            choice[WORK_BYTES] = choice[PARTS] * elements * size
            choice[SUM_ELEMENTS] = choice[TILE_ELEMENTS] = sum_elements(elements)
            choice[TILES_1] = ceil_div(elements, choice[SUM_ELEMENTS])

    @helper
    def bind_tiles(lines, ow, rows, oc, width, choice):
        """Tiles: columns and rows of dw, times parts of the lines, of which each has sums of its own to be added up."""
        elements = rows * oc
        most = min(max(lines * ow * elements // PRODUCTS, 1), MOST_TILES)
        across = shared_evenly(min(max(oc // LEAST_COLUMNS, 1), most))
        choice[TILE_COLUMNS] = min(round_up(ceil_div(oc, across), width), oc)
        choice[COLUMN_TILES] = across = ceil_div(oc, choice[TILE_COLUMNS])
        down = shared_evenly(min(max(rows // LEAST_ROWS, 1), max(most // across, 1)))
        choice[TILE_ROWS] = ceil_div(rows, down)
        choice[ROW_TILES] = down = ceil_div(rows, choice[TILE_ROWS])
        parts = min(ceil_div(most, across * down), max(lines * ow // PART_PIXELS, 1),
                    max(WORK_LIMIT // max(elements * size, 1), 1), lines)
        choice[PART_LINES] = ceil_div(lines, max(parts, 1))
        choice[PARTS] = ceil_div(lines, choice[PART_LINES])
        choice[TILES] = choice[PARTS] * across * down
        if across == 1:
            choice[TILE_ELEMENTS] = choice[TILE_ROWS] * oc
        bind_sums(elements, choice)

    @helper
    def bind_direct(n, single, w, c, kh, kw, oc, oh, ow, stride_h, stride_w, dilation_h, dilation_w, choice):
        """single: pictures, and results, are of one pixel."""
        choice[SHAPE] = NARROW if oc <= width_narrow else MAIN
        width = width_narrow if oc <= width_narrow else width_main
        lines = n * oh
        if lines * ow == 0:
            choice[PARTS], choice[TILES] = 0, 1
            return
        bind_tiles(lines, ow, kh * kw * c, oc, width, choice)
        line_bytes = ow * round_up(choice[TILE_COLUMNS], width) * size
        padded_bytes = line_elements(ow, kw, stride_w, dilation_w, c) * size
        group = lines_of_group(lines, oh, kh, stride_h, dilation_h, padded_bytes)
        cached = min(GROUP_BYTES // line_bytes, GROUP_X_BYTES // max(min(stride_h, oh) * w * c * size, 1))
        choice[GROUP_LINES] = min(max(cached, ceil_div(GROUP_PIXELS, ow)), lines if single else MOST_LINES, lines)
        choice[SCRATCH_BYTES] = TABLE_BYTES
        if group > 0 and kh * kw > 1 and takes(choice, LINES, c < FEW_CHANNELS):
            choice[VARIANT], choice[GROUP_LINES] = LINES, min(choice[GROUP_LINES], group, MOST_LINES)
            if choice[GROUP_LINES] > oh:   # of whole pictures, for columns that are as long
                choice[GROUP_LINES] -= choice[GROUP_LINES] % oh
            choice[SCRATCH_BYTES] += buffer_bytes(choice[GROUP_LINES], oh, kh, stride_h, dilation_h, padded_bytes)
        choice[SCRATCH_BYTES] += round_up(choice[GROUP_LINES] * line_bytes, 64)

    def bind(n, h, w, c, kh, kw, oc, oh, ow, stride_h, stride_w, dilation_h, dilation_w, pad_top, pad_left, choice):
        if kh * kw * c * oc == 0:
            return
        may_transform = fits(kh, kw, stride_h, stride_w, dilation_h, dilation_w) and dilation_h == 1 and (
            choice[NO_WINOGRAD] == 0 and has_winograd and min(c, oc) >= FEWEST and n * oh * ow > 0)
        if fits_rounded(n, h, w, c, kh, kw, oc, oh, ow, stride_h, stride_w, dilation_h, dilation_w, pad_top, pad_left,
                        choice) and takes(choice, ROUNDED, pays_rounded(
                            n, h, w, c, kh, kw, oc, oh, ow, stride_h, stride_w, dilation_h, dilation_w, pad_top,
                            pad_left, may_transform)):
            bind_rounded(n, h, w, c, kh, kw, oc, oh, ow, stride_h, stride_w, dilation_h, dilation_w, pad_top, pad_left,
                         choice)
        elif may_transform and takes(choice, WINOGRAD, pays_winograd(kh, n, c, oh, ow, oc)):
            choice[VARIANT] = WINOGRAD
            bind_winograd(kh, n, c, oh, ow, oc, choice)
            bind_sums(kh * kw * c * oc, choice)
        elif oc <= FEW_RESULTS and c >= 2 * oc and stride_h * stride_w == 1 and kh * kw > 1 and n * oh * ow > 0:
            choice[TURNED] = 1
            bind_direct(n, h * w * oh * ow == 1, ow, oc, kh, kw, c, h, w, 1, 1, dilation_h, dilation_w, choice)
        elif joins(h, w, kh, kw, oh, ow, stride_h, stride_w, pad_top, pad_left):
            bind_direct(n * h * w, True, 1, c, 1, 1, oc, 1, 1, 1, 1, 1, 1, choice)
        else:
            bind_direct(n, h * w * oh * ow == 1, w, c, kh, kw, oc, oh, ow, stride_h, stride_w, dilation_h, dilation_w,
                        choice)
    return bind


def make(dtype, isa):
    """bind and run for one ISA."""
    sizes, size, at = shapes(isa, dtype), ITEM_SIZES[dtype], pointer_to(dtype)
    channels_main, lines_main = make_shape(dtype, sizes, True)
    channels_narrow, lines_narrow = make_shape(dtype, sizes, False)
    run_winograd, add_parts = make_filter_grad(dtype, sizes.main).run, make_add_parts(dtype)
    mend_filter, rounded = make_mend_filter(dtype), make_rounded_filter_way(dtype, isa)
    run_rounded = rounded.run

    @helper
    def clear(target, elements):
        result = at(target)
        for i in range(elements):
            result[i] = 0

    @helper
    def add_turned(target, work, taps, c, oc, choice, tile):
        """Of the sums [taps][oc][c], taps from the last to the first, as [taps][c][oc]."""
        sums, result, elements = at(work), at(target), taps * c * oc
        for place in range(tile * choice[SUM_ELEMENTS], min((tile + 1) * choice[SUM_ELEMENTS], elements)):
            tap, k, o = place // oc // c, place // oc % c, place % oc
            result[place] = sums[((taps - 1 - tap) * oc + o) * c + k]
            for part in range(1, choice[PARTS]):
                result[place] += sums[part * elements + ((taps - 1 - tap) * oc + o) * c + k]

    @helper
    def direct(source, gradient, target, n, h, w, c, kh, kw, oc, oh, ow, stride_h, stride_w, dilation_h, dilation_w,
               pad_top, pad_left, choice, scratch, tile):
        """A tile: some rows and columns of one part's sums; those of the first part begin at target."""
        column = tile % choice[COLUMN_TILES] * choice[TILE_COLUMNS]
        columns, block = min(choice[TILE_COLUMNS], oc - column), tile // choice[COLUMN_TILES]
        part = block // choice[ROW_TILES]
        result = target + (part * kh * kw * c * oc + column) * size
        gradient += column * size
        first_line = part * choice[PART_LINES]
        lines = min(choice[PART_LINES], n * oh - first_line)
        first_row = block % choice[ROW_TILES] * choice[TILE_ROWS]
        last_row = min(first_row + choice[TILE_ROWS], kh * kw * c)
        # The tile that is next treats the lines that are next, if there is one for all of dw.
        last_line = n * oh if choice[COLUMN_TILES] * choice[ROW_TILES] == 1 else first_line + lines
        main, group = choice[SHAPE] == MAIN, choice[GROUP_LINES]
        if choice[VARIANT] == LINES and main:
            lines_main(source, gradient, result, h, w, c, kh, kw, oc, oh, ow, stride_h, stride_w, dilation_h,
                       dilation_w, pad_top, pad_left, first_line, lines, last_line, first_row, last_row, columns, group,
                       scratch)
        elif choice[VARIANT] == LINES:
            lines_narrow(source, gradient, result, h, w, c, kh, kw, oc, oh, ow, stride_h, stride_w, dilation_h,
                         dilation_w, pad_top, pad_left, first_line, lines, last_line, first_row, last_row, columns,
                         group, scratch)
        elif main:
            channels_main(source, gradient, result, h, w, c, kh, kw, oc, oh, ow, stride_h, stride_w, dilation_h,
                          dilation_w, pad_top, pad_left, first_line, lines, last_line, first_row, last_row, columns,
                          group, scratch)
        else:
            channels_narrow(source, gradient, result, h, w, c, kh, kw, oc, oh, ow, stride_h, stride_w, dilation_h,
                            dilation_w, pad_top, pad_left, first_line, lines, last_line, first_row, last_row, columns,
                            group, scratch)
        if choice[VARIANT] == LINES:
            mend_filter(source, gradient, result, h, w, c, kw, oc, oh, ow, stride_h, stride_w, dilation_h, dilation_w,
                        pad_top, pad_left, first_line, lines, first_row, last_row, columns)

    def run(x, dy, dw, n, h, w, c, kh, kw, oc, oh, ow, stride_h, stride_w, dilation_h, dilation_w, pad_top, pad_left,
            choice, work, scratch, phase, tile):
        source, gradient, target, elements = address(x), address(dy), address(dw), kh * kw * c * oc
        if choice[VARIANT] == ROUNDED:
            run_rounded(source, gradient, target, n, h, w, c, kh, kw, oc, oh, ow, stride_h, stride_w, dilation_h,
                        dilation_w, pad_top, pad_left, choice, work, scratch, phase, tile)
            return OK
        if joins(h, w, kh, kw, oh, ow, stride_h, stride_w, pad_top, pad_left):
            n, h, w, oh, ow = n * h * w, 1, 1, 1, 1
        if choice[PARTS] == 0:
            clear(target, elements)
        elif phase == 1 and choice[TURNED] != 0:
            add_turned(target, work, kh * kw, c, oc, choice, tile)
        elif phase == 1 and choice[PARTS] > 1:
            add_parts(target, work, elements, choice[PARTS], choice[SUM_ELEMENTS], tile)
        elif choice[VARIANT] == WINOGRAD:
            run_winograd(kh, source, gradient, target, n, h, w, c, oc, oh, ow, pad_top, pad_left, choice, work,
                         scratch, phase, tile)
        else:
            turned = choice[TURNED] != 0
            first, second = (gradient, source) if turned else (source, gradient)
            height, width, rows, columns = (oh, ow, h, w) if turned else (h, w, oh, ow)
            top = (kh - 1) * dilation_h - pad_top if turned else pad_top
            left = (kw - 1) * dilation_w - pad_left if turned else pad_left
            direct(first, second, work if choice[PARTS] > 1 or turned else target, n, height, width,
                   oc if turned else c, kh, kw, c if turned else oc, rows, columns, stride_h, stride_w, dilation_h,
                   dilation_w, top, left, choice, scratch, tile)
        return OK
    return make_bind(dtype, sizes, rounded), run


def make_conv2d_filter_grad(types):
    return by_isa(make, types["T"])
