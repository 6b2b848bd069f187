"""Meta graphs: a graph with its collections and its Saver, in the `.meta` file beside a checkpoint."""
from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import graphc as gc
from graphc.api.public import public
from graphc.errors import UnimplementedError
from graphc.serial.default_attributes import strip_default_attributes
from graphc.serial.graph_pb2 import GraphDef, NodeDef
from graphc.serial.meta_graph_pb2 import MetaGraphDef, SaverDef
from graphc.train.saving.collections import export_collection, strip_scope
from graphc.train.saving.kept_graph import whole_graph_def

UNBOUND = "$unbound_inputs_"             # in front of the names of inputs that are outside the scope
UNBOUND_KEY = "unbound_inputs"           # the collection of those names
_SAVER_OPS = {"SaveV2", "Save", "SaveSlices", "RestoreV2", "Restore", "RestoreSlice"}


@public("train.export_meta_graph")
def export_meta_graph(filename: str | None = None, meta_info_def: Any = None, graph_def: GraphDef | None = None,
                      saver_def: SaverDef | None = None, collection_list: Sequence[str] | None = None,
                      as_text: bool = False, graph: Any = None, export_scope: str | None = None,
                      clear_devices: bool = False, clear_extraneous_savers: bool = False,
                      strip_default_attrs: bool = False, save_debug_info: bool = False) -> MetaGraphDef:
    """The graph with its collections and saver_def as a message, written to `filename` if given; as
    `tf.train.export_meta_graph`.

    collection_list: which collections; None: all. export_scope: only what is inside, without that prefix; inputs from
    outside become the collection "unbound_inputs". clear_extraneous_savers: without the nodes of other Savers.
    strip_default_attrs: attributes that have their default values are left out. Collections of what no message can hold
    are left out with a warning. Raises ValueError for graph_def together with export_scope, UnimplementedError for
    save_debug_info.

    >>> v = gc.Variable([1., 2.], name="v")
    >>> meta_graph = gc.train.export_meta_graph("graph.meta")
    >>> sorted(meta_graph.collection_def)
    ['trainable_variables', 'variables']
    >>> [node.name for node in meta_graph.graph_def.node]
    ['v/initial_value', 'v', 'v/Assign', 'v/read']
    """
    if save_debug_info:
        raise UnimplementedError("export_meta_graph: argument 'save_debug_info' is not supported (the lines that built "
                                 "the operations are not saved)")
    if graph_def is not None and export_scope:
        raise ValueError("graph_def and export_scope cannot both be given.")
    graph = graph if graph is not None else gc.get_default_graph()
    scope = export_scope.rstrip("/") if export_scope else None
    made = MetaGraphDef()
    if meta_info_def is not None:
        made.meta_info_def.CopyFrom(meta_info_def)
    made.graph_def.CopyFrom(whole_graph_def(graph) if graph_def is None else graph_def)
    others = extraneous_saver_nodes(made.graph_def, saver_def) if clear_extraneous_savers else set()
    if scope or others or clear_devices:
        unbound = _keep(made.graph_def, scope, others, clear_devices)
        if unbound:
            made.collection_def[UNBOUND_KEY].bytes_list.value.extend(name.encode() for name in unbound)
    if strip_default_attrs:
        strip_default_attributes(made.graph_def)
        made.meta_info_def.stripped_default_attrs = True
    if saver_def is not None:
        made.saver_def.CopyFrom(saver_def)
    for key in graph.get_all_collection_keys() if collection_list is None else collection_list:
        export_collection(made.collection_def, key, graph.get_collection(key), scope, others)
    if filename:
        gc.train.write_graph(made, os.path.dirname(filename), os.path.basename(filename), as_text=as_text)
    return made


def extraneous_saver_nodes(graph_def: GraphDef, saver_def: SaverDef | None) -> set[str]:
    """The nodes in the scopes of Savers, but for those of the one that is named."""
    kept = {_scope(saver_def.save_tensor_name), _scope(saver_def.restore_op_name)} if saver_def else set()
    scopes = tuple({_scope(n.name) for n in graph_def.node if n.op in _SAVER_OPS} - kept - {""})
    return {n.name for n in graph_def.node if n.name.startswith(scopes)} if scopes else set()


def _scope(name: str) -> str:
    scope = name.rpartition("/")[0]
    return f"{scope}/" if scope else ""


def _keep(graph_def: GraphDef, scope: str | None, others: set[str], clear_devices: bool) -> list[str]:
    """Leaves the nodes of the scope, without that prefix. The names of what they take from outside are returned."""
    nodes = [n for n in graph_def.node if n.name not in others and (not scope or n.name.startswith(f"{scope}/"))]
    copies, unbound = [], []
    for node in nodes:
        copy = NodeDef()
        copy.CopyFrom(node)
        copy.name = strip_scope(node.name, scope)
        if clear_devices:
            copy.device = ""
        for i, name in enumerate(node.input):
            copy.input[i] = strip_scope(name, scope)
            if scope and not name.removeprefix("^").startswith(f"{scope}/"):
                mark = "^" if name.startswith("^") else ""
                copy.input[i] = f"{mark}{UNBOUND}{name.removeprefix('^')}"
                unbound.append(copy.input[i])
        copies.append(copy)
    del graph_def.node[:]
    graph_def.node.extend(copies)
    return list(dict.fromkeys(unbound))
