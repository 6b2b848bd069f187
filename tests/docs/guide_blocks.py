"""The code of a page of the guide, in order, and how it is run.

A `python` block runs in the page's namespace; the `text` block after it is what it prints ("..." stands for anything).
`$` lines of a `console` block run in the page's folder; what stands below them is what they print. Of a block that
begins with a file's name in a comment, the text becomes that file. `<!-- with torch -->` above a block: it runs only
where torch is (tests/peers); `<!-- without torch -->`: only where it is not. A `diagram` is not run.
"""
from __future__ import annotations

import contextlib
import doctest
import io
import os
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent.parent
sys.path.insert(0, str(ROOT / "tools" / "docs"))

from notebooks import environment

FENCE = re.compile(r"^(?:<!-- (with|without) (\w+) -->\n)?```([\w+]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
FILE = re.compile(r"\A(?://|#) (\w+\.\w+)\n")
FLAGS = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS


@dataclass
class Block:
    kind: str          # "python", "text", "console", ...
    text: str
    line: int
    needs: tuple[str, str] | None = None       # ("with", "torch")

    def runs(self, there: frozenset[str]) -> bool:
        return self.needs is None or (self.needs[0] == "with") == (self.needs[1] in there)


def blocks(page: Path) -> list[Block]:
    text = page.read_text()
    return [Block(m[3], m[4], text[:m.start(4)].count("\n") + 1, (m[1], m[2]) if m[1] else None)
            for m in FENCE.finditer(text)]


class Page:
    """A page being run: what it has defined so far."""

    def __init__(self, page: Path, there: Iterable[str] = ()) -> None:
        """there: libraries that may be used besides graphc's own."""
        self.page, self.there = page, frozenset(there)
        self.names: dict[str, Any] = {"__name__": "__main__"}

    def run(self) -> None:
        printed: str | None = None         # by the block before
        for block in blocks(self.page):
            where = f"{self.page.name}:{block.line}"
            if block.kind == "text":
                if printed is not None:
                    check(block.text, printed, where)
                continue
            printed = None
            if block.kind == "diagram" or not block.runs(self.there):
                continue
            if name := FILE.match(block.text):
                Path(name[1]).write_text(block.text)
            elif block.kind == "python":
                printed = self._python(block)
            else:
                assert block.kind == "console", f"{where}: nothing runs a block of {block.kind!r}"
                for command, expected in commands(block.text):
                    check(expected, shell(command, where), f"{where}: {command}")

    def _python(self, block: Block) -> str:
        import linecache

        code = compile(block.text, name := f"{self.page}:{block.line}", "exec")
        linecache.cache[name] = (len(block.text), None, block.text.splitlines(keepends=True), name)
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(code, self.names)
        return printed.getvalue()


def commands(text: str) -> Iterator[tuple[str, str]]:
    """Each command, with its continued lines, and the lines below it."""
    for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
        command, _, expected = re.sub(r"\\\n\s*", "", part).partition("\n")
        yield re.sub(r"\s{3,}#.*", "", command), expected


def shell(command: str, where: str) -> str:
    done = subprocess.run(command, shell=True, env={**os.environ, **environment()}, capture_output=True, text=True,
                          timeout=120, check=False)
    assert done.returncode == 0, f"{where}: {command}\n{done.stdout}{done.stderr}"
    return done.stdout


def check(expected: str, printed: str, where: str) -> None:
    same = not expected.strip() or doctest.OutputChecker().check_output(expected, printed, FLAGS)
    assert same, f"{where} prints\n{printed}\nbut the page says\n{expected}"
