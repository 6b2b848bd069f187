"""Matrix products, scans, searches and sums by segment, declared; their functions stand in kernels/cpu/math/."""
from __future__ import annotations

from .dtypes import FLOATS, INDICES, INTEGERS, NUMBERS
from .kernel import Kernel, Operand, at_least, at_most, over

_AXIS = ("outer", "n", "inner")
_LINES = "outer * n * inner"


def _extreme(name: str) -> Kernel:
    """An empty axis is refused unless nothing is to be written."""
    return Kernel(name, (Operand("x", "in", "T", _LINES), Operand("out", "out", "I", "outer * inner")),
                  _AXIS, (), over(T=(*FLOATS, *INTEGERS), I=INDICES), f"cpu.math.argextreme:make_{name}",
                  (*at_least(0, *_AXIS), "n > 0 or outer * inner == 0"), _LINES)


def _scan(name: str) -> Kernel:
    return Kernel(name, (Operand("x", "in", "T", _LINES), Operand("y", "out", "T", _LINES)),
                  _AXIS, ("exclusive", "reverse"), over(T=NUMBERS), f"cpu.math.cumsum:make_{name}",
                  (*at_least(0, *_AXIS, "exclusive", "reverse"), *at_most(1, "exclusive", "reverse")), _LINES)


_MATMUL = ("batch", "m", "n", "k", "a_batch", "b_batch")
_TRANSPOSED = ("transpose_a", "transpose_b")
_BINS = ("count", "weighted", "size")
_SEARCH = ("rows", "n", "count")
_SEGMENTS = ("n", "inner", "rows")
_TOP_K = ("rows", "n", "k")

KERNELS = (
    Kernel("matmul",
           (Operand("a", "in", "T", "min(batch, 1) * ((batch - 1) * a_batch + m * k)"),
            Operand("b", "in", "T", "min(batch, 1) * ((batch - 1) * b_batch + k * n)", packable=True),
            Operand("c", "out", "T", "batch * m * n")),
           _MATMUL, _TRANSPOSED, over(T=NUMBERS), "cpu.math.matmul:make",
           (*at_least(0, *_MATMUL, *_TRANSPOSED), *at_most(1, *_TRANSPOSED)), "2 * batch * m * n * k",
           ways=("in place", "packed", "in work", "in tile", "dots", "stream", "short", "rounded")),
    _extreme("argmax"),
    _extreme("argmin"),
    _scan("cumsum"),
    _scan("cumprod"),
    Kernel("cumprod_complex",
           (Operand("x", "in", "T", f"2 * {_LINES}"), Operand("y", "out", "T", f"2 * {_LINES}")),
           _AXIS, ("exclusive", "reverse"), over(T=FLOATS), "cpu.math.cumprod_complex:make",
           (*at_least(0, *_AXIS, "exclusive", "reverse"), *at_most(1, "exclusive", "reverse")), f"6 * {_LINES}"),
    Kernel("checked",
           (Operand("x", "in", "T", "elements"), Operand("y", "out", "T", "elements")),
           ("elements", "results"), ("refused",), over(T=INTEGERS), "cpu.math.checked:make",
           (*at_least(0, "elements", "results", "refused"), *at_most(1, "refused")), moves="elements"),
    Kernel("bincount",
           (Operand("values", "in", "i32", "count"), Operand("weights", "in", "T", "weighted"),
            Operand("bins", "out", "T", "size")),
           _BINS, (), over(T=NUMBERS), "cpu.math.bincount:make",
           (*at_least(0, *_BINS), "weighted == 0 or weighted == count"), "count"),
    Kernel("search_sorted",
           (Operand("row", "in", "T", "rows * n"), Operand("values", "in", "T", "rows * count"),
            Operand("out", "out", "I", "rows * count")),
           _SEARCH, ("upper",), over(T=NUMBERS, I=INDICES), "cpu.math.search_sorted:make",
           (*at_least(0, *_SEARCH, "upper"), *at_most(1, "upper"))),
    Kernel("segment_count",
           (Operand("ids", "in", "I", "n"), Operand("count", "out", "i64", "1")),
           ("n",), (), over(I=INDICES), "cpu.math.segment:make_count",
           at_least(0, "n")),
    Kernel("segment",
           (Operand("data", "in", "T", "n * inner"), Operand("ids", "in", "I", "n"),
            Operand("out", "out", "T", "rows * inner")),
           _SEGMENTS, ("how", "ascending"), over(T=NUMBERS, I=INDICES), "cpu.math.segment:make_segment",
           (*at_least(0, *_SEGMENTS, "how", "ascending"), *at_most(5, "how"), *at_most(1, "ascending"),
            "ascending == 1 or how == 0 or how >= 3"), "n * inner"),
    Kernel("top_k",
           (Operand("x", "in", "T", "rows * n"), Operand("values", "out", "T", "rows * k"),
            Operand("indices", "out", "i32", "rows * k")),
           _TOP_K, (), over(T=NUMBERS), "cpu.math.top_k:make",
           (*at_least(0, *_TOP_K), "k <= n", "n < 2147483648"), "rows * n"),
    Kernel("unique",
           (Operand("x", "in", "T", "n"), Operand("places", "out", "I", "n"), Operand("first", "out", "i64", "n"),
            Operand("count", "out", "i64", "1")),
           ("n",), (), over(T=NUMBERS, I=INDICES), "cpu.math.unique:make",
           at_least(0, "n")),
)
