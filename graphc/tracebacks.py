"""Tracebacks that begin and end in the user's own code.

Public functions and methods are wrapped where they are declared public (api/public.py). An error that leaves one loses
the frames of graphc's own files, except the wrapper's; those of the user's functions in between (bodies of loops,
Python functions of the graph) stay. An iterator, or what a `with` enters, does its work after the call: its errors are
treated as the call's. An error of a bad argument that does not say yet where it happened is given the
name of the public function and the user's line. Bugs of graphc itself keep every frame, and so does everything if
GRAPHC_FULL_TRACEBACK=1 is set.
"""
from __future__ import annotations

import functools
import linecache
import os
import sys
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import _GeneratorContextManager
from types import FunctionType, GeneratorType, TracebackType
from typing import Any, TypeVar

from graphc.errors import InternalError, OpError
from graphc.ir.user_frame import is_internal, user_line
from graphc.kinds import Parameter, parameters
from graphc.wording import worded

E = TypeVar("E", bound=BaseException)
F = TypeVar("F", bound=Callable[..., Any])
FULL = os.environ.get("GRAPHC_FULL_TRACEBACK", "0") not in ("", "0")
_BUGS = (AssertionError, AttributeError, IndexError, NameError, RecursionError, UnboundLocalError)
_WRAPPED = "_graphc_user_facing"
_OPERATORS = frozenset(
    f"__{prefix}{word}__" for prefix in ("", "r") for word in (
        "add", "sub", "mul", "truediv", "div", "floordiv", "mod", "pow", "matmul", "and", "or", "xor")
) | {f"__{word}__" for word in ("init", "call", "getitem", "iter", "len", "bool", "array", "float", "int", "neg", "abs",
                                "invert", "lt", "le", "gt", "ge")}


def shown(error: E, name: str = "") -> E:
    """The same error without graphc's own frames, its causes too, in the program's own words. name: the public function
    that it leaves."""
    if _raised_inside(error) and error.args and isinstance(error.args[0], str):
        error.args = (worded(error.args[0]), *error.args[1:])
    if _shows_all(error):
        return error
    _locate(error, name)
    seen: set[int] = set()
    link: BaseException | None = error
    while link is not None and id(link) not in seen:
        seen.add(id(link))
        link.__traceback__ = _without_internal(link.__traceback__)
        if link.__cause__ is None and link.__context__ is not None and _raised_inside(link.__context__):
            link.__suppress_context__ = True        # how graphc found out is not the user's business
        link = link.__cause__
    return error


def of_the_program(error: BaseException) -> TracebackType | None:
    """The frames of an error that ends a program that graphc runs: the program's own ones; if it is a bug of graphc,
    all from the program's first one on."""
    if not _shows_all(error):
        return _without_internal(error.__traceback__)
    frames = error.__traceback__
    while frames is not None and is_internal(frames.tb_frame.f_code.co_filename):
        frames = frames.tb_next
    return frames


def _shows_all(error: BaseException) -> bool:
    return FULL or isinstance(error, InternalError) or (isinstance(error, _BUGS) and _raised_inside(error))


def _raised_inside(error: BaseException) -> bool:
    """Whether a file of graphc's raised it: only then can it be a bug of graphc."""
    traceback = error.__traceback__
    while traceback is not None and traceback.tb_next is not None:
        traceback = traceback.tb_next
    return traceback is None or is_internal(traceback.tb_frame.f_code.co_filename)


def _without_internal(traceback: TracebackType | None) -> TracebackType | None:
    kept = []
    while traceback is not None:
        if not is_internal(traceback.tb_frame.f_code.co_filename):
            kept.append(traceback)
        traceback = traceback.tb_next
    chain: TracebackType | None = None
    for link in reversed(kept):
        chain = TracebackType(chain, link.tb_frame, link.tb_lasti, link.tb_lineno)
    return chain


def _locate(error: BaseException, name: str) -> None:
    """Appends the user's line to the message of a ValueError or TypeError of graphc's that lacks it."""
    if type(error) not in (ValueError, TypeError) or not _raised_inside(error) or len(error.args) != 1:
        return
    message = error.args[0]
    file, line = user_line()
    if isinstance(message, str) and file and "\n  built at " not in message and f"{file}:{line}" not in message:
        source = linecache.getline(file, line).strip()
        place = f"in {worded(name)}, called at" if name else "called at"
        error.args = (f"{message}\n  {place} {file}:{line}" + (f": {source}" if source else ""),)


