"""An ONNX model: its weights are constants, its one signature has its inputs and outputs by their names."""
from __future__ import annotations

import graphc as gc
from graphc.convert.formats import ModelFormat, OpenedModel, Wishes
from graphc.errors import InvalidArgumentError


def open_onnx(path: str, wishes: Wishes) -> OpenedModel:
    if wishes.checkpoint is not None:
        raise InvalidArgumentError(f"a checkpoint ({wishes.checkpoint}) was given for {path}, but an ONNX model has "
                                   "its weights in itself")
    model = gc.onnx.load(path, shapes=dict(wishes.shapes) or None)
    return OpenedModel(gc.Session(graph=model.graph), {"serving_default": gc.Signature(model.outputs, model.inputs)})


FORMAT = ModelFormat("an ONNX model (.onnx)", lambda path: path.endswith(".onnx"), open_onnx)
