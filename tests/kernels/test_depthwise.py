"""Depthwise convolution and its gradients against NumPy in float64."""
import numpy as np
import pytest

from kernel_harness import backwards, close, filled, load, normal
from kernel_references import Window

CASES = [
    Window(1, 1, 1, 1, 1, 1),
    Window(2, 5, 7, 3, 3, 3, pad=(1, 1, 1, 1)),
    Window(1, 17, 19, 16, 3, 3, pad=(1, 1, 1, 1)),
    Window(1, 17, 9, 17, 7, 5, stride=(2, 2), pad=(3, 3, 2, 2)),
    Window(2, 13, 11, 31, 3, 2, stride=(2, 1), pad=(0, 1, 1, 0)),
    Window(1, 12, 14, 8, 3, 3, dilation=(2, 3), pad=(2, 2, 3, 3)),
    Window(2, 10, 10, 65, 2, 2, stride=(3, 3)),
    Window(1, 11, 13, 40, 3, 3, stride=(2, 3), dilation=(3, 2), pad=(3, 2, 1, 4)),
    Window(1, 9, 9, 20, 3, 4, stride=(4, 6), dilation=(2, 4), pad=(2, 2, 5, 5)),
    Window(3, 30, 30, 33, 3, 3, pad=(1, 1, 1, 1)),
    Window(0, 5, 5, 3, 3, 3),
    Window(2, 5, 5, 0, 3, 3),
    Window(1, 2, 5, 3, 3, 3),
    Window(2, 3, 3, 16, 5, 5, pad=(4, 4, 4, 4)),
    Window(1, 17, 31, 65, 7, 7, pad=(3, 3, 3, 3)),
    Window(2, 9, 9, 33, 5, 5, pad=(2, 2, 2, 2)),
    Window(3, 7, 7, 17, 7, 7, pad=(3, 3, 3, 3)),
    Window(1, 12, 13, 16, 4, 7, dilation=(2, 1), pad=(0, 6, 6, 6)),
    Window(2, 9, 31, 40, 3, 3, stride=(2, 2), pad=(1, 1, 1, 1)),
    Window(1, 6, 133, 33, 5, 5, stride=(1, 2), pad=(2, 2, 2, 1)),        # channels part by part
    Window(1, 3, 260, 17, 3, 7, pad=(1, 1, 3, 3)),
    Window(1, 5, 3, 20, 3, 5, stride=(1, 2), pad=(1, 1, 9, 9)),          # most positions lie outside
]
DTYPES = ["f32", "f64"]


def arguments(size: Window, *more: int) -> dict[str, list[int]]:
    return {"dims": [size.n, size.h, size.w, size.c, size.kh, size.kw, size.oh, size.ow, size.pad[0], size.pad[2]],
            "attrs": [*size.stride, *size.dilation, *more]}


def operands(size: Window, dtype: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return (normal((size.n, size.h, size.w, size.c), dtype, 1), normal((size.kh, size.kw, size.c), dtype, 2),
            normal((size.n, size.oh, size.ow, size.c), dtype, 3))


@pytest.mark.parametrize("order", [range, backwards])
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("size", CASES, ids=str)
def test_depthwise(size, dtype, order):
    kernels = load("depthwise_conv2d", "depthwise_conv2d_input_grad", "depthwise_conv2d_filter_grad")
    x, f, dy = operands(size, dtype)
    y, dx, df = (np.zeros(a.shape) for a in (dy, x, f))
    for u, v, rows, columns, i, j in size.taps():
        inside, out = (slice(None), i[:, None], j), (slice(None), rows[:, None], columns)
        y[out] += x[inside].astype(np.float64) * f[u, v]
        dx[inside] += dy[out].astype(np.float64) * f[u, v]
        df[u, v] = (x[inside].astype(np.float64) * dy[out]).sum((0, 1, 2))
    for name, given, wanted, more in (("", (x, f), y, [0]), ("_input_grad", (dy, f), dx, []),
                                      ("_filter_grad", (x, dy), df, [])):
        found = filled(wanted.shape, dtype)
        assert kernels[f"depthwise_conv2d{name}.{dtype}"](*given, found, order=order, **arguments(size, *more)) == 0
        close(found, wanted, dtype, max(1.0, np.abs(wanted).max(initial=0)))


@pytest.mark.parametrize("dtype", DTYPES)
def test_flipped_taps_are_the_gradient_without_stride(dtype):
    size = Window(2, 9, 11, 24, 3, 3, dilation=(1, 2), pad=(1, 1, 2, 2))
    kernels = load("depthwise_conv2d", "depthwise_conv2d_input_grad")
    _, f, dy = operands(size, dtype)
    by_gradient, by_flip = filled((2, 9, 11, 24), dtype), filled((2, 9, 11, 24), dtype)
    assert kernels[f"depthwise_conv2d_input_grad.{dtype}"](dy, f, by_gradient, **arguments(size)) == 0
    assert kernels[f"depthwise_conv2d.{dtype}"](dy, f, by_flip, **arguments(size, 1)) == 0
    close(by_flip, by_gradient, dtype, 10)


@pytest.mark.parametrize("operand", range(3))
@pytest.mark.parametrize("size", CASES, ids=str)
def test_what_is_not_finite_reaches_what_depends_on_it(size, operand):
    kernels = load("depthwise_conv2d", "depthwise_conv2d_input_grad", "depthwise_conv2d_filter_grad")
    given = operands(size, "f32")
    for value, place in ((np.inf, 0), (np.nan, given[operand].size // 2), (-np.inf, given[operand].size - 1)):
        if given[operand].size > 2:
            given[operand].flat[place] = value
    x, f, dy = (a.astype(np.float64) for a in given)
    y, dx, df = (np.zeros(a.shape) for a in (dy, x, f))
    with np.errstate(invalid="ignore"):
        for u, v, rows, columns, i, j in size.taps():
            inside, out = (slice(None), i[:, None], j), (slice(None), rows[:, None], columns)
            y[out] += x[inside] * f[u, v]
            dx[inside] += dy[out] * f[u, v]
            df[u, v] = (x[inside] * dy[out]).sum((0, 1, 2))
    for name, taken, wanted, more in (("", (0, 1), y, [0]), ("_input_grad", (2, 1), dx, []),
                                      ("_filter_grad", (0, 2), df, [])):
        found = filled(wanted.shape, "f32")
        kernels[f"depthwise_conv2d{name}.f32"](*(given[i] for i in taken), found, **arguments(size, *more))
        np.testing.assert_array_equal(np.isnan(found), np.isnan(wanted))
        np.testing.assert_array_equal(np.isfinite(found), np.isfinite(wanted))
