"""The few machine operations that numba lacks or types too widely (int32 + int32 is int64 there), as intrinsics.

Every result has the type of the first argument unless said otherwise; the others, constants too, are converted to it.
None of them calls a library: on every supported machine they are instructions, and LLVM vectorises them.
"""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.core.errors import TypingError
from numba.extending import intrinsic

scalar = njit(error_model="numpy", no_cpython_wrapper=True, no_cfunc_wrapper=True)
"""Decorates scalar functions: they are only ever called by compiled code."""


def called(function: Any) -> Any:
    """`function`, of one or two float64, as one that is called and not inlined: for long ones that longer ones use,
    which nobody vectorises, and where they would stand many times."""
    name = f"gc_called.{function.__name__}"

    def define(context: Any, builder: Any, count: int) -> ir.Function:
        compiled = function.get_compile_result(types.float64(*(types.float64,) * count))
        context.active_code_library.add_linking_library(compiled.library)
        made = ir.Function(builder.module, ir.FunctionType(ir.DoubleType(), [ir.DoubleType()] * count), name)
        made.linkage = "linkonce_odr"
        made.attributes.add("noinline")
        inner = ir.IRBuilder(made.append_basic_block())
        inner.ret(context.call_internal_no_propagate(inner, compiled.fndesc, compiled.signature, made.args)[1])
        return made

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        found = builder.module.globals.get(name) or define(context, builder, len(arguments))
        return builder.call(found, arguments)

    if function.py_func.__code__.co_argcount == 1:
        @intrinsic
        def one(typing_context, x):    # type: ignore[no-untyped-def]
            return types.float64(types.float64), generate
        return one

    @intrinsic
    def two(typing_context, x, y):    # type: ignore[no-untyped-def]
        return types.float64(types.float64, types.float64), generate
    return two


INTS = {types.float32: types.int32, types.float64: types.int64}
FLOATS = {types.int32: types.float32, types.int64: types.float64}
MANTISSA = {types.float32: 23, types.float64: 52, types.int32: 23, types.int64: 52}
BIAS = {types.float32: 127, types.float64: 1023, types.int32: 127, types.int64: 1023}


def call_llvm(builder: Any, name: str, result: ir.Type, arguments: list[Any]) -> Any:
    suffix = {32: "f32", 64: "f64"}[32 if isinstance(arguments[0].type, ir.FloatType) else 64]
    signature = ir.FunctionType(result, [a.type for a in arguments])
    function = cgutils.get_or_insert_function(builder.module, signature, f"llvm.{name}.{suffix}")
    return builder.call(function, arguments)


def _float_intrinsic(name: str, arity: int) -> Any:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return call_llvm(builder, name, arguments[0].type, list(arguments))

    if arity == 1:
        @intrinsic
        def one(typing_context, x):    # type: ignore[no-untyped-def]
            return x(x), generate
        return one
    if arity == 2:
        @intrinsic
        def two(typing_context, x, y):    # type: ignore[no-untyped-def]
            return x(x, x), generate
        return two

    @intrinsic
    def three(typing_context, x, y, z):    # type: ignore[no-untyped-def]
        return x(x, x, x), generate
    return three


fma = _float_intrinsic("fmuladd", 3)      # one rounding wherever the machine has fma (every supported one)
fabs = _float_intrinsic("fabs", 1)
copysign = _float_intrinsic("copysign", 2)
sqrt = _float_intrinsic("sqrt", 1)
floor = _float_intrinsic("floor", 1)
ceil = _float_intrinsic("ceil", 1)
trunc = _float_intrinsic("trunc", 1)


def _binary(emit: Callable[[Any, Any, Any, bool], Any]) -> Any:
    @intrinsic
    def two(typing_context, x, y):    # type: ignore[no-untyped-def]
        def generate(context, builder, signature, arguments):    # type: ignore[no-untyped-def]
            return emit(builder, arguments[0], arguments[1], getattr(signature.args[0], "signed", True))
        return x(x, x), generate
    return two


