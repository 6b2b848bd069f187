"""A convolution as a matrix product whose rows of A lie in padded lines of the picture: no patch is ever copied.

Job: target[pixel, :] = sum over taps (u, v) of source[pixel * stride + tap * dilation - pad, :] B[u, v]. A group of
lines of the target has the lines of the source that it needs copied to scratch, zeros around them; there the pixels
under one row of the filter lie side by side, so that a segment of the micro-kernel is a whole row of the filter, and no
pixel needs a check; rows that are outside for a whole register tile are left out. With a dilation along the line a
segment is one tap.
The gradient for the input is the same of dy, for each remainder of the stride with the taps that those pixels meet
(residues.py).
Order: groups of lines; chunks of a row of the filter; blocks of rows; panels that the second cache holds; register
tiles; panels. Invariants: a line is copied from inside the picture only; every element of the target gets its products
in the order of the filter.
"""
from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from ..memory import ITEM_SIZES, ceil_div, compact, copy_bytes, helper, int64_at, part, round_up, zero_bytes
from ..products.micro import TABLE_WORDS, Shapes, micro_kernel

CHUNK = 1024                           # most elements of a segment
BLOCK = 1152                           # k of a block of segments, about
MOST_SEGMENTS = 128                    # of a block
PANEL_BYTES = 512 * 1024               # of the panels that are used for a register tile: they stay in the second cache
BUFFER_BYTES = 64 * 1024               # of a group's lines, about
MOST_BYTES = 1024 * 1024               # of a group's lines; more is for taps.py
MOST_LINES = 512                       # of a group
_DOUBLINGS = 9                         # from 1 to MOST_LINES: a loop that ends whatever sizes are (toolchain/reach.py)
LINE_WORDS = 3                         # of a target line: its first source line's address; the filter's rows inside
_SEGMENT_BYTES = TABLE_WORDS * 8
TABLE_BYTES = MOST_SEGMENTS * _SEGMENT_BYTES
_OFFSET_BYTES = 16 * 8                 # of the rows of a register tile


@helper
def reach(taps, dilation):
    """Positions from the first tap to the last."""
    return (taps - 1) * dilation + 1


@helper
def line_elements(columns, taps, stride, dilation, channels):
    """Elements of a padded line that `columns` pixels need; any number beyond MOST_BYTES stands for more."""
    return min((columns - 1) * stride + reach(taps, dilation), MOST_BYTES) * min(channels, MOST_BYTES)


