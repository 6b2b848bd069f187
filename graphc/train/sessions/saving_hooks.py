"""Hooks that write files: checkpoints, summaries, timelines."""
from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import graphc as gc
from graphc.api.public import public
from graphc.train.sessions.hook import SessionRunArgs, SessionRunContext, SessionRunHook, SessionRunValues
from graphc.train.sessions.log import LOG
from graphc.train.sessions.step_hooks import needed_global_step
from graphc.train.sessions.timers import SecondOrStepTimer


@public("train.CheckpointSaverListener")
class CheckpointSaverListener:
    """What is called around each checkpoint of a CheckpointSaverHook. As `tf.train.CheckpointSaverListener`.

    Its methods, all with nothing to do here: begin(), before_save(session, global_step), after_save(session,
    global_step), which may return True to ask for the stop, and end(session, global_step).

    >>> class Report(gc.train.CheckpointSaverListener):
    ...     def after_save(self, session, global_step_value):
    ...         print("saved", global_step_value)
    >>> count = gc.train.create_global_step().assign_add(1)
    >>> hook = gc.train.CheckpointSaverHook("run", save_steps=10, listeners=[Report()])
    >>> with gc.train.SingularMonitoredSession([hook]) as session:
    ...     value = session.run(count)
    saved 0
    saved 1
    """

    def begin(self) -> None:
        """Called before the session is made; it may add to the graph."""
        pass

    def before_save(self, session: Any, global_step_value: int) -> None:
        """Called before each checkpoint is written."""
        pass

    def after_save(self, session: Any, global_step_value: int) -> Any:
        """True asks to stop."""

    def end(self, session: Any, global_step_value: int) -> None:
        """Called when the session ends, after the last checkpoint."""
        pass


@public("train.CheckpointSaverHook")
class CheckpointSaverHook(SessionRunHook):
    """Saves a checkpoint when the session is made, every save_secs or save_steps, and at the end. As
    `tf.train.CheckpointSaverHook`.

    The saver: `saver`, or the scaffold's, or the one of the collection SAVERS. Raises ValueError for both of them, or
    unless one of save_secs and save_steps is given. It needs a global step (RuntimeError), when the session is made.

    >>> count = gc.train.create_global_step().assign_add(1)
    >>> hook = gc.train.CheckpointSaverHook("saved", save_steps=2)
    >>> with gc.train.SingularMonitoredSession([hook]) as session:
    ...     values = [session.run(count) for _ in range(4)]
    >>> gc.train.latest_checkpoint("saved")
    'saved/model.ckpt-4'
    """

    def __init__(self, checkpoint_dir: str, save_secs: float | None = None, save_steps: int | None = None,
                 saver: Any = None, checkpoint_basename: str = "model.ckpt", scaffold: Any = None,
                 listeners: Sequence[Any] | None = None, save_graph_def: bool = True) -> None:
        LOG.info("Create CheckpointSaverHook.")
        if saver is not None and scaffold is not None:
            raise ValueError("You cannot provide both saver and scaffold.")
        self._saver, self._scaffold = saver, scaffold
        self._checkpoint_dir = checkpoint_dir
        self._save_path = os.path.join(checkpoint_dir, checkpoint_basename)
        self._timer = SecondOrStepTimer(save_secs, save_steps)
        self._listeners = list(listeners or ())
        self._save_graph_def = save_graph_def

    def begin(self) -> None:
        self._summary_writer = gc.summary.FileWriterCache.get(self._checkpoint_dir)
        self._global_step = needed_global_step("CheckpointSaverHook")
        for listener in self._listeners:
            listener.begin()

    def after_create_session(self, session: Any, coord: Any) -> None:
        step = session.run(self._global_step)
        graph = gc.get_default_graph()
        if self._save_graph_def:
            gc.train.write_graph(graph.as_graph_def(add_shapes=True), self._checkpoint_dir, "graph.pbtxt")
        self._summary_writer.add_graph(graph)
        self._summary_writer.add_meta_graph(gc.train.export_meta_graph(
            graph_def=graph.as_graph_def(add_shapes=True), saver_def=self._get_saver().saver_def))
        self._save(session, step)
        self._timer.update_last_triggered_step(step)

    def before_run(self, run_context: SessionRunContext) -> SessionRunArgs:
        return SessionRunArgs(self._global_step)

    def after_run(self, run_context: SessionRunContext, run_values: SessionRunValues) -> None:
        if not self._timer.should_trigger_for_step(run_values.results + 1):
            return
        step = run_context.session.run(self._global_step)
        if self._timer.should_trigger_for_step(step):
            self._timer.update_last_triggered_step(step)
            if self._save(run_context.session, step):
                run_context.request_stop()

    def end(self, session: Any) -> None:
        step = session.run(self._global_step)
        if step != self._timer.last_triggered_step():
            self._save(session, step)
        for listener in self._listeners:
            listener.end(session, step)

    def _save(self, session: Any, step: int) -> bool:
        """Whether a listener asks to stop."""
        for listener in self._listeners:
            listener.before_save(session, step)
        LOG.info("Saving checkpoints for %d into %s.", step, self._save_path)
        self._get_saver().save(session, self._save_path, global_step=step, write_meta_graph=self._save_graph_def)
        self._summary_writer.add_session_log(
            gc.SessionLog(status=gc.SessionLog.CHECKPOINT, checkpoint_path=self._save_path), step)
        stopping = [listener for listener in self._listeners if listener.after_save(session, step)]
        for listener in stopping:
            LOG.info("A CheckpointSaverListener requested that training be stopped. listener: %s", listener)
        return bool(stopping)

    def _get_saver(self) -> Any:
        if self._saver is None and self._scaffold is not None:
            return self._scaffold.saver
        if self._saver is None:
            savers = gc.get_collection(gc.GraphKeys.SAVERS)
            if len(savers) != 1:
                raise RuntimeError(f"{len(savers) or 'No'} items in collection {gc.GraphKeys.SAVERS}. Please add one "
                                   "saver to the collection, or provide a saver or scaffold to CheckpointSaverHook.")
            self._saver = savers[0]
        return self._saver