wrap_add = _binary(lambda b, x, y, s: b.add(x, y))
wrap_sub = _binary(lambda b, x, y, s: b.sub(x, y))
wrap_mul = _binary(lambda b, x, y, s: b.mul(x, y))
bit_and = _binary(lambda b, x, y, s: b.and_(x, y))
bit_or = _binary(lambda b, x, y, s: b.or_(x, y))
bit_xor = _binary(lambda b, x, y, s: b.xor(x, y))
shift_left = _binary(lambda b, x, y, s: b.shl(x, y))                   # 0 <= y < bits
shift_right = _binary(lambda b, x, y, s: b.ashr(x, y) if s else b.lshr(x, y))
shift_right_logical = _binary(lambda b, x, y, s: b.lshr(x, y))
divide = _binary(lambda b, x, y, s: b.sdiv(x, y))                      # y not 0, no overflow
remainder = _binary(lambda b, x, y, s: b.srem(x, y))


@intrinsic
def count_bits(typing_context, x):    # type: ignore[no-untyped-def]
    """How many bits of an integer are 1."""
    def generate(context, builder, signature, arguments):    # type: ignore[no-untyped-def]
        return builder.ctpop(arguments[0])
    return x(x), generate


@intrinsic
def like(typing_context, x, value):    # type: ignore[no-untyped-def]
    """value, converted to x's type."""
    def generate(context, builder, signature, arguments):    # type: ignore[no-untyped-def]
        return arguments[1]
    return x(x, x), generate


@intrinsic
def select(typing_context, condition, x, y):    # type: ignore[no-untyped-def]
    """x if condition else y, both computed; of the narrower one's type, as constants are 64 bits wide."""
    kinds = (types.unliteral(x), types.unliteral(y))
    result = min(kinds, key=lambda kind: getattr(kind, "bitwidth", 1))

    def generate(context, builder, signature, arguments):    # type: ignore[no-untyped-def]
        return builder.select(arguments[0], arguments[1], arguments[2])
    return result(types.boolean, result, result), generate


@intrinsic
def polynomial(typing_context, x, coefficients):    # type: ignore[no-untyped-def]
    """Horner's rule with one rounding a step; coefficients are a tuple of float64 constants, highest power first."""
    def generate(context, builder, signature, arguments):    # type: ignore[no-untyped-def]
        value, table = arguments
        constants = [context.cast(builder, c, types.float64, signature.args[0])
                     for c in cgutils.unpack_tuple(builder, table)]
        result = constants[0]
        for c in constants[1:]:
            result = call_llvm(builder, "fmuladd", value.type, [result, value, c])
        return result
    return x(x, coefficients), generate


@intrinsic
def bits(typing_context, x):    # type: ignore[no-untyped-def]
    """The float's bits as an integer of its size."""
    result = INTS[x]

    def generate(context, builder, signature, arguments):    # type: ignore[no-untyped-def]
        return builder.bitcast(arguments[0], context.get_value_type(result))
    return result(x), generate


@intrinsic
def from_bits(typing_context, i):    # type: ignore[no-untyped-def]
    """The float of i's size with the bits i."""
    result = FLOATS[i]

    def generate(context, builder, signature, arguments):    # type: ignore[no-untyped-def]
        return builder.bitcast(arguments[0], context.get_value_type(result))
    return result(i), generate


@intrinsic
def power_of_two(typing_context, n):    # type: ignore[no-untyped-def]
    """2**n as a float of n's size; n must be the exponent of a normal number."""
    result = FLOATS[n]

    def generate(context, builder, signature, arguments):    # type: ignore[no-untyped-def]
        kind = arguments[0].type
        biased = builder.add(arguments[0], ir.Constant(kind, BIAS[n]))
        return builder.bitcast(builder.shl(biased, ir.Constant(kind, MANTISSA[n])), context.get_value_type(result))
    return result(n), generate


