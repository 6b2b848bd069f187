"""layer_norm and layer_norm_grad: rows normalised by their own moments, and the gradient, each in one pass over memory.

Job: y = (x - mean) * inverse * scale + shift of each row, inverse = 1 / sqrt(variance + epsilon); not centred (RMS
norm): mean is 0 and the mean of squares takes the variance's place. scale and shift may be absent. A row is `groups`
times `params` elements, of which each group has the same scale and shift.
The gradient makes the moments again, from a row that is in the first cache then: nothing is kept of the forward way.
With d = x - mean, w = dy * scale, and M the mean over a row:
    dx = (w - M(w) - d * inverse ** 2 * M(w d)) * inverse [+ addend]
    by_scale = sum over rows of dy * d * inverse        by_shift = sum of dy        total = sum of dx, if it is wanted
Tiles of the gradient are parts of the rows, whose sums go to the workspace by way of blocks of BLOCK_ROWS rows; phase 1
puts them together in order.
Invariants: parts and blocks follow from sizes alone; a row is read before it is written, so y may be x's memory, dx
that of dy, x or the addend. The variance is that of deviations from the mean.
"""
from __future__ import annotations

from ...contracts.calls import Functions
from ...scalars.machine import sqrt
from ..memory import ITEM_SIZES, NUMBA_TYPES, ceil_div, helper, offset, pointer_to
from ..rows import bind_rows
from ..vector import vectors
from ..words import OK, SCRATCH_BYTES, TILES, TILES_1, USER, WORK_BYTES

PART = 1 << 15                         # elements of a part, at least
MOST_PARTS = 64
BLOCK_ROWS = 64                        # that are added up before their sums join those of the part
COLUMNS = 1024                         # of a tile of phase 1
SUMS = 3                               # by_scale, by_shift, total
PART_ROWS, PARTS = USER, USER + 1


def row_sums(dtype):
    """(sum(x, count), squares(x, count, mean)): of a row, and of the squares of its deviations."""
    v, zero = vectors(dtype), NUMBA_TYPES[dtype](0)
    lanes, load, add, splat, multiply_add, total = v.lanes, v.load, v.add, v.splat, v.multiply_add, v.total

    @helper
    def sum_of(x, count):
        a = b = c = d = splat(zero)
        whole, fours = count // lanes * lanes, count // (4 * lanes) * (4 * lanes)
        for i in range(0, fours, 4 * lanes):
            a, b = add(a, load(x, i)), add(b, load(x, i + lanes))
            c, d = add(c, load(x, i + 2 * lanes)), add(d, load(x, i + 3 * lanes))
        for i in range(fours, whole, lanes):
            a = add(a, load(x, i))
        result = total(add(add(a, b), add(c, d)))
        for i in range(whole, count):
            result += x[i]
        return result

    @helper
    def squares_of(x, count, mean):
        a = b = c = d = splat(zero)
        less = splat(-mean)
        whole, fours = count // lanes * lanes, count // (4 * lanes) * (4 * lanes)
        for i in range(0, fours, 4 * lanes):
            e, f = add(load(x, i), less), add(load(x, i + lanes), less)
            g, h = add(load(x, i + 2 * lanes), less), add(load(x, i + 3 * lanes), less)
            a, b, c, d = multiply_add(e, e, a), multiply_add(f, f, b), multiply_add(g, g, c), multiply_add(h, h, d)
        for i in range(fours, whole, lanes):
            e = add(load(x, i), less)
            a = multiply_add(e, e, a)
        result = total(add(add(a, b), add(c, d)))
        for i in range(whole, count):
            e = x[i] - mean
            result += e * e
        return result
    return sum_of, squares_of


def make_moments(dtype):
    """The function (x, count, centred, epsilon) -> (mean, inverse) of a row."""
    of = NUMBA_TYPES[dtype]
    sum_of, squares_of = row_sums(dtype)
    zero, one = of(0), of(1)

    @helper
    def moments(x, count, centred, epsilon):
        mean = sum_of(x, count) / of(count) if centred else zero
        variance = squares_of(x, count, mean) / of(count)
        return mean, one / sqrt(variance + of(epsilon))
    return moments


def make_filled(dtype):
    """The function (target, value, count), which sets elements."""
    of = NUMBA_TYPES[dtype]

    @helper
    def fill(target, value, count):
        for j in range(count):
            target[j] = of(value)
    return fill


