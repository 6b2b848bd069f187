"""Which argument of a public function an error is about.

Most wrong arguments are told apart by what uses them, and the message says so. But a wrong object may as well stumble
somewhere inside: `'int' object has no attribute 'run'`. Such an error (a *stumble*) was raised by Python or a library,
not by a `raise` of graphc's. Its traceback leads to the argument: from the innermost frame outwards, the first one
whose failing instruction uses an object that the user gave. That an object lacks an attribute which the user did not
give is a bug of graphc, and stays as it is; of what else leads to no argument, the message says both.

All this happens only after a failure: the public functions pay nothing for it.
"""
from __future__ import annotations

import dis
import inspect
import re
import reprlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from types import CodeType, FrameType, TracebackType
from typing import Any

from graphc.ir.names import suggestion
from graphc.ir.user_frame import is_internal
from graphc.kinds import Parameter, parameters

_STUMBLES = (AttributeError, IndexError, KeyError, ZeroDivisionError, OverflowError, TypeError, ValueError,
             UnicodeDecodeError, UnicodeEncodeError, NotImplementedError)
_ERRORS_OF_PYTHON = (AttributeError, TypeError, NotImplementedError)       # of an object that is not of the right kind
_DEPTH = 3                                      # how deep in lists the user's objects are looked for
_LIBRARY = ("site-packages", "dist-packages", "lib/python3", "<__array_function__", "<frozen", "<string>")



class NoSuchKeyError(ValueError, KeyError):
    """An argument is not among the keys that it is looked up in; caught as a KeyError, too."""

    def __str__(self) -> str:
        return str(self.args[0])


_shorten = reprlib.Repr()
_shorten.maxstring = _shorten.maxother = 80
_shorten.maxlist = _shorten.maxtuple = _shorten.maxdict = 6


def described(value: Any) -> str:
    """The value and its type, short: "3 of type int"; None alone."""
    if value is None:
        return "None"
    try:
        text = _shorten.repr(value)
    except Exception:                           # of a class whose repr fails, of which the type says enough
        return f"an object of type {type(value).__name__}"
    return text if isinstance(value, type) else f"{text} of type {type(value).__name__}"


def refused(name: str, parameter: Parameter, value: Any) -> Exception:
    """The error of a value of the wrong kind."""
    kind = ValueError if isinstance(value, (int, float)) and not all(k.by_type for k in parameter.kinds) else TypeError
    return kind(f"{name}: argument '{parameter.name}' must be {parameter.words}, not {described(value)}")


def of_stumble(error: BaseException, function: Callable[..., Any], name: str, given: Sequence[Any],
               named: Mapping[str, Any]) -> Exception | None:
    """What to raise in place of an error that stumbled over arguments. None if it is a bug of graphc."""
    arguments = _arguments(function, given, named)
    blamed = _called_wrongly(error, arguments) or arguments_of(error, function, arguments)
    if not arguments or (not blamed and isinstance(error, AttributeError)):
        return None
    for parameter in parameters(function):
        if [parameter.name] == blamed and parameter.refuses(arguments[parameter.name]):
            return refused(name, parameter, arguments[parameter.name])
    kind = (TypeError if isinstance(error, _ERRORS_OF_PYTHON) else
            NoSuchKeyError if isinstance(error, KeyError) else ValueError)
    reason = str(error) if not isinstance(error, KeyError) else f"there is no {error}"
    if len(blamed) == 1 and (not _is_ours(arguments[blamed[0]]) or isinstance(error, AttributeError)):
        return kind(f"{name}: argument '{blamed[0]}' cannot be {described(arguments[blamed[0]])}: {reason}")
    suspects = blamed if len(blamed) > 1 else arguments
    shown = ", ".join(f"{argument} = {described(arguments[argument])}" for argument in suspects)
    doubt = "" if blamed else "; if they are right, this is a bug of graphc, and GRAPHC_FULL_TRACEBACK=1 shows where"
    return kind(f"{name} cannot work with {shown}: {reason}{doubt}")


def of_unknown_keyword(error: BaseException, function: Callable[..., Any], name: str,
                       named: Mapping[str, Any]) -> Exception | None:
    """What to raise if the call itself has a keyword that the function does not take."""
    if not isinstance(error, TypeError) or any(_frames(error.__traceback__)):
        return None
    known = inspect.signature(function).parameters
    unknown = [keyword for keyword in named if keyword not in known]
    if not unknown or any(parameter.kind == parameter.VAR_KEYWORD for parameter in known.values()):
        return None
    public = [parameter for parameter in known if parameter != "self" and not parameter.startswith("_")]
    near = suggestion(unknown[0], public) or f"; it takes {', '.join(public)}"
    return TypeError(f"{name}() got an unexpected keyword argument '{unknown[0]}'{near}")


