"""Verification of an image: nothing else of the runtime reads an image that did not pass.

Checked here is all that does not depend on sizes: that every number is in range and every table inside the image,
dtypes and ranks, that dims are known before they are used, that nothing is read before it is written, and who may
write what. What depends on sizes is checked where they are known: bind.py. Order: tables first, then programs, then
bodies from the last to the first, so that the depth of nesting is known. Words are trusted one by one, after the
check that covers them.

The work done is linear in the image, but for what a step's map and its program share (a program may serve many steps)
and for states and bodies: BUDGET bounds these, so that a hostile image takes seconds at most.

A check that fails returns its number (CHECK of tables.py goes to ERROR_A) through `wrong`.
"""
from __future__ import annotations

from ..layout import (
    BODY_WORDS,
    BUFFER_WORDS,
    DIM_WORDS,
    GUARD_WORDS,
    HEADER_WORDS,
    IMAGE_MAGIC,
    MAX_RANK,
    REGISTRY_MAGIC,
    SHAPE_WORDS,
    SLOT_WORDS,
)
from . import image as im
from . import tables as t
from .image import (
    BAD,
    body_record,
    buffer_row,
    limited,
    multiply,
    plain,
    step_record,
)
from .memory import function, set_word, word
from .steps import (
    MAP_PROGRAM,
    PROGRAM_STORES,
    bind_count,
    body_of,
    epilogue_of,
    has_bodies,
    kind_of,
    list_operands,
    list_slots,
    map_of,
    map_program,
    program_row,
    program_values,
)
from .verify_buffer import dims_bound_by
from .verify_control import carries
from .verify_layout import inside, step_is_inside
from .verify_program import check_program
from .verify_step import check_step
from .verify_tables import check_buffer, check_dims, check_guards, check_ports, check_slots

MOST_WORDS = 1 << 36
BUDGET = 1 << 28          # values of the programs of all map steps; states times loops and branches; bodies times calls
MOST_VALUES = 1 << 14     # loads, instructions and stores of a program: binding a map looks at pairs of them
MOST_DEPTH = 32


@function
def wrong(error, check, body, step, detail):
    set_word(error, t.ERROR_CODE, t.BAD_IMAGE)
    set_word(error, t.ERROR_BODY, body)
    set_word(error, t.ERROR_STEP, step)
    set_word(error, t.ERROR_A, check)
    set_word(error, t.ERROR_B, detail)
    return t.BAD_IMAGE


@function
def check_header(image, words, registry):
    if words < HEADER_WORDS or words > MOST_WORDS:
        return 1
    if word(image, 0) != IMAGE_MAGIC or word(image, 1) != words or word(registry, 0) != REGISTRY_MAGIC:
        return 2
    for field, row in ((im.H_BODIES, 1), (im.H_PROGRAMS, 1), (im.H_CONSTANTS, SHAPE_WORDS), (im.H_STATES, SHAPE_WORDS)):
        if inside(words, word(image, field), word(image, field + 1), row) == 0:
            return 3
    if word(image, im.H_BODIES) < 1 or word(image, im.H_HOSTS) < 0 or word(image, im.H_ORIGINS) < 0:
        return 4
    if word(image, im.H_PREPARE) < -1 or word(image, im.H_PREPARE) >= word(image, im.H_BODIES):
        return 4
    for i in range(word(image, im.H_BODIES)):
        if inside(words, 1, word(image, word(image, im.H_BODY_TABLE) + i), BODY_WORDS) == 0:
            return 5
    for field in (im.H_CONSTANTS, im.H_STATES):
        for i in range(word(image, field)):
            if shape_is_good(image + 8 * (word(image, field + 1) + i * SHAPE_WORDS)) == 0:
                return 6
    return 0


@function
def shape_is_good(row):
    rank, elements = word(row, 1), 1
    if rank < 0 or rank > MAX_RANK or plain(word(row, 0)) == 0:
        return 0
    for axis in range(rank):
        if word(row, 2 + axis) < 0 or limited(word(row, 2 + axis)) == BAD:
            return 0
        elements = multiply(elements, word(row, 2 + axis))
    return 0 if elements == BAD else 1


@function
def map_values(program):
    return program_values(program) + word(program, PROGRAM_STORES)


@function
def map_cost(image, words):
    """Values of the program of a map whose record is inside the image. words: from `program` on."""
    number = word(words, MAP_PROGRAM)
    if number < 0 or number >= word(image, im.H_PROGRAMS):
        return 0
    return map_values(map_program(image, words))


@function
def cost_of(image, record):
    """What checking and binding a body takes beyond a time linear in its size."""
    cost, states = word(image, im.H_STATES), word(image, im.H_STATES)
    bodies = word(image, im.H_BODIES)
    cost += word(record, im.B_INPUTS) * word(record, im.B_OUTPUTS)
    for i in range(word(record, im.B_STEPS)):
        step = step_record(image, record, i)
        if kind_of(step) == im.STEP_MAP:
            cost += map_cost(image, map_of(step))
        elif kind_of(step) == im.STEP_CALL:
            cost += bodies
            if epilogue_of(step) != 0:
                cost += map_cost(image, epilogue_of(step))
        elif has_bodies(step):
            cost += states + list_operands(step) * list_slots(step)
        if cost > BUDGET:
            return cost
    return cost


