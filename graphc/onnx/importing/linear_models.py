"""Linear models, support vectors and what is done to features before them, of the domain ai.onnx.ml."""
from __future__ import annotations

from typing import Any

import numpy as np

import graphc as gc
from graphc.onnx.importing.features import transformed
from graphc.onnx.importing.rules import Node, full_like, onnx_op, shape_vector, sizes_of

_DOMAIN = "ai.onnx.ml"


def _floats(x: Any) -> Any:
    return gc.cast(x, gc.float32)


@onnx_op("Scaler", domain=_DOMAIN)
def scaler(node: Node, x: Any) -> Any:
    """(x - offset) * scale, one number each or one a feature."""
    offset, scale = node.attr("offset") or [0], node.attr("scale") or [1]
    return (_floats(x) - gc.constant(np.array(offset, np.float32))) * gc.constant(np.array(scale, np.float32))


@onnx_op("Normalizer", domain=_DOMAIN)
def normalizer(node: Node, x: Any) -> Any:
    """Rows divided by their largest number, their sum of absolute values or their length; rows of zeros stay."""
    wide, norm = _floats(x), node.attr("norm", "MAX")
    last = node.rank(x) - 1
    if norm == "MAX":
        size = gc.reduce_max(gc.abs(wide), last, keepdims=True)
    elif norm == "L1":
        size = gc.reduce_sum(gc.abs(wide), last, keepdims=True)
    else:
        size = gc.sqrt(gc.reduce_sum(gc.square(wide), last, keepdims=True))
    return wide / gc.where_v2(gc.equal(size, full_like(size, 0)), gc.ones_like(size), size)


@onnx_op("Imputer", domain=_DOMAIN)
def imputer(node: Node, x: Any) -> Any:
    """Numbers that stand for a missing one, or NaN, replaced: by one number or one a feature."""
    whole = x.dtype.is_integer
    new = np.array(node.need("imputed_value_int64s" if whole else "imputed_value_floats"))
    old = node.attr("replaced_value_int64" if whole else "replaced_value_float", 0)
    missing = gc.is_nan(x) if not whole and np.isnan(old) else gc.equal(x, full_like(x, old))
    return gc.where_v2(missing, gc.constant(new, x.dtype), x)


@onnx_op("OneHotEncoder", domain=_DOMAIN)
def one_hot_encoder(node: Node, x: Any) -> Any:
    """[..., categories]: 1 at the category of each element; unknown ones are all zeros, or an error."""
    categories = node.attr("cats_strings") or node.need("cats_int64s")
    seen = x if x.dtype == gc.string else gc.cast(x, gc.int64)
    table = gc.constant(categories, gc.string if x.dtype == gc.string else gc.int64)
    made = _floats(gc.equal(gc.expand_dims(seen, -1), table))
    if node.attr("zeros", 1):
        return made
    known = gc.assert_greater(gc.reduce_max(made, -1), gc.constant(0.0), message=f"{node}: an unknown category")
    with gc.control_dependencies([known]):
        return gc.identity(made)


@onnx_op("FeatureVectorizer", domain=_DOMAIN)
def feature_vectorizer(node: Node, *inputs: Any) -> Any:
    rows = [gc.expand_dims(x, 1) if node.rank(x) == 1 else x for x in inputs]
    return gc.concat([_floats(x) for x in rows], 1)


@onnx_op("ZipMap", domain=_DOMAIN)
def zip_map(node: Node, x: Any) -> Any:
    """Rows of scores stay a tensor: a graph has no dictionaries, and the keys are the columns' labels."""
    return gc.identity(x)


def _products(node: Node, x: Any, classes: int) -> Any:
    weights = np.array(node.need("coefficients"), np.float32).reshape(classes, -1)
    base = node.attr("intercepts")
    y = gc.matmul(_floats(x), gc.constant(weights.T.copy()))
    return y + gc.constant(np.array(base, np.float32)) if base else y


@onnx_op("LinearRegressor", domain=_DOMAIN)
def linear_regressor(node: Node, x: Any) -> Any:
    return transformed(node, _products(node, x, node.attr("targets", 1)))


@onnx_op("LinearClassifier", domain=_DOMAIN)
def linear_classifier(node: Node, x: Any) -> Any:
    """(labels, scores)."""
    labels = np.array(node.attr("classlabels_strings") or node.need("classlabels_ints"),
                      object if node.attr("classlabels_strings") else np.int64)
    columns = len(node.attr("intercepts") or []) or len(labels)
    scores = _products(node, x, columns)
    if columns == 1 and len(labels) == 2:
        chosen = gc.cast(gc.greater(scores[:, 0], full_like(scores, 0)), gc.int64)
        scores = gc.concat([-scores, scores], 1)
        made = gc.sigmoid(scores) if node.attr("post_transform", "NONE") == "LOGISTIC" else scores
    else:
        chosen, made = gc.argmax(scores, 1), transformed(node, scores)
    return gc.gather(gc.constant(labels), chosen), made


@onnx_op("SVMRegressor", domain=_DOMAIN)
def support_vectors(node: Node, x: Any) -> Any:
    """The sum of coefficient * kernel(x, support vector), plus rho."""
    coefficients = np.array(node.need("coefficients"), np.float32)
    gamma, coef0, degree = (list(node.attr("kernel_params") or []) + [0.0] * 3)[:3]
    kind, count = node.attr("kernel_type", "LINEAR"), node.attr("n_supports", 0)
    if not count:
        raise node.refuse("without support vectors it is not supported")
    vectors = gc.constant(np.array(node.need("support_vectors"), np.float32).reshape(count, -1))
    wide = _floats(x)
    if kind == "RBF":
        apart = gc.square(gc.expand_dims(wide, 1) - gc.expand_dims(vectors, 0))
        kernel = gc.exp(gc.constant(-gamma) * gc.reduce_sum(apart, 2))
    else:
        kernel = gc.matmul(wide, vectors, transpose_b=True)
        if kind != "LINEAR":
            kernel = gc.constant(gamma) * kernel + gc.constant(coef0)
            kernel = gc.pow(kernel, gc.constant(degree)) if kind == "POLY" else gc.tanh(kernel)
    score = gc.matmul(kernel, gc.constant(coefficients.reshape(-1, 1))) + gc.constant(
        np.array(node.attr("rho") or [0.0], np.float32))
    if node.attr("one_class", 0):
        score = gc.where_v2(gc.greater(score, gc.constant(0.0)), gc.ones_like(score), -gc.ones_like(score))
    return gc.reshape(transformed(node, score), shape_vector([sizes_of(x)[0], 1]))


@onnx_op("CategoryMapper", domain=_DOMAIN)
def category_mapper(node: Node, x: Any) -> Any:
    """Strings as their numbers, or numbers as their strings; a default for others."""
    words = np.array(node.need("cats_strings"), object)
    numbers = np.array(node.need("cats_int64s"), np.int64)
    keys, values, default = words, numbers, np.array([node.attr("default_int64", -1)], np.int64)
    if x.dtype != gc.string:
        keys, values, default = numbers, words, np.array([node.attr("default_string", "_Unused").encode()], object)
    same = gc.cast(gc.equal(gc.expand_dims(x, -1), gc.constant(keys, x.dtype)), gc.int32)
    found = gc.argmax(gc.concat([same, gc.ones_like(same[..., :1])], -1), node.rank(x))
    return gc.gather(gc.constant(np.concatenate([values, default])), found)
