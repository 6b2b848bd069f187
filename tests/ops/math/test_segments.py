"""Segments: ties, empty segments, numbers of segments that data tell, errors; histograms and the confusion matrix."""
from __future__ import annotations

import numpy as np
import pytest

import graphc as gc
from graphc.exec.reference import run_reference

DATA = np.array([[1, 2], [3, 2], [5, 4], [3, 6]], np.float32)


@pytest.fixture(autouse=True)
def graph():
    with gc.Graph().as_default() as made:
        yield made


def both(tensor, feeds=None):
    with gc.Session() as session:
        found = session.run(tensor, feeds)
    np.testing.assert_allclose(found, run_reference(tensor, feeds or {}), rtol=1e-6)
    return found


def test_segments_that_data_tell():
    ids, x = gc.placeholder(gc.int32, [None]), gc.placeholder(gc.float32, [None, 2])
    feeds = {x: DATA, ids: [0, 0, 2, 2]}
    for name, expected in {"sum": [[4, 4], [0, 0], [8, 10]], "mean": [[2, 2], [0, 0], [4, 5]],
                           "prod": [[3, 4], [1, 1], [15, 24]], "min": [[1, 2], [0, 0], [3, 4]],
                           "max": [[3, 2], [0, 0], [5, 6]]}.items():
        function = getattr(gc, f"segment_{name}")
        assert getattr(gc.math, f"segment_{name}") is function
        np.testing.assert_allclose(both(function(x, ids), feeds), expected)
    assert both(gc.segment_sum(x, ids), {x: DATA[:0], ids: []}).shape == (0, 2)


def test_rows_that_tie_share_the_gradient():
    x = gc.constant(DATA)
    slope = gc.gradients(gc.segment_max(x, [0, 0, 0, 1]), x)[0]
    np.testing.assert_allclose(both(slope), [[0, 0], [0, 0], [1, 1], [1, 1]])
    slope = gc.gradients(gc.segment_min(x, [0, 0, 1, 1]), x)[0]
    np.testing.assert_allclose(both(slope), [[1, 0.5], [0, 0.5], [0, 1], [1, 0]])
    slope = gc.gradients(gc.unsorted_segment_max(x, [1, 1, -1, 1], 3), x)[0]
    np.testing.assert_allclose(both(slope), [[0, 0], [0.5, 0], [0, 0], [0.5, 1]])
    slope = gc.gradients(gc.unsorted_segment_min(x, [1, 1, -1, 1], 3), x)[0]
    np.testing.assert_allclose(both(slope), [[1, 0.5], [0, 0.5], [0, 0], [0, 0]])


def test_the_gradient_of_products_with_zeros():
    x = gc.constant([2.0, 0, 3, 0, 4, 0, 5])
    slope = gc.gradients(gc.unsorted_segment_prod(x, [0, 0, 1, 2, 1, 2, 0], 3), x)[0]
    np.testing.assert_allclose(both(slope), [0, 10, 4, 0, 3, 0, 0])
    with pytest.raises(LookupError, match="SegmentProd"):
        gc.gradients(gc.segment_prod(x, [0] * 7), x)


def test_unsorted_segments():
    x, ids = gc.constant(DATA), gc.constant([2, 0, -1, 2])
    np.testing.assert_allclose(both(gc.unsorted_segment_sum(x, ids, 4)), [[3, 2], [0, 0], [4, 8], [0, 0]])
    np.testing.assert_allclose(both(gc.unsorted_segment_mean(x, ids, 4)), [[3, 2], [0, 0], [2, 4], [0, 0]])
    np.testing.assert_allclose(both(gc.unsorted_segment_sqrt_n(x, ids, 3)), np.array([[3, 2], [0, 0], [4, 8]])
                               / np.sqrt([[1], [1], [2]]), rtol=1e-6)
    least = np.finfo(np.float32).min
    np.testing.assert_allclose(both(gc.unsorted_segment_max(x, ids, 3)), [[3, 2], [least, least], [3, 6]])
    np.testing.assert_allclose(both(gc.unsorted_segment_sum(DATA, [[1, 0], [1, 1], [0, 0], [1, 1]], 2)), [11, 15])
    assert gc.unsorted_segment_sum(x, ids, 7).shape.as_list() == [7, 2]


def test_a_number_of_segments_that_the_run_computes():
    n = gc.placeholder(gc.int32, [])
    y = gc.unsorted_segment_sum(DATA, [0, 0, 1, 1], n)
    with gc.Session() as session:
        assert session.run(y, {n: 2}).shape == (2, 2) and session.run(y, {n: 5}).shape == (5, 2)
        with pytest.raises(gc.errors.InvalidArgumentError, match=r"UnsortedSegmentSum.*index 1 is not in \[0, 1\)"):
            session.run(y, {n: 1})
        with pytest.raises(gc.errors.InvalidArgumentError, match="num_segments must not be negative"):
            session.run(y, {n: -1})


def refused(tensor, message):
    for run in (run_reference, lambda t: gc.Session().run(t)):
        with pytest.raises(gc.errors.InvalidArgumentError, match=message):
            run(tensor)


def test_ids_that_are_refused():
    x = gc.placeholder_with_default(DATA, [None, 2])
    refused(gc.segment_sum(x, [0, 2, 1, 1]), "segment ids are not increasing")
    refused(gc.segment_sum(x, [-1, 0, 1, 1]), "index -1 is not in")
    refused(gc.sparse_segment_sum(x, [0, 4], [0, 0]), r"index 4 is not in \[0, 4\)")
    refused(gc.sparse_segment_sum(x, [0, 1], [1, 0]), "segment ids are not increasing")
    refused(gc.sparse_segment_sum(x, [0, 1], [0, 3], num_segments=2), r"index 3 is not in \[0, 2\)")
    with pytest.raises(ValueError, match="same size as dimension 0"):
        gc.segment_sum(DATA, [1, 2])
    with pytest.raises(ValueError, match="does not start with"):
        gc.unsorted_segment_sum(DATA, [1, 2], 3)


