"""Verification of the steps of control: those that bind dims, fill slots, run bodies or work on lists.

What the arguments of checks are, verify_buffer.py says.
"""
from __future__ import annotations

from ..layout import ListOperation
from . import image as im
from .image import body_record, buffer_row, kept_input, plain, root, slot_row
from .memory import function, part, set_word, word
from .steps import (
    BIND_BUFFER,
    BOUND_AXIS,
    BOUND_SLOT,
    HOST_NUMBER,
    IF_ELSE,
    IF_FLAG,
    IF_THEN,
    LENGTH_BUFFER,
    LENGTH_SOURCE,
    LIST_OPERATION,
    POP_RESULT,
    POP_SLOT,
    POP_SOURCE,
    PUSH_RESULT,
    PUSH_SOURCE,
    PUSH_VALUE,
    TAKE_BUFFER,
    TAKE_SLOT,
    WHILE_BODY,
    WHILE_CARRIED,
    WHILE_TEST,
    bind_count,
    bind_row,
    kind_of,
    list_operand,
    list_operands,
    list_slot,
    list_slots,
)
from .verify_buffer import check_read, check_write, is_buffer


@function
def check_binds(image, record, step, filled):
    """Slots of a step's binds are filled by then, axes exist. (Dims: dims_bound_by.)"""
    for i in range(bind_count(step)):
        row = bind_row(step, i)
        slot, axis = word(row, BOUND_SLOT), word(row, BOUND_AXIS)
        if slot < 0 or slot >= word(record, im.B_SLOTS) or word(filled, slot) == 0:
            return 100
        if axis < 0 or axis >= word(slot_row(image, record, slot), 1):
            return 101
    return 0


@function
def check_lists(image, record, step, known, segment, written, filled):
    """Operands of a HOST, WHILE or IF are readable, its slots exist (and are filled from here on)."""
    for i in range(list_operands(step)):
        check = check_read(image, record, list_operand(step, i), known, segment, written)
        if check != 0:
            return check
    for i in range(list_slots(step)):
        slot = list_slot(step, i)
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
def check_inputs(image, record, step, callee):
    """Operands of a WHILE or IF fit the inputs of the body."""
    if word(body_record(image, callee), im.B_INPUTS) != list_operands(step):
        return 110
    for i in range(list_operands(step)):
        row = buffer_row(image, record, list_operand(step, i))
        if same_type(port(image, callee, im.B_INPUTS, i), word(row, 1), word(row, 3)) == 0:
            return 111
    return 0


@function
def check_results(image, record, step, callee):
    """Outputs of a body fit the slots."""
    if word(body_record(image, callee), im.B_OUTPUTS) != list_slots(step):
        return 112
    for i in range(list_slots(step)):
        row = slot_row(image, record, list_slot(step, i))
        if same_type(port(image, callee, im.B_OUTPUTS, i), word(row, 0), word(row, 1)) == 0:
            return 113
    return 0


@function
def is_carried(image, record, buffer):
    return 1 if word(buffer_row(image, record, root(image, record, buffer)), 0) == im.KIND_CARRIED else 0


@function
def check_carried(image, record, step, callee):
    """No other operand lies in the memory of one that is CARRIED itself and that the body changes."""
    for i in range(list_slots(step)):
        given = kept_input(image, body_record(image, callee), i)
        if given >= 0 and is_carried(image, record, list_operand(step, given)) != 0:
            base = root(image, record, list_operand(step, given))
            for j in range(list_operands(step)):
                if j != given and root(image, record, list_operand(step, j)) == base:
                    return 105
    return 0


@function
def check_alike(image, step, then, otherwise):
    """The branches change the same operands in place."""
    for i in range(list_slots(step)):
        if kept_input(image, body_record(image, then), i) != kept_input(image, body_record(image, otherwise), i):
            return 106
    return 0


@function
def carries(image, record):
    """Whether a body has CARRIED buffers."""
    for i in range(word(record, im.B_OUTPUTS)):
        if kept_input(image, record, i) >= 0:
            return 1
    return 0


