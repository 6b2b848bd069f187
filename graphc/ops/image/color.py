"""Colours: RGBToHSV, HSVToRGB, AdjustHue, AdjustSaturation, pixel by pixel, and AdjustContrastv2."""
from __future__ import annotations

import colorsys
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import numpy as np

from graphc.ir.builder import GradientBuilder
from graphc.ir.dtypes import FLOATING, DType, float32, float64
from graphc.ir.elementwise import check_rank
from graphc.ir.op import Composite, Op, Sample, register
from graphc.ir.records import dataclass
from graphc.ir.spec import Spec, require_equal, text
from graphc.ir.tensor import Operation
from graphc.ops.math.binary import AddV2, Mul, Sub
from graphc.ops.math.reduction import Mean


@dataclass(frozen=True, eq=False)
class _Colors(Op):
    """The last axis holds three numbers, which become three others."""

    dtypes: ClassVar[tuple[DType, ...]] = FLOATING

    def infer(self, images: Spec, *more: Spec) -> Spec:  # type: ignore[override]
        if images.dtype not in self.dtypes:
            names = " and ".join(d.name for d in self.dtypes)
            raise TypeError(f"argument 'images' has dtype {images.dtype.name}, but {self.type} takes {names} only; "
                            "convert it (gc.image.convert_image_dtype)")
        for name, spec in zip(self.operands[1:], more, strict=True):
            if spec.dtype != float32:
                raise TypeError(f"argument '{name}' has dtype {spec.dtype.name}, but {self.type} takes float32 only; "
                                "cast it (gc.cast)")
            check_rank(name, spec, 0)
        if images.shape is not None:
            least = 3 if more else 1
            if len(images.shape) < least:
                raise ValueError(f"argument 'images' must have rank {least} or more, but its shape is "
                                 f"{text(images.shape)}")
            require_equal(images.shape[-1], 3, "the last axis of argument 'images' must be the three colours, but its "
                                               f"shape is {text(images.shape)}")
            return Spec(images.dtype, images.shape if more else (*images.shape[:-1], 3))
        return Spec(images.dtype, None)

    def pixel(self, s: Any, colors: Sequence[Any], *more: Any) -> Sequence[Any]:
        raise NotImplementedError(self.type)

    def reference(self, images: np.ndarray, *more: np.ndarray) -> np.ndarray:
        """By Python's own colorsys, pixel by pixel."""
        flat = images.reshape(-1, 3).astype(np.float64)
        made = [self.color(*pixel.tolist(), *(float(m) for m in more)) for pixel in flat]
        return np.array(made, images.dtype).reshape(images.shape)

    def color(self, a: float, b: float, c: float, *more: float) -> tuple[float, float, float]:
        raise NotImplementedError(self.type)

    def lower(self, b: Any, inputs: Any, outputs: Any) -> None:
        x, y = inputs[0], outputs[0]
        last = x.rank - 1
        parts = [x.select(last, i) for i in range(3)]
        more = [m.broadcast(parts[0].shape) for m in inputs[1:]]
        b.map(lambda s, *v: tuple(self.pixel(s, v[:3], *v[3:])), [*parts, *more],
              [y.select(last, i) for i in range(3)])


def to_hsv(s: Any, colors: Sequence[Any]) -> tuple[Any, Any, Any]:
    red, green, blue = colors
    dtype = s.dtype(red)

    def c(value: float) -> Any:
        return s.constant(value, dtype)

    value = s("max", red, s("max", green, blue))
    span = s("sub", value, s("min", red, s("min", green, blue)))
    saturation = s("select", s("less", c(0), value), s("div", span, value), c(0))
    norm = s("div", c(1), s("mul", c(6), span))
    by_blue = s("add", s("mul", norm, s("sub", red, green)), c(4 / 6))
    by_green = s("add", s("mul", norm, s("sub", blue, red)), c(2 / 6))
    by_red = s("mul", norm, s("sub", green, blue))
    hue = s("select", s("equal", red, value), by_red, s("select", s("equal", green, value), by_green, by_blue))
    hue = s("select", s("less", c(0), span), hue, c(0))
    return s("select", s("less", hue, c(0)), s("add", hue, c(1)), hue), saturation, value


def to_rgb(s: Any, hue: Any, saturation: Any, value: Any) -> tuple[Any, ...]:
    dtype = s.dtype(hue)

    def c(number: float) -> Any:
        return s.constant(number, dtype)

    def share(distance: Any) -> Any:
        return s("min", s("max", distance, c(0)), c(1))

    six = s("mul", hue, c(6))
    far = [s("abs", s("sub", six, c(center))) for center in (3, 2, 4)]
    shares = (share(s("sub", far[0], c(1))), share(s("sub", c(2), far[1])), share(s("sub", c(2), far[2])))
    rest = s("sub", c(1), saturation)
    return tuple(s("mul", s("add", rest, s("mul", saturation, part)), value) for part in shares)


_SHAPES = ((3,), (5, 3), (2, 4, 5, 3), (0, 3), (1, 1, 3))


