"""The nodes of a graph: all of them, what they take from around, and an order in which each comes after its needs."""
from __future__ import annotations

import heapq
from collections.abc import Collection, Iterable, Sequence
from typing import Any

from graphc.errors import DataLossError


def domain_of(name: str) -> str:
    """A domain, the default one always as ""."""
    return "" if name == "ai.onnx" else name


def all_nodes(nodes: Iterable[Any]) -> Iterable[Any]:
    for node in nodes:
        yield node
        for attribute in node.attribute:
            for graph in (*([attribute.g] if attribute.type == 5 else ()), *attribute.graphs):
                yield from all_nodes(graph.node)


def free_names(node: Any) -> set[str]:
    """The names that nested graphs of a node take from around it."""
    found: set[str] = set()
    for attribute in node.attribute:
        for graph in (*([attribute.g] if attribute.type == 5 else ()), *attribute.graphs):
            own = {info.name for info in graph.input} | {t.name for t in graph.initializer}
            own |= {name for inner in graph.node for name in inner.output}
            used = {name for inner in graph.node for name in (*inner.input, *free_names(inner)) if name}
            found |= (used | {info.name for info in graph.output}) - own
    return found


def in_order(nodes: Sequence[Any], known: Collection[str], where: str) -> Iterable[Any]:
    """The nodes so that each comes after those that make what it takes. Raises DataLossError if there is no such order,
    or a name is made twice or by nothing."""
    maker: dict[str, int] = {}
    for i, node in enumerate(nodes):
        for name in node.output:
            if name and name in maker:
                raise DataLossError(f"{where}: the name {name!r} is made twice")
            maker[name] = i
    maker.pop("", None)
    needs: list[set[int]] = []
    users: list[list[int]] = [[] for _ in nodes]
    for i, node in enumerate(nodes):
        names = {name for name in node.input if name} | free_names(node)
        for name in names:
            if name not in maker and name not in known:
                raise DataLossError(f"{where}: node {node.name!r} ({node.op_type}) takes {name!r}, which nothing makes")
        needs.append({maker[name] for name in names if name in maker})
        for j in needs[i]:
            users[j].append(i)
    ready = [i for i, needed in enumerate(needs) if not needed]        # sorted, so it is a heap
    count = 0
    while ready:
        i = heapq.heappop(ready)
        count += 1
        yield nodes[i]
        for user in users[i]:
            needs[user].discard(i)
            if not needs[user]:
                heapq.heappush(ready, user)
    if count < len(nodes):
        stuck = [node for node, needed in zip(nodes, needs, strict=True) if needed]
        raise DataLossError(f"{where}: its nodes are in a circle: "
                            + ", ".join(f"{node.name!r} ({node.op_type})" for node in stuck[:8]))
