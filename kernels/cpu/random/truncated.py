"""random_truncated: normal numbers with a mean and a deviation of their own for each row, within bounds of its own.

Job: `each` numbers for each of the rows, in float64, by rejection (Robert 1995): of normal numbers where the bounds lie
wide around the mean, of even ones where they are near one another, and of exponential ones in a tail.
Invariant: every loop ends, after ATTEMPTS groups at most; a third of the attempts are taken at least, so that what then
is the near bound has a chance below 1e-180. A deviation that is not positive, or bounds out of order, end the tile with
INVALID_VALUE.
"""
from __future__ import annotations

from ...contracts.calls import Functions
from ...scalars.arithmetic import square_root
from ...scalars.exponential import exp_f64, log_f64
from ...scalars.special import erfinv_f64
from ..memory import helper
from ..words import INVALID_VALUE, OK, TILES
from .draws import ATTEMPTS, TILE, two_units

WIDE = 2.5066282746310002             # sqrt(2 pi)


@helper
def around(low, high, key, run, iteration, index):
    """Of bounds on both sides of 0."""
    for attempt in range(ATTEMPTS):
        first, second = two_units(key, run, iteration, index * ATTEMPTS + attempt)
        if high - low > WIDE:
            z = erfinv_f64(2.0 * first - 1.0) * 1.4142135623730951
            if low <= z <= high:
                return z
        else:
            z = low + first * (high - low)
            if second <= exp_f64(-0.5 * z * z):
                return z
    return low


@helper
def tail(low, high, key, run, iteration, index):
    """Of bounds from 0 on."""
    rate = 0.5 * (low + square_root(low * low + 4.0))
    for attempt in range(ATTEMPTS):
        first, second = two_units(key, run, iteration, index * ATTEMPTS + attempt)
        if (high - low) * rate < 1.0:
            z = low + first * (high - low)
            if second <= exp_f64(0.5 * (low - z) * (low + z)):
                return z
        else:
            z = low - log_f64(first) / rate
            if z <= high and second <= exp_f64(-0.5 * (z - rate) * (z - rate)):
                return z
    return low


def make(types):
    def bind(rows, each, key, choice):
        choice[TILES] = (rows * each + TILE - 1) // TILE

    def run(counter, mean, deviation, low, high, out, rows, each, key, choice, work, scratch, phase, tile):
        for i in range(tile * TILE, min((tile + 1) * TILE, rows * each)):
            row = i // each
            spread = deviation[row]
            if not (spread > 0.0 and low[row] < high[row]):
                return INVALID_VALUE
            a, b = (low[row] - mean[row]) / spread, (high[row] - mean[row]) / spread
            if a >= 0.0:
                z = tail(a, b, key, counter[0], counter[1], i)
            elif b <= 0.0:
                z = -tail(-b, -a, key, counter[0], counter[1], i)
            else:
                z = around(a, b, key, counter[0], counter[1], i)
            out[i] = mean[row] + spread * z
        return OK
    return Functions(bind, run)
