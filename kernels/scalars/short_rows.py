"""Reductions of rows that are shorter than a vector: a square of them is turned, so that their elements stand side by
side, and its columns are combined. Each row's elements are combined in their order, as they are one by one.
"""
from __future__ import annotations

from collections.abc import Callable

from llvmlite import ir

from .squares import SIDES, turned, turning_masks

I32, I64 = ir.IntType(32), ir.IntType(64)
TURNED = {ir.FloatType(): 4, ir.DoubleType(): 8}       # what is turned, and its bytes
LEAST = 2                                              # elements of a row


def short_rows(builder: ir.IRBuilder, joined: Callable[[ir.Value, ir.Value], ir.Value], acc: ir.Value, src: ir.Value,
               rows: ir.Value, count: ir.Value) -> ir.Value:
    """acc[r] = acc[r] joined with the `count` elements of row r, for as many whole squares of rows as there are;
    returns the first row that is left. A square is read whole, and may not end behind the last row: one is left."""
    size = TURNED[src.type.pointee]
    side = SIDES[size]
    vector = ir.VectorType(src.type.pointee, side)
    entry, loop = builder.block, builder.append_basic_block("short")
    body, after = builder.append_basic_block("square"), builder.append_basic_block("short.done")
    fits = builder.and_(builder.icmp_signed(">=", count, I64(LEAST)), builder.icmp_signed("<", count, I64(side)))
    builder.cbranch(fits, loop, after)
    builder.position_at_end(loop)
    first = builder.phi(I64)
    first.add_incoming(I64(0), entry)
    last = builder.mul(builder.add(first, I64(side - 1)), count)
    inside = builder.icmp_signed("<=", builder.add(last, I64(side)), builder.mul(rows, count))
    builder.cbranch(inside, body, after)
    builder.position_at_end(body)

    def place(pointer: ir.Value, index: ir.Value) -> ir.Value:
        return builder.bitcast(builder.gep(pointer, [index]), vector.as_pointer())

    start = builder.mul(first, count)
    loaded = [builder.load(place(src, builder.add(start, builder.mul(I64(i), count))), align=size)
              for i in range(side)]
    mask_type = ir.VectorType(I32, side)
    columns = turned(turning_masks(size), loaded,
                     lambda a, b, mask: builder.shuffle_vector(a, b, ir.Constant(mask_type, mask)))
    target = place(acc, first)
    total = builder.load(target, align=size)
    for number, column in sorted(columns, key=lambda item: item[0])[:side - 1]:
        more = joined(total, column)
        total = more if number < LEAST else builder.select(builder.icmp_signed("<", I64(number), count), more, total)
    builder.store(total, target, align=size)
    following = builder.add(first, I64(side))
    first.add_incoming(following, builder.block)
    builder.branch(loop)
    builder.position_at_end(after)
    done = builder.phi(I64)
    done.add_incoming(I64(0), entry)
    done.add_incoming(first, loop)
    return done
