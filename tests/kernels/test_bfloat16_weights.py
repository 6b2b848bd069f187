"""Products whose constant matrix is packed as bfloat16: bit for bit those of the rounded matrix, on every ISA."""
from __future__ import annotations

import numpy as np
import pytest

from graphc.kernels.contracts.bfloat16 import NOTHING, WEIGHTS
from graphc.kernels.contracts.calls import Choice
from graphc.kernels.cpu.math.matmul_choice import BFLOAT16, BFLOAT16_COLUMNS, BFLOAT16_WIDE
from graphc.kernels.toolchain.targets import host_targets
from graphc.kernels.toolchain.testing import load_kernels

from kernel_harness import backwards, filled, load, normal

# m, n, k: fewer rows than a tile of few, tiles of one and several heights, panels that end within their last vector
SIZES = [(m, n, k) for m in (1, 2, 3, 4, 17, 31, 65) for n in (32, 33, 65, 130, 300) for k in (1, 3, 17, 600)]


def as_bfloat16(values: np.ndarray) -> np.ndarray:
    """Rounded to 8 bits of mantissa, ties to even, by arithmetic: nothing of the kernel's bits."""
    with np.errstate(invalid="ignore"):
        wide = values.astype(np.float64)
    _, exponent = np.frexp(wide)
    unit = np.ldexp(1.0, np.maximum(exponent - 8, -133))
    with np.errstate(over="ignore", invalid="ignore"):
        rounded = np.rint(wide / unit) * unit
        largest = np.float64(2.0 ** 127 * (2 - 2.0 ** -7))
        return np.where(np.abs(rounded) > largest, np.copysign(np.inf, wide), rounded).astype(np.float32)


def product(m, n, k, b, transposes=(0, 0), batch=1, share_b=True, bfloat16=WEIGHTS, dtype="f32", order=range, isa=None):
    """Of normal numbers and b, packed."""
    name = f"matmul.{dtype}"
    kernel = load_kernels(["matmul"], isa)[name] if isa else load("matmul")[name]
    a = normal((batch, *((k, m) if transposes[0] else (m, k))), dtype, 1)
    c = filled((batch, m, n), dtype)
    assert kernel(a, b, c, dims=[batch, m, n, k, m * k, 0 if share_b else k * n], attrs=list(transposes),
                  persistent=True, bfloat16=bfloat16, order=order) == 0
    return c


def matrix(n, k, transposed=0, batch=1, dtype="f32"):
    return normal((batch, *((n, k) if transposed else (k, n))), dtype, 2)


@pytest.mark.parametrize("transposes", [(0, 0), (0, 1), (1, 0), (1, 1)])
def test_bits_are_those_of_the_rounded_matrix(transposes):
    for m, n, k in SIZES:
        b = matrix(n, k, transposes[1])
        found = product(m, n, k, b, transposes, order=backwards)
        rounded = product(m, n, k, as_bfloat16(b), transposes, bfloat16=NOTHING)
        np.testing.assert_array_equal(found, rounded, str((m, n, k)))
        assert k < 3 or not np.array_equal(found, product(m, n, k, b, transposes, bfloat16=NOTHING))


def test_batches():
    for share_b in (False, True):
        for m, n, k in [(1, 40, 9), (3, 65, 17), (31, 32, 65), (130, 40, 64)]:
            b = matrix(n, k, batch=1 if share_b else 5)
            np.testing.assert_array_equal(product(m, n, k, b, batch=5, share_b=share_b),
                                          product(m, n, k, as_bfloat16(b), batch=5, share_b=share_b, bfloat16=NOTHING))


def test_every_kind_of_number_is_rounded():
    """One row of ones times a matrix of one row is that row: ties, overflow, denormal numbers, infinities, NaN."""
    bits = np.random.default_rng(0).integers(0, 1 << 32, 4096, np.uint64).astype(np.uint32)
    ties = (np.arange(64, dtype=np.uint32) << 16 | 0x3F808000)
    edges = np.array([0, 1, 0x7FFF, 0x8000, 0x8001, 0x18000, 0x7F7F7FFF, 0x7F7F8000, 0x7F7FFFFF, 0x7F800000, 0x7F800001,
                      0x7FFFFFFF], np.uint32)
    values = np.concatenate([bits, ties, edges, edges | 0x80000000]).astype(np.uint32).view(np.float32)
    b, n = values.reshape(1, 1, -1), values.size
    for m in (1, 5):
        c = filled((1, m, n), "f32")
        assert load("matmul")["matmul.f32"](np.ones((1, m, 1), np.float32), b, c, dims=[1, m, n, 1, m, n], attrs=[0, 0],
                                            persistent=True, bfloat16=WEIGHTS) == 0
        wanted = as_bfloat16(values)
        np.testing.assert_array_equal(c, np.broadcast_to(wanted, c.shape))
        assert np.isnan(wanted).sum() == np.isnan(values).sum() > 0


@pytest.mark.parametrize("isa", [target.name for target in host_targets()])
def test_every_isa_gives_the_same_bits(isa):
    for m, n, k in [(1, 100, 300), (2, 48, 65), (20, 97, 400)]:
        b = matrix(n, k)
        np.testing.assert_array_equal(product(m, n, k, b, isa=isa), product(m, n, k, b))


def test_few_columns_and_float64_stay_as_they_are():
    for m, n, k in [(1, BFLOAT16_COLUMNS - 1, 40), (65, 17, 31), (300, 3, 65)]:
        b = matrix(n, k)
        np.testing.assert_array_equal(product(m, n, k, b), product(m, n, k, b, bfloat16=NOTHING))
    wide = matrix(70, 33, dtype="f64")
    np.testing.assert_array_equal(product(9, 70, 33, wide, dtype="f64"),
                                  product(9, 70, 33, wide, dtype="f64", bfloat16=NOTHING))


def test_the_packed_matrix_takes_half_the_memory():
    kernel = load("matmul")["matmul.f32"]
    for m, shape in ((1, BFLOAT16_WIDE), (40, BFLOAT16)):
        full, half = (kernel.choice([1, m, 1024, 300, m * 300, 1024 * 300], [0, 0], True, bfloat16=bfloat16)
                      for bfloat16 in (NOTHING, WEIGHTS))
        assert half[Choice.FORMAT] == shape != full[Choice.FORMAT]
        assert 2 * half[Choice.PACKED_BYTES] == full[Choice.PACKED_BYTES]


@pytest.mark.parametrize("size", [(0, 40, 5), (5, 40, 0), (0, 40, 0)], ids=str)
def test_empty(size):
    m, n, k = size
    found = product(m, n, k, np.zeros((1, k, n), np.float32))
    assert found.shape == (1, m, n) and not found.any()
