"""A rule of simplify: neighbouring scalar summaries of a merge become one summary of a vector.

Each is a call of Python, which takes longer than all that it computes; packing the numbers takes next to nothing. The
bytes are the same: a merge puts its inputs' values one after the other, and so does a summary of several numbers.
"""
from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

import numpy as np

from graphc.ir.dtypes import float16, float32, float64, int32, int64
from graphc.ir.node import Node, Value, make_node
from graphc.ops.array.cast import Cast
from graphc.ops.array.join import Pack
from graphc.ops.array.source import Const
from graphc.ops.summary.scalars import MergeSummary, ScalarSummary
from graphc.passes.shared.rewriter import Replacement, asked_of
from graphc.passes.simplification.fold_constants import constant_node

DTYPES = frozenset({float16, float32, float64, int32, int64})


@asked_of(MergeSummary)
def join_scalar_summaries(node: Node) -> Replacement:
    """merge(scalar(a, x), scalar(b, y), z) -> merge(scalar([a, b], [x, y]), z), without the merge if there is no z"""
    groups = [(joined, list(values)) for joined, values in groupby(node.inputs, _is_scalar)]
    if not any(joined and len(values) > 1 and _differ(values) for joined, values in groups):
        return None
    inputs: list[Value] = []
    for joined, values in groups:
        inputs += [_summary(values, node)] if joined and len(values) > 1 and _differ(values) else values
    return inputs[0] if len(inputs) == 1 else make_node(node.op, inputs, node.origins, node.after)


def _is_scalar(summary: Value) -> bool:
    """Whether it is one of one number under a tag that is known."""
    made = summary.node
    if not isinstance(made.op, ScalarSummary):
        return False
    tag, number = made.inputs
    return (isinstance(tag.node.op, Const) and tag.spec.shape == () and number.spec.shape == ()
            and number.spec.dtype in DTYPES)


def _tags(summaries: Sequence[Value]) -> list[bytes]:
    return [s.node.inputs[0].node.op.value.item() for s in summaries]  # type: ignore[attr-defined]


def _differ(summaries: Sequence[Value]) -> bool:
    """Whether no tag stands there twice: that is for the merge to refuse."""
    tags = [tag for tag in _tags(summaries) if tag]
    return len(set(tags)) == len(tags)


def _summary(summaries: Sequence[Value], merge: Node) -> Value:
    numbers = []
    for summary in summaries:
        number = summary.node.inputs[1]
        if number.spec.dtype != float32:
            number = make_node(Cast(DstT=float32, Truncate=False), (number,), summary.node.origins).value()
        numbers.append(number)
    tags = constant_node(np.array(_tags(summaries), object), merge)
    packed = make_node(Pack(axis=0), numbers, merge.origins)
    after = dict.fromkeys(n for m in (merge, *(s.node for s in summaries)) for n in m.after)
    return make_node(ScalarSummary(), (tags.value(), packed.value()), merge.origins, tuple(after)).value()
