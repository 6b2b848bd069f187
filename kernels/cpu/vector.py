"""Vectors of fixed width as numba values.

Job: the few vector operations that LLVM's vectoriser does not find by itself, which are reductions. A vector has LANES
lanes of f32 or half as many of f64 on every ISA (LLVM splits it where registers are narrower), so a sum has the same
order everywhere. Loads and stores need only the alignment of an element.
"""
from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic, models, register_model

from .memory import ITEM_SIZES, LLVM_FLOATS, NUMBA_TYPES, helper

LANES = 16
_I32 = ir.IntType(32)


class VectorType(types.Type):
    """numba's type of a vector of `lanes` elements."""

    def __init__(self, dtype: str, lanes: int) -> None:
        self.dtype_name = dtype
        self.lanes = lanes
        super().__init__(name=f"vector<{lanes} x {dtype}>")


@register_model(VectorType)
class VectorModel(models.PrimitiveModel):
    def __init__(self, manager, vector):
        super().__init__(manager, vector, ir.VectorType(LLVM_FLOATS[vector.dtype_name], vector.lanes))


@dataclass(frozen=True)
class Vectors:
    """Operations on vectors of one dtype: load(p, i), store(p, i, v), and load_some(p, i, n), store_some(p, i, v, n) of
    the first n lanes; splat(x), add, multiply_add(a, b, c) = a b + c, maximum (NaN loses), where_least(x, y, a, b) = a
    where x >= y, else b, backwards(v), the last lane first, and total(v), the sum of the lanes; row_sum(p, n) and
    row_max(p, n) over memory (n >= 1 for row_max)."""

    lanes: int
    load: Any
    store: Any
    load_some: Any
    store_some: Any
    splat: Any
    add: Any
    multiply_add: Any
    maximum: Any
    where_least: Any
    backwards: Any
    total: Any
    row_sum: Any
    row_max: Any


def splat_value(builder, scalar, vector_type):
    """IR: all lanes = scalar."""
    one = builder.insert_element(ir.Constant(vector_type, ir.Undefined), scalar, ir.Constant(_I32, 0))
    lanes = ir.Constant(ir.VectorType(_I32, vector_type.count), [0] * vector_type.count)
    return builder.shuffle_vector(one, ir.Constant(vector_type, ir.Undefined), lanes)


def first_lanes(builder, count, lanes):
    """IR: a mask of which lanes lie before `count`."""
    numbers = ir.VectorType(ir.IntType(64), lanes)
    return builder.icmp_signed("<", ir.Constant(numbers, list(range(lanes))), splat_value(builder, count, numbers))


def load_lanes(builder, where, chosen, suffix, align):
    """IR: those lanes of the vector at `where`, zeros in the others. suffix: of the vector's type in names of LLVM."""
    vector = where.type.pointee
    load = cgutils.get_or_insert_function(builder.module, ir.FunctionType(
        vector, [where.type, _I32, chosen.type, vector]), f"llvm.masked.load.{suffix}.p0")
    return builder.call(load, [where, _I32(align), chosen, ir.Constant(vector, None)])


def store_lanes(builder, value, where, chosen, suffix, align):
    """IR: stores those lanes only."""
    store = cgutils.get_or_insert_function(builder.module, ir.FunctionType(
        ir.VoidType(), [value.type, where.type, _I32, chosen.type]), f"llvm.masked.store.{suffix}.p0")
    builder.call(store, [value, where, _I32(align), chosen])


