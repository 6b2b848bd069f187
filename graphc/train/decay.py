"""Learning rates that fall with the global step: exponentially, as a polynomial, in steps, as its inverse."""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import graphc as gc
from graphc.api.public import public


def rate_and_steps(function: str, learning_rate: Any, global_step: Any, decay_steps: Any) -> tuple[gc.Tensor, ...]:
    """The learning rate as a tensor, the global step and decay_steps in its dtype."""
    if global_step is None:
        raise ValueError(f"global_step is required for {function}.")
    rate = gc.convert_to_tensor(learning_rate, preferred_dtype=gc.float32, name="learning_rate")
    return rate, gc.cast(global_step, rate.dtype), gc.cast(decay_steps, rate.dtype)


@public("train.exponential_decay")
def exponential_decay(learning_rate: Any, global_step: Any, decay_steps: Any, decay_rate: Any, staircase: bool = False,
                      name: str | None = None) -> gc.Tensor:
    """learning_rate * decay_rate ** (global_step / decay_steps), as `tf.train.exponential_decay`.

    staircase: the quotient is rounded down. learning_rate may be a tensor, whose dtype the rate has (float32 for Python
    numbers). Raises ValueError if global_step is None, TypeError for strings.

    >>> step = gc.placeholder(gc.int64, [])
    >>> smooth = gc.train.exponential_decay(0.1, step, decay_steps=10, decay_rate=0.5)
    >>> stairs = gc.train.exponential_decay(0.1, step, decay_steps=10, decay_rate=0.5, staircase=True)
    >>> [gc.get_default_session().run([smooth, stairs], {step: n}) for n in (0, 5, 10)]
    [[np.float32(0.1), np.float32(0.1)], [np.float32(0.07071), np.float32(0.1)], [np.float32(0.05), np.float32(0.05)]]
    """
    with gc.get_default_graph().name_scope(name or "ExponentialDecay") as scope:
        rate, step, steps = rate_and_steps("exponential_decay", learning_rate, global_step, decay_steps)
        quotient = gc.divide(step, steps)
        if staircase:
            quotient = gc.floor(quotient)
        return gc.multiply(rate, gc.pow(gc.cast(decay_rate, rate.dtype), quotient), name=scope)


@public("train.natural_exp_decay")
def natural_exp_decay(learning_rate: Any, global_step: Any, decay_steps: Any, decay_rate: Any, staircase: bool = False,
                      name: str | None = None) -> gc.Tensor:
    """learning_rate * exp(-decay_rate * global_step / decay_steps), as `tf.train.natural_exp_decay`.

    staircase: the quotient is rounded down. The rest as of exponential_decay.

    >>> step = gc.placeholder(gc.int64, [])
    >>> rate = gc.train.natural_exp_decay(0.1, step, decay_steps=10, decay_rate=1.)
    >>> [rate.eval({step: n}) for n in (0, 10, 20)]
    [np.float32(0.1), np.float32(0.03679), np.float32(0.01353)]
    """
    factor = gc.exp(gc.negative(gc.convert_to_tensor(decay_rate, preferred_dtype=gc.float32)))
    return exponential_decay(learning_rate, global_step, decay_steps, factor, staircase, name)


@public("train.inverse_time_decay")
def inverse_time_decay(learning_rate: Any, global_step: Any, decay_steps: Any, decay_rate: Any,
                       staircase: bool = False, name: str | None = None) -> gc.Tensor:
    """learning_rate / (1 + decay_rate * global_step / decay_steps), as `tf.train.inverse_time_decay`.

    staircase: the quotient is rounded down. The rest as of exponential_decay.

    >>> step = gc.placeholder(gc.int64, [])
    >>> rate = gc.train.inverse_time_decay(0.1, step, decay_steps=10, decay_rate=1.)
    >>> [rate.eval({step: n}) for n in (0, 10, 30)]
    [np.float32(0.1), np.float32(0.05), np.float32(0.025)]
    """
    with gc.get_default_graph().name_scope(name or "InverseTimeDecay") as scope:
        rate, step, steps = rate_and_steps("inverse_time_decay", learning_rate, global_step, decay_steps)
        quotient = gc.divide(step, steps)
        if staircase:
            quotient = gc.floor(quotient)
        return gc.divide(rate, 1.0 + gc.cast(decay_rate, rate.dtype) * quotient, name=scope)


