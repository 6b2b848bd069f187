"""Pointers and memory for kernels: what numba has no expression for.

Job: element offsets of a pointer, addresses to pointers and back, memcpy, memset. Everything here is an LLVM
instruction or an LLVM intrinsic of every target; the only symbols that may remain are memcpy, memmove and memset.
Invariant: an address becomes a pointer once, and elements are reached by GEP from it, or LLVM cannot vectorise.
"""
from __future__ import annotations

from functools import cache
from typing import Any

from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic

from ..contracts.dtypes import DTYPES, FLOATS
from ..numba_types import NUMBA_TYPES

ITEM_SIZES = {short: DTYPES[short].size for short in NUMBA_TYPES}
_FLOAT_TYPES = {"float": ir.FloatType(), "double": ir.DoubleType()}
LLVM_FLOATS: dict[str, ir.Type] = {short: _FLOAT_TYPES[DTYPES[short].llvm] for short in FLOATS}

helper = njit(error_model="numpy")      # a function that kernels call; LLVM inlines it, unless it is to be `apart`

# (name, helper) of all parts: see `part`.
PARTS: list[tuple[str, Any]] = []


def part(*names: Any) -> Any:
    """Decorates a helper that is one of several ways to compute something, of which sizes choose: it stays a function
    as if it said `apart`, and a runner for a few models is linked without it where their sizes never lead to it
    (kernels/toolchain/reach.py, docs/adr/0045). names: tell it from the other parts of its module and ISA. It returns
    nothing."""
    def made(function):
        compiled = helper(function)
        PARTS.append(("_".join(map(str, names)), compiled))
        return compiled
    return made


_I1, _I8, _I32, _I64 = ir.IntType(1), ir.IntType(8), ir.IntType(32), ir.IntType(64)
_BYTES = _I8.as_pointer()


@intrinsic
def apart(typing_context):
    """Said by a function that is large and does much in a call: it stays one function, which its callers call, instead
    of being copied into each of them."""
    def generate(context, builder, signature, arguments):
        builder.function.attributes.add("noinline")
        return context.get_dummy_value()
    return types.void(), generate


@intrinsic
def compact(typing_context):
    """`apart`, and its loops are neither unrolled nor vectorised: said where the work is in what it calls."""
    def generate(context, builder, signature, arguments):
        builder.function.attributes.add("noinline")
        builder.function.attributes.add("optsize")
        return context.get_dummy_value()
    return types.void(), generate


@intrinsic
def offset(typing_context, pointer, elements):
    """The pointer `elements` after `pointer`."""
    def generate(context, builder, signature, arguments):
        return builder.gep(arguments[0], [arguments[1]])
    return pointer(pointer, types.int64), generate


@intrinsic
def address(typing_context, pointer):
    """The address, int64, that a pointer holds."""
    def generate(context, builder, signature, arguments):
        return builder.ptrtoint(arguments[0], _I64)
    return types.int64(pointer), generate


@cache
def pointer_to(dtype: str) -> Any:
    """The function that makes a pointer to `dtype` from an address."""
    result = types.CPointer(NUMBA_TYPES[dtype])

    @intrinsic
    def pointer_at(typing_context, where):
        def generate(context, builder, signature, arguments):
            return builder.inttoptr(arguments[0], context.get_value_type(result))
        return result(types.int64), generate
    return pointer_at


int64_at = pointer_to("i64")


def _call_memory(builder, name, operand_types, operands):
    function_type = ir.FunctionType(ir.VoidType(), operand_types)
    builder.call(cgutils.get_or_insert_function(builder.module, function_type, name), operands)


@intrinsic
def copy_bytes(typing_context, target, source, count):
    """memcpy between addresses; the ranges may not overlap."""
    def generate(context, builder, signature, arguments):
        target, source, count = arguments
        _call_memory(builder, "llvm.memcpy.p0i8.p0i8.i64", [_BYTES, _BYTES, _I64, _I1],
                     [builder.inttoptr(target, _BYTES), builder.inttoptr(source, _BYTES), count, ir.Constant(_I1, 0)])
        return context.get_dummy_value()
    return types.void(types.int64, types.int64, types.int64), generate


@intrinsic
def zero_bytes(typing_context, target, count):
    """memset(target, 0, count)."""
    def generate(context, builder, signature, arguments):
        target, count = arguments
        _call_memory(builder, "llvm.memset.p0i8.i64", [_BYTES, _I8, _I64, _I1],
                     [builder.inttoptr(target, _BYTES), ir.Constant(_I8, 0), count, ir.Constant(_I1, 0)])
        return context.get_dummy_value()
    return types.void(types.int64, types.int64), generate


@intrinsic
def prefetch(typing_context, where):
    """Asks for the cache line at an address, which need not be one of ours."""
    def generate(context, builder, signature, arguments):
        function_type = ir.FunctionType(ir.VoidType(), [_BYTES, _I32, _I32, _I32])
        function = cgutils.get_or_insert_function(builder.module, function_type, "llvm.prefetch.p0")
        builder.call(function, [builder.inttoptr(arguments[0], _BYTES), _I32(0), _I32(3), _I32(1)])
        return context.get_dummy_value()
    return types.void(types.int64), generate


@helper
def ceil_div(a, b):
    return (a + b - 1) // b


@helper
def round_up(a, b):
    return (a + b - 1) // b * b


@helper
def split(total, wanted, unit):
    """Size of a part, a multiple of unit, so that `total` falls into about `wanted` parts (at least 1 unit)."""
    return max(round_up(ceil_div(total, max(wanted, 1)), unit), unit)
