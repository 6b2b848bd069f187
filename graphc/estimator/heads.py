"""Heads: what canned models make of their logits: a loss, predictions, metrics, and signatures."""
from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import graphc as gc
from graphc.estimator.export_outputs import (
    DEFAULT_KEY,
    ClassificationOutput,
    ExportOutput,
    PredictOutput,
    RegressionOutput,
)
from graphc.estimator.head_inputs import example_weights, shaped_labels, shaped_logits
from graphc.estimator.modes import ModeKeys
from graphc.estimator.spec import EstimatorSpec


class Loss(NamedTuple):
    """total: of the batch. each: [batch, 1] or [batch, logits]. weights: a number, or such a tensor."""

    total: Any
    each: Any
    weights: Any
    labels: Any


class Head:
    """Base of the heads. weight_column: the key, or the numeric column, of the examples' weights, or None."""

    logits_dimension: int
    label_dimension = 1                   # of the labels' last axis
    weights_per_logit = False             # whether there may be a weight for each

    def __init__(self, weight_column: Any, loss_reduction: str) -> None:
        if loss_reduction not in gc.losses.Reduction.all() or loss_reduction == gc.losses.Reduction.NONE:
            raise ValueError(f"Invalid loss_reduction: {loss_reduction}")
        self._weight_column, self._reduction = weight_column, loss_reduction

    def predictions(self, logits: Any) -> dict[str, Any]:
        raise NotImplementedError(f"{type(self).__name__}.predictions")

    def outputs(self, predictions: dict[str, Any]) -> dict[str, ExportOutput]:
        """By the names of their signatures."""
        raise NotImplementedError(f"{type(self).__name__}.outputs")

    def processed(self, labels: Any) -> Any:
        """The labels as the loss takes them."""
        raise NotImplementedError(f"{type(self).__name__}.processed")

    def losses(self, labels: Any, logits: Any) -> Any:
        """Of each example, of a rank that the weights fit."""
        raise NotImplementedError(f"{type(self).__name__}.losses")

    def metrics(self, loss: Loss, predictions: dict[str, Any]) -> dict[str, Any]:
        """Those that are the head's own: name -> (value, update)."""
        raise NotImplementedError(f"{type(self).__name__}.metrics")

    def create_loss(self, features: Any, logits: Any, labels: Any) -> Loss:
        labels = self.processed(shaped_labels(labels, logits, self.label_dimension))
        each = self.losses(labels, logits)
        weights = example_weights(features, self._weight_column, logits, self.weights_per_logit)
        return Loss(gc.losses.compute_weighted_loss(each, weights, reduction=self._reduction), each, weights, labels)

    def create_estimator_spec(self, features: Any, mode: str, logits: Any, labels: Any,
                              train_op_fn: Callable[[Any], Any]) -> EstimatorSpec:
        """train_op_fn: the loss -> the operation of a step."""
        with gc.name_scope("head"):
            logits = shaped_logits(logits, self.logits_dimension)
            predictions = self.predictions(logits)
            if mode == ModeKeys.PREDICT:
                outputs = {**self.outputs(predictions), "predict": PredictOutput(predictions)}
                return EstimatorSpec(mode, predictions, export_outputs=outputs)
            loss = self.create_loss(features, logits, labels)
            if mode == ModeKeys.EVAL:
                average = gc.metrics.mean(loss.each, loss.weights, name="average_loss")
                return EstimatorSpec(mode, predictions, loss.total, eval_metric_ops={
                    "average_loss": average, **self.metrics(loss, predictions)})
            updates = gc.get_collection(gc.GraphKeys.UPDATE_OPS)
            with gc.control_dependencies(updates):
                train_op = gc.group(train_op_fn(loss.total), *updates)
        self._summarize(loss)
        return EstimatorSpec(mode, predictions, loss.total, train_op)

    def _summarize(self, loss: Loss) -> None:
        with gc.name_scope(""):
            gc.summary.scalar("loss", loss.total)
            if self._reduction == gc.losses.Reduction.SUM:
                gc.summary.scalar("average_loss", loss.total / gc.reduce_sum(loss.weights * gc.ones_like(loss.each)))


