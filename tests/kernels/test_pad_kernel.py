"""pad: against NumPy, to the bit: borders of any axes, short rows, long ones, cut ones, of every size of element."""
from __future__ import annotations

import numpy as np
import pytest

from graphc.kernels.contracts.dtypes import COMPUTED
from graphc.kernels.cpu.array.pad import LONG_ROW, SHORT_ROW
from graphc.kernels.cpu.stream import BEYOND_CACHES

from kernel_harness import NUMPY, backwards, filled, load, normal

Axis = tuple[int, int, int]
NOTHING = (1, 0, 0)


def check(dtype: str, outer: int, axes: tuple[Axis, Axis, Axis], unit: int = 1) -> None:
    x = normal((outer, *(n for n, _, _ in axes), unit), dtype, outer)
    value = normal(unit, dtype, 7)
    wanted = np.empty((outer, *map(sum, axes), unit), x.dtype)
    wanted[...] = value
    wanted[:, *(slice(before, before + n) for n, before, _ in axes)] = x
    y = filled(wanted.shape, dtype)
    assert load("pad")[f"pad.{dtype}"](x, value, y, dims=[outer, *(n for axis in axes for n in axis), unit],
                                       order=backwards) == 0
    assert y.tobytes() == wanted.tobytes(), (dtype, outer, axes, unit)


@pytest.mark.parametrize("dtype", COMPUTED)
def test_sizes(dtype: str) -> None:
    assert dtype in NUMPY
    for n in (0, 1, 2, 3, 17, 31, 65):
        check(dtype, 1, (NOTHING, NOTHING, (n, 1, 2)))
        check(dtype, 2, (NOTHING, (3, 1, 0), (n, 0, 3)))
        check(dtype, 3, ((2, 1, 2), (n, 2, 1), (3, 1, 1)))
        check(dtype, 2, ((n, 0, 1), (2, 1, 1), (400, 7, 0)), unit=3)
    check(dtype, 0, (NOTHING, NOTHING, (5, 1, 1)))
    check(dtype, 2, (NOTHING, (0, 0, 0), (5, 1, 1)))


def test_long_rows() -> None:
    """Rows that are longer than what is filled as a whole, rows that are cut, and their ends in every tile."""
    for n in (SHORT_ROW, LONG_ROW // 4 - 3, LONG_ROW // 4, LONG_ROW):
        check("f32", 2, (NOTHING, (2, 1, 1), (n, 1, 2)))
        check("u8", 1, (NOTHING, (1, 0, 1), (n, n, n + 5)), unit=3)


def test_what_no_cache_holds() -> None:
    check("f32", 2, (NOTHING, (BEYOND_CACHES // 2048, 1, 1), (250, 1, 2)))
    check("i16", 1, (NOTHING, NOTHING, (BEYOND_CACHES // 2, 3, 5)))
    check("u8", 1, (NOTHING, (BEYOND_CACHES // 6, 1, 1), (3, 1, 2)))
