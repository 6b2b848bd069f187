"""What becomes of results below the smallest normal number: while a run computes, 0.

Such numbers are rare, but where they come (losses near 0, averages that fade away) they come in millions, and some
processors take 150 cycles for each instruction that makes one or reads one. Operands are left as they are: few are so
small if no result is. The mode belongs to a thread: who computes sets it, and Python's code finds that which it had.
On machines other than x86 nothing is set (toolchain/other_machines.py): there such numbers take no longer than others.
"""
from __future__ import annotations

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from .memory import function

FLUSH_TO_ZERO = 0x8000                 # of the register MXCSR
_I32 = ir.IntType(32)


def _call(builder, name, place):
    declared = cgutils.get_or_insert_function(builder.module, ir.FunctionType(ir.VoidType(), [place.type]),
                                              f"llvm.x86.sse.{name}")
    builder.call(declared, [place])


@intrinsic
def float_mode(typing_context):
    """The thread's mode."""
    def generate(context, builder, signature, arguments):
        place = cgutils.alloca_once_value(builder, _I32(0))
        _call(builder, "stmxcsr", builder.bitcast(place, ir.IntType(8).as_pointer()))
        return builder.zext(builder.load(place), ir.IntType(64))
    return types.int64(), generate


@intrinsic
def set_float_mode(typing_context, mode):
    def generate(context, builder, signature, arguments):
        place = cgutils.alloca_once_value(builder, builder.trunc(arguments[0], _I32))
        builder.store(builder.trunc(arguments[0], _I32), place)
        _call(builder, "ldmxcsr", builder.bitcast(place, ir.IntType(8).as_pointer()))
        return context.get_dummy_value()
    return types.void(types.int64), generate


@function
def flush_to_zero():
    """Sets the mode for what computes; returns the one before."""
    before = float_mode()
    set_float_mode(before | FLUSH_TO_ZERO)
    return before


@function
def keep_small_numbers():
    """Sets the mode for code of others; returns the one before."""
    before = float_mode()
    set_float_mode(before & ~FLUSH_TO_ZERO)
    return before
