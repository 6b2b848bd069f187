"""gc.contrib.distributions over vectors and mixtures: as SciPy has them, samples by their moments, and divergences."""
from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import stats

import graphc as gc

D = gc.contrib.distributions
SHARES = np.array([[0.2, 0.3, 0.5], [0.6, 0.3, 0.1]], np.float32)
MEANS = np.array([[0.5, -1.0], [2.0, 0.0], [-3.0, 1.0]])
MATRIX = np.array([[2.0, 0.6], [0.6, 1.0]])


def value(tensors: Any, feeds: Any = None) -> Any:
    with gc.Session() as session:
        return session.run(tensors, feeds)


def test_one_hot_classes() -> None:
    d = D.OneHotCategorical(probs=SHARES, dtype=gc.float32)
    assert (d.batch_shape.as_list(), d.event_shape.as_list()) == ([2], [3])
    drawn, chances, entropy, mode = value([d.sample(20_000, seed=1), d.prob([0.0, 1.0, 0.0]), d.entropy(), d.mode()])
    assert set(np.unique(drawn)) == {0.0, 1.0} and (drawn.sum(-1) == 1).all()
    np.testing.assert_allclose(drawn.mean(0), SHARES, atol=0.01)
    np.testing.assert_allclose(chances, [0.3, 0.3], rtol=1e-6)
    np.testing.assert_allclose(entropy, stats.entropy(SHARES, axis=1), rtol=1e-6)
    np.testing.assert_array_equal(mode, [[0, 0, 1], [1, 0, 0]])
    other = D.OneHotCategorical(probs=SHARES[::-1].copy())
    np.testing.assert_allclose(value(D.kl_divergence(d, other)), stats.entropy(SHARES.T, SHARES[::-1].T), rtol=1e-5)


def test_relaxed_classes() -> None:
    d = D.RelaxedOneHotCategorical([[0.3], [2.0]], probs=SHARES)
    assert (d.batch_shape.as_list(), d.event_shape.as_list()) == ([2, 2], [3])
    drawn = value(d.sample(5000, seed=2))
    np.testing.assert_allclose(drawn.sum(-1), 1.0, rtol=1e-5)
    hardest = np.eye(3)[drawn.argmax(-1)].mean(0)               # whatever the temperature is
    np.testing.assert_allclose(hardest, np.broadcast_to(SHARES, (2, 2, 3)), atol=0.03)
    assert drawn[:, 0].max(-1).mean() > drawn[:, 1].max(-1).mean() + 0.1
    of_two = D.RelaxedOneHotCategorical(np.float64(0.7), probs=np.array([0.3, 0.7]))
    x = (np.arange(20_000) + 0.5) / 20_000
    density = value(of_two.prob(np.stack([x, 1 - x], -1)))
    np.testing.assert_allclose(density.mean(), 1.0, rtol=1e-3)
    logs = D.ExpRelaxedOneHotCategorical(np.float64(0.7), probs=np.array([0.3, 0.7])).log_prob(np.log([[0.2, 0.8]]))
    np.testing.assert_allclose(value(logs) - np.log(0.16), value(of_two.log_prob([[0.2, 0.8]])), rtol=1e-9)
    with gc.Graph().as_default():
        logits = gc.constant([1.0, 2.0])
        gradient = gc.gradients(D.RelaxedOneHotCategorical(0.5, logits).sample(seed=1)[0], logits)[0]
        assert value(gradient)[0] > 0


@pytest.mark.parametrize("make", [lambda loc: D.MultivariateNormalFullCovariance(loc, MATRIX),
                                  lambda loc: D.MultivariateNormalTriL(
                                      loc, np.linalg.cholesky(MATRIX) + [[0, 9], [0, 0]])])
