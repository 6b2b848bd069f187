"""Bijectors made of others: Invert, Chain."""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from graphc.api.distributions.bijectors.base import Bijector
from graphc.api.public import public
from graphc.ir.apply import convert_to_tensor
from graphc.ir.tensor import Tensor
from graphc.ir.tensor_shape import TensorShape


@public("contrib.distributions.bijectors.Invert")
class Invert(Bijector):
    """The inverse of a bijector. As `tf.contrib.distributions.bijectors.Invert`.

    >>> logarithm = gc.contrib.distributions.bijectors.Invert(gc.contrib.distributions.bijectors.Exp())
    >>> logarithm.forward([1., 2.7182817]).eval()
    array([0., 1.], dtype=float32)
    """

    def __init__(self, bijector: Bijector, validate_args: bool = False, name: str | None = None) -> None:
        self._bijector = bijector
        super().__init__(bijector.event_ndims, bijector.graph_parents, bijector.is_constant_jacobian, validate_args,
                         bijector.dtype, bijector.inverse_min_event_ndims, bijector.forward_min_event_ndims,
                         name or f"invert_{bijector.name}")

    bijector = property(lambda self: self._bijector, doc="What it is the inverse of.")

    def forward(self, x: Any, name: str = "forward") -> Tensor:
        """x of the bijector."""
        return self._bijector.inverse(x, name)

    def inverse(self, y: Any, name: str = "inverse") -> Tensor:
        """y of the bijector."""
        return self._bijector.forward(y, name)

    def forward_log_det_jacobian(self, x: Any, event_ndims: int | None = None,
                                 name: str = "forward_log_det_jacobian") -> Tensor:
        """inverse_log_det_jacobian of the bijector."""
        return self._bijector.inverse_log_det_jacobian(x, event_ndims, name)

    def inverse_log_det_jacobian(self, y: Any, event_ndims: int | None = None,
                                 name: str = "inverse_log_det_jacobian") -> Tensor:
        """forward_log_det_jacobian of the bijector."""
        return self._bijector.forward_log_det_jacobian(y, event_ndims, name)

    def _forward_event_shape(self, known: TensorShape) -> TensorShape:
        return self._bijector.inverse_event_shape(known)

    def _inverse_event_shape(self, known: TensorShape) -> TensorShape:
        return self._bijector.forward_event_shape(known)


@public("contrib.distributions.bijectors.Chain")
class Chain(Bijector):
    """One after another, the last first: of [f, g] y = f(g(x)). As `tf.contrib.distributions.bijectors.Chain`.

    >>> bijectors = gc.contrib.distributions.bijectors
    >>> chain = bijectors.Chain([bijectors.Exp(), bijectors.AffineScalar(scale=2.)])
    >>> chain.forward([0., 0.5]).eval(), chain.forward_log_det_jacobian(0.5, event_ndims=0).eval()
    (array([1.    , 2.7183], dtype=float32), np.float32(1.6931))
    """

    def __init__(self, bijectors: Sequence[Bijector] | None = None, validate_args: bool = False,
                 name: str | None = None) -> None:
        self._bijectors = list(bijectors or ())
        said = [b.event_ndims for b in self._bijectors if b.event_ndims is not None]
        super().__init__(max(said, default=None), [t for b in self._bijectors for t in b.graph_parents],
                         all(b.is_constant_jacobian for b in self._bijectors), validate_args, None,
                         max((b.forward_min_event_ndims for b in self._bijectors), default=0),
                         max((b.inverse_min_event_ndims for b in self._bijectors), default=0),
                         name or ("_of_".join(["chain", *(b.name for b in self._bijectors)]) or "identity"))

    bijectors = property(lambda self: self._bijectors, doc="Those that follow each other, the last first.")

    def forward(self, x: Any, name: str = "forward") -> Tensor:
        """y of x."""
        with self._scope(name):
            x = self._tensor(x, "x")
            for bijector in reversed(self._bijectors):
                x = bijector.forward(x)
            return x

    def inverse(self, y: Any, name: str = "inverse") -> Tensor:
        """x of y."""
        with self._scope(name):
            y = self._tensor(y, "y")
            for bijector in self._bijectors:
                y = bijector.inverse(y)
            return y

    def forward_log_det_jacobian(self, x: Any, event_ndims: int | None = None,
                                 name: str = "forward_log_det_jacobian") -> Tensor:
        """The sum of all of theirs."""
        with self._scope(name):
            x, count = self._tensor(x, "x"), self._axes(event_ndims)
            total: Any = 0.0
            for bijector in reversed(self._bijectors):
                total = total + bijector.forward_log_det_jacobian(x, count)
                x = bijector.forward(x)
            return convert_to_tensor(total, x.dtype)

    def inverse_log_det_jacobian(self, y: Any, event_ndims: int | None = None,
                                 name: str = "inverse_log_det_jacobian") -> Tensor:
        """The sum of all of theirs."""
        with self._scope(name):
            y, count = self._tensor(y, "y"), self._axes(event_ndims)
            total: Any = 0.0
            for bijector in self._bijectors:
                total = total + bijector.inverse_log_det_jacobian(y, count)
                y = bijector.inverse(y)
            return convert_to_tensor(total, y.dtype)

    def _axes(self, event_ndims: int | None) -> int:
        least = max(self.forward_min_event_ndims, self.inverse_min_event_ndims)
        return next((n for n in (event_ndims, self.event_ndims) if n is not None), least)

    def _forward_event_shape(self, known: TensorShape) -> TensorShape:
        for bijector in reversed(self._bijectors):
            known = bijector.forward_event_shape(known)
        return known

    def _inverse_event_shape(self, known: TensorShape) -> TensorShape:
        for bijector in self._bijectors:
            known = bijector.inverse_event_shape(known)
        return known

    def _forward_event_shape_tensor(self, sizes: Tensor) -> Tensor:
        for bijector in reversed(self._bijectors):
            sizes = bijector.forward_event_shape_tensor(sizes)
        return sizes
