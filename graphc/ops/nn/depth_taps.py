"""The frames of volumes that a window meets along the depth, side by side in the channels, and back: graphc's own ops.

With them a convolution over volumes is one over pictures (convolution3d.py).
"""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from graphc.ir.dims import Size
from graphc.ir.elementwise import check_kind, check_rank
from graphc.ir.op import Op, Sample, attr, operand_field, register
from graphc.ir.spec import Spec, require_equal, text

# volume, (taps, outputs, padding before, depth, channels), stride, dilation
_CASES: tuple[tuple[Any, ...], ...] = (
    ((2, 5, 2, 3, 3), (3, 5, 1, 5, 3), 1, 1),
    ((1, 6, 2, 2, 17), (2, 3, 0, 6, 17), 2, 1),
    ((1, 7, 1, 2, 2), (3, 4, 2, 7, 2), 2, 2),
    ((1, 4, 3, 1, 1), (1, 4, 0, 4, 1), 1, 1),
    ((0, 4, 2, 2, 2), (2, 3, 0, 4, 2), 1, 1),
)


def _unfolded(case: tuple[Any, ...]) -> tuple[int, ...]:
    (n, _, h, w, c), (taps, outputs, *_), _, _ = case
    return n, outputs, h, w, taps * c


def _fields(case: tuple[Any, ...]) -> dict[str, Any]:
    return {"window": case[1], "stride": case[2], "dilation": case[3]}


class _DepthWindow(Op):
    """window: taps, outputs, padding before, depth and channels of the volumes."""

    results = ("output",)
    types = {"T": "input"}

    def check(self, x: Spec) -> None:
        check_kind(self, (x,), "floating")
        check_rank("input", x, 5)
        if self.window is not None and len(self.window) != 5:
            raise ValueError(f"window must have 5 elements, but is {self.window}")

    def require(self, given: Sequence[Size], wanted: Sequence[Size], x: Spec) -> None:
        for a, b in zip(given, wanted, strict=True):
            require_equal(a, b, f"input of shape {text(x.shape)} must fit window {text(self.window)}")

    def places(self, u: int) -> tuple[np.ndarray, np.ndarray]:
        """The outputs whose tap u lies in the volume, and the frames there."""
        outputs = np.arange(self.window[1])
        frames = outputs * self.stride - self.window[2] + u * self.dilation
        inside = (frames >= 0) & (frames < self.window[3])
        return outputs[inside], frames[inside]

    def call(self, b: Any, kernel: str, x: Any, y: Any, volume: Any) -> None:
        n, depth, h, w, c = volume.shape
        taps, outputs, pad, _, _ = self.window
        b.call(kernel, [x, y], dims=[n, depth, h * w, c, taps, outputs, pad], attrs=[self.stride, self.dilation])


@register
class _DepthTaps(_DepthWindow):
    """y[p, t, i, j, u c + k] = x[p, t stride - pad + u dilation, i, j, k]"""

    operands = ("input", "window")
    window: tuple[Size, ...] = operand_field("ints")
    stride: int = attr("int", 1)
    dilation: int = attr("int", 1)
    samples = [Sample(_fields(case), (case[0],)) for case in _CASES]

    def infer(self, *inputs: Spec) -> Spec:
        x = inputs[0]
        self.check(x)
        if x.shape is None or self.window is None:
            return Spec(x.dtype, None)
        n, depth, h, w, c = x.shape
        self.require((depth, c), self.window[3:], x)
        return Spec(x.dtype, (n, self.window[1], h, w, self.window[0] * c))

    def reference(self, *inputs: np.ndarray) -> np.ndarray:
        n, _, h, w, c = inputs[0].shape
        taps, outputs, *_ = self.window
        y = np.zeros((n, outputs, h, w, taps, c), inputs[0].dtype)
        for u in range(taps):
            at, frames = self.places(u)
            y[:, :, :, :, u][:, at] = inputs[0][:, frames]
        return y.reshape(n, outputs, h, w, taps * c)

    def lower(self, b: Any, inputs: Any, outputs: Any) -> None:
        self.call(b, "unfold_depth", inputs[0], outputs[0], inputs[0])

    def grad(self, g, node, dy):
        return [g.sum_depth_taps(dy, node.inputs[1], stride=self.stride, dilation=self.dilation), None]


@register
class _SumDepthTaps(_DepthWindow):
    """The gradient of _DepthTaps: each frame is the sum of what was made of it"""

    operands = ("input", "window")
    window: tuple[Size, ...] = operand_field("ints")
    stride: int = attr("int", 1)
    dilation: int = attr("int", 1)
    samples = [Sample(_fields(case), (_unfolded(case),)) for case in _CASES]

    def infer(self, *inputs: Spec) -> Spec:
        x = inputs[0]
        self.check(x)
        if x.shape is None or self.window is None:
            return Spec(x.dtype, None)
        n, outputs, h, w, c = x.shape
        self.require((outputs, c), (self.window[1], self.window[0] * self.window[4]), x)
        return Spec(x.dtype, (n, *self.window[3:4], h, w, *self.window[4:]))

    def reference(self, *inputs: np.ndarray) -> np.ndarray:
        n, outputs, h, w, _ = inputs[0].shape
        taps, _, _, depth, c = self.window
        y = inputs[0].reshape(n, outputs, h, w, taps, c)
        x = np.zeros((n, depth, h, w, c), np.float64)
        for u in range(taps):
            at, frames = self.places(u)
            x[:, frames] += y[:, :, :, :, u][:, at]
        return x.astype(inputs[0].dtype)

    def lower(self, b: Any, inputs: Any, outputs: Any) -> None:
        self.call(b, "fold_depth", inputs[0], outputs[0], outputs[0])

    def grad(self, g, node, ddx):
        return [g.depth_taps(ddx, node.inputs[1], stride=self.stride, dilation=self.dilation), None]
