"""LLVM text for matrix products as GPU kernels: c = op(a) op(b), batched, of float32, float64, int32 and int64.

A block of 16 x 16 threads makes a tile of c, a thread its EACH x EACH elements, in registers. Panels of a and b, DEPTH
deep, go through shared memory, which has room for two of each, so that one barrier a panel is enough; the next panel is
loaded into registers while this one is multiplied. A sum runs over k in ascending order with fused multiply-adds,
whatever the tile: so results do not depend on which one is chosen.

A thread's elements lie in groups of neighbours (GROUP of them, 16 bytes or less), groups 16 * GROUP apart: so a warp
reads shared memory without conflicts, 16 bytes a thread.
"""
from __future__ import annotations

from dataclasses import dataclass

from graphc.exec.cuda.code.ptx import ATTRIBUTES, DECLARATIONS
from graphc.exec.cuda.code.text_writer import TextWriter
from graphc.exec.cuda.code.windows import PARAMETERS, WindowOffsets
from graphc.exec.map_code import LLVM_TYPES, SIZES

SIDE = 16                  # threads along each side of a block
THREADS = SIDE * SIDE
# Two blocks a multiprocessor: at most 128 registers a thread.
BOUNDS = f'"nvvm.maxntid"="{THREADS}" "nvvm.minctasm"="2"'
GLOBAL, SHARED = "ptr addrspace(1)", "ptr addrspace(3)"


