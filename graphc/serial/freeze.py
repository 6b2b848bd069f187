"""Frozen graphs: variables become constants, and only what the outputs need is kept.

convert_variables_to_constants makes what TensorFlow makes; `freeze` adds the compiled Plans, so that the runner can
run it.
"""
from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Collection, Iterable, Sequence
from typing import Any

import numpy as np

from graphc.api.public import public
from graphc.errors import InvalidArgumentError
from graphc.ir import names
from graphc.ir.dtypes import as_dtype
from graphc.ir.graph import Graph, Operation
from graphc.ir.tensor import Tensor
from graphc.serial.graph_pb2 import GraphDef, NodeDef
from graphc.serial.graphdef import as_graph_def
from graphc.serial.importer import import_graph_def
from graphc.serial.plan_proto import graph_hash, save_plan
from graphc.serial.tensors import make_ndarray, tensor_to_proto

_VARIABLES = ("VariableV2", "Variable")


@public("graph_util.convert_variables_to_constants")
def convert_variables_to_constants(sess: Any, input_graph_def: GraphDef, output_node_names: Sequence[str],
                                   variable_names_whitelist: Collection[str] | None = None,
                                   variable_names_blacklist: Collection[str] | None = None) -> GraphDef:
    """The part of the graph that the outputs need, its variables replaced by their values in `sess`, as
    `tf.graph_util.convert_variables_to_constants`.

    Raises InvalidArgumentError for an unknown name, FailedPreconditionError for a variable that was never initialised.
    """
    kept = extract_sub_graph(input_graph_def, output_node_names)
    chosen = [n.name for n in kept.node if n.op in _VARIABLES
              and (variable_names_whitelist is None or n.name in variable_names_whitelist)
              and (variable_names_blacklist is None or n.name not in variable_names_blacklist)]
    values = dict(zip(chosen, sess.run([f"{name}:0" for name in chosen]) if chosen else [], strict=True))
    made = GraphDef(versions=kept.versions, library=kept.library)
    for node in kept.node:
        target = made.node.add()
        if node.name in values:
            fill_constant(target, node.name, np.asarray(values[node.name]))
        else:
            target.CopyFrom(node)
    return made


def fill_constant(node: NodeDef, name: str, value: np.ndarray[Any, Any]) -> None:
    node.name, node.op = name, "Const"
    node.attr["dtype"].type = as_dtype(value.dtype).number  # type: ignore[assignment]
    node.attr["value"].tensor.CopyFrom(tensor_to_proto(value))


@public("graph_util.extract_sub_graph")
def extract_sub_graph(graph_def: GraphDef, dest_nodes: Iterable[str]) -> GraphDef:
    """The nodes that dest_nodes need, in their order, as `tf.graph_util.extract_sub_graph`."""
    if isinstance(dest_nodes, str):
        raise TypeError("dest_nodes must be a list of names, not a string")
    nodes = {n.name: n for n in graph_def.node}
    needed: set[str] = set()
    waiting = [_node_name(d) for d in dest_nodes]
    for name in waiting:
        if name not in nodes:
            raise InvalidArgumentError(f"{name} is not in graph{names.suggestion(name, nodes)}")
    while waiting:
        name = waiting.pop()
        if name in nodes and name not in needed:
            needed.add(name)
            waiting += [_node_name(i) for i in nodes[name].input]
    made = GraphDef(versions=graph_def.versions, library=graph_def.library)
    made.node.extend(n for n in graph_def.node if n.name in needed)
    return made


def _node_name(text: str) -> str:
    return text.removeprefix("^").partition(":")[0]


