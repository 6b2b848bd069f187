"""A plan of which a GPU does parts, as data for the C++ library: what is left for the host, and each part recorded.

The steps that a GPU may do are those whose sizes follow from the inputs' (plan/known_sizes.py), whatever a run
computes, for each set of shapes: so each part is recorded once for each set. All others are the host's, and so are
lists: what goes into one comes down, what comes out of one goes up.
"""
from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from graphc import errors
from graphc.exec.cuda.frame import DeviceFrame
from graphc.exec.cuda.memory import bytes_of
from graphc.exec.cuda.recording.recorded import SHIFT, Bound, Recorded, Shapes, Step, record
from graphc.exec.cuda.recording.recorder import Recorder
from graphc.exec.cuda.split.mixed import MixedEngine
from graphc.exec.cuda.split.part import Part, leaves_of
from graphc.exec.cuda.split.residence import Residence
from graphc.exec.cuda.split.split import split
from graphc.exec.cuda.support import lacking, named
from graphc.exec.states import StateStore
from graphc.plan import plan as p
from graphc.plan.joined import joined
from graphc.plan.known_sizes import known_sizes
from graphc.plan.uncarried import uncarried
from graphc.plan.verify import verify_plan


@dataclass(frozen=True)
class RecordedPart:
    """runs: for each set of sizes that it may be told. has_leaves: whether its first operand tells them."""

    has_leaves: bool
    repeats: bool
    runs: tuple[Recorded, ...]


@dataclass(frozen=True)
class Walk:
    """plan: what the host runs, whose last functions are the parts; here: the variables whose values its steps use;
    sizes: of all axes of all inputs, the sets for which parts were recorded."""

    plan: p.Plan
    parts: tuple[RecordedPart, ...]
    here: tuple[int, ...]
    sizes: tuple[tuple[int, ...], ...]


class Divided:
    """A saved plan divided between the host and a GPU, for these sets of its inputs' shapes.

    plan: the saved one as it is divided: nothing is prepared, nothing CARRIED. Raises what `joined` raises.
    """

    def __init__(self, plan: p.Plan, shapes: Sequence[Sequence[Sequence[int]]]) -> None:
        together = joined(plan)
        self.plan, new = uncarried(together.plan)
        self._places = [((number, -1),) * count + places
                        for number, (count, places) in enumerate(zip(new, together.steps, strict=True))]
        self.shapes = [tuple(tuple(shape) for shape in one) for one in shapes]
        self.tables = [known_sizes(self.plan, one) for one in shapes]
        self._unclear = {id(step) for number, body in enumerate(self.plan.bodies) for i, step in enumerate(body.steps)
                         if isinstance(step, (p.Map, p.Call)) and not self._is_known(number, i)}
        # Steps are told apart by identity: the same one may stand in several bodies.
        self.residence = Residence(self.plan, lambda step: id(step) not in self._unclear, stays=self._is_clear,
                                   holds=False)
        self.split = split(self.plan, self.residence)
        verify_plan(self.split.plan)

    def _is_known(self, number: int, place: int) -> bool:
        """Whether the sizes of a step and of its operands are known."""
        body = self.plan.bodies[number]
        return self._all_known(number, leaves_of(body, [place], ()))

    def _is_clear(self, number: int, buffer: int) -> bool:
        """Whether the sizes of a value are known."""
        return self._all_known(number, leaves_of(self.plan.bodies[number], [], [buffer]))

    def _all_known(self, number: int, dims: Sequence[int]) -> bool:
        found = [tables[number] for tables in self.tables]
        return all(table is None or table[d] is not None for table in found for d in dims)

    def place(self, body: int, step: int) -> Step:
        """Where a step was in the saved plan."""
        return self._places[body][step]

    def left(self) -> Iterator[str]:
        """What of the user's ops is left for the host because a GPU lacks it or as its sizes depend on data, with the
        reason."""
        for body, there in zip(self.plan.bodies, self.residence.steps, strict=True):
            for i, step in enumerate(body.steps):
                if i in there or not isinstance(step, (p.Map, p.Call)) or not step.origins:
                    continue
                found = lacking(self.plan, step) or ("sizes that depend on data" if id(step) in self._unclear else "")
                if found:
                    yield f"{named(self.plan, step)}: {found}"


def record_walk(divided: Divided, constants: Mapping[str, Any], compute: int, reduced: bool = False) -> Walk:
    """See `record_runs`."""
    recorders = [_PartRecorder(divided, constants, Recorder(compute, shift), reduced) for shift in (0, SHIFT)]
    for shapes in divided.shapes:
        recorders[0].engine.refuse_misfits(shapes)
    return Walk(divided.split.plan, tuple(_recorded(divided, part, *recorders) for part in divided.split.parts),
                tuple(sorted(divided.split.here)),
                tuple(tuple(size for shape in one for size in shape) for one in divided.shapes))


class _PartRecorder:
    """Parts bound to sizes on a recorder."""

    def __init__(self, divided: Divided, constants: Mapping[str, Any], device: Recorder, reduced: bool) -> None:
        self.device = device
        hosts = dict.fromkeys(divided.plan.hosts, _not_called)
        self.engine = MixedEngine([device], divided.residence, constants, StateStore(), hosts)
        self.engine.reduced = reduced

    def bound(self, part: Part, sizes: Sequence[int], shapes: Shapes) -> Bound:
        rows = self.engine.whole_plan.bodies[part.body].buffers
        given = self._addresses([rows[b].dtype for b in part.given], shapes.given)
        made = self._addresses([rows[b].dtype for b in part.made], shapes.made)
        vectors = [(*shape, address) for shape, address in zip(shapes.made, made, strict=True)]
        return Bound(self.device, self.engine, DeviceFrame(self.engine, part, sizes, given, vectors), given, made)

    def _addresses(self, dtypes: Sequence[str], shapes: Sequence[tuple[int, ...]]) -> tuple[int, ...]:
        return tuple(self.device.allocate(bytes_of(*one)) for one in zip(dtypes, shapes, strict=True))


def _not_called(*_: Any) -> None:
    raise AssertionError("nothing runs where parts are recorded")


def _recorded(divided: Divided, part: Part, one: _PartRecorder, other: _PartRecorder) -> RecordedPart:
    body = divided.plan.bodies[part.body]
    runs: dict[tuple[int, ...], Recorded] = {}
    for tables in divided.tables:
        known = tables[part.body]
        if known is None:                              # nothing runs this body
            continue
        told = tuple(size for size in (known[leaf] for leaf in part.leaves) if size is not None)
        if len(told) < len(part.leaves):
            raise errors.InternalError(f"a part of {body.name} has sizes that are not known")
        if told in runs:
            continue
        sizes = [size or 0 for size in known]          # the others are of no value of the part

        def shapes_of(buffers: Sequence[int], sizes: Sequence[int] = sizes) -> tuple[tuple[int, ...], ...]:
            return tuple(tuple(sizes[d] for d in body.buffers[b].dims) for b in buffers)

        shapes = Shapes(*map(shapes_of, (part.uploads, part.given, part.made, part.downloads)))
        bound, again = (recorder.bound(part, sizes, shapes) for recorder in (one, other))
        written = tuple(sorted(one.engine.cells.index(cell) for cell in bound.frame.writes))
        runs[told] = record(bound, again, told, lambda step: divided.place(part.body, step), (), written, shapes)
    return RecordedPart(bool(part.leaves), part.repeats, tuple(runs.values()))
