"""simplify: local algebra. Each rule says its equation; each has one direction and never makes code worse.

Rules keep values, but for the sign of a zero (x + 0) and what the rule of powers says. They do not reassociate: the
order of rounding stays the user's.
"""
from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np

from graphc.ir import dims
from graphc.ir.dtypes import COMPUTED, bfloat16, float32, float64, from_bfloat16_array
from graphc.ir.node import Flow, Node, Value, make_node
from graphc.ir.op import OPS, Alias, Composite, Elementwise, Op, Reduction, View
from graphc.ir.spec import Shape
from graphc.ops.array.cast import Cast
from graphc.ops.array.source import Const
from graphc.ops.math.binary import Pow
from graphc.passes.shared.fused import same_shape, without_units
from graphc.passes.shared.rewriter import Replacement, asked_of, rewrite
from graphc.passes.simplification.expand import expand_composite
from graphc.passes.simplification.fold_constants import constant_node
from graphc.passes.simplification.join_summaries import join_scalar_summaries


def simplify(flow: Flow) -> Flow:
    return rewrite(flow, RULES)


@asked_of(Alias)
def drop_same_shape_alias(node: Node) -> Replacement:
    """identity(x) -> x; reshape(x, shape of x) -> x"""
    return node.inputs[0] if same_shape(node.inputs[0].spec.shape, node.specs[0].shape) else None


@asked_of(Alias)
def join_aliases(node: Node) -> Replacement:
    """reshape(reshape(x)) -> reshape(x), also for squeeze and expand_dims"""
    inner = node.inputs[0].node
    if not isinstance(inner.op, Alias):
        return None
    made = reshape(inner.inputs[0], node.specs[0].shape or (), node)
    if not inner.requirements:
        return made
    if made == inner.inputs[0]:
        return None                          # nobody would check what the inner one requires
    return dataclasses.replace(made.node, requirements=inner.requirements,
                               after=tuple(dict.fromkeys((*made.node.after, *inner.after))))


@asked_of(View)
def join_transposes(node: Node) -> Replacement:
    """transpose(transpose(x, p), q) -> transpose(x, p[q])"""
    outer, inner = permutation(node), permutation(node.inputs[0].node)
    if outer is None or inner is None:
        return None
    return transpose(node.inputs[0].node.inputs[0], tuple(inner[q] for q in outer), node)


@asked_of(View)
def drop_identity_transpose(node: Node) -> Replacement:
    """transpose(x, (0, 1, ...)) -> x"""
    perm = permutation(node)
    return node.inputs[0] if perm is not None and perm == tuple(range(len(perm))) else None


@asked_of(View)
def transpose_of_units(node: Node) -> Replacement:
    """transpose(x) that moves axes of size 1 only -> reshape(x)"""
    perm = permutation(node)
    if perm is None:
        return None
    x = node.inputs[0]
    moved = [p for p in perm if not dims.same((x.spec.shape or ())[p], 1)]
    if moved == sorted(moved):
        return reshape(x, node.specs[0].shape or (), node)
    return None


@asked_of(where=lambda op: op.neutral_operand is not None)
def drop_neutral(node: Node) -> Replacement:
    """x * 1 -> x, 1 * x -> x, x + 0 -> x, 0 + x -> x, x - 0 -> x, x / 1 -> x"""
    number, sides = node.op.neutral_operand  # type: ignore[misc]
    for side in sides:
        other = node.inputs[1 - side]
        if is_filled_with(node.inputs[side], number) and same_shape(other.spec.shape, node.specs[0].shape):
            return other
    return None


@asked_of(Cast)
def drop_same_cast(node: Node) -> Replacement:
    """cast(x, dtype of x) -> x"""
    return node.inputs[0] if node.specs[0].dtype == node.inputs[0].spec.dtype else None


@asked_of(where=lambda op: op.self_inverse)
def drop_inverse(node: Node) -> Replacement:
    """-(-x) -> x, not(not(x)) -> x"""
    return node.inputs[0].node.inputs[0] if node.inputs[0].node.op == node.op else None


@asked_of(where=lambda op: op.with_transposed is not Op.with_transposed)
def transposed_operand(node: Node) -> Replacement:
    """matmul(transpose(a), b) -> matmul(a, b, transpose_a), and so for b. If more axes move, and the last one comes
    to stand before the last: matmul(transpose(moved(a)), b) -> matmul(moved(a), b, transpose_a): its rows stay whole"""
    for i, operand in enumerate(node.inputs):
        perm = permutation(operand.node)
        if perm is None or len(perm) < 2 or perm[-2] != len(perm) - 1:
            continue
        op = node.op.with_transposed(i, operand.spec.dtype)
        if op is not None:
            moved = operand.node.inputs[0]
            other = (*perm[:-2], perm[-1], perm[-2])
            if other != tuple(range(len(perm))):
                moved = make_node(OPS.make("Transpose", perm=other), (moved,), operand.node.origins,
                                  operand.node.after).value()
            inputs = tuple(moved if k == i else v for k, v in enumerate(node.inputs))
            return make_node(op, inputs, node.origins, node.after)
    return None


@asked_of(Composite, where=lambda op: op.expands_early)
def sum_to_as_sum(node: Node) -> Replacement:
    """sum_to(x, shape) -> sum(x, axes): before `layout`, which knows sums"""
    return expand_composite(node)


