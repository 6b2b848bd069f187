"""tf.keras from the package keras 2.2, which was written for any TensorFlow 1, and so for this one.

It is asked first, where it is installed and `import tensorflow` finds graphc: by `graphc tf1`. What graphc has of
tf.keras itself is for programs without it. Keras 2.3 and later want a tf.keras below them, or TensorFlow 2.
"""
from __future__ import annotations

import functools
import importlib.metadata
import re
import sys
from types import ModuleType
from typing import Any

from graphc.ir.late_imports import load

ABSENT = object()
_ADVICE = ("Keras is a package of its own: `pip install keras==2.2.4`, and `graphc tf1 --repair` runs the program with "
           "it (docs/tf1.md)")
# tf.keras, tf.contrib.keras, tensorflow.python.keras and what stood between.
_PATH = re.compile(r"(?:python\.|contrib\.)?keras(?:\.(?:api|python|_impl)(?:\.keras)?)?(?:\.(?P<inside>.+))?")
_SPARED = {"datasets.mnist", "datasets.cifar10"}                 # graphc's, which download nothing


def is_keras(path: str) -> bool:
    """Whether tf.<path> belongs to Keras."""
    return _PATH.fullmatch(path) is not None


def advice() -> str:
    """What to do about a name of Keras that is not there."""
    return "the package keras, of which tf.keras is taken, has no such name" if _is_used() else _ADVICE


def find(path: str) -> Any:
    """What the package has for tf.<path>, a module as a rule being none of its names; ABSENT if it has nothing."""
    inside = _inside(path)
    if not inside:
        return ABSENT
    around, _, name = inside.rpartition(".")
    home = _module(around)
    return getattr(home, name, ABSENT) if home is not None else ABSENT


def is_module(path: str) -> bool:
    """Whether tf.<path> is a module of the package."""
    inside = _inside(path)
    return inside is not None and isinstance(_module(inside), ModuleType)


def names(path: str) -> list[str]:
    """The names in tf.<path>."""
    inside = _inside(path)
    home = _module(inside) if inside is not None else None
    return [] if home is None else [name for name in dir(home) if not name.startswith("_")]


def _inside(path: str) -> str | None:
    """The path in the package; None if it is not its, or the package is not there."""
    found = _PATH.fullmatch(path)
    if found is None or found["inside"] in _SPARED or not _is_used():
        return None
    return found["inside"] or ""


def _module(inside: str) -> Any:
    """The module, or the part of one that stands there (keras.layers is what it re-exports); None if there is none."""
    name = f"keras.{inside}" if inside else "keras"
    try:
        return load(name)
    except ModuleNotFoundError as error:
        if not str(error.name).startswith("keras"):
            raise                                                  # the package lacks one that it needs
        return None


def _is_used() -> bool:
    return _is_installed() and sys.modules.get("tensorflow") is sys.modules.get("graphc.compat.v1")


@functools.cache
def _is_installed() -> bool:
    try:
        return importlib.metadata.version("keras").startswith("2.2.")
    except importlib.metadata.PackageNotFoundError:
        return False
