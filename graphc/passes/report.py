"""What a pass did, as data: the demo prints a table of these, GRAPHC_DUMP a line each."""
from __future__ import annotations

from collections.abc import Iterable

from graphc.ir.node import Node
from graphc.ir.op import View
from graphc.ir.records import dataclass


@dataclass(frozen=True)
class PassReport:
    name: str
    nodes_before: int
    nodes_after: int
    milliseconds: float
    transposes_before: int
    transposes_after: int

    def __str__(self) -> str:
        return (f"{self.name:24} {self.nodes_before:6} -> {self.nodes_after:6} nodes  {self.transposes_before:3} -> "
                f"{self.transposes_after:3} transposes  {self.milliseconds:8.2f} ms")


def count_transposes(nodes: Iterable[Node]) -> int:
    """Transposes among the nodes, those inside fused ones included."""
    count = 0
    for node in nodes:
        members: Iterable[Node] = getattr(node.op, "members", ())
        for one in (node, *members):
            if isinstance(one.op, View) and one.op.permutation() is not None:
                count += 1
    return count
