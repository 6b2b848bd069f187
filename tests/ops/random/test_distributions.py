"""gc.distributions: probabilities as SciPy has them, samples by their moments, shapes, gradients and divergences."""
from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import stats

import graphc as gc

D = gc.distributions
V = np.array([[-1.5, 0.2, 0.7], [3.0, 0.5, 0.1]])
P, Q = np.array([0.5, 2.0, 3.1]), np.array([[1.0], [0.7]])
L = np.array([[0.3, -1.0, 0.5], [2.0, 0.1, -0.4]])
SOFTMAX = np.exp(L) / np.exp(L).sum(-1, keepdims=True)
CONTINUOUS: dict[str, tuple[Any, Any, np.ndarray]] = {
    "Normal": (lambda: D.Normal(P, Q), stats.norm(P, Q), V),
    "Laplace": (lambda: D.Laplace(P, Q), stats.laplace(P, Q), V),
    "Uniform": (lambda: D.Uniform(-Q, P), stats.uniform(-Q, P + Q), V),
    "Gamma": (lambda: D.Gamma(P, Q), stats.gamma(P, scale=1 / Q), np.abs(V)),
    "Exponential": (lambda: D.Exponential(P), stats.expon(scale=1 / P), np.abs(V)),
    "Beta": (lambda: D.Beta(P, Q), stats.beta(P, Q), np.full((2, 3), 0.3)),
}


def value(tensors: Any) -> Any:
    with gc.Session() as session:
        return session.run(tensors)


@pytest.mark.parametrize("name", CONTINUOUS)
def test_probabilities_and_statistics(name: str) -> None:
    make, expected, x = CONTINUOUS[name]
    d = make()
    found = value([d.log_prob(x), d.prob(x), d.cdf(x), d.log_cdf(x), d.survival_function(x), d.mean(), d.variance(),
                   d.stddev(), d.entropy()])
    with np.errstate(all="ignore"):
        wanted = [expected.logpdf(x), expected.pdf(x), expected.cdf(x), expected.logcdf(x), expected.sf(x),
                  expected.mean(), expected.var(), expected.std(), expected.entropy()]
    for a, b in zip(found, wanted, strict=True):
        np.testing.assert_allclose(np.broadcast_to(a, np.shape(b)), b, rtol=1e-6, atol=1e-9)
    assert d.batch_shape.as_list() == list(np.shape(expected.mean())) and d.event_shape.as_list() == []


@pytest.mark.parametrize("name", CONTINUOUS)
def test_samples_have_the_distributions_moments(name: str) -> None:
    make, expected, _ = CONTINUOUS[name]
    drawn = make().sample([100, 200], seed=5)
    assert drawn.shape.as_list() == [100, 200, *np.shape(expected.mean())]
    found = value(drawn).reshape(20_000, *np.shape(expected.mean()))
    assert np.isfinite(found).all()
    np.testing.assert_allclose(found.mean(0), expected.mean(), atol=0.05 * np.max(expected.std()))
    np.testing.assert_allclose(found.std(0), expected.std(), rtol=0.06)


def test_far_tails_of_the_normal_distribution() -> None:
    x = np.array([-35.0, -25, -19, -3, 7, 9])
    d = D.Normal(np.float64(0), np.float64(1))
    found = value([d.log_cdf(x), d.log_survival_function(-x)])
    for each in found:
        np.testing.assert_allclose(each, stats.norm.logcdf(x), rtol=1e-6)


def test_classes() -> None:
    k = np.array([2, 0])
    d = D.Categorical(logits=L)
    found = value([d.log_prob(k), d.prob(k), d.entropy(), d.mode(), d.cdf(k), d.event_size])
    chosen = SOFTMAX[[0, 1], k]
    wanted = [np.log(chosen), chosen, -(SOFTMAX * np.log(SOFTMAX)).sum(-1), [2, 0], [SOFTMAX[0, :2].sum(), 0], 3]
    for a, b in zip(found, wanted, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-6)
    drawn = d.sample(20_000, seed=1)
    assert drawn.shape.as_list() == [20_000, 2] and drawn.dtype == gc.int32
    counts = np.stack([np.mean(value(drawn) == c, 0) for c in range(3)], -1)
    np.testing.assert_allclose(counts, SOFTMAX, atol=0.02)
    assert D.Categorical(probs=SOFTMAX[0], dtype=gc.int64).sample().dtype == gc.int64
    b = D.Bernoulli(logits=L)
    p = 1 / (1 + np.exp(-L))
    found = value([b.log_prob(1), b.prob(np.zeros((2, 3))), b.mean(), b.variance(), b.mode(), b.entropy()])
    wanted = [np.log(p), 1 - p, p, p * (1 - p), p > 0.5, stats.bernoulli(p).entropy()]
    for a, w in zip(found, wanted, strict=True):
        np.testing.assert_allclose(a, w, rtol=1e-6)
    np.testing.assert_allclose(value(b.sample(20_000, seed=2)).mean(0), p, atol=0.02)


