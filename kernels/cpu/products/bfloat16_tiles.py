"""Products of bfloat16 with sums of float32, and float32 rounded to bfloat16: functions in LLVM IR for processors that
have instructions for it, AMX or AVX512-BF16. They are a unit of their own, whose code only such a processor may run:
who calls them was told so (Choice.MAY_ROUND).

multiply  c[i, :] (+)= sum over segments s, and over k, of A[s, i][k] * B[s][k, :], for 16 or 32 rows and columns:
          tiles of TILE. By AMX (begin_tiles before, end_tiles after; between them the thread's tile registers are
          taken), or by AVX512-BF16.
convert   float32 to rows or pairs of bfloat16, in squares, of which some elements may be missing.
A is rows: STEP neighbours of a row, 64 bytes, are a step. B is *pairs*: line p of a square has the numbers of k = 2 p
of 16 columns in the lower halves of its words, those of k = 2 p + 1 in the upper ones; a step of B is one square, or
two that follow each other. A convolution has a segment a tap: only the rows of a tile are evenly spaced, of A and of C.
Invariants: reads and writes whole tiles. Both instructions treat denormal numbers as zeros and round to the nearest,
ties to even; what they add up first differs, so their last bits do, too.
"""
from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from ...scalars.squares import turned, turning_masks
from ..vector import first_lanes, load_lanes, splat_value

ISA = "x86_64_v4"                      # whose libraries have these functions
FEATURES = "+amx-tile,+amx-bf16,+avx512bf16"      # beyond it, in LLVM's names
TILE = 16                              # rows or columns of a tile
STEP = 32                              # k of a step
SQUARE_BYTES = 1024                    # 16 rows of a step, or its pairs of 16 columns
LINE_BYTES = 64                        # of a square
TABLE_WORDS = 4                        # words of a segment: B's offset in bytes, A's first row, A's row TILE, nothing
ROWS, PAIRS, TURNED = 0, 2, 1          # where the next k of what is converted is: beside the last one, or a row further
MULTIPLY_PARAMETERS, CONVERT_PARAMETERS = 11, 8
_HALF_TILE = 8                         # rows that AVX512-BF16 multiplies at a time
_I8, _I16, _I32, _I64, _FLOAT = (*(ir.IntType(bits) for bits in (8, 16, 32, 64)), ir.FloatType())
_BYTES, _VOID = _I8.as_pointer(), ir.VoidType()
_WORDS, _FLOATS, _HALVES = ir.VectorType(_I32, 16), ir.VectorType(_FLOAT, 16), ir.VectorType(_I16, 32)
_SHAPES = tuple((row_tiles, column_tiles) for row_tiles in (1, 2) for column_tiles in (1, 2))


class _BFloat(ir.Type):
    """LLVM's type of a bfloat16, for which llvmlite has no name."""

    def _to_string(self) -> str:
        return "bfloat"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _BFloat)

    def __hash__(self) -> int:
        return hash(_BFloat)


_BFLOATS = ir.VectorType(_BFloat(), 32)


@intrinsic
def begin_tiles(typing_context):
    """Configures the thread's tile registers; whoever says so has AMX, and says end_tiles."""
    return types.void(), _calling("begin", 0)


@intrinsic
def end_tiles(typing_context):
    return types.void(), _calling("end", 0)


@intrinsic
def multiply_tiles(typing_context, shape, segments, steps, a_row, a_step, b, table, c, c_row, accumulate, unused):
    """shape: 2 * (tiles of rows - 1) + tiles of columns - 1. a_row, a_step: bytes from one row, and step, of A to the
    next; b: what B's offsets count from; c, c_row: of float32. accumulate: add to what stands in c. segments >= 1."""
    return types.void(*[types.int64] * MULTIPLY_PARAMETERS), _calling("tiles", MULTIPLY_PARAMETERS)


@intrinsic
def multiply_dots(typing_context, shape, segments, steps, a_row, a_step, b, table, c, c_row, accumulate, unused):
    """The same by AVX512-BF16."""
    return types.void(*[types.int64] * MULTIPLY_PARAMETERS), _calling("dots", MULTIPLY_PARAMETERS)


@intrinsic
def convert(typing_context, kind, target, target_row, target_next, source, source_row, source_next, count):
    """`count` squares, one `next` after the other. kind: ROWS, which reads 16 rows of 32 float32, or PAIRS, 32 rows of
    16; and TURNED, if each square of words is to be transposed. target_row: bytes from a line of 64 to the next."""
    return types.void(*[types.int64] * CONVERT_PARAMETERS), _calling("convert", CONVERT_PARAMETERS)


