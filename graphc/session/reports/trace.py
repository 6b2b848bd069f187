"""What a run called, one line an event: GRAPHC_TRACE=1 and RunMetadata show it, so that anyone can check what runs.

The native run loop notes its events itself, in the order in which they happen (tables.py: TRACE); only the words are
made here. runner/src/trace.cpp makes the same ones. What a GPU did in the run is told after (exec/cuda/timing.py).
"""
from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from graphc.exec.interrupt import clock_function
from graphc.kernels.contracts.all import attr_values
from graphc.kernels.layout import StepKind
from graphc.kernels.runtime import tables as t
from graphc.plan import plan as p

if TYPE_CHECKING:
    from graphc.exec.cuda.timing import DeviceEvent

CAPACITY = 1 << 20         # words: about 70,000 events, then they are counted; memory that is not used costs nothing
_EPILOGUES = {t.EPILOGUE_TILES: "after each tile map interpreted", t.EPILOGUE_BEHIND: "then map interpreted",
              t.EPILOGUE_TILES_COMPILED: "after each tile map compiled"}


class Trace:
    """Room for the events of a run, to be given to Engine.run by its address. timed: with the time of each, in
    nanoseconds since 1970."""

    def __init__(self, capacity: int = CAPACITY, timed: bool = False) -> None:
        self.words = np.empty(t.TRACE_FIRST + capacity, np.int64)
        self.words[:t.TRACE_FIRST] = 0
        self.words[t.TRACE_CAPACITY] = capacity
        if timed:
            self.words[[t.TRACE_CLOCK, t.TRACE_CLOCK_ID]] = clock_function(), time.CLOCK_REALTIME
        self.address = int(self.words.ctypes.data)

    def clear(self) -> None:
        self.words[[t.TRACE_USED, t.TRACE_DROPPED, t.TRACE_LAST]] = 0

    def events(self) -> list[list[int]]:
        """Each event's words."""
        used = self.words[t.TRACE_FIRST:t.TRACE_FIRST + int(self.words[t.TRACE_USED])].tolist()
        made, at = [], 0
        while at < len(used):
            made.append(used[at:at + used[at]])
            at += used[at]
        return made

    def lines(self, plan: p.Plan, names: Sequence[str]) -> list[str]:
        """A line for every event of the run. names: Library.names."""
        made = [_line(plan, names, event) for event in self.events()]
        if self.words[t.TRACE_DROPPED]:
            made.append(f"{int(self.words[t.TRACE_DROPPED])} more events found no room")
        return made


def kernel_of(plan: p.Plan, names: Sequence[str], event: Sequence[int]) -> tuple[str, list[str]]:
    """What was called, in a word, and the names of the user's ops that it was called for."""
    step, ops = _step(plan, event)
    kind = event[t.EVENT_KIND]
    if isinstance(step, p.Call) and kind != t.EVENT_PACK:
        return names[event[t.EVENT_A]], ops
    return {t.EVENT_PACK: "pack"}.get(kind) or StepKind(kind).name.lower(), ops


def _step(plan: p.Plan, event: Sequence[int]) -> tuple[p.Step | None, list[str]]:
    return step_at(plan, event[t.EVENT_BODY], event[t.EVENT_STEP])


def step_at(plan: p.Plan, body: int, number: int) -> tuple[p.Step | None, list[str]]:
    """The step, and the names of the user's ops that it is for; of a negative number None and none."""
    if number < 0:
        return None, []
    step = plan.bodies[body].steps[number]
    return step, [plan.origins[o].op_name for o in step.origins if 0 <= o < len(plan.origins)]


def _line(plan: p.Plan, names: Sequence[str], event: Sequence[int]) -> str:
    ops = _step(plan, event)[1]
    text = event_text(plan, names, event)
    return f"[{event[t.EVENT_BODY]}:{plan.bodies[event[t.EVENT_BODY]].name}] {text}" + (
        f"  <- {', '.join(ops)}" if ops else "")


