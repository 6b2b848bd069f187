"""The ops that the attention pass makes; no part of a saved graph, and not registered.

  Attention        softmax(scale * q kT + mask) v
  AttentionKept    the same, and for each row of scores what its exponentials were made with
  AttentionGrad    the gradients by q, k and v, from those numbers: the scores are computed anew

The latter two may have dropout of the softmax: `draw` says where its random numbers come from, `drop` which weights are
kept and what they are multiplied by (kernels/cpu/attention/dropping.py). The gradient may have one by a mask that is
added.

q[..., rows, depth], k[..., cols, depth], v[..., cols, columns] over one or two leading axes; mask, if there is one, is
[..., rows or 1, cols] with leading axes that are the others' or 1. What it does to scores stands below.

The pass attention_strides lets them read q, k, v and dy where they lie, as other values seen through strides (`seen`),
and write results with the second leading axis after the rows (`inside`): [outer, rows, inner, length].
"""
from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from graphc.ir import dims
from graphc.ir.access import row_major
from graphc.ir.dims import Size
from graphc.ir.dtypes import as_dtype, float32
from graphc.ir.op import Op
from graphc.ir.records import dataclass
from graphc.ir.spec import Shape, Spec
from graphc.ops.random.philox import uniform

if TYPE_CHECKING:
    from graphc.ir.steps import A, StepBuilder

MOST_LEADING = 2
# What a mask's element m does to a score s (kernels/cpu/attention/attention_blocks.py): it is added; or, where m is
# below 0, it stands in place of s, or s is multiplied by 0 before it is added.
ADDED, CHOSEN, MULTIPLIED = 1, 2, 3
# How an operand lies in the value that is given for it: its shape, its strides and its first element there.
Seen = tuple[Shape, tuple[Size, ...], Size]
SEEN, SEEN_BACKWARDS = (0, 1, 2), (0, 1, 2, 5)       # operands that are read by strides


@dataclass(frozen=True)
class Attending(Op):
    """mask_does: ADDED, CHOSEN or MULTIPLIED, if there is a mask. seen: of each of the operands that are read by
    strides, None for one that is whole, or () if all are. inside: of each result [.., rows, length] (of AttentionGrad
    first its operand `output`), or () if none is. dropped: whether weights are; never of Attention itself."""

    scale: float
    mask_does: int = ADDED
    seen: tuple[Seen | None, ...] = ()
    inside: tuple[bool, ...] = ()
    dropped: bool = False
    read: ClassVar[tuple[int, ...]] = SEEN
    further: ClassVar[int] = 3             # which operand is the first after those that are always there
    @property
    def mask_at(self) -> int:
        """Which operand the mask is, behind draw and drop."""
        return self.further + (2 if self.dropped else 0)

    def shapes(self, inputs: Sequence[Spec]) -> list[Shape]:
        """Of the operands as they are seen."""
        shapes = [x.shape or () for x in inputs]
        for operand, seen in zip(self.read, self.seen, strict=False):
            if seen is not None:
                shapes[operand] = seen[0]
        return shapes

    def laid_out(self, number: int, shape: Shape) -> Shape:
        """The shape in memory of what `inside` counts."""
        return _inside(shape) if self.is_inside(number) else shape

    def masked(self, mask: Sequence[A]) -> int:
        """What the kernels' attribute says."""
        return self.mask_does if mask else 0

    def is_inside(self, number: int) -> bool:
        return number < len(self.inside) and self.inside[number]

    def arrays(self, inputs: Sequence[np.ndarray]) -> list[np.ndarray]:
        """The operands as they are seen, in float64; without draw and drop."""
        arrays = [x.astype(np.float64) for x in (*inputs[:self.further], *inputs[self.mask_at:])]
        for operand, seen in zip(self.read, self.seen, strict=False):
            if seen is not None:
                shape, strides, first = seen
                flat = arrays[operand].reshape(-1)[first:]
                arrays[operand] = np.lib.stride_tricks.as_strided(flat, shape, [8 * s for s in strides])  # type: ignore[arg-type, misc]
        return arrays

    def factors(self, inputs: Sequence[np.ndarray], shape: Sequence[int]) -> np.ndarray:
        """What the weights, of this shape, are multiplied by."""
        if not self.dropped:
            return np.ones(())
        (key, run, iteration, word), drop = inputs[self.further:self.mask_at]
        dtype, count = as_dtype(drop.dtype), math.prod(shape)
        first = int(word) // (1 if dtype == float32 else 2)
        drawn = uniform(int(key), int(run), int(iteration), first + count, dtype)[first:].reshape(shape)
        factors: np.ndarray = (drawn + drop[0] >= drop[1]) * np.float64(drop[2])
        return factors

    def steps(self, inputs: Sequence[A]) -> tuple[list[Size], list[Shape]]:
        """The kernels' dims that say where the operands are, four for each, and the operands' shapes."""
        found, shapes = [], []
        for number, operand in enumerate(self.read):
            seen = self.seen[number] if self.seen else None
            shape = inputs[operand].shape
            shape, strides, first = seen or (shape, row_major(shape), 0)
            found += [first, *((0,) * MOST_LEADING + tuple(strides[:-1]))[-MOST_LEADING - 1:]]
            shapes.append(shape)
        return found, shapes


