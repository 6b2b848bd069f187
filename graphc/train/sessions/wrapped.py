"""The layers of a MonitoredSession, from the inside: a session with hooks, with a coordinator, made again after errors.
"""
from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import graphc as gc
from graphc import errors
from graphc.train.sessions.hook import SessionRunArgs, SessionRunContext, SessionRunHook, SessionRunValues
from graphc.train.sessions.log import LOG

LOST = (errors.AbortedError, errors.UnavailableError)     # the session is gone; a new one may do


class StepContext:
    """What the function given to run_step_fn works with."""

    def __init__(self, session: Any, run_with_hooks: Callable[..., Any]) -> None:
        self._sess, self._run_with_hooks = session, run_with_hooks

    @property
    def session(self) -> Any:
        """The session without hooks."""
        return self._sess

    def run_with_hooks(self, *args: Any, **kwargs: Any) -> Any:
        """Session.run with the hooks."""
        return self._run_with_hooks(*args, **kwargs)

    def request_stop(self) -> None:
        """Ends the step function, and the loop around it."""
        raise StopIteration("step_fn has requested the iterations to stop.")


class WrappedSession:
    """A layer around a session, which is `_sess`: programs walk down to the innermost one by this name."""

    def __init__(self, session: Any) -> None:
        self._sess = session

    @property
    def graph(self) -> Any:
        return self._sess.graph

    @property
    def sess_str(self) -> Any:
        return self._sess.sess_str

    def should_stop(self) -> bool:
        """Whether this layer or one inside wants to stop, or the session is closed."""
        if self.wants_stop():
            return True
        if self._sess is None:
            return True
        return isinstance(self._sess, WrappedSession) and self._sess.should_stop()

    def wants_stop(self) -> bool:
        """Whether this layer wants to stop."""
        return False

    def close(self) -> None:
        if self._sess is not None:
            session, self._sess = self._sess, None
            try:
                session.close()
            except LOST as error:
                LOG.error("The session could not be closed: %s", error)

    def run(self, *args: Any, **kwargs: Any) -> Any:
        return self._sess.run(*args, **kwargs)

    def run_step_fn(self, step_fn: Callable[[StepContext], Any], raw_session: Callable[[], Any],
                    run_with_hooks: Callable[..., Any] | None = None) -> Any:
        return step_fn(StepContext(raw_session(), run_with_hooks or self.run))


class HookedSession(WrappedSession):
    """Asks the hooks what they want, runs it together with what the user wants, and tells them."""

    def __init__(self, session: Any, hooks: Sequence[SessionRunHook]) -> None:
        super().__init__(session)
        self._hooks = hooks
        self._stops = False

    def wants_stop(self) -> bool:
        return self._stops

    def run(self, fetches: Any, feed_dict: Any = None, options: Any = None, run_metadata: Any = None) -> Any:
        if self.should_stop():
            raise RuntimeError("Run called even after should_stop requested.")
        context = SessionRunContext(SessionRunArgs(fetches, feed_dict), self._sess)
        merged = gc.RunOptions()
        if options is not None:
            merged.CopyFrom(options)
        wanted: list[Any] = [fetches]
        places, feeds = self._ask(context, wanted, feed_dict, merged)
        metadata = gc.RunMetadata() if run_metadata is None else run_metadata
        plain = run_metadata is None and not merged.ByteSize()         # the quickest way through Session.run
        results = super().run(wanted, feed_dict=feeds, options=None if plain else merged,
                              run_metadata=None if plain else metadata)
        for hook, place in zip(self._hooks, places, strict=True):
            hook.after_run(context, SessionRunValues(None if place is None else results[place], merged, metadata))
        self._stops = self._stops or context.stop_requested
        return results[0]

    def _ask(self, context: SessionRunContext, wanted: list[Any], user_feeds: Any,
             options: Any) -> tuple[list[int | None], Any]:
        """(where each hook's fetches stand in `wanted`, what is fed). Raises RuntimeError for what is fed twice."""
        places: list[int | None] = []
        feeds: dict[Any, Any] = {}
        for hook in self._hooks:
            request = hook.before_run(context)
            places.append(None)
            if request is None:
                continue
            if request.fetches is not None:
                places[-1] = len(wanted)
                wanted.append(request.fetches)
            if request.feed_dict:
                _check_apart(feeds, request.feed_dict, "Same tensor is fed by two hooks.")
                feeds.update(request.feed_dict)
            if request.options is not None:
                _merge(options, request.options)
        if feeds and user_feeds:
            _check_apart(user_feeds, feeds, "Same tensor is fed by a SessionRunHook and user.")
        return places, {**feeds, **(user_feeds or {})} if feeds else user_feeds


def _merge(options: Any, more: Any) -> None:
    """Takes the most of both."""
    for name in ("trace_level", "timeout_in_ms", "inter_op_thread_pool", "output_partition_graphs",
                 "report_tensor_allocations_upon_oom"):
        setattr(options, name, max(getattr(options, name), getattr(more, name)))
    options.debug_options.MergeFrom(more.debug_options)


def _check_apart(a: Mapping[Any, Any], b: Mapping[Any, Any], message: str) -> None:
    both = [key for key in a if key in b]
    if both:
        raise RuntimeError(f"{message} Conflict(s): {both}")


class CoordinatedSession(WrappedSession):
    """Stops with its coordinator; closing it ends the coordinator's threads."""

    def __init__(self, session: WrappedSession, coord: Any, stop_grace_period_secs: float) -> None:
        super().__init__(session)
        self._coord, self._grace = coord, stop_grace_period_secs

    def wants_stop(self) -> bool:
        self._coord.raise_requested_exception()
        return bool(self._coord.should_stop())

    def close(self) -> None:
        self._coord.request_stop()
        try:
            self._coord.join(stop_grace_period_secs=self._grace, ignore_live_threads=True)
        finally:
            super().close()

    def run(self, *args: Any, **kwargs: Any) -> Any:
        """A thread's error that means that the session is lost comes first: it is why this run failed."""
        try:
            return super().run(*args, **kwargs)
        except LOST:
            raise
        except Exception as error:
            try:
                self._coord.raise_requested_exception()
            except LOST:
                raise
            except Exception:
                pass
            raise error


class RecoverableSession(WrappedSession):
    """Makes the session again when it is lost, and repeats the run."""

    def __init__(self, create_session: Callable[[], WrappedSession]) -> None:
        self._creates = create_session
        super().__init__(self._create())

    def _create(self) -> WrappedSession:
        while True:
            try:
                return self._creates()
            except LOST as error:
                LOG.info("An error was raised while a session was being created; it is tried again: %s", error)

    def wants_stop(self) -> bool:
        if self._sess is None:
            return True
        try:
            return bool(self._sess.wants_stop())
        except LOST as error:
            self._give_up(error)
            self._sess = self._create()
            return False
        except Exception:          # of a thread; run() raises it
            return True

    def run(self, *args: Any, **kwargs: Any) -> Any:
        return self._repeated(lambda session: session.run(*args, **kwargs))

    def run_step_fn(self, step_fn: Callable[[StepContext], Any], raw_session: Callable[[], Any],
                    run_with_hooks: Callable[..., Any] | None = None) -> Any:
        return self._repeated(lambda session: session.run_step_fn(step_fn, raw_session, session.run))

    def _repeated(self, call: Callable[[Any], Any]) -> Any:
        while True:
            if self._sess is None:
                self._sess = self._create()
            try:
                return call(self._sess)
            except LOST as error:
                self._give_up(error)

    def _give_up(self, error: Exception) -> None:
        LOG.info("The session was lost; it is closed and a new one will be created: %s", error)
        self.close()
