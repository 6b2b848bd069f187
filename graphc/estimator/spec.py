"""EstimatorSpec: what a model function gives back, checked."""
from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import graphc as gc
from graphc.api.public import public
from graphc.estimator.export_outputs import ExportOutput, checked_export_outputs
from graphc.estimator.modes import ModeKeys


class _Fields(NamedTuple):
    mode: Any
    predictions: Any
    loss: Any
    train_op: Any
    eval_metric_ops: Any
    export_outputs: Any
    training_chief_hooks: Any
    training_hooks: Any
    scaffold: Any
    evaluation_hooks: Any
    prediction_hooks: Any


@public("estimator.EstimatorSpec")
class EstimatorSpec(_Fields):
    """The operations of a model, as `tf.estimator.EstimatorSpec`.

    TRAIN needs loss and train_op, EVAL loss, PREDICT predictions; what a mode does not need may be there, too. Raises
    ValueError for what is missing, is of another graph, or (the loss) has more than one element; TypeError for other
    things than tensors, hooks and dictionaries of them.

    >>> x = gc.constant([1., 2.])
    >>> gc.estimator.EstimatorSpec(gc.estimator.ModeKeys.PREDICT, predictions={"double": x * 2.}).mode
    'infer'
    >>> gc.estimator.EstimatorSpec(gc.estimator.ModeKeys.EVAL, predictions={"double": x * 2.})
    Traceback (most recent call last):
        ...
    ValueError: Missing loss.
    """

    __slots__ = ()

    def __new__(cls, mode: str, predictions: Any = None, loss: Any = None, train_op: Any = None,
                eval_metric_ops: Mapping[str, Any] | None = None,
                export_outputs: Mapping[str, ExportOutput] | None = None,
                training_chief_hooks: Iterable[Any] | None = None, training_hooks: Iterable[Any] | None = None,
                scaffold: Any = None, evaluation_hooks: Iterable[Any] | None = None,
                prediction_hooks: Iterable[Any] | None = None) -> EstimatorSpec:
        checked = _predictions(predictions, mode)
        return super().__new__(
            cls, mode, checked, _loss(loss, mode), _train_op(train_op, mode), _metrics(eval_metric_ops),
            checked_export_outputs(export_outputs, checked) if mode == ModeKeys.PREDICT else export_outputs,
            _hooks(training_chief_hooks), _hooks(training_hooks), _scaffold(scaffold), _hooks(evaluation_hooks),
            _hooks(prediction_hooks))

    def _replace(self, **fields: Any) -> EstimatorSpec:
        """A checked copy with other fields. Raises ValueError for another mode."""
        if fields.get("mode", self.mode) != self.mode:
            raise ValueError("mode of EstimatorSpec cannot be changed.")
        return EstimatorSpec(**{**self._asdict(), **fields})


def _in_this_graph(thing: Any, what: str, name: str) -> None:
    if thing.graph is not gc.get_default_graph():
        raise ValueError(f'{what} with "{name}" must be from the default graph. Possible causes of this error: it was '
                         "created outside the context of the default graph, or not in the most recent call to "
                         '"model_fn".')


def _tensor(value: Any, what: str) -> Any:
    if not isinstance(value, (gc.Tensor, gc.Variable)):
        raise TypeError(f"{what} must be Tensor, given: {value!r}")
    return value


def _train_op(train_op: Any, mode: str) -> Any:
    if train_op is None:
        if mode == ModeKeys.TRAIN:
            raise ValueError("Missing train_op.")
        return None
    if not isinstance(train_op, (gc.Operation, gc.Tensor, gc.Variable)):
        raise TypeError(f"train_op must be Operation or Tensor, given: {train_op!r}")
    _in_this_graph(train_op, "train_op", train_op.name)
    return train_op.op if isinstance(train_op, gc.Variable) else train_op


def _loss(loss: Any, mode: str) -> Any:
    if loss is None:
        if mode in (ModeKeys.TRAIN, ModeKeys.EVAL):
            raise ValueError("Missing loss.")
        return None
    shape = _tensor(loss, "loss").get_shape()
    if shape.num_elements() not in (None, 1):
        raise ValueError(f"Loss must be scalar, given: {loss!r}")
    _in_this_graph(loss, "loss", loss.name)
    return loss if shape.is_compatible_with([]) else gc.reshape(loss, [])


def _predictions(predictions: Any, mode: str) -> Any:
    if predictions is None:
        if mode == ModeKeys.PREDICT:
            raise ValueError("Missing predictions.")
        return {}
    if not isinstance(predictions, dict):
        _in_this_graph(_tensor(predictions, "predictions"), "prediction values", predictions.name)
        return predictions
    for key, value in predictions.items():
        _in_this_graph(_tensor(value, f"predictions[{key}]"), "prediction values", f"{key}: {value.name}")
    return dict(predictions)


def _metrics(metrics: Any) -> dict[str, Any]:
    if metrics is None:
        return {}
    if not isinstance(metrics, dict):
        raise TypeError(f"eval_metric_ops must be a dict, given: {metrics!r}")
    for key, pair in metrics.items():
        if not isinstance(pair, tuple) or len(pair) != 2:
            raise TypeError("Values of eval_metric_ops must be (metric_value, update_op) tuples, given: "
                            f"{pair!r} for key: {key}")
        for value in gc.nest.flatten(pair):
            if not isinstance(value, (gc.Operation, gc.Tensor, gc.Variable)):
                raise TypeError(f"eval_metric_ops[{key}] must hold Tensors and Operations, given: {value!r}")
            _in_this_graph(value, "eval_metric_ops", f"{key}: {value.name}")
    return dict(metrics)


def _hooks(hooks: Iterable[Any] | None) -> tuple[Any, ...]:
    found = tuple(hooks or ())
    for hook in found:
        if not isinstance(hook, gc.train.SessionRunHook):
            raise TypeError(f"All hooks must be SessionRunHook instances, given: {hook!r}")
    return found


def _scaffold(scaffold: Any) -> Any:
    scaffold = scaffold or gc.train.Scaffold()
    if not isinstance(scaffold, gc.train.Scaffold):
        raise TypeError(f"scaffold must be tf.train.Scaffold. Given: {scaffold!r}")
    return scaffold
