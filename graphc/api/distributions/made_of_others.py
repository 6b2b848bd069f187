"""Distributions made of others: Independent, Mixture, MixtureSameFamily; and Deterministic, of one value."""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from graphc.api.array.broadcast import broadcast_static_shape, broadcast_to
from graphc.api.array.cast import cast
from graphc.api.array.fill import zeros, zeros_like
from graphc.api.array.gather import one_hot
from graphc.api.array.identity import identity
from graphc.api.array.join import concat, stack
from graphc.api.array.select import where_v2
from graphc.api.array.shapes import broadcast_dynamic_shape, expand_dims, reshape, shape
from graphc.api.distributions.base import (
    FULLY_REPARAMETERIZED,
    NOT_REPARAMETERIZED,
    Distribution,
    RegisterKL,
    kl_divergence,
)
from graphc.api.distributions.discrete import Categorical
from graphc.api.math.comparison import greater_equal, less_equal
from graphc.api.math.reduce import reduce_logsumexp, reduce_sum
from graphc.api.math.unary import abs, square
from graphc.api.nn.softmax import log_softmax, softmax
from graphc.api.public import public
from graphc.ir.apply import convert_to_tensor
from graphc.ir.tensor import Tensor
from graphc.ir.tensor_shape import TensorShape


@public("contrib.distributions.Independent")
class Independent(Distribution):
    """A batch of independent distributions as one of whole events: its last axes become axes of the event.

    reinterpreted_batch_ndims: how many; all but the first by default. Probabilities are products over them. As
    `tf.contrib.distributions.Independent`. Raises ValueError if the batch has fewer axes.

    >>> pixels = gc.distributions.Normal(gc.zeros([2, 3]), 1.)
    >>> pictures = gc.contrib.distributions.Independent(pixels, reinterpreted_batch_ndims=1)
    >>> pictures.batch_shape.as_list(), pictures.event_shape.as_list(), pictures.log_prob(gc.zeros([2, 3])).eval()
    ([2], [3], array([-2.7568, -2.7568], dtype=float32))
    """

    def __init__(self, distribution: Distribution, reinterpreted_batch_ndims: int | None = None,
                 validate_args: bool = False, name: str | None = None) -> None:
        parameters = dict(locals())
        known = distribution.batch_shape.ndims
        if reinterpreted_batch_ndims is None:
            if known is None:
                raise ValueError("Independent: the rank of the batch is not known; give reinterpreted_batch_ndims")
            reinterpreted_batch_ndims = max(0, known - 1)
        if known is not None and not 0 <= reinterpreted_batch_ndims <= known:
            raise ValueError(f"Independent: reinterpreted_batch_ndims is {reinterpreted_batch_ndims}, but the batch of "
                             f"{type(distribution).__name__} has {known} axes")
        self._inner, self._count = distribution, int(reinterpreted_batch_ndims)
        super().__init__(distribution.dtype, distribution.reparameterization_type, validate_args,
                         distribution.allow_nan_stats, parameters,
                         name=name or f"Independent{type(distribution).__name__}")

    distribution = property(lambda self: self._inner, doc="The distributions taken together.")
    reinterpreted_batch_ndims = property(lambda self: self._count, doc="How many axes of the batch are the event's.")

    def _batch_shape(self) -> TensorShape:
        known = self._inner.batch_shape
        return known if known.ndims is None else known[:known.ndims - self._count]

    def _event_shape(self) -> TensorShape:
        known = self._inner.batch_shape
        if known.ndims is None:
            return known
        return known[known.ndims - self._count:].concatenate(self._inner.event_shape)

    def _batch_shape_tensor(self) -> Tensor:
        sizes = self._inner.batch_shape_tensor()
        return sizes[:shape(sizes)[0] - self._count]

    def _event_shape_tensor(self) -> Tensor:
        sizes = self._inner.batch_shape_tensor()
        return concat([sizes[shape(sizes)[0] - self._count:], self._inner.event_shape_tensor()], 0)

    def _sample_n(self, n: Any, seed: int | None = None) -> Tensor:
        return self._inner.sample(n, seed)

    def _together(self, x: Tensor) -> Tensor:
        return reduce_sum(x, list(range(-self._count, 0))) if self._count else x

    def _log_prob(self, x: Tensor) -> Tensor:
        return self._together(self._inner.log_prob(x))

    def _entropy(self) -> Tensor:
        return self._together(self._inner.entropy())

    def _mean(self) -> Tensor:
        return self._inner.mean()

    def _variance(self) -> Tensor:
        return self._inner.variance()

    def _mode(self) -> Tensor:
        return self._inner.mode()


