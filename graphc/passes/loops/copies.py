"""Copies of a loop's flows with more inputs, and with other values in place of some."""
from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence

from graphc.ir.flow_ops import FlowInput
from graphc.ir.node import Flow, Node, Value, make_node
from graphc.ir.spec import Spec
from graphc.passes.shared.rewriter import rebuilt


class Copy:
    """A flow of a loop with more inputs: carried values after those that it has, captured ones after all. Called with
    one of that flow's values it gives that of the copy."""

    def __init__(self, body: Flow, carried: int, more: Sequence[Spec], captured: Sequence[Spec] = ()) -> None:
        old = body.inputs
        self.body = body
        self.carried = [_input(spec, carried + i) for i, spec in enumerate(more)]
        moved = [dataclasses.replace(n, op=dataclasses.replace(n.op, index=n.op.index + len(more)))  # type: ignore[attr-defined,call-arg]
                 for n in old[carried:]]
        self.captured = [_input(spec, len(old) + len(more) + i) for i, spec in enumerate(captured)]
        self.inputs = (*old[:carried], *(v.node for v in self.carried), *moved, *(v.node for v in self.captured))
        self.nodes: dict[Node, Node] = dict(zip(old[carried:], moved, strict=True))
        self.new: dict[Value, Value] = {a.value(): b.value() for a, b in self.nodes.items()}

    def __call__(self, value: Value) -> Value:
        return self.new.get(value, value)

    def fill(self, instead: Mapping[Value, Callable[[], Value]]) -> None:
        """Copies all nodes. instead: what makes the value that stands for one, of values that stand before it."""
        given = set(self.body.inputs)
        for node in self.body.nodes():
            if node not in given:
                made = rebuilt(node, tuple(map(self, node.inputs)), tuple(self.nodes.get(n, n) for n in node.after))
                self.nodes[node] = made
                self.new.update((node.value(i), made.value(i)) for i in range(len(node.specs)))
            for i in range(len(node.specs)):
                if node.value(i) in instead:
                    self.new[node.value(i)] = instead[node.value(i)]()

    def flow(self, outputs: Sequence[Value]) -> Flow:
        """The copy with these values of its own as outputs."""
        return dataclasses.replace(self.body, inputs=self.inputs, outputs=tuple(outputs))


def _input(spec: Spec, index: int) -> Value:
    assert spec.shape is not None
    return make_node(FlowInput("split", index, spec.dtype, spec.shape, None, spec.elements), ()).value()
