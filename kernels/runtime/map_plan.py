"""The lists of work of a bound map's passes, and its registers.

A register is a chunk of scratch. Constants and loads that do not move keep theirs for good; an instruction's result
takes one that is free from its last use on (a primitive may write where it reads elements of the same size). A result
that is stored to contiguous memory is computed there, if by then no load that points into memory is still wanted: the
store may overwrite what was loaded.

The code of a pass reads all that a result is made of before it writes the result: it may always write to the store's
memory. It reads constants and counts elements by itself; of what it computes just that has a register which it leaves
to a store or a reduction.
"""
from __future__ import annotations

from ..cpu.stream import BEYOND_CACHES, STREAMED_ROW
from ..layout import CODE_CONST, CODE_LINEAR
from . import map_words as m
from .map_blocks import only_moves
from .map_chunk import POINTERS
from .memory import function, set_word, word
from .steps import INSTR_CODE, INSTR_VALUE, MOST_ARGUMENTS, instr_argument, program_instr

FOREVER = 1 << 30


@function
def lay_out_lists(out, at):
    """Places the lists of both passes from word `at` on; returns where they end."""
    loads, instrs, stores, values = word(out, m.LOADS), word(out, m.INSTRS), word(out, m.STORES), word(out, m.VALUES)
    for number in range(2):
        bound = out + 8 * word(out, m.PASS_0 + number)
        set_word(bound, m.P_CONST_ROWS, at)
        at += m.CONST_WORDS * instrs
        set_word(bound, m.P_FIXED_ROWS, at)
        at += loads + instrs
        set_word(bound, m.P_FETCH_ROWS, at)
        at += loads + instrs
        set_word(bound, m.P_OP_ROWS, at)
        at += m.OP_WORDS * instrs
        set_word(bound, m.P_PUT_ROWS, at)
        at += m.PUT_WORDS * stores
        set_word(bound, m.P_SLOT_ROWS, at)
        at += m.SLOT_ROW_WORDS * values
    return at


@function
def value_at(out, number):
    return out + 8 * (word(out, m.VALUE_ROWS) + m.VALUE_WORDS * number)


@function
def access_at(out, number):
    return out + 8 * (word(out, m.ACCESS_ROWS) + m.ACCESS_WORDS * number)


@function
def instr_at(out, number):
    return program_instr(word(out, m.PROGRAM), number)


@function
def is_op(out, number, instr):
    """Whether instruction `instr` is a primitive that the pass calls."""
    needed = word(value_at(out, word(out, m.LOADS) + instr), m.V_NEEDED + number) == 1
    return needed and word(instr_at(out, instr), INSTR_CODE) >= 0


@function
def note_uses(out, number):
    """V_LAST of each value: the last instruction of the pass that reads it; INSTRS if a store or a reduction does."""
    instrs = word(out, m.INSTRS)
    for v in range(word(out, m.VALUES)):
        set_word(value_at(out, v), m.V_LAST + number, -1)
        set_word(value_at(out, v), m.V_SLOT + number, -1)
    for i in range(instrs):
        if is_op(out, number, i):
            for a in range(MOST_ARGUMENTS):
                argument = instr_argument(instr_at(out, i), a)
                if argument >= 0:
                    set_word(value_at(out, argument), m.V_LAST + number, i)
    for j in range(word(out, m.STORES)):
        access = access_at(out, word(out, m.LOADS) + j)
        if word(access, m.A_ROW) == number:
            set_word(value_at(out, word(access, m.A_VALUE)), m.V_LAST + number, instrs)
    if number == 0:
        for j in range(word(out, m.REDUCES)):
            reduce = out + 8 * (word(out, m.REDUCE_ROWS) + m.REDUCE_WORDS * j)
            set_word(value_at(out, word(reduce, m.R_VALUE)), m.V_LAST, instrs)


