"""Panels: the packed form of a matrix B[k, n] for the micro-kernel.

Job: panel p holds columns p * width to (p + 1) * width as [k][width], zeros after column n; panels follow each other,
so a block of consecutive k is contiguous within each panel.
Invariants: only elements inside B are read; a panel's memory is k * width elements, all of them are written.
"""
from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from ..memory import ITEM_SIZES, LLVM_FLOATS, NUMBA_TYPES, compact, copy_bytes, helper, offset, part, pointer_to
from ..vector import first_lanes, load_lanes
from .micro import Shape

_I32, _I64 = ir.IntType(32), ir.IntType(64)
# Rows of B that are read side by side, in runs as long as the panels are: one panel after the other would read a few
# lines in each of many pages, which no prefetcher of a processor follows.
AT_ONCE = 8


@dataclass(frozen=True)
class Packing:
    """pack(target, source, row_step, k, columns): one panel from B; all addresses and steps (in bytes) int64.
    pack_transposed(target, source, row_step, k, columns): the same from B transposed, whose rows are B's columns.
    pack_panels(target, b, n, k, transposed, first, last): panels `first` to `last` of a whole B[k, n], or B[n, k].
    pack_apart(target, b, row_step, n, k, transposed, first, last): the same of one whose rows are row_step bytes
    apart."""

    pack: Any
    pack_transposed: Any
    pack_panels: Any
    pack_apart: Any


@cache
def transpose_square(dtype: str, lanes: int) -> Any:
    """The function (target, target_step, source, source_step), addresses and bytes: target[i][j] = source[j][i], lanes
    x lanes.

    A butterfly: round s exchanges the off-diagonal quarters of blocks of 2 s x 2 s.
    """
    vector = ir.VectorType(LLVM_FLOATS[dtype], lanes)
    size = ITEM_SIZES[dtype]

    def exchange(builder, upper, lower, s):
        indices = ir.VectorType(_I32, lanes)
        first = [j if not j & s else lanes + j - s for j in range(lanes)]
        second = [j + s if not j & s else lanes + j for j in range(lanes)]
        return tuple(builder.shuffle_vector(upper, lower, ir.Constant(indices, which)) for which in (first, second))

    @intrinsic
    def transpose(typing_context, target, target_step, source, source_step):
        def generate(context, builder, signature, arguments):
            target, target_step, source, source_step = arguments
            bytes_ = ir.IntType(8).as_pointer()

            def row(base, step, i):
                where = builder.gep(builder.inttoptr(base, bytes_), [builder.mul(step, _I64(i))])
                return builder.bitcast(where, vector.as_pointer())

            rows = [builder.load(row(source, source_step, i), align=size) for i in range(lanes)]
            s = lanes // 2
            while s:
                for i in range(lanes):
                    if not i & s:
                        rows[i], rows[i + s] = exchange(builder, rows[i], rows[i + s], s)
                s //= 2
            for i, value in enumerate(rows):
                builder.store(value, row(target, target_step, i), align=size)
            return context.get_dummy_value()
        return types.void(*[types.int64] * 4), generate
    return transpose


@cache
def part_of_line(dtype: str, shape: Shape) -> Any:
    """The function (target, source, columns), addresses and a number of elements: a line of a panel whose first columns
    are those at `source`, and the others zeros."""
    vector, size = ir.VectorType(LLVM_FLOATS[dtype], shape.lanes), ITEM_SIZES[dtype]

    @intrinsic
    def copy_part(typing_context, target, source, columns):
        def generate(context, builder, signature, arguments):
            target, source = (builder.inttoptr(a, vector.as_pointer()) for a in arguments[:2])
            for number in range(shape.vectors):
                inside = first_lanes(builder, builder.sub(arguments[2], _I64(number * shape.lanes)), shape.lanes)
                at = builder.gep(source, [_I64(number)])
                value = load_lanes(builder, at, inside, f"v{shape.lanes}{dtype}", size)
                builder.store(value, builder.gep(target, [_I64(number)]), align=size)
            return context.get_dummy_value()
        return types.void(*[types.int64] * 3), generate
    return copy_part


@cache
def packing(dtype: str, shape: Shape) -> Packing:
    size, width, lanes = ITEM_SIZES[dtype], shape.width, shape.lanes
    zero, at, transpose = NUMBA_TYPES[dtype](0), pointer_to(dtype), transpose_square(dtype, shape.lanes)
    copy_part = part_of_line(dtype, shape)

    @helper
    def pack(target, source, row_step, k, columns):
        if columns >= width:
            for i in range(k):
                copy_bytes(target + i * width * size, source + i * row_step, width * size)
            return
        for i in range(k):
            copy_part(target + i * width * size, source + i * row_step, columns)

    @helper
    def pack_transposed(target, source, row_step, k, columns):
        compact()
        columns = min(columns, width)
        panel = at(target)
        for first in range(0, width, lanes):
            done = 0
            if first + lanes <= columns:
                while done + lanes <= k:
                    transpose(target + (done * width + first) * size, width * size,
                              source + first * row_step + done * size,
                              row_step)
                    done += lanes
            for j in range(first, first + lanes):
                column = offset(panel, j)
                if j < columns:
                    values = at(source + j * row_step)
                    for i in range(done, k):
                        column[i * width] = values[i]
                else:
                    for i in range(done, k):
                        column[i * width] = zero

    @part("pack_rows", shape)
    def pack_rows(target, b, row_step, n, k, first, last):
        for start in range(0, k, AT_ONCE):
            source, rows = b + start * row_step, min(k - start, AT_ONCE)
            for panel in range(first, last):
                column = panel * width
                pack(target + ((panel - first) * k + start) * width * size, source + column * size, row_step, rows,
                     n - column)

    @part("pack_columns", shape)
    def pack_columns(target, b, row_step, n, k, first, last):
        for panel in range(first, last):
            column = panel * width
            pack_transposed(target + (panel - first) * k * width * size, b + column * row_step, row_step, k, n - column)

    @helper
    def pack_apart(target, b, row_step, n, k, transposed, first, last):
        if transposed:
            pack_columns(target, b, row_step, n, k, first, last)
        else:
            pack_rows(target, b, row_step, n, k, first, last)

    @helper
    def pack_panels(target, b, n, k, transposed, first, last):
        pack_apart(target, b, (k if transposed else n) * size, n, k, transposed, first, last)

    return Packing(pack, pack_transposed, pack_panels, pack_apart)