@function
def check_tables(image, words, record):
    """The tables of a body, and every record of a step, are inside the image."""
    for field, row in (
        (im.B_DIMS, DIM_WORDS),
        (im.B_BUFFERS, BUFFER_WORDS),
        (im.B_SLOTS, SLOT_WORDS),
        (im.B_GUARDS, GUARD_WORDS),
        (im.B_STEPS, 1),
        (im.B_INPUTS, 1),
        (im.B_OUTPUTS, 1),
        (im.B_WRITES, 1),
    ):
        if inside(words, word(record, field), word(record, field + 1), row) == 0:
            return 10
    for i in range(word(record, im.B_STEPS)):
        if step_is_inside(image, words, word(image, word(record, im.B_STEP_TABLE) + i)) == 0:
            return 11
    for i in range(word(record, im.B_WRITES)):
        state = word(image, word(record, im.B_WRITE_IDS) + i)
        if state < 0 or state >= word(image, im.H_STATES):
            return 12
    if (
        check_ports(image, record, im.B_INPUTS, im.KIND_INPUT) != 0
        or check_ports(image, record, im.B_OUTPUTS, im.KIND_OUTPUT) != 0
    ):
        return 13
    return 0


@function
def ports_are_plain(image, record, field):
    """Whether the ports of a body are of numbers: lists live for one run, strings are nothing the runtime knows."""
    for i in range(word(record, field)):
        if plain(word(buffer_row(image, record, word(image, word(record, field + 1) + i)), 1)) == 0:
            return 0
    return 1


@function
def mark_writes(image, record, mine, flag):
    for i in range(word(record, im.B_WRITES)):
        set_word(mine, word(image, word(record, im.B_WRITE_IDS) + i), flag)


@function
def check_body(image, words, registry, body, depths, mine, work, error):
    """mine: a flag a state, 0 on entry and return."""
    record = body_record(image, body)
    dims, buffers, slots = word(record, im.B_DIMS), word(record, im.B_BUFFERS), word(record, im.B_SLOTS)
    for i in range(dims + buffers + slots):
        set_word(work, i, 0)
    written, filled = work + 8 * dims, work + 8 * (dims + buffers)
    spare = work + 8 * (dims + buffers + slots)
    check = 41 if check_slots(image, record) != 0 or check_guards(image, record) != 0 else 0
    for b in range(buffers):
        if check == 0:
            check = check_buffer(image, record, b)
    if check == 0:
        check = dims_bound_by(image, record, work)
    if check == 0:
        check = check_dims(image, record, work)
    if check != 0:
        return wrong(error, check, body, -1, 0)
    segment, depth = 1, 0
    mark_writes(image, record, mine, 1)
    for i in range(word(record, im.B_STEPS)):
        step = step_record(image, record, i)
        check = check_step(image, registry, body, step, segment, work, written, filled, mine, spare)
        if check != 0:
            return wrong(error, check, body, i, kind_of(step))
        if bind_count(step) > 0:
            segment += 1
        if has_bodies(step):
            depth = max(depth, word(depths, body_of(step, 0)), word(depths, body_of(step, 1)))
    mark_writes(image, record, mine, 0)
    set_word(depths, body, depth + 1)
    if depth + 1 > MOST_DEPTH:
        return wrong(error, 42, body, -1, depth)
    for i in range(word(record, im.B_OUTPUTS)):
        output = word(image, word(record, im.B_OUTPUT_IDS) + i)
        if word(written, output) == 0 and word(buffer_row(image, record, output), 0) != im.KIND_CARRIED:
            return wrong(error, 43, body, -1, i)
    return 0


@function
def verify(image, words, registry, work, error):
    """0, or BAD_IMAGE with the check's number in the error record. work: 4 * words + 64 words."""
    check = check_header(image, words, registry)
    if check != 0:
        return wrong(error, check, -1, -1, 0)
    bodies, states, cost = word(image, im.H_BODIES), word(image, im.H_STATES), 0
    for i in range(word(image, im.H_PROGRAMS)):
        program = word(image, word(image, im.H_PROGRAM_TABLE) + i)
        check = check_program(image, words, registry, program, work)
        if check == 0 and map_values(program_row(image, i)) > MOST_VALUES:
            check = 59
        if check != 0:
            return wrong(error, check, -1, -1, i)
    for body in range(bodies):
        check = check_tables(image, words, body_record(image, body))
        if check == 0:
            cost += cost_of(image, body_record(image, body))
            check = 8 if cost > BUDGET else 0
        if check != 0:
            return wrong(error, check, body, -1, 0)
    prepare = word(image, im.H_PREPARE)
    if prepare >= 0 and word(body_record(image, prepare), im.B_INPUTS) != 0:
        return wrong(error, 7, prepare, -1, 0)
    if prepare >= 0 and ports_are_plain(image, body_record(image, prepare), im.B_OUTPUTS) == 0:
        return wrong(error, 9, prepare, -1, 0)
    first = body_record(image, 0)
    if carries(image, first) != 0:         # its inputs are the embedder's
        return wrong(error, 44, 0, -1, 0)
    if ports_are_plain(image, first, im.B_INPUTS) == 0 or ports_are_plain(image, first, im.B_OUTPUTS) == 0:
        return wrong(error, 9, 0, -1, 0)
    mine = work + 8 * bodies
    for s in range(states):
        set_word(mine, s, 0)
    for body in range(bodies - 1, -1, -1):
        status = check_body(image, words, registry, body, work, mine, mine + 8 * states, error)
        if status != 0:
            return status
    return 0
