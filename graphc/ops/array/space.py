"""Blocks of space that become batch, and back: SpaceToBatchND, BatchToSpaceND and their first forms for pictures.

All are reshapes around a transpose.
"""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from graphc.ir import dims
from graphc.ir.builder import GradientBuilder
from graphc.ir.dims import Size
from graphc.ir.dtypes import float64, int64
from graphc.ir.elementwise import check_kind, check_rank
from graphc.ir.known import require_nonnegative
from graphc.ir.op import OPS, Composite, Sample, attr, operand_field, register
from graphc.ir.spec import Shape, Spec, require_equal, require_less_equal, text
from graphc.ir.tensor import Operation

Pairs = tuple[tuple[Size, Size], ...]
_SPACE: list[tuple[tuple[int, ...], Pairs, tuple[int, ...], Any]] = [
    ((2, 2), ((0, 0), (0, 0)), (1, 4, 6, 3), None), ((2, 3), ((1, 0), (2, 1)), (2, 3, 6, 1), float64),
    ((3,), ((2, 1),), (2, 6, 5), int64), ((1, 2), ((0, 1), (1, 0)), (2, 0, 3), None), ((2,), ((0, 0),), (3, 4), None)]


def _check(name: str, blocks: Sequence[Size], pairs: Pairs, x: Spec) -> None:
    if len(blocks) != len(pairs):
        raise ValueError(f"{name} has {len(pairs)} rows, but block_shape {len(blocks)} elements: one row for each is "
                         "needed")
    if x.shape is not None and len(x.shape) < 1 + len(blocks):
        raise ValueError(f"input of shape {text(x.shape)} must have a batch axis and {len(blocks)} more")
    for block in blocks:
        require_less_equal(1, block, "sizes of a block must be at least 1")
    require_nonnegative([p for pair in pairs for p in pair], f"{name} must not be negative")
    if any(isinstance(p, int) and p < 0 for pair in pairs for p in pair):
        raise ValueError(f"{name} must not be negative, but are {pairs}")


def _to_batch(blocks: Sequence[Size], pads: Pairs, x: Spec) -> Spec:
    """The Spec of SpaceToBatchND."""
    _check("paddings", blocks, pads, x)
    if x.shape is None:
        return Spec(x.dtype, None)
    sizes: list[Size] = []
    for i, (block, (before, behind)) in enumerate(zip(blocks, pads, strict=True)):
        padded = before + x.shape[1 + i] + behind
        message = f"axis {1 + i} of an input of shape {text(x.shape)}, padded, must be a multiple of its block size"
        require_equal(dims.mod(padded, _positive(block)), 0, message)
        sizes.append(dims.floordiv(padded, _positive(block)))
    return Spec(x.dtype, (x.shape[0] * dims.product(blocks), *sizes, *x.shape[1 + len(blocks):]))


def _to_space(blocks: Sequence[Size], crops: Pairs, x: Spec) -> Spec:
    """The Spec of BatchToSpaceND."""
    _check("crops", blocks, crops, x)
    if x.shape is None:
        return Spec(x.dtype, None)
    whole = _positive(dims.product(blocks))
    message = f"the batch axis of an input of shape {text(x.shape)} must be a multiple of the product of block_shape"
    require_equal(dims.mod(x.shape[0], whole), 0, message)
    sizes: list[Size] = []
    for i, (block, (before, behind)) in enumerate(zip(blocks, crops, strict=True)):
        full = x.shape[1 + i] * block
        require_less_equal(before + behind, full, f"crops of axis {1 + i} are more than its {full} elements")
        sizes.append(full - before - behind)
    return Spec(x.dtype, (dims.floordiv(x.shape[0], whole), *sizes, *x.shape[1 + len(blocks):]))


def _positive(size: Size) -> Size:
    return size if isinstance(size, int) else dims.maximum(size, 1)


