"""gc.contrib.distributions.bijectors: there and back, log determinants against differences and Jacobians; transformed
distributions as SciPy has them."""
from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import stats

import graphc as gc

D = gc.contrib.distributions
B = D.bijectors
TRIL = np.array([[2.0, 9.0, 9.0], [0.5, 1.0, 9.0], [-1.0, 3.0, 0.5]])
NUMBERS = {"identity": lambda: B.Identity(), "exp": lambda: B.Exp(), "softplus": lambda: B.Softplus(),
           "sharp": lambda: B.Softplus(hinge_softness=np.float64(0.5)), "sigmoid": lambda: B.Sigmoid(),
           "power": lambda: B.PowerTransform(2.0), "line": lambda: B.AffineScalar(np.float64(1.0), np.float64(-3.0)),
           "inverted": lambda: B.Invert(B.Softplus()), "inline": lambda: B.Inline(
               gc.exp, gc.log, inverse_log_det_jacobian_fn=lambda y: -gc.log(y), forward_min_event_ndims=0),
           "chain": lambda: B.Chain([B.Exp(), B.AffineScalar(scale=np.float64(2.0)), B.Sigmoid()])}
VECTORS = {"diagonal": lambda: B.Affine(np.array([1.0, 2.0, 3.0]), 0.5, np.array([1.0, 2.0, -3.0])),
           "matrix": lambda: B.Affine(scale_tril=TRIL), "both": lambda: B.Affine(np.ones(3), 2.0, None, TRIL),
           "permuted": lambda: B.Permute([2, 0, 1]), "shift": lambda: B.Affine(np.ones(3)),
           "chain": lambda: B.Chain([B.Affine(scale_tril=TRIL), B.Permute([1, 2, 0]), B.Exp()])}
X = np.array([[0.2, 0.5, 1.1], [1.5, 0.1, 0.7]])


def value(tensors: Any, feeds: Any = None) -> Any:
    with gc.Session() as session:
        return session.run(tensors, feeds)


