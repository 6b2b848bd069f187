"""What kernels declare, read by tests: all of them, their formulas, and sizes under which every relation holds."""
from __future__ import annotations

import random

from graphc.kernels.contracts.kernel import Kernel

SMALL = (0, 1, 1, 2, 2, 3, 4, 5, 7, 8, 9, 13, 16, 17, 31, 32, 33, 48, 64, 65, 100, 128, 200)
LARGE = (257, 1000, 4096, 2**16, 2**20, 2**26, 2**31, 2**40, 2**46)
MOST_ELEMENTS = 1 << 18
TRIES = 300


def value_of(formula: str, names: dict[str, int]) -> int:
    return int(eval(formula, {"max": max, "min": min}, names))


def _pick(rng: random.Random, large: float) -> int:
    return rng.choice(LARGE) if rng.random() < large else rng.choice(SMALL)


def random_sizes(kernel: Kernel, rng: random.Random, large: float, most: int = MOST_ELEMENTS) -> dict[str, int] | None:
    """Values of dims and attributes under which all relations hold and no operand has more than `most` elements; None
    if none were found. large: how likely a size is one that only a zero beside it makes room for."""
    for _ in range(TRIES):
        names = {name: _pick(rng, large) for name in kernel.dims}
        for name in kernel.attrs:
            names[name] = rng.choice((0, 1, 1, 2, 3)) if rng.random() < 0.9 else _pick(rng, large)
        try:
            fits = all(value_of(relation, names) for relation in kernel.relations)
            fits = fits and all(0 <= value_of(o.extent, names) <= most for o in kernel.operands)
        except ZeroDivisionError:
            fits = False
        if fits:
            return names
    return None
