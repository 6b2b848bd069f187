"""variable_creator_scope: functions that stand between tf.Variable and the variable that is made."""
from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

from graphc.api.public import public
from graphc.ir.graph import get_default_graph


@public("variable_creator_scope")
def variable_creator_scope(variable_creator: Callable[..., Any]) -> AbstractContextManager[None]:
    """Inside, gc.Variable and gc.get_variable give variable_creator(next_creator, **arguments of gc.Variable).

    The creator should return next_creator(**arguments), which it may change; of nested ones the inner one is asked
    first. As `tf.variable_creator_scope`. Raises TypeError for what cannot be called.

    >>> def frozen(next_creator, **arguments):
    ...     return next_creator(**{**arguments, "trainable": False})
    >>> with gc.variable_creator_scope(frozen):
    ...     v = gc.get_variable("v", [2])
    >>> v.trainable
    False
    """
    if not callable(variable_creator):
        raise TypeError(f"variable_creator must be callable, but is {variable_creator!r}")
    return get_default_graph()._variable_creator_scope(variable_creator)
