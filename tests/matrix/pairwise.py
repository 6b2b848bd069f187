"""Few choices that together hold every possible pair of levels, always the same ones.

Greedy: as long as some pair is not covered a choice is begun with it and the other factors are filled in, one after the
other, by the level that covers most pairs still missing.
"""
from __future__ import annotations

import itertools
import zlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

Choice = dict[str, Any]
Possible = Callable[[Choice], bool]


def pairwise(factors: Mapping[str, Sequence[Any]], possible: Possible, turning: str = "") -> list[Choice]:
    """possible(choice) says whether a partial choice can be completed; factors that it lacks are still open.

    Pairs that no completion holds are left out. turning: a factor with too many levels for pairs: each of them is
    chosen about as often as the others, at least once.
    """
    missing = {pair: None for pair in _pairs(factors) if all(name != turning for name, _ in pair)}
    missing.update({((turning, x),): None for x in factors.get(turning, ())})
    chosen: list[Choice] = []
    while missing:
        pair = next(iter(missing))
        start = dict(pair)
        choice = _completed(start, factors, possible, missing, len(chosen)) if possible(start) else None
        del missing[pair]
        if choice is not None:
            _take(choice, factors, chosen, missing)
    return chosen


def _pairs(factors: Mapping[str, Sequence[Any]]) -> dict[Any, None]:
    return {((a, x), (b, y)): None for a, b in itertools.combinations(factors, 2)
            for x in factors[a] for y in factors[b]}


def _take(choice: Choice, factors: Mapping[str, Sequence[Any]], chosen: list[Choice], missing: dict[Any, None]) -> None:
    """Adds the choice, its factors in order, to those chosen; what it covers is no longer missing."""
    chosen.append({name: choice[name] for name in factors})
    for size in (1, 2):
        for covered in itertools.combinations(chosen[-1].items(), size):
            missing.pop(covered, None)


def full(factors: Mapping[str, Sequence[Any]], main: Sequence[str], possible: Possible) -> list[Choice]:
    """Every possible choice of the main factors; the others are filled in by pairs, always the same ones."""
    missing = _pairs(factors)
    chosen: list[Choice] = []
    for start in product({name: factors[name] for name in main}, possible):
        choice = _completed(start, factors, possible, missing, len(chosen))
        if choice is not None:
            _take(choice, factors, chosen, missing)
    return chosen


def product(factors: Mapping[str, Sequence[Any]], possible: Possible) -> list[Choice]:
    """Every possible choice."""
    return [choice for levels in itertools.product(*factors.values())
            if possible(choice := dict(zip(factors, levels, strict=True)))]


def _completed(choice: Choice, factors: Mapping[str, Sequence[Any]], possible: Possible,
               missing: Mapping[Any, None], turn: int) -> Choice | None:
    """The choice with the factors that it lacks; None if there is no way to complete it."""
    order = {name: i for i, name in enumerate(factors)}
    name = next((n for n in factors if n not in choice), None)
    if name is None:
        return choice

    def gain(level: Any) -> int:
        new = (name, level)
        pairs = sum(((new, old) if order[name] < order[old[0]] else (old, new)) in missing for old in choice.items())
        return pairs + ((new,) in missing)

    levels = factors[name]
    first = zlib.crc32(f"{name} {turn}".encode())      # where nothing is to gain, another level each time
    turned = [levels[(i + first) % len(levels)] for i in range(len(levels))]
    for level in sorted(turned, key=gain, reverse=True):
        wider = {**choice, name: level}
        if possible(wider):
            found = _completed(wider, factors, possible, missing, turn)
            if found is not None:
                return found
    return None
