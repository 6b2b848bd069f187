"""A run that is no plain one: one of the first of its kind, with options or metadata, traced, or with a limit on its
time. Session.run leaves such a run to this file."""
from __future__ import annotations

import sys
import threading
import time
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any

import numpy as np

from graphc import errors
from graphc.exec.code_queue import get_ready, submit
from graphc.session.config import check_run
from graphc.session.devices import CPU, GPU
from graphc.session.explain import cause_of, explained
from graphc.session.prepared_run import RUNS_BEFORE_CODE, PreparedRun
from graphc.session.trials import first_run
from graphc.session.unshaped import keep_written, with_variables

if TYPE_CHECKING:
    from graphc.serial.config_pb2 import RunOptions
    from graphc.serial.run_metadata_pb2 import RunMetadata


def run_with_care(session: Any, prepared: PreparedRun, inputs: list[np.ndarray], options: RunOptions | None,
                  metadata: RunMetadata | None) -> Any:
    """What the run gives, built as it was asked for."""
    check_run(options, metadata)
    timeout = (options.timeout_in_ms if options is not None else 0) or session._settings.timeout_in_ms
    prepared.used = number = next(session._runs)
    prepared, inputs = with_variables(session, prepared, inputs)
    if metadata is not None:
        metadata.Clear()
        if options is not None and options.output_partition_graphs:
            metadata.partition_graphs.append(_needed_graph(session, prepared))
    told = metadata if options is not None and options.trace_level else None

    def run(engine: Any) -> Any:
        if not session._shows and told is None:
            return _timed(session, prepared, engine, inputs, number, timeout)
        return _traced(session, prepared, engine, inputs, number, timeout, told)

    if prepared.proven:
        engine = session._engine(prepared, inputs)
        values = run(engine)
    else:
        engine, values = first_run(session, prepared, inputs, run)
    if prepared.variables:
        keep_written(session, prepared, engine, values)
    elif prepared.ranks_known and prepared.only is None and not (prepared.by_length or prepared.by_ones):
        if not prepared.first_runs and not engine.on_device:
            get_ready()
        prepared.first_runs += 1
        if prepared.first_runs >= RUNS_BEFORE_CODE:
            if not engine.on_device and not engine.code_asked_for:
                submit(engine)
            prepared.only = engine
            if session._plain:
                prepared.quick = engine.quick_way(session._runs, prepared.single)
    return prepared.build([v if v.ndim else v[()] for v in values])


def _traced(session: Any, prepared: PreparedRun, engine: Any, inputs: list[np.ndarray], number: int, timeout: int,
            told: RunMetadata | None) -> Any:
    """A run that shows what it called, even if it fails."""
    from graphc.session.reports.step_stats import fill, fill_device
    from graphc.session.reports.trace import Trace, device_lines

    trace = Trace(timed=told is not None)
    try:
        return _timed(session, prepared, engine, inputs, number, timeout, trace.address)
    finally:
        end, lines = time.time_ns(), trace.lines(engine.plan, engine.names)
        on_gpu = engine.device_events(trace.address)
        if on_gpu:
            lines += device_lines(engine.whole_plan, on_gpu, engine.numbers)
        if session._shows:
            sys.stderr.write("".join(f"graphc: {line}\n" for line in lines))
        if told is not None:
            told.ClearField("step_stats")              # a first run may be repeated
            told.kernels[:] = lines
            fill(told.step_stats, trace, end, engine.plan, engine.names, session.graph, CPU)
            for place in sorted({event.device for event in on_gpu}):
                fill_device(told.step_stats, [event for event in on_gpu if event.device == place], engine.whole_plan,
                            session.graph, GPU.format(engine.numbers[place]))


def _needed_graph(session: Any, prepared: PreparedRun) -> Any:
    """The part of the graph that a run of this kind needs, as a GraphDef."""
    from graphc.passes.snapshot.needed import needed_operations

    with session.graph._lock:
        used = {op.name for op in needed_operations(prepared.tensors, prepared.operations, set(prepared.feeds))}
        made = session.graph_def
    for at in reversed([i for i, node in enumerate(made.node) if node.name not in used]):
        del made.node[at]
    return made


def _timed(session: Any, prepared: PreparedRun, engine: Any, inputs: list[np.ndarray], number: int, timeout: int,
           trace: int = 0) -> Any:
    try:
        if not timeout:
            return engine.run(inputs, number, trace=trace)
        cancel = np.zeros(1, np.int64)
        timer = threading.Timer(timeout / 1e3, cancel.fill, (1,))
        timer.start()
        try:
            with _deadline(session, cancel):
                return engine.run(inputs, number, int(cancel.ctypes.data), trace)
        finally:
            timer.cancel()
    except errors.CancelledError as error:
        if not timeout or session._closed:
            raise
        raise errors.DeadlineExceededError(f"the run took longer than {timeout} ms: {error}", error.op) from None
    except errors.OpError as error:
        raise explained(error, session.graph, prepared, inputs) from cause_of(error)


def _deadline(session: Any, cancel: np.ndarray) -> AbstractContextManager[None]:
    """Inside, what waits for a queue gives up once `cancel` is set."""
    if session._objects is None:
        return nullcontext()
    from graphc.session.resources.waiting import DEADLINE

    return DEADLINE.of(cancel)
