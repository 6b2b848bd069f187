"""Ensembles of decision trees, of the domain ai.onnx.ml: all trees of all rows go down one level at a time.

A tree's nodes are numbers in arrays; a leaf's two branches lead to itself, so that every row can take as many steps as
the deepest tree has levels.
"""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

import graphc as gc
from graphc.onnx.importing.features import transformed
from graphc.onnx.importing.rules import Node, full_like, onnx_op

_DOMAIN = "ai.onnx.ml"
_LEAF = "LEAF"
_MODES = ("BRANCH_LEQ", "BRANCH_LT", "BRANCH_GTE", "BRANCH_GT", "BRANCH_EQ", "BRANCH_NEQ", "BRANCH_MEMBER")
_COMPARE = {"BRANCH_LEQ": gc.less_equal, "BRANCH_LT": gc.less, "BRANCH_GTE": gc.greater_equal, "BRANCH_GT": gc.greater,
            "BRANCH_EQ": gc.equal, "BRANCH_NEQ": gc.not_equal}
_TABLE_LIMIT = 1 << 28             # elements of the table of leaves


@dataclass
class Forest:
    """Nodes of all trees: what each compares (feature, value, mode), where it leads to if that holds and if not, and
    whether NaN counts as holding; roots: where the trees begin; weights [nodes, targets]: of leaves, NaN where a leaf
    has none."""

    feature: np.ndarray
    value: np.ndarray
    mode: list[str]
    then: np.ndarray
    otherwise: np.ndarray
    missing: np.ndarray
    roots: np.ndarray
    weights: np.ndarray

    def depth(self, node: Node) -> int:
        """The largest number of steps from a root to a leaf. Raises InvalidArgumentError for a circle."""
        level, depth, reached = set(self.roots.tolist()), 0, set(self.roots.tolist())
        while level := {int(way[i]) for i in level for way in (self.then, self.otherwise) if self.mode[i] != _LEAF}:
            depth += 1
            reached |= level
            if depth > len(self.mode):
                raise node.invalid("its trees have circles")
        if any(mode != _LEAF and i not in reached for i, mode in enumerate(self.mode)):
            raise node.invalid("its trees have circles, or nodes that no root leads to")
        return depth

    def leaves(self, node: Node, x: Any) -> Any:
        """[rows, trees]: the leaf that each row of x comes to."""
        modes = sorted(set(self.mode) - {_LEAF})
        tables = {mode: gc.constant([m == mode for m in self.mode]) for mode in modes}
        feature, value = gc.constant(self.feature), gc.constant(self.value.astype(x.dtype.as_numpy_dtype))
        then, otherwise = gc.constant(self.then), gc.constant(self.otherwise)

        def step(i: Any, at: Any) -> Any:
            seen, limit = gc.gather(x, gc.gather(feature, at), axis=1, batch_dims=1), gc.gather(value, at)
            holds = _COMPARE[modes[0]](seen, limit)
            for mode in modes[1:]:
                holds = gc.where_v2(gc.gather(tables[mode], at), _COMPARE[mode](seen, limit), holds)
            if self.missing.any():
                tracked = gc.gather(gc.constant(self.missing), at)
                holds = gc.logical_or(holds, gc.logical_and(gc.is_nan(seen), tracked))
            return i + 1, gc.where_v2(holds, gc.gather(then, at), gc.gather(otherwise, at))

        first = gc.tile(gc.constant(self.roots[None]), gc.stack([gc.shape(x)[0], 1]))
        depth = self.depth(node)
        return gc.while_loop(lambda i, _: gc.less(i, depth), step, [gc.constant(0), first])[1] if depth else first

    def scores(self, node: Node, x: Any, aggregate: str) -> Any:
        """[rows, targets]: what the leaves say, taken together."""
        wide = gc.cast(x, gc.float32) if not x.dtype.is_floating else x
        neutral = {"MIN": np.inf, "MAX": -np.inf}.get(aggregate, 0.0)
        table = np.where(np.isnan(self.weights), neutral, self.weights).astype(wide.dtype.as_numpy_dtype)
        each = gc.gather(gc.constant(table), self.leaves(node, wide))
        if aggregate in ("MIN", "MAX"):
            found = (gc.reduce_min if aggregate == "MIN" else gc.reduce_max)(each, 1)
            return gc.where_v2(gc.is_inf(found), gc.zeros_like(found), found)
        total = gc.reduce_sum(each, 1)
        return total / full_like(total, len(self.roots)) if aggregate == "AVERAGE" else total


