"""The initialisers of contrib.layers: xavier_initializer and the scaling that it is a case of."""
from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

import graphc as gc
from graphc.api.public import public


@public("contrib.layers.variance_scaling_initializer")
def variance_scaling_initializer(factor: float = 2.0, mode: str = "FAN_IN", uniform: bool = False,
                                 seed: int | None = None, dtype: Any = gc.float32) -> Callable[..., Any]:
    """Random numbers of variance factor / n, where n is the number of inputs (FAN_IN), of outputs (FAN_OUT) or their
    mean (FAN_AVG). As `tf.contrib.layers.variance_scaling_initializer`; gc.variance_scaling_initializer is another one.

    Inputs are the last size but one times those before, outputs the last one times those. Raises TypeError for another
    mode, or a dtype that is not floating point.

    >>> w = gc.get_variable("w", [200, 50], initializer=gc.contrib.layers.variance_scaling_initializer(seed=1))
    >>> gc.global_variables_initializer().run()
    >>> bool(abs(w.eval().var() - 2 / 200) < 1e-3)
    True
    """
    _check_floating(dtype)
    if mode not in ("FAN_IN", "FAN_OUT", "FAN_AVG"):
        raise TypeError(f"Unknown mode {mode!r} [FAN_IN, FAN_OUT, FAN_AVG]")

    def initializer(shape: Any, dtype: Any = dtype, partition_info: Any = None) -> Any:
        _check_floating(dtype)
        sizes = [float(size) for size in shape]
        receptive = float(np.prod(sizes[:-2]))
        fan_in = receptive * (sizes[-2] if len(sizes) > 1 else sizes[-1] if sizes else 1.0)
        fan_out = receptive * (sizes[-1] if sizes else 1.0)
        n = {"FAN_IN": fan_in, "FAN_OUT": fan_out, "FAN_AVG": (fan_in + fan_out) / 2.0}[mode]
        if uniform:
            limit = math.sqrt(3.0 * factor / n)
            return gc.random_uniform(shape, -limit, limit, dtype, seed=seed)
        # Truncating takes away from the variance: 1.3 makes up for it, nearly.
        return gc.truncated_normal(shape, 0.0, math.sqrt(1.3 * factor / n), dtype, seed=seed)

    return initializer


def _check_floating(dtype: Any) -> None:
    if not gc.as_dtype(dtype).is_floating:
        raise TypeError("Cannot create initializer for non-floating point type, but dtype is "
                        f"{gc.as_dtype(dtype).name}.")


@public("contrib.layers.xavier_initializer", "contrib.layers.xavier_initializer_conv2d")
def xavier_initializer(uniform: bool = True, seed: int | None = None, dtype: Any = gc.float32) -> Callable[..., Any]:
    """Random numbers of variance 2 / (inputs + outputs). As `tf.contrib.layers.xavier_initializer`.

    The function takes a shape. uniform: else normal, cut at two deviations. Raises TypeError for a dtype that is not
    floating point.

    >>> w = gc.get_variable("w", [200, 50], initializer=gc.contrib.layers.xavier_initializer(seed=1))
    >>> gc.global_variables_initializer().run()
    >>> bool(abs(w.eval().var() - 2 / (200 + 50)) < 1e-3)
    True
    """
    return variance_scaling_initializer(1.0, "FAN_AVG", uniform, seed, dtype)