@intrinsic
def convert_part(typing_context, kind, target, target_row, rows, source, source_row, columns, unused):
    """One square, of which only so many rows and columns are there to be read; the others are zeros."""
    return types.void(*[types.int64] * CONVERT_PARAMETERS), _calling("convert_part", CONVERT_PARAMETERS)


def _calling(name: str, parameters: int) -> Callable[..., Any]:
    """What generates a call of the function of that name."""
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        builder.call(_declared(builder.module, f"gc_bfloat16_{name}", parameters), arguments)
        return context.get_dummy_value()
    return generate


def symbols() -> dict[str, Callable[[ir.Module, str], None]]:
    """The functions: symbol -> what defines it in a module under a name."""
    made = {"begin": _emit_begin, "end": _emit_end, "tiles": _emit_tiles, "dots": _emit_dots,
            "convert": partial(_emit_convert, whole=True), "convert_part": partial(_emit_convert, whole=False)}
    return {f"gc_bfloat16_{name}": emit for name, emit in made.items()}


def _declared(module: ir.Module, name: str, parameters: int) -> ir.Function:
    known = module.globals.get(name)
    if known is not None:
        return known
    function = ir.Function(module, ir.FunctionType(_VOID, [_I64] * parameters), name)
    function.attributes.add("noinline")
    function.attributes.add("nounwind")
    return function


def _emit_begin(module: ir.Module, name: str) -> None:
    """All tiles have 16 rows of 64 bytes."""
    configuration = bytes([1, *[0] * 15, *[64, 0] * 8, *[0] * 16, *[16] * 8, *[0] * 8])
    constant = cgutils.global_constant(module, f"{name}_configuration", ir.Constant(
        ir.ArrayType(_I8, len(configuration)), bytearray(configuration)))
    b = ir.IRBuilder(_declared(module, name, 0).append_basic_block())
    b.call(_llvm(module, "x86.ldtilecfg", _VOID, [_BYTES]), [b.bitcast(constant, _BYTES)])
    b.ret_void()


def _emit_end(module: ir.Module, name: str) -> None:
    b = ir.IRBuilder(_declared(module, name, 0).append_basic_block())
    b.call(_llvm(module, "x86.tilerelease", _VOID, []), [])
    b.ret_void()


def _emit_tiles(module: ir.Module, name: str) -> None:
    _emit_choice(module, name, MULTIPLY_PARAMETERS, [
        _Tiles(module, f"{name}_{number}", *shape).function for number, shape in enumerate(_SHAPES)])


def _emit_dots(module: ir.Module, name: str) -> None:
    _emit_choice(module, name, MULTIPLY_PARAMETERS, [
        _Dots(module, f"{name}_{number}", *shape).function for number, shape in enumerate(_SHAPES)])


def _emit_convert(module: ir.Module, name: str, whole: bool) -> None:
    _emit_choice(module, name, CONVERT_PARAMETERS, [
        _Conversion(module, f"{name}_{kind + turning}", kind, turning == TURNED, whole).function
        for kind in (ROWS, PAIRS) for turning in (0, TURNED)])


def _emit_choice(module: ir.Module, name: str, parameters: int, functions: Sequence[ir.Function]) -> None:
    """Defines a function that passes its arguments, but for the first, to the function with that number."""
    function = _declared(module, name, parameters)
    b, unreachable = ir.IRBuilder(function.append_basic_block()), function.append_basic_block()
    choices = b.switch(function.args[0], unreachable)
    ir.IRBuilder(unreachable).ret_void()
    for number, chosen in enumerate(functions):
        block = function.append_basic_block()
        choices.add_case(_I64(number), block)
        case = ir.IRBuilder(block)
        case.call(chosen, function.args[1:], tail=True)
        case.ret_void()


def _llvm(module: ir.Module, name: str, result: ir.Type, parameters: Sequence[ir.Type]) -> ir.Function:
    return cgutils.get_or_insert_function(module, ir.FunctionType(result, parameters), f"llvm.{name}")


def _at(b: ir.IRBuilder, base: ir.Value, offset: ir.Value, kind: ir.Type) -> ir.Value:
    """A pointer to `kind`, `offset` bytes after an address."""
    return b.bitcast(b.gep(b.inttoptr(base, _BYTES), [offset]), kind.as_pointer())


def _counting(b: ir.IRBuilder, count: ir.Value, body: Callable[[ir.Value, list[ir.Value]], list[ir.Value]],
              start: Sequence[ir.Value] = ()) -> list[ir.Value]:
    """A loop of `count` >= 1 rounds; values go from round to round, beginning with `start`. Returns the last ones."""
    before, loop = b.block, b.append_basic_block("loop")
    b.branch(loop)
    b.position_at_end(loop)
    number, *values = phis = [b.phi(value.type) for value in (count, *start)]
    updated = body(number, values)
    following, end, after = b.add(number, _I64(1)), b.block, b.append_basic_block("after")
    for phi, first, value in zip(phis, (_I64(0), *start), (following, *updated), strict=True):
        phi.add_incoming(first, before)
        phi.add_incoming(value, end)
    b.cbranch(b.icmp_signed("<", following, count), loop, after)
    b.position_at_end(after)
    return updated


