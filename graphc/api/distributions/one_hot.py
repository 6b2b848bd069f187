"""Distributions over classes whose samples are vectors: OneHotCategorical, and its relaxation, which has gradients."""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from graphc.api.array.broadcast import broadcast_static_shape
from graphc.api.array.cast import cast
from graphc.api.array.fill import ones, ones_like
from graphc.api.array.gather import one_hot
from graphc.api.array.join import concat
from graphc.api.array.shapes import broadcast_dynamic_shape, expand_dims, reshape, shape
from graphc.api.array.transpose import transpose
from graphc.api.control.asserts import assert_near, assert_non_negative, assert_positive
from graphc.api.distributions.base import (
    FULLY_REPARAMETERIZED,
    NOT_REPARAMETERIZED,
    RegisterKL,
    checked,
    parameters_of,
)
from graphc.api.distributions.discrete import of_logits
from graphc.api.distributions.vectors import OfVectors, before_last
from graphc.api.math.reduce import argmax, reduce_sum
from graphc.api.math.special import lgamma
from graphc.api.math.unary import exp, log
from graphc.api.nn.softmax import log_softmax, softmax
from graphc.api.public import public
from graphc.api.random.random import random_uniform
from graphc.api.random.shuffle import multinomial
from graphc.ir.dtypes import int32
from graphc.ir.tensor import Tensor
from graphc.ir.tensor_shape import TensorShape


class _OfLogits(OfVectors):
    """What has logits [..., classes]; an event is a vector with a number a class."""

    _logits: Tensor
    _probs: Tensor

    logits = property(lambda self: self._logits, doc="Logarithms of probabilities, but for a common term.")
    probs = property(lambda self: self._probs, doc="Probabilities.")

    @property
    def event_size(self) -> Tensor:
        """The number of classes."""
        return shape(self._logits)[-1]

    def _both(self) -> TensorShape:
        return self._logits.shape

    def _both_tensor(self) -> Tensor:
        return shape(self._logits)


@public("contrib.distributions.OneHotCategorical")
class OneHotCategorical(_OfLogits):
    """Vectors with a 1 at the class, which is i with the probability softmax(logits)[..., i], and 0 elsewhere.

    logits or probs: [..., classes], floats; samples are of `dtype`. As `tf.contrib.distributions.OneHotCategorical`.
    Raises ValueError unless either logits or probs are given.

    >>> dice = gc.contrib.distributions.OneHotCategorical(probs=[0.5, 0.25, 0.25])
    >>> dice.prob([[0, 1, 0]]).eval(), dice.mode().eval()
    (array([0.25], dtype=float32), array([1, 0, 0], dtype=int32))
    >>> dice.sample(4, seed=1).eval().sum(axis=-1).tolist()
    [1, 1, 1, 1]
    """

    def __init__(self, logits: Any = None, probs: Any = None, dtype: Any = int32, validate_args: bool = False,
                 allow_nan_stats: bool = True, name: str = "OneHotCategorical") -> None:
        parameters = dict(locals())
        self._logits, self._probs = of_logits(logits, probs, classes=True, validate=validate_args)
        super().__init__(dtype, NOT_REPARAMETERIZED, validate_args, allow_nan_stats, parameters, name=name)

    def _assertions(self, value: Tensor) -> Sequence[Any]:
        return [assert_non_negative(value), assert_near(reduce_sum(cast(value, self._probs.dtype), -1),
                                                        ones([], self._probs.dtype), message="must sum to 1")]

    def _sample_n(self, n: Any, seed: int | None = None) -> Tensor:
        rows = reshape(self._logits, concat([[-1], [self.event_size]], 0))
        drawn = transpose(multinomial(rows, n, seed=seed, output_dtype=int32))
        vectors = one_hot(drawn, self.event_size, dtype=self.dtype)
        return reshape(vectors, concat([[n], shape(self._logits)], 0))

    def _log_prob(self, x: Tensor) -> Tensor:
        return reduce_sum(log_softmax(self._logits) * cast(x, self._logits.dtype), -1)

    def _entropy(self) -> Tensor:
        return -reduce_sum(log_softmax(self._logits) * self._probs, -1)

    def _mean(self) -> Tensor:
        return self._probs

    def _variance(self) -> Tensor:
        made: Tensor = self._probs * (1.0 - self._probs)
        return made

    def _mode(self) -> Tensor:
        return one_hot(argmax(self._logits, -1), self.event_size, dtype=self.dtype)


