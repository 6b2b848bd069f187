"""A flow with the order of its steps and the places of its results; and the same of the loops and branches in it.

Those must be known first: a loop that leaves a result in the memory of its operand comes after all that reads that.
"""
from __future__ import annotations

from collections.abc import Callable, Mapping

from graphc.ir.node import Flow
from graphc.passes.shared.control_flow import Branch, ControlOp
from graphc.plan.placement import Placement, consumers_of
from graphc.plan.schedule import schedule


class Placed:
    """See the header. may_stay: of a loop's or branch's body, see Placement. in_place: whether results may lie in the
    memory of operands at all."""

    def __init__(self, flow: Flow, may_stay: Callable[[int, int], bool] = lambda output, given: False,
                 in_place: bool = True) -> None:
        self.flow, self.in_place = flow, in_place
        self.inner: dict[ControlOp, tuple[Placed, Placed]] = {}
        nodes = list(flow.nodes())
        self.consumers = consumers_of(nodes)
        self.placement = Placement(flow, nodes, self.consumers, may_stay, self.kept_by)
        self.order = schedule(nodes, self.placement.soft_edges(), self.placement.checks, self.placement.writers())
        self.placement.decide(self.order)

    def bodies(self, op: ControlOp) -> tuple[Placed, Placed]:
        """A loop's condition and body, or both branches, which keep the same results."""
        if op not in self.inner:
            if not self.in_place:
                first, second = op.flows
                self.inner[op] = Placed(first, in_place=False), Placed(second, in_place=False)
            else:
                self.inner[op] = _branches(op) if isinstance(op, Branch) else _loop(op)
        return self.inner[op]

    def kept_by(self, op: ControlOp) -> Mapping[int, int]:
        return self.bodies(op)[1].placement.kept


def _loop(op: ControlOp) -> tuple[Placed, Placed]:
    cond, body = op.flows
    return Placed(cond), Placed(body, lambda output, given: output == given)


def _branches(op: ControlOp) -> tuple[Placed, Placed]:
    then, orelse = (Placed(flow, lambda output, given: True) for flow in op.flows)
    both = then.placement.kept.items() & orelse.placement.kept.items()

    def again(branch: Placed) -> Placed:
        kept = branch.placement.kept
        return branch if kept.items() == both else Placed(branch.flow, lambda output, given: (output, given) in both)

    return again(then), again(orelse)
