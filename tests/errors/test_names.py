"""Names that messages mention exist; names of TensorFlow 1 that are missing are answered with what to use instead."""
from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import graphc as gc
from graphc.missing import ADVICE

SOURCES = Path(gc.__file__).parent
NAME = re.compile(r"\bgc((?:\.[A-Za-z_]\w*)+)")


def _resolves(path: str) -> bool:
    found: object = gc
    try:
        for part in path.lstrip(".").split("."):
            found = getattr(found, part)
    except AttributeError:
        return False
    return True


def _mentioned(text: str) -> Iterator[str]:
    return (m.group(1) for m in NAME.finditer(text))


def _strings(path: Path) -> Iterator[tuple[int, str]]:
    """Every string of the file, docstrings too, the parts of an f-string joined."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.JoinedStr):
            yield node.lineno, "".join(v.value if isinstance(v, ast.Constant) else "{}" for v in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.lineno, node.value


def test_every_public_name_in_a_string_exists() -> None:
    unknown, seen = [], 0
    for path in sorted(SOURCES.rglob("*.py")):
        for line, text in _strings(path):
            for name in _mentioned(text):
                seen += 1
                if not _resolves(name):
                    unknown.append(f"{path.relative_to(SOURCES)}:{line}: gc{name}")
    assert not unknown
    assert seen > 100


def test_advice_is_about_names_that_are_missing() -> None:
    present = [name for name in ADVICE if _resolves(name)]
    assert not present, "these exist now: take them out of graphc/missing.py"


@pytest.mark.parametrize("name", ["keras", "profiler", "linalg.eig", "RaggedTensor", "tpu"])
def test_missing_name_of_tensorflow(name: str) -> None:
    *parts, last = name.split(".")
    module = gc if not parts else getattr(gc, parts[0])
    with pytest.raises(AttributeError, match=re.escape(f"graphc does not have tf.{name} (yet); use instead: ")):
        getattr(module, last)
    assert not hasattr(module, last)


def test_misspelt_name() -> None:
    with pytest.raises(AttributeError, match=r"'graphc' has no attribute 'reduce_sun'; did you mean 'reduce_sum'"):
        _ = gc.reduce_sun
    with pytest.raises(AttributeError, match=r"module 'graphc.nn' has no attribute 'rellu'; did you mean 'relu'"):
        _ = gc.nn.rellu
