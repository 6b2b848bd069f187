"""Kernels that move elements, declared; their functions stand in kernels/cpu/array/."""
from __future__ import annotations

from .dtypes import COMPUTED, INDICES, NUMBERS, PLAIN
from .kernel import Kernel, Operand, at_least, at_most, over

_GATHER = ("outer", "axis", "inner", "count")
_ND_TABLE = "batch * s0 * s1 * s2 * s3 * s4 * s5 * s6 * inner"
_ND_INDICES = "batch * count * depth"
_ND_ROWS = "batch * count * inner"
_ND = ("batch", "count", "inner", "s0", "s1", "s2", "s3", "s4", "s5", "s6")
_PAD = ("outer", "n0", "before0", "after0", "n1", "before1", "after1", "n2", "before2", "after2", "unit")
_PADDED = "outer * (before0 + n0 + after0) * (before1 + n1 + after1) * (before2 + n2 + after2) * unit"
_CHECKED = ("count", "s0", "s1", "s2", "s3", "s4", "s5", "s6")

KERNELS = (
    Kernel("copy",
           (Operand("x", "in", "T", "elements"), Operand("y", "out", "T", "elements")),
           ("elements",), (), over(T=(*COMPUTED, "handle")), "cpu.array.copy:make",
           at_least(0, "elements"), moves="elements"),
    Kernel("gather",
           (Operand("params", "in", "T", "outer * axis * inner"), Operand("indices", "in", "I", "count"),
            Operand("out", "out", "T", "outer * count * inner")),
           _GATHER, (), over(T=COMPUTED, I=INDICES), "cpu.array.gather:make_gather",
           at_least(0, *_GATHER), moves="inner"),
    Kernel("pad",
           (Operand("x", "in", "T", "outer * n0 * n1 * n2 * unit"), Operand("value", "in", "T", "unit"),
            Operand("y", "out", "T", _PADDED)),
           _PAD, (), over(T=COMPUTED), "cpu.array.pad:make",
           (*at_least(0, *_PAD[:-1]), *at_least(1, "unit"), *at_most(64, "unit")), moves="unit"),
    Kernel("scatter_add",
           (Operand("updates", "in", "T", "outer * count * inner"), Operand("indices", "in", "I", "count"),
            Operand("out", "out", "T", "outer * axis * inner")),
           _GATHER, (), over(T=NUMBERS, I=INDICES), "cpu.array.gather:make_scatter_add",
           at_least(0, *_GATHER), "outer * count * inner"),
    Kernel("invert_permutation",
           (Operand("x", "in", "T", "n"), Operand("y", "out", "T", "n")),
           ("n",), (), over(T=INDICES), "cpu.array.invert_permutation:make",
           at_least(0, "n")),
    Kernel("nonzero",
           (Operand("mask", "in", "bool", "n"), Operand("out", "out", "i64", "count")),
           ("n", "count"), (), over(), "cpu.array.nonzero:make",
           at_least(0, "n", "count")),
    Kernel("absent",
           (Operand("x", "in", "T", "n"), Operand("y", "in", "T", "m"), Operand("mask", "out", "bool", "n")),
           ("n", "m"), (), over(T=PLAIN), "cpu.array.absent:make",
           at_least(0, "n", "m")),
    Kernel("gather_nd",
           (Operand("params", "in", "T", _ND_TABLE), Operand("indices", "in", "I", _ND_INDICES),
            Operand("out", "out", "T", _ND_ROWS)),
           _ND, ("depth",), over(T=COMPUTED, I=INDICES), "cpu.array.scatter_nd:make_gather",
           (*at_least(0, *_ND, "depth"), *at_most(7, "depth")), moves="inner"),
    Kernel("scatter_nd",
           (Operand("indices", "in", "i64", _ND_INDICES), Operand("updates", "in", "T", _ND_ROWS),
            Operand("table", "inout", "T", _ND_TABLE)),
           _ND, ("depth", "how"), over(T=PLAIN), "cpu.array.scatter_nd:make_scatter",
           (*at_least(0, *_ND, "depth"), *at_most(7, "depth"), *at_least(0, "how"), *at_most(6, "how")),
           "batch * count * inner", moves="inner"),
    Kernel("checked_indices",
           (Operand("indices", "in", "I", "count * depth"), Operand("y", "out", "I", "count * depth")),
           _CHECKED, ("depth",), over(I=INDICES), "cpu.array.scatter_nd:make_checked",
           (*at_least(0, *_CHECKED, "depth"), *at_most(7, "depth"))),
    Kernel("first_equal",
           (Operand("x", "in", "I", "n"), Operand("first", "out", "i64", "n")),
           ("n",), (), over(I=INDICES), "cpu.array.equal_rows:make_first_equal",
           (*at_least(0, "n"), *at_most(1 << 40, "n"))),
    Kernel("sum_equal",
           (Operand("rows", "in", "T", "n * inner"), Operand("first", "in", "i64", "n"),
            Operand("out", "out", "T", "n * inner")),
           ("n", "inner"), (), over(T=NUMBERS), "cpu.array.equal_rows:make_sum_equal",
           at_least(0, "n", "inner"), "n * inner"),
)
