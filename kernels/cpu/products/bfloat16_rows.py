"""Rows of float32 rounded to bfloat16: the A of bfloat16_tiles.py, whose unit and processors this LLVM IR is for.

Step s of row r goes to target + s * step_bytes + r * LINE_BYTES, so that a tile is a run of memory; a row is filled up
with zeros to whole steps.

Invariant: nothing is read after the last element of a row.
"""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from ..vector import first_lanes, load_lanes
from .bfloat16_tiles import _BFLOATS as BFLOATS
from .bfloat16_tiles import _FLOATS as FLOATS
from .bfloat16_tiles import LINE_BYTES, STEP
from .bfloat16_tiles import _at as at
from .bfloat16_tiles import _counting as counting
from .bfloat16_tiles import _declared as declared
from .bfloat16_tiles import _llvm as llvm_function

_SYMBOL = "gc_bfloat16_rows"
PARAMETERS = 6
_I64 = ir.IntType(64)
_LANES = STEP // 2
_SOURCE_BYTES = STEP * 4            # of a step


@intrinsic
def round_rows(typing_context, target, source, rows, source_row, count, step_bytes):
    """Rows of `count` elements, source_row bytes apart."""
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        builder.call(declared(builder.module, _SYMBOL, PARAMETERS), arguments)
        return context.get_dummy_value()
    return types.void(*[types.int64] * PARAMETERS), generate


def symbols() -> dict[str, Callable[[ir.Module, str], None]]:
    """The function: symbol -> what defines it in a module under a name."""
    return {_SYMBOL: _emit}


def _emit(module: ir.Module, name: str) -> None:
    function = declared(module, name, PARAMETERS)
    b = ir.IRBuilder(function.append_basic_block())
    target, source, rows, source_row, count, step_bytes = function.args
    narrow = llvm_function(module, "x86.avx512bf16.cvtne2ps2bf16.512", BFLOATS, [FLOATS, FLOATS])
    whole, rest = b.ashr(count, _I64(5)), b.and_(count, _I64(STEP - 1))

    def store(first: ir.Value, offset: ir.Value, low: ir.Value, high: ir.Value) -> None:
        b.store(b.call(narrow, [high, low]), at(b, first, offset, BFLOATS), align=2)

    def row(number: ir.Value, _: list[ir.Value]) -> list[ir.Value]:
        from_, to = b.add(source, b.mul(number, source_row)), b.add(target, b.mul(number, _I64(LINE_BYTES)))

        def step(number: ir.Value, _: list[ir.Value]) -> list[ir.Value]:
            offset = b.mul(number, _I64(_SOURCE_BYTES))
            low, high = (b.load(at(b, from_, b.add(offset, _I64(64 * half)), FLOATS), align=4) for half in (0, 1))
            store(to, b.mul(number, step_bytes), low, high)
            return []

        with b.if_then(b.icmp_signed(">", whole, _I64(0))):
            counting(b, whole, step)
        with b.if_then(b.icmp_signed(">", rest, _I64(0))):
            offset = b.mul(whole, _I64(_SOURCE_BYTES))
            low, high = (load_lanes(b, at(b, from_, b.add(offset, _I64(64 * half)), FLOATS),
                                    first_lanes(b, b.sub(rest, _I64(_LANES * half)), _LANES), "v16f32", 4)
                         for half in (0, 1))
            store(to, b.mul(whole, step_bytes), low, high)
        return []

    with b.if_then(b.icmp_signed(">", rows, _I64(0))):
        counting(b, rows, row)
    b.ret_void()
