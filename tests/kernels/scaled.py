"""A kernel for tests, y[i] = scale * x[i] ** power + shift, whose attributes are floats and, between them, an integer.

`python scaled.py ISA OUT` compiles it, alone, to the archive OUT/ISA.a. It must be imported as a module of the
kernels' package, where declarations say that functions are: `declare` does so.
"""
from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

from graphc.kernels.contracts.all import KERNELS
from graphc.kernels.contracts.calls import Functions
from graphc.kernels.contracts.dtypes import FLOATS
from graphc.kernels.contracts.kernel import Kernel, Operand, at_least, over

MODULE = "scaled_for_tests"
SCALED = Kernel("scaled", (Operand("x", "in", "T", "n"), Operand("y", "out", "T", "n")), ("n",),
                ("scale", "power", "shift"), over(T=FLOATS), f"{MODULE}:make", at_least(0, "n", "power"),
                floats=("scale", "shift"))


def make(types):
    from graphc.kernels.cpu.words import INVALID_VALUE, OK, TILES, VARIANT

    def bind(n, scale, power, shift, choice):
        choice[TILES] = 1
        choice[VARIANT] = 1 if scale == 0.25 and shift < 0 else 0

    def run(x, y, n, scale, power, shift, choice, work, scratch, phase, tile):
        if choice[VARIANT] == 0:
            return INVALID_VALUE       # the test's attributes came to bind as something else
        for i in range(n):
            value = scale
            for _ in range(power):
                value *= x[i]
            y[i] = value + shift
        return OK
    return Functions(bind, run)


def main(isa: str, out: str) -> int:
    from graphc.kernels.toolchain import builder
    name = f"graphc.kernels.{MODULE}"
    spec = importlib.util.spec_from_file_location(name, __file__)
    sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(sys.modules[name])
    KERNELS[SCALED.name] = SCALED
    pieces = Path(out) / "pieces"
    pieces.mkdir()
    return builder.main([isa, out, str(pieces), "1", SCALED.name])


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
