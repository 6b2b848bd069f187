"""Random numbers: stateless and counter-based.

A number is philox(key, run, iteration, index): the key is a field that compiling fills (passes/snapshot/random_keys.py)
from the seeds or, without any, from the process; run counts the session's runs, iteration those of all loops around. So
a gradient or a recomputation sees the draw of the forward pass, and nothing that happens elsewhere in the graph changes
the numbers.
"""
from __future__ import annotations

import math
from typing import Any, ClassVar

import numpy as np

from graphc.errors import InvalidArgumentError
from graphc.ir.dims import Size
from graphc.ir.dtypes import FLOATING, DType, float32, float64, int32, int64
from graphc.ir.known import require_nonnegative
from graphc.ir.op import Effect, Op, Sample, attr, operand_field, register
from graphc.ir.spec import Spec
from graphc.ops.random.philox import uniform, words

_LIMIT = math.erf(math.sqrt(2))  # the share of a normal distribution within two standard deviations

_SHAPES = ((), (17,), (2, 3, 5), (65,), (0, 3), (1000,))


# Uniform numbers of 16 bits are so many a unit, all exact: rounding would give 1.
STEPS = {"f16": 2.0**10, "bf16": 2.0**7}


class Bounded(Op):
    """An op whose last two operands, if it has bounds, are scalars of integers, the first less than the second. The
    pass check_operands sees to it."""

    refusal = "Need minval < maxval"


class _Random(Op):
    operands = ("shape",)
    results = ("output",)
    types = {"T": "shape"}
    effect = Effect.RANDOM
    moves = True            # it is one map, which converts 16-bit floats itself

    @property
    def drawn(self) -> DType:
        """The dtype in which numbers are made."""
        return float32 if self.dtype.is_half else self.dtype

    def infer(self, *inputs: Spec) -> Spec:
        self.check_shape()
        return Spec(self.result_dtype(), self.shape)

    def check_shape(self) -> None:
        if self.shape is not None and any(isinstance(size, int) and size < 0 for size in self.shape):
            raise ValueError(f"shape {self.shape} has a negative size")
        require_nonnegative(self.shape or (), "a shape must not have a negative size")

    def result_dtype(self) -> DType:
        if self.dtype not in FLOATING:
            raise TypeError(f"{self.type} makes floating point numbers, not {self.dtype.name}")
        return self.dtype

    def reference(self, *inputs: np.ndarray, run: int = 0, iteration: int = 0) -> np.ndarray:
        count = math.prod(self.shape)
        return self.numbers(count, run, iteration, *inputs).reshape(self.shape)

    def numbers(self, count: int, run: int, iteration: int, *inputs: np.ndarray) -> np.ndarray:
        """The first `count` numbers of a draw."""
        raise NotImplementedError

    def lower(self, b: Any, inputs: Any, outputs: Any) -> None:
        y = outputs[0]
        counters = [b.counter().select(0, i).broadcast(y.shape) for i in (0, 1)]

        def draw(s: Any, run: Any, iteration: Any, *bounds: Any) -> Any:
            return self.scalar(s, (s.constant(self.key, int64), run, iteration, s.linear()), *bounds)

        b.map(draw, [*counters, *(x.broadcast(y.shape) for x in inputs)], [y])

    def scalar(self, s: Any, position: tuple[Any, ...], *bounds: Any) -> Any:
        """One number as a scalar expression of (key, run, iteration, index)."""
        raise NotImplementedError

    def grad(self, g, node, dy):
        return [None] * len(node.inputs)


def _samples(dtypes: tuple[DType, ...] = (float32, float64)) -> list[Sample]:
    return [Sample({"shape": shape, "dtype": dtype, "seed": 1, "seed2": 2, "key": 123456789}, (), gradient=False)
            for dtype in dtypes for shape in _SHAPES]


@register
class RandomUniform(_Random):
    """Evenly distributed in [0, 1)"""

    shape: tuple[Size, ...] = operand_field("ints")
    seed: int = attr("int", 0)
    seed2: int = attr("int", 0)
    dtype: DType = attr("type", float32)
    key: int = attr("int", 0, name="_key")
    samples = _samples()

    def numbers(self, count: int, run: int, iteration: int, *inputs: np.ndarray) -> np.ndarray:
        numbers = uniform(self.key, run, iteration, count, self.drawn)
        steps = STEPS.get(self.dtype.short)
        return numbers if steps is None else self.dtype.array(np.floor(numbers * steps) / steps)

    def scalar(self, s: Any, position: tuple[Any, ...], *bounds: Any) -> Any:
        number, steps = s.typed("philox", self.drawn, *position), STEPS.get(self.dtype.short)
        if steps is None:
            return number
        whole = s("floor", s("mul", number, s.constant(steps, float32)))
        return s.cast(s("mul", whole, s.constant(1 / steps, float32)), self.dtype)


