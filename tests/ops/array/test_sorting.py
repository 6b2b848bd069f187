"""top_k, sort, argsort, unique, searchsorted and in_top_k: forms, ties, gradients, errors."""
from __future__ import annotations

import numpy as np
import pytest

import graphc as gc
from graphc.exec.reference import run_reference

X = np.array([[3, 1, 3, 2], [0, 5, -1, 5]], np.float32)


@pytest.fixture(autouse=True)
def graph():
    with gc.Graph().as_default() as made:
        yield made


def both(tensors, feeds=None):
    """What a Session and the evaluator give, which must be the same."""
    with gc.Session() as session:
        found = session.run(tensors, feeds)
    expected = run_reference(list(tensors) if isinstance(tensors, tuple) else tensors, feeds or {})
    for a, b in zip(*((v if isinstance(v, (list, tuple)) else [v]) for v in (found, expected)), strict=True):
        np.testing.assert_array_equal(a, b)
    return found


def test_top_k_has_fields_and_breaks_ties_by_index():
    found = both(gc.nn.top_k(X, 3))
    assert type(found).__name__ == "TopKV2"
    np.testing.assert_array_equal(found.values, [[3, 3, 2], [5, 5, 0]])
    np.testing.assert_array_equal(found.indices, [[0, 2, 3], [1, 3, 0]])
    assert gc.math.top_k is gc.nn.top_k
    np.testing.assert_array_equal(both(gc.nn.top_k(X).values), [[3], [5]])


def test_top_k_of_a_number_that_the_run_computes():
    k, x = gc.placeholder(gc.int32, []), gc.placeholder(gc.float32, [None, None])
    values, indices = gc.nn.top_k(x, k)
    slope = gc.gradients(gc.reduce_sum(values * 2.0), x)[0]
    with gc.Session() as session:
        for n in (0, 1, 4):
            assert session.run(values, {x: X, k: n}).shape == (2, n)
            assert session.run(slope, {x: X, k: n}).sum() == 4 * n
        np.testing.assert_array_equal(session.run(slope, {x: X, k: 1}), [[2, 0, 0, 0], [0, 2, 0, 0]])
        assert session.run(indices, {x: X[:0], k: 2}).shape == (0, 2)
        for n, message in ((5, "input must have last dimension >= k"), (-1, "k must not be negative")):
            with pytest.raises(gc.errors.InvalidArgumentError, match=message):
                session.run(values, {x: X, k: n})


def test_top_k_refuses():
    with pytest.raises(ValueError, match="input must have last dimension >= k = 5 but is 4"):
        gc.nn.top_k(X, 5)
    with pytest.raises(ValueError, match="at least one axis"):
        gc.nn.top_k(1.0, 1)
    with pytest.raises(ValueError, match="k must not be negative"):
        gc.nn.top_k(X, -1)


@pytest.mark.parametrize("axis", [-1, 0, 1])
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int32, np.int64, np.int8, np.uint8])
def test_sort_and_argsort(dtype, axis):
    x = np.array([[3, 1, 3, 2], [0, 5, 100, 5], [7, 1, 3, 0]]).astype(dtype)
    np.testing.assert_array_equal(both(gc.sort(x, axis)), np.sort(x, axis))
    np.testing.assert_array_equal(both(gc.argsort(x, axis, stable=True)), np.argsort(x, axis, kind="stable"))
    np.testing.assert_array_equal(both(gc.sort(x, axis, "DESCENDING")), np.flip(np.sort(x, axis), axis))
    backwards = x.shape[axis] - 1 - np.flip(np.argsort(np.flip(x, axis), axis, kind="stable"), axis)
    np.testing.assert_array_equal(both(gc.argsort(x, axis, direction="DESCENDING")), backwards)