@helper
def buffer_lines(group, picture_lines, taps, stride, dilation):
    """Source lines that a group of `group` target lines needs at most, wherever it begins."""
    return group * stride + (group // picture_lines + 2) * reach(taps, dilation)


@helper
def group_lines(lines, picture_lines, taps, stride, dilation, line_bytes):
    """Target lines of a group; 0 if the lines of one take more than MOST_BYTES."""
    least = buffer_lines(1, picture_lines, taps, stride, dilation)
    if max(least, line_bytes) > MOST_BYTES or least * line_bytes > MOST_BYTES:
        return 0
    most = min(lines, MOST_LINES)
    best = 1
    for _ in range(_DOUBLINGS):
        more = min(2 * best, most)
        if best >= most or buffer_lines(more, picture_lines, taps, stride, dilation) * line_bytes > BUFFER_BYTES:
            break
        best = more
    return best


@helper
def words_bytes(group):
    return round_up(group * LINE_WORDS * 8, 64)


@helper
def buffer_bytes(group, picture_lines, taps, stride, dilation, line_bytes):
    """Scratch of a group: the words of its lines, and the lines."""
    return words_bytes(group) + round_up(buffer_lines(group, picture_lines, taps, stride,
                                                           dilation) * line_bytes, 64)


@cache
def make_padding(dtype: str) -> Any:
    """The function (addresses, source, sh, sw, sc, picture_lines, first, count, columns, kh, kw, stride_h, stride_w,
    dilation_h, dilation_w, top, left) that copies what target lines first to first + count need, and writes the
    words of each: the address of its first source line, the first row of the filter that is inside the picture, and the
    one after the last. The lines stand after the words, each of line_elements(). Returns where they end."""
    size = ITEM_SIZES[dtype]

    @helper
    def pad_line(goal, line, elements, start, available):
        """Elements start to start + elements of a line that has `available`; zeros outside."""
        before = min(max(-start, 0), elements)
        inside = max(min(available - start, elements) - before, 0)
        if before > 0:
            zero_bytes(goal, before * size)
        if inside > 0:
            copy_bytes(goal + before * size, line + (start + before) * size, inside * size)
        if before + inside < elements:
            zero_bytes(goal + (before + inside) * size, (elements - before - inside) * size)

    @helper
    def pad(addresses, source, sh, sw, sc, picture_lines, first, count, columns, kh, kw, stride_h, stride_w,
            dilation_h, dilation_w, top, left):
        compact()
        elements = line_elements(columns, kw, stride_w, dilation_w, sc)
        words, goal, done = int64_at(addresses), addresses + words_bytes(count), 0
        while done < count:
            picture, line = (first + done) // picture_lines, (first + done) % picture_lines
            part = min(count - done, picture_lines - line)
            for i in range(part):
                row, at = (line + i) * stride_h + top, (done + i) * LINE_WORDS
                words[at] = goal + i * stride_h * elements * size
                words[at + 1] = min(max(ceil_div(-row, dilation_h), 0), kh)
                words[at + 2] = max(min(ceil_div(sh - row, dilation_h), kh), words[at + 1])
            for i in range((part - 1) * stride_h + reach(kh, dilation_h)):
                row = line * stride_h + top + i
                if row < 0 or row >= sh:
                    zero_bytes(goal, elements * size)
                else:
                    pad_line(goal, source + (picture * sh + row) * sw * sc * size, elements, left * sc, sw * sc)
                goal += elements * size
            done += part
        return goal
    return pad


@dataclass(frozen=True)
class Lines:
    """convolve(source, packed, panel_bytes, target, sh, sw, sc, picture_lines, columns, tc, pitch, kh, kw, stride_h,
    stride_w, dilation_h, dilation_w, top, left, first, count, group, first_panel, panels, scratch): lines first to
    first + count of `columns` pixels, numbered through all pictures, whose pixels lie `pitch` apart.

    Line t, column x and tap (u, v) meet the source at (t * stride_h + top + u * dilation_h, x * stride_w + left + ...);
    `target` is where line `first` begins, line_pitch bytes from one to the next. scratch: TABLE_BYTES + _OFFSET_BYTES
    and buffer_bytes()."""

    convolve: Any


SCRATCH_BYTES = TABLE_BYTES + _OFFSET_BYTES


@cache
def make_lines(dtype: str, shapes: Shapes, wide: bool) -> Lines:
    """wide: panels of the shape `main`, of which the last may be half as wide; else of the shape `narrow`."""
    size = ITEM_SIZES[dtype]
    shape = shapes.main if wide else shapes.narrow
    width, most_rows, lanes = shape.width, shape.rows, shape.lanes
    micro, micro_narrow, pad = micro_kernel(dtype, shape), micro_kernel(dtype, shapes.narrow), make_padding(dtype)

    @helper
    def place(offsets, words, line, column, height, columns, step):
        """The addresses of `height` pixels from one of the group's on. Returns the rows of the filter that some of them
        meet: the first, and the one after the last."""
        low, high = words[line * LINE_WORDS + 1], words[line * LINE_WORDS + 2]
        for r in range(height):
            offsets[r] = words[line * LINE_WORDS] + column * step
            column += 1
            if column == columns:
                column = 0
                line += 1
                if r + 1 < height:
                    low = min(low, words[line * LINE_WORDS + 1])
                    high = max(high, words[line * LINE_WORDS + 2])
        return low, high

    @helper
    def fill(table, offsets, height, first, last, across, row_bytes, tap_bytes, b_bytes):
        """Segments first to last of a filter that has `across` in a row."""
        for number in range(first, last):
            at = (number - first) * TABLE_WORDS
            shift = number // across * row_bytes + number % across * tap_bytes
            table[at] = number * b_bytes
            for r in range(height):
                table[at + 1 + r] = offsets[r] + shift

    @helper
    def products(table, packed, panel_bytes, target, target_step, columns, height, segments, start, shift, length,
                 later, first_panel, last_panel):
        """One register tile, `shift` bytes after the addresses of the table, against some panels."""
        for panel in range(first_panel, last_panel):
            left = columns - panel * width
            right, goal = packed + panel * panel_bytes + start * width * size, target + panel * width * size
            if wide and left <= lanes:
                micro_narrow(height, segments, length, start * size + shift, size, right, width * size, table, goal,
                             target_step, later, left)
            else:
                micro(height, segments, length, start * size + shift, size, right, width * size, table, goal,
                      target_step, later, left)

    @helper
    def group_products(addresses, packed, panel_bytes, target, line_pitch, sc, tc, lines, columns, pitch, kh, kw,
                       stride_w, dilation_h, dilation_w, elements, first_panel, panels, scratch):
        """All products of the lines whose addresses are given."""
        table, offsets, bases = int64_at(scratch), int64_at(scratch + TABLE_BYTES), int64_at(addresses)
        across, run = (1, kw * sc) if dilation_w == 1 else (kw, sc)
        segments, chunks = kh * across, max(ceil_div(run, CHUNK), 1)
        block = min(max(BLOCK // max(ceil_div(run, chunks), 1), 1), MOST_SEGMENTS)
        some = max(PANEL_BYTES // (BLOCK * width * size), 1)
        # Lines that follow each other in memory are cut as one.
        joined = pitch == 1 and line_pitch == columns * tc * size
        runs, length = (1, lines * columns) if joined else (lines, columns)
        pieces = ceil_div(length, most_rows)
        for chunk in range(chunks):
            start = run * chunk // chunks
            k = run * (chunk + 1) // chunks - start
            for first in range(0, max(segments, 1), block):
                last = min(first + block, segments)
                later = chunk > 0 or first > 0
                for panel in range(first_panel, first_panel + panels, some):
                    # The table of a tile that lies in one line serves the next such tile, all addresses shifted.
                    known, known_base, low, high, number = 0, 0, 0, 0, 0
                    for piece in range(runs * pieces):
                        line, part = piece // pieces, piece % pieces
                        begin = length * part // pieces
                        height = length * (part + 1) // pieces - begin
                        row, column = line + begin // columns, begin % columns
                        words, base = row * LINE_WORDS, bases[row * LINE_WORDS] + column * stride_w * sc * size
                        inside = column + height <= columns
                        if not (inside and height == known and low == bases[words + 1] and high == bases[words + 2]):
                            known, known_base = height if inside else 0, base
                            low, high = place(offsets, bases, row, column, height, columns, stride_w * sc * size)
                            begin_row, end_row = max(first, low * across), min(last, high * across)
                            number = end_row - begin_row if k > 0 and end_row > begin_row else 0
                            fill(table, offsets, height, begin_row, begin_row + number, across,
                                 dilation_h * elements * size, dilation_w * sc * size, run * width * size)
                        if number > 0 or not later:
                            products(scratch, packed, panel_bytes,
                                     target + line * line_pitch + begin * pitch * tc * size, pitch * tc * size, tc,
                                     height, number, start, base - known_base, k, later, panel,
                                     min(panel + some, first_panel + panels))

    @part("lines", shape)
    def convolve(source, packed, panel_bytes, target, line_pitch, sh, sw, sc, picture_lines, columns, tc, pitch, kh,
                 kw, stride_h, stride_w, dilation_h, dilation_w, top, left, first, count, group, first_panel, panels,
                 scratch):
        elements, addresses = line_elements(columns, kw, stride_w, dilation_w, sc), scratch + SCRATCH_BYTES
        for done in range(0, count, group):
            lines = min(group, count - done)
            pad(addresses, source, sh, sw, sc, picture_lines, first + done, lines, columns, kh, kw, stride_h, stride_w,
                dilation_h, dilation_w, top, left)
            group_products(addresses, packed, panel_bytes, target + done * line_pitch, line_pitch, sc, tc, lines,
                           columns, pitch, kh, kw, stride_w, dilation_h, dilation_w, elements, first_panel, panels,
                           scratch)
    return Lines(convolve)
