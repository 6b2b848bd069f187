"""Verification of steps, in their order: what they read is written, what they write they may write, and types fit.

Every check returns 0 or a number. known: of each dim the segment (from 1) that knows it; written, filled: flags of
root buffers and of slots, updated as the steps go; mine: flags of the states that the body may write.
"""
from __future__ import annotations

from . import image as im
from .image import (
    bind_count,
    bind_rows,
    body_record,
    bound_dim,
    buffer_row,
    dim_row,
    kernel_record,
    plain,
    root,
    slot_row,
    step_record,
)
from .memory import function, set_word, word
from .verify_program import ELEMENT, ROW, UNIFORM, classify, has_row_values, largest_index, program_stores, value_dtype


@function
def dims_bound_by(image, record, known):
    """Notes the segment of each RUNTIME dim; a dim is bound once."""
    segment = 1
    for i in range(word(record, im.B_STEPS)):
        step = step_record(image, record, i)
        count = bind_count(step)
        for j in range(count):
            dim = bound_dim(step, j)
            if dim < 0 or dim >= word(record, im.B_DIMS) or word(dim_row(image, record, dim), 0) != im.DIM_RUNTIME:
                return 60
            if word(known, dim) != 0:
                return 61
            set_word(known, dim, segment + 1)
        segment += 1 if count > 0 else 0
    return 0


@function
def dim_is_known(record, dim, known, segment):
    return 1 if 0 <= dim < word(record, im.B_DIMS) and word(known, dim) <= segment else 0


@function
def usable(image, record, buffer, known, segment):
    """Whether a buffer exists and its sizes are known in a segment."""
    if buffer < 0 or buffer >= word(record, im.B_BUFFERS):
        return 0
    row = buffer_row(image, record, buffer)
    for axis in range(word(row, 3)):
        if word(known, word(row, 4 + axis)) > segment:
            return 0
    if word(row, 0) == im.KIND_ALIAS:
        other = buffer_row(image, record, word(row, 2))
        for axis in range(word(other, 3)):
            if word(known, word(other, 4 + axis)) > segment:
                return 0
    return 1


@function
def check_read(image, record, buffer, known, segment, written):
    if usable(image, record, buffer, known, segment) == 0:
        return 70
    base = root(image, record, buffer)
    row = buffer_row(image, record, base)
    kind = word(row, 0)
    if kind == im.KIND_OUTPUT or (kind == im.KIND_ARENA and word(row, 1) != im.DTYPE_HANDLE):
        return 0 if word(written, base) != 0 else 71
    return 0


@function
def check_write(image, record, buffer, known, segment, written, mine):
    if usable(image, record, buffer, known, segment) == 0:
        return 72
    base = root(image, record, buffer)
    row = buffer_row(image, record, base)
    kind = word(row, 0)
    set_word(written, base, 1)
    if kind == im.KIND_ARENA or kind == im.KIND_OUTPUT:
        return 0
    if kind != im.KIND_STATE and kind != im.KIND_STATE_INFO:
        return 73
    if word(mine, word(row, 2)) != 0:
        return 0
    return 74


@function
def is_buffer(image, record, buffer, dtype, rank):
    """Whether a usable buffer has that dtype and rank."""
    row = buffer_row(image, record, buffer)
    return 1 if word(row, 1) == dtype and word(row, 3) == rank else 0