@function
def check_while(image, body, step):
    record, test, callee = body_record(image, body), word(step, WHILE_TEST), word(step, WHILE_BODY)
    carried, operands, slots = word(step, WHILE_CARRIED), list_operands(step), list_slots(step)
    bodies = word(image, im.H_BODIES)
    if test <= body or test >= bodies or callee <= body or callee >= bodies:
        return 114
    if carried < 0 or carried > operands or slots != carried:
        return 115
    if (
        word(body_record(image, test), im.B_OUTPUTS) != 1
        or same_type(port(image, test, im.B_OUTPUTS, 0), im.DTYPE_BOOL, 0) == 0
        or carries(image, body_record(image, test)) != 0
    ):
        return 116
    check = max(check_inputs(image, record, step, test), check_inputs(image, record, step, callee))
    if check == 0:
        check = check_results(image, record, step, callee)
    if check == 0:
        check = check_carried(image, record, step, callee)
    for i in range(slots):
        given = kept_input(image, body_record(image, callee), i) if check == 0 else -1
        check = 107 if given >= 0 and given != i else check
    for i in range(slots):
        if check == 0:
            row = slot_row(image, record, list_slot(step, i))
            check = 0 if is_buffer(image, record, list_operand(step, i), word(row, 0), word(row, 1)) != 0 else 117
    return check


@function
def check_if(image, body, step, known, segment, written):
    record, then, otherwise = body_record(image, body), word(step, IF_THEN), word(step, IF_ELSE)
    bodies = word(image, im.H_BODIES)
    if then <= body or then >= bodies or otherwise <= body or otherwise >= bodies:
        return 118
    check = check_read(image, record, word(step, IF_FLAG), known, segment, written)
    if check == 0 and is_buffer(image, record, word(step, IF_FLAG), im.DTYPE_BOOL, 0) == 0:
        check = 119
    if check == 0:
        check = max(check_inputs(image, record, step, then), check_inputs(image, record, step, otherwise))
    if check == 0:
        check = max(check_results(image, record, step, then), check_results(image, record, step, otherwise))
    if check == 0:
        check = max(check_carried(image, record, step, then), check_alike(image, step, then, otherwise))
    return check


@function
def check_host(image, record, step):
    if word(step, HOST_NUMBER) < 0 or word(step, HOST_NUMBER) >= word(image, im.H_HOSTS):
        return 120
    for i in range(list_operands(step)):
        if plain(word(buffer_row(image, record, list_operand(step, i)), 1)) == 0:
            return 121
    for i in range(list_slots(step)):
        if plain(word(slot_row(image, record, list_slot(step, i)), 0)) == 0:
            return 121
    return 0


(RESERVE, RESIZE, SET, SET_GROWING, GET, GET_OR_ZEROS, STACK, STACK_OR_ZEROS, GATHER, GATHER_OR_ZEROS, SCATTER,
 SCATTER_GROWING, SCATTER_SUM, ERASE, ADD, SPLIT, CONCAT, CONCAT_OR_ZEROS, UNSTACK,
 LENGTHS) = (int(o) for o in ListOperation)
# What an operand or result of a LIST is: a list, an index, indices, sizes or lengths, anything, anything with an axis.
NONE, HANDLE, INDEX, INDICES, SIZES, VALUE, VALUES = range(7)


@function
def list_form(operation, place):
    """What operand `place` (3: the result) of a LIST must be; NONE: there is none."""
    makes = operation < GET or (SCATTER <= operation <= SPLIT) or operation == UNSTACK
    if place == 3:
        if makes:
            return HANDLE
        return SIZES if operation == LENGTHS else VALUE if operation <= GET_OR_ZEROS else VALUES
    if place == 0:
        return INDEX if operation == RESERVE else VALUES if operation == SPLIT or operation == UNSTACK else HANDLE
    if place == 1:
        if operation == RESIZE or SET <= operation <= STACK_OR_ZEROS:
            return INDEX
        if operation == ADD:
            return HANDLE
        if operation == SPLIT or operation == CONCAT or operation == CONCAT_OR_ZEROS:
            return SIZES
        return INDICES if GATHER <= operation <= ERASE else NONE
    if operation == SET or operation == SET_GROWING:
        return VALUE
    if GET <= operation <= GATHER_OR_ZEROS or operation == CONCAT_OR_ZEROS:
        return SIZES
    return VALUES if SCATTER <= operation <= SCATTER_SUM else NONE


@function
def has_form(form, dtype, rank):
    if form == HANDLE:
        return 1 if dtype == im.DTYPE_HANDLE and rank == 0 else 0
    if form == INDEX:
        return 1 if dtype == im.DTYPE_I32 and rank == 0 else 0
    if form == INDICES:
        return 1 if dtype == im.DTYPE_I32 and rank <= 1 else 0
    if form == SIZES:
        return 1 if dtype == im.DTYPE_I64 and rank == 1 else 0
    return 1 if form == VALUE or rank > 0 else 0


