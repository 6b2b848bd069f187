"""arg_scope: default arguments of layers, for everything called inside a block.

A function takes part if it is decorated with add_arg_scope. Scopes nest: the inner one's arguments are added to, or
stand before, the outer one's; what the caller passes stands before both.
"""
from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any, TypeVar

from graphc.api.public import public

F = TypeVar("F", bound=Callable[..., Any])
Scope = dict[str, dict[str, Any]]       # key of a function -> its arguments
_parameters: dict[str, tuple[str, ...]] = {}      # key of each decorated function -> its parameters that have a default


class _Stack(threading.local):
    def __init__(self) -> None:
        self.scopes: list[Scope] = [{}]


_stack = _Stack()


@public("contrib.framework.arg_scope_func_key")
def arg_scope_func_key(op: Any) -> str:
    """The key by which scopes know a function: the same for it and for what `add_arg_scope` made of it.

    A string; op: a function. As `tf.contrib.framework.arg_scope_func_key`.

    >>> @gc.contrib.framework.add_arg_scope
    ... def layer(x, size=1):
    ...     return [x] * size
    >>> with gc.contrib.framework.arg_scope([layer], size=3) as scope:
    ...     scope[gc.contrib.framework.arg_scope_func_key(layer)]
    {'size': 3}
    """
    return getattr(op, "_key_op", str(op))


@public("contrib.framework.add_arg_scope")
def add_arg_scope(func: F) -> F:
    """Decorates a function so that `arg_scope` can give its arguments.

    Those that have a default can be given; what the caller passes stands before what a scope gives. func: a Python
    function (def or lambda), whose keyword-only arguments no scope gives; the result takes and returns what it does. As
    `tf.contrib.framework.add_arg_scope`.

    >>> @gc.contrib.framework.add_arg_scope
    ... def scaled(x, factor=1.0):
    ...     return x * factor
    >>> with gc.contrib.framework.arg_scope([scaled], factor=10.0):
    ...     scaled(2.0), scaled(2.0, factor=3.0)
    (20.0, 6.0)
    """
    key = arg_scope_func_key(func)

    @functools.wraps(func)
    def with_scope(*args: Any, **kwargs: Any) -> Any:
        return func(*args, **{**current_arg_scope().get(key, {}), **kwargs})

    code = func.__code__
    count = len(func.__defaults__ or ())
    _parameters[key] = code.co_varnames[code.co_argcount - count:code.co_argcount]
    with_scope._key_op = key  # type: ignore[attr-defined]
    return with_scope  # type: ignore[return-value]


@public("contrib.framework.arg_scope")
def arg_scope(list_ops_or_scope: Sequence[Any] | Scope, **kwargs: Any) -> AbstractContextManager[Scope]:
    """Inside the block the functions of the list have these arguments by default. Scopes nest: the inner one adds its
    arguments to the outer one's.

    list_ops_or_scope: functions decorated with `add_arg_scope` (the layers of contrib.layers are), or a scope (what
    `with` gives), which is entered again in place of the one in force. Raises ValueError for a function that is not
    decorated, and for arguments beside a scope; TypeError for anything else. An argument that the function does not
    have is Python's TypeError at the call. As `tf.contrib.framework.arg_scope`.

    >>> layers = gc.contrib.layers
    >>> x = gc.zeros([1, 8, 8, 3])
    >>> with gc.contrib.framework.arg_scope([layers.conv2d], stride=2, activation_fn=None) as scope:
    ...     y = layers.conv2d(x, 4, 3)
    ...     z = layers.conv2d(y, 4, 3, stride=1)
    >>> y.shape.as_list(), z.shape.as_list()
    ([1, 4, 4, 4], [1, 4, 4, 4])
    >>> with gc.contrib.framework.arg_scope(scope):
    ...     layers.conv2d(y, 4, 3).shape.as_list()
    [1, 2, 2, 4]
    """
    if isinstance(list_ops_or_scope, dict):
        if kwargs:
            raise ValueError("When attempting to re-use a scope by supplying a dictionary, kwargs must be empty, but "
                             f"they are {sorted(kwargs)}")
        entered = dict(list_ops_or_scope)
    elif isinstance(list_ops_or_scope, (list, tuple)):
        entered = dict(current_arg_scope())
        for op in list_ops_or_scope:
            if not has_arg_scope(op):
                raise ValueError(f"{getattr(op, '__name__', op)} is not decorated with @add_arg_scope")
            key = arg_scope_func_key(op)
            entered[key] = {**entered.get(key, {}), **kwargs}
    else:
        raise TypeError("list_ops_or_scope must either be a list/tuple or reused scope (i.e. dict), but is "
                        f"{list_ops_or_scope!r}")
    return _entered(entered)


@contextmanager
def _entered(scope: Scope) -> Iterator[Scope]:
    _stack.scopes.append(scope)
    try:
        yield scope
    finally:
        _stack.scopes.pop()


@public("contrib.framework.current_arg_scope")
def current_arg_scope() -> Scope:
    """The scope in force, as a dict: arguments by the keys of functions. To be read only.

    Empty outside of all blocks. As `tf.contrib.framework.current_arg_scope`.

    >>> gc.contrib.framework.current_arg_scope()
    {}
    >>> with gc.contrib.framework.arg_scope([gc.contrib.layers.conv2d], stride=2):
    ...     list(gc.contrib.framework.current_arg_scope().values())
    [{'stride': 2}]
    """
    return _stack.scopes[-1]


@public("contrib.framework.has_arg_scope")
def has_arg_scope(func: Any) -> bool:
    """Whether the function is decorated with add_arg_scope.

    A bool; False for what is no function, too. As `tf.contrib.framework.has_arg_scope`.

    >>> gc.contrib.framework.has_arg_scope(gc.contrib.layers.conv2d), gc.contrib.framework.has_arg_scope(gc.nn.relu)
    (True, False)
    """
    return arg_scope_func_key(func) in _parameters


@public("contrib.framework.arg_scoped_arguments")
def arg_scoped_arguments(func: Any) -> tuple[str, ...]:
    """The arguments that a scope can give: those with a default. Raises ValueError if the function is not decorated.

    A tuple of names. As `tf.contrib.framework.arg_scoped_arguments`.

    >>> gc.contrib.framework.arg_scoped_arguments(gc.contrib.layers.flatten)
    ('outputs_collections', 'scope')
    """
    if not has_arg_scope(func):
        raise ValueError(f"{func!r} is not decorated with @add_arg_scope")
    return _parameters[arg_scope_func_key(func)]
