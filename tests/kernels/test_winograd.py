"""Winograd's convolution against NumPy in float64: sizes, its error, what a NaN does, when it is chosen."""
from collections.abc import Iterator

import numpy as np
import pytest

from graphc.kernels.contracts.calls import Choice
from graphc.kernels.cpu.convolution.conv_tiles import WINOGRAD
from graphc.kernels.cpu.winograd.winograd_forms import F4, F4X5

import kernel_references as references
from kernel_harness import backwards, filled, load, normal
from kernel_references import Window

FORMS = {3: F4, 5: F4X5}
# What |result - exact| is below, in units of 2**-24 times the largest |x| of the tile, channel by channel, times |w|.
UNITS = {(3, 3): 16, (5, 5): 64, (1, 3): 8, (3, 1): 8}

CASES = [
    Window(2, 13, 11, 17, 3, 3, 31, pad=(0, 1, 1, 0)),
    Window(3, 30, 7, 130, 3, 3, 70, pad=(1, 1, 1, 1)),
    Window(17, 7, 7, 65, 3, 3, 33, pad=(1, 1, 1, 1)),
    Window(1, 31, 31, 16, 3, 3, 65),
    Window(1, 65, 17, 31, 3, 3, 64, pad=(2, 2, 2, 2)),
    Window(1, 20, 400, 18, 3, 3, 35, pad=(1, 1, 1, 1)),
    Window(7, 14, 14, 300, 3, 3, 40, pad=(1, 1, 1, 1)),
    Window(1, 20, 20, 24, 3, 3, 48, pad=(3, 5, 4, 2)),
    Window(150, 4, 7, 20, 3, 3, 32, pad=(1, 0, 0, 1)),
    Window(1, 29, 29, 64, 3, 3, 64, dilation=(4, 4), pad=(4, 4, 4, 4)),
    Window(2, 33, 31, 17, 3, 3, 40, dilation=(2, 2), pad=(0, 3, 2, 1)),
    Window(3, 17, 70, 20, 3, 3, 35, dilation=(3, 3), pad=(3, 3, 3, 3)),
    Window(1, 40, 35, 24, 5, 5, 33, dilation=(2, 2), pad=(4, 4, 4, 4)),
    Window(2, 13, 11, 17, 5, 5, 31, pad=(1, 2, 2, 1)),
    Window(3, 30, 7, 130, 5, 5, 70, pad=(2, 2, 2, 2)),
    Window(17, 7, 7, 65, 5, 5, 33, pad=(2, 2, 2, 2)),
    Window(1, 31, 31, 16, 5, 5, 65),
    Window(1, 65, 17, 31, 5, 5, 64, pad=(4, 4, 4, 4)),
    Window(1, 20, 20, 24, 5, 5, 48, pad=(3, 5, 6, 2)),
    Window(64, 14, 14, 32, 5, 5, 64, pad=(2, 2, 2, 2)),
    Window(1, 32, 32, 64, 1, 3, 64, pad=(0, 0, 1, 1)),
    Window(1, 32, 31, 65, 3, 1, 64, pad=(1, 1, 0, 0)),
    Window(3, 17, 31, 64, 1, 3, 65, pad=(0, 0, 2, 0)),
    Window(3, 31, 17, 64, 3, 1, 65, pad=(0, 2, 0, 0)),
    Window(17, 7, 7, 130, 3, 1, 96, pad=(1, 1, 0, 0)),
    Window(17, 7, 7, 130, 1, 3, 96, pad=(0, 0, 1, 1)),
    Window(1, 1, 1001, 64, 1, 3, 96),
    Window(5, 1, 403, 100, 1, 3, 64, pad=(0, 0, 1, 1)),
    Window(1, 700, 3, 100, 3, 1, 64, pad=(1, 1, 0, 0)),
    Window(2, 1, 999, 64, 1, 3, 128, dilation=(1, 4), pad=(0, 0, 8, 0)),
    Window(2, 39, 31, 70, 3, 1, 96, dilation=(2, 1), pad=(2, 2, 0, 0)),
    Window(2, 31, 33, 70, 1, 3, 96, dilation=(5, 3), pad=(0, 0, 3, 3)),
]


