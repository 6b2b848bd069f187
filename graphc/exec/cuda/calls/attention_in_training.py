"""Attention in training whose weights are dropped, or whose mask is trained (docs/adr/0088), on the device: by
products, a few matrices at a time where all scores would take much memory. Random numbers are drawn where they are
needed."""
from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from graphc.exec.cuda.calls import attention_by_products as by_products
from graphc.exec.cuda.calls.attention import of_whole_matrices, sums_of_rows
from graphc.exec.cuda.calls.attention_by_products import ByMask, Dropping
from graphc.exec.cuda.calls.call import Call, size_of
from graphc.exec.cuda.work import Clear, Work

MOST_SCORES = 1 << 28      # bytes at once, if a matrix takes less


class Rooms:
    """Scratch memory that each chunk has for itself: they follow one another on the device."""

    def __init__(self, scratch: Callable[[int], int]) -> None:
        self._scratch = scratch
        self._free: list[tuple[int, int]] = []         # bytes, and the address
        self._taken: list[tuple[int, int]] = []

    def take(self, count: int) -> int:
        fitting = [room for room in self._free if room[0] >= count]
        room = min(fitting) if fitting else (count, self._scratch(count))
        if fitting:
            self._free.remove(room)
        self._taken.append(room)
        return room[1]

    def next_chunk(self) -> None:
        self._free += self._taken
        self._taken.clear()


@dataclass(frozen=True)
class Chunk:
    """Matrices that are done at once: the first one's outer and inner index, and how many there are of either."""

    outer: int
    inner: int
    outers: int
    inners: int

    def call(self, call: Call, lengths: tuple[int, ...], mask: int) -> Call:
        """The call on these matrices alone. lengths: of each operand, elements that one matrix has there; mask: which
        operand the mask is."""
        size, number = size_of(call.types[0]), self.outer * call.dims[1] + self.inner
        steps = call.dims[6:9]
        operands = [at + number * length * size for at, length in zip(call.operands, lengths, strict=True)]
        operands[mask] = call.operands[mask] + (self.outer * steps[0] + self.inner * steps[1]) * size
        return replace(call, operands=tuple(operands), dims=(self.outers, self.inners, *call.dims[2:9]))


def _chunks(call: Call, rooms: Rooms) -> Iterator[Chunk]:
    outer, inner, rows, cols, *_ = call.dims
    most = max(MOST_SCORES // max(rows * cols * size_of(call.types[0]), 1), 1)
    if not outer * inner:
        return
    outers, inners = max(most // inner, 1), min(most, inner)
    for i in range(0, outer, outers):
        for j in range(0, inner, inners):
            rooms.next_chunk()
            yield Chunk(i, j, min(outers, outer - i), min(inners, inner - j))


def attention_dropped(call: Call) -> list[Work]:
    """attention_dropped(q, k, v, draw, drop, mask, kept, y)"""
    q, k, v, draw, drop, mask, kept, y = call.operands
    plain = of_whole_matrices(replace(call, operands=(q, k, v, mask, kept, y)))
    outer, inner, rows, cols, depth, columns, *_ = plain.dims
    if not cols:
        return [Clear(at, outer * inner * rows * length * size_of(call.types[0]))
                for at, length in ((kept, 2), (y, columns))]
    lengths = (rows * depth, cols * depth, cols * columns, 0, 2 * rows, rows * columns)
    work, rooms = [], Rooms(call.scratch)  # type: list[Work], Rooms
    plain = replace(plain, scratch=rooms.take)
    for chunk in _chunks(plain, rooms):
        first = (chunk.outer * inner + chunk.inner) * rows * cols
        work += by_products.attended(chunk.call(plain, lengths, 3), Dropping(draw, drop, first))
    return work


def attention_general_gradient(call: Call) -> list[Work]:
    """attention_general_grad(q, k, v, y, kept, dy, draw, drop, mask, dq, dk, dv, by_mask)"""
    q, k, v, y, kept, dy, draw, drop, mask, dq, dk, dv, by_mask = call.operands
    *sizes, by_outer, by_inner, by_row = call.dims
    *others, is_dropped, is_trained, scale = call.attrs
    plain = of_whole_matrices(replace(call, operands=(q, k, v, y, kept, dy, mask, dq, dk, dv), dims=tuple(sizes),
                                      attrs=(*others, scale)))
    outer, inner, rows, cols, depth, columns, *_ = plain.dims
    size, steps = size_of(call.types[0]), (by_outer, by_inner, by_row)
    sums = call.scratch(outer * inner * rows * size)
    work = sums_of_rows(call, outer * inner * rows, columns, y, dy, sums)
    lengths = (rows * depth, cols * depth, cols * columns, rows * columns, 2 * rows, rows * columns, 0, rows * depth,
               cols * depth, cols * columns)
    if is_trained and not outer * inner * rows * cols:         # sums of nothing
        shape = [count for count, step in zip((outer, inner, rows), steps, strict=True) if step]
        return work + [Clear(by_mask, _product((*shape, cols)) * size)]
    rooms = Rooms(call.scratch)
    plain = replace(plain, scratch=rooms.take)
    for chunk in _chunks(plain, rooms):
        number = chunk.outer * inner + chunk.inner
        dropping = Dropping(draw, drop, number * rows * cols) if is_dropped else None
        at = by_mask + (chunk.outer * by_outer + chunk.inner * by_inner) * size
        begun = (chunk.outer > 0 and not by_outer) or (chunk.inner > 0 and not by_inner)
        work += by_products.gradient(chunk.call(plain, lengths, 6), sums + number * rows * size, dropping,
                                     ByMask(at, steps, begun) if is_trained else None)
    return work


def _product(sizes: tuple[int, ...]) -> int:
    count = 1
    for one in sizes:
        count *= one
    return count
