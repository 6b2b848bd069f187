"""What the kernels of attention and its gradient are made of: a tile of rows against a tile of columns, at a time.

A block of 16 x 16 threads has a tile of rows. A thread has a few of them (`rows`), and one group (16 bytes) of the
columns of a product of rows and columns; the 16 threads that share rows are neighbours in one warp. Panels, DEPTH deep,
go through shared memory, as do numbers on their way from who made them to who multiplies them. The order of all sums
depends on sizes alone.
"""
from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from graphc.exec.cuda.code.builder import Array, KernelBuilder, Value, Variable
from graphc.exec.cuda.code.warps import Join, of_partner
from graphc.exec.map_code import SIZES

SIDE, DEPTH = 16, 16
LOWEST = float("-inf")
Numbers = list[list[Value]]                    # of a thread: by row and column of its group


@dataclass(frozen=True)
class Shape:
    """rows: of a thread, at most a group. width: columns of what a thread adds up, whole groups; a tile of those is
    SIDE times as wide, and longer rows are cut into parts, a block each. narrow: no matrix has 2^31 elements: then
    their places take half of the registers."""

    dtype: str
    rows: int
    width: int
    masked: bool
    narrow: bool = True

    @property
    def index(self) -> str:
        return "i32" if self.narrow else "i64"

    @property
    def group(self) -> int:
        return 16 // SIZES[self.dtype]

    @property
    def rows_of_tile(self) -> int:
        return SIDE * self.rows

    @property
    def columns_of_tile(self) -> int:
        return SIDE * self.group

    @property
    def part(self) -> int:
        """Columns that a block adds up."""
        return SIDE * self.width


@dataclass(frozen=True)
class Rows:
    """Rows of a matrix in memory: where it begins, how many it has, of how many elements."""

    source: Array
    count: Value
    length: Value


class Tile:
    """A block's. first: its first row."""

    def __init__(self, k: KernelBuilder, p: Shape, first: Value) -> None:
        self.k, self.p, self.first = k, p, first
        self.thread = k.index("tid.x")
        self.x, self.y = self.thread & (SIDE - 1), self.thread >> 4
        self.row_pitch, self.column_pitch = p.rows_of_tile + p.group, p.columns_of_tile + p.group
        self.down = k.shared("down", p.dtype, DEPTH * self.row_pitch)
        self.across = k.shared("across", p.dtype, DEPTH * self.column_pitch)
        self.lines = k.shared("lines", p.dtype, DEPTH * p.part)
        self.handed = k.shared("handed", p.dtype, p.columns_of_tile * self.row_pitch)

    def row(self, i: int) -> Value:
        return self.first + self.y * self.p.rows + i

    def column(self, first: Value, j: int) -> Value:
        """Which one this thread's column `j` is, of a tile of columns that begins at `first`."""
        return first + self.x * self.p.group + j

    def zeros(self) -> list[list[Variable]]:
        """What a thread adds up."""
        return [[self.k.variable(0.0, self.p.dtype) for _ in range(self.p.width)] for _ in range(self.p.rows)]

    def product(self, a: Rows, b: Rows, first: Value) -> Numbers:
        """This thread's rows of a times its columns: the rows of b from `first` on."""
        k, p = self.k, self.p
        sums = [[k.variable(0.0, p.dtype) for _ in range(p.group)] for _ in range(p.rows)]
        with k.loop(0, a.length, DEPTH) as deep:
            k.barrier()                                            # nobody reads the panels any more
            self._load(a, self.down, self.row_pitch, p.rows_of_tile, self.first, deep)
            self._load(b, self.across, self.column_pitch, p.columns_of_tile, first, deep)
            k.barrier()
            for step in range(DEPTH):
                _add_products(k, self.down.group(self.y * p.rows + step * self.row_pitch, p.rows),
                              self.across.group(self.x * p.group + step * self.column_pitch, p.group), sums)
        return [[place.get() for place in line] for line in sums]

    def add(self, numbers: Numbers, b: Rows, first: Value, part: Value, sums: list[list[Variable]]) -> None:
        """Adds numbers, which have a column for each row of b from `first` on, times those rows, from element `part`
        on."""
        k, p = self.k, self.p
        k.barrier()                                                # what was handed before is read by nobody
        for j in range(p.group):
            self.handed.set_group((self.x * p.group + j) * self.row_pitch + self.y * p.rows,
                                  [line[j] for line in numbers])
        with k.loop(0, p.columns_of_tile, DEPTH) as deep:
            k.barrier()
            self._load_lines(b, first + deep, part)
            k.barrier()
            for step in range(DEPTH):
                values = [value for number in range(p.width // p.group) for value in
                          self.lines.group(self.x * p.group + (step * p.part + number * SIDE * p.group), p.group)]
                _add_products(k, self.handed.group((deep + step) * self.row_pitch + self.y * p.rows, p.rows), values,
                              sums)

    def write(self, target: Rows, part: Value, sums: list[list[Variable]],
              of_row: Callable[[int, Value], Value] = lambda i, value: value) -> None:
        """What was added up, changed by `of_row` of the thread's number of a row, into the tile's rows of target."""
        k, p = self.k, self.p
        for i, line in enumerate(sums):
            row = self.row(i)
            for number, place in enumerate(line):
                column = part + self.x * p.group + (number // p.group * SIDE * p.group + number % p.group)
                with k.when((row < target.count) & (column < target.length)):
                    target.source[row * target.length + column] = of_row(i, place.get())

    def of_the_row(self, value: Value, join: Join) -> Value:
        """What the values of the 16 threads that share a row come to, the same to the bit in all of them."""
        distance = SIDE // 2
        while distance:
            value = join(value, of_partner(self.k, value, distance))
            distance //= 2
        return value

    def _load(self, source: Rows, panel: Array, pitch: int, along: int, first: Value, deep: Value) -> None:
        """Elements from `deep` on of `along` rows; zeros where nothing is."""
        for number in range(along * DEPTH // (SIDE * SIDE)):
            piece = self.thread + number * SIDE * SIDE
            high, low = piece >> 4, piece & (DEPTH - 1)
            panel[low * pitch + high] = self._element(source, first + high, deep + low)

    def _load_lines(self, source: Rows, first: Value, part: Value) -> None:
        """DEPTH rows from `first` on, of each a part; zeros where nothing is."""
        width = self.p.part
        for number in range(width * DEPTH // (SIDE * SIDE)):
            piece = self.thread + number * SIDE * SIDE
            self.lines[piece] = self._element(source, first + piece // width, part + piece % width)

    def _element(self, source: Rows, row: Value, column: Value) -> Value:
        row, column, count, length = (x.to(self.p.index) for x in (row, column, source.count, source.length))
        inside = (row < count) & (column < length)
        found = source.source[self.k.choose(inside, row * length + column, 0).to("i64")]
        return self.k.choose(inside, found, self.k.constant(0.0, self.p.dtype))


def _add_products(k: KernelBuilder, rows: list[Value], columns: list[Value], sums: list[list[Variable]]) -> None:
    """Adds what each row's number times each column's is."""
    for row, line in zip(rows, sums, strict=True):
        for column, place in zip(columns, line, strict=True):
            place.set(k.multiply_add(row, column, place.get()))