@function
def check_map(image, body, words, kernel_output, known, segment, written, mine, kinds):
    """A map. words: from `program` on; kernel_output: of an epilogue, the buffer that its kernel writes, else -1."""
    record = body_record(image, body)
    number, rank, reduced, loads, stores = (
        word(words, 0),
        word(words, 1),
        word(words, 2),
        word(words, 3),
        word(words, 4),
    )
    if number < 0 or number >= word(image, im.H_PROGRAMS):
        return 80
    program = image + 8 * word(image, word(image, im.H_PROGRAM_TABLE) + number)
    if loads != word(program, 0) or stores != word(program, 2) or largest_index(program) >= rank:
        return 81
    if kernel_output >= 0 and reduced > 0:
        return 82
    for k in range(rank):
        if dim_is_known(record, word(words, 5 + k), known, segment) == 0:
            return 83
    access = words + 8 * (5 + rank)
    for i in range(loads):
        check = check_access(image, record, access, rank, rank, value_dtype(program, i), known, segment)
        if check == 0:
            check = check_read(image, record, word(access, 0), known, segment, written)
        if check != 0:
            return check
        moves = moves_along_reduced(image, record, access, rank, reduced)
        set_word(kinds, i, ELEMENT if moves != 0 else UNIFORM)
        access += 8 * (2 + rank)
    if classify(program, kinds) != 0 or (has_row_values(program, kinds) != 0) != (reduced > 0):
        return 82
    for i in range(stores):
        value = word(program_stores(program), i)
        axes = rank - reduced if word(kinds, value) == ROW else rank
        check = check_access(image, record, access, rank, axes, value_dtype(program, value), known, segment)
        if check == 0:
            check = check_write(image, record, word(access, 0), known, segment, written, mine)
        if check != 0:
            return check
        access += 8 * (2 + rank)
    return 0


@function
def moves_along_reduced(image, record, access, rank, reduced):
    """Whether a checked load's strides along the reduced axes are anything but the constant 0."""
    if reduced == 0:
        return 1
    for k in range(rank - reduced, rank):
        row = dim_row(image, record, word(access, 2 + k))
        if word(row, 0) != im.DIM_CONST or word(row, 1) != 0:
            return 1
    return 0


@function
def check_access(image, record, access, rank, axes, dtype, known, segment):
    """Offset and strides are known dims over the first `axes` axes, -1 behind; the buffer has that dtype."""
    if usable(image, record, word(access, 0), known, segment) == 0:
        return 84
    if (
        word(buffer_row(image, record, word(access, 0)), 1) != dtype
        or dim_is_known(record, word(access, 1), known, segment) == 0
    ):
        return 85
    for k in range(rank):
        stride = word(access, 2 + k)
        if k >= axes:
            if stride != -1:
                return 86
        elif dim_is_known(record, stride, known, segment) == 0:
            return 86
    return 0


@function
def same_memory(image, record, a, b):
    base, other = root(image, record, a), root(image, record, b)
    if base == other:
        return 1
    row, second = buffer_row(image, record, base), buffer_row(image, record, other)
    kind = word(row, 0)
    if kind != word(second, 0) or word(row, 2) != word(second, 2):
        return 0
    return 1 if kind == im.KIND_STATE or kind == im.KIND_STATE_INFO else 0


@function
def check_call(image, registry, body, step, known, segment, written, mine, spare):
    record, kernel_number = body_record(image, body), word(step, 2)
    if kernel_number < 0 or kernel_number >= word(registry, 1):
        return 90
    kernel, operands, dims = kernel_record(registry, kernel_number), word(step, 3), word(step, 4)
    if operands != word(kernel, 0) or dims != word(kernel, 1) or word(step, 5) != word(kernel, 2) or operands == 0:
        return 91
    for i in range(operands):
        buffer, role = word(step, 7 + i), word(kernel, 4 + 4 * i)
        if usable(image, record, buffer, known, segment) == 0:
            return 92
        if word(buffer_row(image, record, buffer), 1) != word(kernel, 4 + 4 * i + 1):
            return 93
        check = check_read(image, record, buffer, known, segment, written) if role != 1 else 0
        if check != 0:
            return check
    for i in range(operands):
        buffer, role = word(step, 7 + i), word(kernel, 4 + 4 * i)
        if role == 0:
            continue
        check = check_write(image, record, buffer, known, segment, written, mine)
        if check != 0:
            return check
        for j in range(operands):
            if j != i and same_memory(image, record, buffer, word(step, 7 + j)) != 0:
                return 94
    for i in range(dims):
        if dim_is_known(record, word(step, 7 + operands + i), known, segment) == 0:
            return 95
    if word(step, 6) == 0:
        return 0
    words = step + 8 * (7 + operands + dims + word(step, 5))
    return check_map(image, body, words, word(step, 6 + operands), known, segment, written, mine, spare)


