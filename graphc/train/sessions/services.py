"""The standard services of a Supervisor: threads that summarise, count steps, and save."""
from __future__ import annotations

import logging
import time
from typing import Any

import graphc as gc
from graphc.train.coordinator import LooperThread
from graphc.train.sessions.log import LOG, FewTimes


class SummaryThread(LooperThread):
    """Writes the summaries every save_summaries_secs."""

    def __init__(self, supervisor: Any, session: Any) -> None:
        super().__init__(supervisor.coord, supervisor.save_summaries_secs)
        self._supervisor, self._session = supervisor, session

    def run_loop(self) -> None:
        supervisor = self._supervisor
        wanted = [supervisor.summary_op] if supervisor.global_step is None else [supervisor.summary_op,
                                                                                 supervisor.global_step]
        summary, step = [*self._session.run(wanted), None][:2]
        if supervisor.summary_writer:
            LOG.info("Recording summary at step %s.", step)
            supervisor.summary_writer.add_summary(summary, step)


class StepCounterThread(LooperThread):
    """Reports the steps per second every save_summaries_secs, in the log and as a summary."""

    def __init__(self, supervisor: Any, session: Any) -> None:
        super().__init__(supervisor.coord, supervisor.save_summaries_secs)
        self._supervisor, self._session = supervisor, session
        self._tag = f"{supervisor.global_step.op.name}/sec"
        self._reports = FewTimes(10)

    def _step(self) -> int:
        return gc.train.global_step(self._session, self._supervisor.global_step)

    def start_loop(self) -> None:
        self._last_time, self._last_step = time.time(), self._step()

    def run_loop(self) -> None:
        step, now = self._step(), time.time()
        seconds = now - self._last_time
        per_second = (step - self._last_step) / seconds if seconds > 0 else float("inf")
        self._last_time, self._last_step = now, step
        if self._supervisor.summary_writer:
            value = gc.Summary.Value(tag=self._tag, simple_value=per_second)
            self._supervisor.summary_writer.add_summary(gc.Summary(value=[value]), step)
        self._reports.log(logging.INFO, "%s: %g", self._tag, per_second)


class CheckpointThread(LooperThread):
    """Saves a checkpoint every save_model_secs."""

    def __init__(self, supervisor: Any, session: Any) -> None:
        super().__init__(supervisor.coord, supervisor.save_model_secs)
        self._supervisor, self._session = supervisor, session

    def run_loop(self) -> None:
        supervisor = self._supervisor
        LOG.info("Saving checkpoint to path %s", supervisor.save_path)
        supervisor.saver.save(self._session, supervisor.save_path, global_step=supervisor.global_step)
        if supervisor.summary_writer and supervisor.global_step is not None:
            supervisor.summary_writer.add_session_log(
                gc.SessionLog(status=gc.SessionLog.CHECKPOINT, checkpoint_path=supervisor.save_path),
                gc.train.global_step(self._session, supervisor.global_step))
