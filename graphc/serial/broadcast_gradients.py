"""Gradients of what was broadcast, in TensorFlow's form and in graphc's.

TensorFlow finds the axes while running: Reshape(Sum(dy, BroadcastGradientArgs(shape, shape of the other)), shape).
graphc's op is told the shape alone, so that ranks are known while compiling: _SumTo(dy, shape).

Functions, in which loops have their gradients, say of a result how their op calls it, too: "name:output:0".
"""
from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from graphc.serial.graph_pb2 import GraphDef, NodeDef

# Results of BroadcastGradientArgs, as graphs and functions say.
_AXES = {"": 0, "0": 0, "1": 1, "r0:0": 0, "r1:0": 1}


def with_sum_to(graph_def: GraphDef) -> GraphDef:
    """The graph in graphc's form: a copy if it has such gradients, else the graph itself."""
    if not any(node.op == "BroadcastGradientArgs" for nodes in _lists_of(graph_def) for node in nodes):
        return graph_def
    made = GraphDef()
    made.CopyFrom(graph_def)
    for nodes in _lists_of(made):
        _put(nodes, _summed(nodes))
    return made


def with_broadcast_gradient_args(graph_def: GraphDef) -> None:
    """Brings the nodes of a graph and its functions into TensorFlow's form."""
    for i, nodes in enumerate(_lists_of(graph_def)):
        if any(node.op == "_SumTo" for node in nodes):
            _put(nodes, [part for node in nodes
                         for part in (_in_parts(node, in_function=i > 0) if node.op == "_SumTo" else [node])])


def _lists_of(graph_def: GraphDef) -> Iterator[Any]:
    """The nodes of the graph, then those of each function."""
    yield graph_def.node
    for function in graph_def.library.function:
        yield function.node_def


def _put(target: Any, nodes: Sequence[NodeDef]) -> None:
    copies = [NodeDef.FromString(node.SerializeToString()) for node in nodes]
    del target[:]
    target.extend(copies)


def _summed(nodes: Sequence[NodeDef]) -> list[NodeDef]:
    pairs = {node.name: node for node in nodes if node.op == "BroadcastGradientArgs"}
    for node in nodes:
        if node.op == "Sum":
            source, _, result = node.input[1].partition(":")
            if source in pairs and result in _AXES:
                node.op = "_SumTo"
                node.input[1] = pairs[source].input[_AXES[result]]
                for name in ("keep_dims", "Tidx", "_output_shapes"):
                    node.attr.pop(name, None)
    used = {text.removeprefix("^").partition(":")[0] for node in nodes for text in node.input}
    return [node for node in nodes if node.name not in pairs or node.name in used]


def _in_parts(node: NodeDef, in_function: bool) -> list[NodeDef]:
    def result(part: NodeDef, name: str = "output") -> str:
        return f"{part.name}:{name}:0" if in_function else part.name

    x, shape, *controls = node.input
    dtype, index = node.attr["T"].type, node.attr["Tidx"].type
    sizes = _node(f"{node.name}/Shape", "Shape", [x], T=dtype, out_type=index)
    axes = _node(f"{node.name}/BroadcastGradientArgs", "BroadcastGradientArgs", [shape, result(sizes)], T=index)
    total = _node(f"{node.name}/Sum", "Sum", [x, result(axes, "r0")], T=dtype, Tidx=index)
    last = _node(node.name, "Reshape", [result(total), shape, *controls], T=dtype, Tshape=index)
    for part in (sizes, axes, total, last):
        part.device = node.device
    return [sizes, axes, total, last]


def _node(name: str, op: str, inputs: list[str], **types: int) -> NodeDef:
    made = NodeDef(name=name, op=op, input=inputs)
    for key, dtype in types.items():
        made.attr[key].type = dtype  # type: ignore[assignment]
    return made