@dataclass(frozen=True)
class Attention(Attending):
    """softmax(scale * q kT + mask) v in the last two axes."""

    type: ClassVar[str] = "_Attention"
    operands = ("q", "k", "v", "mask*")
    results = ("output",)

    def infer(self, *inputs: Spec) -> Spec:
        q, _, v = self.shapes(inputs)[:3]
        return Spec(inputs[0].dtype, self.laid_out(0, (*q[:-1], v[-1])))

    def reference(self, *inputs: np.ndarray) -> np.ndarray:
        arrays = self.arrays(inputs)
        weights, _, _ = _weights(self, *arrays)
        return _array(weights @ arrays[2], self.is_inside(0), inputs[0])

    def lower(self, b: StepBuilder[A], inputs: Sequence[A], outputs: Sequence[A]) -> None:
        steps, shapes = self.steps(inputs)
        mask = inputs[3:]
        b.call("attention", [*inputs[:3], *(mask or inputs[:1]), outputs[0]], dims=[*_sizes(shapes, mask), *steps],
               attrs=[self.masked(mask), self.is_inside(0), self.scale])


@dataclass(frozen=True)
class AttentionKept(Attending):
    """Attention; kept[..., rows, 2] is of each row of scores the greatest one, and 1 / the sum of the exponentials of
    all of them less the greatest. others: draw and drop if weights are dropped, the mask if there is one."""

    type: ClassVar[str] = "_AttentionKept"
    operands = ("q", "k", "v", "others*")
    results = ("output", "kept")

    def infer(self, *inputs: Spec) -> tuple[Spec, ...]:
        q, _, v = self.shapes(inputs)[:3]
        return (Spec(inputs[0].dtype, self.laid_out(0, (*q[:-1], v[-1]))), Spec(inputs[0].dtype, (*q[:-1], 2)))

    def reference(self, *inputs: np.ndarray) -> tuple[np.ndarray, ...]:
        arrays = self.arrays(inputs)
        weights, kept, _ = _weights(self, *arrays)
        y = (weights * self.factors(inputs, weights.shape)) @ arrays[2]
        return _array(y, self.is_inside(0), inputs[0]), kept.astype(inputs[0].dtype)

    def lower(self, b: StepBuilder[A], inputs: Sequence[A], outputs: Sequence[A]) -> None:
        steps, shapes = self.steps(inputs)
        mask = inputs[self.mask_at:]
        b.call("attention_dropped" if self.dropped else "attention_kept",
               [*inputs[:self.mask_at], *(mask or inputs[:1]), outputs[1], outputs[0]],
               dims=[*_sizes(shapes, mask), *steps], attrs=[self.masked(mask), self.is_inside(0), self.scale])


