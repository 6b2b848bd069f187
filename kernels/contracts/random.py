"""Random numbers that need a loop each, and those of stateless ops, declared; their functions stand in
kernels/cpu/random/."""
from __future__ import annotations

from .dtypes import FLOATS, INDICES
from .kernel import Kernel, Operand, at_least, over

_SEARCH = ("rows", "cols", "count")
_DRAWN = at_least(0, "count", "parameters")

KERNELS = (
    Kernel("random_gamma",
           (Operand("parameter", "in", "f64", "parameters"), Operand("counter", "in", "i64", "2"),
            Operand("out", "out", "f64", "count")),
           ("count", "parameters"), ("key",), over(), "cpu.random.draws:make_gamma",
           _DRAWN),
    Kernel("random_poisson",
           (Operand("parameter", "in", "f64", "parameters"), Operand("counter", "in", "i64", "2"),
            Operand("out", "out", "f64", "count")),
           ("count", "parameters"), ("key",), over(), "cpu.random.draws:make_poisson",
           _DRAWN),
    Kernel("random_truncated",
           (Operand("counter", "in", "i64", "2"),
            *(Operand(name, "in", "f64", "rows") for name in ("mean", "deviation", "low", "high")),
            Operand("out", "out", "f64", "rows * each")),
           ("rows", "each"), ("key",), over(), "cpu.random.truncated:make",
           at_least(0, "rows", "each", "key")),
    Kernel("random_gamma_grad",
           (Operand("alpha", "in", "f64", "count"), Operand("sample", "in", "f64", "count"),
            Operand("out", "out", "f64", "count")),
           ("count",), (), over(), "cpu.random.draws:make_gamma_gradient",
           at_least(0, "count")),
    Kernel("permutation",
           (Operand("bits", "in", "i64", "n"), Operand("out", "out", "i64", "n")),
           ("n",), (), over(), "cpu.random.draws:make_permutation",
           at_least(0, "n")),
    Kernel("search_sums",
           (Operand("sums", "in", "f64", "rows * cols"), Operand("u", "in", "f64", "rows * count"),
            Operand("out", "out", "T", "rows * count")),
           _SEARCH, (), over(T=INDICES), "cpu.random.draws:make_search",
           at_least(0, *_SEARCH)),
    Kernel("mixed_seeds",
           (Operand("seed", "in", "i64", "2"), Operand("mixed", "out", "i64", "2")),
           (), (), over(), "cpu.random.stateless:make_mixed_seeds"),
    Kernel("stateless_uniform",
           (Operand("mixed", "in", "i64", "2"), Operand("out", "out", "T", "count")),
           ("count",), (), over(T=FLOATS), "cpu.random.stateless:make_uniform",
           at_least(0, "count")),
    Kernel("stateless_normal",
           (Operand("mixed", "in", "i64", "2"), Operand("out", "out", "T", "count")),
           ("count",), (), over(T=FLOATS), "cpu.random.stateless:make_normal",
           at_least(0, "count")),
    Kernel("stateless_truncated_normal",
           (Operand("mixed", "in", "i64", "2"), Operand("out", "out", "T", "count")),
           ("count",), (), over(T=FLOATS), "cpu.random.stateless:make_truncated_normal",
           at_least(0, "count")),
    Kernel("stateless_int",
           (Operand("mixed", "in", "i64", "2"), Operand("low", "in", "T", "1"), Operand("high", "in", "T", "1"),
            Operand("out", "out", "T", "count")),
           ("count",), (), over(T=INDICES), "cpu.random.stateless:make_stateless_int",
           at_least(0, "count")),
)
