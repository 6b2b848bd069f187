"""The functions that cells know by name."""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

import graphc as gc

_BY_NAME: dict[str, Callable[[Any], Any]] = {
    "tanh": lambda x: gc.tanh(x), "sigmoid": lambda x: gc.sigmoid(x), "relu": lambda x: gc.nn.relu(x),
    "elu": lambda x: gc.nn.elu(x), "selu": lambda x: gc.nn.selu(x), "softplus": lambda x: gc.nn.softplus(x),
    "softsign": lambda x: gc.nn.softsign(x), "softmax": lambda x: gc.nn.softmax(x), "exponential": lambda x: gc.exp(x),
    "hard_sigmoid": lambda x: gc.clip_by_value(0.2 * x + 0.5, 0.0, 1.0), "linear": lambda x: x,
}


def activation_of(given: Any) -> Callable[[Any], Any]:
    """The function given itself, by name, or else tanh. Raises ValueError for an unknown name."""
    if not given:
        return gc.tanh
    if callable(given):
        return given
    if given not in _BY_NAME:
        raise ValueError(f"Unknown activation function: {given!r}; known are {', '.join(sorted(_BY_NAME))}")
    return _BY_NAME[given]
