"""Copies to memory past the caches, for results that no cache holds.

A store to a line that is not in the cache has the line read first; a store past the caches does not, so that a copy
takes two thirds of the memory's time. What reads the result soon after would have found it in the cache, if that is
large enough: BEYOND_CACHES. What is copied next is asked for meanwhile: while it writes past the caches, the processor
does not look ahead far enough by itself, nor from one row to the next.
Invariant: what was written past the caches is ordered before other stores by `fence` alone.
"""
from __future__ import annotations

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from .memory import apart, copy_bytes, helper, prefetch

BEYOND_CACHES = 3 << 23                # bytes that no cache is taken to hold, beside what else is wanted
STREAMED_ROW = 256                     # bytes of a row, at least: its first and last line are written as ever
LINE, LINES = 64, 4                    # so many at once
AHEAD = 4096                           # bytes that are asked for before they are copied, about

_VECTOR = ir.VectorType(ir.IntType(64), LINE // 8).as_pointer()


@intrinsic
def _stream_lines(typing_context, target, source):
    """Copies LINES lines; the target's begin is a line's."""
    def generate(context, builder, signature, arguments):
        pointers = [builder.inttoptr(argument, _VECTOR) for argument in arguments]
        target, source = pointers
        once = builder.module.add_metadata([ir.IntType(32)(1)])
        lines = [builder.load(builder.gep(source, [ir.IntType(64)(k)]), align=1) for k in range(LINES)]
        for k, line in enumerate(lines):
            builder.store(line, builder.gep(target, [ir.IntType(64)(k)]), align=LINE).set_metadata("nontemporal", once)
        return context.get_dummy_value()
    return types.void(types.int64, types.int64), generate


@intrinsic
def fence(typing_context):
    def generate(context, builder, signature, arguments):
        builder.fence("seq_cst")
        return context.get_dummy_value()
    return types.void(), generate


@helper
def stream_bytes(target, source, count, next_source):
    """memcpy past the caches, as far as lines are whole; the ranges may not overlap. next_source: as many bytes that
    will be copied soon."""
    apart()
    head = min(-target & (LINE - 1), count)
    copy_bytes(target, source, head)
    done = head
    while done + LINES * LINE <= count:
        for line in range(LINES):
            prefetch(next_source + done + line * LINE)
        _stream_lines(target + done, source + done)
        done += LINES * LINE
    copy_bytes(target + done, source + done, count - done)


@helper
def stream_rows(target, target_step, source, source_step, count, rows):
    """Copies rows of `count` bytes, which begin so many bytes apart, past the caches."""
    ahead = min(max(AHEAD // count, 1), rows) * source_step if rows > 1 else AHEAD
    for i in range(rows):
        where = source + i * source_step
        stream_bytes(target + i * target_step, where, count, where + ahead)
