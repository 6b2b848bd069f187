"""Convolutions in small groups, in registers: a vector of channels holds several groups.

Job: two functions of machine code. `rows`: PIXELS pixels of a line times some rows of the filter, stored: for every
place k of a group, each lane's own channel k is brought to it by a permutation of x, which all taps and pixels that
meet it share. `taps`: for some taps and places k, the sum over the pixels of a line of x permuted so times dy, added to
what stands there.
Invariants: addresses and steps in bytes; a masked shape touches x_lanes and y_lanes elements of a vector; `index` are
the lanes' channels for k = 0 (int32, one a lane); places outside of the picture are read from zeros, pixels and places
k that are too many are stored where nobody reads; every element gets its products in the order of lines, taps and k.
Only where a vector of float32 can be permuted by a register: WIDE says for which ISAs.
"""
from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from llvmlite import ir

from ..memory import helper
from ..pooling.channel_sums import BYTES, I64, Emitter, SumShape, incoming, machine_code
from ..vector import splat_value

PIXELS, PLACES = 7, 4                  # pixels of `rows`, places k of `taps`
WIDE = {"x86_64_v4": 16, "x86_64_v3": 8}            # lanes of float32
_PERMUTE = {16: "llvm.x86.avx512.permvar.sf.512", 8: "llvm.x86.avx2.permps"}
_I32 = ir.IntType(32)


@dataclass(frozen=True)
class Grouped:
    """rows(x, x_line, column, step, next_tap, w, item, zeros, f, f_line, f_tap, lines, taps, places, index, x_lanes, y,
    y_step, pixels, y_lanes): x: where line 0 begins, whose columns 0 to w are inside, `item` apart; pixel j meets tap t
    at column + j * step + t * next_tap. f: [places][taps at once][lanes] for each tap (with `three`, of each three
    taps, where step and next_tap / 3 must be 1). After `zeros`, one vector of them, is one to be written.
    taps(x, x_step, x_tap, dy, dy_step, pixels, index, first, x_lanes, sums, sums_tap, sums_k, places, y_lanes, spare):
    places first to first + PLACES, of which `places` are wanted, of 3 or 1 taps; pixels >= 1."""

    rows: Any
    taps: Any


@cache
def make_grouped(isa: str, three: bool) -> Grouped:
    """three: for three neighbouring taps at once."""
    if isa not in WIDE:
        return Grouped(_nothing, _nothing)
    lanes, count = WIDE[isa], 3 if three else 1
    full, part = (SumShape(PIXELS, 1, lanes, masked) for masked in (False, True))
    rows_full, rows_part = (machine_code("f32", f"gc_group_rows_{shape.name}_{count}", 20,
                                         lambda e: _Rows(e, count).emit(*e.function.args), shape)
                            for shape in (full, part))
    taps_full, taps_part = (machine_code("f32", f"gc_group_taps_{shape.name}_{count}", 15,
                                         lambda e: _taps(e, count, *e.function.args), shape)
                            for shape in (full, part))

    @helper
    def rows(arguments):
        if arguments[15] == lanes and arguments[19] == lanes:
            rows_full(arguments)
        else:
            rows_part(arguments)

    @helper
    def taps(arguments):
        if arguments[8] == lanes and arguments[13] == lanes:
            taps_full(arguments)
        else:
            taps_part(arguments)
    return Grouped(rows, taps)


@helper
def _nothing(arguments):
    """In place of both where there is no such way: no bind chooses it."""


