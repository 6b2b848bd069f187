"""Frozen dataclasses that cost next to nothing to define: their methods are made when one of them is first called.

`dataclasses.dataclass` compiles six functions for each frozen class, a third of a millisecond; a first run defines two
hundred classes and makes instances of few. What it collects (fields, `replace`, `fields`, `__match_args__`) is used as
it is. Type checkers see the dataclass itself. Not for classes that others derive with Python's own `dataclass`, and
without `slots` and `order`.
"""
from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import MISSING, Field, FrozenInstanceError
from typing import TYPE_CHECKING, Any, TypeVar

C = TypeVar("C", bound=type)


def _record(*, frozen: bool, eq: bool = True) -> Callable[[C], C]:
    """As `@dataclass(frozen=True, eq=eq)`."""
    if not frozen:
        raise TypeError("a record is frozen; use Python's dataclass")

    def decorate(cls: C) -> C:
        documented = cls.__doc__
        cls.__doc__ = cls.__name__                 # else dataclass makes one of the signature, which takes its time
        made: Any = dataclasses.dataclass(init=False, repr=False, eq=False)(cls)
        made.__doc__ = documented
        own = vars(made)
        names = ["__init__", "__repr__", *(("__eq__", "__hash__") if eq else ())]
        missing = [name for name in names if own.get(name) is None]      # __hash__ is None where __eq__ is written
        for name in missing:
            setattr(made, name, _made_when_called(made, name, missing))
        made.__setattr__, made.__delattr__ = _refuse_to_set, _refuse_to_delete
        return cls

    return decorate


def _made_when_called(cls: type, name: str, missing: list[str]) -> Callable[..., Any]:
    def first(*arguments: Any, **more: Any) -> Any:
        _complete(cls, missing)
        return getattr(cls, name)(*arguments, **more)

    first.__name__, first.__qualname__ = name, f"{cls.__qualname__}.{name}"
    return first


def _complete(cls: type, missing: list[str]) -> None:
    """Compiles the methods of the class, all at once."""
    fields = dataclasses.fields(cls)
    values: dict[str, Any] = {"_set": object.__setattr__, "_missing": MISSING}
    text = "\n".join([_init_text(cls, fields, values), _others_text(fields)])
    # Under this file's name the frames are graphc's own (ir/user_frame.py).
    exec(compile(text, __file__, "exec"), values)
    for name in missing:
        method = values[name]
        method.__qualname__, method.__module__ = f"{cls.__qualname__}.{name}", cls.__module__
        setattr(cls, name, method)


def _init_text(cls: type, fields: tuple[Field[Any], ...], values: dict[str, Any]) -> str:
    """The text of __init__; what it refers to goes into `values`."""
    positional: list[str] = []
    keywords: list[str] = []
    body: list[str] = []
    for field in fields:
        parameter, value = _parameter(field, values)
        if field.init:
            if not (field.kw_only or "=" in parameter) and any("=" in p for p in positional):
                raise TypeError(f"{cls.__qualname__}: field '{field.name}' without a default follows one that has one")
            (keywords if field.kw_only else positional).append(parameter)
        if field.init or value != field.name:
            body.append(f"    _set(self, '{field.name}', {value})")
    if hasattr(cls, "__post_init__"):
        body.append("    self.__post_init__()")
    parameters = ["self", *positional, *(["*", *keywords] if keywords else [])]
    return "\n".join([f"def __init__({', '.join(parameters)}):", *(body or ["    pass"])])


def _parameter(field: Field[Any], values: dict[str, Any]) -> tuple[str, str]:
    """(the parameter of __init__, what the field is set to)."""
    name = field.name
    if field.default is not MISSING:
        values[f"_default_{name}"] = field.default
        return f"{name}=_default_{name}", name if field.init else f"_default_{name}"
    if field.default_factory is not MISSING:
        values[f"_make_{name}"] = field.default_factory
        made = f"_make_{name}()"
        return f"{name}=_missing", f"{made} if {name} is _missing else {name}" if field.init else made
    return name, name


def _others_text(fields: tuple[Field[Any], ...]) -> str:
    shown = ", ".join(f"{f.name}={{self.{f.name}!r}}" for f in fields if f.repr)
    compared = [f.name for f in fields if f.compare]
    hashed = [f.name for f in fields if (f.compare if f.hash is None else f.hash)]
    return f"""
def __repr__(self):
    return f"{{self.__class__.__qualname__}}({shown})"
def __eq__(self, other):
    if other.__class__ is not self.__class__:
        return NotImplemented
    return {_tuple('self', compared)} == {_tuple('other', compared)}
def __hash__(self):
    return hash({_tuple('self', hashed)})
"""


def _tuple(of: str, names: list[str]) -> str:
    return f"({''.join(f'{of}.{name}, ' for name in names)})"


def _refuse_to_set(self: Any, name: str, value: Any) -> None:
    raise FrozenInstanceError(f"cannot assign to field {name!r}")


def _refuse_to_delete(self: Any, name: str) -> None:
    raise FrozenInstanceError(f"cannot delete field {name!r}")


if TYPE_CHECKING:
    from dataclasses import dataclass as dataclass
else:
    dataclass = _record