def _expand_to_batch(emit: Any, blocks: Sequence[Size], pads: Pairs, x: Any) -> Any:
    rank, count = len(x.spec.shape), len(blocks)
    result = _to_batch(blocks, pads, x.spec).shape
    assert result is not None
    every = ((0, 0), *pads, *((0, 0),) * (rank - 1 - count))
    if any(p != 0 for pair in pads for p in pair):
        x = emit(OPS.make("Pad", paddings=every), x)
    split: list[Size] = [x.spec.shape[0]]
    for size, block in zip(result[1:], blocks, strict=False):
        split += [size, block]
    x = emit(OPS.make("Reshape", shape=(*split, *x.spec.shape[1 + count:])), x)
    perm = (*range(2, 2 * count + 1, 2), 0, *range(1, 2 * count + 1, 2), *range(2 * count + 1, count + rank))
    return emit(OPS.make("Reshape", shape=result), emit(OPS.make("Transpose", perm=perm), x))


def _expand_to_space(emit: Any, blocks: Sequence[Size], crops: Pairs, x: Any) -> Any:
    shape, count, rank = x.spec.shape, len(blocks), len(x.spec.shape)
    result = _to_space(blocks, crops, x.spec).shape
    assert result is not None
    x = emit(OPS.make("Reshape", shape=(*blocks, result[0], *shape[1:])), x)
    perm = [count]
    for i in range(count):
        perm += [count + 1 + i, i]
    x = emit(OPS.make("Transpose", perm=(*perm, *range(2 * count + 1, count + rank))), x)
    full = tuple(size * block for size, block in zip(shape[1:], blocks, strict=False))
    x = emit(OPS.make("Reshape", shape=(result[0], *full, *shape[1 + count:])), x)
    if all(c == 0 for pair in crops for c in pair):
        return x
    begin = (0, *(before for before, _ in crops), *(0,) * (rank - 1 - count))
    return emit(OPS.make("Slice", begin=begin, size=result), x)


def _numpy_to_batch(blocks: Sequence[int], pads: Any, x: np.ndarray) -> np.ndarray:
    """Of each place in a block, the elements that stand there."""
    count = len(blocks)
    padded = np.pad(x, [(0, 0), *pads, *[(0, 0)] * (x.ndim - 1 - count)])
    return np.concatenate([padded[(slice(None), *(slice(i, None, b) for i, b in zip(at, blocks, strict=True)))]
                           for at in np.ndindex(*blocks)], axis=0)


def _numpy_to_space(blocks: Sequence[int], crops: Any, x: np.ndarray) -> np.ndarray:
    count, batch = len(blocks), x.shape[0] // int(np.prod(blocks))
    full = np.zeros((batch, *(s * b for s, b in zip(x.shape[1:], blocks, strict=False)), *x.shape[1 + count:]), x.dtype)
    for n, at in enumerate(np.ndindex(*blocks)):
        place = (slice(None), *(slice(i, None, b) for i, b in zip(at, blocks, strict=True)))
        full[place] = x[n * batch:(n + 1) * batch]
    return full[(slice(None), *(slice(c[0], n - c[1]) for c, n in zip(crops, full.shape[1:], strict=False)))]


def _batch_shape(blocks: Sequence[int], pads: Any, shape: Sequence[int]) -> Shape:
    return _numpy_to_batch(blocks, pads, np.zeros(tuple(shape))).shape


@register
class SpaceToBatchND(Composite):
    """Blocks of the padded axes after the first one become parts of the batch axis."""

    operands = ("input", "block_shape", "paddings")
    results = ("output",)
    types: ClassVar = {"T": "input", "Tblock_shape": "block_shape", "Tpaddings": "paddings"}
    block_shape: tuple[Size, ...] = operand_field("ints")
    paddings: Pairs = operand_field("pairs")
    samples: ClassVar = [Sample({"block_shape": b, "paddings": p}, (s,), (d,)) for b, p, s, d in _SPACE]

    def infer(self, x: Spec) -> Spec:
        check_kind(self, (x,), "any")
        return _to_batch(self.block_shape, self.paddings, x)

    def reference(self, x: np.ndarray) -> np.ndarray:
        return _numpy_to_batch(self.block_shape, self.paddings, x)  # type: ignore[arg-type]

    def grad(self, g: GradientBuilder, node: Operation, dy: Any) -> Sequence[Any]:
        _, blocks, paddings = node.inputs
        return [g.batch_to_space_nd(dy, blocks, paddings), None, None]

    def expand(self, emit: Any, x: Any) -> Any:
        return _expand_to_batch(emit, self.block_shape, self.paddings, x)


