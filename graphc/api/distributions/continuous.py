"""Distributions of numbers: Normal, Laplace, Logistic and Uniform."""
from __future__ import annotations

import math
from typing import Any

import numpy as np

from graphc.api.array.broadcast import broadcast_static_shape
from graphc.api.array.fill import ones, ones_like, zeros_like
from graphc.api.array.identity import stop_gradient
from graphc.api.array.join import concat
from graphc.api.array.select import where_v2
from graphc.api.array.shapes import broadcast_dynamic_shape, shape
from graphc.api.control.asserts import assert_less, assert_positive
from graphc.api.distributions.base import FULLY_REPARAMETERIZED, Distribution, RegisterKL, checked, parameters_of
from graphc.api.math.binary import maximum, minimum
from graphc.api.math.comparison import equal, greater, greater_equal, is_nan, less, logical_or
from graphc.api.math.special import erfc
from graphc.api.math.unary import abs, exp, expm1, log, log1p, sign, sqrt, square
from graphc.api.nn.activations import sigmoid, softplus
from graphc.api.public import public
from graphc.api.random.random import random_normal, random_uniform
from graphc.ir.dtypes import float32
from graphc.ir.tensor import Tensor
from graphc.ir.tensor_shape import TensorShape


class OfTwo(Distribution):
    """What has two parameters, `_first` and `_second`, that broadcast."""

    _first: Tensor
    _second: Tensor

    def _batch_shape(self) -> TensorShape:
        made: TensorShape = broadcast_static_shape(self._first.shape, self._second.shape)
        return made

    def _batch_shape_tensor(self) -> Tensor:
        return broadcast_dynamic_shape(shape(self._first), shape(self._second))

    def _shape_of(self, n: Any) -> Tensor:
        return concat([[n], self.batch_shape_tensor()], 0)

    def _take(self, first: Any, second: Any, names: tuple[str, str], positive: tuple[bool, bool],
                       validate: bool) -> None:
        """Takes both. positive: which of them must be."""
        both = parameters_of(**dict(zip(names, (first, second), strict=True)))
        self._first, self._second = (checked(t, [assert_positive(t)] if validate and needed else [])
                                     for t, needed in zip(both, positive, strict=True))

    def _whole(self, x: Tensor) -> Tensor:
        """x for every distribution of the batch."""
        return x * ones(self.batch_shape_tensor(), self.dtype)


def ndtr(x: Tensor) -> Tensor:
    """The standard normal distribution's cumulative probability."""
    made: Tensor = 0.5 * erfc(-x * math.sqrt(0.5))
    return made


def log_ndtr(x: Tensor) -> Tensor:
    """Its logarithm: far below 0 by the asymptotic series."""
    low = -10.0 if x.dtype == float32 else -20.0
    tail = where_v2(less(x, low), x, low * ones_like(x))
    inverse = 1.0 / square(tail)
    series = 1.0 - inverse * (1.0 - 3.0 * inverse * (1.0 - 5.0 * inverse))
    far = -0.5 * square(tail) - log(-tail) - 0.5 * math.log(2 * math.pi) + log(series)
    near = log(ndtr(maximum(x, low)))
    return where_v2(greater(x, 0.0), log1p(-ndtr(-x)), where_v2(greater(x, low), near, far))


def ndtri(p: Tensor) -> Tensor:
    """The x of which ndtr(x) is p: Winitzki's approximation, then steps of Halley's method in the lower tail, where
    ndtr keeps its digits. Below 0 and above 1: NaN."""
    lower = minimum(p, 1.0 - p)
    q = where_v2(greater(lower, 0.0), lower, 0.5 * ones_like(lower))
    logs = log(4.0 * q * (1.0 - q))
    half = 2.0 / (math.pi * 0.147) + 0.5 * logs
    x = stop_gradient(-math.sqrt(2.0) * sqrt(maximum(sqrt(square(half) - logs / 0.147) - half, 0.0)))
    for _ in range(3):
        step = (ndtr(x) - q) * math.sqrt(2 * math.pi) * exp(0.5 * square(x))
        x = x - step / (1.0 + 0.5 * x * step)
    x = where_v2(equal(lower, 0.0), float("-inf") * ones_like(x), x)
    x = where_v2(greater_equal(lower, 0.0), x, float("nan") * ones_like(x))
    return where_v2(greater(p, 0.5), -x, x)


