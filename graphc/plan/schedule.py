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
    queue = _Queue(_sources_first(nodes, checks))
    for before, after in dict.fromkeys(soft):
        if before is not after:
            queue.add_soft(before, after)
    queue.hold(writers, checks)
    return queue.drain()


class _Queue:
    """Nodes by their numbers, their places in the order that is given: of those that may come next the first does, of
    those that only wait for soft edges none as long as there are others."""

    def __init__(self, nodes: Sequence[Node]) -> None:
        self.nodes = nodes
        self.position = {node: i for i, node in enumerate(nodes)}
        self.users: list[list[int]] = [[] for _ in nodes]
        self.missing = [0] * len(nodes)          # operands, and what it must come after, that are not done
        self.releases: list[list[int]] = [[] for _ in nodes]
        self.waiting = [0] * len(nodes)          # soft edges from what is not done
        self.held: set[int] = set()
        self.unchecked: set[int] = set()         # checks that the held ones wait for, as for one soft edge
        for i, node in enumerate(nodes):
            for before in {*(v.node for v in node.inputs), *node.after}:
                self.users[self.position[before]].append(i)
                self.missing[i] += 1

    def add_soft(self, before: Node, after: Node) -> None:
        self.releases[self.position[before]].append(self.position[after])
        self.waiting[self.position[after]] += 1

    def hold(self, writers: Sequence[Node], checks: Sequence[Node]) -> None:
        """Writers wait for the checks that need none of them."""
        self.held = {self.position[node] for node in writers}
        self.unchecked = {self.position[node] for node in checks} - self.held - _behind(self.held, self.users)
        for i in self.held if self.unchecked else ():
            self.waiting[i] += 1

    def drain(self) -> list[Node]:
        """All nodes, in their order."""
        order, done = [], [False] * len(self.nodes)
        free = [i for i, count in enumerate(self.missing) if not count]
        ready, blocked = ([i for i in free if bool(self.waiting[i]) is waits] for waits in (False, True))
        while ready or blocked:                  # both lists ascend, as heaps do
            i = heapq.heappop(ready or blocked)
            if done[i]:
                continue
            done[i] = True
            order.append(self.nodes[i])
            for user in self.users[i]:
                self.missing[user] -= 1
                if not self.missing[user]:
                    heapq.heappush(blocked if self.waiting[user] else ready, user)
            for user in self._released(i):
                self.waiting[user] -= 1
                if not self.waiting[user] and not self.missing[user] and not done[user]:
                    heapq.heappush(ready, user)
        return order

    def _released(self, i: int) -> list[int]:
        """What has one soft edge less to wait for, now that i is done."""
        if i not in self.unchecked:
            return self.releases[i]
        self.unchecked.discard(i)
        return [*self.releases[i], *(self.held if not self.unchecked else ())]


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
