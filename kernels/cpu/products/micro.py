"""The micro-kernel: the one inner loop of matmul and of all convolutions.

Job: c[i, :] (+)= sum over segments s, and over k < length, of A[s, i][k] * B[s][k, :] for the rows of one register
tile. A table says where the segments' operands are: the words of a segment are B's offset in bytes, then the address of
each row of A. So a matrix product is one segment, a convolution has one segment a tap, and rows of A may lie anywhere.
Shapes depend on the ISA, for accumulators must fit its registers; each height of a tile is a function of its own. All
kernels call the same functions, which are compiled once, a unit for each dtype.
Invariants: length >= 1 and a_step > 0 unless segments = 0, which gives zeros; B is read in whole tile widths (packed B
is padded with zeros), C only in its `columns`; products are added in the order of the table, one rounding each where
the ISA has fma.
"""
from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from ..memory import ITEM_SIZES, LLVM_FLOATS, helper
from ..vector import splat_value

TABLE_WORDS = 16                       # words of a segment: B, then up to 15 rows of A
PARAMETERS = 14                        # of the micro-kernel
BFLOAT16_BYTES = 2
ISAS = ("x86_64_v4", "x86_64_v3", "")
_I1, _I32, _I64 = ir.IntType(1), ir.IntType(32), ir.IntType(64)
_BYTES = ir.IntType(8).as_pointer()


@dataclass(frozen=True)
class Shape:
    """A register tile of up to `rows` rows and `vectors` vectors of `lanes` elements.

    bfloat16: B is packed as bfloat16 (products/bfloat16_panels.py), which becomes float32 again in registers;
    `vectors` is even.
    """

    rows: int
    vectors: int
    lanes: int
    bfloat16: bool = False

    def __str__(self) -> str:
        return f"{self.rows}x{self.vectors}x{self.lanes}{'b' * self.bfloat16}"

    @property
    def width(self) -> int:
        return self.vectors * self.lanes

    def line_bytes(self, size: int) -> int:
        """Of a packed B's line: what one k has of a panel. size: of an element of A and C."""
        return self.width * (BFLOAT16_BYTES if self.bfloat16 else size)


@dataclass(frozen=True)
class Shapes:
    """main: for matrices; narrow: for few columns; wide: for few rows, so that memory is read in long runs."""

    main: Shape
    narrow: Shape
    wide: Shape


def shapes(isa: str, dtype: str) -> Shapes:
    """isa: one of ISAS; "" is aarch64 and any other machine of 128-bit vectors."""
    bytes_, main, narrow, wide = {
        "x86_64_v4": (64, (14, 2), (14, 1), (3, 8)),
        "x86_64_v3": (32, (6, 2), (12, 1), (2, 6)),
        "": (16, (8, 3), (14, 1), (3, 8)),
    }[isa]
    lanes = bytes_ // ITEM_SIZES[dtype]
    return Shapes(Shape(*main, lanes), Shape(*narrow, lanes), Shape(*wide, lanes))


def bfloat16_shapes(isa: str) -> tuple[Shape, Shape]:
    """The shapes for float32 times bfloat16: for many rows, and for few."""
    lanes, main, wide = {
        "x86_64_v4": (16, (14, 2), (3, 8)),
        "x86_64_v3": (8, (6, 2), (2, 6)),
        "": (4, (12, 2), (3, 8)),
    }[isa]
    return Shape(*main, lanes, True), Shape(*wide, lanes, True)


def half_of(dtype: str, shape: Shape) -> Shape | None:
    """The shape for few columns of the ISA whose main one is `shape`, if that reads half of its panels' lines."""
    kinds = [shapes(isa, dtype) for isa in ISAS]
    return next((kind.narrow for kind in kinds if kind.main == shape and 2 * kind.narrow.width == shape.width), None)


@cache
def micro_kernel(dtype: str, shape: Shape) -> Any:
    """The numba function (height, segments, length, a_start, a_step, b, b_step, table, c, c_step, accumulate, columns),
    all int64.

    Steps are in bytes: from one k to the next in A and in B, from one row of c to the next; a_start is the offset of
    the first k in every row of A, b the address that B's offsets count from. 1 <= height <= shape.rows.
    """
    streaming = streaming_kernel(dtype, shape)

    @helper
    def micro(height, segments, length, a_start, a_step, b, b_step, table, c, c_step, accumulate, columns):
        streaming(height, segments, length, a_start, a_step, b, b_step, table, c, c_step, accumulate, columns, 0,
                  b_step)
    return micro