class _OfComponents(Distribution):
    """Of component i with the probability softmax(logits)[..., i]. `_each` gives what each has, along a new axis before
    those of the event."""

    _cat: Categorical

    def _each(self, method: str, *arguments: Any) -> Tensor:
        raise NotImplementedError(f"_each is not implemented: {type(self).__name__}")

    def _event_ndims(self) -> int:
        known: int | None = self.event_shape.ndims
        if known is None:
            raise ValueError(f"{type(self).__name__}: the rank of an event must be known")
        return known

    def _for_events(self, x: Tensor) -> Tensor:
        """x [..., components] for samples [..., components, *event]."""
        return reshape(x, concat([shape(x), [1] * self._event_ndims()], 0)) if self._event_ndims() else x

    def _log_prob(self, x: Tensor) -> Tensor:
        return reduce_logsumexp(self._each("log_prob", x) + log_softmax(self._cat.logits), -1)

    def _cdf(self, x: Tensor) -> Tensor:
        return reduce_sum(self._each("cdf", x) * softmax(self._cat.logits), -1)

    def _mean(self) -> Tensor:
        return self._weighted(self._each("mean"))

    def _weighted(self, each: Tensor) -> Tensor:
        return reduce_sum(self._for_events(self._cat.probs) * each, -1 - self._event_ndims())

    def _variance(self) -> Tensor:
        """The mean of the variances and the variance of the means."""
        means, axis = self._each("mean"), -1 - self._event_ndims()
        apart = square(means - expand_dims(self._mean(), axis))
        return self._weighted(self._each("variance") + apart)

    def _chosen(self, numbers: Tensor, drawn: Tensor, components: Any) -> Tensor:
        """Of each sample [n, ..., components, *event] that of the component numbers[n, ...]."""
        which = self._for_events(one_hot(numbers, components, on_value=True, off_value=False))
        return reduce_sum(where_v2(which, drawn, zeros_like(drawn)), -1 - self._event_ndims())


