"""Models and runs: opening a verified image, its prepare body, top frames, one run.

A model is shared by threads; a frame belongs to one run at a time. The prepare body has a frame of the model's own;
it runs under the model's lock when a state that it reads has changed, before anything that reads its outputs is bound
or run.
"""
from __future__ import annotations

from . import image as im
from . import tables as t
from .bind import note_input_sizes, size_segment
from .block import NO_POLLING, allocate, allocate_cleared, fail, release, start_polling
from .frame import add_saturated, frame_bytes, frame_create, frame_free
from .image import body_record, buffer_row, dtype_size, kernel_record, root, step_record
from .lists import forget_lists
from .memory import atomic_add, atomic_load, atomic_store, function, set_word, word
from .pack import renew_used
from .pool import run_ended, spin_lock
from .run import run_body
from .sizes import reserve_outputs
from .steps import (
    CALL_KERNEL,
    CALL_OPERANDS,
    MAP_STORES,
    TAKE_BUFFER,
    access_buffer,
    body_of,
    call_operand,
    epilogue_of,
    has_bodies,
    kind_of,
    map_of,
    map_store,
)


@function
def note_write(model, record, table, buffer):
    image = word(model, t.MODEL_IMAGE)
    row = buffer_row(image, record, root(image, record, buffer))
    if word(row, 0) == im.KIND_STATE:
        set_word(table, word(row, 2), 1)


@function
def note_stores(model, record, table, words):
    for i in range(word(words, MAP_STORES)):
        note_write(model, record, table, access_buffer(map_store(words, i)))


@function
def merge(table, states, body, other):
    for s in range(states):
        if word(table, other * states + s) != 0:
            set_word(table, body * states + s, 1)


@function
def find_writes(model):
    """For each body and state: whether the body, or one that it runs, writes the state. Bodies refer to later ones
    only."""
    image = word(model, t.MODEL_IMAGE)
    states, table = word(image, im.H_STATES), word(model, t.MODEL_WRITES)
    for body in range(word(image, im.H_BODIES) - 1, -1, -1):
        record, mine = body_record(image, body), table + 8 * body * states
        for i in range(word(record, im.B_STEPS)):
            step = step_record(image, record, i)
            kind = kind_of(step)
            if kind == im.STEP_MAP:
                note_stores(model, record, mine, map_of(step))
            elif kind == im.STEP_TAKE:
                note_write(model, record, mine, word(step, TAKE_BUFFER))
            elif kind == im.STEP_CALL:
                kernel = kernel_record(word(model, t.MODEL_REGISTRY), word(step, CALL_KERNEL))
                for j in range(word(step, CALL_OPERANDS)):
                    if word(kernel, 4 + 4 * j) != 0:
                        note_write(model, record, mine, call_operand(step, j))
                if epilogue_of(step) != 0:
                    note_stores(model, record, mine, epilogue_of(step))
            elif has_bodies(step):
                merge(table, states, body, body_of(step, 0))
                merge(table, states, body, body_of(step, 1))


@function
def find_reads(model):
    """The states that the prepare body may read: those that it, or any later body (it may run those), has a buffer
    for."""
    image = word(model, t.MODEL_IMAGE)
    prepare = word(image, im.H_PREPARE)
    if prepare < 0:
        return
    for body in range(prepare, word(image, im.H_BODIES)):
        record = body_record(image, body)
        for b in range(word(record, im.B_BUFFERS)):
            row = buffer_row(image, record, b)
            if word(row, 0) == im.KIND_STATE:
                set_word(word(model, t.MODEL_READS), word(row, 2), 1)


@function
def context_create(host):
    return allocate_cleared(host, 8 * t.CONTEXT_WORDS)


@function
def context_free(host, context):
    frame = word(context, t.RUN_FRAMES)
    while frame != 0:
        following = word(frame, t.FRAME_NEXT)
        frame_free(frame)
        frame = following
    chunk = word(context, t.RUN_CHUNKS)
    while chunk != 0:
        next_chunk = word(chunk, t.CHUNK_NEXT)
        release(host, chunk)
        chunk = next_chunk
    release(host, word(context, t.RUN_NODES))
    release(host, word(context, t.RUN_USES))
    release(host, word(context, t.RUN_SCRATCH))
    release(host, word(context, t.RUN_WORK))
    release(host, context)


