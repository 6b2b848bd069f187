"""Distributions over shares and counts of classes: Dirichlet, Multinomial and DirichletMultinomial."""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from graphc.api.array.cast import cast
from graphc.api.array.diagonal import matrix_set_diag
from graphc.api.array.fill import ones, ones_like, range_
from graphc.api.array.join import concat
from graphc.api.array.shapes import expand_dims, reshape, shape
from graphc.api.control.asserts import assert_equal, assert_near, assert_non_negative, assert_positive
from graphc.api.distributions.base import (
    FULLY_REPARAMETERIZED,
    NOT_REPARAMETERIZED,
    RegisterKL,
    checked,
    parameters_of,
)
from graphc.api.distributions.discrete import of_logits
from graphc.api.distributions.vectors import OfVectors
from graphc.api.math.comparison import greater, less
from graphc.api.math.no_nan import xlogy
from graphc.api.math.reduce import reduce_all, reduce_max, reduce_sum
from graphc.api.math.segments import unsorted_segment_sum
from graphc.api.math.special import digamma, lbeta, lgamma
from graphc.api.math.unary import floor, log
from graphc.api.nn.softmax import log_softmax
from graphc.api.public import public
from graphc.api.random.shuffle import multinomial, random_gamma
from graphc.ir.dtypes import int32
from graphc.ir.tensor import Tensor
from graphc.ir.tensor_shape import TensorShape


class _OfClasses(OfVectors):
    """What gives each of `_classes`' last axis a number: its shape is that of the batch and the classes."""

    _classes: Tensor

    def _both(self) -> TensorShape:
        return self._classes.shape

    def _both_tensor(self) -> Tensor:
        return shape(self._classes)


def log_combinations(n: Any, counts: Any) -> Tensor:
    """The logarithm of the number of orders in which n things of these kinds can stand: n! / (counts[0]! ...)."""
    made: Tensor = lgamma(n + 1.0) - reduce_sum(lgamma(counts + 1.0), -1)
    return made


def _outer(x: Tensor) -> Tensor:
    made: Tensor = expand_dims(x, -1) * expand_dims(x, -2)
    return made


def _positive(concentration: Tensor, validate: bool) -> Tensor:
    return checked(concentration, [assert_positive(
        concentration, message="Concentration parameter must be positive.")] if validate else [])


def drawn_counts(logits: Tensor, totals: Tensor, n: Any, seed: int | None) -> Tensor:
    """n times how often each class came in totals[r] draws from row r of the logits: [n, rows, classes]."""
    rows, classes = shape(logits)[0], shape(logits)[1]
    most = reduce_max(concat([totals, [0]], 0))
    drawn = reshape(multinomial(logits, n * most, seed=seed, output_dtype=int32), [rows, n, most])
    counted = less(reshape(range_(most), [1, 1, -1]), reshape(totals, [-1, 1, 1]))
    places = (reshape(range_(n), [1, -1, 1]) * rows + reshape(range_(rows), [-1, 1, 1])) * classes + drawn
    counts = unsorted_segment_sum(reshape(cast(counted, int32) * ones_like(drawn), [-1]), reshape(places, [-1]),
                                  n * rows * classes)
    return reshape(counts, [n, rows, classes])


