"""expand: a Composite op becomes the ops it is made of, until none is left.

The new nodes keep the user's ops behind the old one as their origins, and come after what it came after.
"""
from __future__ import annotations

from typing import Any

from graphc.ir.node import Flow, Node, Value, make_node
from graphc.ir.op import Composite, Op
from graphc.passes.rewriter import Replacement, rewrite


def expand(flow: Flow) -> Flow:
    return rewrite(flow, [expand_composite])


def expand_composite(node: Node) -> Replacement:
    """composite(x) -> its expansion"""
    if not isinstance(node.op, Composite):
        return None

    def emit(op: Op, *inputs: Value) -> Any:
        made = make_node(op, inputs, node.origins, node.after)
        return made.value() if len(made.specs) == 1 else tuple(made.value(i) for i in range(len(made.specs)))

    result = node.op.expand(emit, *node.inputs)
    return tuple(result) if isinstance(result, (tuple, list)) else (result,)
