"""What stands between the scores and the softmax of attention: masks, in the ways that programs write them.

    s + m,  s - m,  s + m + n        numbers that are added: of hidden keys, of places
    where(seen, s, c)                a number below 0 in the place of scores, also where(hidden, c, s)
    s * seen + c * (1 - seen)        the same by products, seen 0 or 1; also (seen - 1) * c, and - for +

The step gets one operand, whose elements are 0 where scores are seen in the latter two, and what it does with it
(ops.py). That is exact: NaN and infinities of hidden scores come through products, and no other way.
"""
from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from graphc.ir import dims
from graphc.ir.dims import Size
from graphc.ir.dtypes import bool_
from graphc.ir.node import Node, Origin, Value, make_node
from graphc.ir.op import Alias
from graphc.ir.spec import Shape
from graphc.ops.array.broadcast import BroadcastTo
from graphc.ops.array.cast import Cast
from graphc.ops.array.diagonal import MatrixBandPart
from graphc.ops.array.fill import Fill
from graphc.ops.array.select import Select, SelectV2
from graphc.ops.array.source import Const
from graphc.ops.array.transpose import Transpose
from graphc.ops.math.binary import Add, AddV2, Mul, Sub
from graphc.ops.math.division import RealDiv
from graphc.ops.math.matmul import BatchMatMul
from graphc.ops.math.unary import Neg
from graphc.passes.attention.ops import ADDED, CHOSEN, MULTIPLIED
from graphc.passes.simplification.fold_constants import constant_node
from graphc.passes.simplification.simplify import is_filled_with

Numbers = tuple[Any, Any]
DEEPEST = 6
_ARITHMETIC: dict[type, Callable[..., Any]] = {
    Add: np.add, AddV2: np.add, Sub: np.subtract, Mul: np.multiply, RealDiv: np.divide, Neg: np.negative}


@dataclass(frozen=True)
class Mask:
    """scores: what is masked. does: ADDED, CHOSEN or MULTIPLIED. parts: values of the flow that the operand is made of.
    negative: of each part that is added whether it is subtracted. nodes: what goes. number: that in place of hidden
    scores; turned: parts[0] tells which are hidden, not which are seen. flags: what scores are multiplied with."""

    scores: Value
    does: int
    parts: tuple[Value, ...]
    nodes: tuple[Node, ...]
    negative: tuple[bool, ...] = ()
    number: float = 0.0
    turned: bool = False
    flags: Value | None = None

    def operand(self, parts: Sequence[Value], origins: tuple[Origin, ...]) -> Value:
        """The step's operand, of the parts as they are now."""
        if self.does == CHOSEN:
            like = self.nodes[0]
            dtype = like.specs[0].dtype
            zero, number = (constant_node(dtype.array(n), like).value() for n in (0.0, self.number))
            branches = (number, zero) if self.turned else (zero, number)
            return make_node(SelectV2(), (parts[0], *branches), origins).value()
        total: Value | None = None
        for part, negative in zip(parts, self.negative, strict=True):
            part = make_node(Neg(), (part,), origins).value() if negative else part
            total = part if total is None else make_node(AddV2(), (total, part), origins).value()
        assert total is not None
        return total

    def of_gradient(self, by_masked: Value, reader: Node) -> bool:
        """Whether `reader` makes the gradient by the scores of that by what the mask made of them."""
        if self.does == CHOSEN and isinstance(reader.op, (Select, SelectV2)):
            condition, *branches = reader.inputs
            own = self.nodes[0].inputs[0]
            kept, other = branches[::-1] if self.turned else branches
            return condition == own and kept == by_masked and is_filled_with(other, 0)
        if self.does == MULTIPLIED and isinstance(reader.op, Mul):
            return reader.inputs in ((by_masked, self.flags), (self.flags, by_masked))
        return False


def mask_of(masked: Value) -> Mask | None:
    """The mask that makes `masked`, a softmax's operand, of scores; None if there is none of these."""
    shape = masked.spec.shape
    if shape is None:
        return None
    op = masked.node.op
    if isinstance(op, (Select, SelectV2)):
        return _chosen(masked.node, shape)
    return _multiplied(masked.node, shape) or _added(masked.node, shape)


def _chosen(node: Node, shape: Shape) -> Mask | None:
    condition, *branches = node.inputs
    flags = _before_broadcast(condition, shape)
    of_rows = isinstance(node.op, Select) and len(condition.spec.shape or ()) != len(shape)
    if of_rows or not _is_mask(flags, shape):
        return None
    for turned, (scores, other) in ((False, branches), (True, branches[::-1])):
        found = _of_flags(other, None)
        if found is not None and found[0] < 0 and _is_masked(scores, shape):
            return Mask(scores, CHOSEN, (flags,), (node,), number=float(found[0]), turned=turned)
    return None


def _multiplied(node: Node, shape: Shape) -> Mask | None:
    if not isinstance(node.op, (Add, AddV2, Sub)):
        return None
    negative = isinstance(node.op, Sub)
    for product, added in (node.inputs,) if negative else (node.inputs, node.inputs[::-1]):
        if not isinstance(product.node.op, Mul) or not _is_mask(added, shape):
            continue
        for scores, flags in (product.node.inputs, product.node.inputs[::-1]):
            fits = _is_masked(scores, shape) and _is_mask(flags, shape) and flags.spec.shape == added.spec.shape
            if fits and _hides(flags, added, negative):
                return Mask(scores, MULTIPLIED, (added,), (node, product.node), (negative,), flags=flags)
    return None


