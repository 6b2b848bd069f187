"""The order of a body's steps.

Start from the depth-first order of the flow (operands right before their users, which keeps few buffers alive), then
let a node that overwrites a variable wait until the readers of the old value are done ("soft" edges), so that the
write can happen in place. Where that is impossible, because such a reader needs the node, the edge is dropped and the
value is copied (plan/placement.py decides by the final order). In the same way what overwrites variables waits until
the checks are done, steps that may end the run; variables are read, and so checked, first of all.
"""
from __future__ import annotations

import heapq
from collections.abc import Sequence

from graphc.ir.node import Node


def schedule(nodes: Sequence[Node], soft: Sequence[tuple[Node, Node]] = (), checks: Sequence[Node] = (),
             writers: Sequence[Node] = ()) -> list[Node]:
    """`nodes`, which stand in a topological order, in a better one. soft: (before, after), kept where possible, as is
    that all checks come before all writers, but for checks that need a writer."""
    nodes = _sources_first(nodes, checks)
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
    held = {position[node] for node in writers}
    unchecked = {position[node] for node in checks} - held - _behind(held, users)
    for i in held if unchecked else ():
        waiting[i] += 1
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
        released = releases[i]
        if i in unchecked:
            unchecked.discard(i)
            released = [*released, *held] if not unchecked else released
        for user in released:
            waiting[user] -= 1
            if not waiting[user] and not missing[user] and not done[user]:
                heapq.heappush(ready, user)
    return order


def _sources_first(nodes: Sequence[Node], checks: Sequence[Node]) -> list[Node]:
    """Checks that need nothing (reads of variables) come first: they hold up nobody then."""
    first = [node for node in checks if not node.inputs and not node.after]
    chosen = set(first)
    return [*first, *(node for node in nodes if node not in chosen)]


def _behind(starts: set[int], users: Sequence[Sequence[int]]) -> set[int]:
    """All that needs one of `starts`."""
    found: set[int] = set()
    waiting = list(starts)
    while waiting:
        for user in users[waiting.pop()]:
            if user not in found:
                found.add(user)
                waiting.append(user)
    return found
