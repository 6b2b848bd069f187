"""Student's t distribution."""
from __future__ import annotations

import math
from typing import Any

from graphc.api.array.broadcast import broadcast_static_shape
from graphc.api.array.fill import ones, ones_like
from graphc.api.array.identity import identity
from graphc.api.array.join import concat
from graphc.api.array.select import where_v2
from graphc.api.array.shapes import broadcast_dynamic_shape, shape
from graphc.api.control.asserts import assert_positive
from graphc.api.distributions.base import NOT_REPARAMETERIZED, Distribution, checked, parameters_of
from graphc.api.math.comparison import greater, less
from graphc.api.math.special import betainc, digamma, lgamma
from graphc.api.math.unary import abs, log, log1p, rsqrt, square
from graphc.api.public import public
from graphc.api.random.random import random_normal
from graphc.api.random.shuffle import random_gamma
from graphc.ir.tensor import Tensor
from graphc.ir.tensor_shape import TensorShape


@public("distributions.StudentT", "contrib.distributions.StudentT")
class StudentT(Distribution):
    """loc + scale * t, where t has Student's distribution of df degrees of freedom.

    df, loc and scale broadcast; parameters and errors as of `gc.distributions.Normal`. The mean is not defined unless
    df is above 1; up to 2 the variance is infinite. As `tf.distributions.StudentT`.

    >>> t = gc.distributions.StudentT(df=[1., 3.], loc=0., scale=2.)
    >>> t.prob(0.).eval(), t.mean().eval(), t.variance().eval()
    (array([0.1592, 0.1838], dtype=float32), array([nan,  0.], dtype=float32), array([nan, 12.], dtype=float32))
    """

    def __init__(self, df: Any, loc: Any, scale: Any, validate_args: bool = False, allow_nan_stats: bool = True,
                 name: str = "StudentT") -> None:
        parameters = dict(locals())
        freedom, self._loc, self._scale = parameters_of(df=df, loc=loc, scale=scale)
        self._df = checked(freedom, [assert_positive(freedom)] if validate_args else [])
        super().__init__(self._df.dtype, NOT_REPARAMETERIZED, validate_args, allow_nan_stats, parameters, name=name)

    df = property(lambda self: self._df, doc="The degrees of freedom.")
    loc = property(lambda self: self._loc, doc="The middle.")
    scale = property(lambda self: self._scale, doc="How far it is stretched: not its standard deviation.")

    def _batch_shape(self) -> TensorShape:
        made: TensorShape = broadcast_static_shape(self._df.shape,
                                                   broadcast_static_shape(self._loc.shape, self._scale.shape))
        return made

    def _batch_shape_tensor(self) -> Tensor:
        both = broadcast_dynamic_shape(shape(self._loc), shape(self._scale))
        return broadcast_dynamic_shape(shape(self._df), both)

    def _whole(self, x: Tensor) -> Tensor:
        return x * ones(self.batch_shape_tensor(), self.dtype)

    def _sample_n(self, n: Any, seed: int | None = None) -> Tensor:
        drawn = random_normal(concat([[n], self.batch_shape_tensor()], 0), dtype=self.dtype, seed=seed)
        freedom = self._whole(self._df)
        squares = random_gamma([n], 0.5 * freedom, 0.5, self.dtype, None if seed is None else seed + 1)
        made: Tensor = drawn * rsqrt(squares / freedom) * self._scale + self._loc
        return made

    def _log_prob(self, x: Tensor) -> Tensor:
        y = (x - self._loc) / self._scale
        norm = (log(abs(self._scale)) + 0.5 * log(self._df) + 0.5 * math.log(math.pi) + lgamma(0.5 * self._df)
                - lgamma(0.5 * (self._df + 1.0)))
        made: Tensor = -0.5 * (self._df + 1.0) * log1p(square(y) / self._df) - norm
        return made

    def _cdf(self, x: Tensor) -> Tensor:
        y = self._whole((x - self._loc) / abs(self._scale))
        freedom = self._df * ones_like(y)
        below = 0.5 * betainc(0.5 * freedom, 0.5 * ones_like(y), freedom / (square(y) + freedom))
        return where_v2(less(y, 0.0), below, 1.0 - below)

    def _entropy(self) -> Tensor:
        half = 0.5 * self._whole(self._df)
        log_beta = lgamma(half) + 0.5 * math.log(math.pi) - lgamma(half + 0.5)
        made: Tensor = (log(abs(self._scale)) + 0.5 * log(self._df) + log_beta
                        + (half + 0.5) * (digamma(half + 0.5) - digamma(half)))
        return made

    def _mean(self) -> Tensor:
        return self._where_defined(self._whole(self._loc), greater(self._whole(self._df), 1.0),
                                   "mean not defined for components of df <= 1")

    def _variance(self) -> Tensor:
        freedom = self._whole(self._df)
        finite = greater(freedom, 2.0)
        # The inner choice keeps the gradient of what is not chosen from being NaN.
        found = square(self._scale) * freedom / where_v2(finite, freedom - 2.0, ones_like(freedom))
        made = where_v2(finite, found, float("inf") * ones_like(freedom))
        return self._where_defined(made, greater(freedom, 1.0), "variance not defined for components of df <= 1")

    def _mode(self) -> Tensor:
        return identity(self._loc)
