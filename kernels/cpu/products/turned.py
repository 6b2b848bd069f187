"""Products of few columns, computed as the transposed product: transposed(C) = transposed(B) times transposed(A).

Why: C of n columns wastes all but n lanes of the micro-kernel's vectors. Turned, the few columns are rows, of which a
register tile has any number, and A, which is the large operand, is read once, as it lies.
    one column     C turned is C: nothing but the operands' roles change
    more columns   a tile of C turned stands in scratch memory, and goes to C from there
"""
from __future__ import annotations

from functools import cache
from typing import Any

from ..memory import ITEM_SIZES, compact, helper, part, pointer_to
from .panels import transpose_square

NOT_TURNED, ONE_COLUMN, SOME_COLUMNS = range(3)
DOT_COST = 8                           # multiplications that take as long as adding up the lanes of a dot product
TURN_COST = 12                         # of a vector, that take as long as turning a column's elements
SIDE = 4                               # of the squares that are transposed in registers


@helper
def turn(batch, m, n, k, transpose_a, width):
    """How to compute a product. width: columns that a register tile for few columns has."""
    if n == 1 and m > 1:
        return ONE_COLUMN
    if batch != 1 or n < 2 or m < 4 * n:
        return NOT_TURNED
    # A row of C takes as many steps of k as vectors, whole ones, hold its columns; turned it takes a lane of each of n
    # vectors, of twice the width.
    if transpose_a != 0:
        return SOME_COLUMNS if n * (k + TURN_COST) < (n + width - 1) // width * width * k and n < 2 * width else (
            NOT_TURNED)
    # A row of C takes k vectors as it is; as n dot products n * k / width and half of that again, to load A and B.
    return SOME_COLUMNS if n * (3 * k + 2 * DOT_COST * width) < 2 * k * width else NOT_TURNED


@cache
def turning(dtype: str) -> Any:
    """The numba function (rows, columns, source, step, target): target[columns, rows] = source, whose rows are `step`
    elements apart, transposed. Addresses."""
    size, at, transpose = ITEM_SIZES[dtype], pointer_to(dtype), transpose_square(dtype, SIDE)

    @helper
    def one_by_one(rows, columns, source, step, target, first, last):
        """Rows from `first` to `last` of `columns` columns."""
        values, turned = at(source), at(target)
        for j in range(columns):
            for i in range(first, last):
                turned[j * rows + i] = values[i * step + j]

    @part("write_turned")
    def write_turned(rows, columns, source, step, target):
        compact()
        whole, squares = rows // SIDE * SIDE, columns // SIDE * SIDE
        for j in range(0, squares, SIDE):
            there, here = target + j * rows * size, source + j * size
            for i in range(0, whole, SIDE):
                transpose(there + i * size, rows * size, here + i * step * size, step * size)
            one_by_one(rows, SIDE, here, step, there, whole, rows)
        one_by_one(rows, columns - squares, source + squares * size, step, target + squares * rows * size, 0, rows)
    return write_turned
