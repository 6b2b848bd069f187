"""Entry points of the runtime, for the toolchain: name -> (function, argument types, result type)."""
from __future__ import annotations

from typing import Any

from numba import types

from . import tables as t
from .block import allocate_cleared, slot_reserve
from .map import map_bind, map_run, map_run_range, map_words
from .memory import function, set_word, word
from .model import frame_close, frame_open, frame_size, model_close, model_open, run
from .pack import store_free
from .pool import pool_free, pool_open, pool_quit, worker_loop
from .python import call_python, poll_python
from .quick import quick_run
from .run import run_body, run_other
from .verify import verify


@function
def gc_verify(image, words, registry, work, error):
    return verify(image, words, registry, work, error)


@function
def gc_store_open(host):
    store = allocate_cleared(host, 8 * t.STORE_WORDS)
    if store != 0:
        set_word(store, t.STORE_HOST, host)
    return store


@function
def gc_store_close(store):
    return store_free(store)


@function
def gc_pool_open(host, workers, spin):
    return pool_open(host, workers, spin)


@function
def gc_worker(pool):
    return worker_loop(pool)


@function
def gc_pool_quit(pool):
    return pool_quit(pool)


@function
def gc_pool_free(pool):
    return pool_free(pool)


@function
def gc_model_open(request):
    return model_open(request)


@function
def gc_model_close(model):
    return model_close(model)


@function
def gc_frame_open(model, error):
    return frame_open(model, error)


@function
def gc_frame_close(frame):
    return frame_close(frame)


@function
def gc_frame_size(frame, sizes, error):
    return frame_size(frame, sizes, error)


@function
def gc_run(call):
    return run(call)


@function
def gc_run_body(frame, reserved):
    return run_body(frame)


@function
def gc_run_other(frame, row, step):
    return run_other(frame, row, step)


@function
def gc_slot_reserve(host, slot, rank, sizes):
    if rank != word(slot, t.SLOT_RANK):
        return 0
    return slot_reserve(host, slot, rank, sizes)


@function
def gc_poll_python(python, reserved):
    return poll_python(python)


@function
def gc_call_python(context, host, record):
    return call_python(context, host, record)


@function
def gc_quick_run(own, arguments, count):
    return quick_run(own, arguments, count)


def _words(count: int) -> tuple[Any, ...]:
    return (types.int64,) * count


ENTRY: dict[str, tuple[Any, tuple[Any, ...], Any]] = {
    "gc_verify": (gc_verify, _words(5), types.int32),
    "gc_store_open": (gc_store_open, _words(1), types.int64),
    "gc_store_close": (gc_store_close, _words(1), types.int64),
    "gc_pool_open": (gc_pool_open, _words(3), types.int64),
    "gc_worker": (gc_worker, _words(1), types.int64),
    "gc_pool_quit": (gc_pool_quit, _words(1), types.int64),
    "gc_pool_free": (gc_pool_free, _words(1), types.int64),
    "gc_model_open": (gc_model_open, _words(1), types.int64),
    "gc_model_close": (gc_model_close, _words(1), types.int64),
    "gc_frame_open": (gc_frame_open, _words(2), types.int64),
    "gc_frame_close": (gc_frame_close, _words(1), types.int64),
    "gc_frame_size": (gc_frame_size, _words(3), types.int32),
    "gc_run": (gc_run, _words(1), types.int32),
    "gc_run_body": (gc_run_body, _words(2), types.int32),
    "gc_run_other": (gc_run_other, _words(3), types.int32),
    "gc_slot_reserve": (gc_slot_reserve, _words(4), types.int64),
    "gc_poll_python": (gc_poll_python, _words(2), types.int64),
    "gc_call_python": (gc_call_python, _words(3), types.int32),
    "gc_quick_run": (gc_quick_run, _words(3), types.int64),
    # The map evaluator by itself, for tests.
    "gc_map_words": (map_words, _words(3), types.int64),
    "gc_map_bind": (map_bind, _words(8), types.int64),
    "gc_map_run": (map_run, _words(6), types.int32),
    "gc_map_run_range": (map_run_range, _words(6), types.int32),
}