def arguments(size: Window) -> dict[str, list[int]]:
    return {"dims": [size.n, size.h, size.w, size.c, size.kh, size.kw, size.oc, size.oh, size.ow],
            "attrs": [*size.stride, *size.dilation, size.pad[0], size.pad[2]]}


def shapes(size: Window) -> tuple[tuple[int, ...], ...]:
    return ((size.n, size.h, size.w, size.c), (size.kh, size.kw, size.c, size.oc), (size.n, size.oh, size.ow, size.oc))


def chosen(name: str, size: Window, **how: bool) -> bool:
    choice = load(name)[f"{name}.f32"].loaded.choice(**arguments(size), **how)
    return bool(choice[Choice.VARIANT] == WINOGRAD)


def tile_sides(taps: int) -> tuple[int, int]:
    """Pixels of the source and of the target that a tile has along an axis of so many taps."""
    return (FORMS[taps].inputs, FORMS[taps].outputs) if taps > 1 else (1, 1)


def bound(source: np.ndarray, f: np.ndarray, target: np.ndarray, top: int, left: int,
          apart: tuple[int, int] = (1, 1)) -> np.ndarray:
    """What the error must be below. f: taps, channels of the source, channels of the target; apart: the dilation."""
    result = np.empty(target.shape)
    weights = np.abs(f.astype(np.float64)).sum((0, 1))
    for i, rows in tiles(target.shape[1], source.shape[1], top, *tile_sides(f.shape[0]), apart[0]):
        for j, columns in tiles(target.shape[2], source.shape[2], left, *tile_sides(f.shape[1]), apart[1]):
            largest = np.abs(source[:, rows][:, :, columns].astype(np.float64)).max((1, 2), initial=0)
            result[:, i, j] = (largest @ weights)[:, None, None]
    return result * UNITS[f.shape[:2]] * 2.0 ** -24


def tiles(pixels: int, limit: int, before: int, side: int, out: int, apart: int) -> Iterator[tuple[slice, np.ndarray]]:
    """The pixels of each tile of the target along an axis, and those of the source that it depends on."""
    for first in (block + part for part in range(apart) for block in range(0, pixels - part, out * apart)):
        met = first - before + apart * np.arange(side)
        yield slice(first, first + out * apart, apart), met[(met >= 0) & (met < limit)]


def excess(found: np.ndarray, wanted: np.ndarray, limit: np.ndarray) -> float:
    """The greatest error as a part of its limit."""
    return float(np.max(np.abs(found - wanted) / np.maximum(limit, np.finfo(np.float64).tiny)))


def check_forward(x: np.ndarray, f: np.ndarray, size: Window) -> None:
    kernel, results = load("conv2d")["conv2d.f32"], []
    wanted = references.conv2d(x, f, size)
    limit = bound(x, f, wanted, size.pad[0], size.pad[2], size.dilation)
    for persistent in (False, True):
        assert chosen("conv2d", size, persistent=persistent)
        for order in (range, backwards):
            y = filled(wanted.shape, "f32")
            assert kernel(x, f, y, persistent=persistent, order=order, **arguments(size)) == 0
            assert excess(y, wanted, limit) <= 1
            results.append(y)
    for other in results[1:]:
        np.testing.assert_array_equal(results[0], other)       # order of tiles and packing are no matter


@pytest.mark.parametrize("size", CASES, ids=str)
def test_forward(size):
    x_shape, f_shape, _ = shapes(size)
    check_forward(normal(x_shape, "f32", 1), normal(f_shape, "f32", 2), size)


@pytest.mark.parametrize("size", CASES, ids=str)
def test_input_grad(size):
    kernel, results = load("conv2d_input_grad")["conv2d_input_grad.f32"], []
    x_shape, f_shape, y_shape = shapes(size)
    dy, f = normal(y_shape, "f32", 1), normal(f_shape, "f32", 2)
    wanted = references.conv2d_input_grad(dy, f, size)
    limit = bound(dy, f.transpose(0, 1, 3, 2), wanted, (size.kh - 1) * size.dilation[0] - size.pad[0],
                  (size.kw - 1) * size.dilation[1] - size.pad[2], size.dilation)
    assert chosen("conv2d_input_grad", size)
    for order in (range, backwards):
        dx = filled(x_shape, "f32")
        assert kernel(dy, f, dx, order=order, **arguments(size)) == 0
        assert excess(dx, wanted, limit) <= 1
        results.append(dx)
    np.testing.assert_array_equal(*results)


