"""Convolution and its gradients against NumPy in float64."""
import numpy as np
import pytest

from graphc.kernels.contracts.all import KERNELS
from graphc.kernels.contracts.calls import Choice
from graphc.kernels.cpu.convolution.coming import coming_lines, coming_part, coming_step
from graphc.kernels.cpu.convolution.conv_filter_grad import GROUP_LINES as FILTER_GROUP_LINES
from graphc.kernels.cpu.convolution.conv_tiles import DIRECT, LINES, PLANES, SPREAD, TAPS, WINOGRAD

import kernel_references as references
from kernel_harness import backwards, close, filled, load, normal
from kernel_references import Window

CASES = [
    Window(1, 1, 1, 1, 1, 1, 1),
    Window(2, 5, 7, 3, 3, 3, 4, pad=(1, 1, 1, 1)),
    Window(1, 17, 9, 3, 7, 7, 64, stride=(2, 2), pad=(3, 3, 3, 3)),
    Window(2, 13, 11, 17, 3, 2, 31, stride=(2, 1), pad=(0, 1, 1, 0)),
    Window(1, 16, 16, 16, 3, 3, 32, pad=(1, 1, 1, 1)),
    Window(3, 9, 9, 65, 1, 1, 33),
    Window(2, 9, 8, 20, 1, 1, 17, stride=(2, 2)),
    Window(1, 12, 14, 8, 3, 3, 40, dilation=(2, 3), pad=(2, 2, 3, 3)),
    Window(2, 10, 10, 6, 2, 2, 5, stride=(3, 3)),
    Window(1, 6, 5, 40, 5, 5, 48, pad=(2, 2, 2, 2)),
    Window(1, 4, 4, 2, 2, 2, 3, stride=(4, 5)),
    Window(2, 3, 3, 16, 3, 3, 16, stride=(2, 2), dilation=(2, 1), pad=(2, 2, 1, 1)),
    Window(5, 14, 14, 32, 3, 3, 16, stride=(2, 2), pad=(0, 1, 0, 1)),
    Window(1, 30, 3, 130, 3, 3, 70, pad=(1, 1, 1, 1)),
    Window(0, 5, 5, 3, 3, 3, 4),
    Window(2, 5, 5, 3, 3, 3, 0),
    Window(2, 5, 5, 0, 3, 3, 4),
    Window(1, 2, 5, 3, 3, 3, 4),
    Window(40, 8, 8, 24, 3, 3, 24, pad=(1, 1, 1, 1)),
    Window(3, 20, 32, 1, 3, 32, 16),
    Window(2, 11, 32, 33, 3, 30, 17),
    Window(2, 9, 40, 20, 2, 9, 5, stride=(3, 7), dilation=(1, 2), pad=(2, 1, 3, 4)),
    Window(1, 5, 7, 1, 3, 3, 130, pad=(1, 1, 1, 1)),
    Window(3, 17, 65, 5, 5, 3, 8, pad=(2, 2, 1, 1)),
    Window(2, 31, 31, 40, 3, 3, 3, stride=(2, 1), dilation=(1, 2), pad=(1, 1, 2, 2)),
    Window(1, 9, 33, 17, 1, 1, 1),
    Window(1, 2, 16, 3, 3, 3, 4),
    Window(1, 40, 9, 2, 30, 3, 5, stride=(2, 1), dilation=(3, 1), pad=(25, 30, 1, 1)),
    Window(2, 19, 18, 20, 5, 5, 7, stride=(3, 2), dilation=(2, 3), pad=(1, 4, 0, 3)),
    Window(2, 13, 16, 36, 5, 4, 37, pad=(5, 5, 4, 0)),
    Window(7, 3, 8, 12, 3, 3, 6, pad=(1, 1, 1, 1)),
    Window(1, 21, 40, 2, 11, 11, 18, stride=(4, 4), pad=(2, 2, 2, 2)),
    Window(2, 12, 12, 9, 1, 5, 12, dilation=(1, 2), pad=(0, 0, 4, 4)),
    Window(3, 150, 34, 2, 4, 31, 9, stride=(2, 1), pad=(1, 2, 0, 0)),
    Window(2, 40, 21, 3, 5, 7, 35, stride=(1, 5), dilation=(2, 3), pad=(3, 1, 2, 0)),
    Window(2, 7, 64, 12, 2, 2, 17, stride=(2, 2)),
    Window(1, 9, 64, 12, 2, 2, 17, stride=(2, 2), dilation=(2, 1)),
    Window(1, 6, 48, 5, 2, 3, 20, stride=(3, 3), pad=(1, 0, 0, 0)),
    Window(2, 16, 16, 32, 7, 7, 40),
    Window(5, 17, 9, 70, 1, 1, 150),
    Window(9, 1, 1, 40, 3, 3, 33, pad=(1, 1, 1, 1)),
    Window(130, 1, 1, 3, 3, 3, 5, pad=(1, 1, 1, 1)),
]

