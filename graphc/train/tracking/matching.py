"""Which object of a program is which one of a checkpoint: both are walked from their roots, by the children's names."""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from google.protobuf.message import DecodeError

import graphc as gc
from graphc.errors import DataLossError
from graphc.io.checkpoint.opening import Checkpoint as CheckpointFile
from graphc.serial.checkpoint_state_pb2 import TrackableObjectGraph
from graphc.train.optimizer import Optimizer
from graphc.train.saving.objects import OBJECTS
from graphc.train.tracking.children import children
from graphc.train.tracking.object_graph import VALUE


@dataclass
class Matched:
    """objects: of the program, by the number of the checkpoint's; left: what of the checkpoint with values has none, as
    an error shows it; keys: the variables by their keys."""

    objects: dict[int, Any] = field(default_factory=dict)
    left: list[str] = field(default_factory=list)
    keys: dict[str, gc.Variable] = field(default_factory=dict)

    def holds(self, value: Any) -> bool:
        return any(value is one for one in self.objects.values())


def read_object_graph(checkpoint: CheckpointFile) -> TrackableObjectGraph | None:
    """What the checkpoint says of its objects; None if it was saved by the names of variables. Raises DataLossError."""
    if checkpoint.stored(OBJECTS) is None:
        return None
    try:
        made = TrackableObjectGraph.FromString(checkpoint.tensor(OBJECTS).item())
    except (DecodeError, ValueError, TypeError):
        raise DataLossError(f"{checkpoint.prefix}: what it says of its objects cannot be read") from None
    count = len(made.nodes)
    numbers = [n for node in made.nodes for n in (
        *(c.node_id for c in node.children),
        *(m for s in node.slot_variables for m in (s.original_variable_node_id, s.slot_variable_node_id)))]
    if not count or not all(0 <= n < count for n in numbers):
        raise DataLossError(f"{checkpoint.prefix}: it names objects that it does not have")
    return made


def match(saved: TrackableObjectGraph, root: Any) -> Matched:
    made = Matched({0: root})
    waiting = [0]
    while waiting:
        number = waiting.pop(0)
        held = children(made.objects[number])
        for reference in saved.nodes[number].children:
            child = held.get(reference.local_name)
            if child is not None and reference.node_id not in made.objects:
                made.objects[reference.node_id] = child
                waiting.append(reference.node_id)
    _match_slots(saved, made)
    names = _names(saved)
    for number, node in enumerate(saved.nodes):
        one = made.objects.get(number)
        for attribute in node.attributes:
            if isinstance(one, gc.Variable) and attribute.name == VALUE:
                made.keys[attribute.checkpoint_key] = one
        if node.attributes and one is None:
            attributes = ", ".join(repr(a.full_name or a.name) for a in node.attributes)
            made.left.append(f"{names.get(number, '(root)')} ({attributes})")
    return made


def match_names(checkpoint: CheckpointFile, variables: Mapping[str, gc.Variable]) -> Matched:
    """Of a checkpoint that was saved by the names of variables."""
    made = Matched()
    for name in checkpoint.names():
        if name in variables:
            made.keys[name] = variables[name]
        else:
            made.left.append(name)
    made.objects = dict(enumerate(made.keys.values()))
    return made


def _match_slots(saved: TrackableObjectGraph, made: Matched) -> None:
    for number, node in enumerate(saved.nodes):
        optimizer = made.objects.get(number)
        if not isinstance(optimizer, Optimizer):
            continue
        for reference in node.slot_variables:
            variable = made.objects.get(reference.original_variable_node_id)
            slot = optimizer.get_slot(variable, reference.slot_name) if isinstance(variable, gc.Variable) else None
            if slot is not None:
                made.objects.setdefault(reference.slot_variable_node_id, slot)


def _names(saved: TrackableObjectGraph) -> dict[int, str]:
    """A way to each object, for errors."""
    names, waiting = {0: "(root)"}, [0]
    while waiting:
        number = waiting.pop(0)
        node = saved.nodes[number]
        found = [(c.node_id, f"{names[number]}.{c.local_name}") for c in node.children]
        found += [(s.slot_variable_node_id, f"{names[number]}'s slot '{s.slot_name}'") for s in node.slot_variables]
        for other, name in found:
            if other not in names:
                names[other] = name
                waiting.append(other)
    return names
