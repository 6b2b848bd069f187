"""No `reference` shares code with what it is the oracle of: from the AST of both, the functions of graphc that each
reaches (by name, or as an attribute of self or of the class) have nothing in common but what SHARED lists with its
reason."""
from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Iterator
from types import FunctionType
from typing import Any

import pytest

from graphc.ir.op import OPS, Op

from samples import registered

TESTED = ("scalar", "view", "lower", "expand", "map_element", "finish")
# Windows of convolutions and pooling: test_references.py counts them anew, by TensorFlow's documentation.
WINDOWS = ("graphc.ops.nn.window.", "graphc.ops.nn.pooling.Pooling.spatial",
           "graphc.ops.nn.convolution.Convolution.spatial", "graphc.ops.nn.volume.",
           "graphc.ops.nn.dilation._Dilation.spatial",
           "graphc.ops.nn.convolution3d._Convolution3D.spatial", "graphc.ops.nn.pooling3d._Pooling3D.spatial")
# What Print and Assert write, in the evaluator and in the run: tests/session/test_strings.py has TensorFlow's texts.
TEXTS = ("graphc.ops.strings.format.",)
SHARED = {
    "_checker": "a Python function, which the evaluator and the run call alike: tests/session/test_scripts.py",
    "_printer": "the same", "_shown": "the same", "_failed": "the same", "_writer": "the same",
    "normalise_axis": "an axis counted from the front; NumPy's own rule, tested in tests/ops/test_functions.py",
    "normalise_axes": "the same, for several",
    "last_axes": "the numbers from -rank to -1; nothing while values are computed",
    "require_less_equal": "what windows require of sizes; nothing while values are computed", "_require": "the same",
}


@pytest.mark.parametrize("op_type", registered())
def test_reference_shares_nothing_with_what_it_tests(op_type: str) -> None:
    cls = OPS[op_type]
    oracle = reached(cls, ["reference"])
    tested = reached(cls, [name for name in TESTED if getattr(cls, name, None) is not getattr(Op, name, None)])
    assert not {n for n in oracle if n.split(".")[-1] in TESTED}, f"{op_type}.reference calls what it is to test"
    common = {n for n in oracle & tested if n.split(".")[-1] not in SHARED and not n.startswith(WINDOWS + TEXTS)}
    assert not common, f"{op_type}: reference and {', '.join(TESTED)} both use {sorted(common)}"


def reached(cls: type[Op], methods: list[str]) -> set[str]:
    """The qualified names of graphc's functions that these methods reach, without themselves."""
    found: dict[str, Any] = {}
    waiting = [getattr(cls, name) for name in methods]
    while waiting:
        for function in called(waiting.pop(), cls):
            name = f"{function.__module__}.{function.__qualname__}"
            if name not in found:
                found[name] = function
                waiting.append(function)
    return set(found)


def called(function: FunctionType, cls: type[Op]) -> Iterator[FunctionType]:
    """Functions of graphc that the body names; of a class, its __init__ aside, the methods that it calls on self."""
    function = inspect.unwrap(function)
    if not isinstance(function, FunctionType):
        return
    tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    scope = {**function.__globals__, **inspect.getclosurevars(function).nonlocals}
    for node in ast.walk(tree):
        target = None
        if isinstance(node, ast.Name):
            target = scope.get(node.id)
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in ("self", "cls"):
            target = inspect.getattr_static(cls, node.attr, None)
        elif isinstance(node, ast.Attribute) and ast.unparse(node.value) == "type(self)":
            target = inspect.getattr_static(cls, node.attr, None)
        elif isinstance(node, ast.Attribute):
            owner = resolved(node.value, scope)
            target = inspect.getattr_static(owner, node.attr, None) if inspect.isclass(owner) else None
        if isinstance(target, (staticmethod, classmethod)):
            target = target.__func__
        if isinstance(target, FunctionType) and target.__module__.startswith("graphc.") and target is not function:
            yield target


def resolved(node: ast.AST, scope: dict[str, Any]) -> Any:
    """The class that `Name` or `Name(...)` stands for."""
    node = node.func if isinstance(node, ast.Call) else node
    return scope.get(node.id) if isinstance(node, ast.Name) else None
