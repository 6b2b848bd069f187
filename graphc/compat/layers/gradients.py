"""What is done to (gradient, variable) pairs before they are applied: noise, factors, clipping."""
from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import graphc as gc
from graphc.api.public import public
from graphc.train.loops.train_op import scaled

Pairs = Sequence[tuple[Any, Any]]


def clipped_by_norm(pairs: Pairs, norm: Any) -> list[tuple[Any, Any]]:
    """All gradients together scaled down to this norm."""
    clipped, _ = gc.clip_by_global_norm([g for g, _ in pairs], norm)
    return list(zip(clipped, (v for _, v in pairs), strict=True))


def noisy(pairs: Pairs, scale: float) -> list[tuple[Any, Any]]:
    """Gradients with truncated normal noise."""
    return [(None if g is None else g + gc.truncated_normal(_shape_of(g)) * scale, v) for g, v in pairs]


def _shape_of(gradient: Any) -> Any:
    if isinstance(gradient, gc.IndexedSlices):
        return gradient.dense_shape
    shape = gradient.get_shape()
    return shape if shape.is_fully_defined() else gc.shape(gradient)


def multiplied(pairs: Pairs, factors: dict[Any, Any]) -> list[tuple[Any, Any]]:
    """Gradients of the variables that are named (or given) in `factors` times their factor."""
    made = []
    for gradient, variable in pairs:
        key = variable if variable in factors else variable.name
        if gradient is not None and key in factors:
            gradient = _times(gradient, gc.cast(factors[key], gradient.dtype))
        made.append((gradient, variable))
    return made


def _times(gradient: Any, factor: Any) -> Any:
    return scaled(gradient, lambda values: values * factor)


@public("contrib.layers.adaptive_clipping_fn")
def adaptive_clipping_fn(std_factor: float = 2.0, decay: Any = 0.95, static_max_norm: Any = None,
                         global_step: Any = None, report_summary: bool = False, epsilon: float = 1e-8,
                         name: str | None = None) -> Callable[[Pairs], list[tuple[Any, Any]]]:
    """A function for optimize_loss' clip_gradients: gradients whose norm is std_factor standard deviations (of its
    logarithm) above its moving average are scaled down to it.

    The function takes and gives a list of (gradient, variable) pairs, gradients floating point of any shape or None.
    static_max_norm: a norm that is never passed. global_step: makes the first averages follow faster. Raises TypeError
    when called with integer gradients. As `tf.contrib.layers.adaptive_clipping_fn`.

    >>> clip = gc.contrib.layers.adaptive_clipping_fn(std_factor=2., static_max_norm=1.)
    >>> w = gc.Variable([3., 4.])
    >>> [(gradient, variable)] = clip([(gc.constant([30., 40.]), w)])
    >>> gc.global_variables_initializer().run()
    >>> gradient.eval().shape
    (2,)
    """
    def clip(grads_and_vars: Pairs) -> list[tuple[Any, Any]]:
        norm = gc.global_norm([g for g, _ in grads_and_vars])
        largest, log_mean = _largest_norm(norm, std_factor, decay, global_step, epsilon, name)
        if report_summary:
            gc.summary.scalar("global_norm/adaptive_max_gradient_norm", largest)
        factor = gc.where(norm < largest, gc.ones_like(norm), gc.exp(log_mean) / norm)
        if static_max_norm is not None:
            factor = gc.minimum(static_max_norm / norm, factor)
        return [(None if g is None else _times(g, factor), v) for g, v in grads_and_vars]

    return clip


def _largest_norm(norm: Any, std_factor: float, decay: Any, global_step: Any, epsilon: float,
                  name: str | None) -> tuple[Any, Any]:
    """(the largest norm that is left as it is, the moving average of the logarithm)."""
    with gc.variable_scope(name, "AdaptiveMaxNorm", [norm]):
        logarithm = gc.log(norm + epsilon)
        if global_step is not None:
            steps = gc.cast(global_step, gc.float32)
            decay = gc.minimum(decay, steps / (steps + 1.0))

        def average(called: str, value: Any) -> Any:
            kept = gc.get_variable(called, value.get_shape(), value.dtype, gc.zeros_initializer(), trainable=False)
            return gc.train.assign_moving_average(kept, value, decay, zero_debias=False)

        mean, square = average("mean", logarithm), average("sq_mean", gc.square(logarithm))
        deviation = gc.sqrt(gc.maximum(epsilon, square - gc.square(mean)))
        return gc.exp(mean + std_factor * deviation), mean
