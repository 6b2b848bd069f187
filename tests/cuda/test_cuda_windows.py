"""Convolutions, pooling and their gradients on the device, against the CPU's."""
from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import graphc as gc
from graphc.exec.cuda.calls import convolutions, products
from graphc.exec.cuda.code.windows import reciprocal

from on_both import check_close
from stand_in import StandIn

RANDOM = np.random.default_rng(4)


def pictures(*shape: int) -> np.ndarray:
    return RANDOM.standard_normal(shape).astype(np.float32)


@pytest.mark.parametrize(("kernel", "strides", "padding", "dilation"), [
    ((3, 3), (1, 1), "SAME", (1, 1)), ((3, 2), (2, 1), "VALID", (1, 1)), ((2, 3), (2, 3), "SAME", (1, 1)),
    ((1, 1), (1, 1), "SAME", (1, 1)), ((1, 1), (2, 2), "VALID", (1, 1)), ((3, 3), (1, 1), "SAME", (2, 2)),
    ((5, 4), (3, 2), "SAME", (1, 1))])
def test_convolution_and_gradients(device: Any, kernel: Any, strides: Any, padding: str, dilation: Any) -> None:
    def build() -> Any:
        x, f = gc.placeholder(gc.float32, [None, 7, 6, 3]), gc.placeholder(gc.float32, [*kernel, 3, 4])
        y = gc.nn.conv2d(x, f, [1, *strides, 1], padding, dilations=[1, *dilation, 1])
        return [y, gc.nn.relu(y + 0.5), *gc.gradients(gc.reduce_sum(y * y), [x, f])]

    check_close(build, pictures(3, 7, 6, 3), pictures(*kernel, 3, 4), tolerance=1e-4)


@pytest.mark.parametrize(("groups", "strides", "padding", "dilation"), [
    (1, (1, 1), "SAME", (1, 1)), (1, (2, 3), "SAME", (1, 1)), (2, (1, 1), "SAME", (2, 1)), (3, (2, 1), "SAME", (1, 1)),
    (1, (1, 2), [[0, 0], [3, 1], [0, 2], [0, 0]], (1, 1))])
def test_what_is_outside_of_a_picture_makes_no_nan(device: Any, groups: int, strides: Any, padding: Any, dilation: Any,
                                                   monkeypatch: Any) -> None:
    """As on the CPU; an infinity or NaN in the filter, in x or in dy alone, so that most results must stay numbers."""
    monkeypatch.setattr(convolutions, "MOVED", 1e-9)
    shape = (3, 2, 2, 3 * groups)

    def build() -> Any:
        x, f = gc.placeholder(gc.float32, [None, 7, 6, 2 * groups]), gc.placeholder(gc.float32, shape)
        y = gc.nn.conv2d(x, f, [1, *strides, 1], padding, dilations=[1, *dilation, 1])
        dy = gc.placeholder(gc.float32, [None, None, None, 3 * groups])
        return [y, *gc.gradients(y, [x, f], dy)]

    x, f = pictures(2, 7, 6, 2 * groups), pictures(*shape)
    rows, columns = (7 + 4 - 3) // strides[0] + 1, (6 + 2 - 2) // strides[1] + 1
    if padding == "SAME":
        rows, columns = -(-7 // strides[0]), -(-6 // strides[1])
    dy = pictures(2, rows, columns, 3 * groups)
    for place, value in ((f, np.inf), (dy, np.nan)) if isinstance(device, StandIn) else (
            (f, np.nan), (f, np.inf), (x, -np.inf), (dy, np.inf)):
        spoiled = place.copy()
        spoiled[0, 0, 0, 1] = spoiled[-1, -1, 1, 0] = value
        check_close(build, *(spoiled if given is place else given for given in (x, f, dy)), tolerance=1e-4)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("channels", "filters"), [(1, 1), (2, 3), (4, 8), (8, 33)])
def test_channels_that_are_and_are_not_read_16_bytes_at_a_time(device: Any, channels: int, filters: int,
                                                               dtype: str) -> None:
    def build() -> Any:
        kind = getattr(gc, dtype)
        x, f = gc.placeholder(kind, [None, 9, 8, channels]), gc.placeholder(kind, [3, 3, channels, filters])
        y = gc.nn.conv2d(x, f, [1, 1, 2, 1], "SAME")
        return [y, *gc.gradients(gc.reduce_sum(y * y), [x, f])]

    weights = pictures(3, 3, channels, filters).astype(dtype)
    check_close(build, pictures(3, 9, 8, channels).astype(dtype), weights, tolerance=2e-4)
    check_close(build, pictures(0, 9, 8, channels).astype(dtype), weights)


