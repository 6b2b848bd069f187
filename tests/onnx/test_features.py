"""The domain ai.onnx.ml, Unique and TfIdfVectorizer: NumPy written out beside them."""
from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from onnx import TensorProto, helper
from onnx_models import model_of, numbers, run

import graphc as gc

FLOAT, INT64, STRING = TensorProto.FLOAT, TensorProto.INT64, TensorProto.STRING
ML = "ai.onnx.ml"
# Two trees. The first: x0 <= 0.5, then x1 < -1 (NaN counts as less), leaves 2, 3, 4; the second: x2 == 1, leaves 1, 2.
TREES: dict[str, Any] = {
    "nodes_treeids": [0, 0, 0, 0, 0, 1, 1, 1], "nodes_nodeids": [0, 1, 2, 3, 4, 0, 1, 2],
    "nodes_featureids": [0, 1, 0, 0, 0, 2, 0, 0], "nodes_values": [0.5, -1.0, 0, 0, 0, 1.0, 0, 0],
    "nodes_modes": ["BRANCH_LEQ", "BRANCH_LT", "LEAF", "LEAF", "LEAF", "BRANCH_EQ", "LEAF", "LEAF"],
    "nodes_truenodeids": [1, 2, 0, 0, 0, 1, 0, 0], "nodes_falsenodeids": [4, 3, 0, 0, 0, 2, 0, 0],
    "nodes_missing_value_tracks_true": [0, 1, 0, 0, 0, 0, 0, 0]}
LEAVES = [(0, 2), (0, 3), (0, 4), (1, 1), (1, 2)]
ROWS = np.array([[0, -2, 1], [0, 0, 0], [1, -2, 1], [0.5, np.nan, 2], [np.nan, 0, 1]], np.float32)
FOUND = [(0, 3), (1, 4), (2, 3), (0, 4), (2, 3)]            # the leaves that each row comes to


def ml_model(node: Any, outputs: list[str], inputs: dict[str, Any] | None = None, version: int = 3) -> Any:
    model = model_of([node], inputs or {"x": (FLOAT, ["n", 3])}, outputs)
    model.opset_import.append(helper.make_opsetid(ML, version))
    return model


def _leaves(prefix: str, ids: str, values: list[float], targets: list[int]) -> dict[str, Any]:
    return {f"{prefix}_treeids": [t for t, _ in LEAVES], f"{prefix}_nodeids": [n for _, n in LEAVES],
            f"{prefix}_{ids}": targets, f"{prefix}_weights": values}


@pytest.mark.parametrize(("aggregate", "of"), [("SUM", sum), ("AVERAGE", lambda v: sum(v) / 2), ("MIN", min),
                                               ("MAX", max)])
def test_trees_that_give_numbers(aggregate: str, of: Any) -> None:
    values = [0.25, 0.5, -3.0, 1.0, 2.0]
    node = helper.make_node("TreeEnsembleRegressor", ["x"], ["y"], domain=ML, n_targets=1, aggregate_function=aggregate,
                            **TREES, **_leaves("target", "ids", values, [0] * 5))
    expected = [[of([values[a], values[b]])] for a, b in FOUND]
    np.testing.assert_allclose(run(ml_model(node, ["y"]), ROWS)[0], expected, rtol=1e-6)


def test_trees_that_give_classes() -> None:
    values, targets = [0.25, 0.5, 0.75, 1.0, 2.0], [0, 1, 2, 0, 1]
    node = helper.make_node("TreeEnsembleClassifier", ["x"], ["label", "y"], domain=ML, post_transform="SOFTMAX",
                            classlabels_strings=["a", "b", "c"], **TREES, **_leaves("class", "ids", values, targets))
    label, y = run(ml_model(node, ["label", "y"]), ROWS)
    scores = np.zeros((5, 3))
    for row, (a, b) in enumerate(FOUND):
        scores[row, targets[a]] += values[a]
        scores[row, targets[b]] += values[b]
    assert label.tolist() == [b"abc"[i:i + 1] for i in scores.argmax(1)]
    np.testing.assert_allclose(y, np.exp(scores) / np.exp(scores).sum(1, keepdims=True), rtol=1e-6)


