"""Steps that are neither a map nor a kernel: sizes from data, slots, host functions, loops and branches.

Loops and branches run frames of their bodies, made when first entered and kept. A loop's carried values lie in two
sets of slots that its body reads and writes in turn; the frames are bound again only if a carried size changed.
A body's CARRIED buffer lies in one memory, which it changes: a copy of the operand, in the first of the two sets (of a
branch: in the output), or the operand's own memory if that is CARRIED itself.
run_body of run.py is called through its address in the model's table, since it calls these functions.
"""
from __future__ import annotations

from . import image as im
from . import tables as t
from .bind import note_input_sizes
from .block import cancelled, fail, host_of, slot_copy
from .frame import frame_create
from .image import buffer_row, dtype_size, kept_input, limited
from .memory import call_status, copy_bytes, function, load_byte, load_int, set_word, word
from .steps import (
    BIND_BUFFER,
    BIND_COUNT,
    BIND_DIMS,
    BOUND_AXIS,
    BOUND_DIM,
    BOUND_SLOT,
    HOST_NUMBER,
    IF_ELSE,
    IF_FLAG,
    IF_THEN,
    TAKE_BUFFER,
    TAKE_SLOT,
    WHILE_BODY,
    WHILE_CARRIED,
    WHILE_TEST,
    bind_count,
    bind_row,
    list_operand,
    list_operands,
    list_slot,
    list_slots,
)
from .trace import note

# Of the iteration numbers that random ops count by (graphc/ops/random/philox.py has the reference): a multiplier modulo
# 2^64 whose powers are far from small relations (Steele, Vigna: "Computationally easy, spectrally good multipliers").
OUTER_ITERATION = -3372029247567499371


@function
def set_runtime_dim(frame, dim, value):
    """Gives a RUNTIME dim its value; a new value unbinds its segment and all later ones."""
    if word(word(frame, t.FRAME_DIMS), dim) != value:
        set_word(word(frame, t.FRAME_DIMS), dim, value)
        segment = word(word(frame, t.FRAME_DIM_SEGMENT), dim)
        set_word(frame, t.FRAME_BOUND, min(word(frame, t.FRAME_BOUND), segment))


@function
def run_bind(frame, record, step):
    buffer, image = word(record, BIND_BUFFER), word(word(frame, t.FRAME_MODEL), t.MODEL_IMAGE)
    address = word(word(frame, t.FRAME_ADDRESSES), buffer)
    narrow = word(buffer_row(image, word(frame, t.FRAME_RECORD), buffer), 1) == im.DTYPE_I32
    for i in range(word(record, BIND_COUNT)):
        value = limited(load_int(address, i) if narrow else word(address, i))
        if value == im.BAD:
            return fail(frame, t.DIM_VALUE, step, i, 0, word(record, BIND_DIMS + i))
        set_runtime_dim(frame, word(record, BIND_DIMS + i), value)
    return 0


@function
def slot_at(frame, slot):
    return word(frame, t.FRAME_SLOTS) + 8 * slot * t.SLOT_RECORD


@function
def bind_slots(frame, record):
    """RUNTIME dims from the sizes of slots."""
    for i in range(bind_count(record)):
        row = bind_row(record, i)
        slot = slot_at(frame, word(row, BOUND_SLOT))
        set_runtime_dim(frame, word(row, BOUND_DIM), word(slot, t.SLOT_SIZES + word(row, BOUND_AXIS)))
    return 0


@function
def run_take(frame, record, step):
    slot, buffer = slot_at(frame, word(record, TAKE_SLOT)), word(record, TAKE_BUFFER)
    sizes = word(frame, t.FRAME_SIZES) + 64 * buffer
    for axis in range(word(slot, t.SLOT_RANK)):
        if word(slot, t.SLOT_SIZES + axis) != word(sizes, axis):
            return fail(frame, t.SLOT_SHAPE, step, word(slot, t.SLOT_SIZES + axis), word(sizes, axis), axis)
    size = word(slot, t.SLOT_ELEMENTS) * dtype_size(word(slot, t.SLOT_DTYPE))
    source, target = word(slot, t.SLOT_ADDRESS), word(word(frame, t.FRAME_ADDRESSES), buffer)
    if size > 0 and source != target:
        copy_bytes(target, source, size)
    return 0


@function
def view(frame, buffer, slot):
    """Makes a slot record show a buffer."""
    image = word(word(frame, t.FRAME_MODEL), t.MODEL_IMAGE)
    row = buffer_row(image, word(frame, t.FRAME_RECORD), buffer)
    set_word(slot, t.SLOT_ADDRESS, word(word(frame, t.FRAME_ADDRESSES), buffer))
    set_word(slot, t.SLOT_DTYPE, word(row, 1))
    set_word(slot, t.SLOT_RANK, word(row, 3))
    set_word(slot, t.SLOT_ELEMENTS, word(word(frame, t.FRAME_ELEMENTS), buffer))
    copy_bytes(slot + 8 * t.SLOT_SIZES, word(frame, t.FRAME_SIZES) + 64 * buffer, 64)


