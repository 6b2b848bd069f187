"""How a step's products are made on the device: by tensor cores or not.

Products of 16-bit floats are those of float32 (docs/adr/0021): a map widens them first. What it writes, and nobody
else, are factors that tensor cores multiply exactly; other float32 they round, where the user lets them.
"""
from __future__ import annotations

from collections.abc import Iterator

from graphc.exec.cuda.calls.call import Products
from graphc.exec.map_code import value_dtype
from graphc.plan import plan as p
from graphc.plan.uses import root_of, uses_of

EXACT = {"f16": Products.EXACT_F16, "bf16": Products.EXACT_BF16}       # by what factors were before


class ProductChoice:
    """Of one body's steps. tensor_cores: whether the device has them; reduced: whether the user lets them round."""

    def __init__(self, plan: p.Plan, body: int, tensor_cores: bool, reduced: bool) -> None:
        self._body, self._tensor_cores, self._reduced = plan.bodies[body], tensor_cores, reduced
        self._widened = _widened_buffers(plan, self._body) if tensor_cores else {}

    def __call__(self, step: p.Call) -> Products:
        if not self._tensor_cores:
            return Products.FUSED
        kinds = {self._widened.get(root_of(self._body, operand)) for operand in uses_of(step).reads}
        if None not in kinds:
            return EXACT.get("".join(kinds), Products.EXACT)   # type: ignore[arg-type]
        return Products.ROUNDED if self._reduced else Products.FUSED


def _widened_buffers(plan: p.Plan, body: p.Body) -> dict[int, str]:
    """The buffers to which maps alone write, and nothing but widened floats; of which type, "" of several."""
    widened: dict[int, str] = {}
    others: set[int] = set()
    for step in body.steps:
        for buffer, kind in _writes(plan, step):
            root = root_of(body, buffer)
            if kind is None:
                others.add(root)
            else:
                widened[root] = kind if widened.get(root, kind) == kind else ""
    return {root: kind for root, kind in widened.items() if root not in others}


def _writes(plan: p.Plan, step: p.Step) -> Iterator[tuple[int, str | None]]:
    """Each buffer that a step may write, and, if widened floats are all that it writes there, of which type."""
    if isinstance(step, p.Map):
        program = plan.programs[step.program]
        for value, access in zip(program.stores, step.stores, strict=True):
            number = value - len(program.loads)
            instr = program.instrs[number] if number >= 0 else None
            is_cast = instr is not None and instr.op == "cast" and instr.dtype == "f32"
            kind = value_dtype(program, instr.args[0]) if is_cast else ""     # type: ignore[union-attr]
            yield access.buffer, kind if kind in EXACT else None
        return
    use = uses_of(step)
    # What loops and branches, and Python, do with what they are given is not looked at.
    for buffer in use.writes if isinstance(step, p.Call) else (*use.reads, *use.writes):
        yield buffer, None
