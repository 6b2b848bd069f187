"""weights_in_bodies: loops and branches read constants and prepared values themselves, in place of as operands.

What a body is given may be anything, as far as a run can know; a constant is known to stay what it is. So a product
inside has its weights packed once in the model's life, in place of in every iteration, and a map has a number in its
program. Aliases of weights come along.
"""
from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

from graphc.ir import dtypes
from graphc.ir.node import Flow, Node, Value
from graphc.ir.op import Alias
from graphc.ops.array.source import Const
from graphc.passes.shared.control_flow import ControlOp, Loop
from graphc.passes.shared.internal_ops import Prepared
from graphc.passes.shared.rewriter import Replacement, asked_of, rewrite
from graphc.passes.snapshot.bodies import with_inputs


def weights_in_bodies(flow: Flow) -> Flow:
    return rewrite(flow, [read_inside]) if flow.nested else flow


@asked_of(ControlOp)
def read_inside(node: Node) -> Replacement:
    """while(x, weights) -> while(x), and so for if"""
    op, first = node.op, node.op.first_operand  # type: ignore[attr-defined]
    assert isinstance(op, ControlOp)
    given = node.inputs[first:]
    weights = {i: v for i, v in enumerate(given) if not (isinstance(op, Loop) and i < op.carried) and _is_weight(v)}
    if not weights:
        return None
    kept = [i for i in range(len(given)) if i not in weights]
    return dataclasses.replace(node, op=op.with_flows(lambda flow: _reading(flow, weights, kept)),
                               inputs=(*node.inputs[:first], *(given[i] for i in kept)))


def _is_weight(value: Value) -> bool:
    """Of known sizes, and nothing required of others (what is folded keeps what its operands had to be): a body has
    symbols of its own. No list of whole numbers, which may be sizes that the body has symbols of: what is told by these
    already would not be told by anything."""
    node, sizes = value.node, value.spec.shape
    if node.requirements or (value.spec.value is not None and sizes):
        return False
    if sizes is None or not all(isinstance(size, int) for size in sizes) or value.spec.dtype == dtypes.string:
        return False
    if isinstance(node.op, Alias):
        return not node.after and _is_weight(node.inputs[0])
    return isinstance(node.op, (Const, Prepared))


def _reading(flow: Flow, weights: Mapping[int, Value], kept: Sequence[int]) -> Flow:
    """The flow with weights in place of these inputs, the others numbered again; and what is inside likewise."""
    values = {flow.inputs[i]: value for i, value in weights.items()}
    without = dataclasses.replace(flow, inputs=tuple(flow.inputs[i] for i in kept))
    read = rewrite(without, [values.get])
    return weights_in_bodies(with_inputs(dataclasses.replace(read, inputs=flow.inputs), kept))
