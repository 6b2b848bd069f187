"""Sums channel by channel, in registers: the inner loops of depthwise convolutions and of pooling.

Job: functions of machine code for each shape. `window`: for some pixels, the sum over lines and taps of x times a
weight of the channel, or their mean, or the greatest x, stored. `taps`: for some taps, the sum over the pixels of a
line of x times dy, added to what stands there. `shares`: what the greatest x of a window gets. Channels are the lanes;
pixels, or taps, times vectors are the independent sums, of which eight are needed to keep the multipliers busy.
Invariants: addresses and steps in bytes; a masked shape touches `channels` elements of its one vector, the others all
of theirs; every element gets its products in the order of lines and taps, or of pixels, whatever the shape.
"""
from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from ..memory import ITEM_SIZES, LLVM_FLOATS
from ..products.micro import shapes
from ..vector import splat_value
from .windows import greater, is_greatest

_I1, _I32, I64 = ir.IntType(1), ir.IntType(32), ir.IntType(64)
BYTES = ir.IntType(8).as_pointer()
PRODUCTS, SUM, MEAN, GREATEST = "products", "sum", "mean", "greatest"
STORED, ADDED, PASSED = "stored", "added", "passed"
_VECTORS = {"x86_64_v4": 4, "x86_64_v3": 2, "": 4}


@dataclass(frozen=True)
class SumShape:
    """`count` pixels or taps of `vectors` vectors of `lanes` channels; masked: one vector, of which a part counts."""

    count: int
    vectors: int
    lanes: int
    masked: bool = False

    @property
    def name(self) -> str:
        return f"{self.count}x{self.vectors}x{self.lanes}{'m' * self.masked}"


def lanes_of(isa: str, dtype: str) -> tuple[int, int]:
    """(lanes of a vector, vectors of a wide shape)."""
    return shapes(isa, dtype).narrow.lanes, _VECTORS[isa]


@cache
def window_sums(dtype: str, shape: SumShape, kind: str) -> Any:
    """The numba function (x, x_line, x_tap, x_step, f, f_line, f_tap, lines, taps, y, y_step, channels): x_step and
    y_step from one pixel to the next, lines >= 0, taps >= 0. kind: PRODUCTS; SUM; MEAN, divided by lines * taps; or
    GREATEST, -inf of nothing: but for PRODUCTS, f says nothing."""
    return machine_code(dtype, f"gc_{kind}_{dtype}_{shape.name}", 12,
                        lambda e: _window(e, kind, *e.function.args), shape)


@cache
def tap_sums(dtype: str, shape: SumShape) -> Any:
    """The numba function (x, x_step, x_tap, dy, dy_step, pixels, sums, sums_tap, channels): sums_tap from the sums of
    one tap to those of the next, pixels >= 1."""
    return machine_code(dtype, f"gc_taps_{dtype}_{shape.name}", 9, lambda e: _taps(e, *e.function.args), shape)


@cache
def window_shares(dtype: str, shape: SumShape, kind: str) -> Any:
    """The numba function (x, x_line, x_tap, y, pending, dx, lines, taps, channels) of one window, lines and taps >= 0:
    the first x of each channel that is y, in order of lines and taps, gets what is pending, all others 0. kind: STORED
    in dx, whose steps are those of x; ADDED to it; or PASSED: what is still pending is stored at dx."""
    return machine_code(dtype, f"gc_shares_{kind}_{dtype}_{shape.name}", 9,
                     lambda e: _shares(e, kind, *e.function.args), shape)


def machine_code(dtype, name, parameters, emit, shape):
    """The numba function of a tuple of `parameters` int64 that is what `emit` writes, once a module."""
    @intrinsic
    def call(typing_context, arguments):
        def generate(context, builder, signature, values):
            module = builder.module
            if name not in module.globals:
                function = ir.Function(module, ir.FunctionType(ir.VoidType(), [I64] * parameters), name)
                function.linkage = "linkonce_odr"
                function.attributes.add("noinline")
                emit(Emitter(function, dtype, shape))
            builder.call(module.globals[name], cgutils.unpack_tuple(builder, values[0]))
            return context.get_dummy_value()
        return types.void(types.UniTuple(types.int64, parameters)), generate
    return call