@public("contrib.distributions.ExpRelaxedOneHotCategorical")
class ExpRelaxedOneHotCategorical(_OfLogits):
    """Logarithms of RelaxedOneHotCategorical's vectors, of which densities are found without underflow.

    Parameters as there. As `tf.contrib.distributions.ExpRelaxedOneHotCategorical`.

    >>> relaxed = gc.contrib.distributions.ExpRelaxedOneHotCategorical(0.5, logits=[1., 2.])
    >>> float(gc.reduce_sum(gc.exp(relaxed.sample(seed=1))).eval().round(4))
    1.0
    """

    def __init__(self, temperature: Any, logits: Any = None, probs: Any = None, dtype: Any = None,
                 validate_args: bool = False, allow_nan_stats: bool = True,
                 name: str = "ExpRelaxedOneHotCategorical") -> None:
        parameters = dict(locals())
        self._logits, self._probs = of_logits(logits, probs, classes=True, validate=validate_args)
        given, _ = parameters_of(temperature=temperature, probs=self._probs)
        self._temperature = checked(given, [assert_positive(given)] if validate_args else [])
        super().__init__(dtype or self._probs.dtype, FULLY_REPARAMETERIZED, validate_args, allow_nan_stats, parameters,
                         name=name)

    temperature = property(lambda self: self._temperature, doc="How far from one-hot: 0 would be one-hot vectors.")

    def _batch_shape(self) -> TensorShape:
        made: TensorShape = broadcast_static_shape(self._temperature.shape, before_last(self._logits.shape))
        return made

    def _batch_shape_tensor(self) -> Tensor:
        return broadcast_dynamic_shape(shape(self._temperature), shape(self._logits)[:-1])

    def _sample_n(self, n: Any, seed: int | None = None) -> Tensor:
        sizes = concat([[n], self.batch_shape_tensor(), self.event_shape_tensor()], 0)
        # As there, never 0, of which the logarithm is infinite.
        least = np.finfo(self.dtype.as_numpy_dtype).tiny
        uniform = random_uniform(sizes, least, 1.0, self.dtype, seed)
        gumbel = -log(-log(uniform))
        return log_softmax((gumbel + self._logits) / expand_dims(self._temperature, -1))

    def _log_prob(self, x: Tensor) -> Tensor:
        temperature = expand_dims(self._temperature, -1)
        classes = cast(self.event_size, self.dtype)
        norm = lgamma(classes) + (classes - 1.0) * log(self._temperature)
        logits = self._logits * ones_like(x)
        free = log_softmax(logits - x * temperature)
        made: Tensor = reduce_sum(free, -1) + norm
        return made


@public("contrib.distributions.RelaxedOneHotCategorical")
class RelaxedOneHotCategorical(ExpRelaxedOneHotCategorical):
    """Vectors of positive numbers of which the sum is 1, close to one-hot ones if the temperature is low, with
    gradients by the parameters ("Gumbel-softmax", "Concrete").

    temperature: floats of the batch's shape, or ones that broadcast to it; logits or probs: [..., classes], floats. As
    `tf.contrib.distributions.RelaxedOneHotCategorical`. Raises ValueError unless either logits or probs are given.

    >>> relaxed = gc.contrib.distributions.RelaxedOneHotCategorical(0.5, probs=[0.2, 0.8])
    >>> relaxed.prob([0.3, 0.7]).eval()
    np.float32(0.4761)
    """

    def __init__(self, temperature: Any, logits: Any = None, probs: Any = None, dtype: Any = None,
                 validate_args: bool = False, allow_nan_stats: bool = True,
                 name: str = "RelaxedOneHotCategorical") -> None:
        super().__init__(temperature, logits, probs, dtype, validate_args, allow_nan_stats, name)

    def _sample_n(self, n: Any, seed: int | None = None) -> Tensor:
        return exp(super()._sample_n(n, seed))

    def _log_prob(self, x: Tensor) -> Tensor:
        made: Tensor = super()._log_prob(log(x)) - reduce_sum(log(x), -1)
        return made


@RegisterKL(OneHotCategorical, OneHotCategorical)
def _one_hots(a: OneHotCategorical, b: OneHotCategorical, name: str | None = None) -> Tensor:
    return reduce_sum(softmax(a.logits) * (log_softmax(a.logits) - log_softmax(b.logits)), -1)
