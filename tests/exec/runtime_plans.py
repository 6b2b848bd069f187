"""Plans for the tests of the runtime, and a look into its tables."""
from __future__ import annotations

import ctypes
from dataclasses import dataclass

import numpy as np

from graphc.exec.engine import Engine
from graphc.kernels.runtime import tables as t
from graphc.plan.plan import BufferKind, DimKind, Origin, Plan, Port, Program

from hand import Id, Writer, instr

ADD = Program(("f32", "f32"), (instr("add", "f32", 0, 1),), (2,))


def origins(*names: str) -> tuple[Origin, ...]:
    return tuple(Origin(name, name.capitalize(), __file__, 1) for name in names)


def random_dag(rng: np.random.Generator, steps: int) -> Plan:
    """Sums of random earlier values, of sizes n * random; outputs are the sums of everything that is left unread."""
    b = Writer("main")
    n = b.size_of(0, 0)
    sizes = [n, *(b.dim(DimKind.MUL, n, b.const(int(k))) for k in rng.integers(1, 9, 3))]
    x = b.input("f32", n)
    copy = Program(("f32",), (), (0,))
    values: list[tuple[int, int]] = [(x, n)]
    for _ in range(steps):
        size = sizes[rng.integers(len(sizes))]
        made = b.arena("f32", size)
        loads = [values[i] for i in rng.integers(max(0, len(values) - 8), len(values), 2)]
        # Sizes differ: every load reads element 0 over and over unless it is of the same size.
        b.map(1, (size,), [b.access(v, 1 if s == size else 0) for v, s in loads], [b.access(made, 1)])
        values.append((made, size))
    last, size = values[-1]
    b.map(0, (size,), [b.access(last, 1)], [b.access(b.output("f32", size), 1)])
    return Plan(
        (Port("x", "f32", (-1,)),), (Port("y", "f32", (-1,)),), (b.body(),), (copy, ADD), origins=origins("sum")
    )


def reference_dag(plan: Plan, x: np.ndarray) -> np.ndarray:
    """What random_dag computes, by NumPy."""
    body = plan.bodies[0]
    dims: list[int] = []
    for dim in body.dims:
        dims.append(dim.value if dim.kind == DimKind.CONST else len(x) if dim.kind == DimKind.INPUT
                    else dims[dim.operands[0]] * dims[dim.operands[1]])
    values = {body.inputs[0]: x}
    for step in body.steps:
        size = dims[step.domain[0]]
        loads = [values[a.buffer][:size] if dims[a.strides[0]] else values[a.buffer][0] for a in step.loads]
        values[step.stores[0].buffer] = np.float32(sum(loads[1:], start=loads[0])) * np.ones(size, np.float32)
    return values[body.outputs[0]]


@dataclass(frozen=True)
class Placed:
    buffer: int
    begin: int
    end: int
    first: int
    last: int


def placed_buffers(engine: Engine) -> list[Placed]:
    """Where the first frame's arena buffers lie and when they live, read from the runtime's own tables."""
    def table(address: int, count: int) -> list[int]:
        return list((ctypes.c_int64 * count).from_address(address))

    body = engine.plan.bodies[0]
    frame = table(engine._frames[0], t.FRAME_WORDS)
    count = len(body.buffers)
    addresses, elements, first, last = (table(frame[f], count) for f in
                                        (t.FRAME_ADDRESSES, t.FRAME_ELEMENTS, t.FRAME_FIRST, t.FRAME_LAST))
    return [Placed(i, addresses[i], addresses[i] + 4 * elements[i], first[i], last[i])
            for i, buffer in enumerate(body.buffers) if buffer.kind == BufferKind.ARENA]


__all__ = ["ADD", "Id", "Placed", "origins", "placed_buffers", "random_dag", "reference_dag"]
