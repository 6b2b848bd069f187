"""Fused batch normalisation over the channels of a picture, its gradient, and the gradient's gradient.

Composite ops: they expand into maps and row reductions, which fuse. NCHW is turned to NHWC by the layout pass through
`permuted`; expansion knows NHWC only. Results are TF's on a CPU: batch_variance is the unbiased one (divided by
N - 1), reserve_space_1 and _2 are the mean and the biased variance, which the gradient uses.
"""
from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np

from graphc.ir.dtypes import DType
from graphc.ir.elementwise import check_kind, check_rank
from graphc.ir.op import Composite, Permuted, Sample, attr, register
from graphc.ir.spec import Shape, Spec, require_equal
from graphc.ops.math.binary import AddV2, Mul, Sub
from graphc.ops.math.reduction import Mean, Sum, _BesselMean
from graphc.ops.math.unary import Rsqrt, Square
from graphc.ops.nn.window import TO_NCHW, TO_NHWC, channel_axis, check_format, require_nhwc, swapped

AXES = (0, 1, 2)   # every axis of a picture but the channels


class _BatchNorm(Composite):
    """What the op and its gradient share. Their attributes are the same."""

    pictures: ClassVar[int] = 1     # how many of the first operands are pictures; the others have one value a channel

    def check(self, inputs: tuple[Spec, ...]) -> tuple[Shape | None, Any]:
        """The picture's shape and the number of channels. Raises ValueError if the operands do not fit together."""
        check_format(self.data_format)
        check_kind(self, inputs, "floating")
        shape, channels = None, None
        for name, spec in list(zip(self.operands, inputs, strict=False))[:self.pictures]:
            check_rank(name, spec, 4)
            if spec.shape is not None:
                shape = (
                    spec.shape
                    if shape is None
                    else tuple(
                        require_equal(a, b, f"shapes of {self.operands[0]} and {name}")
                        for a, b in zip(shape, spec.shape, strict=True)
                    )
                )
        if shape is not None:
            channels = shape[channel_axis(self.data_format)]
        for name, spec in list(zip(self.operands, inputs, strict=False))[self.pictures:]:
            check_rank(name, spec, 1)
            # Mean and variance may be empty in training, where they are computed.
            if spec.shape is not None and not (spec.shape == (0,) and self.is_training):
                size = spec.shape[0]
                if self.is_training and name in ("mean", "variance") and not isinstance(size, int):
                    if channels is not None:
                        require_equal(size * (size - channels), 0, f"{name} must be empty or one element a channel")
                    continue
                if channels is not None:
                    size = require_equal(channels, size, f"channels of {name}")
                # The picture's own size, if none is known: what is computed of it has that one.
                channels = size if channels is None or isinstance(size, int) else channels
        return shape, channels

    def permuted(self, perm: tuple[int, ...], ranks: tuple[int, ...]) -> Permuted | None:
        data_format = swapped(self.data_format, perm)
        if data_format is None:
            return None
        pictures = (perm,) * self.pictures
        return Permuted(
            dataclasses.replace(self, data_format=data_format),
            pictures + (None,) * (len(self.operands) - self.pictures),
            (perm,) + (None,) * (len(self.results) - 1),
        )

    def nhwc(self, *arrays: np.ndarray) -> list[np.ndarray]:
        wide = [a.transpose(TO_NHWC) if self.data_format == "NCHW" else a for a in arrays]
        return [a.astype(np.float64) for a in wide]

    def back(self, array: np.ndarray, dtype: Any) -> np.ndarray:
        return np.ascontiguousarray(array.transpose(TO_NCHW) if self.data_format == "NCHW" else array).astype(dtype)

    def constant(self, emit: Callable[..., Any], spec: Spec, value: float) -> Any:
        from graphc.ops.array.source import Const

        dtype = spec.dtype
        return emit(Const(value=np.asarray(value, dtype.numpy), dtype=dtype))


def _samples(training: bool, gradient_of: bool) -> list[Sample]:
    made = []
    for shape, data_format in (
        ((2, 3, 4, 5), "NHWC"),
        ((2, 5, 3, 4), "NCHW"),
        ((3, 1, 1, 17), "NHWC"),
        ((1, 5, 7, 1), "NCHW"),
        ((4, 3, 2, 31), "NHWC"),
    ):
        channels = (shape[channel_axis(data_format)],)
        generator = np.random.default_rng(channels[0])
        scale = generator.uniform(0.5, 1.5, channels).astype(np.float32)
        mean = generator.uniform(-0.5, 0.5, channels).astype(np.float32)
        variance = generator.uniform(0.5, 1.5, channels).astype(np.float32)
        attributes = {"epsilon": 0.001, "data_format": data_format, "is_training": training}
        if gradient_of:
            # The op is the gradient in x only if the reserve spaces are the statistics of x: tested by second order.
            made.append(Sample(attributes, (shape, shape, scale, mean, variance), gradient=False))
        else:
            made.append(Sample(attributes, (shape, scale, channels, mean, variance), gradient=True, tolerance=2e-5))
    return made


