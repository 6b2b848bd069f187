"""An order of units that can be changed: `Places` keeps each unit after what it needs while units become one.

A place has a label, larger than those of the places before it, so a comparison tells whether one unit may need another.
"""
from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

SPACING = 1 << 128       # between labels, when they are given again
CROWDING = 1 << 10       # what is put in front of a place takes this part of the room there, so that room is left


@dataclass(eq=False)
class Place:
    label: int
    before: Place | None
    next: Place | None = None


class Places:
    """See the header. `all[i]` is the i-th place of the order that it begins with."""

    def __init__(self, count: int) -> None:
        self.first = Place(0, None)
        self.all: list[Place] = []
        last = self.first
        for i in range(count):
            last.next = Place((i + 1) * SPACING, last)
            last = last.next
            self.all.append(last)

    def move(self, places: Iterable[Place], target: Place) -> None:
        """Puts the places, in their order, directly before `target`."""
        moved = sorted(places, key=lambda place: place.label)
        for place in moved:
            self._unlink(place)
        before = target.before
        assert before is not None
        step = (target.label - before.label) // (CROWDING * (len(moved) + 1))
        for place in moved:
            place.before, place.next, place.label = before, target, before.label + step
            before.next = target.before = place
            before = place
        if moved and step == 0:
            self._number()

    def _unlink(self, place: Place) -> None:
        assert place.before is not None
        place.before.next = place.next
        if place.next is not None:
            place.next.before = place.before

    def _number(self) -> None:
        label, place = 0, self.first.next
        while place is not None:
            label += SPACING
            place.label = label
            place = place.next
