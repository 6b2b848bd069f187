"""Session.tune: which of a kernel's ways is the quickest for the sizes of a run, measured in the run itself.

Kernels choose their way by models of cost, which know no machine in particular. Here the whole run is repeated with
each way asked for in turn (exec/ways.py), traced with times, so each step is measured as it runs: among its neighbours,
with its epilogue, on all threads. What cannot go a way goes the usual one. The least time of some rounds counts; the
usual way stays unless another one gains more than NOISE, and all stay unless the whole run gains.
"""
from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from graphc import errors
from graphc.exec.ways import Sizes, keep
from graphc.kernels.contracts.all import kernel_of
from graphc.kernels.runtime import tables as t
from graphc.session.reports.step_stats import timed_events
from graphc.session.reports.trace import Trace
from graphc.session.reports.trace import kernel_of as called
from graphc.session.trials import put_back, written_states
from graphc.session.warming import warmed

NOISE = 0.05
Times = dict[Sizes, tuple[int, float]]         # the way that was gone, microseconds


@dataclass
class TunedCall:
    """A kernel's call of some sizes. ops: the graph's that it is for. usual: the way that its model of costs says.
    microseconds: of all such calls of a run, by way."""

    sizes: Sizes
    ops: tuple[str, ...]
    usual: int
    microseconds: dict[int, float]

    @property
    def best(self) -> int:
        """The way to go."""
        quickest = min(self.microseconds, key=lambda way: self.microseconds[way])
        gains = self.microseconds[quickest] < (1 - NOISE) * self.microseconds[self.usual]
        return quickest if gains else self.usual

    def __str__(self) -> str:
        names = _ways_of(self.sizes)
        by_time = sorted(self.microseconds.items(), key=lambda item: item[1])
        times = ", ".join(f"{names[way]} {us:,.1f}" for way, us in by_time)
        change = "" if self.best == self.usual else f" -> {names[self.best]}"
        call = f"{self.sizes.kernel}({', '.join(map(str, self.sizes.numbers))})"
        return f"{names[self.usual]}{change}: {times} us  {call}  <- {', '.join(self.ops)}"


@dataclass
class Tuning:
    """What Session.tune found; str() is a table. calls: of kernels that have several ways. before, after: microseconds
    of a whole run with the usual ways and with those that are kept, least of the rounds, in turns."""

    calls: list[TunedCall]
    before: float
    after: float

    @property
    def ways(self) -> dict[Sizes, int]:
        """The ways that are better than the usual ones; none if the whole run did not gain by them."""
        return better(self.calls) if self.after < self.before else {}

    def __str__(self) -> str:
        found = sorted(self.calls, key=lambda call: -call.microseconds[call.usual])
        others = len(better(self.calls))
        what = f"going another one now: {others}" if others == len(self.ways) else (
            f"quicker another one: {others}, of which none is kept, as the whole run did not gain")
        head = (f"calls that have several ways: {len(self.calls)}; {what}; a run took {self.before:,.1f} us, "
                f"with these {self.after:,.1f}")
        return "\n".join([head, *map(str, found)])


def better(calls: Sequence[TunedCall]) -> dict[Sizes, int]:
    """The ways that are not the usual ones."""
    return {call.sizes: call.best for call in calls if call.best != call.usual}


def tune(session: Any, fetches: Any, feed_dict: Mapping[Any, Any], rounds: int) -> Tuning:
    """Measures, has this session and later ones go the best ways, and puts variables back."""
    if rounds < 1:
        raise ValueError(f"Session.tune: argument 'rounds' must be at least 1, but is {rounds}")
    _, engine, inputs = warmed(session, fetches, feed_dict)
    if engine.on_device:
        raise errors.UnimplementedError("Session.tune: this run is on a GPU, which has ways of its own; write "
                                        "gc.ConfigProto(device_count={'GPU': 0}) to tune it on the CPU")
    before = written_states(session._states, engine)
    try:
        found = _measured(session, engine, inputs, rounds)
    finally:
        put_back(session._states, before)
    keep(engine.library, found.ways)
    return found


def _measured(session: Any, engine: Any, inputs: Sequence[np.ndarray], rounds: int) -> Tuning:
    ops: dict[Sizes, tuple[str, ...]] = {}
    engine.use_ways({})
    usual = _times(session, engine, inputs, ops)
    calls = [TunedCall(sizes, ops[sizes], way, {way: us}) for sizes, (way, us) in usual.items()]
    most = max((len(_ways_of(sizes)) for sizes in usual), default=0)
    for _ in range(rounds):
        for way in range(-1, most):
            engine.use_ways(dict.fromkeys(usual, way) if way >= 0 else {})
            for sizes, (gone, us) in _times(session, engine, inputs, ops).items():
                _note(calls, sizes, gone, us)
    best = better(calls)
    totals: dict[bool, float] = {}
    for _ in range(rounds):
        for tuned in (False, True):
            engine.use_ways(best if tuned else {})
            totals[tuned] = min(_total(session, engine, inputs), totals.get(tuned, float("inf")))
    found = Tuning(calls, totals[False], totals[True])
    engine.use_ways(found.ways)
    return found


def _note(calls: Sequence[TunedCall], sizes: Sizes, way: int, microseconds: float) -> None:
    for call in calls:
        if call.sizes == sizes:
            call.microseconds[way] = min(microseconds, call.microseconds.get(way, microseconds))


def _times(session: Any, engine: Any, inputs: Sequence[np.ndarray], ops: dict[Sizes, tuple[str, ...]]) -> Times:
    """Of a run, after one that packs weights and touches memory: each call of a kernel that has several ways."""
    engine.run(inputs, next(session._runs))
    trace = Trace(timed=True)
    engine.run(inputs, next(session._runs), trace=trace.address)
    end = time.time_ns()
    found: Times = {}
    for event, nanos in timed_events(trace, end):
        name, origins = called(engine.plan, engine.names, event)
        kernel = kernel_of(name)
        if event[t.EVENT_KIND] == t.EVENT_PACK or kernel is None or not kernel.ways:
            continue
        numbers = tuple(event[t.EVENT_NUMBERS:])
        sizes = Sizes(name, event[t.EVENT_C] != 0, numbers)
        ops[sizes] = tuple(dict.fromkeys((*ops.get(sizes, ()), *origins)))
        found[sizes] = event[t.EVENT_B], nanos / 1e3 + found.get(sizes, (0, 0.0))[1]
    return found


def _total(session: Any, engine: Any, inputs: Sequence[np.ndarray]) -> float:
    engine.run(inputs, next(session._runs))
    begin = time.perf_counter_ns()
    engine.run(inputs, next(session._runs))
    return (time.perf_counter_ns() - begin) / 1e3


def _ways_of(sizes: Sizes) -> tuple[str, ...]:
    kernel = kernel_of(sizes.kernel)
    return kernel.ways if kernel is not None else ()