@given(st.integers(1, (1 << 31) - 1), st.integers(0, (1 << 31) - 1))
def test_dividing_by_a_reciprocal(size: int, x: int) -> None:
    for number in (x, x // size * size, max(x // size * size - 1, 0)):
        assert number * (reciprocal(size) & 0xFFFFFFFF) >> (reciprocal(size) >> 32) == number // size


@pytest.mark.parametrize("channels", [3, 4])
def test_large_tiles_of_windows(device: Any, channels: int, monkeypatch: Any) -> None:
    monkeypatch.setattr(products, "MULTIPROCESSORS", 1)

    def build() -> Any:
        x, f = gc.placeholder(gc.float32, [None, 15, 14, channels]), gc.placeholder(gc.float32, [2, 3, channels, 130])
        y = gc.nn.conv2d(x, f, [1, 1, 1, 1], "VALID")
        return [y, *gc.gradients(gc.reduce_sum(y * y), [x, f])]

    check_close(build, pictures(1, 15, 14, channels), pictures(2, 3, channels, 130), tolerance=2e-3)


@pytest.mark.parametrize(("kernel", "strides", "padding"), [
    ((2, 2), (2, 2), "SAME"), ((3, 3), (1, 1), "SAME"), ((3, 2), (2, 3), "VALID"), ((1, 2), (3, 3), "VALID")])
def test_pooling_and_gradients(device: Any, kernel: Any, strides: Any, padding: str) -> None:
    def build() -> Any:
        x = gc.placeholder(gc.float32, [None, 7, 6, 3])
        most = gc.nn.max_pool(x, [1, *kernel, 1], [1, *strides, 1], padding)
        mean = gc.nn.avg_pool(x, [1, *kernel, 1], [1, *strides, 1], padding)
        return [most, mean, *gc.gradients(gc.reduce_sum(most * most), x), *gc.gradients(gc.reduce_sum(mean * mean), x)]

    given = np.round(pictures(2, 7, 6, 3) * 2)                 # with equal elements
    check_close(build, given, tolerance=1e-5)


def test_a_small_convolutional_net_learns(device: Any) -> None:
    def build() -> Any:
        x, t = gc.placeholder(gc.float32, [None, 6, 6, 1]), gc.placeholder(gc.int32, [None])
        y = gc.layers.max_pooling2d(gc.layers.conv2d(x, 3, 3, padding="same", activation=gc.nn.relu), 2, 2)
        losses = gc.nn.sparse_softmax_cross_entropy_with_logits(
            labels=t, logits=gc.layers.dense(gc.layers.flatten(y), 4))
        loss = gc.reduce_mean(losses)
        return [loss, gc.train.MomentumOptimizer(0.1, 0.9).minimize(loss)]

    check_close(build, pictures(6, 6, 6, 1), RANDOM.integers(0, 4, 6).astype(np.int32), runs=2, tolerance=1e-4)


@pytest.mark.parametrize("moved", [1e-9, 1e9], ids=["windows", "columns"])
@pytest.mark.parametrize("strides,dilations,padding", [((1, 1), (1, 1), "SAME"), ((2, 3), (1, 1), "SAME"),
                                                       ((1, 1), (2, 3), "VALID"), ((3, 1), (1, 1), "VALID")])
def test_both_ways_of_an_input_gradient(device: Any, strides: Any, dilations: Any, padding: str, moved: float,
                                        monkeypatch: Any) -> None:
    monkeypatch.setattr(convolutions, "MOVED", moved)

    def build() -> Any:
        x, f = gc.placeholder(gc.float32, [None, 11, 13, 3]), gc.placeholder(gc.float32, [3, 4, 3, 5])
        y = gc.nn.conv2d(x, f, [1, *strides, 1], padding, dilations=[1, *dilations, 1])
        return [y, *gc.gradients(gc.reduce_sum(y * y), [x, f])]

    check_close(build, pictures(2, 11, 13, 3), pictures(3, 4, 3, 5), tolerance=1e-3)
    check_close(build, pictures(0, 11, 13, 3), pictures(3, 4, 3, 5))
