"""Custom gradients with gradients of their own, in branches and loops, derived twice: as without control flow."""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import graphc as gc


def leaky(x: Any) -> Any:
    """relu with a slope of 0.2, whose gradient's gradient looks at the value, as StyleGAN writes it."""
    @gc.custom_gradient
    def value(x: Any) -> Any:
        y = gc.maximum(x, x * 0.2)

        @gc.custom_gradient
        def slope(dy: Any) -> Any:
            return gc.where(y >= 0, dy, dy * 0.2), lambda ddx: gc.where(y >= 0, ddx, ddx * 0.2)
        return y, slope
    return value(x)


def inside_cond(f: Callable[[Any], Any], x: Any) -> Any:
    return gc.cond(gc.placeholder_with_default(True, []), lambda: f(x), lambda: x)


def inside_two_conds(f: Callable[[Any], Any], x: Any) -> Any:
    return gc.cond(gc.placeholder_with_default(True, []), lambda: inside_cond(f, x), lambda: x)


def inside_loop(f: Callable[[Any], Any], x: Any) -> Any:
    return gc.while_loop(lambda i, y: i < 1, lambda i, y: (i + 1, f(y)), (0, x))[1]


@pytest.mark.parametrize("around", [inside_cond, inside_two_conds, inside_loop])
@pytest.mark.parametrize("behind", [gc.reduce_sum, lambda y: gc.reduce_sum(y * y)], ids=["sum", "squares"])
def test_second_gradients(around: Callable[..., Any], behind: Callable[[Any], Any]) -> None:
    x = gc.placeholder(gc.float32, [None])
    found = []
    for way in (around, lambda f, x: f(x)):
        z = behind(way(lambda y: leaky(y * y * y - 1.), x))
        slope = gc.gradients(z, x)[0]
        found.append([z, slope, gc.gradients(gc.reduce_sum(slope * slope) + z, x)[0]])
    with gc.Session() as session:
        for got, wanted in zip(*session.run(found, {x: [1.5, 2., -3., 0.5]}), strict=True):
            np.testing.assert_allclose(got, wanted, rtol=1e-5)
