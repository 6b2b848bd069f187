"""Where the ARENA buffers of a body lie in one block of the device's memory: buffers that live at the same time apart.

Step by step, what is written first gets the lowest gap that is large enough, and what is read last leaves one. Steps
run in their order on the device, so a buffer may lie where one was that an earlier step read last.
"""
from __future__ import annotations

from collections.abc import Iterator

from graphc.exec.cuda.memory import ALIGNMENT
from graphc.plan import plan as p


def place(body: p.Body, sizes: dict[int, int]) -> tuple[dict[int, int], int]:
    """(offset of each ARENA buffer, bytes of all). sizes: their bytes."""
    lives = _lives(body, sizes)
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


def _lives(body: p.Body, sizes: dict[int, int]) -> dict[int, tuple[int, int]]:
    """The first and the last step that uses each of the buffers."""
    lives: dict[int, tuple[int, int]] = {}
    for number, step in enumerate(body.steps):
        for used in _used(step):
            row = body.buffers[used]
            root = row.index if row.kind == p.BufferKind.ALIAS else used
            if root in sizes:
                lives[root] = (lives.get(root, (number, 0))[0], number)
    return lives


def _used(step: p.Step) -> Iterator[int]:
    if isinstance(step, p.Map):
        yield from (access.buffer for access in (*step.loads, *step.stores))
    elif isinstance(step, p.Call):
        yield from step.operands
        if step.epilogue is not None:
            yield from _used(step.epilogue)
