"""Gradients of what was broadcast, in TensorFlow's form and in graphc's.

TensorFlow finds the axes while running: Reshape(Sum(dy, BroadcastGradientArgs(shape, shape of the other)), shape).
graphc's op is told the shape alone, so that ranks are known while compiling: _SumTo(dy, shape).
"""
from __future__ import annotations

from graphc.serial.graph_pb2 import GraphDef, NodeDef


def with_sum_to(graph_def: GraphDef) -> GraphDef:
    """The graph in graphc's form: a copy if it has such gradients, else the graph itself."""
    if not any(node.op == "BroadcastGradientArgs" for node in graph_def.node):
        return graph_def
    made = GraphDef()
    made.CopyFrom(graph_def)
    pairs = {node.name: node for node in made.node if node.op == "BroadcastGradientArgs"}
    for node in made.node:
        if node.op == "Sum":
            source, _, index = node.input[1].partition(":")
            if source in pairs:
                node.op = "_SumTo"
                node.input[1] = pairs[source].input[int(index or 0)]
                for name in ("keep_dims", "Tidx", "_output_shapes"):
                    node.attr.pop(name, None)
    used = {text.removeprefix("^").partition(":")[0] for node in made.node for text in node.input}
    kept = [node for node in made.node if node.name not in pairs or node.name in used]
    del made.node[:]
    made.node.extend(kept)
    return made


def with_broadcast_gradient_args(graph_def: GraphDef) -> None:
    """Brings the nodes of a graph into TensorFlow's form; those of functions stay."""
    made: list[NodeDef] = []
    for node in graph_def.node:
        made += _in_parts(node) if node.op == "_SumTo" else [node]
    if len(made) > len(graph_def.node):
        copies = [NodeDef.FromString(node.SerializeToString()) for node in made]
        del graph_def.node[:]
        graph_def.node.extend(copies)


def _in_parts(node: NodeDef) -> list[NodeDef]:
    x, shape, *controls = node.input
    dtype, index = node.attr["T"].type, node.attr["Tidx"].type
    sizes = _node(f"{node.name}/Shape", "Shape", [x], T=dtype, out_type=index)
    axes = _node(f"{node.name}/BroadcastGradientArgs", "BroadcastGradientArgs", [shape, sizes.name], T=index)
    total = _node(f"{node.name}/Sum", "Sum", [x, axes.name], T=dtype, Tidx=index)
    result = _node(node.name, "Reshape", [total.name, shape, *controls], T=dtype, Tshape=index)
    for part in (sizes, axes, total, result):
        part.device = node.device
    return [sizes, axes, total, result]


def _node(name: str, op: str, inputs: list[str], **types: int) -> NodeDef:
    made = NodeDef(name=name, op=op, input=inputs)
    for key, dtype in types.items():
        made.attr[key].type = dtype  # type: ignore[assignment]
    return made
