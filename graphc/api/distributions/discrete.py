"""Distributions of classes: Bernoulli and Categorical."""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from graphc.api.array.cast import cast
from graphc.api.array.fill import ones, ones_like, range_, zeros_like
from graphc.api.array.join import concat
from graphc.api.array.select import where_v2
from graphc.api.array.shapes import expand_dims, reshape, shape
from graphc.api.array.transpose import transpose
from graphc.api.control.asserts import assert_equal, assert_less_equal, assert_near, assert_non_negative
from graphc.api.distributions.base import NOT_REPARAMETERIZED, Distribution, RegisterKL, checked, parameters_of
from graphc.api.math.comparison import greater, less
from graphc.api.math.reduce import argmax, reduce_sum
from graphc.api.math.unary import floor, log, log1p
from graphc.api.nn.activations import sigmoid, softplus
from graphc.api.nn.losses import sigmoid_cross_entropy_with_logits, sparse_softmax_cross_entropy_with_logits
from graphc.api.nn.softmax import log_softmax, softmax
from graphc.api.public import public
from graphc.api.random.random import random_uniform
from graphc.api.random.shuffle import multinomial
from graphc.ir.dtypes import int32, int64
from graphc.ir.tensor import Tensor
from graphc.ir.tensor_shape import TensorShape


def of_logits(logits: Any, probs: Any, classes: bool, validate: bool) -> tuple[Tensor, Tensor]:
    """Both, of which one is given. Raises ValueError otherwise. validate: that probs are probabilities."""
    if (logits is None) == (probs is None):
        raise ValueError("Must pass probs or logits, but not both.")
    if logits is not None:
        logits, = parameters_of(logits=logits)
        return logits, softmax(logits) if classes else sigmoid(logits)
    probs, = parameters_of(probs=probs)
    if validate:
        one = ones([], probs.dtype)
        probs = checked(probs, [assert_non_negative(probs), assert_near(
            reduce_sum(probs, -1), one, message="probs does not sum to 1.") if classes else assert_less_equal(
            probs, one, message="probs has components greater than 1.")])
    return log(probs) if classes else log(probs) - log1p(-probs), probs


class _OfLogits(Distribution):
    _logits: Tensor
    _probs: Tensor

    logits = property(lambda self: self._logits, doc="Logarithms of odds, or of probabilities but for a common term.")
    probs = property(lambda self: self._probs, doc="Probabilities.")

    def _assertions(self, value: Tensor) -> Sequence[Any]:
        whole = [] if value.dtype.is_integer else [assert_equal(value, floor(value), message="sample must be whole")]
        return [*whole, assert_non_negative(value, message="sample must be non-negative")]


@public("distributions.Bernoulli", "contrib.distributions.Bernoulli")
class Bernoulli(_OfLogits):
    """1 with the probability probs = sigmoid(logits), else 0; samples are of `dtype`.

    logits or probs: floats of any shape, that of the batch (TypeError for arrays of integers). As
    `tf.distributions.Bernoulli`. Raises ValueError unless either logits or probs are given.

    >>> coin = gc.distributions.Bernoulli(probs=[0.5, 0.9])
    >>> coin.prob([1, 0]).eval(), coin.variance().eval()
    (array([0.5, 0.1], dtype=float32), array([0.25, 0.09], dtype=float32))
    """

    def __init__(self, logits: Any = None, probs: Any = None, dtype: Any = int32, validate_args: bool = False,
                 allow_nan_stats: bool = True, name: str = "Bernoulli") -> None:
        parameters = dict(locals())
        self._logits, self._probs = of_logits(logits, probs, classes=False, validate=validate_args)
        super().__init__(dtype, NOT_REPARAMETERIZED, validate_args, allow_nan_stats, parameters, name=name)

    def _batch_shape(self) -> TensorShape:
        return self._logits.shape

    def _batch_shape_tensor(self) -> Tensor:
        return shape(self._logits)

    def _assertions(self, value: Tensor) -> Sequence[Any]:
        return [*super()._assertions(value),
                assert_less_equal(value, ones_like(value), message="sample must be 0 or 1")]

    def _sample_n(self, n: Any, seed: int | None = None) -> Tensor:
        sizes = concat([[n], self.batch_shape_tensor()], 0)
        return cast(less(random_uniform(sizes, dtype=self.probs.dtype, seed=seed), self.probs), self.dtype)

    def _log_prob(self, event: Tensor) -> Tensor:
        event = cast(event, self.logits.dtype)
        logits, event = ones_like(event) * self.logits, ones_like(self.logits) * event
        return -sigmoid_cross_entropy_with_logits(labels=event, logits=logits)

    def _entropy(self) -> Tensor:
        made: Tensor = -self.logits * (sigmoid(self.logits) - 1.0) + softplus(-self.logits)
        return made

    def _mean(self) -> Tensor:
        made: Tensor = self.probs
        return made

    def _variance(self) -> Tensor:
        made: Tensor = self.probs * (1.0 - self.probs)
        return made

    def _mode(self) -> Tensor:
        return cast(greater(self.probs, 0.5), self.dtype)