@register
class FusedBatchNorm(_BatchNorm):
    """(x - mean) rsqrt(variance + epsilon) scale + offset; in training mean and variance are those of this batch"""

    operands = ("x", "scale", "offset", "mean", "variance")
    results = ("y", "batch_mean", "batch_variance", "reserve_space_1", "reserve_space_2")
    types = {"T": "x"}
    epsilon: float = attr("float", 0.0001)
    data_format: str = attr("string", "NHWC")
    is_training: bool = attr("bool", True)
    samples = [*_samples(True, False), *_samples(False, False)]

    def infer(self, *inputs: Spec) -> tuple[Spec, ...]:
        shape, channels = self.check(inputs)
        row = Spec(inputs[1].dtype, None if channels is None else (channels,))
        return (Spec(inputs[0].dtype, shape), row, row, row, row, *self.unused(inputs[1].dtype))

    def unused(self, dtype: DType) -> tuple[Spec, ...]:
        """Results that hold nothing."""
        return ()

    def reference(self, *inputs: np.ndarray) -> tuple[np.ndarray, ...]:
        x = self.nhwc(inputs[0])[0]
        scale, offset, mean, variance = (a.astype(np.float64) for a in inputs[1:])
        unbiased = variance
        if self.is_training:
            mean, variance = x.mean(axis=AXES), x.var(axis=AXES)
            count = x.size // x.shape[-1]
            unbiased = variance * (count / max(count - 1, 1))
        y = (x - mean) / np.sqrt(variance + self.epsilon) * scale + offset
        rows = [r.astype(inputs[1].dtype) for r in (mean, unbiased, mean, variance)]
        return (self.back(y, inputs[0].dtype), *rows, *(np.zeros((), inputs[1].dtype) for _ in self.results[5:]))

    def expand(self, emit: Callable[..., Any], *inputs: Any) -> Any:
        require_nhwc(self)
        x, scale, offset, mean, variance = inputs
        unbiased = variance
        centred = None
        if self.is_training:
            mean = emit(Mean(axis=AXES), x)
            centred = emit(Sub(), x, mean)
            squares = emit(Square(), centred)
            variance, unbiased = emit(Mean(axis=AXES), squares), emit(_BesselMean(axis=AXES), squares)
        factor = emit(Mul(), emit(Rsqrt(), emit(AddV2(), variance, self.constant(emit, x.spec, self.epsilon))), scale)
        y = emit(AddV2(), emit(Mul(), emit(Sub(), x, mean) if centred is None else centred, factor), offset)
        zeros = tuple(self.constant(emit, spec, 0.0) for spec in self.unused(scale.spec.dtype))
        return (y, mean, unbiased, mean, variance, *zeros)

    def grad(self, g, node, dy, *_others):
        x, scale = node.inputs[:2]
        gradient, more = GRADIENTS[type(self)]
        made = g.make(gradient, g.zeros_like(node.outputs[0]) if dy is None else dy,
            x,
            scale,
            *node.outputs[3 : 3 + more],
            epsilon=self.epsilon,
            data_format=self.data_format,
            is_training=self.is_training,
        )
        return [*made[:3], None, None]


@register
class FusedBatchNormV2(FusedBatchNorm):
    """FusedBatchNorm whose statistics may have another dtype than the picture (U)"""

    types = {"T": "x", "U": "scale"}
    samples = [_samples(True, False)[0]]


@register
class FusedBatchNormV3(FusedBatchNorm):
    """FusedBatchNorm with a further result, which only GPUs use: here a zero"""

    types = {"T": "x", "U": "scale"}
    results = (*FusedBatchNorm.results, "reserve_space_3")
    samples = [*_samples(True, False)[:2], *_samples(False, False)[:2]]

    def unused(self, dtype: DType) -> tuple[Spec, ...]:
        return (Spec(dtype, ()),)


