"""What the layer_norm pass makes: steps on the last axes of their operands, by the kernels of the same name."""
from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from graphc.ir import dims
from graphc.ir.op import Op
from graphc.ir.records import dataclass
from graphc.ir.spec import Spec, require_equal

if TYPE_CHECKING:
    from graphc.ir.steps import A, StepBuilder


@dataclass(frozen=True)
class _Norm(Op):
    """axes: how many of x's last axes a row is made of. params: how many of them scale and shift have, at least one.
    centred: whether the mean is subtracted; epsilon: what is added to the variance, above 0."""

    axes: int
    params: int
    centred: bool
    scaled: bool
    epsilon: float

    def _sizes(self, x: Any) -> list[Any]:
        """The kernels' dims."""
        rows, groups, params = self._parts(x.shape)
        return [dims.product(rows), dims.product(groups), dims.product(params)]

    def _parts(self, shape: Any) -> tuple[Any, Any, Any]:
        first, second = len(shape) - self.axes, len(shape) - self.params
        return shape[:first], shape[first:second], shape[second:]

    def _normalised(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray, tuple[int, ...]]:
        """(x - mean) * inverse in float64, inverse, and the axes of a row."""
        along = tuple(range(x.ndim - self.axes, x.ndim))
        x = x.astype(np.float64)
        with np.errstate(all="ignore"):
            x = x - x.mean(along, keepdims=True) if self.centred else x
            inverse = 1 / np.sqrt(np.square(x).mean(along, keepdims=True) + self.epsilon)
            return x * inverse, inverse, along


@dataclass(frozen=True)
class LayerNorm(_Norm):
    """(x - mean) / sqrt(variance + epsilon) * scale + shift of each row; others: scale and shift, as far as they are
    there. Not centred: the mean is 0, the mean of squares takes the variance's place."""

    type: ClassVar[str] = "_LayerNorm"
    operands = ("x", "others*")
    results = ("output",)
    shifted: bool

    def infer(self, *inputs: Spec) -> Spec:
        return Spec(inputs[0].dtype, inputs[0].shape)

    def reference(self, *inputs: np.ndarray) -> np.ndarray:
        x, *others = inputs
        shape = self._parts(x.shape)[2]
        y, _, _ = self._normalised(x)
        with np.errstate(all="ignore"):
            y = y * others[0].reshape(shape) if self.scaled else y
            y = y + others[-1].reshape(shape) if self.shifted else y
        return y.astype(x.dtype)

    def lower(self, b: StepBuilder[A], inputs: Sequence[A], outputs: Sequence[A]) -> None:
        x, *others = inputs
        scale, shift = others[0] if self.scaled else x, others[-1] if self.shifted else x
        b.call("layer_norm", [x, scale, shift, outputs[0]], dims=self._sizes(x),
               attrs=[self.centred, self.scaled, self.shifted, self.epsilon])


@dataclass(frozen=True)
class LayerNormGrad(_Norm):
    """The gradients of LayerNorm by x (plus addend), scale and shift, times dy; total: if `summed`, the sum of the
    first over all that scale does not tell apart, else 0. others: scale and addend, as far as they are there."""

    type: ClassVar[str] = "_LayerNormGrad"
    operands = ("dy", "x", "others*")
    results = ("dx", "by_scale", "by_shift", "total")
    added: bool
    summed: bool

    def infer(self, *inputs: Spec) -> tuple[Spec, ...]:
        x = inputs[1]
        for other in (inputs[0], *inputs[2 + self.scaled:]):
            assert x.shape is not None and other.shape is not None
            for a, b in zip(other.shape, x.shape, strict=True):
                require_equal(a, b, "shapes of a norm and of its gradient")
        row = Spec(x.dtype, self._parts(x.shape)[2])
        return Spec(x.dtype, x.shape), row, row, row

    def reference(self, *inputs: np.ndarray) -> tuple[np.ndarray, ...]:
        dy, x, *others = inputs
        shape, outer = self._parts(x.shape)[2], tuple(range(x.ndim - self.params))
        normal, inverse, along = self._normalised(x)
        dy = dy.astype(np.float64)
        with np.errstate(all="ignore"):
            weighted = dy * others[0].reshape(shape) if self.scaled else dy
            mean = weighted.mean(along, keepdims=True) if self.centred else 0
            dx = (weighted - mean - normal * (weighted * normal).mean(along, keepdims=True)) * inverse
            dx = dx + others[-1] if self.added else dx
            total = dx.sum(outer) if self.summed else np.zeros(shape)
            found = dx, (dy * normal).sum(outer), dy.sum(outer), total
        return tuple(a.astype(x.dtype) for a in found)

    def lower(self, b: StepBuilder[A], inputs: Sequence[A], outputs: Sequence[A]) -> None:
        dy, x, *others = inputs
        scale, addend = others[0] if self.scaled else x, others[-1] if self.added else x
        b.call("layer_norm_grad", [dy, x, scale, addend, *outputs], dims=self._sizes(x),
               attrs=[self.centred, self.scaled, self.added, self.summed, self.epsilon])
