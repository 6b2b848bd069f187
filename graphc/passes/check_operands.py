"""check_operands: before an elementwise op that refuses values of its last operand (integers that divide, or are
exponents), a step that ends the run if there is one.

Maps cannot fail, so the check is a kernel of its own, whose result the op reads instead: the order follows from that,
it is merged, pruned and placed like any other step, and a run that fails changes nothing (ADR 6). Constants that hold
no such value need none.
"""
from __future__ import annotations

import dataclasses

import numpy as np

from graphc.ir import dims
from graphc.ir.node import Flow, Node, Value, make_node
from graphc.ir.op import REFUSED, Elementwise
from graphc.ops.source import Const
from graphc.passes.driver import Replacement, rewrite
from graphc.passes.internal_ops import Checked


def check_operands(flow: Flow) -> Flow:
    return rewrite(flow, [check_last])


def check_last(node: Node) -> Replacement:
    """x // y -> x // checked(y)"""
    op = node.op
    if not isinstance(op, Elementwise) or op.refused is None or not node.inputs[-1].spec.dtype.is_integer:
        return None
    empty = any(dims.same(size, 0) for size in node.specs[0].shape or ())
    if empty or isinstance(node.inputs[-1].node.op, Checked) or _is_fine(node.inputs[-1], op.refused):
        return None
    check = make_node(Checked(op.refused), node.inputs[-1:], node.origins, node.after)
    return dataclasses.replace(node, inputs=(*node.inputs[:-1], check.value()))


def _is_fine(value: Value, refused: str) -> bool:
    """Whether the elements are known, and none is refused."""
    node = value.node
    if node.op.type == "Fill":
        return _is_fine(node.inputs[0], refused)
    return isinstance(node.op, Const) and not np.any(REFUSED[refused][0](node.op.value))