@pytest.mark.parametrize("name", NUMBERS)
def test_of_numbers(name: str) -> None:
    with gc.Graph().as_default():
        x = gc.placeholder_with_default(X, [None, 3])
        y = NUMBERS[name]().forward(x)
        back, slope = NUMBERS[name]().inverse(y), gc.gradients(y, x)[0]
        logs = [NUMBERS[name]().forward_log_det_jacobian(x, event_ndims=n) for n in (0, 1)]
        inverse = NUMBERS[name]().inverse_log_det_jacobian(y, event_ndims=1)
        found, slopes, each, summed, minus = value([back, slope, *logs, inverse])
    np.testing.assert_allclose(found, X, rtol=1e-9)
    np.testing.assert_allclose(np.broadcast_to(each, X.shape), np.log(np.abs(slopes)), rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(summed, np.log(np.abs(slopes)).sum(-1), rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(minus, -summed, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("name", VECTORS)
def test_of_vectors(name: str) -> None:
    with gc.Graph().as_default():
        x = gc.placeholder_with_default(X, [None, 3])
        y = VECTORS[name]().forward(x)
        rows = [gc.gradients(y[:, i], x)[0] for i in range(3)]
        logs = VECTORS[name]().forward_log_det_jacobian(x, event_ndims=1)
        back, minus = VECTORS[name]().inverse(y), VECTORS[name]().inverse_log_det_jacobian(y, event_ndims=1)
        found, jacobian, log, inverse = value([back, gc.stack(rows, 1), logs, minus])
    np.testing.assert_allclose(found, X, rtol=1e-9)
    np.testing.assert_allclose(log, np.linalg.slogdet(jacobian)[1], rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(inverse, -log, rtol=1e-9, atol=1e-12)


def test_shares() -> None:
    """Their logarithms come back, and the density of the shares of normal numbers is one over the plane."""
    shares = B.SoftmaxCentered()
    assert shares.forward_event_shape([3]).as_list() == [4] and shares.inverse_event_shape([4]).as_list() == [3]
    y = shares.forward(X)
    parts = np.concatenate([np.exp(X), np.ones((2, 1))], -1)
    np.testing.assert_allclose(value(y), parts / parts.sum(-1, keepdims=True), rtol=1e-12)
    logs = value(B.SoftmaxCentered().inverse_log_det_jacobian(y, event_ndims=1))
    np.testing.assert_allclose(logs, -np.log(value(y)).sum(-1) - 0.5 * np.log(4), rtol=1e-9)


def test_there_and_back_is_exact() -> None:
    """A sample's probability is that of what it was made of: nothing is lost where a function is flat."""
    with gc.Graph().as_default():
        flat = D.TransformedDistribution(D.Normal(np.float32(40.0), 1.0), B.Sigmoid())
        y = flat.sample(5, seed=1)
        assert np.isfinite(value(flat.log_prob(y))).all()
        softplus = B.Softplus()
        x = gc.constant([1.0])
        assert softplus.inverse(softplus.forward(x)) is x
        inside = gc.cond(gc.constant(True), lambda: softplus.forward(2.0 * x), lambda: x)
        assert value([inside, softplus.forward(2.0 * x)])[0].shape == (1,)


def test_transformed_numbers() -> None:
    d = D.TransformedDistribution(D.Normal(np.array([0.0, 1.0]), np.float64(0.5)), B.Exp())
    assert (d.batch_shape.as_list(), d.event_shape.as_list()) == ([2], [])
    of = stats.lognorm(0.5, scale=np.exp([0.0, 1.0]))
    x = np.array([0.5, 4.0])
    logs, cdf, quantile, drawn, survival = value([d.log_prob(x), d.cdf(x), d.quantile(np.float64(0.3)),
                                                  d.sample(20_000, seed=3), d.survival_function(x)])
    np.testing.assert_allclose(logs, of.logpdf(x), rtol=1e-9)
    np.testing.assert_allclose(cdf, of.cdf(x), rtol=1e-9)
    np.testing.assert_allclose(survival, of.sf(x), rtol=1e-9)
    np.testing.assert_allclose(quantile, of.ppf(0.3), rtol=1e-6)
    np.testing.assert_allclose(np.log(drawn).mean(0), [0.0, 1.0], atol=0.02)
    with pytest.raises(NotImplementedError, match="mean is not implemented"):
        d.mean()
    line = D.TransformedDistribution(D.Normal(0.0, 1.0), B.AffineScalar(3.0, 2.0))
    np.testing.assert_allclose(value([line.mean(), line.entropy()]), [3.0, stats.norm(3, 2).entropy()], rtol=1e-6)


@pytest.mark.parametrize("rows", [[2], None], ids=["of a number", "of a batch"])
def test_transformed_vectors(rows: Any) -> None:
    """Events made of samples of numbers, and batches of them."""
    inner = D.Normal(np.float64(0.0), np.float64(1.0)) if rows else D.Normal(np.zeros(2), np.float64(1.0))
    d = D.TransformedDistribution(inner, B.Affine(np.arange(3.0), scale_tril=TRIL), batch_shape=rows, event_shape=[3])
    matrix = np.tril(TRIL)
    of = stats.multivariate_normal(np.arange(3.0), matrix @ matrix.T)
    assert (d.batch_shape.as_list(), d.event_shape.as_list()) == ([2], [3])
    drawn, logs, entropy, mean = value([d.sample(4000, seed=5), d.log_prob(X), d.entropy(), d.mean()])
    assert drawn.shape == (4000, 2, 3)
    np.testing.assert_allclose(logs, of.logpdf(X), rtol=1e-9)
    np.testing.assert_allclose(drawn.mean(0), np.broadcast_to(np.arange(3.0), (2, 3)), atol=0.2)
    np.testing.assert_allclose(np.cov(drawn[:, 1].T), matrix @ matrix.T, atol=0.6)
    np.testing.assert_allclose(entropy, np.full(2, of.entropy()), rtol=1e-9)
    np.testing.assert_allclose(mean, np.broadcast_to(np.arange(3.0), (2, 3)))
    with pytest.raises(NotImplementedError, match="an event has the shape"):
        d.cdf(X)


def test_of_unknown_sizes() -> None:
    with gc.Graph().as_default():
        scale = gc.placeholder(gc.float64, [None])
        d = D.TransformedDistribution(D.Normal(gc.zeros_like(scale), scale), B.Exp())
        assert value(d.sample(7), {scale: [1.0, 2.0]}).shape == (7, 2)
        assert value(d.log_prob(np.float64(1.0)), {scale: []}).shape == (0,)


def test_refusals() -> None:
    with pytest.raises(ValueError, match="an event has 1 axes or more"):
        B.Affine(scale_diag=[1.0]).forward_log_det_jacobian([1.0], event_ndims=0)
    with pytest.raises(ValueError, match="event_shape is given, but"):
        D.TransformedDistribution(D.MultivariateNormalDiag([0.0], [1.0]), event_shape=[2])
    with pytest.raises(NotImplementedError, match="forward is not implemented: Bijector"):
        B.Bijector().forward(1.0)
    with pytest.raises(TypeError, match="permutation must be of integers"):
        B.Permute([0.0, 1.0])
    with pytest.raises(ValueError, match="power must not be negative"):
        B.PowerTransform(-1.0)


@pytest.mark.parametrize("d, of", [
    (lambda: D.Chi2(np.array([1.5, 3.0])), stats.chi2([1.5, 3.0])),
    (lambda: D.InverseGamma(np.array([3.0, 2.5]), np.float64(2.0)), stats.invgamma([3.0, 2.5], scale=2.0)),
    (lambda: D.Logistic(np.array([0.0, 1.0]), np.float64(2.0)), stats.logistic([0.0, 1.0], 2.0))],
    ids=["chi2", "inverse gamma", "logistic"])
def test_further_distributions(d: Any, of: Any) -> None:
    d, x = d(), np.array([0.7, 2.2])
    logs, cdf, entropy, mean, variance, drawn = value(
        [d.log_prob(x), d.cdf(x), d.entropy(), d.mean(), d.variance(), d.sample(40_000, seed=2)])
    np.testing.assert_allclose(logs, of.logpdf(x), rtol=1e-9)
    np.testing.assert_allclose(cdf, of.cdf(x), rtol=1e-9)
    np.testing.assert_allclose(entropy, of.entropy(), rtol=1e-6)
    np.testing.assert_allclose(mean, of.mean(), rtol=1e-9)
    np.testing.assert_allclose(variance, of.var(), rtol=1e-9)
    np.testing.assert_allclose((drawn < x).mean(0), of.cdf(x), atol=0.01)
