"""Attention as one kernel: softmax(scale * q kT + mask) v of batches, blockwise, so that scores never are in memory.

A block of 16 x 16 threads makes a tile of rows of the result, and goes over the keys a tile at a time. Of a tile's
scores, and of the result, a thread has the same few rows; the 16 threads that share them are neighbours in one warp,
and find a row's largest score by shuffles. With every tile of keys the largest score so far may grow: what was added
up is multiplied by what that makes of it. Panels of q and k, then of v, DEPTH deep, go through shared memory, as do the
exponentials on their way from who made them to who multiplies them. The order of all sums depends on sizes alone.

Keys behind the last count for nothing. While all scores of a row are -inf, exponentials are taken of them as they are:
they are 0, and the row is NaN in the end if nothing else comes, as a softmax of such a row is.
"""
from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from graphc.exec.cuda.code.builder import Array, KernelBuilder, Value, Variable
from graphc.exec.map_code import LLVM_TYPES, SIZES

SIDE, DEPTH = 16, 16
SHUFFLES = "declare i32 @llvm.nvvm.shfl.sync.bfly.i32(i32, i32, i32, i32)\n"
OCCUPANCY = ' "nvvm.minctasm"="2"'
LOWEST = float("-inf")


@dataclass(frozen=True)
class Attention:
    """rows, columns: of the result, that a thread has: rows at most a group (16 bytes), columns whole groups. A tile
    has SIDE times as many, and SIDE groups of keys."""

    dtype: str
    rows: int
    columns: int
    masked: bool

    @property
    def group(self) -> int:
        return 16 // SIZES[self.dtype]

    @property
    def keys_of_tile(self) -> int:
        return SIDE * self.group

    @property
    def rows_of_tile(self) -> int:
        return SIDE * self.rows


