"""The part of a function that can be run on its own, before the rest: what depends on the fed values alone.

    read_file -> decode_jpeg -> resize_images | random_crop -> random_flip_left_right
                                              ^ the border

An operation belongs to the rest if it, or one that it waits for, has an effect, draws a number or calls Python. Files
are read in the first part: one that changes after its name was given is read as it was.
"""
from __future__ import annotations

from collections.abc import Sequence

from graphc.api.stacking.graph import stays_the_same
from graphc.ir.dtypes import resource, variant
from graphc.ir.graph import Graph
from graphc.ir.host import Host
from graphc.ir.tensor import Operation, Tensor
from graphc.ops.control.control import bodies
from graphc.ops.files.files import ReadFile


def border(graph: Graph, feeds: Sequence[Tensor], fetches: Sequence[Tensor]) -> list[Tensor]:
    """The tensors that the first part hands on: they depend on the feeds, and the rest reads them or they are fetched.
    Empty if the first part would do nothing that is slow."""
    first, rest = _parted(graph, set(feeds))
    needed = _needed(fetches)
    found = dict.fromkeys(t for op in graph.get_operations() if op in rest and op in needed for t in op.inputs
                          if t.op in first)
    found.update(dict.fromkeys(t for t in fetches if t.op in first))
    if any(t.dtype in (resource, variant) for t in found) or not any(_is_slow(op) for op in _needed([*found])):
        return []
    return list(found)


def _parted(graph: Graph, feeds: set[Tensor]) -> tuple[set[Operation], set[Operation]]:
    """The operations that depend on feeds, in the two parts."""
    first: set[Operation] = set()
    rest: set[Operation] = set()
    for op in graph.get_operations():
        waits_for = {*(t.op for t in op.inputs), *op.control_inputs}
        if not (stays_the_same(op) or isinstance(op.definition, ReadFile)) or waits_for & rest:
            rest.add(op)
        elif waits_for & first or any(t in feeds for t in op.inputs):
            first.add(op)
    return first, rest


def _needed(fetches: Sequence[Tensor]) -> set[Operation]:
    found: set[Operation] = set()
    waiting = [t.op for t in fetches]
    while waiting:
        op = waiting.pop()
        if op not in found:
            found.add(op)
            waiting += [*(t.op for t in op.inputs), *op.control_inputs]
    return found


def _is_slow(op: Operation) -> bool:
    definition = op.definition
    return (isinstance(definition, Host) and definition.slow) or any(
        _is_slow(inner) for body in bodies(definition) for inner in body.get_operations())
