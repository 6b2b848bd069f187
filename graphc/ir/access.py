"""Access: how the elements of a buffer are reached from the indices of some shape, with symbolic offset and strides.

Element (i0, i1, ...) of the access's shape is element offset + sum(i_k * strides[k]) of the buffer. Every method gives
a new Access of the same buffer; no data moves. This is what an op's `lower` gets for each operand and result, what
`View.view` maps to another, and what a map loads and stores through (plan.Access is its form in a Plan, with dim ids).
"""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from graphc.ir import dims
from graphc.ir.dims import Size
from graphc.ir.dtypes import DType
from graphc.ir.records import dataclass
from graphc.ir.spec import Shape


@dataclass(frozen=True)
class Text:
    """A string constant that only Python functions of the graph take: it is given to them, and has no buffer."""

    value: Any


@dataclass(frozen=True)
class Access:
    """A view of buffer `buffer` (its id in the body) with this shape."""

    buffer: int
    dtype: DType
    shape: Shape
    strides: tuple[Size, ...]
    offset: Size = 0

    @property
    def rank(self) -> int:
        return len(self.shape)

    @property
    def elements(self) -> Size:
        return dims.product(self.shape)

    @property
    def is_contiguous(self) -> bool:
        """Whether the elements lie row-major, without gaps, from the buffer's first element on (provably)."""
        if not dims.same(self.offset, 0):
            return False
        expected = row_major(self.shape)
        return all(dims.same(a, b) or dims.same(size, 1)
                   for size, a, b in zip(self.shape, self.strides, expected, strict=True))

    def transpose(self, perm: Sequence[int]) -> Access:
        """Axis i of the result is axis perm[i]."""
        return replace(self, shape=tuple(self.shape[p] for p in perm), strides=tuple(self.strides[p] for p in perm))

    def slice(self, begin: Sequence[Size], size: Sequence[Size], step: Sequence[Size] | None = None) -> Access:
        """Element i of an axis is element begin + i * step; size is the resulting shape. A step may be negative."""
        steps = (1,) * self.rank if step is None else step
        offset = self.offset
        for first, stride in zip(begin, self.strides, strict=True):
            offset = offset + first * stride
        strides = tuple(stride * by for stride, by in zip(self.strides, steps, strict=True))
        return replace(self, shape=tuple(size), strides=strides, offset=offset)

    def broadcast(self, shape: Sequence[Size]) -> Access:
        """By NumPy's rules. An axis that may turn out to be 1 gets a stride that is 0 in that case."""
        missing = len(shape) - self.rank
        if missing < 0:
            raise ValueError(f"an access of shape {self.shape} does not broadcast to {tuple(shape)}")
        if len(shape) == self.rank and all(a is b for a, b in zip(shape, self.shape, strict=True)):
            return self
        own = (*((1,) * missing), *self.shape)
        strides = (*((0,) * missing), *self.strides)
        fitted = tuple(_broadcast_stride(a, b, stride) for a, b, stride in zip(own, shape, strides, strict=True))
        return replace(self, shape=tuple(shape), strides=fitted)

    def broadcast_trailing(self, sizes: Sequence[Size]) -> Access:
        """The same element for every index of new axes at the end."""
        return replace(self, shape=(*self.shape, *sizes), strides=(*self.strides, *((0,) * len(sizes))))

    def expand(self, axis: int) -> Access:
        """A new axis of size 1 before `axis` (which may be the rank)."""
        return replace(self, shape=(*self.shape[:axis], 1, *self.shape[axis:]),
                       strides=(*self.strides[:axis], 0, *self.strides[axis:]))

    def squeeze(self, axes: Sequence[int]) -> Access:
        """Without these axes, which must have size 1."""
        kept = [i for i in range(self.rank) if i not in axes]
        return replace(self, shape=tuple(self.shape[i] for i in kept), strides=tuple(self.strides[i] for i in kept))

    def reverse(self, axes: Sequence[int]) -> Access:
        begin = [self.shape[i] - 1 if i in axes else 0 for i in range(self.rank)]
        step = [-1 if i in axes else 1 for i in range(self.rank)]
        return self.slice(begin, self.shape, step)

    def select(self, axis: int, index: Size) -> Access:
        """The elements with this index along `axis`, which disappears."""
        begin: list[Size] = [0] * self.rank
        size = list(self.shape)
        begin[axis], size[axis] = index, 1
        return self.slice(begin, size).squeeze((axis,))

    def part(self, axis: int, begin: Size, size: Size) -> Access:
        """`size` consecutive indices of one axis, from `begin` on."""
        begins: list[Size] = [0] * self.rank
        sizes = list(self.shape)
        begins[axis], sizes[axis] = begin, size
        return self.slice(begins, sizes)

    def regrouped(self, shape: Sequence[Size]) -> Access | None:
        """The same elements in row-major order under another shape, if strides can (provably) say so: axes are parted,
        those that follow each other without gaps are joined, those of size 1 come and go."""
        own = [(size, stride) for size, stride in zip(self.shape, self.strides, strict=True) if not dims.same(size, 1)]
        left = [size for size in shape if not dims.same(size, 1)]
        strides: list[Size] = []
        while own:
            (size, stride), *own = own
            while (count := _axes_of(size, left)) is None:
                if not own or not dims.same(stride, own[0][0] * own[0][1]):
                    return None
                size, stride = size * own[0][0], own.pop(0)[1]
            strides += [stride * step for step in row_major(left[:count])]
            left = left[count:]
        if left:
            return None
        found = iter(strides)
        return replace(self, shape=tuple(shape), strides=tuple(0 if dims.same(s, 1) else next(found) for s in shape))

    def diagonal(self, axis: int, other: int) -> Access:
        """Both axes run together: the result lacks `other`; the size is that of `axis`."""
        strides = list(self.strides)
        strides[axis] = strides[axis] + strides[other]
        kept = [i for i in range(self.rank) if i != other]
        return replace(self, shape=tuple(self.shape[i] for i in kept), strides=tuple(strides[i] for i in kept))


def row_major(shape: Sequence[Size]) -> tuple[Size, ...]:
    """Strides of a contiguous tensor."""
    strides: list[Size] = []
    step: Size = 1
    for size in reversed(shape):
        strides.append(step)
        step = step * size
    return tuple(reversed(strides))


def whole(buffer: int, dtype: DType, shape: Sequence[Size]) -> Access:
    """All of a buffer."""
    return Access(buffer, dtype, tuple(shape), row_major(shape))


def _axes_of(size: Size, axes: Sequence[Size]) -> int | None:
    """How many of the first axes have so many elements together."""
    return next((i for i in range(1, len(axes) + 1) if dims.same(dims.product(axes[:i]), size)), None)


def _broadcast_stride(own: Size, target: Size, stride: Size) -> Size:
    if dims.same(own, target):
        return stride
    if isinstance(own, int):
        if own != 1:
            # The target is symbolic and required to be equal: a guard says so.
            return stride
        return 0
    return dims.select(dims.equal(own, 1), 0, stride)