def test_sort_of_bounds_and_of_unknown_sizes():
    bounds = np.array([5, -2**31, 0, 2**31 - 1], np.int32)
    np.testing.assert_array_equal(both(gc.sort(bounds)), np.sort(bounds))
    x = gc.placeholder(gc.float32)
    np.testing.assert_array_equal(both(gc.sort(x), {x: X}), np.sort(X))
    y = gc.placeholder(gc.float32, [None, None])
    np.testing.assert_array_equal(both(gc.sort(y, 0), {y: X}), np.sort(X, 0))
    slope = gc.gradients(gc.reduce_sum(gc.sort(y, 0) * [[1.0], [10.0]]), y)[0]
    np.testing.assert_array_equal(both(slope, {y: X}), [[10, 1, 10, 1], [1, 10, 1, 10]])


def test_sort_refuses():
    with pytest.raises(ValueError, match="Direction should be one of"):
        gc.sort(X, direction="UP")
    with pytest.raises(ValueError, match="the axis must be -1"):
        gc.sort(gc.placeholder(gc.float32), 0)
    with pytest.raises(ValueError, match="axis must be known"):
        gc.argsort(X, gc.placeholder(gc.int32, []))
    with pytest.raises(ValueError, match="axis 2 is out of range"):
        gc.sort(X, 2)


def test_unique():
    x = gc.placeholder(gc.int64, [None])
    y, idx, count = gc.unique_with_counts(x, out_idx=gc.int64)
    assert (y.dtype, idx.dtype, count.dtype) == (gc.int64, gc.int64, gc.int64)
    back = gc.gather(y, idx)
    for values in ([3, 1, 3, 2, 1, 7], [], [5], list(range(50)) * 3):
        found = both([y, idx, count, back], {x: values})
        np.testing.assert_array_equal(found[3], np.array(values, np.int64))
        np.testing.assert_array_equal(np.sort(found[0]), np.unique(values))
        assert found[2].sum() == len(values)
    found = both(gc.unique([9, 4, 9]))
    assert type(found).__name__ == "Unique" and found.idx.dtype == np.int32
    np.testing.assert_array_equal(found.y, [9, 4])
    with pytest.raises(ValueError, match="must have rank 1"):
        gc.unique([[1]])
    with pytest.raises(LookupError, match="Unique"):
        z = gc.constant([1.0, 2.0])
        gc.gradients(gc.unique(z).y, z)


def test_searchsorted():
    rows = np.sort(np.random.default_rng(0).integers(0, 9, (2, 3, 7)), -1).astype(np.float32)
    values = np.random.default_rng(1).integers(-1, 10, (2, 3, 4)).astype(np.float32)
    for side in ("left", "right"):
        found = both(gc.searchsorted(rows, values, side, out_type=gc.int64))
        expected = [[np.searchsorted(r, v, side) for r, v in zip(a, b, strict=True)]
                    for a, b in zip(rows, values, strict=True)]
        np.testing.assert_array_equal(found, expected)
    np.testing.assert_array_equal(both(gc.searchsorted([1, 3, 5], [0, 3, 9])), [0, 1, 3])
    for side, places in (("left", [0, 3, 0]), ("right", [3, 3, 0])):     # as std::lower_bound and std::upper_bound
        np.testing.assert_array_equal(both(gc.searchsorted([1.0, 2, 3], [np.nan, np.inf, -np.inf], side)), places)
    with pytest.raises(ValueError, match="side must be either"):
        gc.searchsorted([1], [1], "middle")


def test_in_top_k():
    predictions = np.array([[0.1, 0.3, 0.2], [0.1, 0.3, 0.3]], np.float32)
    np.testing.assert_array_equal(both(gc.nn.in_top_k(predictions, [2, 2], 1)), [False, True])
    targets = gc.constant([2, 0], gc.int64)
    made = gc.nn.in_top_k(predictions, targets, 2)
    assert [t.dtype for t in made.op.inputs] == [gc.float32, gc.int64, gc.int64]
    np.testing.assert_array_equal(both(made), [True, False])
