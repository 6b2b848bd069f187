"""Every optimizer of gc.train for five steps, dense and sparse (rows that come several times, rows that never come), in
float32 and float64, against NumPy; the names of their variables; what they refuse."""
from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy_optimizers import CASES, CONTRIB, expected
from train_with import train

import graphc as gc

DTYPES = (np.float32, np.float64)


def maker(case: str, tf: Any = gc) -> Any:
    if case in CONTRIB:
        name, arguments, _ = CONTRIB[case]
        return lambda step: getattr(gc.contrib.opt, name)(**arguments)
    name, arguments, _ = CASES[case]
    more = {"global_step"} if name == "AdagradDAOptimizer" else set()
    return lambda step: getattr(tf.train, name)(**arguments, **dict.fromkeys(more, step))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("case", [*CASES, *CONTRIB])
def test_five_steps(case: str, dtype: Any) -> None:
    table, vector, _ = train(gc, maker(case), dtype)
    tolerance = 1e-5 if dtype == np.float32 else 1e-6       # hyperparameters are float32
    for found, wanted in zip((table, vector), expected(case, dtype), strict=True):
        assert sorted(found) == sorted(["var", *wanted.slots])
        np.testing.assert_allclose(found.pop("var"), wanted.var, tolerance, tolerance)
        for name, slot in found.items():
            assert slot.dtype == dtype
            np.testing.assert_allclose(slot, wanted.slots[name], tolerance, tolerance)


@pytest.mark.parametrize("sparse", [False, True])
@pytest.mark.parametrize("power, first", [(-0.5, 0.1), (-0.7, 0.1), (-0.5, 0.0)])
def test_what_ftrl_shrinks_to_nothing_is_zero_without_a_sign(sparse: bool, power: float, first: float) -> None:
    """As TensorFlow's; also where nothing has been gathered yet and 0 is divided by 0. A NaN stays one."""
    gradient = np.array([0.0, -0.0, 0.1, -0.1, 0.4, -0.4, np.nan], np.float32)
    with gc.Graph().as_default(), gc.Session() as session:
        var = gc.Variable(np.array([0.0, -0.0, 1.0, -1.0, 2.0, -2.0, 1.0], np.float32))
        given = gc.IndexedSlices(gc.constant(gradient), gc.range(7)) if sparse else gc.constant(gradient)
        optimizer = gc.train.FtrlOptimizer(0.5, power, first, l1_regularization_strength=9.0)
        step = optimizer.apply_gradients([(given, var)])
        session.run(gc.global_variables_initializer())
        for _ in range(3):
            session.run(step)
            found = session.run(var)
            np.testing.assert_array_equal(found, [0.0] * 6 + [np.nan])
            assert not np.signbit(found[:6]).any()
