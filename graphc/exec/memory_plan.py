"""Where the buffers of a plan lie in its arena, and from which step to which: read off a frame that has run.

The native runtime places them (kernels/runtime/place.py), again for other input shapes; a segment is a part of the
steps whose sizes are known together, and has an arena of its own. Loops and branches have frames of their own.
"""
from __future__ import annotations

import ctypes
import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from graphc.ir import dtypes
from graphc.kernels.runtime import tables as t
from graphc.plan import plan as p

ALIGNMENT = 64             # bytes


@dataclass(frozen=True)
class PlacedBuffer:
    buffer: int            # number in body 0
    segment: int
    offset: int            # in its segment's arena
    size: int              # in bytes
    first: int             # steps from which and up to which it is in use
    last: int


@dataclass(frozen=True)
class MemoryPlan:
    shapes: tuple[tuple[int, ...], ...]       # of the inputs
    buffers: tuple[PlacedBuffer, ...]
    arenas: tuple[int, ...]                   # bytes of each segment's arena

    @property
    def size(self) -> int:
        return sum(self.arenas)

    @property
    def least(self) -> int:
        """Bytes that no placement can do without: for each segment the most that is alive at the same time."""
        return sum(_most_alive([b for b in self.buffers if b.segment == s]) for s in range(len(self.arenas)))


def _most_alive(buffers: Sequence[PlacedBuffer]) -> int:
    """In bytes."""
    changes = [(step, change * _rounded(b.size))
               for b in buffers for step, change in ((b.first, 1), (b.last + 1, -1))]
    return max(itertools.accumulate(change for _, change in sorted(changes)), default=0)


def memory_plan(engine: Any, shapes: Sequence[tuple[int, ...]]) -> MemoryPlan | None:
    """Of inputs of these shapes, if the engine has run them and keeps the frame."""
    return next((plan for plan in memory_plans(engine) if plan.shapes == tuple(shapes)), None)


def memory_plans(engine: Any) -> list[MemoryPlan]:
    """Of each kind of input shapes that the engine has run and keeps a frame for; of a GPU's engine none."""
    found: list[MemoryPlan] = []
    if engine.on_device:
        return found
    for shapes in engine.frames.shapes():
        frame = engine.frames.take(shapes)     # nobody else runs it meanwhile
        if frame is None:
            continue
        plan = _read(engine.plan, frame.address, shapes)
        engine.frames.keep(frame)
        if plan is not None:
            found.append(plan)
    return found


def _read(plan: p.Plan, address: int, shapes: tuple[tuple[int, ...], ...]) -> MemoryPlan | None:
    """None if the frame has not run to its end, or its buffers are apart (GRAPHC_GUARD)."""
    words, body = _words(address, t.FRAME_WORDS), plan.bodies[0]
    segments, count = words[t.FRAME_SEGMENTS], len(body.buffers)
    if words[t.FRAME_BOUND] < segments:
        return None
    rows = [_words(words[t.FRAME_SEGMENT_ROWS] + 8 * s * t.SEGMENT_WORDS, t.SEGMENT_WORDS) for s in range(segments)]
    addresses, elements, first, last, home = (
        _words(words[table], count) for table in
        (t.FRAME_ADDRESSES, t.FRAME_ELEMENTS, t.FRAME_FIRST, t.FRAME_LAST, t.FRAME_LOCAL_SEGMENT))
    placed = []
    for b, buffer in enumerate(body.buffers):
        size = elements[b] * element_size(buffer.dtype)
        if buffer.kind != p.BufferKind.ARENA or not size:
            continue
        segment = home[b]
        offset = addresses[b] - rows[segment][t.SEGMENT_ARENA]
        if not 0 <= offset <= rows[segment][t.SEGMENT_CAPACITY] - size:
            return None
        placed.append(PlacedBuffer(b, segment, offset, size, max(first[b], 0), max(last[b], first[b], 0)))
    ends = [max((x.offset + _rounded(x.size) for x in placed if x.segment == s), default=0) for s in range(segments)]
    return MemoryPlan(shapes, tuple(placed), tuple(ends))


def element_size(dtype: str) -> int:
    """Bytes of an element; a handle is a word."""
    if dtype == "handle":
        return 8
    stored = dtypes.as_dtype(dtype).stored.numpy
    assert stored is not None, dtype
    return int(stored.itemsize)


def _rounded(size: int) -> int:
    """All buffers begin at multiples of ALIGNMENT."""
    return -(-size // ALIGNMENT) * ALIGNMENT


def _words(address: int, count: int) -> list[int]:
    return list((ctypes.c_int64 * count).from_address(address)) if count else []