@function
def last_direct_use(out, number):
    """The last instruction that reads a load straight from memory, -1 if none does."""
    last = -1
    for i in range(word(out, m.LOADS)):
        kind = word(access_at(out, i), m.A_CLASS + number)
        if kind == m.LINEAR or kind == m.DIRECT:
            last = max(last, word(value_at(out, i), m.V_LAST + number))
    return last


@function
def plan_puts(out, number, in_place):
    """The list of stores.
    in_place: address of a word a value, set to 1 where the value is computed in its store's memory."""
    bound = out + 8 * word(out, m.PASS_0 + number)
    loads, stores, coded = word(out, m.LOADS), word(out, m.STORES), word(bound, m.P_CODE) != 0
    free_from, count, ops = last_direct_use(out, number), 0, 0
    for i in range(word(out, m.INSTRS)):
        ops += 1 if is_op(out, number, i) else 0
    for v in range(word(out, m.VALUES)):
        set_word(in_place, v, 0)
    for j in range(stores):
        access = access_at(out, loads + j)
        if word(access, m.A_ROW) != number:
            continue
        value, kind = word(access, m.A_VALUE), word(access, m.A_CLASS + number)
        how = m.PUT_SCATTER
        if kind == m.LINEAR or kind == m.DIRECT:
            how = m.PUT_COPY
            if value >= loads:
                computed = is_op(out, number, value - loads) and (coded or value - loads >= free_from)
            else:
                moved = word(access_at(out, value), m.A_CLASS + number) == m.GATHER
                computed = moved and ops == 0 and loads == 1 and word(out, m.REDUCES) == 0
            if computed and word(in_place, value) == 0:
                how = m.PUT_IN_PLACE
                set_word(in_place, value, 1)
        put = out + 8 * (word(bound, m.P_PUT_ROWS) + m.PUT_WORDS * count)
        set_word(put, 0, word(out, m.ACCESS_ROWS) + m.ACCESS_WORDS * (loads + j))
        set_word(put, 1, value)
        set_word(put, 2, how)
        count += 1
    set_word(bound, m.P_PUTS, count)


@function
def take_slot(out, number, value, born, busy):
    """Gives a value a register that is free when it is born.
    busy: address of a word a register, its owner's last use."""
    bound = out + 8 * word(out, m.PASS_0 + number)
    last = word(value_at(out, value), m.V_LAST + number)
    slot, slots = 0, word(out, m.SLOTS)
    while slot < slots and word(busy, slot) > born:
        slot += 1
    if slot == slots:
        set_word(out, m.SLOTS, slots + 1)
    set_word(busy, slot, FOREVER if born < -1 else last)
    set_word(value_at(out, value), m.V_SLOT + number, slot)
    count = word(bound, m.P_SLOT_VALUES)
    row = out + 8 * (word(bound, m.P_SLOT_ROWS) + m.SLOT_ROW_WORDS * count)
    set_word(row, 0, value)
    set_word(row, 1, slot)
    set_word(bound, m.P_SLOT_VALUES, count + 1)


