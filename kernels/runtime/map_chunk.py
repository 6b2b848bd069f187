"""A chunk of a bound map: all its loads, then the program's instructions as tile primitives or as machine code of their
own, then the stores.

Scratch begins with 8 words for `walk` and, after them, a pointer for each value (pass 0, then pass 1).
"""
from __future__ import annotations

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from . import map_words as m
from .map_move import COUNT_ROW, GATHER_ROW, SCATTER_ROW, load_bits, offset_of, splat, walk
from .memory import compact, copy_bytes, function, prefetch, set_word, word

POINTERS = 64             # bytes of scratch in front of the pointers
LINE = 64                 # bytes of a line of the cache


@intrinsic
def call_tile(typing_context, address, target, a, b, c, d, count):
    """Calls a primitive by its address."""
    def generate(context, builder, signature, arguments):
        kind = ir.FunctionType(ir.VoidType(), [ir.IntType(64)] * 6)
        builder.call(builder.inttoptr(arguments[0], kind.as_pointer()), arguments[1:])
        return context.get_dummy_value()
    return types.void(*[types.int64] * 7), generate


@intrinsic
def call_code(typing_context, address, out, pointers, count, space, position):
    """Calls the code of a pass by its address."""
    def generate(context, builder, signature, arguments):
        kind = ir.FunctionType(ir.VoidType(), [ir.IntType(64)] * 5)
        builder.call(builder.inttoptr(arguments[0], kind.as_pointer()), arguments[1:])
        return context.get_dummy_value()
    return types.void(*[types.int64] * 6), generate


@function
def address_of(access, counter):
    address = word(access, m.A_ADDRESS)
    return address if address != 0 else counter + word(access, m.A_OFFSET)


@function
def room_of(out, scratch, number):
    """The register of its own that load or store `number` has."""
    return scratch + word(out, m.ROOM) + number * word(out, m.SLOT_BYTES)


@function
def fill_repeated(bound, access, base, register, count, odometer):
    """Fills the register of a REPEATED load, whose first element is at `base`, for chunks of up to count elements."""
    period, size = word(access, m.A_PERIOD), word(access, m.A_SIZE)
    walk(GATHER_ROW, bound + 8 * m.P_REPEATED, 0, access, base, register, 0, period, odometer)
    filled, wanted = period, min(word(bound, m.P_SPAN), count + period)
    while filled < wanted:
        part = min(filled, wanted - filled)
        copy_bytes(register + filled * size, register, part * size)
        filled += part


@function
def start_pass(out, number, counter, scratch, count):
    """Sets the pointers of what lies in registers and fills those that never change, for chunks of up to count
    elements."""
    bound = out + 8 * word(out, m.PASS_0 + number)
    pointers = scratch + POINTERS + 8 * number * word(out, m.VALUES)
    registers, slot_bytes = scratch + word(out, m.REGISTERS), word(out, m.SLOT_BYTES)
    row = out + 8 * word(bound, m.P_SLOT_ROWS)
    for _ in range(word(bound, m.P_SLOT_VALUES)):
        set_word(pointers, word(row, 0), registers + word(row, 1) * slot_bytes)
        row += 8 * m.SLOT_ROW_WORDS
    row = out + 8 * word(bound, m.P_CONST_ROWS)
    for _ in range(word(bound, m.P_CONSTS)):
        splat(word(pointers, word(row, 0)), word(row, 1), word(row, 2), count)
        row += 8 * m.CONST_WORDS
    row = out + 8 * word(bound, m.P_FIXED_ROWS)
    for _ in range(word(bound, m.P_FIXED)):
        access = out + 8 * word(row, 0)
        size = word(access, m.A_SIZE)
        splat(word(pointers, word(access, m.A_VALUE)), load_bits(address_of(access, counter), size), size, count)
        row += 8
    if number == 0 and word(bound, m.P_PERIOD) > 1:
        for i in range(word(out, m.LOADS)):
            access = out + 8 * (word(out, m.ACCESS_ROWS) + m.ACCESS_WORDS * i)
            if word(access, m.A_PERIOD) > 0:
                fill_repeated(bound, access, address_of(access, counter), room_of(out, scratch, i), count, scratch)
    return pointers