class Emitter:
    """Loads, stores and loops over the sums of one function."""

    def __init__(self, function, dtype, shape):
        self.function, self.shape, self.size = function, shape, ITEM_SIZES[dtype]
        self.vector = ir.VectorType(LLVM_FLOATS[dtype], shape.lanes)
        self.suffix = f"v{shape.lanes}{dtype}"
        self.mask = None

    def begin(self, channels):
        """The first block, and the mask if there is one."""
        b = ir.IRBuilder(self.function.append_basic_block("entry"))
        if self.shape.masked:
            numbers = ir.VectorType(I64, self.shape.lanes)
            self.mask = b.icmp_signed("<", ir.Constant(numbers, list(range(self.shape.lanes))),
                                      splat_value(b, channels, numbers))
        return b

    def blocks(self, *names):
        return [self.function.append_basic_block(name) for name in names]

    def phis(self, b):
        return [b.phi(self.vector) for _ in range(self.shape.count * self.shape.vectors)]

    def constants(self, value):
        return [ir.Constant(self.vector, [value] * self.shape.lanes)] * (self.shape.count * self.shape.vectors)

    def offsets(self, b, step):
        return [b.mul(step, I64(i)) for i in range(self.shape.count)]

    def _declare(self, b, name, result, parameters):
        return cgutils.get_or_insert_function(b.module, ir.FunctionType(result, parameters), name)

    def load(self, b, base, number):
        pointer = self._place(b, base, number)
        if self.mask is None:
            return b.load(pointer, align=self.size)
        load = self._declare(b, f"llvm.masked.load.{self.suffix}.p0", self.vector,
                             [pointer.type, _I32, self.mask.type, self.vector])
        return b.call(load, [pointer, _I32(self.size), self.mask, ir.Constant(self.vector, None)])

    def store(self, b, value, base, number):
        pointer = self._place(b, base, number)
        if self.mask is None:
            b.store(value, pointer, align=self.size)
            return
        store = self._declare(b, f"llvm.masked.store.{self.suffix}.p0", ir.VoidType(),
                              [self.vector, pointer.type, _I32, self.mask.type])
        b.call(store, [value, pointer, _I32(self.size), self.mask])

    def _place(self, b, base, number):
        where = b.gep(base, [I64(number * self.shape.lanes * self.size)])
        return b.bitcast(where, self.vector.as_pointer())

    def multiply_add(self, b, left, right, addend):
        return b.call(self._declare(b, f"llvm.fmuladd.{self.suffix}", self.vector, [self.vector] * 3),
                      [left, right, addend])

    def rows(self, b, base, offsets):
        return [b.gep(base, [o]) for o in offsets]


def incoming(phis, values, block):
    """Where control comes from `block`, the phis are the values."""
    for phi, value in zip(phis, values, strict=True):
        phi.add_incoming(value, block)


def _combine(e, b, kind, total, value, weight):
    """The sum, or the greatest, with one more element."""
    if kind == PRODUCTS:
        return e.multiply_add(b, value, weight, total)
    return greater(b, total, value) if kind == GREATEST else b.fadd(total, value)


def _window(e, kind, x, x_line, x_tap, x_step, f, f_line, f_tap, lines, taps, y, y_step, channels):
    b = e.begin(channels)
    entry = b.block
    line_block, tap_block, line_end, done = e.blocks("line", "tap", "line_end", "done")
    start = e.constants(float("-inf") if kind == GREATEST else 0.0)
    x_steps, y_steps = e.offsets(b, x_step), e.offsets(b, y_step)
    first_x, first_f, goal = (b.inttoptr(a, BYTES) for a in (x, f, y))
    some = b.and_(b.icmp_signed(">", lines, I64(0)), b.icmp_signed(">", taps, I64(0)))
    b.cbranch(some, line_block, done)

    b.position_at_end(line_block)
    lines_left, x_row, f_row, line_sums = b.phi(I64), b.phi(BYTES), b.phi(BYTES), e.phis(b)
    b.branch(tap_block)

    b.position_at_end(tap_block)
    left, x_at, f_at, sums = b.phi(I64), b.phi(BYTES), b.phi(BYTES), e.phis(b)
    weights = [e.load(b, f_at, v) if kind == PRODUCTS else None for v in range(e.shape.vectors)]
    updated = [_combine(e, b, kind, sums[i * e.shape.vectors + v], e.load(b, row, v), weights[v])
               for i, row in enumerate(e.rows(b, x_at, x_steps)) for v in range(e.shape.vectors)]
    following = b.sub(left, I64(1))
    incoming([left, x_at, f_at, *sums], [taps, x_row, f_row, *line_sums], line_block)
    incoming([left, x_at, f_at, *sums], [following, b.gep(x_at, [x_tap]), b.gep(f_at, [f_tap]), *updated], tap_block)
    b.cbranch(b.icmp_signed("!=", following, I64(0)), tap_block, line_end)

    b.position_at_end(line_end)
    remaining = b.sub(lines_left, I64(1))
    incoming([lines_left, x_row, f_row, *line_sums], [lines, first_x, first_f, *start], entry)
    incoming([lines_left, x_row, f_row, *line_sums],
              [remaining, b.gep(x_row, [x_line]), b.gep(f_row, [f_line]), *updated], line_end)
    b.cbranch(b.icmp_signed("!=", remaining, I64(0)), line_block, done)

    b.position_at_end(done)
    results = e.phis(b)
    incoming(results, start, entry)
    incoming(results, updated, line_end)
    if kind == MEAN:
        count = splat_value(b, b.sitofp(b.mul(lines, taps), e.vector.element), e.vector)
        results = [b.fdiv(total, count) for total in results]
    for i, row in enumerate(e.rows(b, goal, y_steps)):
        for v in range(e.shape.vectors):
            e.store(b, results[i * e.shape.vectors + v], row, v)
    b.ret_void()