@public("distributions.Dirichlet", "contrib.distributions.Dirichlet")
class Dirichlet(_OfClasses):
    """Shares of classes, positive numbers of which the sum is 1: of density prod(x ** (concentration - 1)), normalised.

    concentration: [..., classes], positive floats. As `tf.distributions.Dirichlet`. The mode is not defined unless all
    are above 1. Raises TypeError for arrays of integers.

    >>> shares = gc.distributions.Dirichlet([1., 2., 3.])
    >>> shares.mean().eval(), shares.prob([0.2, 0.3, 0.5]).eval()
    (array([0.1667, 0.3333, 0.5   ], dtype=float32), np.float32(4.5))
    """

    def __init__(self, concentration: Any, validate_args: bool = False, allow_nan_stats: bool = True,
                 name: str = "Dirichlet") -> None:
        parameters = dict(locals())
        made, = parameters_of(concentration=concentration)
        self._classes = _positive(made, validate_args)
        self._total = reduce_sum(self._classes, -1)
        super().__init__(made.dtype, FULLY_REPARAMETERIZED, validate_args, allow_nan_stats, parameters, name=name)

    concentration = property(lambda self: self._classes, doc="Of each class.")
    total_concentration = property(lambda self: self._total, doc="The sum over the classes.")

    def _assertions(self, value: Tensor) -> Sequence[Any]:
        return [assert_positive(value, message="samples must be positive"),
                assert_near(reduce_sum(value, -1), ones([], self.dtype), message="samples must sum to 1")]

    def _sample_n(self, n: Any, seed: int | None = None) -> Tensor:
        parts = random_gamma([n], self._classes, dtype=self.dtype, seed=seed)
        made: Tensor = parts / reduce_sum(parts, -1, keepdims=True)
        return made

    def _log_prob(self, x: Tensor) -> Tensor:
        made: Tensor = reduce_sum(xlogy(self._classes - 1.0, x), -1) - lbeta(self._classes)
        return made

    def _entropy(self) -> Tensor:
        classes = cast(shape(self._classes)[-1], self.dtype)
        made: Tensor = (lbeta(self._classes) + (self._total - classes) * digamma(self._total)
                        - reduce_sum((self._classes - 1.0) * digamma(self._classes), -1))
        return made

    def _mean(self) -> Tensor:
        made: Tensor = self._classes / expand_dims(self._total, -1)
        return made

    def _variance(self) -> Tensor:
        mean = self._mean()
        made: Tensor = mean * (1.0 - mean) / (1.0 + expand_dims(self._total, -1))
        return made

    def _covariance(self) -> Tensor:
        off = -_outer(self._mean()) / (1.0 + reshape(self._total, concat([shape(self._total), [1, 1]], 0)))
        return matrix_set_diag(off, self._variance())

    def _mode(self) -> Tensor:
        classes = cast(shape(self._classes)[-1], self.dtype)
        made = (self._classes - 1.0) / (expand_dims(self._total, -1) - classes)
        sharp = reduce_all(greater(self._classes, 1.0), -1, keepdims=True)
        return self._where_defined(made, sharp, "Mode undefined when any concentration <= 1")


class _Counts(_OfClasses):
    """total_count things, how many are of each class."""

    _total_count: Tensor

    total_count = property(lambda self: self._total_count, doc="How many things there are.")

    def _assertions(self, value: Tensor) -> Sequence[Any]:
        return [assert_non_negative(value, message="counts must be non-negative"),
                assert_equal(value, floor(value), message="counts must be whole"),
                assert_equal(self._total_count, reduce_sum(value, -1),
                             message="counts must sum to `self.total_count`")]

    def _take(self, total_count: Tensor, classes: Tensor, validate: bool) -> None:
        self._total_count = checked(total_count, [
            assert_non_negative(total_count, message="total_count must be non-negative."),
            assert_equal(total_count, floor(total_count), message="total_count must be whole")] if validate else [])
        self._classes = classes * ones_like(expand_dims(self._total_count, -1))

    def _totals(self) -> Tensor:
        return reshape(cast(self._total_count, int32) * ones(self.batch_shape_tensor(), int32), [-1])

    def _as_samples(self, counts: Tensor, n: Any) -> Tensor:
        return cast(reshape(counts, concat([[n], shape(self._classes)], 0)), self.dtype)


@public("distributions.Multinomial", "contrib.distributions.Multinomial")
class Multinomial(_Counts):
    """How often each class comes up in total_count draws with the probabilities probs = softmax(logits).

    total_count: floats of whole values; logits or probs: [..., classes], floats; both broadcast. Samples are of their
    dtype. As `tf.distributions.Multinomial`. Raises ValueError unless either logits or probs are given.

    >>> dice = gc.distributions.Multinomial(total_count=4., probs=[0.5, 0.25, 0.25])
    >>> dice.mean().eval(), dice.prob([2., 1., 1.]).eval()
    (array([2., 1., 1.], dtype=float32), np.float32(0.1875))
    >>> dice.sample(3, seed=1).eval().sum(axis=1)
    array([4., 4., 4.], dtype=float32)
    """

    def __init__(self, total_count: Any, logits: Any = None, probs: Any = None, validate_args: bool = False,
                 allow_nan_stats: bool = True, name: str = "Multinomial") -> None:
        parameters = dict(locals())
        self._logits, self._probs = of_logits(logits, probs, classes=True, validate=validate_args)
        total, _ = parameters_of(total_count=total_count, probs=self._probs)
        self._take(total, self._probs, validate_args)
        super().__init__(self._probs.dtype, NOT_REPARAMETERIZED, validate_args, allow_nan_stats, parameters, name=name)

    logits = property(lambda self: self._logits, doc="Logarithms of probabilities, but for a common term.")
    probs = property(lambda self: self._probs, doc="Probabilities.")

    def _sample_n(self, n: Any, seed: int | None = None) -> Tensor:
        logits = self._logits * ones_like(self._classes)
        rows = reshape(logits, [-1, shape(logits)[-1]])
        return self._as_samples(drawn_counts(rows, self._totals(), n, seed), n)

    def _log_prob(self, counts: Tensor) -> Tensor:
        made: Tensor = log_combinations(self._total_count, counts) + reduce_sum(
            counts * log_softmax(self._logits), -1)
        return made

    def _mean(self) -> Tensor:
        made: Tensor = self._classes * expand_dims(self._total_count, -1)
        return made

    def _variance(self) -> Tensor:
        made: Tensor = self._mean() * (1.0 - self._classes)
        return made

    def _covariance(self) -> Tensor:
        off = -expand_dims(self._mean(), -1) * expand_dims(self._classes, -2)
        return matrix_set_diag(off, self._variance())


