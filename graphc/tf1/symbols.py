"""The TensorFlow names that a program uses, from its text alone."""
from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Use:
    """path: the name behind `tf.`; line: where it stands."""

    path: str
    line: int


def uses(text: str, file: str) -> list[Use]:
    """Each use of a name under `tensorflow`, in the order of the text. Raises SyntaxError."""
    tree = ast.parse(text, file)
    aliases = {}
    found = []
    for node in ast.walk(tree):
        for alias, path, is_use in _imported(node):
            aliases[alias] = path
            if is_use and path:
                found.append(Use(path, node.lineno))  # type: ignore[attr-defined]
    for expression in _outermost(tree):
        root, path = _dotted(expression)
        if root in aliases:
            found.append(Use(".".join(p for p in (aliases[root], path) if p), expression.lineno))
    return sorted(set(found), key=lambda use: (use.line, use.path))


def _imported(node: ast.AST) -> Iterator[tuple[str, str, bool]]:
    """(name in the program, path after `tf.`, whether the import itself uses that path)."""
    if isinstance(node, ast.Import):
        for name in node.names:
            top, _, inner = name.name.partition(".")
            if top == "tensorflow":
                yield (name.asname, inner, True) if name.asname else ("tensorflow", "", False)
                if not name.asname and inner:
                    yield "", inner, True
    elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
        top, _, inner = node.module.partition(".")
        if top == "tensorflow":
            for name in node.names:
                yield name.asname or name.name, f"{inner}.{name.name}" if inner else name.name, name.name != "*"


def _outermost(tree: ast.AST) -> Iterator[ast.Attribute]:
    """a.b.c as one expression, not a.b and a.b.c."""
    waiting: list[ast.AST] = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Attribute) and _dotted(node)[0]:
            yield node
            continue
        waiting.extend(ast.iter_child_nodes(node))


def _dotted(node: ast.expr) -> tuple[str, str]:
    """("tf", "nn.relu") of tf.nn.relu; an empty root if it does not begin with a name."""
    names = []
    while isinstance(node, ast.Attribute):
        names.append(node.attr)
        node = node.value
    return (node.id, ".".join(reversed(names))) if isinstance(node, ast.Name) else ("", "")