@public("distributions.Normal", "contrib.distributions.Normal")
class Normal(OfTwo):
    """Normal distributions with the mean loc and the standard deviation scale, which broadcast.

    Parameters: floats; Python integers become float32. As `tf.distributions.Normal`. Raises TypeError for tensors or
    arrays of another dtype, ValueError for two dtypes, and when it is first used if shapes do not broadcast.

    >>> normal = gc.distributions.Normal(loc=[1., 2.], scale=0.5)
    >>> normal.prob([1., 2.5]).eval(), normal.entropy().eval()
    (array([0.7979, 0.4839], dtype=float32), array([0.7258, 0.7258], dtype=float32))
    >>> normal.quantile(0.975).eval()
    array([1.98, 2.98], dtype=float32)
    """

    def __init__(self, loc: Any, scale: Any, validate_args: bool = False, allow_nan_stats: bool = True,
                 name: str = "Normal") -> None:
        parameters = dict(locals())
        self._take(loc, scale, ("loc", "scale"), (False, True), validate_args)
        super().__init__(self._first.dtype, FULLY_REPARAMETERIZED, validate_args, allow_nan_stats, parameters,
                         name=name)

    loc = property(lambda self: self._first, doc="The mean.")
    scale = property(lambda self: self._second, doc="The standard deviation.")

    def _sample_n(self, n: Any, seed: int | None = None) -> Tensor:
        made: Tensor = random_normal(self._shape_of(n), dtype=self.dtype, seed=seed) * self.scale + self.loc
        return made

    def _z(self, x: Tensor) -> Tensor:
        made: Tensor = (x - self.loc) / self.scale
        return made

    def _log_prob(self, x: Tensor) -> Tensor:
        return -0.5 * square(self._z(x)) - (0.5 * math.log(2 * math.pi) + log(self.scale))

    def _cdf(self, x: Tensor) -> Tensor:
        return ndtr(self._z(x))

    def _log_cdf(self, x: Tensor) -> Tensor:
        return log_ndtr(self._z(x))

    def _quantile(self, p: Tensor) -> Tensor:
        made: Tensor = self.loc + self.scale * ndtri(p)
        return made

    def _survival_function(self, x: Tensor) -> Tensor:
        return ndtr(-self._z(x))

    def _log_survival_function(self, x: Tensor) -> Tensor:
        return log_ndtr(-self._z(x))

    def _entropy(self) -> Tensor:
        return 0.5 * math.log(2 * math.pi * math.e) + log(self._whole(self.scale))

    def _mean(self) -> Tensor:
        return self._whole(self.loc)

    def _stddev(self) -> Tensor:
        return self._whole(self.scale)

    _mode = _mean


@public("distributions.Laplace", "contrib.distributions.Laplace")
class Laplace(OfTwo):
    """Distributions of density exp(-|x - loc| / scale) / (2 scale). As `tf.distributions.Laplace`.

    loc and scale broadcast; parameters and errors as of `gc.distributions.Normal`.

    >>> laplace = gc.distributions.Laplace(0., [1., 2.])
    >>> laplace.prob(0.).eval(), laplace.stddev().eval()
    (array([0.5 , 0.25], dtype=float32), array([1.4142, 2.8284], dtype=float32))
    """

    def __init__(self, loc: Any, scale: Any, validate_args: bool = False, allow_nan_stats: bool = True,
                 name: str = "Laplace") -> None:
        parameters = dict(locals())
        self._take(loc, scale, ("loc", "scale"), (False, True), validate_args)
        super().__init__(self._first.dtype, FULLY_REPARAMETERIZED, validate_args, allow_nan_stats, parameters,
                         name=name)

    loc = property(lambda self: self._first, doc="The mean.")
    scale = property(lambda self: self._second, doc="The mean distance from loc.")

    def _sample_n(self, n: Any, seed: int | None = None) -> Tensor:
        # From -1, which random numbers may be, upwards: log1p(-1) would be infinite.
        lowest = -1.0 + (2.0**-24 if self.dtype == float32 else 2.0**-53)
        u = random_uniform(self._shape_of(n), lowest, 1.0, self.dtype, seed)
        made: Tensor = self.loc - self.scale * sign(u) * log1p(-abs(u))
        return made

    def _z(self, x: Tensor) -> Tensor:
        made: Tensor = (x - self.loc) / self.scale
        return made

    def _log_prob(self, x: Tensor) -> Tensor:
        return -abs(self._z(x)) - math.log(2.0) - log(self.scale)

    def _cdf(self, x: Tensor) -> Tensor:
        z = self._z(x)
        made: Tensor = 0.5 + 0.5 * sign(z) * -expm1(-abs(z))
        return made

    def _log_cdf(self, x: Tensor) -> Tensor:
        return _log_below(self._z(x))

    def _log_survival_function(self, x: Tensor) -> Tensor:
        return _log_below(-self._z(x))

    def _entropy(self) -> Tensor:
        made: Tensor = math.log(2.0) + 1.0 + log(self._whole(self.scale))
        return made

    def _mean(self) -> Tensor:
        return self._whole(self.loc)

    def _stddev(self) -> Tensor:
        return math.sqrt(2.0) * self._whole(self.scale)

    _mode = _mean


def _log_below(z: Tensor) -> Tensor:
    """The logarithm of the standard Laplace distribution's cumulative probability."""
    return where_v2(less(z, 0.0), z - math.log(2.0), log1p(-0.5 * exp(-abs(z))))


