"""gc.distributions over shares and numbers of events, and Student's: as SciPy has them; samples by their moments."""
from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import special, stats

import graphc as gc

D = gc.distributions
C = gc.contrib.distributions
SHARES = np.array([[0.2, 0.3, 0.5], [0.6, 0.3, 0.1]])
CONCENTRATION = np.array([[1.5, 2.0, 3.0], [2.0, 0.4, 1.2]])
COUNTS = np.array([[2.0, 1.0, 1.0], [0.0, 3.0, 0.0]])
TOTALS = np.array([4.0, 3.0])
FREEDOM, MIDDLE = np.array([0.7, 1.5, 5.0]), np.array([[1.0], [2.0]])


def value(tensors: Any, feeds: Any = None) -> Any:
    with gc.Session() as session:
        return session.run(tensors, feeds)


def test_student_t() -> None:
    x = np.array([0.3, -4.0, 9.0])
    d, expected = D.StudentT(FREEDOM, MIDDLE, np.float64(2.5)), stats.t(FREEDOM, MIDDLE, 2.5)
    found = value([d.log_prob(x), d.cdf(x), d.entropy(), d.mode()])
    wanted = [expected.logpdf(x), expected.cdf(x), expected.entropy(), MIDDLE]
    for a, b in zip(found, wanted, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-6)
    mean, variance = value([d.mean(), d.variance()])
    np.testing.assert_allclose(mean, np.where(FREEDOM > 1, MIDDLE, np.nan))
    np.testing.assert_allclose(variance, [[np.nan, np.inf, 2.5 ** 2 * 5 / 3]] * 2)
    drawn = value(d.sample(20_000, seed=2))
    assert drawn.shape == (20_000, 2, 3)
    np.testing.assert_allclose((drawn < x).mean(0), expected.cdf(x), atol=0.02)


def test_statistics_of_student_t_may_be_refused() -> None:
    d = D.StudentT([0.5, 3.0], 0.0, 1.0, allow_nan_stats=False)
    with pytest.raises(gc.errors.InvalidArgumentError, match="variance not defined for components of df <= 1"):
        value(d.variance())
    flat = D.StudentT(gc.constant([0.5, 1.5, 3.0]), 0.0, 1.0)
    gradient = value(gc.gradients(flat.variance(), flat.df)[0])
    assert np.isfinite(gradient[2]) and not np.isnan(gradient[1])


def test_dirichlet() -> None:
    d = D.Dirichlet(CONCENTRATION)
    expected = [stats.dirichlet(c) for c in CONCENTRATION]
    found = value([d.log_prob(SHARES), d.mean(), d.variance(), d.entropy(), d.covariance()])
    wanted = [[e.logpdf(s) for e, s in zip(expected, SHARES, strict=True)], [e.mean() for e in expected],
              [e.var() for e in expected], [e.entropy() for e in expected], [e.cov() for e in expected]]
    for a, b in zip(found, wanted, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-6)
    np.testing.assert_allclose(value(d.mode()), [np.array([0.5, 1.0, 2.0]) / 3.5, [np.nan] * 3])
    assert (d.batch_shape.as_list(), d.event_shape.as_list()) == ([2], [3])
    drawn = value(d.sample([100, 200], seed=4))
    np.testing.assert_allclose(drawn.sum(-1), 1.0, rtol=1e-12)
    np.testing.assert_allclose(drawn.mean((0, 1)), wanted[1], atol=0.01)
    other = D.Dirichlet(CONCENTRATION[::-1].copy())
    difference = value(gc.reduce_mean(d.log_prob(drawn) - other.log_prob(drawn), [0, 1]))
    np.testing.assert_allclose(value(D.kl_divergence(d, other)), difference, rtol=0.05)
    assert value(D.Dirichlet([1.0, 2.0]).log_prob([0.0, 1.0])) == np.float32(np.log(2.0))     # 0 log 0 is 0


def test_multinomial() -> None:
    d = D.Multinomial(TOTALS, probs=SHARES)
    expected = [stats.multinomial(n, p) for n, p in zip(TOTALS, SHARES, strict=True)]
    found = value([d.log_prob(COUNTS), d.covariance(), d.mean(), d.variance()])
    covariances = [e.cov() for e in expected]
    wanted = [[e.logpmf(c) for e, c in zip(expected, COUNTS, strict=True)], covariances, SHARES * TOTALS[:, None],
              [np.diag(c) for c in covariances]]
    for a, b in zip(found, wanted, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-6, atol=1e-12)
    again = D.Multinomial(4.0, logits=np.log(SHARES).astype(np.float32) + 2)
    np.testing.assert_allclose(value(again.prob(COUNTS[:1].astype(np.float32))),
                               stats.multinomial(4, SHARES).pmf(COUNTS[0]), rtol=1e-5)


@pytest.mark.parametrize("make", [lambda n, c: D.Multinomial(n, probs=c / gc.reduce_sum(c, -1, keepdims=True)),
                                  lambda n, c: D.DirichletMultinomial(n, c)])