@register
class RGBToHSV(_Colors):
    """Hue, saturation and value, all in [0, 1], of colours in [0, 1]. TF 1 has no gradient."""

    operands = ("images",)
    results = ("output",)
    types: ClassVar = {"T": "images"}
    samples: ClassVar = [Sample({}, (s,), (d,), gradient=False, low=0.0) for s in _SHAPES for d in (None, float64)]

    def pixel(self, s: Any, colors: Sequence[Any], *more: Any) -> Sequence[Any]:
        return to_hsv(s, colors)

    def color(self, a: float, b: float, c: float, *more: float) -> tuple[float, float, float]:
        return colorsys.rgb_to_hsv(a, b, c)

    def grad(self, g: GradientBuilder, node: Operation, dy: Any) -> Sequence[Any]:
        return [None]


@register
class HSVToRGB(_Colors):
    """The colours of hue, saturation and value, all in [0, 1]. TF 1 has no gradient."""

    operands = ("images",)
    results = ("output",)
    types: ClassVar = {"T": "images"}
    samples: ClassVar = [Sample({}, (s,), (d,), gradient=False, low=0.0) for s in _SHAPES for d in (None, float64)]

    def pixel(self, s: Any, colors: Sequence[Any], *more: Any) -> Sequence[Any]:
        return to_rgb(s, *colors)

    def color(self, a: float, b: float, c: float, *more: float) -> tuple[float, float, float]:
        return colorsys.hsv_to_rgb(a, b, c)

    def grad(self, g: GradientBuilder, node: Operation, dy: Any) -> Sequence[Any]:
        return [None]


def _adjusted(low: float, high: float) -> list[Sample]:
    numbers = (low, 0.0, 0.3, high)
    return [Sample({}, (shape, np.float32(number)), gradient=False, low=0.0) for number in numbers
            for shape in ((2, 4, 3), (2, 3, 2, 3), (1, 1, 3), (0, 2, 3))]


@register
class AdjustHue(_Colors):
    """Colours whose hue is turned by delta (1: once around)."""

    operands = ("images", "delta")
    results = ("output",)
    types: ClassVar = {"T": "images"}
    dtypes = (float32,)
    samples: ClassVar = _adjusted(-0.6, 1.7)

    def pixel(self, s: Any, colors: Sequence[Any], *more: Any) -> Sequence[Any]:
        hue, saturation, value = to_hsv(s, colors)
        hue = s("add", hue, more[0])
        return to_rgb(s, s("sub", hue, s("floor", hue)), saturation, value)

    def color(self, a: float, b: float, c: float, *more: float) -> tuple[float, float, float]:
        hue, saturation, value = colorsys.rgb_to_hsv(a, b, c)
        return colorsys.hsv_to_rgb((hue + more[0]) % 1.0, saturation, value)


@register
class AdjustSaturation(_Colors):
    """Colours whose saturation is multiplied by scale, and at most 1."""

    operands = ("images", "scale")
    results = ("output",)
    types: ClassVar = {"T": "images"}
    dtypes = (float32,)
    samples: ClassVar = _adjusted(-0.5, 2.5)

    def pixel(self, s: Any, colors: Sequence[Any], *more: Any) -> Sequence[Any]:
        hue, saturation, value = to_hsv(s, colors)
        one, zero = s.constant(1, float32), s.constant(0, float32)
        return to_rgb(s, hue, s("min", one, s("max", zero, s("mul", saturation, more[0]))), value)

    def color(self, a: float, b: float, c: float, *more: float) -> tuple[float, float, float]:
        hue, saturation, value = colorsys.rgb_to_hsv(a, b, c)
        return colorsys.hsv_to_rgb(hue, min(max(saturation * more[0], 0.0), 1.0), value)


@register
class AdjustContrastv2(Composite):
    """Each channel's distance from its mean over the picture, times contrast_factor. TF has no gradient."""

    operands = ("images", "contrast_factor")
    results = ("output",)
    types: ClassVar = {"T": "images"}
    samples: ClassVar = [Sample({}, (shape, np.float32(factor)), gradient=False, tolerance=1e-5)
                         for factor in (0.0, 0.5, 2.0, -1.0)
                         for shape in ((4, 5, 3), (2, 3, 4, 1), (1, 1, 2), (0, 2, 3))]

    def infer(self, images: Spec, contrast_factor: Spec) -> Spec:
        for name, spec in (("images", images), ("contrast_factor", contrast_factor)):
            if spec.dtype != float32:
                raise TypeError(f"argument '{name}' has dtype {spec.dtype.name}, but {self.type} takes float32 only; "
                                "cast it (gc.cast)")
        check_rank("contrast_factor", contrast_factor, 0)
        if images.shape is not None and len(images.shape) < 3:
            raise ValueError(f"argument 'images' must have rank 3 or more, but its shape is {text(images.shape)}")
        return Spec(images.dtype, images.shape)

    def reference(self, images: np.ndarray, contrast_factor: np.ndarray) -> np.ndarray:
        with np.errstate(all="ignore"):
            mean = images.astype(np.float64).sum((-3, -2), keepdims=True) / np.prod(images.shape[-3:-1])
            return (mean + (images - mean) * float(contrast_factor)).astype(np.float32)

    def expand(self, emit: Callable[..., Any], *inputs: Any) -> Any:
        images, factor = inputs
        mean = emit(Mean(axis=(-3, -2), keep_dims=True), images)
        return emit(AddV2(), mean, emit(Mul(), emit(Sub(), images, mean), factor))
