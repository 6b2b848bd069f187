"""SessionRunHook: what is called before and behind each run of a MonitoredSession, and what it is given."""
from __future__ import annotations

from typing import Any, NamedTuple

from graphc.api.public import public


@public("train.SessionRunHook")
class SessionRunHook:
    """Base of the hooks, as `tf.train.SessionRunHook`. The calls, in this order: begin, after_create_session, then for
    each run before_run and after_run, and end. Only `begin` may change the graph."""

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
        """When the session is closed; not behind an exception other than OutOfRangeError or StopIteration."""


class _RunArgs(NamedTuple):
    fetches: Any
    feed_dict: Any
    options: Any


@public("train.SessionRunArgs")
class SessionRunArgs(_RunArgs):
    """What a run is asked for, as `tf.train.SessionRunArgs`."""

    __slots__ = ()

    def __new__(cls, fetches: Any, feed_dict: Any = None, options: Any = None) -> SessionRunArgs:
        return super().__new__(cls, fetches, feed_dict, options)


@public("train.SessionRunValues")
class SessionRunValues(NamedTuple):
    """What a run gave, as `tf.train.SessionRunValues`. results: of what this hook's before_run asked for."""

    results: Any
    options: Any
    run_metadata: Any


@public("train.SessionRunContext")
class SessionRunContext:
    """One run, as its hooks see it. As `tf.train.SessionRunContext`."""

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
        return self._session

    @property
    def stop_requested(self) -> bool:
        return self._stop_requested

    def request_stop(self) -> None:
        """From now on the session's should_stop() is True."""
        self._stop_requested = True
