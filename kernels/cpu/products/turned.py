"""Products of few columns, computed as the transposed product: transposed(C) = transposed(B) times transposed(A).

Why: C of n columns wastes all but n lanes of the micro-kernel's vectors. Turned, the few columns are rows, of which a
register tile has any number, and A, which is the large operand, is read once, as it lies.
    one column     C turned is C: nothing but the operands' roles change
    more columns   a tile of C turned stands in scratch memory, and goes to C from there
"""
from __future__ import annotations

from ..memory import helper, part

NOT_TURNED, ONE_COLUMN, SOME_COLUMNS = range(3)
FEW_COLUMNS = 16                       # of a product whose A is transposed, where the other way has to copy A
DOT_COST = 8                           # multiplications that take as long as adding up the lanes of a dot product


@helper
def turn(batch, m, n, k, transpose_a, width):
    """How to compute a product. width: columns that a register tile for few columns has."""
    if n == 1 and m > 1:
        return ONE_COLUMN
    if batch != 1 or n < 2 or m < 4 * n:
        return NOT_TURNED
    if transpose_a != 0:
        return SOME_COLUMNS if n <= FEW_COLUMNS else NOT_TURNED
    # A row of C takes k vectors as it is; as n dot products n * k / width and half of that again, to load A and B.
    return SOME_COLUMNS if n * (3 * k + 2 * DOT_COST * width) < 2 * k * width else NOT_TURNED


@part("write_turned")
def write_turned(rows, columns, source, step, target):
    """target[columns, rows] = source, whose rows are `step` elements apart, transposed. Pointers."""
    for j in range(columns):
        for i in range(rows):
            target[j * rows + i] = source[i * step + j]
