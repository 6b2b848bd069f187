"""SessionRunHook: what is called before and after each run of a MonitoredSession, and what it is given."""
from __future__ import annotations

from typing import Any, NamedTuple

from graphc.api.public import public


@public("train.SessionRunHook")
class SessionRunHook:
    """Base of the hooks, as `tf.train.SessionRunHook`. The calls, in this order: begin, after_create_session, then for
    each run before_run and after_run, and end. Only `begin` may change the graph.

    >>> loss = gc.constant(0.5)
    >>> class Report(gc.train.SessionRunHook):
    ...     def before_run(self, run_context):
    ...         return gc.train.SessionRunArgs(loss)
    ...     def after_run(self, run_context, run_values):
    ...         print("loss", run_values.results)
    >>> other = gc.constant(1)
    >>> with gc.train.SingularMonitoredSession([Report()]) as session:
    ...     print(session.run(other))
    loss 0.5
    1
    """

    def begin(self) -> None:
        """Once, before the session is made."""

    def after_create_session(self, session: Any, coord: Any) -> None:
        """When a session has been made, or made again after an error that it recovers from."""

    def before_run(self, run_context: SessionRunContext) -> SessionRunArgs | None:
        """What the run is to fetch and feed for this hook, or None."""
        return None

    def after_run(self, run_context: SessionRunContext, run_values: SessionRunValues) -> None:
        """Not called if the run failed."""

    def end(self, session: Any) -> None:
        """When the session is closed; not after an exception other than OutOfRangeError or StopIteration."""


class _RunArgs(NamedTuple):
    fetches: Any
    feed_dict: Any
    options: Any


@public("train.SessionRunArgs")
class SessionRunArgs(_RunArgs):
    """What a run is asked for, as `tf.train.SessionRunArgs`.

    fetches: as of Session.run, or None. feed_dict: its feeds are added to the run's; two hooks may not feed one tensor
    (RuntimeError in the run).

    >>> gc.train.SessionRunArgs(gc.constant(1.), feed_dict=None)
    SessionRunArgs(fetches=<gc.Tensor 'Const:0' shape=() dtype=float32>, feed_dict=None, options=None)
    """

    __slots__ = ()

    def __new__(cls, fetches: Any, feed_dict: Any = None, options: Any = None) -> SessionRunArgs:
        return super().__new__(cls, fetches, feed_dict, options)


@public("train.SessionRunValues")
class SessionRunValues(NamedTuple):
    """What a run gave, as `tf.train.SessionRunValues`. results: of what this hook's before_run asked for.

    >>> gc.train.SessionRunValues(results=0.5, options=None, run_metadata=None).results
    0.5
    """

    results: Any
    options: Any
    run_metadata: Any


@public("train.SessionRunContext")
class SessionRunContext:
    """One run, as its hooks see it. As `tf.train.SessionRunContext`.

    original_args: the SessionRunArgs of the caller; session: the gc.Session below; request_stop() makes
    should_stop() true after this run.

    >>> class StopAtOnce(gc.train.SessionRunHook):
    ...     def after_run(self, run_context, run_values):
    ...         run_context.request_stop()
    >>> x = gc.constant(2.)
    >>> with gc.train.SingularMonitoredSession([StopAtOnce()]) as session:
    ...     print(session.run(x), session.should_stop())
    2.0 True
    """

    def __init__(self, original_args: SessionRunArgs, session: Any) -> None:
        self._original_args = original_args
        self._session = session
        self._stop_requested = False

    @property
    def original_args(self) -> SessionRunArgs:
        """What the user asked for."""
        return self._original_args

    @property
    def session(self) -> Any:
        """The gc.Session that runs."""
        return self._session

    @property
    def stop_requested(self) -> bool:
        return self._stop_requested

    def request_stop(self) -> None:
        """From now on the session's should_stop() is True."""
        self._stop_requested = True
