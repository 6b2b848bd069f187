"""Attributes that say nothing new: those with their default values."""
from __future__ import annotations

import dataclasses

from graphc.ir.op import OPS
from graphc.serial.attributes import attribute_fields, to_attribute, wire_name
from graphc.serial.graph_pb2 import GraphDef


def strip_default_attributes(graph_def: GraphDef) -> None:
    """Takes attributes with their default values off all nodes, so that older readers, which do not know the
    attributes, read the graph; what is read is the same."""
    for node in (*graph_def.node, *(n for f in graph_def.library.function for n in f.node_def)):
        if node.op not in OPS:
            continue
        for field in attribute_fields(OPS[node.op]):
            name, default = wire_name(field), field.default
            if default is dataclasses.MISSING or default is None or name not in node.attr:
                continue
            if node.attr[name] == to_attribute(field.metadata["kind"], default):
                del node.attr[name]