WAYS = len(KERNELS["conv2d"].ways)


def arguments(size: Window) -> dict[str, list[int]]:
    return {"dims": [size.n, size.h, size.w, size.c, size.kh, size.kw, size.oc, size.oh, size.ow],
            "attrs": [*size.stride, *size.dilation, size.pad[0], size.pad[2]]}


def shapes(size: Window) -> tuple[tuple[int, ...], ...]:
    return ((size.n, size.h, size.w, size.c), (size.kh, size.kw, size.c, size.oc), (size.n, size.oh, size.ow, size.oc))


@pytest.mark.parametrize("dtype", ["f32", "f64"])
@pytest.mark.parametrize("size", CASES, ids=str)
def test_forward(size, dtype):
    kernel = load("conv2d")[f"conv2d.{dtype}"]
    x_shape, f_shape, y_shape = shapes(size)
    x, f = normal(x_shape, dtype, 1), normal(f_shape, dtype, 2)
    wanted = references.conv2d(x, f, size)
    for persistent in (False, True):
        for order in (range, backwards):
            y = filled(y_shape, dtype)
            assert kernel(x, f, y, persistent=persistent, order=order, **arguments(size)) == 0
            close(y, wanted, dtype, max(1.0, (size.kh * size.kw * size.c) ** 0.5))


@pytest.mark.parametrize("dtype", ["f32", "f64"])
@pytest.mark.parametrize("size", CASES, ids=str)
def test_input_grad(size, dtype):
    kernel = load("conv2d_input_grad")[f"conv2d_input_grad.{dtype}"]
    x_shape, f_shape, y_shape = shapes(size)
    dy, f = normal(y_shape, dtype, 1), normal(f_shape, dtype, 2)
    wanted = references.conv2d_input_grad(dy, f, size)
    results = []
    for persistent, order in ((False, range), (False, backwards), (True, backwards)):
        dx = filled(x_shape, dtype)
        assert kernel(dy, f, dx, persistent=persistent, order=order, **arguments(size)) == 0
        close(dx, wanted, dtype, max(1.0, (size.kh * size.kw * size.oc) ** 0.5))
        results.append(dx)
    for other in results[1:]:
        np.testing.assert_array_equal(results[0], other)       # order of tiles and packing are no matter


@pytest.mark.parametrize("dtype", ["f32", "f64"])
@pytest.mark.parametrize("size", CASES, ids=str)
def test_filter_grad(size, dtype):
    kernel = load("conv2d_filter_grad")[f"conv2d_filter_grad.{dtype}"]
    x_shape, f_shape, y_shape = shapes(size)
    x, dy = normal(x_shape, dtype, 1), normal(y_shape, dtype, 2)
    wanted = references.conv2d_filter_grad(x, dy, size)
    results = []
    for order in (range, backwards):
        df = filled(f_shape, dtype)
        assert kernel(x, dy, df, order=order, **arguments(size)) == 0
        close(df, wanted, dtype, max(1.0, (size.n * size.oh * size.ow) ** 0.5))
        results.append(df)
    np.testing.assert_array_equal(*results)


@pytest.mark.parametrize("size", [*CASES, Window(1, 12, 12, 20, 3, 3, 24, pad=(1, 1, 1, 1)),
                                  Window(2, 9, 11, 16, 5, 5, 31, pad=(2, 2, 2, 2))], ids=str)
