"""Special functions: first gradients where there are no second ones, values at the edges, and what is made of them."""
from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import special

import graphc as gc
from graphc.exec.reference import run_reference

A, X = np.array([0.4, 1.5, 7.0, 30.0]), np.array([0.7, 1.1, 9.0, 25.0])


@pytest.fixture(autouse=True)
def graph():
    with gc.Graph().as_default() as made:
        yield made


def close(tensor, expected, tolerance=1e-12):
    with gc.Session() as session:
        np.testing.assert_allclose(session.run(tensor), expected, rtol=tolerance)
    np.testing.assert_allclose(run_reference(tensor), expected, rtol=tolerance)


def difference(function, x, step=1e-6):
    return (function(x + step) - function(x - step)) / (2 * step)


@pytest.mark.parametrize("name", ["igamma", "igammac"])
def test_gradients_of_incomplete_gamma_functions(name):
    a, x = gc.constant(A), gc.constant(X)
    exact = {"igamma": special.gammainc, "igammac": special.gammaincc}[name]
    y = getattr(gc, name)(a, x)
    close(y, exact(A, X))
    by_a, by_x = gc.gradients(y, [a, x])
    close(by_a, difference(lambda v: exact(v, X), A), 1e-7)
    close(by_x, difference(lambda v: exact(A, v), X), 1e-7)
    close(gc.gradients(by_x, x)[0], difference(lambda v: np.exp(-v + (A - 1) * np.log(v) - special.gammaln(A)), X)
          * (1 if name == "igamma" else -1), 1e-7)
    with pytest.raises(LookupError, match="IgammaGradA"):
        gc.gradients(by_a, a)


def test_gradients_are_summed_to_what_was_broadcast():
    a, x = gc.constant(A[:, None]), gc.constant(X)
    by_a, by_x = gc.gradients(gc.igamma(a, x), [a, x])
    assert by_a.shape.as_list() == [4, 1] and by_x.shape.as_list() == [4]
    rows = difference(lambda v: special.gammainc(v[:, None], X).sum(1), A)
    close(by_a, rows[:, None], 1e-7)


@pytest.mark.parametrize("large", [2e4, 1e6, 1e9])
def test_incomplete_gamma_functions_of_large_arguments(large):
    """Near a = x, where SciPy's own are exact."""
    a = np.full(4, large)
    x = large + math.sqrt(large) * np.array([-1, 0, 0.5, 1])
    close(gc.igamma(a, x), special.gammainc(a, x), 1e-11)
    close(gc.igammac(a, x), special.gammaincc(a, x), 1e-11)
    a_ = gc.constant(a)
    step = math.sqrt(large) * 1e-3
    slope = (special.gammainc(a + step, x) - special.gammainc(a - step, x)) / (2 * step)
    close(gc.gradients(gc.igamma(a_, x), a_)[0], slope, 1e-5)


def test_gradient_of_the_incomplete_beta_function():
    x = gc.constant(np.array([0.1, 0.5, 0.9]))
    y = gc.betainc(2.0, 3.5, x)
    close(y, special.betainc(2.0, 3.5, [0.1, 0.5, 0.9]))
    close(gc.gradients(y, x)[0], difference(lambda v: special.betainc(2.0, 3.5, v), np.array([0.1, 0.5, 0.9])), 1e-7)
    with pytest.raises(ValueError, match="must have one shape or be scalars"):
        gc.betainc(np.ones((2, 3)), np.ones(3), np.float64(0.5))
    with pytest.raises(ValueError, match="Betainc"):
        gc.betainc(np.ones((2, 3)), np.ones((4, 3)), np.float64(0.5))


def test_functions_made_of_others():
    close(gc.lbeta([[1.0, 2.0], [3.0, 4.5]]), [special.betaln(1, 2), special.betaln(3, 4.5)], 1e-5)
    close(gc.math.bessel_i0(np.array([-1.5, 0, 20])), special.i0([-1.5, 0, 20]))
    close(gc.math.bessel_i1(np.array([-1.5, 0, 20])), special.i1([-1.5, 0, 20]))
    close(gc.math.polyval([2.0, 0.5, -1.0], np.array([1.0, 3.0])), np.polyval([2, 0.5, -1], [1, 3]))
    close(gc.math.polyval([], np.array([1.0, 3.0])), [0, 0])


def test_edges_as_in_tensorflow():
    inf, nan = np.inf, np.nan
    close(gc.digamma(np.array([0.0, -1, inf, -1.5])), [nan, nan, inf, special.psi(-1.5)])
    close(gc.lgamma(np.array([0.0, -2, inf, -inf, -1.5])), [inf, inf, inf, inf, special.gammaln(-1.5)])
    close(gc.zeta(np.array([1, 0.5, 2, 2, 2.5, 3, inf]), np.array([2, 2, 0, -1.5, -1.5, -1.5, 2])),
          [inf, nan, inf, 9.379246644989124, nan, special.zeta(3, 2.5), 0])
    close(gc.polygamma(np.array([0.0, 1, -1, 1.5, 2]), np.array([2.0, -1.5, 2, 2, inf])),
          [special.psi(2), 9.379246644989124, nan, nan, 0])
    close(gc.igamma(np.array([0.0, 0, 1, -1, 1]), np.array([0.0, 1, 0, 1, inf])), [0, nan, 0, nan, 1])
    close(gc.igammac(np.array([0.0, 1, 1]), np.array([1.0, 0, inf])), [nan, 1, 0])
    x = np.array([0, 0.5, 1, -0.1, 1.1])
    close(gc.betainc(np.array([1, 0, 2, 2, 2.0]), np.float64(2), x), [0, nan, 1, nan, nan])
    close(gc.math.xlogy(np.array([0.0, 0, 0, 1]), np.array([0, nan, -1, 0])), [0, 0, 0, -inf])
    close(gc.math.xdivy(np.array([0.0, 0, 1]), np.array([0, nan, 0])), [0, 0, inf])
    close(gc.math.multiply_no_nan(np.array([nan, inf, 1]), np.array([0.0, 0, nan])), [0, 0, nan])
    close(gc.div_no_nan(np.array([nan, inf, 1]), np.array([0.0, 0, nan])), [0, 0, nan])
    close(gc.math.nextafter(np.array([0.0, 1, nan]), np.array([-1.0, 2, 1])), [-5e-324, 1 + 2**-52, nan], 0)


def test_gradients_at_what_is_left_out():
    """Where a factor is 0 nothing comes of the other one, be it NaN or infinite."""
    x, y = gc.constant([0.0, 2.0]), gc.constant([0.0, 3.0])
    close(gc.gradients(gc.div_no_nan(x, y), [x, y]), [[0, 1 / 3], [0, -2 / 9]], 1e-6)
    close(gc.gradients(gc.math.xlogy(x, y), [x, y]), [[0, math.log(3)], [0, 2 / 3]], 1e-6)
    close(gc.gradients(gc.math.xdivy(x, y), [x, y]), [[0, 1 / 3], [0, -2 / 9]], 1e-6)
    close(gc.gradients(gc.math.multiply_no_nan(x, y), [x, y]), [[0, 3], [0, 2]], 1e-6)
    close(gc.gradients(gc.math.nextafter(x, y), [x, y]), [[1, 1], [0, 0]])
