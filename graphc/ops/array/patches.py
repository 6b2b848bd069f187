"""Windows of pictures and volumes as rows: ExtractImagePatches, ExtractVolumePatches."""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from graphc.ir import dims
from graphc.ir.builder import GradientBuilder
from graphc.ir.dims import Size
from graphc.ir.dtypes import float64, int32
from graphc.ir.elementwise import check_kind, check_rank
from graphc.ir.op import OPS, Composite, Sample, attr, register
from graphc.ir.spec import Spec, require_less_equal
from graphc.ir.tensor import Operation

_WINDOWS: list[tuple[tuple[int, int], tuple[int, int], tuple[int, int], str, tuple[int, ...], Any]] = [
    ((2, 2), (1, 1), (1, 1), "VALID", (1, 4, 5, 2), None), ((3, 2), (2, 1), (1, 2), "SAME", (2, 5, 6, 1), float64),
    ((2, 3), (3, 2), (2, 1), "VALID", (1, 7, 8, 2), None), ((1, 1), (1, 1), (1, 1), "SAME", (0, 2, 3, 4), None),
    ((3, 3), (2, 2), (1, 1), "SAME", (2, 4, 4, 3), int32)]
_CUBES: list[tuple[tuple[int, ...], tuple[int, ...], str, tuple[int, ...], Any]] = [
    ((2, 2, 1), (1, 1, 1), "VALID", (1, 3, 4, 2, 2), None), ((3, 2, 2), (2, 1, 2), "SAME", (2, 4, 3, 5, 1), float64),
    ((2, 3, 2), (3, 2, 1), "VALID", (1, 5, 6, 3, 2), None), ((1, 1, 1), (1, 1, 1), "SAME", (0, 2, 3, 1, 4), None),
    ((3, 3, 1), (2, 2, 2), "SAME", (1, 4, 2, 3, 3), int32)]


