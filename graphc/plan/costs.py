"""Sizes of a body when its unknown ones are given, and the floating point operations of its steps at these sizes."""
from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from graphc.kernels.contracts.all import kernel_of
from graphc.plan import plan as p
from graphc.plan.plan import DimKind

LEAVES = (DimKind.INPUT, DimKind.RUNTIME)      # what does not follow from other dims


def sizes_of(body: p.Body, leaf: Callable[[int, p.Dim], int]) -> list[int]:
    """The table of dims. leaf: what an INPUT or RUNTIME dim is, by its number. Nothing is checked: that is for the
    runtime (kernels/runtime/sizes.py)."""
    found: list[int] = []
    for number, dim in enumerate(body.dims):
        if dim.kind == DimKind.CONST:
            found.append(dim.value)
        elif dim.kind in LEAVES:
            found.append(leaf(number, dim))
        else:
            found.append(COMPUTE[dim.kind](*(found[o] for o in dim.operands)))
    return found


COMPUTE: dict[DimKind, Any] = {
    DimKind.ADD: lambda a, b: a + b,
    DimKind.SUB: lambda a, b: a - b,
    DimKind.MUL: lambda a, b: a * b,
    DimKind.FLOORDIV: lambda a, b: a // b if b else 0,
    DimKind.MOD: lambda a, b: a % b if b else 0,
    DimKind.MIN: min,
    DimKind.MAX: max,
    DimKind.EQUAL: lambda a, b: int(a == b),
    DimKind.LESS: lambda a, b: int(a < b),
    DimKind.SELECT: lambda a, b, c: b if a else c,
    DimKind.BROADCAST: lambda a, b: b if a == 1 else a,
}


def operations(program: p.Program) -> int:
    """Of a point of the program's domain."""
    return sum(i.op not in ("const", "index", "linear", "cast") for i in program.instrs)


def value_of(formula: str, values: Mapping[str, int]) -> int:
    """A formula of a kernel's declaration, which is graphc's own text, for these dims and attributes."""
    return int(eval(formula, {"__builtins__": {"max": max, "min": min}}, dict(values)))


def step_flops(plan: p.Plan, step: p.Step, sizes: Sequence[int]) -> int:
    """Of a MAP an operation for each instruction and point, of a CALL what its kernel declares; of others none."""
    flops = _call_flops(step, sizes) if isinstance(step, p.Call) else 0
    for each in (step, step.epilogue if isinstance(step, p.Call) else None):
        if isinstance(each, p.Map):
            points = int(np.prod([sizes[d] for d in each.domain], dtype=np.int64))
            flops += operations(plan.programs[each.program]) * points
    return flops


def _call_flops(step: p.Call, sizes: Sequence[int]) -> int:
    kernel = kernel_of(step.kernel)
    if kernel is None:
        return 0
    names = dict(zip([*kernel.dims, *kernel.attrs], [*(sizes[d] for d in step.dims), *step.attrs], strict=False))
    return value_of(kernel.flops, names)
