"""Activations, initialisers, regularizers and constraints that are given by name ("relu"), as Keras' layers take them.

Anything callable stands for itself; None for none.
"""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

import graphc as gc
from graphc.layers import constraints, penalties

Function = Callable[..., Any]
_ACTIVATIONS: dict[str, Function] = {
    "linear": lambda x: x, "relu": gc.nn.relu, "relu6": gc.nn.relu6, "elu": gc.nn.elu, "selu": gc.nn.selu,
    "tanh": gc.tanh, "sigmoid": gc.sigmoid, "softmax": gc.nn.softmax, "softplus": gc.nn.softplus,
    "softsign": gc.nn.softsign, "exponential": gc.exp,
    "hard_sigmoid": lambda x: gc.clip_by_value(x * 0.2 + 0.5, 0.0, 1.0),
}
# Keras' random initialisers spread by 0.05 where those of gc.initializers spread by 1.
_INITIALIZERS: dict[str, Function] = {
    "zeros": gc.zeros_initializer, "ones": gc.ones_initializer, "constant": gc.constant_initializer,
    "normal": lambda: gc.random_normal_initializer(stddev=0.05),
    "uniform": lambda: gc.random_uniform_initializer(-0.05, 0.05),
    "truncated_normal": lambda: gc.truncated_normal_initializer(stddev=0.05),
    "orthogonal": gc.orthogonal_initializer, "identity": gc.initializers.identity,
    "glorot_uniform": gc.glorot_uniform_initializer, "glorot_normal": gc.glorot_normal_initializer,
    "variance_scaling": gc.variance_scaling_initializer, "he_normal": gc.initializers.he_normal,
    "he_uniform": gc.initializers.he_uniform, "lecun_normal": gc.initializers.lecun_normal,
    "lecun_uniform": gc.initializers.lecun_uniform,
}
_INITIALIZERS |= {"random_normal": _INITIALIZERS["normal"], "random_uniform": _INITIALIZERS["uniform"],
                  "one": _INITIALIZERS["ones"], "zero": _INITIALIZERS["zeros"]}
_REGULARIZERS: dict[str, Function] = {
    "l1": lambda: penalties.L1L2(l1=0.01), "l2": lambda: penalties.L1L2(l2=0.01),
    "l1_l2": lambda: penalties.L1L2(0.01, 0.01),
}
_CONSTRAINTS: dict[str, Function] = {
    "max_norm": constraints.MaxNorm, "non_neg": constraints.NonNeg, "unit_norm": constraints.UnitNorm,
    "min_max_norm": constraints.MinMaxNorm,
}


def activation_of(given: Any) -> Function | None:
    """The function of an activation's name. Raises ValueError for one that is not known."""
    return _ACTIVATIONS[_known(given, _ACTIVATIONS, "activation")] if isinstance(given, str) else _checked(given)


def initializer_of(given: Any) -> Any:
    """The initialiser of a name; what get_variable takes otherwise (a function, a value) is left to it."""
    return _made(given, _INITIALIZERS, "initializer")


def regularizer_of(given: Any) -> Function | None:
    return _checked(_made(given, _REGULARIZERS, "regularizer"))


def constraint_of(given: Any) -> Function | None:
    return _checked(_made(given, _CONSTRAINTS, "constraint"))


def _made(given: Any, known: dict[str, Function], what: str) -> Any:
    return known[_known(given, known, what)]() if isinstance(given, str) else given


def _known(name: str, known: dict[str, Function], what: str) -> str:
    wanted = name if name in known else "".join(f"_{c.lower()}" if c.isupper() else c for c in name).lstrip("_")
    if wanted not in known:
        raise ValueError(f"Unknown {what}: {name!r}; known by name are {', '.join(sorted(known))}. Pass a function "
                         "for any other")
    return wanted


def _checked(given: Any) -> Function | None:
    if given is not None and not callable(given):
        raise ValueError(f"Could not interpret {given!r}: it must be a name or a function")
    return given  # type: ignore[no-any-return]
