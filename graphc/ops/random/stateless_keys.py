"""Random ops of a key and a counter, as TensorFlow 2 writes them: StatelessRandom...V2, what makes key and counter of
two seeds, and whole numbers of any bits.

A stream begins at the counter [0, run]: it is that of the two seeds from which TensorFlow made both. A counter that is
further on in a stream is refused when run (tf.random.Generator makes such).
"""
from __future__ import annotations

import math
from typing import Any, ClassVar

import numpy as np

from graphc.errors import InvalidArgumentError
from graphc.ir.dims import Size
from graphc.ir.dtypes import DType, float32, float64, int32, int64, uint32, uint64
from graphc.ir.known import known_ints
from graphc.ir.op import Op, Sample, attr, operand_field, register
from graphc.ir.spec import Spec, require_equal
from graphc.ops.random.stateless import (
    Stateless,
    StatelessRandomNormal,
    StatelessRandomUniform,
    StatelessRandomUniformInt,
    StatelessTruncatedNormal,
    stream_of,
)

_PHILOX = (1, 3)          # the algorithm's number; 3 leaves the choice to the device
_SHAPES = ((), (17,), (2, 3, 5), (0, 3))
_KEYS = ((np.array([2**63 + 12345], np.uint64), np.array([0, 2**60 + 7], np.uint64)),
         (np.array([77], np.uint64), np.array([0, 0], np.uint64)))


def _check_key(op: Op, key: Spec, counter: Spec) -> None:
    for name, spec, size in (("key", key, 1), ("counter", counter, 2)):
        if spec.dtype != uint64:
            raise TypeError(f"argument '{name}' must be uint64, but is {spec.dtype.name}")
        if spec.shape is not None:
            if len(spec.shape) != 1:
                raise ValueError(f"{name} must have shape [{size}], not {spec.shown()}")
            require_equal(spec.shape[0], size, f"{name} must have shape [{size}], not {spec.shown()}")
    algorithm, = known_ints([getattr(op, "alg", 1)], "alg")
    if algorithm not in _PHILOX:
        raise ValueError(f"argument 'alg' is {algorithm}; only Philox (1, or 3 for the device's choice) is supported")


class _Keyed(Stateless):
    """Mixed into a draw of two seeds: the stream is that of key and counter."""

    checks_data = True

    def check_source(self, *given: Spec) -> None:
        _check_key(self, *given)

    def stream(self, *given: np.ndarray) -> tuple[int, int]:
        key, counter = given
        if counter[0]:
            raise InvalidArgumentError(f"{self.type}: counter {counter.tolist()} does not begin a stream: its first "
                                       "number must be 0")
        return int(key[0]), int(counter[1])

    def mixed(self, b: Any, *given: Any) -> Any:
        key, counter = given
        b.require("equal", key.shape[0], 1, "the number of a key")
        b.require("equal", counter.shape[0], 2, "the two numbers of a counter")
        made, begin, checked = b.temporary(int64, (2,)), b.temporary(int64, (1,)), b.temporary(int64, (1,))
        for source, target in ((key, made.part(0, 0, 1)), (counter.part(0, 1, 1), made.part(0, 1, 1)),
                               (counter.part(0, 0, 1), begin)):
            b.map(lambda s, x: s.cast(x, int64), [source], [target])
        b.call("checked_indices", [begin, checked], [1] * 8, [1])        # 0 is the only index of one
        return made


def _samples() -> list[Sample]:
    return [Sample({"shape": shape, "alg": 1, "dtype": dtype}, _KEYS[i % 2], gradient=False, tolerance=1e-5)
            for i, shape in enumerate(_SHAPES) for dtype in (float32, float64)]


@register
class StatelessRandomUniformV2(_Keyed, StatelessRandomUniform):
    """Evenly distributed in [0, 1)"""

    operands = ("shape", "key", "counter", "alg")
    types: ClassVar = {"Tshape": "shape"}
    shape: tuple[Size, ...] = operand_field("ints")
    alg: Size = operand_field("int", 1)
    dtype: DType = attr("type", float32)
    samples = _samples()


@register
class StatelessRandomNormalV2(_Keyed, StatelessRandomNormal):
    """Normally distributed with mean 0 and deviation 1"""

    operands = ("shape", "key", "counter", "alg")
    types: ClassVar = {"Tshape": "shape"}
    shape: tuple[Size, ...] = operand_field("ints")
    alg: Size = operand_field("int", 1)
    dtype: DType = attr("type", float32)
    samples = _samples()


@register
class StatelessTruncatedNormalV2(_Keyed, StatelessTruncatedNormal):
    """Normally distributed with mean 0 and deviation 1 within two deviations"""

    operands = ("shape", "key", "counter", "alg")
    types: ClassVar = {"Tshape": "shape"}
    shape: tuple[Size, ...] = operand_field("ints")
    alg: Size = operand_field("int", 1)
    dtype: DType = attr("type", float32)
    samples = _samples()