@function
def show(source, slot):
    """Makes a slot record show what another one holds."""
    set_word(slot, t.SLOT_ADDRESS, word(source, t.SLOT_ADDRESS))
    set_word(slot, t.SLOT_ELEMENTS, word(source, t.SLOT_ELEMENTS))
    copy_bytes(slot + 8 * t.SLOT_SIZES, source + 8 * t.SLOT_SIZES, 64)


@function
def run_host(frame, row, record, step):
    ask, views, host = word(row, t.ROW_BOUND), word(row, t.ROW_STORAGE), host_of(frame)
    operands, slots = list_operands(record), list_slots(record)
    set_word(ask, t.ASK_OPERANDS, operands)
    set_word(ask, t.ASK_SLOTS, slots)
    set_word(ask, t.ASK_HOST, host)
    for i in range(operands):
        view(frame, list_operand(record, i), views + 8 * i * t.SLOT_RECORD)
        set_word(ask, t.ASK_FIRST + i, views + 8 * i * t.SLOT_RECORD)
    for i in range(slots):
        slot = slot_at(frame, list_slot(record, i))
        set_word(slot, t.SLOT_FILLED, 0)
        set_word(ask, t.ASK_FIRST + operands + i, slot)
    if call_status(word(host, t.HOST_FUNCTION), (word(host, t.HOST_CONTEXT), word(record, HOST_NUMBER), ask)) != 0:
        return fail(frame, t.HOST_FAILED, step, word(record, HOST_NUMBER), 0, 0)
    for i in range(slots):
        if word(slot_at(frame, list_slot(record, i)), t.SLOT_FILLED) == 0:
            return fail(frame, t.HOST_SLOT, step, word(record, HOST_NUMBER), 0, i)
    return bind_slots(frame, record)


@function
def child(frame, row, field, body):
    """The frame of a loop's or branch's body; 0 if there is no memory."""
    made = word(row, field)
    if made == 0:
        made = frame_create(word(frame, t.FRAME_MODEL), body, word(frame, t.FRAME_CONTEXT))
        set_word(row, field, made)
    return made


@function
def inner_iteration(frame, number):
    """The iteration number in a body of a loop of this frame: `number` if no loop is around the loop."""
    return word(frame, t.FRAME_ITERATION) * OUTER_ITERATION + number


@function
def run_child(frame, made, iteration):
    set_word(made, t.FRAME_COUNTER, word(frame, t.FRAME_COUNTER))
    set_word(made, t.FRAME_ITERATION, iteration)
    note_input_sizes(made)
    return call_status(word(word(frame, t.FRAME_MODEL), t.MODEL_RUN_BODY), (made, 0))


@function
def show_operands(frame, record, made, first, inputs):
    """Inputs `first`.. of a child's frame become the operands of a WHILE or IF."""
    for i in range(first, inputs):
        slot = word(made, t.FRAME_INPUTS) + 8 * i * t.SLOT_RECORD
        view(frame, list_operand(record, i), slot)


IN_TURN, OWN, SHARED = range(3)


@function
def placing(frame, record, made, i):
    """Where result i of a step lies while body `made` of it runs: SHARED: in an operand's memory, which is this frame's
    to change; OWN: in a copy of the operand that the body changes; IN_TURN: where the body computes it again."""
    image = word(word(frame, t.FRAME_MODEL), t.MODEL_IMAGE)
    given = kept_input(image, word(made, t.FRAME_RECORD), i)
    if given < 0:
        return IN_TURN
    operand = word(word(frame, t.FRAME_ROOT), list_operand(record, given))
    row = buffer_row(image, word(frame, t.FRAME_RECORD), operand)
    return SHARED if word(row, 0) == im.KIND_CARRIED else OWN


@function
def input_slot(made, i):
    return word(made, t.FRAME_INPUTS) + 8 * i * t.SLOT_RECORD


@function
def kept_slot(frame, made, i):
    """The input in whose memory output i of a child lies."""
    return input_slot(made, kept_input(word(word(frame, t.FRAME_MODEL), t.MODEL_IMAGE), word(made, t.FRAME_RECORD), i))


