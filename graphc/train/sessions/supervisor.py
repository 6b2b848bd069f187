"""Supervisor: prepares a session, saves and summarises in threads of its own, and stops them together."""
from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import graphc as gc
from graphc.api.public import public
from graphc.train.sessions.log import LOG
from graphc.train.sessions.manager import SessionManager
from graphc.train.sessions.scaffold import Scaffold
from graphc.train.sessions.services import CheckpointThread, StepCounterThread, SummaryThread


@public("train.Supervisor")
class Supervisor:
    """Trains with checkpoints, summaries and threads, as `tf.train.Supervisor`: `with supervisor.managed_session() as
    session:` it trains until should_stop().

    What is left at USE_DEFAULT is the first of its collection, or made; None leaves it out. The graph is finalized.
    logdir: where checkpoints and summaries go; without it there are none. Raises ValueError for a supervisor that is
    not the chief and has variables without a device.

    >>> v = gc.Variable(1.)
    >>> step = gc.train.GradientDescentOptimizer(0.1).minimize(v * v)
    >>> supervisor = gc.train.Supervisor(logdir="run", save_summaries_secs=0, save_model_secs=0)
    >>> with supervisor.managed_session() as session:
    ...     _ = session.run(step)
    ...     print(session.run(v))
    ...     supervisor.request_stop()
    0.8
    """

    USE_DEFAULT = 0

    def __init__(self, graph: Any = None, ready_op: Any = USE_DEFAULT, ready_for_local_init_op: Any = USE_DEFAULT,
                 is_chief: bool = True, init_op: Any = USE_DEFAULT, init_feed_dict: Any = None,
                 local_init_op: Any = USE_DEFAULT, logdir: str | None = None, summary_op: Any = USE_DEFAULT,
                 saver: Any = USE_DEFAULT, global_step: Any = USE_DEFAULT, save_summaries_secs: float | None = 120,
                 save_model_secs: float | None = 600, recovery_wait_secs: float = 30, stop_grace_secs: float = 120,
                 checkpoint_basename: str = "model.ckpt", session_manager: SessionManager | None = None,
                 summary_writer: Any = USE_DEFAULT, init_fn: Callable[[Any], Any] | None = None,
                 local_init_run_options: Any = None) -> None:
        self._graph = gc.get_default_graph() if graph is None else graph
        keys = gc.GraphKeys
        with self._graph.as_default():
            self.ready_op = self._chosen(ready_op, keys.READY_OP, gc.report_uninitialized_variables)
            self.ready_for_local_init_op = self._chosen(ready_for_local_init_op, keys.READY_FOR_LOCAL_INIT_OP)
            self.init_op = self._chosen(init_op, keys.INIT_OP, gc.global_variables_initializer)
            self.init_feed_dict = init_feed_dict
            self.local_init_op = self._chosen(local_init_op, keys.LOCAL_INIT_OP, Scaffold.default_local_init_op)
            self.saver = self._chosen(saver, keys.SAVERS, _saver_if_needed)
            self.summary_op = self._chosen(summary_op, keys.SUMMARY_OP, gc.summary.merge_all)
            self.global_step = self._chosen(global_step, keys.GLOBAL_STEP, _named_global_step)
        self.is_chief = is_chief
        self.coord = gc.train.Coordinator()
        self._stop_grace_secs, self._init_fn = stop_grace_secs, init_fn
        self._logdir = logdir if is_chief else None
        self.save_summaries_secs = save_summaries_secs if is_chief else None
        self.save_model_secs = save_model_secs if is_chief else None
        self.save_path = os.path.join(self._logdir, checkpoint_basename) if self._logdir else None
        self.summary_writer: Any = None
        if is_chief and summary_writer is not Supervisor.USE_DEFAULT:
            self.summary_writer = summary_writer
        elif self._logdir:
            self.summary_writer = gc.summary.FileWriter(self._logdir)
        self._graph_written = False
        self.session_manager = session_manager if session_manager is not None else SessionManager(
            local_init_op=self.local_init_op, ready_op=self.ready_op,
            ready_for_local_init_op=self.ready_for_local_init_op, graph=self._graph,
            recovery_wait_secs=recovery_wait_secs, local_init_run_options=local_init_run_options)
        if not is_chief:
            for operation in self._graph.get_operations():
                if operation.type == "VariableV2" and not operation.device:
                    raise ValueError("When using replicas, all Variables must have their device set: "
                                     f"{operation.name} has none")
        self._graph.finalize()

    def _chosen(self, given: Any, key: str, make: Callable[[], Any] = lambda: None) -> Any:
        """What was given, unless that is USE_DEFAULT: then the first of the collection, or what `make` makes for it."""
        if given is not Supervisor.USE_DEFAULT:
            return given
        found = gc.get_collection(key)
        if len(found) > 1:
            LOG.info("Found %d %s operations. Returning the first one.", len(found), key)
        if found:
            return found[0]
        made = make()
        if made is not None:
            gc.add_to_collection(key, made)
        return made

    # Sessions

    @contextmanager
    def managed_session(self, master: Any = "", config: Any = None, start_standard_services: bool = True,
                        close_summary_writer: bool = True) -> Iterator[Any]:
        """A session with its services and queue runners; after the block they are stopped and it is closed.

        OutOfRangeError ends the block quietly; other errors of the block, or of a thread, are raised after it.
        """
        session = None
        try:
            session = self.prepare_or_wait_for_session(master, config,
                                                       start_standard_services=start_standard_services)
            yield session
        except Exception as error:
            self.request_stop(error)
        finally:
            try:
                self.stop(close_summary_writer=close_summary_writer)
            finally:
                if session is not None:
                    session.close()

    def prepare_or_wait_for_session(self, master: Any = "", config: Any = None, wait_for_checkpoint: bool = False,
                                    max_wait_secs: float = 7200, start_standard_services: bool = True) -> Any:
        """A session: restored from logdir or initialised by the chief; others wait until it is. Starts the standard
        services and the queue runners unless told otherwise."""
        self.coord.clear_stop()
        if self.summary_writer:
            self.summary_writer.reopen()
        if self.is_chief:
            session = self.session_manager.prepare_session(
                master, init_op=self.init_op, saver=self.saver, checkpoint_dir=self._logdir,
                wait_for_checkpoint=wait_for_checkpoint, max_wait_secs=max_wait_secs, config=config,
                init_feed_dict=self.init_feed_dict, init_fn=self._init_fn)
            self._write_graph()
            if start_standard_services:
                LOG.info("Starting standard services.")
                self.start_standard_services(session)
        else:
            session = self.session_manager.wait_for_session(master, config=config, max_wait_secs=max_wait_secs)
        if start_standard_services:
            LOG.info("Starting queue runners.")
            self.start_queue_runners(session)
        return session

    def _write_graph(self) -> None:
        if self._logdir:
            gc.train.write_graph(self._graph.as_graph_def(add_shapes=True), self._logdir, "graph.pbtxt")
        if self.summary_writer and not self._graph_written:
            self.summary_writer.add_graph(self._graph)
            with self._graph.as_default():
                self.summary_writer.add_meta_graph(gc.train.export_meta_graph(
                    graph_def=self._graph.as_graph_def(add_shapes=True),
                    saver_def=self.saver.saver_def if self.saver else None))
            self._graph_written = True

    # Threads

    def start_standard_services(self, sess: Any) -> list[Any] | None:
        """Starts what saves, summarises and counts steps, each in a thread. Raises RuntimeError if this is not the
        chief."""
        if not self.is_chief:
            raise RuntimeError("Only chief supervisor can start standard services. Because only chief supervisors can "
                               "write events.")
        if not self._logdir:
            LOG.warning("Standard services need a 'logdir' passed to the SessionManager")
            return None
        if self.global_step is not None and self.summary_writer:
            self.summary_writer.add_session_log(gc.SessionLog(status=gc.SessionLog.START),
                                                gc.train.global_step(sess, self.global_step))
        threads: list[Any] = []
        if self.save_summaries_secs and self.summary_writer:
            if self.summary_op is not None:
                threads.append(SummaryThread(self, sess))
            if self.global_step is not None:
                threads.append(StepCounterThread(self, sess))
        if self.saver and self.save_model_secs:
            threads.append(CheckpointThread(self, sess))
        for thread in threads:
            thread.start()
        return threads

    def start_queue_runners(self, sess: Any, queue_runners: Sequence[Any] | None = None) -> list[Any]:
        """Starts the threads of queue_runners, by default of all in the graph."""
        if queue_runners is None:
            queue_runners = self._graph.get_collection(gc.GraphKeys.QUEUE_RUNNERS)
        return [thread for runner in queue_runners
                for thread in runner.create_threads(sess, coord=self.coord, daemon=True, start=True)]

    def loop(self, timer_interval_secs: float | None, target: Callable[..., Any], args: Sequence[Any] | None = None,
             kwargs: dict[str, Any] | None = None) -> Any:
        """A started LooperThread that calls target every timer_interval_secs."""
        return gc.train.LooperThread.loop(self.coord, timer_interval_secs, target, args, kwargs)

    def stop(self, threads: Sequence[Any] | None = None, close_summary_writer: bool = True,
             ignore_live_threads: bool = False) -> None:
        """Stops the services and the coordinator's threads; raises what one of them failed with."""
        self.coord.request_stop()
        try:
            self.coord.join(threads, stop_grace_period_secs=self._stop_grace_secs,
                            ignore_live_threads=ignore_live_threads)
        finally:
            if close_summary_writer and self.summary_writer:
                self.summary_writer.add_session_log(gc.SessionLog(status=gc.SessionLog.STOP))
                self.summary_writer.close()
                self._graph_written = False

    def request_stop(self, ex: Any = None) -> None:
        """As the coordinator's."""
        self.coord.request_stop(ex)

    def should_stop(self) -> bool:
        """Whether a thread asked to stop."""
        return bool(self.coord.should_stop())

    def stop_on_exception(self) -> AbstractContextManager[Any]:
        """As the coordinator's."""
        return self.coord.stop_on_exception()

    def wait_for_stop(self) -> None:
        """Waits until one does."""
        self.coord.wait_for_stop()

    def summary_computed(self, sess: Any, summary: Any, global_step: int | None = None) -> None:
        """Writes a summary, at the current global step by default. Raises RuntimeError without a summary writer."""
        if not self.summary_writer:
            raise RuntimeError("Writing a summary requires a summary writer.")
        if global_step is None and self.global_step is not None:
            global_step = gc.train.global_step(sess, self.global_step)
        self.summary_writer.add_summary(summary, global_step)

    PrepareSession = prepare_or_wait_for_session
    StartQueueRunners, StartStandardServices = start_queue_runners, start_standard_services
    Stop, RequestStop, ShouldStop, WaitForStop = stop, request_stop, should_stop, wait_for_stop
    Loop, StopOnException, SummaryComputed = loop, stop_on_exception, summary_computed


def _saver_if_needed() -> Any:
    return gc.train.Saver() if gc.global_variables() else None


def _named_global_step() -> Any:
    """The tensor "global_step:0" if it is there and an integer."""
    try:
        found = gc.get_default_graph().get_tensor_by_name("global_step:0")
    except KeyError:
        return None
    if found.dtype not in (gc.int32, gc.int64):
        LOG.warning("Found 'global_step' is not an int type: %s", found.dtype)
        return None
    return found
