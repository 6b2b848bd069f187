"""Bytes of strings: loads and stores at any address, comparison, and the product that hashes are made of."""
from __future__ import annotations

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from ..runtime.memory import call, copy_bytes, function, load_byte, load_int, set_word, word, zero_bytes

__all__ = ["call", "copy_bytes", "equal_bytes", "float_bits", "function", "load_4", "load_8", "load_byte", "load_float",
           "load_int", "load_real", "set_byte", "set_float", "set_half_word", "set_real", "set_word", "unsigned_4",
           "unsigned_8", "wide_product", "word", "zero_bytes"]

_I8, _I32, _I64, _I128 = (ir.IntType(n) for n in (8, 32, 64, 128))
_FLOAT, _REAL = ir.FloatType(), ir.DoubleType()


def _loading(element, result):
    """load(address): what stands there, aligned or not."""
    @intrinsic
    def load(typing_context, address):
        def generate(context, builder, signature, arguments):
            found = builder.load(builder.inttoptr(arguments[0], element.as_pointer()), align=1)
            return builder.zext(found, _I64) if element == _I32 else found
        return result(types.int64), generate
    return load


load_4, load_8 = _loading(_I32, types.int64), _loading(_I64, types.int64)
unsigned_4, unsigned_8 = _loading(_I32, types.uint64), _loading(_I64, types.uint64)
load_float, load_real = _loading(_FLOAT, types.float32), _loading(_REAL, types.float64)


def _storing(element, given):
    """store(address, value), aligned or not."""
    @intrinsic
    def store(typing_context, address, value):
        def generate(context, builder, signature, arguments):
            address, value = arguments
            if element in (_I8, _I32):
                value = builder.trunc(value, element)
            builder.store(value, builder.inttoptr(address, element.as_pointer()), align=1)
            return context.get_dummy_value()
        return types.void(types.int64, given), generate
    return store


set_byte, set_half_word = _storing(_I8, types.int64), _storing(_I32, types.int64)
set_float, set_real = _storing(_FLOAT, types.float32), _storing(_REAL, types.float64)


@intrinsic
def float_bits(typing_context, value):
    """The bits of a float64."""
    def generate(context, builder, signature, arguments):
        return builder.bitcast(arguments[0], _I64)
    return types.int64(types.float64), generate


@intrinsic
def wide_product(typing_context, a, b):
    """Both halves of the product of two words of 64 bits without sign, one exclusive-or the other."""
    def generate(context, builder, signature, arguments):
        a, b = (builder.zext(value, _I128) for value in arguments)
        product = builder.mul(a, b)
        high = builder.trunc(builder.lshr(product, ir.Constant(_I128, 64)), _I64)
        return builder.xor(high, builder.trunc(product, _I64))
    return types.int64(types.int64, types.int64), generate


@function
def equal_bytes(a, b, size):
    """1 if the bytes at a and b are the same."""
    if size >= 8:
        for i in range(0, size - 7, 8):
            if load_8(a + i) != load_8(b + i):
                return 0
        return 1 if load_8(a + size - 8) == load_8(b + size - 8) else 0
    for i in range(size):
        if load_byte(a + i) != load_byte(b + i):
            return 0
    return 1
