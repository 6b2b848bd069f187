"""Convolutions in groups and their gradients against NumPy in float64."""
import numpy as np
import pytest

from graphc.kernels.contracts.all import KERNELS
from graphc.kernels.cpu.grouped.grouped import PRODUCTS

from kernel_harness import backwards, close, filled, load, normal
from kernel_references import Window

# Window's c and oc are those of a group; with each the number of groups.
CASES = [
    (1, Window(1, 5, 6, 3, 3, 3, 4, pad=(1, 1, 1, 1))),
    (32, Window(1, 9, 15, 4, 3, 3, 4, pad=(1, 1, 1, 1))),
    (7, Window(2, 8, 9, 8, 3, 3, 8, stride=(2, 2), pad=(0, 1, 0, 1))),
    (5, Window(1, 7, 31, 2, 3, 5, 3, pad=(1, 1, 2, 2))),
    (3, Window(2, 17, 8, 5, 3, 3, 6, dilation=(2, 3), pad=(2, 2, 3, 3))),
    (6, Window(1, 7, 7, 16, 3, 3, 16, pad=(1, 1, 1, 1))),
    (4, Window(3, 6, 17, 32, 3, 3, 32, stride=(2, 1), pad=(1, 1, 1, 1))),
    (3, Window(1, 5, 3, 33, 3, 3, 65, pad=(1, 1, 1, 1))),
    (2, Window(1, 12, 13, 24, 1, 1, 40)),
    (9, Window(2, 4, 5, 1, 3, 3, 1, pad=(1, 1, 1, 1))),
    (4, Window(1, 11, 9, 3, 4, 6, 1, stride=(3, 2), dilation=(2, 1), pad=(4, 3, 2, 5))),
    (3, Window(1, 10, 33, 12, 2, 7, 7, stride=(1, 4), dilation=(1, 3), pad=(0, 0, 9, 8))),
    (17, Window(1, 3, 1, 4, 3, 3, 4, pad=(1, 1, 1, 1))),
    (2, Window(1, 9, 9, 17, 5, 5, 3, stride=(5, 6), dilation=(2, 4), pad=(4, 4, 8, 8))),
    (4, Window(0, 5, 5, 3, 3, 3, 4)),
    (4, Window(2, 5, 5, 0, 3, 3, 4)),
    (4, Window(2, 5, 5, 4, 3, 3, 0)),
    (3, Window(1, 0, 5, 4, 1, 3, 4, pad=(1, 1, 1, 1))),
    (2, Window(1, 3, 260, 2, 1, 3, 2, pad=(0, 0, 1, 1))),
    (65, Window(3, 33, 20, 2, 3, 3, 2, pad=(1, 1, 1, 1))),
]
NAMES = ("grouped_conv2d", "grouped_conv2d_input_grad", "grouped_conv2d_filter_grad")


def arguments(size: Window, groups: int) -> dict[str, list[int]]:
    return {"dims": [size.n, size.h, size.w, groups, size.c, size.kh, size.kw, size.oc, size.oh, size.ow],
            "attrs": [*size.stride, *size.dilation, size.pad[0], size.pad[2]]}


def shapes(size: Window, groups: int) -> tuple[tuple[int, ...], ...]:
    return ((size.n, size.h, size.w, groups * size.c), (size.kh, size.kw, size.c, groups * size.oc),
            (size.n, size.oh, size.ow, groups * size.oc))


def wanted(x, f, dy, size: Window, groups: int) -> list[np.ndarray]:
    """y, dx and dw in float64, each tap where it is inside, so that nothing outside is multiplied."""
    x_shape, f_shape, dy_shape = shapes(size, groups)
    x, f, dy = (a.astype(np.float64).reshape(*a.shape[:3], groups, a.shape[3] // groups) for a in (x, f, dy))
    y, dx, dw = np.zeros(dy.shape), np.zeros(x.shape), np.zeros(f.shape)
    with np.errstate(invalid="ignore"):
        for u, v, rows, columns, i, j in size.taps():
            inside, out = (slice(None), i[:, None], j), (slice(None), rows[:, None], columns)
            y[out] += np.einsum("nijgc,cgo->nijgo", x[inside], f[u, v])
            dx[inside] += np.einsum("nijgo,cgo->nijgc", dy[out], f[u, v])
            dw[u, v] = np.einsum("nijgc,nijgo->cgo", x[inside], dy[out])
    return [a.reshape(shape) for a, shape in zip((y, dx, dw), (dy_shape, x_shape, f_shape), strict=True)]


def all_three(x, f, dy, results, dtype, size, groups, **how):
    """Runs the kernel and both gradients; their results, in `results`."""
    for name, given, found in zip(NAMES, ((x, f), (dy, f), (x, dy)), results, strict=True):
        packed = {} if name == NAMES[0] else {"persistent": False}
        assert load(*NAMES)[f"{name}.{dtype}"](*given, found, **arguments(size, groups), **{**how, **packed}) == 0
    return results


@pytest.mark.parametrize("dtype", ["f32", "f64"])
@pytest.mark.parametrize("groups, size", CASES, ids=str)
def test_grouped(groups, size, dtype):
    x, f, dy = (normal(shape, dtype, seed) for seed, shape in enumerate(shapes(size, groups)))
    right = wanted(x, f, dy, size, groups)
    for how in ({"persistent": True}, {"order": backwards}, {"way": PRODUCTS}):
        found = all_three(x, f, dy, [filled(a.shape, dtype) for a in right], dtype, size, groups, **how)
        for result, exact in zip(found, right, strict=True):
            close(result, exact, dtype, max(1.0, np.abs(exact).max(initial=0)))


@pytest.mark.parametrize("dtype", ["f32", "f64"])
@pytest.mark.parametrize("groups, size", CASES[1:8], ids=str)
@pytest.mark.parametrize("operand", range(3))
def test_what_is_not_finite_reaches_what_depends_on_it(operand, groups, size, dtype):
    given = [normal(shape, dtype, seed) for seed, shape in enumerate(shapes(size, groups))]
    for value, place in ((np.inf, 0), (np.nan, given[operand].size // 2), (-np.inf, given[operand].size - 1)):
        given[operand].flat[place] = value
    right = wanted(*given, size, groups)
    found = all_three(*given, [filled(a.shape, dtype) for a in right], dtype, size, groups)
    for result, exact in zip(found, right, strict=True):
        np.testing.assert_array_equal(np.isfinite(result), np.isfinite(exact))
        np.testing.assert_array_equal(np.isnan(result), np.isnan(exact))


def test_ways_are_declared():
    assert all(KERNELS[name].ways[PRODUCTS] == "products" for name in NAMES)
