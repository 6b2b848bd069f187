"""Windows of pictures around given places, with noise where they look outside: ExtractGlimpse."""
from __future__ import annotations

import math
from typing import Any, ClassVar

import numpy as np

from graphc.ir.dims import Size
from graphc.ir.dtypes import DType, float32, int64
from graphc.ir.elementwise import check_rank
from graphc.ir.known import require_nonnegative
from graphc.ir.op import Effect, Op, Sample, attr, operand_field, register
from graphc.ir.spec import Spec, require_equal
from graphc.ops.random.random import RandomStandardNormal, RandomUniform

_PLACES = np.array([[0.3, -0.4], [-1.2, 1.1], [0, 0], [np.nan, 0.1]], np.float32)
_CASES: tuple[tuple[Any, ...], ...] = (
    ((4, 5, 4, 2), (3, 2), True, True, "uniform"), ((4, 5, 4, 2), (4, 3), True, True, "gaussian"),
    ((4, 6, 3, 1), (5, 5), False, True, "zero"), ((4, 3, 4, 3), (2, 7), True, False, "zero"),
    ((4, 1, 1, 17), (1, 1), False, False, "gaussian"), ((4, 2, 2, 1), (0, 3), True, True, "uniform"))


@register
class ExtractGlimpse(Op):
    """A window of `size` of each picture around its row of `offsets` (y, x), noise where it lies outside.

    Offsets are fractions of the sizes with `normalized`, of half of them from the middle with `centered`. noise: as
    "uniform", between the picture's least and greatest element; "gaussian", by mean and deviation of each channel;
    "zero". For a seed there is no attribute: every process draws other noise, as in TensorFlow.
    """

    operands = ("input", "size", "offsets")
    results = ("glimpse",)
    effect = Effect.RANDOM
    size: tuple[Size, ...] = operand_field("ints")
    centered: bool = attr("bool", True)
    normalized: bool = attr("bool", True)
    uniform_noise: bool = attr("bool", True)
    noise: str = attr("string", "uniform")
    key: int = attr("int", 0, name="_key")
    samples: ClassVar = [
        Sample({"size": size, "centered": centered, "normalized": normalized, "uniform_noise": noise == "uniform",
                "noise": noise, "key": 12345}, (shape, _PLACES), gradient=False)
        for shape, size, centered, normalized, noise in _CASES] + [
        Sample({"size": (2, 2), "key": 7}, ((0, 3, 3, 2), _PLACES[:0]), gradient=False)]

    def result_dtypes(self, *inputs: Spec) -> tuple[DType, ...]:
        return (float32,)

    def infer(self, *inputs: Spec) -> Spec:
        for name, spec, rank in zip(("input", "offsets"), inputs, (4, 2), strict=True):
            if spec.dtype != float32:
                raise TypeError(f"argument '{name}' has dtype {spec.dtype.name}, but ExtractGlimpse takes float32 "
                                "only; cast it (gc.cast)")
            check_rank(name, spec, rank)
        if self.noise not in ("uniform", "gaussian", "zero"):
            raise ValueError(f"noise must be uniform, gaussian or zero, but is {self.noise!r}")
        if self.uniform_noise and self.noise != "uniform":
            raise ValueError(f"uniform_noise must be False if noise is {self.noise!r}")
        size = self.size
        if size is not None:
            if len(size) != 2:
                raise ValueError(f"size must be 2 numbers, but is {size}")
            if any(isinstance(s, int) and s < 0 for s in size):
                raise ValueError(f"size must not be negative, but is {size}")
            require_nonnegative(size, "size must not be negative")
        picture, places = inputs[0].shape, inputs[1].shape
        if places is not None:
            require_equal(places[1], 2, "argument 'offsets' must have rows of 2 numbers")
        if picture is None or size is None:
            return Spec(float32, None)
        batch = picture[0] if places is None else require_equal(picture[0], places[0], "pictures and rows of 'offsets'")
        return Spec(float32, (batch, *size, picture[3]))

    def reference(self, *inputs: np.ndarray, run: int = 0, iteration: int = 0) -> np.ndarray:
        x, places = inputs
        (rows, columns), (high, wide) = x.shape[1:3], self.size
        y = self._drawn((len(x), high, wide, x.shape[3]), x, run, iteration)
        for n, place in enumerate(places):
            if not np.isfinite(place).all():
                continue
            at = [self._first(p, s, w) for p, s, w in zip(place, (rows, columns), self.size, strict=True)]
            for i in range(high):
                for j in range(wide):
                    if 0 <= at[0] + i < rows and 0 <= at[1] + j < columns:
                        y[n, i, j] = x[n, at[0] + i, at[1] + j]
        return y

    def _first(self, place: Any, size: int, window: Any) -> int:
        at = place * np.float32(size) if self.normalized else place
        at = at / np.float32(2) + np.float32(size / 2) if self.centered else at
        return int(np.trunc(at - np.float32(window / 2)))

    def _drawn(self, shape: Any, x: np.ndarray, run: int, iteration: int) -> np.ndarray:
        """The noise, of the reference."""
        if self.noise == "zero" or not x.size:
            return np.zeros(shape, np.float32)
        kind = RandomUniform if self.noise == "uniform" else RandomStandardNormal
        drawn = kind(shape=shape, key=self.key).numbers(math.prod(shape), run, iteration).reshape(shape)
        low, high = (f(axis=(1, 2, 3), keepdims=True) for f in (x.min, x.max))
        if self.noise == "uniform":
            return (low + drawn * (high - low)).astype(np.float32)
        low, high = (f(axis=(1, 2), keepdims=True) for f in (x.min, x.max))
        mean, deviation = (f(axis=(1, 2), keepdims=True) for f in (x.mean, x.std))
        return np.clip(mean + drawn * deviation, low, high).astype(np.float32)

    def grad(self, g, node, dy):
        return [None, None, None]

    def lower(self, b: Any, inputs: Any, outputs: Any) -> None:
        (x, places), y = inputs, outputs[0]
        if self.noise == "zero":
            b.fill(y, 0.0)
        else:
            self._draw(b, x, y)
        b.call("glimpse", [x, places, y], [*x.shape, *y.shape[1:3]], [int(self.centered), int(self.normalized)])

    def _draw(self, b: Any, x: Any, y: Any) -> None:
        uniform = self.noise == "uniform"
        axes = (1, 2, 3) if uniform else (1, 2)
        kept = tuple(1 if axis in axes else size for axis, size in enumerate(x.shape))
        low, high = b.temporary(float32, kept), b.temporary(float32, kept)
        b.reduce("min", x, low, axes)
        b.reduce("max", x, high, axes)
        parts, kind = [low, high], RandomUniform(shape=(), key=self.key) if uniform else RandomStandardNormal(
            shape=(), key=self.key)
        if not uniform:
            mean, spread = b.temporary(float32, kept), b.temporary(float32, kept)
            away = b.temporary(float32, x.shape)
            b.reduce("add", x, mean, axes, finish=_mean)
            b.elementwise(lambda s, v, m: s("sub", v, m), [x, mean], [away])
            b.reduce("add", away, spread, axes, element=lambda s, v: s("mul", v, v),
                     finish=lambda s, total, count: s("sqrt", _mean(s, total, count)))
            parts += [mean, spread]

        def noise(s: Any, run: Any, iteration: Any, low: Any, high: Any, *normal: Any) -> Any:
            drawn = kind.scalar(s, (s.constant(self.key, int64), run, iteration, s.linear()))
            if uniform:
                return s("add", low, s("mul", drawn, s("sub", high, low)))
            return s("max", s("min", s("add", normal[0], s("mul", drawn, normal[1])), high), low)

        counters = [b.counter().select(0, i).broadcast(y.shape) for i in (0, 1)]
        b.map(noise, [*counters, *(p.broadcast(y.shape) for p in parts)], [y])


def _mean(s: Any, total: Any, count: Any) -> Any:
    return s("div", total, s.cast(count, float32))
