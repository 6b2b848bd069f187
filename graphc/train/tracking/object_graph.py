"""All objects below one, as a TrackableObjectGraph (proto/checkpoint_state.proto), and the keys of their variables.

A key is the way to the object, the shortest one: "model/layers/0/kernel/.ATTRIBUTES/VARIABLE_VALUE"; of an optimizer's
slot the way to the variable, then to the optimizer: "w/.OPTIMIZER_SLOT/optimizer/m/.ATTRIBUTES/VARIABLE_VALUE".
"""
from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import graphc as gc
from graphc.serial.checkpoint_state_pb2 import TrackableObjectGraph
from graphc.train.optimizer import Optimizer
from graphc.train.tracking.children import children

VALUE = "VARIABLE_VALUE"


@dataclass
class ObjectGraph:
    """objects: the first is the root; paths: the ways to them; slots: (optimizer, variable, slot's name, slot), by the
    numbers of the first two."""

    objects: list[Any] = field(default_factory=list)
    paths: list[tuple[str, ...]] = field(default_factory=list)
    links: list[list[tuple[str, int]]] = field(default_factory=list)
    slots: list[tuple[int, int, str, gc.Variable]] = field(default_factory=list)

    def variables(self) -> Iterator[tuple[str, gc.Variable]]:
        """Every variable with its key."""
        for path, one in zip(self.paths, self.objects, strict=True):
            if isinstance(one, gc.Variable):
                yield _key("/".join(map(escaped, path))), one
        for optimizer, variable, name, slot in self.slots:
            yield _key(self._slot_path(optimizer, variable, name)), slot

    def _slot_path(self, optimizer: int, variable: int, name: str) -> str:
        of, by = ("/".join(map(escaped, self.paths[i])) for i in (variable, optimizer))
        return f"{of}/.OPTIMIZER_SLOT/{by}/{escaped(name)}"

    def proto(self) -> TrackableObjectGraph:
        made = TrackableObjectGraph()
        keys = {id(variable): key for key, variable in self.variables()}
        for one, links in zip(self.objects, self.links, strict=True):
            node = made.nodes.add()
            for name, number in links:
                node.children.add(node_id=number, local_name=name)
            _describe(node, one, keys)
        for optimizer, variable, name, slot in self.slots:
            made.nodes[optimizer].slot_variables.add(
                original_variable_node_id=variable, slot_name=name, slot_variable_node_id=len(made.nodes))
            _describe(made.nodes.add(), slot, keys)
        return made


def _describe(node: Any, one: Any, keys: dict[int, str]) -> None:
    if isinstance(one, gc.Variable):
        node.attributes.add(name=VALUE, full_name=one.op.name, checkpoint_key=keys[id(one)])


def object_graph(root: Any) -> ObjectGraph:
    """Breadth first: the way to an object is the shortest one. Raises what `children` does."""
    made = ObjectGraph([root], [()], [[]])
    numbers = {id(root): 0}
    place = 0
    while place < len(made.objects):
        for name, child in children(made.objects[place]).items():
            if id(child) not in numbers:
                numbers[id(child)] = len(made.objects)
                made.objects.append(child)
                made.paths.append((*made.paths[place], name))
                made.links.append([])
            made.links[place].append((name, numbers[id(child)]))
        place += 1
    for number, one in enumerate(list(made.objects)):
        if isinstance(one, Optimizer):
            _add_slots(made, number, one, numbers)
    return made


def _add_slots(made: ObjectGraph, number: int, optimizer: Optimizer, numbers: dict[int, int]) -> None:
    for place, variable in enumerate(made.objects):
        if not isinstance(variable, gc.Variable):
            continue
        for name in optimizer.get_slot_names():
            slot = optimizer.get_slot(variable, name)
            if slot is not None and id(slot) not in numbers:
                made.slots.append((number, place, name, slot))


def escaped(name: str) -> str:
    """A name as a part of a key."""
    return name.replace(".", "..").replace("/", ".S")


def _key(path: str) -> str:
    return f"{path}/.ATTRIBUTES/{VALUE}"
