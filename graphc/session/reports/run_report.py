"""RunReport: for each step of a run what was chosen, how long it took, and how near that is to what the machine can do.

A run is repeated with a trace that has times (trace.py). What a step needs at least is the longer of two times: of its
arithmetic at the machine's peak, of its operands at the memory's speed (exec/machine_speed.py). Operands that are still
in the caches come quicker, so a step may take less than that. Of what a GPU does the same is told, beside what the GPU
can do on paper.
"""
from __future__ import annotations

import statistics
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from graphc import errors
from graphc.exec.machine_speed import MachineSpeed, machine_speed
from graphc.exec.memory_plan import MemoryPlan, memory_plan
from graphc.exec.pool import default_threads
from graphc.kernels.runtime import tables as t
from graphc.session.explain import cause_of, explained
from graphc.session.reports.step_cost import Cost, device_cost, event_cost
from graphc.session.reports.step_stats import timed_events
from graphc.session.reports.trace import Trace, device_text, event_text, kernel_of, step_at
from graphc.session.trials import put_back, written_states
from graphc.session.warming import warmed

Key = tuple[int, int, int | tuple[str, ...]]   # body, step, kind of event or what a GPU did
SMALL = 0.001                          # of a run: a step that takes less has no row of its own
RUNS_BEFORE = 2                        # so that weights are packed and memory has been touched
LONGEST = 160                          # letters of a call in the table


@dataclass
class StepReport:
    """A step of a run. ops: the graph's that it is for. call: what was called, with sizes and what was chosen for them:
    variant, format, tiles, threads. body: whose step it is, "main" or a loop's or branch's. calls: how often it ran.
    microseconds: of all calls of a run, the median of the runs. least_microseconds: what this machine needs for them at
    least. flops, bytes: of a run. on_gpu: whether a GPU did it; then the call names the GPU's kernels."""

    ops: tuple[str, ...]
    call: str
    body: str
    calls: float
    microseconds: float
    least_microseconds: float
    flops: float
    bytes: float
    on_gpu: bool = False

    @property
    def gflops(self) -> float:
        """Billions of operations a second."""
        return self.flops / max(self.microseconds, 1e-3) / 1e3

    @property
    def gigabytes(self) -> float:
        """Billions of bytes a second."""
        return self.bytes / max(self.microseconds, 1e-3) / 1e3

    @property
    def efficiency(self) -> float:
        """least_microseconds by microseconds: 1 is as quick as the machine's peak or its memory allows. A convolution
        by Winograd's transforms, which multiply less than its definition, may be above, and products on a GPU's tensor
        cores."""
        return self.least_microseconds / max(self.microseconds, 1e-3)


@dataclass
class RunReport:
    """What `Session.explain` found; str() is a table, the steps that take longest first.

    steps: StepReports in the order of their first call, a GPU's after those of the CPU, of which a "host function
    gpu_part" is the time that the CPU waited for some. microseconds: of a whole run, the median. machine, gpu: what the
    steps are measured by; None without a GPU. threads: that share the work. memory: where the values between steps of
    the main body lie; None on a GPU, and with GRAPHC_GUARD.
    """

    steps: list[StepReport]
    microseconds: float
    runs: int
    threads: int
    machine: MachineSpeed
    gpu: MachineSpeed | None = None
    memory: MemoryPlan | None = None

    def __str__(self) -> str:
        return "\n".join([*self._head(), *self._rows()])

    def _head(self) -> Iterator[str]:
        least = sum(step.least_microseconds for step in self.steps)
        yield (f"{self.microseconds:,.1f} us a run (median of {self.runs}), {len(self.steps)} steps, {self.threads} "
               f"threads; this machine needs {least:,.1f} us at least")
        for who, speed in (("", self.machine), ("the GPU on paper: ", self.gpu)):
            if speed is not None:
                yield (f"{who}peak {speed.f32 / 1e9:,.0f} GF/s in float32, {speed.f64 / 1e9:,.0f} in float64, "
                       f"{speed.bandwidth / 1e9:,.1f} GB/s from memory")
        if self.memory is not None:
            yield (f"values between steps take {self.memory.size:,} bytes, of which {self.memory.least:,} are alive at "
                   "the same time")
        yield f"{'us':>10} {'%':>5} {'calls':>6} {'least':>9} {'of it':>5} {'GF/s':>7} {'GB/s':>7}  kernel <- ops"

    def _rows(self) -> Iterator[str]:
        shown = [step for step in self.steps if step.microseconds >= SMALL * self.microseconds]
        for step in sorted(shown, key=lambda s: -s.microseconds):
            share = 100 * step.microseconds / max(self.microseconds, 1e-3)
            ops = f"  <- {', '.join(step.ops)}" if step.ops else ""
            inside = ("" if step.body == "main" else f"[{step.body}] ") + ("GPU: " if step.on_gpu else "")
            call = step.call if len(step.call) <= LONGEST else f"{step.call[:LONGEST]} ..."
            yield (f"{step.microseconds:>10,.1f} {share:>5.1f} {step.calls:>6g} {step.least_microseconds:>9,.1f} "
                   f"{100 * step.efficiency:>4.0f}% {step.gflops:>7,.1f} {step.gigabytes:>7,.1f}  {inside}{call}{ops}")
        if len(shown) < len(self.steps):
            rest = sum(step.microseconds for step in self.steps) - sum(step.microseconds for step in shown)
            share = 100 * rest / max(self.microseconds, 1e-3)
            yield f"{rest:>10,.1f} {share:>5.1f}  {len(self.steps) - len(shown)} steps more"


