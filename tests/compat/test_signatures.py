"""Functions and classes have the parameters of TensorFlow 1.15, under their names and in their order."""
from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

import graphc.compat.v1 as tf

RECORDED = [line.partition(": ") for line in Path(__file__).with_name("signatures.txt").read_text().splitlines()
            if not line.startswith("#")]
VARIADIC = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


def parameters(thing: Any) -> list[str]:
    """_sentinel, which only says that arguments must be named, and self are left out."""
    first: tuple[str, ...] = ("self", "_sentinel")
    if isinstance(thing, type):
        thing, first = (thing.__new__, ("cls",)) if issubclass(thing, tuple) else (thing.__init__, first)
    found = inspect.signature(thing).parameters.values()
    return [p.name for p in found if p.kind not in VARIADIC and p.name not in first]


def test_signatures() -> None:
    differ = {}
    for name, _, recorded in RECORDED:
        thing: Any = tf
        for part in name.split("."):
            thing = getattr(thing, part)
        wanted = recorded.split()
        if parameters(thing)[:len(wanted)] != wanted:
            differ[name] = parameters(thing)
    assert len(RECORDED) > 960 and differ == {}
