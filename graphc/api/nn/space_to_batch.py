"""with_space_to_batch: an op with holes in its window by one without, on interleaved parts of its input."""
from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from graphc.api.array.pad import pad
from graphc.api.array.shapes import reshape, shape
from graphc.api.array.slicing import slice_
from graphc.api.array.transpose import transpose
from graphc.api.nn.ranks import is_channels_first, padding_word
from graphc.api.public import public
from graphc.ir.apply import convert_to_tensor
from graphc.ir.graph import get_default_graph
from graphc.ir.tensor import Tensor
from graphc.ir.values import whole


@public("nn.with_space_to_batch")
def with_space_to_batch(input, dilation_rate, padding, op, filter_shape=None, spatial_dims=None, data_format=None):
    """op(input, number of spatial axes, padding) as if its window had dilation_rate - 1 holes between its elements.

    The input is cut into interleaved parts, which lie in the batch while op runs with "VALID". filter_shape: the sizes
    of the window, for "SAME"; spatial_dims: the axes, by default those between batch and channels. As
    `tf.nn.with_space_to_batch`; rates and filter_shape must be known while the graph is built. Raises ValueError for
    what does not fit.

    >>> x = gc.reshape(gc.range(5.), [1, 5, 1])
    >>> def pairs(x, rank, padding):
    ...     return gc.nn.convolution(x, gc.ones([2, 1, 1]), padding=padding)
    >>> gc.nn.with_space_to_batch(x, [2], "VALID", pairs)[0, :, 0].eval()        # 0 + 2, 1 + 3, 2 + 4
    array([2., 4., 6.], dtype=float32)
    """
    input, padding = convert_to_tensor(input, name="input"), padding_word(padding)
    rates = [whole(r) for r in dilation_rate]
    if any(r < 1 for r in rates):
        raise ValueError(f"dilation_rate must be positive, but is {rates}")
    if all(r == 1 for r in rates):
        return op(input, len(rates), padding)
    axes = _spatial_axes(spatial_dims, len(rates), data_format)
    if input.spec.rank is None or max(axes) >= input.spec.rank:
        raise ValueError(f"input must have a known rank of at least {max(axes) + 1}, but its shape is {input.shape}")
    starts, ends = _base_paddings(padding, filter_shape, rates)
    with get_default_graph().name_scope("with_space_to_batch"):
        sizes = _sizes(input)
        extra = [(-(sizes[a] + s + e)) % r for a, s, e, r in zip(axes, starts, ends, rates, strict=True)]
        paddings = [(s, e + x) for s, e, x in zip(starts, ends, extra, strict=True)]
        parts = _to_batch(input, axes, rates, paddings)
        return _to_space(op(parts, len(rates), "VALID"), axes, rates, extra)


def _spatial_axes(given: Any, count: int, data_format: str | None) -> list[int]:
    first = 2 if is_channels_first(data_format) else 1
    axes = list(range(first, first + count)) if given is None else [whole(a) for a in given]
    if axes != sorted(set(axes)) or axes[0] < 1 or len(axes) != count:
        raise ValueError(f"spatial_dims must be {count} increasing positive numbers, but is {given}")
    return axes


def _base_paddings(padding: str, window: Any, rates: Sequence[int]) -> tuple[list[int], list[int]]:
    """Before and after each axis."""
    if padding == "VALID":
        return [0] * len(rates), [0] * len(rates)
    if window is None:
        raise ValueError("filter_shape must be specified for SAME padding")
    total = [(int(w) - 1) * r for w, r in zip(list(window), rates, strict=False)]
    return [t // 2 for t in total], [t - t // 2 for t in total]


def _sizes(x: Tensor) -> list[Any]:
    """A number where the size is known, else a tensor."""
    known = x.shape.as_list()
    return [s if s is not None else shape(x)[i] for i, s in enumerate(known)]


def _to_batch(x: Tensor, axes: Sequence[int], rates: Sequence[int], paddings: Sequence[tuple[Any, Any]]) -> Tensor:
    """Part (i, j, ...) holds elements (i + k rate, j + l rate, ...); parts lie one after the other in the batch."""
    rank = len(x.shape.as_list())
    around: list[Any] = [[0, 0]] * rank
    for axis, (before, behind) in zip(axes, paddings, strict=True):
        around[axis] = [before, behind]
    x = pad(x, around)
    sizes, split, rest, inner = _sizes(x), [], [], []
    for axis, size in enumerate(sizes):
        rest.append(len(split))
        split.append(size)
        if axis in axes:
            rate = rates[list(axes).index(axis)]
            split[-1] = size // rate
            inner.append(len(split))
            split.append(rate)
    moved = transpose(reshape(x, split), [*inner, *rest])
    result: Tensor = reshape(moved, [sizes[0] * math.prod(rates), *(split[i] for i in rest[1:])])
    return result


def _to_space(x: Tensor, axes: Sequence[int], rates: Sequence[int], crops: Sequence[Any]) -> Tensor:
    """The parts put together again, without what had been added after."""
    count, sizes = len(rates), _sizes(x)
    split = reshape(x, [*rates, sizes[0] // math.prod(rates), *sizes[1:]])
    order, wide = [], []
    for axis, size in enumerate(sizes):
        order.append(count + axis)
        wide.append(size // math.prod(rates) if axis == 0 else size)
        if axis in axes:
            index = list(axes).index(axis)
            order.append(index)
            wide[-1] = size * rates[index]
    whole = reshape(transpose(split, order), wide)
    kept = [w - crops[list(axes).index(a)] if a in axes else w for a, w in enumerate(wide)]
    result: Tensor = slice_(whole, [0] * len(kept), kept)
    return result
