"""Distributions of numbers of events: Binomial, Poisson."""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from graphc.api.array.broadcast import broadcast_static_shape
from graphc.api.array.cast import cast
from graphc.api.array.fill import ones, ones_like, range_
from graphc.api.array.join import concat
from graphc.api.array.select import where_v2
from graphc.api.array.shapes import broadcast_dynamic_shape, expand_dims, reshape, shape
from graphc.api.control.asserts import assert_equal, assert_less_equal, assert_non_negative, assert_positive
from graphc.api.distributions.base import NOT_REPARAMETERIZED, Distribution, checked, parameters_of
from graphc.api.distributions.discrete import of_logits
from graphc.api.math.comparison import equal, greater_equal, less
from graphc.api.math.reduce import reduce_max, reduce_sum
from graphc.api.math.special import betainc, igammac, lgamma
from graphc.api.math.unary import exp, floor, log
from graphc.api.public import public
from graphc.api.random.random import random_uniform
from graphc.api.random.shuffle import random_poisson
from graphc.ir.dtypes import int32
from graphc.ir.tensor import Tensor
from graphc.ir.tensor_shape import TensorShape


@public("contrib.distributions.Binomial")
class Binomial(Distribution):
    """How many of total_count coins show heads, each with the probability probs = sigmoid(logits).

    total_count: floats of whole values; all broadcast. As `tf.contrib.distributions.Binomial`, but that `sample` works,
    too. Raises ValueError unless either logits or probs are given.

    >>> heads = gc.contrib.distributions.Binomial(total_count=4., probs=[0.5, 0.25])
    >>> heads.mean().eval(), heads.prob(2.).eval(), heads.cdf(2.).eval()
    (array([2., 1.], dtype=float32), array([0.375 , 0.2109], dtype=float32), array([0.6875, 0.9492], dtype=float32))
    """

    def __init__(self, total_count: Any, logits: Any = None, probs: Any = None, validate_args: bool = False,
                 allow_nan_stats: bool = True, name: str = "Binomial") -> None:
        parameters = dict(locals())
        self._logits, self._probs = of_logits(logits, probs, classes=False, validate=validate_args)
        total, _ = parameters_of(total_count=total_count, probs=self._probs)
        self._total_count = checked(total, [assert_non_negative(total)] if validate_args else [])
        super().__init__(self._probs.dtype, NOT_REPARAMETERIZED, validate_args, allow_nan_stats, parameters, name=name)

    total_count = property(lambda self: self._total_count, doc="How many coins there are.")
    logits = property(lambda self: self._logits, doc="Logarithms of odds.")
    probs = property(lambda self: self._probs, doc="Probabilities of heads.")

    def _batch_shape(self) -> TensorShape:
        made: TensorShape = broadcast_static_shape(self._total_count.shape, self._probs.shape)
        return made

    def _batch_shape_tensor(self) -> Tensor:
        return broadcast_dynamic_shape(shape(self._total_count), shape(self._probs))

    def _assertions(self, value: Tensor) -> Sequence[Any]:
        return [assert_non_negative(value, message="counts must be non-negative"),
                assert_equal(value, floor(value), message="counts must be whole"),
                assert_less_equal(value, self._total_count, message="counts must be at most total_count")]

    def _sample_n(self, n: Any, seed: int | None = None) -> Tensor:
        whole = ones(self.batch_shape_tensor(), self.dtype)
        total = cast(reshape(self._total_count * whole, [-1]), int32)
        most = reduce_max(concat([total, [0]], 0))
        heads = less(random_uniform([n, shape(total)[0], most], dtype=self.dtype, seed=seed),
                     reshape(self._probs * whole, [1, -1, 1]))
        tossed = less(range_(most), expand_dims(total, -1))
        made = reduce_sum(cast(heads & tossed, self.dtype), -1)
        return reshape(made, concat([[n], self.batch_shape_tensor()], 0))

    def _log_prob(self, counts: Tensor) -> Tensor:
        rest = self._total_count - counts
        combinations = lgamma(self._total_count + 1.0) - lgamma(counts + 1.0) - lgamma(rest + 1.0)
        made: Tensor = combinations + counts * log(self._probs) + rest * log(1.0 - self._probs)
        return made

    def _cdf(self, counts: Tensor) -> Tensor:
        whole = ones(self.batch_shape_tensor(), self.dtype) * ones_like(counts)
        rest = (self._total_count - counts) * whole
        all_of_them = equal(rest, 0.0)
        below = betainc(where_v2(all_of_them, whole, rest), (counts + 1.0) * whole, (1.0 - self._probs) * whole)
        return where_v2(all_of_them, whole, below)

    def _mean(self) -> Tensor:
        made: Tensor = self._total_count * self._probs
        return made

    def _variance(self) -> Tensor:
        made: Tensor = self._mean() * (1.0 - self._probs)
        return made

    def _mode(self) -> Tensor:
        return floor((1.0 + self._total_count) * self._probs)


