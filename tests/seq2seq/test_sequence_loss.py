"""sequence_loss against its formula in NumPy."""
from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import graphc as gc

RNG = np.random.default_rng(3)
LOGITS = RNG.normal(size=(3, 4, 5)).astype(np.float32)
TARGETS = RNG.integers(0, 5, (3, 4)).astype(np.int32)
WEIGHTS = np.array([[1, 0.5, 0, 2], [1, 1, 1, 0], [0, 0, 0, 0]], np.float32)


def entropies() -> np.ndarray:
    shifted = LOGITS - np.log(np.exp(LOGITS).sum(-1, keepdims=True))
    found: np.ndarray = -np.take_along_axis(shifted, TARGETS[..., None], -1)[..., 0] * WEIGHTS
    return found


def divided(total: np.ndarray, by: np.ndarray) -> np.ndarray:
    return np.divide(total, by, out=np.zeros_like(total), where=by != 0)


CASES: list[tuple[dict[str, bool], Any]] = [
    ({}, lambda e: e.sum() / WEIGHTS.sum()),
    ({"average_across_batch": False}, lambda e: divided(e.sum(1), WEIGHTS.sum(1))),
    ({"average_across_timesteps": False}, lambda e: divided(e.sum(0), WEIGHTS.sum(0))),
    ({"average_across_timesteps": False, "average_across_batch": False}, lambda e: e),
    ({"average_across_timesteps": False, "average_across_batch": False, "sum_over_timesteps": True,
      "sum_over_batch": True}, lambda e: e.sum() / np.count_nonzero(WEIGHTS)),
    ({"average_across_timesteps": False, "average_across_batch": False, "sum_over_timesteps": True},
     lambda e: divided(e.sum(1), np.count_nonzero(WEIGHTS, axis=1).astype(np.float32))),
    ({"average_across_timesteps": False, "average_across_batch": False, "sum_over_batch": True},
     lambda e: divided(e.sum(0), np.count_nonzero(WEIGHTS, axis=0).astype(np.float32))),
]


@pytest.mark.parametrize("how, wanted", CASES)
@pytest.mark.parametrize("known", (True, False))
def test_reductions(how: dict[str, bool], wanted: Any, known: bool) -> None:
    gc.reset_default_graph()
    sizes = [None] * 3
    logits, targets, weights = (gc.placeholder(x.dtype, x.shape if known else sizes[:x.ndim])
                                for x in (LOGITS, TARGETS, WEIGHTS))
    loss = gc.contrib.seq2seq.sequence_loss(logits, targets, weights, **how)
    with gc.Session() as session:
        found = session.run(loss, {logits: LOGITS, targets: TARGETS, weights: WEIGHTS})
    np.testing.assert_allclose(found, wanted(entropies()), rtol=1e-5, atol=1e-6)


def test_a_function_of_its_own_gets_names() -> None:
    gc.reset_default_graph()
    seen = []

    def function(labels: Any, logits: Any) -> Any:
        seen.append((labels.shape.as_list(), logits.shape.as_list()))
        return gc.cast(labels, gc.float32)

    loss = gc.contrib.seq2seq.sequence_loss(gc.constant(LOGITS), gc.constant(TARGETS), gc.constant(WEIGHTS),
                                            softmax_loss_function=function)
    with gc.Session() as session:
        np.testing.assert_allclose(session.run(loss), (TARGETS * WEIGHTS).sum() / WEIGHTS.sum(), rtol=1e-6)
    assert seen == [([12], [12, 5])]


def test_refusals() -> None:
    gc.reset_default_graph()
    logits, targets, weights = gc.constant(LOGITS), gc.constant(TARGETS), gc.constant(WEIGHTS)
    loss = gc.contrib.seq2seq.sequence_loss
    for wrong in ((logits[0], targets, weights), (logits, targets[0], weights), (logits, targets, weights[0])):
        with pytest.raises(ValueError, match="must be a"):
            loss(*wrong)
    with pytest.raises(ValueError, match="average_across_timesteps and sum_over_timesteps"):
        loss(logits, targets, weights, sum_over_timesteps=True)
    with pytest.raises(ValueError, match="average_across_batch and sum_over_batch"):
        loss(logits, targets, weights, sum_over_batch=True)


def test_a_loss_function_of_before_1_0() -> None:
    """sampled_loss(inputs, labels) of scripts of those days: its arguments go by their names."""
    gc.reset_default_graph()
    loss = gc.contrib.legacy_seq2seq.sequence_loss_by_example(
        [gc.constant([[1.0, 2.0]])], [gc.constant([1])], [gc.constant([3.0])],
        softmax_loss_function=lambda inputs, labels: gc.cast(labels, gc.float32) + gc.reduce_sum(inputs, 1))
    with gc.Session() as session:
        np.testing.assert_allclose(session.run(loss), [4.0], rtol=1e-6)
