"""A SavedModel: a folder with saved_model.pb, or the path of that file. Its signatures become the converted file's."""
from __future__ import annotations

import os
from typing import Any

import graphc as gc
from graphc.convert.formats import ModelFormat, OpenedModel, Wishes
from graphc.errors import InvalidArgumentError, UnimplementedError
from graphc.saved_model import fixed_names as names
from graphc.serial.signatures import Signature

_INIT = "__saved_model_init_op"        # TensorFlow 2's: no signature to be asked
_FILES = (names.SAVED_MODEL_FILENAME_PB, names.SAVED_MODEL_FILENAME_PBTXT)


def _folder(path: str) -> str:
    return os.path.dirname(path) or "." if os.path.basename(path) in _FILES else path


def open_saved_model(path: str, wishes: Wishes) -> OpenedModel:
    if wishes.checkpoint is not None:
        raise InvalidArgumentError("a SavedModel has its own variables: leave --checkpoint out")
    graph = gc.Graph()
    session = gc.Session(graph=graph)
    try:
        found = gc.saved_model.load(session, wishes.tags, _folder(path))
    except RuntimeError as error:                # it has no graph of these tags, and says which it has
        raise InvalidArgumentError(f"--tag: {error}") from None
    return OpenedModel(session, signatures_of(found, graph))


def signatures_of(meta_graph: Any, graph: Any) -> dict[str, Signature]:
    """Those of a meta graph, in the order of their names."""
    return {name: Signature(_tensors(name, graph, one.outputs), _tensors(name, graph, one.inputs))
            for name, one in sorted(meta_graph.signature_def.items()) if name != _INIT}


def _tensors(signature: str, graph: Any, infos: Any) -> dict[str, Any]:
    found = {}
    for key, info in sorted(infos.items()):
        if info.WhichOneof("encoding") != "name":
            raise UnimplementedError(f"signature '{signature}': '{key}' is a sparse tensor; name its three tensors by "
                                     "--signature NAME=INPUTS:OUTPUTS")
        found[key] = graph.as_graph_element(info.name, allow_operation=False)
    return found


FORMAT = ModelFormat("a SavedModel", lambda path: gc.saved_model.contains_saved_model(_folder(path)), open_saved_model)
