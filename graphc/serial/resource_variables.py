"""Graphs with TensorFlow's resource variables (VarHandleOp), as they are with plain ones: graphc's variables have their
meaning. Each op has one of the other kind that does the same; names stay. Functions take variables in the place of
handles (variable_arguments.py), and those that no node uses are left out: Keras saves many.
"""
from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from graphc.errors import UnimplementedError
from graphc.serial.graph_pb2 import FunctionDef, GraphDef, NodeDef
from graphc.serial.variable_arguments import VariableArguments


@dataclass(frozen=True)
class Plain:
    """The op of the other kind. dtype: its attribute for the variable's dtype; kept: the attributes that both have;
    result: how functions call its result, if the other one calls it otherwise."""

    op: str
    dtype: str = ""
    kept: tuple[str, ...] = ()
    result: str = ""


_PLAIN = {
    "VarHandleOp": Plain("VariableV2", "dtype", ("shape", "container", "shared_name")),
    "ReadVariableOp": Plain("Identity", "T", result="output"),
    "DisableCopyOnRead": Plain("NoOp"),           # a hint for what saves; TensorFlow 2.13 and later
    "VarIsInitializedOp": Plain("IsVariableInitialized", "dtype"),
    "AssignVariableOp": Plain("Assign", "T"),
    "AssignAddVariableOp": Plain("AssignAdd", "T"),
    "AssignSubVariableOp": Plain("AssignSub", "T"),
    "VariableShape": Plain("Shape", "T", ("out_type",), result="output"),
    "ResourceGather": Plain("Gather", "Tparams", ("Tindices", "validate_indices")),
}


def with_plain_variables(graph_def: GraphDef) -> GraphDef:
    """The graph, or if it has handles of variables a copy, in which the ops on them are those on variables."""
    dtypes = {n.name: n.attr["dtype"].type for n in graph_def.node if n.op == "VarHandleOp"}
    if not dtypes:
        return graph_def
    made = GraphDef()
    made.CopyFrom(graph_def)
    arguments = VariableArguments(made, dtypes)
    for node in made.node:
        arguments.rewrite(node, dtypes)
        _rewrite(node, dtypes)
    kept = [f for f in made.library.function if f.signature.name in arguments.used]
    del made.library.function[:]
    made.library.function.extend(kept)
    for function in made.library.function:
        _rewrite_function(function, arguments)
    return made


def _rewrite_function(function: FunctionDef, arguments: VariableArguments) -> None:
    results: dict[str, str] = {}
    variables = arguments.known[function.signature.name]
    arguments.rewrite_signature(function)
    for node in function.node_def:
        plain = _PLAIN.get(node.op)
        arguments.rewrite(node, variables)
        _rewrite(node, variables)
        if plain is not None and plain.result:
            results[node.name] = plain.result
    for node in function.node_def:
        node.input[:] = [_renamed(text, results) for text in node.input]
    for key, text in function.ret.items():
        function.ret[key] = _renamed(text, results)


def _renamed(text: str, results: dict[str, str]) -> str:
    name, _, number = text.partition(":")
    return f"{name}:{results[name]}:{number.rpartition(':')[2]}" if name in results and number else text


def _is_update(op: str) -> bool:
    """ResourceApplyAdam, ResourceSparseApplyAdagrad, ResourceScatterAdd, ..."""
    return op.startswith(("ResourceApply", "ResourceSparseApply", "ResourceScatter"))


def _rewrite(node: NodeDef, dtypes: dict[str, Any]) -> None:
    plain = _PLAIN.get(node.op)
    if plain is None:
        if _is_update(node.op):
            node.op = node.op.removeprefix("Resource")
        return
    if node.op == "ResourceGather" and node.attr["batch_dims"].i:
        raise UnimplementedError(f"ResourceGather '{node.name}': attribute 'batch_dims' is "
                                 f"{node.attr['batch_dims'].i}; of variables only 0 is supported")
    if plain.op == "NoOp":
        node.input[:] = [text for text in node.input if text.startswith("^")]
    dtype = dtypes.get(node.input[0] if node.input else node.name) or node.attr["dtype"].type
    node.op = plain.op
    for name in [n for n in node.attr if n not in plain.kept and n != "_class"]:
        del node.attr[name]
    if plain.dtype and dtype:
        node.attr[plain.dtype].type = dtype
