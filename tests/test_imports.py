"""Imports point one way: the folders stand in the order in which data flows."""
from __future__ import annotations

import ast
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

# A module may import from its own group and from the groups before it. plan/plan.py, plain data, is open to all.
ORDER = ["errors", "kernels", "ir", "plan.plan", "ops", "gradients", "passes", "plan", "exec", "serial", "session"]


def group(module: str) -> int | None:
    parts = module.removeprefix("graphc.").split(".")
    if parts[:2] == ["plan", "plan"]:
        return ORDER.index("plan.plan")
    return ORDER.index(parts[0]) if parts[0] in ORDER else None


def imported(path: Path) -> list[str]:
    """Modules of graphc that `path` imports at any depth, but for those under TYPE_CHECKING."""
    found = []

    class Visitor(ast.NodeVisitor):
        def visit_If(self, node: ast.If) -> None:
            if not (isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"):
                self.generic_visit(node)

        def visit_Import(self, node: ast.Import) -> None:
            found.extend(alias.name for alias in node.names)

        def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
            found.extend([f"{node.module}.{alias.name}" for alias in node.names] if node.level == 0 else [])

    Visitor().visit(ast.parse(path.read_text()))
    return [name for name in found if name.startswith("graphc.")]


SOURCES = [p for p in sorted((ROOT / "graphc").rglob("*.py")) if "kernels" not in p.relative_to(ROOT).parts]


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(ROOT)))
def test_imports_point_one_way(path: Path) -> None:
    parts = path.relative_to(ROOT).with_suffix("").parts
    here = group(".".join(parts))
    if here is None:
        return
    wrong = [name for name in imported(path) if (there := group(name)) is not None and there > here]
    assert not wrong, f"{path} imports from folders behind its own: {wrong}"


@pytest.mark.parametrize("path", sorted((ROOT / "kernels").rglob("*.py")), ids=lambda p: str(p.relative_to(ROOT)))
def test_kernels_import_nothing_from_graphc(path: Path) -> None:
    assert not imported(path)


def test_import_is_light() -> None:
    code = "import sys, graphc; print([m for m in ('numba', 'llvmlite', 'google.protobuf') if m in sys.modules])"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"
    # Far above the 0.3 s that bench/import.py reports: this only catches a heavy import sneaking in.
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", "import graphc"], check=True)
    assert time.perf_counter() - start < 5
