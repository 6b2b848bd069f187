"""RunMetadata.step_stats: when everything that a run called began, and how long it took, as the native run loop noted
it (trace.py), and a GPU (exec/cuda/timing.py)."""
from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from graphc.ir.graph import Graph
from graphc.kernels.runtime import tables as t
from graphc.plan import plan as p
from graphc.session.reports.trace import Trace, kernel_of, step_at

if TYPE_CHECKING:
    from graphc.exec.cuda.timing import DeviceEvent


def timed_events(trace: Trace, end: int) -> Iterator[tuple[list[int], int]]:
    """Each event of something called, and its nanoseconds: from its beginning to that of the next, of the last one to
    `end`, when the run had ended. None, if all of it happened on a GPU."""
    events = trace.events()
    ends = [*(event[t.EVENT_TIME] for event in events[1:]), end][:len(events)]
    for event, then in zip(events, ends, strict=True):
        if event[t.EVENT_KIND] not in (t.EVENT_ITERATION, t.EVENT_LOOP_END):
            yield event, then - event[t.EVENT_TIME]


def fill(stats: Any, trace: Trace, end: int, plan: p.Plan, names: Sequence[str], graph: Graph, device: str) -> None:
    """Writes into a StepStats message what the run called."""
    made = stats.dev_stats.add(device=device)
    made.thread_names[0] = "Session.run"
    known: dict[tuple[int, ...], tuple[str, str]] = {}       # a loop's steps are called thousands of times
    for event, nanos in timed_events(trace, end):
        what = tuple(event[word] for word in (t.EVENT_BODY, t.EVENT_STEP, t.EVENT_KIND, t.EVENT_A))
        if what not in known:
            kernel, origins = kernel_of(plan, names, event)
            known[what] = _named(graph, origins, kernel)
        _add(made, *known[what], event[t.EVENT_TIME], nanos)


def fill_device(stats: Any, events: Sequence[DeviceEvent], plan: p.Plan, graph: Graph, device: str) -> None:
    """The same of what a GPU did. plan: the whole one, of host and GPU."""
    made = stats.dev_stats.add(device=device)
    made.thread_names[0] = "stream"
    for event in events:
        step, origins = step_at(plan, event.body, event.step)
        kernel = step.kernel if isinstance(step, p.Call) else "map" if step is not None else event.pieces[0]
        _add(made, *_named(graph, origins, kernel), event.begin, event.nanos)


def _add(made: Any, name: str, label: str, begin: int, nanos: int) -> None:
    """begin: nanoseconds since 1970."""
    made.node_stats.add(
        node_name=name, timeline_label=label, scheduled_micros=begin // 1000,
        scheduled_nanos=begin, all_start_micros=begin // 1000, all_start_nanos=begin, op_end_rel_micros=_micros(nanos),
        op_end_rel_nanos=nanos, all_end_rel_micros=_micros(nanos), all_end_rel_nanos=nanos)


def _micros(nanos: int) -> int:
    return max(1, round(nanos / 1000))


def _named(graph: Graph, origins: Sequence[str], kernel: str) -> tuple[str, str]:
    """Name and label of what was called for these ops, as TensorFlow's: "name = Type(input, input)"; the kernel stands
    for the type of what is no op of the graph."""
    name = origins[-1] if origins else kernel
    try:
        operation = graph.get_operation_by_name(name)
    except KeyError:
        return name, f"{name} = {kernel}()"
    return name, f"{name} = {operation.type}({', '.join(x.op.name for x in operation.inputs)})"
