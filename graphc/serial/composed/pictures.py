"""ScaleAndTranslate: pictures in another size, through a smoothing kernel (tf.image.resize with antialias)."""
from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from graphc.errors import UnimplementedError
from graphc.ir.dtypes import float32
from graphc.ir.tensor import Tensor
from graphc.serial.composed.kind import Composed, g, text
from graphc.serial.graph_pb2 import NodeDef


@dataclass(frozen=True)
class _Kernel:
    """weight: of a distance, at least 0 and below the radius."""

    radius: float
    weight: Callable[[Tensor], Tensor]


def _lanczos(radius: float) -> _Kernel:
    def weight(x: Tensor) -> Tensor:
        turn = g.scale(math.pi, g.maximum(x, 1e-3))
        wave = g.scale(radius, g.sin(turn) * g.sin(g.scale(1 / radius, turn))) / (turn * turn)
        return g.select_v2(g.less_equal(x, 1e-3), g.ones_like(x), wave)  # type: ignore[no-any-return]
    return _Kernel(radius, weight)


def _cubic(inner: tuple[float, ...], outer: tuple[float, ...]) -> _Kernel:
    """Two polynomials, below 1 and up to 2, from the highest power on."""
    def weight(x: Tensor) -> Tensor:
        values = []
        for coefficients in (inner, outer):
            made: Any = g.scale(0.0, x) + coefficients[0]
            for c in coefficients[1:]:
                made = made * x + c
            values.append(made)
        return g.select_v2(g.less(x, 1), *values)  # type: ignore[no-any-return]
    return _Kernel(2, weight)


_KERNELS: dict[str, _Kernel] = {
    "lanczos1": _lanczos(1), "lanczos3": _lanczos(3), "lanczos5": _lanczos(5),
    "gaussian": _Kernel(1.5, lambda x: g.exp(g.scale(-2.0, x * x))),
    "triangle": _Kernel(1, lambda x: 1 - x),
    "box": _Kernel(1, lambda x: g.select_v2(g.less(x, 0.5), g.ones_like(x),
                                            g.select_v2(g.equal(x, 0.5), g.scale(0.5, g.ones_like(x)),
                                                        g.zeros_like(x)))),
    "keyscubic": _cubic((1.5, -2.5, 0, 1), (-0.5, 2.5, -4, 2)),
    "mitchellcubic": _cubic((7 / 6, -2, 0, 8 / 9), (-7 / 18, 2, -10 / 3, 16 / 9))}


def _scaled(node: NodeDef, inputs: Sequence[Tensor]) -> list[Any]:
    images, size, scale, translation = inputs[:4]
    name = text(node, "kernel_type", "lanczos3")
    if name not in _KERNELS:
        raise UnimplementedError(f"its kernel_type is '{name}', which is none of {', '.join(_KERNELS)}")
    smooth = node.attr["antialias"].b if "antialias" in node.attr else True
    pictures = g.cast(images, float32)
    shape = g.shape(pictures)
    rows, columns = (_weights(_KERNELS[name], smooth, shape[i + 1], size[i], scale[i], translation[i])
                     for i in (0, 1))
    count, channels = shape[0], shape[3]
    high = g.batch_mat_mul_v2(rows, g.reshape(pictures, g.pack([count, shape[1], -1])))
    high = g.reshape(high, g.pack([-1, shape[2], channels]))
    return [g.reshape(g.batch_mat_mul_v2(columns, high), g.pack([count, size[0], size[1], channels]))]


def _weights(kernel: _Kernel, smooth: bool, before: Tensor, after: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
    """[after, before]: how much of each pixel is in each new one; rows sum to 1, or to 0 outside of the picture."""
    inverse = g.reciprocal(scale)
    stretch = g.maximum(inverse, 1) if smooth else g.ones_like(inverse)
    at = (g.cast(g.range(0, after), float32) + 0.5) * inverse - inverse * shift
    at = g.expand_dims(at, 1)
    pixels = g.expand_dims(g.cast(g.range(0, before), float32) + 0.5, 0)
    distance = g.abs(pixels - at) / stretch
    weights = g.select_v2(g.less(distance, kernel.radius), kernel.weight(distance), g.zeros_like(distance))
    total = g.sum(weights, 1, keep_dims=True)
    usual = g.greater_equal(g.abs(total), 1000 * 1.17549435e-38)
    weights = g.select_v2(usual, weights / g.select_v2(usual, total, g.ones_like(total)), g.zeros_like(weights))
    inside = g.logical_and(g.greater_equal(at, 0), g.less_equal(at, g.cast(before, float32)))
    return g.select_v2(inside, weights, g.zeros_like(weights))  # type: ignore[no-any-return]


PICTURES = {"ScaleAndTranslate": Composed(4, ("resized_images",), _scaled)}
