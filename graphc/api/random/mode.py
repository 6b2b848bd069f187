"""Whose random numbers sessions draw. (graphc's own)"""
from __future__ import annotations

from graphc.api.public import public

_MODES = ("graphc", "tensorflow")
_mode = "graphc"


@public("set_random_mode")
def set_random_mode(mode: str) -> None:
    """Whose random numbers sessions draw that are made from now on: "graphc" (as quickly as possible, the default) or
    "tensorflow".

    "tensorflow": random ops with a seed draw the very numbers of TensorFlow 1 on a CPU, a little slower. Each execution
    of an op takes the next numbers of its stream, and a new session starts all streams again. It holds for
    random_uniform, random_normal, truncated_normal, multinomial, random_gamma, random_poisson, random_shuffle and all
    that is made of them (dropout, initialisers, random_crop) with a seed of its own. With the graph's alone nothing
    changes: there TensorFlow's numbers depend on the number of ops in the graph. Raises ValueError for another mode.
    graphc's own.

    >>> gc.set_random_mode("tensorflow")
    >>> x = gc.random_uniform([3], seed=5)
    >>> with gc.Session() as session:
    ...     session.run(x)
    array([0.1956, 0.0299, 0.3649], dtype=float32)
    >>> gc.set_random_mode("graphc")
    """
    if mode not in _MODES:
        raise ValueError(f"set_random_mode: argument 'mode' must be one of {', '.join(_MODES)}, but is {mode!r}")
    global _mode
    _mode = mode


@public("get_random_mode")
def get_random_mode() -> str:
    """What `gc.set_random_mode` said last: "graphc" or "tensorflow". graphc's own.

    >>> gc.get_random_mode()
    'graphc'
    """
    return _mode
