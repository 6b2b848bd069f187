"""Where values that only one part needs lie in a block of the device's memory: those that live at the same time apart.

Step by step, what is written first gets the lowest gap that is large enough, and what is read last leaves one. Steps
run in their order on the device, so a buffer may lie where one was that an earlier step read last.
"""
from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from graphc.exec.cuda.memory import ALIGNMENT


def place(steps: Sequence[Iterable[int]], sizes: Mapping[int, int]) -> tuple[dict[int, int], int]:
    """(offset of each buffer, bytes of all). steps: the buffers that each step uses; sizes: bytes of those to place."""
    lives = _lives(steps, sizes)
    begins: dict[int, list[int]] = {}
    for buffer, (first, _) in lives.items():
        begins.setdefault(first, []).append(buffer)
    alive: dict[int, tuple[int, int]] = {}             # buffer -> (begin, end)
    found, total = dict.fromkeys(sizes, 0), 0
    for step in sorted(begins):
        alive = {b: place for b, place in alive.items() if lives[b][1] >= step}
        for buffer in begins[step]:
            size = -(-max(sizes[buffer], 1) // ALIGNMENT) * ALIGNMENT
            offset = _gap(sorted(alive.values()), size)
            alive[buffer] = (offset, offset + size)
            found[buffer], total = offset, max(total, offset + size)
    return found, total


def _gap(taken: list[tuple[int, int]], size: int) -> int:
    at = 0
    for begin, end in taken:
        if begin - at >= size:
            return at
        at = max(at, end)
    return at


def _lives(steps: Sequence[Iterable[int]], sizes: Mapping[int, int]) -> dict[int, tuple[int, int]]:
    """The first and the last step that uses each of the buffers."""
    lives: dict[int, tuple[int, int]] = {}
    for number, used in enumerate(steps):
        for buffer in used:
            if buffer in sizes:
                lives[buffer] = (lives.get(buffer, (number, 0))[0], number)
    return lives