@cache
def streaming_kernel(dtype: str, shape: Shape) -> Any:
    """The same with two more arguments, `ahead` and `ahead_step`: while a segment is multiplied, what stands `ahead`
    bytes after its first row of B is asked for, and with each k what is `ahead_step` bytes further, so that memory
    and arithmetic overlap. 0 and b_step: nothing beyond B's own rows."""
    @intrinsic
    def micro(typing_context, height, segments, length, a_start, a_step, b, b_step, table, c, c_step, accumulate,
              columns, ahead, ahead_step):
        def generate(context, builder, signature, arguments):
            name, module = symbol(dtype, shape), builder.module
            known = module.globals.get(name)
            height, *others = arguments
            builder.call(known if known is not None else _function(module, name, PARAMETERS), [*others, height])
            return context.get_dummy_value()
        return types.void(*[types.int64] * PARAMETERS), generate
    return micro


def symbol(dtype: str, shape: Shape) -> str:
    """Of the function that micro_kernel calls; libraries put the ISA after it."""
    return f"gc_micro_{dtype}_{shape}"


def emit(dtype: str, shape: Shape, module: ir.Module, name: str) -> None:
    """Defines that function as `name`; it calls the one for the height, which is the last parameter, so that the
    others stay in their registers."""
    function = _function(module, name, PARAMETERS)
    builder = ir.IRBuilder(function.append_basic_block())
    unreachable = function.append_basic_block()
    choices = builder.switch(function.args[-1], unreachable)
    ir.IRBuilder(unreachable).ret_void()
    for height in range(1, shape.rows + 1):
        block = function.append_basic_block()
        choices.add_case(_I64(height), block)
        case = ir.IRBuilder(block)
        case.call(_Emitter(module, dtype, shape, height, f"{name}_{height}").function, function.args[:-1], tail=True)
        case.ret_void()


def _function(module, name, parameters):
    function = ir.Function(module, ir.FunctionType(ir.VoidType(), [_I64] * parameters), name)
    function.attributes.add("noinline")
    function.attributes.add("nounwind")
    return function


