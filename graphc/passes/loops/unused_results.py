"""unused_results: loops and branches lose the results that nobody uses.

Gradients make a loop keep values of every iteration; a run that asks for no gradient need not keep them. A carried
value stays if something reads its result, if an iteration needs it for one that stays, or for its condition or an
effect, or if its size is known by it alone.
"""
from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from graphc.ir import dims
from graphc.ir.node import Flow, Node
from graphc.passes.shared.control_flow import ControlOp, Loop
from graphc.passes.shared.required_sizes import symbols
from graphc.passes.shared.rewriter import Rewriter
from graphc.passes.snapshot.bodies import used_inputs, with_inputs


def unused_results(flow: Flow) -> Flow:
    while flow.nested:                       # a loop that needs less leaves results of the one before it unused
        smaller = _without_unused(flow)
        if smaller is flow:
            break
        flow = smaller
    return flow


def _without_unused(flow: Flow) -> Flow:
    used: dict[Node, set[int]] = {node: set() for node in flow.nested}
    for value in (*(v for node in flow.nodes() for v in node.inputs), *flow.outputs):
        if value.node in used:
            used[value.node].add(value.index)
    known = {s for node in flow.inputs for spec in node.specs for size in spec.shape or () for s in symbols(size)}
    kept = {node: _needed(node, numbers | telling_sizes(node, known)) for node, numbers in used.items()}
    kept = {node: numbers for node, numbers in kept.items() if len(numbers) < len(node.specs)}
    return _Dropping(kept).run(flow) if kept else flow


def telling_sizes(node: Node, known: set[dims.Symbol]) -> set[int]:
    """The results whose sizes are not those of the flow's inputs."""
    return {i for i, spec in enumerate(node.specs)
            if any(s not in known for size in spec.shape or () for s in symbols(size))}


def _needed(node: Node, wanted: set[int]) -> list[int]:
    """Numbers of the results to keep if these are wanted: for a loop, also what its iterations need for them."""
    if not isinstance(node.op, Loop):
        return sorted(wanted)
    loop, needed = node.op, set(wanted)
    while True:
        used = used_inputs(loop.cond) | used_inputs(unused_results(_with_outputs(loop.body, sorted(needed))))
        more = {i for i in used if i < loop.carried} - needed
        if not more:
            return sorted(needed)
        needed |= more


def _with_outputs(flow: Flow, numbers: Sequence[int]) -> Flow:
    return dataclasses.replace(flow, outputs=tuple(flow.outputs[i] for i in numbers))


class _Dropping(Rewriter):
    """Puts nodes with fewer results in place of some. kept: the numbers of the results that stay."""

    def __init__(self, kept: dict[Node, list[int]]) -> None:
        super().__init__(())
        self.kept = kept

    def _visit(self, node: Node) -> None:
        if node not in self.kept:
            super()._visit(node)
            return
        numbers = self.kept[node]
        made = _smaller(self._with_new_inputs(node), numbers)
        self.done.update((node, made))
        self.moved.add(node)
        self.nodes[node] = made
        self.new.update((node.value(old), made.value(new)) for new, old in enumerate(numbers))


def _smaller(node: Node, numbers: Sequence[int]) -> Node:
    """The loop or branch with these of its results only, and what is inside likewise."""
    op = node.op
    assert isinstance(op, ControlOp)
    specs = tuple(node.specs[i] for i in numbers)
    if not isinstance(op, Loop):
        op = dataclasses.replace(op.with_flows(lambda flow: unused_results(_with_outputs(flow, numbers))),
                                 result_specs=specs)
        return dataclasses.replace(node, op=op, specs=specs)
    body = unused_results(_with_outputs(op.body, numbers))
    captured = sorted(i for i in used_inputs(op.cond) | used_inputs(body) if i >= op.carried)
    inputs = [*numbers, *captured]
    op = dataclasses.replace(op, cond=with_inputs(op.cond, inputs), body=with_inputs(body, inputs),
                             carried=len(numbers), result_specs=specs)
    return dataclasses.replace(node, op=op, inputs=tuple(node.inputs[i] for i in inputs), specs=specs)
