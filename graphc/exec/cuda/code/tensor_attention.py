"""Attention on tensor cores (code/attention.py says what it computes): factors, and the exponentials, are rounded to
tf32; sums are float32's. From compute capability 8.0 on.

A warp has `bands` bands of 16 rows of q, whose registers hold them, their scores and their results: so neither goes
through shared memory. What mma leaves of scores lies in other lanes than it takes factors from, but in the same rows;
as a sum does not mind which key is which, the lanes' keys are renamed: k = t is key 2 t, k = t + 4 is key 2 t + 1, for
v as well. Tiles of k and v are copied by cp.async, the next one while this one is multiplied, with one barrier each.
A row of theirs in shared memory is 4 words longer than a multiple of 8, so that a warp reads different banks.
"""
from __future__ import annotations

from dataclasses import dataclass

from graphc.exec.cuda.code.attention_tile import LOWEST
from graphc.exec.cuda.code.builder import THREADS, Array, KernelBuilder, Value, Variable
from graphc.exec.cuda.code.tensor_products import DECLARATIONS, MATRIX_STEP, multiply
from graphc.exec.cuda.code.warps import DECLARATIONS as SHUFFLES
from graphc.exec.cuda.code.warps import WARPS, of_partner

BAND = 16


@dataclass(frozen=True)
class TensorAttention:
    """steps, columns: pieces of 8 of a row of q and k, and of v. bands: of a warp. keys: of a tile, a multiple of 8.
    wide_k, wide_v: their rows may be copied 16 bytes at a time."""

    steps: int
    columns: int
    bands: int
    keys: int
    masked: bool
    kept: bool
    wide_k: bool
    wide_v: bool

    @property
    def rows_of_tile(self) -> int:
        return WARPS * BAND * self.bands


