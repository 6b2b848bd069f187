"""layout: pictures and volumes lie channels last (NHWC, NDHWC), which the CPU's kernels want, whatever the user wrote.

Only an op's own `permuted` and six rules:

  insert   an op with data_format="NCHW" (or "NCDHW") becomes its NHWC form between transposes
  sink     a transpose from NHWC to NCHW above an op moves below it, if the op can be permuted and that costs nothing:
           transposes that this adds on other operands are no larger than those it removes, and neither are those on
           results
  lift     a transpose from NCHW to NHWC below a broadcast, or another op that repeats elements, moves above it, where
           there is less to move
  raise    an elementwise op on rows [batch, channels, width], which are pictures of height 1, becomes one on those,
           so that the transposes around convolutions along one axis meet, too
  meet     transposes above and below an op that only moves elements both go, also where it makes its operand so much
           larger (a pad) that one would not sink
  cancel   transposes that meet are joined; what is left of them may be the identity (the rules of simplify.py)

Transposes of weights become constants or part of the prepare body. What remains stands at the edges: where NCHW
pictures enter or leave, and before a reshape, to which the layout matters. Cost is counted in elements moved; sizes
not known yet count as NOMINAL.
"""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from graphc.ir import dims
from graphc.ir.node import Flow, Node, Value, make_node
from graphc.ir.op import OPS, Alias, Effect, Elementwise, Permuted
from graphc.ir.spec import Shape
from graphc.ops.array.source import Const
from graphc.passes.shared.rewriter import Replacement, rewrite
from graphc.passes.simplification.simplify import (
    drop_identity_transpose,
    drop_same_shape_alias,
    join_aliases,
    join_transposes,
    permutation,
    transpose_of_units,
)

NOMINAL = 32
FREE = 64      # elements: a transpose of fewer costs nothing worth counting
CHANNELS_FIRST = ("NCHW", "NCDHW")
CANCEL = [drop_same_shape_alias, join_aliases, drop_identity_transpose, join_transposes]


def layout(flow: Flow) -> Flow:
    if not any(hasattr(node.op, "data_format") for node in flow.nodes()):
        return flow
    flow = rewrite(flow, [insert, *CANCEL, raise_rows, sink, lift, meet])
    # Last: as a reshape, a transpose of a picture of one pixel would not sink.
    return rewrite(flow, [*CANCEL, transpose_of_units])


def insert(node: Node) -> Replacement:
    """op_nchw(x) -> nchw(op_nhwc(nhwc(x)))"""
    if getattr(node.op, "data_format", "") not in CHANNELS_FIRST or not node.specs:
        return None
    rank = max(v.spec.rank or 0 for v in node.inputs)
    return _permute(node, channels_last(rank), node.inputs)


def sink(node: Node) -> Replacement:
    """op(nchw(z), ...) -> nchw(op'(z, ...))"""
    moved = next((v for v in node.inputs if is_channels_first(v)), None)
    if moved is None or node.op.effect != Effect.PURE or not node.specs or permutation(node) is not None:
        return None
    perm = channels_last(moved.spec.rank or 0)
    inputs = node.inputs
    made = node.op.permuted(perm, tuple(v.spec.rank or 0 for v in inputs))
    if made is None and isinstance(node.op, Elementwise):
        inputs = full_rank(node, len(perm))
        made = node.op.permuted(perm, tuple(v.spec.rank or 0 for v in inputs))
    if made is None or not _pays(node, made, inputs):
        return None
    return _permute(node, perm, inputs)


def lift(node: Node) -> Replacement:
    """nhwc(broadcast(z)) -> broadcast'(nhwc(z)), also through elementwise ops with scalars"""
    perm = permutation(node)
    if perm is None or len(perm) < 4 or perm != channels_last(len(perm)):
        return None
    inner = node.inputs[0].node
    if _source(inner) is None:
        return None
    made = inner.op.permuted(perm, tuple(v.spec.rank or 0 for v in inner.inputs))
    if made is None:
        return None
    moved = [_transposed(v, p, inner) for v, p in zip(inner.inputs, made.inputs, strict=True)]
    return make_node(made.op, moved, node.origins, node.after).value()


def raise_rows(node: Node) -> Replacement:
    """op(rows(z), ...) -> rows(op(z, ...)), z channels first and of height 1"""
    shape = node.specs[0].shape if len(node.specs) == 1 else None
    if not isinstance(node.op, Elementwise) or node.op.effect != Effect.PURE or shape is None or len(shape) != 3:
        return None
    if not any(_is_rows(v) for v in node.inputs):
        return None
    made = make_node(node.op, [_with_height(v, node) for v in node.inputs], node.origins, node.after)
    op: Any = OPS.make("Reshape", shape=shape)
    return make_node(op, (made.value(),), node.origins, node.after).value()


def _is_rows(value: Value) -> bool:
    """Whether the value is a transpose from NHWC to NCHW of pictures of height 1, without the height."""
    node, shape = value.node, value.spec.shape
    if not isinstance(node.op, Alias) or node.requirements or shape is None or len(shape) != 3:
        return False
    picture = node.inputs[0]
    return is_channels_first(picture) and picture.spec.shape == (*shape[:2], 1, shape[2])


