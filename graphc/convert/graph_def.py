"""A GraphDef: frozen, or with variables whose values stand in the file (gc.export_model) or in a checkpoint."""
from __future__ import annotations

import os

import graphc as gc
from graphc.convert.formats import ModelFormat, OpenedModel, Wishes
from graphc.convert.variables import VARIABLES, restore
from graphc.errors import UnimplementedError


def open_graph_def(path: str, wishes: Wishes) -> OpenedModel:
    found = gc.load_graph_def(path)
    with gc.Graph().as_default() as graph:
        gc.import_graph_def(found, name="")
    session = gc.Session(graph=graph)
    if wishes.checkpoint is not None:
        restore(session, wishes.checkpoint)
    elif found.state.variables:
        gc.load_state(session, found)
    return OpenedModel(session, variables=_in_checkpoints(graph, found))


def _in_checkpoints(graph: gc.Graph, found: gc.GraphDef) -> dict[str, gc.Tensor]:
    """The variables by their names in checkpoints; those of their nodes, unless the file says others."""
    if not found.state.variables:
        return {op.name: op.outputs[0] for op in graph.get_operations() if op.type in VARIABLES}
    parts = [v.name for v in found.state.variables if v.part]
    if parts:
        raise UnimplementedError(f"the graph's variable '{parts[0]}' is a part of a partitioned one: export the model "
                                 "anew, gc.export_model, with the signatures that are wanted")
    return {v.key: graph.get_tensor_by_name(f"{v.name}:0") for v in found.state.variables if v.key}


FORMAT = ModelFormat("a graph (.pb, or .pbtxt in text form)", os.path.isfile, open_graph_def)