def user_facing(function: Callable[..., Any], name: str) -> Callable[..., Any]:
    """`function`, whose errors are shown as the header says, and whose arguments are of the kinds that it declares."""
    # What graphs and tensors do themselves is called all the time, and stumbles at once over a wrong argument.
    checked = isinstance(function, FunctionType) and not function.__module__.startswith("graphc.ir.")
    declared: tuple[Parameter, ...] | None = None if checked else ()

    @functools.wraps(function)
    def call(*arguments: Any, **more: Any) -> Any:
        nonlocal declared
        wrong = None
        try:
            if declared is None:
                declared = parameters(function)         # not before: names that it says may stand further down
            for parameter in declared:
                position = parameter.position
                if position is not None and position < len(arguments):
                    value = arguments[position]
                elif parameter.name in more:
                    value = more[parameter.name]
                else:
                    continue
                if type(value) not in parameter.known and parameter.refuses(value):
                    wrong = parameter, value
            result = function(*arguments, **more)       # even so: it may have better words for it
        except Exception as error:
            if is_internal(sys._getframe(1).f_code.co_filename):
                raise                           # called by graphc itself: the outermost call tells
            raise _shown_of(error, function, name, arguments, more, wrong)  # noqa: B904  (the same error)
        if wrong is not None and not is_internal(sys._getframe(1).f_code.co_filename):
            from graphc import blame

            raise shown(blame.refused(name, *wrong), name)
        kind = type(result)
        if (kind is GeneratorType or kind is _GeneratorContextManager) and not is_internal(
                sys._getframe(1).f_code.co_filename):
            return _shown_later(result, lambda error: _shown_of(error, function, name, arguments, more, None))
        return result

    setattr(call, _WRAPPED, True)
    return call


def _shown_later(result: Any, shown_of: Callable[[Exception], Exception]) -> Any:
    """A generator, or a context manager made of one, whose errors are shown when they come."""
    if isinstance(result, GeneratorType):
        return _steps(result, shown_of)
    result.gen = _steps(result.gen, shown_of)
    return result


def _steps(steps: Generator[Any, Any, Any], shown_of: Callable[[Exception], Exception]) -> Generator[Any, Any, Any]:
    try:
        return (yield from steps)
    except Exception as error:
        raise shown_of(error)  # noqa: B904  (the same error)


def _shown_of(error: Exception, function: Callable[..., Any], name: str, arguments: Sequence[Any],
              more: Mapping[str, Any], wrong: tuple[Parameter, Any] | None) -> Exception:
    """The error of a call with these arguments; if it stumbled over one of them, an error that says which. wrong: a
    parameter, and its value that is of none of its kinds."""
    if FULL or isinstance(error, OpError):
        return shown(error, name)
    from graphc import blame

    if blame.is_stumble(error):
        found = blame.refused(name, *wrong) if wrong else blame.of_stumble(error, function, name, arguments, more)
        if found is None:
            return shown(error, name)
        found.__suppress_context__ = True       # where it stumbled; GRAPHC_FULL_TRACEBACK=1 shows that, and no other
        return shown(found, name)
    unknown = blame.of_unknown_keyword(error, function, name, more)
    if unknown is not None:
        unknown.__suppress_context__ = True
        return shown(unknown, name)
    argument = blame.argument_of(error, function, arguments, more)
    return shown(error, f"{name}, argument '{argument}'" if argument else name)


def shows_errors(function: F) -> F:
    """Marks a function that calls `shown` itself: one that is too quick for a wrapper."""
    setattr(function, _WRAPPED, True)
    return function


def is_wrapped(function: Callable[..., Any]) -> bool:
    """Whether the function shows its errors already."""
    return hasattr(function, _WRAPPED)


def wrap_methods(cls: type, public_name: str) -> None:
    """Makes public methods and operators of the class user-facing."""
    for name, value in list(vars(cls).items()):
        kind = type(value) if isinstance(value, (staticmethod, classmethod)) else None
        function = value if kind is None else value.__func__
        if isinstance(function, FunctionType) and not hasattr(function, _WRAPPED) and (
                not name.startswith("_") or name in _OPERATORS):
            wrapped = user_facing(function, f"gc.{public_name}" if name == "__init__" else f"gc.{public_name}.{name}")
            setattr(cls, name, wrapped if kind is None else kind(wrapped))
