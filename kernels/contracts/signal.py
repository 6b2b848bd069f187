"""Fourier transforms, declared; their functions stand in kernels/cpu/signal/. Complex numbers are pairs."""
from __future__ import annotations

from .dtypes import FLOATS
from .kernel import Kernel, Operand, at_least, at_most, over

# Numbers of a transform that may stand side by side with others: scratch is 256 times as many bytes.
LONGEST = 1 << 10

KERNELS = (
    # Along each row of n = first * second numbers, or each column of [n, inner] of them. If second is 1, several are
    # transformed side by side. real: 2 n real numbers to the first n + 1 of their transform, or the inverse.
    # roots: the n roots of 1, if real 2 n, exp(-2 pi i k / n): the real parts, then the imaginary ones.
    Kernel("fft",
           (Operand("x", "in", "T", "2 * outer * (first * second + real * inverse) * inner"),
            Operand("roots", "in", "T", "2 * first * second * (1 + real)"),
            Operand("y", "out", "T", "2 * outer * (first * second + real * (1 - inverse)) * inner")),
           ("outer", "first", "second", "inner"), ("inverse", "real"), over(T=FLOATS), "cpu.signal.fft:make",
           (*at_least(0, "outer", "inner", "inverse", "real"), *at_least(1, "first", "second"),
            *at_most(1, "inverse", "real"), *at_most(1 << 28, "first", "second"),
            f"second > 1 or first <= {LONGEST}", "second == 1 or inner == 1", "real == 0 or second == 1",
            "real == 0 or inner == 1"),
           "10 * outer * first * second * inner"),
)
