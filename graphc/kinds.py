"""What kind of thing a parameter takes: as its annotation says, or, where that is Any, its name.

TensorFlow's API gives a parameter the same name wherever it plays the same part (`optimizer`, `sess`, `cell`, ...), so
what may be given for one is said here once, in PARTS. A kind refuses only what it is sure of: numbers, strings, lists,
functions and graphc's own objects. An object of a class of the user's is taken at its word, and so is whatever a kind
says nothing about: tensors, dtypes and shapes are converted, and checked, by what uses them.
"""
from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType
from typing import Any


@dataclass(frozen=True)
class Kind:
    """`words` say what is needed, as in "must be a function"; `takes` says whether a value is that. by_type: of two
    values of one type (no float) it takes both, or none."""
    words: str
    takes: Callable[[Any], bool]
    by_type: bool = True


@dataclass(frozen=True)
class Parameter:
    """What can be said of a parameter of a public function: its position, or None if it is given by name only."""
    name: str
    position: int | None
    kinds: tuple[Kind, ...]
    known: set[type]                                # types of values that were taken, so that they are asked about once

    @property
    def words(self) -> str:
        return " or ".join(dict.fromkeys(kind.words for kind in self.kinds))

    def refuses(self, value: Any) -> bool:
        """Whether no kind takes it. A type that is taken whatever its value is `known` from now on."""
        if _is_certain(value) and not any(kind.takes(value) for kind in self.kinds):
            return True
        if type(value) is not float and all(kind.by_type for kind in self.kinds):
            self.known.add(type(value))
        return False


def _is_number(value: Any) -> bool:
    return not isinstance(value, type) and any(
        hasattr(value, name) for name in ("__index__", "__float__", "__complex__", "dtype", "_as_graph_element"))


def _is_whole(value: Any) -> bool:
    """1e3 is, too: scripts give numbers of steps like that."""
    return _is_number(value) and not (isinstance(value, float) and not value.is_integer())


def _at_least(least: int) -> Kind:
    """Of numbers that are known; a tensor may be any."""
    return Kind(f"an integer of at least {least}", lambda value: _is_whole(value) and not (
        isinstance(value, (int, float)) and value < least), by_type=False)


def _is_text(value: Any) -> bool:
    return isinstance(value, (str, bytes)) or hasattr(value, "__fspath__")


def _is_row(value: Any) -> bool:
    return (hasattr(value, "__iter__") or hasattr(value, "__getitem__")) and not isinstance(value, (str, bytes, type))


def _has(*names: str) -> Callable[[Any], bool]:
    return lambda value: not isinstance(value, type) and all(hasattr(value, name) for name in names)


def _is_name(value: Any) -> bool:
    return isinstance(value, str)


NOTHING = Kind("None", lambda value: value is None)
FUNCTION = Kind("a function", callable)
NUMBER = Kind("a number", _is_number)
INTEGER = Kind("an integer", _is_whole)
TEXT = Kind("a string", _is_text)
ROW = Kind("a list", _is_row)
MAPPING = Kind("a dictionary", _has("keys", "items"))
CLASS = Kind("a class", lambda value: isinstance(value, type))
NAME = Kind("a name", _is_name)
BY_ANNOTATION = {
    "None": NOTHING, "Callable": FUNCTION, "int": INTEGER, "float": NUMBER, "str": TEXT,
    "bytes": TEXT, "Mapping": MAPPING, "MutableMapping": MAPPING, "dict": MAPPING, "type": CLASS, **dict.fromkeys(
        ("Sequence", "list", "tuple", "Iterable", "Collection", "set"), ROW),
}
_FUNCTION_OR_NONE = (FUNCTION, NAME, NOTHING)
_OPTIMIZER = Kind("an Optimizer", _has("apply_gradients"))
_SESSION = Kind("a Session", _has("run"))
_CELL = Kind("an RNNCell", lambda value: callable(value) and not isinstance(value, (type, FunctionType)))   # or fused
PARTS: dict[str, tuple[Kind, ...]] = {
    "optimizer": (_OPTIMIZER, FUNCTION, NAME, MAPPING, NOTHING),        # estimators take names and functions
    "opt": (_OPTIMIZER,),
    "learning_rate": (NUMBER, FUNCTION, NOTHING),
    "sess": (_SESSION, NOTHING), "session": (_SESSION, NOTHING),
    "cell": (_CELL,), "cell_fw": (_CELL,), "cell_bw": (_CELL,),
    "cells": (ROW,), "cells_fw": (ROW,), "cells_bw": (ROW,),
    "graph": (Kind("a Graph", _has("as_default", "get_operations")), NOTHING),
    "saver": (Kind("a Saver", _has("save", "restore")), NOTHING),
    "hooks": (ROW, NOTHING), "chief_only_hooks": (ROW, NOTHING),
    **dict.fromkeys(("activation", "activation_fn", "normalizer_fn", "regularizer", "kernel_regularizer",
                     "bias_regularizer", "activity_regularizer", "weights_regularizer", "biases_regularizer",
                     "beta_regularizer", "gamma_regularizer", "kernel_constraint", "bias_constraint", "constraint",
                     "beta_constraint", "gamma_constraint", "kernel_initializer", "bias_initializer",
                     "beta_initializer", "gamma_initializer", "weights_initializer", "biases_initializer",
                     "moving_mean_initializer", "moving_variance_initializer", "partitioner", "custom_getter"),
                    _FUNCTION_OR_NONE),
}
_LEFT_OUT = {"self", "cls", "name", "msg", "message"}    # everything has a name; what is only printed may be anything
_COUNTS = {
    **dict.fromkeys(("groups", "number_of_groups"), _at_least(1)),
    **dict.fromkeys(("units", "num_units", "num_outputs", "filters", "num_proj"), _at_least(0)),
}


