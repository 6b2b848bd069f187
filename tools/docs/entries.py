"""What the API reference has entries for: each public function, class, message and value once, with all its names."""
from __future__ import annotations

import importlib
import inspect
import sys
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent.parent
sys.path.insert(0, str(ROOT / "tools"))

from public_names import declared  # noqa: E402

from graphc.api.elsewhere import MODULES  # noqa: E402

# Where names of no namespace are described: the first prefix of the defining module that fits; "": all others.
FAMILIES = {
    "array": ("Arrays", ("graphc.api.array", "graphc.api.sparse", "graphc.api.quantization")),
    "math": ("Math", ("graphc.api.math", "graphc.api.linalg", "graphc.api.signal", "graphc.api.random")),
    "control": ("Control flow", ("graphc.api.control",)),
    "state": ("Variables", ("graphc.api.state",)),
    "files": ("Files and strings", ("graphc.api.files", "graphc.api.strings", "graphc.serial", "graphc.saved_model",
                                    "graphc.api.lookup")),
    "graph": ("Graphs, sessions, gradients", ("",)),
}
CONFLICTS = ("python", "compat", "contrib")     # a name outside of these is the better main one


@dataclass
class Entry:
    """One definition; `names` without "gc.", the main one first."""
    names: list[str]
    target: str                # "module:attribute"

    @property
    def name(self) -> str:
        return self.names[0]

    @cached_property
    def thing(self) -> Any:
        module, _, attribute = self.target.partition(":")
        return getattr(importlib.import_module(module), attribute)

    @property
    def is_message(self) -> bool:
        return "_pb2" in self.target

    @property
    def is_class(self) -> bool:
        return inspect.isclass(self.thing) and not self.is_message

    @property
    def is_function(self) -> bool:
        return callable(self.thing) and hasattr(self.thing, "__qualname__") and not inspect.isclass(self.thing)

    @property
    def is_value(self) -> bool:
        return not self.is_class and not self.is_function

    @property
    def docstring(self) -> str:
        return "" if self.is_value else inspect.getdoc(self.thing) or ""

    @property
    def summary(self) -> str:
        """The first sentence; of a long one the first line."""
        first = self.docstring.split("\n\n")[0].replace("\n", " ")
        return first.partition(". ")[0].removesuffix(".") if ". " in first else first.removesuffix(".")

    @property
    def file(self) -> str:
        return f"{self.target.partition(':')[0].replace('.', '/')}.py"

    @property
    def page(self) -> str:
        return page_of(self.name, self.target)


def page_of(name: str, target: str) -> str:
    """The page on which a name is described, or listed if it is not the main one."""
    parts = name.split(".")[:-1]
    if not parts:
        return f"gc-{next(key for key, (_, homes) in FAMILIES.items() if target.startswith(homes))}"
    return ".".join(parts[:2 if parts[0] == "contrib" or parts[:2] == ["compat", "v1"] else 1])


def entries() -> list[Entry]:
    found: dict[str, list[str]] = {}
    for name, target in declared():
        found.setdefault(target, []).append(name)
    for module in MODULES:
        last = module.rpartition(".")[2]
        for attribute, thing in vars(importlib.import_module(f"graphc.{module}")).items():
            if getattr(thing, "__module__", "") == f"graphc.{module}" and not attribute.startswith("_"):
                found.setdefault(f"graphc.{module}:{attribute}", []).append(f"{last}.{attribute}")
    return [Entry(sorted(dict.fromkeys(names), key=lambda n: n.startswith(CONFLICTS)), target)
            for target, names in sorted(found.items())]
