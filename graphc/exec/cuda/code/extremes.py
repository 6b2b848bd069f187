"""Where the greatest or the least element of a line of x[outer, n, inner] stands, the first of equals.

Neighbouring threads, `lanes` of them, at most a warp, share a line: each looks at every lanes-th element, LOADED of
them at a time, then they compare what they found. NaNs are passed over; a line of nothing but NaNs and the worst there
is gives 0.
"""
from __future__ import annotations

from graphc.exec.cuda.code.builder import THREADS, KernelBuilder, Value
from graphc.exec.cuda.code.warps import DECLARATIONS, of_partner
from graphc.kernels.contracts.dtypes import DTYPES

LOADED = 8


def extreme(dtype: str, index: str, greatest: bool, lanes: int, narrow: bool) -> KernelBuilder:
    """gc_extreme(x, out, lines, n, inner)."""
    k = KernelBuilder("gc_extreme", narrow, before=DECLARATIONS)
    x, out = k.array("x", dtype), k.array("out", index)
    lines, n, inner = k.numbers("lines", "n", "inner")
    thread = k.index("ctaid.x") * THREADS + k.index("tid.x")
    line, lane = thread // lanes, thread & (lanes - 1)
    there = line < lines
    outer, column = k.parts(k.choose(there, line, 0), inner)
    here, end = x.at(outer * n * inner + column), k.choose(there, n, 0)
    worst = k.constant(_worst(dtype, greatest), dtype)
    best, place = k.variable(worst), k.variable(0)

    def consider(value: Value, at: Value, wins: Value) -> None:
        best.set(k.choose(wins, value, best.get()))
        place.set(k.choose(wins, at, place.get()))

    def better(a: Value, b: Value) -> Value:
        return a > b if greatest else a < b

    with k.loop(lane, end, lanes * LOADED) as first:
        ats = [first + i * lanes for i in range(LOADED)]
        values = [here[k.choose(at < end, at, first) * inner] for at in ats]     # the first one again: it wins no more
        for at, value in zip(ats, values, strict=True):
            consider(value, at, better(value, best.get()))
    distance = 1
    while distance < lanes:
        value, at = of_partner(k, best.get(), distance), of_partner(k, place.get(), distance)
        earlier = value.equals(best.get()) & (at < place.get())
        consider(value, at, better(value, best.get()) | earlier)
        distance *= 2
    with k.when(there & lane.equals(0)):
        out[line] = place.get().to(index)
    return k


def _worst(dtype: str, greatest: bool) -> float:
    row = DTYPES[dtype]
    if row.kind == "float":
        return float("-inf") if greatest else float("inf")
    bits = 8 * row.size
    if row.kind == "uint":
        return 0 if greatest else (1 << bits) - 1
    return -(1 << bits - 1) if greatest else (1 << bits - 1) - 1