def test_trees_for_one_of_two_classes() -> None:
    """The weights are for one class; the other has what is left."""
    values = [0.25, -0.5, 0.75, -1.0, 0.5]
    node = helper.make_node("TreeEnsembleClassifier", ["x"], ["label", "y"], domain=ML, post_transform="LOGISTIC",
                            classlabels_int64s=[4, 9], **TREES, **_leaves("class", "ids", values, [1] * 5))
    label, y = run(ml_model(node, ["label", "y"]), ROWS)
    score = np.array([values[a] + values[b] for a, b in FOUND])
    np.testing.assert_array_equal(label, np.where(score > 0, 9, 4))
    np.testing.assert_allclose(y, 1 / (1 + np.exp(np.stack([score, -score], 1))), rtol=1e-6)


def test_trees_in_a_circle_are_refused() -> None:
    circle = {**TREES, "nodes_truenodeids": [1, 0, 0, 0, 0, 1, 0, 0]}
    node = helper.make_node("TreeEnsembleRegressor", ["x"], ["y"], domain=ML, n_targets=1, **circle,
                            **_leaves("target", "ids", [1.0] * 5, [0] * 5))
    with pytest.raises(gc.errors.InvalidArgumentError, match="trees"):
        gc.onnx.load(ml_model(node, ["y"]))
    far = {**TREES, "nodes_falsenodeids": [77, 3, 0, 0, 0, 2, 0, 0]}
    node = helper.make_node("TreeEnsembleRegressor", ["x"], ["y"], domain=ML, n_targets=1, **far,
                            **_leaves("target", "ids", [1.0] * 5, [0] * 5))
    with pytest.raises(gc.errors.InvalidArgumentError, match=r"no node \(0, 77\)"):
        gc.onnx.load(ml_model(node, ["y"]))


def test_linear_models_and_what_is_in_front_of_them() -> None:
    x = numbers(4, 3)
    node = helper.make_node("Scaler", ["x"], ["y"], domain=ML, offset=[1.0, 2.0, 3.0], scale=[0.5])
    np.testing.assert_allclose(run(ml_model(node, ["y"]), x)[0], (x - [1, 2, 3]) * 0.5, rtol=1e-5, atol=1e-6)
    for norm, size in (("L1", np.abs(x).sum(1)), ("L2", np.sqrt((x * x).sum(1))), ("MAX", np.abs(x).max(1))):
        found = run(ml_model(helper.make_node("Normalizer", ["x"], ["y"], domain=ML, norm=norm), ["y"]), x)[0]
        np.testing.assert_allclose(found, x / size[:, None], rtol=1e-5)
    w, b = numbers(2, 3), [0.5, -0.25]
    node = helper.make_node("LinearRegressor", ["x"], ["y"], domain=ML, coefficients=w.reshape(-1).tolist(),
                            intercepts=b, targets=2)
    np.testing.assert_allclose(run(ml_model(node, ["y"]), x)[0], x @ w.T + b, rtol=1e-4, atol=1e-5)
    node = helper.make_node("LinearClassifier", ["x"], ["l", "y"], domain=ML, coefficients=w[0].tolist(),
                            intercepts=b[:1], classlabels_ints=[3, 8], post_transform="LOGISTIC")
    label, y = run(ml_model(node, ["l", "y"]), x)
    score = x @ w[0] + 0.5
    np.testing.assert_array_equal(label, np.where(score > 0, 8, 3))
    np.testing.assert_allclose(y[:, 1], 1 / (1 + np.exp(-score)), rtol=1e-5)


