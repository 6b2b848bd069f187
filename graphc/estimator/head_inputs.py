"""Labels, logits and weights in the shapes that heads compute with; what does not fit is refused."""
from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import graphc as gc
from graphc.feature_column.base import Features
from graphc.feature_column.numeric import NumericColumn


def shaped_logits(logits: Any, dimension: int) -> Any:
    """Float logits of [..., dimension]. Raises ValueError for another shape."""
    logits = gc.to_float(logits)
    shape = logits.get_shape()
    if shape.ndims is not None and (shape.ndims < 2 or shape[-1].value not in (None, dimension)):
        raise ValueError(f"logits shape must be [D0, D1, ... DN, {dimension}], got {shape}.")
    return logits


def shaped_labels(labels: Any, logits: Any, dimension: int) -> Any:
    """Labels of the logits' shape, but for their last axis; if they lack that, it is made. Raises ValueError for
    SparseTensors, and for other shapes as far as they are known; the rest is checked when they run."""
    if labels is None:
        raise ValueError("You must provide a labels Tensor. Given: None. Suggested troubleshooting steps: Check that "
                         "your data contain your label feature. Check that your input_fn properly parses and returns "
                         "labels.")
    labels = gc.convert_to_tensor_or_sparse_tensor(labels)
    if isinstance(labels, gc.SparseTensor):
        raise ValueError(f"SparseTensor labels are not supported. labels must be a Tensor of shape [batch_size, "
                         f"{dimension}]; gc.sparse_tensor_to_dense makes one of it.")
    ranks = labels.get_shape().ndims, logits.get_shape().ndims
    if None not in ranks and ranks[0] == ranks[1] - 1:
        labels = gc.expand_dims(labels, -1)
    said = (f"labels shape must be [D0, D1, ... DN, {dimension}]. Suggested Fix: check your n_classes argument to the "
            "estimator and/or the shape of your label.")
    shape = labels.get_shape()
    if shape.ndims is not None and (shape.ndims < 2 or shape[-1].value not in (None, dimension)):
        raise ValueError(f"Mismatched label shape. Expected labels dimension={dimension}.  Received {shape}. {said}")
    wanted = gc.concat([gc.shape(logits)[:-1], [dimension]], 0)
    with gc.control_dependencies([gc.assert_equal(wanted, gc.shape(labels), message=said)]):
        return gc.identity(labels)


def example_weights(features: Mapping[str, Any], column: Any, logits: Any, per_logit: bool) -> Any:
    """1.0 without a column; else float weights of [..., 1], or (per_logit) of the logits' shape."""
    if column is None:
        return 1.0
    if isinstance(column, str):
        column = gc.feature_column.numeric_column(column)
    if not isinstance(column, NumericColumn):
        raise TypeError(f"Weight column must be either a string or NumericColumn. Given type: {type(column)}.")
    weights = Features(features).get(column)
    said = ("weights shape must be [D0, D1, ... DN] or [D0, D1, ... DN, 1]"
            + (" or [D0, D1, ... DN, logits_dimension]" if per_logit else ""))
    given, shape = weights.get_shape(), logits.get_shape()
    last = given[-1].value
    if given.ndims != shape.ndims or last not in ((None, 1, shape[-1].value) if per_logit else (None, 1)):
        raise ValueError(f"{said}, but they have shape {given}, and logits have {shape}")
    same = gc.assert_equal(gc.shape(logits)[:-1], gc.shape(weights)[:-1], message=said)
    with gc.control_dependencies([same]):
        return gc.identity(weights)
