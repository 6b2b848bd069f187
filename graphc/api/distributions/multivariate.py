"""Distributions of vectors: MultivariateNormalDiag."""
from __future__ import annotations

import math
from typing import Any

from graphc.api.array.broadcast import broadcast_static_shape
from graphc.api.array.diagonal import matrix_diag
from graphc.api.array.fill import ones, ones_like
from graphc.api.array.join import concat
from graphc.api.array.shapes import broadcast_dynamic_shape, expand_dims, shape
from graphc.api.control.asserts import assert_positive
from graphc.api.distributions.base import FULLY_REPARAMETERIZED, RegisterKL, checked, parameters_of
from graphc.api.distributions.vectors import OfVectors
from graphc.api.math.reduce import reduce_sum
from graphc.api.math.unary import abs, log, square
from graphc.api.public import public
from graphc.api.random.random import random_normal
from graphc.ir.tensor import Tensor
from graphc.ir.tensor_shape import TensorShape


class NormalVectors(OfVectors):
    """Vectors of normal numbers. _loc: their means."""

    _loc: Tensor

    loc = property(lambda self: self._loc, doc="The means.")

    def _whole(self, x: Tensor) -> Tensor:
        return x * ones(self._both_tensor(), self.dtype)

    def _mean(self) -> Tensor:
        return self._whole(self._loc)

    _mode = _mean


@public("contrib.distributions.MultivariateNormalDiag")
class MultivariateNormalDiag(NormalVectors):
    """Vectors of independent normal numbers with means loc and deviations scale_diag + scale_identity_multiplier.

    loc, scale_diag: [..., size]; an event is a vector. scale_identity_multiplier: [...]; all are floats. As
    `tf.contrib.distributions.MultivariateNormalDiag`. Raises ValueError without loc and scale_diag, TypeError for
    arrays of integers.

    >>> vectors = gc.contrib.distributions.MultivariateNormalDiag(loc=[0., 1.], scale_diag=[1., 2.])
    >>> vectors.event_shape.as_list(), vectors.prob([[0., 1.]]).eval()
    ([2], array([0.0796], dtype=float32))
    >>> vectors.covariance().eval()
    array([[1., 0.],
           [0., 4.]], dtype=float32)
    """

    def __init__(self, loc: Any = None, scale_diag: Any = None, scale_identity_multiplier: Any = None,
                 validate_args: bool = False, allow_nan_stats: bool = True,
                 name: str = "MultivariateNormalDiag") -> None:
        parameters = dict(locals())
        given = {"loc": loc, "scale_diag": scale_diag, "scale_identity_multiplier": scale_identity_multiplier}
        present = [key for key, v in given.items() if v is not None]
        made = dict(zip(present, parameters_of(**{key: given[key] for key in present}), strict=True))
        mean, deviation, factor = (made.get(key) for key in given)
        if mean is None and deviation is None:
            raise ValueError("MultivariateNormalDiag: loc or scale_diag must be given: they say how many numbers a "
                             "vector has")
        if deviation is None:
            assert mean is not None
            deviation = ones_like(mean) if factor is None else ones_like(mean) * expand_dims(factor, -1)
        elif factor is not None:
            deviation = deviation + expand_dims(factor, -1)
        self._deviation = checked(deviation, [assert_positive(abs(deviation))] if validate_args else [])
        self._loc = 0.0 * self._deviation if mean is None else mean
        super().__init__(self._deviation.dtype, FULLY_REPARAMETERIZED, validate_args, allow_nan_stats, parameters,
                         name=name)

    def _both(self) -> TensorShape:
        made: TensorShape = broadcast_static_shape(self._loc.shape, self._deviation.shape)
        return made

    def _both_tensor(self) -> Tensor:
        return broadcast_dynamic_shape(shape(self._loc), shape(self._deviation))

    def _sample_n(self, n: Any, seed: int | None = None) -> Tensor:
        drawn = random_normal(concat([[n], self._both_tensor()], 0), dtype=self.dtype, seed=seed)
        made: Tensor = drawn * self._deviation + self._loc
        return made

    def _log_prob(self, x: Tensor) -> Tensor:
        z = (x - self._loc) / self._deviation
        return reduce_sum(-0.5 * square(z) - 0.5 * math.log(2 * math.pi) - log(abs(self._deviation)), -1)

    def _entropy(self) -> Tensor:
        return reduce_sum(0.5 * math.log(2 * math.pi * math.e) + log(abs(self._whole(self._deviation))), -1)

    def _variance(self) -> Tensor:
        return square(self._whole(self._deviation))

    def _stddev(self) -> Tensor:
        return abs(self._whole(self._deviation))

    def _covariance(self) -> Tensor:
        return matrix_diag(square(self._whole(self._deviation)))


@RegisterKL(MultivariateNormalDiag, MultivariateNormalDiag)
def _normals(a: MultivariateNormalDiag, b: MultivariateNormalDiag, name: str | None = None) -> Tensor:
    ratio = square(a._deviation / b._deviation)
    return reduce_sum(0.5 * (square((a.loc - b.loc) / b._deviation) + ratio - 1.0 - log(ratio)), -1)
