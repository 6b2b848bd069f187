"""TransformedDistribution: the distribution of bijector.forward(x) of samples x of another one."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from graphc.api.array.broadcast import broadcast_to
from graphc.api.array.cast import cast
from graphc.api.array.fill import range_, zeros
from graphc.api.array.join import concat
from graphc.api.array.shapes import expand_dims, rank
from graphc.api.array.source import constant
from graphc.api.array.transpose import transpose
from graphc.api.distributions.base import Distribution
from graphc.api.distributions.bijectors.base import Bijector
from graphc.api.distributions.bijectors.elementwise import Identity
from graphc.api.math.reduce import reduce_prod, reduce_sum
from graphc.api.public import public
from graphc.ir.apply import convert_to_tensor, is_tensor_like
from graphc.ir.dtypes import int32
from graphc.ir.tensor import Tensor
from graphc.ir.tensor_shape import TensorShape, as_shape


@public("contrib.distributions.TransformedDistribution")
class TransformedDistribution(Distribution):
    """The distribution of bijector.forward(x), x being samples of `distribution`. As
    `tf.contrib.distributions.TransformedDistribution`.

    bijector: by default Identity. batch_shape, event_shape: so many samples of one distribution (batch_shape) of
    numbers (event_shape) are a batch, and an event. cdf takes the bijector to rise. Mean and entropy are known if it
    stretches all x alike. Raises ValueError for a batch_shape beside a batch, or an event_shape beside events of other
    than numbers.

    >>> D = gc.contrib.distributions
    >>> log_normal = D.TransformedDistribution(D.Normal(0., 1.), D.bijectors.Exp())
    >>> log_normal.prob([1., 2.]).eval(), log_normal.cdf(1.).eval()
    (array([0.3989, 0.1569], dtype=float32), np.float32(0.5))
    >>> vectors = D.TransformedDistribution(D.Normal(0., 1.), D.bijectors.Affine(scale_tril=[[1., 0.], [2., 1.]]),
    ...                                     event_shape=[2])
    >>> vectors.event_shape.as_list(), vectors.log_prob([0., 0.]).eval()
    ([2], np.float32(-1.8379))
    """

    def __init__(self, distribution: Distribution, bijector: Bijector | None = None, batch_shape: Any = None,
                 event_shape: Any = None, validate_args: bool = False, name: str | None = None) -> None:
        parameters = dict(locals())
        self._bijector, self._inner = Identity() if bijector is None else bijector, distribution
        self._added_batch, self._added_event = (_sizes(s) for s in (batch_shape, event_shape))
        for said, added, there in (("batch_shape", self._added_batch, distribution.batch_shape),
                                   ("event_shape", self._added_event, distribution.event_shape)):
            if added is not None and there.ndims:
                raise ValueError(f"TransformedDistribution: {said} is given, but {distribution.name} has the {said} "
                                 f"{there} itself")
        super().__init__(distribution.dtype, distribution.reparameterization_type, validate_args,
                         distribution.allow_nan_stats, parameters,
                         name=name or f"{self._bijector.name}{distribution.name.rstrip('/')}")

    distribution = property(lambda self: self._inner, doc="What x is drawn from.")
    bijector = property(lambda self: self._bijector, doc="What makes y of x.")

    def _batch_shape(self) -> TensorShape:
        return self._inner.batch_shape if self._added_batch is None else as_shape(self._added_batch.known)

    def _event_shape(self) -> TensorShape:
        return self._bijector.forward_event_shape(self._event_of_x())

    def _event_of_x(self) -> TensorShape:
        return self._inner.event_shape if self._added_event is None else as_shape(self._added_event.known)

    def _batch_shape_tensor(self) -> Tensor:
        return self._inner.batch_shape_tensor() if self._added_batch is None else self._added_batch.tensor

    def _event_shape_tensor(self) -> Tensor:
        return self._bijector.forward_event_shape_tensor(self._event_of_x_tensor())

    def _event_of_x_tensor(self) -> Tensor:
        return self._inner.event_shape_tensor() if self._added_event is None else self._added_event.tensor

    def _event_axes(self) -> int:
        """How many axes an event of y has."""
        axes = self.event_shape.ndims
        if axes is None:
            raise ValueError(f"{self.name}: the rank of an event must be known while the graph is built; give "
                             "event_shape")
        return axes

    def _sample_n(self, n: Any, seed: int | None = None) -> Tensor:
        added = [s.tensor for s in (self._added_batch, self._added_event) if s is not None]
        axes = self._axes_before_the_batch()
        if axes:
            x = self._inner.sample(concat([*added, [n]], 0), seed)
            x = transpose(x, concat([range_(axes, rank(x)), range_(axes)], 0))
        else:
            x = self._inner.sample(concat([[n], *added], 0), seed)
        return x

    def _of_drawn(self, drawn: Tensor) -> Tensor:
        return self._bijector.forward(drawn)

    def _log_prob(self, y: Tensor) -> Tensor:
        x = self._bijector.inverse(y)
        stretch = self._bijector.inverse_log_det_jacobian(y, self._event_axes())
        axes = self._axes_before_the_batch()
        if axes:
            x = transpose(x, concat([range_(rank(x) - axes, rank(x)), range_(rank(x) - axes)], 0))
            made: Tensor = reduce_sum(self._inner.log_prob(x), list(range(axes))) + stretch
            return made
        each: Tensor = self._inner.log_prob(x)
        if self._added_event is not None:
            each = reduce_sum(each, list(range(-len(self._added_event.known), 0)))
        return each + stretch

    def _axes_before_the_batch(self) -> int:
        """How many axes of an event of x stand before the batch where `distribution` has one of its own: what is drawn
        of a batch lies in front of it."""
        in_front = self._added_event is not None and self._added_batch is None and self._inner.batch_shape.ndims != 0
        return len(self._added_event.known) if in_front and self._added_event is not None else 0

    def _cdf(self, y: Tensor) -> Tensor:
        return self._numbers()._inner.cdf(self._bijector.inverse(y))

    def _log_cdf(self, y: Tensor) -> Tensor:
        return self._numbers()._inner.log_cdf(self._bijector.inverse(y))

    def _survival_function(self, y: Tensor) -> Tensor:
        return self._numbers()._inner.survival_function(self._bijector.inverse(y))

    def _log_survival_function(self, y: Tensor) -> Tensor:
        return self._numbers()._inner.log_survival_function(self._bijector.inverse(y))

    def _quantile(self, p: Tensor) -> Tensor:
        return self._bijector.forward(self._numbers()._inner.quantile(p))

    def _numbers(self) -> TransformedDistribution:
        if self._event_axes():
            raise NotImplementedError(f"{self.name}: cdf and quantile are those of numbers, but an event has the shape "
                                      f"{self.event_shape}")
        return self

    def _mean(self) -> Tensor:
        self._require_constant("mean")
        return self._bijector.forward(self._spread(self._inner.mean()))

    def _entropy(self) -> Tensor:
        self._require_constant("entropy")
        inner = self._inner.entropy()
        if self._added_event is not None:
            inner = inner * reduce_prod(cast(self._added_event.tensor, self.dtype))
        x = zeros(concat([self.batch_shape_tensor(), self._event_of_x_tensor()], 0), self.dtype)
        made: Tensor = inner + self._bijector.forward_log_det_jacobian(x, self._event_axes())
        return made

    def _spread(self, mean: Tensor) -> Tensor:
        if self._added_event is not None:
            for _ in self._added_event.known:
                mean = expand_dims(mean, -1)
        return broadcast_to(mean, concat([self.batch_shape_tensor(), self._event_of_x_tensor()], 0))

    def _require_constant(self, what: str) -> None:
        if not self._bijector.is_constant_jacobian:
            raise NotImplementedError(f"{what} is not implemented: {self.name}, whose bijector does not stretch all x "
                                      "alike")


@dataclass(frozen=True)
class _Sizes:
    """A shape: as far as it is known, and as a run knows it."""

    known: tuple[int | None, ...]
    tensor: Tensor


def _sizes(shape: Any) -> _Sizes | None:
    if shape is None:
        return None
    tensor = convert_to_tensor(shape, int32) if is_tensor_like(shape) or np.size(shape) else constant([], int32)
    known = tensor.value_sizes()
    if known is None:
        count = tensor.shape[0].value
        if count is None:
            raise ValueError("TransformedDistribution: the length of batch_shape and event_shape must be known while "
                             "the graph is built")
        return _Sizes((None,) * count, tensor)
    return _Sizes(tuple(v if isinstance(v, int) else None for v in known), tensor)