@function
def check_binds(image, record, step, filled):
    """Slots of a step's binds are filled by then, axes exist. (Dims: dims_bound_by.)"""
    rows = bind_rows(step)
    for i in range(bind_count(step)):
        slot, axis = word(rows, 3 * i), word(rows, 3 * i + 1)
        if slot < 0 or slot >= word(record, im.B_SLOTS) or word(filled, slot) == 0:
            return 100
        if axis < 0 or axis >= word(slot_row(image, record, slot), 1):
            return 101
    return 0


@function
def check_lists(image, record, step, base, known, segment, written, filled):
    """Operands of a HOST, WHILE or IF are readable, its slots exist (and are filled from here on)."""
    operands, slots = word(step, base - 3), word(step, base - 2)
    for i in range(operands):
        check = check_read(image, record, word(step, base + i), known, segment, written)
        if check != 0:
            return check
    for i in range(slots):
        slot = word(step, base + operands + i)
        if slot < 0 or slot >= word(record, im.B_SLOTS):
            return 102
        if word(filled, slot) == step:
            return 103
        set_word(filled, slot, step)               # its address: each step has its own
    return check_binds(image, record, step, filled)


@function
def port(image, body, field, index):
    """Buffer row of an input or output of a body."""
    record = body_record(image, body)
    return buffer_row(image, record, word(image, word(record, field + 1) + index))


@function
def same_type(row, dtype, rank):
    return 1 if word(row, 1) == dtype and word(row, 3) == rank else 0


@function
def check_inputs(image, record, step, callee, operands):
    """Operands of a WHILE or IF fit the inputs of the body."""
    if word(body_record(image, callee), im.B_INPUTS) != operands:
        return 110
    for i in range(operands):
        row = buffer_row(image, record, word(step, 8 + i))
        if same_type(port(image, callee, im.B_INPUTS, i), word(row, 1), word(row, 3)) == 0:
            return 111
    return 0


@function
def check_results(image, record, step, callee, operands, slots):
    """Outputs of a body fit the slots."""
    if word(body_record(image, callee), im.B_OUTPUTS) != slots:
        return 112
    for i in range(slots):
        row = slot_row(image, record, word(step, 8 + operands + i))
        if same_type(port(image, callee, im.B_OUTPUTS, i), word(row, 0), word(row, 1)) == 0:
            return 113
    return 0


@function
def check_while(image, body, step):
    record, test, callee = body_record(image, body), word(step, 2), word(step, 3)
    carried, operands, slots = word(step, 4), word(step, 5), word(step, 6)
    bodies = word(image, im.H_BODIES)
    if test <= body or test >= bodies or callee <= body or callee >= bodies:
        return 114
    if carried < 0 or carried > operands or slots != carried:
        return 115
    if (
        word(body_record(image, test), im.B_OUTPUTS) != 1
        or same_type(port(image, test, im.B_OUTPUTS, 0), im.DTYPE_BOOL, 0) == 0
    ):
        return 116
    check = max(check_inputs(image, record, step, test, operands), check_inputs(image, record, step, callee, operands))
    if check == 0:
        check = check_results(image, record, step, callee, operands, slots)
    for i in range(slots):
        if check == 0:
            row = slot_row(image, record, word(step, 8 + operands + i))
            check = 0 if is_buffer(image, record, word(step, 8 + i), word(row, 0), word(row, 1)) != 0 else 117
    return check


@function
def check_if(image, body, step, known, segment, written):
    record, then, otherwise = body_record(image, body), word(step, 3), word(step, 4)
    operands, slots, bodies = word(step, 5), word(step, 6), word(image, im.H_BODIES)
    if then <= body or then >= bodies or otherwise <= body or otherwise >= bodies:
        return 118
    check = check_read(image, record, word(step, 2), known, segment, written)
    if check == 0 and is_buffer(image, record, word(step, 2), im.DTYPE_BOOL, 0) == 0:
        check = 119
    if check == 0:
        check = max(
            check_inputs(image, record, step, then, operands), check_inputs(image, record, step, otherwise, operands)
        )
    if check == 0:
        check = max(check_results(image, record, step, then, operands, slots),
                    check_results(image, record, step, otherwise, operands, slots))
    return check


