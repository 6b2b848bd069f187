"""conv2d with a filter that is less deep than its picture, against one convolution for each group."""
from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import graphc as gc

RNG = np.random.default_rng(62)
# groups, channels of a group, filters of a group: in vectors, in panels, depthwise with one filter and with two.
GROUPS = [(6, 4, 4), (3, 5, 2), (2, 17, 24), (5, 1, 1), (3, 1, 2)]


def drawn(*shape: int) -> np.ndarray:
    return RNG.standard_normal(shape).astype(np.float32)


def apart(x: Any, w: Any, groups: int, data_format: str, **more: Any) -> Any:
    """The same as a split, a convolution a group and a concat."""
    axis = data_format.index("C")
    pairs = zip(gc.split(x, groups, axis), gc.split(w, groups, 3), strict=True)
    return gc.concat([gc.nn.conv2d(part, own, data_format=data_format, **more) for part, own in pairs], axis)


def gradients(y: Any, x: Any, w: Any) -> list[Any]:
    """y, its gradients and those of the gradients."""
    first = gc.gradients(y * y, [x, w])
    return [y, *first, *gc.gradients(sum(gc.reduce_sum(d * d) for d in first), [x, w])]


@pytest.mark.parametrize("data_format", ["NHWC", "NCHW"])
@pytest.mark.parametrize(("strides", "dilations", "padding"), [(1, 1, "SAME"), (2, 1, "SAME"), (1, 2, "VALID")])
@pytest.mark.parametrize(("groups", "depth", "made"), GROUPS)
def test_groups_and_their_gradients(groups: int, depth: int, made: int, strides: int, dilations: int, padding: str,
                                    data_format: str) -> None:
    how = {"strides": strides, "dilations": dilations, "padding": padding, "data_format": data_format}
    first = data_format == "NCHW"
    pictures, filters = drawn(2, 9, 8, groups * depth), drawn(3, 3, depth, groups * made)
    pictures = np.ascontiguousarray(pictures.transpose(0, 3, 1, 2)) if first else pictures
    sizes = [None, groups * depth, None, None] if first else [None, None, None, groups * depth]
    with gc.Graph().as_default(), gc.Session() as session:
        x, w = gc.placeholder(gc.float32, sizes), gc.constant(filters)
        found, wanted = (gradients(y, x, w) for y in (gc.nn.conv2d(x, w, **how), apart(x, w, groups, **how)))
        assert found[0].shape.as_list() == wanted[0].shape.as_list()
        for a, b in zip(*session.run([found, wanted], {x: pictures}), strict=True):
            np.testing.assert_allclose(a, b, rtol=2e-4, atol=2e-4 * np.abs(b).max())


def test_a_loop_that_convolves_in_groups_and_is_trained() -> None:
    with gc.Graph().as_default(), gc.Session() as session:
        x, w = gc.placeholder(gc.float32, [None, 7, 6, 16]), gc.constant(0.2 * drawn(3, 3, 4, 16))
        made = [gc.while_loop(lambda i, _: i < 3, lambda i, h, f=f: (i + 1, gc.tanh(f(h))), [0, x])[1]
                for f in (lambda h: gc.nn.conv2d(h, w, 1, "SAME"),
                          lambda h: apart(h, w, 4, "NHWC", strides=1, padding="SAME"))]
        found, wanted = ([y, *gc.gradients(y, [x, w])] for y in made)
        for pictures in (drawn(2, 7, 6, 16), drawn(1, 7, 6, 16), drawn(0, 7, 6, 16)):
            for a, b in zip(*session.run([found, wanted], {x: pictures}), strict=True):
                np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-4)


def test_what_groups_do_not_divide_is_refused() -> None:
    with gc.Graph().as_default():
        with pytest.raises(ValueError, match="4 groups of channels give 6 channels"):
            gc.nn.conv2d(gc.zeros([1, 5, 5, 8]), gc.zeros([3, 3, 2, 6]), 1, "SAME")
        with pytest.raises(ValueError, match="input depth of the picture and of the filter: 8 and 3"):
            gc.nn.conv2d(gc.zeros([1, 5, 5, 8]), gc.zeros([3, 3, 3, 8]), 1, "SAME")
        with pytest.raises(ValueError, match="input depth of the picture and of the filter: 8 and 16"):
            gc.nn.conv2d(gc.zeros([1, 5, 5, 8]), gc.zeros([3, 3, 16, 8]), 1, "SAME")


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float64"])
def test_other_dtypes(dtype: str) -> None:
    with gc.Graph().as_default(), gc.Session() as session:
        x, w = (gc.cast(gc.constant(a), dtype) for a in (drawn(1, 6, 6, 12), drawn(3, 3, 3, 8)))
        found, wanted = session.run([gc.cast(y, gc.float64) for y in (
            gc.nn.conv2d(x, w, 1, "SAME"), apart(x, w, 4, "NHWC", strides=1, padding="SAME"))])
    np.testing.assert_allclose(found, wanted, rtol=1e-12 if dtype == "float64" else 1e-2, atol=1e-12)
