"""interpolate and blend against NumPy in float64: line lengths around four and sixteen, tiles, indices, no weights."""
from __future__ import annotations

import numpy as np
import pytest

from kernel_harness import backwards, close, filled, load, normal

SIZES = [(3, 5, inner, 7) for inner in (0, 1, 3, 4, 5, 15, 16, 17, 65)] + [(1, 1, 3, 9), (2, 31, 3, 6000), (0, 3, 2, 4),
                                                                        (2, 3, 4, 0), (40, 17, 1, 500)]


def tables(old: int, count: int, taps: int) -> tuple[np.ndarray, np.ndarray]:
    draw = np.random.default_rng(count)
    return draw.integers(0, old, (count, taps)).astype(np.int32), draw.random((count, taps)).astype(np.float32)


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_interpolate(size):
    outer, old, inner, count = size
    x = normal((outer, old, inner), "f32", 1)
    index, part = tables(old, count, 2)
    low, high, part = (np.ascontiguousarray(a) for a in (index[:, 0], index[:, 1], part[:, 0]))
    out, again = filled((outer, count, inner), "f32"), filled((outer, count, inner), "f32")
    kernel = load("interpolate")["interpolate"]
    assert kernel(x, low, high, part, out, dims=size) == 0
    assert kernel(x, low, high, part, again, dims=size, order=backwards) == 0
    np.testing.assert_array_equal(out, again)
    a, b = (x[:, i].astype(np.float64) for i in (low, high))
    close(out, a + (b - a) * part[:, None], "f32", 4)
    same = np.full_like(x, 0.1)
    assert kernel(same, low, high, part, out, dims=size) == 0
    assert (out == np.float32(0.1)).all()


@pytest.mark.parametrize("taps", [0, 1, 4, 5])
@pytest.mark.parametrize("size", SIZES, ids=str)
def test_blend(size, taps):
    outer, old, inner, count = size
    x = normal((outer, old, inner), "f32", 1)
    index, weight = tables(old, count, taps)
    if taps == 5 and old > 1:
        x[:, 0] = np.nan                             # counts nothing where it has no weight
        weight[index == 0] = 0
    out, again = filled((outer, count, inner), "f32"), filled((outer, count, inner), "f32")
    kernel = load("blend")["blend"]
    assert kernel(x, index, weight, out, dims=(*size, taps)) == 0
    assert kernel(x, index, weight, again, dims=(*size, taps), order=backwards) == 0
    np.testing.assert_array_equal(out, again)
    close(out, np.einsum("ojtc,jt->ojc", np.nan_to_num(x[:, index].astype(np.float64)), weight), "f32", 8)


@pytest.mark.parametrize("wrong", [-1, 5, 1 << 30])
@pytest.mark.parametrize("place", range(3))
def test_indices_are_checked(wrong, place):
    x, out, part = normal((3, 5, 3), "f32", 1), filled((3, 7, 3), "f32"), np.zeros(7, np.float32)
    good, bad = np.zeros(7, np.int32), np.zeros(7, np.int32)
    bad[3 * place] = wrong
    kernels = load("interpolate", "blend")
    for low, high in ((good, bad), (bad, good)):
        assert kernels["interpolate"](x, low, high, part, out, dims=(3, 5, 3, 7)) == 1
    assert kernels["blend"](x, bad, part, out, dims=(3, 5, 3, 7, 1)) == 1
