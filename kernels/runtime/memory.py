"""Memory as the runtime sees it: addresses and 64-bit words.

Job: loads, stores, atomics and calls through an address, as LLVM instructions that every target has. The runtime
keeps no numba array and no structure: a table is an address, a field a word after it (tables.py names them).
Invariant: every atomic is sequentially consistent; the pool's sleeping and waking relies on it.
"""
from __future__ import annotations

from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic

from ..cpu.memory import apart, compact, copy_bytes, part, prefetch, zero_bytes
from ..cpu.words import LEFT_OUT

__all__ = [
    "add_floats",
    "apart",
    "atomic_add",
    "atomic_load",
    "atomic_store",
    "atomic_swap_if",
    "call",
    "call_status",
    "compact",
    "copy_bytes",
    "function",
    "load_byte",
    "load_half",
    "load_int",
    "or_left_out",
    "part",
    "pause",
    "prefetch",
    "set_half",
    "set_int",
    "set_word",
    "word",
    "zero_bytes",
]

function = njit(error_model="numpy")     # a function of the runtime, called by others of it

_I8, _I16, _I32, _I64 = ir.IntType(8), ir.IntType(16), ir.IntType(32), ir.IntType(64)


def _pointer(builder, address, index, element=_I64):
    return builder.gep(builder.inttoptr(address, element.as_pointer()), [index])


@intrinsic
def word(typing_context, address, index):
    """The int64 at address + 8 * index."""
    def generate(context, builder, signature, arguments):
        return builder.load(_pointer(builder, *arguments), align=8)
    return types.int64(types.int64, types.int64), generate


@intrinsic
def set_word(typing_context, address, index, value):
    def generate(context, builder, signature, arguments):
        address, index, value = arguments
        builder.store(value, _pointer(builder, address, index), align=8)
        return context.get_dummy_value()
    return types.void(types.int64, types.int64, types.int64), generate


@intrinsic
def load_int(typing_context, address, index):
    """The int32 at address + 4 * index, as int64."""
    def generate(context, builder, signature, arguments):
        return builder.sext(builder.load(_pointer(builder, *arguments, _I32), align=4), _I64)
    return types.int64(types.int64, types.int64), generate


@intrinsic
def set_int(typing_context, address, index, value):
    """Stores the low 32 bits of value at address + 4 * index."""
    def generate(context, builder, signature, arguments):
        address, index, value = arguments
        builder.store(builder.trunc(value, _I32), _pointer(builder, address, index, _I32), align=4)
        return context.get_dummy_value()
    return types.void(types.int64, types.int64, types.int64), generate


@intrinsic
def load_byte(typing_context, address):
    def generate(context, builder, signature, arguments):
        return builder.zext(builder.load(builder.inttoptr(arguments[0], _I8.as_pointer()), align=1), _I64)
    return types.int64(types.int64), generate


@intrinsic
def add_floats(typing_context, wide, target, a, b, index):
    """The sum of the floating-point numbers `index` of a and b goes to target. wide: float64, not float32."""
    def generate(context, builder, signature, arguments):
        wide, *places = arguments[:-1]
        with builder.if_else(builder.icmp_signed("!=", wide, _I64(0))) as (then, otherwise):
            for block, element, size in ((then, ir.DoubleType(), 8), (otherwise, ir.FloatType(), 4)):
                with block:
                    to, a, b = (_pointer(builder, p, arguments[-1], element) for p in places)
                    total = builder.fadd(builder.load(a, align=size), builder.load(b, align=size))
                    builder.store(total, to, align=size)
        return context.get_dummy_value()
    return types.void(types.int64, types.int64, types.int64, types.int64, types.int64), generate


@intrinsic
def load_half(typing_context, address, index):
    """The 16 bits at address + 2 * index."""
    def generate(context, builder, signature, arguments):
        return builder.load(_pointer(builder, *arguments, _I16), align=2)
    return types.uint16(types.int64, types.int64), generate


@intrinsic
def set_half(typing_context, address, index, value):
    def generate(context, builder, signature, arguments):
        address, index, value = arguments
        builder.store(value, _pointer(builder, address, index, _I16), align=2)
        return context.get_dummy_value()
    return types.void(types.int64, types.int64, types.uint16), generate


@intrinsic
def atomic_load(typing_context, address):
    def generate(context, builder, signature, arguments):
        return builder.load_atomic(builder.inttoptr(arguments[0], _I64.as_pointer()), "seq_cst", 8)
    return types.int64(types.int64), generate


@intrinsic
def atomic_store(typing_context, address, value):
    def generate(context, builder, signature, arguments):
        builder.store_atomic(arguments[1], builder.inttoptr(arguments[0], _I64.as_pointer()), "seq_cst", 8)
        return context.get_dummy_value()
    return types.void(types.int64, types.int64), generate


@intrinsic
def atomic_add(typing_context, address, value):
    """Adds; returns what stood there before."""
    def generate(context, builder, signature, arguments):
        return builder.atomic_rmw("add", builder.inttoptr(arguments[0], _I64.as_pointer()), arguments[1], "seq_cst")
    return types.int64(types.int64, types.int64), generate


@intrinsic
def atomic_swap_if(typing_context, address, expected, value):
    """Stores value if `expected` stands there; returns 1 if it did."""
    def generate(context, builder, signature, arguments):
        address, expected, value = arguments
        pair = builder.cmpxchg(builder.inttoptr(address, _I64.as_pointer()), expected, value, "seq_cst", "seq_cst")
        return builder.zext(builder.extract_value(pair, 1), _I64)
    return types.int64(types.int64, types.int64, types.int64), generate


@intrinsic
def pause(typing_context):
    """A short delay of a spinning loop, without an instruction that only one architecture has: an atomic of the own
    stack."""
    def generate(context, builder, signature, arguments):
        cell = cgutils.alloca_once(builder, _I64)
        builder.store_atomic(ir.Constant(_I64, 0), cell, "seq_cst", 8)
        return context.get_dummy_value()
    return types.void(), generate


def _indirect(result_type, result):
    @intrinsic
    def call_address(typing_context, address, operands):
        def generate(context, builder, signature, arguments):
            values = [context.cast(builder, builder.extract_value(arguments[1], i), t, types.int64)
                      for i, t in enumerate(signature.args[1].types)]
            llvm_type = ir.FunctionType(result_type, [_I64] * len(values))
            target = builder.inttoptr(arguments[0], llvm_type.as_pointer())
            made = builder.call(target, values)
            return builder.sext(made, _I64) if result_type == _I32 else made
        return result(types.int64, operands), generate
    return call_address


@intrinsic
def or_left_out(typing_context, function, operands):
    """What a part, function(*operands), returns: a word; LEFT_OUT from what a small runner has in its place."""
    wanted = function.get_call_type(typing_context, operands.types, {})

    def generate(context, builder, signature, arguments):
        compiled = function.dispatcher.overloads[wanted.args].fndesc
        values = [context.cast(builder, builder.extract_value(arguments[1], i), given, taken)
                  for i, (given, taken) in enumerate(zip(operands.types, wanted.args, strict=True))]
        status, result = context.call_internal_no_propagate(builder, compiled, wanted, values)
        return builder.select(status.is_error, _I64(LEFT_OUT), result)
    return types.int64(function, operands), generate


call = _indirect(_I64, types.int64)             # call(address, (a, b, ...)) of a C function i64(i64, ...)
call_status = _indirect(_I32, types.int64)      # the same of i32(i64, ...)
