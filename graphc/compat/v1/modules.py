"""The modules of TensorFlow 1's namespace, made when they are first imported: `graphc.compat.v1.nn`, and under the name
of `tensorflow` if the launcher says so.

A name of a namespace is, first match: TensorFlow 2's, inside of compat.v2 (second.py); one of the package keras
(keras_package.py); declared
"compat.v1.<namespace>.<name>"; an old name (old_names.py); graphc's own name at that path; a name in one of the
namespaces that an inner module of TensorFlow stands for (inner_modules.py); a message of the module that stands there
(messages.py); a namespace inside. Anything else is an AttributeError that says what is known of it (unknown.py).
"""
from __future__ import annotations

import functools
import importlib.abc
import importlib.machinery
import importlib.util
import sys
from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any

from graphc.api.names import NAMES
from graphc.api.namespaces import public_thing
from graphc.compat.v1 import keras_package, second
from graphc.compat.v1.inner_modules import INNER_MODULES, namespaces_of
from graphc.compat.v1.messages import MESSAGES
from graphc.compat.v1.old_names import OLD_NAMES
from graphc.compat.v1.unknown import unknown
from graphc.ir.late_imports import load

ROOT = "graphc.compat.v1"
_OWN = "compat.v1"
# Files beside this one.
_MODULES_OF_CODE = {"modules", "inner_modules", "keras_package", "messages", "old_names", "second", "unknown",
                    "versions"}
# Modules that are namespaces as they are: (package, name in it).
_WHOLE = {"errors": ("graphc", "errors"), "flags": ("graphc.compat.program", "flags")}
_ABSENT = keras_package.ABSENT


def lookup(space: str) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """(__getattr__, __dir__) of the namespace ("" is tf itself)."""

    def get(name: str) -> Any:
        if name.startswith("__") and not (name == "__version__" and keras_package.is_keras(space)):
            raise AttributeError(f"module 'tensorflow{_behind(space)}' has no attribute {name!r}", name=name)
        value = find(space, name)
        if value is _ABSENT:
            raise unknown(_join(space, name), listing())
        setattr(module(space), name, value)
        return value

    def listing() -> list[str]:
        spaces = [where for where in (space, *(namespaces_of(space) or ())) if where or not space]
        named = [name for where in spaces for names in (_join(_OWN, where), where) for name in NAMES.get(names, {})]
        inside = f"{space}." if space else ""
        inner = (s.removeprefix(inside) for s in _spaces() if s.startswith(inside))
        messages = (name for home in MESSAGES.get(space, ()) for name in load(home).DESCRIPTOR.message_types_by_name)
        inner = (s for s in inner if s and "." not in s)
        return sorted({*named, *messages, *keras_package.names(space), *inner})

    return get, listing


def find(space: str, name: str) -> Any:
    """The value of the name in the namespace, or _ABSENT."""
    path = _plain(_join(space, name))
    if (inside := second.inside(path)) is not None:
        return module(path) if exists(path) else _of_second(inside)
    if (of_keras := keras_package.find(path)) is not _ABSENT:
        return of_keras
    if path in OLD_NAMES:
        old, _, last = OLD_NAMES[path].rpartition(".")
        return find(old, last)
    for where in (space, *(namespaces_of(space) or ())):
        for names in (NAMES.get(_join(_OWN, where), {}), NAMES.get(where, {})):
            if name in names:
                return public_thing(names[name])
        if where in _WHOLE and hasattr(module(where), name):
            return getattr(module(where), name)
    for home in MESSAGES.get(space, ()):
        if hasattr(load(home), name):
            return getattr(load(home), name)
    if exists(path):
        return module(path)
    elsewhere = _imported_there(path, name)
    return module(elsewhere) if elsewhere else _ABSENT


def _of_second(path: str) -> Any:
    if second.why_not(path):
        return _ABSENT
    around, _, name = second.INSTEAD.get(path, path).rpartition(".")
    value = find(around, name)
    return value if value is _ABSENT else second.adapted(path, value)


def _imported_there(path: str, name: str) -> str:
    """TensorFlow's own files import each other, so that tensorflow.python.ops.rnn.array_ops is one, too; "" if not."""
    if not path.startswith("python.") or path.count(".") < 3:
        return ""
    folders = ("framework", "ops", "training", "util", "client", "platform", "layers", "eager")
    found = (f"python.{folder}.{name}" for folder in folders)
    return next(filter(exists, found), "")


