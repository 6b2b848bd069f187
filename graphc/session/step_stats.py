"""RunMetadata.step_stats: when everything that a run called began, and how long it took.

The native run loop notes what it calls, and no times (trace.py). So while a run is to be timed, a thread looks every
RESOLUTION how far the notes are: what took less than that shares an instant with its neighbours.
"""
from __future__ import annotations

import threading
import time
from bisect import bisect_right
from collections.abc import Sequence
from typing import Any

from graphc.ir.graph import Graph
from graphc.kernels.runtime import tables as t
from graphc.plan import plan as p
from graphc.session.trace import Trace, kernel_of

RESOLUTION = 20e-6         # seconds


class Clock:
    """Inside, when the events of the trace were noted."""

    def __init__(self, trace: Trace) -> None:
        self.trace = trace
        self._words: list[int] = []                # how far the notes were ...
        self._times: list[int] = []                # ... at these times: nanoseconds since 1970
        self._ready, self._stopped = threading.Event(), False
        self._thread = threading.Thread(target=self._watch, name="graphc-step-stats", daemon=True)

    def __enter__(self) -> Clock:
        self._thread.start()
        self._ready.wait()
        return self

    def __exit__(self, *error: Any) -> None:
        self._stopped = True
        self._thread.join()
        self.end = time.time_ns()
        self._note()

    def _watch(self) -> None:
        self._ready.set()
        while not self._stopped:
            self._note()
            time.sleep(RESOLUTION)

    def _note(self) -> None:
        used = int(self.trace.words[t.TRACE_USED])
        if used != (self._words[-1] if self._words else 0):
            self._words.append(used)
            self._times.append(time.time_ns())

    def began(self, at: int) -> int:
        """When the event at this word was first seen."""
        return self._times[bisect_right(self._words, at)]


def fill(stats: Any, clock: Clock, plan: p.Plan, names: Sequence[str], graph: Graph, device: str) -> None:
    """Writes into a StepStats message what the run called. An event is there from its beginning to that of the next."""
    made = stats.dev_stats.add(device=device)
    made.thread_names[0] = "Session.run"
    events = clock.trace.events()
    begins = [clock.began(at) for at, _ in events]
    for (_, event), begin, end in zip(events, begins, [*begins[1:], clock.end], strict=True):
        if event[t.EVENT_KIND] in (t.EVENT_ITERATION, t.EVENT_LOOP_END):
            continue
        kernel, origins = kernel_of(plan, names, event)
        name = origins[-1] if origins else kernel
        made.node_stats.add(
            node_name=name, timeline_label=_label(graph, name, kernel), scheduled_micros=begin // 1000,
            scheduled_nanos=begin, all_start_micros=begin // 1000, all_start_nanos=begin,
            op_end_rel_micros=_micros(end - begin), op_end_rel_nanos=end - begin,
            all_end_rel_micros=_micros(end - begin), all_end_rel_nanos=end - begin)


def _micros(nanos: int) -> int:
    return max(1, round(nanos / 1000))


def _label(graph: Graph, name: str, kernel: str) -> str:
    """As TensorFlow's: "name = Type(input, input)"; the kernel stands for the type of what is no op of the graph."""
    try:
        operation = graph.get_operation_by_name(name)
    except KeyError:
        return f"{name} = {kernel}()"
    return f"{name} = {operation.type}({', '.join(x.op.name for x in operation.inputs)})"