@public("freeze")
def freeze(session: Any, outputs: Any, inputs: Any = None, signature: str = "serving_default") -> GraphDef:
    """A GraphDef that computes `outputs` without variables, with its compiled Plan inside. (graphc's own)

    outputs, inputs: tensors, operations or names, one or a list. inputs: what the caller will feed; by default the
    placeholders that the outputs need, in the order in which they were made (those with a default keep it). Raises
    FailedPreconditionError for an uninitialised variable, InvalidArgumentError for a needed placeholder not in inputs.
    """
    graph: Graph = session.graph
    fetches = [_tensor(graph, o) for o in _listed(outputs)]
    given = None if inputs is None else [_tensor(graph, i) for i in _listed(inputs)]
    frozen = convert_variables_to_constants(session, as_graph_def(graph), [t.op.name for t in fetches])
    add_plan(frozen, [t.name for t in fetches], None if given is None else [t.name for t in given], signature)
    return frozen


def add_plan(graph_def: GraphDef, outputs: Sequence[str], inputs: Sequence[str] | None = None,
             signature: str = "serving_default") -> None:
    """Compiles the graph for these feeds and fetches and puts the Plan into graph_def, in place of one of the same
    signature."""
    from graphc.plan.compile import compile_graph

    graph = Graph()
    with graph.as_default():
        import_graph_def(graph_def, name="")
    feeds = ([graph.get_tensor_by_name(i) for i in inputs] if inputs is not None
             else [op.outputs[0] for op in graph.get_operations() if op.type == "Placeholder"])
    for feed in feeds:
        if feed.spec.shape is None:
            raise InvalidArgumentError(
                f"freeze: the rank of the input '{feed.name}' is not known; give its placeholder a shape "
                "(unknown sizes are None)"
            )
    compiled = compile_graph([graph.get_tensor_by_name(o) for o in outputs], (), feeds)
    stored = _StoredConstants(graph_def)
    plan = dataclasses.replace(compiled.plan, constants=tuple(
        dataclasses.replace(constant, name=stored.name(constant.name, compiled.constants[constant.name]))
        for constant in compiled.plan.constants))
    kept = [p for p in graph_def.plans if p.signature != signature]
    hashed = graph_hash(graph_def)
    del graph_def.plans[:]
    for old in kept:
        old.graph_hash = hashed      # its nodes are all still there: only constants were added
    graph_def.plans.extend([*kept, save_plan(plan, signature, hashed)])


class _StoredConstants:
    """The Const nodes of a GraphDef by value: a weight is stored once, whatever the plan calls it."""

    def __init__(self, graph_def: GraphDef) -> None:
        self.graph_def = graph_def
        self.nodes = {n.name: n for n in graph_def.node}
        self.by_value: dict[Any, list[str]] = {}
        for node in graph_def.node:
            if node.op == "Const":
                self.by_value.setdefault(_key(make_ndarray(node.attr["value"].tensor)), []).append(node.name)

    def name(self, wanted: str, value: np.ndarray[Any, Any]) -> str:
        """The node that holds `value`, of the name wanted if that one does; a new one for what folding computed."""
        holders = self.by_value.setdefault(_key(value), [])
        if not holders:
            holders.append(self._added(value))
        name = wanted if wanted in holders else holders[0]
        node = self.nodes[name]
        if not node.attr["value"].tensor.tensor_content and value.size and value.dtype.kind != "O":
            fill_constant(node, name, value)     # the runner reads tensor_content only
        return name

    def _added(self, value: np.ndarray[Any, Any]) -> str:
        number = 0
        while f"graphc/constant_{number}" in self.nodes:
            number += 1
        node = self.graph_def.node.add()
        fill_constant(node, f"graphc/constant_{number}", value)
        self.nodes[node.name] = node
        return node.name


def _key(value: np.ndarray[Any, Any]) -> Any:
    if value.dtype.kind == "O":
        return value.shape, *value.ravel()
    return value.dtype.str, value.shape, hashlib.sha256(np.ascontiguousarray(value).data).digest()


def _listed(values: Any) -> list[Any]:
    return list(values) if isinstance(values, (list, tuple)) else [values]


def _tensor(graph: Graph, value: Any) -> Tensor:
    element = graph.as_graph_element(value)
    if isinstance(element, Operation):
        if not element.outputs:
            raise InvalidArgumentError(
                f"'{element.name}' ({element.type}) has no value that could be an output", element
            )
        return element.outputs[0]
    assert isinstance(element, Tensor)
    return element
