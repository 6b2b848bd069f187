"""What samples of windows do not hold: max pooling's gradients with ties, infinities, NaN, results of other pictures;
filters without elements."""
from __future__ import annotations

import numpy as np
import pytest

import graphc as gc
from graphc.ir.apply import apply
from graphc.ir.op import OPS

RNG = np.random.default_rng(5)


def pictures() -> dict[str, np.ndarray]:
    ties = RNG.integers(0, 3, (2, 4, 5, 3)).astype(np.float32)
    lowest, nan = np.copy(ties), np.copy(ties)
    lowest[0, :2], lowest[1, :, :2] = -np.inf, -np.inf
    nan[0, 1, 2], nan[1, 0, 0] = np.nan, np.nan
    return {"ties": ties, "lowest": lowest, "nan": nan}


PICTURES = pictures()


@pytest.mark.parametrize("kind", PICTURES)
@pytest.mark.parametrize("own", [True, False])
@pytest.mark.parametrize("padding", ["SAME", "VALID"])
@pytest.mark.parametrize("type_", ["MaxPoolGrad", "MaxPoolGradGrad"])
@pytest.mark.parametrize("strides", [(1, 1, 1, 1), (1, 2, 3, 1)])
def test_the_place_is_that_of_the_result_s_element(kind: str, own: bool, padding: str, type_: str, strides) -> None:
    attributes = {"ksize": (1, 3, 2, 1), "strides": strides, "padding": padding, "data_format": "NHWC"}
    x = PICTURES[kind]
    y = OPS["MaxPool"](**attributes).reference(x)
    if not own:
        y = RNG.integers(0, 3, y.shape).astype(np.float32)
    gradient = RNG.standard_normal(y.shape if type_ == "MaxPoolGrad" else x.shape).astype(np.float32)
    with gc.Graph().as_default(), gc.Session() as session:
        fed = {gc.placeholder("float32", [None, *a.shape[1:]]): a for a in (x, y, gradient)}
        found = session.run(apply(OPS[type_], *fed, **attributes), fed)
    np.testing.assert_allclose(found, OPS[type_](**attributes).reference(x, y, gradient), atol=1e-6)


@pytest.mark.parametrize("padding", ["SAME", "VALID"])
@pytest.mark.parametrize("window", [(0, 3), (3, 0), (0, 0)])
@pytest.mark.parametrize("strides", [(1, 1, 1, 1), (1, 2, 3, 1)])
@pytest.mark.parametrize("known", [True, False])
def test_a_filter_without_elements(padding: str, window: tuple[int, int], strides, known: bool) -> None:
    """TensorFlow's rule for sizes holds; all sums are empty."""
    x, w = np.ones((2, 4, 5, 3), np.float32), np.zeros((*window, 3, 2), np.float32)
    fields = {"strides": strides, "padding": padding, "data_format": "NHWC"}
    shape = [s if known else None for s in w.shape]
    with gc.Graph().as_default(), gc.Session() as session:
        fed_x, fed_w = gc.placeholder("float32", x.shape), gc.placeholder("float32", shape)
        y = apply(OPS["Conv2D"], fed_x, fed_w, **fields)
        dx, dw = gc.gradients(y, [fed_x, fed_w])
        found = session.run([y, dx, dw], {fed_x: x, fed_w: w})
    sizes = [-(-n // s) if padding == "SAME" else (n - k) // s + 1
             for n, k, s in zip((4, 5), window, strides[1:3], strict=True)]
    for array, size in zip(found, ((2, *sizes, 2), x.shape, w.shape), strict=True):
        np.testing.assert_array_equal(array, np.zeros(size, np.float32))
