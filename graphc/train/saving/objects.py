"""Checkpoints of tf.train.Checkpoint, whose tensors are called by the way to them: "model/layers/0/kernel/.ATTRIBUTES/
VARIABLE_VALUE". A message under a name of its own, a string, says what each variable was called in its program.
"""
from __future__ import annotations

from google.protobuf.message import DecodeError

from graphc.errors import DataLossError
from graphc.io.checkpoint.opening import Checkpoint
from graphc.serial.checkpoint_state_pb2 import TrackableObjectGraph

OBJECTS = "_CHECKPOINTABLE_OBJECT_GRAPH"


def keys_of_variables(checkpoint: Checkpoint) -> dict[str, str]:
    """Names of variables -> of their tensors; {} for other checkpoints. A name that several variables had is none."""
    if checkpoint.stored(OBJECTS) is None:
        return {}
    try:
        graph = TrackableObjectGraph.FromString(checkpoint.tensor(OBJECTS).item())
    except (DecodeError, ValueError, TypeError):
        raise DataLossError(f"{checkpoint.prefix}: what it says of its objects cannot be read") from None
    found: dict[str, set[str]] = {}
    for node in graph.nodes:
        for tensor in node.attributes:
            if tensor.full_name and checkpoint.stored(tensor.checkpoint_key) is not None:
                found.setdefault(tensor.full_name, set()).add(tensor.checkpoint_key)
    return {name: next(iter(keys)) for name, keys in found.items() if len(keys) == 1}