def test_support_vectors_by_distance() -> None:
    x, vectors, weights = numbers(4, 3), numbers(2, 3), [0.75, -1.5]
    node = helper.make_node("SVMRegressor", ["x"], ["y"], domain=ML, kernel_type="RBF", kernel_params=[0.3, 0.0, 3.0],
                            coefficients=weights, support_vectors=vectors.reshape(-1).tolist(), n_supports=2,
                            rho=[0.125])
    apart = ((x[:, None] - vectors[None]) ** 2).sum(2)
    expected = np.exp(-np.float32(0.3) * apart) @ np.array(weights) + 0.125
    np.testing.assert_allclose(run(ml_model(node, ["y"]), x)[0][:, 0], expected, rtol=1e-5, atol=1e-6)


def test_missing_numbers_and_categories() -> None:
    x = np.array([[np.nan, 1, 2], [3, np.nan, 4]], np.float32)
    node = helper.make_node("Imputer", ["x"], ["y"], domain=ML, imputed_value_floats=[7.0, 8.0, 9.0],
                            replaced_value_float=float("nan"))
    np.testing.assert_array_equal(run(ml_model(node, ["y"]), x)[0], [[7, 1, 2], [3, 8, 4]])
    words = np.array([b"b", b"z", b"a"], object)
    node = helper.make_node("OneHotEncoder", ["x"], ["y"], domain=ML, cats_strings=["a", "b"])
    found = run(ml_model(node, ["y"], {"x": (STRING, ["n"])}), words)[0]
    np.testing.assert_array_equal(found, [[0, 1], [0, 0], [1, 0]])
    node = helper.make_node("CategoryMapper", ["x"], ["y"], domain=ML, cats_strings=["a", "b"], cats_int64s=[5, 6])
    np.testing.assert_array_equal(run(ml_model(node, ["y"], {"x": (STRING, ["n"])}, version=1), words)[0], [6, -1, 5])


@pytest.mark.parametrize("in_order", [0, 1])
@pytest.mark.parametrize("axis", [0, 1, -1])
def test_distinct_slices(axis: int, in_order: int) -> None:
    x = np.random.default_rng(0).integers(0, 2, (6, 3, 2))
    model = model_of([helper.make_node("Unique", ["x"], ["y", "first", "number", "count"], axis=axis, sorted=in_order)],
                     {"x": (INT64, ["a", "b", "c"])}, ["y", "first", "number", "count"])
    y, first, number, count = np.unique(x, return_index=True, return_inverse=True, return_counts=True, axis=axis)
    if not in_order:
        order = np.argsort(first)
        y, first, count, number = y.take(order, axis), first[order], count[order], np.argsort(order)[number]
    for found, expected in zip(run(model, x), (y, first, number.reshape(-1), count), strict=True):
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("mode", ["TF", "IDF", "TFIDF"])
def test_counts_of_n_grams_with_weights(mode: str) -> None:
    """Words: two single ones and two pairs, whose words may stand one apart; columns in another order."""
    pool, columns, weights = ["a", "b", "a", "b", "b", "c"], [3, 0, 1, 2], [2.0, 3.0, 5.0, 7.0]
    node = helper.make_node("TfIdfVectorizer", ["x"], ["y"], mode=mode, min_gram_length=1, max_gram_length=2,
                            max_skip_count=1, ngram_counts=[0, 2], ngram_indexes=columns, pool_strings=pool,
                            weights=weights)
    rows = [list("abab"), list("bcbx")]
    counts = np.zeros((2, 4))
    for row, words in enumerate(rows):
        for i, gram in enumerate((["a"], ["b"], ["a", "b"], ["b", "c"])):
            pairs = [[w] for w in words] if len(gram) == 1 else [
                [words[k], words[k + apart]] for apart in (1, 2) for k in range(4 - apart)]
            counts[row, columns[i]] = pairs.count(gram)
    scale = np.zeros(4)
    scale[columns] = weights
    expected = {"TF": counts, "IDF": (counts > 0) * scale, "TFIDF": counts * scale}[mode]
    found = run(model_of([node], {"x": (STRING, ["n", "words"])}, ["y"]), np.array(rows, object))[0]
    np.testing.assert_allclose(found, expected)
