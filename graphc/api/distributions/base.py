"""Distribution: what all distributions have in common, and divergences between them. As `tf.distributions`.

Subclasses give `_sample_n`, `_log_prob` (or `_prob`) and what else they know; a batch of distributions is one object.
"""
from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from graphc.api.array.fill import ones_like
from graphc.api.array.identity import identity
from graphc.api.array.join import concat
from graphc.api.array.select import where_v2
from graphc.api.array.shapes import reshape, shape
from graphc.api.array.source import constant
from graphc.api.control.script import Assert
from graphc.api.math.comparison import is_nan, logical_not
from graphc.api.math.reduce import reduce_all, reduce_any, reduce_prod
from graphc.api.math.unary import exp, log, log1p, sqrt, square
from graphc.api.public import public
from graphc.ir.apply import convert_to_tensor, holds_tensors, is_tensor_like
from graphc.ir.dtypes import as_dtype, float32, int32
from graphc.ir.graph import get_default_graph
from graphc.ir.tensor import Tensor
from graphc.ir.tensor_shape import TensorShape, as_shape


@public("distributions.ReparameterizationType", "contrib.distributions.ReparameterizationType")
class ReparameterizationType:
    """Whether samples have gradients by the parameters: FULLY_REPARAMETERIZED or NOT_REPARAMETERIZED.

    As `tf.distributions.ReparameterizationType`.

    >>> gc.distributions.Normal(0., 1.).reparameterization_type
    <Reparameterization Type: FULLY_REPARAMETERIZED>
    """

    def __init__(self, rep_type: str) -> None:
        self._rep_type = rep_type

    def __repr__(self) -> str:
        return f"<Reparameterization Type: {self._rep_type}>"


FULLY_REPARAMETERIZED = ReparameterizationType("FULLY_REPARAMETERIZED")
NOT_REPARAMETERIZED = ReparameterizationType("NOT_REPARAMETERIZED")


