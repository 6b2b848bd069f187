"""check_operands: before an elementwise op that refuses values of its last operand (integers that divide, or are
exponents), a step that ends the run if there is one.

Maps cannot fail, so the check is a kernel of its own, whose result the op reads instead. So the order is right, and
it is merged, pruned and placed like any other step, and a run that fails changes nothing (ADR 6). Constants that hold
no such value need none.
"""
from __future__ import annotations

import dataclasses

import numpy as np

from graphc.ir import dims
from graphc.ir.node import Flow, Node, Value, make_node
from graphc.ir.op import REFUSED, Alias, Elementwise, View
from graphc.ops.array.source import Const
from graphc.passes.shared.internal_ops import BindSizes, Checked
from graphc.passes.shared.required_sizes import symbols
from graphc.passes.shared.rewriter import Replacement, asked_of, rewrite


def check_operands(flow: Flow) -> Flow:
    given = {symbol for node in flow.inputs for size in node.specs[0].shape or () for symbol in symbols(size)}
    makers = _makers(flow)

    @asked_of(Elementwise, where=lambda op: op.refused is not None)
    def check_last(node: Node) -> Replacement:
        """x // y -> x // checked(y)"""
        refused, y = node.op.refused, node.inputs[-1]  # type: ignore[attr-defined]
        if not y.spec.dtype.is_integer or isinstance(y.node.op, Checked) or _is_fine(y, refused):
            return None
        if refused == "negative" and y.spec.dtype.is_unsigned:
            return None
        # A number of results that only comes out of the run is known after what makes it.
        count = dims.product(node.specs[0].shape or ())
        made = [symbol for symbol in symbols(count) if symbol not in given]
        if not all(symbol in makers for symbol in made):
            count, made = 1, []
        after = tuple(dict.fromkeys((*node.after, *(makers[symbol] for symbol in made))))
        check = make_node(Checked(refused, count), (y,), node.origins, after)
        return dataclasses.replace(node, inputs=(*node.inputs[:-1], check.value()))

    return rewrite(flow, [check_last])


def _makers(flow: Flow) -> dict[dims.Symbol, Node]:
    """The first node behind which each symbol is known."""
    found: dict[dims.Symbol, Node] = {}
    for node in flow.nodes():
        sizes = [size for spec in node.specs for size in spec.shape or ()]
        if isinstance(node.op, BindSizes):
            sizes += node.op.symbols
        for size in sizes:
            for symbol in symbols(size):
                found.setdefault(symbol, node)
    return found


def _is_fine(value: Value, refused: str) -> bool:
    """Whether the elements are known, and none is refused."""
    node = value.node
    if isinstance(node.op, (View, Alias)):
        return _is_fine(node.inputs[0], refused)
    return isinstance(node.op, Const) and not np.any(REFUSED[refused][0](node.op.value))
