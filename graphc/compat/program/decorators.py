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
    """Python's contextlib.contextmanager.

    target: a generator function that yields once. As `tensorflow.python.util.tf_contextlib.contextmanager`.

    >>> @gc.compat.v1.python.util.tf_contextlib.contextmanager
    ... def counted(name):
    ...     print("begin", name)
    ...     yield len(name)
    ...     print("end", name)
    >>> with counted("step") as n:
    ...     print(n)
    begin step
    4
    end step
    """
    return contextlib.contextmanager(target)


@public("compat.v1.python.util.tf_decorator.make_decorator")
def make_decorator(target: Callable[..., Any], decorator_func: Callable[..., Any], decorator_name: str | None = None,
                   decorator_doc: str = "", decorator_argspec: Any = None) -> Callable[..., Any]:
    """decorator_func with the name and the documentation of `target`, which `unwrap` finds again.

    decorator_doc: another documentation. decorator_name and decorator_argspec change nothing. Works on decorator_func
    itself and returns it. As `tensorflow.python.util.tf_decorator.make_decorator`.

    >>> def target(x):
    ...     "Doubles x."
    ...     return 2 * x
    >>> def wrapper(x):
    ...     return target(x) + 1
    >>> made = gc.compat.v1.python.util.tf_decorator.make_decorator(target, wrapper)
    >>> made.__name__, made.__doc__, made(3)
    ('target', 'Doubles x.', 7)
    """
    functools.update_wrapper(decorator_func, target)
    if decorator_doc:
        decorator_func.__doc__ = decorator_doc
    return decorator_func


@public("compat.v1.python.util.tf_decorator.unwrap")
def unwrap(maybe_tf_decorator: Callable[..., Any]) -> tuple[list[Callable[..., Any]], Callable[..., Any]]:
    """The decorators around a function, the outermost first, and the function inside of them all.

    A list, empty for a function without decorators and for what is no function. As
    `tensorflow.python.util.tf_decorator.unwrap`.

    >>> def target(x):
    ...     return 2 * x
    >>> tf_decorator = gc.compat.v1.python.util.tf_decorator
    >>> made = tf_decorator.make_decorator(target, lambda x: target(x) + 1)
    >>> decorators, inner = tf_decorator.unwrap(made)
    >>> decorators == [made], inner is target
    (True, True)
    """
    decorators = []
    while hasattr(maybe_tf_decorator, "__wrapped__") and not inspect.ismethod(maybe_tf_decorator):
        decorators.append(maybe_tf_decorator)
        maybe_tf_decorator = maybe_tf_decorator.__wrapped__
    return decorators, maybe_tf_decorator


@public("compat.v1.python.util.deprecation.deprecated")
def deprecated(date: str | None, instructions: str, warn_once: bool = True) -> Callable[[Any], Any]:
    """Decorates a function or class with nothing: TensorFlow logged a line that says when it would go away.

    The arguments change nothing. As `tensorflow.python.util.deprecation.deprecated`.

    >>> @gc.compat.v1.python.util.deprecation.deprecated("2030-01-01", "Use twice.")
    ... def double(x):
    ...     return 2 * x
    >>> double(3)
    6
    """
    return lambda target: target


@public("compat.v1.python.util.deprecation.deprecated_args")
def deprecated_args(date: str | None, instructions: str, *deprecated_arg_names_or_tuples: Any,
                    **kwargs: Any) -> Callable[[Any], Any]:
    """Decorates a function with nothing, as `deprecated` does.

    The arguments change nothing. As `tensorflow.python.util.deprecation.deprecated_args`.

    >>> @gc.compat.v1.python.util.deprecation.deprecated_args(None, "Use axis.", "dim")
    ... def first(x, axis=0, dim=None):
    ...     return x[0]
    >>> first([1, 2], dim=0)
    1
    """
    return lambda target: target


@public("compat.v1.python.util.deprecation.deprecated_argument_lookup")
def deprecated_argument_lookup(new_name: str, new_value: Any, old_name: str, old_value: Any) -> Any:
    """The value that was given, under its new or its old name. Raises ValueError if it was given under both.

    A value of None counts as not given. As `tensorflow.python.util.deprecation.deprecated_argument_lookup`.

    >>> lookup = gc.compat.v1.python.util.deprecation.deprecated_argument_lookup
    >>> lookup("axis", None, "dim", 1), lookup("axis", 0, "dim", None)
    (1, 0)
    """
    if old_value is None:
        return new_value
    if new_value is not None:
        raise ValueError(f"Cannot specify both '{old_name}' and '{new_name}'.")
    return old_value


