"""Memory of the embedder, errors, and arrays with their shape (SLOT).

Every block is 64-byte aligned, counted against the host table's limit and freed through the two words before it.
"""
from __future__ import annotations

from .image import BAD, DTYPE_HANDLE, dtype_size, multiply
from .memory import atomic_add, atomic_load, call, copy_bytes, function, set_word, word, zero_bytes
from .tables import (
    CANCELLED,
    ERROR_A,
    ERROR_B,
    ERROR_BODY,
    ERROR_C,
    ERROR_CODE,
    ERROR_STEP,
    FRAME_BODY,
    FRAME_CONTEXT,
    FRAME_MODEL,
    HOST_ADVISE,
    HOST_ALLOC,
    HOST_CLOCK,
    HOST_CLOCK_ID,
    HOST_CONTEXT,
    HOST_FREE,
    HOST_LIMIT,
    HOST_POLL,
    HOST_POLL_CONTEXT,
    HOST_TICK,
    HOST_USED,
    MODEL_HOST,
    RUN_CANCEL,
    RUN_CHECKS,
    RUN_ERROR,
    RUN_POLLED,
    RUN_STOP,
    RUN_TIME,
    SLOT_ADDRESS,
    SLOT_CAPACITY,
    SLOT_DTYPE,
    SLOT_ELEMENTS,
    SLOT_FILLED,
    SLOT_OWNED,
    SLOT_RANK,
    SLOT_SIZES,
)

# A run's checks count down from CHECKS; at 0 it looks at the clock. A step weighs STEP, a further tile CHECKS.
CHECKS, STEP, NO_POLLING, SECOND = 32, 4, 1 << 62, 1000000000
HEAD = 128      # bytes lost at most to the alignment and the two words
# Blocks of so many bytes or more may come in pages of 2 MB: a walk through 100 MB of weights needs 50 of them instead
# of 25,000 of 4 KB, each of which is looked up (in a virtual machine twice).
LARGE, PAGE, ADVICE = 4 << 20, 4096, 14


@function
def round_up(size):
    return (size + 63) // 64 * 64


