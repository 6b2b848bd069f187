"""Notes what a run calls, if the embedder gave it a TRACE table (tables.py).

A step's event stands there before the step runs, so a run that fails ends with the event of the step to blame.

A run notes its events itself, on its own thread; workers only count themselves in the pool.
"""
from __future__ import annotations

from ..contracts.calls import Choice
from . import image as im
from . import tables as t
from .block import time_of
from .map_words import P_CODE, PASS_0, PASS_1
from .memory import copy_bytes, function, set_word, word
from .steps import CALL_ATTRS, CALL_DIMS, CALL_KERNEL, CALL_OPERANDS, HOST_NUMBER, MAP_RANK, map_dim, map_of

VARIANT, FORMAT = int(Choice.VARIANT), int(Choice.FORMAT)


@function
def now(trace):
    """The time in nanoseconds by the trace's clock, 0 without one."""
    clock = word(trace, t.TRACE_CLOCK)
    return time_of(clock, word(trace, t.TRACE_CLOCK_ID), trace + 8 * t.TRACE_TIME) if clock != 0 else 0


@function
def note(frame, kind, step, a, numbers):
    """Adds an event with room for so many numbers; returns its address, 0 if nobody wants it or there is no room."""
    trace = word(word(frame, t.FRAME_CONTEXT), t.RUN_TRACE)
    if trace == 0:
        return 0
    used, words = word(trace, t.TRACE_USED), t.EVENT_NUMBERS + numbers
    dropped = word(trace, t.TRACE_DROPPED)
    if dropped > 0 or used + words > word(trace, t.TRACE_CAPACITY):     # nothing stands after a gap
        set_word(trace, t.TRACE_DROPPED, dropped + 1)
        set_word(trace, t.TRACE_LAST, 0)
        return 0
    event = trace + 8 * (t.TRACE_FIRST + used)
    set_word(trace, t.TRACE_USED, used + words)
    set_word(trace, t.TRACE_LAST, event)
    set_word(event, t.EVENT_WORDS, words)
    set_word(event, t.EVENT_KIND, kind)
    set_word(event, t.EVENT_BODY, word(frame, t.FRAME_BODY))
    set_word(event, t.EVENT_STEP, step)
    set_word(event, t.EVENT_THREADS, 0)
    set_word(event, t.EVENT_TIME, now(trace))
    set_word(event, t.EVENT_A, a)
    for field in range(t.EVENT_B, t.EVENT_NUMBERS):
        set_word(event, field, 0)
    return event


@function
def note_threads(context, threads):
    """Adds to the last event how many threads ran tiles; of several phases the largest number stands."""
    trace = word(context, t.RUN_TRACE)
    event = word(trace, t.TRACE_LAST) if trace != 0 else 0
    if event != 0:
        set_word(event, t.EVENT_THREADS, max(word(event, t.EVENT_THREADS), threads))


@function
def has_code(bound):
    """1 if a pass of a bound map is machine code, else 0."""
    first, second = bound + 8 * word(bound, PASS_0), bound + 8 * word(bound, PASS_1)
    return 1 if word(first, P_CODE) != 0 or word(second, P_CODE) != 0 else 0


@function
def note_step(frame, row, step):
    """The event of a bound step. An IF's is noted where the branch is chosen."""
    kind, record = word(row, t.ROW_KIND), word(row, t.ROW_RECORD)
    if kind == im.STEP_MAP:
        words = map_of(record)
        rank = word(words, MAP_RANK)
        event = note(frame, kind, step, has_code(word(row, t.ROW_BOUND)), rank)
        if event != 0:
            set_word(event, t.EVENT_B, 1 if word(row, t.ROW_TOGETHER) == 0 else 0)
            set_word(event, t.EVENT_D, word(row, t.ROW_TILES))
            set_word(event, t.EVENT_E, word(row, t.ROW_TILES_1))
            for axis in range(rank):
                set_word(event, t.EVENT_NUMBERS + axis, word(word(frame, t.FRAME_DIMS), map_dim(words, axis)))
    elif kind == im.STEP_CALL:
        note_call(frame, row, record, step)
    elif kind == im.STEP_HOST:
        note(frame, kind, step, word(record, HOST_NUMBER), 0)
    elif kind != im.STEP_IF:
        note(frame, kind, step, 0, 0)


@function
def note_call(frame, row, record, step):
    operands, numbers = word(record, CALL_OPERANDS), word(record, CALL_DIMS) + word(record, CALL_ATTRS)
    event = note(frame, im.STEP_CALL, step, word(record, CALL_KERNEL), numbers)
    if event == 0:
        return
    arguments = word(row, t.ROW_BOUND) + 8 * operands
    choice = arguments + 8 * numbers
    set_word(event, t.EVENT_B, word(choice, VARIANT))
    set_word(event, t.EVENT_C, word(choice, FORMAT))
    set_word(event, t.EVENT_D, word(row, t.ROW_TILES))
    set_word(event, t.EVENT_E, word(row, t.ROW_TILES_1))
    set_word(event, t.EVENT_F, epilogue_way(row))
    copy_bytes(event + 8 * t.EVENT_NUMBERS, arguments, 8 * numbers)


@function
def epilogue_way(row):
    if word(row, t.ROW_EPILOGUE) == 0:
        return t.EPILOGUE_NONE
    if word(row, t.ROW_TILE_ELEMENTS) <= 0:
        return t.EPILOGUE_BEHIND
    return t.EPILOGUE_TILES_COMPILED if has_code(word(row, t.ROW_EPILOGUE)) != 0 else t.EPILOGUE_TILES


@function
def note_pack(frame, step, entry):
    event = note(frame, t.EVENT_PACK, step, word(entry, t.PACKED_KERNEL), 1)
    if event != 0:
        set_word(event, t.EVENT_C, word(entry, t.PACKED_FORMAT))
        set_word(event, t.EVENT_D, word(entry, t.PACKED_TILES))
        set_word(event, t.EVENT_NUMBERS, word(entry, t.PACKED_BYTES))
