"""What all metrics need: their variables, weights that fit, and the collections of their results."""
from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import graphc as gc

Result = tuple[Any, Any]
Collections = Sequence[Any] | None


def metric_variable(shape: Sequence[Any], dtype: Any, name: str) -> Any:
    """A local variable of zeros. local_variables_initializer begins a count again."""
    keys = [gc.GraphKeys.LOCAL_VARIABLES, gc.GraphKeys.METRIC_VARIABLES]
    return gc.Variable(lambda: gc.zeros(shape, dtype), trainable=False, collections=keys, name=name)


def collected(value: Any, update: Any, values: Collections, updates: Collections) -> Result:
    """Both, added to the collections that the caller named."""
    for keys, what in ((values, value), (updates, update)):
        if keys is not None and not isinstance(keys, (list, tuple)):
            raise ValueError(f"collections of a metric must be a list or tuple, but are {keys!r}")
        if keys:
            gc.add_to_collections(keys, what)
    return value, update


def ratio(numerator: Any, denominator: Any, name: str | None = None) -> Any:
    """0 where nothing was counted."""
    return gc.div_no_nan(numerator, gc.maximum(denominator, 0), name=name)


def squeezed(predictions: Any, labels: Any, weights: Any) -> tuple[Any, Any, Any]:
    """predictions and labels of one rank: a last axis of size 1 is left out of the one that has one more. Weights get
    or lose such an axis, unless they are a scalar. labels, weights: or None."""
    predictions = gc.convert_to_tensor(predictions)
    if labels is not None:
        labels = gc.convert_to_tensor(labels)
        more = _more_axes(predictions, labels)
        predictions = _without_last(predictions) if more == 1 else predictions
        labels = _without_last(labels) if more == -1 else labels
        predictions.shape.assert_is_compatible_with(labels.shape)
    if weights is not None:
        weights = gc.convert_to_tensor(weights)
        more = _more_axes(weights, predictions)
        if weights.shape.ndims not in (0, None):
            weights = _without_last(weights) if more == 1 else gc.expand_dims(weights, -1) if more == -1 else weights
    return predictions, labels, weights


def _more_axes(a: Any, b: Any) -> int | None:
    if a.shape.ndims is None or b.shape.ndims is None:
        return None
    return int(a.shape.ndims - b.shape.ndims)


def _without_last(x: Any) -> Any:
    return gc.squeeze(x, [-1]) if x.shape[-1].value in (1, None) else x


def spread(weights: Any, values: Any) -> Any:
    """weights, which must be a scalar or broadcast axis by axis, in the shape and dtype of values."""
    weights = gc.cast(weights, values.dtype)
    given, wanted = weights.shape, values.shape
    if given.ndims is not None and wanted.ndims is not None and given.ndims != 0:
        fits = given.ndims == wanted.ndims and all(
            g in (1, None) or w is None or g == w for g, w in zip(given.as_list(), wanted.as_list(), strict=True))
        if not fits:
            raise ValueError(f"weights can not be broadcast to values: their shapes are {given} and {wanted}; weights "
                             "must be a scalar, or have the values' rank with sizes that are 1 or the values'")
    if given.is_fully_defined() and wanted.is_fully_defined() and given.as_list() == wanted.as_list():
        return weights
    return gc.multiply(weights, gc.ones_like(values))


def as_bool(*values: Any) -> list[Any]:
    return [gc.cast(v, gc.bool) for v in values]


def transformed(pair: Result, function: Callable[[Any], Any], values: Collections, updates: Collections) -> Result:
    """A metric that is a function of another one."""
    return collected(function(pair[0]), function(pair[1]), values, updates)