def test_vectors_of_independent_numbers() -> None:
    loc, scale = np.array([1.0, -2.0]), np.array([[0.5, 2.0], [1.0, 3.0]])
    d = gc.contrib.distributions.MultivariateNormalDiag(loc, scale)
    assert d.batch_shape.as_list() == [2] and d.event_shape.as_list() == [2]
    x = np.array([0.3, 0.7])
    found = value([d.log_prob(x), d.entropy(), d.mean(), d.stddev(), d.covariance()])
    normal = stats.norm(loc, scale)
    wanted = [normal.logpdf(x).sum(-1), normal.entropy().sum(-1), [loc] * 2, scale, scale[..., None]**2 * np.eye(2)]
    for a, b in zip(found, wanted, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-6)
    drawn = value(d.sample(20_000, seed=3))
    np.testing.assert_allclose(drawn.std(0), scale, rtol=0.05)
    same = gc.contrib.distributions.MultivariateNormalDiag(loc, scale_identity_multiplier=np.float64(2))
    np.testing.assert_allclose(value(same.stddev()), [2, 2])
    np.testing.assert_allclose(value(D.kl_divergence(d, same)).shape, (2,))


@pytest.mark.parametrize(("a", "b"), [
    (lambda: D.Normal(P, Q), lambda: D.Normal(0.5 * P, P)), (lambda: D.Gamma(P, Q), lambda: D.Gamma(Q, P)),
    (lambda: D.Beta(P + 1, Q + 1), lambda: D.Beta(Q + 1, P + 1)),
    (lambda: D.Exponential(P), lambda: D.Gamma(1.5 * P, P)),
    (lambda: D.Bernoulli(logits=L), lambda: D.Bernoulli(probs=np.float64(0.3))),
    (lambda: D.Categorical(logits=L), lambda: D.Categorical(probs=np.array([0.2, 0.5, 0.3])))])
def test_divergences_are_mean_differences_of_log_probabilities(a: Any, b: Any) -> None:
    first, second = a(), b()
    x = first.sample(40_000, seed=1)
    difference = gc.cast(first.log_prob(x), gc.float64) - gc.cast(second.log_prob(x), gc.float64)
    found, crossed, entropy, drawn = value([D.kl_divergence(first, second), first.cross_entropy(second),
                                            first.entropy(), difference])
    error = drawn.std(0) / 200
    assert np.all(np.abs(drawn.mean(0) - found) < 5 * error + 1e-6)
    np.testing.assert_allclose(crossed, found + entropy, rtol=1e-5)


def test_samples_have_gradients_where_tensorflows_have() -> None:
    loc, scale = gc.constant(1.0), gc.constant(2.0)
    y = D.Normal(loc, scale).sample(seed=1)
    found, slopes = value([y, gc.gradients(y, [loc, scale])])
    np.testing.assert_allclose(slopes, [1, (found - 1) / 2], rtol=1e-6)
    assert D.Normal(loc, scale).reparameterization_type is D.FULLY_REPARAMETERIZED
    assert D.Bernoulli(probs=0.5).reparameterization_type is D.NOT_REPARAMETERIZED


def test_parameters_and_refusals() -> None:
    d = D.Normal(0.0, 1.0, name="mine")
    assert d.dtype == gc.float32 and d.name == "mine/" and sorted(d.parameters) == [
        "allow_nan_stats", "loc", "name", "scale", "validate_args"]
    assert value(d.copy(loc=3.0).mean()) == 3
    assert D.Normal(np.float64(0), 1.0).dtype == gc.float64
    unknown = D.Normal(gc.placeholder_with_default(P, [None]), Q)
    assert unknown.batch_shape.as_list() == [2, None] and value(unknown.sample([4])).shape == (4, 2, 3)
    negative = gc.placeholder_with_default(np.float32(-1), [])
    for checked in (lambda: D.Normal(0.0, negative, validate_args=True).sample(),
                    lambda: D.Uniform(2.0, negative, validate_args=True).mean()):
        with pytest.raises(gc.errors.InvalidArgumentError):
            value(checked())
    with pytest.raises(NotImplementedError, match="type Normal and distribution_b type Bernoulli"):
        D.kl_divergence(d, D.Bernoulli(probs=0.5))
    with pytest.raises(NotImplementedError, match="quantile is not implemented: Gamma"):
        D.Gamma(1.0, 1.0).quantile(0.5)
    with pytest.raises(ValueError, match="probs or logits, but not both"):
        D.Bernoulli()
    with pytest.raises(TypeError, match="must be of floating point, but are int32"):
        D.Normal(np.array(0, np.int32), 1)
    with pytest.raises(ValueError, match="loc or scale_diag must be given"):
        gc.contrib.distributions.MultivariateNormalDiag()


