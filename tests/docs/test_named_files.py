"""Files that comments, docstrings and pages about the code name are there: those that move take their names along.

A name in quotes is a program's own file, and so is what a guide has its reader write.
"""
from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
FOLDERS = ("graphc", "kernels", "runner", "runtime", "bench", "tools", "tests", "examples")
PAGES = ("CONTRIBUTING.md", "docs/architecture.md", "docs/onnx.md", "docs/parity.md")
KINDS = (".py", ".cpp", ".h", ".sh")
NAME = re.compile(r"""(?<![\w/.{<"'-])((?:\.\./)*(?:\w+/)*\w+\.(?:py|cpp))\b(?![\w(:"'])""")
# Written by a build, by a page's reader, and of other projects.
ELSEWHERE = {"_pb2.py", "graphc_tables.cpp", "predict.py", "setup.py", "modeling.py"}


def written() -> Iterator[Path]:
    """All but the files that protoc writes."""
    for folder in FOLDERS:
        for kind in KINDS:
            yield from (path for path in (ROOT / folder).rglob(f"*{kind}") if not path.stem.endswith("_pb2"))


def test_named_files_are_there() -> None:
    code = list(written())
    there = {"/".join(parts[start:]) for path in code for parts in [("graphc", *path.relative_to(ROOT).parts)]
             for start in range(len(parts))}         # graphc/kernels is a link to kernels
    texts = [*code, *(ROOT / page for page in PAGES), *(ROOT / "docs/adr").glob("*.md"),
             *(ROOT / "docs/performance").glob("*.md")]
    named = {(str(path.relative_to(ROOT)), name) for path in texts for line in path.read_text().splitlines()
             if not line.lstrip().startswith(("import ", "$"))
             for name in NAME.findall(line)}
    assert len(named) > 800
    assert sorted((path, name) for path, name in named
                  if name.replace("../", "") not in there and name not in ELSEWHERE) == []
