"""Matrix products by warpgroups (wgmma) and TMA: c = a b of bfloat16, float16, or float32 cut to tf32, batched; the
sums are float32, c is that or a 16-bit float. For compute capability 9.0.

A block makes a tile of 128 x `columns` of c. One thread copies panels of a and b, a line of 128 bytes deep along k,
into a ring of stages; two warpgroups multiply them, 64 rows each. A stage has two barriers: `full` ends a phase when
the panels' bytes have come, `empty` when all warps have done with them. A warpgroup gives a stage back when the next
one's products have begun, so that the tensor cores always have some. Outside of the matrices TMA writes zeros, so tiles
at the edges are multiplied like others; only what lies in c is stored.

Blocks are numbered so that those which run at the same time share rows and columns: bands of BAND tiles, across.
"""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from graphc.exec.cuda.code import warpgroups as w
from graphc.exec.cuda.code.builder import Array, KernelBuilder, Value
from graphc.exec.cuda.code.short_floats import rounded_to
from graphc.exec.cuda.code.warpgroup_windows import (
    WINDOWS,
    WindowDepths,
    Windowed,
    WindowRows,
    Windows,
    row_of_tap,
)
from graphc.exec.cuda.code.warpgroups import Assembly, Element

HEIGHT = 2 * w.ROWS                            # of a tile
CONSUMERS = 2 * w.WARPGROUP                    # threads that multiply; after them is the warp of the one that copies
THREADS = CONSUMERS + 32
STAGES = {128: 3, 256: 4}                      # by columns: of the narrow tile two blocks share a multiprocessor
BAND = 8                                       # tiles
NOT_A_NUMBER = 0x7FC00000                      # bits of float32


@dataclass(frozen=True)
class WarpgroupProduct:
    """along_a, along_b: whether k lies along the rows in memory. wide: two neighbours of c may be stored together.
    parts: the batch is the parts of one long product. result: of c in memory, f32 or a 16-bit float, to which sums are
    rounded. windows: how a is made of windows of pictures, if it is."""

    element: Element
    columns: int
    along_a: bool
    along_b: bool
    wide: bool
    parts: bool = False
    result: str = "f32"
    windows: Windowed = Windowed.NOT

    @property
    def panels(self) -> tuple[int, int]:
        """Bytes of a stage's panels."""
        return HEIGHT * w.LINE, self.columns * w.LINE

    @property
    def shared(self) -> int:
        """Bytes of shared memory that a launch must give: stages, barriers, and what aligns them."""
        return w.GROUP_BYTES + STAGES[self.columns] * (sum(self.panels) + 16)


@dataclass(frozen=True)
class Ring:
    """Where stages and barriers are; the panels along k that this block multiplies, from which one on; how often a
    thread asks barriers in vain."""

    stages: Value
    barriers: Value
    count: int
    first: Value
    panels: Value
    patience: Value

    def full(self, stage: Value) -> Value:
        return self.barriers + stage * 8

    def empty(self, stage: Value) -> Value:
        return self.barriers + stage * 8 + 8 * self.count


@dataclass(frozen=True)
class Tile:
    row: Value
    column: Value
    batch: Value