class _Patches(Composite):
    """Windows along all axes but the first and the last one: ksizes elements, `steps` apart, every strides elements."""

    results = ("patches",)

    def steps(self) -> tuple[int, ...]:
        return (1,) * len(self.ksizes)

    def _axes(self) -> range:
        return range(1, len(self.ksizes) - 1)

    def _reach(self, axis: int) -> int:
        return (self.ksizes[axis] - 1) * self.steps()[axis] + 1

    def _axis(self, axis: int, size: Size) -> tuple[Size, Size, Size]:
        """The number of windows along an axis, and the borders before and after."""
        reach, stride = self._reach(axis), self.strides[axis]
        if self.padding == "VALID":
            count = dims.floordiv(size - reach + stride, stride)
            return count if isinstance(count, int) and count >= 0 else dims.maximum(count, 0), 0, 0
        count = dims.floordiv(size + stride - 1, stride)
        border = dims.maximum((count - 1) * stride + reach - size, 0)
        before = dims.floordiv(border, 2)
        return count, before, border - before

    def infer(self, x: Spec) -> Spec:  # type: ignore[override]
        rank = 5 if self.type == "ExtractVolumePatches" else 4
        check_kind(self, (x,), "any")
        check_rank(self.operands[0], x, rank)
        for name in ("ksizes", "strides", "rates"):
            values = getattr(self, name, (1,) * rank)
            if len(values) != rank or values[0] != 1 or values[-1] != 1 or min(values) < 1:
                raise ValueError(f"{name} must be {rank} positive numbers, the first and the last one 1, but is "
                                 f"{list(values)}")
        if self.padding not in ("SAME", "VALID"):
            raise ValueError(f"padding must be SAME or VALID, not {self.padding!r}")
        if x.shape is None:
            return Spec(x.dtype, None)
        for axis in self._axes():
            rate, size = getattr(self, "rates", (1,) * len(x.shape))[axis], x.shape[axis]
            reach = (self.ksizes[axis] - 1) * rate + 1
            if self.padding == "VALID":        # as TF, which takes a window that is too large by less than a step
                require_less_equal(reach, size + self.strides[axis], f"a window of {reach} must fit into a size of "
                                   f"{size}, but for less than a step of {self.strides[axis]}")
        places = (self._axis(axis, x.shape[axis])[0] for axis in self._axes())
        return Spec(x.dtype, (x.shape[0], *places, x.shape[-1] * int(np.prod(self.ksizes))))

    def reference(self, x: np.ndarray) -> np.ndarray:  # type: ignore[override]
        places = []
        for size, k, stride, rate in zip(x.shape[1:-1], self.ksizes[1:-1], self.strides[1:-1],
                                         getattr(self, "rates", (1,) * x.ndim)[1:-1], strict=True):
            reach = k * rate - rate + 1
            starts = range(0, size - reach + 1, stride)
            if self.padding == "SAME":
                starts = range(0, size, stride)
                before = max((len(starts) - 1) * stride + reach - size, 0) // 2
                starts = range(-before, -before + len(starts) * stride, stride)
            places.append([[start + i * rate for i in range(k)] for start in starts])
        n, ksizes, counts = len(places), self.ksizes[1:-1], [len(p) for p in places]
        result = np.zeros((len(x), *counts, *ksizes, x.shape[-1]), x.dtype)
        for at in np.ndindex(*counts, *ksizes):
            index = tuple(p[i][u] for p, i, u in zip(places, at[:n], at[n:], strict=True))
            if all(0 <= i < size for i, size in zip(index, x.shape[1:-1], strict=True)):
                result[(slice(None), *at)] = x[(slice(None), *index)]
        return result.reshape((len(x), *counts, int(np.prod(result.shape[1 + n:]))))

    def expand(self, emit: Any, x: Any) -> Any:  # type: ignore[override]
        found = [self._axis(axis, x.spec.shape[axis]) for axis in self._axes()]
        if any(border != 0 for _, *borders in found for border in borders):
            x = emit(OPS.make("Pad", paddings=((0, 0), *((before, behind) for _, before, behind in found), (0, 0))), x)
        batch, channels = x.spec.shape[0], x.spec.shape[-1]
        parts = []
        for tap in np.ndindex(*self.ksizes[1:-1]):
            first = [u * rate for u, rate in zip(tap, self.steps()[1:-1], strict=True)]
            end = [b + dims.maximum((count - 1) * by + 1, 0)
                   for b, (count, *_), by in zip(first, found, self.strides[1:-1], strict=True)]
            parts.append(emit(OPS.make("StridedSlice", begin=(0, *first, 0), end=(batch, *end, channels),
                                       strides=self.strides), x))
        return parts[0] if len(parts) == 1 else emit(OPS.make("ConcatV2", axis=len(self.ksizes) - 1), *parts)

    def grad(self, g: GradientBuilder, node: Operation, dy: Any) -> Sequence[Any]:  # type: ignore[override]
        sizes, counts = g.shape(node.inputs[0]), g.shape(dy)
        last = len(self.ksizes) - 1
        whole, before = [sizes[0]], [0]
        for axis in self._axes():
            needed = (counts[axis] - 1) * self.strides[axis] + self._reach(axis)
            border = g.maximum(needed - sizes[axis], 0)
            before.append(0 if self.padding == "VALID" else g.floor_div(border, 2))
            # What no window reaches has no gradient.
            whole.append(sizes[axis] if self.padding == "VALID" else sizes[axis] + border)
        whole, before = g.pack([*whole, sizes[last]]), g.pack([*before, 0])
        taps = list(np.ndindex(*self.ksizes[1:-1]))
        parts = g.split(last, dy, num_split=len(taps)) if len(taps) > 1 else [dy]
        spread = []
        for tap, part in zip(taps, parts, strict=True):
            begin = [0, *(u * rate for u, rate in zip(tap, self.steps()[1:-1], strict=True)), 0]
            end = g.pack([sizes[0], *(begin[axis] + g.maximum((counts[axis] - 1) * self.strides[axis] + 1, 0)
                                      for axis in self._axes()), sizes[last]])
            spread.append(g.strided_slice_grad(whole, begin, end, list(self.strides), part))
        total = g.add_n(spread) if len(spread) > 1 else spread[0]
        return [g.slice(total, before, sizes)]


@register
class ExtractImagePatches(_Patches):
    """The window of each place, its pixels one after the other in the last axis, row by row."""

    operands = ("images",)
    types: ClassVar = {"T": "images"}
    ksizes: tuple[int, ...] = attr("list(int)")
    strides: tuple[int, ...] = attr("list(int)")
    rates: tuple[int, ...] = attr("list(int)")
    padding: str = attr("string")
    samples: ClassVar = [Sample({"ksizes": (1, *k, 1), "strides": (1, *t, 1), "rates": (1, *r, 1), "padding": p}, (s,),
                                (d,)) for k, t, r, p, s, d in _WINDOWS]

    def steps(self) -> tuple[int, ...]:
        return self.rates


@register
class ExtractVolumePatches(_Patches):
    """The window of each place of a volume, its elements one after the other in the last axis, plane by plane."""

    operands = ("input",)
    types: ClassVar = {"T": "input"}
    ksizes: tuple[int, ...] = attr("list(int)")
    strides: tuple[int, ...] = attr("list(int)")
    padding: str = attr("string")
    samples: ClassVar = [Sample({"ksizes": (1, *k, 1), "strides": (1, *t, 1), "padding": p}, (s,), (d,))
                         for k, t, p, s, d in _CUBES]
