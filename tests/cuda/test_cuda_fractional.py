"""Fractional pooling, glimpses, drawn boxes and truncated normal numbers on the device: the CPU's bits."""
from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import graphc as gc
from graphc.ir.apply import apply
from graphc.ops.nn.fractional_pool import FractionalAvgPoolGrad, FractionalMaxPoolGrad
from graphc.ops.random.truncated import ParameterizedTruncatedNormal

from on_both import check_equal, refused
from stand_in import StandIn

RANDOM = np.random.default_rng(23)


def numbers(*shape: int) -> np.ndarray:
    """With equal ones and what is no number."""
    made = (RANDOM.integers(-6, 6, shape) / 4).astype(np.float32)
    made.flat[3::41], made.flat[5::43] = np.nan, np.inf
    return made


@pytest.mark.parametrize(("pseudo", "overlapping"), [(False, True), (True, False)])
def test_drawn_windows(device: Any, pseudo: bool, overlapping: bool) -> None:
    """Of sizes that the run tells; as many windows as rows, one, and between."""
    def build() -> Any:
        found: list[Any] = []
        for ratio, pool in ((1.0, gc.nn.fractional_avg_pool), (1.7, gc.nn.fractional_max_pool),
                            (5.0, gc.nn.fractional_avg_pool)):
            x = gc.placeholder(gc.float32, [None, None, None, 3])
            y, rows, columns = pool(x, [1.0, ratio, 1.3, 1.0], pseudo, overlapping, deterministic=True, seed=3,
                                    seed2=4)
            found += [y, rows, columns, *gc.gradients(gc.square(y), x)]
        return found

    before = device.work["launch"]
    check_equal(build, *(numbers(2, 5, 7, 3) for _ in range(3)))
    assert device.work["launch"] >= before + 3 * 5


@pytest.mark.parametrize("overlapping", [False, True])
def test_given_edges(device: Any, overlapping: bool) -> None:
    """Windows that leave elements out at both ends; with overlapping ones, the same place twice."""
    def build() -> Any:
        x, dy = gc.placeholder(gc.float32, [None, None, None, 2]), gc.placeholder(gc.float32, [None, None, None, 2])
        rows, columns = gc.placeholder(gc.int64, [None]), gc.placeholder(gc.int64, [None])
        return [apply(FractionalMaxPoolGrad, x, dy * 1.0, dy, rows, columns, overlapping=overlapping),
                apply(FractionalAvgPoolGrad, gc.shape(x, out_type=gc.int64), dy, rows, columns,
                      overlapping=overlapping)]

    x, dy, columns = numbers(2, 8, 6, 2), numbers(2, 3, 2, 2), np.array([0, 4, 6])
    check_equal(build, x, dy, np.array([1, 2, 5, 6]), columns)
    if overlapping:
        check_equal(build, x, dy, np.array([2, 4, 4, 7]), columns)
    for rows in ([1, 1, 4, 5] if not overlapping else [1, 4, 3, 5], [0, 2, 4, 9], [-1, 2, 4, 5]):
        refused(build, x, dy, np.array(rows), columns)


def test_glimpses_and_boxes(device: Any) -> None:
    def build() -> Any:
        image, place = gc.placeholder(gc.float32, [None, 9, 7, 2]), gc.placeholder(gc.float32, [None, 2])
        box, color = gc.placeholder(gc.float32, [None, None, 4]), gc.placeholder(gc.float32, [None, 3])
        glimpses = [gc.image.extract_glimpse(image, [5, 4], place, centered, normalized, uniform_noise=False)
                    for centered in (False, True) for normalized in (False, True)]
        return [*glimpses, gc.image.draw_bounding_boxes(gc.concat([image, image[..., :1]], 3), box, colors=color),
                gc.image.draw_bounding_boxes(image[..., :1], box)]

    places = np.array([[0.1, -0.3], [0.9, 1.4], [np.nan, 0], [4, 1e30], [-1, 6.5]], np.float32)
    corners = RANDOM.uniform(-0.4, 1.3, (5, 6, 4)).astype(np.float32)
    corners[0, 1] = [0.2, np.nan, 0.8, 0.9]
    corners[1, :3] = [[0, 0, 1, 1], [0.5, 0.5, 0.5, 0.5], [-2, -2, 3e38, 5]]
    before = device.work["launch"]
    check_equal(build, numbers(5, 9, 7, 2), places, corners, numbers(4, 3))
    assert device.work["launch"] >= before + 6


def test_truncated_normal_numbers(device: Any) -> None:
    """Around the mean, in either tail, near one another and far apart."""
    def build() -> Any:
        mean, deviation, low, high = (gc.placeholder(gc.float64, [None]) for _ in range(4))
        return [apply(ParameterizedTruncatedNormal, [len(rows[0]), 3], mean, deviation, low, high, seed=2)]

    rows = np.array([[0, 1, -1, 1], [0, 1, -9, 9], [2, 0.5, 3, 3.1], [2, 0.5, 3, 99], [-1, 2, -80, -9],
                     [0, 1, -5, -4.99], [1, 3, 1, np.inf], [0, 1, 9, 10]], np.float64).T
    rows = rows[:, 2:5] if isinstance(device, StandIn) else rows   # which takes its time
    before = device.work["launch"]
    check_equal(build, *rows)
    assert device.work["launch"] > before
    for bad in ([0, 1, 1, 1], [0, 0, -1, 1], [0, np.nan, -1, 1])[:1 if isinstance(device, StandIn) else 3]:
        refused(build, *np.concatenate([rows[:, 1:], np.array(bad, np.float64)[:, None]], axis=1))
