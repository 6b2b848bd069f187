"""prune: loops and branches lose the inputs that none of their flows uses any more.

A Flow holds only what its outputs and effects need, so the snapshot prunes the graph itself; but operands of loops
and branches stay operands when folding or merging inside has made them useless. Carried values stay: they are
results.
"""
from __future__ import annotations

import dataclasses

from graphc.ir.node import Flow, Node
from graphc.passes.control_flow import Branch, ControlOp, Loop
from graphc.passes.rewriter import Replacement, rewrite
from graphc.passes.snapshot_bodies import used_inputs, with_inputs


def prune(flow: Flow) -> Flow:
    if not any(isinstance(node.op, ControlOp) for node in flow.nodes()):
        return flow
    return rewrite(flow, [drop_unused_inputs])


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
