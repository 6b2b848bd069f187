"""Plans that call one kernel with sizes picked to hurt it; its operands have just as many elements as it may touch.

The five hand-written Plans use few kernels; here each of them gets zeros, ones, odd numbers and, where a zero makes
room for them, sizes of 2 ** 46. What a declaration allows must neither touch memory behind the extents nor run long.
"""
from __future__ import annotations

import random
from typing import Any

import numpy as np
from declared import random_sizes, value_of

from graphc.ir.dtypes import as_dtype
from graphc.kernels.contracts.all import KERNELS
from graphc.kernels.contracts.kernel import Kernel
from graphc.plan.plan import Body, Buffer, BufferKind, Call, Constant, Dim, DimKind, Plan, Port

from five import Case


def kernel_case(rng: random.Random) -> Case | None:
    """A Plan of one call, with constants for some of its inputs; None if no sizes that fit were found."""
    kernel = KERNELS[rng.choice(sorted(KERNELS))]
    types = rng.choice(kernel.types)
    names = random_sizes(kernel, rng, rng.choice((0, 0, 0.1, 0.3)))
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
                kernel.attr_words([names[a] for a in kernel.attrs]))
    body = Body("main", tuple(dims), tuple(buffers), tuple(ids[BufferKind.INPUT]), tuple(ids[BufferKind.OUTPUT]), (),
                (), (call,))
    plan = Plan(tuple(ports[BufferKind.INPUT]), tuple(ports[BufferKind.OUTPUT]), (body,), (), tuple(constants))
    return Case(plan, lambda _: [], _nothing, values)


def _nothing(*_: Any) -> list[np.ndarray]:
    return []
