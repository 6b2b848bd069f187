"""Attention as one kernel: softmax(scale * q kT + mask) v of batches, blockwise, so that scores never are in memory;
and its gradient as two, which compute the scores anew (attention_tile.py says how).

A block of the forward kernel goes over the keys a tile at a time. With every tile the largest score of a row so far may
grow: what was added up is multiplied by what that makes of it. Keys after the last count for nothing. While all scores
of a row are -inf, exponentials are taken of them as they are: they are 0, and the row is NaN in the end if nothing else
comes, as a softmax of such a row is.

`kept` is of each row its largest score, and 1 by the sum of the exponentials of all less the largest. With
p = exp(scores - largest) * that, dp = dy vT and d = sum(dy * y) along rows, ds = p (dp - d) scale; dq = ds k,
dk = dsT q, dv = pT dy. A block of the first kernel has rows of dq, of the second rows of dk and dv: no two blocks add
to one place.
"""
from __future__ import annotations

from dataclasses import dataclass

from graphc.exec.cuda.code.attention_tile import LOWEST, Numbers, Rows, Shape, Tile
from graphc.exec.cuda.code.builder import TWO_BLOCKS, Array, KernelBuilder, Value, Variable
from graphc.exec.cuda.code.warps import DECLARATIONS, joined

SIZES = ("rows", "keys", "depth", "columns", "inner", "mask.outer", "mask.inner", "mask.row", "scale")


@dataclass(frozen=True)
class Problem:
    """The parameters after the arrays: sizes, matrices of an inner axis, elements of the mask from one index of the
    outer axis, the inner one and the rows to the next, bits of the scale as a float64. matrix: this block's."""

    k: KernelBuilder
    matrix: Value
    tile: Value
    part: Value
    rows: Value
    keys: Value
    depth: Value
    columns: Value
    mask: Array
    mask_row: Value
    scale: Value

    def of_q(self, x: Array) -> Rows:
        return Rows(x.at(self.matrix * self.rows * self.depth), self.rows, self.depth)

    def of_k(self, x: Array) -> Rows:
        return Rows(x.at(self.matrix * self.keys * self.depth), self.keys, self.depth)

    def of_v(self, x: Array) -> Rows:
        return Rows(x.at(self.matrix * self.keys * self.columns), self.keys, self.columns)

    def of_y(self, x: Array) -> Rows:
        return Rows(x.at(self.matrix * self.rows * self.columns), self.rows, self.columns)

    def score(self, product: Value, row: Value, key: Value, masked: bool) -> Value:
        """Of a product of a row and a key, both of which are there."""
        score = product * self.scale
        return score + self.mask[row * self.mask_row + key] if masked else score