@dataclass(frozen=True)
class AttentionGrad(Attending):
    """The gradients of AttentionKept's output by q, k and v, times dy. others: as there. by_mask: the shape of a
    further result, the gradient by what is added to the scores, summed up along axes of 1; (): there is none."""

    type: ClassVar[str] = "_AttentionGrad"
    operands = ("q", "k", "v", "output", "kept", "dy", "others*")
    results = ("dq", "dk", "dv", "dmask*")
    read: ClassVar[tuple[int, ...]] = SEEN_BACKWARDS
    further: ClassVar[int] = 6
    by_mask: Shape = ()

    def infer(self, *inputs: Spec) -> tuple[Spec, ...]:
        shapes = [self.laid_out(1 + i, shape) for i, shape in enumerate(self.shapes(inputs)[:3])]
        return tuple(Spec(inputs[0].dtype, shape) for shape in (*shapes, *((self.by_mask,) if self.by_mask else ())))

    def reference(self, *inputs: np.ndarray) -> tuple[np.ndarray, ...]:
        q, k, v, output, _, dy, *mask = self.arrays(inputs)
        output = output.swapaxes(-2, -3) if self.is_inside(0) else output
        weights, _, factor = _weights(self, q, k, v, *mask)
        kept = self.factors(inputs, weights.shape)
        by_masked = weights * (kept * (dy @ v.swapaxes(-1, -2)) - (dy * output).sum(-1, keepdims=True))
        by_scores = by_masked * factor
        found = by_scores @ k, by_scores.swapaxes(-1, -2) @ q, (weights * kept).swapaxes(-1, -2) @ dy
        results = tuple(_array(x, self.is_inside(1 + i), inputs[0]) for i, x in enumerate(found))
        if not self.by_mask:
            return results
        axes = tuple(i for i, size in enumerate(self.by_mask) if dims.same(size, 1))
        return (*results, by_masked.sum(axes, keepdims=True).astype(inputs[0].dtype))

    def lower(self, b: StepBuilder[A], inputs: Sequence[A], outputs: Sequence[A]) -> None:
        steps, shapes = self.steps(inputs)
        mask = inputs[self.mask_at:]
        sizes, read = _sizes(shapes, mask), [*inputs[:self.further], *(mask or inputs[:1])]
        attrs = [self.masked(mask), *(self.is_inside(i) for i in range(4))]
        if not self.dropped and not self.by_mask:
            b.call("attention_grad", [*read, *outputs], dims=[*sizes, *steps], attrs=[*attrs, self.scale])
            return
        draws = inputs[self.further:self.mask_at] or [b.constant(np.zeros(0, np.int64)), inputs[0]]
        by_mask = outputs[3:] or [b.temporary(outputs[0].dtype, (0,))]
        by_steps = _steps(self.by_mask, sizes[:3]) if self.by_mask else (0, 0, 0)
        b.call("attention_general_grad", [*read[:self.further], *draws, *read[self.further:], *outputs[:3], *by_mask],
               dims=[*sizes, *steps, *by_steps], attrs=[*attrs, self.dropped, bool(self.by_mask), self.scale])


def _inside(shape: Shape) -> Shape:
    outer, inner, rows, length = shape
    return outer, rows, inner, length


def _array(made: np.ndarray, inside: bool, like: np.ndarray) -> np.ndarray:
    """A result as it lies in memory."""
    return (made.swapaxes(-2, -3) if inside else made).astype(like.dtype)


def _weights(op: Attending, q: np.ndarray, k: np.ndarray, v: np.ndarray,
             *mask: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The softmax of the scores, what AttentionKept keeps of it, and the scores' derivatives by the product q kT."""
    scores, factor = q @ k.swapaxes(-1, -2), np.asarray(op.scale)
    if mask and op.mask_does != ADDED:
        factor = np.where(mask[0] < 0, 0.0, op.scale)
    scores = scores * factor
    if mask:
        chosen = op.mask_does == CHOSEN
        scores = np.where(mask[0] < 0, mask[0], scores) if chosen else scores + mask[0]
    if not scores.shape[-1]:
        return scores, np.zeros((*scores.shape[:-1], 2)), factor
    greatest = scores.max(-1, keepdims=True)
    exponentials = np.exp(scores - greatest)
    part = 1 / exponentials.sum(-1, keepdims=True)
    return exponentials * part, np.concatenate([greatest, part], -1), factor


def _sizes(shapes: Sequence[Shape], mask: Sequence[A]) -> list[Size]:
    """The kernels' dims that are sizes, of q, k and v, and the mask's steps."""
    q, _, v = shapes[:3]
    *lead, rows, depth = q
    outer, inner = (1, *lead)[-MOST_LEADING:]
    steps = _steps(mask[0].shape, (outer, inner, rows)) if mask else (0, 0, 0)
    return [outer, inner, rows, v[-2], depth, v[-1], *steps]


def _steps(mask: Sequence[Size], whole: Sequence[Size]) -> tuple[Size, ...]:
    """Elements of the mask from one index of the outer, the inner leading axis and the rows to the next; `whole`: how
    many there are of each. 0 along what turns out to be 1."""
    sizes = ((1,) * (MOST_LEADING + 2) + tuple(mask))[-(MOST_LEADING + 2):]
    steps = []
    for axis, (size, all_of_it) in enumerate(zip(sizes, whole, strict=False)):
        step = dims.product(sizes[axis + 1:])
        is_one = 0 if dims.same(size, all_of_it) and not dims.same(size, 1) else dims.equal(size, 1)
        steps.append(dims.select(is_one, 0, step))
    return tuple(steps)