@public("distributions.DirichletMultinomial", "contrib.distributions.DirichletMultinomial")
class DirichletMultinomial(_Counts):
    """How often each class comes up in total_count draws, of which the probabilities are Dirichlet's.

    total_count: floats of whole values; concentration: [..., classes], positive floats; both broadcast. As
    `tf.distributions.DirichletMultinomial`.

    >>> counts = gc.distributions.DirichletMultinomial(2., [1., 2., 3.])
    >>> counts.mean().eval(), counts.prob([0., 0., 2.]).eval()
    (array([0.3333, 0.6667, 1.    ], dtype=float32), np.float32(0.2857))
    """

    def __init__(self, total_count: Any, concentration: Any, validate_args: bool = False,
                 allow_nan_stats: bool = True, name: str = "DirichletMultinomial") -> None:
        parameters = dict(locals())
        total, made = parameters_of(total_count=total_count, concentration=concentration)
        self._concentration = _positive(made, validate_args)
        self._take(total, self._concentration, validate_args)
        self._total = reduce_sum(self._classes, -1)
        super().__init__(made.dtype, NOT_REPARAMETERIZED, validate_args, allow_nan_stats, parameters, name=name)

    concentration = property(lambda self: self._concentration, doc="Of each class.")
    total_concentration = property(lambda self: self._total, doc="The sum over the classes.")

    def _sample_n(self, n: Any, seed: int | None = None) -> Tensor:
        shares = random_gamma([n], self._classes, dtype=self.dtype, seed=seed)
        rows = reshape(log(shares), [-1, shape(shares)[-1]])
        totals = reshape(ones([n, 1], int32) * expand_dims(self._totals(), 0), [-1])
        return self._as_samples(drawn_counts(rows, totals, 1, None if seed is None else seed + 1), n)

    def _log_prob(self, counts: Tensor) -> Tensor:
        made: Tensor = (lbeta(self._classes + counts) - lbeta(self._classes)
                        + log_combinations(self._total_count, counts))
        return made

    def _mean(self) -> Tensor:
        made: Tensor = expand_dims(self._total_count, -1) * self._classes / expand_dims(self._total, -1)
        return made

    def _spread(self) -> Tensor:
        """How much wider than a Multinomial's its covariances are."""
        made: Tensor = expand_dims((self._total_count + self._total) / (1.0 + self._total), -1)
        return made

    def _variance(self) -> Tensor:
        share = self._classes / expand_dims(self._total, -1)
        made: Tensor = self._mean() * (1.0 - share) * self._spread()
        return made

    def _covariance(self) -> Tensor:
        share = self._classes / expand_dims(self._total, -1)
        off = -expand_dims(self._mean() * self._spread(), -1) * expand_dims(share, -2)
        return matrix_set_diag(off, self._variance())


@RegisterKL(Dirichlet, Dirichlet)
def _dirichlets(a: Dirichlet, b: Dirichlet, name: str | None = None) -> Tensor:
    made: Tensor = reduce_sum((a._classes - b._classes) * (digamma(a._classes) - digamma(expand_dims(a._total, -1))),
                              -1) - lbeta(a._classes) + lbeta(b._classes)
    return made