@public("contrib.distributions.Poisson")
class Poisson(Distribution):
    """How many events of a rate come about: k of them with the probability rate ** k exp(-rate) / k!.

    rate, or log_rate: floats of any shape, that of the batch. interpolate_nondiscrete: what is no whole number has the
    density of that formula with Gamma(k + 1) for k!; otherwise it has probability 0, and its cdf is that of the whole
    number below. As `tf.contrib.distributions.Poisson`. Raises ValueError unless one of both is given.

    >>> events = gc.contrib.distributions.Poisson(rate=[1., 3.])
    >>> events.prob(2.).eval(), events.cdf(1.).eval(), events.mode().eval()
    (array([0.1839, 0.224 ], dtype=float32), array([0.7358, 0.1991], dtype=float32), array([1., 3.], dtype=float32))
    """

    def __init__(self, rate: Any = None, log_rate: Any = None, interpolate_nondiscrete: bool = True,
                 validate_args: bool = False, allow_nan_stats: bool = True, name: str = "Poisson") -> None:
        parameters = dict(locals())
        if (rate is None) == (log_rate is None):
            raise ValueError("Must specify exactly one of `rate` and `log_rate`.")
        if log_rate is None:
            rate, = parameters_of(rate=rate)
            self._rate = checked(rate, [assert_positive(rate)] if validate_args else [])
            self._log_rate = log(self._rate)
        else:
            self._log_rate, = parameters_of(log_rate=log_rate)
            self._rate = exp(self._log_rate)
        self._interpolates = interpolate_nondiscrete
        super().__init__(self._rate.dtype, NOT_REPARAMETERIZED, validate_args, allow_nan_stats, parameters, name=name)

    rate = property(lambda self: self._rate, doc="The mean.")
    log_rate = property(lambda self: self._log_rate, doc="Its logarithm.")
    interpolate_nondiscrete = property(lambda self: self._interpolates, doc="Whether other than whole numbers count.")

    def _batch_shape(self) -> TensorShape:
        return self._rate.shape

    def _batch_shape_tensor(self) -> Tensor:
        return shape(self._rate)

    def _assertions(self, value: Tensor) -> Sequence[Any]:
        whole = [] if self._interpolates else [assert_equal(value, floor(value), message="sample must be whole")]
        return [*whole, assert_non_negative(value, message="sample must be non-negative")]

    def _sample_n(self, n: Any, seed: int | None = None) -> Tensor:
        return random_poisson(self._rate, [n], dtype=self.dtype, seed=seed)

    def _log_prob(self, x: Tensor) -> Tensor:
        norm = lgamma(1.0 + x)
        made: Tensor = x * self._log_rate - norm - self._rate
        if self._interpolates:
            return made
        return where_v2(equal(x, floor(x)) & greater_equal(x, 0.0), made, float("-inf") * ones_like(made))

    def _cdf(self, x: Tensor) -> Tensor:
        whole = ones_like(x * self._rate)
        some = greater_equal(x * whole, 0.0)
        at = where_v2(some, (x if self._interpolates else floor(x)) * whole, 0.0 * whole)
        return where_v2(some, igammac(1.0 + at, self._rate * whole), 0.0 * whole)

    def _mean(self) -> Tensor:
        made: Tensor = self._rate
        return made

    _variance = _mean

    def _mode(self) -> Tensor:
        return floor(self._rate)
