"""Random ops beyond uniform and normal numbers: permutations, choices by weight, gamma and Poisson.

Where the numbers come from, random.py says; kernels/cpu/random/draws.py holds the loops.
"""
from __future__ import annotations

import math
from typing import Any, ClassVar

import numpy as np

from graphc.ir import dims
from graphc.ir.dims import Size
from graphc.ir.dtypes import FLOATING, DType, bool_, float32, float64, int32, int64
from graphc.ir.known import require_nonnegative
from graphc.ir.op import Effect, Op, Sample, attr, operand_field, register
from graphc.ir.spec import Spec, require_less
from graphc.ops.random.philox import groups, words

_SEEDS = {"seed": 1, "seed2": 2, "key": 123456789}
_UNUSUAL = [[0, math.inf, 0.5], [-math.inf, 0, 1], [math.nan, -1, math.inf], [math.inf, math.nan, -math.inf]]
NUMBERS = (float32, float64, int32, int64)


def draw_bits(b: Any, key: int, y: Any, primitive: str = "philox_bits") -> None:
    """Fills y (int64, or float64 with primitive "philox") with random words or numbers in [0, 1)."""
    counters = [b.counter().select(0, i).broadcast(y.shape) for i in (0, 1)]
    b.map(lambda s, run, iteration: s.typed(primitive, y.dtype, s.constant(key, int64), run, iteration, s.linear()),
          counters, [y])


class _Draw(Op):
    effect = Effect.RANDOM

    def grad(self, g, node, *dys):
        return [None] * len(node.inputs)


@register
class RandomShuffle(_Draw):
    """The rows of value in another order."""

    moves = True
    operands = ("value",)
    results = ("output",)
    types: ClassVar = {"T": "value"}
    seed: int = attr("int", 0)
    seed2: int = attr("int", 0)
    key: int = attr("int", 0, name="_key")
    samples = [Sample(_SEEDS, (shape,), (dtype,), gradient=False) for shape, dtype in (
        ((7, 3), float32), ((40,), int64), ((1, 2), float64), ((0, 3), int32), ((5, 0), float32), ((6,), bool_))]

    def infer(self, value: Spec) -> Spec:  # type: ignore[override]
        return Spec(value.dtype, value.shape)

    def reference(self, value: np.ndarray, run: int = 0, iteration: int = 0) -> np.ndarray:  # type: ignore[override]
        if not value.ndim or not len(value):
            return value
        order = list(range(len(value)))
        bits = words(self.key, run, iteration, len(value)).tolist()
        for i in reversed(range(1, len(order))):
            j = bits[i] * (i + 1) >> 32
            order[i], order[j] = order[j], order[i]
        return value[order]

    def lower(self, b: Any, inputs: Any, outputs: Any) -> None:
        value, y = inputs[0], outputs[0]
        if not value.rank:
            b.copy(value, y)
            return
        bits, order = b.temporary(int64, value.shape[:1]), b.temporary(int64, value.shape[:1])
        draw_bits(b, self.key, bits)
        b.call("permutation", [bits, order], [value.shape[0]])
        b.call("gather", [value, order, y], [1, value.shape[0], dims.product(value.shape[1:]), value.shape[0]])


def running_sums(b: Any, logits: Any) -> Any:
    """float64: sums of exp(logit - greatest) up to each class, along the last axis. As in TF, a class whose logit is
    infinite or NaN is never chosen."""
    def finite(s: Any, x: Any, value: Any, otherwise: float) -> Any:
        return s("select", s("is_finite", x), value, s.constant(otherwise, s.dtype(value)))

    rows, cols = logits.shape
    wide, greatest = b.temporary(float64, logits.shape), b.temporary(float64, (rows,))
    b.map(lambda s, x: s.cast(x, float64), [logits], [wide])
    b.reduce("max", wide, greatest, [1], element=lambda s, x: finite(s, x, x, float(np.finfo(np.float64).min)))
    weights, sums = b.temporary(float64, logits.shape), b.temporary(float64, logits.shape)
    b.elementwise(lambda s, x, top: finite(s, x, s("exp", s("sub", x, top)), 0.0), [wide, greatest.expand(1)],
                  [weights])
    b.call("cumsum", [weights, sums], [rows, cols, 1], [0, 0])
    return sums


def chosen(logits: np.ndarray, u: np.ndarray) -> np.ndarray:
    """The reference of a choice by weight: u[row, sample] in [0, 1)."""
    wide = logits.astype(np.float64)
    wide[~np.isfinite(wide)] = -np.inf
    with np.errstate(all="ignore"):
        weights = np.nan_to_num(np.exp(wide - wide.max(1, keepdims=True))) if wide.size else wide
    found = [[int(np.sum(np.cumsum(row)[:-1] <= v * np.cumsum(row)[-1])) for v in vs]
             for row, vs in zip(weights, u, strict=True)]
    return np.array(found, np.int64).reshape(u.shape)