@function
def allocate(host, size):
    """A block of `size` bytes, not cleared; 0 if there is no memory or the limit would be passed."""
    total = max(size, 64) + HEAD
    used = atomic_add(host + 8 * HOST_USED, total) + total
    limit = word(host, HOST_LIMIT)
    raw = 0
    if limit == 0 or used <= limit:
        raw = call(word(host, HOST_ALLOC), (total, word(host, HOST_CONTEXT)))
    if raw == 0:
        atomic_add(host + 8 * HOST_USED, -total)
        return 0
    if total >= LARGE and word(host, HOST_ADVISE) != 0:
        first = (raw + PAGE - 1) // PAGE * PAGE
        call(word(host, HOST_ADVISE), (first, (raw + total) // PAGE * PAGE - first, ADVICE))
    address = (raw + HEAD) // 64 * 64
    set_word(address, -1, raw)
    set_word(address, -2, total)
    return address


@function
def allocate_cleared(host, size):
    address = allocate(host, size)
    if address != 0:
        zero_bytes(address, max(size, 64))
    return address


@function
def release(host, address):
    if address != 0:
        atomic_add(host + 8 * HOST_USED, -word(address, -2))
        call(word(host, HOST_FREE), (word(address, -1), word(host, HOST_CONTEXT)))


@function
def grow(host, table, address_field, capacity_field, size):
    """Makes the block in two words of a table hold at least `size` bytes; what stood in it is lost. 1 if it does."""
    if word(table, address_field) != 0 and word(table, capacity_field) >= size:
        return 1
    release(host, word(table, address_field))
    set_word(table, capacity_field, 0)
    address = allocate(host, size)
    set_word(table, address_field, address)
    if address == 0:
        return 0
    set_word(table, capacity_field, max(size, 64))
    return 1


@function
def grow_keeping(host, table, address_field, capacity_field, size):
    """As grow, but keeps the contents, and doubles."""
    old, capacity = word(table, address_field), word(table, capacity_field)
    if old != 0 and capacity >= size:
        return 1
    wanted = max(size, 2 * capacity)
    address = allocate(host, wanted)
    if address == 0:
        return 0
    if old != 0:
        copy_bytes(address, old, capacity)
        release(host, old)
    set_word(table, address_field, address)
    set_word(table, capacity_field, wanted)
    return 1


@function
def fail(frame, code, step, a, b, c):
    """Writes the error record of the run; returns the code."""
    error = word(word(frame, FRAME_CONTEXT), RUN_ERROR)
    set_word(error, ERROR_CODE, code)
    set_word(error, ERROR_BODY, word(frame, FRAME_BODY))
    set_word(error, ERROR_STEP, step)
    set_word(error, ERROR_A, a)
    set_word(error, ERROR_B, b)
    set_word(error, ERROR_C, c)
    return code


@function
def start_polling(context, host):
    """At the beginning of a run: its first checks cost no look at the clock, so that short runs never take one."""
    set_word(context, RUN_STOP, 0)
    set_word(context, RUN_POLLED, 0)
    set_word(context, RUN_CHECKS, CHECKS if word(host, HOST_POLL) != 0 else NO_POLLING)


@function
def time_of(clock, clock_id, time_at):
    """Nanoseconds. clock: a function as HOST_CLOCK; time_at: two words that it may write."""
    call(clock, (clock_id, time_at))
    return word(time_at, 0) * SECOND + word(time_at, 1)


@function
def poll_now(context, host):
    """Asks the embedder if it is time to. Returns whether the run is to end."""
    set_word(context, RUN_CHECKS, CHECKS if word(host, HOST_POLL) != 0 else NO_POLLING)
    if word(host, HOST_POLL) == 0:
        return 0
    now = time_of(word(host, HOST_CLOCK), word(host, HOST_CLOCK_ID), context + 8 * RUN_TIME)
    tick = word(host, HOST_TICK) * SECOND + word(host, HOST_TICK + 1)
    last = word(context, RUN_POLLED)
    if last != 0 and now - last < tick:
        return 0
    set_word(context, RUN_POLLED, now)
    if last == 0 or call(word(host, HOST_POLL), (word(host, HOST_POLL_CONTEXT), 0)) == 0:
        return 0
    set_word(context, RUN_STOP, 1)
    return 1


@function
def polled(context, host, weight):
    """Whether the embedder's poll has ended the run. weight: how soon to look at the clock again; CHECKS: now."""
    if word(context, RUN_STOP) != 0:
        return 1
    left = word(context, RUN_CHECKS) - weight
    set_word(context, RUN_CHECKS, left)
    return poll_now(context, host) if left <= 0 else 0


@function
def flag_raised(frame):
    """Whether the embedder has raised the run's cancel flag."""
    flag = word(word(frame, FRAME_CONTEXT), RUN_CANCEL)
    return 1 if flag != 0 and atomic_load(flag) != 0 else 0


@function
def cancel_flag(frame):
    """Whether the embedder has asked for the end of the run, by its flag or when polled."""
    if flag_raised(frame) != 0:
        return 1
    return polled(word(frame, FRAME_CONTEXT), host_of(frame), STEP)


@function
def cancelled(frame, step):
    return fail(frame, CANCELLED, step, 0, 0, 0) if cancel_flag(frame) != 0 else 0


@function
def host_of(frame):
    return word(word(frame, FRAME_MODEL), MODEL_HOST)


@function
def slot_reserve(host, slot, rank, sizes):
    """Gives the slot a shape and memory for it; returns the address, 0 if there is no memory or a size is bad."""
    elements = 1
    for axis in range(rank):
        size = word(sizes, axis)
        if size < 0:
            return 0
        elements = multiply(elements, size)
        set_word(slot, SLOT_SIZES + axis, size)
    size = dtype_size(word(slot, SLOT_DTYPE))
    if elements == BAD or size == 0:
        return 0
    size = size * elements
    if word(slot, SLOT_ADDRESS) == 0 or word(slot, SLOT_CAPACITY) < size:
        capacity = size if word(slot, SLOT_CAPACITY) == 0 else size + size // 2     # what grows once may grow in a loop
        address = allocate(host, capacity)
        if address == 0:
            return 0
        slot_release(host, slot)
        set_word(slot, SLOT_ADDRESS, address)
        set_word(slot, SLOT_CAPACITY, max(capacity, 64))
        set_word(slot, SLOT_OWNED, 1)
    set_word(slot, SLOT_RANK, rank)
    set_word(slot, SLOT_ELEMENTS, elements)
    set_word(slot, SLOT_FILLED, 1)
    if word(slot, SLOT_DTYPE) == DTYPE_HANDLE:
        zero_bytes(word(slot, SLOT_ADDRESS), size)
    return word(slot, SLOT_ADDRESS)


@function
def slot_release(host, slot):
    if word(slot, SLOT_OWNED) != 0:
        release(host, word(slot, SLOT_ADDRESS))
    set_word(slot, SLOT_ADDRESS, 0)
    set_word(slot, SLOT_CAPACITY, 0)
    set_word(slot, SLOT_OWNED, 0)


@function
def slot_copy(host, source, target):
    """Copies shape and contents; 0 if there is no memory."""
    if slot_reserve(host, target, word(source, SLOT_RANK), source + 8 * SLOT_SIZES) == 0:
        return 0
    size = word(source, SLOT_ELEMENTS) * dtype_size(word(source, SLOT_DTYPE))
    if size > 0:
        copy_bytes(word(target, SLOT_ADDRESS), word(source, SLOT_ADDRESS), size)
    return 1
