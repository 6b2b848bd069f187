"""A register tile whose rows of A, of B and of C are evenly apart: products of few k.

Job: c[i, :] = sum over p < k of a[i, p] * b[p, :] for a fixed number of rows and vectors. Unlike the micro-kernel
(micro.py) it needs no table and is inlined, so that a tile costs little more than its products; A's and C's rows take a
few registers, as their distances are multiples of one.
Invariants: reads and writes elements of the tile only; an element's products are added in the order of k, one rounding
each where the ISA has fma. Integers wrap.
"""
from __future__ import annotations

from functools import cache
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from ..memory import ITEM_SIZES, LLVM_FLOATS
from ..vector import LANES, first_lanes, load_lanes, splat_value, store_lanes

_I64 = ir.IntType(64)
_BYTES = ir.IntType(8).as_pointer()


def tile_shape(isa: str) -> tuple[int, int]:
    """Rows and vectors of LANES * 4 bytes, whose sums fit the ISA's registers beside what is multiplied."""
    return (8, 2) if isa == "x86_64_v4" else (6, 1)


@cache
def row_tile(dtype: str, rows: int, count: int, whole: bool = True) -> Any:
    """The numba function (columns, k, a, a_row, a_step, b, b_row, c, c_row): addresses, steps in bytes, all int64.

    count: of vectors, each LANES * 4 bytes. whole: all of their lanes are columns; else the only vector's first
    `columns` lanes are.
    """
    size, element = ITEM_SIZES[dtype], LLVM_FLOATS.get(dtype) or ir.IntType(8 * ITEM_SIZES[dtype])
    lanes = LANES * 4 // size
    vector, suffix = ir.VectorType(element, lanes), f"v{lanes}{dtype}"

    def at(builder, base, offset, kind):
        return builder.bitcast(builder.gep(builder.inttoptr(base, _BYTES), [offset]), kind.as_pointer())

    def line_of(builder, row, mask):
        """The vectors of a row of B."""
        places = [at(builder, row, _I64(j * lanes * size), vector) for j in range(count)]
        return [builder.load(place, align=size) if whole else load_lanes(builder, place, mask, suffix, size)
                for place in places]

    def products(builder, a, a_row, line, sums):
        """`sums` and the products of one k."""
        factors = [splat_value(builder, builder.load(at(builder, a, builder.mul(a_row, _I64(i)), element)), vector)
                   for i in range(rows)]
        return [multiply_add(builder, factors[i], line[j], sums[i * count + j])
                for i in range(rows) for j in range(count)]

    def multiply_add(builder, factor, value, total):
        if dtype not in LLVM_FLOATS:
            return builder.add(total, builder.mul(factor, value))
        fma = cgutils.get_or_insert_function(builder.module, ir.FunctionType(vector, [vector] * 3),
                                             f"llvm.fmuladd.{suffix}")
        return builder.call(fma, [factor, value, total])

    def store(builder, sums, c, c_row, mask):
        for number, value in enumerate(sums):
            i, j = divmod(number, count)
            place = at(builder, c, builder.add(builder.mul(c_row, _I64(i)), _I64(j * lanes * size)), vector)
            if whole:
                builder.store(value, place, align=size)
            else:
                store_lanes(builder, value, place, mask, suffix, size)

    @intrinsic
    def multiply(typing_context, columns, k, a, a_row, a_step, b, b_row, c, c_row):
        def generate(context, builder, signature, arguments):
            columns, k, a, a_row, a_step, b, b_row, c, c_row = arguments
            mask = None if whole else first_lanes(builder, columns, lanes)
            start = k, a, b, *[ir.Constant(vector, None)] * (rows * count)
            before, step, after = builder.block, *(builder.append_basic_block(name) for name in ("step", "after"))
            builder.cbranch(builder.icmp_signed(">", k, _I64(0)), step, after)
            builder.position_at_end(step)
            left, here, row, *sums = phis = [builder.phi(value.type) for value in start]
            updated = [builder.sub(left, _I64(1)), builder.add(here, a_step), builder.add(row, b_row),
                       *products(builder, here, a_row, line_of(builder, row, mask), sums)]
            builder.cbranch(builder.icmp_signed(">", updated[0], _I64(0)), step, after)
            builder.position_at_end(after)
            results = [builder.phi(value.type) for value in start]
            for phi, result, first, value in zip(phis, results, start, updated, strict=True):
                for target in (phi, result):
                    target.add_incoming(first, before)
                    target.add_incoming(value, step)
            store(builder, results[3:], c, c_row, mask)
            return context.get_dummy_value()
        return types.void(*[types.int64] * 9), generate
    return multiply
