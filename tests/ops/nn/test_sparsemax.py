"""gc.contrib.sparsemax: the nearest shares, found otherwise, and the gradient of their loss."""
from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import graphc as gc

sparsemax = gc.contrib.sparsemax.sparsemax
Z = np.random.default_rng(3).normal(size=(7, 5)) * [[0.1], [0.5], [1.0], [2.0], [5.0], [20.0], [1e3]]


def nearest(row: np.ndarray) -> np.ndarray:
    """By halving the level above which the shares have the sum 1."""
    low, high = row.min() - 1.0, row.max()
    for _ in range(200):
        middle = (low + high) / 2
        low, high = (middle, high) if np.maximum(row - middle, 0).sum() > 1 else (low, middle)
    return np.maximum(row - low, 0)


def value(tensors: Any, feeds: Any = None) -> Any:
    with gc.Session() as session:
        return session.run(tensors, feeds)


def test_the_nearest_shares() -> None:
    with gc.Graph().as_default():
        z = gc.placeholder(gc.float64, [None, None])
        for classes in (1, 3, 5):
            found = value(sparsemax(z), {z: Z[:, :classes]})
            np.testing.assert_allclose(found, [nearest(row) for row in Z[:, :classes]], atol=1e-9)
        assert value(sparsemax(z), {z: np.empty((0, 3))}).shape == (0, 3)
        odd = value(sparsemax(z), {z: [[np.nan, 1.0], [0.0, -np.inf]]})
        assert np.isnan(odd[0]).all() and odd[1].tolist() == [1.0, 0.0]


def test_the_loss_and_its_gradient() -> None:
    labels = np.eye(5)[[0, 1, 2, 3, 4, 0, 1]] * 0.5 + 0.1
    with gc.Graph().as_default():
        z = gc.constant(Z)
        shares = sparsemax(z)
        loss = gc.contrib.sparsemax.sparsemax_loss(z, shares, labels)
        found, p, slopes = value([loss, shares, gc.gradients(loss, z)[0]])
        by_itself = value(gc.gradients(sparsemax(z)[:, 0], z)[0])
    np.testing.assert_allclose(slopes, p - labels, atol=1e-9)
    assert (found > 0).all()
    for row, shares_of, slope in zip(Z, p, by_itself, strict=True):     # the Jacobian of Martins and Astudillo
        above = shares_of > 0
        expected = above[0] * (np.eye(5)[0] - above / above.sum())
        np.testing.assert_allclose(slope, expected, atol=1e-9, err_msg=str(row))


def test_refusals() -> None:
    with pytest.raises(ValueError, match="argument 'logits' must have rank 2"):
        sparsemax(np.ones(3))
