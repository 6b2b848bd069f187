"""Distributions of positive numbers: Gamma, Exponential, Chi2, InverseGamma and Beta."""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from graphc.api.array.fill import ones_like
from graphc.api.control.asserts import assert_less, assert_positive
from graphc.api.distributions.base import FULLY_REPARAMETERIZED, RegisterKL, parameters_of
from graphc.api.distributions.continuous import OfTwo
from graphc.api.math.binary import maximum
from graphc.api.math.comparison import greater, less
from graphc.api.math.special import betainc, digamma, igamma, igammac, lgamma
from graphc.api.math.unary import expm1, log, log1p, square
from graphc.api.public import public
from graphc.api.random.random import random_uniform
from graphc.api.random.shuffle import random_gamma
from graphc.ir.tensor import Tensor


@public("distributions.Gamma", "contrib.distributions.Gamma")
class Gamma(OfTwo):
    """Distributions of density x ^ (concentration - 1) exp(-rate x), normalised, for x > 0.

    concentration and rate broadcast; parameters and errors as of `gc.distributions.Normal`. As
    `tf.distributions.Gamma`. The mode is not defined for a concentration of 1 or less.

    >>> gamma = gc.distributions.Gamma(concentration=[2., 3.], rate=2.)
    >>> gamma.mean().eval(), gamma.mode().eval()
    (array([1. , 1.5], dtype=float32), array([0.5, 1. ], dtype=float32))
    """

    def __init__(self, concentration: Any, rate: Any, validate_args: bool = False, allow_nan_stats: bool = True,
                 name: str = "Gamma") -> None:
        parameters = dict(locals())
        self._take(concentration, rate, ("concentration", "rate"), (True, True), validate_args)
        super().__init__(self._first.dtype, FULLY_REPARAMETERIZED, validate_args, allow_nan_stats, parameters,
                         name=name)

    concentration = property(lambda self: self._first, doc="The shape.")
    rate = property(lambda self: self._second, doc="The inverse scale.")

    def _assertions(self, value: Tensor) -> Sequence[Any]:
        return [assert_positive(value, message="sample must be positive")]

    def _sample_n(self, n: Any, seed: int | None = None) -> Tensor:
        return random_gamma([n], self.concentration, self.rate, self.dtype, seed)

    def _log_prob(self, x: Tensor) -> Tensor:
        made: Tensor = ((self.concentration - 1.0) * log(x) - self.rate * x - lgamma(self.concentration)
                        + self.concentration * log(self.rate))
        return made

    def _cdf(self, x: Tensor) -> Tensor:
        made: Tensor = igamma(self._whole(self.concentration) * ones_like(x), self.rate * self._whole(x))
        return made

    def _entropy(self) -> Tensor:
        a = self.concentration
        made: Tensor = a - log(self.rate) + lgamma(a) + (1.0 - a) * digamma(a)
        return made

    def _mean(self) -> Tensor:
        made: Tensor = self.concentration / self.rate
        return made

    def _variance(self) -> Tensor:
        made: Tensor = self.concentration / square(self.rate)
        return made

    def _mode(self) -> Tensor:
        made = (self.concentration - 1.0) / self.rate
        return self._where_defined(made, greater(self._whole(self.concentration), 1.0),
                                   "mode not defined when any concentration <= 1")


@public("distributions.Exponential", "contrib.distributions.Exponential")
class Exponential(Gamma):
    """Distributions of density rate exp(-rate x), for x >= 0. As `tf.distributions.Exponential`.

    rate: floats of any shape, that of the batch. Raises TypeError for arrays of another dtype.

    >>> exponential = gc.distributions.Exponential(rate=[1., 2.])
    >>> exponential.mean().eval(), exponential.cdf(1.).eval()
    (array([1. , 0.5], dtype=float32), array([0.6321, 0.8647], dtype=float32))
    """

    def __init__(self, rate: Any, validate_args: bool = False, allow_nan_stats: bool = True,
                 name: str = "Exponential") -> None:
        parameters = dict(locals())
        rate, = parameters_of(rate=rate)
        super().__init__(ones_like(rate), rate, validate_args, allow_nan_stats, name)
        self._parameters = parameters

    def _sample_n(self, n: Any, seed: int | None = None) -> Tensor:
        # 1 - u is never 0, of which the logarithm is infinite.
        u = random_uniform(self._shape_of(n), dtype=self.dtype, seed=seed)
        made: Tensor = -log1p(-u) / self.rate
        return made

    def _cdf(self, x: Tensor) -> Tensor:
        made: Tensor = -expm1(-self.rate * x)
        return made

    def _log_survival_function(self, x: Tensor) -> Tensor:
        made: Tensor = -self.rate * x
        return made


