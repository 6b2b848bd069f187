"""A map without a reduction as a GPU kernel.

Each thread takes UNROLLED elements, a block's width apart. It loads all of them before it stores any, which keeps
several loads in flight; for a position after the end it loads its first one again, and stores nothing. If operands lie
along different axes (a transpose), a block takes a tile of those two instead.

Parameters in order: sizes, their product, accesses (address, strides of the axes), constants.
"""
from __future__ import annotations

from collections.abc import Sequence

from graphc.exec.cuda.code.programs import THREADS, UNROLLED, KernelWriter, unrolled

TILE = 32                  # a side of a tile


class ElementWriter(KernelWriter):
    """See the header."""

    def functions(self) -> None:
        self.function("gc_element", self.parts.element_values, [v for _, v in self.parts.element_stores], ())

    def body(self) -> None:
        sizes = [self.parameter("i64", f"size{k}") for k in range(self.shape.outer)]
        count = self.parameter("i64", "count")
        self.access_parameters(self.parts.element_loads, [n for n, _ in self.parts.element_stores], len(sizes))
        if self.shape.tiled:
            self.elements(self.tile(sizes))
            return
        width = unrolled(self.program)
        first = self.i64("mul", self.special("ctaid.x"), THREADS * width)
        first = self.i64("add", first, self.special("tid.x"))
        self.go_on_if(f"icmp slt i64 {first}, {count}")
        chosen = []
        for u in range(width):
            position = self.i64("add", first, THREADS * u) if u else first
            inside = self.less(position, count)
            chosen.append((inside, self.indices(self.chosen(inside, position, first), sizes)))
        self.elements(chosen)

    def go_on_if(self, condition: str) -> None:
        """Other threads end."""
        self.emit(f"br i1 {self.value(condition)}, label %go, label %done")
        self.label("go")

    def tile(self, sizes: Sequence[str]) -> list[tuple[str, list[str]]]:
        """(whether it is inside, indices) of this thread's elements of its block's tile: TILE x TILE of the last two
        axes. A warp has 4 x 8 of them, so that what lies along either axis is read and written in whole sectors."""
        thread, block = self.special("tid.x"), self.special("ctaid.x")
        tiles = [self.i64("udiv", self.i64("add", size, TILE - 1), TILE) for size in sizes[-2:]]
        right, rest = self.i64("urem", block, tiles[1]), self.i64("udiv", block, tiles[1])
        down, rest = self.i64("urem", rest, tiles[0]), self.i64("udiv", rest, tiles[0])
        outer = self.indices(rest, sizes[:-2])
        column = self.i64("and", thread, 7)                            # bits of a thread: iwwiijjj, w: of j
        warp = self.i64("lshr", thread, 5)
        column = self.i64("add", column, self.i64("mul", self.i64("and", warp, 3), 8))
        row = self.i64("and", self.i64("lshr", thread, 3), 3)
        row = self.i64("add", row, self.i64("mul", self.i64("lshr", warp, 2), 4))
        j = self.i64("add", column, self.i64("mul", right, TILE))
        i = self.i64("add", row, self.i64("mul", down, TILE))
        first = self.less(i, sizes[-2])
        self.go_on_if(f"and i1 {first}, {self.value(f'icmp slt i64 {j}, {sizes[-1]}')}")
        chosen = []
        for u in range(UNROLLED):
            further = self.i64("add", i, TILE // UNROLLED * u)
            inside = self.less(further, sizes[-2])
            chosen.append((inside, [*outer, self.chosen(inside, further, i), j]))
        return chosen

    def elements(self, chosen: Sequence[tuple[str, Sequence[str]]]) -> None:
        """Loads them all, then computes and stores one after the other; the kernel's end."""
        loaded = [{n: self.load(n, self.offset(n, indices)) for n in self.parts.element_loads}
                  for _, indices in chosen]
        stores = self.parts.element_stores
        for u, ((inside, indices), known) in enumerate(zip(chosen, loaded, strict=True)):
            offsets = {n: self.counted(n, indices) for n, _ in self.parts.counts}
            made = self.call("gc_element", self.parts.element_values, [v for _, v in stores], known, offsets)
            self.emit(f"br i1 {inside}, label %store{u}, label %next{u}")
            self.label(f"store{u}")
            for (number, value), register in zip(stores, made, strict=True):
                self.store(number, value, register, self.offset(number, indices))
            self.emit(f"br label %next{u}")
            self.label(f"next{u}")
        self.emit("br label %done")
        self.label("done")
        self.emit("ret void")
