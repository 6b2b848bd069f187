"""Loops and branches of the compiler's own graph: ops that hold Flows.

All flows of one op have the same inputs, the op's operands (a branch's come after its predicate). What a body reads
of a variable's value from the start of the run it reads itself (a ReadState inside); everything else is an operand.
Variables that a body writes are carried values, or results of both branches.

A loop or branch is equal to itself only, as Nodes are: two bodies may do the same and yet draw their own numbers.
"""
from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from typing import Any, ClassVar

from graphc.ir.computed import computed
from graphc.ir.flow_ops import ReadState
from graphc.ir.node import Flow, Node
from graphc.ir.op import Effect, Op
from graphc.ir.records import dataclass
from graphc.ir.spec import Spec


@dataclass(frozen=True, eq=False)
class ControlOp(Op):
    """flows, by name, are fields of the classes below; result_specs: the results' Specs."""

    flow_fields: ClassVar[tuple[str, ...]]
    first_operand: ClassVar[int] = 0           # the position of the flows' first input among the operands
    result_specs: tuple[Spec, ...]

    @property
    def flows(self) -> tuple[Flow, ...]:
        return tuple(getattr(self, name) for name in self.flow_fields)

    def with_flows(self, change: Callable[[Flow], Flow]) -> ControlOp:
        changed: dict[str, Any] = {name: change(getattr(self, name)) for name in self.flow_fields}
        return dataclasses.replace(self, **changed)

    def infer(self, *inputs: Spec) -> tuple[Spec, ...]:
        return self.result_specs

    @computed
    def states_read(self) -> frozenset[str]:
        """The variables that any flow reads, at any depth."""
        found: set[str] = set()
        for flow in self.flows:
            found |= states_read(flow.nodes())
        return frozenset(found)


@dataclass(frozen=True, eq=False)
class Loop(ControlOp):
    """while cond(*inputs): inputs[:carried] = body(*inputs). The results are the carried values."""

    type: ClassVar[str] = "_While"
    flow_fields = ("cond", "body")
    cond: Flow
    body: Flow
    carried: int


@dataclass(frozen=True, eq=False)
class LoopWithEffects(Loop):
    effect = Effect.HOST


@dataclass(frozen=True, eq=False)
class Branch(ControlOp):
    """then(*inputs[1:]) if inputs[0] else orelse(*inputs[1:])"""

    type: ClassVar[str] = "_If"
    flow_fields = ("then", "orelse")
    first_operand = 1
    then: Flow
    orelse: Flow


@dataclass(frozen=True, eq=False)
class BranchWithEffects(Branch):
    effect = Effect.HOST


def states_read(nodes: Iterator[Node]) -> set[str]:
    found: set[str] = set()
    for node in nodes:
        if isinstance(node.op, ReadState):
            found.add(node.op.state)
        elif isinstance(node.op, ControlOp):
            found |= node.op.states_read
    return found




def everything(flow: Flow) -> list[Node]:
    """Nodes of the flow and of those inside."""
    found = everything(flow.prepare) if flow.prepare is not None else []
    found += flow.nodes()
    for node in flow.nested:
        for inner in node.op.flows:  # type: ignore[attr-defined]
            found += everything(inner)
    return found
