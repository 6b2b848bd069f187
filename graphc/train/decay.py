"""Learning rates that fall with the global step: exponentially, as a polynomial, in steps, as its inverse."""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from graphc.api.array.cast import cast
from graphc.api.array.gather import where
from graphc.api.math.binary import add, minimum, multiply, pow
from graphc.api.math.comparison import equal, less_equal
from graphc.api.math.division import divide
from graphc.api.math.unary import ceil, exp, floor, negative
from graphc.api.public import public
from graphc.ir.apply import convert_to_tensor
from graphc.ir.dtypes import float32, int32, int64
from graphc.ir.graph import get_default_graph
from graphc.ir.tensor import Tensor


def rate_and_steps(function: str, learning_rate: Any, global_step: Any, decay_steps: Any) -> tuple[Tensor, ...]:
    """The learning rate as a tensor, the global step and decay_steps in its dtype."""
    if global_step is None:
        raise ValueError(f"global_step is required for {function}.")
    rate = convert_to_tensor(learning_rate, preferred_dtype=float32, name="learning_rate")
    return rate, cast(global_step, rate.dtype), cast(decay_steps, rate.dtype)


@public("train.exponential_decay")
def exponential_decay(learning_rate: Any, global_step: Any, decay_steps: Any, decay_rate: Any, staircase: bool = False,
                      name: str | None = None) -> Tensor:
    """learning_rate * decay_rate ** (global_step / decay_steps), as `tf.train.exponential_decay`.

    staircase: the quotient is rounded down. Raises ValueError without a global step.
    """
    with get_default_graph().name_scope(name or "ExponentialDecay") as scope:
        rate, step, steps = rate_and_steps("exponential_decay", learning_rate, global_step, decay_steps)
        quotient = divide(step, steps)
        if staircase:
            quotient = floor(quotient)
        return multiply(rate, pow(cast(decay_rate, rate.dtype), quotient), name=scope)


@public("train.natural_exp_decay")
def natural_exp_decay(learning_rate: Any, global_step: Any, decay_steps: Any, decay_rate: Any, staircase: bool = False,
                      name: str | None = None) -> Tensor:
    """learning_rate * exp(-decay_rate * global_step / decay_steps), as `tf.train.natural_exp_decay`.

    staircase: the quotient is rounded down.
    """
    factor = exp(negative(convert_to_tensor(decay_rate, preferred_dtype=float32)))
    return exponential_decay(learning_rate, global_step, decay_steps, factor, staircase, name)


@public("train.inverse_time_decay")
def inverse_time_decay(learning_rate: Any, global_step: Any, decay_steps: Any, decay_rate: Any,
                       staircase: bool = False, name: str | None = None) -> Tensor:
    """learning_rate / (1 + decay_rate * global_step / decay_steps), as `tf.train.inverse_time_decay`.

    staircase: the quotient is rounded down.
    """
    with get_default_graph().name_scope(name or "InverseTimeDecay") as scope:
        rate, step, steps = rate_and_steps("inverse_time_decay", learning_rate, global_step, decay_steps)
        quotient = divide(step, steps)
        if staircase:
            quotient = floor(quotient)
        return divide(rate, 1.0 + cast(decay_rate, rate.dtype) * quotient, name=scope)


@public("train.polynomial_decay")
def polynomial_decay(learning_rate: Any, global_step: Any, decay_steps: Any, end_learning_rate: Any = 0.0001,
                     power: Any = 1.0, cycle: bool = False, name: str | None = None) -> Tensor:
    """From learning_rate to end_learning_rate within decay_steps, as (1 - global_step / decay_steps) ** power falls, as
    `tf.train.polynomial_decay`. cycle: over and over, in ever longer times."""
    with get_default_graph().name_scope(name or "PolynomialDecay") as scope:
        rate, step, steps = rate_and_steps("polynomial_decay", learning_rate, global_step, decay_steps)
        end, exponent = cast(end_learning_rate, rate.dtype), cast(power, rate.dtype)
        if cycle:
            one = cast(1.0, rate.dtype)
            steps = multiply(steps, where(equal(step, 0), one, ceil(divide(step, steps))))
        else:
            step = minimum(step, steps)
        return add(multiply(rate - end, pow(1.0 - divide(step, steps), exponent)), end, name=scope)


@public("train.piecewise_constant", "train.piecewise_constant_decay")
def piecewise_constant(x: Any, boundaries: Sequence[Any], values: Sequence[Any], name: str | None = None) -> Tensor:
    """values[0] while x <= boundaries[0], values[1] while x <= boundaries[1], ..., in the end the last one, as
    `tf.train.piecewise_constant`. Boundaries are of x' dtype."""
    if len(boundaries) != len(values) - 1:
        raise ValueError("The length of boundaries should be 1 less than the length of values")
    with get_default_graph().name_scope(name or "PiecewiseConstant"):
        step = convert_to_tensor(x)
        limits = [_boundary(convert_to_tensor(b), step) for b in boundaries]
        rates = [convert_to_tensor(v) for v in values]
        for rate in rates[1:]:
            if rate.dtype.base_dtype != rates[0].dtype.base_dtype:
                raise ValueError("Values must have elements all with the same dtype "
                                 f"({rates[0].dtype.name} vs {rate.dtype.name}).")
        chosen = rates[-1]
        for limit, rate in zip(reversed(limits), reversed(rates[:-1]), strict=True):
            chosen = where(less_equal(step, limit), rate, chosen)
        return chosen


def _boundary(boundary: Tensor, step: Tensor) -> Tensor:
    if boundary.dtype.base_dtype == step.dtype.base_dtype:
        return boundary
    if boundary.dtype.base_dtype == int32 and step.dtype.base_dtype == int64:
        return cast(boundary, int64)
    raise ValueError(f"Boundaries ({boundary.dtype.name}) must have the same dtype as x ({step.dtype.name}).")
