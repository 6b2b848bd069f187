"""The order of a body's steps.

Start from the depth-first order of the flow (operands right before their users, which keeps few buffers alive), then
let a node that overwrites a variable wait until the readers of the old value are done ("soft" edges), so that the
write can happen in place. Where that is impossible, because such a reader needs the node, the edge is dropped and the
value is copied (plan/lower.py decides by the final order).
"""
from __future__ import annotations

import heapq
from collections.abc import Sequence

from graphc.ir.node import Node


def schedule(nodes: Sequence[Node], soft: Sequence[tuple[Node, Node]] = ()) -> list[Node]:
    """`nodes`, which stand in a topological order, in a better one. soft: (before, after), kept where possible."""
    position = {node: i for i, node in enumerate(nodes)}
    users: list[list[int]] = [[] for _ in nodes]
    missing = [0] * len(nodes)
    for i, node in enumerate(nodes):
        for before in {*(v.node for v in node.inputs), *node.after}:
            users[position[before]].append(i)
            missing[i] += 1
    waiting = [0] * len(nodes)
    releases: list[list[int]] = [[] for _ in nodes]
    for before, after in dict.fromkeys(soft):
        if before is not after:
            releases[position[before]].append(position[after])
            waiting[position[after]] += 1
    order: list[Node] = []
    ready = [i for i, count in enumerate(missing) if not count and not waiting[i]]
    blocked = [i for i, count in enumerate(missing) if not count and waiting[i]]
    heapq.heapify(ready)
    heapq.heapify(blocked)
    done = [False] * len(nodes)
    while ready or blocked:
        i = heapq.heappop(ready or blocked)
        if done[i]:
            continue
        done[i] = True
        order.append(nodes[i])
        for user in users[i]:
            missing[user] -= 1
            if not missing[user]:
                heapq.heappush(blocked if waiting[user] else ready, user)
        for user in releases[i]:
            waiting[user] -= 1
            if not waiting[user] and not missing[user] and not done[user]:
                heapq.heappush(ready, user)
    return order
