"""Which buffers of a body hold float32 that have been 16-bit floats: factors that tensor cores multiply exactly.

Products of 16-bit floats are those of float32 (docs/adr/0021): a map widens them first, and what it writes, and nobody
else, is such a buffer.
"""
from __future__ import annotations

from collections.abc import Iterator

from graphc.exec.map_code import value_dtype
from graphc.kernels.contracts.all import KERNELS
from graphc.plan import plan as p

NARROW = ("f16", "bf16")


def widened_buffers(plan: p.Plan, body: p.Body) -> frozenset[int]:
    """Those buffers, by number; what is an alias of one as well."""
    widened: set[int] = set()
    others: set[int] = set()
    for step in body.steps:
        for buffer, is_widened in _writes(plan, step):
            row = body.buffers[buffer]
            root = row.index if row.kind == p.BufferKind.ALIAS else buffer
            (widened if is_widened else others).add(root)
    found = widened - others
    return frozenset(i for i, row in enumerate(body.buffers)
                     if (row.index if row.kind == p.BufferKind.ALIAS else i) in found)


def _writes(plan: p.Plan, step: p.Step) -> Iterator[tuple[int, bool]]:
    """Each buffer that a step may write, and whether widened floats are all that it writes there."""
    if isinstance(step, p.Map):
        program = plan.programs[step.program]
        for value, access in zip(program.stores, step.stores, strict=True):
            number = value - len(program.loads)
            instr = program.instrs[number] if number >= 0 else None
            yield access.buffer, (instr is not None and instr.op == "cast" and instr.dtype == "f32"
                                  and value_dtype(program, instr.args[0]) in NARROW)
        return
    if isinstance(step, p.Call):
        outputs = KERNELS[step.kernel.partition(".")[0]].outputs
        yield from ((operand, False) for operand in step.operands[len(step.operands) - outputs:])
        if step.epilogue is not None:
            yield from _writes(plan, step.epilogue)
        return
    for name in ("operands", "buffer", "result"):              # of others: all that they name
        named = getattr(step, name, ())
        yield from ((buffer, False) for buffer in (named if isinstance(named, tuple) else (named,)))
