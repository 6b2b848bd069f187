"""The face behind which each format of models stands: whether a path is one of it, and a session with what it holds.

A format is a file of this folder with a ModelFormat; readers.py lists them.
"""
from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from graphc.serial.signatures import Signature


@dataclass(frozen=True)
class Wishes:
    """What the caller says beside the path. checkpoint: where variables' values are, None: where the format has them.
    tags: of a SavedModel's graph. shapes: of inputs, by name; None in a shape is any size."""

    checkpoint: str | None = None
    tags: tuple[str, ...] = ("serve",)
    shapes: Mapping[str, Sequence[int | None]] = field(default_factory=dict)


@dataclass(frozen=True)
class OpenedModel:
    """A session with the graph and its variables, and the signatures that the file tells of. variables: those of
    checkpoints, as gc.train.Saver has them; None: all global ones."""

    session: Any
    signatures: Mapping[str, Signature] = field(default_factory=dict)
    variables: Any = None


@dataclass(frozen=True)
class ModelFormat:
    what: str                                    # in messages: "a SavedModel"
    fits: Callable[[str], bool]
    open: Callable[[str, Wishes], OpenedModel]
