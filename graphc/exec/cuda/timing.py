"""A traced run on the device: what each step of a part did there, when, and for how long.

Graphs of parts tell nothing about their steps. So a traced run records each stage of a part once more, with marks
between the pieces (driver.py: Times), and launches that once: the pieces follow one another as they do without a trace,
but for some microseconds that a mark takes.
"""
from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter

from graphc.exec.cuda.driver import Device
from graphc.exec.cuda.frame import NO_STEP, DeviceFrame, Stage
from graphc.exec.machine_speed import MachineSpeed
from graphc.plan import plan as p

# Multiply-adds a clock of a multiprocessor, of float32 and float64, from a compute capability on.
_UNITS = {75: (64, 2), 80: (64, 32), 86: (128, 2), 90: (128, 64), 110: (128, 2)}


@dataclass(frozen=True)
class DeviceEvent:
    """What the device did for a step in one go. body, step: of the whole plan, NO_STEP of copies to and from; sizes: of
    the step; pieces: names of kernels and copies. begin: nanoseconds since 1970, as the host's clock has them, about;
    nanos: how long it took; device: which one of the run's."""

    body: int
    step: int
    sizes: tuple[int, ...]
    pieces: tuple[str, ...]
    begin: int
    nanos: int
    device: int = 0


def traced(device: Device, frame: DeviceFrame, stage: int) -> list[DeviceEvent]:
    """Has the device do the stage, and waits. The stream is the caller's."""
    work, times = frame.stages[stage], device.times(recorded=True)

    def marked() -> None:
        times.mark()
        for _, piece in work:
            piece.submit(device)
            times.mark()

    graph = device.record(marked)
    try:
        device.wait()
        begin = time.time_ns()
        device.replay(graph)
        return list(_events(frame, work, begin, times.seconds()))
    finally:
        device.forget(graph)


def _events(frame: DeviceFrame, work: Stage, begin: int, seconds: Sequence[float]) -> Iterator[DeviceEvent]:
    """seconds: of the mark before the first piece, and of that behind each."""
    at = 0
    for step, group in groupby(work, itemgetter(0)):
        pieces = tuple(piece.name for _, piece in group)
        first, end = (round(1e9 * seconds[i]) for i in (at, at + len(pieces)))
        yield DeviceEvent(frame.part.body, step, _sizes(frame, step), pieces, begin + first, end - first,
                          frame.part.device)
        at += len(pieces)


def _sizes(frame: DeviceFrame, number: int) -> tuple[int, ...]:
    if number == NO_STEP:
        return ()
    step = frame.body.steps[number]
    assert isinstance(step, (p.Map, p.Call))
    return tuple(frame.dims[d] for d in (step.domain if isinstance(step, p.Map) else step.dims))


def device_speed(device: Device) -> MachineSpeed:
    """What the device can do on paper, without tensor cores; of its newest kind that is known here, if it is newer."""
    units = _UNITS[max(compute for compute in _UNITS if compute <= max(device.compute, min(_UNITS)))]
    f32, f64 = (2.0 * count * device.multiprocessors * device.clock for count in units)
    return MachineSpeed(f32, f64, device.bandwidth)