def adversarial(kind: str, shape: tuple[int, ...]) -> np.ndarray:
    generator = np.random.default_rng(3)
    x = generator.standard_normal(shape)
    if kind == "positive":
        return np.abs(x).astype(np.float32)
    if kind == "wide":
        return (x * np.exp(generator.uniform(-12, 12, shape))).astype(np.float32)
    if kind == "spikes":
        x[:, ::5, ::5] *= 1e6
        return x.astype(np.float32)
    # the signs at which the transform of pictures adds up the most
    rows, columns = np.indices(shape)[1:3] % F4.outputs
    signs = np.where((rows < 2) == (columns < 2), 1.0, -1.0)
    return (signs * (1 + generator.random(shape) * 2.0 ** -10) * 1e3).astype(np.float32)


@pytest.mark.parametrize("kind", ["positive", "wide", "spikes", "signs"])
@pytest.mark.parametrize("size", [Window(1, 16, 16, 16, 3, 3, 65, pad=(1, 1, 1, 1)),
                                  Window(1, 14, 14, 512, 3, 3, 32, pad=(1, 1, 1, 1)),
                                  Window(1, 16, 16, 16, 5, 5, 65, pad=(2, 2, 2, 2)),
                                  Window(1, 14, 14, 512, 5, 5, 32, pad=(2, 2, 2, 2)),
                                  Window(1, 32, 32, 64, 1, 3, 65, pad=(0, 0, 1, 1)),
                                  Window(1, 32, 32, 64, 3, 1, 65, pad=(1, 1, 0, 0))], ids=str)
def test_error_is_bounded_by_the_tile(kind, size):
    """A large pixel costs its tile digits, and no other one."""
    x_shape, f_shape, _ = shapes(size)
    check_forward(adversarial(kind, x_shape), normal(f_shape, "f32", 5), size)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_stays_in_its_tiles_and_is_never_lost(value):
    size = Window(2, 16, 16, 32, 3, 3, 64, pad=(1, 1, 1, 1))
    x_shape, f_shape, y_shape = shapes(size)
    x, f = normal(x_shape, "f32", 1), normal(f_shape, "f32", 2)
    y, clean = filled(y_shape, "f32"), filled(y_shape, "f32")
    kernel = load("conv2d")["conv2d.f32"]
    assert chosen("conv2d", size)
    assert kernel(x, f, clean, **arguments(size)) == 0
    x[1, 4, 9, 3] = value
    assert kernel(x, f, y, **arguments(size)) == 0
    lost = np.isfinite(y)
    assert not lost[1, 3:6, 8:11].any()                         # what depends on it
    touched = np.zeros(y_shape, bool)
    touched[1, 0:8, 8:12] = True                               # the tiles whose pictures it is in
    np.testing.assert_array_equal(y[~touched], clean[~touched])


def test_along_one_axis_it_stays_in_its_line():
    size = Window(2, 16, 16, 64, 1, 3, 64, pad=(0, 0, 1, 1))
    x_shape, f_shape, y_shape = shapes(size)
    x, f = normal(x_shape, "f32", 1), normal(f_shape, "f32", 2)
    y, clean = filled(y_shape, "f32"), filled(y_shape, "f32")
    kernel = load("conv2d")["conv2d.f32"]
    assert chosen("conv2d", size)
    assert kernel(x, f, clean, **arguments(size)) == 0
    x[1, 4, 9, 3] = np.inf
    assert kernel(x, f, y, **arguments(size)) == 0
    assert not np.isfinite(y[1, 4, 8:11]).any()                # what depends on it
    touched = np.zeros(y_shape, bool)
    touched[1, 4, 8:12] = True
    np.testing.assert_array_equal(y[~touched], clean[~touched])


