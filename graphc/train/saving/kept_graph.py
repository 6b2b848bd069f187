"""The GraphDef of a graph that is saved again and again: made again only if the graph has changed since.

What a GraphDef is made of are objects that are replaced, never changed: so a graph is as it was if all of them are the
same objects.
"""
from __future__ import annotations

from collections.abc import Iterator
from operator import is_
from typing import Any

from graphc.serial.broadcast_gradients import with_broadcast_gradient_args
from graphc.serial.graph_pb2 import GraphDef
from graphc.serial.reads_before_writes import with_reads_before_writes

MOST_BYTES = 32 << 20          # of a GraphDef that is kept: constants would stay in memory twice


def whole_graph_def(graph: Any) -> GraphDef:
    """With shapes, and as TensorFlow runs it."""
    made: GraphDef = graph.as_graph_def(add_shapes=True)
    with_broadcast_gradient_args(made)
    with_reads_before_writes(made)
    return made


class KeptGraph:
    """See the header. Made for one Saver."""

    def __init__(self) -> None:
        self._parts: list[tuple[Any, ...]] = []
        self._made: GraphDef | None = None

    def graph_def(self, graph: Any) -> GraphDef:
        """whole_graph_def(graph), which the caller does not change."""
        parts = list(_parts(graph))
        if self._made is not None and _same(parts, self._parts):
            return self._made
        made = whole_graph_def(graph)
        self._parts, self._made = (parts, made) if made.ByteSize() <= MOST_BYTES else ([], None)
        return made


def _parts(graph: Any) -> Iterator[tuple[Any, ...]]:
    for operation in graph.get_operations():
        yield (operation, operation.definition, operation.inputs, operation.device, operation.gradient_name,
               *operation.control_inputs, *(tensor.spec for tensor in operation.outputs),
               *operation.extra_attributes.values())
    for body in graph.functions.values():
        yield body, *body.outputs
        yield from _parts(body)


def _same(these: list[tuple[Any, ...]], those: list[tuple[Any, ...]]) -> bool:
    return len(these) == len(those) and all(
        len(a) == len(b) and all(map(is_, a, b)) for a, b in zip(these, those, strict=True))
