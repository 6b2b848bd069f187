"""An update whose value only broadcasts to the variable is refused when the run tells, and changes nothing."""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import graphc as gc

UPDATES: dict[str, Callable[[Any, Any], Any]] = {
    "assign": gc.assign,
    "assign_add": gc.assign_add,
    "assign_sub": gc.assign_sub,
    "descent": lambda v, x: gc.train.GradientDescentOptimizer(0.1).apply_gradients([(x, v)]),
    "momentum": lambda v, x: gc.train.MomentumOptimizer(0.1, 0.9).apply_gradients([(x, v)]),
    "nesterov": lambda v, x: gc.train.MomentumOptimizer(0.1, 0.9, use_nesterov=True).apply_gradients([(x, v)]),
    "adam": lambda v, x: gc.train.AdamOptimizer(0.1).apply_gradients([(x, v)]),
}


# Optimizers make their slots at the top only.
CASES = [*((name, "top") for name in UPDATES), *((name, "branch") for name in UPDATES if name.startswith("assign"))]


@pytest.mark.parametrize("fusion", ["0", "1"])
@pytest.mark.parametrize(("name", "place"), CASES)
def test_value_that_only_broadcasts(name: str, fusion: str, place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRAPHC_FUSION", fusion)
    with gc.Graph().as_default():
        v = gc.Variable(np.ones((2, 3), np.float32), name="v")
        x = gc.placeholder(gc.float32, [None, None], name="x")
        if place == "top":
            update = UPDATES[name](v, x * 2.0)
        else:
            update = gc.cond(gc.reduce_sum(x) > -1e9, lambda: gc.identity(UPDATES[name](v, x * 2.0)), lambda: v + 0.0)
        session = gc.Session()
        session.run(gc.global_variables_initializer())
        session.run(update, {x: np.ones((2, 3))})
        before = session.run(v)
        for shape in ((1, 3), (2, 1), (1, 1), (3, 2), (0, 3)):
            for _ in range(2):
                with pytest.raises(gc.errors.InvalidArgumentError, match="shape"):
                    session.run(update, {x: np.ones(shape)})
        np.testing.assert_array_equal(session.run(v), before)
        session.run(update, {x: np.ones((2, 3))})