@register
class StatelessRandomUniformIntV2(_Keyed, StatelessRandomUniformInt):
    """Whole numbers from minval on, below maxval"""

    refusal = StatelessRandomUniformInt.refusal
    operands = ("shape", "key", "counter", "alg", "minval", "maxval")
    types: ClassVar = {"Tshape": "shape", "dtype": "minval"}
    shape: tuple[Size, ...] = operand_field("ints")
    alg: Size = operand_field("int", 1)
    samples = [Sample({"shape": shape, "alg": 1}, (*_KEYS[i % 2], np.array(low, t), np.array(high, t)), gradient=False)
               for i, shape in enumerate(_SHAPES) for t, low, high in ((np.int32, -3, 10), (np.int64, -2**40, 2**62))]


class _FullInt(Stateless):
    """Whole numbers of any bits: the words themselves. Two draws in halves of the range tell all bits of a word: the
    word without its highest bit, and the word mod 3, which that bit changes by 2."""

    def result_dtypes(self, *inputs: Spec) -> tuple[DType, ...]:
        return (self.dtype,)  # type: ignore[attr-defined]

    def infer(self, *given: Spec) -> Spec:
        self.check(*given)
        dtype = self.dtype  # type: ignore[attr-defined]
        if dtype not in (int32, int64, uint32, uint64):
            raise TypeError(f"{self.type} makes int32, int64, uint32 and uint64, not {dtype.name}")
        return Spec(dtype, self.shape)  # type: ignore[attr-defined]

    def reference(self, *given: np.ndarray) -> np.ndarray:  # type: ignore[override]
        shape, dtype = self.shape, self.dtype.numpy  # type: ignore[attr-defined]
        count = math.prod(shape)
        words = self.words(count, 0, *given).ravel().astype(np.uint32)
        return words[:2 * count].view(dtype)[:count].reshape(shape)

    def lower(self, b: Any, inputs: Any, outputs: Any) -> None:
        y = outputs[0]
        kind = int32 if y.dtype in (int32, uint32) else int64
        lowest, mixed = -2**(8 * kind.size - 1), self.mixed(b, *inputs)
        drawn = []
        for low, high in ((lowest, 0), (0, 3)):
            bounds = [b.temporary(kind, ()) for _ in range(2)]
            for bound, value in zip(bounds, (low, high), strict=True):
                b.fill(bound, value)
            drawn.append(b.temporary(kind, y.shape))
            b.call("stateless_int", [mixed, *bounds, drawn[-1]], [y.elements])

        def word(s: Any, high: Any, rest: Any) -> Any:
            """high: the word with its highest bit set; rest: the word mod 3."""
            without = s("xor", high, s.constant(lowest, kind))
            three = s.constant(3, kind)
            is_set = s("not_equal", s("mod", without, three), rest)
            return s.cast(s("select", is_set, high, without), y.dtype)

        b.map(word, drawn, [y])

    def grad(self, g: Any, node: Any, *dys: Any) -> list[Any]:
        return [None] * len(node.inputs)


_WHOLE = (int32, int64, uint32, uint64)


@register
class StatelessRandomUniformFullInt(_FullInt):
    """Whole numbers of any bits"""

    operands = ("shape", "seed")
    types: ClassVar = {"T": "shape", "Tseed": "seed"}
    shape: tuple[Size, ...] = operand_field("ints")
    dtype: DType = attr("type", uint64)
    samples = [Sample({"shape": s, "dtype": d}, (np.array((1, 2), np.int32),), gradient=False)
               for s in _SHAPES for d in _WHOLE]


@register
class StatelessRandomUniformFullIntV2(_Keyed, _FullInt):
    """Whole numbers of any bits"""

    operands = ("shape", "key", "counter", "alg")
    types: ClassVar = {"Tshape": "shape"}
    shape: tuple[Size, ...] = operand_field("ints")
    alg: Size = operand_field("int", 1)
    dtype: DType = attr("type", uint64)
    samples = [Sample({"shape": s, "alg": 1, "dtype": d}, _KEYS[i % 2], gradient=False)
               for i, s in enumerate(_SHAPES) for d in _WHOLE]


@register
class StatelessRandomGetKeyCounter(Stateless):
    """Key and counter of the stream of two seeds."""

    operands = ("seed",)
    results = ("key", "counter")
    types: ClassVar = {"Tseed": "seed"}
    samples = [Sample({}, (np.array(seed, t),), gradient=False)
               for seed, t in (((1, 2), np.int32), ((-3, 2**40), np.int64), ((2**62 + 5, -1), np.int64))]

    def result_dtypes(self, *inputs: Spec) -> tuple[DType, ...]:
        return uint64, uint64

    def infer(self, seed: Spec) -> tuple[Spec, ...]:  # type: ignore[override]
        self.check(seed)
        return Spec(uint64, (1,)), Spec(uint64, (2,))

    def reference(self, seed: np.ndarray) -> tuple[np.ndarray, ...]:  # type: ignore[override]
        key, run = stream_of(seed)
        return np.array([key], np.uint64), np.array([0, run], np.uint64)

    def lower(self, b: Any, inputs: Any, outputs: Any) -> None:
        mixed, (key, counter) = self.mixed(b, *inputs), outputs
        b.map(lambda s, x: s.cast(x, uint64), [mixed.part(0, 0, 1)], [key])
        b.map(lambda s, x: s.cast(x, uint64), [mixed.part(0, 1, 1)], [counter.part(0, 1, 1)])
        b.fill(counter.part(0, 0, 1), 0)
