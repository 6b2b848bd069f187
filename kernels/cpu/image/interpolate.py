"""interpolate and blend: pictures resized along one axis, each new line mixed from old ones.

Job: interpolate is linear, out[o, j, :] = a + (b - a) * part[j] with a = x[o, low[j], :] and b = x[o, high[j], :];
blend is out[o, j, :] = the sum of weight[j, t] * x[o, index[j, t], :] over t, in order, without those of weight 0.
A line is a row of the picture, or the few channels of a pixel. Four or sixteen elements at a time are computed, the
last ones of a line once more if they are fewer; of a line of less than four also some of the next line, which is
written after them.
Invariants: every index is checked before it is used (INDEX_OUT_OF_RANGE). Nothing after x is read, nothing after a
tile's own elements is written. Each element is computed by the same operations in the same order, whichever way.
"""
from __future__ import annotations

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from ...contracts.calls import Functions
from ..array.gather import refuse
from ..memory import apart, compact, helper, offset
from ..vector import VectorType, splat_value
from ..words import OK, SCRATCH_BYTES, TILE_ELEMENTS, TILES, USER

TILE = 16384                           # elements of a tile, about
FOUR, WIDE = 4, 16                    # elements of a vector
ZERO = np.float32(0)

def make_vectors(width):
    """(load(p), store(p, v), add_share(base, less, value, share) = base + (value - less) * share, zeros()): of vectors
    of so many elements, without contraction."""
    kind, native = VectorType("f32", width), ir.VectorType(ir.FloatType(), width)

    @intrinsic
    def load(typing_context, pointer):
        def generate(context, builder, signature, arguments):
            return builder.load(builder.bitcast(arguments[0], native.as_pointer()), align=4)
        return kind(pointer), generate

    @intrinsic
    def store(typing_context, pointer, value):
        def generate(context, builder, signature, arguments):
            builder.store(arguments[1], builder.bitcast(arguments[0], native.as_pointer()), align=4)
            return context.get_dummy_value()
        return types.void(pointer, kind), generate

    @intrinsic
    def add_share(typing_context, base, less, value, share):
        def generate(context, builder, signature, arguments):
            base, less, value, share = arguments
            product = builder.fmul(builder.fsub(value, less), splat_value(builder, share, native))
            return builder.fadd(base, product)
        return kind(kind, kind, kind, types.float32), generate

    @intrinsic
    def zeros(typing_context):
        return kind(), lambda context, builder, signature, arguments: ir.Constant(native, None)
    return load, store, add_share, zeros


@helper
def bind_lines(lines, inner, choice):
    each = max(TILE // max(inner, 1), 1)
    choice[USER], choice[TILE_ELEMENTS] = each, each * inner
    choice[TILES] = (lines + each - 1) // each
    choice[SCRATCH_BYTES] = 64


@helper
def wrong_index(index, count, old):
    """One of the indices that is none of an axis of `old` places; 0 if there is none such."""
    apart()
    lowest, highest = 0, 0
    for i in range(count):
        lowest, highest = min(lowest, index[i]), max(highest, index[i])
    return lowest if lowest < 0 else highest if highest >= old else 0


@helper
def quick_lines(line, stop, last, inner, is_last):
    """Where those of lines [line, stop) end that go by vectors. last: after the tile's lines; is_last: of the last
    picture (or of its last row), after which there is nothing to read."""
    if inner >= FOUR:
        return stop
    return line if is_last else max(min(stop, last - FOUR), line)


@helper
def place_of(c, width, inner):
    """Where `width` elements lie that begin at c of a line, or end with it."""
    return min(c, inner - width) if inner >= width else 0


def linear_lines(width):
    load, store, add_share, _ = make_vectors(width)

    @helper
    def quick(x, low, high, part, target, inner, count):
        for j in range(count):
            a, b, share = offset(x, low[j] * inner), offset(x, high[j] * inner), part[j]
            for c in range(0, inner, width):
                at = place_of(c, width, inner)
                base = load(offset(a, at))
                store(offset(target, j * inner + at), add_share(base, base, load(offset(b, at)), share))
    return quick


def make_linear(types):
    short, long = linear_lines(FOUR), linear_lines(WIDE)

    @helper
    def slow(x, low, high, part, target, inner, first, count):
        compact()
        for j in range(first, count):
            for c in range(inner):
                a, b = x[low[j] * inner + c], x[high[j] * inner + c]
                target[j * inner + c] = a + (b - a) * part[j]

    def bind(outer, old, inner, count, choice):
        bind_lines(outer * count, inner, choice)

    def run(x, low, high, part, out, outer, old, inner, count, choice, work, scratch, phase, tile):
        line = tile * choice[USER]
        last = min(line + choice[USER], outer * count)
        while line < last:
            picture, j = line // count, line % count
            stop = min(last, line + count - j)
            below, above, shares = offset(low, j), offset(high, j), offset(part, j)
            wrong = wrong_index(below, stop - line, old)
            if wrong == 0:
                wrong = wrong_index(above, stop - line, old)
            if wrong != 0 or old == 0:
                return refuse(scratch, wrong, old)
            source, target = offset(x, picture * old * inner), offset(out, line * inner)
            middle = quick_lines(line, stop, last, inner, picture == outer - 1) - line
            if inner >= WIDE:
                long(source, below, above, shares, target, inner, middle)
            else:
                short(source, below, above, shares, target, inner, middle)
            slow(source, below, above, shares, target, inner, middle, stop - line)
            line = stop
        return OK
    return Functions(bind, run)


def blended_lines(width):
    load, store, add_share, zeros = make_vectors(width)

    @helper
    def quick(x, index, weight, taps, target, inner, count):
        for j in range(count):
            places, weights = offset(index, j * taps), offset(weight, j * taps)
            for c in range(0, inner, width):
                at, total = place_of(c, width, inner), zeros()
                for t in range(taps):
                    if weights[t] != ZERO:
                        total = add_share(total, zeros(), load(offset(x, places[t] * inner + at)), weights[t])
                store(offset(target, j * inner + at), total)
    return quick


def make_blend(types):
    short, long = blended_lines(FOUR), blended_lines(WIDE)

    @helper
    def slow(x, index, weight, taps, target, inner, first, count):
        compact()
        for j in range(first, count):
            for c in range(inner):
                total = ZERO
                for t in range(j * taps, (j + 1) * taps):
                    if weight[t] != ZERO:
                        total += x[index[t] * inner + c] * weight[t]
                target[j * inner + c] = total

    def bind(outer, old, inner, count, taps, choice):
        bind_lines(outer * count, inner, choice)

    def run(x, index, weight, out, outer, old, inner, count, taps, choice, work, scratch, phase, tile):
        line = tile * choice[USER]
        last = min(line + choice[USER], outer * count)
        while line < last:
            picture, j = line // count, line % count
            stop = min(last, line + count - j)
            places, weights = offset(index, j * taps), offset(weight, j * taps)
            wrong = wrong_index(places, (stop - line) * taps, old)
            if wrong != 0 or old == 0:
                return refuse(scratch, wrong, old)
            source, target = offset(x, picture * old * inner), offset(out, line * inner)
            middle = quick_lines(line, stop, last, inner, picture == outer - 1) - line
            if inner >= WIDE:
                long(source, places, weights, taps, target, inner, middle)
            else:
                short(source, places, weights, taps, target, inner, middle)
            slow(source, places, weights, taps, target, inner, middle, stop - line)
            line = stop
        return OK
    return Functions(bind, run)
