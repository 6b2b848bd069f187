"""Products of float32 whose operands are both rounded to bfloat16, by AMX or AVX512-BF16: against float64 products of
the rounded operands. A machine without one of them skips its part."""
from __future__ import annotations

import itertools

import numpy as np
import pytest
from test_bfloat16_weights import as_bfloat16

from graphc.exec.bfloat16 import machine_bfloat16
from graphc.kernels.contracts.all import KERNELS
from graphc.kernels.contracts.bfloat16 import DOTS, TILES, WEIGHTS
from graphc.kernels.contracts.calls import Choice
from graphc.kernels.toolchain.targets import host_features

from kernel_harness import backwards, filled, load, normal

ROUNDED = KERNELS["matmul"].ways.index("rounded")
SIZES = (1, 3, 16, 17, 31, 33, 65)
BY = [pytest.param(DOTS, id="AVX512-BF16", marks=pytest.mark.skipif(
          "avx512bf16" not in host_features(), reason="this processor has no AVX512-BF16")),
      pytest.param(TILES, id="AMX", marks=pytest.mark.skipif(
          machine_bfloat16() < TILES, reason="this machine has no AMX, or does not let processes use it"))]


def product(a, b, by, transposes=(0, 0), share_b=False, persistent=False, order=range, way=ROUNDED):
    """Of batches of matrices, and whether both were rounded."""
    kernel = load("matmul")["matmul.f32"]
    batch, m, k = a.shape[0], *(a.shape[:0:-1] if transposes[0] else a.shape[1:])
    n = b.shape[1 if transposes[1] else 2]
    c = filled((batch, m, n), "f32")
    sizes, attrs = [batch, m, n, k, m * k, 0 if share_b else k * n], list(transposes)
    assert kernel(a, b, c, dims=sizes, attrs=attrs, persistent=persistent, way=way, bfloat16=by, order=order) == 0
    return c, kernel.choice(sizes, attrs, persistent, way=way, bfloat16=by)[Choice.VARIANT] == ROUNDED


def operands(m, n, k, transposes=(0, 0), batch=1, share_b=False):
    return (normal((batch, *((k, m) if transposes[0] else (m, k))), "f32", 1),
            normal((1 if share_b else batch, *((n, k) if transposes[1] else (k, n))), "f32", 2))


def wanted(a, b, transposes=(0, 0)):
    """The product of the rounded operands in float64, and what sums of float32 may be away from it."""
    left, right = as_bfloat16(a).astype(np.float64), as_bfloat16(b).astype(np.float64)
    left, right = left.swapaxes(1, 2) if transposes[0] else left, right.swapaxes(1, 2) if transposes[1] else right
    return left @ right, 2.0 ** -23 * (left.shape[2] + 2) * (abs(left) @ abs(right))


def check(m, n, k, by, transposes=(0, 0), batch=1, share_b=False, persistent=False):
    a, b = operands(m, n, k, transposes, batch, share_b)
    found, rounded = product(a, b, by, transposes, share_b, persistent, backwards)
    exact, bound = wanted(a, b, transposes)
    if rounded:
        assert (abs(found - exact) <= bound).all(), (m, n, k, transposes, batch, share_b, persistent)
    again, _ = product(a, b, by, transposes, share_b, persistent)
    np.testing.assert_array_equal(found, again)
    return rounded


@pytest.mark.parametrize("by", BY)
@pytest.mark.parametrize("transposes", [(0, 0), (0, 1), (1, 0), (1, 1)])
def test_sizes(by, transposes):
    """Parts of tiles, odd k, one row or column; columns that are turned are no case of it."""
    rounded = [check(m, n, k, by, transposes, persistent=(m + n + k) % 2 == 0)
               for m, n, k in itertools.product(SIZES, SIZES, (1, 2, 31, 33, 65))]
    assert sum(rounded) > len(rounded) // 2


@pytest.mark.parametrize("by", BY)
def test_blocks_of_k_and_rows_and_tiles_of_columns(by):
    for m, n, k in [(300, 40, 1100), (2, 1500, 600), (70, 1100, 40), (600, 33, 520)]:
        for transposes, persistent in itertools.product([(0, 0), (1, 1)], (False, True)):
            assert check(m, n, k, by, transposes, persistent=persistent)


@pytest.mark.parametrize("by", BY)
def test_batches(by):
    for (m, n, k), batch in itertools.product([(17, 33, 31), (40, 64, 65), (1, 40, 33)], (0, 1, 5)):
        for share_b, transpose_b in itertools.product((False, True), (0, 1)):
            check(m, n, k, by, (0, transpose_b), batch, share_b, share_b)


@pytest.mark.parametrize("by", BY)
def test_numbers_that_are_none(by):
    """An infinity or a NaN reaches its row, or its column, and nothing else; what is too large is an infinity."""
    a, b = operands(40, 50, 37)
    a[0, 3, 36], a[0, 39, 0], b[0, 5, 49] = np.nan, np.inf, 3.4e38
    found, rounded = product(a, b, by)
    with np.errstate(invalid="ignore"):
        exact, _ = wanted(a, b)
    assert rounded
    np.testing.assert_array_equal(np.isnan(found), np.isnan(exact))
    np.testing.assert_array_equal(np.isinf(found), np.isinf(exact))


@pytest.mark.parametrize("by", BY)
def test_denormal_numbers_are_zeros(by):
    """So the instructions are: operands, and sums."""
    a, b = np.full((1, 32, 32), 1e-39, np.float32), np.ones((1, 32, 32), np.float32)
    assert not product(a, b, by)[0].any()
    assert not product(b, a, by)[0].any()
    assert not product(a + np.float32(1e-20), b * np.float32(1e-20), by)[0].any()


@pytest.mark.parametrize("by", BY)
def test_empty(by):
    for m, n, k in [(0, 40, 5), (5, 0, 3), (5, 40, 0), (40, 40, 0)]:
        found, _ = product(np.ones((1, m, k), np.float32), np.ones((1, k, n), np.float32), by)
        assert found.shape == (1, m, n) and not found.any()


@pytest.mark.parametrize("by", BY)
def test_large_products_are_rounded_and_small_ones_are_not(by):
    """By what they cost; without instructions for it, never."""
    kernel = load("matmul")["matmul.f32"]

    def way(m, n, k, persistent, by):
        return kernel.choice([1, m, n, k, m * k, n * k], [0, 0], persistent, bfloat16=by)[Choice.VARIANT]

    for persistent in (False, True):
        assert way(512, 512, 512, persistent, by) == ROUNDED
        assert ROUNDED not in (way(512, 512, 512, persistent, WEIGHTS), way(512, 4, 512, persistent, by),
                               way(512, 512, 2, persistent, by), way(4, 4, 4, persistent, by))
    assert way(1, 1024, 1024, False, by) != ROUNDED