class _Normal(_Random):
    """sqrt(2) erfinv(t) for t evenly distributed in (-spread, spread): the inverse of the cumulative distribution"""

    spread: ClassVar[float]

    def half_step(self) -> float:
        # The uniform numbers are multiples of 2^-23 (2^-52) from 0 on: half a step more makes them symmetric and never
        # 0.
        return 2.0**-24 if self.drawn == float32 else 2.0**-53

    def numbers(self, count: int, run: int, iteration: int, *inputs: np.ndarray) -> np.ndarray:
        from statistics import NormalDist

        half = np.ldexp(1.0, -24 if self.drawn == float32 else -53)
        u = uniform(self.key, run, iteration, count, self.drawn).astype(np.float64) + half
        inverse = NormalDist().inv_cdf
        return self.dtype.array(np.array([inverse(0.5 + self.spread * (v - 0.5)) for v in u], self.drawn.numpy))

    def scalar(self, s: Any, position: tuple[Any, ...], *bounds: Any) -> Any:
        d = self.drawn
        u = s.typed("philox", d, *position)
        # t = spread (2 u + 2 half_step - 1), exact up to the factor
        t = s("add", s("add", u, u), s.constant(2 * self.half_step() - 1, d))
        made = s("mul", s("erfinv", s("mul", t, s.constant(self.spread, d))), s.constant(math.sqrt(2), d))
        return s.cast(made, self.dtype)


@register
class RandomStandardNormal(_Normal):
    """Normally distributed with mean 0 and deviation 1"""

    spread = 1.0
    shape: tuple[Size, ...] = operand_field("ints")
    seed: int = attr("int", 0)
    seed2: int = attr("int", 0)
    dtype: DType = attr("type", float32)
    key: int = attr("int", 0, name="_key")
    samples = _samples()


@register
class TruncatedNormal(_Normal):
    """Normally distributed with mean 0 and deviation 1 within two deviations"""

    spread = _LIMIT
    shape: tuple[Size, ...] = operand_field("ints")
    seed: int = attr("int", 0)
    seed2: int = attr("int", 0)
    dtype: DType = attr("type", float32)
    key: int = attr("int", 0, name="_key")
    samples = _samples()


@register
class RandomUniformInt(_Random, Bounded):
    """Whole numbers from minval on, below maxval"""

    operands = ("shape", "minval", "maxval")
    types = {"T": "shape", "Tout": "minval"}
    shape: tuple[Size, ...] = operand_field("ints")
    seed: int = attr("int", 0)
    seed2: int = attr("int", 0)
    key: int = attr("int", 0, name="_key")
    samples = [
        Sample(
            {"shape": shape, "seed": 1, "seed2": 2, "key": 987654321},
            (np.array(-3, t), np.array(10, t)),
            gradient=False,
        )
        for t in (np.int32, np.int64)
        for shape in _SHAPES
    ]

    def infer(self, *inputs: Spec) -> Spec:
        self.check_shape()
        low, high = inputs
        if low.dtype not in (int32, int64) or low.dtype != high.dtype:
            raise TypeError(
                f"minval and maxval must both be int32 or int64, but are {low.dtype.name} and {high.dtype.name}"
            )
        for name, bound in (("minval", low), ("maxval", high)):
            if bound.shape is not None and bound.shape != ():
                raise ValueError(f"argument '{name}' must be a scalar, but is {bound.shown()}")
        if low.value and high.value and all(isinstance(v[0], int) for v in (low.value, high.value)) \
                and low.value[0] >= high.value[0]:
            raise ValueError(f"{Bounded.refusal}, got {low.value[0]} >= {high.value[0]}")
        return Spec(low.dtype, self.shape)

    def numbers(self, count: int, run: int, iteration: int, *inputs: np.ndarray) -> np.ndarray:
        low, high = (int(v) for v in inputs)
        if low >= high and count:
            raise InvalidArgumentError(f"{Bounded.refusal}: {low} and {high}")
        return (low + words(self.key, run, iteration, count) % (high - low)).astype(inputs[0].dtype)

    def scalar(self, s: Any, position: tuple[Any, ...], *bounds: Any) -> Any:
        low, high = bounds
        wide = [s.cast(v, int64) for v in (low, high)]
        bits = s.typed("philox_bits", int64, *position)
        return s.cast(s("add", wide[0], s("mod", bits, s("sub", wide[1], wide[0]))), s.dtype(low))
