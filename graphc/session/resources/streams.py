"""The streams of random ops with TensorFlow's numbers (ops/random/streams.py): they start again with every session."""
from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from graphc import errors
from graphc.ir.dtypes import DType
from graphc.ir.locks import new_lock
from graphc.ops.random import tensorflow_numbers as numbers
from graphc.ops.random import tensorflow_rejection


class RandomStream:
    """How far one op's stream is used up. Its methods are what plans call: an execution each."""

    stays_inside = True

    def __init__(self, owner: Any, call: Any) -> None:
        self.definition = call.definition
        self.used = 0
        self.lock = new_lock()

    def wake(self) -> None:
        """Nothing waits for a stream."""

    def take(self, groups: int) -> numbers.Stream:
        with self.lock:
            first, self.used = self.used, self.used + groups
        return numbers.Stream(self.definition.seed, self.definition.seed2, first)

    def position(self, shape: np.ndarray) -> np.ndarray:
        """The first group of a result of this shape."""
        return np.array(self.take(_count(shape) * numbers.EACH).first, np.int64)

    def uniform_int(self, shape: np.ndarray, low: np.ndarray, high: np.ndarray, dtype: DType) -> np.ndarray:
        count = _count(shape)
        if not count:
            return np.empty(shape, dtype.numpy)
        if low >= high:
            raise errors.InvalidArgumentError(f"Need minval < maxval, got {low} >= {high}")
        made = numbers.uniform_int(self.take(count * numbers.EACH), count, int(low), int(high), dtype)
        return made.reshape(shape)

    def truncated_normal(self, shape: np.ndarray, dtype: DType) -> np.ndarray:
        count = _count(shape)
        return numbers.truncated_normal(self.take(count * numbers.EACH), count, dtype).reshape(shape)

    def shuffle(self, value: np.ndarray) -> np.ndarray:
        if value.size <= 1 or len(value) <= 1:
            return value
        rows: np.ndarray = value[numbers.permutation(self.take(-(-(len(value) - 1) // 4)), len(value))]
        return rows

    def multinomial(self, logits: np.ndarray, samples: np.ndarray, dtype: DType) -> np.ndarray:
        count = int(samples)
        if count < 0 or not logits.shape[1]:
            raise errors.InvalidArgumentError(f"num_samples should be nonnegative, got {count}" if count < 0 else
                                              "num_classes should be positive, got 0")
        stream = self.take(len(logits) * -(-count // 4) * 8 * numbers.EACH)
        return numbers.multinomial(stream, logits, count, dtype.numpy)

    def gamma(self, shape: np.ndarray, alpha: np.ndarray, dtype: DType) -> np.ndarray:
        return self._of_parameters(tensorflow_rejection.gamma, shape, alpha, dtype)

    def poisson(self, shape: np.ndarray, rate: np.ndarray, dtype: DType) -> np.ndarray:
        return self._of_parameters(tensorflow_rejection.poisson, shape, rate, dtype)

    def _of_parameters(self, draw: Callable[..., np.ndarray], shape: np.ndarray, parameter: np.ndarray,
                       dtype: DType) -> np.ndarray:
        samples, whole = _count(shape), (*shape.tolist(), *parameter.shape)
        stream = self.take(samples * parameter.size * numbers.EACH)
        return dtype.array(draw(stream, samples, parameter.astype(np.float64).ravel())).reshape(whole)


def _count(shape: np.ndarray) -> int:
    if np.any(np.less(shape, 0)):
        raise errors.InvalidArgumentError(f"a shape must not have a negative size, but is {shape.tolist()}")
    return math.prod(shape.tolist())


KINDS: dict[str, Callable[[Any, Any], Any]] = {"_RandomStream": RandomStream}
