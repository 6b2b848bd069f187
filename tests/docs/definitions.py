"""The definitions behind the public names, each once, with all its names: what docstrings owe is asked of these."""
from __future__ import annotations

import inspect
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache, reduce
from typing import Any

import graphc as gc
from graphc.api.names import NAMES


@dataclass
class Definition:
    """A function or class: `names` without "gc.", the one to speak of first; `target` "module:attribute"."""
    target: str
    thing: Any
    names: list[str] = field(default_factory=list)

    @property
    def module(self) -> str:
        return self.target.partition(":")[0]

    @property
    def docstring(self) -> str:
        return inspect.getdoc(self.thing) or ""


@cache
def definitions() -> tuple[Definition, ...]:
    """Functions and classes written here: messages of protobuf and plain values have no docstring of ours."""
    found: dict[str, Definition] = {}
    for name, target in _public():
        thing = reduce(getattr, name.split("."), gc)
        ours = callable(thing) and "_pb2" not in target and (inspect.isclass(thing) or hasattr(thing, "__qualname__"))
        if ours:
            found.setdefault(target, Definition(target, thing)).names.append(name)
    for definition in found.values():
        definition.names.sort(key=lambda name: ("python." in name, name.startswith("compat."), name.count(".")))
    return tuple(found.values())


def _public() -> Iterator[tuple[str, str]]:
    for space, names in NAMES.items():
        for name, target in names.items():
            yield f"{space}.{name}" if space else name, target