def argument_of(error: BaseException, function: Callable[..., Any], given: Sequence[Any],
                named: Mapping[str, Any]) -> str | None:
    """The argument that an error of graphc's own is about, if its message does not speak of any yet. None if that is
    not certain."""
    arguments = _arguments(function, given, named)
    if any(re.search(rf"\b{name}\b", str(error)) for name in arguments) or not is_from_graphc(error.__traceback__):
        return None
    blamed = arguments_of(error, function, arguments)
    return blamed[0] if len(blamed) == 1 else None


def arguments_of(error: BaseException, function: Callable[..., Any], arguments: Mapping[str, Any]) -> list[str]:
    """The arguments that the error may be about, as few as can be told; none if it is about none."""
    suspects = list(arguments)
    if isinstance(error, AttributeError) and error.obj is not None:
        suspects = [name for name in arguments if _holds(arguments[name], error.obj)]
        if len(suspects) < 2:
            return suspects
    for frame, position in reversed(list(_frames(error.__traceback__))):
        used = dict(_used(frame, position))
        found = [name for name in suspects if any(_holds(arguments[name], thing) for thing in used.values())]
        if not found and frame.f_code is inspect.unwrap(function).__code__:
            found = [name for name in suspects if name in used]         # converted meanwhile
        if found:
            return (_some(name for name in found if name in used) or
                    _some(name for name in found if f"'{type(arguments[name]).__name__}'" in str(error)) or found)
    return suspects if isinstance(error, AttributeError) else []


def _called_wrongly(error: BaseException, arguments: Mapping[str, Any]) -> list[str]:
    """The user's function that does not take the arguments that it was called with."""
    return [name for name, value in arguments.items()
            if callable(value) and str(error).startswith(f"{getattr(value, '__qualname__', None)}() ")]


def _is_ours(value: Any) -> bool:
    """A tensor, a Session: what it stumbled over is more likely to be what should be done with it."""
    return type(value).__module__.startswith("graphc.")


def _some(names: Iterable[str]) -> list[str]:
    """The names, if they tell one argument from the others."""
    found = list(names)
    return found if len(found) == 1 else []


def is_stumble(error: BaseException) -> bool:
    """Whether no file of the user's is on the way to where it began, and no `raise` of graphc's stood there."""
    if type(error) not in _STUMBLES or not is_from_graphc(error.__traceback__):
        return False
    frame, position = list(_frames(error.__traceback__))[-1]
    return not (is_internal(frame.f_code.co_filename) and _operation(frame.f_code, position) == "RAISE_VARARGS")


def is_from_graphc(traceback: TracebackType | None) -> bool:
    """Whether it began in graphc, or in a library on its behalf: in no function of the user's."""
    frames = list(_frames(traceback))
    return bool(frames) and not any(_is_users(frame.f_code.co_filename) for frame, _ in frames)


def _is_users(file: str) -> bool:
    return not is_internal(file) and not any(part in file for part in _LIBRARY)


def _arguments(function: Callable[..., Any], given: Sequence[Any], named: Mapping[str, Any]) -> dict[str, Any]:
    """What the user gave, by name; none of self, of defaults, or if the call does not fit the function."""
    try:
        bound = inspect.signature(function).bind(*given, **named).arguments
    except (TypeError, ValueError):
        return {}
    return {name: value for name, value in bound.items() if name not in ("self", "cls")}


def _holds(value: Any, thing: Any, depth: int = _DEPTH) -> bool:
    """Whether the user's value is that very thing, or a list or dictionary with it inside."""
    if value is thing or (isinstance(value, str) and isinstance(thing, str) and len(thing) == 1 and thing in value):
        return True                             # one of its letters: a string in place of a list
    if depth and isinstance(value, (list, tuple)):
        return any(_holds(element, thing, depth - 1) for element in value[:64])
    if depth and isinstance(value, dict):
        return any(_holds(element, thing, depth - 1) for element in [*value, *value.values()][:64])
    return False


def _frames(traceback: TracebackType | None) -> Iterator[tuple[FrameType, int]]:
    """The frames inside of the wrapper of the public function, and where each stopped."""
    traceback = traceback.tb_next if traceback is not None else None
    while traceback is not None:
        yield traceback.tb_frame, traceback.tb_lasti
        traceback = traceback.tb_next


def _operation(code: CodeType, position: int) -> str:
    return dis.opname[code.co_code[position]]


def _used(frame: FrameType, position: int) -> Iterator[tuple[str, Any]]:
    """The local names, and their values, in the expression that failed in a frame."""
    instructions = list(dis.get_instructions(frame.f_code))
    failed = next((i.positions for i in instructions if i.offset == position), None)
    if failed is None or failed.lineno is None or failed.end_lineno is None:
        return
    start, end = (failed.lineno, failed.col_offset or 0), (failed.end_lineno, failed.end_col_offset or 0)
    for instruction in instructions:
        at = instruction.positions
        if at is None or at.lineno is None or instruction.opname not in ("LOAD_FAST", "LOAD_DEREF", "LOAD_CLASSDEREF"):
            continue
        if start <= (at.lineno, at.col_offset or 0) < end and instruction.argval in frame.f_locals:
            yield instruction.argval, frame.f_locals[instruction.argval]