@dataclass
class _Seen:
    """What the runs so far have shown of a step."""

    ops: tuple[str, ...]
    call: str
    body: str
    on_gpu: bool = False
    flops: int = 0
    bytes: int = 0
    calls: int = 0
    least: float = 0.0                                       # seconds, of all runs
    nanos: list[int] = field(default_factory=list)           # of each run

    def add(self, run: int, nanos: int, cost: Cost, machine: MachineSpeed) -> None:
        self.nanos += [0] * (run + 1 - len(self.nanos))
        self.nanos[run] += nanos
        self.calls += 1
        self.flops, self.bytes = self.flops + cost.flops, self.bytes + cost.bytes
        peak = machine.f64 if cost.dtype == "f64" else machine.f32
        self.least += max(cost.flops / peak, cost.bytes / machine.bandwidth)


def report(session: Any, fetches: Any, feed_dict: Mapping[Any, Any], runs: int) -> RunReport:
    """Runs `fetches` some times, the last `runs` of them timed, and puts variables back."""
    if runs < 1:
        raise ValueError(f"Session.explain: argument 'runs' must be at least 1, but is {runs}")
    prepared, engine, inputs = warmed(session, fetches, feed_dict)
    if prepared.variables:
        raise errors.UnimplementedError("Session.explain: the run uses a variable without a known shape "
                                        f"({prepared.variables[0]}); give it one")
    before = written_states(session._states, engine)
    try:
        return _report(session, prepared, engine, inputs, runs)
    finally:
        put_back(session._states, before)


def _report(session: Any, prepared: Any, engine: Any, inputs: Sequence[np.ndarray], runs: int) -> RunReport:
    threads = session._settings.threads or default_threads()
    machine, gpu = machine_speed(threads), engine.gpu_speed()
    seen: dict[Key, _Seen] = {}
    totals = []
    try:
        for _ in range(RUNS_BEFORE):
            engine.run(inputs, next(session._runs))
        for run in range(runs):
            trace = Trace(timed=True)
            begin = time.perf_counter_ns()
            engine.run(inputs, next(session._runs), trace=trace.address)
            end = time.time_ns()
            if gpu is not None:                # a trace makes such runs longer
                begin = time.perf_counter_ns()
                engine.run(inputs, next(session._runs))
            totals.append((time.perf_counter_ns() - begin) / 1e3)
            _add(seen, run, trace, end, engine, machine)
            if gpu is not None:
                _add_device(seen, run, engine.device_events(trace.address), engine.whole_plan, gpu)
    except errors.OpError as error:
        raise explained(error, session.graph, prepared, inputs) from cause_of(error)
    steps = [_step_report(one, runs) for one in seen.values()]
    memory = memory_plan(engine, [a.shape for a in inputs])
    return RunReport(steps, statistics.median(totals), runs, threads, machine, gpu, memory)


def _add(seen: dict[Key, _Seen], run: int, trace: Trace, end: int, engine: Any, machine: MachineSpeed) -> None:
    plan, names = engine.plan, engine.names
    for event, nanos in timed_events(trace, end):
        key = event[t.EVENT_BODY], event[t.EVENT_STEP], event[t.EVENT_KIND]
        one = seen.get(key)
        if one is None:
            one = seen[key] = _Seen(tuple(kernel_of(plan, names, event)[1]), event_text(plan, names, event),
                                    plan.bodies[event[t.EVENT_BODY]].name)
        one.add(run, nanos, event_cost(plan, names, event), machine)


def _add_device(seen: dict[Key, _Seen], run: int, events: Sequence[Any], plan: Any, gpu: MachineSpeed) -> None:
    for event in events:
        key = event.body, event.step, event.pieces
        if key not in seen:
            ops = step_at(plan, event.body, event.step)[1]
            seen[key] = _Seen(tuple(ops), device_text(plan, event), plan.bodies[event.body].name, True)
        seen[key].add(run, event.nanos, device_cost(plan, event), gpu)


def _step_report(one: _Seen, runs: int) -> StepReport:
    took = statistics.median([*one.nanos, *[0] * (runs - len(one.nanos))]) / 1e3
    return StepReport(one.ops, one.call, one.body, one.calls / runs, took, one.least * 1e6 / runs, one.flops / runs,
                      one.bytes / runs, one.on_gpu)