@register
class BatchToSpaceND(Composite):
    """Parts of the batch axis become blocks of the axes after it, which are cropped then."""

    operands = ("input", "block_shape", "crops")
    results = ("output",)
    types: ClassVar = {"T": "input", "Tblock_shape": "block_shape", "Tcrops": "crops"}
    block_shape: tuple[Size, ...] = operand_field("ints")
    crops: Pairs = operand_field("pairs")
    samples: ClassVar = [Sample({"block_shape": b, "crops": p}, (_batch_shape(b, p, s),), (d,)) for b, p, s,
                         d in _SPACE]

    def infer(self, x: Spec) -> Spec:
        check_kind(self, (x,), "any")
        return _to_space(self.block_shape, self.crops, x)

    def reference(self, x: np.ndarray) -> np.ndarray:
        return _numpy_to_space(self.block_shape, self.crops, x)  # type: ignore[arg-type]

    def grad(self, g: GradientBuilder, node: Operation, dy: Any) -> Sequence[Any]:
        _, blocks, crops = node.inputs
        return [g.space_to_batch_nd(dy, blocks, crops), None, None]

    def expand(self, emit: Any, x: Any) -> Any:
        return _expand_to_space(emit, self.block_shape, self.crops, x)


_PICTURES: list[tuple[int, Pairs, tuple[int, ...], Any]] = [
    (2, ((0, 0), (0, 0)), (1, 4, 6, 3), None), (3, ((1, 2), (0, 1)), (2, 3, 5, 2), float64),
    (2, ((1, 1), (0, 0)), (2, 2, 2, 1), int64)]


def check_block(block: int, x: Spec) -> None:
    if block < 2:
        raise ValueError(f"block_size must be greater than 1, but is {block}")
    check_rank("input", x, 4)


@register
class SpaceToBatch(Composite):
    """SpaceToBatchND of the two axes of pictures, with square blocks."""

    operands = ("input", "paddings")
    results = ("output",)
    types: ClassVar = {"T": "input", "Tpaddings": "paddings"}
    paddings: Pairs = operand_field("pairs")
    block_size: int = attr("int")
    samples: ClassVar = [Sample({"block_size": b, "paddings": p}, (s,), (d,)) for b, p, s, d in _PICTURES]

    def infer(self, x: Spec) -> Spec:
        check_kind(self, (x,), "any")
        check_block(self.block_size, x)
        return _to_batch((self.block_size,) * 2, self.paddings, x)

    def reference(self, x: np.ndarray) -> np.ndarray:
        return _numpy_to_batch((self.block_size,) * 2, self.paddings, x)

    def grad(self, g: GradientBuilder, node: Operation, dy: Any) -> Sequence[Any]:
        return [g.batch_to_space(dy, node.inputs[1], block_size=self.block_size), None]

    def expand(self, emit: Any, x: Any) -> Any:
        return _expand_to_batch(emit, (self.block_size,) * 2, self.paddings, x)


@register
class BatchToSpace(Composite):
    """BatchToSpaceND of the two axes of pictures, with square blocks."""

    operands = ("input", "crops")
    results = ("output",)
    types: ClassVar = {"T": "input", "Tidx": "crops"}
    crops: Pairs = operand_field("pairs")
    block_size: int = attr("int")
    samples: ClassVar = [Sample({"block_size": b, "crops": p}, (_batch_shape((b, b), p, s),), (d,))
                         for b, p, s, d in _PICTURES]

    def infer(self, x: Spec) -> Spec:
        check_kind(self, (x,), "any")
        check_block(self.block_size, x)
        return _to_space((self.block_size,) * 2, self.crops, x)

    def reference(self, x: np.ndarray) -> np.ndarray:
        return _numpy_to_space((self.block_size,) * 2, self.crops, x)

    def grad(self, g: GradientBuilder, node: Operation, dy: Any) -> Sequence[Any]:
        return [g.space_to_batch(dy, node.inputs[1], block_size=self.block_size), None]

    def expand(self, emit: Any, x: Any) -> Any:
        return _expand_to_space(emit, (self.block_size,) * 2, self.crops, x)