@public("distributions.Distribution", "contrib.distributions.Distribution")
class Distribution:
    """A batch of distributions of events: samples, probabilities, statistics. Base of all of them.

    batch_shape: the parameters broadcast; event_shape: of one sample. validate_args: parameters and values are checked:
    known ones at once, others when the graph runs (InvalidArgumentError). allow_nan_stats: statistics that are not
    defined are NaN, not an error. What a class does not know raises NotImplementedError. Parameters are of one floating
    point dtype, which samples and statistics have unless a class says otherwise. As `tf.distributions.Distribution`.

    >>> normal = gc.distributions.Normal(loc=[0., 10.], scale=2.)
    >>> normal.batch_shape.as_list(), normal.sample(3, seed=1).shape.as_list()
    ([2], [3, 2])
    >>> normal.cdf([0., 12.]).eval(), normal.stddev().eval()
    (array([0.5   , 0.8413], dtype=float32), array([2., 2.], dtype=float32))
    """

    def __init__(self, dtype: Any, reparameterization_type: ReparameterizationType, validate_args: bool,
                 allow_nan_stats: bool, parameters: dict[str, Any] | None = None, graph_parents: Any = None,
                 name: str | None = None) -> None:
        self._dtype, self._reparameterization_type = as_dtype(dtype), reparameterization_type
        self._validate_args, self._allow_nan_stats = validate_args, allow_nan_stats
        self._parameters = dict(parameters or {})
        with get_default_graph().name_scope(name or type(self).__name__) as scope:
            self._name = scope

    name = property(lambda self: self._name, doc="The name in front of those of the ops made.")
    dtype = property(lambda self: self._dtype, doc="The dtype of samples.")
    reparameterization_type = property(lambda self: self._reparameterization_type,
                                       doc="Whether samples have gradients by the parameters.")
    validate_args = property(lambda self: self._validate_args, doc="Whether parameters and values are checked.")
    allow_nan_stats = property(lambda self: self._allow_nan_stats,
                               doc="Whether statistics that are not defined are NaN, not an error.")

    @property
    def parameters(self) -> dict[str, Any]:
        """The arguments of the constructor."""
        return {k: v for k, v in self._parameters.items() if k not in ("self", "__class__")}

    def copy(self, **changed: Any) -> Any:
        """The distribution with some parameters changed."""
        return type(self)(**{**self.parameters, **changed})

    # Shapes

    @property
    def batch_shape(self) -> TensorShape:
        """How many distributions these are, as far as it is known."""
        return self._batch_shape()

    @property
    def event_shape(self) -> TensorShape:
        """The shape of one sample of one of them, as far as it is known."""
        return self._event_shape()

    def batch_shape_tensor(self, name: str = "batch_shape_tensor") -> Tensor:
        """batch_shape as a run knows it: int32."""
        known = self.batch_shape
        return constant(known.as_list(), int32) if known.is_fully_defined() else self._batch_shape_tensor()

    def event_shape_tensor(self, name: str = "event_shape_tensor") -> Tensor:
        """event_shape as a run knows it: int32."""
        known = self.event_shape
        return constant(known.as_list(), int32) if known.is_fully_defined() else self._event_shape_tensor()

    def is_scalar_event(self, name: str = "is_scalar_event") -> Tensor:
        """Whether a sample of one of them is a number."""
        return constant(self.event_shape.ndims == 0)

    def is_scalar_batch(self, name: str = "is_scalar_batch") -> Tensor:
        """Whether there is one distribution."""
        known = self.batch_shape.ndims
        return constant(known == 0) if known is not None else shape(self.batch_shape_tensor())[0] < 1

    # Samples and probabilities

    def sample(self, sample_shape: Any = (), seed: int | None = None, name: str = "sample") -> Tensor:
        """Samples of the shape sample_shape + batch_shape + event_shape."""
        with self._scope(name):
            if is_tensor_like(sample_shape) or holds_tensors(sample_shape):
                sizes = reshape(convert_to_tensor(sample_shape), [-1])
                found = sizes.value_sizes()
                known = as_shape(None if found is None else [v if isinstance(v, int) else None for v in found])
            else:
                listed = np.atleast_1d(np.asarray(sample_shape, np.int32)).tolist() if np.size(sample_shape) else []
                sizes, known = constant(listed, int32), as_shape(listed)
            drawn = self._sample_n(reduce_prod(sizes), seed)
            made = self._of_drawn(reshape(drawn, concat([sizes, shape(drawn)[1:]], 0)))
            if known.ndims is not None and self.batch_shape.ndims is not None and self.event_shape.ndims is not None:
                made.set_shape(known.concatenate(self.batch_shape).concatenate(self.event_shape))
            return made

    def log_prob(self, value: Any, name: str = "log_prob") -> Tensor:
        """The logarithm of `prob`."""
        return self._either(name, "_log_prob", "_prob", log, value)

    def prob(self, value: Any, name: str = "prob") -> Tensor:
        """The density at value (of discrete ones the probability), of the shape of value's batch."""
        return self._either(name, "_prob", "_log_prob", exp, value)

    def log_cdf(self, value: Any, name: str = "log_cdf") -> Tensor:
        """The logarithm of `cdf`."""
        return self._either(name, "_log_cdf", "_cdf", log, value)

    def cdf(self, value: Any, name: str = "cdf") -> Tensor:
        """The probability of a sample that is at most value."""
        return self._either(name, "_cdf", "_log_cdf", exp, value)

    def survival_function(self, value: Any, name: str = "survival_function") -> Tensor:
        """1 - cdf."""
        with self._scope(name):
            return self._survival_function(self._value(value))

    def log_survival_function(self, value: Any, name: str = "log_survival_function") -> Tensor:
        """The logarithm of `survival_function`."""
        with self._scope(name):
            return self._log_survival_function(self._value(value))

    def _survival_function(self, value: Tensor) -> Tensor:
        return 1.0 - self.cdf(value)

    def _log_survival_function(self, value: Tensor) -> Tensor:
        return log1p(-self.cdf(value))

    # Statistics

    def entropy(self, name: str = "entropy") -> Tensor:
        """The entropy in nats."""
        return self._statistic(name, "entropy")

    def mean(self, name: str = "mean") -> Tensor:
        """The mean."""
        return self._statistic(name, "mean")

    def mode(self, name: str = "mode") -> Tensor:
        """The value of the greatest probability."""
        return self._statistic(name, "mode")

    def covariance(self, name: str = "covariance") -> Tensor:
        """The covariance matrices of distributions of vectors."""
        return self._statistic(name, "covariance")

    def variance(self, name: str = "variance") -> Tensor:
        """The variance."""
        return self._either(name, "_variance", "_stddev", square)

    def stddev(self, name: str = "stddev") -> Tensor:
        """The standard deviation."""
        return self._either(name, "_stddev", "_variance", sqrt)

    def quantile(self, value: Any, name: str = "quantile") -> Tensor:
        """The value that a sample is at most with this probability."""
        with self._scope(name):
            return self._known("_quantile")(self._value(value))

    def cross_entropy(self, other: Distribution, name: str = "cross_entropy") -> Tensor:
        """entropy + the divergence from `other`."""
        with self._scope(name):
            return kl_divergence(self, other, self.allow_nan_stats) + self.entropy()

    def kl_divergence(self, other: Distribution, name: str = "kl_divergence") -> Tensor:
        """`gc.distributions.kl_divergence` of this one and `other`."""
        with self._scope(name):
            return kl_divergence(self, other, self.allow_nan_stats)

    # For subclasses

    def _batch_shape(self) -> TensorShape:
        return as_shape(None)

    def _event_shape(self) -> TensorShape:
        return as_shape([])

    def _batch_shape_tensor(self) -> Tensor:
        raise NotImplementedError(f"batch_shape_tensor is not implemented: {type(self).__name__}")

    def _event_shape_tensor(self) -> Tensor:
        raise NotImplementedError(f"event_shape_tensor is not implemented: {type(self).__name__}")

    def _sample_n(self, n: Any, seed: int | None = None) -> Tensor:
        raise NotImplementedError(f"sample_n is not implemented: {type(self).__name__}")

    def _of_drawn(self, drawn: Tensor) -> Tensor:
        """The samples of what `_sample_n` has drawn, in their shape."""
        return drawn

    @contextmanager
    def _scope(self, name: str) -> Iterator[None]:
        with get_default_graph().name_scope(self.name), get_default_graph().name_scope(name):
            yield

    def _value(self, value: Any) -> Tensor:
        preferred = None if is_tensor_like(value) else self.dtype
        made = convert_to_tensor(value, name="value", preferred_dtype=preferred)
        return checked(made, self._assertions(made)) if self._validate_args else made

    def _assertions(self, value: Tensor) -> Sequence[Any]:
        """What holds of every sample: with validate_args it is looked at."""
        return ()

    def _known(self, method: str) -> Callable[..., Any]:
        found: Callable[..., Any] | None = getattr(self, method, None)
        if found is None:
            raise NotImplementedError(f"{method[1:]} is not implemented: {type(self).__name__}")
        return found

    def _either(self, name: str, method: str, other: str, function: Callable[..., Any], *values: Any) -> Tensor:
        with self._scope(name):
            given = [self._value(v) for v in values]
            if hasattr(self, method) or not hasattr(self, other):
                return self._known(method)(*given)
            made: Tensor = function(getattr(self, other)(*given))
            return made

    def _statistic(self, name: str, method: str) -> Tensor:
        with self._scope(name):
            return self._known(f"_{method}")()

    def _where_defined(self, made: Tensor, defined: Tensor, message: str) -> Tensor:
        """made; where it is not defined NaN, or without allow_nan_stats an error of the run."""
        if self.allow_nan_stats:
            return where_v2(defined, made, float("nan") * ones_like(made))
        return checked(made, [Assert(reduce_all(defined), [message])])


