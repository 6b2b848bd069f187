"""Uniform numbers of a stretch of a Philox stream, written to memory: for kernels that draw as they go.

Job: `uniforms(target, key, run, group, groups)` writes what random ops draw (scalars/random.py: philox_f32, philox_f64)
from group `group` of four words on, many groups side by side in vectors. Whole vectors are written: up to PADDING
numbers more than `groups` hold.
Invariant: the numbers are those of the scalar functions, to the bit, on every ISA.
"""
from __future__ import annotations

from functools import cache
from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from ...scalars.machine import wrap_add, wrap_mul
from ..memory import LLVM_FLOATS, NUMBA_TYPES, apart, helper
from ..vector import splat_value

SIDE_BY_SIDE = 8                       # groups of a vector
PADDING = 4 * SIDE_BY_SIDE
LOW = 0xFFFFFFFF
MULTIPLIERS = (0xD2511F53, 0xCD9E8D57)
WEYL = (0x9E3779B9, 0xBB67AE85)
ITERATION = -7046029254386353131       # what an iteration's number is multiplied by before it is added to the key
PER_GROUP = {"f32": 4, "f64": 2}

_I32, _I64 = ir.IntType(32), ir.IntType(64)
_WORDS = ir.VectorType(_I64, SIDE_BY_SIDE)


@helper
def key_of(key, iteration):
    """The key of an iteration."""
    return wrap_add(key, wrap_mul(iteration, ITERATION))


@cache
def uniforms(dtype: str) -> Any:
    """The function (target, key, run, group, groups); key: key_of."""
    write = _write(dtype)

    @helper
    def fill(target, key, run, group, groups):
        apart()
        for i in range(0, groups, SIDE_BY_SIDE):
            write(target, i, key, run, group + i)
    return fill


def _write(dtype: str) -> Any:
    """The function (target, i, key, run, group): SIDE_BY_SIDE groups, as group i of target and those after it."""
    pointer, per_group = types.CPointer(NUMBA_TYPES[dtype]), PER_GROUP[dtype]
    finish = {"f32": _singles, "f64": _doubles}[dtype]

    @intrinsic
    def write(typing_context, target, index, key, run, group):
        def generate(context, builder, signature, arguments):
            target, index, key, run, group = arguments
            numbers = finish(builder, _philox(builder, key, run, group))
            where = builder.gep(target, [builder.mul(index, _I64(per_group))])
            builder.store(numbers, builder.bitcast(where, numbers.type.as_pointer()), align=4)
            return context.get_dummy_value()
        return types.void(pointer, *(types.int64,) * 4), generate
    return write


def _constant(value: int) -> ir.Constant:
    return ir.Constant(_WORDS, [value] * SIDE_BY_SIDE)


def _philox(builder: ir.IRBuilder, key: ir.Value, run: ir.Value, group: ir.Value) -> list[ir.Value]:
    """IR: the four words, each in the low half of 64 bits, of SIDE_BY_SIDE groups."""
    def low(x: ir.Value) -> ir.Value:
        return builder.and_(x, _constant(LOW))

    def high(x: ir.Value) -> ir.Value:
        return builder.lshr(x, _constant(32))

    numbers = ir.Constant(_WORDS, list(range(SIDE_BY_SIDE)))
    groups = builder.add(splat_value(builder, group, _WORDS), numbers)
    runs, keys = splat_value(builder, run, _WORDS), splat_value(builder, key, _WORDS)
    c0, c1, c2, c3, k0, k1 = low(groups), high(groups), low(runs), high(runs), low(keys), high(keys)
    for _ in range(10):
        first, second = builder.mul(c0, _constant(MULTIPLIERS[0])), builder.mul(c2, _constant(MULTIPLIERS[1]))
        c0, c1, c2, c3 = (builder.xor(builder.xor(high(second), c1), k0), low(second),
                          builder.xor(builder.xor(high(first), c3), k1), low(first))
        k0, k1 = low(builder.add(k0, _constant(WEYL[0]))), low(builder.add(k1, _constant(WEYL[1])))
    return [c0, c1, c2, c3]


def _singles(builder: ir.IRBuilder, words: list[ir.Value]) -> ir.Value:
    """IR: of each word a float32 of 23 bits."""
    narrow = ir.VectorType(_I32, SIDE_BY_SIDE)
    mixed = _side_by_side(builder, [builder.trunc(word, narrow) for word in words])
    count = 4 * SIDE_BY_SIDE
    bits = builder.or_(builder.and_(mixed, ir.Constant(mixed.type, [0x7FFFFF] * count)),
                       ir.Constant(mixed.type, [0x3F800000] * count))
    return _less_one(builder, bits, "f32", count)


def _doubles(builder: ir.IRBuilder, words: list[ir.Value]) -> ir.Value:
    """IR: of two words each a float64 of 52 bits."""
    halves = [builder.or_(builder.shl(builder.and_(words[i + 1], _constant(0xFFFFF)), _constant(32)), words[i])
              for i in (0, 2)]
    mixed = _side_by_side(builder, halves)
    count = 2 * SIDE_BY_SIDE
    return _less_one(builder, builder.or_(mixed, ir.Constant(mixed.type, [0x3FF0000000000000] * count)), "f64", count)


def _less_one(builder: ir.IRBuilder, bits: ir.Value, dtype: str, count: int) -> ir.Value:
    """IR: numbers in [1, 2), given by their bits, less 1."""
    native = ir.VectorType(LLVM_FLOATS[dtype], count)
    return builder.fsub(builder.bitcast(bits, native), ir.Constant(native, [1.0] * count))


def _side_by_side(builder: ir.IRBuilder, vectors: list[ir.Value]) -> ir.Value:
    """IR: the first lanes of all, then the second ones, and so on. Two or four vectors."""
    lanes, count = vectors[0].type.count, len(vectors)
    whole = vectors
    while len(whole) > 1:
        wide = whole[0].type.count * 2
        order = ir.Constant(ir.VectorType(_I32, wide), list(range(wide)))
        whole = [builder.shuffle_vector(a, b, order) for a, b in zip(whole[::2], whole[1::2], strict=True)]
    order = [vector * lanes + lane for lane in range(lanes) for vector in range(count)]
    return builder.shuffle_vector(whole[0], whole[0], ir.Constant(ir.VectorType(_I32, lanes * count), order))
