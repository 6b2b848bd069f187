"""Rematerialisation: values that a fused step computes again instead of reading them (a part of fuse).

An activation written as ten ops has ten intermediate results, of which its gradient reads most. Where that is another
step, the first one would store them all: for a dense layer of a transformer seven matrices instead of three. But what
is cheap (Elementwise.cheap) to compute from other values that the second step reads anyway costs it less than reading,
and the first one need not store it. The bits are the same: the ops are.
"""
from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from graphc.ir.node import Node, Value
from graphc.ops.array.source import Const
from graphc.passes.shared.fused import is_absorbed, is_unit_alias


def compute_again(arguments: dict[Value, None], absorbed: dict[Node, None], whole: Collection[Value], most: int,
                  cheap: Sequence[Value], position: Mapping[Node, int]) -> set[Node]:
    """The nodes that become members of a step, too; their values leave its arguments, what they read of numbers is
    absorbed. whole: arguments that a kernel reads; most: members that there is room for; cheap: those of the arguments
    that may be computed again; position: of nodes, in topological order."""
    again: set[Node] = set()
    if not cheap:
        return again
    viewed = {v for n in absorbed if not is_unit_alias(n) for v in n.inputs}
    # The latest first: what it is made of may be the next one.
    for value in sorted(cheap, key=lambda v: -position[v.node]):
        numbers = [v.node for v in value.node.inputs if v not in arguments]
        fits = value not in viewed and value not in whole and len(absorbed) + len(again) < most
        if fits and all(isinstance(n.op, Const) and is_absorbed(n) for n in numbers):
            del arguments[value]
            absorbed.update(dict.fromkeys((*numbers, value.node)))
            again.add(value.node)
    return again