@public("contrib.distributions.Logistic")
class Logistic(OfTwo):
    """Logistic distributions, of the cdf sigmoid((x - loc) / scale). As `tf.contrib.distributions.Logistic`.

    loc and scale broadcast; parameters and errors as of `gc.distributions.Normal`.

    >>> logistic = gc.contrib.distributions.Logistic(loc=[0., 1.], scale=1.)
    >>> logistic.cdf(1.).eval(), logistic.prob(1.).eval()
    (array([0.7311, 0.5   ], dtype=float32), array([0.1966, 0.25  ], dtype=float32))
    """

    def __init__(self, loc: Any, scale: Any, validate_args: bool = False, allow_nan_stats: bool = True,
                 name: str = "Logistic") -> None:
        parameters = dict(locals())
        self._take(loc, scale, ("loc", "scale"), (False, True), validate_args)
        super().__init__(self._first.dtype, FULLY_REPARAMETERIZED, validate_args, allow_nan_stats, parameters,
                         name=name)

    loc = property(lambda self: self._first, doc="The mean.")
    scale = property(lambda self: self._second, doc="How wide it is.")

    def _sample_n(self, n: Any, seed: int | None = None) -> Tensor:
        # Above 0 and below 1, where the logarithms are finite.
        u = random_uniform(self._shape_of(n), self.dtype.as_numpy_dtype(np.finfo(self.dtype.as_numpy_dtype).tiny), 1.0,
                           self.dtype, seed)
        made: Tensor = self.loc + self.scale * (log(u) - log1p(-u))
        return made

    def _z(self, x: Tensor) -> Tensor:
        made: Tensor = (x - self.loc) / self.scale
        return made

    def _log_prob(self, x: Tensor) -> Tensor:
        z = self._z(x)
        made: Tensor = -z - 2.0 * softplus(-z) - log(self.scale)
        return made

    def _cdf(self, x: Tensor) -> Tensor:
        return sigmoid(self._z(x))

    def _log_cdf(self, x: Tensor) -> Tensor:
        return -softplus(-self._z(x))

    def _survival_function(self, x: Tensor) -> Tensor:
        return sigmoid(-self._z(x))

    def _log_survival_function(self, x: Tensor) -> Tensor:
        return -softplus(self._z(x))

    def _quantile(self, p: Tensor) -> Tensor:
        made: Tensor = self.loc + self.scale * (log(p) - log1p(-p))
        return made

    def _entropy(self) -> Tensor:
        return 2.0 + log(self._whole(self.scale))

    def _mean(self) -> Tensor:
        return self._whole(self.loc)

    def _mode(self) -> Tensor:
        return self._whole(self.loc)

    def _stddev(self) -> Tensor:
        made: Tensor = self._whole(self.scale) * (math.pi / math.sqrt(3.0))
        return made


@public("distributions.Uniform", "contrib.distributions.Uniform")
class Uniform(OfTwo):
    """Distributions of all numbers in [low, high) alike. As `tf.distributions.Uniform`.

    low and high broadcast; parameters and errors as of `gc.distributions.Normal`.

    >>> uniform = gc.distributions.Uniform(0., [2., 4.])
    >>> uniform.prob([1., 5.]).eval(), uniform.mean().eval()
    (array([0.5, 0. ], dtype=float32), array([1., 2.], dtype=float32))
    """

    def __init__(self, low: Any = 0.0, high: Any = 1.0, validate_args: bool = False, allow_nan_stats: bool = True,
                 name: str = "Uniform") -> None:
        parameters = dict(locals())
        self._take(low, high, ("low", "high"), (False, False), validate_args)
        if validate_args:
            checks = [assert_less(self._first, self._second, message="uniform not defined when low >= high.")]
            self._first = checked(self._first, checks)
        super().__init__(self._first.dtype, FULLY_REPARAMETERIZED, validate_args, allow_nan_stats, parameters,
                         name=name)

    low = property(lambda self: self._first, doc="The lower bound, which is drawn.")
    high = property(lambda self: self._second, doc="The upper bound, which is not.")

    def range(self, name: str = "range") -> Tensor:
        """high - low."""
        made: Tensor = self.high - self.low
        return made

    def _sample_n(self, n: Any, seed: int | None = None) -> Tensor:
        made: Tensor = self.low + self.range() * random_uniform(self._shape_of(n), dtype=self.dtype, seed=seed)
        return made

    def _prob(self, x: Tensor) -> Tensor:
        x = self._whole(x)
        outside = logical_or(less(x, self.low), greater_equal(x, self.high))
        return where_v2(is_nan(x), x, where_v2(outside, zeros_like(x), ones_like(x) / self.range()))

    def _cdf(self, x: Tensor) -> Tensor:
        x = self._whole(x)
        inner = where_v2(less(x, self.low), zeros_like(x), (x - self.low) / self.range())
        return where_v2(greater_equal(x, self.high), ones_like(x), inner)

    def _entropy(self) -> Tensor:
        return log(self.range())

    def _mean(self) -> Tensor:
        made: Tensor = (self.low + self.high) / 2.0
        return made

    def _variance(self) -> Tensor:
        made: Tensor = square(self.range()) / 12.0
        return made


@RegisterKL(Normal, Normal)
def _normals(a: Normal, b: Normal, name: str | None = None) -> Tensor:
    ratio = square(a.scale) / square(b.scale)
    made: Tensor = square(a.loc - b.loc) / (2.0 * square(b.scale)) + 0.5 * (ratio - 1.0 - log(ratio))
    return made
