"""The gradient for 3 x 3 filters by Winograd against NumPy in float64: sizes, its error, when it is chosen."""
import numpy as np
import pytest

from graphc.kernels.contracts.calls import Choice
from graphc.kernels.cpu.convolution.conv_tiles import WINOGRAD
from graphc.kernels.cpu.winograd.winograd_filter_grad import OUT, SHARED
from graphc.kernels.cpu.winograd.winograd_forms import F4_GRAD, F4X5_GRAD
from graphc.kernels.toolchain.targets import host_targets
from graphc.kernels.toolchain.testing import load_kernels

import kernel_references as references
from kernel_harness import backwards, filled, load, normal
from kernel_references import Window

NAME = "conv2d_filter_grad"
# What |result - exact| is below, in units of 2**-24 times the sum over tiles of the largest |x| times all |dy|.
UNITS = {3: 16, 5: 160}
FORMS = {3: F4_GRAD, 5: F4X5_GRAD}

SHARED_CASES = [                                               # phase 0 transforms all tiles
    Window(3, 32, 32, 17, 3, 3, 31, pad=(1, 1, 1, 1)),
    Window(2, 24, 21, 33, 3, 3, 63, pad=(0, 1, 1, 0)),
    Window(3, 30, 7, 130, 3, 3, 70, pad=(1, 1, 1, 1)),
    Window(17, 7, 7, 65, 3, 3, 33, pad=(1, 1, 1, 1)),
    Window(1, 33, 35, 31, 3, 3, 65),
    Window(1, 24, 20, 64, 3, 3, 48, pad=(3, 5, 4, 2)),
    Window(3, 32, 32, 17, 5, 5, 31, pad=(2, 2, 2, 2)),
    Window(17, 7, 7, 65, 5, 5, 33, pad=(2, 2, 2, 2)),
    Window(1, 33, 35, 31, 5, 5, 65),
]
PART_CASES = [
    Window(9, 31, 33, 17, 3, 3, 47, pad=(1, 1, 1, 1)),
    Window(1, 20, 400, 18, 3, 3, 35, pad=(1, 1, 1, 1)),
    Window(150, 4, 8, 40, 3, 3, 64, pad=(1, 1, 1, 1)),
    Window(5, 65, 65, 31, 3, 3, 65, pad=(2, 2, 2, 2)),         # several blocks a part
    Window(1, 130, 130, 16, 3, 3, 64),
    Window(9, 31, 33, 17, 5, 5, 47, pad=(2, 1, 1, 2)),
    Window(64, 14, 14, 32, 5, 5, 64, pad=(2, 2, 2, 2)),
]


def arguments(size: Window) -> dict[str, list[int]]:
    return {"dims": [size.n, size.h, size.w, size.c, size.kh, size.kw, size.oc, size.oh, size.ow],
            "attrs": [*size.stride, *size.dilation, size.pad[0], size.pad[2]]}


def operands(size: Window) -> tuple[np.ndarray, np.ndarray]:
    return (normal((size.n, size.h, size.w, size.c), "f32", 1), normal((size.n, size.oh, size.ow, size.oc), "f32", 2))


def choice(size: Window, dtype: str = "f32", **how: bool) -> np.ndarray:
    return np.asarray(load(NAME)[f"{NAME}.{dtype}"].loaded.choice(**arguments(size), **how))


def chosen(size: Window, dtype: str = "f32", **how: bool) -> bool:
    return bool(choice(size, dtype, **how)[Choice.VARIANT] == WINOGRAD)


def bound(x: np.ndarray, dy: np.ndarray, size: Window) -> np.ndarray:
    """What the error must be below, for each channel and column."""
    result, side = np.zeros((size.c, size.oc)), FORMS[size.kh].inputs
    for i in range(0, size.oh, OUT):
        for j in range(0, size.ow, OUT):
            top, left = i - size.pad[0], j - size.pad[2]
            tile = np.abs(x[:, max(top, 0):max(top + side, 0), max(left, 0):max(left + side, 0)].astype(np.float64))
            all_of = np.abs(dy[:, i:i + OUT, j:j + OUT].astype(np.float64)).sum((1, 2))
            result += tile.max((1, 2), initial=0).T @ all_of
    return result * UNITS[size.kh] * 2.0 ** -24


def check(x: np.ndarray, dy: np.ndarray, size: Window) -> None:
    kernel, results = load(NAME)[f"{NAME}.f32"], []
    wanted, limit = references.conv2d_filter_grad(x, dy, size), bound(x, dy, size)
    for order in (range, backwards):
        dw = filled(wanted.shape, "f32")
        assert kernel(x, dy, dw, order=order, **arguments(size)) == 0
        assert float(np.max(np.abs(dw - wanted) / np.maximum(limit, np.finfo(np.float64).tiny))) <= 1
        results.append(dw)
    np.testing.assert_array_equal(*results)                    # the order of tiles of work is no matter


@pytest.mark.parametrize("size", [*SHARED_CASES, *PART_CASES], ids=str)
def test_sizes(size):
    assert chosen(size)
    assert choice(size)[SHARED] == (size in SHARED_CASES)
    check(*operands(size), size)