def test_every_way_that_is_asked_for(size):
    """Each is right where it can be taken; where it cannot, another one is."""
    x_shape, f_shape, y_shape = shapes(size)
    x, f, dy = normal(x_shape, "f32", 1), normal(f_shape, "f32", 2), normal(y_shape, "f32", 3)
    given = {"conv2d": ((x, f), y_shape, references.conv2d(x, f, size), size.kh * size.kw * size.c),
             "conv2d_input_grad": ((dy, f), x_shape, references.conv2d_input_grad(dy, f, size),
                                   size.kh * size.kw * size.oc),
             "conv2d_filter_grad": ((x, dy), f_shape, references.conv2d_filter_grad(x, dy, size),
                                    size.n * size.oh * size.ow)}
    for name, (operands, shape, wanted, terms) in given.items():
        kernel = load(name)[f"{name}.f32"]
        for way in range(-1, WAYS):
            for persistent in (False, True) if name != "conv2d_filter_grad" else (False,):
                result = filled(shape, "f32")
                assert kernel(*operands, result, way=way, persistent=persistent, **arguments(size)) == 0
                close(result, wanted, "f32", 4 * max(1.0, terms ** 0.5))


@pytest.mark.parametrize("dtype", ["f32"])
@pytest.mark.parametrize("size", CASES, ids=str)
@pytest.mark.parametrize("operand", range(3))
def test_what_is_not_finite_reaches_what_depends_on_it(operand, size, dtype):
    """Zeros that stand for what is outside of a picture are not multiplied by it, whatever the way but Winograd's."""
    given = [normal(shape, dtype, seed) for seed, shape in enumerate(shapes(size))]
    for value, place in ((np.inf, 0), (np.nan, given[operand].size // 2), (-np.inf, given[operand].size - 1)):
        if given[operand].size > 2:
            given[operand].flat[place] = value
    x, f, dy = given
    for name, operands, wanted in (("conv2d", (x, f), references.conv2d), ("conv2d_input_grad", (dy, f),
                                   references.conv2d_input_grad), ("conv2d_filter_grad", (x, dy),
                                   references.conv2d_filter_grad)):
        with np.errstate(invalid="ignore"):
            exact = wanted(*operands, size)
        for way in (way for way in range(-1, WAYS) if way != WINOGRAD):
            found = filled(exact.shape, dtype)
            assert load(name)[f"{name}.{dtype}"](*operands, found, way=way, winograd=False, **arguments(size)) == 0
            np.testing.assert_array_equal(np.isnan(found), np.isnan(exact), f"{name} by way {way}")
            np.testing.assert_array_equal(np.isposinf(found), np.isposinf(exact), f"{name} by way {way}")


def test_a_way_that_is_asked_for_is_taken_where_the_sizes_allow_it():
    size = Window(2, 28, 28, 32, 3, 3, 32, pad=(1, 1, 1, 1))
    taken = {name: {int(load(name)[f"{name}.f32"].loaded.choice(*arguments(size).values(), way=way)[Choice.VARIANT])
                    for way in range(WAYS)} for name in ("conv2d", "conv2d_input_grad", "conv2d_filter_grad")}
    assert taken == {"conv2d": {LINES, TAPS, WINOGRAD}, "conv2d_input_grad": {LINES, TAPS, SPREAD, WINOGRAD},
                     "conv2d_filter_grad": {0, 1, WINOGRAD}}
    plain = load("conv2d")["conv2d.f64"].loaded.choice(*arguments(size).values(), way=WINOGRAD)
    without = load("conv2d")["conv2d.f32"].loaded.choice(*arguments(size).values(), winograd=False, way=WINOGRAD)
    assert WINOGRAD not in (plain[Choice.VARIANT], without[Choice.VARIANT])


def test_filters_that_reach_far_are_not_for_padded_lines():
    """Sizes whose lines would take more than scratch may hold, by numbers that do not fit 64 bits when multiplied."""
    reach = 1 << 16
    for dims in ([1, 8, 8, 1, 256, 256, 1, 1, 1], [1, 8, 1, 1 << 30, 1, 3, 1, 8, 1 << 20]):
        for name in ("conv2d", "conv2d_input_grad", "conv2d_filter_grad"):
            kernel = load(name)[f"{name}.f32"]
            choice = kernel.loaded.choice(dims, [1, 1, reach, reach, 1 << 24, 1 << 24])
            assert 0 <= choice[Choice.SCRATCH_BYTES] <= 1 << 34, (name, dims)
            assert choice[Choice.VARIANT] not in (LINES, PLANES) or choice[Choice.SCRATCH_BYTES] <= 4 << 20


def test_ways_are_chosen_by_sizes():
    cases = (("conv2d", Window(8, 28, 28, 1, 5, 5, 32), LINES), ("conv2d", Window(8, 28, 28, 8, 5, 5, 6), PLANES),
             ("conv2d", Window(8, 28, 28, 64, 7, 7, 64), TAPS), ("conv2d", Window(8, 28, 28, 64, 1, 1, 64), DIRECT),
             ("conv2d_input_grad", Window(8, 28, 28, 32, 5, 5, 20, stride=(2, 2)), LINES),
                 ("conv2d_input_grad", Window(8, 28, 28, 20, 5, 5, 40, stride=(2, 2)), SPREAD),
                 ("conv2d_input_grad", Window(8, 16, 16, 32, 7, 7, 64), SPREAD),
             ("conv2d_input_grad", Window(8, 28, 28, 64, 3, 3, 256, stride=(2, 2)), SPREAD),
             ("conv2d_input_grad", Window(1, 28, 28, 64, 2, 2, 20, stride=(2, 2)), SPREAD),
             ("conv2d_input_grad", Window(1, 28, 28, 64, 1, 1, 20, stride=(2, 2)), SPREAD),
             ("conv2d_input_grad", Window(8, 28, 28, 1, 5, 5, 20), PLANES),
             ("conv2d_input_grad", Window(8, 28, 28, 256, 7, 7, 256, pad=(3, 3, 3, 3)), TAPS))
    for name, size, way in cases:
        choice = load(name)[f"{name}.f32"].loaded.choice(arguments(size)["dims"], arguments(size)["attrs"])
        assert choice[Choice.VARIANT] == way, (name, size)


def test_input_grad_of_few_channels_or_columns_computes_no_tap_in_vain():
    """By spreading: the other way multiplies every pixel with every tap of its line, and as many channels as a panel
    has."""
    kernel = load("conv2d_input_grad")["conv2d_input_grad.f32"]
    for size, spreads in ((Window(64, 56, 32, 1, 3, 32, 16), True), (Window(4, 9, 32, 64, 3, 32, 16), True),
                          (Window(1, 28, 28, 3, 5, 5, 8, stride=(1, 2)), True),
                          (Window(1, 28, 28, 64, 3, 3, 8), False)):
        choice = kernel.loaded.choice(arguments(size)["dims"], arguments(size)["attrs"])
        assert (choice[Choice.VARIANT] == SPREAD) == spreads, size


@pytest.mark.parametrize("size", [Window(1, 1, 1000, 64, 1, 5, 64, pad=(0, 0, 2, 2)), Window(1, 1, 900, 100, 1, 1, 48),
                                  Window(1, 14, 14, 256, 1, 1, 512),
                                  Window(1, 28, 28, 140, 3, 3, 65, stride=(2, 2), pad=(1, 1, 1, 1))],
                         ids=str)
def test_a_line_and_a_small_picture_have_tiles_for_threads(size):
    """Cut from pixels, not from lines. What is not finite is mended pixel by pixel, in whatever tile it is."""
    kernel = load("conv2d")["conv2d.f32"]
    choice = kernel.loaded.choice(arguments(size)["dims"], arguments(size)["attrs"], winograd=False)
    assert choice[Choice.VARIANT] in (DIRECT, TAPS) and choice[Choice.TILES_1] >= 2
    x_shape, f_shape, y_shape = shapes(size)
    x, f, y = normal(x_shape, "f32", 1), normal(f_shape, "f32", 2), filled(y_shape, "f32")
    f[0, 0, 1, 3] = np.inf
    assert kernel(x, f, y, winograd=False, **arguments(size)) == 0
    with np.errstate(invalid="ignore"):
        wanted = references.conv2d(x, f, size)
    np.testing.assert_array_equal(np.isnan(y), np.isnan(wanted))
    close(np.where(np.isfinite(wanted), y, 0), np.where(np.isfinite(wanted), wanted, 0), "f32", 40.0)


def test_the_results_of_a_tile_stay_in_the_cache():
    """An epilogue reads them behind it: 256 KB, up to half more for a number of tiles that threads share evenly, unless
    that is too little work for a tile."""
    kernel = load("conv2d")["conv2d.f32"]
    for size in (Window(16, 56, 56, 64, 1, 1, 256), Window(32, 56, 56, 256, 1, 1, 64),
                 Window(64, 28, 28, 64, 7, 7, 64)):
        choice = kernel.loaded.choice(arguments(size)["dims"], arguments(size)["attrs"])
        assert 64 * 1024 <= 4 * choice[Choice.TILE_ELEMENTS] <= 384 * 1024, size
    thin = kernel.loaded.choice(arguments(Window(64, 56, 56, 1, 1, 1, 4096))["dims"],
                                arguments(Window(64, 56, 56, 1, 1, 1, 4096))["attrs"])
    assert 4 * thin[Choice.TILE_ELEMENTS] > 256 * 1024


def test_what_a_filters_gradient_treats_at_once_stays_in_the_cache():
    """The lines of x of a group, which the next group's come beside, are 128 KB, or 64 pixels."""
    kernel, limit = load("conv2d_filter_grad")["conv2d_filter_grad.f32"], 128 * 1024
    for size in (Window(8, 56, 56, 256, 1, 1, 64), Window(8, 56, 56, 256, 1, 1, 512, stride=(2, 2)),
                 Window(8, 28, 28, 96, 3, 3, 32, stride=(2, 2)), Window(8, 7, 7, 2048, 1, 1, 512)):
        choice = kernel.loaded.choice(arguments(size)["dims"], arguments(size)["attrs"])
        joined = size.kh * size.kw * size.stride[0] == 1                 # each pixel is a line
        pixels, line = (1, size.c) if joined else (size.ow, size.stride[0] * size.w * size.c)
        lines = choice[FILTER_GROUP_LINES]
        assert 4 * lines * line <= limit or lines == -(-64 // pixels), size
        assert 4 * (lines + 1) * line > limit // 2, size


@pytest.mark.parametrize("size", [Window(3, 9, 8, 5, 3, 3, 4, pad=(1, 1, 1, 1)), Window(4, 3, 3, 1, 2, 2, 1),
                                  Window(2, 11, 6, 4, 1, 1, 7, stride=(2, 2)),
                                  Window(2, 12, 4, 3, 3, 1, 2, dilation=(2, 1))], ids=str)
def test_what_comes_next_is_each_line_once(size):
    """The lines of groups one after the other, asked for while the group before is multiplied, are all of dy and x."""
    x_line, dy_line, lines = 4 * size.w * size.c, 4 * size.ow * size.oc, size.n * size.oh
    for group in (1, 2, 5):
        x_end, dy_end = None, group * dy_line
        for line in range(group, lines, group):
            count = min(group, lines - line)
            coming = coming_lines(0, 0, size.h, size.w, size.c, size.kh, size.oc, size.oh, size.ow, size.stride[0],
                                  size.dilation[0], size.pad[0], line, count, size.oc, True, 4)
            assert coming[:2] == (dy_end, count * dy_line)
            assert x_end is None or coming[2] == x_end
            dy_end, x_end = dy_end + count * dy_line, coming[2] + coming[3]
            for offset in (0, coming[1], coming[1] + coming[3]):
                inside = offset < coming[1] + coming[3]
                wanted = coming[0] if inside and offset == 0 else coming[2] + offset - coming[1] if inside else 0
                assert coming_part(coming, offset) == wanted
        last = (size.oh - 1) * size.stride[0] - size.pad[0] + (size.kh - 1) * size.dilation[0]
        met = (size.n - 1) * size.h + min(last + 1, size.h)
        assert dy_end == lines * dy_line and (x_end is None or x_end == met * x_line)


@pytest.mark.parametrize("columns", [1, 7, 16, 17, 31, 32, 40])
def test_a_panel_that_is_not_full_has_zeros(columns):
    """And nothing behind a row of B is read: the last one ends at a page that must not be touched."""
    size = Window(1, 1, 70, 18, 1, 1, columns)
    x_shape, f_shape, y_shape = shapes(size)
    x, dy, dw = normal(x_shape, "f32", 1), normal(y_shape, "f32", 2), filled(f_shape, "f32")
    assert load("conv2d_filter_grad")["conv2d_filter_grad.f32"](x, dy, dw, **arguments(size)) == 0
    close(dw, references.conv2d_filter_grad(x, dy, size), "f32", 40.0)


def test_what_comes_next_is_asked_for_evenly():
    """All of it by the last pixel, no more with a pixel than the panel of B has, and not less than half a line."""
    for asked, pixels, step in ((0, 1000, 32), (64 * 1000, 1000, 64), (70 * 1000, 1000, 96), (10**9, 1000, 128)):
        assert coming_step((0, asked // 2, 0, asked - asked // 2), pixels, 128) == step
