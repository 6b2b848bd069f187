"""GraphDefs in TensorFlow 1's control flow, written by hand: node("y", "Switch", "x", "p") and so on."""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

import graphc as gc
from graphc.serial.graph_pb2 import GraphDef, NodeDef
from graphc.serial.tensors import tensor_to_proto


def node(name: str, op: str, *inputs: str, dtype: gc.DType = gc.float32, **attributes: Any) -> NodeDef:
    """dtype: its attribute T; attributes: strings, lists of them, bools, dtypes and numbers."""
    made = NodeDef(name=name, op=op, input=inputs)
    made.attr["T"].type = dtype.number
    for key, value in attributes.items():
        if isinstance(value, str):
            made.attr[key].s = value.encode()
        elif isinstance(value, bool):
            made.attr[key].b = value
        elif isinstance(value, gc.DType):
            made.attr[key].type = value.number
        elif isinstance(value, float):
            made.attr[key].f = value
        elif isinstance(value, list):
            made.attr[key].list.s.extend(text.encode() for text in value)
        else:
            made.attr[key].i = value
    return made


def const(name: str, value: Any, dtype: gc.DType = gc.float32, *inputs: str) -> NodeDef:
    made = NodeDef(name=name, op="Const", input=inputs)
    made.attr["dtype"].type = dtype.number
    made.attr["value"].tensor.CopyFrom(tensor_to_proto(np.array(value, dtype.as_numpy_dtype)))
    return made


def placeholder(name: str, dtype: gc.DType = gc.float32, shape: Sequence[int] = ()) -> NodeDef:
    """Sizes of -1 are unknown."""
    made = NodeDef(name=name, op="Placeholder")
    made.attr["dtype"].type = dtype.number
    made.attr["shape"].shape.SetInParent()
    for size in shape:
        made.attr["shape"].shape.dim.add(size=size)
    return made


def graph_def(*nodes: NodeDef) -> GraphDef:
    made = GraphDef(node=nodes)
    made.versions.producer = 134
    return made


def enter(name: str, value: str, frame: str, dtype: gc.DType = gc.float32, constant: bool = False) -> NodeDef:
    return node(name, "Enter", value, dtype=dtype, frame_name=frame, is_constant=constant)


def loop(frame: str, limit: str, start: str, body: Sequence[NodeDef], result: str) -> list[NodeDef]:
    """A loop from `start` on while the value is below `limit`. body: nodes on '<frame>/y' that give `result`. It leaves
    as '<frame>/exit'."""
    f = frame
    return [enter(f"{f}/enter", start, f), enter(f"{f}/limit", limit, f, constant=True),
            node(f"{f}/merge", "Merge", f"{f}/enter", f"{f}/next"),
            node(f"{f}/less", "Less", f"{f}/merge", f"{f}/limit"),
            node(f"{f}/test", "LoopCond", f"{f}/less"), node(f"{f}/switch", "Switch", f"{f}/merge", f"{f}/test"),
            node(f"{f}/y", "Identity", f"{f}/switch:1"), *body, node(f"{f}/next", "NextIteration", result),
            node(f"{f}/exit", "Exit", f"{f}/switch")]


def run(graph: GraphDef, fetches: Any, feeds: dict[str, Any] | None = None, **importing: Any) -> Any:
    """What a session gives for the graph, imported without a scope."""
    with gc.Graph().as_default():
        gc.import_graph_def(graph, name="", **importing)
        with gc.Session() as session:
            return session.run(fetches, feeds)
