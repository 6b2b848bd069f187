"""moments: a mean and the variance around it are one step, however they are written, and keep their values."""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import graphc as gc
from graphc.passes.norms.moments import moments

from checking import check_compiled, check_rewrite, flow_of, types


def values(*shape: int, seed: int = 0) -> np.ndarray:
    return (np.random.default_rng(seed).standard_normal(shape) + 3).astype(np.float32)


def by_hand(x: Any, axes: list[int], keep: bool = False) -> tuple[Any, Any]:
    mean = gc.reduce_mean(x, axes, keep_dims=True)
    variance = gc.reduce_mean(gc.square(mean - x), axes, keep_dims=keep)
    return (mean if keep else gc.squeeze(mean, axes)), variance


MADE: dict[str, Callable[..., Any]] = {"moments": gc.nn.moments, "by hand": by_hand}
ROWS, CHANNELS = "_RowMoments", "_ChannelMoments"


@pytest.mark.parametrize("name", MADE)
@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize("shape, axes, kind", [
    ((5, 65), [1], ROWS), ((3, 7, 17), [1, 2], ROWS), ((200,), [0], ROWS), ((5, 1, 33), [2], ROWS),
    ((31, 17), [0], CHANNELS), ((2, 3, 5, 17), [0, 1, 2], CHANNELS), ((3, 4, 64), [0, 1, 2], ROWS),
    ((3, 5, 7, 17), [1, 2], CHANNELS), ((4, 3, 31, 16), [2], CHANNELS), ((3, 5, 7, 33), [0, 2, 3], ROWS),
    ((2, 4, 3, 65), [1, 3], ROWS), ((6, 40, 40), [0, 2], ROWS)])
def test_becomes_one_step(name: str, known: bool, shape: tuple[int, ...], axes: list[int], kind: str) -> None:
    with gc.Graph().as_default():
        x = gc.placeholder(gc.float32, shape if known else [None] * len(shape))
        flow = flow_of(list(MADE[name](x, axes)), [x])
        check_rewrite(flow, moments, [values(*shape)])
        found = types(moments(flow))
        together = kind == ROWS and axes[-1] - axes[0] >= len(axes)     # channels between
        assert kind in found and found.count("Mean") == 2 * together
        check_compiled(MADE[name](x, axes, True), [x], [values(*shape)])


@pytest.mark.parametrize("shape, axes", [((4, 65), [0, 1]), ((0, 40), [1]), ((40, 0), [1]), ((0, 17), [0]),
                                         ((2, 0, 17), [1]), ((3, 2, 0), [0, 2]), ((0, 2, 40), [0, 2])])
def test_sizes_that_are_known_late(shape: tuple[int, ...], axes: list[int]) -> None:
    with gc.Graph().as_default():
        x = gc.placeholder(gc.float32, [None] * len(shape))
        check_compiled(gc.nn.moments(x, axes), [x], [values(*shape)])


def test_stays_as_it_is() -> None:
    """Channels between reduced axes and another one behind, short rows, deviations from another mean or of another
    value, integers."""
    with gc.Graph().as_default():
        x, y = (gc.placeholder(gc.float32, [6, 40, 40]) for _ in range(2))
        pictures = gc.placeholder(gc.float32, [3, 40, 5, 40])
        short, whole = gc.placeholder(gc.float32, [100, 8]), gc.placeholder(gc.int32, [100, 80])
        other = gc.reduce_mean(x, 2, keep_dims=True)
        for fetches, feed in (([*gc.nn.moments(pictures, [0, 2])], pictures),
                              ([*gc.nn.moments(short, [1])], short),
                              ([*gc.nn.moments(short, [0])], short), ([*gc.nn.moments(whole, [1])], whole),
                              ([other, gc.reduce_mean(gc.square(x - other), [1, 2])], x)):
            assert types(moments(flow_of(fetches, [feed]))) == types(flow_of(fetches, [feed]))
        fetches = [other, gc.reduce_mean(gc.square(y - other), 2)]
        assert types(moments(flow_of(fetches, [x, y]))) == types(flow_of(fetches, [x, y]))


def test_gradients_and_what_stands_around() -> None:
    with gc.Graph().as_default():
        x = gc.placeholder(gc.float32, [None, 40])
        seen = gc.tanh(x) * 2.0
        mean, variance = gc.nn.moments(seen, [1], keep_dims=True)
        y = (seen - mean) / (variance + 0.5) + gc.nn.moments(seen, [0])[1]
        check_compiled([y, *gc.gradients(gc.reduce_sum(y * y), [x])], [x], [values(31, 40)], tolerance=2e-4)


def test_in_a_loop() -> None:
    with gc.Graph().as_default():
        x = gc.placeholder(gc.float32, [None, None])

        def body(i: Any, a: Any) -> tuple[Any, Any]:
            mean, variance = gc.nn.moments(a, [1], keep_dims=True)
            return i + 1, gc.concat([a, mean + variance], 1)

        y = gc.while_loop(lambda i, a: i < 3, body, [0, x], shape_invariants=[[], [None, None]])[1]
        check_compiled([y], [x], [values(17, 33)])
