"""tf.nest, contrib.framework.nest and tensorflow.python.util.nest, with TensorFlow's answers."""
from __future__ import annotations

import collections
from collections.abc import Callable
from typing import Any

import pytest

import graphc as gc

nest: Any = gc.contrib.framework.nest
Pair = collections.namedtuple("Pair", "x y")
Other = collections.namedtuple("Other", "x y")
OfOneName = collections.namedtuple("Pair", "x y")  # type: ignore[no-redef]
COUNTED = collections.defaultdict(int, {"b": 1, "a": (2, 3)})  # type: ignore[dict-item]
ORDERED = collections.OrderedDict([("b", [1]), ("a", 2)])  # type: ignore[list-item]


def answer(function: Callable[..., Any], *arguments: Any, **more: Any) -> Any:
    """What it returns, or the type of the error."""
    try:
        return function(*arguments, **more)
    except (TypeError, ValueError) as error:
        return type(error)


@pytest.mark.parametrize("value, wanted", [
    ([1], True), ((1,), True), ("a", False), (b"a", False), ({1: 2}, True), ({1, 2}, False), (range(3), True),
    (COUNTED, True), ({"a": 1}.values(), True), (None, False), (3, False), (Pair(1, 2), True),
    (collections.deque([1]), True)])
def test_is_nested(value: Any, wanted: bool) -> None:
    assert nest.is_nested(value) is wanted and nest.is_sequence(value) is wanted and gc.nest.is_nested(value) is wanted


@pytest.mark.parametrize("value, wanted", [
    ([1, [2, (3,)]], [1, 2, 3]), (COUNTED, [2, 3, 1]), (ORDERED, [2, 1]), (Pair([1], {"z": 1, "y": 2}), [1, 2, 1]),
    ("ab", ["ab"]), ([], []), ([[]], []), (None, [None]), (range(2), [0, 1]), ({"b": 1, "a": [2]}.values(), [1, 2]),
    ({"a": 1, 2: 3}, TypeError)])
def test_flatten(value: Any, wanted: Any) -> None:
    assert answer(gc.nest.flatten, value) == wanted


@pytest.mark.parametrize("structure, flat, wanted", [
    ([1, (2,)], [5, 6], [5, (6,)]), (ORDERED, [7, 8], collections.OrderedDict([("b", [8]), ("a", 7)])),
    (COUNTED, [1, 2, 3], {"b": 3, "a": (1, 2)}), (Pair(1, [2]), (4, 5), Pair(4, [5])), (3, [9], 9),
    (3, [9, 8], ValueError), ([1, 2], [1], ValueError), ([1], [1, 2], ValueError), ([], [], []), ([1], 5, TypeError),
    (range(2), [4, 5], [4, 5])])
def test_pack_sequence_as(structure: Any, flat: Any, wanted: Any) -> None:
    found = answer(gc.nest.pack_sequence_as, structure, flat)
    assert found == wanted
    if isinstance(wanted, (Pair, collections.OrderedDict)):
        assert type(found) is type(wanted) and list(found) == list(wanted)
    if structure is COUNTED:
        assert isinstance(found, collections.defaultdict) and found["new"] == 0


@pytest.mark.parametrize("a, b, with_types, without", [
    ([1], (1,), TypeError, None), (Pair(1, 2), Other(1, 2), TypeError, None), (Pair(1, 2), OfOneName(3, 4), None, None),
    (ORDERED, dict(ORDERED), None, None), ({"a": 1}, {"b": 1}, ValueError, None), ([1, 2], [1], ValueError, ValueError),
    ([1, [2]], [1, 2], ValueError, ValueError), (1, 2, None, None), (1, [1], ValueError, ValueError),
    ([], [], None, None),
    ({"a": [1]}, {"a": (1,)}, TypeError, None), ((1, 2), Pair(1, 2), TypeError, None),
    ([1], {"a": 1}, TypeError, None)])
def test_assert_same_structure(a: Any, b: Any, with_types: Any, without: Any) -> None:
    assert answer(gc.nest.assert_same_structure, a, b) == with_types
    assert answer(gc.nest.assert_same_structure, a, b, check_types=False) == without


def test_map_structure() -> None:
    assert gc.nest.map_structure(lambda *x: sum(x), [1, (2,)], [3, (4,)]) == [4, (6,)]
    assert gc.nest.map_structure(lambda *x: sum(x), [1, (2,)], (3, [4]), check_types=False) == [4, (6,)]
    assert answer(gc.nest.map_structure, 3, [1]) is TypeError
    assert answer(gc.nest.map_structure, len) is ValueError


