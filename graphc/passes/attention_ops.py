"""The ops that the attention pass makes; no part of a saved graph, and not registered.

  Attention        softmax(scale * q kT + mask) v
  AttentionKept    the same, and for each row of scores what its exponentials were made with
  AttentionGrad    the gradients by q, k and v, from those numbers: the scores are computed anew

q[..., rows, depth], k[..., cols, depth], v[..., cols, columns] over one or two leading axes; mask, if there is one, is
[..., rows or 1, cols] with leading axes that are the others' or 1.
"""
from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from graphc.ir import dims
from graphc.ir.dims import Size
from graphc.ir.op import Op
from graphc.ir.records import dataclass
from graphc.ir.spec import Spec

if TYPE_CHECKING:
    from graphc.ir.steps import A, StepBuilder

MOST_LEADING = 2


@dataclass(frozen=True)
class Attention(Op):
    """softmax(scale * q kT + mask) v in the last two axes."""

    type: ClassVar[str] = "_Attention"
    operands = ("q", "k", "v", "mask*")
    results = ("output",)
    scale: float

    def infer(self, *inputs: Spec) -> Spec:
        q, v = inputs[0], inputs[2]
        assert q.shape is not None and v.shape is not None
        return Spec(q.dtype, (*q.shape[:-1], v.shape[-1]))

    def reference(self, *inputs: np.ndarray) -> np.ndarray:
        weights, _ = _weights(self.scale, *_wide(inputs))
        output: np.ndarray = weights @ inputs[2]
        return output.astype(inputs[0].dtype)

    def lower(self, b: StepBuilder[A], inputs: Sequence[A], outputs: Sequence[A]) -> None:
        q, k, v = inputs[:3]
        sizes, masked = _sizes(inputs[:3], inputs[3:])
        b.call("attention", [q, k, v, *(inputs[3:] or [q]), outputs[0]], dims=sizes, attrs=[masked, self.scale])


@dataclass(frozen=True)
class AttentionKept(Op):
    """Attention; kept[..., rows, 2] is of each row of scores the greatest one, and 1 / the sum of the exponentials of
    all of them less the greatest."""

    type: ClassVar[str] = "_AttentionKept"
    operands = ("q", "k", "v", "mask*")
    results = ("output", "kept")
    scale: float

    def infer(self, *inputs: Spec) -> tuple[Spec, ...]:
        q, v = inputs[0], inputs[2]
        assert q.shape is not None and v.shape is not None
        return Spec(q.dtype, (*q.shape[:-1], v.shape[-1])), Spec(q.dtype, (*q.shape[:-1], 2))

    def reference(self, *inputs: np.ndarray) -> tuple[np.ndarray, ...]:
        weights, kept = _weights(self.scale, *_wide(inputs))
        return (weights @ inputs[2]).astype(inputs[0].dtype), kept.astype(inputs[0].dtype)

    def lower(self, b: StepBuilder[A], inputs: Sequence[A], outputs: Sequence[A]) -> None:
        q, k, v = inputs[:3]
        sizes, masked = _sizes(inputs[:3], inputs[3:])
        b.call("attention_kept", [q, k, v, *(inputs[3:] or [q]), outputs[1], outputs[0]], dims=sizes,
               attrs=[masked, self.scale])


@dataclass(frozen=True)
class AttentionGrad(Op):
    """The gradients of AttentionKept's output by q, k and v, times dy."""

    type: ClassVar[str] = "_AttentionGrad"
    operands = ("q", "k", "v", "output", "kept", "dy", "mask*")
    results = ("dq", "dk", "dv")
    scale: float

    def infer(self, *inputs: Spec) -> tuple[Spec, ...]:
        return tuple(Spec(x.dtype, x.shape) for x in inputs[:3])

    def reference(self, *inputs: np.ndarray) -> tuple[np.ndarray, ...]:
        q, k, v, output, _, dy, *_ = _wide(inputs)
        weights, _ = _weights(self.scale, q, k, v, *_wide(inputs[6:]))
        by_scores = weights * (dy @ v.swapaxes(-1, -2) - (dy * output).sum(-1, keepdims=True)) * self.scale
        found = by_scores @ k, by_scores.swapaxes(-1, -2) @ q, weights.swapaxes(-1, -2) @ dy
        return tuple(x.astype(inputs[0].dtype) for x in found)

    def lower(self, b: StepBuilder[A], inputs: Sequence[A], outputs: Sequence[A]) -> None:
        sizes, masked = _sizes(inputs[:3], inputs[6:])
        b.call("attention_grad", [*inputs[:6], *(inputs[6:] or inputs[:1]), *outputs], dims=sizes,
               attrs=[masked, self.scale])


def _wide(arrays: Sequence[np.ndarray]) -> list[np.ndarray]:
    return [x.astype(np.float64) for x in arrays]


def _weights(scale: float, q: np.ndarray, k: np.ndarray, v: np.ndarray,
             *mask: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The softmax of the scores, and what AttentionKept keeps of it."""
    scores = q @ k.swapaxes(-1, -2) * scale + (mask[0] if mask else 0)
    if not scores.shape[-1]:
        return scores, np.zeros((*scores.shape[:-1], 2))
    greatest = scores.max(-1, keepdims=True)
    exponentials = np.exp(scores - greatest)
    part = 1 / exponentials.sum(-1, keepdims=True)
    return exponentials * part, np.concatenate([greatest, part], -1)


def _sizes(matrices: Sequence[A], mask: Sequence[A]) -> tuple[list[Size], bool]:
    """The kernels' dims, and whether there is a mask."""
    q, _, v = matrices
    *lead, rows, depth = q.shape
    outer, inner = (1, *lead)[-MOST_LEADING:]
    cols, columns = v.shape[-2:]
    return [outer, inner, rows, cols, depth, columns, *(_steps(mask[0].shape) if mask else (0, 0, 0))], bool(mask)


def _steps(mask: Sequence[Size]) -> tuple[Size, Size, Size]:
    """Elements of the mask from one index of the outer, the inner leading axis and the rows to the next."""
    sizes = ((1,) * (MOST_LEADING + 2) + tuple(mask))[-(MOST_LEADING + 2):]
    outer, inner, row = (0 if dims.same(sizes[axis], 1) else dims.product(sizes[axis + 1:])
                         for axis in range(MOST_LEADING + 1))
    return outer, inner, row
