"""Kernels that move elements, declared; their functions stand in kernels/cpu/array/."""
from __future__ import annotations

from .dtypes import INDICES, NUMBERS, PLAIN
from .kernel import Kernel, Operand, at_least, over

_GATHER = ("outer", "axis", "inner", "count")

KERNELS = (
    Kernel("copy",
           (Operand("x", "in", "T", "elements"), Operand("y", "out", "T", "elements")),
           ("elements",), (), over(T=(*PLAIN, "handle")), "cpu.array.copy:make",
           at_least(0, "elements")),
    Kernel("gather",
           (Operand("params", "in", "T", "outer * axis * inner"), Operand("indices", "in", "I", "count"),
            Operand("out", "out", "T", "outer * count * inner")),
           _GATHER, (), over(T=PLAIN, I=INDICES), "cpu.array.gather:make_gather",
           at_least(0, *_GATHER)),
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
)