def make_forward(types):
    dtype = types["T"]
    size, at, v = ITEM_SIZES[dtype], pointer_to(dtype), vectors(dtype)
    lanes, load, store, add, splat, multiply_add = v.lanes, v.load, v.store, v.add, v.splat, v.multiply_add
    moments, fill, zero = make_moments(dtype), make_filled(dtype), NUMBA_TYPES[dtype](0)

    @helper
    def normalise(x, y, scale, shift, count, mean, inverse):
        less, factor, nothing = splat(-mean), splat(inverse), splat(zero)
        whole = count // lanes * lanes
        for i in range(0, whole, lanes):
            normal = multiply_add(add(load(x, i), less), factor, nothing)
            store(y, i, multiply_add(normal, load(scale, i), load(shift, i)))
        for i in range(whole, count):
            y[i] = (x[i] - mean) * inverse * scale[i] + shift[i]

    def bind(rows, groups, params, centred, scaled, shifted, epsilon, choice):
        bind_rows(rows, groups * params, choice)
        choice[SCRATCH_BYTES] = 2 * params * size

    def run(x, scale, shift, y, rows, groups, params, centred, scaled, shifted, epsilon, choice, work, scratch, phase,
            tile):
        cols, ones, zeros = groups * params, at(scratch), at(scratch + params * size)
        if not scaled:
            fill(ones, 1, params)
        if not shifted:
            fill(zeros, 0, params)
        factors, terms = scale if scaled else ones, shift if shifted else zeros
        first = tile * choice[USER]
        for row in range(first, min(first + choice[USER], rows)):
            source, target = offset(x, row * cols), offset(y, row * cols)
            mean, inverse = moments(source, cols, centred, epsilon)
            for group in range(groups):
                begin = group * params
                normalise(offset(source, begin), offset(target, begin), factors, terms, params, mean, inverse)
        return OK
    return Functions(bind, run)


def make_row_grad(dtype):
    """(weigh(dy, x, scale, count, mean) -> (sum of w, of w d); grade(dy, x, scale, addend, added, dx, count, mean,
    inverse, mean_w, slope), which writes dx; gather(dy, x, by_scale, by_shift, count, mean, inverse); accumulate(x,
    target, count)): the loops over a group of a row, the last two add to what stands there."""
    v, zero = vectors(dtype), NUMBA_TYPES[dtype](0)
    lanes, load, store, add, splat = v.lanes, v.load, v.store, v.add, v.splat
    multiply_add, total = v.multiply_add, v.total

    @helper
    def weigh(dy, x, scale, count, mean):
        a = b = c = d = splat(zero)
        less, nothing = splat(-mean), splat(zero)
        whole, twos = count // lanes * lanes, count // (2 * lanes) * (2 * lanes)
        for i in range(0, twos, 2 * lanes):
            e = multiply_add(load(dy, i), load(scale, i), nothing)
            f = multiply_add(load(dy, i + lanes), load(scale, i + lanes), nothing)
            a, b = add(a, e), add(b, f)
            c = multiply_add(e, add(load(x, i), less), c)
            d = multiply_add(f, add(load(x, i + lanes), less), d)
        for i in range(twos, whole, lanes):
            e = multiply_add(load(dy, i), load(scale, i), nothing)
            a, c = add(a, e), multiply_add(e, add(load(x, i), less), c)
        weights, products = total(add(a, b)), total(add(c, d))
        for i in range(whole, count):
            g = dy[i] * scale[i]
            weights += g
            products += g * (x[i] - mean)
        return weights, products

    @helper
    def grade(dy, x, scale, addend, added, dx, count, mean, inverse, mean_w, slope):
        less, factor, nothing = splat(-mean), splat(inverse), splat(zero)
        less_w, less_slope = splat(-mean_w), splat(-slope)
        whole = count // lanes * lanes
        for i in range(0, whole, lanes):
            rest = multiply_add(add(load(x, i), less), less_slope, multiply_add(load(dy, i), load(scale, i), less_w))
            if added:
                store(dx, i, multiply_add(rest, factor, load(addend, i)))
            else:
                store(dx, i, multiply_add(rest, factor, nothing))
        for i in range(whole, count):
            rest = (dy[i] * scale[i] - mean_w - (x[i] - mean) * slope) * inverse
            dx[i] = rest + addend[i] if added else rest

    @helper
    def gather(dy, x, by_scale, by_shift, count, mean, inverse):
        less, factor, nothing = splat(-mean), splat(inverse), splat(zero)
        whole = count // lanes * lanes
        for i in range(0, whole, lanes):
            e = load(dy, i)
            normal = multiply_add(add(load(x, i), less), factor, nothing)
            store(by_scale, i, multiply_add(e, normal, load(by_scale, i)))
            store(by_shift, i, add(e, load(by_shift, i)))
        for i in range(whole, count):
            by_scale[i] += dy[i] * ((x[i] - mean) * inverse)
            by_shift[i] += dy[i]

    @helper
    def accumulate(x, target, count):
        whole = count // lanes * lanes
        for i in range(0, whole, lanes):
            store(target, i, add(load(x, i), load(target, i)))
        for i in range(whole, count):
            target[i] += x[i]
    return weigh, grade, gather, accumulate


