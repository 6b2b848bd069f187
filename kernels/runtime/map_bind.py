"""Binding a map to sizes and addresses: which values each pass needs, how axes run, how each access is made.

Order: read accesses and values -> which pass needs which value -> choose the order of axes (reductions: along rows,
or down columns if memory lies that way) -> coalesce axes -> classify accesses -> both again without what repeats
(map_repeat.py) -> machine code, if there is some -> tiles (map_cut.py) -> lists of work (map_plan.py).
"""
from __future__ import annotations

from ..layout import CODE_INDEX, CODE_LINEAR, CODE_REDUCE
from . import map_words as m
from .image import dtype_size, primitive_row
from .map_blocks import only_moves, turning_axis
from .map_cut import choose_chunk, cut, cut_pieces
from .map_plan import lay_out_lists, plan_lists
from .map_repeat import long_row, mark_repeated, repeats
from .memory import function, or_left_out, set_word, word
from .steps import (
    INSTR_CODE,
    INSTR_DTYPE,
    INSTR_VALUE,
    MAP_RANK,
    MAP_REDUCED,
    MOST_ARGUMENTS,
    PROGRAM_INSTRS,
    PROGRAM_LOADS,
    PROGRAM_STORES,
    access_buffer,
    access_offset,
    access_stride,
    instr_argument,
    map_access,
    map_dim,
    map_program,
    program_instr,
    program_store,
    value_dtype,
)


@function
def map_words(record, image, registry):
    """Words that the bound form of a map takes."""
    program = map_program(image, record)
    loads, instrs, stores = word(program, PROGRAM_LOADS), word(program, PROGRAM_INSTRS), word(program, PROGRAM_STORES)
    values, accesses = loads + instrs, loads + stores + instrs
    lists = 3 * instrs + 4 * values + m.OP_WORDS * instrs + m.PUT_WORDS * stores
    return (m.HEADER + (m.ACCESS_WORDS + m.MAX_AXES) * accesses + (m.VALUE_WORDS + 2) * values + 2 * m.PASS_WORDS
            + m.REDUCE_WORDS * instrs + 2 * lists + 4 * m.MAX_AXES)


@function
def lay_out(out, program):
    """Places the tables after the header; returns the offset of the space to work in."""
    loads, instrs, stores = word(program, PROGRAM_LOADS), word(program, PROGRAM_INSTRS), word(program, PROGRAM_STORES)
    set_word(out, m.LOADS, loads)
    set_word(out, m.INSTRS, instrs)
    set_word(out, m.STORES, stores)
    set_word(out, m.PROGRAM, program)
    set_word(out, m.VALUES, loads + instrs)
    at = m.HEADER
    set_word(out, m.ACCESS_ROWS, at)
    at += m.ACCESS_WORDS * (loads + stores + instrs)
    set_word(out, m.VALUE_ROWS, at)
    at += m.VALUE_WORDS * (loads + instrs)
    set_word(out, m.PASS_0, at)
    set_word(out, m.PASS_1, at + m.PASS_WORDS)
    at += 2 * m.PASS_WORDS
    set_word(out, m.REDUCE_ROWS, at)
    at += m.REDUCE_WORDS * instrs
    for i in range(m.HEADER, at):
        set_word(out, i, 0)
    return lay_out_lists(out, at)


@function
def access_row(out, number):
    return out + 8 * (word(out, m.ACCESS_ROWS) + m.ACCESS_WORDS * number)


@function
def value_row(out, number):
    return out + 8 * (word(out, m.VALUE_ROWS) + m.VALUE_WORDS * number)


@function
def read_access(out, number, value, size, source, rank, dims, buffers, strides):
    """source: the access in the image.
    strides: address of m.MAX_AXES words for the strides as they stand there, in bytes."""
    access = access_row(out, number)
    set_word(access, m.A_BUFFER, access_buffer(source))
    set_word(access, m.A_SIZE, size)
    set_word(access, m.A_VALUE, value)
    offset = word(dims, access_offset(source)) * size
    base = word(buffers, access_buffer(source))
    set_word(access, m.A_OFFSET, offset)
    set_word(access, m.A_ADDRESS, base + offset if base != 0 else 0)
    for axis in range(rank):
        dim = access_stride(source, axis)
        set_word(access, m.A_ROW, 1 if dim < 0 else 0)
        set_word(strides, axis, word(dims, dim) * size if dim >= 0 else 0)