@function
def plan_loads(out, number, in_place, busy):
    """Constants, loads that do not move and loads that do. Those that stay for good come first."""
    bound = out + 8 * word(out, m.PASS_0 + number)
    loads, consts, fixed, fetches = word(out, m.LOADS), 0, 0, 0
    coded = word(bound, m.P_CODE) != 0
    for i in range(word(out, m.INSTRS)):
        instr = instr_at(out, i)
        wanted = word(value_at(out, loads + i), m.V_NEEDED + number) == 1
        if word(instr, INSTR_CODE) == CODE_CONST and wanted and (not coded or is_left(out, number, loads + i)):
            take_slot(out, number, loads + i, -2, busy)
            row = out + 8 * (word(bound, m.P_CONST_ROWS) + m.CONST_WORDS * consts)
            set_word(row, 0, loads + i)
            set_word(row, 1, word(instr, INSTR_VALUE))
            set_word(row, 2, word(value_at(out, loads + i), m.V_SIZE))
            consts += 1
    for step in range(2):
        for i in range(word(out, m.ACCESSES)):
            access = access_at(out, i)
            kind, value = word(access, m.A_CLASS + number), word(access, m.A_VALUE)
            if loads <= i < loads + word(out, m.STORES) or kind == m.UNUSED or (kind == m.FIXED) != (step == 0):
                continue
            if coded and is_counted(out, value) and not is_left(out, number, value):
                continue
            where = word(out, m.ACCESS_ROWS) + m.ACCESS_WORDS * i
            if kind == m.FIXED:
                take_slot(out, number, value, -2, busy)
                if word(access, m.A_BUFFER) < 0:            # the index of an axis of one element
                    row = out + 8 * (word(bound, m.P_CONST_ROWS) + m.CONST_WORDS * consts)
                    set_word(row, 0, value)
                    set_word(row, 1, 0)
                    set_word(row, 2, word(access, m.A_SIZE))
                    consts += 1
                else:
                    set_word(out, word(bound, m.P_FIXED_ROWS) + fixed, where)
                    fixed += 1
            else:
                if (kind == m.GATHER or kind == m.IOTA) and word(in_place, value) == 0:
                    take_slot(out, number, value, -2 if coded else -1, busy)
                set_word(out, word(bound, m.P_FETCH_ROWS) + fetches, where)
                fetches += 1
    set_word(bound, m.P_CONSTS, consts)
    set_word(bound, m.P_FIXED, fixed)
    set_word(bound, m.P_FETCHES, fetches)


@function
def is_left(out, number, value):
    """Whether a store or a reduction reads the value."""
    return word(value_at(out, value), m.V_LAST + number) == word(out, m.INSTRS)


@function
def is_counted(out, value):
    """Whether code knows an index value by the position of a chunk: elements are taken in order."""
    loads = word(out, m.LOADS)
    if value < loads or word(out, m.MODE) != m.MODE_ELEMENTS:
        return False
    return word(instr_at(out, value - loads), INSTR_CODE) == CODE_LINEAR


@function
def plan_results(out, number, in_place, busy):
    """Registers for what the pass's code leaves to stores and reductions."""
    loads = word(out, m.LOADS)
    for i in range(word(out, m.INSTRS)):
        if is_left(out, number, loads + i) and is_op(out, number, i) and word(in_place, loads + i) == 0:
            take_slot(out, number, loads + i, -2, busy)
    set_word(out + 8 * word(out, m.PASS_0 + number), m.P_OPS, 0)


@function
def of_one_size(out, instr, value):
    """Whether the arguments' elements are as large as the result's, so that it may be computed in an argument's
    place."""
    same = True
    for a in range(MOST_ARGUMENTS):
        argument = instr_argument(instr, a)
        if argument >= 0:
            same = same and word(value_at(out, argument), m.V_SIZE) == word(value_at(out, value), m.V_SIZE)
    return same


@function
def plan_ops(out, number, registry, functions, in_place, busy):
    bound = out + 8 * word(out, m.PASS_0 + number)
    loads, count = word(out, m.LOADS), 0
    for i in range(word(out, m.INSTRS)):
        if is_op(out, number, i):
            instr, value = instr_at(out, i), loads + i
            if word(in_place, value) == 0:
                take_slot(out, number, value, i if of_one_size(out, instr, value) else i - 1, busy)
            row = out + 8 * (word(bound, m.P_OP_ROWS) + m.OP_WORDS * count)
            set_word(row, 0, word(functions, 3 * word(registry, 1) + word(instr, INSTR_CODE)))
            set_word(row, 1, value)
            for a in range(MOST_ARGUMENTS):
                argument = instr_argument(instr, a)
                set_word(row, 2 + a, argument if argument >= 0 else value)
            count += 1
    set_word(bound, m.P_OPS, count)