def problem(k: KernelBuilder, p: Shape, mask: Array, tiled: str) -> Problem:
    """This block's: its numbers are ctaid.x (a tile of "rows" or of "keys" of a matrix) and ctaid.y (a part)."""
    rows, keys, depth, columns, inner, outer_step, inner_step, mask_row, bits = k.numbers(*SIZES)
    scale = k.from_bits(bits, "f64")
    if p.dtype == "f32":
        scale = k.made(f"fptrunc double {scale} to float", "f32")
    tiles = ((rows if tiled == "rows" else keys) + (p.rows_of_tile - 1)) // p.rows_of_tile
    matrix = k.index("ctaid.x") // tiles
    return Problem(k, matrix, k.index("ctaid.x") % tiles * p.rows_of_tile, k.index("ctaid.y") * p.part, rows, keys,
                   depth, columns, mask.at(matrix // inner * outer_step + matrix % inner * inner_step), mask_row, scale)


def attention(p: Shape, kept: bool = False) -> KernelBuilder:
    """gc_attention(q, k, v, mask, kept if it is wanted, y, SIZES...)."""
    k = KernelBuilder("gc_attention", before=DECLARATIONS, attributes=TWO_BLOCKS)
    names = ("q", "k", "v", "mask", *(["kept"] if kept else []), "y")
    arrays = {name: k.array(name, p.dtype) for name in names}
    of = problem(k, p, arrays["mask"], "rows")
    tile = Tile(k, p, of.tile)
    q, keys, v, y = of.of_q(arrays["q"]), of.of_k(arrays["k"]), of.of_v(arrays["v"]), of.of_y(arrays["y"])
    rows = _Softmax(of, tile)
    made = tile.zeros()
    with k.loop(0, of.keys, p.columns_of_tile) as first:
        powers = rows.powers(tile.product(q, keys, first), first, made)
        tile.add(powers, v, first, of.part, made)
    scales = rows.scales()
    tile.write(y, of.part, made, lambda i, value: value * scales[i])
    if kept:
        rows.keep(arrays["kept"].at(of.matrix * of.rows * 2), scales)
    return k


class _Softmax:
    """Of this thread's rows: the largest score so far, and what its own exponentials come to."""

    def __init__(self, of: Problem, tile: Tile) -> None:
        self.k, self.p, self.of, self.tile = tile.k, tile.p, of, tile
        self.greatest = [self.k.variable(LOWEST, self.p.dtype) for _ in range(self.p.rows)]
        self.total = [self.k.variable(0.0, self.p.dtype) for _ in range(self.p.rows)]

    def powers(self, products: Numbers, first: Value, made: list[list[Variable]]) -> Numbers:
        """Exponentials of the scores; what was added up is brought to the same largest score."""
        k, lowest = self.k, self.k.constant(LOWEST, self.p.dtype)
        keys = [self.tile.column(first, j) for j in range(self.p.group)]
        inside, found = [key < self.of.keys for key in keys], []
        for i, line in enumerate(products):
            row, scores = k.least(self.tile.row(i), self.of.rows - 1), []
            for product, key, there in zip(line, keys, inside, strict=True):
                score = self.of.score(product, row, k.choose(there, key, 0), self.p.masked)
                scores.append(k.choose(there, score, lowest))
            found.append(self._of_row(i, scores, inside, made[i]))
        return found

    def _of_row(self, i: int, scores: list[Value], inside: list[Value], made: list[Variable]) -> list[Value]:
        k, zero = self.k, self.k.constant(0.0, self.p.dtype)
        greatest = self.tile.of_the_row(joined(scores, self._greater), self._greater)
        known = k.call("max", self.greatest[i].get(), greatest)
        base = k.choose(known.equals(LOWEST), zero, known)
        shrunk = k.call("exp", self.greatest[i].get() - base)
        powers = [k.choose(there, k.call("exp", score - base), zero)
                  for score, there in zip(scores, inside, strict=True)]
        self.total[i].set(self.total[i].get() * shrunk + joined(powers, lambda a, b: a + b))
        for place in made:
            place.set(place.get() * shrunk)
        self.greatest[i].set(known)
        return powers

    def _greater(self, a: Value, b: Value) -> Value:
        return self.k.call("max", a, b)

    def scales(self) -> list[Value]:
        """1 by the sum of each row's exponentials."""
        return [self.k.constant(1.0, self.p.dtype) / self.tile.of_the_row(total.get(), lambda a, b: a + b)
                for total in self.total]

    def keep(self, kept: Array, scales: list[Value]) -> None:
        k = self.k
        for i, scale in enumerate(scales):
            row = self.tile.row(i)
            with k.when((row < self.of.rows) & self.tile.x.equals(0) & self.of.part.equals(0)):
                kept[row * 2] = self.greatest[i].get()
                kept[row * 2 + 1] = scale


# The gradient

def gradient_of_q(p: Shape) -> KernelBuilder:
    """gc_attention_dq(q, k, v, dy, kept, sums of dy * y along rows, mask, dq, SIZES...)."""
    k = KernelBuilder("gc_attention_dq", attributes=TWO_BLOCKS)
    q, keys, v, dy, kept, sums, mask, dq = (k.array(name, p.dtype) for name in (
        "q", "k", "v", "dy", "kept", "sums", "mask", "dq"))
    of = problem(k, p, mask, "rows")
    tile = Tile(k, p, of.tile)
    made = tile.zeros()
    rows = [k.least(tile.row(i), of.rows - 1) for i in range(p.rows)]
    known = [_Known(kept.at(of.matrix * of.rows * 2), sums.at(of.matrix * of.rows), row) for row in rows]
    with k.loop(0, of.keys, p.columns_of_tile) as first:
        products = tile.product(of.of_q(q), of.of_k(keys), first)
        by_powers = tile.product(of.of_y(dy), of.of_v(v), first)
        by_scores: Numbers = []
        for i, line in enumerate(products):
            by_scores.append([])
            for j, product in enumerate(line):
                key = tile.column(first, j)
                there = key < of.keys
                power = known[i].power(of.score(product, rows[i], k.choose(there, key, 0), p.masked), k)
                found = power * (by_powers[i][j] - known[i].sum) * of.scale
                by_scores[-1].append(k.choose(there, found, k.constant(0.0, p.dtype)))
        tile.add(by_scores, of.of_k(keys), first, of.part, made)
    tile.write(of.of_q(dq), of.part, made)
    return k


def gradients_of_keys(p: Shape) -> KernelBuilder:
    """gc_attention_dkv(q, k, v, dy, kept, sums of dy * y along rows, mask, dk, dv, SIZES...): the tile's rows are keys,
    its columns rows of q."""
    k = KernelBuilder("gc_attention_dkv")
    q, keys, v, dy, kept, sums, mask, dk, dv = (k.array(name, p.dtype) for name in (
        "q", "k", "v", "dy", "kept", "sums", "mask", "dk", "dv"))
    of = problem(k, p, mask, "keys")
    tile = Tile(k, p, of.tile)
    of_k, of_v, zero = tile.zeros(), tile.zeros(), k.constant(0.0, p.dtype)
    mine = [k.least(tile.row(i), of.keys - 1) for i in range(p.rows)]
    with k.loop(0, of.rows, p.columns_of_tile) as first:
        rows = [tile.column(first, j) for j in range(p.group)]
        inside = [row < of.rows for row in rows]
        rows = [k.choose(there, row, 0) for row, there in zip(rows, inside, strict=True)]
        known = [_Known(kept.at(of.matrix * of.rows * 2), sums.at(of.matrix * of.rows), row) for row in rows]
        powers = [[k.choose(inside[j], known[j].power(of.score(product, rows[j], mine[i], p.masked), k), zero)
                   for j, product in enumerate(line)]
                  for i, line in enumerate(tile.product(of.of_k(keys), of.of_q(q), first))]
        tile.add(powers, of.of_y(dy), first, of.part, of_v)
        by_powers = tile.product(of.of_v(v), of.of_y(dy), first)
        by_scores = [[k.choose(inside[j], power * (by_powers[i][j] - known[j].sum) * of.scale, zero)
                      for j, power in enumerate(line)] for i, line in enumerate(powers)]
        tile.add(by_scores, of.of_q(q), first, of.part, of_k)
    tile.write(of.of_k(dk), of.part, of_k)
    tile.write(of.of_v(dv), of.part, of_v)
    return k


class _Known:
    """What is known of a row of scores."""

    def __init__(self, kept: Array, sums: Array, row: Value) -> None:
        self.greatest, self.scale, self.sum = kept[row * 2], kept[row * 2 + 1], sums[row]

    def power(self, score: Value, k: KernelBuilder) -> Value:
        """The softmax."""
        return k.call("exp", score - self.greatest) * self.scale
