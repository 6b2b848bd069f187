"""Candidate samplers: what is learned from true classes, counts in shards, and true classes among the drawn ones."""
from __future__ import annotations

import numpy as np
import pytest

import graphc as gc


def test_classes_are_drawn_by_what_was_seen() -> None:
    true = gc.placeholder(gc.int64, [None, 1])
    drawn, of_true, of_drawn = gc.nn.learned_unigram_candidate_sampler(true, 1, 4, False, 5, seed=3)
    assert drawn.shape.as_list() == [4] and of_true.shape.as_list() == [None, 1]
    for _ in range(2):             # every session learns for itself
        with gc.Session() as session:
            counts = np.ones(5)
            for batch in ([[3], [3], [1]], [[3], [0], [3]], np.zeros((0, 1)), [[7], [-1], [4]]):
                classes, expected, of_classes = session.run([drawn, of_true, of_drawn], {true: batch})
                known = np.array([counts[c] if 0 <= c < 5 else 0 for c, in np.array(batch, int)]).reshape(-1, 1)
                np.testing.assert_allclose(expected, 4 * known / counts.sum(), rtol=1e-6)
                np.testing.assert_allclose(of_classes, 4 * counts[classes] / counts.sum(), rtol=1e-6)
                np.add.at(counts, [c for c, in np.array(batch, int) if 0 <= c < 5], 1)
            for _ in range(200):
                session.run(drawn, {true: [[2]] * 100})
            assert np.mean([session.run(drawn, {true: [[2]]}) == 2 for _ in range(20)]) > 0.9


def test_learning_needs_no_initialising_and_is_no_part_of_the_model() -> None:
    with gc.Graph().as_default():
        true = gc.constant([[1]], gc.int64)
        drawn = gc.random.learned_unigram_candidate_sampler(true, 1, 3, True, 3)[0]
        assert not gc.global_variables() and not gc.trainable_variables()
        with gc.Session() as session:
            assert sorted(session.run(drawn)) == [0, 1, 2]
        with pytest.raises(ValueError, match="if they are unique"):
            gc.nn.learned_unigram_candidate_sampler(true, 1, 4, True, 3)


def test_learning_inside_a_loop_is_refused() -> None:
    def body(i: gc.Tensor) -> gc.Tensor:
        return i + gc.nn.learned_unigram_candidate_sampler([[2]], 1, 1, False, 4)[0][0]

    with pytest.raises(gc.errors.UnimplementedError, match="inside of a loop or branch"):
        gc.while_loop(lambda i: i < 3, body, (gc.constant(0, gc.int64),))


def test_counts_in_shards() -> None:
    true = gc.constant([[0], [1], [9], [10]], gc.int64)
    drawn, of_true, _ = gc.nn.fixed_unigram_candidate_sampler(true, 1, 50, False, 10, num_reserved_ids=1, num_shards=2,
                                                              shard=0, unigrams=list(range(1, 20)))
    with gc.Session() as session:
        classes, expected = session.run([drawn, of_true])
    np.testing.assert_allclose(expected[:, 0], 50 * np.array([0, 2, 18, 0]) / 90, rtol=1e-6)
    assert classes.min() >= 1 and classes.max() <= 9
    with pytest.raises(ValueError, match=r"must add up to range_max = 9"):
        gc.nn.fixed_unigram_candidate_sampler(true, 1, 5, False, 9, num_shards=2, shard=1, unigrams=[1.0] * 16)
    with pytest.raises(ValueError, match="shard is 2 and num_shards 2"):
        gc.nn.fixed_unigram_candidate_sampler(true, 1, 5, False, 8, num_shards=2, shard=2, unigrams=[1.0] * 16)


def test_true_classes_among_the_drawn_ones() -> None:
    true, drawn = np.array([[3, 1], [7, 3], [5, 5]]), np.array([1, 3, 3, 7, 9])
    with gc.Session() as session:
        rows, places, weights = session.run(gc.nn.compute_accidental_hits(true, drawn, 2))
        none = session.run(gc.nn.compute_accidental_hits(true, drawn[:0], 2))
    assert rows.tolist() == [0, 0, 1, 1] and places.tolist() == [2, 0, 3, 2] and rows.dtype == np.int32
    np.testing.assert_array_equal(weights, np.full(4, np.finfo(np.float32).min))
    assert [len(x) for x in none] == [0, 0, 0]
