"""What distributions have in common whose events are vectors."""
from __future__ import annotations

from graphc.api.distributions.base import Distribution
from graphc.ir.tensor import Tensor
from graphc.ir.tensor_shape import TensorShape


class OfVectors(Distribution):
    """Events are vectors. A class says the shape of batch and vector together: `_both`, as far as it is known, and
    `_both_tensor`."""

    def _both(self) -> TensorShape:
        raise NotImplementedError(f"_both is not implemented: {type(self).__name__}")

    def _both_tensor(self) -> Tensor:
        raise NotImplementedError(f"_both_tensor is not implemented: {type(self).__name__}")

    def _batch_shape(self) -> TensorShape:
        return before_last(self._both())

    def _event_shape(self) -> TensorShape:
        known = self._both()
        return known if known.ndims is None else known[-1:]

    def _batch_shape_tensor(self) -> Tensor:
        return self._both_tensor()[:-1]

    def _event_shape_tensor(self) -> Tensor:
        return self._both_tensor()[-1:]


def before_last(known: TensorShape) -> TensorShape:
    """The shape without its last axis."""
    return known if known.ndims is None else known[:-1]