def parameters(function: Callable[..., Any]) -> tuple[Parameter, ...]:
    """Those parameters of which something can be said, but for those that are left out."""
    while hasattr(function, "__wrapped__"):         # by arg_scope
        function = function.__wrapped__
    code = function.__code__
    count, annotations = code.co_argcount, function.__annotations__
    found = []
    for index, name in enumerate(code.co_varnames[:count + code.co_kwonlyargcount]):
        kinds = _kinds(name, annotations.get(name, "Any"), function.__globals__)
        if kinds and name not in _LEFT_OUT:
            if _is_default_none(function, name, index):
                kinds = (*kinds, NOTHING)
            found.append(Parameter(name, index if index < count else None, kinds, set()))
    return tuple(found)


def _is_default_none(function: Callable[..., Any], name: str, index: int) -> bool:
    if function.__kwdefaults__ and name in function.__kwdefaults__:
        return function.__kwdefaults__[name] is None
    defaults, count = function.__defaults__ or (), function.__code__.co_argcount
    place = index - (count - len(defaults))
    return 0 <= place < len(defaults) and defaults[place] is None


def _kinds(name: str, annotation: Any, names: Mapping[str, Any]) -> tuple[Kind, ...]:
    """The kinds of which one must take it; none if anything may."""
    if name in _COUNTS:
        return (_COUNTS[name], NOTHING)         # separable convolutions may have no outputs of their own
    if not isinstance(annotation, str) or annotation in ("Any", "Any | None"):
        return PARTS.get(name, ())
    kinds = []
    for part in _alternatives(annotation):
        word = re.sub(r"\[.*", "", part)
        kind = BY_ANNOTATION.get(word) or _of_class(word, names.get(word))
        if kind is None:
            return ()
        kinds.append(kind)
    return tuple(kinds)


def _alternatives(annotation: str) -> list[str]:
    """The parts of a union, split where no bracket is open."""
    parts, depth = [""], 0
    for letter in annotation.strip("'\""):
        depth += (letter in "[(") - (letter in ")]")
        if letter == "|" and not depth:
            parts.append("")
        else:
            parts[-1] += letter
    return [part.strip() for part in parts]


def _of_class(word: str, value: Any) -> Kind | None:
    """The kind of a class of graphc's own. None for what is no class: Any, other names for unions."""
    if not isinstance(value, type) or not value.__module__.startswith("graphc.") or getattr(value, "_is_protocol", 0):
        return None
    article = "an" if word[0] in "AEIOU" else "a"
    return Kind(f"{article} {word}", lambda given: isinstance(given, value))


def _is_certain(value: Any) -> bool:
    """Whether it is no object of a class of the user's, which may do whatever is asked of it."""
    if isinstance(value, (FunctionType, BuiltinFunctionType, MethodType, ModuleType)):
        return True
    kind = value if isinstance(value, type) else type(value)
    return kind is not object and kind.__module__.partition(".")[0] in ("builtins", "numpy", "graphc")
