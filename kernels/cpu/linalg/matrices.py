"""Tiles of what factors matrices: each is some whole ones, of about as many operations."""
from __future__ import annotations

from ..memory import ceil_div, helper, int64_at
from ..words import TILES, USER

OPERATIONS = 1 << 17                   # of a tile, at least
MATRICES = USER                        # word of choice: of a tile


@helper
def bind_matrices(batch, operations, choice):
    """Tiles of `batch` matrices that take so many operations each."""
    choice[MATRICES] = ceil_div(OPERATIONS, max(operations, 1))
    choice[TILES] = ceil_div(batch, choice[MATRICES])


@helper
def matrices_of(tile, batch, choice):
    """The first matrix of a tile, and the first after it."""
    first = tile * choice[MATRICES]
    return first, min(first + choice[MATRICES], batch)


@helper
def note_place(scratch, matrix, column):
    """What an error says of the matrix that ended a tile."""
    detail = int64_at(scratch)
    detail[0] = matrix
    detail[1] = column
