"""`graphc tf1 --check`: which TensorFlow names of some programs are there, missing, planned, in Keras or out of reach.

Nothing of the programs runs. Exit status 0 if all is there, else 1.
"""
from __future__ import annotations

import json
import os
import tokenize
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from types import ModuleType
from typing import Any

from graphc.compat.v1 import modules
from graphc.compat.v1.unknown import reach, unknown
from graphc.tf1 import notebook, repair
from graphc.tf1.symbols import uses


@dataclass(frozen=True, slots=True)
class Finding:
    """state: "there", "missing", "in Keras", "planned", "out of reach", or "unreadable" (the whole file)."""

    file: str
    line: int
    symbol: str
    state: str
    advice: str


def check(paths: Sequence[str], as_json: bool) -> int:
    found = list(programs(paths))
    findings = [finding for path in found for finding in of_file(path)]
    print(json.dumps([asdict(f) for f in findings], indent=1) if as_json else table(len(found), findings))
    return int(any(f.state != "there" for f in findings))


def programs(paths: Sequence[str]) -> Iterator[str]:
    """The .py and .ipynb files of these files and folders. Raises FileNotFoundError."""
    for path in paths:
        if not os.path.exists(path):
            raise FileNotFoundError(f"{path}: no such file or folder")
        if not os.path.isdir(path):
            yield path
        for folder, _, files in os.walk(path):
            yield from sorted(os.path.join(folder, name) for name in files if name.endswith((".py", ".ipynb")))


def of_file(path: str) -> list[Finding]:
    """What the program uses, each name once, with the first line that does."""
    try:
        with tokenize.open(path) as file:
            text = file.read()
        if path.endswith(".ipynb"):
            text = notebook.code_of(text)
        used = uses(repair.repaired(text, path) if not repair.is_python3(text, path) else text, path)
    except (SyntaxError, ValueError, ImportError) as error:
        return [Finding(path, getattr(error, "lineno", 0) or 0, "", "unreadable", str(error))]
    first: dict[str, Finding] = {}
    for use in used:
        symbol, state, advice = judged(use.path)
        if symbol and symbol not in first:
            first[symbol] = Finding(path, use.line, f"tf.{symbol}", state, advice)
    return list(first.values())


def judged(path: str) -> tuple[str, str, str]:
    """(symbol, state, advice) of what stands after `tf.`: the symbol ends where TensorFlow's names end."""
    found: Any = modules.module("")
    parts = path.split(".")
    for i, part in enumerate(parts):
        if not isinstance(found, (ModuleType, type)):
            return ".".join(parts[:i]), "there", ""
        try:
            found = getattr(found, part)
        except AttributeError as error:
            symbol = ".".join(parts[:i + 1])
            if isinstance(found, type):
                return symbol, "missing", f"{found.__name__} has no '{part}'"
            return ".".join(parts), reach(path)[0], str(error if i == len(parts) - 1 else unknown(path, ()))
    return path, "there", ""


def table(count: int, findings: Sequence[Finding]) -> str:
    absent = [f for f in findings if f.state != "there"]
    complete = count - len({f.file for f in absent})
    rows = [(f"{f.file}:{f.line}", f.symbol, f.state, f.advice) for f in absent]
    widths = [max((len(row[i]) for row in rows), default=0) for i in range(3)]
    lines = ["  ".join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[3]]).rstrip()
             for row in rows]
    there = len({f.symbol for f in findings if f.state == "there"})
    lacking = len({f.symbol for f in absent if f.symbol})
    return "\n".join([*lines, f"{complete} of {count} programs have all their names; "
                              f"{there} names are there, {lacking} are not"])