@asked_of(Elementwise, where=lambda op: op.fills is not None)
def fill_like(node: Node) -> Replacement:
    """zeros_like(x) -> 0, broadcast; ones_like(x) -> 1, broadcast: only the shape of x matters"""
    spec = node.specs[0]
    if spec.shape is None or spec.dtype not in COMPUTED:
        return None
    one = constant_node(spec.dtype.array(node.op.fills), node).value()  # type: ignore[attr-defined]
    op: Any = OPS.make("BroadcastTo", shape=spec.shape)
    return make_node(op, (one,), node.origins, node.after) if spec.shape else one


@asked_of(Reduction, where=lambda op: op.keeps_single())
def reduce_nothing(node: Node) -> Replacement:
    """sum(x, axes of size 1) -> reshape(x), also for max, min, mean, prod, all, any"""
    a, b = node.inputs[0].spec.shape, node.specs[0].shape
    if a is not None and b is not None and same_shape(without_units(a), without_units(b)):
        return reshape(node.inputs[0], b, node)
    return None


@asked_of(where=lambda op: op.keeps_order or op.of_one)
def slice_of_everything(node: Node) -> Replacement:
    """broadcast_to(x, shape of x) -> x; tile(x, ones) -> x; addn(x) -> x"""
    kept = node.op.keeps_order or (node.op.of_one and len(node.inputs) == 1)
    if kept and same_shape(node.inputs[0].spec.shape, node.specs[0].shape):
        return node.inputs[0]
    return None


@asked_of(Pow)
def known_power(node: Node) -> Replacement:
    """x ** 1 -> x, x ** 2 -> x * x, x ** 3 -> x * x * x, x ** -1 -> 1 / x, x ** 0.5 -> sqrt(x), x ** -0.5 -> rsqrt(x),
    x ** 1.5 -> x * sqrt(x), x ** -1.5 -> 1 / x * rsqrt(x), x ** 0.75 -> sqrt(x) * sqrt(sqrt(x)), x ** -0.75 -> 1 / that

    The first ones as TensorFlow's own optimizer has them: the root of -inf is NaN, though its power is inf."""
    x, exponent = node.inputs
    if x.spec.dtype not in (float32, float64) or not same_shape(x.spec.shape, node.specs[0].shape):
        return None

    def made(name: str, *inputs: Value) -> Value:
        return make_node(OPS.make(name), inputs, node.origins, node.after).value()
    for number, power in _POWERS.items():
        if is_filled_with(exponent, number):
            return power(made, x)
    return None


_POWERS: dict[float, Callable[[Callable[..., Value], Value], Value]] = {
    1.0: lambda made, x: x,
    2.0: lambda made, x: made("Square", x),
    3.0: lambda made, x: made("Mul", made("Square", x), x),
    -1.0: lambda made, x: made("Reciprocal", x),
    0.5: lambda made, x: made("Sqrt", x),
    -0.5: lambda made, x: made("Rsqrt", x),
    # None of these ends above or below what the power itself does, and -0 has the power's sign.
    1.5: lambda made, x: made("Mul", x, made("Sqrt", x)),
    -1.5: lambda made, x: made("Mul", made("Reciprocal", x), made("Rsqrt", x)),
    0.75: lambda made, x: _three_quarters(made, x),
    -0.75: lambda made, x: made("Reciprocal", _three_quarters(made, x)),
}


def _three_quarters(made: Callable[..., Value], x: Value) -> Value:
    root = made("Sqrt", x)
    return made("Mul", root, made("Sqrt", root))


@asked_of(View)
def view_of_everything(node: Node) -> Replacement:
    """x[:], x[0] of one row -> reshape(x)"""
    x, made = node.inputs[0], node.specs[0].shape
    if x.spec.shape is None or made is None or not node.op.is_whole(x.spec.shape):  # type: ignore[attr-defined]
        return None
    return reshape(x, made, node)


RULES = [drop_same_shape_alias, join_aliases, view_of_everything, drop_identity_transpose, join_transposes,
         transpose_of_units, drop_neutral, drop_same_cast, drop_inverse, transposed_operand, sum_to_as_sum, fill_like,
         reduce_nothing, known_power, slice_of_everything, join_scalar_summaries]


# What rules are written with

def reshape(x: Value, shape: Shape, like: Node) -> Value:
    """x under a shape of as many elements, in place of `like`."""
    if same_shape(x.spec.shape, shape):
        return x
    op: Any = OPS.make("Reshape", shape=shape)
    made = make_node(op, (x,), like.origins, like.after)
    # Equal numbers of elements follow from what is replaced, so nothing needs to be checked at run time.
    return dataclasses.replace(made, specs=like.specs if same_shape(like.specs[0].shape, shape) else made.specs,
                               requirements=()).value()


def transpose(x: Value, perm: tuple[int, ...], like: Node) -> Value:
    op: Any = OPS.make("Transpose", perm=perm)
    return make_node(op, (x,), like.origins, like.after).value()


def permutation(node: Node) -> tuple[int, ...] | None:
    """perm of a transpose, counted from the front; None: it is none."""
    return node.op.permutation() if isinstance(node.op, View) else None


def is_filled_with(value: Value, number: float) -> bool:
    """Whether every element is known to be this number."""
    node = value.node
    if isinstance(node.op, (View, Alias)):
        return is_filled_with(node.inputs[0], number)
    if not isinstance(node.op, Const) or node.op.dtype not in COMPUTED:
        return False
    array = from_bfloat16_array(node.op.value) if node.op.dtype == bfloat16 else node.op.value
    return array.size > 0 and bool(np.all(array == number))
