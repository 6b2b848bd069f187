"""Graphs with TensorFlow's resource variables (VarHandleOp), as they are with plain ones: graphc's variables have their
meaning. Each op has one of the other kind that does the same; names stay.
"""
from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from graphc.serial.graph_pb2 import GraphDef, NodeDef


@dataclass(frozen=True)
class Plain:
    """The op of the other kind. dtype: its attribute for the variable's dtype; kept: the attributes that both have."""

    op: str
    dtype: str
    kept: tuple[str, ...] = ()


_PLAIN = {
    "VarHandleOp": Plain("VariableV2", "dtype", ("shape", "container", "shared_name")),
    "ReadVariableOp": Plain("Identity", "T"),
    "VarIsInitializedOp": Plain("IsVariableInitialized", "dtype"),
    "AssignVariableOp": Plain("Assign", "T"),
    "AssignAddVariableOp": Plain("AssignAdd", "T"),
    "AssignSubVariableOp": Plain("AssignSub", "T"),
    "VariableShape": Plain("Shape", "T", ("out_type",)),
    "ResourceGather": Plain("Gather", "Tparams", ("Tindices", "validate_indices")),
}


def with_plain_variables(graph_def: GraphDef) -> GraphDef:
    """The graph, or if it has handles of variables a copy, in which the ops on them are those on variables. Functions
    stay as they are."""
    dtypes = {n.name: n.attr["dtype"].type for n in graph_def.node if n.op == "VarHandleOp"}
    if not dtypes:
        return graph_def
    made = GraphDef()
    made.CopyFrom(graph_def)
    for node in made.node:
        plain = _PLAIN.get(node.op)
        if plain is not None:
            _rewrite(node, plain, dtypes)
        elif node.op.startswith("Resource") and _is_update(node.op):
            node.op = node.op.removeprefix("Resource")
    return made


def _is_update(op: str) -> bool:
    """ResourceApplyAdam, ResourceSparseApplyAdagrad, ResourceScatterAdd, ..."""
    return op.removeprefix("Resource").startswith(("Apply", "SparseApply", "Scatter"))


def _rewrite(node: NodeDef, plain: Plain, dtypes: dict[str, Any]) -> None:
    dtype = dtypes.get(node.input[0] if node.input else node.name) or node.attr["dtype"].type
    node.op = plain.op
    for name in [n for n in node.attr if n not in plain.kept and n != "_class"]:
        del node.attr[name]
    node.attr[plain.dtype].type = dtype