@pytest.mark.parametrize("given", [None, 5])
@pytest.mark.parametrize("name", ["sum", "mean", "sqrt_n"])
def test_sparse_segments(name, given):
    x = gc.constant(DATA.astype(np.float64))
    y = getattr(gc, f"sparse_segment_{name}")(x, [3, 0, 0], [0, 0, 2], num_segments=given)
    by = {"sum": 1, "mean": 2, "sqrt_n": np.sqrt(2)}[name]
    expected = [[4 / by, 8 / by], [0, 0], [1, 2], [0, 0], [0, 0]]
    np.testing.assert_allclose(both(y), expected[:given or 3])
    weights = np.arange(1.0, 11).reshape(5, 2)[:given or 3]
    slope = both(gc.gradients(gc.reduce_sum(y * weights), x)[0])
    np.testing.assert_allclose(slope, [[1 / by + 5, 2 / by + 6], [0, 0], [0, 0], [1 / by, 2 / by]])
    assert getattr(gc.sparse, f"segment_{name}") is getattr(gc, f"sparse_segment_{name}")


def test_bincount():
    arr = gc.placeholder(gc.int32, [None])
    counts = gc.math.bincount(arr)
    with gc.Session() as session:
        for values in ([1, 5, 1], [0], [], [3] * 70):
            np.testing.assert_array_equal(session.run(counts, {arr: values}), np.bincount(np.array(values, np.int64)))
        with pytest.raises(gc.errors.InvalidArgumentError, match="Input arr must be non-negative"):
            session.run(counts, {arr: [4, -1]})
    assert gc.bincount is gc.math.bincount
    np.testing.assert_array_equal(both(gc.bincount([1, 5, 1], minlength=8)), [0, 2, 0, 0, 0, 1, 0, 0])
    np.testing.assert_array_equal(both(gc.bincount([1, 5, 1], maxlength=3, dtype=gc.int64)), [0, 2, 0])
    np.testing.assert_allclose(both(gc.bincount([1, 3, 1], weights=[1.0, 2, 3])), [0, 4, 0, 2])


def test_histograms():
    values = [-1.0, 0, 1.5, 2, 5, 15]
    np.testing.assert_array_equal(both(gc.histogram_fixed_width(values, [0.0, 5.0], 5)), [2, 1, 1, 0, 2])
    np.testing.assert_array_equal(both(gc.histogram_fixed_width_bins(values, [0.0, 5.0], 5)), [0, 0, 1, 2, 4, 4])
    edges = gc.placeholder_with_default(np.array([np.nan, np.inf, -np.inf, 2], np.float32), [None])
    np.testing.assert_array_equal(both(gc.histogram_fixed_width(edges, [0.0, 5.0], 5)), [2, 0, 1, 0, 1])
    assert gc.histogram_fixed_width(values, [0.0, 5.0]).shape.as_list() == [100]
    refused(gc.histogram_fixed_width(values, [5.0, 5.0]), "value_range must be ascending")
    with pytest.raises(ValueError, match="nbins should be a positive number"):
        gc.histogram_fixed_width(values, [0.0, 5.0], 0)


def test_confusion_matrix():
    labels, predictions = [1, 2, 4], [2, 2, 4]
    expected = np.zeros((5, 5))
    np.add.at(expected, (labels, predictions), 1)
    np.testing.assert_array_equal(both(gc.confusion_matrix(labels, predictions)), expected)
    np.testing.assert_array_equal(both(gc.confusion_matrix([[1], [2], [4]], predictions, 5)), expected)
    weighted = both(gc.confusion_matrix([1, 0], [1, 1], 2, gc.float32, weights=[0.5, 2.0]))
    np.testing.assert_array_equal(weighted, [[0, 2], [0, 0.5]])
    for bad in ([0, 2], [0, -1]):
        refused(gc.confusion_matrix(bad, [0, 0], 2), "is not in")
    n, y = gc.placeholder(gc.int32, []), gc.placeholder(gc.int64, [None])
    with gc.Session() as session:
        assert session.run(gc.confusion_matrix(y, y, n), {y: [1, 0], n: 3}).shape == (3, 3)


def test_counts_and_casts():
    np.testing.assert_array_equal(both(gc.count_nonzero([[0, 1], [2, 0]], axis=1)), [1, 1])
    assert both(gc.count_nonzero([True, False, True], dtype=gc.int32)).dtype == np.int32
    np.testing.assert_array_equal(both(gc.count_nonzero([[0.0, 1.0]], keep_dims=True)), [[1]])
    np.testing.assert_array_equal(both(gc.saturate_cast([300.0, -5, 7.5], gc.uint8)), [255, 0, 7])
    np.testing.assert_array_equal(both(gc.saturate_cast(np.array([2**40, -2**40, 3]), gc.int32)),
                                  [2**31 - 1, -2**31, 3])
    np.testing.assert_array_equal(both(gc.saturate_cast([200, -5], gc.int8)), [127, -5])
    cases = (([1, 1, 2], True, False), ([1, 2, 3], True, True), ([2, 1], False, False), ([1], True, True))
    for x, weak, strict in cases:
        assert both(gc.is_non_decreasing(x)) == weak and both(gc.is_strictly_increasing(x)) == strict
    np.testing.assert_array_equal(both(gc.scalar_mul(2, [1.0, 2.0])), [2, 4])
    with pytest.raises(ValueError, match="Only scalar multiply works"):
        gc.scalar_mul([1.0, 2.0], [1.0, 2.0])
