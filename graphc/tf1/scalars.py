"""Arrays of one element where NumPy 2.4 takes only a number: `float(a)`, `"%g" % a`, `numbers[0] = a`; and `tostring`.

NumPy 1 took the element. The program's calls, formats and assignments of these kinds are rewritten to the functions
below, which do what stands there first, and mend it only if it fails. So is `next(a)`, which Python 2's `a.next()` has
become: of an object that has a method of that name alone. `a.tostring()` is `a.tobytes()` where it is lost.
"""
from __future__ import annotations

import array
import ast
import builtins
import re
from collections.abc import Callable
from types import CodeType
from typing import Any

import numpy as np

from graphc.tf1 import division

_CALLED, _FORMATTED, _STORED = "__graphc_called__", "__graphc_formatted__", "__graphc_stored__"
_METHOD = "__graphc_method__"
_RENAMED = {"tostring": "tobytes"}         # of arrays
_CONVERSIONS = {"float", "int", "complex"}
# One conversion of a format: its name, flags, width and precision, its kind.
_FORMAT = re.compile(r"%(?:\((?P<name>[^)]*)\))?[-+ #0]*(?P<width>\*|\d*)(?:\.(?P<precision>\*|\d*))?[hlL]?(?P<kind>.)",
                     re.DOTALL)


def compiled(text: str, path: str, python2: bool = False) -> CodeType:
    """The program, compiled, with its arrays of one element as numbers where these stand. python2: it divides as
    Python 2 does. Raises SyntaxError."""
    for name, function in ((_CALLED, _called), (_FORMATTED, _formatted), (_STORED, _stored),
                           (_METHOD, _method)):
        setattr(builtins, name, function)
    tree = ast.parse(text, path)
    tree = ast.fix_missing_locations(_Rewriter().visit(division.rewritten(tree) if python2 else tree))
    return compile(tree, path, "exec", dont_inherit=True)


class _Rewriter(ast.NodeTransformer):
    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        function = node.func
        is_conversion = isinstance(function, ast.Name) and (function.id in _CONVERSIONS or function.id == "next")
        is_math = (isinstance(function, ast.Attribute) and isinstance(function.value, ast.Name)
                   and function.value.id == "math")
        plain = node.args and not node.keywords and not any(isinstance(a, ast.Starred) for a in node.args)
        return _call(_CALLED, node, function, *node.args) if plain and (is_conversion or is_math) else node

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        self.generic_visit(node)
        if node.attr not in _RENAMED or not isinstance(node.ctx, ast.Load):
            return node
        return _call(_METHOD, node, node.value, ast.copy_location(ast.Constant(node.attr), node))

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        self.generic_visit(node)
        is_text = isinstance(node.op, ast.Mod) and any(
            isinstance(part, ast.Constant) and isinstance(part.value, str) for part in _summands(node.left))
        return _call(_FORMATTED, node, node.left, node.right) if is_text else node

    def visit_Assign(self, node: ast.Assign) -> ast.AST:
        self.generic_visit(node)
        target = node.targets[0]
        if len(node.targets) > 1 or not isinstance(target, ast.Subscript):
            return node
        if any(isinstance(part, (ast.Slice, ast.Starred)) for part in ast.walk(target.slice)):
            return node                                                # a part of an array, where one element spreads
        return ast.copy_location(ast.Expr(_call(_STORED, node, node.value, target.value, target.slice)), node)


def _call(name: str, place: ast.AST, *arguments: ast.expr) -> ast.Call:
    return ast.copy_location(ast.Call(ast.copy_location(ast.Name(name, ast.Load()), place), list(arguments), []), place)


def _summands(node: ast.expr) -> list[ast.expr]:
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return [*_summands(node.left), *_summands(node.right)]
    return [node]


def _is_one(value: Any) -> bool:
    return isinstance(value, np.ndarray) and value.ndim > 0 and value.size == 1


def _number(value: Any) -> Any:
    return value.item() if _is_one(value) else value


def _called(function: Callable[..., Any], *arguments: Any) -> Any:
    try:
        return function(*arguments)
    except TypeError:
        if function is next and not hasattr(arguments[0], "__next__") and hasattr(arguments[0], "next"):
            return arguments[0].next(*arguments[1:])
        if not any(map(_is_one, arguments)):
            raise
    return function(*map(_number, arguments))


def _method(holder: Any, name: str) -> Any:
    """The attribute; of what has lost it the one that has its work now."""
    is_array = isinstance(holder, (np.ndarray, np.generic, array.array))
    return getattr(holder, _RENAMED[name] if is_array else name)


def _formatted(text: Any, values: Any) -> Any:
    try:
        return text % values
    except TypeError:
        if not isinstance(text, str):
            raise
        numbers = _numbers(text, values)
        if numbers is None:
            raise
    return text % numbers


def _numbers(text: str, values: Any) -> Any:
    """The values, those that the format wants as numbers made so; None if none of them is such an array."""
    kinds = [found for found in _FORMAT.finditer(text) if found["kind"] != "%"]
    if isinstance(values, dict):
        wanted = {found["name"] for found in kinds if found["kind"] not in "sra"}
        changed = {key: _number(value) if key in wanted else value for key, value in values.items()}
        return changed if any(_is_one(values.get(name)) for name in wanted) else None
    places = "".join("d" * ((found["width"] == "*") + (found["precision"] == "*")) + found["kind"] for found in kinds)
    given = values if isinstance(values, tuple) else (values,)
    wanted_at = [kind not in "sra" and _is_one(value) for kind, value in zip(places, given, strict=False)]
    if len(places) != len(given) or not any(wanted_at):
        return None
    return tuple(_number(value) if is_wanted else value for value, is_wanted in zip(given, wanted_at, strict=True))


def _stored(value: Any, place: Any, index: Any) -> None:
    try:
        place[index] = value
    except (TypeError, ValueError):
        if not isinstance(place, np.ndarray) or not _is_one(value):
            raise
        place[index] = value.item()
