"""Plans that call one kernel with sizes picked to hurt it; its operands have just as many elements as it may touch.

The five hand-written Plans use few kernels; here each of them gets zeros, ones, odd numbers and, where a zero makes
room for them, sizes of 2 ** 46. What a declaration allows must neither touch memory behind the extents nor run long.
"""
from __future__ import annotations

import importlib
import random
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from graphc.ir.dtypes import as_dtype
from graphc.kernels import kernel as declarations
from graphc.kernels.kernel import Kernel
from graphc.plan.plan import Body, Buffer, BufferKind, Call, Constant, Dim, DimKind, Plan, Port

from five import Case

SMALL = (0, 1, 1, 2, 2, 3, 4, 5, 7, 8, 9, 13, 16, 17, 31, 32, 33, 48, 64, 65, 100, 128, 200)
LARGE = (257, 1000, 4096, 2**16, 2**20, 2**26, 2**31, 2**40, 2**46)
MOST_ELEMENTS = 1 << 18
TRIES = 300


@cache
def all_kernels() -> dict[str, Kernel]:
    for file in Path(declarations.__file__).parent.glob("*.py"):
        if not file.stem.startswith("_"):
            importlib.import_module(f"graphc.kernels.{file.stem}")
    return declarations.KERNELS


def value_of(formula: str, names: dict[str, int]) -> int:
    return int(eval(formula, {"max": max, "min": min}, names))


def _pick(rng: random.Random, large: float) -> int:
    return rng.choice(LARGE) if rng.random() < large else rng.choice(SMALL)


def _sizes(kernel: Kernel, rng: random.Random) -> dict[str, int] | None:
    """Values of dims and attributes under which all relations hold and no operand is too large."""
    for _ in range(TRIES):
        large = rng.choice((0, 0, 0.1, 0.3))
        names = {name: _pick(rng, large) for name in kernel.dims}
        for name in kernel.attrs:
            names[name] = rng.choice((0, 1, 1, 2, 3)) if rng.random() < 0.9 else _pick(rng, large)
        try:
            fits = all(value_of(relation, names) for relation in kernel.relations)
            fits = fits and all(0 <= value_of(o.extent, names) <= MOST_ELEMENTS for o in kernel.operands)
        except ZeroDivisionError:
            fits = False
        if fits:
            return names
    return None


def kernel_case(rng: random.Random) -> Case | None:
    """A Plan of one call, with constants for some of its inputs; None if no sizes that fit were found."""
    kernels = all_kernels()
    kernel = kernels[rng.choice(sorted(kernels))]
    types = rng.choice(kernel.types)
    names = _sizes(kernel, rng)
    if names is None or "handle" in types.values() or any(o.role == "inout" for o in kernel.operands):
        return None
    return case_of(kernel, types, names, rng)


def case_of(kernel: Kernel, types: dict[str, str], names: dict[str, int], rng: random.Random) -> Case:
    """A Plan of one call. names: values of the dims and attributes."""
    dims: list[Dim] = []

    def dim(value: int) -> int:
        dims.append(Dim(DimKind.CONST, value=value))
        return len(dims) - 1

    buffers: list[Buffer] = []
    ports: dict[BufferKind, list[Port]] = {BufferKind.INPUT: [], BufferKind.OUTPUT: []}
    ids: dict[BufferKind, list[int]] = {BufferKind.INPUT: [], BufferKind.OUTPUT: []}
    constants: list[Constant] = []
    values: dict[str, np.ndarray] = {}
    for operand in kernel.operands:
        elements, dtype = value_of(operand.extent, names), types.get(operand.dtype, operand.dtype)
        if operand.role == "in" and rng.random() < (0.7 if operand.packable else 0.3):
            constants.append(Constant(operand.name, dtype, (elements,)))
            values[operand.name] = (np.arange(elements) % 5).astype(as_dtype(dtype).numpy)
            buffers.append(Buffer(BufferKind.CONST, dtype, (dim(elements),), len(constants) - 1))
            continue
        kind = BufferKind.INPUT if operand.role == "in" else BufferKind.OUTPUT
        buffers.append(Buffer(kind, dtype, (dim(elements),), len(ids[kind])))
        ids[kind].append(len(buffers) - 1)
        ports[kind].append(Port(operand.name, dtype, (elements,)))
    name = ".".join((kernel.name, *types.values()))
    call = Call(name, tuple(range(len(buffers))), tuple(dim(names[d]) for d in kernel.dims),
                tuple(names[a] for a in kernel.attrs))
    body = Body("main", tuple(dims), tuple(buffers), tuple(ids[BufferKind.INPUT]), tuple(ids[BufferKind.OUTPUT]), (),
                (), (call,))
    plan = Plan(tuple(ports[BufferKind.INPUT]), tuple(ports[BufferKind.OUTPUT]), (body,), (), tuple(constants))
    return Case(plan, lambda _: [], _nothing, values)


def _nothing(*_: Any) -> list[np.ndarray]:
    return []
