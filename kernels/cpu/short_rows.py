"""Rows of a few bytes, copied without a loop or a call each.

A row is moved as two vectors that overlap in its middle, both read before the first is written.
"""
from __future__ import annotations

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from .memory import compact, copy_bytes, helper

SHORT_BYTES = 64          # of a row: from here on memcpy is as good


def vector_of(width):
    """A type of so many bytes."""
    return ir.IntType(8 * width) if width <= 8 else ir.VectorType(ir.IntType(64), width // 8)


def vector_place(builder, address, width):
    return builder.inttoptr(address, vector_of(width).as_pointer())


def _ends_mover(width):
    """The function (target, source, rest): copies `width` bytes, and those from `rest` on."""
    @intrinsic
    def move_ends(typing_context, target, source, rest):
        def generate(context, builder, signature, arguments):
            target, source, rest = arguments
            first = builder.load(vector_place(builder, source, width), align=1)
            last = builder.load(vector_place(builder, builder.add(source, rest), width), align=1)
            builder.store(first, vector_place(builder, target, width), align=1)
            builder.store(last, vector_place(builder, builder.add(target, rest), width), align=1)
            return context.get_dummy_value()
        return types.void(types.int64, types.int64, types.int64), generate
    return move_ends


def _rows_mover(move_ends):
    @helper
    def move_rows(target, target_step, source, source_step, rest, rows):
        for i in range(rows):
            move_ends(target + i * target_step, source + i * source_step, rest)
    return move_rows


_rows_2, _rows_4, _rows_8, _rows_16, _rows_32 = (_rows_mover(_ends_mover(width)) for width in (2, 4, 8, 16, 32))


@helper
def copy_rows(target, target_step, source, source_step, count, rows):
    """Copies rows of `count` bytes, at least 2, that begin so many bytes apart."""
    compact()
    if count > SHORT_BYTES:
        for i in range(rows):
            copy_bytes(target + i * target_step, source + i * source_step, count)
    elif count >= 32:
        _rows_32(target, target_step, source, source_step, count - 32, rows)
    elif count >= 16:
        _rows_16(target, target_step, source, source_step, count - 16, rows)
    elif count >= 8:
        _rows_8(target, target_step, source, source_step, count - 8, rows)
    elif count >= 4:
        _rows_4(target, target_step, source, source_step, count - 4, rows)
    else:
        _rows_2(target, target_step, source, source_step, count - 2, rows)
