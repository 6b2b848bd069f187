"""Matrix products, scans and searches along an axis, declared; their functions stand in kernels/cpu/math/."""
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

KERNELS = (
    Kernel("matmul",
           (Operand("a", "in", "T", "min(batch, 1) * ((batch - 1) * a_batch + m * k)"),
            Operand("b", "in", "T", "min(batch, 1) * ((batch - 1) * b_batch + k * n)", packable=True),
            Operand("c", "out", "T", "batch * m * n")),
           _MATMUL, _TRANSPOSED, over(T=NUMBERS), "cpu.math.matmul:make",
           (*at_least(0, *_MATMUL, *_TRANSPOSED), *at_most(1, *_TRANSPOSED)), "2 * batch * m * n * k"),
    _extreme("argmax"),
    _extreme("argmin"),
    _scan("cumsum"),
    _scan("cumprod"),
    Kernel("checked",
           (Operand("x", "in", "T", "elements"), Operand("y", "out", "T", "elements")),
           ("elements", "results"), ("refused",), over(T=INTEGERS), "cpu.math.checked:make",
           (*at_least(0, "elements", "results", "refused"), *at_most(1, "refused"))),
)
