"""A step of a plan with its sizes and addresses -> what the device does for it."""
from __future__ import annotations

from collections.abc import Callable, Sequence

from graphc.exec.cuda.calls.all import CALLS, STATE_CHECK, STATE_MARK
from graphc.exec.cuda.calls.call import Call, Products
from graphc.exec.cuda.calls.checks import Check
from graphc.exec.cuda.maps import BoundMap, Place, launches
from graphc.exec.cuda.vendor.libraries import Libraries
from graphc.exec.cuda.warpgroup_choice import WarpgroupProducts
from graphc.exec.cuda.work import Work
from graphc.exec.library import Library
from graphc.exec.map_code import SIZES, value_dtype
from graphc.plan import plan as p


class StepWork:
    """Of one body's steps. dims: its table of sizes; address: of a buffer; scratch, facts: as in
    calls/call.py; products: how a step, by its number, multiplies; libraries, warpgroups: as in calls/call.py."""

    def __init__(self, plan: p.Plan, body: int, dims: Sequence[int], address: Callable[[int], int], library: Library,
                 scratch: Callable[[int], int], facts: Callable[[bytes], int],
                 products: Callable[[int], Products], libraries: Libraries | None = None,
                 warpgroups: WarpgroupProducts | None = None) -> None:
        self.plan, self.body, self.dims, self.address = plan, plan.bodies[body], dims, address
        self.library, self.scratch, self.facts, self.products = library, scratch, facts, products
        self.libraries, self.warpgroups = libraries, warpgroups

    def work(self, number: int) -> tuple[list[Work], list[Check]]:
        """(what is done, what is to be looked at when it is done) of a step of the body."""
        step = self.body.steps[number]
        if isinstance(step, p.Map):
            return list(self._map(step)), []
        assert isinstance(step, p.Call)
        return self._call(step, self.products(number))

    def _map(self, step: p.Map) -> Sequence[Work]:
        program, domain = self.plan.programs[step.program], [self.dims[d] for d in step.domain]
        rank, places = len(domain), {}
        kinds = [*program.loads, *(value_dtype(program, v) for v in program.stores)]
        for number, (access, kind) in enumerate(zip((*step.loads, *step.stores), kinds, strict=True)):
            size = SIZES[kind]
            strides = [size * self.dims[d] for d in access.strides]
            first = self.address(access.buffer) + size * self.dims[access.offset]
            places[number] = Place(first, (*strides, *[0] * (rank - len(strides))))
        number = len(kinds)
        for instr in program.instrs:
            if instr.op in ("index", "linear"):
                places[number] = Place(0, _counted(instr, domain))
                number += 1
        return launches(BoundMap(program, tuple(domain), step.reduced, places), self.library, self.scratch)

    def _call(self, step: p.Call, products: Products) -> tuple[list[Work], list[Check]]:
        name, *types = step.kernel.split(".")
        if name in (STATE_CHECK, STATE_MARK):
            return [], []
        call = Call(tuple(types), tuple(self.address(o) for o in step.operands),
                    tuple(self.dims[d] for d in step.dims), step.attrs, self.library, self.scratch, self.facts,
                    products=products, libraries=self.libraries, warpgroups=self.warpgroups,
                    stored=tuple(self.body.buffers[o].dtype for o in step.operands))
        work = list(CALLS[name](call))
        return work + list(self._map(step.epilogue) if step.epilogue is not None else ()), call.checks


def _counted(instr: p.Instr, domain: Sequence[int]) -> tuple[int, ...]:
    """Strides of an index value: its axis alone counts, or all of them, row-major."""
    if instr.op == "index":
        return tuple(int(axis == instr.value) for axis in range(len(domain)))
    strides, stride = [], 1
    for size in reversed(domain):
        strides.append(stride)
        stride *= size
    return tuple(reversed(strides))