class _Tiles:
    """A product of row_tiles x column_tiles tiles by AMX: tile registers of C, then of A, then of B."""

    def __init__(self, module: ir.Module, name: str, row_tiles: int, column_tiles: int) -> None:
        self.module, self.rows, self.columns = module, row_tiles, column_tiles
        self.function = _declared(module, name, MULTIPLY_PARAMETERS - 1)
        self.builder = ir.IRBuilder(self.function.append_basic_block())
        self._emit(*self.function.args)

    def _emit(self, segments, steps, a_row, a_step, right, table, c, c_row, accumulate, unused):
        b = self.builder
        c_tiles = [(i * self.columns + j, b.add(b.mul(c_row, _I64(TILE * i)), _I64(TILE * 4 * j)))
                   for i in range(self.rows) for j in range(self.columns)]
        with b.if_else(b.icmp_signed("!=", accumulate, _I64(0))) as (adding, fresh):
            with adding:
                for tile, offset in c_tiles:
                    self._call("tileloadd64", tile, _at(b, c, offset, _I8), c_row)
            with fresh:
                for tile, _ in c_tiles:
                    self._call("tilezero", tile)

        def segment(number: ir.Value, _: list[ir.Value]) -> list[ir.Value]:
            words = _at(b, table, b.mul(number, _I64(8 * TABLE_WORDS)), _I64)
            first_b = b.add(right, b.load(words))
            first_a = [b.load(b.gep(words, [_I64(1 + i)])) for i in range(self.rows)]
            _counting(b, steps, lambda step, _: self._step(first_a, b.mul(step, a_step), a_row, first_b, step))
            return []

        _counting(b, segments, segment)
        for tile, offset in c_tiles:
            self._call("tilestored64", tile, _at(b, c, offset, _I8), c_row)
        b.ret_void()

    def _step(self, first_a, a_offset, a_row, first_b, step):
        b, left = self.builder, self.rows * self.columns
        right = left + self.rows
        for j in range(self.columns):
            offset = b.add(b.mul(step, _I64(2 * SQUARE_BYTES)), _I64(j * SQUARE_BYTES))
            self._call("tileloadd64", right + j, _at(b, first_b, offset, _I8), _I64(LINE_BYTES))
        for i in range(self.rows):
            self._call("tileloadd64", left + i, _at(b, first_a[i], a_offset, _I8), a_row)
            for j in range(self.columns):
                self._call("tdpbf16ps", i * self.columns + j, left + i, right + j)
        return []

    def _call(self, name, *operands):
        """Numbers are tiles."""
        values = [_I8(operand) if isinstance(operand, int) else operand for operand in operands]
        self.builder.call(_llvm(self.module, f"x86.{name}", _VOID, [value.type for value in values]), values)


