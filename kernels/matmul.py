"""matmul: c[batch, m, n] = a[batch, m, k] times b[batch, k, n], either operand possibly transposed.

Job: the simple form for every dtype.
Invariant: every element's products are added in the order of k.
"""
from __future__ import annotations

from .kernel import Functions, Kernel, Operand, at_least, at_most, register
from .memory import NUMBA_TYPES, NUMBERS, offset
from .words import OK, TILE_ELEMENTS, TILES, USER


def make(types):
    zero = NUMBA_TYPES[types["T"]](0)

    def bind(batch, m, n, k, a_batch, b_batch, transpose_a, transpose_b, choice):
        rows = max(16384 // max(n, 1), 1)
        choice[USER] = rows
        choice[TILES] = (batch * m + rows - 1) // rows
        choice[TILE_ELEMENTS] = rows * n

    def run(a, b, c, batch, m, n, k, a_batch, b_batch, transpose_a, transpose_b, choice, work, scratch, phase, tile):
        a_row, a_step = (1, m) if transpose_a else (k, 1)
        first = tile * choice[USER]
        for row in range(first, min(first + choice[USER], batch * m)):
            index, i = row // m, row % m
            left, right, target = offset(a, index * a_batch + i * a_row), offset(b, index * b_batch), offset(c, row * n)
            for j in range(n):
                target[j] = zero
            if transpose_b:
                for j in range(n):
                    total = zero
                    for p in range(k):
                        total += left[p * a_step] * right[j * k + p]
                    target[j] = total
            else:
                for p in range(k):
                    factor, line = left[p * a_step], offset(right, p * n)
                    for j in range(n):
                        target[j] += factor * line[j]
        return OK
    return Functions(bind, run)


DIMS = ("batch", "m", "n", "k", "a_batch", "b_batch")
ATTRS = ("transpose_a", "transpose_b")
register(Kernel(
    "matmul",
    (Operand("a", "in", "T", "min(batch, 1) * ((batch - 1) * a_batch + m * k)"),
     Operand("b", "in", "T", "min(batch, 1) * ((batch - 1) * b_batch + k * n)", packable=True),
     Operand("c", "out", "T", "batch * m * n")),
    DIMS, ATTRS, tuple({"T": t} for t in NUMBERS), make,
    (*at_least(0, *DIMS, *ATTRS), *at_most(1, *ATTRS)), "2 * batch * m * n * k"))
