"""The namespaces gc, gc.math, gc.nn, ...: modules whose names are imported when they are first used.

api/names.py says what each holds. `import graphc` makes them all; `import graphc.nn` then finds its module.
"""
from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

from graphc.api.names import NAMES
from graphc.ir.late_imports import load


def lookup(module: str) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """(__getattr__, __dir__) of the module that is one of the namespaces."""
    space = module.removeprefix("graphc").lstrip(".")
    targets = NAMES[space]
    own = f"{space}." if space else ""
    inner = {s.removeprefix(own) for s in NAMES if s and s.startswith(own) and s != space}

    def get(name: str) -> Any:
        if name in inner:
            return load(f"{module}.{name}")
        if name not in targets:
            from graphc.missing import missing

            raise missing(module, name, [*vars(sys.modules[module]), *targets, *inner])
        home, _, attribute = targets[name].partition(":")
        value = getattr(load(home), attribute)
        setattr(sys.modules[module], name, value)
        return value

    def listing() -> list[str]:
        return sorted({*vars(sys.modules[module]), *targets, *(s for s in inner if "." not in s)})

    return get, listing


def make_modules() -> None:
    """Makes the namespaces that are no packages of their own."""
    for space in NAMES:
        module = f"graphc.{space}"
        if space and not space.startswith("compat.v1") and not _has_file(module):     # compat/v1 makes its own
            made = ModuleType(module, f"gc.{space}, as `tf.{space}`.")
            made.__getattr__, made.__dir__ = lookup(module)  # type: ignore[method-assign]
            made.__all__ = sorted(NAMES[space])  # type: ignore[attr-defined]
            sys.modules[module] = made


def _has_file(module: str) -> bool:
    """Whether it is a package of its own; a folder that holds stubs only is none."""
    try:
        spec = importlib.util.find_spec(module)
    except ModuleNotFoundError:              # the namespace around it has been made here
        return False
    return spec is not None and spec.origin is not None
