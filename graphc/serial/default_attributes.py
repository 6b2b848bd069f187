"""Attributes that say nothing new: those with their default values."""
from __future__ import annotations

import dataclasses

from graphc.ir.op import OPS
from graphc.serial.attributes import attribute_fields, to_attribute, wire_name
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


def default_attributes(op_type: str) -> dict[str, AttrValue]:
    """The attributes that a node need not have, with the values that they then have, here and in TensorFlow."""
    if op_type not in OPS:
        return {}
    return {wire_name(field): to_attribute(field.metadata["kind"], field.default)
            for field in attribute_fields(OPS[op_type])
            if field.default is not dataclasses.MISSING and field.default is not None
            and field.metadata["kind"] not in _ALWAYS_SAID and wire_name(field) not in _SAID.get(op_type, ())}
