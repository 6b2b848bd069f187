"""train_and_evaluate: a training that evaluates, and exports, its checkpoints."""
from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import graphc as gc
from graphc.api.public import public
from graphc.estimator.arguments import LOG, checked_hooks
from graphc.estimator.estimator import Estimator
from graphc.estimator.exporters import Exporter


class _TrainFields(NamedTuple):
    input_fn: Any
    max_steps: Any
    hooks: Any


@public("estimator.TrainSpec")
class TrainSpec(_TrainFields):
    """What to train with, as `tf.estimator.TrainSpec`. Raises ValueError unless max_steps is positive or None,
    TypeError if input_fn is no function, or a hook no SessionRunHook.

    >>> gc.estimator.TrainSpec(lambda: None, max_steps=1000).max_steps
    1000
    >>> gc.estimator.TrainSpec(lambda: None, max_steps=0)
    Traceback (most recent call last):
        ...
    ValueError: Must specify max_steps > 0, given: 0
    """

    __slots__ = ()

    def __new__(cls, input_fn: Callable[..., Any], max_steps: int | None = None,
                hooks: Iterable[Any] | None = None) -> TrainSpec:
        _check_callable(input_fn)
        if max_steps is not None and max_steps <= 0:
            raise ValueError(f"Must specify max_steps > 0, given: {max_steps}")
        return super().__new__(cls, input_fn, max_steps, tuple(checked_hooks(hooks, "All hooks")))


class _EvalFields(NamedTuple):
    input_fn: Any
    steps: Any
    name: Any
    hooks: Any
    exporters: Any
    start_delay_secs: Any
    throttle_secs: Any


@public("estimator.EvalSpec")
class EvalSpec(_EvalFields):
    """What to evaluate with, as `tf.estimator.EvalSpec`: an evaluation begins no sooner than throttle_secs after the
    last one began. start_delay_secs is for evaluators that are processes of their own; here there is none. Raises
    ValueError unless steps is positive or None, and for negative seconds, TypeError for an input_fn, name, hook or
    exporter that is none. steps: how many batches, None for all. exporters: one or several, which export the model
    after each evaluation.

    >>> gc.estimator.EvalSpec(lambda: None, steps=10).throttle_secs
    600
    >>> gc.estimator.EvalSpec(lambda: None, steps=0)
    Traceback (most recent call last):
        ...
    ValueError: Must specify steps > 0, given: 0
    """

    __slots__ = ()

    def __new__(cls, input_fn: Callable[..., Any], steps: int | None = 100, name: str | None = None,
                hooks: Iterable[Any] | None = None, exporters: Any = None, start_delay_secs: float = 120,
                throttle_secs: float = 600) -> EvalSpec:
        _check_callable(input_fn)
        if steps is not None and steps <= 0:
            raise ValueError(f"Must specify steps > 0, given: {steps}")
        if name is not None and not isinstance(name, str):
            raise TypeError(f"`name` must be string, given: {name!r}")
        for what, seconds in (("start_delay_secs", start_delay_secs), ("throttle_secs", throttle_secs)):
            if seconds < 0:
                raise ValueError(f"Must specify {what} >= 0, given: {seconds}")
        return super().__new__(cls, input_fn, steps, name, tuple(checked_hooks(hooks, "All hooks")),
                               _exporters(exporters), start_delay_secs, throttle_secs)


def _check_callable(input_fn: Any) -> None:
    if not callable(input_fn):
        raise TypeError(f"`input_fn` must be callable, given: {input_fn!r}")


def _exporters(given: Any) -> tuple[Exporter, ...]:
    found = tuple([given] if isinstance(given, Exporter) else given or ())
    for exporter in found:
        if not isinstance(exporter, Exporter):
            raise TypeError(f"`exporters` must be an Exporter, an iterable of Exporter, or `None`, found {given!r}.")
        if not exporter.name or not isinstance(exporter.name, str):
            raise ValueError(f"An Exporter must have a name, a string that is not empty, but it is {exporter.name!r}")
    names = [exporter.name for exporter in found]
    if len(set(names)) < len(names):
        raise ValueError(f"`exporters` must have unique names. All exporter names: {names}")
    return found


@public("estimator.train_and_evaluate")
def train_and_evaluate(estimator: Estimator, train_spec: TrainSpec, eval_spec: EvalSpec) -> tuple[Any, Any]:
    """Trains, and evaluates and exports the checkpoints saved on the way (not the first one), and the last one,
    as `tf.estimator.train_and_evaluate` does in one process. (the last metrics, what the exporters gave); (None, None)
    if there was nothing to train. Raises TypeError for what is no Estimator or specification.

    >>> x = gc.feature_column.numeric_column("x")
    >>> def read():
    ...     return {"x": [[0.], [1.], [2.]]}, [[1.], [3.], [5.]]
    >>> model = gc.estimator.LinearRegressor([x], "evaluated")
    >>> metrics, exports = gc.estimator.train_and_evaluate(
    ...     model, gc.estimator.TrainSpec(read, max_steps=3), gc.estimator.EvalSpec(read, steps=1))
    >>> sorted(metrics)
    ['average_loss', 'global_step', 'label/mean', 'loss', 'prediction/mean']
    """
    for name, given, wanted in (("estimator", estimator, Estimator), ("train_spec", train_spec, TrainSpec),
                                ("eval_spec", eval_spec, EvalSpec)):
        if not isinstance(given, wanted):
            raise TypeError(f"`{name}` must have type `tf.estimator.{wanted.__name__}`, given {given!r}")
    listener = _Evaluating(estimator, eval_spec, train_spec.max_steps)
    estimator.train(train_spec.input_fn, max_steps=train_spec.max_steps, hooks=train_spec.hooks,
                    saving_listeners=[listener])
    return listener.metrics, listener.export_results


class _Evaluating(gc.train.CheckpointSaverListener):
    """Evaluates a checkpoint when it has been saved."""

    def __init__(self, estimator: Estimator, spec: EvalSpec, max_steps: int | None) -> None:
        self._estimator, self._spec, self._max_steps = estimator, spec, max_steps
        self.metrics: Any = None
        self.export_results: Any = None

    def begin(self) -> None:
        self._timer = gc.train.SecondOrStepTimer(every_secs=self._spec.throttle_secs)
        self._is_first = True

    def after_save(self, session: Any, global_step_value: int) -> None:
        if self._is_first:
            self._is_first = False
        elif self._timer.should_trigger_for_step(global_step_value):
            self._evaluate(global_step_value)
        else:
            LOG.info("Skip the current checkpoint eval due to throttle secs (%s secs).", self._spec.throttle_secs)

    def end(self, session: Any, global_step_value: int) -> None:
        if global_step_value != self._timer.last_triggered_step():
            self._evaluate(global_step_value)

    def _evaluate(self, step: int) -> None:
        self._timer.update_last_triggered_step(step)
        path = self._estimator.latest_checkpoint()
        if path is None:
            raise RuntimeError(f"There was no new checkpoint after the training in {self._estimator.model_dir}")
        spec = self._spec
        self.metrics = self._estimator.evaluate(spec.input_fn, spec.steps, spec.hooks, path, spec.name)
        final = bool(self._max_steps) and self.metrics[gc.GraphKeys.GLOBAL_STEP] >= self._max_steps
        folder = os.path.join(self._estimator.model_dir, "export")
        self.export_results = [
            exporter.export(self._estimator, os.path.join(folder, exporter.name), path, self.metrics, final)
            for exporter in spec.exporters]
