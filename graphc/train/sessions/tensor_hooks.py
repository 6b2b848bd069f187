"""Hooks that look at tensors of the run: to print them, to stop at NaN, to feed, to fetch at the end."""
from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

import graphc as gc
from graphc import errors
from graphc.api.public import public
from graphc.train.sessions.hook import SessionRunArgs, SessionRunContext, SessionRunHook, SessionRunValues
from graphc.train.sessions.log import LOG
from graphc.train.sessions.timers import NeverTimer, SecondOrStepTimer


@public("train.LoggingTensorHook")
class LoggingTensorHook(SessionRunHook):
    """Writes values to the log (INFO) every so many runs or seconds, or at the end. As `tf.train.LoggingTensorHook`.

    tensors: a dict from tags to tensors, or a list of them; a name may stand for a tensor. formatter: makes the line of
    a dict from tags to values. Raises ValueError unless exactly one of every_n_iter (positive) and every_n_secs, or
    at_end, is given. When the session is made a name that is not in the graph raises NotFoundError, what is no tensor
    ValueError.

    >>> loss = gc.constant(0.5, name="loss")
    >>> hook = gc.train.LoggingTensorHook({"loss": loss}, at_end=True,
    ...                                   formatter=lambda values: print(values) or "")
    >>> with gc.train.SingularMonitoredSession([hook]) as session:
    ...     value = session.run(loss)
    {'loss': np.float32(0.5)}
    """

    def __init__(self, tensors: Mapping[str, Any] | Iterable[Any], every_n_iter: int | None = None,
                 every_n_secs: float | None = None, at_end: bool = False,
                 formatter: Callable[[dict[Any, Any]], str] | None = None) -> None:
        only_at_end = at_end and every_n_iter is None and every_n_secs is None
        if not only_at_end and (every_n_iter is None) == (every_n_secs is None):
            raise ValueError("either at_end and/or exactly one of every_n_iter and every_n_secs must be provided.")
        if every_n_iter is not None and every_n_iter <= 0:
            raise ValueError(f"invalid every_n_iter={every_n_iter}.")
        if isinstance(tensors, Mapping):
            self._tensors, self._tags = dict(tensors), sorted(tensors)
        else:
            self._tags = list(tensors)
            self._tensors = {tensor: tensor for tensor in self._tags}
        self._formatter = formatter
        self._timer = NeverTimer() if only_at_end else SecondOrStepTimer(every_n_secs, every_n_iter)
        self._at_end = at_end

    def begin(self) -> None:
        self._timer.reset()
        self._runs = 0
        self._wanted = {tag: _graph_element(tensor) for tag, tensor in self._tensors.items()}

    def before_run(self, run_context: SessionRunContext) -> SessionRunArgs | None:
        self._triggers = self._timer.should_trigger_for_step(self._runs)
        return SessionRunArgs(self._wanted) if self._triggers else None

    def after_run(self, run_context: SessionRunContext, run_values: SessionRunValues) -> None:
        if self._triggers:
            self._log(run_values.results)
        self._runs += 1

    def end(self, session: Any) -> None:
        if self._at_end:
            self._log(session.run(self._wanted))

    def _log(self, values: dict[Any, Any]) -> None:
        seconds, _ = self._timer.update_last_triggered_step(self._runs)
        with np.printoptions(suppress=True):
            line = (self._formatter(values) if self._formatter else
                    ", ".join(f"{tag} = {values[tag]}" for tag in self._tags))
        if self._formatter or seconds is None:
            LOG.info("%s", line)
        else:
            LOG.info("%s (%.3f sec)", line, seconds)


def _graph_element(thing: Any) -> Any:
    """The tensor or operation of the default graph that it is, or names. Raises ValueError for one of another graph and
    for the name of an operation with several outputs."""
    graph = gc.get_default_graph()
    if not isinstance(thing, str):
        if getattr(thing, "graph", None) is not graph:
            raise ValueError(f"Passed {thing!r} should have graph attribute that is equal to current graph {graph}.")
        return thing
    if ":" in thing:
        return graph.as_graph_element(thing)
    tensor = graph.as_graph_element(f"{thing}:0")
    if len(tensor.op.outputs) > 1:
        raise ValueError(f"Name {thing} is ambiguous, as this `Operation` has multiple outputs (at least 2).")
    return tensor


