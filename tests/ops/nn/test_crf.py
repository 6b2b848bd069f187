"""gc.contrib.crf against a count of every way to tag a short sequence."""
from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

import graphc as gc

R = np.random.default_rng(0)
X, TRANSITIONS = R.normal(size=(4, 5, 3)), R.normal(size=(3, 3))
TAGS, LENGTHS = R.integers(0, 3, (4, 5)), np.array([5, 3, 1, 0])
CRF = gc.contrib.crf


def value(tensors: Any) -> Any:
    with gc.Session() as session:
        return session.run(tensors)


def score_of(x: np.ndarray, tags: Any) -> float:
    return sum(x[i, t] for i, t in enumerate(tags)) + sum(TRANSITIONS[a, b] for a, b in itertools.pairwise(tags))


def every(x: np.ndarray) -> dict[tuple[int, ...], float]:
    return {tags: score_of(x, tags) for tags in itertools.product(range(3), repeat=len(x))}


def test_scores_and_likelihoods() -> None:
    scores = [score_of(x[:n], t[:n]) for x, t, n in zip(X, TAGS, LENGTHS, strict=True)]
    norms = [np.log(np.exp(list(every(x[:n]).values())).sum()) for x, n in zip(X, LENGTHS, strict=True)]
    found = value([CRF.crf_sequence_score(X, TAGS, LENGTHS, TRANSITIONS), CRF.crf_log_norm(X, LENGTHS, TRANSITIONS),
                   CRF.crf_log_likelihood(X, TAGS, LENGTHS, TRANSITIONS)[0]])
    for a, b in zip(found, (scores, norms, np.subtract(scores, norms)), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-12)


def test_the_best_tags() -> None:
    tags, scores = value(CRF.crf_decode(X, TRANSITIONS, LENGTHS))
    assert tags.dtype == np.int32
    for x, n, found, score in list(zip(X, LENGTHS, tags, scores, strict=True))[:3]:
        best = max(every(x[:n]).items(), key=lambda entry: entry[1])
        assert tuple(found[:n]) == best[0] and not found[n:].any()
        np.testing.assert_allclose(score, best[1])
        listed, total = CRF.viterbi_decode(x[:n], TRANSITIONS)
        assert tuple(listed) == best[0]
        np.testing.assert_allclose(total, best[1])


def test_sequences_of_one_place_and_of_unknown_sizes() -> None:
    x, lengths = gc.placeholder(gc.float64, [None, None, 3]), gc.placeholder(gc.int32, [None])
    tags, best = CRF.crf_decode(x, TRANSITIONS, lengths)
    norm = CRF.crf_log_norm(x, lengths, TRANSITIONS)
    with gc.Session() as session:
        for part, n in ((X[:, :1], np.minimum(LENGTHS, 1)), (X, LENGTHS), (X[:2], LENGTHS[:2])):
            found, scores, norms = session.run([tags, best, norm], {x: part, lengths: n})
            assert found.shape == part.shape[:2]
            np.testing.assert_allclose(norms[0], np.log(np.exp(list(every(part[0, :n[0]]).values())).sum()))
            np.testing.assert_allclose(scores[0], max(every(part[0, :n[0]]).values()))


def test_transitions_are_learned() -> None:
    with gc.Graph().as_default():
        inputs = gc.constant(X.astype(np.float32))
        likelihood, transitions = CRF.crf_log_likelihood(inputs, TAGS, LENGTHS)
        assert transitions.name == "transitions:0" and transitions.shape.as_list() == [3, 3]
        slopes = gc.gradients(gc.reduce_sum(likelihood), [transitions.value(), inputs])
        train = gc.train.GradientDescentOptimizer(0.1).minimize(-gc.reduce_sum(likelihood))
        with gc.Session() as session:
            session.run(gc.global_variables_initializer())
            before, (by_transition, by_input) = session.run([gc.reduce_sum(likelihood), slopes])
            # Of each place the chosen tag's probability is missing: the slopes of a place add up to 0.
            np.testing.assert_allclose(by_input.sum(-1), 0, atol=1e-5)
            np.testing.assert_allclose(by_transition.sum(), 0, atol=1e-5)
            for _ in range(5):
                session.run(train)
            assert session.run(gc.reduce_sum(likelihood)) > before
        with pytest.raises(ValueError, match="must be known for a variable"):
            CRF.crf_log_likelihood(gc.placeholder(gc.float32, [None, None, None]), TAGS, LENGTHS)
