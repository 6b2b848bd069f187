"""gather, scatter_add: rows along an axis, picked or added by index.

Job: gather copies params[outer, indices[j], :] to out[outer, j, :]; scatter_add, its gradient, is out = 0, then
out[outer, indices[j], :] += updates[outer, j, :] for j in ascending order.
Rows of what no cache holds are written past the caches.
Invariants: every index is checked against the axis before it is used: INDEX_OUT_OF_RANGE, index and size in scratch.
scatter_add's tiles own whole rows of `outer` or, if there is one, ranges of `inner`: so sums never depend on threads.
"""
from __future__ import annotations

from ...contracts.calls import Functions
from ..memory import ITEM_SIZES, address, copy_bytes, helper, int64_at, offset, prefetch, zero_bytes
from ..stream import AHEAD, BEYOND_CACHES, STREAMED_ROW, fence, stream_bytes
from ..words import INDEX_OUT_OF_RANGE, OK, SCRATCH_BYTES, TILE_ELEMENTS, TILES, USER

TILE = 16384                           # elements of a tile, about
ASKED_BYTES = 256                      # from here on a row is asked for while those before it are copied
MOST_ASKED = 1024                      # bytes of it, at most: then the processor sees by itself where it goes on
LINE = 64
COPY_BYTES = 64                        # from here on memcpy, below a loop


@helper
def refuse(scratch, index, size):
    detail = int64_at(scratch)
    detail[0] = index
    detail[1] = size
    return INDEX_OUT_OF_RANGE


def make_gather(types):
    size = ITEM_SIZES[types["T"]]

    def bind(outer, axis, inner, count, choice):
        rows = outer * count
        per_tile = max(TILE // max(inner, 1), 1)
        choice[USER] = per_tile
        choice[TILES] = (rows + per_tile - 1) // per_tile
        choice[TILE_ELEMENTS] = per_tile * inner
        choice[SCRATCH_BYTES] = 64

    def run(params, indices, out, outer, axis, inner, count, choice, work, scratch, phase, tile):
        first = tile * choice[USER]
        limit = min(first + choice[USER], outer * count)
        row, position = first // count, first % count
        streams = inner * size >= STREAMED_ROW and outer * count * inner * size >= BEYOND_CACHES
        ahead = max(AHEAD // max(inner * size, 1), 1) if streams else 2
        for target_row in range(first, limit):
            index = indices[position]
            if index < 0 or index >= axis:
                return refuse(scratch, index, axis)
            later = indices[position + ahead] if position + ahead < count else index
            next_row = address(offset(params, (row * axis + later) * inner))
            source, target = offset(params, (row * axis + index) * inner), offset(out, target_row * inner)
            if streams:
                stream_bytes(address(target), address(source), inner * size, next_row)
            elif inner * size >= COPY_BYTES:
                if inner * size >= ASKED_BYTES:
                    for line in range(0, min(inner * size, MOST_ASKED), LINE):
                        prefetch(next_row + line)
                copy_bytes(address(target), address(source), inner * size)
            else:
                for i in range(inner):
                    target[i] = source[i]
            position += 1
            if position == count:
                position = 0
                row += 1
        if streams:
            fence()
        return OK
    return Functions(bind, run)


def make_scatter_add(types):
    size = ITEM_SIZES[types["T"]]

    def bind(outer, axis, inner, count, choice):
        # USER: elements of inner of a tile; USER + 1: tiles along inner
        columns = inner
        if outer * max(axis, count) * inner > TILE:
            wanted = max(TILE // max(axis + count, 1), 64)
            columns = min(inner, (wanted + 15) // 16 * 16)
        choice[USER] = max(columns, 1)
        choice[USER + 1] = (inner + choice[USER] - 1) // choice[USER]
        choice[TILES] = outer * choice[USER + 1]
        choice[SCRATCH_BYTES] = 64

    def run(updates, indices, out, outer, axis, inner, count, choice, work, scratch, phase, tile):
        row, first = tile // choice[USER + 1], tile % choice[USER + 1] * choice[USER]
        columns = min(choice[USER], inner - first)
        base, source = offset(out, row * axis * inner + first), offset(updates, row * count * inner + first)
        for i in range(axis):
            zero_bytes(address(offset(base, i * inner)), columns * size)
        for j in range(count):
            index = indices[j]
            if index < 0 or index >= axis:
                return refuse(scratch, index, axis)
            target, update = offset(base, index * inner), offset(source, j * inner)
            for i in range(columns):
                target[i] += update[i]
        return OK
    return Functions(bind, run)
