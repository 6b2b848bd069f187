"""ImageProjectiveTransformV3: what is outside of the picture is a constant, or found inside of it.

fill_mode "REFLECT" mirrors the picture at its edges ([dcba|abcd|dcba]), "WRAP" repeats it, "NEAREST" goes on with its
edge.
"""
from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np

from graphc.ir.builder import GradientBuilder
from graphc.ir.dims import Size
from graphc.ir.dtypes import float32
from graphc.ir.op import OPS, Elementwise, Sample, attr, operand_field, register
from graphc.ir.spec import Spec, text
from graphc.ir.tensor import Operation
from graphc.ops.image.projective import ImageProjectiveTransformV2, check_dtypes

_MODES = ("CONSTANT", "REFLECT", "WRAP", "NEAREST")


def _inside(mode: str, at: _Number, size: _Number, trunc: Any, select: Any, low: Any) -> Any:
    """TensorFlow's place in the picture for a place anywhere. trunc: the whole part of a number of at least 0."""
    last = size - 1
    if mode == "REFLECT":
        twice = 2 * size
        left = select(low(at, twice), at + twice * trunc(-at / twice), at)
        left = select(low(left, -size), left + twice, -left - 1)
        right = at - twice * trunc(at / twice)
        right = select(low(right, size), right, twice - right - 1)
        at = select(low(at, 0), left, select(low(last, at), right, at))
    elif mode == "WRAP":
        left, right = at + size * (trunc(-at / last) + 1), at - size * trunc(at / last)
        at = select(low(at, 0), left, select(low(last, at), right, at))
    at = select(low(at, 0), 0 * size, select(low(last, at), last, at))
    return select(low(1, size), at, 0 * size)


class _Number:
    """A scalar expression with Python's operators."""

    def __init__(self, s: Any, value: Any) -> None:
        self.s, self.value = s, value

    def _with(self, op: str, other: Any, turned: bool = False) -> _Number:
        pair = [self.value, other.value if isinstance(other, _Number) else self.s.constant(other, float32)]
        return _Number(self.s, self.s(op, *(pair[::-1] if turned else pair)))

    def __add__(self, other: Any) -> _Number:
        return self._with("add", other)

    def __sub__(self, other: Any) -> _Number:
        return self._with("sub", other)

    def __mul__(self, other: Any) -> _Number:
        return self._with("mul", other)

    def __rmul__(self, other: Any) -> _Number:
        return self._with("mul", other, True)

    def __truediv__(self, other: Any) -> _Number:
        return self._with("div", other)

    def __neg__(self) -> _Number:
        return _Number(self.s, self.s("neg", self.value))


@register
class _InsidePicture(Elementwise):
    """Where in a picture of `size` pixels to look for what lies at x."""

    operands = ("x", "size")
    types: ClassVar = {}
    inexact = ("anywhere in the picture for a place 2**20 pixels away from it, or a size that is no picture's",
               lambda x, size: ~(np.abs(x) < 2.0**20) | ~((size >= 1) & (size < 2.0**20) & (size == np.floor(size))))
    mode: str = attr("string")
    samples: ClassVar = [
        Sample({"mode": m}, (np.array([-9.25, -4.5, -3, -0.75, 0, 0.5, 2.75, 3, 3.5, 4, 7.5, 8, 21.5], np.float32),
                             np.float32(size)), gradient=False) for m in _MODES[1:] for size in (4, 2, 1)]

    def infer(self, *inputs: Spec) -> Spec:
        check_dtypes(self, inputs, (float32, float32))
        return super().infer(*inputs)

    def scalar(self, s: Any, *operands: Any) -> Any:
        def low(a: Any, b: Any) -> Any:
            sides = [v.value if isinstance(v, _Number) else s.constant(v, float32) for v in (a, b)]
            return s("less", *sides)

        at, size = (_Number(s, v) for v in operands)
        return _inside(self.mode, at, size, lambda x: _Number(s, s("floor", x.value)),
                       lambda p, x, y: _Number(s, s("select", p, x.value, y.value)), low).value

    def reference(self, *inputs: np.ndarray) -> np.ndarray:
        at, size = np.broadcast_arrays(*inputs)
        with np.errstate(all="ignore"):
            found = [_found(self.mode, x, n) for x, n in zip(at.ravel(), size.ravel(), strict=True)]
        return np.array(found, np.float32).reshape(at.shape)


