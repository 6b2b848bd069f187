"""What the gradient for a filter reads next, asked for while it multiplies.

Job: the lines of dy and of x that belong to the group after this one, as two runs of memory, which part of them a call
of the micro-kernel asks for, and how much with each pixel: evenly, as memory gives only so much at a time. Without it
they come when they are needed, a few lines of the cache at a time, in steps of whole pixels: half of the time of a
1 x 1 filter where pictures do not fit the second cache.
Invariant: nothing is read, so addresses may lie anywhere.
"""
from __future__ import annotations

from ..memory import ceil_div, helper, round_up

STEP_BYTES = 32                        # asked for with a pixel, at least


@helper
def rows_until(line, h, kh, oh, stride_h, dilation_h, pad_top):
    """Rows of all pictures of x up to the last one that a line of dy meets."""
    return line // oh * h + min(max(line % oh * stride_h - pad_top + (kh - 1) * dilation_h + 1, 0), h)


@helper
def coming_lines(x, dy, h, w, c, kh, oc, oh, ow, stride_h, dilation_h, pad_top, line, lines, columns, all_channels,
                 size):
    """(address, bytes, address, bytes) of `lines` lines of dy from `line` on, and of the rows of x that those before
    did not meet: of dy if a tile has all columns, of x if it has all channels. size: of an element."""
    dy_bytes = lines * ow * oc * size if columns == oc else 0
    begin = rows_until(line - 1, h, kh, oh, stride_h, dilation_h, pad_top)
    rows = rows_until(line + lines - 1, h, kh, oh, stride_h, dilation_h, pad_top) - begin
    return (dy + line * ow * oc * size, dy_bytes, x + begin * w * c * size,
            rows * w * c * size if lines > 0 and all_channels else 0)


@helper
def coming_part(coming, offset):
    """The address `offset` bytes after the beginning of what coming_lines gave, 0 if there is no more of it."""
    first, first_bytes, second, second_bytes = coming
    if offset < first_bytes:
        return first + offset
    return second + offset - first_bytes if offset < first_bytes + second_bytes else 0


@helper
def coming_step(coming, pixels, most):
    """Bytes of what coming_lines gave that are asked for with each pixel that the group multiplies, `most` at most."""
    return min(max(round_up(ceil_div(coming[1] + coming[3], pixels), STEP_BYTES), STEP_BYTES), most)
