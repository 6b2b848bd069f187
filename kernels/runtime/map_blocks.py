"""Maps that turn what they move: elements that are neighbours in memory lie along an axis that is not the last.

Such a map without reductions runs block by block, of rows along that axis and columns along the last, in place of
chunk by chunk: each access of a block is moved to a register, or turned into it, by whole lines of the cache, and the
program runs on the registers. A map that only moves goes from memory to memory. Blocks are the same for any number of
threads; no element is in two of them, for a store may be to what was loaded.
"""
from __future__ import annotations

from . import map_words as m
from .map_chunk import address_of, room_of, run_ops, start_pass
from .map_move import count_row, gather_row, offset_of, scatter_row
from .map_turn import side_of, turn_block
from .memory import function, set_word, word

LEAST_ROWS = 16           # of a block in registers: a line of the cache, of float32
MOVED_BYTES = 256         # of a line of a block that goes from memory to memory, about


@function
def turning_axis(out):
    """The axis along which an access has its neighbours in memory that has others along the last axis; -1: none has,
    or their sizes are too small."""
    bound, accesses = out + 8 * word(out, m.PASS_0), word(out, m.LOADS) + word(out, m.STORES)
    last = word(bound, m.P_RANK) - 1
    for i in range(accesses):
        access = out + 8 * (word(out, m.ACCESS_ROWS) + m.ACCESS_WORDS * i)
        size, along = word(access, m.A_SIZE), word(access, m.A_STRIDES + last)
        if word(access, m.A_CLASS) == m.GATHER and along != size and along != 0:
            for axis in range(last):
                sides = min(word(bound, m.P_SIZES + axis), word(bound, m.P_SIZES + last))
                if word(access, m.A_STRIDES + axis) == size and sides >= side_of(size):
                    return axis
    return -1


@function
def only_moves(out):
    """Whether the map stores what it loads, along the last axis without gaps."""
    bound = out + 8 * word(out, m.PASS_0)
    stored = out + 8 * (word(out, m.ACCESS_ROWS) + m.ACCESS_WORDS)
    alone = word(out, m.LOADS) == 1 and word(out, m.STORES) == 1 and word(out, m.INSTRS) == 0
    return alone and word(stored, m.A_STRIDES + word(bound, m.P_RANK) - 1) == word(stored, m.A_SIZE)


