"""Timeline: what a run called, as a trace that chrome://tracing and Perfetto show.

    run_metadata = gc.RunMetadata()
    session.run(fetches, options=gc.RunOptions(trace_level=gc.RunOptions.FULL_TRACE), run_metadata=run_metadata)
    trace = Timeline(run_metadata.step_stats).generate_chrome_trace_format()
"""
from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from graphc.api.public import public

_LABEL = re.compile(r"(?P<name>.*) = (?P<op>.*)\((?P<inputs>.*)\)")
Events = Iterator[dict[str, Any]]


@dataclass
class _Call:
    """One NodeExecStats: in microseconds, and in which row of which process it is drawn."""

    stats: Any
    process: int
    op: str
    inputs: Sequence[str]
    row: int = 0
    readers: list[_Call] = field(default_factory=list)

    @property
    def name(self) -> str:
        return str(self.stats.node_name)

    @property
    def begin(self) -> int:
        return int(self.stats.all_start_micros)

    @property
    def end(self) -> int:
        return self.begin + max(1, int(self.stats.all_end_rel_micros))


@public("compat.v1.python.client.timeline.Timeline")
class Timeline:
    """A StepStats message as a trace, as `tensorflow.python.client.timeline.Timeline`. graph: not needed.

    generate_chrome_trace_format() gives the text of a file for chrome://tracing or Perfetto.

    >>> import json
    >>> x = gc.random_normal([64, 64])
    >>> y = gc.matmul(x, x)
    >>> options, metadata = gc.RunOptions(trace_level=gc.RunOptions.FULL_TRACE), gc.RunMetadata()
    >>> _ = gc.get_default_session().run(y, options=options, run_metadata=metadata)
    >>> timeline = gc.compat.v1.python.client.timeline.Timeline(metadata.step_stats)
    >>> sorted(json.loads(timeline.generate_chrome_trace_format()))
    ['traceEvents']
    """

    def __init__(self, step_stats: Any, graph: Any = None) -> None:
        self._step_stats = step_stats

    def generate_chrome_trace_format(self, show_dataflow: bool = True, show_memory: bool = False) -> str:
        """The trace as JSON. show_dataflow: arrows from what makes a tensor to what reads it. show_memory: the tensors
        that the stats tell of (NodeExecStats.output), while they live; runs of graphc tell of none."""
        processes = [str(device.device) for device in self._step_stats.dev_stats]
        calls = _calls(self._step_stats)
        events = [_named(i, f"{device} Compute") for i, device in enumerate(processes)]
        events += [_named(len(processes) + i, f"{device} Tensors") for i, device in enumerate(processes)]
        events += [_drawn(call) for call in calls]
        if show_dataflow:
            events += _arrows(calls)
        if show_memory:
            events += _tensors(calls, len(processes))
        return json.dumps({"traceEvents": events}, indent=4, separators=(",", ": "))


def _calls(step_stats: Any) -> list[_Call]:
    calls: list[_Call] = []
    for process, device in enumerate(step_stats.dev_stats):
        rows: list[int] = []                       # when each is free again
        for stats in sorted(device.node_stats, key=lambda s: s.all_start_micros):
            op, inputs = _parts(stats.timeline_label, stats.node_name)
            call = _Call(stats, process, op, inputs)
            free = [i for i, end in enumerate(rows) if end <= call.begin]
            call.row = free[0] if free else len(rows)
            rows[call.row:call.row + 1] = [call.end]
            calls.append(call)
    makers = {call.name: call for call in calls}
    for call in calls:
        for name in call.inputs:
            if name in makers and makers[name] is not call:
                makers[name].readers.append(call)
    return calls


def _parts(label: str, name: str) -> tuple[str, Sequence[str]]:
    """Type and inputs in "name = Type(input, ^input)"."""
    match = _LABEL.match(label)
    if match is None:
        return name or "unknown", ()
    inputs = [text.strip().lstrip("^") for text in match["inputs"].split(",")]
    return match["op"], [text.split(":")[0] for text in inputs if text]


def _named(process: int, name: str) -> dict[str, Any]:
    return {"name": "process_name", "args": {"name": name}, "pid": process, "ph": "M"}


def _drawn(call: _Call) -> dict[str, Any]:
    about = {"name": call.name, "op": call.op, **{f"input{i}": name for i, name in enumerate(call.inputs)}}
    return {"ph": "X", "cat": "Op", "name": call.op, "pid": call.process, "tid": call.row, "ts": call.begin,
            "dur": call.end - call.begin, "args": about}


def _arrows(calls: Sequence[_Call]) -> Events:
    number = 0
    for call in calls:
        for reader in call.readers:
            for kind, end, at in (("s", call, call.end), ("t", reader, reader.begin)):
                yield {"name": call.name, "ph": kind, "cat": "DataFlow", "id": number, "pid": end.process,
                       "tid": end.row, "ts": at}
            number += 1


def _tensors(calls: Sequence[_Call], first_process: int) -> Events:
    """Each tensor as an object from its making to the end of its last reader."""
    number = 0
    for call in calls:
        for output in call.stats.output:
            about = {"cat": "Tensor", "name": f"{call.name}:{output.slot}", "id": number,
                     "pid": first_process + call.process, "tid": 0}
            last = max([call.end, *(reader.end for reader in call.readers)])
            yield {"ph": "N", "ts": call.begin, **about}
            yield {"ph": "O", "ts": call.begin, **about,
                   "args": {"snapshot": {"tensor_description": str(output.tensor_description)}}}
            yield {"ph": "D", "ts": last, **about}
            number += 1