@cache
def vectors(dtype: str) -> Vectors:
    """The operations for "f32" or "f64"."""
    lanes = LANES * 4 // ITEM_SIZES[dtype]
    scalar, element, align = NUMBA_TYPES[dtype], LLVM_FLOATS[dtype], ITEM_SIZES[dtype]
    vector, native = VectorType(dtype, lanes), ir.VectorType(LLVM_FLOATS[dtype], lanes)
    suffix = f"v{lanes}{dtype}"

    @intrinsic
    def load(typing_context, pointer, index):
        def generate(context, builder, signature, arguments):
            where = builder.gep(arguments[0], [arguments[1]])
            return builder.load(builder.bitcast(where, native.as_pointer()), align=align)
        return vector(pointer, types.int64), generate

    @intrinsic
    def store(typing_context, pointer, index, value):
        def generate(context, builder, signature, arguments):
            where = builder.gep(arguments[0], [arguments[1]])
            builder.store(arguments[2], builder.bitcast(where, native.as_pointer()), align=align)
            return context.get_dummy_value()
        return types.void(pointer, types.int64, vector), generate

    @intrinsic
    def load_some(typing_context, pointer, index, count):
        def generate(context, builder, signature, arguments):
            pointer, index, count = arguments
            where = builder.bitcast(builder.gep(pointer, [index]), native.as_pointer())
            return load_lanes(builder, where, first_lanes(builder, count, lanes), suffix, align)
        return vector(pointer, types.int64, types.int64), generate

    @intrinsic
    def store_some(typing_context, pointer, index, value, count):
        def generate(context, builder, signature, arguments):
            pointer, index, value, count = arguments
            where = builder.bitcast(builder.gep(pointer, [index]), native.as_pointer())
            store_lanes(builder, value, where, first_lanes(builder, count, lanes), suffix, align)
            return context.get_dummy_value()
        return types.void(pointer, types.int64, vector, types.int64), generate

    @intrinsic
    def splat(typing_context, value):
        def generate(context, builder, signature, arguments):
            return splat_value(builder, arguments[0], native)
        return vector(scalar), generate

    @intrinsic
    def add(typing_context, left, right):
        def generate(context, builder, signature, arguments):
            return builder.fadd(*arguments)
        return vector(vector, vector), generate

    @intrinsic
    def multiply_add(typing_context, left, right, addend):
        def generate(context, builder, signature, arguments):
            function_type = ir.FunctionType(native, [native] * 3)
            fma = cgutils.get_or_insert_function(builder.module, function_type, f"llvm.fmuladd.{suffix}")
            return builder.call(fma, arguments)
        return vector(vector, vector, vector), generate

    @intrinsic
    def maximum(typing_context, left, right):
        def generate(context, builder, signature, arguments):
            return builder.select(builder.fcmp_ordered(">", *arguments), arguments[0], arguments[1])
        return vector(vector, vector), generate

    @intrinsic
    def where_least(typing_context, value, least, left, right):
        def generate(context, builder, signature, arguments):
            value, least, left, right = arguments
            return builder.select(builder.fcmp_ordered(">=", value, least), left, right)
        return vector(vector, vector, vector, vector), generate

    @intrinsic
    def backwards(typing_context, value):
        def generate(context, builder, signature, arguments):
            order = ir.Constant(ir.VectorType(_I32, lanes), list(reversed(range(lanes))))
            return builder.shuffle_vector(arguments[0], ir.Constant(native, ir.Undefined), order)
        return vector(vector), generate

    @intrinsic
    def total(typing_context, value):
        def generate(context, builder, signature, arguments):
            function_type = ir.FunctionType(element, [element, native])
            reduce = cgutils.get_or_insert_function(builder.module, function_type, f"llvm.vector.reduce.fadd.{suffix}")
            return builder.call(reduce, [ir.Constant(element, -0.0), arguments[0]], fastmath=("reassoc",))
        return scalar(vector), generate

    @intrinsic
    def greatest(typing_context, value):
        def generate(context, builder, signature, arguments):
            function_type = ir.FunctionType(element, [native])
            reduce = cgutils.get_or_insert_function(builder.module, function_type, f"llvm.vector.reduce.fmax.{suffix}")
            return builder.call(reduce, [arguments[0]], fastmath=("nnan",))
        return scalar(vector), generate

    zero = scalar(0)

    @helper
    def row_sum(row, count):
        partial = splat(zero)
        whole = count // lanes * lanes
        for i in range(0, whole, lanes):
            partial = add(partial, load(row, i))
        result = total(partial)
        for i in range(whole, count):
            result += row[i]
        return result

    @helper
    def row_max(row, count):
        result = row[0]
        whole = count // lanes * lanes
        if whole > 0:
            partial = splat(result)
            for i in range(0, whole, lanes):
                partial = maximum(load(row, i), partial)
            result = greatest(partial)
        for i in range(whole, count):
            if row[i] > result:
                result = row[i]
        return result

    return Vectors(lanes, load, store, load_some, store_some, splat, add, multiply_add, maximum, where_least,
                   backwards, total, row_sum, row_max)
