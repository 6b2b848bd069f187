"""A part of a plan that the device does in one go, as data: steps of one body, and what goes in and comes out.

Values are buffers of the body by their numbers, ALIASes by what they are aliases of. What other parts made and this
one takes over lies in the device's memory already (`given`); what it makes for others stays there (`made`). What goes
into lists gets memory of the run's own (`kept`). What comes out of them lies elsewhere each time, what another device
made lies there: both are copied before the part begins (`loose`).
"""
from __future__ import annotations

from collections.abc import Iterable, Sequence

from graphc.ir.records import dataclass
from graphc.plan import plan as p
from graphc.plan.costs import LEAVES
from graphc.plan.plan import DimKind
from graphc.plan.uses import dims_of, root_of, uses_of


@dataclass(frozen=True)
class Part:
    """body: its number in the plan. steps: numbers in that body. uploads: values that come from the host; downloads:
    values that the host gets. leaves: the dims that must be told, from which follow all others. repeats: whether it
    runs in a loop, so that what it made before may still be read while it makes the next. loose: which of `given` are
    to be copied; kept: values of which the run keeps a copy each time. device: which one does the part; sources: on
    which one each of `given` lies."""

    number: int
    body: int
    steps: tuple[int, ...]
    uploads: tuple[int, ...]
    given: tuple[int, ...]
    made: tuple[int, ...]
    downloads: tuple[int, ...]
    leaves: tuple[int, ...]
    repeats: bool = False
    loose: tuple[int, ...] = ()
    kept: tuple[int, ...] = ()
    device: int = 0
    sources: tuple[int, ...] = ()


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
        if dim.kind not in (DimKind.CONST, *LEAVES):
            new = set(dim.operands) - seen
            seen |= new
            waiting += new
    return tuple(sorted(d for d in seen if body.dims[d].kind in LEAVES))