def test_vectors_of_normal_numbers(make: Any) -> None:
    d = make(MEANS)
    assert (d.batch_shape.as_list(), d.event_shape.as_list()) == ([3], [2])
    x = np.random.default_rng(0).normal(size=(4, 3, 2))
    expected = [stats.multivariate_normal(m, MATRIX) for m in MEANS]
    found = value([d.log_prob(x), d.entropy(), d.mean(), d.variance(), d.covariance()])
    wanted = [np.stack([e.logpdf(x[:, i]) for i, e in enumerate(expected)], 1), [e.entropy() for e in expected], MEANS,
              np.broadcast_to(np.diag(MATRIX), (3, 2)), np.broadcast_to(MATRIX, (3, 2, 2))]
    for a, b in zip(found, wanted, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-9)
    drawn = value(d.sample(20_000, seed=3))
    np.testing.assert_allclose(np.cov(drawn[:, 1].T), MATRIX, atol=0.06)
    other = D.MultivariateNormalTriL(MEANS[::-1].copy(), np.array([[1.5, 0.0], [-0.5, 0.8]]))
    difference = value(gc.reduce_mean(d.log_prob(drawn) - other.log_prob(drawn), 0))
    np.testing.assert_allclose(value(D.kl_divergence(d, other)), difference, rtol=0.05)


def test_vectors_of_sizes_that_only_a_run_knows() -> None:
    loc, matrix = gc.placeholder(gc.float64, [None, None]), gc.placeholder(gc.float64, [None, None, None])
    d = D.MultivariateNormalTriL(loc, matrix)
    gradient = gc.gradients(d.log_prob(loc + 1.0), matrix)[0]
    outputs = [d.log_prob(loc + 1.0), d.sample(3, seed=1), d.covariance(), gradient]
    for batch, size in ((2, 3), (1, 1), (0, 2), (5, 17)):
        made = np.tril(np.random.default_rng(1).normal(size=(batch, size, size))) + 3 * np.eye(size)
        found = value(outputs, {loc: np.zeros((batch, size)), matrix: made})
        wanted = [stats.multivariate_normal(np.zeros(size), m @ m.T).logpdf(np.ones(size)) for m in made]
        np.testing.assert_allclose(found[0], wanted, rtol=1e-8)
        assert [f.shape for f in found[1:]] == [(3, batch, size), *[(batch, size, size)] * 2]


def test_mixtures_have_the_density_and_the_moments_of_what_they_mix() -> None:
    x = np.linspace(-4, 6, 7)
    parts = [stats.norm(-1, 1), stats.norm(3, 0.5)]
    weights = np.array([0.3, 0.7])
    density = sum(w * p.pdf(x) for w, p in zip(weights, parts, strict=True))
    below = sum(w * p.cdf(x) for w, p in zip(weights, parts, strict=True))
    mean = weights @ [-1, 3]
    variance = weights @ [1, 0.25] + weights @ np.square(np.array([-1, 3]) - mean)
    cat = D.Categorical(probs=weights)
    for d in (D.Mixture(cat, [D.Normal(np.float64(-1), np.float64(1)), D.Normal(np.float64(3), np.float64(0.5))]),
              D.MixtureSameFamily(cat, D.Normal(np.array([-1.0, 3.0]), np.array([1.0, 0.5])))):
        assert (d.batch_shape.as_list(), d.event_shape.as_list()) == ([], [])
        prob = d.prob(x) if isinstance(d, D.MixtureSameFamily) else gc.stack([d.prob(v) for v in x])
        cdf = d.cdf(x) if isinstance(d, D.MixtureSameFamily) else gc.stack([d.cdf(v) for v in x])
        for a, b in zip(value([prob, cdf, d.mean(), d.variance()]), [density, below, mean, variance], strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-6)
        drawn = value(d.sample(20_000, seed=5))
        np.testing.assert_allclose([drawn.mean(), drawn.std()], [mean, variance ** 0.5], rtol=0.03)


