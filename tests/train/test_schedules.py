"""Learning rates that fall, against their formulas in NumPy (which were compared with TensorFlow's numbers)."""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import graphc as gc

STEPS = (0, 1, 4, 5, 10, 13, 27)


def half_cosine(x: Any) -> Any:
    return 0.5 * (1 + np.cos(np.pi * x))


def restarts(step: int, first: float, longer: float, lower: float, alpha: float) -> float:
    """Period by period."""
    length, start, height = first, 0.0, 1.0
    while step >= start + length:
        start, length, height = start + length, length * longer, height * lower
    return (1 - alpha) * height * half_cosine((step - start) / length) + alpha


def polynomial(step: int, steps: float, end: float, power: float, cycle: bool) -> float:
    if cycle:
        steps *= 1 if step == 0 else np.ceil(step / steps)
    return (0.5 - end) * (1 - min(step, steps) / steps) ** power + end


CASES: list[tuple[str, dict[str, Any], Callable[[int], Any]]] = [
    ("exponential_decay", {"decay_steps": 10, "decay_rate": 0.9}, lambda s: 0.5 * 0.9 ** (s / 10)),
    ("exponential_decay", {"decay_steps": 10, "decay_rate": 0.9, "staircase": True}, lambda s: 0.5 * 0.9 ** (s // 10)),
    ("natural_exp_decay", {"decay_steps": 10, "decay_rate": 0.9}, lambda s: 0.5 * np.exp(-0.9 * s / 10)),
    ("natural_exp_decay", {"decay_steps": 10, "decay_rate": 0.9, "staircase": True},
     lambda s: 0.5 * np.exp(-0.9 * (s // 10))),
    ("inverse_time_decay", {"decay_steps": 10, "decay_rate": 0.9}, lambda s: 0.5 / (1 + 0.9 * s / 10)),
    ("inverse_time_decay", {"decay_steps": 10, "decay_rate": 0.9, "staircase": True},
     lambda s: 0.5 / (1 + 0.9 * (s // 10))),
    ("polynomial_decay", {"decay_steps": 10}, lambda s: polynomial(s, 10, 0.0001, 1, False)),
    ("polynomial_decay", {"decay_steps": 10, "power": 2.0, "cycle": True, "end_learning_rate": 0.01},
     lambda s: polynomial(s, 10, 0.01, 2, True)),
    ("cosine_decay", {"decay_steps": 10, "alpha": 0.1}, lambda s: 0.5 * (0.9 * half_cosine(min(s, 10) / 10) + 0.1)),
    ("cosine_decay_restarts", {"first_decay_steps": 5}, lambda s: 0.5 * restarts(s, 5, 2, 1, 0)),
    ("cosine_decay_restarts", {"first_decay_steps": 6, "t_mul": 1.5, "m_mul": 0.7, "alpha": 0.1},
     lambda s: 0.5 * restarts(s, 6, 1.5, 0.7, 0.1)),
    ("cosine_decay_restarts", {"first_decay_steps": 5, "t_mul": 1.0, "m_mul": 0.7, "alpha": 0.1},
     lambda s: 0.5 * restarts(s, 5, 1, 0.7, 0.1)),
    ("linear_cosine_decay", {"decay_steps": 10, "num_periods": 2.0, "alpha": 0.1, "beta": 0.01},
     lambda s: 0.5 * ((0.1 + 1 - min(s, 10) / 10) * half_cosine(4 * min(s, 10) / 10) + 0.01)),
    ("noisy_linear_cosine_decay", {"decay_steps": 10, "initial_variance": 0.0},
     lambda s: 0.5 * ((1 - min(s, 10) / 10) * half_cosine(min(s, 10) / 10) + 0.001)),
]


@pytest.mark.parametrize(("name", "arguments", "wanted"), CASES, ids=[f"{c[0]}-{i}" for i, c in enumerate(CASES)])
def test_schedule(name: str, arguments: dict[str, Any], wanted: Callable[[int], Any]) -> None:
    with gc.Graph().as_default():
        step = gc.placeholder(gc.int64, [])
        rate = getattr(gc.train, name)(0.5, step, **arguments)
        wide = getattr(gc.train, name)(gc.constant(0.5, gc.float64), step, **arguments)
        assert (rate.dtype, wide.dtype) == (gc.float32, gc.float64)
        with gc.Session() as session:
            for s in STEPS:
                found = session.run([rate, wide], {step: s})
                np.testing.assert_allclose(found[0], wanted(s), 2e-6, 1e-7)
                np.testing.assert_allclose(found[1], wanted(s), 1e-7, 1e-8)
        told = name.replace("natural_exp", "exponential")
        with pytest.raises(ValueError, match=f"global_step is required for {told}"):
            getattr(gc.train, name)(0.5, None, **arguments)


def test_noise() -> None:
    with gc.Graph().as_default():
        rate = gc.train.noisy_linear_cosine_decay(1.0, gc.constant(0), 10, initial_variance=0.04, beta=0.0)
        with gc.Session() as session:
            found = np.array([session.run(rate) for _ in range(400)])
        assert abs(found.mean() - 1) < 0.05 and 0.17 < found.std() < 0.23


def test_piecewise_constant() -> None:
    with gc.Graph().as_default():
        step = gc.train.get_or_create_global_step()
        assert gc.train.piecewise_constant_decay is gc.train.piecewise_constant
        rate = gc.train.piecewise_constant(step, [3, 10], [1.0, 0.5, gc.constant(0.1)])
        assert rate.dtype == gc.float32 and rate.shape == []
        with gc.Session() as session:
            session.run(gc.global_variables_initializer())
            for s, wanted in ((0, 1.0), (3, 1.0), (4, 0.5), (10, 0.5), (11, 0.1)):
                step.load(s, session)
                assert session.run(rate) == np.float32(wanted)
        with pytest.raises(ValueError, match="length of boundaries should be 1 less than the length of values"):
            gc.train.piecewise_constant(step, [3], [1.0])
        with pytest.raises(ValueError, match=r"Boundaries \(float32\) must have the same dtype as x \(int64\)"):
            gc.train.piecewise_constant(step, [3.5], [1.0, 2.0])
        with pytest.raises(ValueError, match=r"elements all with the same dtype \(float32 vs int32\)"):
            gc.train.piecewise_constant(step, [3], [1.0, 2])


def test_moving_averages() -> None:
    with gc.Graph().as_default():
        v, x, step = gc.Variable([1.0, 2.0], name="v"), gc.placeholder(gc.float32, [2]), gc.placeholder(gc.int32, [])
        y = gc.identity(x, name="y")
        plain = gc.train.ExponentialMovingAverage(0.9, num_updates=step)
        assert plain.average(v) is None and plain.average_name(v) == "v/ExponentialMovingAverage"
        biased = gc.train.ExponentialMovingAverage(0.8, zero_debias=True, name="ema")
        update, debiased, up = plain.apply([v, y]), biased.apply([y]), v.assign_add([1.0, 1.0])
        assert [a.name for a in gc.global_variables()] == [
            "v:0", "v/ExponentialMovingAverage:0", "y/ExponentialMovingAverage:0", "y/ema:0", "y/ema/biased:0",
            "y/ema/local_step:0"]
        assert gc.moving_average_variables() == [v] and gc.trainable_variables() == [v]
        assert {k: x.name for k, x in plain.variables_to_restore().items() if "ema" not in k} == {
            "v/ExponentialMovingAverage": "v:0", "y/ExponentialMovingAverage": "y/ExponentialMovingAverage:0"}
        of_v, of_y, unbiased = np.array([1.0, 2.0]), np.zeros(2), np.zeros(2)
        with gc.Session() as session:
            session.run(gc.global_variables_initializer())
            for i in range(4):
                session.run(up)
                session.run([update, debiased], {x: [1, i], step: i})
                decay = min(0.9, (1 + i) / (10 + i))
                of_v += (1 - decay) * (np.array([2, 3]) + i - of_v)
                of_y += (1 - decay) * (np.array([1, i]) - of_y)
                unbiased += 0.2 * (np.array([1, i]) - unbiased)
                np.testing.assert_allclose(session.run(plain.average(v)), of_v, 1e-6)
                np.testing.assert_allclose(session.run(plain.average(y)), of_y, 1e-6)
                np.testing.assert_allclose(session.run(biased.average(y)), unbiased / (1 - 0.8 ** (i + 1)), 1e-6)
        with pytest.raises(TypeError, match="must be half, float, or double: n:0"):
            plain.apply([gc.Variable(1, name="n")])