@public("contrib.distributions.Chi2")
class Chi2(Gamma):
    """Distributions of the sum of the squares of df standard normal numbers. As `tf.contrib.distributions.Chi2`.

    df: floats above 0 of any shape, that of the batch. Raises TypeError for arrays of another dtype.

    >>> chi2 = gc.contrib.distributions.Chi2(df=[2., 3.])
    >>> chi2.mean().eval(), chi2.cdf(2.).eval()
    (array([2., 3.], dtype=float32), array([0.6321, 0.4276], dtype=float32))
    """

    def __init__(self, df: Any, validate_args: bool = False, allow_nan_stats: bool = True,
                 name: str = "Chi2") -> None:
        parameters = dict(locals())
        self._df, = parameters_of(df=df)
        super().__init__(0.5 * self._df, 0.5 * ones_like(self._df), validate_args, allow_nan_stats, name)
        self._parameters = parameters

    df = property(lambda self: self._df, doc="The degrees of freedom.")


@public("contrib.distributions.InverseGamma")
class InverseGamma(OfTwo):
    """Distributions of 1 / x of x that `gc.distributions.Gamma` draws: of density x ^ (-concentration - 1) exp(-rate /
    x), normalised, for x > 0.

    concentration and rate broadcast; parameters and errors as of `gc.distributions.Normal`. As
    `tf.contrib.distributions.InverseGamma`. The mean is not defined for a concentration of 1 or less, the variance for
    one of 2 or less.

    >>> inverse = gc.contrib.distributions.InverseGamma(concentration=3., rate=[2., 4.])
    >>> inverse.mean().eval(), inverse.mode().eval()
    (array([1., 2.], dtype=float32), array([0.5, 1. ], dtype=float32))
    """

    def __init__(self, concentration: Any, rate: Any, validate_args: bool = False, allow_nan_stats: bool = True,
                 name: str = "InverseGamma") -> None:
        parameters = dict(locals())
        self._take(concentration, rate, ("concentration", "rate"), (True, True), validate_args)
        super().__init__(self._first.dtype, FULLY_REPARAMETERIZED, validate_args, allow_nan_stats, parameters,
                         name=name)

    concentration = property(lambda self: self._first, doc="The shape.")
    rate = property(lambda self: self._second, doc="The scale.")

    def _assertions(self, value: Tensor) -> Sequence[Any]:
        return [assert_positive(value, message="sample must be positive")]

    def _sample_n(self, n: Any, seed: int | None = None) -> Tensor:
        made: Tensor = 1.0 / random_gamma([n], self.concentration, self.rate, self.dtype, seed)
        return made

    def _log_prob(self, x: Tensor) -> Tensor:
        made: Tensor = (self.concentration * log(self.rate) - lgamma(self.concentration)
                        - (self.concentration + 1.0) * log(x) - self.rate / x)
        return made

    def _cdf(self, x: Tensor) -> Tensor:
        made: Tensor = igammac(self._whole(self.concentration) * ones_like(x), self.rate / self._whole(x))
        return made

    def _entropy(self) -> Tensor:
        a = self.concentration
        made: Tensor = a + log(self.rate) + lgamma(a) - (1.0 + a) * digamma(a)
        return made

    def _mean(self) -> Tensor:
        made: Tensor = self.rate / (self.concentration - 1.0)
        return self._where_defined(made, greater(self._whole(self.concentration), 1.0),
                                   "mean undefined when any concentration <= 1")

    def _variance(self) -> Tensor:
        made = square(self.rate) / square(self.concentration - 1.0) / (self.concentration - 2.0)
        return self._where_defined(made, greater(self._whole(self.concentration), 2.0),
                                   "variance undefined when any concentration <= 2")

    def _mode(self) -> Tensor:
        made: Tensor = self.rate / (1.0 + self.concentration)
        return made


