"""A Flow as text, for GRAPHC_DUMP and error messages: one node a line, in topological order."""
from __future__ import annotations

import dataclasses
from collections.abc import Iterator

from graphc.ir.node import Flow, Node, Value
from graphc.ir.op import Op

HIDDEN = ("members", "arguments", "results_of", "body", "cond", "then", "orelse", "value")


def flow_text(flow: Flow) -> str:
    return "\n".join(_lines(flow))


def _lines(flow: Flow) -> Iterator[str]:
    number: dict[Node, int] = {}
    for node in flow.nodes():
        number[node] = len(number)
        names = ", ".join(_value(v, number) for v in node.inputs)
        after = f" after {', '.join(f'%{number[n]}' for n in node.after)}" if node.after else ""
        specs = ", ".join(map(str, node.specs))
        origin = f"   # {node.origins[0].op_name}" if node.origins else ""
        yield f"%{number[node]} = {op_text(node.op)}({names}){after} -> {specs}{origin}"
    yield f"outputs {', '.join(_value(v, number) for v in flow.outputs)}"
    if flow.effects:
        yield f"effects {', '.join(f'%{number[n]}' for n in flow.effects)}"


def _value(value: Value, number: dict[Node, int]) -> str:
    return f"%{number[value.node]}" + (f".{value.index}" if len(value.node.specs) > 1 else "")


def op_text(op: Op) -> str:
    """The op's type and fields."""
    members = getattr(op, "members", None)
    if members is not None:
        return f"{op.type}[{' '.join(m.op.type for m in members)}]"
    fields = [f"{f.name}={getattr(op, f.name)!r}" for f in dataclasses.fields(op) if f.name not in HIDDEN]
    return f"{op.type}[{', '.join(fields)}]" if fields else op.type
