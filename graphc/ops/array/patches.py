"""Windows of pictures as rows: ExtractImagePatches."""
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


@register
class ExtractImagePatches(Composite):
    """The window of each place, its pixels one behind the other in the last axis, row by row."""

    operands = ("images",)
    results = ("patches",)
    types: ClassVar = {"T": "images"}
    ksizes: tuple[int, ...] = attr("list(int)")
    strides: tuple[int, ...] = attr("list(int)")
    rates: tuple[int, ...] = attr("list(int)")
    padding: str = attr("string")
    samples: ClassVar = [Sample({"ksizes": (1, *k, 1), "strides": (1, *t, 1), "rates": (1, *r, 1), "padding": p}, (s,),
                                (d,)) for k, t, r, p, s, d in _WINDOWS]

    def _axis(self, axis: int, size: Size) -> tuple[Size, Size, Size]:
        """The number of windows along an axis, and the borders before and behind."""
        reach = (self.ksizes[axis] - 1) * self.rates[axis] + 1
        stride = self.strides[axis]
        if self.padding == "VALID":
            count = dims.floordiv(size - reach + stride, stride)
            return count if isinstance(count, int) and count >= 0 else dims.maximum(count, 0), 0, 0
        count = dims.floordiv(size + stride - 1, stride)
        border = dims.maximum((count - 1) * stride + reach - size, 0)
        before = dims.floordiv(border, 2)
        return count, before, border - before

    def infer(self, x: Spec) -> Spec:
        check_kind(self, (x,), "any")
        check_rank("images", x, 4)
        for name in ("ksizes", "strides", "rates"):
            values = getattr(self, name)
            if len(values) != 4 or values[0] != 1 or values[3] != 1 or min(values) < 1:
                raise ValueError(f"{name} must be 4 positive numbers, the first and the last one 1, but is "
                                 f"{list(values)}")
        if self.padding not in ("SAME", "VALID"):
            raise ValueError(f"padding must be SAME or VALID, not {self.padding!r}")
        if x.shape is None:
            return Spec(x.dtype, None)
        n, h, w, c = x.shape
        for i, size in ((1, h), (2, w)):
            reach = (self.ksizes[i] - 1) * self.rates[i] + 1
            if self.padding == "VALID":        # as TF, which takes a window that is too large by less than a step
                require_less_equal(reach, size + self.strides[i], f"a window of {reach} must fit into a size of "
                                   f"{size}, but for less than a step of {self.strides[i]}")
        return Spec(x.dtype, (n, self._axis(1, h)[0], self._axis(2, w)[0], c * self.ksizes[1] * self.ksizes[2]))

    def reference(self, x: np.ndarray) -> np.ndarray:
        places = []
        for size, k, stride, rate in zip(x.shape[1:3], self.ksizes[1:3], self.strides[1:3], self.rates[1:3],
                                         strict=True):
            reach = k * rate - rate + 1
            starts = range(0, size - reach + 1, stride)
            if self.padding == "SAME":
                starts = range(0, size, stride)
                before = max((len(starts) - 1) * stride + reach - size, 0) // 2
                starts = range(-before, -before + len(starts) * stride, stride)
            places.append([[start + i * rate for i in range(k)] for start in starts])
        result = np.zeros((len(x), len(places[0]), len(places[1]), self.ksizes[1], self.ksizes[2], x.shape[3]), x.dtype)
        for (i, j, u, v) in np.ndindex(result.shape[1:5]):
            row, column = places[0][i][u], places[1][j][v]
            if 0 <= row < x.shape[1] and 0 <= column < x.shape[2]:
                result[:, i, j, u, v] = x[:, row, column]
        return result.reshape((*result.shape[:3], int(np.prod(result.shape[3:]))))

    def expand(self, emit: Any, x: Any) -> Any:
        (rows, top, bottom), (columns, left, right) = (self._axis(a, x.spec.shape[a]) for a in (1, 2))
        if any(p != 0 for p in (top, bottom, left, right)):
            x = emit(OPS.make("Pad", paddings=((0, 0), (top, bottom), (left, right), (0, 0))), x)
        n, _, _, c = x.spec.shape
        parts = []
        for u, v in np.ndindex(*self.ksizes[1:3]):
            first = (u * self.rates[1], v * self.rates[2])
            end = tuple(b + dims.maximum((count - 1) * by + 1, 0) for b, count, by in zip(
                first, (rows, columns), self.strides[1:3], strict=True))
            parts.append(emit(OPS.make("StridedSlice", begin=(0, *first, 0), end=(n, *end, c), strides=self.strides),
                              x))
        return parts[0] if len(parts) == 1 else emit(OPS.make("ConcatV2", axis=3), *parts)

    def grad(self, g: GradientBuilder, node: Operation, dy: Any) -> Sequence[Any]:
        sizes = g.shape(node.inputs[0])
        whole, before = [sizes[0]], [0]
        counts = g.shape(dy)
        for axis in (1, 2):
            reach = (self.ksizes[axis] - 1) * self.rates[axis] + 1
            needed = (counts[axis] - 1) * self.strides[axis] + reach
            border = g.maximum(needed - sizes[axis], 0)
            before.append(0 if self.padding == "VALID" else g.floor_div(border, 2))
            # What no window reaches has no gradient.
            whole.append(sizes[axis] if self.padding == "VALID" else sizes[axis] + border)
        whole, before = g.pack([*whole, sizes[3]]), g.pack([*before, 0])
        taps = list(np.ndindex(*self.ksizes[1:3]))
        parts = g.split(3, dy, num_split=len(taps)) if len(taps) > 1 else [dy]
        spread = []
        for (u, v), part in zip(taps, parts, strict=True):
            begin = [0, u * self.rates[1], v * self.rates[2], 0]
            end = g.pack([sizes[0], *(begin[axis] + g.maximum((counts[axis] - 1) * self.strides[axis] + 1, 0)
                                      for axis in (1, 2)), sizes[3]])
            spread.append(g.strided_slice_grad(whole, begin, end, list(self.strides), part))
        total = g.add_n(spread) if len(spread) > 1 else spread[0]
        return [g.slice(total, before, sizes)]
