"""Files read, written and listed while a graph runs, in the order in which the ops were made."""
from __future__ import annotations

import glob
import itertools
import os
from collections.abc import Sequence
from typing import Any

import numpy as np

from graphc import errors
from graphc.ir.builder import GradientBuilder
from graphc.ir.dtypes import DType, string
from graphc.ir.elementwise import check_one_string
from graphc.ir.host import Host
from graphc.ir.known import own_symbol
from graphc.ir.op import Effect, register
from graphc.ir.spec import Spec, text
from graphc.ir.tensor import Operation


class FileOp(Host):
    """An effect: what it gives depends on what was written before, and never is a constant."""

    effect = Effect.HOST

    def result_dtypes(self, *inputs: Spec) -> tuple[DType, ...]:
        return (string,) * len(self.results)

    def grad(self, g: GradientBuilder, node: Operation, *dys: Any) -> Sequence[Any]:
        return [None] * len(node.inputs)


@register
class ReadFile(FileOp):
    """What is in the file."""

    operands = ("filename",)
    results = ("contents",)

    def infer(self, filename: Spec) -> Spec:  # type: ignore[override]
        check_one_string(self, "filename", filename)
        return Spec(string, ())

    def compute(self, filename: np.ndarray) -> np.ndarray:
        name = path(filename.item())
        try:
            with open(name, "rb") as file:
                return np.array(file.read(), object)
        except OSError as error:
            raise errors.of_file(name, error) from None


@register
class WriteFile(FileOp):
    """Writes contents into the file, whose folder it makes. Others see the old file or the new one, and nothing
    between."""

    operands = ("filename", "contents")
    results = ()

    def infer(self, filename: Spec, contents: Spec) -> tuple[Spec, ...]:  # type: ignore[override]
        check_one_string(self, "filename", filename)
        check_one_string(self, "contents", contents)
        return ()

    def compute(self, filename: np.ndarray, contents: np.ndarray) -> tuple[()]:
        name = path(filename.item())
        folder = os.path.dirname(name)
        try:
            if folder:
                os.makedirs(folder, exist_ok=True)
            if os.path.exists(name) and not os.path.isfile(name):     # a pipe, a device, a folder
                with open(name, "wb") as file:
                    file.write(contents.item())
            else:
                _replace(os.path.realpath(name), contents.item())
        except OSError as error:
            raise errors.of_file(name, error) from None
        return ()


def _replace(name: str, contents: bytes) -> None:
    folder, last = os.path.split(name)
    other = os.path.join(folder, f".{last[:100]}.{os.getpid()}.{next(_numbers)}")
    number = os.open(other, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
    try:
        with os.fdopen(number, "wb") as file:
            file.write(contents)
        if os.path.exists(name):
            os.chmod(other, os.stat(name).st_mode & 0o7777)
        os.replace(other, name)
    except BaseException:
        os.unlink(other)
        raise


_numbers = itertools.count()


@register
class MatchingFiles(FileOp):
    """The names of files that match a pattern, or one of several, in alphabetic order."""

    operands = ("pattern",)
    results = ("filenames",)

    def infer(self, pattern: Spec) -> Spec:  # type: ignore[override]
        if pattern.dtype != string:
            raise TypeError(f"argument 'pattern' must be a string, but has dtype {pattern.dtype.name}")
        if pattern.shape is not None and len(pattern.shape) > 1:
            raise ValueError(f"argument 'pattern' must be a scalar or vector, but has shape {text(pattern.shape)}")
        return Spec(string, (own_symbol(self, "count"),))

    def compute(self, pattern: np.ndarray) -> np.ndarray:
        found = sorted(os.fsencode(name) for one in pattern.ravel()
                       for name in glob.glob(_pattern(path(one)), include_hidden=True))
        made = np.empty(len(found), object)
        made[:] = found
        return made


def _pattern(given: str) -> str:
    """As Python's glob has it: [!a] for [^a], [*] for an escaped star."""
    made, escaped = "", False
    for i, character in enumerate(given):
        if escaped:
            made, escaped = made + (f"[{character}]" if character in "*?[" else character), False
        elif character == "\\":
            escaped = True
        else:
            made += "!" if character == "^" and given[i - 1:i] == "[" else character
    return made.replace("**", "*")


def path(name: bytes) -> str:
    return os.fsdecode(name)
