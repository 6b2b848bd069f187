"""Arithmetic, comparisons, activations and casts."""
from __future__ import annotations

from typing import Any

import numpy as np

import graphc as gc
from graphc.onnx.exporting.rules import NoEquivalent, exports, known, rank_of
from graphc.onnx.exporting.writer import Writer

_SAME = {"Abs": "Abs", "Neg": "Neg", "Ceil": "Ceil", "Floor": "Floor", "Rint": "Round", "Round": "Round",
         "Sqrt": "Sqrt", "Exp": "Exp", "Log": "Log", "Sin": "Sin", "Cos": "Cos", "Tan": "Tan", "Asin": "Asin",
         "Acos": "Acos", "Atan": "Atan", "Sinh": "Sinh", "Cosh": "Cosh", "Tanh": "Tanh", "Asinh": "Asinh",
         "Acosh": "Acosh", "Atanh": "Atanh", "Sigmoid": "Sigmoid", "Relu": "Relu", "Softplus": "Softplus",
         "Softsign": "Softsign", "Erf": "Erf", "Sign": "Sign", "LogicalNot": "Not", "IsNan": "IsNaN",
         "IsInf": "IsInf", "Selu": "Selu", "Elu": "Elu", "Reciprocal": "Reciprocal", "Inv": "Reciprocal"}
_BINARY = {"Add": "Add", "AddV2": "Add", "Sub": "Sub", "Mul": "Mul", "RealDiv": "Div", "Pow": "Pow", "Equal": "Equal",
           "Greater": "Greater", "GreaterEqual": "GreaterOrEqual", "Less": "Less", "LessEqual": "LessOrEqual",
           "LogicalAnd": "And", "LogicalOr": "Or"}
_PASSED = ("Identity", "StopGradient", "PreventGradient", "Snapshot", "GuaranteeConst", "EnsureShape")


@exports(*_SAME)
def same(w: Writer, op: Any, x: str) -> str:
    if op.inputs[0].dtype.is_integer and op.type in ("Rint", "Round", "Ceil", "Floor"):
        return x
    return w.elementwise(_SAME[op.type], x)


@exports(*_PASSED)
def passed(w: Writer, op: Any, x: str) -> str:
    return x


@exports("IdentityN")
def several_passed(w: Writer, op: Any, *inputs: str) -> tuple[str, ...]:
    return inputs


@exports(*_BINARY)
def binary(w: Writer, op: Any, a: str, b: str) -> str:
    x, y = op.inputs
    if y.shape.ndims == 1 and rank_of(x) > 1 and op.type in ("Add", "AddV2", "Sub", "Mul", "RealDiv"):
        return w.row(_BINARY[op.type], a, b, rank_of(x) - 1, rank_of(x))
    if y.shape.ndims == 0:
        return w.elementwise(_BINARY[op.type], a, b)
    return w.node(_BINARY[op.type], a, b)  # type: ignore[no-any-return]


@exports("NotEqual")
def not_equal(w: Writer, op: Any, a: str, b: str) -> str:
    return w.node("Not", w.node("Equal", a, b))  # type: ignore[no-any-return]


@exports("Maximum", "Minimum")
def extreme(w: Writer, op: Any, a: str, b: str) -> str:
    return w.node("Max" if op.type == "Maximum" else "Min", a, b)  # type: ignore[no-any-return]


@exports("AddN", "AccumulateNV2")
def add_n(w: Writer, op: Any, *inputs: str) -> str:
    if not op.inputs[0].dtype.is_integer:
        return w.node("Sum", *inputs)  # type: ignore[no-any-return]
    total = inputs[0]
    for x in inputs[1:]:
        total = w.node("Add", total, x)
    return total


@exports("Square")
def square(w: Writer, op: Any, x: str) -> str:
    return w.node("Mul", x, x)  # type: ignore[no-any-return]


@exports("SquaredDifference")
def squared_difference(w: Writer, op: Any, a: str, b: str) -> str:
    difference = w.node("Sub", a, b)
    return w.node("Mul", difference, difference)  # type: ignore[no-any-return]


@exports("Rsqrt")
def rsqrt(w: Writer, op: Any, x: str) -> str:
    return w.elementwise("Reciprocal", w.elementwise("Sqrt", x))


@exports("Relu6")
def relu6(w: Writer, op: Any, x: str) -> str:
    dtype = op.inputs[0].dtype
    return w.elementwise("Clip", x, w.constant(0, dtype), w.constant(6, dtype))


@exports("ClipByValue")
def clip(w: Writer, op: Any, x: str, low: str, high: str) -> str:
    return w.node("Min", w.node("Max", x, low), high)  # type: ignore[no-any-return]


@exports("LeakyRelu")
def leaky_relu(w: Writer, op: Any, x: str) -> str:
    return w.elementwise("LeakyRelu", x, alpha=float(op.get_attr("alpha")))


