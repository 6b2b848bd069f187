"""Winograd's F(m x m, r x r) and F(m, r): the matrices, and machine code that multiplies tiles by them.

Job: an m x m tile of an r x r convolution's result is A' [(G g G') * (B' d B)] A, where d is the tile of m + r - 1
pixels squared that it depends on, g the filter, * element by element. Along one axis it is A' [(G g) * (B' d)]. Each of
the three transforms takes one vector of channels at a time: every element of a tile is one vector. B' depends on m + r
alone: the gradient for a filter of m taps, where tiles of r pixels of dy take the filter's place, shares it.
Order: the matrix by each column, then by each row of what that gave. Two rows or two columns of a matrix that differ
only in signs share their sums.
Invariants: reads and writes exactly the elements of the tile, at the addresses that it is given.
"""
from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cache
from math import prod
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from ..memory import ITEM_SIZES, LLVM_FLOATS

_I64 = ir.IntType(64)
_BYTES = ir.IntType(8).as_pointer()
Matrix = tuple[tuple[Fraction, ...], ...]
_ONE: Matrix = ((Fraction(1),),)


@dataclass(frozen=True)
class Form:
    """outputs: m. taps: r. pictures, filters, results: B', G and A'. axes: 2, or 1 for filters and tiles of one line.
    """

    outputs: int
    taps: int
    pictures: Matrix
    filters: Matrix
    results: Matrix
    axes: int = 2

    @property
    def inputs(self) -> int:
        return self.outputs + self.taps - 1

    @property
    def points(self) -> int:
        """Products of a tile."""
        return self.inputs ** self.axes

    @property
    def all_taps(self) -> int:
        return self.taps ** self.axes

    @property
    def all_outputs(self) -> int:
        return self.outputs ** self.axes

    @property
    def name(self) -> str:
        return f"{self.outputs}x{self.taps}" + "_line" * (self.axes == 1)


def _times(left: tuple[Fraction, ...], right: tuple[Fraction, ...]) -> tuple[Fraction, ...]:
    """The product of two polynomials, coefficients from the lowest on."""
    return tuple(sum((left[i] * right[k - i] for i in range(len(left)) if 0 <= k - i < len(right)), Fraction(0))
                 for k in range(len(left) + len(right) - 1))


def form_of(outputs: int, *places: Fraction) -> Form:
    """F(outputs, taps) by interpolation at 0, a, -a for every place a, and infinity: as many taps as that gives."""
    points = [Fraction(0), *(sign * place for place in places for sign in (1, -1))]
    taps = len(points) + 2 - outputs

    def picture(left_out: Fraction | None) -> tuple[Fraction, ...]:
        """Coefficients of the product of (t - point), but for one point."""
        product: tuple[Fraction, ...] = (Fraction(1),)
        for point in points:
            if point != left_out:
                product = _times(product, (-point, Fraction(1)))
        return product + (Fraction(0),) * (len(points) + 1 - len(product))

    def filter_(point: Fraction) -> tuple[Fraction, ...]:
        scale = prod(point - other for other in points if other != point)
        return tuple(point ** k / scale for k in range(taps))

    last = tuple(Fraction(k == taps - 1) for k in range(taps))
    return Form(outputs, taps, tuple(picture(point) for point in (*points, None)),
                (*(filter_(point) for point in points), last),
                tuple((*(point ** k for point in points), Fraction(k == outputs - 1)) for k in range(outputs)))


# The usual points, 1 and 2, cost three times as much accuracy; these have few digits, so that B' and A' are exact.
PLACES = Fraction(5, 8), Fraction(3, 2)
F4 = form_of(4, *PLACES)
F4_GRAD = form_of(3, *PLACES)
F4_LINE = replace(F4, axes=1)
# Of the triples of twelve such numbers, those with the least error.
PLACES_5 = Fraction(1, 2), Fraction(1), Fraction(2)
F4X5 = form_of(4, *PLACES_5)
F4X5_GRAD = form_of(5, *PLACES_5)


@dataclass(frozen=True)
class Transforms:
    """The transforms of one vector of channels; all addresses and steps (in bytes) int64.

    picture(table, offset, target, step): pixels are at the addresses in the table, row by row, plus offset.
    filter(source, source_step, target, step): taps are source_step apart.
    pixels(table, offset, target, step): as filter, of pixels of dy, whose addresses are those of picture.
    result(source, source_step, target, row_step, column_step): to the pixels of the tile.
    All but the last write their elements `step` apart, row by row.
    """

    picture: Any
    filter: Any
    pixels: Any
    result: Any


@cache
def transforms(dtype: str, lanes: int, form: Form) -> Transforms:
    """For vectors of `lanes` elements."""
    emitter = _Emitter(dtype, lanes, form.axes)
    name = f"gc_winograd_{dtype}x{lanes}_{form.name}"

    @intrinsic
    def picture(typing_context, table, offset, target, step):
        def generate(context, builder, signature, arguments):
            table, offset, target, step = arguments
            rows = builder.mul(step, _I64(form.inputs))
            emitter.call(builder, f"{name}_picture", form.pictures, True, (table, offset, target, rows, step))
            return context.get_dummy_value()
        return types.void(*[types.int64] * 4), generate

    @intrinsic
    def filter_(typing_context, source, source_step, target, step):
        def generate(context, builder, signature, arguments):
            source, source_step, target, step = arguments
            rows = builder.mul(step, _I64(form.inputs))
            emitter.call(builder, f"{name}_filter", form.filters, False, (source, source_step, target, rows, step))
            return context.get_dummy_value()
        return types.void(*[types.int64] * 4), generate

    @intrinsic
    def pixels(typing_context, table, offset, target, step):
        def generate(context, builder, signature, arguments):
            table, offset, target, step = arguments
            rows = builder.mul(step, _I64(form.inputs))
            emitter.call(builder, f"{name}_pixels", form.filters, True, (table, offset, target, rows, step))
            return context.get_dummy_value()
        return types.void(*[types.int64] * 4), generate

    @intrinsic
    def result(typing_context, source, source_step, target, row_step, column_step):
        def generate(context, builder, signature, arguments):
            emitter.call(builder, f"{name}_result", form.results, False, arguments)
            return context.get_dummy_value()
        return types.void(*[types.int64] * 5), generate

    return Transforms(picture, filter_, pixels, result)