def parameters_of(**values: Any) -> list[Tensor]:
    """The parameters as tensors of one floating point dtype: that of the first which has one, else float32."""
    dtype = next((as_dtype(v.dtype).base_dtype for v in values.values() if hasattr(v, "dtype")), float32)
    if not dtype.is_floating:
        raise TypeError(f"parameters of distributions must be of floating point, but are {dtype.name}; cast them "
                        "(gc.cast)")
    return [convert_to_tensor(v, dtype, name=name) for name, v in values.items()]


def checked(tensor: Tensor, assertions: Sequence[Any]) -> Tensor:
    """The tensor, once the assertions hold; those that are None have been proved."""
    with get_default_graph().control_dependencies([a for a in assertions if a is not None]):
        return identity(tensor) if assertions else tensor


# Divergences

_DIVERGENCES: dict[tuple[type, type], Callable[..., Any]] = {}


@public("distributions.RegisterKL", "contrib.distributions.RegisterKL")
class RegisterKL:
    """Decorator: f(a, b, name=None) is the divergence of distributions of these classes.

    f gives a tensor of the shape in which the batches broadcast. As `tf.distributions.RegisterKL`. Raises ValueError if
    there is one, TypeError for what cannot be called.

    >>> class Fair(gc.distributions.Bernoulli):
    ...     def __init__(self):
    ...         super().__init__(probs=0.5)
    >>> @gc.distributions.RegisterKL(Fair, Fair)
    ... def of_fair_coins(a, b, name=None):
    ...     return gc.constant(0.)
    >>> gc.distributions.kl_divergence(Fair(), Fair()).eval()
    np.float32(0.0)
    """

    def __init__(self, dist_cls_a: type, dist_cls_b: type) -> None:
        self._key = dist_cls_a, dist_cls_b

    def __call__(self, kl_fn: Callable[..., Any]) -> Callable[..., Any]:
        if not callable(kl_fn):
            raise TypeError(f"kl_fn must be callable, received: {kl_fn!r}")
        if self._key in _DIVERGENCES:
            raise ValueError(f"KL({self._key[0].__name__} || {self._key[1].__name__}) has already been registered")
        _DIVERGENCES[self._key] = kl_fn
        return kl_fn