def _numbers(node: Node, name: str, dtype: Any) -> np.ndarray:
    """An attribute that is a list, or, of doubles, a tensor."""
    found = node.attr(f"{name}_as_tensor")
    return np.asarray(node.need(name) if found is None else found, dtype).reshape(-1)


def _table(node: Node, places: np.ndarray, targets: np.ndarray, weights: np.ndarray, count: int, nodes: int) -> Any:
    """[nodes, targets] of (node, target, weight), NaN elsewhere."""
    if nodes * count > _TABLE_LIMIT:
        raise node.refuse(f"{nodes} nodes of trees with {count} targets each")
    if not len(places) == len(targets) == len(weights) or (targets < 0).any() or (targets >= count).any():
        raise node.invalid(f"its leaves' weights do not fit its {count} targets")
    table = np.full((nodes, count), np.nan)
    for place, target, weight in zip(places, targets, weights, strict=True):
        old = table[place, target]
        table[place, target] = weight if np.isnan(old) else old + weight
    return table


def _of_lists(node: Node, prefix: str, targets: np.ndarray, count: int) -> Forest:
    """The forest of a classifier or regressor: nodes are named by a tree and a number in it."""
    trees, own = (np.asarray(node.need(f"nodes_{what}"), np.int64) for what in ("treeids", "nodeids"))
    place = {pair: i for i, pair in enumerate(zip(trees.tolist(), own.tolist(), strict=True))}
    mode = [m.decode() if isinstance(m, bytes) else m for m in node.need("nodes_modes")]
    unknown = sorted(set(mode) - {*_COMPARE, _LEAF})
    if unknown or len(mode) != len(place):
        raise node.invalid(f"its nodes have the modes {unknown}" if unknown else "its nodes are not told apart")

    def places(of_trees: Sequence[int], numbers: Sequence[int]) -> np.ndarray:
        try:
            return np.array([place[int(t), int(n)] for t, n in zip(of_trees, numbers, strict=True)], np.int64)
        except (KeyError, ValueError) as error:
            raise node.invalid(f"its lists do not fit: no node {error}") from None

    ways = []
    for what in ("truenodeids", "falsenodeids"):
        numbers = [o if m == _LEAF else n for o, n, m in zip(own, node.need(f"nodes_{what}"), mode, strict=True)]
        ways.append(places(trees, numbers))
    inner = {int(w) for way in ways for i, w in enumerate(way) if mode[i] != _LEAF}
    roots = np.array([i for i in range(len(mode)) if i not in inner], np.int64)
    if sorted(trees[roots].tolist()) != sorted(set(trees.tolist())):
        raise node.invalid("its trees have circles, or not one root each")
    tracks = node.attr("nodes_missing_value_tracks_true") or [0] * len(mode)
    weights = _table(node, places(node.need(f"{prefix}_treeids"), node.need(f"{prefix}_nodeids")), targets,
                     _numbers(node, f"{prefix}_weights", np.float64), count, len(mode))
    return Forest(np.asarray(node.need("nodes_featureids"), np.int64), _numbers(node, "nodes_values", np.float64), mode,
                  *ways, np.asarray(tracks, bool), roots, weights)


def _with_base(node: Node, scores: Any) -> Any:
    base = node.attr("base_values_as_tensor")
    base = node.attr("base_values") if base is None else base
    return scores if base is None or not len(base) else \
        scores + gc.constant(np.asarray(base), scores.dtype)


@onnx_op("TreeEnsembleRegressor", domain=_DOMAIN)
def regressor(node: Node, x: Any) -> Any:
    targets = np.asarray(node.need("target_ids"), np.int64)
    forest = _of_lists(node, "target", targets, node.attr("n_targets") or int(targets.max()) + 1)
    scores = _with_base(node, forest.scores(node, x, node.attr("aggregate_function", "SUM")))
    return gc.cast(transformed(node, scores), gc.float32)