def event_text(plan: p.Plan, names: Sequence[str], event: Sequence[int]) -> str:
    """What was called, with sizes and what was chosen for them."""
    step, _ = _step(plan, event)
    kind, a, numbers = event[t.EVENT_KIND], event[t.EVENT_A], event[t.EVENT_NUMBERS:]
    if kind == t.EVENT_PACK:
        return f"pack for {names[a]}, format {event[t.EVENT_C]}, {numbers[0]} bytes{_tiles(event)}"
    if kind == t.EVENT_ITERATION:
        return f"while: iteration {a}"
    if kind == t.EVENT_LOOP_END:
        return f"while: ended after {a} iterations"
    if isinstance(step, p.Map):
        how = "compiled" if a else "interpreted"
        return f"map {how}({_program(plan, step)})[{_list(numbers)}]{_tiles(event)}{_joined(event)}"
    if isinstance(step, p.Call):
        dims = len(step.dims)
        attrs = attr_values(step.kernel, numbers[dims:])
        sizes = _list(numbers[:dims]) + (f"; {_list(attrs)}" if attrs else "")
        way = _EPILOGUES.get(event[t.EVENT_F])
        behind = f", {way}({_program(plan, step.epilogue)})" if way and step.epilogue is not None else ""
        return f"{names[a]}({sizes}) variant {event[t.EVENT_B]}, format {event[t.EVENT_C]}{_tiles(event)}{behind}"
    if isinstance(step, p.Host):
        return f"host function {plan.hosts[a]}"
    if isinstance(step, p.While):
        return f"while: test body {step.cond}, body {step.body}"
    if isinstance(step, p.If):
        return f"if: takes body {a}"
    return StepKind(kind).name.lower()


def device_lines(plan: p.Plan, events: Sequence[DeviceEvent], gpus: Sequence[int]) -> list[str]:
    """A line for each thing that GPUs did; plan: the whole one, of host and GPUs; gpus: numbers of the run's GPUs."""
    made = []
    for event in events:
        ops = step_at(plan, event.body, event.step)[1]
        where = f"[{event.body}:{plan.bodies[event.body].name}] GPU {gpus[event.device]}"
        made.append(f"{where}: {device_text(plan, event)}, {event.nanos / 1e3:.1f} us"
                    + (f"  <- {', '.join(ops)}" if ops else ""))
    return made


def device_text(plan: p.Plan, event: DeviceEvent) -> str:
    """What the GPU did, with sizes and the names of its kernels."""
    step, _ = step_at(plan, event.body, event.step)
    pieces = ", ".join(f"{count} x {name}" if count > 1 else name for name, count in Counter(event.pieces).items())
    if isinstance(step, p.Map):
        return f"map({_program(plan, step)})[{_list(event.sizes)}] by {pieces}"
    if isinstance(step, p.Call):
        attrs = attr_values(step.kernel, step.attrs)
        sizes = _list(event.sizes) + (f"; {_list(attrs)}" if attrs else "")
        behind = f", then map({_program(plan, step.epilogue)})" if step.epilogue is not None else ""
        return f"{step.kernel}({sizes}){behind} by {pieces}"
    return pieces


def _tiles(event: Sequence[int]) -> str:
    second = f"+{event[t.EVENT_E]}" if event[t.EVENT_E] else ""
    return f", tiles {event[t.EVENT_D]}{second}, threads {event[t.EVENT_THREADS]}"


def _joined(event: Sequence[int]) -> str:
    return ", by the tiles of the one before" if event[t.EVENT_B] else ""


def _list(numbers: Sequence[float]) -> str:
    return ", ".join(map(str, numbers))


def _program(plan: p.Plan, step: p.Map) -> str:
    instrs = [i.op for i in plan.programs[step.program].instrs if i.op not in ("const", "index", "linear")]
    return " ".join(instrs) or "copy"
