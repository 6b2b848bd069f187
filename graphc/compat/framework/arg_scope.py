"""arg_scope: default arguments of layers, for everything called inside a block.

A function takes part if it is decorated with add_arg_scope. Scopes nest: the inner one's arguments are added to, or
stand before, the outer one's; what the caller passes stands before both.
"""
from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
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
    """What stands for a function in a scope."""
    return getattr(op, "_key_op", str(op))


@public("contrib.framework.add_arg_scope")
def add_arg_scope(func: F) -> F:
    """Decorates a function so that arg_scope can give its arguments. As `tf.contrib.framework.add_arg_scope`."""
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
@contextmanager
def arg_scope(list_ops_or_scope: Sequence[Any] | Scope, **kwargs: Any) -> Iterator[Scope]:
    """Inside the block the functions of the list have these arguments by default. A scope (what `with` gives) in place
    of the list enters that one again. As `tf.contrib.framework.arg_scope`.

    Raises ValueError for a function that is not decorated with add_arg_scope, and for arguments beside a scope.
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
    _stack.scopes.append(entered)
    try:
        yield entered
    finally:
        _stack.scopes.pop()


@public("contrib.framework.current_arg_scope")
def current_arg_scope() -> Scope:
    """The scope in force: arguments by function."""
    return _stack.scopes[-1]


@public("contrib.framework.has_arg_scope")
def has_arg_scope(func: Any) -> bool:
    """Whether the function is decorated with add_arg_scope."""
    return arg_scope_func_key(func) in _parameters


@public("contrib.framework.arg_scoped_arguments")
def arg_scoped_arguments(func: Any) -> tuple[str, ...]:
    """The arguments that a scope can give. Raises ValueError if the function is not decorated."""
    if not has_arg_scope(func):
        raise ValueError(f"{func!r} is not decorated with @add_arg_scope")
    return _parameters[arg_scope_func_key(func)]