@public("train.NanLossDuringTrainingError")
class NanLossDuringTrainingError(RuntimeError):
    """The loss became NaN: raised by NanTensorHook, a RuntimeError.

    As `tf.train.NanLossDuringTrainingError`.

    >>> loss = gc.constant(float("nan"))
    >>> with gc.train.SingularMonitoredSession([gc.train.NanTensorHook(loss)]) as session:
    ...     session.run(loss)
    Traceback (most recent call last):
        ...
    graphc.train.sessions.tensor_hooks.NanLossDuringTrainingError: NaN loss during training.
    """

    def __str__(self) -> str:
        return "NaN loss during training."


@public("train.NanTensorHook")
class NanTensorHook(SessionRunHook):
    """Stops when the loss is NaN: with NanLossDuringTrainingError, or, unless fail_on_nan_loss, quietly. As
    `tf.train.NanTensorHook`.

    >>> loss = gc.constant(float("nan"))
    >>> with gc.train.SingularMonitoredSession([gc.train.NanTensorHook(loss, fail_on_nan_loss=False)]) as session:
    ...     value = session.run(loss)
    ...     print(session.should_stop())
    True
    """

    def __init__(self, loss_tensor: Any, fail_on_nan_loss: bool = True) -> None:
        self._loss_tensor, self._fail = loss_tensor, fail_on_nan_loss

    def before_run(self, run_context: SessionRunContext) -> SessionRunArgs:
        return SessionRunArgs(self._loss_tensor)

    def after_run(self, run_context: SessionRunContext, run_values: SessionRunValues) -> None:
        if not np.isnan(run_values.results):
            return
        if self._fail:
            LOG.error("Model diverged with loss = NaN.")
            raise NanLossDuringTrainingError
        LOG.warning("Model diverged with loss = NaN.")
        run_context.request_stop()


@public("train.FinalOpsHook")
class FinalOpsHook(SessionRunHook):
    """Fetches `final_ops` when the session ends; final_ops_values holds what they gave. As `tf.train.FinalOpsHook`.

    >>> v = gc.Variable(1.)
    >>> add, hook = v.assign_add(2.), gc.train.FinalOpsHook({"v": v})
    >>> with gc.train.SingularMonitoredSession([hook]) as session:
    ...     values = session.run(add), session.run(add)
    >>> hook.final_ops_values
    {'v': np.float32(5.0)}
    """

    def __init__(self, final_ops: Any, final_ops_feed_dict: Any = None) -> None:
        self._final_ops, self._feed_dict = final_ops, final_ops_feed_dict
        self._values: Any = None

    @property
    def final_ops_values(self) -> Any:
        return self._values

    def end(self, session: Any) -> None:
        if self._final_ops is None:
            return
        try:
            self._values = session.run(self._final_ops, feed_dict=self._feed_dict)
        except (errors.OutOfRangeError, StopIteration):
            LOG.warning("FinalOpsHook: final_ops read from data that has ended; let them read variables only (the "
                        "value of a metric, not its update)")
            raise


@public("train.FeedFnHook")
class FeedFnHook(SessionRunHook):
    """Feeds each run what `feed_fn()` gives, a feed dictionary. As `tf.train.FeedFnHook`.

    A run raises RuntimeError if another hook, or the run itself, feeds one of its tensors.

    >>> x = gc.placeholder(gc.float32, [])
    >>> square = x * x
    >>> with gc.train.SingularMonitoredSession([gc.train.FeedFnHook(lambda: {x: 3.})]) as session:
    ...     print(session.run(square))
    9.0
    """

    def __init__(self, feed_fn: Callable[[], Any]) -> None:
        self.feed_fn = feed_fn

    def before_run(self, run_context: SessionRunContext) -> SessionRunArgs:
        return SessionRunArgs(fetches=None, feed_dict=self.feed_fn())
