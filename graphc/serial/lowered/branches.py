"""A region's parts in an order in which they can be built, those on a side of a predicate in branches.

At each depth, parts whose context ends there stand by themselves; they come first, as long as their inputs are there.
When only parts on a side of a predicate are left, one predicate is chosen, that of the part that stands first in the
file, and all on its sides that can run now, one after the other, becomes a branch, in the same way; Merges of its
sides are its results. What comes later on the same sides becomes another branch on the same predicate, so that no
branch comes before what it needs; what it uses of the earlier one is handed over (building.py).

Parts with effects do not share a branch with parts that they have nothing to do with: a run that asks for the others
only would have the effects, too.
"""
from __future__ import annotations

import heapq
from collections.abc import Sequence

from graphc.errors import DataLossError
from graphc.serial.lowered.contexts import Contexts
from graphc.serial.lowered.parts import CONTROL_FLOW, Branch, Merge, Region, Step, source


def ordered(region: Region) -> list[Step]:
    """The steps of a region. Raises what Contexts does."""
    order = _sorted(region)
    for name in order:
        part = region[name]
        part.after_effects = part.has_effect() or any(region[s].after_effects for s in part.sources() if s in region)
    if not any(part.op in CONTROL_FLOW for part in region.values()):
        return [region[name] for name in order]
    contexts = Contexts(region, order)
    return _Order(contexts, contexts.order, 0).steps()


def _sorted(region: Region) -> list[str]:
    """Inputs before what uses them, otherwise the order of the region; but what is pushed on a stack comes late: of a
    TensorArray, all that is to be written should be there (handles.py)."""
    missing = {name: sum(s in region for s in part.sources()) for name, part in region.items()}
    users: dict[str, list[str]] = {name: [] for name in region}
    for name, part in region.items():
        for other in part.sources():
            if other in region:
                users[other].append(name)
    place = {name: i + len(region) * part.op.startswith("StackPush") for i, (name, part) in enumerate(region.items())}
    ready = [(place[name], name) for name, count in missing.items() if not count]
    heapq.heapify(ready)
    order = []
    while ready:
        _, name = heapq.heappop(ready)
        order.append(name)
        for user in users[name]:
            missing[user] -= 1
            if not missing[user]:
                heapq.heappush(ready, (place[user], user))
    if len(order) < len(region):
        left = next(name for name in region if missing[name])
        raise DataLossError(f"node '{left}' depends on itself through other nodes; the file is damaged")
    return order


class _Order:
    """The parts `names`, which come after each other so, all on the same sides of `depth` predicates."""

    def __init__(self, contexts: Contexts, names: Sequence[str], depth: int) -> None:
        self.contexts, self.depth = contexts, depth
        self.place = {name: i for i, name in enumerate(names)}
        self.before = {name: {s for s in self._sources(name) if s in self.place} for name in names}
        self.users: dict[str, list[str]] = {name: [] for name in names}
        for name in names:
            for other in self.before[name]:
                self.users[other].append(name)
        self.missing = {name: len(before) for name, before in self.before.items()}
        self.alone: list[int] = []                  # heaps of places of what is ready: to stand by itself,
        self.on_sides: dict[str, None] = {}         # and what belongs to a branch
        self.kinships = _kinships(self) if any(self._has_effect(n) for n in names if self._pred(n)) else {}
        self.names = list(names)
        for name in names:
            if not self.missing[name]:
                self._is_ready(name)

    def _sources(self, name: str) -> list[str]:
        merge = self.contexts.merges.get(name)
        return [*self.contexts.region[name].sources(), *(map(source, merge.inputs) if merge is not None else ())]

    def steps(self) -> list[Step]:
        found: list[Step] = []
        while self.alone or self.on_sides:
            if self.alone:
                name = self.names[heapq.heappop(self.alone)]
                found.append(self.contexts.region[name])
                self._take([name])
            else:
                found.append(self._branch())
        return found

    def _is_ready(self, name: str) -> None:
        if self._pred(name) is None or name in self.contexts.aliases:
            heapq.heappush(self.alone, self.place[name])
        else:
            self.on_sides[name] = None

    def _take(self, names: Sequence[str]) -> None:
        """Of what is left."""
        taken = set(names)
        for name in names:
            self.on_sides.pop(name, None)
            for user in self.users[name]:
                self.missing[user] -= 1
                if not self.missing[user] and user not in taken:
                    self._is_ready(user)

    def _pred(self, name: str) -> str | None:
        """The predicate of the branch that a part belongs to at this depth."""
        merge = self.contexts.merges.get(name)
        context = self.contexts.of[name] or ()
        if len(context) > self.depth:
            return context[self.depth][0]
        return merge.pred if merge is not None else None

    def _side(self, name: str) -> int | None:
        """None: it is a Merge, a result of the branch."""
        context = self.contexts.of[name] or ()
        return context[self.depth][1] if len(context) > self.depth else None

    def _has_effect(self, name: str) -> bool:
        return self.contexts.region[name].has_effect()

    def _branch(self) -> Branch:
        """Takes a branch out of what is left: the first one that gives a result, or if none does, the first."""
        tried: dict[tuple[str | None, int | None], tuple[dict[str, int], list[Merge]]] = {}
        for name in sorted(self.on_sides, key=lambda n: self.place[n]):
            key = self._pred(name), self.kinships.get(name)
            if key not in tried:
                tried[key] = self._all_on(*key)
                if tried[key][1]:
                    break
        else:
            key = next(iter(tried))
        pred, (inside, results) = key[0], tried[key]
        self._take([*inside, *(m.part.name for m in results)])
        assert pred is not None
        sides = [[n for n, s in inside.items() if s == side] for side in range(self.contexts.sides[pred])]
        return Branch(self.contexts.texts[pred], [_Order(self.contexts, names, self.depth + 1).steps()
                                                  for names in sides], results)

    def _all_on(self, pred: str | None, kin: int | None) -> tuple[dict[str, int], list[Merge]]:
        """All that can run now, one after the other, on the sides of a predicate, with its side; and their Merges."""
        inside: dict[str, int] = {}
        results: list[Merge] = []
        done: dict[str, int] = {}           # of what is in `before`, how much would have run
        ready = [self.place[n] for n in self.on_sides if self._pred(n) == pred and self.kinships.get(n) == kin]
        heapq.heapify(ready)
        while ready:
            name = self.names[heapq.heappop(ready)]
            side = self._side(name)
            if side is None:
                results.append(self.contexts.merges[name])
                continue
            inside[name] = side
            for user in self.users[name]:
                done[user] = done.get(user, 0) + 1
                like = user in self.contexts.aliases or self.kinships.get(user) == kin
                if done[user] == self.missing[user] and self._pred(user) == pred and like:
                    heapq.heappush(ready, self.place[user])
        return inside, results


def _kinships(order: _Order) -> dict[str, int]:
    """A number for each part that is in a branch at this depth: the same for those that depend on each other, where
    one of them has an effect; 0 for all others."""
    names = [n for n in order.place if order._pred(n) and n not in order.contexts.aliases]
    family = {name: {name} for name in names}
    for name in names:
        for other in order.before[name]:
            if other in family and order._pred(other) == order._pred(name) and order._side(other) is not None \
                    and family[other] is not family[name]:
                family[name] |= family[other]
                for member in family[other]:
                    family[member] = family[name]
    numbers: dict[int, int] = {}
    for name in names:
        members = family[name]
        if any(order._has_effect(m) for m in members):
            numbers.setdefault(id(members), len(numbers) + 1)
    return {name: numbers.get(id(family[name]), 0) for name in names}
