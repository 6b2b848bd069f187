"""Whether a run is worth a GPU, guessed from its plan and the sizes of its feeds.

What counts are the operations of its kernels and the bytes that its steps touch, at round speeds of one core and of a
GPU of some years ago; every step costs a launch there, every value that goes in or comes out a copy. The guess is
careful: a GPU that nobody asked for must win clearly, and what takes less than half a millisecond stays where it is.
"""
from __future__ import annotations

from collections.abc import Sequence

from graphc.exec.cuda.memory import bytes_of
from graphc.plan import plan as p
from graphc.plan.costs import sizes_of, step_flops
from graphc.plan.uses import root_of, sub_bodies, uses_of

CORE_FLOPS, CORES_BYTES = 30e9, 20e9                   # a second, of one core; of all
GPU_FLOPS, GPU_BYTES, COPY_BYTES = 5e12, 500e9, 10e9
STEP, LAUNCH, COPY = 1e-6, 4e-6, 30e-6                 # seconds: a step of a core, of the GPU, the way there and back
LONG, CLEARLY = 5e-4, 3.0
TIMES = 10                                             # how often a loop is taken to go round
UNKNOWN = 16                                           # what a size is taken to be that only the run will tell
SHARE = 0.5                                            # of the GPU's memory that the run's values may take


class Estimate:
    """Of a plan for the CPU, the shapes of its feeds, and how many threads a run has."""

    def __init__(self, plan: p.Plan, shapes: Sequence[tuple[int, ...]], threads: int) -> None:
        self.plan, self.flops, self.touched, self.values, self.steps = plan, 0.0, 0.0, 0, 0
        self._body(0, [list(shape) for shape in shapes], 1)
        body, dims = plan.bodies[0], self._dims(0, [list(shape) for shape in shapes])
        self.copied = sum(_bytes(body, dims, b) for b in (*body.inputs, *body.outputs))
        self.on_cpu = max(self.flops / (CORE_FLOPS * threads), self.touched / CORES_BYTES) + STEP * self.steps

    @property
    def is_long(self) -> bool:
        """Whether the run takes so long that a GPU may be worth a look."""
        return self.on_cpu >= LONG

    def pays(self, memory: int) -> bool:
        """Whether a GPU with so many bytes of memory is likely to be much quicker."""
        on_gpu = (max(self.flops / GPU_FLOPS, self.touched / GPU_BYTES) + LAUNCH * self.steps + COPY
                  + self.copied / COPY_BYTES)
        return self.on_cpu > CLEARLY * on_gpu and self.values < SHARE * memory

    def _dims(self, number: int, shapes: Sequence[Sequence[int]]) -> list[int]:
        return sizes_of(self.plan.bodies[number], lambda _, dim: UNKNOWN if dim.kind == p.DimKind.RUNTIME else
                        shapes[dim.operands[0]][dim.operands[1]])

    def _body(self, number: int, shapes: Sequence[Sequence[int]], times: int) -> None:
        body, dims = self.plan.bodies[number], self._dims(number, shapes)
        self.values += sum(_bytes(body, dims, b) for b, row in enumerate(body.buffers)
                           if row.kind != p.BufferKind.ALIAS)
        for step in body.steps:
            self.steps += times
            if isinstance(step, (p.Map, p.Call)):
                use = uses_of(step)
                roots = {root_of(body, b) for b in (*use.reads, *use.writes)}
                self.touched += times * sum(_bytes(body, dims, b) for b in roots)
                self.flops += times * step_flops(self.plan, step, dims)
            elif isinstance(step, (p.While, p.If)):
                given = [[dims[d] for d in body.buffers[b].dims] for b in step.operands]
                for inner in sub_bodies(step):
                    self._body(inner, given, times * (TIMES if isinstance(step, p.While) else 1))


def _bytes(body: p.Body, dims: Sequence[int], buffer: int) -> int:
    row = body.buffers[buffer]
    return bytes_of(row.dtype, [dims[d] for d in row.dims])