@function
def read_accesses(out, record, dims, buffers, raw):
    """Rows of loads, stores and index values; the sizes of values. raw: address of m.MAX_AXES words an access."""
    program, rank = word(out, m.PROGRAM), word(record, MAP_RANK)
    loads, instrs, stores = word(out, m.LOADS), word(out, m.INSTRS), word(out, m.STORES)
    count = loads + stores
    for value in range(loads + instrs):
        set_word(value_row(out, value), m.V_SIZE, dtype_size(value_dtype(program, value)))
    for i in range(count):
        value = i if i < loads else program_store(program, i - loads)
        read_access(out, i, value, word(value_row(out, value), m.V_SIZE), map_access(record, i), rank, dims, buffers,
                    raw + 8 * m.MAX_AXES * i)
    for i in range(instrs):
        instr = program_instr(program, i)
        code = word(instr, INSTR_CODE)
        if code == CODE_INDEX or code == CODE_LINEAR:
            access, strides = access_row(out, count), raw + 8 * m.MAX_AXES * count
            set_word(access, m.A_BUFFER, -1)
            set_word(access, m.A_SIZE, dtype_size(word(instr, INSTR_DTYPE)))
            set_word(access, m.A_VALUE, loads + i)
            step = 1
            for k in range(rank):
                axis = rank - 1 - k
                wanted = code == CODE_LINEAR or word(instr, INSTR_VALUE) == axis
                set_word(strides, axis, (step if code == CODE_LINEAR else 1) if wanted else 0)
                step *= word(dims, map_dim(record, axis))
            count += 1
    set_word(out, m.ACCESSES, count)


@function
def mark_needed(out, reduced):
    """Which values each pass computes: pass 1 what row stores need, up to reductions; pass 0 the rest."""
    program, loads, instrs, stores = word(out, m.PROGRAM), word(out, m.LOADS), word(out, m.INSTRS), word(out, m.STORES)
    for j in range(stores):
        access = access_row(out, loads + j)
        number = 1 if reduced > 0 and word(access, m.A_ROW) == 1 else 0
        set_word(access, m.A_ROW, number)
        set_word(value_row(out, word(access, m.A_VALUE)), m.V_NEEDED + number, 1)
    for k in range(2):
        number = 1 - k
        for i in range(instrs):
            instr = program_instr(program, instrs - 1 - i)
            value = value_row(out, loads + instrs - 1 - i)
            if word(value, m.V_NEEDED + number) == 1:
                reduction = word(instr, INSTR_CODE) <= CODE_REDUCE
                for a in range(MOST_ARGUMENTS):
                    argument = instr_argument(instr, a)
                    if argument >= 0:
                        set_word(value_row(out, argument), m.V_NEEDED + (0 if reduction else number), 1)


@function
def takes_part(out, access, number):
    """Whether a pass makes this access."""
    number_of_access, loads = (access - access_row(out, 0)) // (8 * m.ACCESS_WORDS), word(out, m.LOADS)
    if loads <= number_of_access < loads + word(out, m.STORES):
        return word(access, m.A_ROW) == number
    return word(value_row(out, word(access, m.A_VALUE)), m.V_NEEDED + number) == 1


