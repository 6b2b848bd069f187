"""`/` as Python 2 divides: whole numbers give a whole number, and classes are asked for their `__div__`.

A file is Python 2 if Python 3 cannot read it, or if it calls functions that Python 3 has lost and does not define them
itself. One that says `from __future__ import division` divides as Python 3 does.
"""
from __future__ import annotations

import ast
import builtins
import re
from typing import Any

import numpy as np

_DIVIDED = "__graphc_divided__"
_LOST = {"xrange", "basestring", "unicode", "raw_input", "unichr", "execfile", "reduce", "long"}
_FUTURE = re.compile(r"^from\s+__future__\s+import\s+(?:.*\W)?division\b", re.MULTILINE)


def is_python2(text: str, tree: ast.AST | None) -> bool:
    """Whether its divisions are Python 2's. tree: what Python 3 reads of it; None if it cannot."""
    if _FUTURE.search(text):
        return False
    return tree is None or bool((_LOST & _used(tree)) - _defined(tree))


def _used(tree: ast.AST) -> set[str]:
    """The names that are called, or given to what is called."""
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    return {name.id for call in calls for name in (call.func, *call.args) if isinstance(name, ast.Name)}


def _defined(tree: ast.AST) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found.add(node.id)
        elif isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            found.add(node.name)
        elif isinstance(node, ast.arg):
            found.add(node.arg)
        elif isinstance(node, ast.alias):
            found.update({"*": _LOST}.get(node.name, {(node.asname or node.name).partition(".")[0]}))
    return found


def rewritten(tree: ast.AST) -> ast.AST:
    """The program with Python 2's divisions."""
    setattr(builtins, _DIVIDED, divided)
    return _Rewriter().visit(tree)  # type: ignore[no-any-return]


class _Rewriter(ast.NodeTransformer):
    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        self.generic_visit(node)
        return _call(node, node.left, node.right) if isinstance(node.op, ast.Div) else node

    def visit_AugAssign(self, node: ast.AugAssign) -> ast.AST:
        """`a /= b` of a name; of a part of something it stays, where Python 2 divides arrays in place."""
        self.generic_visit(node)
        if not isinstance(node.op, ast.Div) or not isinstance(node.target, ast.Name):
            return node
        old = ast.copy_location(ast.Name(node.target.id, ast.Load()), node)
        return ast.copy_location(ast.Assign([node.target], _call(node, old, node.value)), node)


def _call(place: ast.AST, *arguments: ast.expr) -> ast.Call:
    name = ast.copy_location(ast.Name(_DIVIDED, ast.Load()), place)
    return ast.copy_location(ast.Call(name, list(arguments), []), place)


def divided(a: Any, b: Any) -> Any:
    """a / b of Python 2."""
    if _is_whole(a) and _is_whole(b):
        return a // b
    for value, method, other in ((a, "__div__", b), (b, "__rdiv__", a)):
        made = getattr(type(value), method)(value, other) if hasattr(type(value), method) else NotImplemented
        if made is not NotImplemented:
            return made
    return a / b


def _is_whole(value: Any) -> bool:
    return isinstance(value, (int, np.integer)) or (isinstance(value, np.ndarray) and value.dtype.kind in "iu")
