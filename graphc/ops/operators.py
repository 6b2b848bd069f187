"""Python's operators on tensors, under the op names that TF 1.15 gives them.

The operand that is no tensor converts to the tensor's dtype; two tensors never promote (rule 12). `==` and `!=` stay
identity.
"""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

from graphc.ir.tensor import register_method
from graphc.ops import binary, comparison, division, unary
from graphc.ops.build import convert_to_tensor
from graphc.ops.matmul import matmul

BINARY: dict[str, tuple[Callable[..., Any], str | None]] = {
    "add": (binary.add_v2, "add"), "sub": (binary.subtract, "sub"), "mul": (binary.multiply, "mul"),
    "truediv": (division.truediv, "truediv"), "div": (division.div, "div"), "floordiv": (division.floordiv, "floordiv"),
    "mod": (division.floormod, "mod"), "pow": (binary.pow, "pow"), "matmul": (matmul, "matmul"),
    "and": (comparison.logical_and, "and"), "or": (comparison.logical_or, "or"), "xor": (comparison.logical_xor, "xor"),
}
COMPARISONS: dict[str, Callable[..., Any]] = {
    "lt": comparison.less, "le": comparison.less_equal, "gt": comparison.greater, "ge": comparison.greater_equal,
}
UNARY: dict[str, Callable[..., Any]] = {"neg": unary.negative, "abs": unary.abs, "invert": comparison.logical_not}


def _forward(function: Callable[..., Any], name: str | None) -> Callable[..., Any]:
    def operator(self: Any, other: Any) -> Any:
        if other is None:
            return NotImplemented
        return function(self, other, name=name)
    return operator


def _reflected(function: Callable[..., Any], name: str | None) -> Callable[..., Any]:
    def operator(self: Any, other: Any) -> Any:
        if other is None:
            return NotImplemented
        return function(convert_to_tensor(other, dtype=self.dtype.base_dtype, name="x"), self, name=name)
    return operator


for _word, (_function, _name) in BINARY.items():
    register_method(f"__{_word}__", _forward(_function, _name))
    register_method(f"__r{_word}__", _reflected(_function, _name))
for _word, _function in COMPARISONS.items():
    register_method(f"__{_word}__", _forward(_function, None))
for _word, _function in UNARY.items():
    register_method(f"__{_word}__", lambda self, _function=_function: _function(self))