@functools.cache
def _spaces() -> frozenset[str]:
    """Every namespace, with those around it."""
    named = {s.removeprefix(_OWN).lstrip(".") if s == _OWN or s.startswith(f"{_OWN}.") else s for s in NAMES}
    found = {"", *_WHOLE}
    for space in (*named, *INNER_MODULES, *MESSAGES):
        parts = space.split(".")
        found.update(".".join(parts[:i]) for i in range(1, len(parts) + 1))
    return frozenset(found)


def exists(space: str) -> bool:
    """Whether TensorFlow's module tensorflow.<space> is there."""
    space = _plain(space)
    if (inside := second.inside(space)) is not None:
        return not second.why_not(inside) and exists(inside)
    if space in _spaces():
        return True
    around = namespaces_of(space)
    return bool(around and around[0] in _spaces()) or keras_package.is_module(space)


class Namespace(ModuleType):
    """A module whose names are found when they are asked for. All of them are there for who asks for all, by
    `from x import *` or `vars`."""

    @property
    def __dict__(self) -> dict[str, Any]:  # type: ignore[override]
        own: dict[str, Any] = ModuleType.__dict__["__dict__"].__get__(self)
        space = _plain(self.__name__.removeprefix(ROOT).lstrip("."))
        found = {name: find(space, name) for name in self.__dir__() if name not in own and not name.startswith("_")}
        return {**{name: value for name, value in found.items() if value is not _ABSENT}, **own}


def module(space: str) -> ModuleType:
    """The module of the namespace, made once."""
    space = _plain(space)
    name = _join(ROOT, space)
    made = sys.modules.get(name)
    if made is None:
        if space in _WHOLE:
            package, name_there = _WHOLE[space]
            made = getattr(load(package), name_there, None) or load(f"{package}.{name_there}")
        else:
            made = Namespace(name, f"As `tf.{space}` of TensorFlow 1.15.")
            made.__getattr__, made.__dir__ = lookup(space)  # type: ignore[method-assign]
            made.__path__ = []
            made.__spec__ = importlib.machinery.ModuleSpec(name, None, is_package=True)
        sys.modules[name] = made
    return made


class Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds `<root>.nn` and the like, root being "graphc.compat.v1" or "tensorflow", or a package that is one of its
    namespaces."""

    def __init__(self, root: str, space: str) -> None:
        self.root, self.space = root, space

    def _inside(self, fullname: str) -> str:
        return _join(self.space, fullname.removeprefix(self.root).lstrip("."))

    def find_spec(self, fullname: str, path: Sequence[str] | None = None,
                  target: ModuleType | None = None) -> importlib.machinery.ModuleSpec | None:
        if fullname != self.root and not fullname.startswith(f"{self.root}."):
            return None
        space = self._inside(fullname)
        if self.root == ROOT and space in _MODULES_OF_CODE:
            return None
        if exists(space):
            return importlib.util.spec_from_loader(fullname, self, is_package=True)
        around, _, last = space.rpartition(".")
        if exists(around) and find(around, last) is not _ABSENT:      # `from tensorflow.x import a_function`
            return None
        # By the module's name, who tries it (pydoc.locate) knows that it is not there; `from tensorflow.x import y`
        # would drop the error for one that says less.
        name = None if _is_from_import() else fullname
        raise ModuleNotFoundError(str(unknown(space, lookup(around)[1]())), name=name)

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType:
        return module(self._inside(spec.name))

    def exec_module(self, module: ModuleType) -> None:
        """Its names are looked up when they are used."""


def _is_from_import() -> bool:
    """Whether a module is looked for that may be the y of `from x import y`."""
    frame = sys._getframe(2)
    while frame.f_back is not None and frame.f_code.co_filename.startswith("<frozen importlib"):
        if frame.f_code.co_name == "_handle_fromlist":
            return True
        frame = frame.f_back
    return False


def install(root: str, space: str = "") -> None:
    """From here on `import <root>.nn` finds TensorFlow 1's namespaces, those inside of `space`."""
    if not any(isinstance(f, Finder) and f.root == root for f in sys.meta_path):
        sys.meta_path.insert(0, Finder(root, space))


def _plain(space: str) -> str:
    """tf.compat.v1.nn is tf.nn."""
    while space == _OWN or space.startswith(f"{_OWN}."):
        space = space.removeprefix(_OWN).lstrip(".")
    return space


def _join(space: str, name: str) -> str:
    return f"{space}.{name}" if space and name else space or name


def _behind(space: str) -> str:
    return f".{space}" if space else ""