class _Dots:
    """The same by AVX512-BF16: _HALF_TILE rows at a time, whose sums are in registers."""

    def __init__(self, module: ir.Module, name: str, row_tiles: int, column_tiles: int) -> None:
        self.module, self.halves, self.columns = module, row_tiles * TILE // _HALF_TILE, column_tiles
        self.function = _declared(module, name, MULTIPLY_PARAMETERS - 1)
        self.builder = ir.IRBuilder(self.function.append_basic_block())
        self._emit(*self.function.args)

    def _emit(self, segments, steps, a_row, a_step, right, table, c, c_row, accumulate, unused):
        b = self.builder

        def half(number: ir.Value, _: list[ir.Value]) -> list[ir.Value]:
            first_c = b.add(c, b.mul(number, b.mul(c_row, _I64(_HALF_TILE))))
            places = [_at(b, first_c, b.add(b.mul(c_row, _I64(i)), _I64(LINE_BYTES * j)), _FLOATS)
                      for i in range(_HALF_TILE) for j in range(self.columns)]
            before, adding, ready = b.block, b.append_basic_block("adding"), b.append_basic_block("ready")
            b.cbranch(b.icmp_signed("!=", accumulate, _I64(0)), adding, ready)
            b.position_at_end(adding)
            held = [b.load(place, align=4) for place in places]
            b.branch(ready)
            b.position_at_end(ready)
            start = [b.phi(_FLOATS) for _ in places]
            for phi, value in zip(start, held, strict=True):
                phi.add_incoming(ir.Constant(_FLOATS, None), before)
                phi.add_incoming(value, adding)
            row = b.mul(b.and_(number, _I64(1)), b.mul(a_row, _I64(_HALF_TILE)))
            word = b.add(_I64(1), b.lshr(number, _I64(1)))

            def segment(number: ir.Value, sums: list[ir.Value]) -> list[ir.Value]:
                words = _at(b, table, b.mul(number, _I64(8 * TABLE_WORDS)), _I64)
                first_b, first_a = b.add(right, b.load(words)), b.add(row, b.load(b.gep(words, [word])))
                return _counting(b, steps, lambda step, sums: self._step(
                    b.add(first_a, b.mul(step, a_step)), a_row,
                    b.add(first_b, b.mul(step, _I64(2 * SQUARE_BYTES))), sums), sums)

            for place, value in zip(places, _counting(b, segments, segment, start), strict=True):
                b.store(value, place, align=4)
            return []

        _counting(b, _I64(self.halves), half)
        b.ret_void()

    def _step(self, left, a_row, right, sums):
        return _counting(self.builder, _I64(STEP // 2), lambda pair, sums: self._pair(left, a_row, right, pair, sums),
                         sums)

    def _pair(self, left, a_row, right, pair, sums):
        """The products of two neighbouring k."""
        b = self.builder
        dot = _llvm(self.module, "x86.avx512bf16.dpbf16ps.512", _FLOATS, [_FLOATS, _BFLOATS, _BFLOATS])
        lines = [b.load(_at(b, right, b.add(b.mul(pair, _I64(LINE_BYTES)), _I64(SQUARE_BYTES * j)), _BFLOATS), align=4)
                 for j in range(self.columns)]
        result = []
        for i in range(_HALF_TILE):
            word = b.load(_at(b, left, b.add(b.mul(a_row, _I64(i)), b.mul(pair, _I64(4))), _I32), align=2)
            factor = b.bitcast(splat_value(b, word, _WORDS), _BFLOATS)
            result += [b.call(dot, [sums[i * self.columns + j], factor, line]) for j, line in enumerate(lines)]
        return result


class _Conversion:
    """Squares of a kind, whole ones or one of which a part is there."""

    def __init__(self, module: ir.Module, name: str, kind: int, turning: bool, whole: bool) -> None:
        self.module, self.kind, self.turning = module, kind, turning
        self.function = _declared(module, name, CONVERT_PARAMETERS - 1)
        self.builder = ir.IRBuilder(self.function.append_basic_block())
        self.rows = self.columns = None
        if whole:
            target, target_row, target_next, source, source_row, source_next, count = self.function.args
            _counting(self.builder, count, lambda number, _: self._square(
                self.builder.add(target, self.builder.mul(number, target_next)), target_row,
                self.builder.add(source, self.builder.mul(number, source_next)), source_row))
        else:
            target, target_row, self.rows, source, source_row, self.columns, _ = self.function.args
            self._square(target, target_row, source, source_row)
        self.builder.ret_void()

    def _square(self, target, target_row, source, source_row):
        b, lines = self.builder, [self._line(source, source_row, i) for i in range(TILE)]
        for i, words in turned(turning_masks(4), lines, self._shuffle) if self.turning else enumerate(lines):
            b.store(words, _at(b, target, b.mul(target_row, _I64(i)), _WORDS), align=4)
        return []

    def _line(self, source, source_row, number):
        """The words of a line of the square: of 32 neighbours, or of 16 columns of two rows."""
        b = self.builder
        if self.kind == ROWS:
            low, high = (self._load(source, source_row, number, 16 * half) for half in (0, 1))
        else:
            low, high = (self._load(source, source_row, 2 * number + half, 0) for half in (0, 1))
        narrow = _llvm(self.module, "x86.avx512bf16.cvtne2ps2bf16.512", _BFLOATS, [_FLOATS, _FLOATS])
        words = b.call(narrow, [high, low])
        if self.kind == ROWS:
            return b.bitcast(words, _WORDS)
        halves = b.bitcast(words, _HALVES)
        return b.bitcast(self._shuffle(halves, halves, [i // 2 + 16 * (i % 2) for i in range(32)]), _WORDS)

    def _load(self, source, source_row, row, column):
        b = self.builder
        where = _at(b, source, b.add(b.mul(source_row, _I64(row)), _I64(4 * column)), _FLOATS)
        if self.rows is None:
            return b.load(where, align=4)
        there = b.select(b.icmp_signed("<", _I64(row), self.rows), b.sub(self.columns, _I64(column)), _I64(0))
        return load_lanes(b, where, first_lanes(b, there, 16), "v16f32", 4)

    def _shuffle(self, first, second, mask):
        return self.builder.shuffle_vector(first, second, ir.Constant(ir.VectorType(_I32, len(mask)), list(mask)))
