"""Convolutions of operands rounded to bfloat16, by AMX: against float64 convolutions of the rounded operands. A machine
without AMX skips what needs it."""
from __future__ import annotations

import numpy as np
import pytest
from test_bfloat16_weights import as_bfloat16
from test_conv import CASES, arguments, shapes

from graphc.exec.bfloat16 import machine_bfloat16
from graphc.kernels.contracts.bfloat16 import DOTS, NOTHING, TILES, WEIGHTS
from graphc.kernels.contracts.calls import Choice
from graphc.kernels.cpu.convolution.conv_tiles import ROUNDED

import kernel_references as references
from kernel_harness import backwards, filled, load, normal
from kernel_references import Window

needs_tiles = pytest.mark.skipif(machine_bfloat16() < TILES,
                                 reason="this machine has no AMX, or does not let processes use it")
# Beside those of all convolutions: whole blocks, tiles that are panels, groups of several pictures, joined taps.
SIZES = [*CASES, Window(2, 14, 14, 64, 3, 3, 96, pad=(1, 1, 1, 1)), Window(3, 7, 7, 96, 3, 3, 65, pad=(1, 1, 1, 1)),
         Window(1, 33, 40, 3, 7, 7, 64, stride=(2, 2), pad=(3, 3, 3, 3)),
         Window(4, 6, 65, 31, 1, 3, 48, pad=(0, 0, 1, 1)), Window(2, 15, 15, 33, 1, 1, 70, stride=(2, 2)),
         Window(1, 40, 40, 16, 3, 3, 32, dilation=(3, 3), pad=(3, 3, 3, 3)),
         Window(5, 28, 28, 40, 3, 3, 33, stride=(2, 2), pad=(0, 1, 0, 1)), Window(3, 30, 31, 64, 1, 1, 48)]
SIZES = [size for size in SIZES if min(*shapes(size)[0], *shapes(size)[1], *shapes(size)[2]) > 0]


def check(name: str, a: np.ndarray, b: np.ndarray, shape: tuple[int, ...], size: Window, products: int) -> None:
    kernel, convolve = load(name)[f"{name}.f32"], getattr(references, name)
    a64, b64 = as_bfloat16(a).astype(np.float64), as_bfloat16(b).astype(np.float64)
    wanted = convolve(a64, b64, size)
    # A sum of float32 is off by half a unit for each addition, at most; rounding flushes what is smaller than 2^-126.
    bound = 2.0 ** -23 * (products + 2) * convolve(abs(a64), abs(b64), size) + 1e-30
    results = []
    for persistent in (False, True):
        for order in (range, backwards):
            found = filled(shape, "f32")
            assert kernel(a, b, found, persistent=persistent, order=order, way=ROUNDED, bfloat16=TILES,
                          **arguments(size)) == 0
            assert (abs(found - wanted) <= bound).all()
            results.append(found)
    for other in results[1:]:
        np.testing.assert_array_equal(results[0], other)       # order of tiles and packing are no matter


def takes_rounded(name: str, size: Window, bfloat16: int, way: int = -1, persistent: bool = True) -> bool:
    kernel = load(name)[f"{name}.f32"]
    return kernel.choice(persistent=persistent, bfloat16=bfloat16, way=way,
                         **arguments(size))[Choice.VARIANT] == ROUNDED


@needs_tiles
@pytest.mark.parametrize("size", SIZES, ids=str)
def test_forward(size: Window) -> None:
    x_shape, f_shape, y_shape = shapes(size)
    assert takes_rounded("conv2d", size, TILES, ROUNDED)
    check("conv2d", normal(x_shape, "f32", 1), normal(f_shape, "f32", 2), y_shape, size, size.kh * size.kw * size.c)


@needs_tiles
@pytest.mark.parametrize("size", [size for size in SIZES if size.stride == (1, 1)], ids=str)
def test_input_grad(size: Window) -> None:
    x_shape, f_shape, y_shape = shapes(size)
    assert takes_rounded("conv2d_input_grad", size, TILES, ROUNDED)
    check("conv2d_input_grad", normal(y_shape, "f32", 1), normal(f_shape, "f32", 2), x_shape, size,
          size.kh * size.kw * size.oc)


@needs_tiles
@pytest.mark.parametrize("size", [size for size in SIZES if min(size.c, size.oc) >= 16], ids=str)
def test_filter_grad(size: Window) -> None:
    x_shape, f_shape, y_shape = shapes(size)
    assert takes_rounded("conv2d_filter_grad", size, TILES, ROUNDED, persistent=False)
    check("conv2d_filter_grad", normal(x_shape, "f32", 1), normal(y_shape, "f32", 2), f_shape, size,
          size.n * size.oh * size.ow)


@needs_tiles
def test_what_is_not_finite_reaches_what_depends_on_it_alone() -> None:
    size = Window(2, 9, 11, 40, 3, 3, 33, pad=(1, 1, 1, 1))
    x_shape, f_shape, y_shape = shapes(size)
    x, f = normal(x_shape, "f32", 1), normal(f_shape, "f32", 2)
    x[0, 4, 10, 7], x[1, 0, 0, 39], x[1, 8, 5, 0] = np.nan, np.inf, 3.4e38      # the largest ones become infinities
    found = filled(y_shape, "f32")
    kernel = load("conv2d")["conv2d.f32"]
    assert kernel(x, f, found, persistent=True, way=ROUNDED, bfloat16=TILES, **arguments(size)) == 0
    with np.errstate(all="ignore"):
        wanted = references.conv2d(as_bfloat16(x), as_bfloat16(f), size)
    np.testing.assert_array_equal(np.isfinite(found), np.isfinite(wanted))


@needs_tiles
def test_denormal_numbers_count_as_zeros() -> None:
    size = Window(1, 8, 8, 32, 1, 1, 32)
    x_shape, f_shape, y_shape = shapes(size)
    found = filled(y_shape, "f32")
    assert load("conv2d")["conv2d.f32"](np.full(x_shape, 1e-39, np.float32), np.full(f_shape, 1e20, np.float32), found,
                                        persistent=True, way=ROUNDED, bfloat16=TILES, **arguments(size)) == 0
    assert (found == 0).all()


def test_it_is_taken_only_where_it_is_allowed_and_pays() -> None:
    """bind multiplies nothing, so any machine of this instruction set can be asked."""
    large, small = Window(1, 56, 56, 64, 3, 3, 64, pad=(1, 1, 1, 1)), Window(1, 5, 5, 2, 1, 1, 2)
    isa = machine_bfloat16() >= WEIGHTS and takes_rounded("conv2d", large, TILES, ROUNDED)
    for allowed in (NOTHING, WEIGHTS, DOTS):
        assert not takes_rounded("conv2d", large, allowed)
        assert not takes_rounded("conv2d", large, allowed, ROUNDED)
    if isa:
        assert takes_rounded("conv2d", large, TILES) and takes_rounded("conv2d", large, TILES, persistent=False)
        assert takes_rounded("conv2d_input_grad", large, TILES)
        assert takes_rounded("conv2d_filter_grad", large, TILES)
        assert not takes_rounded("conv2d", small, TILES)
        strided = Window(1, 56, 56, 64, 3, 3, 64, stride=(2, 2), pad=(0, 1, 0, 1))
        assert takes_rounded("conv2d", strided, TILES) and not takes_rounded("conv2d_input_grad", strided, TILES)
