"""Fourier transforms, declared; their functions stand in kernels/cpu/signal/. Complex numbers are pairs."""
from __future__ import annotations

from .dtypes import FLOATS
from .kernel import Kernel, Operand, at_least, at_most, over

KERNELS = (
    # Of each row of n = first * second numbers. roots: exp(-2 pi i k j / n) for k < first, j < second,
    # the `first` roots of 1, and the `second` ones; of each the real parts, then the imaginary ones.
    Kernel("fft",
           (Operand("x", "in", "T", "2 * outer * first * second"),
            Operand("roots", "in", "T", "2 * (first * second + first + second)"),
            Operand("y", "out", "T", "2 * outer * first * second")),
           ("outer", "first", "second"), ("inverse",), over(T=FLOATS), "cpu.signal.fft:make",
           (*at_least(0, "outer", "inverse"), *at_least(1, "first", "second"), *at_most(1, "inverse"),
            *at_most(1 << 28, "first", "second")),
           "10 * outer * first * second"),
)
