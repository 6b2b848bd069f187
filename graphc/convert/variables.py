"""Values of a graph's variables out of a checkpoint, by the names of their nodes: a GraphDef has no Saver."""
from __future__ import annotations

from typing import Any

import graphc as gc
from graphc.errors import InvalidArgumentError

VARIABLES = ("VariableV2", "Variable")


def restore(session: Any, prefix: str) -> None:
    """Those that the checkpoint has; what needs another one says so when it is read. Raises InvalidArgumentError if
    it has none of them, NotFoundError if it is not there."""
    reader = gc.train.NewCheckpointReader(prefix)
    variables = {op.name: op.outputs[0] for op in session.graph.get_operations() if op.type in VARIABLES}
    found = {name: tensor for name, tensor in variables.items() if reader.has_tensor(name)}
    if not found:
        raise InvalidArgumentError(f"the checkpoint {prefix} has none of the graph's {len(variables)} variables")
    with session.graph.as_default():
        gc.train.Saver(found).restore(session, prefix)