@function
def check_list_operands(image, record, step):
    """A LIST has the operands of its operation and one slot."""
    operation = word(step, LIST_OPERATION)
    if operation < 0 or operation > LENGTHS or list_slots(step) != 1:
        return 134
    for i in range(3):
        form = list_form(operation, i)
        if (form == NONE) != (i >= list_operands(step)):
            return 135
        if form != NONE:
            row = buffer_row(image, record, list_operand(step, i))
            if has_form(form, word(row, 1), word(row, 3)) == 0:
                return 136
    if list_operands(step) > 3:
        return 135
    row = slot_row(image, record, list_slot(step, 0))
    return 0 if has_form(list_form(operation, 3), word(row, 0), word(row, 1)) != 0 else 137


@function
def check_list(image, record, source, known, segment, written):
    """The list that a PUSH, POP or LENGTH reads."""
    check = check_read(image, record, source, known, segment, written)
    if check == 0 and is_buffer(image, record, source, im.DTYPE_HANDLE, 0) == 0:
        check = 130
    return check


@function
def check_new_list(image, record, result, known, segment, written, mine):
    """The list that a PUSH or POP makes."""
    check = check_write(image, record, result, known, segment, written, mine)
    if check == 0 and is_buffer(image, record, result, im.DTYPE_HANDLE, 0) == 0:
        check = 132
    return check


@function
def check_push(image, record, step, known, segment, written, mine):
    source, result = word(step, PUSH_SOURCE), word(step, PUSH_RESULT)
    check = check_list(image, record, source, known, segment, written)
    if check == 0:
        check = check_read(image, record, word(step, PUSH_VALUE), known, segment, written)
    return check if check != 0 else check_new_list(image, record, result, known, segment, written, mine)


@function
def check_pop(image, record, step, known, segment, written, filled, mine):
    slot = word(step, POP_SLOT)
    check = check_list(image, record, word(step, POP_SOURCE), known, segment, written)
    if check == 0:
        check = check_new_list(image, record, word(step, POP_RESULT), known, segment, written, mine)
    if check != 0:
        return check
    if slot < 0 or slot >= word(record, im.B_SLOTS):
        return 133
    set_word(filled, slot, 1)
    return check_binds(image, record, step, filled)


@function
def check_length(image, record, step, known, segment, written, mine):
    length = word(step, LENGTH_BUFFER)
    check = check_list(image, record, word(step, LENGTH_SOURCE), known, segment, written)
    if check == 0:
        check = check_write(image, record, length, known, segment, written, mine)
    if check == 0 and is_buffer(image, record, length, im.DTYPE_I32, 0) == 0:
        check = 131
    return check


@function
def check_take(image, record, step, known, segment, written, filled, mine):
    slot, buffer = word(step, TAKE_SLOT), word(step, TAKE_BUFFER)
    if slot < 0 or slot >= word(record, im.B_SLOTS) or word(filled, slot) == 0:
        return 140
    check = check_write(image, record, buffer, known, segment, written, mine)
    row = slot_row(image, record, slot)
    if check == 0 and is_buffer(image, record, buffer, word(row, 0), word(row, 1)) == 0:
        check = 141
    return check


@function
def check_bind(image, record, step, known, segment, written):
    check = check_read(image, record, word(step, BIND_BUFFER), known, segment, written)
    if check != 0:
        return check
    row = buffer_row(image, record, word(step, BIND_BUFFER))
    if word(row, 3) > 1 or (word(row, 1) != im.DTYPE_I32 and word(row, 1) != im.DTYPE_I64):
        return 150
    return 0


@part("control")
def check_control(image, body, step, segment, known, written, filled, mine):
    """Any step of control. A part: a runner for models that have none is linked without it."""
    record, kind = body_record(image, body), kind_of(step)
    if kind == im.STEP_TAKE:
        return check_take(image, record, step, known, segment, written, filled, mine)
    if kind == im.STEP_BIND:
        return check_bind(image, record, step, known, segment, written)
    if kind == im.STEP_PUSH:
        return check_push(image, record, step, known, segment, written, mine)
    if kind == im.STEP_POP:
        return check_pop(image, record, step, known, segment, written, filled, mine)
    if kind == im.STEP_LENGTH:
        return check_length(image, record, step, known, segment, written, mine)
    check = check_lists(image, record, step, known, segment, written, filled)
    if check != 0:
        return check
    if kind == im.STEP_HOST:
        return check_host(image, record, step)
    if kind == im.STEP_LIST:
        return check_list_operands(image, record, step)
    if kind == im.STEP_WHILE:
        return check_while(image, body, step)
    return check_if(image, body, step, known, segment, written)