@function
def choose_order(out, record, dims, reduced, raw, order):
    """Sets the mode, and the axes of pass 0 in the order in which they run, at `order`. Returns how many lead as batch.

    Columns: more loads have neighbours along the outer axes than along the reduced ones, not counting a few elements
    that all rows read. Then the outer axes in front of which the reduced ones lie in memory come last.
    """
    rank = word(record, MAP_RANK)
    outer = rank - reduced
    for axis in range(rank):
        set_word(order, axis, axis)
    if reduced == 0:
        set_word(out, m.MODE, m.MODE_ELEMENTS)
        return outer
    last_outer, last_reduced = last_long_axis(record, dims, 0, outer), last_long_axis(record, dims, outer, rank)
    along_rows, along_columns, main = 0, 0, -1
    for i in range(word(out, m.LOADS)):
        if word(value_row(out, i), m.V_NEEDED) == 1:
            strides, size = raw + 8 * m.MAX_AXES * i, word(access_row(out, i), m.A_SIZE)
            if last_reduced >= 0 and word(strides, last_reduced) == size:
                along_rows += 1 if last_outer < 0 or word(strides, last_outer) != 0 else 0
            elif last_reduced >= 0 and last_outer >= 0 and word(strides, last_reduced) != 0:
                if word(strides, last_outer) == size:
                    along_columns += 1
                    main = i
    trivial = last_reduced < 0 and extent_of(record, dims, outer, rank, order) == 1
    if along_columns <= along_rows and not trivial:
        set_word(out, m.MODE, m.MODE_ROWS)
        return outer
    set_word(out, m.MODE, m.MODE_COLUMNS)
    strides, widest, batch = raw + 8 * m.MAX_AXES * max(main, 0), 0, 0
    for axis in range(outer, rank):
        if word(dims, map_dim(record, axis)) > 1:
            widest = max(widest, abs(word(strides, axis)))
    while batch < last_outer and (abs(word(strides, batch)) >= widest or word(dims, map_dim(record, batch)) == 1):
        batch += 1
    for k in range(reduced):
        set_word(order, batch + k, outer + k)
    for k in range(outer - batch):
        set_word(order, batch + reduced + k, batch + k)
    return batch


@function
def last_long_axis(record, dims, begin, end):
    """The last axis of [begin, end) with more than one element, -1 if there is none."""
    found = -1
    for axis in range(begin, end):
        if word(dims, map_dim(record, axis)) > 1:
            found = axis
    return found


@function
def extent_of(record, dims, begin, end, order):
    product = 1
    for k in range(begin, end):
        product *= word(dims, map_dim(record, word(order, k)))
    return product


@function
def coalesce(out, number, record, dims, order, axes, raw):
    """The axes of a pass: of `axes` axes in the given order those of one element are dropped and neighbours joined
    where every access allows it. Sets the strides in bytes of all accesses but those that repeat."""
    bound = out + 8 * word(out, m.PASS_0 + number)
    rank = 0
    accesses = word(out, m.ACCESSES)
    for k in range(axes):
        axis = word(order, k)
        size = word(dims, map_dim(record, axis))
        if size == 1:
            continue
        joined = rank > 0
        for i in range(accesses):
            access = access_row(out, i)
            if joined and takes_part(out, access, number) and not repeats(access, number):
                above = word(access, m.A_STRIDES + 8 * number + rank - 1)
                joined = above == word(raw, m.MAX_AXES * i + axis) * size
        if not joined:
            rank += 1
            set_word(bound, m.P_SIZES + rank - 1, size)
        else:
            set_word(bound, m.P_SIZES + rank - 1, word(bound, m.P_SIZES + rank - 1) * size)
        for i in range(accesses):
            if not repeats(access_row(out, i), number):
                set_word(access_row(out, i), m.A_STRIDES + 8 * number + rank - 1, word(raw, m.MAX_AXES * i + axis))
    if rank == 0:
        rank = 1
        set_word(bound, m.P_SIZES, 1)
        for i in range(accesses):
            set_word(access_row(out, i), m.A_STRIDES + 8 * number, 0)
    set_word(bound, m.P_RANK, rank)
    inner = word(bound, m.P_SIZES + rank - 1)
    set_word(bound, m.P_INNER, inner if rank > 1 and inner >= long_row(out) else 0)