@public("distributions.Categorical", "contrib.distributions.Categorical")
class Categorical(_OfLogits):
    """Class i with the probability probs[..., i] = softmax(logits)[..., i]; samples are of `dtype`.

    As `tf.distributions.Categorical`. Raises ValueError unless either logits or probs are given.

    >>> dice = gc.distributions.Categorical(probs=[0.5, 0.25, 0.25])
    >>> dice.prob([0, 2]).eval(), dice.mode().eval()
    (array([0.5 , 0.25], dtype=float32), np.int32(0))
    >>> sorted(set(dice.sample(100, seed=1).eval().tolist()))
    [0, 1, 2]
    """

    def __init__(self, logits: Any = None, probs: Any = None, dtype: Any = int32, validate_args: bool = False,
                 allow_nan_stats: bool = True, name: str = "Categorical") -> None:
        parameters = dict(locals())
        self._logits, self._probs = of_logits(logits, probs, classes=True, validate=validate_args)
        super().__init__(dtype, NOT_REPARAMETERIZED, validate_args, allow_nan_stats, parameters, name=name)

    @property
    def event_size(self) -> Tensor:
        """The number of classes."""
        return shape(self._logits)[-1]

    def _batch_shape(self) -> TensorShape:
        known = self._logits.shape
        return known if known.ndims is None else known[:-1]

    def _batch_shape_tensor(self) -> Tensor:
        return shape(self._logits)[:-1]

    def _sample_n(self, n: Any, seed: int | None = None) -> Tensor:
        rows = reshape(self.logits, concat([[-1], [self.event_size]], 0))
        drawn = multinomial(rows, n, seed=seed, output_dtype=int64 if self.dtype == int64 else int32)
        return cast(reshape(transpose(drawn), concat([[n], self.batch_shape_tensor()], 0)), self.dtype)

    def _together(self, k: Tensor, parameter: Tensor) -> tuple[Tensor, Tensor]:
        """Classes and rows of the parameter, one for each other."""
        k = k if k.dtype.is_integer else cast(k, int32)
        rows = parameter * ones_like(expand_dims(k, -1), parameter.dtype)
        return k * ones(shape(rows)[:-1], k.dtype), rows

    def _log_prob(self, k: Tensor) -> Tensor:
        k, logits = self._together(k, self.logits)
        return -sparse_softmax_cross_entropy_with_logits(labels=k, logits=logits)

    def _cdf(self, k: Tensor) -> Tensor:
        """The sum over the classes below k, as in TensorFlow."""
        k, probs = self._together(k, self.probs)
        below = less(range_(cast(self.event_size, k.dtype)), expand_dims(k, -1))
        return reduce_sum(where_v2(below, probs, zeros_like(probs)), axis=-1)

    def _entropy(self) -> Tensor:
        return -reduce_sum(log_softmax(self.logits) * self.probs, axis=-1)

    def _mode(self) -> Tensor:
        return cast(argmax(self.logits, axis=-1), self.dtype)


@RegisterKL(Bernoulli, Bernoulli)
def _bernoullis(a: Bernoulli, b: Bernoulli, name: str | None = None) -> Tensor:
    missed = softplus(-b.logits) - softplus(-a.logits)
    hit = softplus(b.logits) - softplus(a.logits)
    made: Tensor = sigmoid(a.logits) * missed + sigmoid(-a.logits) * hit
    return made


@RegisterKL(Categorical, Categorical)
def _categoricals(a: Categorical, b: Categorical, name: str | None = None) -> Tensor:
    return reduce_sum(softmax(a.logits) * (log_softmax(a.logits) - log_softmax(b.logits)), axis=-1)