@public("train.SummarySaverHook")
class SummarySaverHook(SessionRunHook):
    """Writes summaries every save_steps or save_secs. As `tf.train.SummarySaverHook`.

    summary_op: a tensor of a serialized Summary, or a list of them; else the scaffold's. Raises ValueError unless
    exactly one of the two is given, and one of save_steps and save_secs. It needs a global step (RuntimeError), when
    the session is made.

    >>> count = gc.train.create_global_step().assign_add(1)
    >>> summary = gc.summary.scalar("loss", gc.constant(0.5))
    >>> hook = gc.train.SummarySaverHook(save_steps=1, output_dir="summaries", summary_op=summary)
    >>> with gc.train.SingularMonitoredSession([hook]) as session:
    ...     value = session.run(count)
    >>> len(gc.io.gfile.glob("summaries/events*"))
    1
    """

    def __init__(self, save_steps: int | None = None, save_secs: float | None = None, output_dir: str | None = None,
                 summary_writer: Any = None, scaffold: Any = None, summary_op: Any = None) -> None:
        if (scaffold is None) == (summary_op is None):
            raise ValueError("Exactly one of scaffold or summary_op must be provided.")
        self._summary_op, self._scaffold = summary_op, scaffold
        self._summary_writer, self._output_dir = summary_writer, output_dir
        self._timer = SecondOrStepTimer(save_secs, save_steps)

    def begin(self) -> None:
        if self._summary_writer is None and self._output_dir:
            self._summary_writer = gc.summary.FileWriterCache.get(self._output_dir)
        self._next_step: int | None = None
        self._global_step = needed_global_step("SummarySaverHook")

    def before_run(self, run_context: SessionRunContext) -> SessionRunArgs:
        self._triggers = self._next_step is None or self._timer.should_trigger_for_step(self._next_step)
        wanted = {"global_step": self._global_step}
        summaries = self._get_summary_op() if self._triggers else None
        if summaries is not None:
            wanted["summary"] = summaries
        return SessionRunArgs(wanted)

    def after_run(self, run_context: SessionRunContext, run_values: SessionRunValues) -> None:
        if not self._summary_writer:
            return
        step = run_values.results["global_step"] + 1
        if self._triggers:
            step = run_context.session.run(self._global_step)
        if self._next_step is None:
            self._summary_writer.add_session_log(gc.SessionLog(status=gc.SessionLog.START), step)
        if self._triggers:
            self._timer.update_last_triggered_step(step)
            for summary in run_values.results.get("summary", ()):
                self._summary_writer.add_summary(summary, step)
        self._next_step = step + 1

    def end(self, session: Any = None) -> None:
        if self._summary_writer:
            self._summary_writer.flush()

    def _get_summary_op(self) -> list[Any] | None:
        found = self._summary_op if self._summary_op is not None else self._scaffold.summary_op
        return found if found is None or isinstance(found, list) else [found]


@public("train.ProfilerHook")
class ProfilerHook(SessionRunHook):
    """Writes what a run called to output_dir/timeline-STEP.json (Chrome's trace format) every save_steps or save_secs.
    As `tf.train.ProfilerHook`.

    Raises ValueError unless exactly one of them is given.

    >>> count = gc.train.create_global_step().assign_add(1)
    >>> with gc.train.SingularMonitoredSession([gc.train.ProfilerHook(save_steps=1, output_dir="profile")]) as session:
    ...     values = session.run(count), session.run(count)
    >>> gc.io.gfile.glob("profile/timeline-*.json")
    ['profile/timeline-2.json']
    """

    def __init__(self, save_steps: int | None = None, save_secs: float | None = None, output_dir: str = "",
                 show_dataflow: bool = True, show_memory: bool = False) -> None:
        self._output_dir = output_dir
        self._show_dataflow, self._show_memory = show_dataflow, show_memory
        self._timer = SecondOrStepTimer(save_secs, save_steps)
        self._summary_writer = gc.summary.FileWriterCache.get(output_dir)

    def begin(self) -> None:
        self._next_step: int | None = None
        self._global_step = needed_global_step("ProfilerHook")

    def before_run(self, run_context: SessionRunContext) -> SessionRunArgs:
        self._triggers = self._next_step is not None and self._timer.should_trigger_for_step(self._next_step)
        options = gc.RunOptions(trace_level=gc.RunOptions.FULL_TRACE) if self._triggers else None
        return SessionRunArgs({"global_step": self._global_step}, options=options)

    def after_run(self, run_context: SessionRunContext, run_values: SessionRunValues) -> None:
        step = run_values.results["global_step"]
        if self._next_step is None:                     # the first trigger comes N steps or seconds from here
            self._timer.update_last_triggered_step(step)
        step += 1
        if self._triggers:
            step = run_context.session.run(self._global_step)
            self._timer.update_last_triggered_step(step)
            self._write(step, run_values.run_metadata)
        self._next_step = step + 1

    def _write(self, step: int, metadata: Any) -> None:
        path = os.path.join(self._output_dir, f"timeline-{step}.json")
        LOG.info("Saving timeline for %d into '%s'.", step, path)
        trace = gc.compat.v1.python.client.timeline.Timeline(metadata.step_stats)
        with open(path, "w") as file:
            file.write(trace.generate_chrome_trace_format(self._show_dataflow, self._show_memory))
        self._summary_writer.add_run_metadata(metadata, f"step_{step}")