def _added(node: Node, shape: Shape) -> Mask | None:
    """The last of several terms first: what is left of a sum is looked at again, down to the scores."""
    if not isinstance(node.op, (Add, AddV2, Sub)):
        return None
    negative = isinstance(node.op, Sub)
    for scores, added in (node.inputs,) if negative else (node.inputs, node.inputs[::-1]):
        if not _is_masked(scores, shape) or not _is_mask(added, shape):
            continue
        if isinstance((scaled(scores.node) or (scores,))[0].node.op, BatchMatMul):
            return Mask(scores, ADDED, (added,), (node,), (negative,))
        inner = _added(scores.node, shape)
        if inner is not None:
            return replace(inner, parts=(*inner.parts, added), negative=(*inner.negative, negative),
                           nodes=(node, *inner.nodes))
    return None


def scaled(node: Node) -> tuple[Value, float] | None:
    """(x, factor) of a product or quotient of x and one number."""
    if isinstance(node.op, Mul):
        pairs = [node.inputs, node.inputs[::-1]]
    elif isinstance(node.op, RealDiv):
        pairs = [node.inputs]
    else:
        return None
    for x, number in pairs:
        if isinstance(number.node.op, Const) and number.spec.shape == ():
            value = float(number.node.op.value)
            return x, (value if isinstance(node.op, Mul) else 1 / value if value else np.inf)
    return None


def leads(shape: Shape, whole: Shape) -> bool:
    """Whether the axes in front of the last two broadcast to those of `whole`."""
    own, others = shape[:-2][::-1], whole[:-2][::-1]
    return len(own) <= len(others) and all(map(_broadcasts, own, others))


def _broadcasts(size: Size, whole: Size) -> bool:
    """Whether it provably is `whole` or 1: a size of which `whole` is made by broadcasting is."""
    if dims.same(size, 1) or dims.same(size, whole):
        return True
    return not isinstance(whole, int) and dims.same(dims.broadcast(size, whole), whole)


def _is_masked(scores: Value, shape: Shape) -> bool:
    """Whether these may be what a mask makes something of `shape` of."""
    own = scores.spec.shape
    return own is not None and len(own) >= 2 and own[-2:] == shape[-2:] and leads(own, shape)


def _is_mask(value: Value, scores: Shape) -> bool:
    """Whether it has whole rows of scores, and of each other axis all or one."""
    shape = value.spec.shape
    if shape is None or not 1 <= len(shape) <= len(scores) or not dims.same(shape[-1], scores[-1]):
        return False
    rows = shape[-2] if len(shape) > 1 else 1
    return (dims.same(rows, 1) or dims.same(rows, scores[-2])) and leads(shape, scores)


def _before_broadcast(condition: Value, shape: Shape) -> Value:
    """What is chosen by, without leading axes along which it is the same, if it has whole rows."""
    node = condition.node
    if isinstance(node.op, BroadcastTo) and _is_mask(node.inputs[0], shape):
        return node.inputs[0]
    if isinstance(node.op, Const):
        array = node.op.value
        for axis in range(array.ndim - 2):
            first = array[(slice(None),) * axis + (slice(0, 1),)]
            array = first if array.shape[axis] > 1 and (array == first).all() else array
        return condition if array is node.op.value else constant_node(array, node).value()
    return condition


def _number_of(value: Value) -> float | None:
    """The number that every element is, if that is known."""
    node = value.node
    if isinstance(node.op, (BroadcastTo, Fill, Alias)):
        return _number_of(node.inputs[0])
    if not isinstance(node.op, Const) or not node.op.value.size:
        return None
    array = node.op.value.reshape(-1)
    return float(array[0]) if array.dtype.kind in "fiub" and (array == array[0]).all() else None


def _hides(flags: Value, added: Value, negative: bool) -> bool:
    """Whether flags are 0 or 1, and what is added is 0 where they are 1, below 0 where they are 0."""
    sign = -1.0 if negative else 1.0
    if isinstance(flags.node.op, Const) and isinstance(added.node.op, Const):
        seen, numbers = flags.node.op.value, added.node.op.value * sign
        return bool((((seen == 1) & (numbers == 0)) | ((seen == 0) & (numbers < 0))).all())
    found = _of_flags(added, flags) if _are_flags(flags) else None
    return found is not None and bool(found[0] * sign < 0) and bool(found[1] == 0)


def _are_flags(value: Value) -> bool:
    """Whether every element is known to be 0 or 1."""
    node = value.node
    if isinstance(node.op, Cast):
        return node.inputs[0].spec.dtype == bool_
    if isinstance(node.op, Const):
        return bool(((node.op.value == 0) | (node.op.value == 1)).all())
    return isinstance(node.op, (Alias, BroadcastTo, Fill, Transpose, MatrixBandPart)) and _are_flags(node.inputs[0])


def _of_flags(value: Value, flags: Value | None, depth: int = 0) -> Numbers | None:
    """A value that is computed of numbers and flags alone: what it is where they are 0, and where they are 1."""
    number_type = value.spec.dtype.as_numpy_dtype
    if value == flags:
        return number_type(0), number_type(1)
    number = _number_of(value)
    if number is not None:
        return number_type(number), number_type(number)
    compute = _ARITHMETIC.get(type(value.node.op))
    if compute is None or depth > DEEPEST:
        return None
    operands = [_of_flags(x, flags, depth + 1) for x in value.node.inputs]
    if any(x is None for x in operands):
        return None
    with np.errstate(all="ignore"):
        low, high = (compute(*(x[i] for x in operands if x is not None)) for i in range(2))
    return low, high
