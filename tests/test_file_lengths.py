"""A file has one job, and fits into a reader's head: 400 lines at most (generated files, and docstrings, aside)."""
from __future__ import annotations

import ast
from pathlib import Path

ROOT = Path(__file__).parent.parent
MOST = 400
GENERATED = ("*_pb2.py", "*.pyi", "api/names.py")


def test_no_file_is_longer() -> None:
    files = [path for folder in ("graphc", "kernels", "runner/src") for path in sorted((ROOT / folder).rglob("*"))
             if path.suffix in (".py", ".pyi", ".cpp", ".h", ".hpp") and not any(map(path.match, GENERATED))]
    assert len(files) > 300
    lengths = {str(path.relative_to(ROOT)): _length(path) for path in files}
    assert {name: length for name, length in lengths.items() if length > MOST} == {}


def _length(path: Path) -> int:
    """The lines of a file, without its docstrings: those are a manual that readers of the code skip."""
    text = path.read_text()
    length = len(text.splitlines())
    if path.suffix == ".py":
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and ast.get_docstring(node):
                length -= node.body[0].end_lineno - node.body[0].lineno + 1
    return length
