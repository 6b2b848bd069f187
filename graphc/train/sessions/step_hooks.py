"""Hooks that look at the global step: to stop there, to wait for it, to tell how fast it grows."""
from __future__ import annotations

import logging
import time
from typing import Any

import graphc as gc
from graphc.api.public import public
from graphc.train.global_steps import global_step_read
from graphc.train.sessions.hook import SessionRunArgs, SessionRunContext, SessionRunHook, SessionRunValues
from graphc.train.sessions.log import LOG, FewTimes
from graphc.train.sessions.timers import SecondOrStepTimer


def needed_global_step(hook: str) -> Any:
    """The tensor that reads the global step. Raises RuntimeError, naming the hook, if the graph has none."""
    found = global_step_read()
    if found is None:
        raise RuntimeError(f"Global step should be created to use {hook}: call gc.train.get_or_create_global_step() "
                           "and pass it to minimize(..., global_step=...)")
    return found


@public("train.StopAtStepHook")
class StopAtStepHook(SessionRunHook):
    """Asks to stop after `num_steps` more steps, or when the global step reaches `last_step`. As
    `tf.train.StopAtStepHook`.

    Raises ValueError unless exactly one of them is given. It needs a global step (RuntimeError), when the session is
    made.

    >>> count = gc.train.create_global_step().assign_add(1)
    >>> with gc.train.SingularMonitoredSession([gc.train.StopAtStepHook(last_step=3)]) as session:
    ...     while not session.should_stop():
    ...         print(session.run(count))
    1
    2
    3
    """

    def __init__(self, num_steps: int | None = None, last_step: int | None = None) -> None:
        if num_steps is None and last_step is None:
            raise ValueError("One of num_steps or last_step must be specified.")
        if num_steps is not None and last_step is not None:
            raise ValueError("Only one of num_steps or last_step can be specified.")
        self._num_steps, self._last_step = num_steps, last_step

    def begin(self) -> None:
        self._global_step = needed_global_step("StopAtStepHook")

    def after_create_session(self, session: Any, coord: Any) -> None:
        if self._last_step is None:
            self._last_step = session.run(self._global_step) + self._num_steps

    def before_run(self, run_context: SessionRunContext) -> SessionRunArgs:
        return SessionRunArgs(self._global_step)

    def after_run(self, run_context: SessionRunContext, run_values: SessionRunValues) -> None:
        # What the run read is the step before it; asked again, so that a run that did not train does not count.
        if run_values.results + 1 >= self._last_step:
            if run_context.session.run(self._global_step) >= self._last_step:
                run_context.request_stop()


@public("train.GlobalStepWaiterHook")
class GlobalStepWaiterHook(SessionRunHook):
    """Waits before the first run until the global step reaches `wait_until_step`. As
    `tf.train.GlobalStepWaiterHook`.
    For workers that are to start one after another, after the one that shares its variables with them.

    It needs a global step (RuntimeError), when the session is made.

    >>> count = gc.train.create_global_step().assign_add(1)
    >>> with gc.train.SingularMonitoredSession([gc.train.GlobalStepWaiterHook(0)]) as session:
    ...     session.run(count)
    np.int64(1)
    """

    def __init__(self, wait_until_step: int) -> None:
        self._wait_until_step = wait_until_step

    def begin(self) -> None:
        self._started = False
        self._global_step = needed_global_step("GlobalStepWaiterHook")

    def before_run(self, run_context: SessionRunContext) -> None:
        if self._started:
            return
        if self._wait_until_step > 0:
            LOG.info("Waiting for global step %d before starting training.", self._wait_until_step)
            reported = 0
            while (step := run_context.session.run(self._global_step)) < self._wait_until_step:
                if step - reported > 1000:
                    LOG.info("Waiting for global step %d before starting training. Current step is %d.",
                             self._wait_until_step, step)
                    reported = step
                time.sleep(0.5)
        self._started = True


@public("train.StepCounterHook")
class StepCounterHook(SessionRunHook):
    """Reports the steps per second, in the log and as the summary "global_step/sec". As `tf.train.StepCounterHook`.

    Raises ValueError unless exactly one of every_n_steps and every_n_secs is given. It needs a global step
    (RuntimeError), when the session is made.

    >>> count = gc.train.create_global_step().assign_add(1)
    >>> with gc.train.SingularMonitoredSession([gc.train.StepCounterHook(1, output_dir="speed")]) as session:
    ...     values = session.run(count), session.run(count)
    >>> gc.summary.FileWriterCache.clear()      # it closes the file
    >>> [value.tag for event in gc.train.summary_iterator(gc.io.gfile.glob("speed/events*")[0])
    ...  for value in event.summary.value]
    ['global_step/sec']
    """

    def __init__(self, every_n_steps: int | None = 100, every_n_secs: float | None = None,
                 output_dir: str | None = None, summary_writer: Any = None) -> None:
        if (every_n_steps is None) == (every_n_secs is None):
            raise ValueError("exactly one of every_n_steps and every_n_secs should be provided.")
        self._timer = SecondOrStepTimer(every_steps=every_n_steps, every_secs=every_n_secs)
        self._summary_writer, self._output_dir = summary_writer, output_dir
        self._last_step: int | None = None
        self._warnings = FewTimes(5)

    def begin(self) -> None:
        if self._summary_writer is None and self._output_dir:
            self._summary_writer = gc.summary.FileWriterCache.get(self._output_dir)
        self._global_step = needed_global_step("StepCounterHook")
        self._summary_tag = f"{gc.train.get_global_step().op.name}/sec"

    def before_run(self, run_context: SessionRunContext) -> SessionRunArgs:
        return SessionRunArgs(self._global_step)

    def after_run(self, run_context: SessionRunContext, run_values: SessionRunValues) -> None:
        before = run_values.results
        if self._timer.should_trigger_for_step(before + 1):
            step = run_context.session.run(self._global_step)
            if self._timer.should_trigger_for_step(step):
                seconds, steps = self._timer.update_last_triggered_step(step)
                if seconds is not None:
                    self._report(steps / max(seconds, 1e-9), step)
        if before == self._last_step:
            self._warnings.log(
                logging.WARNING, "It seems that global step (gc.train.get_global_step) has not been increased. Current "
                "value (could be stable): %s vs previous value: %s. Pass the global step to Optimizer.apply_gradients "
                "or Optimizer.minimize.", before, self._last_step)
        self._last_step = before

    def _report(self, per_second: float, step: int) -> None:
        if self._summary_writer is not None:
            value = gc.Summary.Value(tag=self._summary_tag, simple_value=per_second)
            self._summary_writer.add_summary(gc.Summary(value=[value]), step)
        LOG.info("%s: %g", self._summary_tag, per_second)
