"""Turning blocks of elements, so that rows become columns, and rows, so that the last comes first; every other element.

A square of SIDE x SIDE elements is turned in registers (scalars/squares.py), its elements as integers of their size.
Blocks of other sizes are squares that overlap at the end, so source and target may not.
"""
from __future__ import annotations

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from ..scalars.squares import SIDES, square_turner
from .memory import compact, function


@intrinsic
def _part_pairs(typing_context, target, source):
    """Stores every other of 32 elements of 4 bytes, the first of each pair."""
    def generate(context, builder, signature, arguments):
        vector = ir.VectorType(ir.IntType(32), 16)
        target, source = (builder.inttoptr(argument, vector.as_pointer()) for argument in arguments)
        low, high = (builder.load(builder.gep(source, [ir.IntType(64)(i)]), align=1) for i in range(2))
        evens = builder.shuffle_vector(low, high, ir.Constant(vector, list(range(0, 32, 2))))
        builder.store(evens, target, align=1)
        return context.get_dummy_value()
    return types.void(types.int64, types.int64), generate


def vector_reverser(size):
    """The function (target, source) that stores SIDES[size] elements in the order opposite to theirs."""
    side = SIDES[size]
    pointer = ir.VectorType(ir.IntType(8 * size), side).as_pointer()
    mask = ir.Constant(ir.VectorType(ir.IntType(32), side), list(range(side))[::-1])

    @intrinsic
    def reverse_vector(typing_context, target, source):
        def generate(context, builder, signature, arguments):
            target, source = (builder.inttoptr(argument, pointer) for argument in arguments)
            loaded = builder.load(source, align=1)
            builder.store(builder.shuffle_vector(loaded, loaded, mask), target, align=1)
            return context.get_dummy_value()
        return types.void(types.int64, types.int64), generate
    return reverse_vector


def _reverser(size):
    reverse_vector, side = vector_reverser(size), SIDES[size]

    @function
    def reverse(target, last, vectors):
        for i in range(vectors):
            reverse_vector(target + i * side * size, last - (i * side + side - 1) * size)
    return reverse


def _turner(size):
    square, side = square_turner(size), SIDES[size]

    @function
    def turn(target, target_stride, source, source_stride, rows, columns):
        column = 0
        while column < columns:
            at = min(column, columns - side)
            row = 0
            while row < rows:
                first = min(row, rows - side)
                square(target + first * target_stride + at * size, target_stride,
                       source + at * source_stride + first * size, source_stride)
                row += side
            column += side
    return turn


_turn_1, _turn_2, _turn_4, _turn_8 = (_turner(size) for size in SIDES)


_reverse_1, _reverse_2, _reverse_4, _reverse_8 = (_reverser(size) for size in SIDES)


@function
def side_of(size):
    return 8 if size == 8 else 16


@function
def turn_block(target, target_stride, source, source_stride, rows, columns, size):
    """Element c of row r of the target = element r of row c of the source; rows, columns: at least side_of(size)."""
    if size == 4:
        _turn_4(target, target_stride, source, source_stride, rows, columns)
    elif size == 8:
        _turn_8(target, target_stride, source, source_stride, rows, columns)
    elif size == 1:
        _turn_1(target, target_stride, source, source_stride, rows, columns)
    else:
        _turn_2(target, target_stride, source, source_stride, rows, columns)


@function
def reverse_vectors(target, last, size, vectors):
    """target[i] = the element i in front of `last`, for vectors * side_of(size) elements."""
    if size == 4:
        _reverse_4(target, last, vectors)
    elif size == 8:
        _reverse_8(target, last, vectors)
    elif size == 1:
        _reverse_1(target, last, vectors)
    else:
        _reverse_2(target, last, vectors)


@function
def part_vectors(target, source, vectors):
    """target[i] = source[2 i], for vectors * SIDES[4] elements of 4 bytes; as many pairs are read."""
    compact()
    for i in range(vectors):
        _part_pairs(target + i * 64, source + i * 128)
