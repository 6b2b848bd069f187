"""What users' functions are asked: the names of their arguments; and lists of hooks, checked."""
from __future__ import annotations

import functools
import inspect
import logging
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import graphc as gc

LOG = logging.getLogger("tensorflow")
_VARIADIC = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
_OF_MODEL_FN = {"features", "labels", "mode", "params", "self", "config"}


def argument_names(function: Callable[..., Any]) -> tuple[str, ...]:
    """The arguments that a caller can still give: without self, and without those that a partial has."""
    if isinstance(function, functools.partial):
        names = argument_names(function.func)[len(function.args):]
        return tuple(name for name in names if name not in function.keywords)
    return tuple(p.name for p in inspect.signature(function).parameters.values() if p.kind not in _VARIADIC)


def called_with(function: Callable[..., Any], given: Mapping[str, Any]) -> Any:
    """function(...) of those of the given arguments that it names."""
    names = argument_names(function)
    return function(**{name: value for name, value in given.items() if name in names})


def check_model_fn(model_fn: Callable[..., Any], params: Any) -> None:
    """Raises ValueError unless it takes features, params if there are any, and nothing that nobody would give it."""
    names = set(argument_names(model_fn))
    if "features" not in names:
        raise ValueError(f"model_fn ({model_fn}) must include features argument.")
    if params is not None and "params" not in names:
        raise ValueError(f"model_fn ({model_fn}) does not include params argument, but params ({params}) is passed to "
                         "Estimator.")
    if params is None and "params" in names:
        LOG.warning("Estimator's model_fn (%s) includes params argument, but params are not passed to Estimator.",
                    model_fn)
    if names - _OF_MODEL_FN:
        raise ValueError(f"model_fn ({model_fn}) has following not expected args: {sorted(names - _OF_MODEL_FN)}")


def checked_hooks(hooks: Iterable[Any] | None, what: str = "Hooks") -> list[Any]:
    """A list of them. Raises TypeError for what is no hook."""
    found = list(hooks or ())
    for hook in found:
        if not isinstance(hook, gc.train.SessionRunHook):
            raise TypeError(f"{what} must be a SessionRunHook, given: {hook!r}")
    return found


def checked_listeners(listeners: Iterable[Any] | None) -> list[Any]:
    """A list of them. Raises TypeError for what is no CheckpointSaverListener."""
    found = list(listeners or ())
    for listener in found:
        if not isinstance(listener, gc.train.CheckpointSaverListener):
            raise TypeError(f"saving_listeners must be a list of CheckpointSaverListener, given: {listener!r}")
    return found
