"""What an event of a trace computes and moves: floating point operations, and bytes of its operands, each counted once.

Sizes are those of the event, so they are right in loops and for sizes known at run time only. Of an epilogue, whose
sizes the event does not tell, operands count that vary along every axis, as large as the kernel's result; others (a
bias) are small. Formulas are the kernels' own declarations (kernels/contracts), never text from a file.
"""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING

from graphc.exec.map_code import value_dtype
from graphc.exec.memory_plan import element_size
from graphc.kernels.contracts.all import kernel_of
from graphc.kernels.contracts.kernel import Kernel
from graphc.kernels.runtime import tables as t
from graphc.plan import plan as p
from graphc.plan.costs import operations, value_of

if TYPE_CHECKING:
    from graphc.exec.cuda.timing import DeviceEvent


@dataclass(frozen=True)
class Cost:
    """flops: floating point (or integer) operations. bytes: read and written. dtype: "f64" if it computes in float64,
    else "f32"."""

    flops: int
    bytes: int
    dtype: str = "f32"


NOTHING = Cost(0, 0)


def event_cost(plan: p.Plan, names: Sequence[str], event: Sequence[int]) -> Cost:
    """names: Library.names. Steps of control, and functions in Python, cost nothing themselves."""
    kind, numbers = event[t.EVENT_KIND], event[t.EVENT_NUMBERS:]
    if kind == t.EVENT_PACK:
        return Cost(0, 2 * numbers[0])
    if event[t.EVENT_STEP] < 0:
        return NOTHING
    body = plan.bodies[event[t.EVENT_BODY]]
    step = body.steps[event[t.EVENT_STEP]]
    if isinstance(step, p.Map):
        return _map_cost(plan, body, step, numbers)
    if not isinstance(step, p.Call):
        return NOTHING
    return _call_cost(plan, body, step, names[event[t.EVENT_A]], numbers)


def device_cost(plan: p.Plan, event: DeviceEvent) -> Cost:
    """Of what a GPU did; copies between it and the host cost nothing themselves."""
    if event.step < 0:
        return NOTHING
    body = plan.bodies[event.body]
    step = body.steps[event.step]
    if isinstance(step, p.Map):
        return _map_cost(plan, body, step, event.sizes)
    assert isinstance(step, p.Call)
    return _call_cost(plan, body, step, step.kernel, (*event.sizes, *step.attrs))


def _map_cost(plan: p.Plan, body: p.Body, step: p.Map, domain: Sequence[int]) -> Cost:
    program = plan.programs[step.program]
    kinds = [*program.loads, *(value_dtype(program, v) for v in program.stores)]
    moved = sum(element_size(kind) * _elements(body, access, domain)
                for kind, access in zip(kinds, (*step.loads, *step.stores), strict=True))
    return Cost(operations(program) * prod(domain), moved, _dtype(kinds))


def _elements(body: p.Body, access: p.Access, domain: Sequence[int]) -> int:
    """How many there are, where indices run over the domain."""
    return prod(size for size, varies in zip(domain, _varies(body, access), strict=False) if varies)


def _varies(body: p.Body, access: p.Access) -> list[bool]:
    """For each axis, whether another element is meant there."""
    return [body.dims[d].kind != p.DimKind.CONST or body.dims[d].value != 0 for d in access.strides]


def _call_cost(plan: p.Plan, body: p.Body, step: p.Call, full_name: str, numbers: Sequence[int]) -> Cost:
    kernel = kernel_of(full_name)
    if kernel is None:
        return NOTHING
    values = dict(zip([*kernel.dims, *kernel.attrs], numbers, strict=False))
    types = dict(zip(kernel.variables, full_name.split(".")[1:], strict=False))
    kinds = [types.get(operand.dtype, operand.dtype) for operand in kernel.operands]
    elements = [max(value_of(operand.extent, values), 0) for operand in kernel.operands]
    flops = value_of(kernel.flops, values)
    moved = sum(count * element_size(kind) for count, kind in zip(elements, kinds, strict=True))
    if step.epilogue is not None:
        more = _epilogue_cost(plan, body, step.epilogue, elements[-1], kernel)
        flops, moved = flops + more.flops, moved + more.bytes
    return Cost(flops, moved, _dtype(kinds))


def _epilogue_cost(plan: p.Plan, body: p.Body, step: p.Map, elements: int, kernel: Kernel) -> Cost:
    """Beyond the kernel's own result, which is written once, be it by the epilogue."""
    program = plan.programs[step.program]
    whole = sum(all(_varies(body, access)) for access in (*step.loads, *step.stores)) - 2 * kernel.outputs
    size = max([element_size(kind) for kind in program.loads], default=0)
    return Cost(operations(program) * elements, max(whole, 0) * size * elements)


def _dtype(kinds: Sequence[str]) -> str:
    return "f64" if "f64" in kinds else "f32"
