"""Gamma and Poisson numbers on the device: the CPU's bits."""
from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import graphc as gc

from on_both import check_close, check_equal
from stand_in import StandIn

ALPHAS = np.array([0.3, 1.5, 7.0, 0.0, -1.0, 1.0, np.nan, 1e-3, 1e4, 1e30, np.inf])
RATES = np.array([0.0, 1e-3, 0.5, 9.999, 10.0, 31.0, 1e4, 1e14, 1e15, -1.0, np.nan, np.inf])
QUICK = 7                  # of ALPHAS, whose loops end soon enough for the emulator


def launched(device: Any) -> int:
    return int(device.work["launch"])


@pytest.mark.parametrize("count", [0, 1, 17])
def test_gamma_and_its_gradient(device: Any, count: int) -> None:
    """The gradient by its series, and where a number is greater than alpha by its fraction."""
    def build() -> Any:
        alpha = gc.placeholder(gc.float64, [None])
        drawn = gc.random_gamma([count], alpha, dtype=gc.float64)
        return [drawn, *gc.gradients(gc.reduce_sum(drawn), alpha)]

    before, alphas = launched(device), ALPHAS[:QUICK] if isinstance(device, StandIn) else ALPHAS
    check_equal(lambda: build()[:1], alphas, runs=2)
    check_close(build, alphas, tolerance=1e-12)                # sums of the gradient are in another order
    assert count == 0 or launched(device) > before


def test_poisson(device: Any) -> None:
    def build() -> Any:
        rate = gc.placeholder(gc.float64, [None])
        return [gc.random_poisson(rate, [33], gc.float64), gc.random_poisson(gc.cast(rate, gc.float32), [5])]

    before = launched(device)
    check_equal(build, RATES, runs=2)
    assert launched(device) > before
