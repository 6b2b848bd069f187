"""prepare: work on weights alone is hoisted out of the run, into the prepare body (docs/adr/0007).

A value moves there if it persists from run to run (persistent.py), costs something, and something that does
not persist uses it. Its ancestors come along. In the run it is a Prepared node, a buffer filled beforehand. Values
that are fetched or written to variables stay, and so does all of a flow that is neither fed nor reads a variable:
it is run once, to initialise.
"""
from __future__ import annotations

import dataclasses

from graphc.ir import dims
from graphc.ir.flow_ops import ReadState, WriteState
from graphc.ir.node import Flow, Node, Value, make_node
from graphc.ir.op import Alias, Elementwise, Reduction, View
from graphc.ops.array.source import Const
from graphc.passes.shared.internal_ops import Prepared, SizeValues
from graphc.passes.shared.rewriter import Replacement, rewrite
from graphc.passes.weights.persistent import Persistence


def prepare(flow: Flow) -> Flow:
    if flow.prepare is not None or flow.is_body or not (flow.inputs or _reads_variables(flow)):
        return flow
    persists = Persistence(flow)
    moved = _frontier(flow, persists)
    if not moved:
        return flow
    number = {value: i for i, value in enumerate(moved)}

    def take(node: Node) -> Replacement:
        """f(weights) -> prepared"""
        if not node.specs or node.value() not in number:
            return None
        return tuple(_prepared(node.value(i), number) for i in range(len(node.specs)))

    inner = dataclasses.replace(flow, inputs=(), outputs=tuple(moved), effects=())
    return dataclasses.replace(rewrite(flow, [take]), prepare=inner)


def _reads_variables(flow: Flow) -> bool:
    return any(isinstance(node.op, ReadState) for node in flow.nodes())


def _prepared(value: Value, number: dict[Value, int]) -> Value:
    spec = value.spec
    assert spec.shape is not None
    return make_node(Prepared(number[value], spec.dtype, spec.shape), (), value.node.origins).value()


def _frontier(flow: Flow, persists: Persistence) -> list[Value]:
    """Persistent values that something else uses, in topological order; of a node all results or none."""
    kept = set(flow.outputs)
    users: dict[Value, list[Node]] = {}
    for node in flow.nodes():
        if isinstance(node.op, WriteState):
            kept.update(node.inputs)
        elif not persists(node):
            for value in node.inputs:
                users.setdefault(value, []).append(node)
    moved: list[Value] = []
    for node in flow.nodes():
        results = [node.value(i) for i in range(len(node.specs))]
        if (persists(node) and not _any_kept(node, kept)
                and any(v in users and _costs(node, users[v]) for v in results)):
            moved += results
    return moved


def _any_kept(node: Node, kept: set[Value]) -> bool:
    return any(node.value(i) in kept for i in range(len(node.specs)))


def _costs(node: Node, users: list[Node]) -> bool:
    """Whether it is worth a buffer: what a map would read through other strides anyway is not, nor is what is larger
    than the weights themselves. An alias is if what it names is: a transposed filter that gets another axis."""
    if isinstance(node.op, Alias):
        return bool(node.inputs) and _costs(node.inputs[0].node, users)
    if isinstance(node.op, (Const, ReadState, SizeValues)):
        return False
    if isinstance(node.op, View):
        return not _is_larger(node) and any(not isinstance(u.op, (Elementwise, Reduction, View)) for u in users)
    return True


def _is_larger(node: Node) -> bool:
    """Whether the result may have more elements than the operand: a broadcast."""
    given, made = (dims.product(spec.shape or ()) for spec in (node.inputs[0].spec, node.specs[0]))
    return not (isinstance(given, int) and isinstance(made, int) and made <= given)