class _Classifying(Head):
    """Classes by their numbers, or by the strings of a vocabulary."""

    n_classes: int

    def __init__(self, weight_column: Any, label_vocabulary: Sequence[str] | None, loss_reduction: str) -> None:
        super().__init__(weight_column, loss_reduction)
        if label_vocabulary is not None and not isinstance(label_vocabulary, (list, tuple)):
            raise ValueError(f"label_vocabulary must be a list or a tuple. Given type: {type(label_vocabulary)}")
        self._vocabulary = None if label_vocabulary is None else list(label_vocabulary)

    def classes(self, scores: Any) -> dict[str, Any]:
        """The best class, and all, as numbers and strings. scores: [batch, n_classes]."""
        ids = gc.expand_dims(gc.argmax(scores, axis=-1), -1)
        names = (gc.as_string(ids) if self._vocabulary is None else
                 gc.contrib.lookup.index_to_string_table_from_tensor(self._vocabulary).lookup(ids))
        every = gc.range(self.n_classes)
        all_names = gc.as_string(every) if self._vocabulary is None else gc.constant(self._vocabulary)
        rows = [gc.shape(scores)[0], 1]
        return {"class_ids": ids, "classes": names, "all_class_ids": gc.tile(every[gc.newaxis], rows),
                "all_classes": gc.tile(all_names[gc.newaxis], rows)}

    def outputs(self, predictions: dict[str, Any]) -> dict[str, ExportOutput]:
        output = ClassificationOutput(predictions["probabilities"], predictions["all_classes"])
        return {DEFAULT_KEY: output, "classification": output}

    def ids(self, labels: Any) -> Any:
        """The labels' numbers, checked when they run."""
        if self._vocabulary is None:
            if not (labels.dtype.is_integer or (self.n_classes == 2 and labels.dtype != gc.string)):
                raise ValueError(f"Labels dtype should be integer. Instead got {labels.dtype.name}; strings need a "
                                 "label_vocabulary.")
        elif labels.dtype != gc.string:
            raise ValueError("Labels dtype should be string if there is a vocabulary. Instead got "
                             f"{labels.dtype.name}")
        else:
            labels = gc.contrib.lookup.index_table_from_tensor(gc.constant(self._vocabulary)).lookup(labels)
        last = gc.constant(self.n_classes - 1, labels.dtype)
        with gc.control_dependencies([
                gc.assert_less_equal(labels, last, message=f"Labels must be <= n_classes - 1 = {self.n_classes - 1}"),
                gc.assert_non_negative(labels, message="Labels must be >= 0, and in the label_vocabulary if there is "
                                       "one")]):
            return gc.identity(labels)


class MultiClassHead(_Classifying):
    """Several classes: the softmax' cross entropy."""

    def __init__(self, n_classes: int, weight_column: Any, label_vocabulary: Sequence[str] | None,
                 loss_reduction: str) -> None:
        super().__init__(weight_column, label_vocabulary, loss_reduction)
        if n_classes is None or n_classes <= 2:
            raise ValueError(f"n_classes must be > 2: {n_classes}.")
        if self._vocabulary is not None and len(self._vocabulary) != n_classes:
            raise ValueError(f'"label_vocabulary" does not have "n_classes" items. n_classes={n_classes} '
                             f"label_vocabulary={self._vocabulary}")
        self.n_classes = self.logits_dimension = n_classes

    def predictions(self, logits: Any) -> dict[str, Any]:
        return {"logits": logits, "probabilities": gc.nn.softmax(logits), **self.classes(logits)}

    def processed(self, labels: Any) -> Any:
        return self.ids(labels)

    def losses(self, labels: Any, logits: Any) -> Any:
        none = gc.losses.Reduction.NONE
        return gc.expand_dims(gc.losses.sparse_softmax_cross_entropy(labels, logits, reduction=none), -1)

    def metrics(self, loss: Loss, predictions: dict[str, Any]) -> dict[str, Any]:
        return {"accuracy": gc.metrics.accuracy(loss.labels, predictions["class_ids"], loss.weights, name="accuracy")}