@public("compat.v1.python.util.tf_export.tf_export", "compat.v1.python.util.tf_export.keras_export",
        "compat.v1.python.util.tf_export.estimator_export")
def tf_export(*args: str, **kwargs: Any) -> Callable[[Any], Any]:
    """Decorates a function or class with nothing: the names it would have in TensorFlow are not made.

    As `tensorflow.python.util.tf_export.tf_export`.

    >>> @gc.compat.v1.python.util.tf_export.tf_export("math.double")
    ... def double(x):
    ...     return 2 * x
    >>> double(3)
    6
    """
    return lambda target: target


@public("compat.v1.python.util.tf_inspect.getargspec")
def getargspec(obj: Callable[..., Any]) -> inspect.FullArgSpec:
    """`getfullargspec`: Python has lost the shorter one.

    Raises TypeError for what cannot be called. As `tensorflow.python.util.tf_inspect.getargspec`.

    >>> gc.compat.v1.python.util.tf_inspect.getargspec(lambda x, size=3: x).defaults
    (3,)
    """
    return getfullargspec(obj)


@public("compat.v1.python.util.tf_inspect.getfullargspec")
def getfullargspec(obj: Callable[..., Any]) -> inspect.FullArgSpec:
    """inspect.getfullargspec of the function inside its decorators.

    A FullArgSpec: args, varargs, varkw, defaults and so on. Raises TypeError for what cannot be called. As
    `tensorflow.python.util.tf_inspect.getfullargspec`.

    >>> spec = gc.compat.v1.python.util.tf_inspect.getfullargspec(lambda x, *rest, size=3: x)
    >>> spec.args, spec.varargs, spec.kwonlydefaults
    (['x'], 'rest', {'size': 3})
    """
    return inspect.getfullargspec(unwrap(obj)[1])


@public("compat.v1.python.util.tf_inspect.isfunction")
def isfunction(object: Any) -> bool:
    """Whether it is a function, inside its decorators if it has some.

    False for a builtin one. As `tensorflow.python.util.tf_inspect.isfunction`.

    >>> tf_inspect = gc.compat.v1.python.util.tf_inspect
    >>> tf_inspect.isfunction(lambda: 0), tf_inspect.isfunction(gc.Graph), tf_inspect.isfunction(len)
    (True, False, False)
    """
    return inspect.isfunction(unwrap(object)[1])


@public("compat.v1.python.util.tf_inspect.ismethod")
def ismethod(object: Any) -> bool:
    """Whether it is a bound method, inside its decorators if it has some.

    As `tensorflow.python.util.tf_inspect.ismethod`.

    >>> tf_inspect = gc.compat.v1.python.util.tf_inspect
    >>> tf_inspect.ismethod(gc.Graph().as_graph_def), tf_inspect.ismethod(gc.Graph.as_graph_def)
    (True, False)
    """
    return inspect.ismethod(unwrap(object)[1])


@public("compat.v1.python.util.tf_inspect.isclass")
def isclass(object: Any) -> bool:
    """Whether it is a class, inside its decorators if it has some.

    As `tensorflow.python.util.tf_inspect.isclass`.

    >>> tf_inspect = gc.compat.v1.python.util.tf_inspect
    >>> tf_inspect.isclass(gc.Graph), tf_inspect.isclass(gc.Graph())
    (True, False)
    """
    return inspect.isclass(unwrap(object)[1])


@public("compat.v1.python.util.tf_inspect.getcallargs")
def getcallargs(*func_and_positional: Any, **named: Any) -> dict[str, Any]:
    """The arguments of a call of func_and_positional[0], by name.

    Defaults are among them. Raises TypeError for a call that does not fit. As
    `tensorflow.python.util.tf_inspect.getcallargs`.

    >>> gc.compat.v1.python.util.tf_inspect.getcallargs(lambda x, size=3: x, "picture")
    {'x': 'picture', 'size': 3}
    """
    function, *positional = func_and_positional
    return inspect.getcallargs(unwrap(function)[1], *positional, **named)
