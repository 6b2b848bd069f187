"""BatchNormWithGlobalNormalization, the batch normalisation of old graphs, and its gradient. Channels last."""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from graphc.ir.elementwise import check_kind, check_rank
from graphc.ir.op import Composite, Sample, attr, register, same_dtypes
from graphc.ir.spec import Shape, Spec, require_equal
from graphc.ops.array.fill import ZerosLike
from graphc.ops.array.shapes import Reshape
from graphc.ops.array.source import Const
from graphc.ops.math.binary import AddV2, Mul, Sub
from graphc.ops.math.reduction import Sum
from graphc.ops.math.unary import Neg, Rsqrt

AXES = (0, 1, 2)
_SHAPES: tuple[Shape, ...] = ((2, 3, 4, 5), (1, 2, 1, 17), (3, 1, 2, 1), (0, 2, 2, 3))


def _samples(gradient: bool) -> list[Sample]:
    made = []
    for scaled in (True, False):
        for shape in _SHAPES:
            channels = shape[3:]
            variance = np.random.default_rng(channels[0]).uniform(0.5, 1.5, channels).astype(np.float32)
            rest = (channels, shape) if gradient else (channels, channels)
            made.append(Sample({"variance_epsilon": 0.01, "scale_after_normalization": scaled},
                               (shape, channels, variance, *rest), gradient=not gradient))
    return made


class _GlobalNorm(Composite):
    """What the op and its gradient share. Their attributes are the same."""

    def channels(self, inputs: tuple[Spec, ...]) -> tuple[Shape | None, Any]:
        """The pictures' shape and the number of channels. Raises ValueError if the operands do not fit together."""
        check_kind(self, inputs, "floating")
        same_dtypes(self, inputs)
        shape, channels = None, None
        for name, spec in zip(self.operands, inputs, strict=True):
            check_rank(name, spec, 4 if name in ("t", "backprop") else 1)
            if spec.shape is None:
                continue
            if len(spec.shape) == 4:
                shape = spec.shape if shape is None else tuple(
                    require_equal(a, b, "shapes of t and backprop") for a, b in zip(shape, spec.shape, strict=True))
            last = spec.shape[-1]
            channels = last if channels is None else require_equal(channels, last, f"channels of {name}")
        return shape, channels

    def inverse(self, emit: Callable[..., Any], v: Any) -> Any:
        """1 / sqrt(v + variance_epsilon)"""
        dtype = v.spec.dtype
        epsilon = emit(Const(value=np.asarray(self.variance_epsilon, dtype.numpy), dtype=dtype))
        return emit(Rsqrt(), emit(AddV2(), v, epsilon))


@register
class BatchNormWithGlobalNormalization(_GlobalNorm):
    """(t - m) rsqrt(v + epsilon) gamma + beta, without gamma unless scale_after_normalization"""

    operands = ("t", "m", "v", "beta", "gamma")
    results = ("result",)
    types = {"T": "t"}
    variance_epsilon: float = attr("float")
    scale_after_normalization: bool = attr("bool")
    samples = _samples(False)

    def infer(self, *inputs: Spec) -> Spec:
        shape, _ = self.channels(inputs)
        return Spec(inputs[0].dtype, shape)

    def reference(self, *inputs: np.ndarray) -> np.ndarray:
        t, m, v, beta, gamma = (a.astype(np.float64) for a in inputs)
        y = (t - m) / np.sqrt(v + self.variance_epsilon)
        return (y * (gamma if self.scale_after_normalization else 1) + beta).astype(inputs[0].dtype)

    def expand(self, emit: Callable[..., Any], *inputs: Any) -> Any:
        t, m, v, beta, gamma = inputs
        factor = self.inverse(emit, v)
        if self.scale_after_normalization:
            factor = emit(Mul(), factor, gamma)
        return emit(AddV2(), emit(Mul(), emit(Sub(), t, m), factor), beta)

    def grad(self, g, node, dy):
        # Of ops that have gradients, unlike TensorFlow's BatchNormWithGlobalNormalizationGrad.
        t, m, v, _, gamma = node.inputs
        factor = g.rsqrt(v + self.variance_epsilon)
        centred = t - m
        scaled = dy * gamma if self.scale_after_normalization else dy
        by_t = scaled * factor
        by_v = g.scale(-0.5, g.sum(scaled * centred, list(AXES))) * factor * factor * factor
        by_gamma = g.sum(dy * centred, list(AXES)) * factor if self.scale_after_normalization else g.zeros_like(gamma)
        return [by_t, g.neg(g.sum(by_t, list(AXES))), by_v, g.sum(dy, list(AXES)), by_gamma]


@register
class BatchNormWithGlobalNormalizationGrad(_GlobalNorm):
    """The gradients of BatchNormWithGlobalNormalization by t, m, v, beta and gamma"""

    operands = ("t", "m", "v", "gamma", "backprop")
    results = ("dx", "dm", "dv", "db", "dg")
    types = {"T": "t"}
    variance_epsilon: float = attr("float")
    scale_after_normalization: bool = attr("bool")
    samples = _samples(True)

    def infer(self, *inputs: Spec) -> tuple[Spec, ...]:
        shape, channels = self.channels(inputs)
        row = Spec(inputs[0].dtype, None if channels is None else (channels,))
        whole = Spec(inputs[0].dtype, None if shape is None else (*shape[:3], channels))
        return whole, row, row, row, row

    def reference(self, *inputs: np.ndarray) -> tuple[np.ndarray, ...]:
        t, m, v, gamma, dy = (a.astype(np.float64) for a in inputs)
        variance = v + self.variance_epsilon
        scaled = dy * gamma if self.scale_after_normalization else dy
        dx = scaled / np.sqrt(variance)
        dv = -0.5 * (scaled * (t - m)).sum(AXES) * variance ** -1.5
        dg = (dy * (t - m) / np.sqrt(variance)).sum(AXES) if self.scale_after_normalization else np.zeros_like(gamma)
        return tuple(a.astype(inputs[0].dtype) for a in (dx, -dx.sum(AXES), dv, dy.sum(AXES), dg))

    def expand(self, emit: Callable[..., Any], *inputs: Any) -> Any:
        # Sizes that are equal in every run become one, that of the results.
        shape, channels = self.channels(tuple(x.spec for x in inputs))
        wanted = [(*shape[:3], channels) if len(x.spec.shape) == 4 else (channels,) for x in inputs]
        t, m, v, gamma, dy = (emit(Reshape(shape=w), x) for w, x in zip(wanted, inputs, strict=True))
        factor, centred = self.inverse(emit, v), emit(Sub(), t, m)
        scaled = emit(Mul(), dy, gamma) if self.scale_after_normalization else dy
        dx = emit(Mul(), scaled, factor)
        half = emit(Const(value=np.asarray(-0.5, v.spec.dtype.numpy), dtype=v.spec.dtype))
        cube = emit(Mul(), factor, emit(Mul(), factor, factor))
        dv = emit(Mul(), emit(Mul(), emit(Sum(axis=AXES), emit(Mul(), scaled, centred)), half), cube)
        dg = emit(ZerosLike(), gamma)
        if self.scale_after_normalization:
            dg = emit(Mul(), emit(Sum(axis=AXES), emit(Mul(), dy, centred)), factor)
        return dx, emit(Neg(), emit(Sum(axis=AXES), dx)), dv, emit(Sum(axis=AXES), dy), dg
