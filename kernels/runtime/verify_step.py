"""Verification of steps, in their order: maps and calls here, steps of control in verify_control.py.

What the arguments of checks are, verify_buffer.py says.
"""
from __future__ import annotations

from . import image as im
from .image import body_record, buffer_row, dim_row, kernel_record
from .memory import function, or_left_out, set_word, word
from .steps import (
    CALL_ATTRS,
    CALL_DIMS,
    CALL_KERNEL,
    CALL_OPERANDS,
    MAP_LOADS,
    MAP_PROGRAM,
    MAP_RANK,
    MAP_REDUCED,
    MAP_STORES,
    PROGRAM_LOADS,
    PROGRAM_STORES,
    access_buffer,
    access_offset,
    access_stride,
    call_dim,
    call_operand,
    call_output,
    epilogue_of,
    kind_of,
    map_access,
    map_dim,
    map_of,
    map_program,
    map_store,
    program_store,
    value_dtype,
)
from .verify_buffer import check_read, check_write, dim_is_known, same_memory, usable
from .verify_control import check_control
from .verify_program import ELEMENT, ROW, UNIFORM, classify, has_row_values, largest_index


@function
def check_map(image, body, words, kernel_output, known, segment, written, mine, kinds):
    """A map. words: from `program` on; kernel_output: of an epilogue, the buffer that its kernel writes, else -1."""
    record = body_record(image, body)
    number, rank, reduced = word(words, MAP_PROGRAM), word(words, MAP_RANK), word(words, MAP_REDUCED)
    loads, stores = word(words, MAP_LOADS), word(words, MAP_STORES)
    if number < 0 or number >= word(image, im.H_PROGRAMS):
        return 80
    program = map_program(image, words)
    if (loads != word(program, PROGRAM_LOADS) or stores != word(program, PROGRAM_STORES)
            or largest_index(program) >= rank):
        return 81
    if kernel_output >= 0 and reduced > 0:
        return 82
    for k in range(rank):
        if dim_is_known(record, map_dim(words, k), known, segment) == 0:
            return 83
    for i in range(loads):
        access = map_access(words, i)
        check = check_access(image, record, access, rank, rank, value_dtype(program, i), known, segment)
        if check == 0:
            check = check_read(image, record, access_buffer(access), known, segment, written)
        if check != 0:
            return check
        moves = moves_along_reduced(image, record, access, rank, reduced)
        set_word(kinds, i, ELEMENT if moves != 0 else UNIFORM)
    if classify(program, kinds) != 0 or (has_row_values(program, kinds) != 0) != (reduced > 0):
        return 82
    for i in range(stores):
        access, value = map_store(words, i), program_store(program, i)
        axes = rank - reduced if word(kinds, value) == ROW else rank
        check = check_access(image, record, access, rank, axes, value_dtype(program, value), known, segment)
        if check == 0:
            check = check_write(image, record, access_buffer(access), known, segment, written, mine)
        if check != 0:
            return check
    return 0


@function
def moves_along_reduced(image, record, access, rank, reduced):
    """Whether a checked load's strides along the reduced axes are anything but the constant 0."""
    if reduced == 0:
        return 1
    for k in range(rank - reduced, rank):
        row = dim_row(image, record, access_stride(access, k))
        if word(row, 0) != im.DIM_CONST or word(row, 1) != 0:
            return 1
    return 0


@function
def check_access(image, record, access, rank, axes, dtype, known, segment):
    """Offset and strides are known dims over the first `axes` axes, -1 after; the buffer has that dtype."""
    if usable(image, record, access_buffer(access), known, segment) == 0:
        return 84
    if (
        word(buffer_row(image, record, access_buffer(access)), 1) != dtype
        or dim_is_known(record, access_offset(access), known, segment) == 0
    ):
        return 85
    for k in range(rank):
        stride = access_stride(access, k)
        if k >= axes:
            if stride != -1:
                return 86
        elif dim_is_known(record, stride, known, segment) == 0:
            return 86
    return 0


@function
def check_call(image, registry, body, step, known, segment, written, mine, spare):
    record, kernel_number = body_record(image, body), word(step, CALL_KERNEL)
    if kernel_number < 0 or kernel_number >= word(registry, 1):
        return 90
    kernel, operands = kernel_record(registry, kernel_number), word(step, CALL_OPERANDS)
    dims, attrs = word(step, CALL_DIMS), word(step, CALL_ATTRS)
    if operands != word(kernel, 0) or dims != word(kernel, 1) or attrs != word(kernel, 2) or operands == 0:
        return 91
    for i in range(operands):
        buffer, role = call_operand(step, i), word(kernel, 4 + 4 * i)
        if usable(image, record, buffer, known, segment) == 0:
            return 92
        if word(buffer_row(image, record, buffer), 1) != word(kernel, 4 + 4 * i + 1):
            return 93
        check = check_read(image, record, buffer, known, segment, written) if role != 1 else 0
        if check != 0:
            return check
    for i in range(operands):
        buffer, role = call_operand(step, i), word(kernel, 4 + 4 * i)
        if role == 0:
            continue
        check = check_write(image, record, buffer, known, segment, written, mine)
        if check != 0:
            return check
        for j in range(operands):
            if j != i and same_memory(image, record, buffer, call_operand(step, j)) != 0:
                return 94
    for i in range(dims):
        if dim_is_known(record, call_dim(step, i), known, segment) == 0:
            return 95
    words = epilogue_of(step)
    if words == 0:
        return 0
    return check_map(image, body, words, call_output(step), known, segment, written, mine, spare)


@function
def check_step(image, registry, body, step, segment, known, written, filled, mine, spare):
    kind = kind_of(step)
    if kind == im.STEP_MAP:
        return check_map(image, body, map_of(step), -1, known, segment, written, mine, spare)
    if kind == im.STEP_CALL:
        return check_call(image, registry, body, step, known, segment, written, mine, spare)
    return or_left_out(check_control, (image, body, step, segment, known, written, filled, mine))
