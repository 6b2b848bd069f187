"""Matrix products on tensor cores: c = op(a) op(b) of float32 that is rounded to tf32 (10 bits of mantissa), or of
float16 or bfloat16 as they are, batched; the sums are float32's. From compute capability 8.0 on.

A block of 8 warps, 2 by 4, makes a square tile of c; a warp `fragments` times `fragments` pieces of 16 x 8, by
mma.m16n8k8, of 16-bit floats mma.m16n8k16. Panels of a and b, `depth` deep, are copied to shared memory by cp.async,
STAGES of them in flight, with one barrier each. What lies outside of a matrix is zeros there.

In shared memory an operand lies as in memory: along k ("straight": rows of `depth`, read by ldmatrix, of which 8 rows
of 16 bytes are one matrix in the registers of a warp) or along its rows and columns ("turned": `depth` lines of a tile;
float32 is read word by word, 16-bit floats by ldmatrix, which turns them). Pieces of 16 bytes are exchanged within a
row or a line, of float32 in a line 8 words, so that what a warp reads together lies in different banks.
"""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from graphc.exec.cuda.code.builder import THREADS, TWO_BLOCKS, Array, KernelBuilder, Value, Variable
from graphc.exec.cuda.code.short_floats import rounded_to
from graphc.exec.cuda.code.windows import PARAMETERS, WindowOffsets
from graphc.kernels.contracts.dtypes import DTYPES

DEPTHS = {4: 16, 2: 32}    # of a panel, by fragments: two blocks share a multiprocessor then. Of 16 bits twice that
STAGES = 3
SIDE = 32                  # of a tile, by fragments
MATRIX_STEP = 8            # of k, one mma; of 16 bits twice that
PIECE = 16                 # bytes that are copied at a time
COLUMNS_OF_WARPS = 4
DECLARATIONS = """declare { i32, i32, i32, i32 } @llvm.nvvm.ldmatrix.sync.aligned.m8n8.x4.b16.p3(ptr addrspace(3)) #0
declare { float, float, float, float } @llvm.nvvm.mma.m16n8k8.row.col.tf32(i32, i32, i32, i32, i32, i32, float, float,
  float, float) #0
declare { i32, i32, i32, i32 } @llvm.nvvm.ldmatrix.sync.aligned.m8n8.x4.trans.b16.p3(ptr addrspace(3)) #0
declare { float, float, float, float } @llvm.nvvm.mma.m16n8k16.row.col.bf16(i32, i32, i32, i32, i32, i32, float, float,
  float, float) #0
declare { float, float, float, float } @llvm.nvvm.mma.m16n8k16.row.col.f32.f32(<2 x half>, <2 x half>, <2 x half>,
  <2 x half>, <2 x half>, <2 x half>, float, float, float, float) #0
declare i32 @llvm.nvvm.f2tf32.rna(float)
declare void @llvm.nvvm.cp.async.cg.shared.global.16.s(ptr addrspace(3), ptr addrspace(1), i32)
declare void @llvm.nvvm.cp.async.ca.shared.global.4.s(ptr addrspace(3), ptr addrspace(1), i32)
declare void @llvm.nvvm.cp.async.commit.group()
declare void @llvm.nvvm.cp.async.wait.group(i32)
"""


@dataclass(frozen=True)
class TensorProduct:
    """fragments: of a warp along either side, 4 or 2. straight_a, straight_b: whether k is what lies side by side in
    memory. wide_a, wide_b: 16 bytes may be copied at a time; wide_c: two neighbours may be stored together. rounded:
    operands are rounded to the nearest tf32; those that came from 16 bits are such numbers already. windows, narrow: as
    in products.py. parts: the batch is the parts of one long product. element: of the factors in memory, f32, or f16 or
    bf16, which must be wide; result: of c in memory, f32, or a 16-bit float, to which sums are rounded."""

    fragments: int
    straight_a: bool
    straight_b: bool
    wide_a: bool
    wide_b: bool
    wide_c: bool
    rounded: bool
    windows: bool = False
    narrow: bool = True
    parts: bool = False
    element: str = "f32"
    result: str = "f32"

    @property
    def size(self) -> int:
        """Bytes of an element of the factors."""
        return DTYPES[self.element].size

    @property
    def tile(self) -> int:
        return SIDE * self.fragments

    @property
    def depth(self) -> int:
        return DEPTHS[self.fragments] * 4 // self.size

    @property
    def step(self) -> int:
        return MATRIX_STEP * 4 // self.size