def attention(p: Attention) -> KernelBuilder:
    """gc_attention(q, k, v, mask, y, rows, keys, depth, columns, matrices of an inner axis, elements of the mask from
    one index of the outer axis, the inner one and the rows to the next, bits of the scale as a float64)."""
    k = KernelBuilder("gc_attention", before=SHUFFLES, attributes=OCCUPANCY)
    q, keys, v, mask, y = (k.array(name, p.dtype) for name in ("q", "k", "v", "mask", "y"))
    rows, count, depth, columns, inner, mask_outer, mask_inner, mask_row, bits = k.numbers(
        "rows", "keys", "depth", "columns", "inner", "mask.outer", "mask.inner", "mask.row", "scale")
    scale = k.from_bits(bits, "f64")
    scale = scale if p.dtype == "f64" else k.made(f"fptrunc double {scale} to float", "f32")
    tiles = (rows + (p.rows_of_tile - 1)) // p.rows_of_tile
    matrix, first_row = k.index("ctaid.x") // tiles, k.index("ctaid.x") % tiles * p.rows_of_tile
    at_mask = mask.at(matrix // inner * mask_outer + matrix % inner * mask_inner)
    tile = _Tile(k, p, first_row)
    of_q, of_k = q.at(matrix * rows * depth), keys.at(matrix * count * depth)
    of_v = v.at(matrix * count * columns)
    with k.loop(0, count, p.keys_of_tile) as first:
        scores = tile.scores(of_q, of_k, rows, first, count, depth)
        tile.exponentials(scores, scale, at_mask, mask_row, rows, first, count)
        tile.multiply(of_v, first, count, columns)
    tile.write(y.at(matrix * rows * columns), rows, columns)
    return k


class _Tile:
    """What this block makes. greatest, total: of this thread's rows, the largest score so far, and what its own
    exponentials come to; made: the result, not yet divided."""

    def __init__(self, k: KernelBuilder, p: Attention, first_row: Value) -> None:
        self.k, self.p, self.first_row = k, p, first_row
        self.thread = k.index("tid.x")
        self.x, self.y = self.thread & (SIDE - 1), self.thread >> 4
        self.row_pitch, self.key_pitch = p.rows_of_tile + p.group, p.keys_of_tile + p.group
        self.width = SIDE * p.columns                              # of a panel of v
        self.q = k.shared("q", p.dtype, DEPTH * self.row_pitch)
        self.keys = k.shared("k", p.dtype, DEPTH * self.key_pitch)
        self.v = k.shared("v", p.dtype, DEPTH * self.width)
        self.powers = k.shared("powers", p.dtype, p.keys_of_tile * self.row_pitch)
        self.greatest = [k.variable(LOWEST, p.dtype) for _ in range(p.rows)]
        self.total = [k.variable(0.0, p.dtype) for _ in range(p.rows)]
        self.made = [[k.variable(0.0, p.dtype) for _ in range(p.columns)] for _ in range(p.rows)]

    # Panels

    def _load(self, source: Array, panel: Array, pitch: int, along: int, first: Value, end: Value, deep: Value,
              depth: Value, straight: bool) -> None:
        """A panel of `along` rows (or columns) by DEPTH; zeros where nothing is. straight: depth lies side by side in
        memory."""
        k, line = self.k, DEPTH if straight else along
        for number in range(along * DEPTH // (SIDE * SIDE)):
            piece = self.thread + number * SIDE * SIDE
            high, low = piece // line, piece % line
            at, down = (high, low) if straight else (low, high)
            place, below = first + at, deep + down
            inside = (place < end) & (below < depth)
            offset = place * depth + below if straight else below * end + place
            found = source[k.choose(inside, offset, 0)]
            panel[down * pitch + at] = k.choose(inside, found, k.constant(0.0, self.p.dtype))

    def scores(self, q: Array, keys: Array, rows: Value, first: Value, count: Value,
               depth: Value) -> list[list[Value]]:
        """q kT of this thread's rows and of one group of the keys from `first` on."""
        k, p = self.k, self.p
        sums = [[k.variable(0.0, p.dtype) for _ in range(p.group)] for _ in range(p.rows)]
        with k.loop(0, depth, DEPTH) as deep:
            k.barrier()                                            # nobody reads the panels any more
            self._load(q, self.q, self.row_pitch, p.rows_of_tile, self.first_row, rows, deep, depth, True)
            self._load(keys, self.keys, self.key_pitch, p.keys_of_tile, first, count, deep, depth, True)
            k.barrier()
            for step in range(DEPTH):
                _add_products(k, self.q.group(self.y * p.rows + step * self.row_pitch, p.rows),
                              self.keys.group(self.x * p.group + step * self.key_pitch, p.group), sums)
        return [[place.get() for place in line] for line in sums]

    def exponentials(self, scores: list[list[Value]], scale: Value, mask: Array, mask_row: Value, rows: Value,
                     first: Value, count: Value) -> None:
        """Puts exponentials of scores into shared memory, and brings what was added up to the same largest score."""
        k, p = self.k, self.p
        places = [first + self.x * p.group + j for j in range(p.group)]
        inside = [place < count for place in places]
        powers = []
        for i, line in enumerate(scores):
            line = [score * scale for score in line]
            if p.masked:
                row = k.least(self.first_row + self.y * p.rows + i, rows - 1)
                line = [score + mask[row * mask_row + k.choose(there, place, 0)]
                        for score, place, there in zip(line, places, inside, strict=True)]
            line = [k.choose(there, score, k.constant(LOWEST, p.dtype))
                    for score, there in zip(line, inside, strict=True)]
            powers.append(self._powers(i, line, inside))
        k.barrier()                                                # the exponentials before are read by nobody
        for j in range(p.group):
            self.powers.set_group((self.x * p.group + j) * self.row_pitch + self.y * p.rows,
                                  [line[j] for line in powers])

    def _powers(self, i: int, line: list[Value], inside: list[Value]) -> list[Value]:
        """Of a row of this thread's."""
        k, zero = self.k, self.k.constant(0.0, self.p.dtype)
        greatest = self._of_the_row(_joined(line, self._greater), self._greater)
        known = self._greater(self.greatest[i].get(), greatest)
        base = k.choose(known.equals(LOWEST), zero, known)
        shrunk = k.call("exp", self.greatest[i].get() - base)
        powers = [k.choose(there, k.call("exp", score - base), zero) for score, there in zip(line, inside, strict=True)]
        self.total[i].set(self.total[i].get() * shrunk + _joined(powers, lambda a, b: a + b))
        for place in self.made[i]:
            place.set(place.get() * shrunk)
        self.greatest[i].set(known)
        return powers

    def multiply(self, v: Array, first: Value, count: Value, columns: Value) -> None:
        """Adds the exponentials times the rows of v from `first` on."""
        k, p = self.k, self.p
        with k.loop(0, p.keys_of_tile, DEPTH) as part:
            k.barrier()
            self._load(v, self.v, self.width, self.width, k.constant(0, "i64") + 0, columns, first + part, count, False)
            k.barrier()
            for step in range(DEPTH):
                powers = self.powers.group((part + step) * self.row_pitch + self.y * p.rows, p.rows)
                values = [value for number in range(p.columns // p.group) for value in
                          self.v.group(self.x * p.group + (step * self.width + number * SIDE * p.group), p.group)]
                _add_products(k, powers, values, self.made)

    def write(self, y: Array, rows: Value, columns: Value) -> None:
        k, p = self.k, self.p
        for i, line in enumerate(self.made):
            scale = k.constant(1.0, p.dtype) / self._of_the_row(self.total[i].get(), lambda a, b: a + b)
            row = self.first_row + self.y * p.rows + i
            for number, place in enumerate(line):
                column = self.x * p.group + (number // p.group * SIDE * p.group + number % p.group)
                with k.when((row < rows) & (column < columns)):
                    y[row * columns + column] = place.get() * scale

    # Of the 16 threads that share rows

    def _greater(self, a: Value, b: Value) -> Value:
        return self.k.call("max", a, b)

    def _of_the_row(self, value: Value, join: Callable[[Value, Value], Value]) -> Value:
        """What the values of these threads come to, the same to the bit in all of them."""
        distance = SIDE // 2
        while distance:
            value = join(value, self._from_another(value, distance))
            distance //= 2
        return value

    def _from_another(self, value: Value, distance: int) -> Value:
        """The value of the thread whose number differs in the bit `distance`."""
        k, size = self.k, SIZES[self.p.dtype]
        kind = f"<{size // 4} x i32>"
        words = k.value(f"bitcast {LLVM_TYPES[self.p.dtype]} {value} to {kind}")
        for i in range(size // 4):
            word = k.value(f"extractelement {kind} {words}, i32 {i}")
            other = k.value(f"call i32 @llvm.nvvm.shfl.sync.bfly.i32(i32 -1, i32 {word}, i32 {distance}, i32 31)")
            words = k.value(f"insertelement {kind} {words}, i32 {other}, i32 {i}")
        return k.made(f"bitcast {kind} {words} to {LLVM_TYPES[self.p.dtype]}", self.p.dtype)


def _joined(values: list[Value], join: Callable[[Value, Value], Value]) -> Value:
    while len(values) > 1:
        middle = len(values) // 2
        values = [join(a, b) for a, b in zip(values[:middle], values[middle:], strict=True)]
    return values[0]


def _add_products(k: KernelBuilder, rows: list[Value], columns: list[Value], sums: list[list[Variable]]) -> None:
    """Adds what each row's number times each column's is."""
    for row, line in zip(rows, sums, strict=True):
        for column, place in zip(columns, line, strict=True):
            place.set(k.multiply_add(row, column, place.get()))
