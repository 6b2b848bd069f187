"""Which values stay the same from run to run: what depends on constants and on variables that no one writes."""
from __future__ import annotations

from graphc.ir.dims import Dim
from graphc.ir.flow_ops import FlowInput, ReadState, WriteState
from graphc.ir.node import Flow, Node
from graphc.ir.op import Effect
from graphc.ops.array.source import Const
from graphc.passes.shared.control_flow import ControlOp
from graphc.passes.shared.internal_ops import BindSizes, Prepared


class Persistence:
    """Answers for nodes of one flow, and for nodes made from them later."""

    def __init__(self, flow: Flow) -> None:
        self.written = {n.op.state for n in flow.effects if isinstance(n.op, WriteState)}
        self.known: dict[Node, bool] = {}

    def __call__(self, node: Node) -> bool:
        stack = [node]
        while stack:
            top = stack[-1]
            if top in self.known:
                stack.pop()
                continue
            waiting = [v.node for v in top.inputs if v.node not in self.known] if self._may_be(top) else []
            if waiting:
                stack += waiting
                continue
            stack.pop()
            self.known[top] = self._may_be(top) and all(self.known[v.node] for v in top.inputs)
        return self.known[node]

    def _may_be(self, node: Node) -> bool:
        if node.requirements:
            return False                # what is required of sizes is what the run must prove
        if isinstance(node.op, ReadState):
            return node.op.state not in self.written
        if isinstance(node.op, Const):
            return True
        if node.op.effect != Effect.PURE or node.after:
            return False
        if isinstance(node.op, (FlowInput, BindSizes, ControlOp, Prepared)):
            return False
        if any(spec.dtype.numpy is None for spec in node.specs):
            return False                # lists and strings are values of one run
        static = all(isinstance(s, int) for spec in node.specs for s in spec.shape or ())
        return bool(node.specs) and static and not any(isinstance(s, Dim) for s in node.op.sizes())