def make_grad(types):
    dtype = types["T"]
    size, at, of = ITEM_SIZES[dtype], pointer_to(dtype), NUMBA_TYPES[dtype]
    moments, fill, zero = make_moments(dtype), make_filled(dtype), of(0)
    weigh, grade, gather, accumulate = make_row_grad(dtype)

    @helper
    def one_row(dy, x, scale, addend, dx, sums, groups, params, centred, added, summed, epsilon):
        cols = groups * params
        mean, inverse = moments(x, cols, centred, epsilon)
        weights = products = zero
        for group in range(groups):
            begin = group * params
            some_weights, some_products = weigh(offset(dy, begin), offset(x, begin), scale, params, mean)
            weights += some_weights
            products += some_products
        mean_w = weights / of(cols) if centred else zero
        slope = products / of(cols) * inverse * inverse
        for group in range(groups):
            begin = group * params
            by_y, source, target = offset(dy, begin), offset(x, begin), offset(dx, begin)
            gather(by_y, source, sums, offset(sums, params), params, mean, inverse)
            grade(by_y, source, scale, offset(addend, begin), added, target, params, mean, inverse, mean_w, slope)
            if summed:
                accumulate(target, offset(sums, 2 * params), params)

    def bind(rows, groups, params, centred, scaled, added, summed, epsilon, choice):
        if params == 0:
            return
        parts = min(max(rows * groups * params // PART, 1), MOST_PARTS, max(rows, 1))
        choice[PART_ROWS] = max(ceil_div(rows, parts), 1)
        choice[PARTS] = ceil_div(rows, choice[PART_ROWS])
        choice[WORK_BYTES] = max(choice[PARTS], 1) * SUMS * params * size
        choice[SCRATCH_BYTES] = (1 + SUMS) * params * size
        choice[TILES], choice[TILES_1] = choice[PARTS], ceil_div(params, COLUMNS)

    def run(dy, x, scale, addend, dx, by_scale, by_shift, sum_of_dx, rows, groups, params, centred, scaled, added,
            summed, epsilon, choice, work, scratch, phase, tile):
        if phase == 0:
            ones, block, cols = at(scratch), at(scratch + params * size), groups * params
            if not scaled:
                fill(ones, 1, params)
            factors, sums = scale if scaled else ones, at(work + tile * SUMS * params * size)
            fill(sums, 0, SUMS * params)
            first = tile * choice[PART_ROWS]
            last = min(first + choice[PART_ROWS], rows)
            for start in range(first, last, BLOCK_ROWS):
                fill(block, 0, SUMS * params)
                for row in range(start, min(start + BLOCK_ROWS, last)):
                    begin = row * cols
                    one_row(offset(dy, begin), offset(x, begin), factors, offset(addend, begin), offset(dx, begin),
                            block, groups, params, centred, added, summed, epsilon)
                accumulate(block, sums, SUMS * params)
            return OK
        first = tile * COLUMNS
        count = min(COLUMNS, params - first)
        targets = offset(by_scale, first), offset(by_shift, first), offset(sum_of_dx, first)
        for number in range(SUMS):
            fill(targets[number], 0, count)
            for part in range(choice[PARTS]):
                made = at(work + ((part * SUMS + number) * params + first) * size)
                accumulate(made, targets[number], count)
        return OK
    return Functions(bind, run)
