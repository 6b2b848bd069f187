"""The draws of stateless ops, which are TensorFlow's to the word. mixed: key and run that TensorFlow makes of the two
seeds."""
from __future__ import annotations

from numba import types as nb

from ...contracts.calls import Functions
from ...scalars.arithmetic import square_root
from ...scalars.exponential import log_f32, log_f64
from ...scalars.random import philox
from ...scalars.trigonometric import cos_f32, cos_f64, sin_f32, sin_f64
from ..memory import helper, int64_at
from ..words import INVALID_VALUE, OK, SCRATCH_BYTES, TILES
from .draws import ATTEMPTS, TILE


def make_mixed_seeds(types):
    def bind(choice):
        choice[TILES] = 1

    def run(seed, mixed, choice, work, scratch, phase, tile):
        a, b, c, d = philox(0x02461E293EC8F720, seed[1], 0, seed[0])
        mixed[0] = a | (b << 32)
        mixed[1] = c | (d << 32)
        return OK
    return Functions(bind, run)


@helper
def wide(first, second):
    """TensorFlow's float64 in [0, 1) of two words."""
    return ((first & 0xFFFFF) * 4294967296.0 + second) * 2.220446049250313e-16


@helper
def narrow(word):
    """TensorFlow's float32 in [0, 1) of a word."""
    return nb.float32((word & 0x7FFFFF) * nb.float64(1.1920928955078125e-07))


@helper
def normals_f32(first, second):
    u = max(narrow(first), nb.float32(1.0e-7))
    angle = nb.float32(6.2831853071795864) * narrow(second)
    radius = square_root(nb.float32(-2.0) * log_f32(u))
    return sin_f32(angle) * radius, cos_f32(angle) * radius


@helper
def normals_f64(a, b, c, d):
    u = max(wide(a, b), 1.0e-7)
    angle = 6.2831853071795864 * wide(c, d)
    radius = square_root(-2.0 * log_f64(u))
    return sin_f64(angle) * radius, cos_f64(angle) * radius


@helper
def put(out, at, count, value):
    if at < count:
        out[at] = value


@helper
def uniform_f32(out, group, count, key, run):
    a, b, c, d = philox(key, run, 0, group)
    put(out, 4 * group, count, narrow(a))
    put(out, 4 * group + 1, count, narrow(b))
    put(out, 4 * group + 2, count, narrow(c))
    put(out, 4 * group + 3, count, narrow(d))


@helper
def uniform_f64(out, group, count, key, run):
    a, b, c, d = philox(key, run, 0, group)
    put(out, 2 * group, count, wide(a, b))
    put(out, 2 * group + 1, count, wide(c, d))


@helper
def normal_f32(out, group, count, key, run):
    a, b, c, d = philox(key, run, 0, group)
    first, second = normals_f32(a, b)
    put(out, 4 * group, count, first)
    put(out, 4 * group + 1, count, second)
    first, second = normals_f32(c, d)
    put(out, 4 * group + 2, count, first)
    put(out, 4 * group + 3, count, second)


@helper
def normal_f64(out, group, count, key, run):
    a, b, c, d = philox(key, run, 0, group)
    first, second = normals_f64(a, b, c, d)
    put(out, 2 * group, count, first)
    put(out, 2 * group + 1, count, second)


@helper
def truncated_f32(out, group, count, key, run):
    found, source = 0, group * 256
    while found < 4:
        a, b, c, d = philox(key, run, 0, source)
        source += 1
        for half in range(2):
            first, second = normals_f32(a if half == 0 else c, b if half == 0 else d)
            if abs(first) < 2.0 and found < 4:
                put(out, 4 * group + found, count, first)
                found += 1
            if abs(second) < 2.0 and found < 4:
                put(out, 4 * group + found, count, second)
                found += 1
        if source >= group * 256 + ATTEMPTS:
            break


@helper
def truncated_f64(out, group, count, key, run):
    found, source = 0, group * 128
    while found < 2:
        a, b, c, d = philox(key, run, 0, source)
        source += 1
        first, second = normals_f64(a, b, c, d)
        if abs(first) < 2.0:
            put(out, 2 * group + found, count, first)
            found += 1
        if abs(second) < 2.0 and found < 2:
            put(out, 2 * group + found, count, second)
            found += 1
        if source >= group * 128 + ATTEMPTS:
            break


FILLS = {("uniform", "f32"): uniform_f32, ("uniform", "f64"): uniform_f64, ("normal", "f32"): normal_f32,
         ("normal", "f64"): normal_f64, ("truncated_normal", "f32"): truncated_f32,
         ("truncated_normal", "f64"): truncated_f64}


def make_stateless(kind):
    def make(types):
        fill, width = FILLS[kind, types["T"]], 4 if types["T"] == "f32" else 2

        def bind(count, choice):
            choice[TILES] = (count + TILE - 1) // TILE

        def run(mixed, out, count, choice, work, scratch, phase, tile):
            for group in range(tile * TILE // width, (min((tile + 1) * TILE, count) + width - 1) // width):
                fill(out, group, count, mixed[0], mixed[1])
            return OK
        return Functions(bind, run)
    return make


def make_stateless_int(types):
    """low + word mod (high - low), without sign, as TensorFlow."""
    wide_numbers = types["T"] == "i64"

    def bind(count, choice):
        choice[TILES] = (count + TILE - 1) // TILE
        choice[SCRATCH_BYTES] = 64

    def run(mixed, low, high, out, count, choice, work, scratch, phase, tile):
        if low[0] >= high[0]:
            detail = int64_at(scratch)
            detail[0] = low[0]
            detail[1] = high[0]
            return INVALID_VALUE
        span = nb.uint64(nb.int64(high[0])) - nb.uint64(nb.int64(low[0]))
        for i in range(tile * TILE, min((tile + 1) * TILE, count)):
            a, b, c, d = philox(mixed[0], mixed[1], 0, i >> 1 if wide_numbers else i >> 2)
            if wide_numbers:
                bits = nb.uint64(c if i & 1 else a) | (nb.uint64(d if i & 1 else b) << nb.uint64(32))
            else:
                bits = nb.uint64((d if i & 1 else c) if i & 2 else (b if i & 1 else a))
            out[i] = nb.int64(low[0]) + nb.int64(bits % span)
        return OK
    return Functions(bind, run)


make_uniform, make_normal = make_stateless("uniform"), make_stateless("normal")
make_truncated_normal = make_stateless("truncated_normal")
