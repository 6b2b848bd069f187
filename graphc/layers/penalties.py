"""Regularizers of weights, as Keras names them; contrib's, which scale and name otherwise, are in regularizers.py."""
from __future__ import annotations

from typing import Any

import graphc as gc


class L1L2:
    """l1 * sum |w| + l2 * sum w * w."""

    def __init__(self, l1: float = 0.0, l2: float = 0.0) -> None:
        self.l1 = l1
        self.l2 = l2

    def __call__(self, weights: Any) -> Any:
        total: Any = gc.zeros([], weights.dtype.base_dtype)
        if self.l1:
            total += self.l1 * gc.reduce_sum(gc.abs(weights))
        if self.l2:
            total += self.l2 * gc.reduce_sum(gc.square(weights))
        return total