@pytest.mark.parametrize("count", [0, 1, 3])
def test_counts_are_drawn_for_sizes_that_only_a_run_knows(make: Any, count: int) -> None:
    totals, classes = gc.placeholder(gc.float32, [None]), gc.placeholder(gc.float32, [None, None])
    many = gc.placeholder(gc.int32, [])
    drawn = make(totals, classes).sample(many, seed=7)
    for n, rows in (([5, 0, 2], [[1, 2, 3], [1, 1, 1], [2, 1, 4]]), ([31], [[0.5, 2]]),
                    (np.zeros(0), np.zeros((0, 3)))):
        found = value(drawn, {totals: n, classes: rows, many: count})
        assert found.shape == (count, *np.shape(rows)) and (found >= 0).all()
        np.testing.assert_array_equal(found.sum(-1), np.broadcast_to(n, (count, len(n))))


def test_counts_have_their_moments() -> None:
    for d in (D.Multinomial([4.0, 9.0], probs=SHARES.astype(np.float32)),
              D.DirichletMultinomial([4.0, 9.0], CONCENTRATION.astype(np.float32)),
              C.Binomial([4.0, 9.0], probs=[0.2, 0.7]), C.Poisson([0.5, 8.0])):
        drawn, mean, deviation = value([d.sample(20_000, seed=3), d.mean(), d.stddev()])
        np.testing.assert_allclose(drawn.mean(0), mean, atol=0.05)
        np.testing.assert_allclose(drawn.std(0), deviation, rtol=0.03)


def test_counts_of_dirichlet_s_classes() -> None:
    d = D.DirichletMultinomial(TOTALS, CONCENTRATION)
    total = CONCENTRATION.sum(-1)
    orders = special.gammaln(TOTALS + 1) - special.gammaln(COUNTS + 1).sum(-1)
    log_beta = special.gammaln(CONCENTRATION).sum(-1) - special.gammaln(total)
    both = CONCENTRATION + COUNTS
    wanted = orders + special.gammaln(both).sum(-1) - special.gammaln(both.sum(-1)) - log_beta
    np.testing.assert_allclose(value(d.log_prob(COUNTS)), wanted, rtol=1e-9)
    share = CONCENTRATION / total[:, None]
    spread = (TOTALS * (TOTALS + total) / (1 + total))[:, None, None]
    found = value(d.covariance())
    np.testing.assert_allclose(found, spread * (np.eye(3) * share[:, None] - share[:, :, None] * share[:, None]))
    np.testing.assert_allclose(value(d.variance()), np.diagonal(found, axis1=1, axis2=2))


def test_binomial_and_poisson() -> None:
    totals, p, x = np.array([4.0, 9.0]), np.array([[0.2], [0.7]]), np.array([3.0, 4.0])
    rate = np.array([0.5, 7.5])
    for d, expected in ((C.Binomial(totals, probs=p), stats.binom(totals, p)), (C.Poisson(rate), stats.poisson(rate)),
                        (C.Poisson(log_rate=np.log(rate)), stats.poisson(rate))):
        found = value([d.log_prob(x), d.cdf(x), d.mean(), d.variance()])
        wanted = [expected.logpmf(x), expected.cdf(x), expected.mean(), expected.var()]
        for a, b in zip(found, wanted, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-9)
    d = C.Poisson(rate, interpolate_nondiscrete=False)
    found = value([d.prob([2.5, -1.0]), d.cdf([2.5, -1.0])])
    np.testing.assert_allclose(found, [[0, 0], [stats.poisson(0.5).cdf(2), 0]])


@pytest.mark.parametrize("wrong", [
    lambda: D.Dirichlet([1.0, -1.0], validate_args=True).mean(),
    lambda: D.Dirichlet([1.0, 2.0], validate_args=True).prob([0.5, 0.6]),
    lambda: D.Multinomial(2.5, probs=[0.5, 0.5], validate_args=True).mean(),
    lambda: D.Multinomial(2.0, probs=[0.5, 0.5], validate_args=True).prob([1.0, 2.0]),
    lambda: D.StudentT(-1.0, 0.0, 1.0, validate_args=True).entropy(),
    lambda: C.Binomial(2.0, probs=0.5, validate_args=True).prob(3.0),
    lambda: C.Poisson(-1.0, validate_args=True).mean(),
])
def test_validate_args_looks_at_parameters_and_samples(wrong: Any) -> None:
    with pytest.raises(gc.errors.InvalidArgumentError):
        value(wrong())


def test_the_shape_of_samples_may_hold_tensors() -> None:
    x = gc.placeholder(gc.float32, [None, 2])
    drawn = D.Beta(2.0, [3.0, 4.0]).sample([gc.shape(x)[0], 1], seed=1)
    assert drawn.shape.as_list() == [None, 1, 2]
    assert value(drawn, {x: np.zeros((5, 2))}).shape == (5, 1, 2)


def test_what_is_left_out_or_given_twice() -> None:
    with pytest.raises(ValueError, match="Must pass probs or logits, but not both"):
        D.Multinomial(1.0)
    with pytest.raises(ValueError, match="exactly one of `rate` and `log_rate`"):
        C.Poisson(1.0, 1.0)
    with pytest.raises(TypeError, match="parameters of distributions must be of floating point"):
        D.Dirichlet(np.array([1, 2]))
