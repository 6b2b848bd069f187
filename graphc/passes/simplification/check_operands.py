"""check_operands: before an elementwise op that refuses values of its last operand (integers that divide, or are
exponents), and before one with bounds that must be in order, a step that ends the run if there is one, or they are not.

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
from graphc.ops.random.random import Bounded
from graphc.passes.shared.internal_ops import BindSizes, Checked, Ordered
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
        count, after = results(node)
        check = make_node(Checked(refused, count), (y,), node.origins, after)
        return dataclasses.replace(node, inputs=(*node.inputs[:-1], check.value()))

    @asked_of(Bounded)
    def check_bounds(node: Node) -> Replacement:
        """uniform(low, high) -> uniform(ordered(low, high), high)"""
        *others, low, high = node.inputs if len(node.inputs) > 1 else (None, None)
        if low is None or high is None or isinstance(low.node.op, Ordered) or _are_in_order(low, high):
            return None
        count, after = results(node)
        check = make_node(Ordered(Bounded.refusal, count), (low, high), node.origins, after)
        return dataclasses.replace(node, inputs=(*others, check.value(), high))

    def results(node: Node) -> tuple[dims.Size, tuple[Node, ...]]:
        """How many results the node has, and what the check comes after: a number of results that only comes out of
        the run is known after what makes it."""
        count = dims.product(node.specs[0].shape or ())
        made = [symbol for symbol in symbols(count) if symbol not in given]
        if not all(symbol in makers for symbol in made):
            count, made = 1, []
        return count, tuple(dict.fromkeys((*node.after, *(makers[symbol] for symbol in made))))

    return rewrite(flow, [check_last, check_bounds])


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


def _are_in_order(low: Value, high: Value) -> bool:
    """Whether both are known, and in order."""
    known = [value.spec.value for value in (low, high)]
    if None in known or not all(isinstance(value[0], int) for value in known if value):
        return False
    return bool(known[0] < known[1])  # type: ignore[operator]