def test_divergences_of_own_classes() -> None:
    class Mine(D.Normal):  # type: ignore[name-defined, misc]
        pass

    @D.RegisterKL(Mine, Mine)
    def of_mine(a: Any, b: Any, name: str | None = None) -> Any:
        return gc.constant(7.0)

    assert value(D.kl_divergence(Mine(0.0, 1.0), Mine(0.0, 1.0))) == 7
    assert value(D.kl_divergence(Mine(0.0, 1.0), D.Normal(0.0, 1.0))) == 0
    with pytest.raises(ValueError, match="already been registered"):
        D.RegisterKL(Mine, Mine)(of_mine)


@pytest.mark.parametrize("kind, sharp, flat", [("Gamma", (2.0, 1.0), (1.0, 1.0)), ("Beta", (2.0, 3.0), (0.5, 3.0))])
def test_statistics_that_are_not_defined(kind: str, sharp: tuple, flat: tuple) -> None:
    """NaN, or with allow_nan_stats=False an error of the run."""
    make = getattr(gc.distributions, kind)
    assert np.isnan(value(make(*flat).mode()))
    assert value(make(*sharp, allow_nan_stats=False).mode()) == value(make(*sharp).mode())
    with pytest.raises(gc.errors.InvalidArgumentError, match=r"(?i)mode (not defined|undefined)"):
        value(make(*flat, allow_nan_stats=False).mode())


@pytest.mark.parametrize("dtype, close", [(np.float32, 1e-6), (np.float64, 1e-10)])
def test_quantiles_of_normal_distributions(dtype: type, close: float) -> None:
    p = np.array([1e-30, 1e-5, 0.02, 0.4999, 0.5, 0.7, 0.999], dtype)
    x = gc.constant(p)
    found = D.Normal(dtype(1), dtype(2)).quantile(x)
    quantiles, slopes = value([found, gc.gradients(found, x)[0]])
    expected = stats.norm(1, 2)
    np.testing.assert_allclose(quantiles, expected.ppf(p), rtol=close, atol=close)
    np.testing.assert_allclose(slopes, 1 / expected.pdf(quantiles.astype(np.float64)), rtol=1e-5)
    edges = value(D.Normal(0.0, 1.0).quantile([0.0, 1.0, -0.1, 1.1, np.nan]))
    np.testing.assert_array_equal(edges, [-np.inf, np.inf, np.nan, np.nan, np.nan])


def test_tails_of_laplace_distributions_keep_their_digits() -> None:
    x = np.array([-100.0, -1.0, 0.0, 2.0, 100.0], np.float32)
    d = D.Laplace(0.0, 2.0)
    below, above = value([d.log_cdf(x), d.log_survival_function(x)])
    np.testing.assert_allclose(below, stats.laplace(0, 2).logcdf(x), rtol=1e-6)
    np.testing.assert_allclose(above, stats.laplace(0, 2).logsf(x), rtol=1e-6)


@pytest.mark.parametrize("wrong", [
    lambda: D.Bernoulli(probs=1.5, validate_args=True).mean(),
    lambda: D.Bernoulli(probs=-0.5, validate_args=True).mean(),
    lambda: D.Categorical(probs=[0.5, 0.6], validate_args=True).entropy(),
    lambda: D.Bernoulli(probs=0.5, validate_args=True).log_prob(2),
    lambda: D.Bernoulli(probs=0.5, validate_args=True).prob(0.5),
    lambda: D.Categorical(probs=[0.5, 0.5], validate_args=True).prob(-1),
    lambda: D.Gamma(1.0, 1.0, validate_args=True).log_prob(-1.0), lambda: D.Beta(1.0, 1.0, validate_args=True).cdf(1.5),
])
def test_validate_args_looks_at_probabilities_and_samples(wrong: Any) -> None:
    with pytest.raises(gc.errors.InvalidArgumentError):
        value(wrong())


def test_validate_args_lets_pass_what_is_right() -> None:
    checked = [D.Bernoulli(probs=0.5, validate_args=True).prob(1), D.Beta(1.0, 1.0, validate_args=True).prob(0.5),
               D.Categorical(probs=[0.25, 0.75], validate_args=True).prob(1),
               D.Gamma(1.0, 2.0, validate_args=True).prob(1.0)]
    np.testing.assert_allclose(value(checked), [0.5, 1.0, 0.75, 2 * np.exp(-2)], rtol=1e-6)