@function
def run_if(frame, row, record, step):
    operands, slots = list_operands(record), list_slots(record)
    taken = load_byte(word(word(frame, t.FRAME_ADDRESSES), word(record, IF_FLAG))) != 0
    field, body = (t.ROW_CHILD, word(record, IF_THEN)) if taken else (t.ROW_CHILD_1, word(record, IF_ELSE))
    made = child(frame, row, field, body)
    if made == 0:
        return fail(frame, t.NO_MEMORY, step, 0, 0, 0)
    note(frame, im.STEP_IF, step, body, 0)
    show_operands(frame, record, made, 0, operands)
    host, outputs = host_of(frame), word(made, t.FRAME_OUTPUTS)
    for i in range(slots):
        if placing(frame, record, made, i) == OWN:
            own = outputs + 8 * i * t.SLOT_RECORD
            if slot_copy(host, kept_slot(frame, made, i), own) == 0:
                return fail(frame, t.NO_MEMORY, step, 0, 0, 0)
            show(own, kept_slot(frame, made, i))
    status = run_child(frame, made, word(frame, t.FRAME_ITERATION))
    if status != 0:
        return status
    for i in range(slots):
        slot = slot_at(frame, list_slot(record, i))
        if placing(frame, record, made, i) == SHARED:
            show(kept_slot(frame, made, i), slot)
        else:
            exchange(outputs + 8 * i * t.SLOT_RECORD, slot)
        if word(slot, t.SLOT_ADDRESS) == 0:
            return fail(frame, t.NO_MEMORY, step, host, 0, 0)
    return bind_slots(frame, record)


@function
def exchange(a, b):
    for i in range(t.SLOT_RECORD):
        held = word(a, i)
        set_word(a, i, word(b, i))
        set_word(b, i, held)


@function
def describe_storage(frame, row, record, carried):
    """dtypes and ranks of the two sets of slots of a loop."""
    image, body = word(word(frame, t.FRAME_MODEL), t.MODEL_IMAGE), word(frame, t.FRAME_RECORD)
    for i in range(2 * carried):
        buffer = buffer_row(image, body, list_operand(record, i % carried))
        slot = word(row, t.ROW_STORAGE) + 8 * i * t.SLOT_RECORD
        set_word(slot, t.SLOT_DTYPE, word(buffer, 1))
        set_word(slot, t.SLOT_RANK, word(buffer, 3))


@function
def run_while(frame, row, record, step):
    carried, operands = word(record, WHILE_CARRIED), list_operands(record)
    test = child(frame, row, t.ROW_CHILD, word(record, WHILE_TEST))
    body = child(frame, row, t.ROW_CHILD_1, word(record, WHILE_BODY))
    if test == 0 or body == 0:
        return fail(frame, t.NO_MEMORY, step, 0, 0, 0)
    describe_storage(frame, row, record, carried)
    show_operands(frame, record, test, 0, operands)
    show_operands(frame, record, body, 0, operands)
    iteration, storage, set_bytes = 0, word(row, t.ROW_STORAGE), 8 * carried * t.SLOT_RECORD
    while True:
        status = cancelled(frame, step)
        if status == 0:
            status = run_child(frame, test, inner_iteration(frame, iteration))
        if status != 0:
            return status
        if load_byte(word(word(test, t.FRAME_OUTPUTS), t.SLOT_ADDRESS)) == 0:
            break
        note(frame, t.EVENT_ITERATION, step, iteration, 0)
        if iteration == 0 and keep(frame, record, storage, test, body) == 0:
            return fail(frame, t.NO_MEMORY, step, 0, 0, 0)
        written = storage + (iteration % 2) * set_bytes
        set_word(body, t.FRAME_OUTPUTS, written)
        status = run_child(frame, body, inner_iteration(frame, iteration))
        if status != 0:
            return status
        for i in range(carried):
            if placing(frame, record, body, i) == IN_TURN:
                show(written + 8 * i * t.SLOT_RECORD, input_slot(test, i))
                show(written + 8 * i * t.SLOT_RECORD, input_slot(body, i))
        iteration += 1
    note(frame, t.EVENT_LOOP_END, step, iteration, 0)
    return finish_while(frame, record, storage, test, body, iteration, step)


@function
def keep(frame, record, storage, test, body):
    """Copies the operands that the body changes in place; 0 if there is no memory."""
    for i in range(word(record, WHILE_CARRIED)):
        if placing(frame, record, body, i) == OWN:
            own = storage + 8 * i * t.SLOT_RECORD
            if slot_copy(host_of(frame), input_slot(body, i), own) == 0:
                return 0
            show(own, input_slot(test, i))
            show(own, input_slot(body, i))
    return 1


@function
def finish_while(frame, record, storage, test, body, iteration, step):
    """The last values go to the slots of the step."""
    carried = word(record, WHILE_CARRIED)
    for i in range(carried):
        slot, place = slot_at(frame, list_slot(record, i)), placing(frame, record, body, i)
        last = (iteration + 1) % 2 if place == IN_TURN else 0
        if place == SHARED:
            show(input_slot(body, i), slot)
        elif iteration > 0:
            exchange(storage + 8 * (last * carried + i) * t.SLOT_RECORD, slot)
        elif slot_copy(host_of(frame), input_slot(test, i), slot) == 0:
            return fail(frame, t.NO_MEMORY, step, 0, 0, 0)
    return bind_slots(frame, record)


