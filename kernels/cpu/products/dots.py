"""Few rows of A times many rows of B, where B is given transposed and used once: dot products, without packing.

Job: c[i, j] = sum over k of a[i, k] * b[j, k]. Both operands are read as they lie, in long runs; a register tile of a
few rows of each keeps its sums as vectors, whose lanes are added up after the last k.
Invariants: reads rows of A and B in their k elements only; writes C in its rows and columns only. Lane l of a sum
gets the products of k = l, l + lanes, ... in that order, whatever tile an element is in, with as many lanes on every
ISA (LLVM splits vectors where registers are narrower): no result depends on tiles or ISA.
"""
from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from ..memory import ITEM_SIZES, LLVM_FLOATS, part
from ..vector import LANES, splat_value

_I1, _I32, _I64 = ir.IntType(1), ir.IntType(32), ir.IntType(64)
_BYTES = ir.IntType(8).as_pointer()
PARAMETERS = 7
COLUMNS = 8                            # a multiple of what any register tile has


@dataclass(frozen=True)
class Tile:
    """A register tile: up to `rows` rows and `columns` columns, twice as many if it is one row."""

    rows: int
    columns: int


def tile_of(isa: str) -> Tile:
    """The register tile of an ISA (products/micro.py: ISAS): its sums and a row of A must fit the registers."""
    return Tile(4, 4) if isa == "x86_64_v4" else Tile(2, 2)


@cache
def dot_products(dtype: str, shape: Tile) -> Any:
    """The numba function (m, n, k, a, a_row, b, b_row, c, c_row): addresses and steps in bytes, all int64."""
    size, rows, one_row, narrow = ITEM_SIZES[dtype], shape.rows, 2 * shape.columns, shape.columns
    tile = _tile(dtype, shape)

    @part("dots")
    def multiply(m, n, k, a, a_row, b, b_row, c, c_row):
        tiles = (m + rows - 1) // rows
        columns = one_row if m == 1 else narrow
        whole = n // columns * columns
        for j in range(0, whole, columns):
            for i in range(tiles):
                row = m * i // tiles
                tile(m * (i + 1) // tiles - row, columns, k, a + row * a_row, a_row, b + j * b_row, b_row,
                     c + row * c_row + j * size, c_row)
        for j in range(whole, n):
            for i in range(tiles):
                row = m * i // tiles
                tile(m * (i + 1) // tiles - row, 1, k, a + row * a_row, a_row, b + j * b_row, b_row,
                     c + row * c_row + j * size, c_row)
    return multiply


@cache
def _tile(dtype: str, shape: Tile) -> Any:
    """The numba function (height, columns, k, a, a_row, b, b_row, c, c_row) for one register tile; columns is 1 or
    shape.columns, or twice that if height is 1."""
    @intrinsic
    def tile(typing_context, height, columns, k, a, a_row, b, b_row, c, c_row):
        def generate(context, builder, signature, arguments):
            builder.call(_dispatcher(builder.module, dtype, shape), arguments)
            return context.get_dummy_value()
        return types.void(*[types.int64] * (PARAMETERS + 2)), generate
    return tile


def _dispatcher(module, dtype, shape):
    """The function that calls the one for the height and columns that it is given."""
    name = f"gc_dots_{dtype}_{shape.rows}x{shape.columns}"
    if name in module.globals:
        return module.globals[name]
    function = _function(module, name, PARAMETERS + 2)
    b = ir.IRBuilder(function.append_basic_block())
    height, columns = function.args[:2]
    unreachable = function.append_basic_block()
    choices = b.switch(b.add(b.mul(columns, _I64(16)), height), unreachable)
    ir.IRBuilder(unreachable).ret_void()
    for tall in range(1, shape.rows + 1):
        for wide in (1, shape.columns, *[2 * shape.columns] * (tall == 1)):
            block = function.append_basic_block()
            choices.add_case(_I64(16 * wide + tall), block)
            case = ir.IRBuilder(block)
            inner = _Emitter(module, dtype, tall, wide, f"{name}_{tall}x{wide}").function
            case.call(inner, function.args[2:], tail=True)
            case.ret_void()
    return function


def _function(module, name, parameters):
    function = ir.Function(module, ir.FunctionType(ir.VoidType(), [_I64] * parameters), name)
    function.linkage = "linkonce_odr"
    function.attributes.add("noinline")
    return function