@public("distributions.kl_divergence", "contrib.distributions.kl_divergence")
def kl_divergence(distribution_a: Any, distribution_b: Any, allow_nan_stats: bool = True,
                  name: str | None = None) -> Tensor:
    """The Kullback-Leibler divergence of b from a, in nats: the mean over samples of a of log(a.prob / b.prob).

    allow_nan_stats: False: NaN is an InvalidArgumentError when run. The result has the shape in which the batches
    broadcast. As `tf.distributions.kl_divergence`. Raises NotImplementedError if none is registered for these classes
    or ones they derive from.

    >>> a, b = gc.distributions.Normal(0., 1.), gc.distributions.Normal([0., 2.], 1.)
    >>> gc.distributions.kl_divergence(a, b).eval()
    array([0., 2.], dtype=float32)
    """
    classes = [type(d).__mro__ for d in (distribution_a, distribution_b)]
    found = [(i + j, i, f) for i, a in enumerate(classes[0]) for j, b in enumerate(classes[1])
             if (f := _DIVERGENCES.get((a, b))) is not None]
    if not found:
        raise NotImplementedError("No KL(distribution_a || distribution_b) registered for distribution_a type "
                                  f"{classes[0][0].__name__} and distribution_b type {classes[1][0].__name__}")
    with get_default_graph().name_scope("KullbackLeibler"):
        made: Tensor = min(found, key=lambda entry: entry[:2])[2](distribution_a, distribution_b, name=name)
        if allow_nan_stats:
            return made
        return checked(made, [Assert(logical_not(reduce_any(is_nan(made))), [
            f"KL calculation between {distribution_a.name} and {distribution_b.name} returned NaN values (and was "
            "called with allow_nan_stats=False). Values:", made])])