def tensor_attention(p: TensorAttention) -> KernelBuilder:
    """gc_tensor_attention(...): parameters as gc_attention's."""
    k = KernelBuilder("gc_tensor_attention", before=DECLARATIONS + SHUFFLES)
    q, keys, v, mask = (k.array(name, "f32") for name in ("q", "k", "v", "mask"))
    kept = k.array("kept", "f32") if p.kept else None
    y = k.array("y", "f32")
    rows, count, depth, columns, inner, mask_outer, mask_inner, mask_row, bits = k.numbers(
        "rows", "keys", "depth", "columns", "inner", "mask.outer", "mask.inner", "mask.row", "scale")
    scale = k.made(f"fptrunc double {k.from_bits(bits, 'f64')} to float", "f32")
    tiles = (rows + (p.rows_of_tile - 1)) // p.rows_of_tile
    matrix, first_row = k.index("ctaid.x") // tiles, k.index("ctaid.x") % tiles * p.rows_of_tile
    at_mask = mask.at(matrix // inner * mask_outer + matrix % inner * mask_inner)
    of_k = _Tiles(k, p, "k", 8 * p.steps, p.wide_k, keys.at(matrix * count * depth), count, depth)
    of_v = _Tiles(k, p, "v", 8 * p.columns, p.wide_v, v.at(matrix * count * columns), count, columns)
    lane = k.index("tid.x") & 31
    warp_row = first_row + (k.index("tid.x") >> 5) * (BAND * p.bands)
    bands = [_Band(k, p, warp_row + BAND * number, lane, rows) for number in range(p.bands)]
    for band in bands:
        band.load(q.at(matrix * rows * depth), depth)
    slot = k.variable(0)
    _copy(k, of_k, of_v, slot.get(), k.constant(0, "i64"))
    with k.loop(0, count, p.keys) as first:
        k.emit("call void @llvm.nvvm.cp.async.wait.group(i32 0)")
        k.barrier()                                    # the tile is there, and nobody reads the other slot any more
        here = slot.get()
        slot.set(1 - here)
        _copy(k, of_k, of_v, 1 - here, first + p.keys)
        scores = _scores(k, p, of_k, here, lane, bands)
        for band, of_band in zip(bands, scores, strict=True):
            band.exponentials(of_band, scale, at_mask, mask_row, first, count)
        _add(k, p, of_v, here, lane, bands)
    k.emit("call void @llvm.nvvm.cp.async.wait.group(i32 0)")      # of the tile after the last, which is empty
    for band in bands:
        band.write(y.at(matrix * rows * columns), columns, None if kept is None else kept.at(matrix * rows * 2))
    return k


class _Tiles:
    """Of k or v: two slots of `keys` rows in shared memory, `width` words of each of which are used."""

    def __init__(self, k: KernelBuilder, p: TensorAttention, name: str, width: int, wide: bool, source: Array,
                 count: Value, columns: Value) -> None:
        self.k, self.keys, self.width, self.wide = k, p.keys, width, wide
        self.source, self.count, self.columns = source, count, columns
        self.pitch = width + 4
        self.shared = k.shared(name, "f32", 2 * p.keys * self.pitch)

    def at(self, slot: Value, key: Value) -> Array:
        return self.shared.at((slot * self.keys + key) * self.pitch)

    def copy(self, slot: Value, first: Value) -> None:
        """Starts this thread's copies of the tile from key `first` on; zeros where nothing is."""
        k, each = self.k, 4 if self.wide else 1
        name = "cg.shared.global.16.s" if self.wide else "ca.shared.global.4.s"
        pieces = self.keys * self.width // each
        for number in range(-(-pieces // THREADS)):
            piece = k.index("tid.x") + number * THREADS
            with k.when(piece < pieces):
                key, column = piece // (self.width // each), piece % (self.width // each) * each
                inside = (first + key < self.count) & (column < self.columns)
                source = self.source.at(k.choose(inside, (first + key) * self.columns + column, 0))
                count = k.choose(inside, 4 * each, k.constant(0, "i32"))
                k.emit(f"call void @llvm.nvvm.cp.async.{name}(ptr addrspace(3) {self.at(slot, key).at(column).register}"
                       f", ptr addrspace(1) {source.register}, i32 {count})")


def _copy(k: KernelBuilder, of_k: _Tiles, of_v: _Tiles, slot: Value, first: Value) -> None:
    of_k.copy(slot, first)
    of_v.copy(slot, first)
    k.emit("call void @llvm.nvvm.cp.async.commit.group()")


class _Band:
    """16 rows of q and of the result; this lane has parts of two of them: row lane / 4, and the one 8 further."""

    def __init__(self, k: KernelBuilder, p: TensorAttention, first: Value, lane: Value, rows: Value) -> None:
        self.k, self.p, self.lane, self.count = k, p, lane, rows
        self.rows = [first + (lane >> 2) + 8 * half for half in range(2)]
        self.greatest = [k.variable(LOWEST, "f32") for _ in range(2)]
        self.total = [k.variable(0.0, "f32") for _ in range(2)]
        self.made = [[k.variable(0.0, "f32") for _ in range(4)] for _ in range(p.columns)]
        self.q: list[list[str]] = []
        self.powers: list[list[str]] = []

    def load(self, q: Array, depth: Value) -> None:
        """This lane's part of q, as mma takes it."""
        k = self.k
        for step in range(self.p.steps):
            words = []
            for late in range(2):
                column = (self.lane & 3) + (MATRIX_STEP * step + 4 * late)
                for row in self.rows:
                    inside = (row < self.count) & (column < depth)
                    value = q[k.choose(inside, row * depth + column, 0)]
                    words.append(_rounded(k, k.choose(inside, value, k.constant(0.0, "f32"))))
            self.q.append(words)

    def exponentials(self, scores: list[list[Variable]], scale: Value, mask: Array, mask_row: Value, first: Value,
                     count: Value) -> None:
        """Of a tile's scores, rounded, as mma takes them; what was added up is brought to the same largest score."""
        k, pieces = self.k, len(scores)
        places = [[first + (8 * piece + side) + (self.lane & 3) * 2 for side in range(2)] for piece in range(pieces)]
        inside = [[place < count for place in pair] for pair in places]
        lowest, zero = k.constant(LOWEST, "f32"), k.constant(0.0, "f32")
        found: list[list[list[Value]]] = []                        # by half, piece and side
        for half in range(2):
            row = k.least(self.rows[half], self.count - 1) * mask_row
            line = [[scores[piece][2 * half + side].get() * scale for side in range(2)] for piece in range(pieces)]
            if self.p.masked:
                line = [[score + mask[row + k.choose(there, place, 0)] for score, place, there in zip(*of, strict=True)]
                        for of in zip(line, places, inside, strict=True)]
            line = [[k.choose(there, score, lowest) for score, there in zip(*of, strict=True)]
                    for of in zip(line, inside, strict=True)]
            known = self.greatest[half].get()
            for score in (score for pair in line for score in pair):
                known = k.call("max", known, score)
            known = self._of_the_row(known, "max")
            base = k.choose(known.equals(LOWEST), zero, known)
            shrunk = k.call("exp", self.greatest[half].get() - base)
            line = [[k.choose(there, k.call("exp", score - base), zero) for score, there in zip(*of, strict=True)]
                    for of in zip(line, inside, strict=True)]
            total = self.total[half].get() * shrunk
            for power in (power for pair in line for power in pair):
                total = total + power
            self.total[half].set(total)
            self.greatest[half].set(known)
            for piece in self.made:
                for place in piece[2 * half:2 * half + 2]:
                    place.set(place.get() * shrunk)
            found.append(line)
        self.powers = [[_rounded(k, found[half][piece][side]) for side in range(2) for half in range(2)]
                       for piece in range(pieces)]

    def write(self, y: Array, columns: Value, kept: Array | None) -> None:
        k = self.k
        for half, row in enumerate(self.rows):
            scale = k.constant(1.0, "f32") / self._of_the_row(self.total[half].get(), "add")
            for number, piece in enumerate(self.made):
                for side in range(2):
                    column = (self.lane & 3) * 2 + (8 * number + side)
                    with k.when((row < self.count) & (column < columns)):
                        y[row * columns + column] = piece[2 * half + side].get() * scale
            if kept is not None:
                with k.when((row < self.count) & (self.lane & 3).equals(0)):
                    kept[row * 2] = self.greatest[half].get()
                    kept[row * 2 + 1] = scale

    def _of_the_row(self, value: Value, how: str) -> Value:
        """What the values of the 4 lanes that share a row come to, the same to the bit in all of them."""
        k = self.k
        for distance in (2, 1):
            other = of_partner(k, value, distance)
            value = value + other if how == "add" else k.call("max", value, other)
        return value


def _scores(k: KernelBuilder, p: TensorAttention, of_k: _Tiles, slot: Value, lane: Value,
            bands: list[_Band]) -> list[list[list[Variable]]]:
    """q kT of each band, in pieces of 8 keys."""
    found = [[[k.variable(0.0, "f32") for _ in range(4)] for _ in range(p.keys // 8)] for _ in bands]
    for piece in range(p.keys // 8):
        row = of_k.at(slot, (lane >> 2) + 8 * piece)
        for step in range(p.steps):
            words = [_rounded(k, row[(lane & 3) + (MATRIX_STEP * step + 4 * late)]) for late in range(2)]
            for band, sums in zip(bands, found, strict=True):
                multiply(k, band.q[step], words, sums[piece])
    return found


def _add(k: KernelBuilder, p: TensorAttention, of_v: _Tiles, slot: Value, lane: Value, bands: list[_Band]) -> None:
    """Adds the exponentials times v."""
    for piece in range(p.keys // 8):
        rows = [of_v.at(slot, (lane & 3) * 2 + (8 * piece + side)) for side in range(2)]
        for number in range(p.columns):
            words = [_rounded(k, row[(lane >> 2) + 8 * number]) for row in rows]
            for band in bands:
                multiply(k, band.powers[piece], words, band.made[number])


def _rounded(k: KernelBuilder, value: Value) -> str:
    """As tf32."""
    return k.value(f"call i32 @llvm.nvvm.f2tf32.rna(float {value})")
