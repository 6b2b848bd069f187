"""Pads in front of convolutions and max pooling become theirs, where that gives the same."""
from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import graphc as gc
from graphc.passes.images.layout import layout
from graphc.passes.images.pads import pads
from graphc.passes.simplification.fold_constants import fold_constants
from graphc.passes.simplification.simplify import simplify

from checking import check_compiled, check_rewrite, flow_of

X = np.random.default_rng(0).standard_normal((2, 9, 7, 3)).astype(np.float32)
FILTER = np.random.default_rng(1).standard_normal((3, 3, 3, 5)).astype(np.float32)
AROUND = [[0, 0], [2, 1], [1, 2], [0, 0]]


def left(y: Any, x: Any, value: np.ndarray, after: list[str]) -> None:
    """The ops behind the pass, which computes the same, and so does the Plan."""
    flow = flow_of([y], [x])
    for rewriting in (fold_constants, simplify, layout):
        flow = rewriting(flow)
    check_rewrite(flow, pads, [value], after)
    check_compiled([y], [x], [value], tolerance=1e-4)


def convolved(kind: str, x: Any, w: Any, padding: Any) -> Any:
    if kind == "depthwise":
        return gc.nn.depthwise_conv2d(x, w[..., :2], [1, 2, 2, 1], padding)
    return gc.nn.conv2d(x, w, 2, padding)


@pytest.mark.parametrize("padding", ["VALID", [[0, 0], [1, 0], [0, 2], [0, 0]]], ids=str)
@pytest.mark.parametrize("kind", ["conv", "depthwise"])
def test_zeros_in_front_of_a_convolution(kind: str, padding: Any) -> None:
    with gc.Graph().as_default():
        x = gc.placeholder(gc.float32, [None, None, None, 3])
        op = "DepthwiseConv2dNative" if kind == "depthwise" else "Conv2D"
        w = FILTER[..., :2] if kind == "depthwise" else FILTER
        left(convolved(kind, gc.pad(x, AROUND), w, padding), x, X, [op])


def test_channels_first() -> None:
    with gc.Graph().as_default():
        x = gc.placeholder(gc.float32, [None, 3, None, None])
        wide = gc.pad(x, [AROUND[i] for i in (0, 3, 1, 2)])
        y = gc.nn.max_pool(gc.nn.conv2d(wide, FILTER, [1, 1, 2, 2], "VALID", data_format="NCHW"), 2, 1, "VALID", "NCHW")
        left(y, x, X.transpose(0, 3, 1, 2).copy(), ["Conv2D", "MaxPool", "Transpose", "Transpose"])


@pytest.mark.parametrize("window,stride", [((3, 3), 2), ((4, 3), 1), ((3, 5), (3, 2))])
def test_minus_infinity_in_front_of_max_pooling(window: Any, stride: Any) -> None:
    picture = X.copy()
    picture[0, 0, 0, 0], picture[1, 3, 3, 1], picture[0, :4, :4, 2] = np.nan, np.inf, -np.inf
    with gc.Graph().as_default():
        x = gc.placeholder(gc.float32, [None, None, None, 3])
        y = gc.nn.max_pool(gc.pad(x, AROUND, constant_values=-np.inf), window, stride, "VALID")
        left(y, x, picture, ["_PaddedMaxPool"])


def test_what_would_give_something_else_stays() -> None:
    infinite = FILTER.copy()
    infinite[0, 0, 0, 0] = np.inf
    with gc.Graph().as_default():
        x = gc.placeholder(gc.float32, [2, 9, 7, 3])
        zeros, ones = gc.pad(x, AROUND), gc.pad(x, AROUND, constant_values=1.0)
        lowest = gc.pad(x, [[0, 0], [3, 0], [0, 0], [0, 0]], constant_values=-np.inf)
        with np.errstate(invalid="ignore"):
            left(gc.nn.conv2d(zeros, infinite, 2, "VALID"), x, np.abs(X), ["Conv2D", "Pad"])
        left(gc.nn.conv2d(zeros, FILTER, 2, "SAME"), x, X, ["Conv2D", "Pad"])
        left(gc.nn.conv2d(ones, FILTER, 2, "VALID"), x, X, ["Conv2D", "PadV2"])
        left(gc.nn.conv2d(gc.pad(x, [[0, 0], [0, 0], [0, 0], [0, 1]]), FILTER[:, :, [0, 1, 2, 0]], 2, "VALID"), x, X,
             ["Conv2D", "Pad"])
        left(gc.nn.max_pool(zeros, 3, 2, "VALID"), x, X, ["MaxPool", "Pad"])
        left(gc.nn.max_pool(lowest, 3, 2, "VALID"), x, X, ["MaxPool", "PadV2"])      # a window of the pad alone


def test_a_pad_that_others_read_stays_for_them() -> None:
    with gc.Graph().as_default():
        x = gc.placeholder(gc.float32, [None, 9, 7, 3])
        wide = gc.pad(x, AROUND, constant_values=-np.inf)
        check_compiled([gc.nn.max_pool(wide, 3, 2, "VALID"), gc.exp(wide)], [x], [X])


def test_gradients_of_what_is_padded() -> None:
    """Those of the pooling read the padded picture, too."""
    one = [[0, 0], [1, 1], [1, 1], [0, 0]]
    with gc.Graph().as_default(), gc.Session() as session:
        x = gc.placeholder(gc.float32, [None, 9, None, 3])
        wide = gc.pad(gc.nn.conv2d(gc.pad(x, AROUND), FILTER, 1, "VALID"), one, constant_values=-np.inf)
        ways = [gc.nn.max_pool(wide, 3, 1, "VALID"),
                gc.nn.max_pool(gc.nn.conv2d(x, FILTER, 1, AROUND), 3, 1, "SAME")]
        found = session.run([[y, gc.gradients(gc.reduce_sum(y * y), x)[0]] for y in ways], {x: X})
    for padded, own in zip(*found, strict=True):
        np.testing.assert_allclose(padded, own, rtol=1e-5, atol=1e-5)
