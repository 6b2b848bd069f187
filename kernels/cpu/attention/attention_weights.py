"""What attention's gradient does to the rows of a block, between its products: scores become weights again, and the
gradient by weights that by scores.

Invariant: an element of a result hangs on its own row alone, so bits do not depend on where blocks begin.
"""
from __future__ import annotations

from ..memory import NUMBA_TYPES, apart, helper, offset
from .attention import EXP
from .attention_blocks import ADDED, NO_MASK, masks
from .dropping import dropping


def make_weigh(dtype):
    """The function (scores, mask, kept, rows, row_step, mask_row, cols, masked, scale): scores of a block become
    weights."""
    exp, apply = EXP[dtype], masks(dtype).apply

    @helper
    def weigh_row(scores, mask, cols, masked, scale, greatest, part):
        apart()
        if masked != NO_MASK:
            apply(scores, mask, cols, masked, scale)
        else:
            for j in range(cols):
                scores[j] *= scale
        for j in range(cols):
            scores[j] = exp(scores[j] - greatest) * part

    @helper
    def weigh(scores, mask, kept, rows, row_step, mask_row, cols, masked, scale):
        for i in range(rows):
            weigh_row(offset(scores, i * row_step), offset(mask, i * mask_row), cols, masked, scale, kept[2 * i],
                      kept[2 * i + 1])
    return weigh


def make_differentiate(dtype):
    """The function (dp, weights, draw, drop, dropped, first, step, mask, by_mask, by_row, trained, sums, rows,
    row_step, mask_row, cols, masked, scale, spare): the gradient by a block's weights becomes that by its scores, which
    is added to by_mask before the scale, and weights that are dropped are multiplied by their factors. first: the place
    of the first weight; step: from row to row."""
    of_gradient, factors, one = masks(dtype).of_gradient, dropping(dtype), NUMBA_TYPES[dtype](1)

    @helper
    def of_row(dp, weights, total, cols, scale):
        apart()
        for j in range(cols):
            dp[j] = weights[j] * (dp[j] - total) * scale

    @helper
    def of_dropped_row(dp, weights, by, total, cols, scale):
        apart()
        for j in range(cols):
            dp[j] = weights[j] * (by[j] * dp[j] - total) * scale
            weights[j] *= by[j]

    @helper
    def take_row(by_mask, row, cols, scale):
        apart()
        for j in range(cols):
            by_mask[j] += row[j]
            row[j] *= scale

    @helper
    def differentiate(dp, weights, draw, drop, dropped, first, step, mask, by_mask, by_row, trained, sums, rows,
                      row_step, mask_row, cols, masked, scale, spare):
        factor = one if trained != 0 else scale
        for i in range(rows):
            row, own = offset(dp, i * row_step), offset(weights, i * row_step)
            if dropped != 0:
                of_dropped_row(row, own, factors(draw, drop, first + i * step, cols, spare), sums[i], cols, factor)
            else:
                of_row(row, own, sums[i], cols, factor)
            if masked > ADDED:
                of_gradient(row, offset(mask, i * mask_row), cols, masked)
            if trained != 0:
                take_row(offset(by_mask, i * by_row), row, cols, scale)
    return differentiate