@public("distributions.Beta", "contrib.distributions.Beta")
class Beta(OfTwo):
    """Distributions of density x ^ (concentration1 - 1) (1 - x) ^ (concentration0 - 1), normalised, for x from 0 to 1.

    Both broadcast, and must be given (ValueError); parameters and errors as of `gc.distributions.Normal`. As
    `tf.distributions.Beta`. The mode is not defined unless both are above 1.

    >>> beta = gc.distributions.Beta(2., [3., 0.5])
    >>> beta.mean().eval(), beta.mode().eval()
    (array([0.4, 0.8], dtype=float32), array([0.3333,    nan], dtype=float32))
    """

    def __init__(self, concentration1: Any = None, concentration0: Any = None, validate_args: bool = False,
                 allow_nan_stats: bool = True, name: str = "Beta") -> None:
        parameters = dict(locals())
        self._take(concentration1, concentration0, ("concentration1", "concentration0"), (True, True),
                            validate_args)
        super().__init__(self._first.dtype, FULLY_REPARAMETERIZED, validate_args, allow_nan_stats, parameters,
                         name=name)

    concentration1 = property(lambda self: self._first, doc="Of x.")
    concentration0 = property(lambda self: self._second, doc="Of 1 - x.")
    total_concentration = property(lambda self: self._first + self._second, doc="The sum of both.")

    def _assertions(self, value: Tensor) -> Sequence[Any]:
        return [assert_positive(value, message="sample must be positive"),
                assert_less(value, ones_like(value), message="sample must be less than `1`.")]

    def _sample_n(self, n: Any, seed: int | None = None) -> Tensor:
        a, b = self._whole(self._first), self._whole(self._second)
        x = random_gamma([n], a, dtype=self.dtype, seed=seed)
        y = random_gamma([n], b, dtype=self.dtype, seed=None if seed is None else seed + 1)
        made: Tensor = x / (x + y)
        return made

    def _log_norm(self) -> Tensor:
        made: Tensor = lgamma(self._first) + lgamma(self._second) - lgamma(self.total_concentration)
        return made

    def _log_prob(self, x: Tensor) -> Tensor:
        made: Tensor = (self._first - 1.0) * log(x) + (self._second - 1.0) * log1p(-x) - self._log_norm()
        return made

    def _cdf(self, x: Tensor) -> Tensor:
        like = ones_like(self._whole(x))
        made: Tensor = betainc(self._first * like, self._second * like, x * like)
        return made

    def _entropy(self) -> Tensor:
        a, b, total = self._first, self._second, self.total_concentration
        made: Tensor = (self._log_norm() - (a - 1.0) * digamma(a) - (b - 1.0) * digamma(b)
                        + (total - 2.0) * digamma(total))
        return made

    def _mean(self) -> Tensor:
        made: Tensor = self._first / self.total_concentration
        return made

    def _variance(self) -> Tensor:
        mean, total = self._mean(), self.total_concentration
        made: Tensor = mean * (1.0 - mean) / (1.0 + total)
        return made

    def _mode(self) -> Tensor:
        made = (self._first - 1.0) / (self.total_concentration - 2.0)
        sharp = less(maximum(-self._whole(self._first), -self._whole(self._second)), -1.0)
        return self._where_defined(made, sharp, "Mode undefined for concentration1 <= 1 or concentration0 <= 1.")


@RegisterKL(Gamma, Gamma)
def _gammas(a: Gamma, b: Gamma, name: str | None = None) -> Tensor:
    made: Tensor = ((a.concentration - b.concentration) * digamma(a.concentration) + lgamma(b.concentration)
                    - lgamma(a.concentration) + b.concentration * log(a.rate) - b.concentration * log(b.rate)
                    + a.concentration * (b.rate / a.rate - 1.0))
    return made


@RegisterKL(Beta, Beta)
def _betas(a: Beta, b: Beta, name: str | None = None) -> Tensor:
    made: Tensor = (b._log_norm() - a._log_norm() + (a._first - b._first) * digamma(a._first)
                    + (a._second - b._second) * digamma(a._second)
                    + (b.total_concentration - a.total_concentration) * digamma(a.total_concentration))
    return made