@function
def ask_for_chunk(out, counter, position, end, count):
    """Asks for the elements of pass 0 at positions [position, position + count) that are read where they lie, if it is
    FAR."""
    compact()
    if word(out, m.FAR) == 0:
        return
    bound = out + 8 * word(out, m.PASS_0)
    row = out + 8 * word(bound, m.P_FETCH_ROWS)
    count = min(count, end - position)
    for _ in range(word(bound, m.P_FETCHES)):
        access = out + 8 * word(row, 0)
        row += 8
        kind, size = word(access, m.A_CLASS), word(access, m.A_SIZE)
        if count > 0 and (kind == m.LINEAR or kind == m.DIRECT):
            offset = position * size if kind == m.LINEAR else offset_of(bound, access + 8 * m.A_STRIDES, position)
            where = address_of(access, counter) + offset
            for line in range(0, count * size, LINE):
                prefetch(where + line)


@function
def run_ops(out, bound, pointers, count):
    """The instructions of a pass, on count elements of each value."""
    row = out + 8 * word(bound, m.P_OP_ROWS)
    for _ in range(word(bound, m.P_OPS)):
        call_tile(word(row, 0), word(pointers, word(row, 1)), word(pointers, word(row, 2)),
                  word(pointers, word(row, 3)),
                  word(pointers, word(row, 4)), word(pointers, word(row, 5)), count)
        row += 8 * m.OP_WORDS


@function
def run_chunk(out, number, counter, scratch, pointers, position, count):
    """Evaluates a pass at positions [position, position + count)."""
    bound = out + 8 * word(out, m.PASS_0 + number)
    puts, put_rows = word(bound, m.P_PUTS), out + 8 * word(bound, m.P_PUT_ROWS)
    strides_at = 8 * (m.A_STRIDES + 8 * number)
    for i in range(puts):
        put = put_rows + 8 * m.PUT_WORDS * i
        if word(put, 2) == m.PUT_IN_PLACE:
            access = out + 8 * word(put, 0)
            linear = word(access, m.A_CLASS + number) == m.LINEAR
            offset = position * word(access, m.A_SIZE) if linear else offset_of(bound, access + strides_at, position)
            set_word(pointers, word(put, 1), address_of(access, counter) + offset)
    row = out + 8 * word(bound, m.P_FETCH_ROWS)
    for _ in range(word(bound, m.P_FETCHES)):
        access = out + 8 * word(row, 0)
        row += 8
        kind, value = word(access, m.A_CLASS + number), word(access, m.A_VALUE)
        if kind == m.LINEAR:
            set_word(pointers, value, address_of(access, counter) + position * word(access, m.A_SIZE))
        elif kind == m.DIRECT:
            set_word(pointers, value, address_of(access, counter) + offset_of(bound, access + strides_at, position))
        elif kind == m.REPEATED:
            phase = position % word(access, m.A_PERIOD)
            set_word(pointers, value, room_of(out, scratch, value) + phase * word(access, m.A_SIZE))
        elif kind == m.GATHER:
            base = address_of(access, counter)
            walk(GATHER_ROW, bound, number, access, base, word(pointers, value), position, count, scratch)
        else:
            walk(COUNT_ROW, bound, number, access, 0, word(pointers, value), position, count, scratch)
    code = word(bound, m.P_CODE)
    if code != 0:
        call_code(code, out, pointers, count, scratch + word(out, m.CODE_ROOM), position)
    else:
        run_ops(out, bound, pointers, count)
    for i in range(puts):
        put = put_rows + 8 * m.PUT_WORDS * i
        if word(put, 2) != m.PUT_IN_PLACE:
            store_chunk(out, number, bound, counter, scratch, put, word(pointers, word(put, 1)), position, count)


@function
def store_chunk(out, number, bound, counter, scratch, put, source, position, count):
    access = out + 8 * word(put, 0)
    target, size = address_of(access, counter), word(access, m.A_SIZE)
    if word(put, 2) == m.PUT_SCATTER:
        walk(SCATTER_ROW, bound, number, access, target, source, position, count, scratch)
    elif word(access, m.A_CLASS + number) == m.LINEAR:
        copy_bytes(target + position * size, source, count * size)
    else:
        copy_bytes(target + offset_of(bound, access + 8 * (m.A_STRIDES + 8 * number), position), source, count * size)


@function
def chunk_at(out, number, position, end, most):
    """Elements of the chunk that begins at position."""
    bound = out + 8 * word(out, m.PASS_0 + number)
    count = min(min(end - position, most), word(bound, m.P_SPAN) - position % word(bound, m.P_PERIOD))
    inner = word(bound, m.P_INNER)
    if inner > 0:
        count = min(count, inner - position % inner)
    return count