class _Emitter:
    """Emits the function for one height and number of columns."""

    def __init__(self, module, dtype, height, columns, name):
        self.module, self.height, self.columns = module, height, columns
        self.element, self.size = LLVM_FLOATS[dtype], ITEM_SIZES[dtype]
        self.lanes = LANES * 4 // self.size
        self.vector = ir.VectorType(self.element, self.lanes)
        self.suffix = f"v{self.lanes}{dtype}"
        self.function = _function(module, name, PARAMETERS)
        self._emit(*self.function.args)

    def _emit(self, k, a, a_row, right, b_row, c, c_row):
        entry, loop, after, part, done = (self.function.append_basic_block(name) for name in
                                           ("entry", "loop", "after", "part", "done"))
        zeros = [ir.Constant(self.vector, None)] * (self.height * self.columns)
        b = ir.IRBuilder(entry)
        left, right = self._rows(b, a, a_row, self.height), self._rows(b, right, b_row, self.columns)
        whole = b.and_(k, _I64(-self.lanes))
        b.cbranch(b.icmp_signed(">", whole, _I64(0)), loop, after)

        b.position_at_end(loop)
        at, sums = b.phi(_I64), [b.phi(self.vector) for _ in zeros]
        added = self._add(b, left, right, at, sums, None)
        following = b.add(at, _I64(self.lanes))
        for phi, start, value in ((at, _I64(0), following), *zip(sums, zeros, added, strict=True)):
            phi.add_incoming(start, entry)
            phi.add_incoming(value, loop)
        b.cbranch(b.icmp_signed("<", following, whole), loop, after)

        b.position_at_end(after)
        sums = [b.phi(self.vector) for _ in zeros]
        for phi, start, value in zip(sums, zeros, added, strict=True):
            phi.add_incoming(start, entry)
            phi.add_incoming(value, loop)
        b.cbranch(b.icmp_signed("<", whole, k), part, done)

        b.position_at_end(part)
        numbers = ir.VectorType(_I64, self.lanes)
        mask = b.icmp_signed("<", ir.Constant(numbers, list(range(self.lanes))),
                             splat_value(b, b.sub(k, whole), numbers))
        last = self._add(b, left, right, whole, sums, mask)
        b.branch(done)

        b.position_at_end(done)
        totals = []
        for value, more in zip(sums, last, strict=True):
            phi = b.phi(self.vector)
            phi.add_incoming(value, after)
            phi.add_incoming(more, part)
            totals.append(phi)
        self._store(b, totals, self._rows(b, c, c_row, self.height))
        b.ret_void()

    def _rows(self, b, first, step, count):
        base = b.inttoptr(first, _BYTES)
        return [b.bitcast(b.gep(base, [b.mul(step, _I64(i))]), self.element.as_pointer()) for i in range(count)]

    def _add(self, b, left, right, at, sums, mask):
        """The sums with the products of `lanes` k from `at` on."""
        fma = self._declare(f"llvm.fmuladd.{self.suffix}", self.vector, [self.vector] * 3)
        lines = [self._load(b, b.gep(row, [at]), mask) for row in left]
        result = []
        for j, row in enumerate(right):
            values = self._load(b, b.gep(row, [at]), mask)
            result += [b.call(fma, [line, values, sums[j * self.height + i]]) for i, line in enumerate(lines)]
        return result

    def _store(self, b, sums, rows):
        reduce = self._declare(f"llvm.vector.reduce.fadd.{self.suffix}", self.element, [self.element, self.vector])
        for number, value in enumerate(sums):
            total = b.call(reduce, [ir.Constant(self.element, -0.0), value], fastmath=("reassoc",))
            column, row = divmod(number, self.height)
            b.store(total, b.gep(rows[row], [_I64(column)]), align=self.size)

    def _load(self, b, where, mask):
        pointer = b.bitcast(where, self.vector.as_pointer())
        if mask is None:
            return b.load(pointer, align=self.size)
        load = self._declare(f"llvm.masked.load.{self.suffix}.p0", self.vector,
                             [pointer.type, _I32, ir.VectorType(_I1, self.lanes), self.vector])
        return b.call(load, [pointer, _I32(self.size), mask, ir.Constant(self.vector, None)])

    def _declare(self, name, result, parameters):
        return cgutils.get_or_insert_function(self.module, ir.FunctionType(result, parameters), name)
