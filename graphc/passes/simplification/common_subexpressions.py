"""common_subexpressions: equal pure nodes on equal values are one node.

Two nodes are equal if their ops (type and fields), inputs, token edges and specs are; walking in topological order,
inputs are merged before their users. Random ops, effects and reads of state are never merged; nor are ops that make a
size known, because their specs hold symbols of their own.
"""
from __future__ import annotations

from typing import Any

from graphc.ir.node import Flow, Node
from graphc.ir.op import Effect
from graphc.passes.shared.rewriter import Replacement, rewrite


def common_subexpressions(flow: Flow) -> Flow:
    known: dict[Any, Node] = {}

    def merge(node: Node) -> Replacement:
        """f(x) ... f(x) -> one f(x)"""
        if node.op.effect != Effect.PURE or not node.specs:
            return None
        key = (type(node.op), node.op, node.inputs, node.after, node.specs)
        found = known.setdefault(key, node)
        return None if found is node else found

    return rewrite(flow, [merge])
