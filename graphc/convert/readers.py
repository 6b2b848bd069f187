"""All formats of models, and the one that a path is of."""
from __future__ import annotations

import os

from graphc.convert import graph_def, meta_graph, onnx_model, saved_model
from graphc.convert.formats import OpenedModel, Wishes
from graphc.errors import InvalidArgumentError, NotFoundError

# In the order in which a path is offered to them; any file may be a graph.
FORMATS = (onnx_model.FORMAT, saved_model.FORMAT, meta_graph.FORMAT, graph_def.FORMAT)


def open_model(path: str, wishes: Wishes) -> OpenedModel:
    """Raises NotFoundError if there is no such file, InvalidArgumentError if it is of no known format, and what the
    format's reader raises."""
    for one in FORMATS:
        if one.fits(path):
            return one.open(path, wishes)
    if not os.path.exists(path):
        raise NotFoundError(f"there is no file {path}")
    raise InvalidArgumentError(f"{path} is none of: {', '.join(one.what for one in FORMATS)}")
