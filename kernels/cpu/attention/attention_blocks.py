"""What a mask does to scores, and which keys it hides from a block of rows, provably: attention and its gradient
leave those out.

Job: a key counts for nothing in a row if its exponential is exactly 0, that is, if its score is so far below the row's
greatest that exp gives 0. A bound for that needs no score: |q k| <= (|q|^2 + |k|^2) / 2. So columns are looked at in
blocks: `tabulate` notes the greatest element of the mask in each row of each block, `survey` the greatest |k|^2 of a
matrix and whether all of k and v is finite; from both `span` finds the first and the last block that count. The
gradient knows each row's greatest score, and asks `visible` about one block of rows and columns at a time.
Invariants: what is left out would add exactly 0, as NaN and infinities anywhere (q, k, v, mask; in the gradient dy,
too) leave nothing out; tables depend on values, spans on values and sizes, never on threads.
"""
from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from ..memory import (
    ITEM_SIZES,
    NUMBA_TYPES,
    address,
    apart,
    ceil_div,
    compact,
    copy_bytes,
    helper,
    offset,
    pointer_to,
    round_up,
)
from ..vector import vectors

# What a mask's element m does to a score s: it is added; or, where m is below 0, it stands in place of s, or s is
# multiplied by 0 before it is added. The latter two are where(seen, s, m) and s * seen + m, with m = 0 where `seen` is.
NO_MASK, ADDED, CHOSEN, MULTIPLIED = range(4)
BLOCK = 64                             # columns of a block, at least
# exp(-FAR) is 0 in each dtype, with room for what a score's rounding may be
FAR = {"f32": 160.0, "f64": 1200.0}
HUGE = {"f32": 1e30, "f64": 1e300}     # of the size of scores and masks: nothing overflows below
ROUNDING = {"f32": 1e-5, "f64": 1e-13}


def block_of(width):
    """Columns of a block: whole panels."""
    return round_up.py_func(BLOCK, width)


@dataclass(frozen=True)
class Spans:
    """tabulate(mask, rows, mask_row, cols, table): of `rows` rows of the mask the greatest of each block, or NaN if one
    is NaN. survey(x, count, step, length) -> the greatest sum of squares of `count` rows of `length` elements, or
    infinity if an element is not finite. span(table, rows, table_row, cols, bound) -> first and last + 1 of the columns
    that count for one of `rows` rows, whole blocks; bound: of |scale q k|. row steps: in elements, 0 where all rows
    share one. visible(mask, rows, mask_row, cols, kept, bound): the same, without a table; kept[2 i]: the greatest
    score of row i. If nothing counts, last is not above first."""

    tabulate: Any
    survey: Any
    span: Any
    visible: Any


@dataclass(frozen=True)
class Masks:
    """Of rows, in place: apply(scores, mask, cols, masked, scale): products q k become scores; of_gradient(gradient,
    mask, cols, masked): the gradient by scores becomes that by the products, but for the scale."""

    apply: Any
    of_gradient: Any


@helper
def steps_of(inside, inner, rows, length):
    """Elements from one index of the outer, the inner axis and the rows to the next, of whole [outer, inner, rows,
    length], or, inside, [outer, rows, inner, length]."""
    if inside != 0:
        return rows * inner * length, length, inner * length
    return inner * rows * length, rows * length, length


@helper
def matrix_at(index, inner, steps):
    """Where a matrix of the batch begins, in elements."""
    return index // inner * steps[0] + index % inner * steps[1]


@helper
def copy_rows(target, target_step, source, source_step, rows, length):
    """Addresses and bytes."""
    compact()
    for i in range(rows):
        copy_bytes(target + i * target_step, source + i * source_step, length)


@cache
def gathering(dtype: str) -> Any:
    """The function (x, step, rows, length, target): x if its rows follow each other, else a copy of them at address
    target. Rows that lie apart meet in few sets of the caches, and no prefetcher knows which one is next."""
    size, at = ITEM_SIZES[dtype], pointer_to(dtype)

    @helper
    def gathered(x, step, rows, length, target):
        if step == length:
            return x
        copy_rows(target, length * size, address(x), step * size, rows, length * size)
        return at(target)
    return gathered


@cache
def row_dot(dtype: str) -> Any:
    """The function (a, b, count): the sum of a[i] b[i], in as many lanes on every ISA."""
    kit, zero = vectors(dtype), NUMBA_TYPES[dtype](0)
    lanes, load, splat, multiply_add, total = kit.lanes, kit.load, kit.splat, kit.multiply_add, kit.total

    @helper
    def dot(a, b, count):
        partial = splat(zero)
        whole = count // lanes * lanes
        for i in range(0, whole, lanes):
            partial = multiply_add(load(a, i), load(b, i), partial)
        result = total(partial)
        for i in range(whole, count):
            result += a[i] * b[i]
        return result
    return dot


