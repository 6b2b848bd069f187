"""Attributes that say nothing new: those with their default values."""
from __future__ import annotations

import dataclasses
from typing import Any

from graphc.ir.op import OPS
from graphc.serial.attributes import attribute_fields, known_names, to_attribute, wire_name
from graphc.serial.graph_pb2 import AttrValue, GraphDef

# Where TensorFlow's ops have no defaults, and refuse nodes without the attribute. Types mostly have none.
_ALWAYS_SAID = ("type", "list(type)", "list(shape)")
_SAID = {"IteratorV2": ("shared_name", "container")}


def strip_default_attributes(graph_def: GraphDef) -> None:
    """Takes attributes with their default values off all nodes, so that older readers, which do not know the
    attributes, read the graph; what is read is the same."""
    for node in (*graph_def.node, *(n for f in graph_def.library.function for n in f.node_def)):
        for name, default in default_attributes(node.op).items():
            if name in node.attr and node.attr[name] == default:
                del node.attr[name]


def without_new_defaults(graph_def: GraphDef, op_list: Any) -> GraphDef:
    """A copy without the attributes that graphc does not know and that have the defaults of the program which made the
    graph. op_list: an OpList with its ops (a MetaGraphDef's meta_info_def.stripped_op_list), graphc's or TensorFlow's.
    """
    made, ops = GraphDef(), {op.name: op for op in op_list.op}
    made.CopyFrom(graph_def)
    for node in (*made.node, *(n for f in made.library.function for n in f.node_def)):
        if node.op not in ops or node.op not in OPS:
            continue
        known = known_names(OPS[node.op])
        for said in ops[node.op].attr:
            if said.HasField("default_value") and said.name not in known and said.name in node.attr \
                    and _bytes(node.attr[said.name]) == _bytes(said.default_value):
                del node.attr[said.name]
    return made


def _bytes(value: Any) -> bytes:
    made: bytes = value.SerializeToString(deterministic=True)
    return made


def default_attributes(op_type: str) -> dict[str, AttrValue]:
    """The attributes that a node need not have, with the values that they then have, here and in TensorFlow."""
    if op_type not in OPS:
        return {}
    return {wire_name(field): to_attribute(field.metadata["kind"], field.default)
            for field in attribute_fields(OPS[op_type])
            if field.default is not dataclasses.MISSING and field.default is not None
            and field.metadata["kind"] not in _ALWAYS_SAID and wire_name(field) not in _SAID.get(op_type, ())}
