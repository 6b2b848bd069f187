"""A register tile of whole vectors whose rows of A, of B and of C are evenly apart: products of few k.

Job: c[i, :] = sum over p < k of a[i, p] * b[p, :] for a fixed number of rows and vectors. Unlike the micro-kernel
(micro.py) it needs no table and is inlined, so that a tile costs little more than its products; A's and C's rows take a
few registers, as their distances are multiples of one.
Invariants: reads and writes elements of the tile only; an element's products are added in the order of k, one rounding
each where the ISA has fma.
"""
from __future__ import annotations

from functools import cache
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from ..memory import ITEM_SIZES, LLVM_FLOATS
from ..vector import LANES, splat_value

_I64 = ir.IntType(64)
_BYTES = ir.IntType(8).as_pointer()


def tile_shape(isa: str) -> tuple[int, int]:
    """Rows and vectors of LANES * 4 bytes, whose sums fit the ISA's registers beside what is multiplied."""
    return (8, 2) if isa == "x86_64_v4" else (6, 1)


@cache
def row_tile(dtype: str, rows: int, count: int) -> Any:
    """The numba function (k, a, a_row, a_step, b, b_row, c, c_row): addresses, steps in bytes, all int64. count: of
    vectors, each LANES * 4 bytes."""
    size, element = ITEM_SIZES[dtype], LLVM_FLOATS[dtype]
    lanes = LANES * 4 // size
    vector = ir.VectorType(element, lanes)

    def at(builder, base, row, step, number, kind):
        """A pointer to element or vector `number` of a row."""
        where = builder.gep(builder.inttoptr(base, _BYTES), [builder.mul(step, _I64(row))])
        return builder.gep(builder.bitcast(where, kind.as_pointer()), [_I64(number)])

    def products(builder, a, a_row, b, sums):
        """sums and the products of one k"""
        fma = cgutils.get_or_insert_function(builder.module, ir.FunctionType(vector, [vector] * 3),
                                             f"llvm.fmuladd.v{lanes}{dtype}")
        line = [builder.load(at(builder, b, 0, _I64(0), j, vector), align=size) for j in range(count)]
        updated = []
        for i in range(rows):
            factor = splat_value(builder, builder.load(at(builder, a, i, a_row, 0, element)), vector)
            updated += [builder.call(fma, [factor, line[j], sums[i * count + j]]) for j in range(count)]
        return updated

    @intrinsic
    def multiply(typing_context, k, a, a_row, a_step, b, b_row, c, c_row):
        def generate(context, builder, signature, arguments):
            k, a, a_row, a_step, b, b_row, c, c_row = arguments
            start = k, a, b, *[ir.Constant(vector, None)] * (rows * count)
            before, step, behind = builder.block, *(builder.append_basic_block(name) for name in ("step", "behind"))
            builder.cbranch(builder.icmp_signed(">", k, _I64(0)), step, behind)
            builder.position_at_end(step)
            left, here, line, *sums = phis = [builder.phi(value.type) for value in start]
            updated = [builder.sub(left, _I64(1)), builder.add(here, a_step), builder.add(line, b_row),
                       *products(builder, here, a_row, line, sums)]
            builder.cbranch(builder.icmp_signed(">", updated[0], _I64(0)), step, behind)
            builder.position_at_end(behind)
            results = [builder.phi(value.type) for value in start]
            for phi, result, first, value in zip(phis, results, start, updated, strict=True):
                for target in (phi, result):
                    target.add_incoming(first, before)
                    target.add_incoming(value, step)
            for number, value in enumerate(results[3:]):
                builder.store(value, at(builder, c, number // count, c_row, number % count, vector), align=size)
            return context.get_dummy_value()
        return types.void(*[types.int64] * 8), generate
    return multiply
