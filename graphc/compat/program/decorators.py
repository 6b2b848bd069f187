"""What programs borrow from inside `tensorflow.python.util`, of TensorFlow's own helpers: Python's, or nearly so."""
from __future__ import annotations

import contextlib
import functools
import inspect
from collections.abc import Callable
from typing import Any

from graphc.api.public import public


@public("compat.v1.python.util.tf_contextlib.contextmanager")
def contextmanager(target: Callable[..., Any]) -> Callable[..., Any]:
    """Python's contextlib.contextmanager."""
    return contextlib.contextmanager(target)


@public("compat.v1.python.util.tf_decorator.make_decorator")
def make_decorator(target: Callable[..., Any], decorator_func: Callable[..., Any], decorator_name: str | None = None,
                   decorator_doc: str = "", decorator_argspec: Any = None) -> Callable[..., Any]:
    """decorator_func with the name and the documentation of `target`, which `unwrap` finds again."""
    functools.update_wrapper(decorator_func, target)
    if decorator_doc:
        decorator_func.__doc__ = decorator_doc
    return decorator_func


@public("compat.v1.python.util.tf_decorator.unwrap")
def unwrap(maybe_tf_decorator: Callable[..., Any]) -> tuple[list[Callable[..., Any]], Callable[..., Any]]:
    """The decorators around a function, the outermost first, and the function inside of them all."""
    decorators = []
    while hasattr(maybe_tf_decorator, "__wrapped__") and not inspect.ismethod(maybe_tf_decorator):
        decorators.append(maybe_tf_decorator)
        maybe_tf_decorator = maybe_tf_decorator.__wrapped__
    return decorators, maybe_tf_decorator


@public("compat.v1.python.util.deprecation.deprecated")
def deprecated(date: str | None, instructions: str, warn_once: bool = True) -> Callable[[Any], Any]:
    """Decorates a function or class with nothing: TensorFlow logged a line that says when it would go away."""
    return lambda target: target


@public("compat.v1.python.util.deprecation.deprecated_args")
def deprecated_args(date: str | None, instructions: str, *deprecated_arg_names_or_tuples: Any,
                    **kwargs: Any) -> Callable[[Any], Any]:
    """Decorates a function with nothing, as `deprecated` does."""
    return lambda target: target


@public("compat.v1.python.util.deprecation.deprecated_argument_lookup")
def deprecated_argument_lookup(new_name: str, new_value: Any, old_name: str, old_value: Any) -> Any:
    """The value that was given, under its new or its old name. Raises ValueError if it was given under both."""
    if old_value is None:
        return new_value
    if new_value is not None:
        raise ValueError(f"Cannot specify both '{old_name}' and '{new_name}'.")
    return old_value


@public("compat.v1.python.util.tf_export.tf_export", "compat.v1.python.util.tf_export.keras_export",
        "compat.v1.python.util.tf_export.estimator_export")
def tf_export(*args: str, **kwargs: Any) -> Callable[[Any], Any]:
    """Decorates a function or class with nothing: the names it would have in TensorFlow are not made."""
    return lambda target: target


@public("compat.v1.python.util.tf_inspect.getargspec")
def getargspec(obj: Callable[..., Any]) -> inspect.FullArgSpec:
    """`getfullargspec`: Python has lost the shorter one."""
    return getfullargspec(obj)


@public("compat.v1.python.util.tf_inspect.getfullargspec")
def getfullargspec(obj: Callable[..., Any]) -> inspect.FullArgSpec:
    """inspect.getfullargspec of the function inside its decorators."""
    return inspect.getfullargspec(unwrap(obj)[1])


@public("compat.v1.python.util.tf_inspect.isfunction")
def isfunction(object: Any) -> bool:
    """Whether it is a function, inside its decorators if it has some."""
    return inspect.isfunction(unwrap(object)[1])


@public("compat.v1.python.util.tf_inspect.ismethod")
def ismethod(object: Any) -> bool:
    """Whether it is a bound method, inside its decorators if it has some."""
    return inspect.ismethod(unwrap(object)[1])


@public("compat.v1.python.util.tf_inspect.isclass")
def isclass(object: Any) -> bool:
    """Whether it is a class, inside its decorators if it has some."""
    return inspect.isclass(unwrap(object)[1])


@public("compat.v1.python.util.tf_inspect.getcallargs")
def getcallargs(*func_and_positional: Any, **named: Any) -> dict[str, Any]:
    """The arguments of a call of func_and_positional[0], by name."""
    function, *positional = func_and_positional
    return inspect.getcallargs(unwrap(function)[1], *positional, **named)