def test_it_can_be_forbidden():
    size = Window(2, 17, 17, 33, 3, 3, 65, pad=(1, 1, 1, 1))
    x_shape, f_shape, y_shape = shapes(size)
    assert chosen("conv2d", size) and not chosen("conv2d", size, winograd=False)
    assert chosen("conv2d_input_grad", size) and not chosen("conv2d_input_grad", size, winograd=False)
    generator = np.random.default_rng(0)
    x, f = (generator.integers(-9, 10, shape).astype(np.float32) for shape in (x_shape, f_shape))
    y = filled(y_shape, "f32")
    assert load("conv2d")["conv2d.f32"](x, f, y, winograd=False, **arguments(size)) == 0
    np.testing.assert_array_equal(y, references.conv2d(x, f, size))       # integers are exact


@pytest.mark.parametrize(("size", "persistent", "forward", "backward"), [
    (Window(1, 56, 56, 64, 3, 3, 64, pad=(1, 1, 1, 1)), True, True, True),
    (Window(16, 7, 7, 512, 3, 3, 512, pad=(1, 1, 1, 1)), True, True, True),
    (Window(1, 7, 7, 512, 3, 3, 512, pad=(1, 1, 1, 1)), False, True, True),
    (Window(1, 4, 4, 512, 3, 3, 512, pad=(1, 1, 1, 1)), True, False, None),       # one tile: the filter costs more
    (Window(1, 3, 3, 64, 3, 3, 64), True, False, None),                           # a result of one pixel
    (Window(1, 56, 56, 15, 3, 3, 64, pad=(1, 1, 1, 1)), True, False, None),       # patches are copied
    (Window(1, 56, 56, 64, 3, 3, 64, stride=(2, 2)), True, False, False),
    (Window(1, 56, 56, 64, 3, 3, 64, dilation=(1, 2)), True, False, False),
    (Window(1, 29, 29, 512, 3, 3, 512, dilation=(4, 4), pad=(4, 4, 4, 4)), True, True, True),
    (Window(1, 29, 29, 512, 3, 3, 256, dilation=(12, 12), pad=(12, 12, 12, 12)), True, False, False),   # mostly padding
    (Window(1, 56, 56, 64, 5, 3, 64), True, False, False),
    (Window(1, 32, 32, 64, 1, 3, 64, pad=(0, 0, 1, 1)), True, True, True),
    (Window(1, 32, 32, 64, 3, 1, 64, pad=(1, 1, 0, 0)), True, True, True),
    (Window(1, 32, 32, 64, 3, 1, 64, dilation=(1, 4), pad=(1, 1, 0, 0)), True, True, True),    # of an axis of one tap
    (Window(1, 16, 16, 128, 3, 1, 128, dilation=(16, 1), pad=(16, 16, 0, 0)), True, False, False),     # one tap inside
    (Window(1, 56, 56, 16, 1, 3, 16, pad=(0, 0, 1, 1)), True, False, False),      # transforms cost more
    (Window(1, 32, 32, 64, 1, 3, 64, stride=(2, 1), pad=(0, 0, 1, 1)), True, False, False),
    (Window(1, 1, 1, 512, 1, 3, 512, pad=(0, 0, 1, 1)), True, False, None),       # one pixel
    (Window(64, 14, 14, 32, 5, 5, 64, pad=(2, 2, 2, 2)), False, True, True),
    (Window(1, 4, 4, 256, 5, 5, 256, pad=(2, 2, 2, 2)), True, False, None),       # one tile
    (Window(1, 56, 56, 64, 5, 5, 64, stride=(1, 2)), True, False, False),
    (Window(1, 56, 56, 64, 7, 7, 64), True, False, False),
    (Window(0, 56, 56, 64, 3, 3, 64), True, False, False),
    (Window(1, 56, 56, 64, 3, 3, 0), True, False, False),
], ids=str)
def test_when_it_is_chosen(size, persistent, forward, backward):
    """None: either will do."""
    assert chosen("conv2d", size, persistent=persistent) == forward
    if backward is not None:
        assert chosen("conv2d_input_grad", size) == backward


def test_float64_is_computed_directly():
    size = Window(1, 56, 56, 64, 3, 3, 64, pad=(1, 1, 1, 1))
    for name in ("conv2d", "conv2d_input_grad"):
        assert load(name)[f"{name}.f64"].loaded.choice(**arguments(size))[Choice.VARIANT] != WINOGRAD