@public("contrib.distributions.Mixture")
class Mixture(_OfComponents):
    """Of the distribution components[i] with the probability that cat, a Categorical, gives i.

    All are of one dtype, with batches and events of one shape. As `tf.contrib.distributions.Mixture`. Raises TypeError
    unless cat is a Categorical, ValueError for no components, other dtypes, or another number of them than cat has.

    >>> both = gc.contrib.distributions.Mixture(gc.distributions.Categorical(probs=[0.3, 0.7]),
    ...                                         [gc.distributions.Normal(-1., 1.), gc.distributions.Normal(1., 2.)])
    >>> both.prob(0.).eval(), both.mean().eval(), both.variance().eval()
    (np.float32(0.1958), np.float32(0.4), np.float32(3.94))
    """

    def __init__(self, cat: Categorical, components: Sequence[Distribution], validate_args: bool = False,
                 allow_nan_stats: bool = True, use_static_graph: bool = False, name: str = "Mixture") -> None:
        parameters = dict(locals())
        if not isinstance(cat, Categorical):
            raise TypeError(f"cat must be a Categorical distribution, but saw: {cat}")
        self._cat, self._components = cat, list(components)
        if not self._components:
            raise ValueError("components must be a non-empty list or tuple")
        for component in self._components:
            if not isinstance(component, Distribution):
                raise TypeError("all entries in components must be Distribution instances but saw: "
                                f"{type(component).__name__}")
        dtypes = {component.dtype for component in self._components}
        if len(dtypes) > 1:
            raise ValueError(f"all components must have one dtype, but they have {sorted(d.name for d in dtypes)}")
        count = cat.logits.shape[-1].value if cat.logits.shape.ndims is not None else None
        if count is not None and count != len(self._components):
            raise ValueError(f"cat has {count} classes, but there are {len(self._components)} components")
        super().__init__(dtypes.pop(), NOT_REPARAMETERIZED, validate_args, allow_nan_stats, parameters, name=name)

    cat = property(lambda self: self._cat, doc="The Categorical that chooses.")
    components = property(lambda self: self._components, doc="What it chooses from.")
    num_components = property(lambda self: len(self._components), doc="How many there are.")

    def _batch_shape(self) -> TensorShape:
        known = self._cat.batch_shape
        for component in self._components:
            known = known.merge_with(component.batch_shape)
        return known

    def _event_shape(self) -> TensorShape:
        known = self._components[0].event_shape
        for component in self._components[1:]:
            known = known.merge_with(component.event_shape)
        return known

    def _batch_shape_tensor(self) -> Tensor:
        return self._cat.batch_shape_tensor()

    def _event_shape_tensor(self) -> Tensor:
        return self._components[0].event_shape_tensor()

    def _each(self, method: str, *arguments: Any) -> Tensor:
        events = 0 if method in ("log_prob", "cdf") else self._event_ndims()
        return stack([getattr(c, method)(*arguments) for c in self._components], -1 - events)

    def _sample_n(self, n: Any, seed: int | None = None) -> Tensor:
        seeds = [None if seed is None else seed + 2 + i for i in range(len(self._components))]
        drawn = [c.sample(n, s) for c, s in zip(self._components, seeds, strict=True)]
        numbers = self._cat.sample(n, None if seed is None else seed + 1)
        return self._chosen(numbers, stack(drawn, -1 - self._event_ndims()), len(self._components))

    def entropy_lower_bound(self, name: str = "entropy_lower_bound") -> Tensor:
        """The weighted sum of the components' entropies, which is at most the mixture's."""
        with self._scope(name):
            return reduce_sum(stack([c.entropy() for c in self._components], -1) * self._cat.probs, -1)


@public("contrib.distributions.MixtureSameFamily")
class MixtureSameFamily(_OfComponents):
    """Of one of the distributions along the last axis of a batch, which mixture_distribution, a Categorical, chooses.

    components_distribution: with the batch [..., components]; mixture_distribution: with logits of that shape, or of
    [components]. As `tf.contrib.distributions.MixtureSameFamily`. Raises ValueError unless the mixture is a Categorical
    of as many classes.

    >>> D = gc.contrib.distributions
    >>> both = D.MixtureSameFamily(D.Categorical(probs=[0.3, 0.7]), D.Normal(loc=[-1., 1.], scale=[1., 2.]))
    >>> both.prob([0., 1.]).eval(), both.mean().eval()
    (array([0.1958, 0.1558], dtype=float32), np.float32(0.4))
    """

    def __init__(self, mixture_distribution: Categorical, components_distribution: Distribution,
                 validate_args: bool = False, allow_nan_stats: bool = True, name: str = "MixtureSameFamily") -> None:
        parameters = dict(locals())
        if not isinstance(mixture_distribution, Categorical):
            raise ValueError("`mixture_distribution` must be a Categorical, but is "
                             f"{type(mixture_distribution).__name__}")
        self._cat, self._inner = mixture_distribution, components_distribution
        classes = self._cat.logits.shape[-1:] if self._cat.logits.shape.ndims else TensorShape(None)
        if not self._inner.batch_shape[-1:].is_compatible_with(classes):
            raise ValueError(f"`mixture_distribution` has {classes.as_list()[0]} classes, but the last axis of the "
                             f"batch of `components_distribution` has {self._inner.batch_shape.as_list()[-1]}")
        super().__init__(self._inner.dtype, NOT_REPARAMETERIZED, validate_args, allow_nan_stats, parameters, name=name)

    mixture_distribution = property(lambda self: self._cat, doc="The Categorical that chooses.")
    components_distribution = property(lambda self: self._inner, doc="What it chooses from.")

    def _batch_shape(self) -> TensorShape:
        known = self._inner.batch_shape
        return known if known.ndims is None else known[:-1]

    def _event_shape(self) -> TensorShape:
        return self._inner.event_shape

    def _batch_shape_tensor(self) -> Tensor:
        return self._inner.batch_shape_tensor()[:-1]

    def _event_shape_tensor(self) -> Tensor:
        return self._inner.event_shape_tensor()

    def _each(self, method: str, *arguments: Any) -> Tensor:
        made: Tensor = getattr(self._inner, method)(*(expand_dims(x, -1 - self._event_ndims()) for x in arguments))
        return made

    def _sample_n(self, n: Any, seed: int | None = None) -> Tensor:
        batch = self._inner.batch_shape_tensor()
        each = Categorical(logits=self._cat.logits + zeros(batch, self._cat.logits.dtype))
        numbers = each.sample(n, None if seed is None else seed + 1)
        return self._chosen(numbers, self._inner.sample(n, seed), batch[-1])


