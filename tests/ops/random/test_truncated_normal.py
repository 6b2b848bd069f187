"""ParameterizedTruncatedNormal by its distribution: wide and narrow bounds, tails on both sides, rows of their own."""
from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import stats

import graphc as gc
from graphc.ir.apply import apply
from graphc.ops.random.truncated import ParameterizedTruncatedNormal


def drawn(shape: list[int], *parameters: Any, dtype: Any = np.float64) -> Any:
    given = [p if isinstance(p, gc.Tensor) else gc.constant(np.asarray(p, dtype)) for p in parameters]
    return apply(ParameterizedTruncatedNormal, shape, *given, seed=1, seed2=2)


@pytest.mark.parametrize(("mean", "spread", "low", "high"), [
    (0, 1, -1, 1), (0, 1, -5, 5), (3, 2, 2.9, 3.2), (0, 1, 0, np.inf), (0, 1, -0.1, 9), (0, 1, 5, np.inf),
    (0, 1, 8, 8.05), (0, 1, -np.inf, -12), (10, 3, -60, -25), (0, 1, -np.inf, np.inf)])
def test_the_distribution(mean: float, spread: float, low: float, high: float) -> None:
    with gc.Session() as session:
        x = session.run(drawn([20_000], mean, spread, low, high))
    expected = stats.truncnorm((low - mean) / spread, (high - mean) / spread, mean, spread)
    assert x.min() >= low and x.max() <= high
    assert stats.kstest(x, expected.cdf).pvalue > 1e-4


def test_rows_have_parameters_of_their_own() -> None:
    means = gc.placeholder(gc.float32, [None])
    y = drawn([3, 1000], means, 0.5, [-1, 9, -6], [1, 11, -4], dtype=np.float32)
    assert y.shape.as_list() == [3, 1000] and y.dtype == gc.float32
    with gc.Session() as session:
        x, again = session.run(y, {means: [0, 10, -5]}), session.run(y, {means: [0, 10, -5]})
    np.testing.assert_allclose(x.mean(1), [0, 10, -5], atol=0.1)
    assert not np.array_equal(x, again)


def test_refusals() -> None:
    for parameters in ((0, -1, -1, 1), (0, 1, 1, -1), (0, 1, 1, 1), (0, np.nan, -1, 1)):
        with gc.Session() as session, pytest.raises(gc.errors.InvalidArgumentError, match="stdevs must be positive"):
            session.run(drawn([3], *parameters))
    with pytest.raises(ValueError, match="sizes 3 and 2 do not broadcast"):
        drawn([2, 3], [0, 1, 2], 1, -1, 1)
    with pytest.raises(ValueError, match="a scalar or a vector"):
        drawn([2, 3], [[0, 1]], 1, -1, 1)