@pytest.mark.parametrize("size", [Window(2, 16, 16, 32, 3, 3, 65, pad=(1, 1, 1, 1)),
                                  Window(20, 28, 28, 16, 3, 3, 32, pad=(1, 1, 1, 1)),
                                  Window(2, 16, 16, 32, 5, 5, 65, pad=(2, 2, 2, 2))], ids=str)
@pytest.mark.parametrize("kind", ["positive", "wide", "spikes", "signs"])
def test_error_is_bounded_by_the_tiles(kind, size):
    x, dy = operands(size)
    generator = np.random.default_rng(3)
    if kind == "positive":
        x, dy = np.abs(x), np.abs(dy)
    elif kind == "wide":
        x = (x * np.exp(generator.uniform(-12, 12, x.shape))).astype(np.float32)
        dy = (dy * np.exp(generator.uniform(-12, 12, dy.shape))).astype(np.float32)
    elif kind == "spikes":
        x[:, ::5, ::5] *= 1e6
        dy[:, ::7, ::3] *= 1e5
    else:                                                      # the signs at which the transforms add up the most
        rows, columns = np.indices(x.shape)[1:3] % OUT
        x = (np.where((rows < 2) == (columns < 2), 1e3, -1e3) * (1 + generator.random(x.shape) / 1024)).astype("f4")
    check(x, dy, size)


@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize("of_dy", [False, True])
def test_what_is_not_finite_is_never_lost(value, of_dy):
    size = Window(2, 16, 16, 32, 3, 3, 64, pad=(1, 1, 1, 1))
    x, dy = operands(size)
    assert chosen(size)
    clean, dw = filled((3, 3, 32, 64), "f32"), filled((3, 3, 32, 64), "f32")
    kernel = load(NAME)[f"{NAME}.f32"]
    assert kernel(x, dy, clean, **arguments(size)) == 0
    (dy if of_dy else x)[1, 4, 9, 3] = value
    assert kernel(x, dy, dw, **arguments(size)) == 0
    touched = np.zeros(dw.shape, bool)
    if of_dy:
        touched[:, :, :, 3] = True
    else:
        touched[:, :, 3] = True
    assert not np.isfinite(dw[touched]).any()
    np.testing.assert_array_equal(dw[~touched], clean[~touched])


def test_it_can_be_forbidden():
    size = Window(2, 17, 17, 33, 3, 3, 65, pad=(1, 1, 1, 1))
    assert chosen(size) and not chosen(size, winograd=False)
    generator = np.random.default_rng(0)
    x, dy = (generator.integers(-9, 10, a.shape).astype(np.float32) for a in operands(size))
    dw = filled((3, 3, 33, 65), "f32")
    assert load(NAME)[f"{NAME}.f32"](x, dy, dw, winograd=False, **arguments(size)) == 0
    np.testing.assert_array_equal(dw, references.conv2d_filter_grad(x, dy, size))       # integers are exact


@pytest.mark.parametrize(("size", "wanted"), [
    (Window(8, 56, 56, 64, 3, 3, 64, pad=(1, 1, 1, 1)), True),
    (Window(8, 7, 7, 512, 3, 3, 512, pad=(1, 1, 1, 1)), True),
    (Window(1, 7, 7, 512, 3, 3, 512, pad=(1, 1, 1, 1)), False),       # few tiles: the sums cost more
    (Window(8, 56, 56, 15, 3, 3, 64, pad=(1, 1, 1, 1)), False),       # less than a vector of channels
    (Window(8, 56, 56, 64, 3, 3, 15, pad=(1, 1, 1, 1)), False),
    (Window(8, 56, 56, 64, 3, 3, 64, stride=(2, 2)), False),
    (Window(8, 56, 56, 64, 3, 3, 64, dilation=(1, 2)), False),
    (Window(8, 56, 56, 64, 5, 3, 64), False),
    (Window(64, 14, 14, 32, 5, 5, 64, pad=(2, 2, 2, 2)), True),
    (Window(1, 3, 3, 64, 5, 5, 64, pad=(2, 2, 2, 2)), False),
    (Window(0, 56, 56, 64, 3, 3, 64), False),
    (Window(8, 56, 56, 64, 3, 3, 0), False),
], ids=str)
def test_when_it_is_chosen(size, wanted):
    assert chosen(size) == wanted


@pytest.mark.parametrize("isa", [target.name for target in host_targets()])
def test_of_few_large_tiles_by_the_vectors(isa):
    """Without AVX-512 a product costs more beside what is moved."""
    size = Window(1, 7, 7, 256, 5, 5, 256, pad=(2, 2, 2, 2))
    words = load_kernels([f"{NAME}.f32"], isa)[f"{NAME}.f32"].choice(**arguments(size))
    assert (words[Choice.VARIANT] == WINOGRAD) == (isa == "x86-64-v3")


def test_float64_is_computed_directly():
    assert not chosen(Window(8, 56, 56, 64, 3, 3, 64, pad=(1, 1, 1, 1)), "f64")
