"""What an object holds that is saved with it: variables, optimizers, layers, Checkpoints, lists, tuples and
dictionaries of them.

An optimizer holds the variables that belong to none of those that it trains (beta1_power). A layer holds its
attributes, under their names; so does a Checkpoint.
"""
from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import graphc as gc
from graphc.train.optimizer import Optimizer


class Holder:
    """Base of classes that say themselves what is saved with them."""

    def held(self) -> dict[str, Any]:
        """What it holds, by name, of which only what can be saved counts."""
        return dict(vars(self))


def is_trackable(value: Any) -> bool:
    return isinstance(value, (gc.Variable, Optimizer, Holder, Mapping, list, tuple, gc.layers.Layer))


def children(value: Any) -> dict[str, Any]:
    """The objects that it holds, by name. Raises ValueError for a dictionary that holds one under a key that is no
    string."""
    if isinstance(value, gc.Variable):
        return {}
    if isinstance(value, Optimizer):
        found = {name: v for (name, graph), v in value._non_slots.items() if graph is gc.get_default_graph()}
        return dict(sorted(found.items()))
    if isinstance(value, (list, tuple)):
        return {str(i): v for i, v in enumerate(value) if is_trackable(v)}
    if isinstance(value, Mapping):
        return {_key(key): v for key, v in value.items() if is_trackable(v)}
    own = _own_names() if isinstance(value, gc.layers.Layer) else set()
    held = value.held() if isinstance(value, Holder) else vars(value)
    return {name: v for name, v in held.items() if name not in own and is_trackable(v)}


def is_empty(value: Any) -> bool:
    """Whether it is a list or dictionary of nothing that is saved, of which a checkpoint need not know."""
    return isinstance(value, (Mapping, list, tuple)) and not children(value)


def _key(key: Any) -> str:
    if not isinstance(key, str):
        raise ValueError(f"a dictionary in a Checkpoint has the key {key!r} for an object that is saved; keys must be "
                         "strings, as they are a part of the name in the checkpoint")
    return key


def _own_names() -> set[str]:
    """What layers keep for themselves."""
    return {"_scope", "_current_scope", *vars(gc.layers.Layer.__new__(gc.layers.Layer))}
