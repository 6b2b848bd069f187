"""Constraints of weights, as Keras names them: what an optimizer makes of a variable after each step."""
from __future__ import annotations

from typing import Any

import graphc as gc

_TINY = 1e-7


def _norm(weights: Any, axis: Any) -> Any:
    return gc.sqrt(gc.reduce_sum(gc.square(weights), axis, keepdims=True))


class MaxNorm:
    """Scales weights down to a norm of at most max_value along `axis`."""

    def __init__(self, max_value: float = 2, axis: Any = 0) -> None:
        self.max_value = max_value
        self.axis = axis

    def __call__(self, weights: Any) -> Any:
        norm = _norm(weights, self.axis)
        return weights * (gc.clip_by_value(norm, 0.0, float(self.max_value)) / (_TINY + norm))


class MinMaxNorm:
    """Moves the norm along `axis` by the part `rate` of the way into min_value .. max_value."""

    def __init__(self, min_value: float = 0.0, max_value: float = 1.0, rate: float = 1.0, axis: Any = 0) -> None:
        self.min_value = min_value
        self.max_value = max_value
        self.rate = rate
        self.axis = axis

    def __call__(self, weights: Any) -> Any:
        norm = _norm(weights, self.axis)
        clipped = gc.clip_by_value(norm, float(self.min_value), float(self.max_value))
        return weights * ((self.rate * clipped + (1 - self.rate) * norm) / (_TINY + norm))


class NonNeg:
    """Sets negative weights to 0."""

    def __call__(self, weights: Any) -> Any:
        return weights * gc.cast(gc.greater_equal(weights, gc.zeros([], weights.dtype.base_dtype)),
                                 weights.dtype.base_dtype)


class UnitNorm:
    """Scales weights to a norm of 1 along `axis`."""

    def __init__(self, axis: Any = 0) -> None:
        self.axis = axis

    def __call__(self, weights: Any) -> Any:
        return weights / (_TINY + _norm(weights, self.axis))
