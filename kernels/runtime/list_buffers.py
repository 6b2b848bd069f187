"""What the steps on lists share: the operations by name, and what a frame knows of a buffer."""
from __future__ import annotations

from ..layout import ListOperation
from . import tables as t
from .image import buffer_row
from .memory import function, word

(RESERVE, RESIZE, SET, SET_GROWING, GET, GET_OR_ZEROS, STACK, STACK_OR_ZEROS, GATHER, GATHER_OR_ZEROS, SCATTER,
 SCATTER_GROWING, SCATTER_SUM, ERASE, ADD, SPLIT, CONCAT, CONCAT_OR_ZEROS, UNSTACK,
 LENGTHS) = (int(o) for o in ListOperation)
MOST_LENGTH = 1 << 40
POLLED = 4096             # elements between two looks at whether the run is to end
READ, WRITTEN = 0, 1


@function
def address_of(frame, buffer):
    return word(word(frame, t.FRAME_ADDRESSES), buffer)


@function
def elements_of(frame, buffer):
    return word(word(frame, t.FRAME_ELEMENTS), buffer)


@function
def sizes_of(frame, buffer):
    return word(frame, t.FRAME_SIZES) + 64 * buffer


@function
def row_of(frame, buffer):
    return buffer_row(word(word(frame, t.FRAME_MODEL), t.MODEL_IMAGE), word(frame, t.FRAME_RECORD), buffer)