@function
def note_most(out, registers):
    """Sets MOST: what needs no registers, needs no chunks: what only moves, row by row to where it belongs, and a
    single operation, or code, that reads and writes memory alone. Sets FAR, and STREAMS: long rows of what no cache
    holds only move."""
    bound, source, target = out + 8 * word(out, m.PASS_0), access_at(out, 0), access_at(out, 1)
    moves = only_moves(out) and word(bound, m.P_INNER) == 0 and word(bound, m.P_PERIOD) == 1
    free = registers == 0 and (moves or word(bound, m.P_CODE) != 0 or word(bound, m.P_OPS) == 1)
    set_word(out, m.MOST, m.NO_END if free else word(out, m.CHUNK))
    last, size = word(bound, m.P_RANK) - 1, word(source, m.A_SIZE)
    rows = word(source, m.A_STRIDES + last) == size and word(target, m.A_STRIDES + last) == size
    long, far = word(bound, m.P_SIZES + last) * size >= STREAMED_ROW, word(out, m.TOTAL) * size >= BEYOND_CACHES
    set_word(out, m.STREAMS, 1 if moves and rows and long and far else 0)
    set_word(out, m.FAR, 1 if far else 0)


@function
def in_one_row(out):
    """Whether what is combined at once does not cross the end of a row of pass 0's last axis. Chunks never do."""
    inner, whole = word(out + 8 * word(out, m.PASS_0), m.P_INNER), word(out, m.WIDTH)
    if word(out, m.MODE) == m.MODE_ROWS or word(out, m.GROUP) > 1:
        return True
    return inner % whole == 0 or inner % word(out, m.BLOCK) == 0


@function
def note_direct(out):
    """Sets DIRECT_SOURCES: pass 0 computes and stores nothing, and no row of what it reduces has to be gathered."""
    bound, direct = out + 8 * word(out, m.PASS_0), 1 if word(out, m.REDUCES) > 0 else 0
    for j in range(word(out, m.REDUCES)):
        reduce = out + 8 * (word(out, m.REDUCE_ROWS) + m.REDUCE_WORDS * j)
        value = word(reduce, m.R_VALUE)
        kind = word(access_at(out, value), m.A_CLASS) if value < word(out, m.LOADS) else m.UNUSED
        if kind != m.LINEAR and (kind != m.DIRECT or not in_one_row(out)):
            direct = 0
    nothing = word(bound, m.P_OPS) + word(bound, m.P_PUTS) == 0 and word(bound, m.P_CODE) == 0
    set_word(out, m.DIRECT_SOURCES, direct if nothing else 0)


@function
def plan_lists(out, registry, functions, space, code_registers):
    """Fills the lists of both passes and the sizes of scratch. space: address of two words a value to work in;
    code_registers: how many the code of the passes takes."""
    most = 0
    for number in range(2):
        bound = out + 8 * word(out, m.PASS_0 + number)
        set_word(bound, m.P_SLOT_VALUES, 0)
        set_word(out, m.SLOTS, 0)
        busy = space + 8 * word(out, m.VALUES)
        note_uses(out, number)
        plan_puts(out, number, space)
        plan_loads(out, number, space, busy)
        if word(bound, m.P_CODE) != 0:
            plan_results(out, number, space, busy)
        else:
            plan_ops(out, number, registry, functions, space, busy)
        most = max(most, word(out, m.SLOTS))
    set_word(out, m.SLOTS, most)
    note_direct(out)
    note_most(out, most + code_registers)
    at = (POINTERS + 16 * word(out, m.VALUES) + 63) // 64 * 64
    set_word(out, m.REGISTERS, at)
    at += most * word(out, m.SLOT_BYTES)
    set_word(out, m.ACCUMULATORS, at)
    at += 16 * word(out, m.REDUCES) * word(out, m.CHUNK)
    set_word(out, m.ROOM, at)
    at += (word(out, m.LOADS) + word(out, m.STORES)) * word(out, m.SLOT_BYTES)
    set_word(out, m.CODE_ROOM, at)
    at += code_registers * word(out, m.SLOT_BYTES)
    set_word(out, m.SCRATCH, at)