@function
def classify(out, number):
    """The class of each access of a pass."""
    bound = out + 8 * word(out, m.PASS_0 + number)
    rank = word(bound, m.P_RANK)
    loads, stores = word(out, m.LOADS), word(out, m.STORES)
    for i in range(word(out, m.ACCESSES)):
        access = access_row(out, i)
        kind = m.UNUSED
        if takes_part(out, access, number):
            strides, size = access + 8 * (m.A_STRIDES + 8 * number), word(access, m.A_SIZE)
            zero, linear, step = True, True, size
            for k in range(rank):
                axis = rank - 1 - k
                zero = zero and word(strides, axis) == 0
                linear = linear and (word(strides, axis) == step or word(bound, m.P_SIZES + axis) == 1)
                step *= word(bound, m.P_SIZES + axis)
            is_store = loads <= i < loads + stores
            if repeats(access, number):
                kind = m.REPEATED
            elif zero and not is_store:
                kind = m.FIXED
            elif i >= loads + stores:
                kind = m.IOTA
            elif linear:
                kind = m.LINEAR
            elif word(bound, m.P_INNER) > 0 and word(strides, rank - 1) == size:
                kind = m.DIRECT
            else:
                kind = m.GATHER
        set_word(access, m.A_CLASS + number, kind)


@function
def stays(out, number, access):
    """Whether a load stays at one element as long as a chunk of the pass lasts."""
    kind, bound = word(access, m.A_CLASS + number), out + 8 * word(out, m.PASS_0 + number)
    if kind == m.UNUSED or kind == m.FIXED:
        return True
    if kind == m.REPEATED:
        return False
    last = word(access, m.A_STRIDES + 8 * number + word(bound, m.P_RANK) - 1)
    return word(bound, m.P_INNER) > 0 and last == 0


@function
def choose_code(out, number, code):
    """P_CODE of a pass: its code if the loads stay that are expected to; those are read where they are, then.
    code: address of CODE_WORDS words, 0: there is none."""
    bound = out + 8 * word(out, m.PASS_0 + number)
    loads = word(out, m.LOADS)
    found = word(code, m.CODE_PASS_0 + number) if code != 0 else 0
    still = word(code, m.CODE_STILL) if code != 0 else 0
    for i in range(loads):
        if (still >> min(i, 63)) & 1 == 1 and not stays(out, number, access_row(out, i)):
            found = 0
    set_word(bound, m.P_CODE, found)
    for i in range(loads):
        access = access_row(out, i)
        if found != 0 and (still >> min(i, 63)) & 1 == 1 and word(access, m.A_CLASS + number) != m.UNUSED:
            set_word(access, m.A_CLASS + number, m.DIRECT)


@function
def forget_code(out):
    """Pass 0 is the evaluator's: the map turns, and code goes along rows."""
    set_word(out + 8 * word(out, m.PASS_0), m.P_CODE, 0)
    classify(out, 0)


@function
def identity_bits(op, dtype):
    """Bits of the value that changes nothing; op: its place in layout.REDUCE_OPS, dtype: TensorFlow's number."""
    if op == 0 or op == 5:
        return 0
    if op == 4:
        return 1
    if dtype == 1:
        return 0x3F800000 if op == 1 else (0xFF800000 if op == 2 else 0x7F800000)
    if dtype == 2:
        return 0x3FF0000000000000 if op == 1 else (-0x10000000000000 if op == 2 else 0x7FF0000000000000)
    if op == 1:
        return 1
    if dtype == 3:
        return 0x80000000 if op == 2 else 0x7FFFFFFF
    return -0x8000000000000000 if op == 2 else 0x7FFFFFFFFFFFFFFF