class _Lanes:
    """The lanes of x and of the result, which are not the same number, and the permutation."""

    def __init__(self, e: Emitter, b: ir.IRBuilder, index: Any, x_lanes: Any, y_lanes: Any) -> None:
        self.e, self.numbers = e, ir.VectorType(_I32, e.shape.lanes)
        self.index = b.load(b.inttoptr(index, self.numbers.as_pointer()), align=4)
        self.x_mask, self.y_mask = (self._mask(b, count) if e.shape.masked else None for count in (x_lanes, y_lanes))

    def _mask(self, b, count):
        numbers = ir.VectorType(I64, self.e.shape.lanes)
        return b.icmp_signed("<", ir.Constant(numbers, list(range(self.e.shape.lanes))),
                             splat_value(b, count, numbers))

    def of_place(self, b, k):
        """The lanes' channels for a place k, an int64."""
        return b.add(self.index, splat_value(b, b.trunc(k, _I32), self.numbers))

    def load_x(self, b, where):
        return self._masked(self.x_mask, self.e.load, b, where, 0)

    def load_y(self, b, where):
        return self._masked(self.y_mask, self.e.load, b, where, 0)

    def store_y(self, b, value, where):
        self._masked(self.y_mask, self.e.store, b, value, where, 0)

    def _masked(self, mask, do, *arguments):
        self.e.mask = mask
        return do(*arguments)

    def load_all(self, b, where, number):
        """A vector of which all lanes may be read."""
        return self._masked(None, self.e.load, b, where, number)

    def permuted(self, b, value, index):
        permute = self.e._declare(b, _PERMUTE[self.e.shape.lanes], self.e.vector, [self.e.vector, self.numbers])
        return b.call(permute, [value, index])


class _Rows:
    """`rows`: a loop over lines, in it one over taps (each of `count` at once), in it one over places."""

    def __init__(self, e: Emitter, count: int) -> None:
        self.e, self.count = e, count
        self.positions = PIXELS + count - 1

    def emit(self, x, x_line, column, step, next_tap, w, item, zeros, f, f_line, f_tap, lines, taps, places, index,
             x_lanes, y, y_step, pixels, y_lanes):
        e = self.e
        b = ir.IRBuilder(e.function.append_basic_block("entry"))
        lanes = _Lanes(e, b, index, x_lanes, y_lanes)
        entry, start = b.block, e.constants(0.0)
        line_block, tap_block, place_block, tap_end, line_end, done = e.blocks("line", "tap", "place", "tap_end",
                                                                              "line_end", "done")
        first_x, first_f, goal, outside = (b.inttoptr(a, BYTES) for a in (x, f, y, zeros))
        some = b.icmp_signed(">", lines, I64(0))
        for more in (taps, places):
            some = b.and_(some, b.icmp_signed(">", more, I64(0)))
        b.cbranch(some, line_block, done)

        b.position_at_end(line_block)
        lines_left, x_row, f_row, line_sums = b.phi(I64), b.phi(BYTES), b.phi(BYTES), e.phis(b)
        b.branch(tap_block)

        b.position_at_end(tap_block)
        taps_left, at, f_at, tap_sums = b.phi(I64), b.phi(I64), b.phi(BYTES), e.phis(b)
        sources = [self._position(b, x_row, b.add(at, b.mul(step, I64(q))), w, item, outside)
                   for q in range(self.positions)]
        b.branch(place_block)

        b.position_at_end(place_block)
        place, weights_at, sums = b.phi(I64), b.phi(BYTES), e.phis(b)
        updated = self._products(b, lanes, lanes.of_place(b, place), sources, weights_at, sums)
        next_place = b.add(place, I64(1))
        following = b.gep(weights_at, [I64(self.count * e.shape.lanes * e.size)])
        incoming([place, weights_at, *sums], [I64(0), f_at, *tap_sums], tap_block)
        incoming([place, weights_at, *sums], [next_place, following, *updated], place_block)
        b.cbranch(b.icmp_signed("!=", next_place, places), place_block, tap_end)

        b.position_at_end(tap_end)
        left = b.sub(taps_left, I64(1))
        incoming([taps_left, at, f_at, *tap_sums], [taps, column, f_row, *line_sums], line_block)
        incoming([taps_left, at, f_at, *tap_sums], [left, b.add(at, next_tap), b.gep(f_at, [f_tap]), *updated], tap_end)
        b.cbranch(b.icmp_signed("!=", left, I64(0)), tap_block, line_end)

        b.position_at_end(line_end)
        left = b.sub(lines_left, I64(1))
        incoming([lines_left, x_row, f_row, *line_sums], [lines, first_x, first_f, *start], entry)
        incoming([lines_left, x_row, f_row, *line_sums],
                 [left, b.gep(x_row, [x_line]), b.gep(f_row, [f_line]), *updated], line_end)
        b.cbranch(b.icmp_signed("!=", left, I64(0)), line_block, done)

        b.position_at_end(done)
        results = e.phis(b)
        incoming(results, start, entry)
        incoming(results, updated, line_end)
        spare = b.gep(outside, [I64(e.shape.lanes * e.size)])
        for j, result in enumerate(results):
            where = b.gep(goal, [b.mul(y_step, I64(j))])
            lanes.store_y(b, result, b.select(b.icmp_signed("<", I64(j), pixels), where, spare))
        b.ret_void()

    def _position(self, b, row, column, w, item, outside):
        return b.select(b.icmp_unsigned("<", column, w), b.gep(row, [b.mul(column, item)]), outside)

    def _products(self, b, lanes, index, sources, weights_at, sums):
        """All products of one place k of `count` taps."""
        weights = [lanes.load_all(b, weights_at, v) for v in range(self.count)]
        sums = list(sums)
        for position, source in enumerate(sources):
            value = lanes.permuted(b, lanes.load_x(b, source), index)
            for pixel in range(max(position - self.count + 1, 0), min(position + 1, PIXELS)):
                sums[pixel] = self.e.multiply_add(b, value, weights[position - pixel], sums[pixel])
        return sums