@dataclass(frozen=True)
class _Emitter:
    """Emits M d M' for a matrix M, or M d for one axis, as a function of its own."""

    dtype: str
    lanes: int
    axes: int

    @property
    def vector(self) -> ir.VectorType:
        return ir.VectorType(LLVM_FLOATS[self.dtype], self.lanes)

    def call(self, builder, name, matrix, table, arguments):
        """Calls the function (source, step, target, row_step, column_step). table: source is a table of addresses, and
        step is added to each; else elements are `step` apart."""
        module = builder.module
        if name not in module.globals:
            function = ir.Function(module, ir.FunctionType(ir.VoidType(), [_I64] * 5), name)
            function.linkage = "linkonce_odr"
            function.attributes.add("noinline")
            self._emit(ir.IRBuilder(function.append_basic_block()), function.args, matrix, table)
        builder.call(module.globals[name], arguments)

    def _emit(self, b, arguments, matrix, table):
        source, step, target, row_step, column_step = arguments
        side, down = len(matrix[0]), matrix if self.axes == 2 else _ONE
        columns = []
        for x in range(side):
            column = [self._load(b, source, step, y * side + x, table) for y in range(len(down[0]))]
            columns.append(self._product(b, down, column))
        goal = b.inttoptr(target, _BYTES)
        for y in range(len(down)):
            line = b.gep(goal, [b.mul(row_step, _I64(y))])
            for x, value in enumerate(self._product(b, matrix, [column[y] for column in columns])):
                where = b.gep(line, [b.mul(column_step, _I64(x))])
                b.store(value, b.bitcast(where, self.vector.as_pointer()), align=ITEM_SIZES[self.dtype])
        b.ret_void()

    def _load(self, b, source, step, number, table):
        if table:
            words = b.inttoptr(source, _I64.as_pointer())
            where = b.gep(b.inttoptr(b.load(b.gep(words, [_I64(number)])), _BYTES), [step])
        else:
            where = b.gep(b.inttoptr(source, _BYTES), [b.mul(step, _I64(number))])
        return b.load(b.bitcast(where, self.vector.as_pointer()), align=ITEM_SIZES[self.dtype])

    def _product(self, b, matrix, values):
        """The matrix by a column of vectors."""
        matrix, values = self._pair_columns(b, matrix, values)
        products, row = [], 0
        while row < len(matrix):
            even, odd = _halves(matrix[row], matrix[row + 1]) if row + 1 < len(matrix) else ((), ())
            if not any(odd):
                products.append(self._sum(b, matrix[row], values))
                row += 1
                continue
            shared = self._sum(b, even, values)
            scale = next(c for c in reversed(odd) if c)
            other = self._sum(b, [c / scale for c in odd], values)
            products += [self._add(b, sign * scale, other, shared) for sign in (1, -1)]
            row += 2
        return products

    def _pair_columns(self, b, matrix, values):
        """Where two columns differ only in signs, the sum and the difference of their values take the values' place."""
        columns, made, column = list(zip(*matrix, strict=True)), [], 0
        results = []
        while column < len(columns):
            even, odd = _halves(columns[column], columns[column + 1]) if column + 1 < len(columns) else ((), ())
            if any(even) and any(odd):
                left, right = values[column:column + 2]
                made += [even, odd]
                results += [b.fadd(left, right), b.fsub(left, right)]
                column += 2
            else:
                made.append(columns[column])
                results.append(values[column])
                column += 1
        return list(zip(*made, strict=True)), results

    def _sum(self, b, coefficients, values):
        terms = [(c, v) for c, v in zip(coefficients, values, strict=True) if c != 0]
        terms.sort(key=lambda term: term[0] != 1)
        first, value = terms[0]
        total = value if first == 1 else b.fmul(value, self._splat(first))
        for c, v in terms[1:]:
            total = self._add(b, c, v, total)
        return total

    def _add(self, b, coefficient, value, total):
        """total + coefficient * value"""
        if coefficient == 1:
            return b.fadd(total, value)
        if coefficient == -1:
            return b.fsub(total, value)
        name = f"llvm.fmuladd.v{self.lanes}{self.dtype}"
        fma = cgutils.get_or_insert_function(b.module, ir.FunctionType(self.vector, [self.vector] * 3), name)
        return b.call(fma, [value, self._splat(coefficient), total])

    def _splat(self, value):
        return ir.Constant(self.vector, [float(value)] * self.lanes)


def _halves(first, second):
    """What two lines of a matrix have in common, and the first one's part that differs in its sign; nothing if they are
    no such pair."""
    pairs = list(zip(first, second, strict=True))
    if any(abs(c) != abs(d) for c, d in pairs):
        return (), ()
    return tuple(c if c == d else 0 for c, d in pairs), tuple(c if c != d else 0 for c, d in pairs)