def _with_height(value: Value, like: Node) -> Value:
    """An operand of rows, for pictures of height 1."""
    if _is_rows(value):
        return value.node.inputs[0]
    shape = value.spec.shape or ()
    if len(shape) < 2:
        return value
    op: Any = OPS.make("ExpandDims", dim=len(shape) - 1)
    return make_node(op, (value,), like.origins, like.after).value()


def meet(node: Node) -> Replacement:
    """nhwc(move(nchw(z))) -> move'(z)"""
    perm = permutation(node)
    if perm is None or len(perm) < 4 or perm != channels_last(len(perm)):
        return None
    inner = node.inputs[0].node
    if not inner.op.moves or inner.op.effect != Effect.PURE or permutation(inner) is not None:
        return None
    made = inner.op.permuted(perm, tuple(v.spec.rank or 0 for v in inner.inputs))
    if made is None or made.outputs != (perm,) or not all(
            p is None or _to_move(v) <= FREE for v, p in zip(inner.inputs, made.inputs, strict=True)):
        return None
    moved = [_transposed(v, p, inner) for v, p in zip(inner.inputs, made.inputs, strict=True)]
    return make_node(made.op, moved, node.origins, node.after).value()


def _source(node: Node) -> Value | None:
    """The tensor that all a node computes comes from, if that has half its size at most."""
    wide = [v for v in node.inputs if v.spec.rank]
    if isinstance(node.op, Elementwise):
        return _source(wide[0].node) if len(wide) == 1 else None
    wide = [v for v in wide if v.spec.dtype == node.specs[0].dtype]     # no indices
    if len(wide) != 1:
        return None
    repeats = (node.op.keeps_order or node.op.moves) and (
        2 * elements(wide[0].spec.shape) <= elements(node.specs[0].shape))
    return wide[0] if repeats else None


def channels_last(rank: int) -> tuple[int, ...]:
    """NCHW to NHWC, for any number of spatial axes."""
    return (0, *range(2, rank), 1) if rank > 1 else tuple(range(rank))


def inverse(perm: Sequence[int]) -> tuple[int, ...]:
    return tuple(sorted(range(len(perm)), key=lambda i: perm[i]))


def is_channels_first(value: Value) -> bool:
    """Whether the value is a transpose from NHWC to NCHW. (With three axes it could as well be the other way round.)"""
    node = value.node
    rank = value.spec.rank or 0
    return rank > 3 and permutation(node) == inverse(channels_last(rank))


def full_rank(node: Node, rank: int) -> tuple[Value, ...]:
    """The operands, those of lower rank (but scalars) with leading axes of size 1."""
    made = []
    for value in node.inputs:
        shape = value.spec.shape or ()
        if 0 < len(shape) < rank:
            op: Any = OPS.make("Reshape", shape=(*((1,) * (rank - len(shape))), *shape))
            value = make_node(op, (value,), node.origins, node.after).value()
        made.append(value)
    return tuple(made)


def _pays(node: Node, made: Permuted, inputs: Sequence[Value]) -> bool:
    removed, added = 0, 0
    for value, perm in zip(inputs, made.inputs, strict=True):
        if perm is None or _is_identity(perm):
            continue
        if is_channels_first(value) and perm == channels_last(len(perm)):
            removed += elements(value.spec.shape)
        elif not _moves_units_only(value, perm) and not isinstance(value.node.op, Const):
            added += _to_move(value)
    moved = sum(elements(s.shape) for s, perm in zip(node.specs, made.outputs, strict=True)
                if perm is not None and not _is_identity(perm))
    return added <= removed + FREE and moved <= removed * 5 // 4 + FREE


def _to_move(value: Value) -> int:
    """Elements that a transpose to channels last moves, once `lift` has put it as far above as it goes."""
    if is_channels_first(value):
        return 0
    source = _source(value.node)
    return elements(value.spec.shape) if source is None else _to_move(source)


def _permute(node: Node, perm: tuple[int, ...], inputs: Sequence[Value]) -> Replacement:
    made = node.op.permuted(perm, tuple(v.spec.rank or 0 for v in inputs))
    if made is None:
        return None
    moved = [_transposed(v, p, node) for v, p in zip(inputs, made.inputs, strict=True)]
    new = make_node(made.op, moved, node.origins, node.after)
    return tuple(_transposed(new.value(i), None if p is None else inverse(p), node) for i, p in enumerate(made.outputs))


def _transposed(value: Value, perm: tuple[int, ...] | None, like: Node) -> Value:
    if perm is None or _is_identity(perm):
        return value
    op: Any = OPS.make("Transpose", perm=perm)
    return make_node(op, (value,), like.origins, like.after).value()


def _is_identity(perm: Sequence[int]) -> bool:
    return tuple(perm) == tuple(range(len(perm)))


def _moves_units_only(value: Value, perm: Sequence[int]) -> bool:
    shape = value.spec.shape or ()
    kept = [p for p in perm if not dims.same(shape[p], 1)]
    return kept == sorted(kept)


def elements(shape: Shape | None) -> int:
    """The number of elements, unknown sizes counted as NOMINAL."""
    return dims.estimate(dims.product(shape or ()), NOMINAL)