@public("contrib.distributions.Deterministic")
class Deterministic(Distribution):
    """Always loc: a probability of 1 within atol + rtol * abs(loc) of it, and 0 elsewhere.

    loc: of any shape, that of the batch. As `tf.contrib.distributions.Deterministic`.

    >>> fixed = gc.contrib.distributions.Deterministic([1., 2.])
    >>> fixed.sample(2).eval().tolist(), fixed.prob([1., 3.]).eval(), fixed.cdf(1.5).eval()
    ([[1.0, 2.0], [1.0, 2.0]], array([1., 0.], dtype=float32), array([1., 0.], dtype=float32))
    """

    def __init__(self, loc: Any, atol: Any = None, rtol: Any = None, validate_args: bool = False,
                 allow_nan_stats: bool = True, name: str = "Deterministic") -> None:
        parameters = dict(locals())
        self._loc = convert_to_tensor(loc, name="loc")
        self._atol, self._rtol = (convert_to_tensor(0 if tolerance is None else tolerance, self._loc.dtype)
                                  for tolerance in (atol, rtol))
        super().__init__(self._loc.dtype, FULLY_REPARAMETERIZED, validate_args, allow_nan_stats, parameters, name=name)

    loc = property(lambda self: self._loc, doc="The value.")
    atol = property(lambda self: self._atol, doc="How far from it still counts as equal.")
    rtol = property(lambda self: self._rtol, doc="The same, as a part of abs(loc).")

    def _batch_shape(self) -> TensorShape:
        made: TensorShape = broadcast_static_shape(self._loc.shape, broadcast_static_shape(
            self._atol.shape, self._rtol.shape))
        return made

    def _batch_shape_tensor(self) -> Tensor:
        return broadcast_dynamic_shape(shape(self._loc), broadcast_dynamic_shape(shape(self._atol), shape(self._rtol)))

    def _sample_n(self, n: Any, seed: int | None = None) -> Tensor:
        return broadcast_to(self._loc, concat([[n], self.batch_shape_tensor()], 0))

    def _prob(self, x: Tensor) -> Tensor:
        return cast(less_equal(abs(x - self._loc), self._atol + self._rtol * abs(self._loc)), self._loc.dtype)

    def _cdf(self, x: Tensor) -> Tensor:
        slack = self._atol + self._rtol * abs(self._loc)
        return cast(greater_equal(x, self._loc - slack), self._loc.dtype)

    def _mean(self) -> Tensor:
        return identity(self._loc)

    _mode = _mean

    def _variance(self) -> Tensor:
        return zeros_like(self._loc)

    _entropy = _variance


@RegisterKL(Independent, Independent)
def _independents(a: Independent, b: Independent, name: str | None = None) -> Tensor:
    if a.reinterpreted_batch_ndims != b.reinterpreted_batch_ndims:
        raise NotImplementedError("KL between Independents that take together other numbers of axes of the batch: "
                                  f"{a.reinterpreted_batch_ndims} and {b.reinterpreted_batch_ndims}")
    return a._together(kl_divergence(a.distribution, b.distribution))
