"""A part of a plan that the device does in one go, as data: steps of one body, and what goes in and comes out.

Values are buffers of the body by their numbers, ALIASes by what they are aliases of. What other parts made and this
one takes over lies in the device's memory already (`given`); what it makes for others stays there (`made`).
"""
from __future__ import annotations

from collections.abc import Iterable, Sequence

from graphc.ir.records import dataclass
from graphc.plan import plan as p
from graphc.plan.plan import DimKind
from graphc.plan.uses import dims_of, root_of, uses_of


@dataclass(frozen=True)
class Part:
    """body: its number in the plan. steps: numbers in that body. uploads: values that come from the host; downloads:
    values that the host gets. leaves: the dims that must be told, from which follow all others. repeats: whether it
    runs in a loop, so that what it made before may still be read while it makes the next."""

    number: int
    body: int
    steps: tuple[int, ...]
    uploads: tuple[int, ...]
    given: tuple[int, ...]
    made: tuple[int, ...]
    downloads: tuple[int, ...]
    leaves: tuple[int, ...]
    repeats: bool = False


def whole(plan: p.Plan) -> Part:
    """Body 0 of a plan all of which the device does."""
    body = plan.bodies[0]
    steps = tuple(range(len(body.steps)))
    counters = [i for i, b in enumerate(body.buffers) if b.kind == p.BufferKind.COUNTER]
    return Part(0, 0, steps, (*counters, *body.inputs), (), (), tuple(body.outputs), ())


def leaves_of(body: p.Body, steps: Sequence[int], values: Iterable[int]) -> tuple[int, ...]:
    """The dims, those of inputs and those bound in the run, on which sizes of these steps and values depend."""
    buffers = set(values)
    needed: set[int] = set()
    for number in steps:
        use = uses_of(body.steps[number])
        needed |= dims_of(body.steps[number])
        buffers.update((*use.reads, *use.writes))
    for buffer in buffers | {root_of(body, b) for b in buffers}:
        needed.update(body.buffers[buffer].dims)
    waiting, seen = list(needed), set(needed)
    while waiting:
        dim = body.dims[waiting.pop()]
        if dim.kind not in (DimKind.CONST, DimKind.INPUT, DimKind.RUNTIME):
            new = set(dim.operands) - seen
            seen |= new
            waiting += new
    return tuple(sorted(d for d in seen if body.dims[d].kind in (DimKind.INPUT, DimKind.RUNTIME)))


def sizes_from(body: p.Body, leaves: dict[int, int]) -> list[int]:
    """The table of dims, as far as these leaves make it known; 0 for the rest.

    The host's runtime has computed the same sizes before, with checks, and would have ended the run."""
    found: list[int] = []
    known: list[bool] = []
    for number, dim in enumerate(body.dims):
        if dim.kind in (DimKind.CONST, DimKind.INPUT, DimKind.RUNTIME):
            known.append(dim.kind == DimKind.CONST or number in leaves)
            found.append(dim.value if dim.kind == DimKind.CONST else leaves.get(number, 0))
        else:
            known.append(all(known[o] for o in dim.operands))
            found.append(_value(dim.kind, [found[o] for o in dim.operands]) if known[-1] else 0)
    return found


def _value(kind: DimKind, of: Sequence[int]) -> int:
    a, b = of[0], of[1]
    if kind == DimKind.ADD:
        return a + b
    if kind == DimKind.SUB:
        return a - b
    if kind == DimKind.MUL:
        return a * b
    if kind in (DimKind.FLOORDIV, DimKind.MOD):
        return 0 if not b else a // b if kind == DimKind.FLOORDIV else a % b
    if kind in (DimKind.MIN, DimKind.MAX):
        return min(a, b) if kind == DimKind.MIN else max(a, b)
    if kind in (DimKind.EQUAL, DimKind.LESS):
        return int(a == b if kind == DimKind.EQUAL else a < b)
    if kind == DimKind.SELECT:
        return b if a else of[2]
    assert kind == DimKind.BROADCAST
    return b if a == 1 else a
