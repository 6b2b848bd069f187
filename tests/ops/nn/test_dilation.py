"""Grey-scale dilation and erosion: gradients by finite differences, none of second order, aliases."""
from __future__ import annotations

import numpy as np
import pytest

import graphc as gc

RNG = np.random.default_rng(4)
X, W = RNG.standard_normal((2, 6, 7, 3)), RNG.standard_normal((3, 2, 3)) * 0.3


@pytest.mark.parametrize("padding", ["SAME", "VALID"])
def test_gradients(padding: str) -> None:
    with gc.Graph().as_default(), gc.Session() as session:
        x, w = gc.placeholder(gc.float64, X.shape), gc.placeholder(gc.float64, W.shape)
        for y in (gc.nn.dilation2d(x, w, [1, 2, 1, 1], [1, 1, 2, 1], padding),
                  gc.nn.erosion2d(x, w, [1, 1, 2, 1], [1, 2, 1, 1], padding)):
            total = gc.reduce_sum(gc.square(y))
            slopes = gc.gradients(total, [x, w])
            a, b = session.run(slopes, {x: X, w: W})
            dx, dw = RNG.standard_normal(X.shape), RNG.standard_normal(W.shape)
            ahead, behind = (session.run(total, {x: X + s * 1e-6 * dx, w: W + s * 1e-6 * dw}) for s in (1, -1))
            np.testing.assert_allclose((a * dx).sum() + (b * dw).sum(), (ahead - behind) / 2e-6, rtol=1e-5)
            with pytest.raises(LookupError, match="no gradient is defined for op type Dilation2DBackpropInput"):
                gc.gradients(slopes[0], x)


def test_aliases_and_constant_pictures() -> None:
    with gc.Graph().as_default(), gc.Session() as session:
        one = gc.nn.dilation2d(X, filters=W, strides=[1, 1, 1, 1], dilations=[1, 1, 1, 1], padding="SAME")
        two = gc.nn.erosion2d(-X, W[::-1, ::-1], [1, 1, 1, 1], [1, 1, 1, 1], "SAME")
        found = session.run([one, -two])
    np.testing.assert_allclose(*found)
    with gc.Graph().as_default(), pytest.raises(ValueError, match="depth of the picture and of the filter"):
        gc.nn.dilation2d(X, W[:, :, :2], 1, 1, "SAME")
