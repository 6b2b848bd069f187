"""Running a bound frame: its segments in order, the steps of each in order.

The steps of control are run by a function whose address is in the model's table, so that a program whose plans have
none need not hold what runs them.
"""
from __future__ import annotations

from . import image as im
from . import tables as t
from .bind import enter_segment
from .block import cancelled, fail
from .control import bind_slots, run_bind, run_host, run_if, run_take, run_while
from .list_steps import run_list, run_pop
from .lists import run_length, run_push
from .memory import call_status, function, word
from .pool import JOB_CALL, JOB_EPILOGUE, JOB_MAP, run_job
from .trace import note_step


@function
def run_call(frame, row, step):
    scratch = word(row, t.ROW_SCRATCH)
    status = run_job(frame, JOB_CALL, row, 0, word(row, t.ROW_TILES), scratch, step)
    if status == 0 and word(row, t.ROW_TILES_1) > 0:
        status = run_job(frame, JOB_CALL, row, 1, word(row, t.ROW_TILES_1), scratch, step)
    if status == 0 and word(row, t.ROW_EPILOGUE) != 0 and word(row, t.ROW_TILE_ELEMENTS) <= 0:
        status = run_job(frame, JOB_EPILOGUE, row, 0, word(row, t.ROW_EPILOGUE_TILES), scratch, step)
    return status


@function
def run_map(frame, row, step):
    if word(row, t.ROW_TOGETHER) == 0:
        return 0
    scratch = word(row, t.ROW_SCRATCH)
    status = run_job(frame, JOB_MAP, row, 0, word(row, t.ROW_TILES), scratch, step)
    if status == 0 and word(row, t.ROW_TILES_1) > 0:
        status = run_job(frame, JOB_MAP, row, 1, word(row, t.ROW_TILES_1), scratch, step)
    return status


@function
def run_other(frame, row, step):
    """A step of control."""
    kind, record = word(row, t.ROW_KIND), word(row, t.ROW_RECORD)
    if kind == im.STEP_TAKE:
        return run_take(frame, record, step)
    if kind == im.STEP_BIND:
        return run_bind(frame, record, step)
    if kind == im.STEP_WHILE:
        return run_while(frame, row, record, step)
    if kind == im.STEP_IF:
        return run_if(frame, row, record, step)
    if kind == im.STEP_HOST:
        return run_host(frame, row, record, step)
    if kind == im.STEP_PUSH:
        return run_push(frame, record, step)
    if kind == im.STEP_LENGTH:
        return run_length(frame, record)
    status = run_list(frame, record, step) if kind == im.STEP_LIST else run_pop(frame, record, step)
    return status if status != 0 else bind_slots(frame, record)


@function
def run_body(frame):
    """Runs a frame whose inputs are in place. Returns 0 or an error code; the error record says more."""
    status, traced = 0, word(word(frame, t.FRAME_CONTEXT), t.RUN_TRACE)
    others = word(word(frame, t.FRAME_MODEL), t.MODEL_RUN_OTHER)
    for s in range(word(frame, t.FRAME_SEGMENTS)):
        status = cancelled(frame, -1)
        if status == 0:
            status = enter_segment(frame, s)
        if status != 0:
            return status
        segment = word(frame, t.FRAME_SEGMENT_ROWS) + 8 * s * t.SEGMENT_WORDS
        for i in range(word(segment, t.SEGMENT_BEGIN), word(segment, t.SEGMENT_END)):
            row = word(frame, t.FRAME_ROWS) + 8 * i * t.ROW_WORDS
            kind = word(row, t.ROW_KIND)
            if traced != 0:
                note_step(frame, row, i)
            if kind == im.STEP_CALL:
                status = run_call(frame, row, i)
            elif kind == im.STEP_MAP:
                status = run_map(frame, row, i)
            elif others != 0:
                status = call_status(others, (frame, row, i))
            else:
                status = fail(frame, t.BAD_IMAGE, i, 0, kind, 0)
            if status != 0:
                return status
    return status
