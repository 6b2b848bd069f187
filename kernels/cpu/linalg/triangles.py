"""Triangular systems on panels, which all of linear algebra here is made of.

Job: a panel is what the micro-kernel takes for B: [rows][width], one line of `width` numbers for each row. Right sides
stand in such panels, and so do parts of a matrix, transposed: then a line holds a column of it.
Solutions are kept with their signs changed, y = -x: subtracting what is known already, T x, is adding T y, which is
what the micro-kernel does; and the panel that is solved is the B of the product after it.
Invariants: only one triangle of T is read; lanes after the last column hold anything, and are never stored outside.
"""
from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from ..attention.attention_blocks import row_dot
from ..memory import ITEM_SIZES, NUMBA_TYPES, apart, compact, helper, pointer_to
from ..products.blocks import blocks
from ..products.micro import Shape, shapes
from ..products.panels import packing
from ..vector import vectors

BLOCK = 32                             # rows that are solved one by one; those before them are a product


@dataclass(frozen=True)
class Triangles:
    """Addresses; steps in bytes, of T from one row to the next and from one element to the next.

    eliminate(t, t_row, t_step, unit, count, panel, line): the `count` rows b of a panel become -T^-1 b, of a lower T;
    of an upper one if all three are given from their ends, with negative steps. unit: T's diagonal counts as ones.
    solve(t, t_row, t_step, upper, unit, n, panel, scratch): the same of any n. solve_one(t, t_row, t_step, upper, unit,
    n, x): one right side, n numbers without gaps, becomes the solution, with its own sign. negate(panel, lines).
    take(panel, source, count): a line of `count` numbers, zeros after. give(target, line, count, sign): sign times it.
    write(target, row_step, panel, lines, count, sign): sign times the panel, transposed: `count` rows.
    """

    shape: Shape
    line: int
    scratch_bytes: int
    eliminate: Any
    solve: Any
    solve_one: Any
    negate: Any
    take: Any
    give: Any
    write: Any
    pack: Any
    pack_transposed: Any
    multiply_onto: Any


def shape_of(isa: str, dtype: str) -> Shape:
    """The micro-kernel's shape whose width is a number of whole vectors (vector.py)."""
    found = shapes(isa, dtype)
    return found.main if found.main.width % vectors(dtype).lanes == 0 else found.wide


@cache
def triangles(dtype: str, shape: Shape) -> Triangles:
    size, width, kit, product = ITEM_SIZES[dtype], shape.width, vectors(dtype), blocks(dtype, shape)
    load, store, splat, multiply_add, lanes = kit.load, kit.store, kit.splat, kit.multiply_add, kit.lanes
    at, line, multiply_onto, packed = pointer_to(dtype), width * size, product.multiply_onto, packing(dtype, shape)
    dot = row_dot(dtype)
    zero, minus_one = NUMBA_TYPES[dtype](0), NUMBA_TYPES[dtype](-1)

    @helper
    def eliminate(t, t_row, t_step, unit, count, panel, step):
        apart()
        for row in range(count):
            here, values = at(panel + row * step), t + row * t_row
            for j in range(0, width, lanes):
                total = load(here, j)
                for known in range(row):
                    factor = splat(at(values + known * t_step)[0])
                    total = multiply_add(factor, load(at(panel + known * step), j), total)
                store(here, j, total)
            divisor = minus_one if unit else -at(values + row * t_step)[0]
            for j in range(width):
                here[j] /= divisor

    @helper
    def solve(t, t_row, t_step, upper, unit, n, panel, scratch):
        compact()
        diagonal, done = t_row + t_step, 0
        while done < n:
            rows = min(BLOCK, n - done)
            first = n - done - rows if upper else done
            known = n - done if upper else 0
            here = panel + first * line
            if done > 0:
                multiply_onto(t + first * t_row + known * t_step, t_row, t_step, rows, done, panel + known * line,
                              n * line, line, width, here, line, scratch)
            if upper:
                last = first + rows - 1
                eliminate(t + last * diagonal, -t_row, -t_step, unit, rows, panel + last * line, -line)
            else:
                eliminate(t + first * diagonal, t_row, t_step, unit, rows, here, line)
            done += rows

    @helper
    def solve_one(t, t_row, t_step, upper, unit, n, x):
        apart()
        values = at(x)
        for number in range(n):
            i = n - 1 - number if upper else number
            first = i + 1 if upper else 0
            if t_step == size:                   # a row of T is a run of memory: all that is known already
                values[i] -= dot(at(t + i * t_row + first * size), at(x + first * size), number)
            if not unit:
                values[i] /= at(t + i * (t_row + t_step))[0]
            if t_step != size:                   # a column is: what this one takes from all that is not known yet
                first = 0 if upper else i + 1
                column, rest, factor = at(t + i * t_step + first * size), at(x + first * size), values[i]
                for j in range(n - 1 - number):
                    rest[j] -= factor * column[j]

    @helper
    def negate(panel, lines):
        apart()
        values = at(panel)
        for i in range(lines * width):
            values[i] = -values[i]

    @helper
    def take(panel, source, count):
        apart()
        target, values = at(panel), at(source)
        for j in range(count):
            target[j] = values[j]
        for j in range(count, width):
            target[j] = zero

    @helper
    def give(target, panel, count, sign):
        apart()
        values, row = at(target), at(panel)
        for j in range(count):
            values[j] = sign * row[j]

    @helper
    def write(target, row_step, panel, lines, count, sign):
        apart()
        for i in range(count):
            values, column = at(target + i * row_step), panel + i * size
            for j in range(lines):
                values[j] = sign * at(column + j * line)[0]

    return Triangles(shape, line, product.scratch_bytes, eliminate, solve, solve_one, negate, take, give, write,
                     packed.pack, packed.pack_transposed, multiply_onto)