def warpgroup_product(p: WarpgroupProduct) -> KernelBuilder:
    """gc_warpgroup_product(tensor maps of a and b, c, m, n, k, elements from one matrix of c to the next and from one
    row to the next, 1 or 0: whether a, and b, has a matrix for each of the batch, how often a thread asks barriers in
    vain; of parts, how many panels along k one has; of windows WINDOWS)."""
    k = KernelBuilder("gc_warpgroup_product", narrow=True, threads=THREADS,
                      attributes=' "nvvm.minctasm"="2"' if p.columns == 128 else "")
    maps = k.tensor_map("a"), k.tensor_map("b")
    c = k.array("c", p.result)
    m, n, depth, c_batch, c_row, a_step, b_step, patience = k.numbers(
        "m", "n", "k", "c.batch", "c.row", "a.step", "b.step", "patience")
    tile, panels = _tile(k, p, m, n), (depth + (p.element.line - 1)) // p.element.line
    first = k.constant(0, "i64")
    if p.parts:
        part = k.number("part")
        first = tile.batch * part
        panels = k.least(panels - first, part)
    windows = Windows(*k.numbers(*WINDOWS)) if p.windows is not Windowed.NOT else None
    stages, count = (k.dynamic_shared() + (w.GROUP_BYTES - 1)) & -w.GROUP_BYTES, STAGES[p.columns]
    ring = Ring(stages, stages + count * sum(p.panels), count, first, panels, patience)
    thread = k.index("tid.x")
    with k.when(thread.equals(CONSUMERS)):
        for stage in range(count):
            w.started(k, ring.full(k.constant(stage, "i64")), 1)
            w.started(k, ring.empty(k.constant(stage, "i64")), CONSUMERS // 32)
        w.seen_by_copies(k)
    k.barrier()
    with k.when(thread.equals(CONSUMERS)):
        _copy(k, p, ring, maps, tile, (tile.batch * a_step, tile.batch * b_step), windows)
    k.go_on_if(thread < CONSUMERS)
    sums = _multiply(k, p, ring, thread)
    _store(k, p, sums, thread, tile, c.at(tile.batch * c_batch), c_row, m, n, windows)
    return k


def _tile(k: KernelBuilder, p: WarpgroupProduct, m: Value, n: Value) -> Tile:
    """This block's: bands of BAND rows of tiles, in each of which tiles go down before they go across."""
    down, across = ((size // side).to("u32") for size, side in ((m + (HEIGHT - 1), HEIGHT),
                                                                (n + (p.columns - 1), p.columns)))
    block = k.index("ctaid.x").to("u32")
    batch, rest = block // (down * across), block % (down * across)
    band, inside = rest // (across * BAND), rest % (across * BAND)
    height = k.least(down - band * BAND, BAND)
    row, column = band * BAND + inside % height, inside // height
    return Tile(row.to("i64") * HEIGHT, column.to("i64") * p.columns, batch.to("i64"))


def _copy(k: KernelBuilder, p: WarpgroupProduct, ring: Ring, maps: tuple[str, str], tile: Tile,
          matrices: tuple[Value, Value], windows: Windows | None) -> None:
    """The thread that copies: a stage each round, when it is empty. A barrier that is new counts as one whose phase of
    parity 1 has ended."""
    stage, parity, tries = k.variable(0), k.variable(1), k.variable(ring.patience)
    seen = None
    if windows is not None:
        seen = (WindowRows if p.windows is Windowed.ROWS else WindowDepths)(k, windows, p.element.line, tile.row,
                                                                            ring.first)
    with k.loop(0, ring.panels) as number:
        full = ring.full(stage.get())
        w.wait(k, ring.empty(stage.get()), parity.get(), tries)
        k.go_on_if(tries.get() > 0)
        w.announced(k, full, sum(p.panels))
        to = ring.stages + stage.get() * sum(p.panels)
        if seen is not None:
            seen.start(to, maps[0], full)
            _boxes(k, p, to + p.panels[0], maps[1], p.along_b, p.columns, (seen.deep, tile.column, seen.matrix), full)
            seen.go_on()
        else:
            deep = (ring.first + number) * p.element.line
            _boxes(k, p, to, maps[0], p.along_a, HEIGHT, (deep, tile.row, matrices[0]), full)
            _boxes(k, p, to + p.panels[0], maps[1], p.along_b, p.columns, (deep, tile.column, matrices[1]), full)
        following = stage.get() + 1
        wraps = following.equals(ring.count)
        parity.set(k.choose(wraps, parity.get() ^ 1, parity.get()))
        stage.set(k.choose(wraps, 0, following))


def _boxes(k: KernelBuilder, p: WarpgroupProduct, to: Value, tensor: str, along: bool, lines: int,
           place: tuple[Value, Value, Value], full: Value) -> None:
    """Starts the copies of a matrix's panel. lines: rows or columns of the tile; place: along k, of the tile,
    matrix."""
    deep, first, matrix = place
    if along:
        w.box(k, to, tensor, (deep, first, matrix), full)
        return
    for block in range(lines // p.element.line):
        w.box(k, to + block * _block(p), tensor, (first + block * p.element.line, deep, matrix), full)


def _block(p: WarpgroupProduct) -> int:
    """Bytes of a panel whose k lies across its lines, for the rows or columns of one line."""
    return p.element.line * w.LINE


def _multiply(k: KernelBuilder, p: WarpgroupProduct, ring: Ring, thread: Value) -> list[Value]:
    """This thread's sums. All of it is one piece of assembly, in which addresses and lower halves of descriptors have
    32 bits."""
    element, piece = p.element, Assembly([k.constant(0.0, "f32")] * (p.columns // 2))
    own_rows = ring.stages + (thread >> 7) * (w.ROWS * w.LINE)
    a = piece.given(w.descriptor_low(own_rows, p.along_a, _block(p)))
    b = piece.given(w.descriptor_low(ring.stages + p.panels[0], p.along_b, _block(p)))
    full, panels, lane = (piece.given(v.to("i32")) for v in (ring.barriers, ring.panels, thread & 31))
    tries, again, stage = piece.given(ring.patience), piece.label("PANEL"), sum(p.panels) >> 4
    piece.add(".reg .pred %pw_lane, %pw_more;", ".reg .b64 %rdw_tries, %rdw_a, %rdw_b;",
              ".reg .b32 %rw_left, %rw_full, %rw_end, %rw_before, %rw_a, %rw_b, %rw_at, %rw_high, %rw_parity;",
              f"mov.b64 %rdw_tries, {tries};", f"mov.b32 %rw_left, {panels};", f"mov.b32 %rw_full, {full};",
              f"add.s32 %rw_end, {full}, {8 * ring.count};", "mov.b32 %rw_before, 0;", f"mov.b32 %rw_a, {a};",
              f"mov.b32 %rw_b, {b};", f"mov.b32 %rw_high, {w.DESCRIPTOR_HIGH};", "mov.b32 %rw_parity, 0;",
              f"setp.eq.s32 %pw_lane, {lane}, 0;", f"{again}:")
    w.waited(piece, "%rw_full", "%rw_parity", "%rdw_tries")
    piece.add("wgmma.fence.sync.aligned;")
    for step in range(element.line // element.step):
        for side, along in (("a", p.along_a), ("b", p.along_b)):
            piece.add(f"add.s32 %rw_at, %rw_{side}, {step * w.next_step(along, element)};",
                      f"mov.b64 %rdw_{side}, {{%rw_at, %rw_high}};")
        piece.add(w.multiplied(element, p.columns, "%rdw_a", "%rdw_b", p.along_a, p.along_b))
    # All but these products are done: the stage before is nobody's any more.
    piece.add("wgmma.commit_group.sync.aligned;", "wgmma.wait_group.sync.aligned 1;",
              "setp.ne.s32 %pw_more, %rw_before, 0;", "and.pred %pw_more, %pw_more, %pw_lane;",
              "@%pw_more mbarrier.arrive.shared::cta.b64 _, [%rw_before];")
    # The next stage: the first one follows the last one, and there the other parity.
    piece.add(f"add.s32 %rw_before, %rw_full, {8 * ring.count};", "add.s32 %rw_full, %rw_full, 8;",
              f"add.s32 %rw_a, %rw_a, {stage};", f"add.s32 %rw_b, %rw_b, {stage};", "xor.b32 %rw_at, %rw_parity, 1;",
              "setp.eq.s32 %pw_more, %rw_full, %rw_end;", f"selp.b32 %rw_full, {full}, %rw_full, %pw_more;",
              f"selp.b32 %rw_a, {a}, %rw_a, %pw_more;", f"selp.b32 %rw_b, {b}, %rw_b, %pw_more;",
              "selp.b32 %rw_parity, %rw_at, %rw_parity, %pw_more;", "add.s32 %rw_left, %rw_left, -1;",
              "setp.ne.s32 %pw_more, %rw_left, 0;", f"@%pw_more bra {again};", "wgmma.wait_group.sync.aligned 0;")
    # Who gave up has no result, even if the panels should have come in time.
    piece.add("setp.le.s64 %pw_more, %rdw_tries, 0;",
              *(f"@%pw_more mov.b32 ${number}, {NOT_A_NUMBER};" for number in range(p.columns // 2)))
    return piece.write(k)


def _store(k: KernelBuilder, p: WarpgroupProduct, sums: Sequence[Value], thread: Value, tile: Tile, c: Array,
           c_row: Value, m: Value, n: Value, windows: Windows | None) -> None:
    """A warp has 16 rows; a lane the neighbours 2 (lane % 4) of each 8 columns, in rows lane / 4 and 8 further."""
    row = tile.row + (thread >> 5) * 16 + ((thread & 31) >> 2)
    column = tile.column + (thread & 3) * 2
    left = n - column                          # columns: what is compared with is a number then, and takes no register
    for half in range(2):
        at_row = row + 8 * half
        inside = at_row < m
        if windows is not None and p.windows is Windowed.DEPTHS:
            at_row, is_channel = row_of_tap(k, windows, p.element.line, at_row)
            inside = inside & is_channel
        with k.when(inside):
            line = c.at(at_row * c_row + column)
            for at in range(0, p.columns, 8):
                pair = [rounded_to(k, x, p.result) for x in sums[at // 2 + 2 * half:at // 2 + 2 * half + 2]]
                if p.wide:
                    with k.when(left > at):
                        line.set_group(at, pair)
                else:
                    for side, value in enumerate(pair):
                        with k.when(left > at + side):
                            line[at + side] = value