@public("train.polynomial_decay")
def polynomial_decay(learning_rate: Any, global_step: Any, decay_steps: Any, end_learning_rate: Any = 0.0001,
                     power: Any = 1.0, cycle: bool = False, name: str | None = None) -> gc.Tensor:
    """From learning_rate to end_learning_rate within decay_steps, as (1 - global_step / decay_steps) ** power falls, as
    `tf.train.polynomial_decay`. cycle: over and over, in ever longer times.

    learning_rate may be a tensor, whose dtype the rate has (float32 for Python numbers). Raises ValueError if
    global_step is None, TypeError for strings.

    >>> step = gc.placeholder(gc.int64, [])
    >>> rate = gc.train.polynomial_decay(0.1, step, decay_steps=10, end_learning_rate=0.01)
    >>> [rate.eval({step: n}) for n in (0, 5, 10, 20)]
    [np.float32(0.1), np.float32(0.055), np.float32(0.01), np.float32(0.01)]
    """
    with gc.get_default_graph().name_scope(name or "PolynomialDecay") as scope:
        rate, step, steps = rate_and_steps("polynomial_decay", learning_rate, global_step, decay_steps)
        end, exponent = gc.cast(end_learning_rate, rate.dtype), gc.cast(power, rate.dtype)
        if cycle:
            one = gc.cast(1.0, rate.dtype)
            steps = gc.multiply(steps, gc.where(gc.equal(step, 0), one, gc.ceil(gc.divide(step, steps))))
        else:
            step = gc.minimum(step, steps)
        return gc.add(gc.multiply(rate - end, gc.pow(1.0 - gc.divide(step, steps), exponent)), end, name=scope)


@public("train.piecewise_constant", "train.piecewise_constant_decay")
def piecewise_constant(x: Any, boundaries: Sequence[Any], values: Sequence[Any], name: str | None = None) -> gc.Tensor:
    """values[0] while x <= boundaries[0], values[1] while x <= boundaries[1], ..., in the end the last one, as
    `tf.train.piecewise_constant`. Boundaries are of x' dtype.
    Raises ValueError unless there is one value more than boundaries, or for dtypes that differ.

    >>> step = gc.placeholder(gc.int64, [])
    >>> rate = gc.train.piecewise_constant(step, boundaries=[100, 200], values=[0.1, 0.01, 0.001])
    >>> [rate.eval({step: n}) for n in (0, 100, 101, 300)]
    [np.float32(0.1), np.float32(0.1), np.float32(0.01), np.float32(0.001)]
    """
    if len(boundaries) != len(values) - 1:
        raise ValueError("The length of boundaries should be 1 less than the length of values")
    with gc.get_default_graph().name_scope(name or "PiecewiseConstant"):
        step = gc.convert_to_tensor(x)
        limits = [_boundary(gc.convert_to_tensor(b), step) for b in boundaries]
        rates = [gc.convert_to_tensor(v) for v in values]
        for rate in rates[1:]:
            if rate.dtype.base_dtype != rates[0].dtype.base_dtype:
                raise ValueError("Values must have elements all with the same dtype "
                                 f"({rates[0].dtype.name} vs {rate.dtype.name}).")
        chosen = rates[-1]
        for limit, rate in zip(reversed(limits), reversed(rates[:-1]), strict=True):
            chosen = gc.where(gc.less_equal(step, limit), rate, chosen)
        return chosen


def _boundary(boundary: gc.Tensor, step: gc.Tensor) -> gc.Tensor:
    if boundary.dtype.base_dtype == step.dtype.base_dtype:
        return boundary
    if boundary.dtype.base_dtype == gc.int32 and step.dtype.base_dtype == gc.int64:
        return gc.cast(boundary, gc.int64)
    raise ValueError(f"Boundaries ({boundary.dtype.name}) must have the same dtype as x ({step.dtype.name}).")
