"""Verification of scalar programs: SSA, dtypes equal to those of the primitives, and which values belong to a row.

Values are constants, elements or row values (which depend on a reduction). Elements never depend on row values.
"""
from __future__ import annotations

from ..layout import CODE_CONST, CODE_INDEX, CODE_LINEAR, CODE_REDUCE, INSTR_WORDS, MAX_RANK
from . import image as im
from .image import dtype_size, primitive_row
from .memory import function, set_word, word
from .verify_layout import inside

UNIFORM, ELEMENT, ROW = 0, 1, 2


@function
def program_instrs(program):
    return program + 8 * (3 + word(program, 0))


@function
def program_stores(program):
    return program_instrs(program) + 8 * INSTR_WORDS * word(program, 1)


@function
def value_dtype(program, value):
    loads = word(program, 0)
    if value < loads:
        return word(program, 3 + value)
    return word(program_instrs(program), INSTR_WORDS * (value - loads) + 1)


@function
def number(dtype):
    """Whether a dtype may occur in a program."""
    if dtype == im.DTYPE_HANDLE or dtype == im.DTYPE_STRING or dtype == im.DTYPE_RESOURCE:
        return 0
    return 1 if 0 < dtype_size(dtype) <= 8 else 0


@function
def check_arguments(program, registry, primitive, instr, value):
    """Arguments of an instruction come earlier and have the primitive's dtypes."""
    row = primitive_row(registry, primitive)
    count = word(row, 0)
    if word(row, 1) != word(instr, 1):
        return 54
    for j in range(4):
        argument = word(instr, 2 + j)
        if j >= count:
            if argument != -1:
                return 55
        elif argument < 0 or argument >= value or value_dtype(program, argument) != word(row, 2 + j):
            return 56
    return 0


@function
def check_instr(program, registry, value):
    instr = program_instrs(program) + 8 * INSTR_WORDS * (value - word(program, 0))
    code, dtype = word(instr, 0), word(instr, 1)
    if number(dtype) == 0:
        return 51
    if code == CODE_CONST or code == CODE_INDEX or code == CODE_LINEAR:
        for j in range(4):
            if word(instr, 2 + j) != -1:
                return 55
    if code == CODE_CONST:
        return 0
    if code == CODE_INDEX:
        axis = word(instr, 6)
        return 0 if dtype == im.DTYPE_I64 and 0 <= axis < MAX_RANK else 52
    if code == CODE_LINEAR:
        return 0 if dtype == im.DTYPE_I64 else 52
    primitive = CODE_REDUCE - code if code <= CODE_REDUCE else code
    if primitive < 0 or primitive >= word(registry, 2):
        return 53
    reduces = word(primitive_row(registry, primitive), 6)
    if (reduces != 0) != (code <= CODE_REDUCE):
        return 53
    return check_arguments(program, registry, primitive, instr, value)


@function
def check_program(image, words, registry, offset, work):
    """0 or the number of the check that failed."""
    if offset < 0 or offset > words - 3:
        return 50
    program = image + 8 * offset
    loads, instrs, stores = word(program, 0), word(program, 1), word(program, 2)
    if inside(words, loads, offset + 3, 1) == 0 or inside(words, instrs, offset + 3 + loads, INSTR_WORDS) == 0:
        return 50
    if inside(words, stores, offset + 3 + loads + instrs * INSTR_WORDS, 1) == 0:
        return 50
    for i in range(loads):
        if number(word(program, 3 + i)) == 0:
            return 51
    for value in range(loads, loads + instrs):
        check = check_instr(program, registry, value)
        if check != 0:
            return check
    for j in range(stores):
        value = word(program_stores(program), j)
        if value < 0 or value >= loads + instrs:
            return 57
    for i in range(loads):
        set_word(work, i, UNIFORM)
    return classify(program, work)


@function
def classify(program, kinds):
    """Writes the kind of every instruction's value, given those of the loads; 0, or the number of a check.

    A load is an element value, or UNIFORM if it does not move along the reduced axes: then rows may use it too.
    """
    loads, instrs = word(program, 0), word(program, 1)
    for i in range(instrs):
        instr = program_instrs(program) + 8 * INSTR_WORDS * i
        code, kind, elements = word(instr, 0), UNIFORM, 0
        if code == CODE_INDEX or code == CODE_LINEAR:
            kind = ELEMENT
        elif code != CODE_CONST:
            for j in range(4):
                argument = word(instr, 2 + j)
                if argument >= 0:
                    kind = max(kind, word(kinds, argument))
                    elements += 1 if word(kinds, argument) == ELEMENT else 0
            if code <= CODE_REDUCE:
                if kind == ROW:
                    return 58
                kind = ROW
            elif kind == ROW and elements > 0:
                return 58
        set_word(kinds, loads + i, kind)
    return 0


@function
def has_row_values(program, kinds):
    for i in range(word(program, 0) + word(program, 1)):
        if word(kinds, i) == ROW:
            return 1
    return 0


@function
def largest_index(program):
    """The largest axis that a program asks the index of, -1 if none."""
    largest = -1
    for i in range(word(program, 1)):
        instr = program_instrs(program) + 8 * INSTR_WORDS * i
        if word(instr, 0) == CODE_INDEX:
            largest = max(largest, word(instr, 6))
    return largest