class _Emitter:
    """Emits the function for one height."""

    def __init__(self, module, dtype, shape, height, name):
        self.module, self.shape, self.height = module, shape, height
        self.element, self.size = LLVM_FLOATS[dtype], ITEM_SIZES[dtype]
        self.vector = ir.VectorType(self.element, shape.lanes)
        self.suffix = f"v{shape.lanes}{dtype}"
        self.tile = [(i, j) for i in range(height) for j in range(shape.vectors)]
        self.function = _function(module, name, PARAMETERS - 1)
        self._emit(*self.function.args)

    def _emit(self, segments, length, a_start, a_step, right, b_step, table, c, c_step, accumulate, columns, ahead,
              ahead_step):
        function = self.function
        entry, outer, inner, outer_end, done = (function.append_basic_block(name) for name in
                                                ("entry", "segment", "step", "segment_end", "done"))
        zeros = [ir.Constant(self.vector, None)] * len(self.tile)
        b = ir.IRBuilder(entry)
        c_rows = self._c_rows(b, c, c_step)
        for row in c_rows:
            self._prefetch(b, b.bitcast(row, _BYTES), self.shape.width * self.size, write=1)
        words, right = b.inttoptr(table, _I64.as_pointer()), b.inttoptr(right, _BYTES)
        a_end = b.add(a_start, b.mul(length, a_step))
        b.cbranch(b.icmp_signed(">", segments, _I64(0)), outer, done)

        b.position_at_end(outer)
        segment, sums = b.phi(_I64), [b.phi(self.vector) for _ in self.tile]
        at = b.mul(segment, _I64(TABLE_WORDS))
        b_first = b.gep(right, [b.load(b.gep(words, [at]))])
        a_rows = [b.inttoptr(b.load(b.gep(words, [b.add(at, _I64(1 + i))])), _BYTES) for i in range(self.height)]
        first_coming = b.gep(b_first, [ahead])
        b.branch(inner)

        b.position_at_end(inner)
        a_offset, b_row, coming = b.phi(_I64), b.phi(_BYTES), b.phi(_BYTES)
        partial = [b.phi(self.vector) for _ in self.tile]
        self._prefetch(b, coming, self.shape.line_bytes(self.size), write=0)
        updated = self._step(b, a_rows, a_offset, b_row, partial)
        following = b.add(a_offset, a_step)
        for phi, start, value in ((a_offset, a_start, following), (b_row, b_first, b.gep(b_row, [b_step])),
                                  (coming, first_coming, b.gep(coming, [ahead_step])),
                                  *zip(partial, sums, updated, strict=True)):
            phi.add_incoming(start, outer)
            phi.add_incoming(value, inner)
        b.cbranch(b.icmp_signed("!=", following, a_end), inner, outer_end)

        b.position_at_end(outer_end)
        next_segment = b.add(segment, _I64(1))
        for phi, start, value in ((segment, _I64(0), next_segment), *zip(sums, zeros, updated, strict=True)):
            phi.add_incoming(start, entry)
            phi.add_incoming(value, outer_end)
        b.cbranch(b.icmp_signed("<", next_segment, segments), outer, done)

        b.position_at_end(done)
        results = [b.phi(self.vector) for _ in self.tile]
        for phi, start, value in zip(results, zeros, updated, strict=True):
            phi.add_incoming(start, entry)
            phi.add_incoming(value, outer_end)
        self._finish(b, results, c_rows, accumulate, columns)

    def _step(self, b, a_rows, a_offset, b_row, sums):
        """All products of one k."""
        fma = self._declare(f"llvm.fmuladd.{self.suffix}", self.vector, [self.vector] * 3)
        right, result = self._line(b, b_row), list(sums)
        for i, row in enumerate(a_rows):
            scalar = b.load(b.bitcast(b.gep(row, [a_offset]), self.element.as_pointer()))
            left = splat_value(b, scalar, self.vector)
            for j, value in enumerate(right):
                at = i * self.shape.vectors + j
                result[at] = b.call(fma, [left, value, result[at]])
        return result

    def _line(self, b, b_row):
        """The vectors of one k of B. A word of bfloat16 has an element of a vector in its lower half, the same lane of
        the next vector in its upper one."""
        line, lanes = b.bitcast(b_row, self.element.as_pointer()), self.shape.lanes
        if not self.shape.bfloat16:
            return [self._load(b, b.gep(line, [_I64(j * lanes)])) for j in range(self.shape.vectors)]
        words, result = ir.VectorType(_I32, lanes), []
        for j in range(self.shape.vectors // 2):
            both = b.bitcast(self._load(b, b.gep(line, [_I64(j * lanes)])), words)
            halves = (b.shl(both, ir.Constant(words, [16] * lanes)),
                      b.and_(both, ir.Constant(words, [0xFFFF0000] * lanes)))
            result += [b.bitcast(half, self.vector) for half in halves]
        return result

    def _finish(self, b, sums, c_rows, accumulate, columns):
        """Stores, after adding what stands in c if asked to; masked where the tile is wider than c."""
        whole, part = self.function.append_basic_block("whole"), self.function.append_basic_block("part")
        b.cbranch(b.icmp_signed(">=", columns, _I64(self.shape.width)), whole, part)
        for block, masked in ((whole, False), (part, True)):
            b.position_at_end(block)
            masks = self._masks(b, columns) if masked else [None] * self.shape.vectors
            adding, plain = (self.function.append_basic_block(f"{block.name}_{kind}") for kind in ("add", "set"))
            b.cbranch(b.icmp_signed("!=", accumulate, _I64(0)), adding, plain)
            for target, add in ((adding, True), (plain, False)):
                b.position_at_end(target)
                for (i, j), value in zip(self.tile, sums, strict=True):
                    where = b.gep(c_rows[i], [_I64(j * self.shape.lanes)])
                    self._store(b, b.fadd(self._load(b, where, masks[j]), value) if add else value, where, masks[j])
                b.ret_void()

    def _c_rows(self, b, c, c_step):
        base = b.inttoptr(c, _BYTES)
        return [b.bitcast(b.gep(base, [b.mul(c_step, _I64(i))]), self.element.as_pointer()) for i in range(self.height)]

    def _prefetch(self, b, first, count, write):
        """Asks for the cache lines of `count` bytes."""
        prefetch = self._declare("llvm.prefetch.p0", ir.VoidType(), [_BYTES, _I32, _I32, _I32])
        for start in range(0, count, 64):
            b.call(prefetch, [b.gep(first, [_I64(start)]), _I32(write), _I32(3), _I32(1)])

    def _masks(self, b, columns):
        """One mask a vector: which of its lanes lie before `columns`."""
        lanes, width = self.shape.lanes, _I64(self.shape.width)
        within = b.select(b.icmp_signed("<", columns, width), columns, width)
        numbers = ir.Constant(ir.VectorType(_I32, lanes), list(range(lanes)))
        limits = [b.trunc(b.sub(within, _I64(j * lanes)), _I32) for j in range(self.shape.vectors)]
        return [b.icmp_signed("<", numbers, splat_value(b, limit, numbers.type)) for limit in limits]

    def _load(self, b, where, mask=None):
        pointer = b.bitcast(where, self.vector.as_pointer())
        if mask is None:
            return b.load(pointer, align=self.size)
        load = self._declare(f"llvm.masked.load.{self.suffix}.p0", self.vector,
                             [pointer.type, _I32, ir.VectorType(_I1, self.shape.lanes), self.vector])
        return b.call(load, [pointer, _I32(self.size), mask, ir.Constant(self.vector, None)])

    def _store(self, b, value, where, mask):
        pointer = b.bitcast(where, self.vector.as_pointer())
        if mask is None:
            b.store(value, pointer, align=self.size)
            return
        store = self._declare(f"llvm.masked.store.{self.suffix}.p0", ir.VoidType(),
                              [self.vector, pointer.type, _I32, ir.VectorType(_I1, self.shape.lanes)])
        b.call(store, [value, pointer, _I32(self.size), mask])

    def _declare(self, name, result, parameters):
        return cgutils.get_or_insert_function(self.module, ir.FunctionType(result, parameters), name)