@function
def open_prepare(model, error):
    """The prepare body's frame, and memory for its outputs, whose sizes must not depend on data."""
    image, host = word(model, t.MODEL_IMAGE), word(model, t.MODEL_HOST)
    context = context_create(host)
    if context == 0:
        return t.NO_MEMORY
    set_word(context, t.RUN_ERROR, error)
    frame = frame_create(model, word(image, im.H_PREPARE), context)
    if frame == 0:
        return t.NO_MEMORY
    set_word(model, t.MODEL_PREPARE_FRAME, frame)
    set_word(model, t.MODEL_PREPARED, word(frame, t.FRAME_OUTPUTS))
    status = size_segment(frame, 0)
    if status == 0:
        status = reserve_outputs(frame, 0)
    outputs = word(word(frame, t.FRAME_RECORD), im.B_OUTPUTS)
    for i in range(outputs):
        if status == 0 and word(word(model, t.MODEL_PREPARED) + 8 * i * t.SLOT_RECORD, t.SLOT_ADDRESS) == 0:
            status = fail(frame, t.BUFFER_SIZE, -1, -1, -1, i)
    set_word(model, t.MODEL_PREPARED_FROM, -1)
    return status


@function
def model_open(request):
    """A model; 0 on an error, which is in the error record of the request (tables.py: OPEN)."""
    host, image, error = word(request, t.OPEN_HOST), word(request, t.OPEN_IMAGE), word(request, t.OPEN_ERROR)
    states, bodies = word(image, im.H_STATES), word(image, im.H_BODIES)
    model = allocate_cleared(host, 8 * (t.MODEL_WORDS + states * (bodies + 1)))
    if model == 0:
        set_word(error, t.ERROR_CODE, t.NO_MEMORY)
        return 0
    set_word(model, t.MODEL_IMAGE, image)
    set_word(model, t.MODEL_REGISTRY, word(request, t.OPEN_REGISTRY))
    set_word(model, t.MODEL_FUNCTIONS, word(request, t.OPEN_FUNCTIONS))
    set_word(model, t.MODEL_HOST, host)
    set_word(model, t.MODEL_POOL, word(request, t.OPEN_POOL))
    set_word(model, t.MODEL_STORE, word(request, t.OPEN_STORE))
    set_word(model, t.MODEL_CONSTANTS, word(request, t.OPEN_CONSTANTS))
    set_word(model, t.MODEL_STATES, word(request, t.OPEN_STATES))
    set_word(model, t.MODEL_INFOS, word(request, t.OPEN_INFOS))
    set_word(model, t.MODEL_RUN_BODY, word(request, t.OPEN_RUN_BODY))
    set_word(model, t.MODEL_RUN_OTHER, word(request, t.OPEN_RUN_OTHER))
    set_word(model, t.MODEL_COMPILED, word(request, t.OPEN_COMPILED))
    set_word(model, t.MODEL_NO_WINOGRAD, word(request, t.OPEN_NO_WINOGRAD))
    set_word(model, t.MODEL_WAYS, word(request, t.OPEN_WAYS))
    set_word(model, t.MODEL_MAY_ROUND, word(request, t.OPEN_MAY_ROUND))
    set_word(model, t.MODEL_READS, model + 8 * t.MODEL_WORDS)
    set_word(model, t.MODEL_WRITES, model + 8 * (t.MODEL_WORDS + states))
    find_writes(model)
    find_reads(model)
    status = check_tables(model, word(request, t.OPEN_TABLES), error)
    if status == 0 and word(image, im.H_PREPARE) >= 0:
        status = open_prepare(model, error)
    if status != 0:
        set_word(error, t.ERROR_CODE, status)
        model_close(model)
        return 0
    return model


