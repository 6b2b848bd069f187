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
from collections.abc import Iterable, Sequence

from graphc.errors import DataLossError
from graphc.serial.lowered.contexts import Contexts
from graphc.serial.lowered.parts import CONTROL_FLOW, Branch, Merge, Region, Step


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
        self.left = dict.fromkeys(names)
        self.before = {name: [s for s in contexts.region[name].sources() if s in self.left] for name in names}
        for name, merge in contexts.merges.items():
            if name in self.before:
                self.before[name] += [t for t in merge.inputs if t in self.left]
        self.kinships = _kinships(self) if any(self._has_effect(n) for n in names if self._pred(n)) else {}

    def steps(self) -> list[Step]:
        found: list[Step] = []
        while self.left:
            count = len(self.left)
            for name in list(self.left):    # in order, so that one pass takes chains
                if (self._pred(name) is None or name in self.contexts.aliases) and self._ready(name):
                    found.append(self.contexts.region[name])
                    del self.left[name]
            if len(self.left) == count:
                found.append(self._branch())
        return found

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

    def _ready(self, name: str, inside: Iterable[str] = ()) -> bool:
        return all(s not in self.left or s in inside for s in self.before[name])

    def _has_effect(self, name: str) -> bool:
        return self.contexts.region[name].has_effect()

    def _branch(self) -> Branch:
        """Takes a branch out of what is left: the first one that gives a result, or if none does, the first."""
        tried: dict[tuple[str | None, int | None], tuple[dict[str, int], list[Merge]]] = {}
        for name in self.left:
            key = self._pred(name), self.kinships.get(name)
            if key not in tried and self._ready(name):       # no alias: those that are ready were taken
                tried[key] = self._all_on(*key)
        (pred, _), (inside, results) = next((t for t in tried.items() if t[1][1]), next(iter(tried.items())))
        for name in (*inside, *(m.part.name for m in results)):
            del self.left[name]
        assert pred is not None
        sides = [[n for n, s in inside.items() if s == side] for side in range(self.contexts.sides[pred])]
        return Branch(self.contexts.texts[pred], [_Order(self.contexts, names, self.depth + 1).steps()
                                                  for names in sides], results)

    def _all_on(self, pred: str | None, kin: int | None) -> tuple[dict[str, int], list[Merge]]:
        """All that can run now, one after the other, on the sides of a predicate, with its side; and their Merges."""
        inside: dict[str, int] = {}
        results: list[Merge] = []
        for name in self.left:              # in order, so that one pass finds all
            if self._pred(name) != pred or not self._ready(name, inside):
                continue
            if name not in self.contexts.aliases and self.kinships.get(name) != kin:
                continue
            side = self._side(name)
            if side is None:
                results.append(self.contexts.merges[name])
            else:
                inside[name] = side
        return inside, results


def _kinships(order: _Order) -> dict[str, int]:
    """A number for each part that is in a branch at this depth: the same for those that depend on each other, where
    one of them has an effect; 0 for all others."""
    names = [n for n in order.left if order._pred(n) and n not in order.contexts.aliases]
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
