"""What sizes and variables need, declared; the functions stand in kernels/cpu/state/."""
from __future__ import annotations

from .dtypes import INDICES
from .kernel import Kernel, Operand, at_least, over

KERNELS = (
    Kernel("sizes",
           (Operand("out", "out", "T", "start + count"),),
           tuple(f"d{i}" for i in range(8)), ("start", "count"), over(T=INDICES), "cpu.state.sizes:make",
           (*at_least(0, "start", "count"), "count <= 8")),
    Kernel("state_mark", (Operand("info", "inout", "i64", "2"),), (), (), over(), "cpu.state.state:make_mark"),
    Kernel("state_check", (Operand("info", "in", "i64", "2"),), (), (), over(), "cpu.state.state:make_check"),
)