def _found(mode: str, x: np.float32, size: np.float32) -> Any:
    """One place, by NumPy's remainders."""
    if not size > 1:
        return np.float32(0)
    if mode == "REFLECT" and x < 0:
        rest = np.mod(-x, 2 * size)
        x = 2 * size - rest if rest > size else rest - 1
    elif mode == "REFLECT" and x > size - 1:
        rest = np.mod(x, 2 * size)
        x = 2 * size - rest - 1 if rest >= size else rest
    elif mode == "WRAP" and x < 0:
        x = x + size * (-x // (size - 1) + 1)
    elif mode == "WRAP" and x > size - 1:
        x = x - size * (x // (size - 1))
    return min(max(x, np.float32(0)), size - 1)


def _samples() -> list[Sample]:
    fills = ((m, v) for m in _MODES for v in ((0.0, 0.75) if m == "CONSTANT" else (0.0,)))
    chosen = [s for s in ImageProjectiveTransformV2.samples if len(s.dtypes) == 0][::3]
    return [replace(s, attributes={**s.attributes, "fill_mode": m}, inputs=(*s.inputs, np.float32(v)))
            for m, v in fills for s in chosen]


@register
class ImageProjectiveTransformV3(ImageProjectiveTransformV2):
    """images [n, height, width, channels] in a new size, through n projective maps or one for all; what they do not
    hold is fill_value, or found as fill_mode says."""

    operands = ("images", "transforms", "output_shape", "fill_value")
    output_shape: tuple[Size, ...] = operand_field("ints")
    interpolation: str = attr("string")
    fill_mode: str = attr("string", "CONSTANT")
    samples: ClassVar = _samples()

    def infer(self, images: Spec, transforms: Spec, *filling: Spec) -> Spec:
        value, = filling
        if value.dtype != float32:
            raise TypeError(f"argument 'fill_value' must be float32, but is {value.dtype.name}")
        if value.shape not in ((), None):
            raise ValueError(f"argument 'fill_value' must be a scalar, but has shape {text(value.shape)}")
        if self.fill_mode not in _MODES:
            raise ValueError(f"fill_mode is {self.fill_mode!r}, but must be one of {', '.join(_MODES)}")
        return super().infer(images, transforms)

    def inside(self, emit: Callable[..., Any], at: Any, size: Any) -> Any:
        return at if self.fill_mode == "CONSTANT" else emit(_InsidePicture(mode=self.fill_mode), at, size)

    def filled(self, emit: Callable[..., Any], found: Any, place: Any, *filling: Any) -> Any:
        if self.fill_mode != "CONSTANT":
            return found
        column = emit(OPS.make("Reshape", shape=(*place.spec.shape, 1)), place)
        zero = emit(OPS.make("ZerosLike"), column)
        fill = filling[0]
        if found.spec.dtype != float32:
            fill = emit(OPS.make("Cast", DstT=found.spec.dtype), fill)
        return emit(OPS.make("SelectV2"), emit(OPS.make("Less"), column, zero), fill, found)

    def numpy_inside(self, at: np.ndarray, size: int) -> np.ndarray:
        if self.fill_mode == "CONSTANT":
            return at
        return _InsidePicture(mode=self.fill_mode).reference(at, np.float32(size))

    def numpy_fill(self, *filling: np.ndarray) -> Any:
        return filling[0] if self.fill_mode == "CONSTANT" else 0

    def grad(self, g: GradientBuilder, node: Operation, dy: Any) -> Sequence[Any]:
        """As TF has it: dy through the inverse maps, which is no exact gradient."""
        images, _, _, value = node.inputs
        return [g.image_projective_transform_v3(dy, self.inverse(g, node), g.shape(images)[1:3], value,
                                                interpolation=self.interpolation, fill_mode=self.fill_mode),
                None, None, None]
