"""pad: a tensor with a border of one value: y[outer, N0, N1, N2] around x[outer, n0, n1, n2], Ni = before + ni + after.

Job: a tile is some rows of y, or a part of a long one; what of it is border is filled, what is not is copied, several
rows at once. Short rows are filled as a whole first, in the first cache; of what no cache holds rows are written past
the caches.
Invariants: rows that are cut have tiles of their own; an element may be `unit` numbers, and is moved as bytes.
"""
from __future__ import annotations

from ...contracts.calls import Functions
from ..memory import ITEM_SIZES, address, ceil_div, compact, copy_bytes, helper
from ..short_rows import copy_rows
from ..stream import BEYOND_CACHES, STREAMED_ROW, fence, stream_rows
from ..words import OK, SCRATCH_BYTES, TILES, USER

TILE_BYTES = 1 << 15                   # of y: filled and copied in a cache
LONG_ROW = 1 << 18                     # bytes: longer rows are cut; and of a tile of what no cache holds
SHORT_ROW = 1 << 10                    # bytes of rows that are filled as a whole
ROWS, COLUMNS, ACROSS = USER, USER + 1, USER + 2       # words of choice: of a tile, of y; tiles along a row
PATTERN = 1 << 10                      # bytes of a border that are filled at once


@helper
def fill_pattern(pattern, value, size):
    """Fills PATTERN bytes, as far as elements are whole, with the one at `value`, and returns how many."""
    copy_bytes(pattern, value, size)
    done, room = size, PATTERN // size * size
    while done < room:
        part = min(done, room - done)
        copy_bytes(pattern + done, pattern, part)
        done += part
    return room


@helper
def fill_bytes(target, pattern, room, count):
    """Fills count bytes with the `room` bytes at `pattern`, again and again."""
    for done in range(0, count, room):
        copy_bytes(target + done, pattern, min(room, count - done))


@helper
def pad_rows(target, step, source, source_step, pattern, room, left, inside, right, rows, streams):
    """Rows of left + inside + right bytes, `step` apart, of which `inside` come from `source`."""
    compact()
    whole = left + inside + right
    if whole <= SHORT_ROW and not streams:
        fill_bytes(target, pattern, room, (rows - 1) * step + whole)
    else:
        for row in range(rows):
            fill_bytes(target + row * step, pattern, room, left)
            fill_bytes(target + row * step + left + inside, pattern, room, right)
    if streams and inside > 0:
        stream_rows(target + left, step, source, source_step, inside, rows)
    elif inside > 1:
        copy_rows(target + left, step, source, source_step, inside, rows)
    elif inside == 1:
        for row in range(rows):
            copy_bytes(target + left + row * step, source + row * source_step, 1)


@helper
def bind_bytes(outer, n0, before0, after0, n1, before1, after1, n2, before2, after2, size, choice):
    compact()
    rows, whole = outer * (before0 + n0 + after0) * (before1 + n1 + after1), (before2 + n2 + after2) * size
    columns = max(whole if whole <= LONG_ROW else LONG_ROW // size * size, 1)
    tile_bytes = LONG_ROW if rows * whole >= BEYOND_CACHES else TILE_BYTES
    choice[COLUMNS] = columns
    choice[ACROSS] = ceil_div(whole, columns)
    choice[ROWS] = max(tile_bytes // columns, 1) if choice[ACROSS] == 1 else 1
    choice[SCRATCH_BYTES] = PATTERN
    choice[TILES] = ceil_div(rows, choice[ROWS]) * choice[ACROSS]


@helper
def run_bytes(x, value, y, outer, n0, before0, after0, n1, before1, after1, n2, before2, after2, size, choice, pattern,
              tile):
    compact()
    pictures, lines, step = before0 + n0 + after0, before1 + n1 + after1, (before2 + n2 + after2) * size
    row, column = tile // choice[ACROSS] * choice[ROWS], tile % choice[ACROSS] * choice[COLUMNS]
    end, columns = min(row + choice[ROWS], outer * pictures * lines), min(choice[COLUMNS], step - column)
    streams = outer * pictures * lines * step >= BEYOND_CACHES and n2 * size >= STREAMED_ROW
    room = fill_pattern(pattern, value, size)
    left = min(max(before2 * size - column, 0), columns)
    inside = min(max((before2 + n2) * size - column, 0), columns) - left
    while row < end:
        line, rest = row % lines, row // lines
        picture = rest % pictures - before0
        target = y + row * step + column
        if 0 <= picture < n0 and before1 <= line < before1 + n1:
            rows = min(before1 + n1 - line, end - row)
            source = x + (((rest // pictures * n0 + picture) * n1 + line - before1) * n2 - before2) * size
            pad_rows(target, step, source + column + left, n2 * size, pattern, room, left, inside,
                     columns - left - inside, rows, streams)
        else:
            begins = 0 <= picture < n0 and line < before1
            rows = min((before1 if begins else lines) - line, end - row)
            pad_rows(target, step, x, 0, pattern, room, columns, 0, 0, rows, False)
        row += rows
    if streams:
        fence()


def make(types):
    item = ITEM_SIZES[types["T"]]

    def bind(outer, n0, before0, after0, n1, before1, after1, n2, before2, after2, unit, choice):
        bind_bytes(outer, n0, before0, after0, n1, before1, after1, n2, before2, after2, unit * item, choice)

    def run(x, value, y, outer, n0, before0, after0, n1, before1, after1, n2, before2, after2, unit, choice, work,
            scratch, phase, tile):
        run_bytes(address(x), address(value), address(y), outer, n0, before0, after0, n1, before1, after1, n2, before2,
                  after2, unit * item, choice, scratch, tile)
        return OK
    return Functions(bind, run)