@function
def check_tables(model, most, error):
    """Compares with `most` what the frames of a run will take, each loop and branch having frames of its own."""
    image, host = word(model, t.MODEL_IMAGE), word(model, t.MODEL_HOST)
    bodies, prepare = word(image, im.H_BODIES), word(image, im.H_PREPARE)
    if most == 0:
        return 0
    table = allocate(host, 8 * bodies)
    if table == 0:
        return t.NO_MEMORY
    for body in range(bodies - 1, -1, -1):
        record, total = body_record(image, body), frame_bytes(model, body)
        for i in range(word(record, im.B_STEPS)):
            step = step_record(image, record, i)
            if has_bodies(step):
                total = add_saturated(total, word(table, body_of(step, 0)))
                total = add_saturated(total, word(table, body_of(step, 1)))
        set_word(table, body, total)
    total = word(table, 0)
    if prepare >= 0:
        total = add_saturated(total, word(table, prepare))
    release(host, table)
    if total <= most:
        return 0
    set_word(error, t.ERROR_A, total)
    set_word(error, t.ERROR_B, most)
    return t.TABLES


@function
def model_close(model):
    """Frees a model; its frames must have been freed before, its store is the embedder's."""
    host, frame = word(model, t.MODEL_HOST), word(model, t.MODEL_PREPARE_FRAME)
    if frame != 0:
        context_free(host, word(frame, t.FRAME_CONTEXT))
    release(host, model)
    return 0


@function
def version_sum(model):
    """Grows whenever a state that the prepare body reads gets a new version."""
    states, total = word(word(model, t.MODEL_IMAGE), im.H_STATES), 0
    for s in range(states):
        if word(word(model, t.MODEL_READS), s) != 0:
            total += word(word(word(model, t.MODEL_INFOS), s), 1)
    return total


@function
def make_prepared(model, error, call):
    """Runs the prepare body if its outputs are out of date."""
    frame = word(model, t.MODEL_PREPARE_FRAME)
    # Read without the lock: what it says holds for all that the run which stored it wrote before.
    if frame == 0 or atomic_load(model + 8 * t.MODEL_PREPARED_FROM) == version_sum(model):
        return 0
    spin_lock(model + 8 * t.MODEL_LOCK)
    status, version = 0, version_sum(model)
    if word(model, t.MODEL_PREPARED_FROM) != version:
        context = word(frame, t.FRAME_CONTEXT)
        set_word(context, t.RUN_ERROR, error)
        set_word(context, t.RUN_CANCEL, word(call, t.CALL_CANCEL))
        set_word(context, t.RUN_TRACE, word(call, t.CALL_TRACE))
        set_word(context, t.RUN_CHECKS, NO_POLLING)      # what the embedder does then might need this lock
        status = renew_used(frame)
        if status == 0:
            status = run_body(frame)
        forget_lists(context)
        if status == 0:
            atomic_add(model + 8 * t.MODEL_PREPARED_VERSION, 1)
            atomic_store(model + 8 * t.MODEL_PREPARED_FROM, version)
    atomic_store(model + 8 * t.MODEL_LOCK, 0)
    return status


@function
def frame_open(model, error):
    """A frame of body 0 with a context of its own; 0 if there is no memory."""
    host = word(model, t.MODEL_HOST)
    context = context_create(host)
    if context == 0:
        return 0
    set_word(context, t.RUN_ERROR, error)
    frame = frame_create(model, 0, context)
    if frame == 0:
        context_free(host, context)
    return frame


@function
def frame_close(frame):
    context_free(word(word(frame, t.FRAME_MODEL), t.MODEL_HOST), word(frame, t.FRAME_CONTEXT))
    return 0


