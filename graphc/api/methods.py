"""Methods of Tensor, Operation and Graph that are made of what stands further on: each is imported when first called.

Importing this file gives the classes of ir/ what users see of them: these methods, errors that end in the user's own
code (tracebacks.py), and the ops (ops/manifest.py). The first public name that is used does so, and the first graph.
Python's operators make the ops that TF 1.15 makes, under its names. The operand that is no tensor converts to the
tensor's dtype; two tensors never promote. `==` and `!=` stay identity.
"""
from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from graphc.ir.apply import convert_to_tensor, graph_of
from graphc.ir.graph import Graph
from graphc.ir.late_imports import load
from graphc.ir.nest import is_composite
from graphc.ir.tensor import Operation, Tensor, register_method
from graphc.ir.tensor_shape import Dimension, TensorShape
from graphc.ops import manifest as manifest
from graphc.tracebacks import wrap_methods

# The word in the method's name: where the function stands, and the op's name.
BINARY: dict[str, tuple[str, str]] = {
    "add": ("math.binary:add_v2", "add"), "sub": ("math.binary:subtract", "sub"),
    "mul": ("math.binary:multiply", "mul"), "truediv": ("math.division:truediv", "truediv"),
    "div": ("math.division:div", "div"), "floordiv": ("math.division:floordiv", "floordiv"),
    "mod": ("math.division:floormod", "mod"), "pow": ("math.binary:pow", "pow"),
    "matmul": ("math.matmul:matmul", "matmul"), "and": ("math.comparison:logical_and", "and"),
    "or": ("math.comparison:logical_or", "or"), "xor": ("math.comparison:logical_xor", "xor"),
}
COMPARISONS: dict[str, str] = {
    "lt": "math.comparison:less", "le": "math.comparison:less_equal", "gt": "math.comparison:greater",
    "ge": "math.comparison:greater_equal",
}
UNARY: dict[str, str] = {"neg": "math.unary:negative", "abs": "math.unary:abs", "invert": "math.comparison:logical_not",
                         "getitem": "array.getitem:getitem"}


def _register_all() -> None:
    for word, (place, name) in BINARY.items():
        function = _later(f"graphc.api.{place}")
        register_method(f"__{word}__", _forward(function, name))
        register_method(f"__r{word}__", _reflected(function, name))
    for word, place in COMPARISONS.items():
        register_method(f"__{word}__", _forward(_later(f"graphc.api.{place}"), None))
    for word, place in UNARY.items():
        register_method(f"__{word}__", _method(_later(f"graphc.api.{place}")))
    words = (*BINARY, *(f"r{word}" for word in BINARY), *COMPARISONS, *UNARY)
    register_method("OVERLOADABLE_OPERATORS", frozenset(f"__{word}__" for word in words))
    as_graph_def = _method(_later("graphc.serial.graphdef:as_graph_def"))
    register_method("as_graph_def", as_graph_def, Graph)
    register_method("graph_def_versions", property(lambda graph: graph.as_graph_def().versions), Graph)
    tell_device = _method(_later("graphc.api.graph.device_spec:tell_device"))
    register_method("_apply_device_functions", tell_device, Graph)
    for owner, name in ((Graph, "graph"), (Operation, "operation"), (Tensor, "tensor")):
        register_method("_repr_html_", _method(_later(f"graphc.picture.notebook:{name}_html")), owner)
    summary = _later("graphc.picture.notebook:graph_summary")
    register_method("__repr__", lambda graph: f"<{summary()(graph)}>", Graph)
    for name in ("node_def", "op_def"):
        register_method(name, property(_method(_later(f"graphc.serial.graphdef:{name}"))), Operation)


def _later(place: str) -> Callable[[], Callable[..., Any]]:
    """Gives the function at module:name, which is imported the first time."""
    found: list[Callable[..., Any]] = []

    def function() -> Callable[..., Any]:
        if not found:
            module, _, name = place.partition(":")
            found.append(getattr(load(module), name))
        return found[0]

    return function


def _forward(function: Callable[[], Callable[..., Any]], name: str | None) -> Callable[..., Any]:
    def operator(self: Any, other: Any) -> Any:
        if other is None or (name == "mul" and is_composite(other)):     # SparseTensor.__rmul__ takes over
            return NotImplemented
        if name is None:
            return function()(self, other)
        with _scope(self, name) as scope:
            return function()(self, other, name=scope)

    return operator


def _reflected(function: Callable[[], Callable[..., Any]], name: str) -> Callable[..., Any]:
    def operator(self: Any, other: Any) -> Any:
        if other is None:
            return NotImplemented
        with _scope(self, name) as scope:
            return function()(convert_to_tensor(other, dtype=self.dtype.base_dtype, name="x"), self, name=scope)

    return operator


@contextmanager
def _scope(tensor: Any, name: str) -> Iterator[str]:
    """What an operator makes besides its op is named "add/...", in the tensor's graph."""
    graph = graph_of([tensor, getattr(tensor, "op", None)])
    with graph.as_default(), graph.name_scope(name) as scope:
        yield scope


def _method(function: Callable[[], Callable[..., Any]]) -> Callable[..., Any]:
    def method(self: Any, *arguments: Any, **more: Any) -> Any:
        return function()(self, *arguments, **more)

    return method


_register_all()
for _class in (Tensor, Operation, Graph, TensorShape, Dimension):
    wrap_methods(_class, _class.__name__)
