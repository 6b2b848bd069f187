"""GraphDefs over 2 GB, or with constants that are wanted aside: the message of a .pb and its side file."""
from __future__ import annotations

from typing import BinaryIO

from graphc.io.wire import number_bytes
from graphc.serial.graph_pb2 import AttrValue, GraphDef, NodeDef, TensorProto
from graphc.serial.plan_proto import graph_hash
from graphc.serial.side_files import CONSUMER, SideFileWriter, side_bytes

SMALLEST_ASIDE = 1 << 20     # bytes of a constant that goes to a side file because the graph is too big


def whole_size(graph_def: GraphDef) -> int:
    """Bytes of the message with all of its constants inside, up to a few for each of those that are aside. protobuf
    itself cannot count beyond 2 GB."""
    rest = _without_nodes(graph_def)
    rest.plans.extend(graph_def.plans)
    aside = sum(tensor.side.size for tensor in map(_constant, graph_def.node) if tensor is not None)
    sizes = (node.ByteSize() for node in graph_def.node)
    return rest.ByteSize() + aside + sum(1 + len(number_bytes(size)) + size for size in sizes)


def with_constants_inside(graph_def: GraphDef) -> GraphDef:
    """A copy in one piece of a graph that was loaded with a side file."""
    made = _without_nodes(graph_def)
    for node in graph_def.node:
        copy = made.node.add()
        copy.CopyFrom(node)
        tensor = _constant(copy)
        if tensor is not None and tensor.HasField("side"):
            tensor.tensor_content = side_bytes(tensor.side).tobytes()
            tensor.ClearField("side")
    made.versions.min_consumer = 0
    _take_plans(made, graph_def)
    return made


def with_constants_aside(graph_def: GraphDef, larger_than: int, file: BinaryIO, name: str) -> GraphDef:
    """A copy whose constants of more than so many bytes are in `file`, which is called `name`."""
    made, writer = _without_nodes(graph_def), SideFileWriter(file)
    for node in graph_def.node:
        tensor = _constant(node)
        aside = tensor is not None and tensor.HasField("side")
        size = 0 if tensor is None else tensor.side.size if aside else len(tensor.tensor_content)
        if tensor is None or (size <= larger_than and not aside):
            made.node.add().CopyFrom(node)
            continue
        target = _without_content(made.node.add(), node, tensor)
        writer.add(side_bytes(tensor.side) if aside else tensor.tensor_content, target.side)
    made.side_file.CopyFrom(writer.finish(name))
    made.versions.min_consumer = CONSUMER
    _take_plans(made, graph_def)
    return made


def _constant(node: NodeDef) -> TensorProto | None:
    return node.attr["value"].tensor if node.op == "Const" and "value" in node.attr else None


def _without_nodes(graph_def: GraphDef) -> GraphDef:
    made = GraphDef(versions=graph_def.versions, version=graph_def.version, library=graph_def.library)
    if graph_def.HasField("state"):
        made.state.CopyFrom(graph_def.state)
    return made


def _without_content(target: NodeDef, node: NodeDef, tensor: TensorProto) -> TensorProto:
    target.name, target.op, target.device = node.name, node.op, node.device
    target.input.extend(node.input)
    for key, value in node.attr.items():
        if key != "value":
            target.attr[key].CopyFrom(value)
    made: AttrValue = target.attr["value"]
    made.tensor.dtype = tensor.dtype
    made.tensor.tensor_shape.CopyFrom(tensor.tensor_shape)
    return made.tensor


def _take_plans(made: GraphDef, graph_def: GraphDef) -> None:
    """The Plans: those of these nodes belong to the new ones, too, which say the same."""
    if not graph_def.plans:
        return
    before, after = graph_hash(graph_def), graph_hash(made)
    for plan in graph_def.plans:
        copy = made.plans.add()
        copy.CopyFrom(plan)
        if plan.graph_hash == before:
            copy.graph_hash = after
