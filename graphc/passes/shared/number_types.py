"""Ops that have no kernel for 16-bit floats or complex numbers, made of ops that have one; a part of `expand`.

16-bit floats: the op between casts, as one on float32: what it is made of is computed and accumulated in float32, and
the result is rounded once. The casts are maps, so they fuse with what stands around.
Complex numbers: a linear op is applied to the real and to the imaginary parts, a bilinear one to the four pairs.

Elementwise ops and reductions need neither: maps compute with both (plan/scalar_program.py). Nor do ops that only move
elements (Op.moves).
"""
from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from graphc.errors import UnimplementedError
from graphc.ir.dtypes import DType, float32
from graphc.ir.half import widened
from graphc.ir.node import Node, Value, make_node
from graphc.ir.op import OPS, Composite, Effect, Op, normalise_axes
from graphc.passes.shared.rewriter import Replacement, asked_of


def _is_computed(op: type[Op]) -> bool:
    """Whether kernels or other ops compute it, which look at its numbers."""
    if op.moves is True or op.takes_halves or op.effect not in (Effect.PURE, Effect.RANDOM):
        return False
    return issubclass(op, Composite) or op.lower is not Op.lower


def _looks_at_nothing(node: Node) -> bool:
    """Whether it is a constant, or moves elements because of what its fields say."""
    return not node.specs or node.op.moves or (not node.inputs and node.op.effect is Effect.PURE)


@asked_of(where=_is_computed)
def in_float32(node: Node) -> Replacement:
    """op(x: float16) -> cast(op(cast(x, float32)), float16), also for bfloat16"""
    if _looks_at_nothing(node) or not any(d.is_half for d in _dtypes(node)):
        return None
    inputs = tuple(_cast(v, float32, node) if v.spec.dtype.is_half else v for v in node.inputs)
    wide = make_node(widened(node.op), inputs, node.origins, node.after)
    values = (wide.value(i) for i in range(len(wide.specs)))
    return tuple(v if v.spec.dtype == s.dtype else _cast(v, s.dtype, node) for v, s in zip(values, node.specs,
                                                                                         strict=True))


@asked_of(where=lambda op: _is_computed(op) and not issubclass(op, Composite) and op.of_complex != "itself")
def of_parts(node: Node) -> Replacement:
    """linear(x) -> complex(linear(re x), linear(im x)); bilinear(x, y) likewise of four products"""
    if _looks_at_nothing(node) or not any(d.is_complex for d in _dtypes(node)):
        return None
    if not node.op.of_complex:
        dtype = next(d for d in _dtypes(node) if d.is_complex)
        raise UnimplementedError(f"{node.op.type} is not implemented for {dtype.name}; apply it to gc.real and gc.imag")
    parts = [[_emit(part, node, v) if v.spec.dtype.is_complex else v for part in ("Real", "Imag")]
             for v in node.inputs]

    def applied(*which: int) -> Node:
        numbers = iter(which)
        chosen = [p[next(numbers)] if v.spec.dtype.is_complex else v for v, p in zip(node.inputs, parts, strict=True)]
        return make_node(node.op, tuple(chosen), node.origins, node.after)

    def joined(dtype: DType, real: Value, imaginary: Value) -> Value:
        return make_node(OPS.make("Complex", Tout=dtype), (real, imaginary), node.origins, node.after).value()

    complex_inputs = sum(v.spec.dtype.is_complex for v in node.inputs)
    if node.op.of_complex == "linear":
        halves = [applied(*[i] * complex_inputs) for i in range(2)]
        made = tuple(joined(s.dtype, *(half.value(i) for half in halves)) if s.dtype.is_complex else halves[0].value(i)
                     for i, s in enumerate(node.specs))
        return made if len(made) > 1 else made[0]
    # An adjoint operand is conjugated: its imaginary part changes its sign.
    a, b = (getattr(node.op, name, False) for name in ("adj_x", "adj_y"))
    real = _emit("Add" if a != b else "Sub", node, applied(0, 0).value(), applied(1, 1).value())
    right, left = applied(0, 1).value(), applied(1, 0).value()
    if a and b:
        imaginary = _emit("Neg", node, _emit("Add", node, right, left))
    elif a or b:
        imaginary = _emit("Sub", node, *((right, left) if a else (left, right)))
    else:
        imaginary = _emit("Add", node, right, left)
    return joined(node.specs[0].dtype, real, imaginary)


def expanded_update(op: Composite, emit: Callable[..., Any], operands: Sequence[Value]) -> Sequence[Value]:
    """The new values of the variables that an op updates: computed in float32, if those are of 16 bits."""
    if op.moves or not operands[0].spec.dtype.is_half:
        values: Sequence[Value] = op.expand(emit, *operands)
        return values
    wide = [emit(OPS.make("Cast", DstT=float32), v) if v.spec.dtype.is_half else v for v in operands]
    narrow = OPS.make("Cast", DstT=operands[0].spec.dtype)
    return [emit(narrow, value) for value in op.expand(emit, *wide)]


@asked_of(where=lambda op: op.type == "Prod")
def product_of_complex(node: Node) -> Replacement:
    """prod(x) -> the last of the exclusive running products of [x, 1]: maps reduce real numbers only"""
    if not node.specs[0].dtype.is_complex:
        return None

    def emit(op_type: str, *inputs: Value, **fields: Any) -> Value:
        return make_node(OPS.make(op_type, **fields), inputs, node.origins, node.after).value()

    x = node.inputs[0]
    assert x.spec.shape is not None and node.specs[0].shape is not None
    axis = normalise_axes(node.op.axis, len(x.spec.shape))  # type: ignore[attr-defined]
    rows = emit("_Rows", x, axis=axis)
    assert rows.spec.shape is not None
    count, length = rows.spec.shape
    dtype = x.spec.dtype
    one = emit("BroadcastTo", emit("Const", value=dtype.array(1), dtype=dtype), shape=(count, 1))
    running = emit("Cumprod", emit("ConcatV2", rows, one, axis=1), axis=1, exclusive=True)
    return emit("Reshape", emit("Slice", running, begin=(0, length), size=(count, 1)), shape=node.specs[0].shape)


def _dtypes(node: Node) -> list[DType]:
    return [s.dtype for s in (*(v.spec for v in node.inputs), *node.specs)]


def _cast(value: Value, dtype: DType, like: Node) -> Value:
    return make_node(OPS.make("Cast", DstT=dtype), (value,), like.origins, like.after).value()


def _emit(op_type: str, like: Node, *inputs: Value) -> Value:
    more: dict[str, Any] = {"Tout": inputs[0].spec.dtype.real_dtype} if op_type in ("Real", "Imag") else {}
    return make_node(OPS.make(op_type, **more), inputs, like.origins, like.after).value()
