"""How a function or class says under which public names users find it.

    @public("negative", "neg", "math.negative")
    def negative(x, name=None): ...

makes it gc.negative, gc.neg and gc.math.negative. api/names.py, the table of all of them, is generated from these
declarations (tools/public_names.py), so that a name costs no import before it is used. Errors that leave what is
public end in the user's own code (tracebacks.py).
"""
from __future__ import annotations

from collections.abc import Callable
from types import FunctionType
from typing import Any, TypeVar

from graphc import tracebacks

T = TypeVar("T", bound=Callable[..., Any])


def public(*names: str) -> Callable[[T], T]:
    """Declares the names, the main one first: the one in messages."""
    def declare(thing: T) -> T:
        if isinstance(thing, type):
            tracebacks.wrap_methods(thing, names[0])
            return thing
        if isinstance(thing, FunctionType) and not tracebacks.is_wrapped(thing):
            return tracebacks.user_facing(thing, f"gc.{names[0]}")  # type: ignore[return-value]
        return thing
    return declare


def given_by(name: str) -> Callable[[T], T]:
    """Declares a function that the public function `name` gives to its caller: its errors end in user code, too."""
    return lambda function: tracebacks.user_facing(function, name)  # type: ignore[return-value]