@exports("IsFinite")
def is_finite(w: Writer, op: Any, x: str) -> str:
    return w.node("Not", w.node("Or", w.node("IsInf", x), w.node("IsNaN", x)))  # type: ignore[no-any-return]


@exports("DivNoNan")
def div_no_nan(w: Writer, op: Any, a: str, b: str) -> str:
    zero = w.constant(0, op.inputs[1].dtype)
    return w.node("Where", w.node("Equal", b, zero), zero, w.node("Div", a, b))  # type: ignore[no-any-return]


@exports("FloorDiv", "Div")
def floor_div(w: Writer, op: Any, a: str, b: str) -> str:
    """ONNX divides integers towards 0: what is left over by the divisor's sign is taken off before."""
    dtype = op.inputs[0].dtype
    if dtype.is_floating:
        quotient = w.node("Div", a, b)
        return quotient if op.type == "Div" else w.node("Floor", quotient)
    if dtype.is_unsigned:
        return w.node("Div", a, b)  # type: ignore[no-any-return]
    return w.node("Div", w.node("Sub", a, w.node("Mod", a, b)), b)  # type: ignore[no-any-return]


@exports("TruncateDiv")
def truncate_div(w: Writer, op: Any, a: str, b: str) -> str:
    if op.inputs[0].dtype.is_floating:
        raise NoEquivalent("truncated division of floats")
    return w.node("Div", a, b)  # type: ignore[no-any-return]


@exports("FloorMod", "TruncateMod", "Mod")
def modulo(w: Writer, op: Any, a: str, b: str) -> str:
    """Of floats ONNX has the one with the dividend's sign only."""
    if op.type != "FloorMod":
        return w.node("Mod", a, b, fmod=1)  # type: ignore[no-any-return]
    if not op.inputs[0].dtype.is_floating:
        return w.node("Mod", a, b)  # type: ignore[no-any-return]
    rest, zero = w.node("Mod", a, b, fmod=1), w.constant(0, op.inputs[0].dtype)
    opposite = w.node("Less", w.node("Mul", w.node("Sign", rest), w.node("Sign", b)), zero)
    return w.node("Where", opposite, w.node("Add", rest, b), rest)  # type: ignore[no-any-return]


@exports("SelectV2")
def select(w: Writer, op: Any, condition: str, a: str, b: str) -> str:
    return w.node("Where", condition, a, b)  # type: ignore[no-any-return]


@exports("Select")
def select_rows(w: Writer, op: Any, condition: str, a: str, b: str) -> str:
    """A vector chooses rows."""
    behind = rank_of(op.inputs[1]) - rank_of(op.inputs[0])
    if rank_of(op.inputs[0]) == 1 and behind > 0:
        condition = w.node("Unsqueeze", condition, w.constant(np.arange(1, 1 + behind), gc.int64))
    return w.node("Where", condition, a, b)  # type: ignore[no-any-return]


@exports("Cast")
def cast(w: Writer, op: Any, x: str) -> str:
    source, target = op.inputs[0].dtype, op.outputs[0].dtype
    if gc.string in (source, target) or source.is_complex or target.is_complex:
        raise NoEquivalent(f"a cast from {source.name} to {target.name}")
    return w.cast(x, target)


@exports("ZerosLike", "OnesLike")
def filled_like(w: Writer, op: Any, x: str) -> str:
    value = w.constant(0 if op.type == "ZerosLike" else 1, op.outputs[0].dtype)
    return w.node("Expand", value, w.node("Shape", x))  # type: ignore[no-any-return]


@exports("Fill")
def fill(w: Writer, op: Any, _: str, value: str) -> str:
    return w.node("Expand", value, w.int64(op.inputs[0]))  # type: ignore[no-any-return]


@exports("RandomUniform", "RandomStandardNormal")
def random(w: Writer, op: Any, _: str) -> str:
    """Other numbers than graphc's: only the distribution is the same."""
    dtype = op.outputs[0].dtype
    empty = w.node("Expand", w.constant(0, dtype), w.int64(op.inputs[0]))
    kind = "RandomUniformLike" if op.type == "RandomUniform" else "RandomNormalLike"
    return w.node(kind, empty)  # type: ignore[no-any-return]


@exports("Range")
def value_range(w: Writer, op: Any, start: str, limit: str, delta: str) -> str:
    ends = (start, limit, delta) if op.inputs[0].dtype == op.outputs[0].dtype else \
        [w.cast(x, op.outputs[0].dtype) for x in (start, limit, delta)]
    return w.node("Range", *ends)  # type: ignore[no-any-return]


@exports("Cumsum")
def cumsum(w: Writer, op: Any, x: str, _: str) -> str:
    axis = w.constant(int(known(op.inputs[1], "the axis")), gc.int64)
    return w.node("CumSum", x, axis, exclusive=int(op.get_attr("exclusive")),  # type: ignore[no-any-return]
                  reverse=int(op.get_attr("reverse")))