@cache
def masks(dtype: str) -> Masks:
    kit, zero, one, lowest = vectors(dtype), *map(NUMBA_TYPES[dtype], (0, 1, float("-inf")))
    lanes, load, store, load_some, store_some, splat = (kit.lanes, kit.load, kit.store, kit.load_some, kit.store_some,
                                                        kit.splat)
    multiply_add, where_least = kit.multiply_add, kit.where_least

    @helper
    def limits(masked):
        """Below the first a mask's element stands in place of the score, below the second that is multiplied by 0."""
        return splat(zero if masked == CHOSEN else lowest), splat(zero if masked == MULTIPLIED else lowest)

    @helper
    def score(product, element, scale, below):
        factor = where_least(element, below[1], scale, splat(zero))
        return where_least(element, below[0], multiply_add(product, factor, element), element)

    @helper
    def apply(scores, mask, cols, masked, scale):
        apart()
        below, factor, whole = limits(masked), splat(scale), cols // lanes * lanes
        for j in range(0, whole, lanes):
            store(scores, j, score(load(scores, j), load(mask, j), factor, below))
        rest = cols - whole
        if rest > 0:
            made = score(load_some(scores, whole, rest), load_some(mask, whole, rest), factor, below)
            store_some(scores, whole, made, rest)

    @helper
    def unhidden(gradient, element, below):
        factor = where_least(element, below[1], splat(one), splat(zero))
        return where_least(element, below[0], multiply_add(gradient, factor, splat(zero)), splat(zero))

    @helper
    def of_gradient(gradient, mask, cols, masked):
        apart()
        below, whole = limits(masked), cols // lanes * lanes
        for j in range(0, whole, lanes):
            store(gradient, j, unhidden(load(gradient, j), load(mask, j), below))
        rest = cols - whole
        if rest > 0:
            made = unhidden(load_some(gradient, whole, rest), load_some(mask, whole, rest), below)
            store_some(gradient, whole, made, rest)

    return Masks(apply, of_gradient)


@cache
def spans(dtype: str, width: int) -> Spans:
    block, number = block_of(width), NUMBA_TYPES[dtype]
    row_sum, row_max = vectors(dtype).row_sum, vectors(dtype).row_max
    far, huge, rounding = number(FAR[dtype]), number(HUGE[dtype]), number(ROUNDING[dtype])
    dot, zero, endless = row_dot(dtype), number(0), number(float("inf"))

    @helper
    def greatest_here(part, length):
        """NaN if an element is."""
        total = row_sum(part, length)
        return row_max(part, length) if total == total else total

    @helper
    def tabulate(mask, rows, mask_row, cols, table):
        blocks = ceil_div(cols, block)
        for i in range(rows):
            row = offset(mask, i * mask_row)
            for j in range(blocks):
                table[i * blocks + j] = greatest_here(offset(row, j * block), min(block, cols - j * block))

    @helper
    def survey(x, count, step, length):
        greatest = zero
        for i in range(count):
            row = offset(x, i * step)
            total = dot(row, row, length)
            if not total < huge:
                return endless
            greatest = max(greatest, total)
        return greatest

    @helper
    def greatest_of(row, blocks):
        """Of a row of the table; NaN if one is."""
        result = row[0]
        for j in range(1, blocks):
            value = row[j]
            if value != value:
                return value
            if value > result:
                result = value
        return result

    @helper
    def hidden(value, greatest, bound):
        """Whether scores of at most value + bound are too far below some of at least greatest - bound."""
        if value == -endless:
            return True
        return value + far + 2 * bound + rounding * (abs(value) + abs(greatest) + bound) < greatest

    @helper
    def span(table, rows, table_row, cols, bound):
        blocks = ceil_div(cols, block)
        first, last = blocks, 0
        if not bound < huge:
            return 0, cols
        for i in range(rows):
            row = offset(table, i * table_row)
            greatest = greatest_of(row, blocks)
            if not abs(greatest) < huge:
                return 0, cols
            low = 0
            while low < first and hidden(row[low], greatest, bound):
                low += 1
            first = min(first, low)
            high = blocks
            while high > last and hidden(row[high - 1], greatest, bound):
                high -= 1
            last = max(last, high)
            if table_row == 0:
                break
        return first * block, min(last * block, cols)

    @helper
    def hidden_here(row, first, cols, greatest, bound):
        apart()
        return hidden(greatest_here(offset(row, first), min(block, cols - first)), greatest, bound)

    @helper
    def visible(mask, rows, mask_row, cols, kept, bound):
        first, last = cols, 0
        if not bound < huge:
            return 0, cols
        for i in range(rows):
            row, greatest = offset(mask, i * mask_row), kept[2 * i]
            if not abs(greatest) < huge:
                return 0, cols
            low, high = 0, round_up(cols, block)
            while low < first and hidden_here(row, low, cols, greatest, bound):
                low += block
            first = min(first, low)
            while high > last and hidden_here(row, high - block, cols, greatest, bound):
                high -= block
            last = max(last, high)
        return first, min(last, cols)

    return Spans(tabulate, survey, span, visible)