def _taps(e, x, x_step, x_tap, dy, dy_step, pixels, sums, sums_tap, channels):
    b = e.begin(channels)
    entry = b.block
    pixel_block, done = e.blocks("pixel", "done")
    x_taps = e.offsets(b, x_tap)
    first_x, first_dy, goal = (b.inttoptr(a, BYTES) for a in (x, dy, sums))
    goals = e.rows(b, goal, e.offsets(b, sums_tap))
    begun = [e.load(b, row, v) for row in goals for v in range(e.shape.vectors)]
    b.branch(pixel_block)

    b.position_at_end(pixel_block)
    left, x_at, dy_at, totals = b.phi(I64), b.phi(BYTES), b.phi(BYTES), e.phis(b)
    factors = [e.load(b, dy_at, v) for v in range(e.shape.vectors)]
    updated = [e.multiply_add(b, e.load(b, row, v), factors[v], totals[i * e.shape.vectors + v])
               for i, row in enumerate(e.rows(b, x_at, x_taps)) for v in range(e.shape.vectors)]
    following = b.sub(left, I64(1))
    incoming([left, x_at, dy_at, *totals], [pixels, first_x, first_dy, *begun], entry)
    incoming([left, x_at, dy_at, *totals],
              [following, b.gep(x_at, [x_step]), b.gep(dy_at, [dy_step]), *updated], pixel_block)
    b.cbranch(b.icmp_signed("!=", following, I64(0)), pixel_block, done)

    b.position_at_end(done)
    for i, row in enumerate(goals):
        for v in range(e.shape.vectors):
            e.store(b, updated[i * e.shape.vectors + v], row, v)
    b.ret_void()


def _shares(e, kind, x, x_line, x_tap, y, pending, dx, lines, taps, channels):
    b = e.begin(channels)
    entry = b.block
    line_block, tap_block, line_end, done = e.blocks("line", "tap", "line_end", "done")
    first_x, first_dx, best, begun_at = (b.inttoptr(a, BYTES) for a in (x, dx, y, pending))
    greatest, begun = ([e.load(b, base, v) for v in range(e.shape.vectors)] for base in (best, begun_at))
    some = b.and_(b.icmp_signed(">", lines, I64(0)), b.icmp_signed(">", taps, I64(0)))
    b.cbranch(some, line_block, done)

    b.position_at_end(line_block)
    lines_left, x_row, dx_row, line_rests = b.phi(I64), b.phi(BYTES), b.phi(BYTES), e.phis(b)
    b.branch(tap_block)

    b.position_at_end(tap_block)
    left, x_at, dx_at, rests = b.phi(I64), b.phi(BYTES), b.phi(BYTES), e.phis(b)
    updated, zero = [], e.vector(None)
    for v in range(e.shape.vectors):
        hit = is_greatest(b, e.load(b, x_at, v), greatest[v])
        if kind != PASSED:
            part = b.select(hit, rests[v], zero)
            e.store(b, part if kind == STORED else b.fadd(e.load(b, dx_at, v), part), dx_at, v)
        updated.append(b.select(hit, zero, rests[v]))
    following = b.sub(left, I64(1))
    incoming([left, x_at, dx_at, *rests], [taps, x_row, dx_row, *line_rests], line_block)
    incoming([left, x_at, dx_at, *rests], [following, b.gep(x_at, [x_tap]), b.gep(dx_at, [x_tap]), *updated],
              tap_block)
    b.cbranch(b.icmp_signed("!=", following, I64(0)), tap_block, line_end)

    b.position_at_end(line_end)
    remaining = b.sub(lines_left, I64(1))
    incoming([lines_left, x_row, dx_row, *line_rests], [lines, first_x, first_dx, *begun], entry)
    incoming([lines_left, x_row, dx_row, *line_rests],
              [remaining, b.gep(x_row, [x_line]), b.gep(dx_row, [x_line]), *updated], line_end)
    b.cbranch(b.icmp_signed("!=", remaining, I64(0)), line_block, done)

    b.position_at_end(done)
    if kind == PASSED:
        results = e.phis(b)
        incoming(results, begun, entry)
        incoming(results, updated, line_end)
        for v, rest in enumerate(results):
            e.store(b, rest, first_dx, v)
    b.ret_void()