def tensor_product(p: TensorProduct) -> KernelBuilder:
    """gc_tensor_product(a, b, c, m, n, k, elements from one matrix of the batch to the next of a, b and c, elements
    from one row in memory to the next of each, where the products along k end, counted from the first part; of
    windows, then theirs)."""
    k = KernelBuilder("gc_tensor_product", before=DECLARATIONS, attributes=TWO_BLOCKS)
    a, b, c = (k.array(name, dtype) for name, dtype in zip("abc", (p.element, p.element, p.result), strict=True))
    m, n, depth, a_batch, b_batch, c_batch, a_row, b_row, c_row, end = k.numbers(
        "m", "n", "k", "a.batch", "b.batch", "c.batch", "a.row", "b.row", "c.row", "end")
    if p.windows:
        k.numbers(*PARAMETERS)
    panels = k.shared("panels", p.element, STAGES * 2 * p.tile * p.depth)
    block, across = k.index("ctaid.x"), (n + (p.tile - 1)) // p.tile
    down = (m + (p.tile - 1)) // p.tile
    column, rest = block % across * p.tile, block // across
    row, batch = rest % down * p.tile, rest // down
    begin = batch * depth if p.parts else k.constant(0, "i64")
    depths = k.least(end - begin, depth) if p.parts else depth
    size = p.tile * p.depth
    windows = Windows(k, WindowOffsets(k, p.narrow), begin, p.straight_a) if p.windows else None
    left = Factor(k, p.tile, p.depth, p.straight_a, p.wide_a, a.at(batch * a_batch), panels, row, m, a_row, depths,
                  windows)
    right = Factor(k, p.tile, p.depth, p.straight_b, p.wide_b, b.at(batch * b_batch), panels.at(size), column, n, b_row,
                   depths)
    lane, warp = k.index("tid.x") & 31, k.index("tid.x") >> 5
    down_in_tile = (warp // COLUMNS_OF_WARPS) * (16 * p.fragments)
    across_in_tile = (warp % COLUMNS_OF_WARPS) * (8 * p.fragments)
    sums = [[[k.variable(0.0, "f32") for _ in range(4)] for _ in range(p.fragments)] for _ in range(p.fragments)]
    for stage in range(STAGES - 1):
        _copy(k, (left, right), k.constant(stage * 2 * size, "i64"), k.constant(stage * p.depth, "i64"))
    read, write = k.variable(0), k.variable((STAGES - 1) * 2 * size)
    with k.loop(0, depths, p.depth) as first:
        k.emit(f"call void @llvm.nvvm.cp.async.wait.group(i32 {STAGES - 2})")
        k.barrier()
        _copy(k, (left, right), write.get(), first + (STAGES - 1) * p.depth)
        for step in range(p.depth // p.step):
            rows = left.as_a(read.get(), down_in_tile, step, lane, p.fragments, p.rounded)
            columns = right.as_b(read.get(), across_in_tile, step, lane, p.fragments, p.rounded)
            for i, of_a in enumerate(rows):
                for j, of_b in enumerate(columns):
                    multiply(k, of_a, of_b, sums[i][j], p.element)
        for slot in (read, write):
            following = slot.get() + 2 * size
            slot.set(k.choose(following.equals(STAGES * 2 * size), 0, following))
    k.emit("call void @llvm.nvvm.cp.async.wait.group(i32 0)")
    target = c.at(batch * c_batch)
    for i, line in enumerate(sums):
        for half in range(2):
            at_row = row + down_in_tile + (lane >> 2) + (16 * i + 8 * half)
            with k.when(at_row < m):
                for j, place in enumerate(line):
                    at_column = column + across_in_tile + (lane & 3) * 2 + 8 * j
                    _store(k, p.wide_c, target.at(at_row * c_row), at_column, n, place[2 * half:2 * half + 2])
    return k


def _store(k: KernelBuilder, together: bool, row: Array, column: Value, n: Value, pair: Sequence[Variable]) -> None:
    """Two neighbours of a row of n."""
    if not together:
        for side, place in enumerate(pair):
            with k.when(column + side < n):
                row[column + side] = rounded_to(k, place.get(), row.dtype)
        return
    with k.when(column < n):
        row.set_group(column, [rounded_to(k, place.get(), row.dtype) for place in pair])


def _copy(k: KernelBuilder, factors: Sequence[Factor], slot: Value, first: Value) -> None:
    """Starts to copy the panels at depth `first`, as one group."""
    for factor in factors:
        factor.copy(slot, first)
    k.emit("call void @llvm.nvvm.cp.async.commit.group()")


_MMA = {"f32": "m16n8k8.row.col.tf32", "bf16": "m16n8k16.row.col.bf16", "f16": "m16n8k16.row.col.f32.f32"}


def multiply(k: KernelBuilder, a: Sequence[str], b: Sequence[str], sums: Sequence[Variable],
             element: str = "f32") -> None:
    """Adds a product of fragments, by one mma."""
    kind, words = "{ float, float, float, float }", [f"i32 {x}" for x in (*a, *b)]
    if element == "f16":
        words = [f"<2 x half> {k.value(f'bitcast {word} to <2 x half>')}" for word in words]
    given = ", ".join([*words, *(f"float {s.get()}" for s in sums)])
    made = k.value(f"call {kind} @llvm.nvvm.mma.{_MMA[element]}({given})")
    for number, place in enumerate(sums):
        place.set(k.made(f"extractvalue {kind} {made}, {number}", "f32"))


@dataclass(frozen=True)
class Windows:
    """Of an operand that is made of windows: the first depth of this part, by which its depths are counted."""

    k: KernelBuilder
    offsets: WindowOffsets
    first: Value
    along_k: bool

    def offset(self, pixel: Value, tap: Value) -> Value:
        pixel, tap = (pixel, tap + self.first) if self.along_k else (pixel + self.first, tap)
        found = [self.offsets.pixel(pixel.register), self.offsets.tap(tap.register)]
        return Value(self.k, found[0], "i64") + Value(self.k, found[1], "i64")


@dataclass(frozen=True)
class Factor:
    """One of them: source in memory, where its panel is in a stage's slot, its first row (or column) of this
    block's tile, how many it has, elements from one row in memory to the next, where k ends."""

    k: KernelBuilder
    tile: int
    depth: int
    straight: bool
    wide: bool
    source: Array
    panel: Array
    first: Value
    count: Value
    row: Value
    depths: Value
    windows: Windows | None = None

    @property
    def unit(self) -> int:
        """Elements of a piece."""
        return PIECE // DTYPES[self.source.dtype].size

    def word(self, along: Value, deep: Value) -> Value:
        """Where in the panel the element of a row (or column) and a depth is."""
        unit = self.unit
        if self.straight:
            pieces = self.depth // unit                            # in a row; 8 of them are all banks
            piece = (deep // unit) ^ (along // (8 // pieces) & (pieces - 1))
            return along * self.depth + piece * unit + (deep & (unit - 1))
        if unit == 8:
            return deep * self.tile + (along ^ ((deep & 7) << 3))
        return deep * self.tile + (along ^ ((deep & 3) << 3))

    def copy(self, slot: Value, first: Value) -> None:
        """Starts this thread's copies of the panel at depth `first`; zeros where nothing is."""
        elements = self.unit if self.wide else 1
        name = "cg.shared.global.16.s" if self.wide else "ca.shared.global.4.s"
        line = self.depth if self.straight else self.tile               # what lies side by side in memory
        for number in range(self.tile * self.depth // elements // THREADS):
            piece = (self.k.index("tid.x") + number * THREADS) * elements
            high, low = piece // line, piece % line
            along, deep = (high, low) if self.straight else (low, high)
            place, at = self.first + along, first + deep
            inside = (place < self.count) & (at < self.depths)
            if self.windows is not None:
                offset = self.windows.offset(place, at) if self.straight else self.windows.offset(at, place)
            else:
                offset = place * self.row + at if self.straight else at * self.row + place
            source = self.source.at(self.k.choose(inside, offset, 0))
            target = self.panel.at(slot + self.word(along, deep))
            count = self.k.choose(inside, PIECE if self.wide else 4, self.k.constant(0, "i32"))
            self.k.emit(f"call void @llvm.nvvm.cp.async.{name}(ptr addrspace(3) {target.register}, "
                        f"ptr addrspace(1) {source.register}, i32 {count})")

    # Fragments: the registers of a warp for one mma

    def as_a(self, slot: Value, start: Value, step: int, lane: Value, fragments: int, rounded: bool) -> list[list[str]]:
        """16 rows by 8 (16) of k each: rows 0-7 and 8-15 of the first half of k, then of the second."""
        found = []
        for i in range(fragments):
            if self.straight:
                along = start + 16 * i + (lane & 15)
                words = self._matrices(slot, along, (lane >> 4) * self.unit + step * 2 * self.unit)
            elif self.unit == 8:
                along = start + 16 * i + ((lane >> 3) & 1) * 8
                words = self._matrices(slot, along, (lane & 7) + (lane >> 4) * 8 + step * 16, turned=True)
            else:
                words = [self._element(slot, start + (lane >> 2) + (16 * i + 8 * high),
                                       (lane & 3) + (step * MATRIX_STEP + 4 * late))
                         for late in range(2) for high in range(2)]
            found.append(self._ready(words, rounded))
        return found

    def as_b(self, slot: Value, start: Value, step: int, lane: Value, fragments: int, rounded: bool) -> list[list[str]]:
        """8 columns by 8 (16) of k each: the first half of k, then the second."""
        found = []
        for j in range(0, fragments, 2):
            if self.straight:
                along = start + 8 * j + (lane & 7) + (lane >> 4) * 8
                words = self._matrices(slot, along, ((lane >> 3) & 1) * self.unit + step * 2 * self.unit)
            elif self.unit == 8:
                along = start + 8 * j + (lane >> 4) * 8
                words = self._matrices(slot, along, (lane & 15) + step * 16, turned=True)
            else:
                words = [self._element(slot, start + (lane >> 2) + 8 * (j + right),
                                       (lane & 3) + (step * MATRIX_STEP + 4 * late))
                         for right in range(2) for late in range(2)]
            ready = self._ready(words, rounded)
            found += [ready[:2], ready[2:]]
        return found

    def _matrices(self, slot: Value, along: Value, deep: Value, turned: bool = False) -> list[str]:
        """Four matrices of 8 rows of 16 bytes, of which this lane gives the address of a row; turned: of 16-bit
        elements, with rows as columns."""
        kind = "{ i32, i32, i32, i32 }"
        place = self.panel.at(slot + self.word(along, deep))
        made = self.k.value(f"call {kind} @llvm.nvvm.ldmatrix.sync.aligned.m8n8.x4{'.trans' if turned else ''}.b16.p3("
                            f"ptr addrspace(3) {place.register})")
        return [self.k.value(f"extractvalue {kind} {made}, {number}") for number in range(4)]

    def _element(self, slot: Value, along: Value, deep: Value) -> str:
        return self.k.value(f"bitcast float {self.panel[slot + self.word(along, deep)]} to i32")

    def _ready(self, words: Sequence[str], rounded: bool) -> list[str]:
        if not rounded:
            return list(words)
        floats = [self.k.value(f"bitcast i32 {word} to float") for word in words]
        return [self.k.value(f"call i32 @llvm.nvvm.f2tf32.rna(float {x})") for x in floats]
