"""MonitoredSession: a session that initialises, calls hooks, coordinates threads, and recovers."""
from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any

import graphc as gc
from graphc import errors
from graphc.api.public import public
from graphc.train.sessions.creators import ChiefSessionCreator, SessionCreator, WorkerSessionCreator
from graphc.train.sessions.hook import SessionRunHook
from graphc.train.sessions.log import LOG
from graphc.train.sessions.saving_hooks import CheckpointSaverHook, SummarySaverHook
from graphc.train.sessions.scaffold import Scaffold
from graphc.train.sessions.step_hooks import StepCounterHook
from graphc.train.sessions.wrapped import (
    CoordinatedSession,
    HookedSession,
    RecoverableSession,
    StepContext,
    WrappedSession,
)

USE_DEFAULT = object()
END_OF_LOOP = (errors.OutOfRangeError, StopIteration)     # what ends a `with` block without being raised


class _Monitored:
    """What both kinds have: `with` them, run(...) until should_stop()."""

    StepContext = StepContext

    def __init__(self, session_creator: SessionCreator | None, hooks: Sequence[SessionRunHook] | None, recovers: bool,
                 stop_grace_period_secs: float) -> None:
        self._graph_was_finalized = gc.get_default_graph().finalized
        self._hooks = list(hooks or ())
        self._grace = stop_grace_period_secs
        self._tf_session: Any = None
        for hook in self._hooks:
            hook.begin()
        self._creator = session_creator or ChiefSessionCreator()
        self._sess: WrappedSession | None = RecoverableSession(self._create) if recovers else self._create()

    def _create(self) -> CoordinatedSession:
        self._tf_session = self._creator.create_session()
        coord = gc.train.Coordinator(clean_stop_exception_types=())
        if gc.get_collection(gc.GraphKeys.QUEUE_RUNNERS):
            gc.train.start_queue_runners(sess=self._tf_session, coord=coord)
        for hook in self._hooks:
            hook.after_create_session(self._tf_session, coord)
        return CoordinatedSession(HookedSession(self._tf_session, self._hooks), coord, self._grace)

    @property
    def graph(self) -> Any:
        """The session's graph; None once it is closed."""
        return None if self._tf_session is None else self._tf_session.graph

    def run(self, fetches: Any, feed_dict: Any = None, options: Any = None, run_metadata: Any = None) -> Any:
        """Session.run with the hooks. Raises RuntimeError after should_stop() or close()."""
        return self._open().run(fetches, feed_dict=feed_dict, options=options, run_metadata=run_metadata)

    def run_step_fn(self, step_fn: Callable[..., Any]) -> Any:
        """step_fn(step_context) with the session without hooks and a run with them, as
        `tf.train.MonitoredSession.run_step_fn`. Raises ValueError for a function of other arguments."""
        names = tuple(inspect.signature(step_fn).parameters)
        if names != ("step_context",):
            raise ValueError("`step_fn` may either have one `step_context` argument, or `self` and `step_context` "
                             f"arguments if it's an instance method. Got {names} instead.")
        return self._open().run_step_fn(step_fn, lambda: self._tf_session)

    def _open(self) -> WrappedSession:
        if self._sess is None:
            raise RuntimeError("Attempted to use a closed MonitoredSession.")
        return self._sess

    def should_stop(self) -> bool:
        """Whether a hook or the coordinator asked to stop, or the session is closed."""
        return self._sess is None or self._sess.should_stop()

    def close(self) -> None:
        self._close(with_end=True)

    def __enter__(self) -> Any:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: Any, traceback: Any) -> bool:
        clean = kind is None or kind in END_OF_LOOP
        self._close(with_end=clean)
        return clean

    def _close(self, with_end: bool) -> None:
        """Ends the hooks, then the session, whatever the hooks raise."""
        try:
            if with_end:
                for hook in self._hooks:
                    hook.end(self._tf_session)
        finally:
            session, self._sess = self._sess, None
            try:
                if session is None:
                    raise RuntimeError("Session is already closed.")
                session.close()
            finally:
                self._tf_session = None
                if not self._graph_was_finalized:
                    gc.get_default_graph()._unsafe_unfinalize()

    def _is_closed(self) -> bool:
        return self._tf_session is None

    def _tf_sess(self) -> Any:
        return self._tf_session


@public("train.MonitoredSession")
class MonitoredSession(_Monitored):
    """A session with hooks, as `tf.train.MonitoredSession`: made by session_creator (a ChiefSessionCreator if it is
    None), and made again when a run fails with AbortedError or UnavailableError.

    run raises RuntimeError after close() or a stop; run_step_fn raises ValueError for a function of other arguments
    than step_context.

    >>> v = gc.Variable(1.)
    >>> double = v.assign(v * 2.)
    >>> with gc.train.MonitoredSession() as session:
    ...     print(session.run(double), session.run(double))
    2.0 4.0
    """

    def __init__(self, session_creator: SessionCreator | None = None, hooks: Sequence[SessionRunHook] | None = None,
                 stop_grace_period_secs: float = 120) -> None:
        super().__init__(session_creator, hooks, True, stop_grace_period_secs)


