"""Convolutions with what TensorFlow's graph transforms fuse into them: FusedPadConv2D, FusedResizeAndPadConv2D. And
BiasAddV1, which older graphs have."""
from __future__ import annotations

from dataclasses import replace
from typing import Any, ClassVar

import numpy as np

from graphc.ir.dims import Size
from graphc.ir.dtypes import float32, float64
from graphc.ir.elementwise import check_kind
from graphc.ir.op import OPS, Composite, Sample, attr, operand_field, register, same_dtypes
from graphc.ir.spec import Spec, require_equal, text

_PADS = (((0, 0), (1, 2), (0, 1), (0, 0)), ((0, 0), (0, 0), (2, 1), (0, 0)))


def _samples(**more: Any) -> list[Sample]:
    return [Sample({"paddings": pads, "mode": mode, "strides": (1, *steps, 1), "padding": padding, **more},
                   ((2, 5, 6, 3), (3, 2, 3, 4)), (dtype, dtype), tolerance=1e-4, gradient=False)
            for pads, mode, steps, padding, dtype in zip(_PADS, ("REFLECT", "SYMMETRIC"), ((1, 1), (2, 1)),
                                                         ("VALID", "SAME"), (None, float64), strict=True)]


class _FusedConv(Composite):
    """The mirrored picture, convolved with the filter. It has no gradient, as in TensorFlow."""

    results = ("output",)

    def steps(self) -> list[Any]:
        """The ops in front of the convolution."""
        return [OPS.make("MirrorPad", paddings=self.paddings, mode=self.mode)]

    def convolution(self) -> Any:
        return OPS.make("Conv2D", strides=self.strides, padding=self.padding)

    def infer(self, x: Spec, filter: Spec) -> Spec:  # type: ignore[override]
        check_kind(self, (x, filter), "floating")
        same_dtypes(self, (x, filter))
        for op in self.steps():
            x = op.infer(x)
        if x.shape is not None and filter.shape is not None and len(x.shape) == len(filter.shape) == 4:
            require_equal(filter.shape[2], x.shape[3], f"the depth of a filter of shape {text(filter.shape)} and the "
                          f"channels of the padded picture {text(x.shape)}")
        made: Spec = self.convolution().infer(x, filter)
        return made

    def expand(self, emit: Any, x: Any, filter: Any) -> Any:  # type: ignore[override]
        for op in self.steps():
            x = emit(op, x)
        return emit(self.convolution(), x, filter)

    def convolved(self, x: np.ndarray, filter: np.ndarray) -> np.ndarray:
        """The reference's padding and convolution."""
        x = np.pad(x, self.paddings, mode="reflect" if self.mode == "REFLECT" else "symmetric").astype(np.float64)
        outputs = [-(-size // step) for size, step in zip(x.shape[1:3], self.strides[1:3], strict=True)]
        if self.padding == "SAME":
            around = [(0, 0)]
            for axis, count in enumerate(outputs):
                missing = max((count - 1) * self.strides[1 + axis] + filter.shape[axis] - x.shape[1 + axis], 0)
                around.append((missing // 2, missing - missing // 2))
            x = np.pad(x, [*around, (0, 0)])
        high, wide = filter.shape[:2]
        windows = np.lib.stride_tricks.sliding_window_view(x, (high, wide), axis=(1, 2))
        windows = windows[:, ::self.strides[1], ::self.strides[2]]
        if self.padding == "SAME":      # a window of nothing fits once more
            windows = windows[:, :outputs[0], :outputs[1]]
        return np.einsum("nijcuv,uvco->nijo", windows, filter.astype(np.float64))


@register
class FusedPadConv2D(_FusedConv):
    """The convolution of a picture with mirrored borders"""

    operands = ("input", "paddings", "filter")
    types: ClassVar = {"T": "input"}
    paddings: tuple[tuple[Size, Size], ...] = operand_field("pairs")
    mode: str = attr("string")
    strides: tuple[int, ...] = attr("list(int)")
    padding: str = attr("string")
    samples: ClassVar = _samples()

    def reference(self, x: np.ndarray, filter: np.ndarray) -> np.ndarray:  # type: ignore[override]
        return self.convolved(x, filter).astype(x.dtype)


@register
class FusedResizeAndPadConv2D(_FusedConv):
    """The convolution of a picture of another size, by linear interpolation, with mirrored borders"""

    operands = ("input", "size", "paddings", "filter")
    types: ClassVar = {"T": "input"}
    size: tuple[Size, ...] = operand_field("ints")
    paddings: tuple[tuple[Size, Size], ...] = operand_field("pairs")
    mode: str = attr("string")
    strides: tuple[int, ...] = attr("list(int)")
    padding: str = attr("string")
    resize_align_corners: bool = attr("bool", False)
    samples: ClassVar = [replace(s, dtypes=()) for s in (*_samples(size=(7, 4), resize_align_corners=True),
                                                         *_samples(size=(5, 9)))]

    def infer(self, x: Spec, filter: Spec) -> Spec:
        if x.dtype != float32:
            raise TypeError(f"argument 'input' has dtype {x.dtype.name}, but FusedResizeAndPadConv2D is computed in "
                            "float32 only; cast it (gc.cast)")
        return super().infer(x, filter)

    def steps(self) -> list[Any]:
        return [OPS.make("ResizeBilinear", size=self.size, align_corners=self.resize_align_corners), *super().steps()]

    def reference(self, x: np.ndarray, filter: np.ndarray) -> np.ndarray:  # type: ignore[override]
        made = x.astype(np.float64)
        for axis, wanted in ((1, int(self.size[0])), (2, int(self.size[1]))):  # type: ignore[call-overload]
            have = x.shape[axis]
            aligned = self.resize_align_corners and wanted > 1
            at = np.arange(wanted) * ((have - 1) / (wanted - 1) if aligned else have / wanted)
            low = np.minimum(at.astype(int), have - 1)
            part = (at - low).reshape([-1 if a == axis else 1 for a in range(4)])
            high = np.minimum(low + 1, have - 1)
            made = made.take(low, axis) * (1 - part) + made.take(high, axis) * part
        return self.convolved(made, filter).astype(x.dtype)


@register
class BiasAddV1(Composite):
    """value + bias along the last axis"""

    operands = ("value", "bias")
    results = ("output",)
    types: ClassVar = {"T": "value"}
    samples: ClassVar = [Sample({}, ((2, 3, 5), (5,))), Sample({}, ((3, 7), (7,)), (float64, float64))]

    def infer(self, value: Spec, bias: Spec) -> Spec:  # type: ignore[override]
        made: Spec = OPS.make("BiasAdd").infer(value, bias)  # type: ignore[assignment]
        return made

    def reference(self, value: np.ndarray, bias: np.ndarray) -> np.ndarray:  # type: ignore[override]
        return value + bias

    def expand(self, emit: Any, value: Any, bias: Any) -> Any:  # type: ignore[override]
        return emit(OPS.make("BiasAdd"), value, bias)

    def grad(self, g, node, dy):
        return [dy, g.bias_add_grad(dy)]