@dataclass(frozen=True)
class Product:
    """each: rows and columns of a thread. transpose_a, transpose_b: how the operands lie in memory. parts: the batch is
    the parts of one long product; without them there is a register more for every other use. wide_a, wide_b: 16 bytes
    may be loaded at a time: addresses and lengths in memory are multiples of that; wide_c: neighbours in a group may be
    stored together. windows: a is made of windows of pictures (windows.py), narrow as said there. spaced: rows in
    memory are longer than those of the matrices, as where these are the channels of a group; not together with parts.
    """

    dtype: str
    each: int
    transpose_a: bool
    transpose_b: bool
    parts: bool = False
    wide_a: bool = False
    wide_b: bool = False
    wide_c: bool = False
    windows: bool = False
    narrow: bool = True
    spaced: bool = False

    @property
    def tile(self) -> int:
        return SIDE * self.each

    @property
    def depth(self) -> int:
        return 8 if self.each == 8 else 16

    @property
    def group(self) -> int:
        return min(16 // SIZES[self.dtype], self.each)

    @property
    def row(self) -> int:
        """Elements of a row of a panel in shared memory: a tile and, against conflicts, a group more."""
        return self.tile + 16 // SIZES[self.dtype]


def product_text(product: Product) -> str:
    """The kernel gc_product(a, b, c, m, n, k, elements from one matrix of the batch to the next of a, b and c); of
    parts, then elements from one row in memory to the next of a and b, and where the products along k end, counted from
    the first part; if spaced, those of a, b and c; of windows, then theirs."""
    return _Writer(product).text()


class _Writer(TextWriter):
    def __init__(self, product: Product) -> None:
        super().__init__()
        self.p = product
        self.kind = LLVM_TYPES[product.dtype]
        self.depths = "%k"
        self.offsets = WindowOffsets(self, product.narrow)

    def text(self) -> str:
        parameters = [f"{GLOBAL} noalias readonly %a", f"{GLOBAL} noalias readonly %b", f"{GLOBAL} noalias %c"]
        parameters += [f"i64 %{name}" for name in ("m", "n", "k", "a.batch", "b.batch", "c.batch")]
        rows = ("a.row", "b.row", "k.all") if self.p.parts else ("a.row", "b.row", "c.row") if self.p.spaced else ()
        parameters += [f"i64 %{name}" for name in rows]
        parameters += [f"i64 %{name}" for name in PARAMETERS if self.p.windows]
        panel = f"[{2 * self.panel()} x {self.kind}]"
        shared = "".join(f"@shared_{x} = internal addrspace(3) global {panel} undef, align 16\n" for x in "ab")
        self.places()
        self.loop()
        self.write()
        fma = f"declare {self.kind} @llvm.fma.{self.p.dtype}({', '.join([self.kind] * 3)})\n"
        return "".join([DECLARATIONS, fma if self.floating() else "", shared,
                        f"define ptx_kernel void @gc_product({', '.join(parameters)}) {BOUNDS} {{\nentry:\n",
                        *(f"{line}\n" for line in self.lines), "}\n", ATTRIBUTES])

    def panel(self) -> int:
        """Elements of a panel in shared memory."""
        return self.p.depth * self.p.row

    def floating(self) -> bool:
        return self.kind in ("float", "double")

    def places(self) -> None:
        """Which tile this block makes, and which elements of it this thread."""
        thread = self.value("call i32 @llvm.nvvm.read.ptx.sreg.tid.x()")
        block = self.value("call i32 @llvm.nvvm.read.ptx.sreg.ctaid.x()")
        self.emit(f"%thread = zext i32 {thread} to i64")
        self.emit(f"%block = zext i32 {block} to i64")
        self.emit(f"%thread.x = and i64 %thread, {SIDE - 1}")
        self.emit(f"%thread.y = lshr i64 %thread, {SIDE.bit_length() - 1}")
        tiles = {}
        for size in "mn":
            more = self.value(f"add i64 %{size}, {self.p.tile - 1}")
            tiles[size] = self.value(f"udiv i64 {more}, {self.p.tile}")
        across = self.value(f"urem i64 %block, {tiles['n']}")
        rest = self.value(f"udiv i64 %block, {tiles['n']}")
        down = self.value(f"urem i64 {rest}, {tiles['m']}")
        batch = self.value(f"udiv i64 {rest}, {tiles['m']}")
        if self.p.parts:
            left = self.i64("sub", "%k.all", self.i64("mul", batch, "%k"))
            self.depths = self.chosen(self.less(left, "%k"), left, "%k")
        self.emit(f"%row = mul i64 {down}, {self.p.tile}")
        self.emit(f"%column = mul i64 {across}, {self.p.tile}")
        self.emit(f"%k.first = mul i64 {batch if self.p.parts else 0}, %k")
        for x in "abc":
            shift = self.value(f"mul i64 {batch}, %{x}.batch")
            self.emit(f"%{x}.first = getelementptr {self.kind}, {GLOBAL} %{x}, i64 {shift}")

    # Panels: this thread moves every THREADS-th piece of a panel, an element or `width` of them, from memory to shared
    # memory, neighbouring threads neighbours in memory. What one of these has in common with the next is computed once.

    def width(self, x: str) -> int:
        return min(16 // SIZES[self.p.dtype], self.elements()) if (self.p.wide_a if x == "a" else self.p.wide_b) else 1

    def elements(self) -> int:
        """That this thread moves of a panel."""
        return self.p.tile * self.p.depth // THREADS

    def moved(self, x: str) -> int:
        return self.elements() // self.width(x)

    def straight(self, x: str) -> bool:
        """Whether neighbours in memory are neighbours in depth."""
        return not self.p.transpose_a if x == "a" else self.p.transpose_b

    def windowed(self, x: str) -> bool:
        return x == "a" and self.p.windows

    def step(self, x: str) -> int:
        """How far the next piece is, along the tile if `straight`, else in depth."""
        return THREADS * self.width(x) // (self.p.depth if self.straight(x) else self.p.tile)

    def start_panels(self, x: str) -> None:
        """%x.along, %x.deep: where the first piece is; %x.start: its address; %x.apart, %x.advance: bytes to the next
        piece and to the next panel; %x.valid<n>: whether a piece is in the matrix along the tile."""
        by = (self.p.depth if self.straight(x) else self.p.tile) // self.width(x)
        low, high = ("deep", "along") if self.straight(x) else ("along", "deep")
        self.emit(f"%{x}.{low} = mul i64 {self.value(f'and i64 %thread, {by - 1}')}, {self.width(x)}")
        self.emit(f"%{x}.{high} = lshr i64 %thread, {by.bit_length() - 1}")
        origin, limit = ("%row", "%m") if x == "a" else ("%column", "%n")
        i = self.value(f"add i64 {origin}, %{x}.along")
        for number in range(self.moved(x) if self.straight(x) else 1):
            at = self.value(f"add i64 {i}, {number * self.step(x)}")
            self.emit(f"%{x}.valid{number} = icmp slt i64 {at}, {limit}")
            if self.windowed(x):
                part = self.offsets.pixel(at) if self.straight(x) else self.offsets.tap(at)
                self.emit(f"%{x}.part{number} = add i64 {part}, 0")
        if self.windowed(x):
            return
        row = f"%{x}.row" if self.p.parts or self.p.spaced else "%k" if self.straight(x) else limit
        along, deep = (row, "1") if self.straight(x) else ("1", row)
        offset = self.value(f"mul i64 {i}, {along}")
        offset = self.value(f"add i64 {offset}, {self.value(f'mul i64 %{x}.deep, {deep}')}")
        self.emit(f"%{x}.start = getelementptr {self.kind}, {GLOBAL} %{x}.first, i64 {offset}")
        size, apart = SIZES[self.p.dtype], along if self.straight(x) else deep
        self.emit(f"%{x}.apart = mul i64 {apart}, {size * self.step(x)}")
        self.emit(f"%{x}.advance = mul i64 {deep}, {size * self.p.depth}")

    def panel_loads(self, x: str, place: str, depth: str) -> list[str]:
        """The pieces of the panel at this depth, in registers; 0 outside of the matrix. place: of the first piece."""
        k, found = self.value(f"add i64 {depth}, %{x}.deep"), []
        width = self.width(x)
        kind = self.kind if width == 1 else f"<{width} x {self.kind}>"
        same = self.offsets.tap(self.i64("add", k, "%k.first")) if self.windowed(x) and self.straight(x) else ""
        for number in range(self.moved(x)):
            if self.straight(x):
                deep, valid = k, f"%{x}.valid{number}"
            else:
                deep, valid = self.value(f"add i64 {k}, {number * self.step(x)}"), f"%{x}.valid0"
            inside = self.value(f"and i1 {valid}, {self.value(f'icmp slt i64 {deep}, {self.depths}')}")
            if self.windowed(x):
                part = f"%{x}.part{number if self.straight(x) else 0}"
                offset = self.i64("add", part, same or self.offsets.pixel(self.i64("add", deep, "%k.first")))
                where = self.value(f"getelementptr {self.kind}, {GLOBAL} %{x}.first, i64 {offset}")
            else:
                offset = self.value(f"mul i64 %{x}.apart, {number}")
                where = self.value(f"getelementptr i8, {GLOBAL} {place}, i64 {offset}")
            where = self.value(f"select i1 {inside}, {GLOBAL} {where}, {GLOBAL} %{x}.first")
            loaded = self.value(f"load {kind}, {GLOBAL} {where}, align {width * SIZES[self.p.dtype]}")
            nothing = self.zero() if width == 1 else "zeroinitializer"
            found.append(self.value(f"select i1 {inside}, {kind} {loaded}, {kind} {nothing}"))
        return found

    def panel_store(self, x: str, number: int, register: str) -> None:
        offset = self.value(f"add i64 {self.value(f'mul i64 %{x}.deep, {self.p.row}')}, %{x}.along")
        further = number * self.step(x) * (1 if self.straight(x) else self.p.row)
        where = self.value(f"getelementptr {self.kind}, {SHARED} {self.side(x)}, i64 {offset}")
        where = self.value(f"getelementptr {self.kind}, {SHARED} {where}, i64 {further}")
        width = self.width(x)
        if width == 1:
            self.emit(f"store {self.kind} {register}, {SHARED} {where}")
        elif not self.straight(x):
            self.emit(f"store <{width} x {self.kind}> {register}, {SHARED} {where}, align 16")
        else:
            for i in range(width):
                element = self.value(f"extractelement <{width} x {self.kind}> {register}, i32 {i}")
                there = self.value(f"getelementptr {self.kind}, {SHARED} {where}, i64 {i * self.p.row}")
                self.emit(f"store {self.kind} {element}, {SHARED} {there}")

    def side(self, x: str) -> str:
        """Where the panel lies that is multiplied now."""
        return self.value(f"getelementptr {self.kind}, {SHARED} @shared_{x}, i64 %side")

    def zero(self) -> str:
        return "0.0" if self.floating() else "0"

    def loop(self) -> None:
        each, kind = self.p.each, self.kind
        pieces = [(x, number) for x in "ab" for number in range(self.moved(x))]
        kinds = {x: kind if self.width(x) == 1 else f"<{self.width(x)} x {kind}>" for x in "ab"}
        for x in "ab":
            self.start_panels(x)
        first = {x: self.panel_loads(x, f"%{x}.start", "0") for x in "ab"}
        self.emit("br label %start")
        self.label("start")
        self.emit("br label %panel")
        self.label("panel")
        self.emit("%depth = phi i64 [ 0, %start ], [ %depth.next, %panel ]")
        self.emit("%side = phi i64 [ 0, %start ], [ %side.next, %panel ]")
        for x in "ab":
            if not self.windowed(x):
                self.emit(f"%{x}.at = phi {GLOBAL} [ %{x}.start, %start ], [ %{x}.at.next, %panel ]")
        for x, number in pieces:
            self.emit(f"%{x}{number} = phi {kinds[x]} [ {first[x][number]}, %start ], [ %{x}{number}.next, %panel ]")
        for i in range(each):
            for j in range(each):
                self.emit(f"%c{i}.{j} = phi {kind} [ {self.zero()}, %start ], [ %c{i}.{j}.next, %panel ]")
        for x, number in pieces:
            self.panel_store(x, number, f"%{x}{number}")
        self.barrier()                                     # the panel before is read by nobody then: it may be written
        self.emit(f"%side.next = sub i64 {self.panel()}, %side")
        self.emit(f"%depth.next = add i64 %depth, {self.p.depth}")
        for x in "ab":
            if not self.windowed(x):
                self.emit(f"%{x}.at.next = getelementptr i8, {GLOBAL} %{x}.at, i64 %{x}.advance")
            for number, found in enumerate(self.panel_loads(x, f"%{x}.at.next", "%depth.next")):
                self.emit(f"%{x}{number}.next = bitcast {kinds[x]} {found} to {kinds[x]}")
        sums = {(i, j): f"%c{i}.{j}" for i in range(each) for j in range(each)}
        for deep in range(self.p.depth):
            rows, columns = self.part("a", "%thread.y", deep), self.part("b", "%thread.x", deep)
            for i, j in sums:
                sums[i, j] = self.multiply_add(rows[i], columns[j], sums[i, j])
        for (i, j), register in sums.items():
            self.emit(f"%c{i}.{j}.next = bitcast {kind} {register} to {kind}")
        more = self.value(f"icmp slt i64 %depth.next, {self.depths}")
        self.emit(f"br i1 {more}, label %panel, label %write")

    def part(self, x: str, thread: str, deep: int) -> list[str]:
        """This thread's elements of a row of a panel."""
        group, found = self.p.group, []
        for number in range(self.p.each // group):
            at = self.value(f"mul i64 {thread}, {group}")
            at = self.value(f"add i64 {at}, {deep * self.p.row + number * SIDE * group}")
            where = self.value(f"getelementptr {self.kind}, {SHARED} {self.side(x)}, i64 {at}")
            whole = self.value(f"load <{group} x {self.kind}>, {SHARED} {where}, align {group * SIZES[self.p.dtype]}")
            found += [self.value(f"extractelement <{group} x {self.kind}> {whole}, i32 {i}") for i in range(group)]
        return found

    def multiply_add(self, a: str, b: str, c: str) -> str:
        if self.floating():
            arguments = ", ".join(f"{self.kind} {x}" for x in (a, b, c))
            return self.value(f"call {self.kind} @llvm.fma.{self.p.dtype}({arguments})")
        return self.value(f"add {self.kind} {self.value(f'mul {self.kind} {a}, {b}')}, {c}")

    def write(self) -> None:
        self.label("write")
        width = self.p.group if self.p.wide_c else 1
        for i in range(self.p.each):
            row = self.value(f"add i64 {self.element('%thread.y', i)}, %row")
            valid = self.value(f"icmp slt i64 {row}, %m")
            start = self.value(f"mul i64 {row}, {'%c.row' if self.p.spaced else '%n'}")
            for j in range(0, self.p.each, width):
                column = self.value(f"add i64 {self.element('%thread.x', j)}, %column")
                inside = self.value(f"and i1 {valid}, {self.value(f'icmp slt i64 {column}, %n')}")
                self.emit(f"br i1 {inside}, label %store{i}.{j}, label %next{i}.{j}")
                self.label(f"store{i}.{j}")
                at = self.value(f"add i64 {start}, {column}")
                where = self.value(f"getelementptr {self.kind}, {GLOBAL} %c.first, i64 {at}")
                self.store([f"%c{i}.{j + side}.next" for side in range(width)], where)
                self.emit(f"br label %next{i}.{j}")
                self.label(f"next{i}.{j}")
        self.emit("ret void")

    def store(self, elements: list[str], where: str) -> None:
        """Neighbours, together."""
        if len(elements) == 1:
            self.emit(f"store {self.kind} {elements[0]}, {GLOBAL} {where}")
            return
        kind, whole = f"<{len(elements)} x {self.kind}>", "undef"
        for number, element in enumerate(elements):
            whole = self.value(f"insertelement {kind} {whole}, {self.kind} {element}, i32 {number}")
        self.emit(f"store {kind} {whole}, {GLOBAL} {where}, align {len(elements) * SIZES[self.p.dtype]}")

    def element(self, thread: str, number: int) -> str:
        """Where in the tile the thread's number-th row or column is."""
        group = self.p.group
        at = self.value(f"mul i64 {thread}, {group}")
        return self.value(f"add i64 {at}, {number // group * SIDE * group + number % group}")