@register
class FusedBatchNormGrad(_BatchNorm):
    """The gradient by x, scale and offset.

    Reserve spaces: mean and variance, of the batch or, not training, as given
    """

    operands = ("y_backprop", "x", "scale", "reserve_space_1", "reserve_space_2")
    results = ("x_backprop", "scale_backprop", "offset_backprop", "reserve_space_3", "reserve_space_4")
    types = {"T": "y_backprop"}
    pictures = 2
    epsilon: float = attr("float", 0.0001)
    data_format: str = attr("string", "NHWC")
    is_training: bool = attr("bool", True)
    samples = [*_samples(True, True), *_samples(False, True)]

    def infer(self, *inputs: Spec) -> tuple[Spec, ...]:
        shape, channels = self.check(inputs[:5])
        row, nothing = Spec(inputs[2].dtype, None if channels is None else (channels,)), Spec(inputs[2].dtype, ())
        return Spec(inputs[0].dtype, shape), row, row, nothing, nothing

    def reference(self, *inputs: np.ndarray) -> tuple[np.ndarray, ...]:
        dy, x = self.nhwc(*inputs[:2])
        scale, mean, variance = (a.astype(np.float64) for a in inputs[2:5])
        inverse = 1 / np.sqrt(variance + self.epsilon)
        normal = (x - mean) * inverse
        if self.is_training:
            dx = scale * inverse * (dy - dy.mean(axis=AXES) - normal * (dy * normal).mean(axis=AXES))
        else:
            dx = dy * scale * inverse
        dtype = inputs[2].dtype
        rows = [(dy * normal).sum(axis=AXES).astype(dtype), dy.sum(axis=AXES).astype(dtype)]
        return (self.back(dx, inputs[0].dtype), *rows, np.zeros((), dtype), np.zeros((), dtype))

    def expand(self, emit: Callable[..., Any], *inputs: Any) -> Any:
        require_nhwc(self)
        dy, x, scale, mean, variance = inputs[:5]
        inverse = emit(Rsqrt(), emit(AddV2(), variance, self.constant(emit, x.spec, self.epsilon)))
        normal = emit(Mul(), emit(Sub(), x, mean), inverse)
        product = emit(Mul(), dy, normal)
        d_scale, d_offset = emit(Sum(axis=AXES), product), emit(Sum(axis=AXES), dy)
        dx = dy
        if self.is_training:
            centred = emit(Sub(), dy, emit(Mean(axis=AXES), dy))
            dx = emit(Sub(), centred, emit(Mul(), normal, emit(Mean(axis=AXES), product)))
        dx = emit(Mul(), dx, emit(Mul(), scale, inverse))
        return dx, d_scale, d_offset, self.constant(emit, x.spec, 0.0), self.constant(emit, x.spec, 0.0)

    def grad(self, g, node, gx, gs, go, *_others):
        """The gradient by y_backprop, x and scale, for gradients gx, gs, go of the first three results.

        With r = rsqrt(variance + epsilon), n = (x - mean) r, M the mean over a channel and P(v) = v - M(v) - n M(v n):
        dx = scale r P(dy), d_scale = sum(dy n), d_offset = sum(dy). P is symmetric; mean and variance are functions of
        x.
        """

        moved = self.data_format == "NCHW"
        dy, x = (g.transpose(t, TO_NHWC) if moved else t for t in node.inputs[:2])
        scale, mean, variance = node.inputs[2:5]
        of_pictures, of_scale = dy.dtype, scale.dtype          # U may be wider than T
        dy, x, gx = (t if t is None else g.cast(t, of_scale) for t in (dy, x, gx))
        rows = [g.reshape(t, [1, 1, 1, -1]) if t is not None else 0.0 for t in (scale, mean, variance, gs, go)]
        scale, mean, variance, gs, go = rows
        gx = dy * 0.0 if gx is None else g.transpose(gx, TO_NHWC) if moved else gx
        r = g.rsqrt(variance + self.epsilon)
        n = (x - mean) * r

        def average(v: Any) -> Any:
            return g.mean(v, AXES, keep_dims=True)

        def project(v: Any) -> Any:
            return v - average(v) - n * average(v * n)

        if self.is_training:
            p, q = average(gx * n), average(dy * n)
            by_dy = scale * r * project(gx) + gs * n + go
            by_scale = g.sum(gx * r * project(dy), AXES)
            by_n = gs * dy - scale * r * (gx * q + dy * p)
            spread = average(gx * dy) - average(gx) * average(dy) - p * q
            by_x = r * project(by_n) - scale * r * r * n * spread
        else:
            by_dy = scale * r * gx + gs * n + go
            by_scale = g.sum(gx * r * dy, AXES)
            by_x = gs * dy * r
        if moved:
            by_dy, by_x = g.transpose(by_dy, TO_NCHW), g.transpose(by_x, TO_NCHW)
        by_dy, by_x = g.cast(by_dy, of_pictures), g.cast(by_x, of_pictures)
        return [by_dy, by_x, by_scale, *[None] * (len(node.inputs) - 3)]


@register
class FusedBatchNormGradV2(FusedBatchNormGrad):
    """The gradient of FusedBatchNormV2"""

    types = {"T": "y_backprop", "U": "reserve_space_1"}
    samples = [_samples(True, True)[0]]


@register
class FusedBatchNormGradV3(FusedBatchNormGrad):
    """The gradient of FusedBatchNormV3, whose further result it takes and does not need"""

    operands = (*FusedBatchNormGrad.operands, "reserve_space_3")
    types = {"T": "y_backprop", "U": "reserve_space_1"}
    samples = [
        dataclasses.replace(s, inputs=(*s.inputs, ())) for s in (*_samples(True, True)[:2], *_samples(False, True)[:2])
    ]

# Of each forward op: its gradient op, and how many of its reserve spaces that takes.
GRADIENTS: dict[type[FusedBatchNorm], tuple[type[FusedBatchNormGrad], int]] = {
    FusedBatchNorm: (FusedBatchNormGrad, 2), FusedBatchNormV2: (FusedBatchNormGradV2, 2),
    FusedBatchNormV3: (FusedBatchNormGradV3, 3),
}