@function
def check_host(image, record, step):
    if word(step, 2) < 0 or word(step, 2) >= word(image, im.H_HOSTS):
        return 120
    for i in range(word(step, 3)):
        if plain(word(buffer_row(image, record, word(step, 6 + i)), 1)) == 0:
            return 121
    for i in range(word(step, 4)):
        if plain(word(slot_row(image, record, word(step, 6 + word(step, 3) + i)), 0)) == 0:
            return 121
    return 0


@function
def check_list_step(image, record, step, known, segment, written, filled, mine):
    """PUSH, POP, LENGTH."""
    kind, source = word(step, 0), word(step, 2)
    check = check_read(image, record, source, known, segment, written)
    if check != 0:
        return check
    if is_buffer(image, record, source, im.DTYPE_HANDLE, 0) == 0:
        return 130
    if kind == im.STEP_LENGTH:
        check = check_write(image, record, word(step, 3), known, segment, written, mine)
        if check == 0 and is_buffer(image, record, word(step, 3), im.DTYPE_I32, 0) == 0:
            check = 131
        return check
    if kind == im.STEP_PUSH:
        check = check_read(image, record, word(step, 3), known, segment, written)
        if check != 0:
            return check
    result = word(step, 4) if kind == im.STEP_PUSH else word(step, 3)
    check = check_write(image, record, result, known, segment, written, mine)
    if check != 0:
        return check
    if is_buffer(image, record, result, im.DTYPE_HANDLE, 0) == 0:
        return 132
    if kind == im.STEP_PUSH:
        return 0
    slot = word(step, 4)
    if slot < 0 or slot >= word(record, im.B_SLOTS):
        return 133
    set_word(filled, slot, 1)
    return check_binds(image, record, step, filled)


@function
def check_take(image, record, step, known, segment, written, filled, mine):
    slot, buffer = word(step, 2), word(step, 3)
    if slot < 0 or slot >= word(record, im.B_SLOTS) or word(filled, slot) == 0:
        return 140
    check = check_write(image, record, buffer, known, segment, written, mine)
    row = slot_row(image, record, slot)
    if check == 0 and is_buffer(image, record, buffer, word(row, 0), word(row, 1)) == 0:
        check = 141
    return check


@function
def check_bind(image, record, step, known, segment, written):
    check = check_read(image, record, word(step, 2), known, segment, written)
    if check != 0:
        return check
    row = buffer_row(image, record, word(step, 2))
    if word(row, 3) > 1 or (word(row, 1) != im.DTYPE_I32 and word(row, 1) != im.DTYPE_I64):
        return 150
    return 0


@function
def check_step(image, registry, body, step, segment, known, written, filled, mine, spare):
    record, kind = body_record(image, body), word(step, 0)
    if kind == im.STEP_MAP:
        return check_map(image, body, step + 16, -1, known, segment, written, mine, spare)
    if kind == im.STEP_CALL:
        return check_call(image, registry, body, step, known, segment, written, mine, spare)
    if kind == im.STEP_TAKE:
        return check_take(image, record, step, known, segment, written, filled, mine)
    if kind == im.STEP_BIND:
        return check_bind(image, record, step, known, segment, written)
    if kind == im.STEP_PUSH or kind == im.STEP_POP or kind == im.STEP_LENGTH:
        return check_list_step(image, record, step, known, segment, written, filled, mine)
    check = check_lists(image, record, step, im.list_base(kind), known, segment, written, filled)
    if check != 0:
        return check
    if kind == im.STEP_HOST:
        return check_host(image, record, step)
    if kind == im.STEP_WHILE:
        return check_while(image, body, step)
    return check_if(image, body, step, known, segment, written)
