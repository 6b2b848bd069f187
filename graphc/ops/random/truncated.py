"""Normal numbers within bounds, each row of them with its own: ParameterizedTruncatedNormal."""
from __future__ import annotations

import math
from typing import Any, ClassVar

import numpy as np

from graphc.errors import InvalidArgumentError
from graphc.ir import dims
from graphc.ir.dims import Size
from graphc.ir.dtypes import FLOATING, DType, float64
from graphc.ir.known import require_nonnegative
from graphc.ir.op import Effect, Op, Sample, attr, operand_field, register, same_dtypes
from graphc.ir.spec import Spec, broadcast_sizes, require_equal
from graphc.ops.random.draws import Attempts

_REFUSAL = "stdevs must be positive and minvals less than maxvals"
_CASES: tuple[tuple[Any, ...], ...] = (
    ((40,), 0, 1, -1, 1, np.float32), ((3, 17), (0, 10, -4), (1, 2, 0.5), (-1, 0.5, -9), (1, 11, 9), np.float64),
    ((2, 4, 5), (0,), 1, (3, 4), (np.inf, 6), np.float32), ((2, 9), 1, 2, (-np.inf, -0.5), (0, 0.5), np.float64),
    ((3, 5), 0, 1, -np.inf, -6, np.float32), ((9,), 10, 3, -60, -25, np.float64),
    ((0,), 0, 1, -1, 1, np.float32), ((2, 0), 0, 1, -1, 1, np.float32), ((), 0, 1, -np.inf, np.inf, np.float32))


@register
class ParameterizedTruncatedNormal(Op):
    """Normally distributed with the mean, the deviation and the bounds of their row of the first axis; all rows may
    have the same."""

    operands = ("shape", "means", "stdevs", "minvals", "maxvals")
    results = ("output",)
    types: ClassVar = {"T": "shape", "dtype": "means"}
    effect = Effect.RANDOM
    checks_data = True
    refusal = _REFUSAL
    shape: tuple[Size, ...] = operand_field("ints")
    seed: int = attr("int", 0)
    seed2: int = attr("int", 0)
    key: int = attr("int", 0, name="_key")
    samples: ClassVar = [Sample({"shape": shape, "seed": 1, "seed2": 2, "key": 123456789},
                                tuple(np.array(p, t) for p in parameters), gradient=False)
                         for shape, *parameters, t in _CASES]

    def infer(self, *inputs: Spec) -> Spec:
        same_dtypes(self, inputs)
        dtype = inputs[0].dtype
        if dtype not in FLOATING:
            raise TypeError(f"{self.type} makes floating point numbers, not {dtype.name}")
        if self.shape is not None and any(isinstance(size, int) and size < 0 for size in self.shape):
            raise ValueError(f"shape {self.shape} has a negative size")
        require_nonnegative(self.shape or (), "a shape must not have a negative size")
        for name, spec in zip(self.operands[1:], inputs, strict=True):
            if spec.shape is None or not spec.shape:
                continue
            if len(spec.shape) > 1:
                raise ValueError(f"argument '{name}' must be a scalar or a vector, but has shape {spec.shown()}")
            if spec.shape[0] != 1 and self.shape:
                require_equal(broadcast_sizes(spec.shape[0], self.shape[0]), self.shape[0],
                              f"argument '{name}' must be one number, or one for each row")
        return Spec(dtype, self.shape)

    def result_dtypes(self, *inputs: Spec) -> tuple[DType, ...]:
        return (inputs[0].dtype,)

    def _rows(self) -> tuple[Size, Size]:
        """The number of rows, and of numbers of each."""
        return (self.shape[0] if self.shape else 1), dims.product(self.shape[1:])

    def reference(self, *inputs: np.ndarray, run: int = 0, iteration: int = 0) -> np.ndarray:
        count, each = self.shape[0] if self.shape else 1, math.prod(self.shape[1:])  # type: ignore[arg-type]
        rows = [np.broadcast_to(p.astype(np.float64).ravel(), (count,)) for p in inputs]  # type: ignore[call-overload]
        drawn = []
        for i in range(count * each):  # type: ignore[arg-type, operator]
            mean, spread, low, high = (float(p[i // each]) for p in rows)
            if not (spread > 0 and low < high):
                raise InvalidArgumentError(_REFUSAL)
            a, b = (low - mean) / spread, (high - mean) / spread
            sign = -1 if b <= 0 < -a else 1
            a, b = (a, b) if sign > 0 else (-b, -a)
            drawn.append(mean + spread * sign * _one(a, b, Attempts(self.key, run, iteration, i)))
        return np.array(drawn, inputs[0].dtype).reshape(self.shape)  # type: ignore[arg-type]

    def grad(self, g, node, dy):
        return [None] * len(node.inputs)

    def lower(self, b: Any, inputs: Any, outputs: Any) -> None:
        y, (count, each) = outputs[0], self._rows()
        wide = []
        for x in inputs:
            made = b.temporary(float64, (count,))
            b.elementwise(lambda s, v: s.cast(v, float64), [x], [made])
            wide.append(made)
        drawn = b.temporary(float64, y.shape)
        b.call("random_truncated", [b.counter(), *wide, drawn], [count, each], [self.key])
        b.map(lambda s, v: s.cast(v, y.dtype), [drawn], [y])


def _one(low: float, high: float, attempts: Attempts) -> float:
    """A standard normal number between bounds, of which the upper one is positive."""
    from statistics import NormalDist

    rate = (low + math.sqrt(low * low + 4)) / 2 if low >= 0 else 0
    for attempt in range(1024):
        u, v = attempts[attempt]
        if low < 0 and high - low > math.sqrt(2 * math.pi):
            z, taken = NormalDist().inv_cdf(u), 1.0
        elif low < 0:
            z = low + u * (high - low)
            taken = math.exp(-z * z / 2)
        elif (high - low) * rate < 1:
            z = low + u * (high - low)
            taken = math.exp((low * low - z * z) / 2)
        else:
            z = low - math.log(u) / rate
            taken = math.exp(-((z - rate) ** 2) / 2)
        if low <= z <= high and v <= taken:
            return z
    return low
