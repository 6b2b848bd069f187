"""Ops on features, of the domain ai.onnx.ml."""
from __future__ import annotations

from typing import Any

import numpy as np

import graphc as gc
from graphc.onnx.importing.rules import Node, full_like, onnx_op, sizes_of

_DOMAIN = "ai.onnx.ml"


@onnx_op("ArrayFeatureExtractor", domain=_DOMAIN)
def array_feature_extractor(node: Node, x: Any, places: Any) -> Any:
    made = gc.gather(x, gc.reshape(places, [-1]), axis=node.rank(x) - 1)
    return gc.expand_dims(made, 0) if node.rank(x) == 1 else made


@onnx_op("Binarizer", domain=_DOMAIN)
def binarizer(node: Node, x: Any) -> Any:
    return gc.cast(gc.greater(x, full_like(x, node.attr("threshold", 0.0))), x.dtype)


@onnx_op("LabelEncoder", domain=_DOMAIN)
def label_encoder(node: Node, x: Any) -> Any:
    """The value of each key; a default for others. NaN is a key like others."""
    keys = _listed(node, "keys")
    values = _listed(node, "values")
    if keys is None or values is None or len(keys) != len(values):
        raise node.invalid("keys and values must be given, as many of the one as of the other")
    default = _default(node, values)
    flat = gc.reshape(x, [-1, 1])
    table = gc.constant(keys, x.dtype)
    same = gc.equal(flat, gc.expand_dims(table, 0))
    if x.dtype.is_floating and np.isnan(keys).any():
        same = gc.logical_or(same, gc.logical_and(gc.is_nan(flat), gc.expand_dims(gc.is_nan(table), 0)))
    marked = gc.concat([gc.cast(same, gc.int32), gc.ones_like(flat, gc.int32)], 1)
    found = gc.gather(gc.constant(np.concatenate([values, default])), gc.argmax(marked, 1))
    return gc.reshape(found, gc.stack(sizes_of(x)) if node.rank(x) else [])


def _listed(node: Node, what: str) -> np.ndarray | None:
    for kind, dtype in (("floats", np.float32), ("int64s", np.int64), ("strings", object)):
        if node.attr(f"{what}_{kind}"):
            return np.array(node.attr(f"{what}_{kind}"), dtype)
    tensor: np.ndarray | None = node.attr(f"{what}_tensor")
    return tensor


def _default(node: Node, values: np.ndarray) -> np.ndarray:
    if node.attr("default_tensor") is not None:
        made: np.ndarray = node.attr("default_tensor").reshape(1)
        return made
    if values.dtype == object:
        return np.array([node.attr("default_string", "_Unused").encode()], object)
    if values.dtype.kind == "f":
        return np.array([node.attr("default_float", -0.0)], values.dtype)
    return np.array([node.attr("default_int64", -1)], values.dtype)


def transformed(node: Node, scores: Any, how: str | None = None) -> Any:
    """Scores [rows, classes] after the op's post_transform."""
    how = node.attr("post_transform", "NONE") if how is None else how
    if how == "NONE":
        return scores
    if how == "SOFTMAX":
        return gc.nn.softmax(scores)
    if how == "LOGISTIC":
        return gc.sigmoid(scores)
    if how == "SOFTMAX_ZERO":                # zeros stay
        zero = gc.equal(scores, full_like(scores, 0))
        powers = gc.where_v2(zero, gc.zeros_like(scores),
                             gc.exp(scores - gc.reduce_max(scores, -1, keepdims=True)))
        return gc.div_no_nan(powers, gc.reduce_sum(powers, -1, keepdims=True))
    raise node.refuse(f"post_transform {how!r} is not supported")