def _taps(e, count, x, x_step, x_tap, dy, dy_step, pixels, index, first, x_lanes, sums, sums_tap, sums_k, places,
          y_lanes, spare):
    b = ir.IRBuilder(e.function.append_basic_block("entry"))
    lanes = _Lanes(e, b, index, x_lanes, y_lanes)
    entry = b.block
    indices = [lanes.of_place(b, b.add(first, I64(k))) for k in range(PLACES)]
    first_x, first_dy = (b.inttoptr(a, BYTES) for a in (x, dy))
    zeros = [ir.Constant(e.vector, [0.0] * e.shape.lanes)] * (count * PLACES)
    loop, done = e.blocks("pixel", "done")
    b.branch(loop)

    b.position_at_end(loop)
    left, x_at, dy_at, partial = b.phi(I64), b.phi(BYTES), b.phi(BYTES), [b.phi(e.vector) for _ in zeros]
    gradient, updated = lanes.load_y(b, dy_at), []
    for tap in range(count):
        value = lanes.load_x(b, b.gep(x_at, [b.mul(x_tap, I64(tap))]))
        updated += [e.multiply_add(b, lanes.permuted(b, value, lane_index), gradient, partial[tap * PLACES + k])
                    for k, lane_index in enumerate(indices)]
    following = b.sub(left, I64(1))
    incoming([left, x_at, dy_at, *partial], [pixels, first_x, first_dy, *zeros], entry)
    incoming([left, x_at, dy_at, *partial], [following, b.gep(x_at, [x_step]), b.gep(dy_at, [dy_step]), *updated], loop)
    b.cbranch(b.icmp_signed("!=", following, I64(0)), loop, done)

    b.position_at_end(done)
    goal, nowhere = b.inttoptr(sums, BYTES), b.inttoptr(spare, BYTES)
    for number, value in enumerate(updated):
        tap, k = number // PLACES, number % PLACES
        where = b.gep(goal, [b.add(b.mul(sums_tap, I64(tap)), b.mul(sums_k, I64(k)))])
        where = b.select(b.icmp_signed("<", I64(k), places), where, nowhere)
        lanes.store_y(b, b.fadd(lanes.load_y(b, where), value), where)
    b.ret_void()
