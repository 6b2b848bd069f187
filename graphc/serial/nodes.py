"""Nodes of a GraphDef in order, and the op of a node: what graphs and functions of a file share."""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from graphc.errors import DataLossError, UnimplementedError
from graphc.ir.apply import resolve_fields
from graphc.ir.op import Op
from graphc.ir.tensor import Tensor, split_operands
from graphc.serial.graph_pb2 import NodeDef

LOWERED_LOOP_OPS = {"Enter", "RefEnter", "Exit", "RefExit", "NextIteration", "RefNextIteration", "LoopCond", "Switch",
                    "Merge"}
KEEP_FUNCTIONAL = (
    "save it with While and If instead. TensorFlow 2: convert_variables_to_constants_v2(f, lower_control_flow=False); "
    "TensorFlow 1: tf.compat.v1.enable_control_flow_v2() before building the graph"
)


def make_definition(op: type[Op], fields: dict[str, Any], inputs: Sequence[Tensor]) -> Op:
    """The op with its fields, those among them that are input tensors included. Raises DataLossError for too few
    inputs."""
    fixed = sum(not o.endswith("*") for o in op.operands)
    if len(inputs) < fixed or (len(inputs) > fixed and not op.is_variadic()):
        raise DataLossError(f"it has {len(inputs)} inputs, but {op.type} takes {', '.join(op.operands) or 'none'}")
    return op(**fields, **resolve_fields(op, split_operands(op, inputs)))


def sorted_nodes(nodes: Mapping[str, NodeDef]) -> list[NodeDef]:
    """Inputs before what uses them, else in the order of the file. Raises UnimplementedError if there is a cycle."""
    order: list[NodeDef] = []
    state: dict[str, int] = {}      # 1: on the stack, 2: done
    for root in nodes:
        stack = [root]
        while stack:
            name = stack[-1]
            if state.get(name) is None:
                state[name] = 1
            elif state[name] == 1:
                state[name] = 2
                order.append(nodes[name])
            if state[name] == 2:
                stack.pop()
                continue
            for text in reversed(nodes[name].input):
                source = text.removeprefix("^").partition(":")[0]
                if source not in nodes:
                    continue
                if state.get(source) == 1:
                    raise UnimplementedError(_cycle_message(nodes, name, source))
                if source not in state:
                    stack.append(source)
    return order


def _cycle_message(nodes: Mapping[str, NodeDef], name: str, source: str) -> str:
    # Any two nodes of a loop may close its cycle, so the loop's own ops are looked for in the whole graph.
    loop = next((n for n in nodes.values() if n.op in LOWERED_LOOP_OPS), None)
    if loop is not None:
        return (f"the graph holds a loop in lowered form: {loop.op} '{loop.name}' and its like, which graphc does not "
                f"import (nodes '{name}' and '{source}' depend on each other); {KEEP_FUNCTIONAL}")
    return f"nodes '{name}' and '{source}' of the GraphDef depend on each other; the file is damaged"