def check_choice(logits: Spec, num_samples: Size | None) -> None:
    if logits.dtype not in NUMBERS:
        raise TypeError(f"argument 'logits' must be of numbers, but is {logits.dtype.name}")
    if logits.shape is not None and len(logits.shape) != 2:
        raise ValueError(f"logits should be a matrix, got shape {logits.shown()}")
    if logits.shape is not None and logits.shape[1] == 0:
        raise ValueError("num_classes should be positive, got 0")
    if logits.shape is not None:
        require_less(0, logits.shape[1], "num_classes should be positive")
    require_nonnegative((num_samples,) if num_samples is not None else (), "num_samples should be nonnegative")
    if isinstance(num_samples, int) and num_samples < 0:
        raise ValueError(f"num_samples should be nonnegative, got {num_samples}")


@register
class Multinomial(_Draw):
    """Classes, chosen with the probabilities softmax(logits), num_samples for each row."""

    checks_data = True
    operands = ("logits", "num_samples")
    results = ("output",)
    types: ClassVar = {"T": "logits"}
    num_samples: Size = operand_field("int")
    seed: int = attr("int", 0)
    seed2: int = attr("int", 0)
    output_dtype: DType = attr("type", int64)
    key: int = attr("int", 0, name="_key")
    samples = [Sample({**_SEEDS, "num_samples": n, "output_dtype": out}, (shape,), (dtype,), gradient=False)
               for n, out, shape, dtype in ((5, int64, (2, 7), float32), (1, int32, (3, 1), float64),
                                            (0, int64, (2, 3), float32), (4, int64, (0, 3), float32),
                                            (6, int32, (2, 5), int32), (3, int64, (1, 4), int64))] + [
        Sample({**_SEEDS, "num_samples": 9, "output_dtype": int64}, (np.array(_UNUSUAL, d.numpy),), gradient=False)
        for d in (float32, float64)]

    def result_dtypes(self, *inputs: Spec) -> tuple[DType, ...]:
        return (self.output_dtype,)

    def infer(self, logits: Spec) -> Spec:  # type: ignore[override]
        check_choice(logits, self.num_samples)
        if self.output_dtype not in (int32, int64):
            raise TypeError(f"output_dtype must be int32 or int64, but is {self.output_dtype.name}")
        return Spec(self.output_dtype, None if logits.shape is None else (logits.shape[0], self.num_samples))

    def reference(self, logits: np.ndarray, run: int = 0, iteration: int = 0) -> np.ndarray:  # type: ignore[override]
        count = len(logits) * self.num_samples
        pairs = groups(self.key, run, iteration, (count + 1) // 2).reshape(-1, 2)[:count]
        u = ((pairs[:, 1] & np.uint64(0xFFFFF)) * 2.0**32 + pairs[:, 0]) / 2.0**52
        return chosen(logits, u.reshape(len(logits), self.num_samples)).astype(self.output_dtype.numpy)

    def lower(self, b: Any, inputs: Any, outputs: Any) -> None:
        logits, y = inputs[0], outputs[0]
        u = b.temporary(float64, y.shape)
        draw_bits(b, self.key, u, "philox")
        b.call("search_sums", [running_sums(b, logits), u, y], [logits.shape[0], logits.shape[1], self.num_samples])


class _PerNumber(_Draw):
    """Numbers of a distribution with a parameter: shape + the parameter's shape."""

    results = ("output",)
    kernel: ClassVar[str]

    def shape_of(self, parameter: Spec) -> tuple[Size, ...] | None:
        sizes: tuple[Size, ...] | None = self.shape  # type: ignore[attr-defined]
        if sizes is not None and any(isinstance(size, int) and size < 0 for size in sizes):
            raise ValueError(f"shape {sizes} has a negative size")
        require_nonnegative(sizes or (), "a shape must not have a negative size")
        return None if parameter.shape is None or sizes is None else (*sizes, *parameter.shape)

    def lower(self, b: Any, inputs: Any, outputs: Any) -> None:
        parameter, y = inputs[0], outputs[0]
        wide, drawn = b.temporary(float64, parameter.shape), b.temporary(float64, y.shape)
        b.map(lambda s, x: s.cast(x, float64), [parameter], [wide])
        b.call(self.kernel, [wide, b.counter(), drawn], [y.elements, parameter.elements],
               [self.key])  # type: ignore[attr-defined]
        b.map(lambda s, x: s.cast(x, y.dtype), [drawn], [y])

    def drawn(self, parameter: np.ndarray, run: int, iteration: int, dtype: Any) -> np.ndarray:
        """The reference: one number after the other."""
        shape = (*self.shape, *parameter.shape)  # type: ignore[attr-defined]
        flat = parameter.astype(np.float64).ravel()
        values = [self.one(float(flat[i % flat.size]), Attempts(self.key, run, iteration, i))  # type: ignore[attr-defined]
                  for i in range(math.prod(shape))]
        return np.array(values, np.float64).reshape(shape).astype(dtype)

    def one(self, parameter: float, attempts: Attempts) -> float:
        raise NotImplementedError


class Attempts:
    """The pairs of numbers in (0, 1) from which number `index` of a draw is made."""

    def __init__(self, key: int, run: int, iteration: int, index: int) -> None:
        self.where = key, run, iteration, index

    def __getitem__(self, attempt: int) -> tuple[float, float]:
        key, run, iteration, index = self.where
        a, b, c, d = (int(w) for w in groups_at(key, run, iteration, index * 1024 + attempt))
        return ((b & 0xFFFFF) * 2**32 + a + 0.5) / 2**52, ((d & 0xFFFFF) * 2**32 + c + 0.5) / 2**52


def groups_at(key: int, run: int, iteration: int, group: int) -> np.ndarray:
    """One group of words, anywhere in a draw."""
    return groups(key, run, iteration, 1, group)[0]


@register
class RandomGamma(_PerNumber):
    """Gamma distributed with the shape alpha and the rate 1."""

    kernel = "random_gamma"
    operands = ("shape", "alpha")
    types: ClassVar = {"S": "shape", "T": "alpha"}
    shape: tuple[Size, ...] = operand_field("ints")
    seed: int = attr("int", 0)
    seed2: int = attr("int", 0)
    key: int = attr("int", 0, name="_key")
    samples = [Sample({**_SEEDS, "shape": shape}, (alpha,), (), gradient=False, tolerance=1e-4) for shape, alpha in (
        ((7,), np.array([0.3, 1.0, 4.5], np.float32)), ((3, 2), np.array(2.5)), ((), np.array([0.5, 30.0])),
        ((0,), np.array([1.0], np.float32)), ((2,), np.zeros((0,), np.float32)))]

    def result_dtypes(self, *inputs: Spec) -> tuple[DType, ...]:
        return (inputs[0].dtype,)

    def infer(self, alpha: Spec) -> Spec:  # type: ignore[override]
        if alpha.dtype not in FLOATING:
            raise TypeError(f"argument 'alpha' must be of floating point, but is {alpha.dtype.name}")
        return Spec(alpha.dtype, self.shape_of(alpha))

    def reference(self, alpha: np.ndarray, run: int = 0, iteration: int = 0) -> np.ndarray:  # type: ignore[override]
        return self.drawn(alpha, run, iteration, alpha.dtype)

    def one(self, parameter: float, attempts: Attempts) -> float:
        from statistics import NormalDist

        shape = parameter + (parameter < 1)
        d = shape - 1 / 3
        for attempt in range(1023):
            first, second = attempts[attempt]
            x = NormalDist().inv_cdf(first)
            v = (1 + x / math.sqrt(9 * d)) ** 3
            if v > 0 and math.log(second) < 0.5 * x * x + d - d * v + d * math.log(v):
                break
        return d * v * (attempts[1023][0] ** (1 / parameter) if parameter < 1 else 1)

    def grad(self, g, node, *dys):
        """By alpha: implicit reparameterisation, summed over the numbers of each alpha."""
        dy, sample, alpha = dys[0], node.outputs[0], node.inputs[1]
        if dy is None:
            return [None, None]
        slopes = g.mul(dy, g.random_gamma_grad(g.broadcast_to(alpha, g.shape(sample)), sample))
        return [None, g.sum_like(slopes, alpha)]


@register
class RandomGammaGrad(Op):
    """The derivative of a gamma distributed sample by its alpha."""

    operands = ("alpha", "sample")
    results = ("output",)
    types: ClassVar = {"T": "alpha"}
    samples = [Sample({}, ((3, 4), (3, 4)), (dtype, dtype), gradient=False, low=0.3, high=6.0, tolerance=1e-4)
               for dtype in (float32, float64)] + [Sample({}, ((0,), (0,)), gradient=False),
                                                   Sample({}, (np.array(40.0), np.array(35.0)), gradient=False)]

    def infer(self, alpha: Spec, sample: Spec) -> Spec:  # type: ignore[override]
        if alpha.dtype not in FLOATING or alpha.dtype != sample.dtype:
            raise TypeError(f"alpha and sample must be of one floating point dtype, but are {alpha.dtype.name} and "
                            f"{sample.dtype.name}")
        return Spec(alpha.dtype, sample.shape if sample.shape is not None else alpha.shape)

    def reference(self, alpha: np.ndarray, sample: np.ndarray) -> np.ndarray:  # type: ignore[override]
        found = [_slope(float(a), float(x)) for a, x in zip(alpha.ravel(), sample.ravel(), strict=True)]
        return np.array(found, alpha.dtype).reshape(alpha.shape)

    def lower(self, b: Any, inputs: Any, outputs: Any) -> None:
        y = outputs[0]
        alpha, sample, slopes = (b.temporary(float64, y.shape) for _ in range(3))
        for x, wide in zip(inputs, (alpha, sample), strict=True):
            b.map(lambda s, v: s.cast(v, float64), [x], [wide])
        b.call("random_gamma_grad", [alpha, sample, slopes], [y.elements])
        b.map(lambda s, v: s.cast(v, y.dtype), [slopes], [y])


def _slope(a: float, x: float) -> float:
    """-(dF/da) / (dF/dx) of the gamma distribution's F, by Simpson's rule over log t."""
    t, step = np.linspace(math.log(x) - 80.0 / min(a, 1.0), math.log(x), 400001, retstep=True)
    weights = np.ones_like(t)
    weights[1:-1:2], weights[2:-1:2] = 4, 2
    density = np.exp(a * t - np.exp(t) - math.lgamma(a)) * weights * step / 3
    h = 1e-5
    digamma = (math.lgamma(a + h) - math.lgamma(a - h)) / (2 * h)
    by_a = float(np.sum(density * (t - digamma)))
    return -by_a / math.exp((a - 1) * math.log(x) - x - math.lgamma(a))


@register
class RandomPoissonV2(_PerNumber):
    """Poisson distributed with the mean `rate`."""

    kernel = "random_poisson"
    operands = ("shape", "rate")
    types: ClassVar = {"S": "shape", "R": "rate"}
    shape: tuple[Size, ...] = operand_field("ints")
    seed: int = attr("int", 0)
    seed2: int = attr("int", 0)
    dtype: DType = attr("type", int64)
    key: int = attr("int", 0, name="_key")
    samples = [Sample({**_SEEDS, "shape": shape, "dtype": dtype}, (rate,), (), gradient=False)
               for shape, rate, dtype in (
        ((7,), np.array([0.3, 4.0, 9.5], np.float32), float32), ((5, 2), np.array(25.0), float64),
        ((), np.array([10, 300], np.int32), int32), ((4,), np.array([[12.5], [0.0]]), int64),
        ((0,), np.array([1], np.int64), float32), ((3,), np.zeros((0,), np.float32), int64))]

    def result_dtypes(self, *inputs: Spec) -> tuple[DType, ...]:
        return (self.dtype,)

    def infer(self, rate: Spec) -> Spec:  # type: ignore[override]
        for what, dtype in (("rate", rate.dtype), ("dtype", self.dtype)):
            if dtype not in NUMBERS:
                raise TypeError(f"argument '{what}' must be of float32, float64, int32 or int64, but is {dtype.name}")
        return Spec(self.dtype, self.shape_of(rate))

    def reference(self, rate: np.ndarray, run: int = 0, iteration: int = 0) -> np.ndarray:  # type: ignore[override]
        return self.drawn(rate, run, iteration, self.dtype.numpy)

    def one(self, parameter: float, attempts: Attempts) -> float:
        if parameter < 10:
            product, count = 1.0, 0
            while True:
                product *= attempts[count // 2][count % 2]
                if product <= math.exp(-parameter):
                    return count
                count += 1
        b = 0.931 + 2.53 * math.sqrt(parameter)
        a = 0.02483 * b - 0.059
        for attempt in range(1024):
            u, v = attempts[attempt]
            distance = 0.5 - abs(u - 0.5)
            k = math.floor((2 * a / distance + b) * (u - 0.5) + parameter + 0.43)
            if distance >= 0.07 and v <= 0.9277 - 3.6224 / (b - 2):
                break
            height = v * (1.1239 + 1.1328 / (b - 3.4)) / (a / distance**2 + b)
            if k >= 0 and (distance >= 0.013 or v <= distance) \
                    and math.log(height) <= k * math.log(parameter) - parameter - math.lgamma(k + 1):
                break
        return k