@public("train.SingularMonitoredSession")
class SingularMonitoredSession(_Monitored):
    """A MonitoredSession of one gc.Session, as `tf.train.SingularMonitoredSession`: it does not recover, and
    raw_session() is the session without hooks.

    >>> v = gc.Variable(1.)
    >>> with gc.train.SingularMonitoredSession() as session:
    ...     print(session.run(v), type(session.raw_session()).__name__)
    1.0 Session
    """

    def __init__(self, hooks: Sequence[SessionRunHook] | None = None, scaffold: Scaffold | None = None,
                 master: Any = "", config: Any = None, checkpoint_dir: str | None = None,
                 stop_grace_period_secs: float = 120, checkpoint_filename_with_path: str | None = None) -> None:
        creator = ChiefSessionCreator(scaffold, master, config, checkpoint_dir, checkpoint_filename_with_path)
        super().__init__(creator, hooks, False, stop_grace_period_secs)

    def raw_session(self) -> Any:
        """The gc.Session without hooks: its runs do not count for them."""
        return self._tf_session


@public("train.MonitoredTrainingSession")
def MonitoredTrainingSession(master: Any = "", is_chief: bool = True, checkpoint_dir: str | None = None,
                             scaffold: Scaffold | None = None, hooks: Sequence[SessionRunHook] | None = None,
                             chief_only_hooks: Sequence[SessionRunHook] | None = None,
                             save_checkpoint_secs: Any = USE_DEFAULT, save_summaries_steps: Any = USE_DEFAULT,
                             save_summaries_secs: Any = USE_DEFAULT, config: Any = None,
                             stop_grace_period_secs: float = 120, log_step_count_steps: int | None = 100,
                             max_wait_secs: float = 7200, save_checkpoint_steps: Any = USE_DEFAULT,
                             summary_dir: str | None = None) -> MonitoredSession:
    """A MonitoredSession that restores from checkpoint_dir, saves there (every 600 seconds unless told otherwise) and
    writes summaries (every 100 steps), as `tf.train.MonitoredTrainingSession`.
    It ends as soon as a hook asks for it or the data end (OutOfRangeError), which leaves the `with` block quietly.

    With checkpoint_dir it needs a global step (RuntimeError).

    >>> v = gc.Variable(1.)
    >>> step = gc.train.GradientDescentOptimizer(0.1).minimize(v * v, global_step=gc.train.create_global_step())
    >>> hooks = [gc.train.StopAtStepHook(last_step=5)]
    >>> with gc.train.MonitoredTrainingSession(checkpoint_dir="run", hooks=hooks) as session:
    ...     while not session.should_stop():
    ...         _ = session.run(step)
    >>> gc.train.latest_checkpoint("run")
    'run/model.ckpt-5'
    """
    save_summaries_steps, save_summaries_secs = _steps_or_seconds(save_summaries_steps, save_summaries_secs, 100, None)
    save_checkpoint_steps, save_checkpoint_secs = _steps_or_seconds(save_checkpoint_steps, save_checkpoint_secs,
                                                                    None, 600)
    scaffold = scaffold or Scaffold()
    if not is_chief:
        worker = WorkerSessionCreator(scaffold, master, config, max_wait_secs)
        return MonitoredSession(worker, hooks, stop_grace_period_secs)
    all_hooks = list(chief_only_hooks or ())
    summary_dir = summary_dir or checkpoint_dir
    if summary_dir:
        if log_step_count_steps and log_step_count_steps > 0:
            all_hooks.append(StepCounterHook(every_n_steps=log_step_count_steps, output_dir=summary_dir))
        if (save_summaries_steps or 0) > 0 or (save_summaries_secs or 0) > 0:
            all_hooks.append(SummarySaverHook(save_summaries_steps, save_summaries_secs, summary_dir,
                                              scaffold=scaffold))
    if checkpoint_dir and ((save_checkpoint_secs or 0) > 0 or (save_checkpoint_steps or 0) > 0):
        all_hooks.append(CheckpointSaverHook(checkpoint_dir, save_checkpoint_secs, save_checkpoint_steps,
                                             scaffold=scaffold))
    all_hooks += hooks or ()
    LOG.debug("all_hooks %r", all_hooks)
    chief = ChiefSessionCreator(scaffold, master, config, checkpoint_dir)
    return MonitoredSession(chief, all_hooks, stop_grace_period_secs)


def _steps_or_seconds(steps: Any, seconds: Any, default_steps: int | None, default_seconds: float | None) -> Any:
    """Both as given; the defaults if neither is."""
    if steps is USE_DEFAULT and seconds is USE_DEFAULT:
        return default_steps, default_seconds
    return None if steps is USE_DEFAULT else steps, None if seconds is USE_DEFAULT else seconds
