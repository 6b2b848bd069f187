"""Pooling and its gradients against NumPy in float64."""
import numpy as np
import pytest

import kernel_references as references
from kernel_harness import close, filled, load, normal
from kernel_references import Window

CASES = [
    Window(1, 1, 1, 1, 1, 1),
    Window(2, 6, 8, 5, 2, 2, stride=(2, 2)),
    Window(3, 7, 5, 17, 3, 3, stride=(2, 2), pad=(1, 1, 1, 1)),
    Window(1, 9, 9, 65, 3, 2, stride=(1, 3), pad=(0, 1, 1, 0)),
    Window(2, 4, 4, 130, 4, 4),
    Window(2, 5, 5, 3, 2, 2, stride=(3, 3)),
    Window(0, 5, 5, 3, 2, 2),
    Window(1, 31, 17, 8, 5, 5, stride=(2, 1), pad=(2, 2, 2, 2)),
    Window(1, 65, 31, 65, 3, 3, stride=(2, 2), pad=(1, 1, 1, 1)),     # several tiles: windows lie across their edges
    Window(3, 30, 65, 33, 4, 2, stride=(4, 2), pad=(0, 2, 0, 0)),
    Window(1, 130, 17, 65, 7, 3, pad=(3, 3, 1, 1)),
]
DTYPES = ["f32", "f64"]


def run(name: str, size: Window, *operands: np.ndarray) -> None:
    dims = [size.n, size.h, size.w, size.c, size.kh, size.kw, size.oh, size.ow]
    kernel = load("max_pool", "max_pool_grad", "max_pool_grad_grad", "avg_pool", "avg_pool_grad")[name]
    assert kernel(*operands, dims=dims, attrs=[*size.stride, size.pad[0], size.pad[2]]) == 0


def inputs(size: Window, dtype: str) -> tuple[np.ndarray, np.ndarray]:
    """x with many ties, and a gradient of y's shape."""
    x = np.round(normal((size.n, size.h, size.w, size.c), dtype, 3) * 2)
    return x, normal((size.n, size.oh, size.ow, size.c), dtype, 4)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("size", CASES, ids=str)
def test_max_pool(size, dtype):
    x, dy = inputs(size, dtype)
    wanted, where = references.max_pool(x, size)
    y = filled(dy.shape, dtype)
    run(f"max_pool.{dtype}", size, x, y)
    np.testing.assert_array_equal(y, wanted)

    dx = filled(x.shape, dtype)
    run(f"max_pool_grad.{dtype}", size, x, y, dy, dx)
    wanted_dx = np.zeros((size.n, size.h * size.w, size.c))
    picture, channel = np.arange(size.n)[:, None, None, None], np.arange(size.c)
    np.add.at(wanted_dx, (picture, where, channel), dy)
    close(dx.reshape(wanted_dx.shape), wanted_dx, dtype, 10)

    ddx = normal(x.shape, dtype, 5)
    ddy = filled(y.shape, dtype)
    run(f"max_pool_grad_grad.{dtype}", size, x, y, ddx, ddy)
    np.testing.assert_array_equal(ddy, ddx.reshape(size.n, size.h * size.w, size.c)[picture, where, channel])


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("size", CASES, ids=str)
def test_avg_pool(size, dtype):
    x, dy = inputs(size, dtype)
    y, dx = filled(dy.shape, dtype), filled(x.shape, dtype)
    run(f"avg_pool.{dtype}", size, x, y)
    close(y, references.avg_pool(x, size), dtype, 4)
    run(f"avg_pool_grad.{dtype}", size, dy, dx)
    close(dx, references.avg_pool_grad(dy, size), dtype, 4)


def test_max_pool_propagates_nan():
    size = Window(1, 4, 4, 1, 2, 2, stride=(2, 2))
    x = np.arange(16, dtype=np.float32).reshape(1, 4, 4, 1)
    x[0, 0, 1, 0] = np.nan
    y = filled((1, 2, 2, 1), "f32")
    run("max_pool.f32", size, x, y)
    np.testing.assert_array_equal(y.reshape(-1), [np.nan, 7, 13, 15])
