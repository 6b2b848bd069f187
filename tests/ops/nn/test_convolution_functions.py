"""The public functions of convolutions and poolings: ranks, data formats, aliases, holes, errors."""
from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import graphc as gc

RNG = np.random.default_rng(11)
SHAPES = ((2, 9, 3), (2, 7, 9, 3), (1, 5, 6, 7, 2))
ROWS, PICTURES, VOLUMES = (RNG.standard_normal(s).astype(np.float32) for s in SHAPES)
INPUTS = {1: ROWS, 2: PICTURES, 3: VOLUMES}


def run(y: Any, feeds: Any = None) -> np.ndarray:
    with gc.Session() as session:
        return session.run(y, feeds or {})


def first(x: np.ndarray) -> np.ndarray:
    """Channels first."""
    return np.moveaxis(x, -1, 1)


def filters(rank: int, out: int = 4) -> np.ndarray:
    return RNG.standard_normal((*(3, 2, 2)[:rank], INPUTS[rank].shape[-1], out)).astype(np.float32)


def convolved(x: np.ndarray, w: np.ndarray, padding: str, strides: list[int], rates: list[int]) -> np.ndarray:
    """By TensorFlow's definition, one result after the other."""
    sizes, window = x.shape[1:-1], w.shape[:-2]
    reach = [(k - 1) * r + 1 for k, r in zip(window, rates, strict=True)]
    if padding == "SAME":
        counts = [-(-n // s) for n, s in zip(sizes, strides, strict=True)]
        before = [max((c - 1) * s + k - n, 0) // 2 for c, s, k, n in zip(counts, strides, reach, sizes, strict=True)]
    else:
        counts, before = [(n - k) // s + 1 for n, k, s in zip(sizes, reach, strides, strict=True)], [0] * len(sizes)
    y = np.zeros((x.shape[0], *counts, w.shape[-1]))
    for place in np.ndindex(*counts):
        for tap in np.ndindex(*window):
            at = [p * s - b + t * r for p, s, b, t, r in zip(place, strides, before, tap, rates, strict=True)]
            if all(0 <= a < n for a, n in zip(at, sizes, strict=True)):
                y[(slice(None), *place)] += x[(slice(None), *at)] @ w[tap].astype(np.float64)
    return y


@pytest.mark.parametrize("padding", ["SAME", "VALID"])
@pytest.mark.parametrize("steps", [("strides", 2), ("dilation_rate", 2), ("strides", 1)])
@pytest.mark.parametrize("layout", ["last", "first"])
@pytest.mark.parametrize("rank", [1, 2, 3])
def test_convolution_of_any_rank(rank: int, layout: str, steps: tuple[str, int], padding: str) -> None:
    x, w = INPUTS[rank], filters(rank)
    given = {steps[0]: [steps[1]] * rank}
    wanted = convolved(x, w, padding, given.get("strides", [1] * rank), given.get("dilation_rate", [1] * rank))
    with gc.Graph().as_default():
        if layout == "last":
            found = run(gc.nn.convolution(x, w, padding, **given))
        else:
            formats = {1: "NCW", 2: "NCHW", 3: "NCDHW"}
            found = np.moveaxis(run(gc.nn.convolution(first(x), w, padding, data_format=formats[rank], **given)), 1, -1)
    np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("unknown", [False, True])
def test_functions_of_one_rank(unknown: bool) -> None:
    w1, w3 = filters(1), filters(3)
    with gc.Graph().as_default():
        rows = gc.placeholder(gc.float32, [None] * 3 if unknown else ROWS.shape)
        volumes = gc.placeholder(gc.float32, [None] * 5 if unknown else VOLUMES.shape)
        feeds = {rows: ROWS, volumes: VOLUMES}
        one = gc.nn.conv1d(rows, w1, 2, "SAME")
        named = gc.nn.conv1d(input=rows, filters=w1, stride=[1, 2, 1], padding="SAME", dilations=1)
        three = gc.nn.conv3d(volumes, w3, [1, 1, 2, 1, 1], "VALID", dilations=[1, 2, 1, 1, 1])
        back = gc.nn.conv3d_backprop_filter_v2(volumes, w3.shape, gc.ones_like(three), [1, 1, 2, 1, 1], "VALID",
                                               dilations=[1, 2, 1, 1, 1])
        found = run([one, named, three, back, *gc.gradients(three, gc.convert_to_tensor(volumes))], feeds)
    np.testing.assert_allclose(found[0], convolved(ROWS, w1, "SAME", [2], [1]), rtol=1e-4, atol=1e-4)
    np.testing.assert_array_equal(found[0], found[1])
    np.testing.assert_allclose(found[2], convolved(VOLUMES, w3, "VALID", [1, 2, 1], [2, 1, 1]), rtol=1e-4, atol=1e-4)
    assert found[3].shape == w3.shape and found[4].shape == VOLUMES.shape


@pytest.mark.parametrize("layout", ["last", "first"])
@pytest.mark.parametrize("rank", [1, 2, 3])
def test_transposed_convolution_is_the_gradient(rank: int, layout: str) -> None:
    w = filters(rank, 3)                                   # [..., out, in]
    small, large = (2, *(3, 4, 2)[:rank], 3), (2, *(6, 8, 4)[:rank], w.shape[-2])
    dy = RNG.standard_normal(small).astype(np.float32)
    with gc.Graph().as_default():
        x = gc.placeholder(gc.float32, large)
        y = gc.nn.convolution(x, w, "SAME", strides=[2] * rank)
        wanted = gc.gradients(y, x, gc.constant(dy))[0]
        if layout == "last":
            found = gc.nn.conv_transpose(dy, w, large, 2)
        else:
            formats = {1: "NCW", 2: "NCHW", 3: "NCDHW"}
            turned = gc.nn.conv_transpose(first(dy), w, [large[0], large[-1], *large[1:-1]], 2,
                                          data_format=formats[rank])
            found = gc.transpose(turned, [0, *range(2, rank + 2), 1])
        a, b = run([wanted, found], {x: np.zeros(large, np.float32)})
    np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-4)


def test_transposed_convolution_of_rows_with_a_shape_of_the_run() -> None:
    w, x = filters(1, 3), RNG.standard_normal((2, 4, 3)).astype(np.float32)
    with gc.Graph().as_default():
        given = gc.placeholder(gc.float32, [None, None, 3])
        shape = gc.stack([gc.shape(given)[0], gc.shape(given)[1] * 2, 3])
        found = run([gc.nn.conv1d_transpose(given, w, shape, 2), gc.nn.conv1d_transpose(x, w, [2, 8, 3], [1, 2, 1])],
                    {given: x})
    assert found[0].shape == (2, 8, 3)
    np.testing.assert_allclose(found[0], found[1], rtol=1e-6)


def test_atrous_transposed() -> None:
    w = RNG.standard_normal((3, 3, 2, 3)).astype(np.float32)
    with gc.Graph().as_default():
        x = gc.placeholder(gc.float32, (2, 8, 9, 2))
        y = gc.nn.atrous_conv2d(x, w, 2, "SAME")
        dy = RNG.standard_normal((2, 8, 9, 3)).astype(np.float32)
        a, b = run([gc.gradients(y, x, gc.constant(dy))[0],
                    gc.nn.atrous_conv2d_transpose(dy, w, [2, 8, 9, 2], 2, "SAME")], {x: np.zeros((2, 8, 9, 2))})
    np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("layout", ["NHWC", "NCHW"])
def test_separable(layout: str) -> None:
    depthwise = RNG.standard_normal((3, 3, 3, 2)).astype(np.float32)
    pointwise = RNG.standard_normal((1, 1, 6, 5)).astype(np.float32)
    with gc.Graph().as_default():
        x = first(PICTURES) if layout == "NCHW" else PICTURES
        strides = [1, 1, 2, 2] if layout == "NCHW" else [1, 2, 2, 1]
        found = run(gc.nn.separable_conv2d(x, depthwise, pointwise, strides, "SAME", data_format=layout))
    # A depthwise convolution is one with a filter of zeros between different channels.
    full = np.zeros((3, 3, 3, 6), np.float32)
    for c in range(3):
        full[:, :, c, 2 * c:2 * c + 2] = depthwise[:, :, c]
    wanted = convolved(PICTURES, full, "SAME", [2, 2], [1, 1]) @ pointwise[0, 0]
    found = np.moveaxis(found, 1, -1) if layout == "NCHW" else found
    np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-4)


def test_depthwise_with_holes() -> None:
    depthwise = RNG.standard_normal((3, 2, 3, 1)).astype(np.float32)
    full = np.zeros((3, 2, 3, 3), np.float32)
    for c in range(3):
        full[:, :, c, c] = depthwise[:, :, c, 0]
    with gc.Graph().as_default():
        found = run([gc.nn.depthwise_conv2d(PICTURES, depthwise, [1, 1, 1, 1], "VALID", rate=[2, 3]),
                     gc.nn.depthwise_conv2d(PICTURES, depthwise, [1, 1, 1, 1], "VALID", dilations=[2, 3])])
    np.testing.assert_allclose(found[0], convolved(PICTURES, full, "VALID", [1, 1], [2, 3]), rtol=1e-4, atol=1e-4)
    np.testing.assert_array_equal(*found)


@pytest.mark.parametrize("unknown", [False, True])
@pytest.mark.parametrize("padding", ["SAME", "VALID"])
def test_space_to_batch_makes_holes(padding: str, unknown: bool) -> None:
    w = filters(2)
    with gc.Graph().as_default():
        x = gc.placeholder(gc.float32, [None, None, None, 3] if unknown else PICTURES.shape)
        made = gc.nn.with_space_to_batch(x, [2, 3], padding, lambda part, rank, word: gc.nn.conv2d(
            part, w, [1, 1, 1, 1], word), filter_shape=[3, 2])
        found = run(made, {x: PICTURES})
    np.testing.assert_allclose(found, convolved(PICTURES, w, padding, [1, 1], [2, 3]), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("kind", ["MAX", "AVG"])
@pytest.mark.parametrize("rank", [1, 2, 3])
def test_pools(rank: int, kind: str) -> None:
    x = INPUTS[rank]
    formats = {1: "NCW", 2: "NCHW", 3: "NCDHW"}
    counts = [(n - 2) // 2 + 1 for n in x.shape[1:-1]]
    wanted = np.zeros((x.shape[0], *counts, x.shape[-1]))
    for place in np.ndindex(*counts):
        part = x[(slice(None), *(slice(2 * p, 2 * p + 2) for p in place))].astype(np.float64)
        axes = tuple(range(1, rank + 1))
        wanted[(slice(None), *place)] = part.max(axes) if kind == "MAX" else part.mean(axes)
    names = {1: "1d", 2: "2d", 3: "3d"}
    with gc.Graph().as_default():
        direct = getattr(gc.nn, f"{kind.lower()}_pool{names[rank]}")(x, 2, 2, "VALID")
        any_rank = getattr(gc.nn, f"{kind.lower()}_pool_v2")(x, [2] * rank, [2] * rank, "VALID")
        turned = gc.nn.pool(first(x), [2] * rank, kind, "VALID", strides=[2] * rank, data_format=formats[rank])
        found = run([direct, any_rank, turned])
    for a in (found[0], found[1], np.moveaxis(found[2], 1, -1)):
        np.testing.assert_allclose(a, wanted, rtol=1e-5, atol=1e-6)


def test_pool_with_holes() -> None:
    with gc.Graph().as_default():
        found = run(gc.nn.pool(PICTURES, [2, 3], "MAX", "VALID", dilation_rate=[3, 2]))
        with pytest.raises(ValueError, match="strides > 1 not supported in conjunction"):
            gc.nn.pool(PICTURES, [2, 3], "MAX", "VALID", dilation_rate=[3, 2], strides=[2, 2])
    wanted = np.max([PICTURES[:, 3 * i:3 * i + 4, 2 * j:2 * j + 5] for i in range(2) for j in range(3)], axis=0)
    np.testing.assert_array_equal(found, wanted)


def test_argmax_of_ties_and_gradient() -> None:
    x = np.array([[1, 3, 3, 0], [3, 2, 0, 0], [5, 5, 1, 2], [5, 5, 2, 2]], np.float32).reshape(1, 4, 4, 1)
    both = np.concatenate([x, x])
    with gc.Graph().as_default():
        given = gc.placeholder(gc.float32, both.shape)
        y, where = gc.nn.max_pool_with_argmax(given, 2, 2, "VALID")
        _, batched = gc.nn.max_pool_with_argmax(given, 2, 2, "VALID", Targmax=gc.int32, include_batch_in_index=True)
        dx = gc.gradients(y, given)[0]
        found = run([y, where, batched, dx], {given: both})
    np.testing.assert_array_equal(found[1][1].ravel(), [1, 2, 8, 11])
    np.testing.assert_array_equal(found[2][1].ravel(), [17, 18, 24, 27])
    assert found[1].dtype == np.int64 and found[2].dtype == np.int32
    np.testing.assert_array_equal(np.flatnonzero(found[3][0]), [1, 2, 8, 11])


def test_gradient_of_volumes_goes_to_all_that_are_greatest() -> None:
    with gc.Graph().as_default():
        x = gc.placeholder(gc.float32, (1, 2, 2, 2, 1))
        y = gc.nn.max_pool3d(x, 2, 2, "VALID")
        dx = gc.gradients(y, x)[0]
        np.testing.assert_array_equal(run(dx, {x: np.zeros((1, 2, 2, 2, 1))}), np.ones((1, 2, 2, 2, 1)))


@pytest.mark.parametrize(("make", "message"), [
    (lambda: gc.nn.conv3d(VOLUMES, filters(3), 1, "SAME", data_format="NHWC"), "data_format must be one of NDHWC"),
    (lambda: gc.nn.conv3d(VOLUMES, filters(3)[..., :1, :], 1, "SAME"), "input depth of the volumes and of the filter"),
    (lambda: gc.nn.conv1d(ROWS, filters(1), [1, 2], "SAME"), "stride should be of length 1, 1 or 3 but was 2"),
    (lambda: gc.nn.convolution(PICTURES[0, 0], filters(1), "SAME"), "must have 1, 2 or 3 spatial axes"),
    (lambda: gc.nn.max_pool_with_argmax(PICTURES, 2, 2, "SAME", data_format="NCHW"), "other than 'NHWC'"),
    (lambda: gc.nn.separable_conv2d(PICTURES, np.ones((3, 3, 3, 1), np.float32), np.ones((3, 1, 3, 2), np.float32),
                                    [1, 1, 1, 1], "SAME"), "pointwise_filter must have the shape"),
    (lambda: gc.nn.depthwise_conv2d(PICTURES, np.ones((3, 3, 2, 1), np.float32), [1, 1, 1, 1], "SAME"),
     "input depth of the picture and of the filter"),
    (lambda: gc.nn.pool(PICTURES, [2, 2], "MIN", "SAME"), "pooling_type must be MAX or AVG"),
])
def test_what_does_not_fit(make: Any, message: str) -> None:
    with gc.Graph().as_default(), pytest.raises(ValueError, match=message):
        make()
