"""The rules by which graphc's ops become nodes of ONNX.

    @exports("Softplus")
    def softplus(w, op, x): return w.node("Softplus", x)

A rule gets the Writer, the Operation and the ONNX names of its inputs; it returns the name of its output, or a tuple of
all. What it refuses is a NoEquivalent, which names why; the errors of all ops are told together.
"""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import graphc as gc

Rule = Callable[..., Any]
_RULES: dict[str, Rule] = {}


class NoEquivalent(Exception):
    """An op, or what it is asked to do, that ONNX cannot say."""


def exports(*types: str) -> Callable[[Rule], Rule]:
    """Declares the rule of the ops of these types."""
    def declare(rule: Rule) -> Rule:
        for name in types:
            if name in _RULES:
                raise ValueError(f"two rules for {name}")
            _RULES[name] = rule
        return rule
    return declare


def rule_for(op_type: str) -> Rule | None:
    return _RULES.get(op_type)


def exported_types() -> list[str]:
    """The op types that have a rule."""
    return sorted(_RULES)


def known(tensor: Any, what: str) -> np.ndarray:
    """The value of an operand. Raises NoEquivalent if it is computed when the graph runs."""
    value = gc.get_static_value(tensor)
    if value is None:
        raise NoEquivalent(f"{what} is not known before the graph runs")
    return np.asarray(value)


def rank_of(tensor: Any) -> int:
    """The number of axes. Raises NoEquivalent if it is not known."""
    if tensor.shape.ndims is None:
        raise NoEquivalent(f"the rank of {tensor.name} is not known")
    return int(tensor.shape.ndims)


def axis_of(axis: int, tensor: Any) -> int:
    """An axis counted from the front."""
    return int(axis) % rank_of(tensor) if axis < 0 else int(axis)