def test_mixtures_of_vectors_in_batches() -> None:
    """[batch 4, components 3, event 2], each batch with weights of its own, or one for all."""
    weights = np.random.default_rng(2).dirichlet([1, 1, 1], 4)
    locs = np.random.default_rng(3).normal(size=(4, 3, 2))
    x = np.random.default_rng(4).normal(size=(4, 2))
    deviations = np.full((4, 3, 2), 0.7)
    densities = np.exp(-0.5 * (((x[:, None] - locs) / 0.7) ** 2).sum(-1)) / (2 * np.pi * 0.49)
    for probs in (weights, weights[0]):
        d = D.MixtureSameFamily(D.Categorical(probs=probs), D.MultivariateNormalDiag(locs, deviations))
        np.testing.assert_allclose(value(d.prob(x)), (densities * probs).sum(-1), rtol=1e-9)
        np.testing.assert_allclose(value(d.mean()), (locs * np.broadcast_to(probs, (4, 3))[..., None]).sum(1))
        drawn = value(d.sample(8000, seed=1))
        np.testing.assert_allclose(drawn.mean(0), value(d.mean()), atol=0.06)
        np.testing.assert_allclose(drawn.std(0), value(d.stddev()), rtol=0.06)
    parts = [D.MultivariateNormalDiag(locs[:, i], deviations[:, i]) for i in range(3)]
    mixed = D.Mixture(D.Categorical(probs=weights), parts)
    np.testing.assert_allclose(value(mixed.prob(x)), (densities * weights).sum(-1), rtol=1e-9)
    assert value(mixed.sample([2, 3], seed=1)).shape == (2, 3, 4, 2)


def test_independent_numbers_are_one_event() -> None:
    inner = D.Normal(np.zeros((2, 3, 4)), 1.0 + np.arange(4.0))
    d = D.Independent(inner, 2)
    assert (d.batch_shape.as_list(), d.event_shape.as_list()) == ([2], [3, 4])
    x = np.ones((5, 2, 3, 4))
    np.testing.assert_allclose(value(d.log_prob(x)), stats.norm(0, 1 + np.arange(4)).logpdf(x).sum((-2, -1)))
    assert value(d.sample(6)).shape == (6, 2, 3, 4) and D.Independent(inner).event_shape.as_list() == [3, 4]
    other = D.Independent(D.Normal(np.ones((2, 3, 4)), np.ones(4)), 2)
    np.testing.assert_allclose(value(D.kl_divergence(d, other)),
                               value(gc.reduce_sum(D.kl_divergence(inner, other.distribution), [-2, -1])))
    with pytest.raises(ValueError, match="reinterpreted_batch_ndims is 4, but the batch of Normal has 3 axes"):
        D.Independent(inner, 4)


def test_one_value() -> None:
    d = D.Deterministic(np.array([1.0, -2.0]), atol=0.5)
    found = value([d.sample([3], seed=1), d.prob([1.4, -1.0]), d.cdf([0.6, -3.0]), d.variance()])
    for a, b in zip(found, [[[1, -2]] * 3, [1, 0], [1, 0], [0, 0]], strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("wrong, error, said", [
    (lambda: D.Mixture(D.Normal(0.0, 1.0), [D.Normal(0.0, 1.0)]), TypeError, "cat must be a Categorical"),
    (lambda: D.Mixture(D.Categorical(probs=[0.5, 0.5]), [D.Normal(0.0, 1.0)]), ValueError,
     "2 classes, but there are 1"),
    (lambda: D.MixtureSameFamily(D.Categorical(probs=[0.5, 0.5]), D.Normal([0.0] * 3, 1.0)), ValueError,
     "has 2 classes, but the last axis of the batch of `components_distribution` has 3"),
    (lambda: D.MultivariateNormalTriL([0.0]), ValueError, "scale_tril must be given"),
    (lambda: D.MultivariateNormalFullCovariance([0.0]), ValueError, "covariance_matrix must be given"),
])
def test_what_does_not_fit(wrong: Any, error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=said):
        wrong()
