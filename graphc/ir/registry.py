"""The registry of op classes, by their types, and the decorator that puts them there."""
from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any, TypeVar, dataclass_transform

from graphc.ir.late_imports import load
from graphc.ir.op_base import Op, attr, operand_field
from graphc.ir.records import dataclass


class Registry(Mapping[str, type[Op]]):
    """Every op by its type. A class is imported when it is first asked for: ops/manifest.py says where it stands."""

    def __init__(self) -> None:
        self._modules: dict[str, str] = {}
        self._classes: dict[str, type[Op]] = {}

    def list_modules(self, modules: Mapping[str, str]) -> None:
        """Says which module defines which op type."""
        self._modules.update(modules)

    def add(self, op_type: str, op: type[Op]) -> None:
        if op_type in self._classes:
            raise ValueError(f"op type {op_type} is registered already")
        self._classes[op_type] = op

    def types(self) -> list[str]:
        """All op types, without importing their classes."""
        return list({**self._modules, **self._classes})

    def __getitem__(self, op_type: str) -> type[Op]:
        if op_type not in self._classes:
            load(self._modules[op_type])
        return self._classes[op_type]

    def make(self, op_type: str, **fields: Any) -> Op:
        """An op by its type and fields."""
        op: Any = self[op_type]
        made: Op = op(**fields)
        return made

    def __contains__(self, op_type: object) -> bool:
        return op_type in self._classes or op_type in self._modules

    def __iter__(self) -> Iterator[str]:
        return iter(self.types())

    def __len__(self) -> int:
        return len(self.types())


OPS = Registry()
C = TypeVar("C", bound=type[Op])


@dataclass_transform(frozen_default=True, field_specifiers=(attr, operand_field))
def register(cls: C) -> C:
    """Class decorator: makes the op a frozen dataclass and known by its class name, which is its TF type."""
    made = dataclass(frozen=True)(cls)
    made.type = cls.__name__
    made.floats = tuple(f.name for f in dataclasses.fields(made) if f.metadata.get("kind") in ("float", "list(float)"))
    named = {name.rstrip("*") for name in (*made.operands, *made.results)}
    for attribute, source in made.types.items():
        if source.rstrip("*") not in named:
            raise ValueError(f"op type {made.type}: the type {attribute} is that of '{source}', which it does not have")
    OPS.add(made.type, made)
    return made  # type: ignore[return-value]