@onnx_op("TreeEnsembleClassifier", domain=_DOMAIN)
def classifier(node: Node, x: Any) -> Any:
    """(labels, scores). If there are two classes and all weights are for one, the other's score is what is left: of 1
    if no weight is negative, else of 0."""
    labels = np.array(node.attr("classlabels_strings") or node.need("classlabels_int64s"),
                      object if node.attr("classlabels_strings") else np.int64)
    targets = np.asarray(node.need("class_ids"), np.int64)
    single = len(labels) == 2 and len(set(targets.tolist())) == 1
    forest = _of_lists(node, "class", np.zeros_like(targets) if single else targets, 1 if single else len(labels))
    scores = _with_base(node, forest.scores(node, x, "SUM"))
    if not single:
        chosen = gc.argmax(scores, 1)
        return gc.gather(gc.constant(labels), chosen), gc.cast(transformed(node, scores), gc.float32)
    positive = not (forest.weights < 0).any()
    chosen = gc.cast(gc.greater(scores[:, 0], full_like(scores, 0.5 if positive else 0)), gc.int64)
    both = gc.concat([full_like(scores, 1) - scores if positive else -scores, scores], 1)
    if node.attr("post_transform", "NONE") == "LOGISTIC" and not positive:
        both = gc.sigmoid(both)
    return gc.gather(gc.constant(labels), chosen), gc.cast(both, gc.float32)


@onnx_op("TreeEnsemble", domain=_DOMAIN)
def ensemble(node: Node, x: Any) -> Any:
    """Since version 5 of the domain: leaves stand in lists of their own, and a node may ask for members of a set."""
    mode = [_MODES[int(m)] for m in node.need("nodes_modes")]
    then, otherwise = (np.asarray(node.need(f"nodes_{what}nodeids"), np.int64) for what in ("true", "false"))
    leaf = [np.asarray(node.need(f"nodes_{what}leafs"), bool) for what in ("true", "false")]
    feature, value = np.asarray(node.need("nodes_featureids"), np.int64), node.need("nodes_splits").astype(np.float64)
    missing = np.asarray(node.attr("nodes_missing_value_tracks_true") or [0] * len(mode), bool)
    nodes, targets = len(mode), np.asarray(node.need("leaf_targetids"), np.int64)
    roots = np.asarray(node.need("tree_roots"), np.int64)
    limits = [np.where(is_leaf, len(targets), nodes) for is_leaf in leaf]
    if any((way < 0).any() or (way >= most).any() for way, most in zip((then, otherwise), limits, strict=True)) \
            or (roots < 0).any() or (roots >= nodes).any():
        raise node.invalid("its nodes lead to nodes that are not there")
    ways = [np.where(is_leaf, way + nodes, way) for way, is_leaf in zip((then, otherwise), leaf, strict=True)]
    own = np.arange(nodes, nodes + len(targets))
    weights = _table(node, own, targets, node.need("leaf_weights").astype(np.float64), node.attr("n_targets", 1),
                     nodes + len(targets))
    rest = len(targets)
    # A tree that is a leaf alone is a node whose branches both lead there.
    forest = Forest(np.append(feature, np.zeros(rest, np.int64)), np.append(value, np.zeros(rest)),
                    mode + [_LEAF] * rest, np.append(ways[0], own), np.append(ways[1], own),
                    np.append(missing, np.zeros(rest, bool)), roots, weights)
    scores = _without_sets(node, forest).scores(node, x, ("AVERAGE", "SUM", "MIN", "MAX")[
        node.attr("aggregate_function", 1)])
    return transformed(node, scores, ("NONE", "SOFTMAX", "LOGISTIC", "SOFTMAX_ZERO", "PROBIT")[
        node.attr("post_transform", 0)])


def _without_sets(node: Node, forest: Forest) -> Forest:
    """Each node that asks for members of a set as a chain of nodes, one a member."""
    asking = [i for i, m in enumerate(forest.mode) if m == "BRANCH_MEMBER"]
    if not asking:
        return forest
    members = np.asarray(node.need("membership_values"), np.float64).reshape(-1)
    ends = np.flatnonzero(np.isnan(members))
    sets = [part[~np.isnan(part)] for part in np.split(members, ends + 1)][:len(ends)]
    if len(sets) != len(asking) or any(not len(part) for part in sets):
        raise node.invalid(f"it has {len(asking)} nodes that ask for members of a set, but {len(sets)} sets")
    for i, part in zip(asking, sets, strict=True):
        forest.mode[i], forest.value[i] = "BRANCH_EQ", part[0]
        last = i
        for value in part[1:]:
            new = len(forest.mode)
            forest.mode.append("BRANCH_EQ")
            for name, given in (("feature", forest.feature[i]), ("value", value), ("then", forest.then[i]),
                                ("otherwise", forest.otherwise[last]), ("missing", forest.missing[i])):
                setattr(forest, name, np.append(getattr(forest, name), given))
            forest.weights = np.append(forest.weights, np.full((1, forest.weights.shape[1]), np.nan), 0)
            forest.otherwise[last] = new
            last = new
    return forest
