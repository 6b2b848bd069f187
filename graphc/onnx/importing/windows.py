"""What convolutions and poolings share: kernel sizes, strides, pads, and windows as strided slices."""
from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import graphc as gc
from graphc.onnx.importing.rules import Node, shape_vector, sizes_of


@dataclass(frozen=True)
class Window:
    """kernel, strides, dilations a spatial axis; pads: (before, after) of each, ints or int64 scalars; extra: elements
    after that are only there so that windows which start in the tensor are not lost (ceil_mode)."""

    kernel: list[int]
    strides: list[int]
    dilations: list[int]
    pads: list[tuple[Any, Any]]
    extra: list[Any]

    @property
    def rank(self) -> int:
        return len(self.kernel)

    @property
    def is_padded(self) -> bool:
        return any(not isinstance(n, int) or n > 0 for pair in self.pads for n in pair) or self.is_extended

    @property
    def is_extended(self) -> bool:
        return any(not isinstance(n, int) or n > 0 for n in self.extra)

    @property
    def spans(self) -> list[int]:
        """How many elements a window reaches over."""
        return [(k - 1) * d + 1 for k, d in zip(self.kernel, self.dilations, strict=True)]

    def static_pads(self) -> list[tuple[int, int]] | None:
        """pads and extra together, None if sizes are not known."""
        total = [(a, b + e) for (a, b), e in zip(self.pads, self.extra, strict=True)]
        return total if all(isinstance(n, int) for pair in total for n in pair) else None  # type: ignore[return-value]

    def keeps_size(self, pads: list[tuple[int, int]]) -> bool:
        """Whether windows without strides and with these pads are those of "SAME"."""
        return set(self.strides) == {1} and all(
            pair == ((span - 1) // 2, span // 2) for pair, span in zip(pads, self.spans, strict=True))


def window_of(node: Node, x: Any, kernel: list[int]) -> Window:
    """The window of a node whose spatial axes start at axis 2 of x."""
    rank = len(kernel)
    if node.rank(x) != rank + 2:
        raise node.invalid(f"a kernel {kernel} does not fit an input of rank {node.rank(x)}")
    strides, dilations = node.attr("strides") or [1] * rank, node.attr("dilations") or [1] * rank
    pads = node.attr("pads") or [0] * 2 * rank
    for name, values, length in (("strides", strides, rank), ("dilations", dilations, rank), ("pads", pads, 2 * rank)):
        if len(values) != length or min(values) < (0 if name == "pads" else 1):
            raise node.invalid(f"the attribute {name!r} is {values}, which does not fit the kernel {kernel}")
    if min(kernel) < 1:
        raise node.invalid(f"the kernel {kernel} is empty")
    spans = [(k - 1) * d + 1 for k, d in zip(kernel, dilations, strict=True)]
    sizes = sizes_of(x)[2:]
    mode = node.attr("auto_pad", "NOTSET")
    if mode in ("SAME_UPPER", "SAME_LOWER"):
        pairs = [_same(n, span, step, mode) for n, span, step in zip(sizes, spans, strides, strict=True)]
    elif mode == "VALID":
        pairs = [(0, 0)] * rank
    else:
        pairs = list(zip(pads[:rank], pads[rank:], strict=True))
    extra: list[Any] = [0] * rank
    if node.attr("ceil_mode", 0):
        extra = [_rounding_up(n, a, b, span, step) for n, (a, b), span, step in
                 zip(sizes, pairs, spans, strides, strict=True)]
    return Window(list(kernel), list(strides), list(dilations), pairs, extra)


def _same(size: Any, span: int, step: int, mode: str) -> tuple[Any, Any]:
    """Pads by which there are size / step windows, rounded up."""
    if step == 1:
        total: Any = span - 1
    else:
        total = _at_least((-(-size // step) - 1) * step + span - size, 0)
    half = total // 2
    return (half, total - half) if mode == "SAME_UPPER" else (total - half, half)


def _rounding_up(size: Any, before: Any, behind: Any, span: int, step: int) -> Any:
    """Elements after that complete the last window, if that starts inside the tensor or its pads before."""
    free = size + before + behind - span
    windows = -(-free // step) + 1
    if isinstance(windows, int):
        if (windows - 1) * step >= size + before:
            windows -= 1
        return max((windows - 1) * step - free, 0)
    outside = gc.greater_equal((windows - 1) * step, size + before)
    windows = gc.where_v2(outside, windows - 1, windows)
    return _at_least((windows - 1) * step - free, 0)


def _at_least(value: Any, low: int) -> Any:
    return max(value, low) if isinstance(value, int) else gc.maximum(value, gc.constant(low, gc.int64))


def padded(x: Any, window: Window, fill: Any, with_pads: bool = True) -> Any:
    """x [batch, channels, spatial...] with the window's pads and extra elements."""
    pairs = [(0, 0), (0, 0)]
    for (before, behind), extra in zip(window.pads, window.extra, strict=True):
        pairs.append((before, behind + extra) if with_pads else (0, extra))
    if all(isinstance(n, int) and n == 0 for pair in pairs for n in pair):
        return x
    flat = shape_vector([n for pair in pairs for n in pair])
    return gc.pad(x, gc.reshape(flat, [len(pairs), 2]), constant_values=gc.constant(fill, x.dtype))


def slices(x: Any, window: Window) -> Iterator[tuple[tuple[int, ...], Any]]:
    """(place in the kernel, the elements at that place of all windows) for x that is padded already."""
    sizes = sizes_of(x)[2:]
    counts = [(n - span) // step + 1 for n, span, step in zip(sizes, window.spans, window.strides, strict=True)]
    for place in itertools.product(*map(range, window.kernel)):
        key = [slice(None), slice(None)]
        for i, count, step, dilation in zip(place, counts, window.strides, window.dilations, strict=True):
            key.append(slice(i * dilation, i * dilation + (count - 1) * step + 1, step))
        yield place, x[tuple(key)]


def combined(x: Any, window: Window, combine: Callable[[Any, Any], Any]) -> Any:
    """The sum, maximum or the like of each window, an axis at a time, for x that is padded already."""
    for axis, (k, span, step, dilation) in enumerate(zip(window.kernel, window.spans, window.strides, window.dilations,
                                                         strict=True)):
        length = ((sizes_of(x)[2 + axis] - span) // step) * step + 1
        key = [slice(None)] * (2 + axis)
        parts = [x[(*key, slice(i * dilation, i * dilation + length, step))] for i in range(k)]
        while len(parts) > 1:                               # by twos: windows may be large
            parts = [combine(*parts[i:i + 2]) if i + 1 < len(parts) else parts[i] for i in range(0, len(parts), 2)]
        x = parts[0]
    return x