@pytest.mark.parametrize("shallow, deep, wanted", [
    ([True, False], [[1, 2], (3,)], [[1, 2], (3,)]), ([0, [0]], [1, [2]], [1, 2]), ([0], [1, 2], ValueError),
    ((0,), [1], TypeError), ({"a": 0}, {"a": [1], "b": 2}, ValueError), ({"a": 0}, {"a": [1]}, [[1]]), (0, [1], [[1]]),
    ([[0]], [1], TypeError), (Pair(0, 0), OfOneName([1], 2), [[1], 2])])
def test_up_to_a_shallow_tree(shallow: Any, deep: Any, wanted: Any) -> None:
    assert answer(nest.flatten_up_to, shallow, deep) == wanted
    if isinstance(wanted, list):
        nest.assert_shallow_structure(shallow, deep)
        mapped = nest.map_structure_up_to(shallow, str, deep)
        assert gc.nest.flatten(mapped) == [str(w) for w in wanted]
    else:
        assert answer(nest.map_structure_up_to, shallow, str, deep) == wanted


def test_keys_may_be_left_out() -> None:
    assert nest.flatten_up_to({"b": 0}, {"a": 1, "b": 2}, check_subtrees_length=False) == [2]


def test_paths() -> None:
    value = {"a": [1, Pair(2, 3)], "b": 4}
    assert nest.flatten_with_joined_string_paths(value) == [("a/0", 1), ("a/1/x", 2), ("a/1/y", 3), ("b", 4)]
    assert list(nest.yield_flat_paths(value)) == [("a", 0), ("a", 1, "x"), ("a", 1, "y"), ("b",)]
    assert nest.flatten_with_tuple_paths([1, (2, {"c": 3})]) == [((0,), 1), ((1, 0), 2), ((1, 1, "c"), 3)]
    assert nest.map_structure_with_paths(lambda p, x: (p, x), {"a": [1, 2]}) == {"a": [("a/0", 1), ("a/1", 2)]}
    assert nest.map_structure_with_tuple_paths(lambda p, x, y: (p, x + y), {"a": [1]}, {"a": [3]}) == {
        "a": [(("a", 0), 4)]}


def test_flatten_dict_items() -> None:
    assert nest.flatten_dict_items({(4, 5, (6, 8)): ("a", "b", ("c", "d")), 1: 2}) == {
        4: "a", 5: "b", 6: "c", 8: "d", 1: 2}
    for wrong in ({(4, 4): (1, 2)}, {(4, 5): 1}):
        assert answer(nest.flatten_dict_items, wrong) is ValueError


def test_get_traverse_shallow_structure() -> None:
    value = [1, (2, 3), [4, (5,)]]
    found = nest.get_traverse_shallow_structure(lambda s: not isinstance(s, tuple), value)
    assert found == [True, False, [True, False]]
    assert nest.get_traverse_shallow_structure(lambda s: [True, False] if isinstance(s, list) else False,
                                               [1, (2, 3)]) == [False, False]
    assert answer(nest.get_traverse_shallow_structure, lambda s: 3, [1, (2, 3)]) is TypeError


def test_composites() -> None:
    """A SparseTensor is a leaf, or its three tensors."""
    gc.reset_default_graph()
    sparse = gc.SparseTensor([[0, 1]], [2.0], [2, 2])
    assert gc.nest.flatten([sparse, 1]) == [sparse, 1]
    parts = gc.nest.flatten([sparse, 1], expand_composites=True)
    assert parts[:3] == [sparse.indices, sparse.values, sparse.dense_shape] and parts[3] == 1
    packed = gc.nest.pack_sequence_as([sparse, 1], parts, expand_composites=True)
    assert isinstance(packed[0], gc.SparseTensor) and packed[0].values is sparse.values
    doubled = gc.nest.map_structure(lambda t: t, sparse, expand_composites=True)
    assert doubled.indices is sparse.indices
    assert nest.is_sequence_or_composite(sparse) and not nest.is_sequence(sparse)


def test_of_data() -> None:
    """tensorflow.python.data.util.nest: a list is a leaf."""
    data = gc.compat.v1.python.data.util.nest
    assert data.flatten(([1, 2], {"a": 3})) == [[1, 2], 3]
    assert data.pack_sequence_as((1, {"a": 2}), [[5], 6]) == ([5], {"a": 6})
    assert data.map_structure(len, ([1, 2], [3])) == (2, 1)
    assert not data.is_sequence([1]) and data.is_sequence((1,))
    assert answer(data.assert_same_structure, (1, 2), (1,)) is ValueError
