"""Learning rates that fall as a cosine does."""
from __future__ import annotations

import math
from typing import Any

import graphc as gc
from graphc.api.public import public
from graphc.train.decay import rate_and_steps


def _half_cosine(fraction: gc.Tensor) -> gc.Tensor:
    """1 at fraction 0, 0 at fraction 1."""
    return 0.5 * (1.0 + gc.cos(math.pi * fraction))


@public("train.cosine_decay")
def cosine_decay(learning_rate: Any, global_step: Any, decay_steps: Any, alpha: Any = 0.0,
                 name: str | None = None) -> gc.Tensor:
    """From learning_rate to alpha * learning_rate within decay_steps along half a cosine, as `tf.train.cosine_decay`.

    learning_rate may be a tensor, whose dtype the rate has (float32 for Python numbers). Raises ValueError if
    global_step is None, TypeError for strings.

    >>> step = gc.placeholder(gc.int64, [])
    >>> rate = gc.train.cosine_decay(0.1, step, decay_steps=100)
    >>> [rate.eval({step: n}) for n in (0, 50, 100, 200)]
    [np.float32(0.1), np.float32(0.05), np.float32(0.0), np.float32(0.0)]
    """
    with gc.get_default_graph().name_scope(name or "CosineDecay"):
        rate, step, steps = rate_and_steps("cosine_decay", learning_rate, global_step, decay_steps)
        fraction = gc.divide(gc.minimum(step, steps), steps)
        return gc.multiply(rate, (1.0 - alpha) * _half_cosine(fraction) + alpha)


@public("train.cosine_decay_restarts")
def cosine_decay_restarts(learning_rate: Any, global_step: Any, first_decay_steps: Any, t_mul: Any = 2.0,
                          m_mul: Any = 1.0, alpha: Any = 0.0, name: str | None = None) -> gc.Tensor:
    """cosine_decay that restarts after first_decay_steps, then after t_mul times as many, and so on, each time from
    m_mul times the rate before, as `tf.train.cosine_decay_restarts`.
    alpha: the least rate, as part of the first one.

    dtype and errors are those of cosine_decay.

    >>> step = gc.placeholder(gc.int64, [])
    >>> rate = gc.train.cosine_decay_restarts(0.1, step, first_decay_steps=10, m_mul=0.5)
    >>> [rate.eval({step: n}) for n in (0, 5, 10, 20)]
    [np.float32(0.1), np.float32(0.05), np.float32(0.05), np.float32(0.025)]
    """
    with gc.get_default_graph().name_scope(name or "SGDRDecay") as scope:
        rate, step, steps = rate_and_steps("cosine_decay_restarts", learning_rate, global_step, first_decay_steps)
        longer, lower, rest = (gc.cast(x, rate.dtype) for x in (t_mul, m_mul, alpha))
        done = gc.divide(step, steps)
        even = gc.equal(longer, 1.0)
        # Where every period is as long, the sum of a geometric series would be 0 / 0: 2 stands in there.
        ratio = gc.where(even, gc.cast(2.0, rate.dtype), longer)
        growing = gc.floor(gc.divide(gc.log(1.0 - done * (1.0 - ratio)), gc.log(ratio)))
        before = gc.divide(1.0 - gc.pow(ratio, growing), 1.0 - ratio)
        restart = gc.where(even, gc.floor(done), growing)
        fraction = gc.where(even, done - gc.floor(done), gc.divide(done - before, gc.pow(ratio, growing)))
        return gc.multiply(rate, (1.0 - rest) * (gc.pow(lower, restart) * _half_cosine(fraction)) + rest, name=scope)


def _linear_cosine(step: gc.Tensor, steps: gc.Tensor, num_periods: Any) -> tuple[gc.Tensor, gc.Tensor]:
    step = gc.minimum(step, steps)
    return gc.divide(steps - step, steps), _half_cosine(2.0 * num_periods * gc.divide(step, steps))


@public("train.linear_cosine_decay")
def linear_cosine_decay(learning_rate: Any, global_step: Any, decay_steps: Any, num_periods: Any = 0.5,
                        alpha: Any = 0.0, beta: Any = 0.001, name: str | None = None) -> gc.Tensor:
    """learning_rate * ((alpha + linear) * cosine + beta), as `tf.train.linear_cosine_decay`.

    linear: from 1 to 0 within decay_steps; cosine: 0.5 * (1 + cos(2 pi num_periods * step / decay_steps)). dtype and
    errors are those of cosine_decay.

    >>> step = gc.placeholder(gc.int64, [])
    >>> rate = gc.train.linear_cosine_decay(0.1, step, decay_steps=10)
    >>> [rate.eval({step: n}) for n in (0, 5, 10)]
    [np.float32(0.1001), np.float32(0.0251), np.float32(0.0001)]
    """
    with gc.get_default_graph().name_scope(name or "LinearCosineDecay") as scope:
        rate, step, steps = rate_and_steps("linear_cosine_decay", learning_rate, global_step, decay_steps)
        linear, cosine = _linear_cosine(step, steps, gc.cast(num_periods, rate.dtype))
        return gc.multiply(rate, (alpha + linear) * cosine + beta, name=scope)


@public("train.noisy_linear_cosine_decay")
def noisy_linear_cosine_decay(learning_rate: Any, global_step: Any, decay_steps: Any, initial_variance: Any = 1.0,
                              variance_decay: Any = 0.55, num_periods: Any = 0.5, alpha: Any = 0.0, beta: Any = 0.001,
                              name: str | None = None) -> gc.Tensor:
    """linear_cosine_decay whose linear part has noise of the variance initial_variance / (1 + step) ** variance_decay,
    as `tf.train.noisy_linear_cosine_decay`.

    dtype and errors are those of cosine_decay.

    >>> step = gc.placeholder(gc.int64, [])
    >>> rate = gc.train.noisy_linear_cosine_decay(0.1, step, decay_steps=10, initial_variance=0.01)
    >>> [bool(abs(rate.eval({step: n}) - least) < 0.05) for n, least in ((0, 0.1), (5, 0.0251), (10, 0.0001))]
    [True, True, True]
    """
    with gc.get_default_graph().name_scope(name or "NoisyLinearCosineDecay") as scope:
        rate, step, steps = rate_and_steps("noisy_linear_cosine_decay", learning_rate, global_step, decay_steps)
        linear, cosine = _linear_cosine(step, steps, gc.cast(num_periods, rate.dtype))
        variance = gc.divide(gc.cast(initial_variance, rate.dtype),
                             gc.pow(1.0 + gc.minimum(step, steps), gc.cast(variance_decay, rate.dtype)))
        noise = gc.random_normal([], dtype=rate.dtype) * gc.sqrt(variance)
        return gc.multiply(rate, (alpha + (linear + noise)) * cosine + beta, name=scope)
