"""prune: loops and branches lose the inputs that none of their flows uses any more.

A Flow holds only what its outputs and effects need, so the snapshot prunes the graph itself; but operands of loops
and branches stay operands when folding or merging inside has made them useless. Carried values stay, for they are
results; but one that every iteration passes on as it is becomes an operand like any other, and its own result.
"""
from __future__ import annotations

import dataclasses

from graphc.ir.node import Flow, Node
from graphc.passes.shared.control_flow import Branch, ControlOp, Loop
from graphc.passes.shared.rewriter import Replacement, asked_of, rewrite
from graphc.passes.snapshot.bodies import used_inputs, with_inputs


def prune(flow: Flow) -> Flow:
    if not any(isinstance(node.op, ControlOp) for node in flow.nodes()):
        return flow
    return rewrite(flow, [capture_unchanged, drop_unused_inputs])


@asked_of(Loop)
def capture_unchanged(node: Node) -> Replacement:
    """while(x, y): f(x, y), y -> while(x; y): f(x, y); y"""
    op = node.op
    assert isinstance(op, Loop)
    inputs = range(op.carried)
    kept = [i for i in inputs if op.body.outputs[i] != op.body.inputs[i].value()]
    if len(kept) == op.carried or 0 not in kept:          # the first result stands for the node in the order of effects
        return None
    order = [*kept, *range(op.carried, len(node.inputs)), *(i for i in inputs if i not in kept)]
    body = dataclasses.replace(op.body, outputs=tuple(op.body.outputs[i] for i in kept))
    smaller = dataclasses.replace(op, cond=with_inputs(op.cond, order), body=with_inputs(body, order),
                                  carried=len(kept), result_specs=tuple(op.result_specs[i] for i in kept))
    operands = tuple(node.inputs[i] for i in order)
    made = dataclasses.replace(node, op=smaller, inputs=operands, specs=smaller.result_specs)
    return tuple(made.value(kept.index(i)) if i in kept else node.inputs[i] for i in inputs)


def drop_unused_inputs(node: Node) -> Replacement:
    """while(x, unused) -> while(x), and so for if"""
    op = node.op
    if not isinstance(op, ControlOp):
        return None
    first = 1 if isinstance(op, Branch) else 0
    carried = op.carried if isinstance(op, Loop) else 0
    used = frozenset().union(*(used_inputs(inner) for inner in op.flows)) | frozenset(range(carried))
    kept = sorted(used)
    if len(kept) == len(node.inputs) - first:
        return None
    inputs = (*node.inputs[:first], *(node.inputs[first + i] for i in kept))
    return dataclasses.replace(node, op=op.with_flows(lambda inner: with_inputs(inner, kept)), inputs=inputs)