class BinaryHead(_Classifying):
    """Two classes: the sigmoid's cross entropy."""

    n_classes, logits_dimension = 2, 1

    def predictions(self, logits: Any) -> dict[str, Any]:
        both = gc.concat([gc.zeros_like(logits), logits], -1)
        return {"logits": logits, "logistic": gc.sigmoid(logits), "probabilities": gc.nn.softmax(both),
                **self.classes(both)}

    def outputs(self, predictions: dict[str, Any]) -> dict[str, ExportOutput]:
        return {**super().outputs(predictions), "regression": RegressionOutput(predictions["logistic"])}

    def processed(self, labels: Any) -> Any:
        return gc.to_float(self.ids(labels))

    def losses(self, labels: Any, logits: Any) -> Any:
        return gc.nn.sigmoid_cross_entropy_with_logits(labels=labels, logits=logits)

    def metrics(self, loss: Loss, predictions: dict[str, Any]) -> dict[str, Any]:
        metrics, ids, scores = gc.metrics, predictions["class_ids"], predictions["logistic"]
        weights = _spread(loss.weights, scores)
        label = metrics.mean(loss.labels, weights, name="label/mean")
        baseline = (gc.maximum(label[0], 1 - label[0]), gc.maximum(label[1], 1 - label[1]))
        return {
            "accuracy": metrics.accuracy(loss.labels, ids, weights, name="accuracy"),
            "precision": metrics.precision(loss.labels, ids, weights, name="precision"),
            "recall": metrics.recall(loss.labels, ids, weights, name="recall"),
            "prediction/mean": metrics.mean(scores, weights, name="prediction/mean"),
            "label/mean": label, "accuracy_baseline": baseline,
            "auc": metrics.auc(loss.labels, scores, weights, name="auc"),
            "auc_precision_recall": metrics.auc(loss.labels, scores, weights, curve="PR", name="auc_precision_recall"),
        }


def _spread(weights: Any, like: Any) -> Any:
    """The weights in the shape of the predictions."""
    return gc.ones_like(like) * weights


class RegressionHead(Head):
    """Numbers: the squared error."""

    weights_per_logit = True

    def __init__(self, label_dimension: int, weight_column: Any, loss_reduction: str) -> None:
        super().__init__(weight_column, loss_reduction)
        if label_dimension < 1:
            raise ValueError(f"Invalid label_dimension {label_dimension}.")
        self.label_dimension = self.logits_dimension = label_dimension

    def predictions(self, logits: Any) -> dict[str, Any]:
        return {"predictions": logits}

    def outputs(self, predictions: dict[str, Any]) -> dict[str, ExportOutput]:
        output = RegressionOutput(predictions["predictions"])
        return {DEFAULT_KEY: output, "regression": output}

    def processed(self, labels: Any) -> Any:
        return gc.to_float(labels)

    def losses(self, labels: Any, logits: Any) -> Any:
        return gc.losses.mean_squared_error(labels, logits, reduction=gc.losses.Reduction.NONE)

    def metrics(self, loss: Loss, predictions: dict[str, Any]) -> dict[str, Any]:
        weights = _spread(loss.weights, loss.each)
        return {"prediction/mean": gc.metrics.mean(predictions["predictions"], weights, name="prediction/mean"),
                "label/mean": gc.metrics.mean(loss.labels, weights, name="label/mean")}


def classifier_head(n_classes: int, weight_column: Any, label_vocabulary: Sequence[str] | None,
                    loss_reduction: str) -> Head:
    """The head of a classifier of two classes, or of more."""
    if n_classes == 2:
        return BinaryHead(weight_column, label_vocabulary, loss_reduction)
    return MultiClassHead(n_classes, weight_column, label_vocabulary, loss_reduction)
