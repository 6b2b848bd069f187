"""The namespaces gc, gc.math, gc.nn, ...: modules whose names are imported when they are first used.

api/names.py says what each holds. `import graphc` makes them all; `import graphc.nn` then finds its module.
"""
from __future__ import annotations

import sys
from collections.abc import Callable
from functools import cache
from types import FunctionType, ModuleType
from typing import Any

from graphc.api.names import MODULES, NAMES, OWN_FILES
from graphc.ir.late_imports import load


def lookup(module: str) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """(__getattr__, __dir__) of the module that is one of the namespaces."""
    space = module.removeprefix("graphc").lstrip(".")
    targets = NAMES[space]

    def get(name: str) -> Any:
        inside = _modules_inside(space)
        if name in inside:
            return load(inside[name])
        if name not in targets:
            from graphc.missing import missing

            raise missing(module, name, [*vars(sys.modules[module]), *targets, *inside])
        load("graphc.api.methods")                # of the classes that the name may stand for, or give
        value = public_thing(targets[name])
        setattr(sys.modules[module], name, value)
        return value

    def listing() -> list[str]:
        return sorted({*vars(sys.modules[module]), *targets, *_modules_inside(space)})

    return get, listing


@cache
def public_thing(target: str) -> Any:
    """What a name of the table stands for. Functions of the rooms before api/ know nothing of users: here they are made
    to show their errors as public functions do."""
    home, _, attribute = target.partition(":")
    value = getattr(load(home), attribute)
    if not isinstance(value, FunctionType) or "_pb2" in home:
        return value
    from graphc import tracebacks

    return value if tracebacks.is_wrapped(value) else tracebacks.user_facing(value, f"gc.{attribute}")


def _modules_inside(space: str) -> dict[str, str]:
    """The modules that are names of this namespace: where each stands."""
    own = f"{space}." if space else ""
    found = {s.removeprefix(own): f"graphc.{s}" for s in NAMES if s and s.startswith(own)}
    return {name: module for name, module in {**found, **({} if space else MODULES)}.items() if "." not in name}


def make_modules() -> None:
    """Makes the namespaces that are no packages of their own."""
    for space in NAMES:
        if space and space not in OWN_FILES and not space.startswith("compat.v1"):     # compat/v1 makes its own
            module = f"graphc.{space}"
            made = ModuleType(module, f"gc.{space}, as `tf.{space}`.")
            made.__getattr__, made.__dir__ = lookup(module)  # type: ignore[method-assign]
            made.__all__ = sorted(NAMES[space])  # type: ignore[attr-defined]
            sys.modules[module] = made
