"""Planted faults: kernels' PTX with one instruction changed, each run in the emulator."""
from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from ptx.text import PtxError
from stand_in import StandIn

Change = Callable[[str], str]
Run = Callable[[Any], list[np.ndarray]]    # of a device
MOST_STEPS = 20_000        # instructions of a kernel: a mutant that takes more of them has no end


@dataclass(frozen=True)
class Mutant:
    """kind: of KINDS; text: the module before; line: which one of it becomes `changed`."""

    kind: str
    text: str
    line: int
    changed: str

    def change(self, text: str) -> str:
        """The module as it is loaded."""
        if text != self.text:
            return text
        lines = text.split("\n")
        lines[self.line] = self.changed
        return "\n".join(lines)

    def __str__(self) -> str:
        return f"{self.kind}: {self.text.split(chr(10))[self.line].strip()} -> {self.changed.strip() or 'nothing'}"


def _bound(line: str) -> str:
    """lt becomes le, ge becomes gt."""
    turned = {"lt": "le", "le": "lt", "ge": "gt", "gt": "ge"}
    return re.sub(r"setp\.(lt|le|ge|gt)\.", lambda found: f"setp.{turned[found[1]]}.", line)


def _stride(line: str) -> str:
    """A factor that is one more, or a shift that is one further."""
    if "ctaid" in line or not re.search(r"\b(mul\.|mad\.|shl\.)", line):
        return line
    return re.sub(r", (\d+)(?=[,;])", lambda found: f", {int(found[1]) + 1}", line, count=1)


def _offset(line: str) -> str:
    """A place in memory that is one element further."""
    return re.sub(r"((?:ld|st)\.(?:shared|global)[\w.]*?(\d+)\s.*\[%\w+)(?:\+(\d+))?\]",
                  lambda found: f"{found[1]}+{int(found[3] or 0) + int(found[2]) // 8}]", line)


KINDS: dict[str, Callable[[str], str]] = {
    "no barrier": lambda line: re.sub(r"^\s*bar\.sync.*", "", line),
    "bound": _bound,
    "stride": _stride,
    "offset": _offset,
    "no predicate": lambda line: re.sub(r"^\s*@!?%p\d+ bra[^;]*;", "", line),
    "always": lambda line: re.sub(r"^(\s*)@!?%p\d+ (bra)", r"\1\2", line),
    "operation": lambda line: re.sub(r"\badd\.rn\b", "sub.rn", re.sub(r"\bmax\.", "min.", line)),
}


def mutants_of(text: str) -> Iterator[Mutant]:
    for number, line in enumerate(text.split("\n")):
        if line.startswith(("//", ".")):
            continue
        for kind, change in KINDS.items():
            if change(line) != line:
                yield Mutant(kind, text, number, change(line))


class Mutating(StandIn):
    """The emulator with a module changed. texts: of all that was loaded, before the change."""

    most_steps, compute = MOST_STEPS, 80

    def __init__(self, change: Change = lambda text: text) -> None:
        super().__init__()
        self.change, self.texts = change, []  # type: Change, list[str]

    def function(self, ptx: str, name: str) -> tuple[str, str]:
        if ptx not in self.texts:
            self.texts.append(ptx)
        return super().function(self.change(ptx), name)


def is_noticed(mutant: Mutant, run: Run, expected: list[np.ndarray]) -> bool:
    """Whether the emulator refuses it, or a result changes."""
    try:
        found = run(Mutating(mutant.change))
    except PtxError:
        return True
    return any(not np.allclose(ours, theirs, rtol=1e-5, atol=1e-6, equal_nan=True)
               for ours, theirs in zip(found, expected, strict=True))
