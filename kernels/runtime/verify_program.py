"""Verification of scalar programs: SSA, dtypes equal to those of the primitives, and which values belong to a row.

Values are constants, elements or row values (which depend on a reduction). Elements never depend on row values.
"""
from __future__ import annotations

from ..layout import CODE_CONST, CODE_INDEX, CODE_LINEAR, CODE_REDUCE, INSTR_WORDS, MAX_RANK
from . import image as im
from .image import dtype_size, primitive_row
from .memory import function, set_word, word
from .steps import (
    INSTR_CODE,
    INSTR_DTYPE,
    INSTR_VALUE,
    MOST_ARGUMENTS,
    PROGRAM_DTYPES,
    PROGRAM_INSTRS,
    PROGRAM_LOADS,
    PROGRAM_STORES,
    instr_argument,
    program_instr,
    program_store,
    program_values,
    value_dtype,
)
from .verify_layout import inside

UNIFORM, ELEMENT, ROW = 0, 1, 2


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
    if word(row, 1) != word(instr, INSTR_DTYPE):
        return 54
    for j in range(MOST_ARGUMENTS):
        argument = instr_argument(instr, j)
        if j >= count:
            if argument != -1:
                return 55
        elif argument < 0 or argument >= value or value_dtype(program, argument) != word(row, 2 + j):
            return 56
    return 0


@function
def check_instr(program, registry, value):
    instr = program_instr(program, value - word(program, PROGRAM_LOADS))
    code, dtype = word(instr, INSTR_CODE), word(instr, INSTR_DTYPE)
    if number(dtype) == 0:
        return 51
    if code == CODE_CONST or code == CODE_INDEX or code == CODE_LINEAR:
        for j in range(MOST_ARGUMENTS):
            if instr_argument(instr, j) != -1:
                return 55
    if code == CODE_CONST:
        return 0
    if code == CODE_INDEX:
        axis = word(instr, INSTR_VALUE)
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
    if offset < 0 or offset > words - PROGRAM_DTYPES:
        return 50
    program = image + 8 * offset
    loads, instrs, stores = word(program, PROGRAM_LOADS), word(program, PROGRAM_INSTRS), word(program, PROGRAM_STORES)
    first = offset + PROGRAM_DTYPES
    if inside(words, loads, first, 1) == 0 or inside(words, instrs, first + loads, INSTR_WORDS) == 0:
        return 50
    if inside(words, stores, first + loads + instrs * INSTR_WORDS, 1) == 0:
        return 50
    for i in range(loads):
        if number(value_dtype(program, i)) == 0:
            return 51
    for value in range(loads, loads + instrs):
        check = check_instr(program, registry, value)
        if check != 0:
            return check
    for j in range(stores):
        value = program_store(program, j)
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
    loads, instrs = word(program, PROGRAM_LOADS), word(program, PROGRAM_INSTRS)
    for i in range(instrs):
        instr = program_instr(program, i)
        code, kind, elements = word(instr, INSTR_CODE), UNIFORM, 0
        if code == CODE_INDEX or code == CODE_LINEAR:
            kind = ELEMENT
        elif code != CODE_CONST:
            for j in range(MOST_ARGUMENTS):
                argument = instr_argument(instr, j)
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
    for i in range(program_values(program)):
        if word(kinds, i) == ROW:
            return 1
    return 0


@function
def largest_index(program):
    """The largest axis that a program asks the index of, -1 if none."""
    largest = -1
    for i in range(word(program, PROGRAM_INSTRS)):
        instr = program_instr(program, i)
        if word(instr, INSTR_CODE) == CODE_INDEX:
            largest = max(largest, word(instr, INSTR_VALUE))
    return largest
