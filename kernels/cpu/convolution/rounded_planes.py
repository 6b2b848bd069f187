"""Lines of pictures rounded to bfloat16, in planes: where neighbours of the target meet the source by one tap, there
are neighbours.

Job: a group of lines of the target has the pixels that it needs rounded into scratch, zeros where they are outside of
the picture. With strides there is a plane for each remainder by them, so that in a plane every tap goes from one pixel
to the next. A line of a plane has as many pixels as a line of the target, and those that taps reach beyond: so what a
tap meets is one run of pixels over all lines of the group, with those at the ends of lines among them, whose products
are made, too, and dropped. There are such planes for each STEP channels, in which a pixel is LINE_BYTES; the last ones
are filled up with zeros.
Few channels whose taps lie side by side are laid out for each pixel of the target instead: the taps of a row are joined
to one, a pixel of the plane is the channels of all of them.
Invariants: pixels are read inside the picture only; all of a plane that taps of the group's pixels meet is written.
"""
from __future__ import annotations

from ..memory import ceil_div, copy_bytes, helper, round_up, zero_bytes
from ..products.bfloat16_rows import round_rows
from ..products.bfloat16_tiles import LINE_BYTES, STEP, TILE
from .lines import reach

SIZE = 4                               # of float32
SLACK_PIXELS = 2 * TILE                # after the planes: a block of products reads whole tiles


@helper
def across(joins, c, kw, stride_w, dilation_w):
    """Of a line as it is multiplied: taps, channels of each, stride and dilation. joins: whether a row of the filter is
    one tap."""
    if joins:
        return 1, kw * c, 1, 1
    return kw, c, stride_w, dilation_w


@helper
def pitch_of(ow, taps, stride, dilation):
    """Pixels of a line of a plane."""
    return ow + (reach(taps, dilation) - 1) // stride


@helper
def lines_of(group, kh, stride_h, dilation_h):
    """Lines of a plane."""
    return group + (reach(kh, dilation_h) - 1) // stride_h


@helper
def remainders(taps, stride, dilation):
    """How many remainders by the stride have planes."""
    return min(stride, reach(taps, dilation))


@helper
def padded_line_bytes(ow, kw, stride_w, c):
    return round_up(((ow - 1) * stride_w + kw) * c * SIZE, 64)


@helper
def step_bytes(joins, group, ow, c, kh, kw, stride_h, stride_w, dilation_h, dilation_w):
    """From the planes of STEP channels to the next ones: an odd number of lines of the caches."""
    taps, _, stride, dilation = across(joins, c, kw, stride_w, dilation_w)
    pixels = (remainders(kh, stride_h, dilation_h) * remainders(taps, stride, dilation)
              * lines_of(group, kh, stride_h, dilation_h) * pitch_of(ow, taps, stride, dilation))
    return ((pixels + SLACK_PIXELS) // 2 * 2 + 1) * LINE_BYTES


@helper
def planes_bytes(joins, group, ow, c, kh, kw, stride_h, stride_w, dilation_h, dilation_w):
    """Scratch of a group of lines: a line of float32 if taps are joined, then the planes."""
    _, depth, _, _ = across(joins, c, kw, stride_w, dilation_w)
    line = padded_line_bytes(ow, kw, stride_w, c) if joins else 0
    return line + ceil_div(depth, STEP) * step_bytes(joins, group, ow, c, kh, kw, stride_h, stride_w, dilation_h,
                                                     dilation_w)


@helper
def zero_pixels(target, pixels, steps, bytes_):
    if pixels > 0:
        for step in range(steps):
            zero_bytes(target + step * bytes_, pixels * LINE_BYTES)


@helper
def round_line(target, plane_bytes, bytes_, line, buffer, joins, sw, c, ow, kw, stride_w, dilation_w,
               left):
    """A line of the picture into a line of each plane. bytes_: step_bytes()."""
    taps, depth, stride, dilation = across(joins, c, kw, stride_w, dilation_w)
    if joins:
        pixels = (ow - 1) * stride_w + kw
        before = min(max(-left, 0), pixels)
        inside = max(min(sw - left, pixels) - before, 0)
        zero_bytes(buffer, before * c * SIZE)
        copy_bytes(buffer + before * c * SIZE, line + (left + before) * c * SIZE, inside * c * SIZE)
        zero_bytes(buffer + (before + inside) * c * SIZE, (pixels - before - inside) * c * SIZE)
        round_rows(target, buffer, ow, stride_w * c * SIZE, depth, bytes_)
        return
    pitch, steps = pitch_of(ow, taps, stride, dilation), ceil_div(depth, STEP)
    for remainder in range(remainders(taps, stride, dilation)):
        start, goal = left + remainder, target + remainder * plane_bytes
        before = min(max(ceil_div(-start, stride), 0), pitch)
        inside = max(min(ceil_div(sw - start, stride), pitch) - before, 0)
        zero_pixels(goal, before, steps, bytes_)
        round_rows(goal + before * LINE_BYTES, line + (start + before * stride) * c * SIZE, inside, stride * c * SIZE,
                   c, bytes_)
        zero_pixels(goal + (before + inside) * LINE_BYTES, pitch - before - inside, steps, bytes_)


@helper
def planes_at(joins, place, ow, kw, stride_w, c):
    """Where the planes of a group that was rounded to `place` begin."""
    return place + (padded_line_bytes(ow, kw, stride_w, c) if joins else 0)


@helper
def round_lines(place, joins, source, sh, sw, c, oh, ow, kh, kw, stride_h, stride_w, dilation_h, dilation_w, top, left,
                first, count, group):
    """Writes the planes of target lines first to first + count, which are of one picture unless the filter has one row.
    top, left: what the first pixel of a picture meets by the first tap."""
    taps, depth, stride, dilation = across(joins, c, kw, stride_w, dilation_w)
    pitch, beside = pitch_of(ow, taps, stride, dilation), remainders(taps, stride, dilation)
    plane_bytes = lines_of(group, kh, stride_h, dilation_h) * pitch * LINE_BYTES
    bytes_ = step_bytes(joins, group, ow, c, kh, kw, stride_h, stride_w, dilation_h, dilation_w)
    planes = planes_at(joins, place, ow, kw, stride_w, c)
    for remainder in range(remainders(kh, stride_h, dilation_h)):
        for i in range(lines_of(count, kh, stride_h, dilation_h)):
            picture = (first + i if kh == 1 else first) // oh
            row = (first + i - picture * oh) * stride_h + remainder + top
            goal = planes + remainder * beside * plane_bytes + i * pitch * LINE_BYTES
            if 0 <= row < sh:
                round_line(goal, plane_bytes, bytes_, source + (picture * sh + row) * sw * c * SIZE, place, joins, sw,
                           c, ow, kw, stride_w, dilation_w, left)
            else:
                for plane in range(beside):
                    zero_pixels(goal + plane * plane_bytes, pitch, ceil_div(depth, STEP), bytes_)