@function
def frame_size(frame, sizes, error):
    """Says what sizes the next runs' inputs have (8 words an input); checks them; fills the sizes of those outputs that
    follow from them into the frame's output slots (RANK -1 for the others), and the bytes to be given for them. Only
    after this call do the slots say so: a run fills in the sizes of the others."""
    record, image = word(frame, t.FRAME_RECORD), word(word(frame, t.FRAME_MODEL), t.MODEL_IMAGE)
    set_word(word(frame, t.FRAME_CONTEXT), t.RUN_ERROR, error)
    for i in range(word(record, im.B_INPUTS)):
        slot = word(frame, t.FRAME_INPUTS) + 8 * i * t.SLOT_RECORD
        for axis in range(word(slot, t.SLOT_RANK)):
            set_word(slot, t.SLOT_SIZES + axis, word(sizes, 8 * i + axis))
    note_input_sizes(frame)
    set_word(frame, t.FRAME_BOUND, 0)
    status = size_segment(frame, 0)
    for i in range(word(record, im.B_OUTPUTS)):
        b = word(image, word(record, im.B_OUTPUT_IDS) + i)
        slot = word(frame, t.FRAME_OUTPUTS) + 8 * i * t.SLOT_RECORD
        set_word(slot, t.SLOT_GIVEN, 0)
        if word(word(frame, t.FRAME_BUFFER_SEGMENT), b) > 0:
            set_word(slot, t.SLOT_RANK, -1)
            continue
        row = buffer_row(image, record, b)
        rank = word(row, 3)
        set_word(slot, t.SLOT_RANK, rank)
        set_word(slot, t.SLOT_GIVEN, word(word(frame, t.FRAME_ELEMENTS), b) * dtype_size(word(row, 1)))
        for axis in range(rank):
            set_word(slot, t.SLOT_SIZES + axis, word(word(frame, t.FRAME_SIZES), 8 * b + axis))
    return status


@function
def take_addresses(frame, call):
    """Inputs and outputs of this run. An output of known size has memory of the caller's, others get the runtime's;
    memory that is given for one of those has no room, so that nothing is ever written to it."""
    record, indirect = word(frame, t.FRAME_RECORD), word(call, t.CALL_INDIRECT)
    inputs, outputs = word(record, im.B_INPUTS), word(record, im.B_OUTPUTS)
    host = word(word(frame, t.FRAME_MODEL), t.MODEL_HOST)
    for i in range(inputs):
        given = word(call, t.CALL_WORDS + i)
        slot = word(frame, t.FRAME_INPUTS) + 8 * i * t.SLOT_RECORD
        set_word(slot, t.SLOT_ADDRESS, word(given + indirect, 0) if indirect > 0 else given)
    for i in range(outputs):
        given = word(call, t.CALL_WORDS + inputs + i)
        if given != 0:
            slot = word(frame, t.FRAME_OUTPUTS) + 8 * i * t.SLOT_RECORD
            release_owned(host, slot)
            set_word(slot, t.SLOT_ADDRESS, word(given + indirect, 0) if indirect > 0 else given)
            set_word(slot, t.SLOT_CAPACITY, word(slot, t.SLOT_GIVEN))


@function
def release_owned(host, slot):
    if word(slot, t.SLOT_OWNED) != 0:
        release(host, word(slot, t.SLOT_ADDRESS))
        set_word(slot, t.SLOT_OWNED, 0)


@function
def run(call):
    """One run; `call` is a record of the embedder (tables.py: CALL). Returns 0 or an error code."""
    frame = word(call, t.CALL_FRAME)
    context, error = word(frame, t.FRAME_CONTEXT), word(call, t.CALL_ERROR)
    set_word(context, t.RUN_ERROR, error)
    set_word(context, t.RUN_CANCEL, word(call, t.CALL_CANCEL))
    set_word(context, t.RUN_TRACE, word(call, t.CALL_TRACE))
    set_word(frame, t.FRAME_COUNTER, word(call, t.CALL_RUN))
    start_polling(context, word(word(frame, t.FRAME_MODEL), t.MODEL_HOST))
    take_addresses(frame, call)
    status = make_prepared(word(frame, t.FRAME_MODEL), error, call)
    if status == 0:
        status = renew_used(frame)
    if status == 0:
        status = run_body(frame)
    run_ended(word(word(frame, t.FRAME_MODEL), t.MODEL_POOL), context)
    forget_lists(context)
    if status == 0 and word(context, t.RUN_STOP) != 0:
        status = t.CANCELLED
    set_word(context, t.RUN_STOP, 0)             # the frame may be bound for other sizes before its next run
    set_word(context, t.RUN_CANCEL, 0)
    return status