@intrinsic
def nearest(typing_context, x):    # type: ignore[no-untyped-def]
    """(x rounded half to even as a float, the same as an integer of its size), for |x| < 2**21 (f32), 2**50 (f64).

    A magic number is added: its last bit is worth 1, so that the addition rounds. No conversion can trap.
    """
    integer = INTS[x]
    magic = 1.5 * 2.0 ** MANTISSA[x]

    def generate(context, builder, signature, arguments):    # type: ignore[no-untyped-def]
        value = arguments[0]
        constant = ir.Constant(value.type, magic)
        moved = builder.fadd(value, constant)
        kind = context.get_value_type(integer)
        number = builder.sub(builder.bitcast(moved, kind), builder.bitcast(constant, kind))
        return context.make_tuple(builder, signature.return_type, [builder.fsub(moved, constant), number])
    return types.Tuple([x, integer])(x), generate


@intrinsic
def convert(typing_context, x, target):    # type: ignore[no-untyped-def]
    """x as the type that `target` (a number of that type) has; integers wrap. Floats to integers: saturated.py."""
    result = types.unliteral(target)
    source = types.unliteral(x)
    if isinstance(source, types.Float) and isinstance(result, types.Integer):
        raise TypingError(f"convert does not say what becomes of a {source} that no {result} is: use truncation")

    def generate(context, builder, signature, arguments):    # type: ignore[no-untyped-def]
        value = arguments[0]
        if result == types.boolean:
            zero = ir.Constant(value.type, 0)
            if isinstance(source, types.Float):
                return builder.fcmp_unordered("!=", value, zero)
            return builder.icmp_unsigned("!=", value, zero)
        return context.cast(builder, value, source, result)
    return result(x, target), generate


@intrinsic
def half_to_float(typing_context, x):    # type: ignore[no-untyped-def]
    """The float32 that the bits of a float16 stand for; every ISA has an instruction for it."""
    def generate(context, builder, signature, arguments):    # type: ignore[no-untyped-def]
        return builder.fpext(builder.bitcast(arguments[0], ir.HalfType()), ir.FloatType())
    return types.float32(types.uint16), generate


@intrinsic
def float_to_half(typing_context, x):    # type: ignore[no-untyped-def]
    """The bits of the float16 next to a float32, halves to even."""
    def generate(context, builder, signature, arguments):    # type: ignore[no-untyped-def]
        return builder.bitcast(builder.fptrunc(arguments[0], ir.HalfType()), ir.IntType(16))
    return types.uint16(types.float32), generate


@intrinsic
def bfloat_to_float(typing_context, x):    # type: ignore[no-untyped-def]
    """The float32 whose upper 16 bits are those of a bfloat16."""
    def generate(context, builder, signature, arguments):    # type: ignore[no-untyped-def]
        wide = builder.zext(arguments[0], ir.IntType(32))
        return builder.bitcast(builder.shl(wide, ir.Constant(wide.type, 16)), ir.FloatType())
    return types.float32(types.uint16), generate


@intrinsic
def float_to_bfloat(typing_context, x):    # type: ignore[no-untyped-def]
    """The bits of the bfloat16 next to a float32, halves to even: rounding may carry into the exponent, up to
    infinity. A NaN keeps its sign and becomes a quiet one."""
    def generate(context, builder, signature, arguments):    # type: ignore[no-untyped-def]
        kind = ir.IntType(32)
        value = builder.bitcast(arguments[0], kind)
        upper = builder.lshr(value, ir.Constant(kind, 16))
        odd = builder.and_(upper, ir.Constant(kind, 1))
        rounded = builder.lshr(builder.add(value, builder.add(odd, ir.Constant(kind, 0x7FFF))), ir.Constant(kind, 16))
        quiet = builder.or_(upper, ir.Constant(kind, 0x7FC0))
        is_nan = builder.fcmp_unordered("uno", arguments[0], arguments[0])
        return builder.trunc(builder.select(is_nan, quiet, rounded), ir.IntType(16))
    return types.uint16(types.float32), generate


@intrinsic
def multiply_32(typing_context, x, y):    # type: ignore[no-untyped-def]
    """The full product of two int64 that hold unsigned 32-bit numbers."""
    def generate(context, builder, signature, arguments):    # type: ignore[no-untyped-def]
        mask = ir.Constant(ir.IntType(64), 0xFFFFFFFF)
        return builder.mul(builder.and_(arguments[0], mask), builder.and_(arguments[1], mask))
    return types.int64(types.int64, types.int64), generate
