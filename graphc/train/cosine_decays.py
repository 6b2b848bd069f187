"""Learning rates that fall as a cosine does."""
from __future__ import annotations

import math
from typing import Any

from graphc.api.array.cast import cast
from graphc.api.array.gather import where
from graphc.api.math.binary import minimum, multiply, pow
from graphc.api.math.comparison import equal
from graphc.api.math.division import divide
from graphc.api.math.trigonometry import cos
from graphc.api.math.unary import floor, log, sqrt
from graphc.api.public import public
from graphc.api.random.random import random_normal
from graphc.ir.graph import get_default_graph
from graphc.ir.tensor import Tensor
from graphc.train.decay import rate_and_steps


def _half_cosine(fraction: Tensor) -> Tensor:
    """1 at fraction 0, 0 at fraction 1."""
    return 0.5 * (1.0 + cos(math.pi * fraction))


@public("train.cosine_decay")
def cosine_decay(learning_rate: Any, global_step: Any, decay_steps: Any, alpha: Any = 0.0,
                 name: str | None = None) -> Tensor:
    """From learning_rate to alpha * learning_rate within decay_steps along half a cosine, as `tf.train.cosine_decay`.
    """
    with get_default_graph().name_scope(name or "CosineDecay"):
        rate, step, steps = rate_and_steps("cosine_decay", learning_rate, global_step, decay_steps)
        fraction = divide(minimum(step, steps), steps)
        return multiply(rate, (1.0 - alpha) * _half_cosine(fraction) + alpha)


@public("train.cosine_decay_restarts")
def cosine_decay_restarts(learning_rate: Any, global_step: Any, first_decay_steps: Any, t_mul: Any = 2.0,
                          m_mul: Any = 1.0, alpha: Any = 0.0, name: str | None = None) -> Tensor:
    """cosine_decay that begins anew after first_decay_steps, after t_mul times as many, and so on, each time from m_mul
    times the rate before, as `tf.train.cosine_decay_restarts`."""
    with get_default_graph().name_scope(name or "SGDRDecay") as scope:
        rate, step, steps = rate_and_steps("cosine_decay_restarts", learning_rate, global_step, first_decay_steps)
        longer, lower, rest = (cast(x, rate.dtype) for x in (t_mul, m_mul, alpha))
        done = divide(step, steps)
        even = equal(longer, 1.0)
        # Where every period is as long, the sum of a geometric series would be 0 / 0: 2 stands in there.
        ratio = where(even, cast(2.0, rate.dtype), longer)
        growing = floor(divide(log(1.0 - done * (1.0 - ratio)), log(ratio)))
        before = divide(1.0 - pow(ratio, growing), 1.0 - ratio)
        restart = where(even, floor(done), growing)
        fraction = where(even, done - floor(done), divide(done - before, pow(ratio, growing)))
        return multiply(rate, (1.0 - rest) * (pow(lower, restart) * _half_cosine(fraction)) + rest, name=scope)


def _linear_cosine(step: Tensor, steps: Tensor, num_periods: Any) -> tuple[Tensor, Tensor]:
    step = minimum(step, steps)
    return divide(steps - step, steps), _half_cosine(2.0 * num_periods * divide(step, steps))


@public("train.linear_cosine_decay")
def linear_cosine_decay(learning_rate: Any, global_step: Any, decay_steps: Any, num_periods: Any = 0.5,
                        alpha: Any = 0.0, beta: Any = 0.001, name: str | None = None) -> Tensor:
    """learning_rate * ((alpha + linear) * cosine + beta), as `tf.train.linear_cosine_decay`."""
    with get_default_graph().name_scope(name or "LinearCosineDecay") as scope:
        rate, step, steps = rate_and_steps("linear_cosine_decay", learning_rate, global_step, decay_steps)
        linear, cosine = _linear_cosine(step, steps, cast(num_periods, rate.dtype))
        return multiply(rate, (alpha + linear) * cosine + beta, name=scope)


@public("train.noisy_linear_cosine_decay")
def noisy_linear_cosine_decay(learning_rate: Any, global_step: Any, decay_steps: Any, initial_variance: Any = 1.0,
                              variance_decay: Any = 0.55, num_periods: Any = 0.5, alpha: Any = 0.0, beta: Any = 0.001,
                              name: str | None = None) -> Tensor:
    """linear_cosine_decay whose linear part has noise of the variance initial_variance / (1 + step) ** variance_decay,
    as `tf.train.noisy_linear_cosine_decay`."""
    with get_default_graph().name_scope(name or "NoisyLinearCosineDecay") as scope:
        rate, step, steps = rate_and_steps("noisy_linear_cosine_decay", learning_rate, global_step, decay_steps)
        linear, cosine = _linear_cosine(step, steps, cast(num_periods, rate.dtype))
        variance = divide(cast(initial_variance, rate.dtype),
                          pow(1.0 + minimum(step, steps), cast(variance_decay, rate.dtype)))
        noise = random_normal([], dtype=rate.dtype) * sqrt(variance)
        return multiply(rate, (alpha + (linear + noise)) * cosine + beta, name=scope)