@function
def read_reduces(out, registry, functions):
    program, loads, count = word(out, m.PROGRAM), word(out, m.LOADS), 0
    first = 3 * word(registry, 1)
    for i in range(word(out, m.INSTRS)):
        instr = program_instr(program, i)
        if word(instr, INSTR_CODE) <= CODE_REDUCE and word(value_row(out, loads + i), m.V_NEEDED + 1) == 1:
            number = CODE_REDUCE - word(instr, INSTR_CODE)
            repeated = word(primitive_row(registry, number), 7)
            reduce = out + 8 * (word(out, m.REDUCE_ROWS) + m.REDUCE_WORDS * count)
            set_word(reduce, m.R_VALUE, instr_argument(instr, 0))
            set_word(reduce, m.R_RESULT, loads + i)
            set_word(reduce, m.R_FUNCTION, word(functions, first + number))
            set_word(reduce, m.R_BINARY, word(functions, first + repeated // 8))
            set_word(reduce, m.R_IDENTITY, identity_bits(repeated % 8, word(instr, INSTR_DTYPE)))
            set_word(reduce, m.R_SIZE, dtype_size(word(instr, INSTR_DTYPE)))
            count += 1
    set_word(out, m.REDUCES, count)


@function
def map_bind(image, record, dims, buffers, registry, functions, out, code):
    """Fills out (map_words words). record: MAP words of the image from `program` on; dims: address of evaluated dims;
    buffers: of an address for each buffer id, 0 for the counter; functions: the library's table; code: as choose_code
    takes it. Returns 0.

    out[0], out[1]: tiles of phases 0 and 1; out[2]: bytes of each worker's scratch; out[3]: bytes of work;
    out[4]: elements of a tile of phase 0 (maps without reductions)."""
    rank, reduced = word(record, MAP_RANK), word(record, MAP_REDUCED)
    raw = out + 8 * lay_out(out, map_program(image, record))
    order = raw + 8 * m.MAX_AXES * (word(out, m.LOADS) + word(out, m.STORES) + word(out, m.INSTRS))
    read_accesses(out, record, dims, buffers, raw)
    mark_needed(out, reduced)
    batch = choose_order(out, record, dims, reduced, raw, order)
    outer = rank - reduced
    first = batch if word(out, m.MODE) == m.MODE_COLUMNS else outer
    set_word(out, m.TOTAL, extent_of(record, dims, 0, rank, order))
    set_word(out, m.BATCH, extent_of(record, dims, 0, first, order))
    set_word(out, m.COLS, extent_of(record, dims, first, first + reduced, order))
    set_word(out, m.WIDTH, extent_of(record, dims, first + reduced, rank, order))
    set_word(out, m.ROWS, word(out, m.BATCH) * word(out, m.WIDTH))
    choose_chunk(out)
    for number in range(2):
        set_word(out + 8 * word(out, m.PASS_0 + number), m.P_PERIOD, 1)
        set_word(out + 8 * word(out, m.PASS_0 + number), m.P_SPAN, m.NO_END)
    coalesce(out, 0, record, dims, order, rank, raw)
    classify(out, 0)
    turns = word(out, m.MODE) == m.MODE_ELEMENTS and turning_axis(out) >= 0
    if not turns and mark_repeated(out):
        coalesce(out, 0, record, dims, order, rank, raw)
        classify(out, 0)
    elif word(out, m.MODE) == m.MODE_ELEMENTS and only_moves(out):
        set_word(out + 8 * word(out, m.PASS_0), m.P_INNER, 0)             # rows are copied to where they belong
        classify(out, 0)
    for axis in range(outer):
        set_word(order, axis, axis)
    coalesce(out, 1, record, dims, order, outer, raw)
    classify(out, 1)
    choose_code(out, 0, code)
    choose_code(out, 1, code)
    read_reduces(out, registry, functions)
    cut(out)
    if word(out, m.TURNED) != 0:
        forget_code(out)
    plan_lists(out, registry, functions, order + 8 * m.MAX_AXES, word(code, m.CODE_REGISTERS) if code != 0 else 0)
    if word(out, m.REDUCES) > 0:
        or_left_out(cut_pieces, (out,))                # if it was left out, so was what runs the map, which says so
    return 0


@function
def map_set_address(out, buffer, address):
    """From now on the buffer's memory begins at address; out was bound before."""
    for i in range(word(out, m.LOADS) + word(out, m.STORES)):
        access = access_row(out, i)
        if word(access, m.A_BUFFER) == buffer:
            set_word(access, m.A_ADDRESS, address + word(access, m.A_OFFSET) if address != 0 else 0)

