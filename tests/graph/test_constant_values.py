"""Shapes and axes that constants tell by way of other dtypes are known while the graph is built, as in TensorFlow."""
from __future__ import annotations

import numpy as np
import pytest

import graphc as gc


@pytest.fixture(autouse=True)
def fresh_graph():
    with gc.Graph().as_default():
        yield


def value(fetches, feeds=None):
    with gc.Session() as session:
        return session.run(fetches, feeds)


def test_a_size_computed_in_floats_is_a_static_shape() -> None:
    """As programs compute the size of a crop."""
    side = gc.cast(256, gc.float32) / 16.0
    size = gc.cast(gc.stack([side, side // 2.5]), gc.int32)
    resized = gc.image.resize_bilinear(gc.ones([1, 4, 4, 2]), size)
    assert resized.shape.as_list() == [1, 16, 6, 2] and gc.zeros(size).shape.as_list() == [16, 6]
    assert gc.reshape(resized, [1, -1]).shape.as_list() == [1, 192]


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_permutation_that_masks_choose(axis: int) -> None:
    """The last axis and another one exchanged, whatever the rank is."""
    x = gc.placeholder(gc.float32, [None, 3, None])
    rank = gc.rank(x)
    numbers, first, last = gc.range(rank), gc.ones([rank], gc.int32) * axis, gc.ones([rank], gc.int32) * (rank - 1)
    perm = gc.where(gc.cast(gc.one_hot(rank - 1, rank), gc.bool), first, numbers)
    perm = gc.where(gc.cast(gc.one_hot(axis, rank), gc.bool), last, perm)
    y = gc.transpose(x, perm)
    given = np.arange(30.0).reshape(2, 3, 5)
    np.testing.assert_array_equal(value(y, {x: given}), np.swapaxes(given, axis, 2))
    np.testing.assert_array_equal(value(gc.gradients(y * y, x)[0], {x: given}), 2 * given)


def test_what_a_run_may_change_is_not_taken_for_known() -> None:
    fed = gc.placeholder_with_default(gc.constant([2, 3]), [2])
    size = gc.cast(gc.cast(fed, gc.float32) * 1.0, gc.int32)
    y = gc.zeros(size)
    assert y.shape.as_list() == [None, None]
    assert value(y).shape == (2, 3) and value(y, {fed: [4, 0]}).shape == (4, 0)
    drawn = gc.cast(gc.random_uniform([], 3.0, 3.5, seed=1), gc.int32)
    assert gc.zeros([drawn]).shape.as_list() == [None] and value(gc.zeros([drawn])).shape == (3,)


def test_what_no_run_could_compute_stays_the_run_s_error() -> None:
    size = gc.reshape(gc.cast(gc.check_numerics(gc.constant([1.0]) / 0.0, "size"), gc.int32), [1])
    made = gc.zeros(size)
    with pytest.raises(gc.errors.InvalidArgumentError, match="size"):
        value(made)


def test_a_long_way_ends_the_search() -> None:
    number = gc.constant(1.0)
    for _ in range(200):
        number = number + 0.0
    y = gc.zeros([gc.cast(number, gc.int32)])
    assert y.shape.as_list() == [None] and value(y).shape == (1,)