@function
def cut_blocks(out, elements):
    """Blocks of a map that turns, and its tiles, of about `elements` elements; returns whether it is one."""
    repeats = word(out + 8 * word(out, m.PASS_0), m.P_PERIOD) > 1
    axis = -1 if repeats else turning_axis(out)
    set_word(out, m.TURNED, axis + 1)
    if axis < 0:
        return False
    bound = out + 8 * word(out, m.PASS_0)
    down, along = word(bound, m.P_SIZES + axis), word(bound, m.P_SIZES + word(bound, m.P_RANK) - 1)
    if only_moves(out):
        side = max(MOVED_BYTES // word(out + 8 * word(out, m.ACCESS_ROWS), m.A_SIZE), 64)
        rows = (down - 1) // max(down // side, 1) + 1
        columns = (along - 1) // max(along // side, 1) + 1
    else:
        rows = min((down - 1) // max(down // LEAST_ROWS, 1) + 1, 2 * LEAST_ROWS)
        columns = word(out, m.CHUNK) // rows
        columns = (along - 1) // ((along - 1) // columns + 1) + 1
    blocks = ((down - 1) // rows + 1) * ((along - 1) // columns + 1) * (word(out, m.TOTAL) // (down * along))
    each = max(elements // (rows * columns), 1)
    set_word(out, m.TURNED_ROWS, rows)
    set_word(out, m.TURNED_COLUMNS, columns)
    set_word(out, m.TURNED_BLOCKS, blocks)
    set_word(out, m.TILE_BLOCKS, each)
    set_word(out, m.TILES, (blocks + each - 1) // each)
    return True


@function
def position_of(bound, axis, row, column, rest):
    """The position of an element: its place on the turning and on the last axis, and its number among all others."""
    k = word(bound, m.P_RANK) - 1
    position, step = column, word(bound, m.P_SIZES + k)
    while k > 0:
        k -= 1
        size, index = word(bound, m.P_SIZES + k), row
        if k != axis:
            index = rest % size
            rest = rest // size
        position += index * step
        step *= size
    return position


@function
def move_block(target, down, along, source, source_down, source_along, rows, columns, size):
    """Moves rows of columns elements; down, along: strides of the target in bytes."""
    large = min(rows, columns) >= side_of(size)
    if large and along == size and source_down == size and source_along != size:
        turn_block(target, down, source, source_along, rows, columns, size)
    elif large and source_along == size and down == size and along != size:
        turn_block(target, along, source, source_down, columns, rows, size)
    else:
        for row in range(rows):
            if along == size:
                gather_row(target + row * down, source + row * source_down, source_along, size, columns)
            else:
                scatter_row(target + row * down, along, source + row * source_down, size, columns)


@function
def load_block(out, counter, scratch, pointers, axis, position, rows, columns):
    """All accesses of the program's inputs, into registers."""
    bound = out + 8 * word(out, m.PASS_0)
    last, row = word(bound, m.P_RANK) - 1, out + 8 * word(bound, m.P_FETCH_ROWS)
    for _ in range(word(bound, m.P_FETCHES)):
        access = out + 8 * word(row, 0)
        row += 8
        value, size = word(access, m.A_VALUE), word(access, m.A_SIZE)
        down, along = word(access, m.A_STRIDES + axis), word(access, m.A_STRIDES + last)
        offset = offset_of(bound, access + 8 * m.A_STRIDES, position)
        if word(access, m.A_CLASS) == m.IOTA:
            for i in range(rows):
                count_row(word(pointers, value) + i * columns * size, offset + i * down, along, size, columns)
        else:
            set_word(pointers, value, room_of(out, scratch, value))
            move_block(word(pointers, value), columns * size, size, address_of(access, counter) + offset, down, along,
                       rows, columns, size)


@function
def run_block(out, counter, scratch, pointers, axis, position, rows, columns):
    bound = out + 8 * word(out, m.PASS_0)
    last, puts = word(bound, m.P_RANK) - 1, word(bound, m.P_PUTS)
    load_block(out, counter, scratch, pointers, axis, position, rows, columns)
    for i in range(puts):
        put = out + 8 * (word(bound, m.P_PUT_ROWS) + m.PUT_WORDS * i)
        if word(put, 2) == m.PUT_IN_PLACE and word(put, 1) >= word(out, m.LOADS):     # what is loaded has its own
            set_word(pointers, word(put, 1), room_of(out, scratch, word(out, m.LOADS) + i))
    run_ops(out, bound, pointers, rows * columns)
    for i in range(puts):
        put = out + 8 * (word(bound, m.P_PUT_ROWS) + m.PUT_WORDS * i)
        access = out + 8 * word(put, 0)
        size = word(access, m.A_SIZE)
        target = address_of(access, counter) + offset_of(bound, access + 8 * m.A_STRIDES, position)
        move_block(target, word(access, m.A_STRIDES + axis), word(access, m.A_STRIDES + last),
                   word(pointers, word(put, 1)), columns * size, size, rows, columns, size)


@function
def move_directly(out, counter, axis, position, rows, columns):
    """The block of a map that only moves."""
    bound, source = out + 8 * word(out, m.PASS_0), out + 8 * word(out, m.ACCESS_ROWS)
    target, last = source + 8 * m.ACCESS_WORDS, word(bound, m.P_RANK) - 1
    move_block(address_of(target, counter) + offset_of(bound, target + 8 * m.A_STRIDES, position),
               word(target, m.A_STRIDES + axis), word(target, m.A_STRIDES + last),
               address_of(source, counter) + offset_of(bound, source + 8 * m.A_STRIDES, position),
               word(source, m.A_STRIDES + axis), word(source, m.A_STRIDES + last), rows, columns,
               word(source, m.A_SIZE))


@function
def run_blocks(out, counter, scratch, tile):
    """A tile of a map that turns."""
    bound, axis = out + 8 * word(out, m.PASS_0), word(out, m.TURNED) - 1
    most_rows, most_columns = word(out, m.TURNED_ROWS), word(out, m.TURNED_COLUMNS)
    down, along = word(bound, m.P_SIZES + axis), word(bound, m.P_SIZES + word(bound, m.P_RANK) - 1)
    block, moves = tile * word(out, m.TILE_BLOCKS), only_moves(out)
    end = min(block + word(out, m.TILE_BLOCKS), word(out, m.TURNED_BLOCKS))
    pointers = start_pass(out, 0, counter, scratch, 0 if moves else most_rows * most_columns)
    while block < end:
        across = (along - 1) // most_columns + 1
        column, rest = block % across * most_columns, block // across
        bands = (down - 1) // most_rows + 1
        row, rest = rest % bands * most_rows, rest // bands
        rows, columns = min(most_rows, down - row), min(most_columns, along - column)
        position = position_of(bound, axis, row, column, rest)
        if moves:
            move_directly(out, counter, axis, position, rows, columns)
        else:
            run_block(out, counter, scratch, pointers, axis, position, rows, columns)
        block += 1
