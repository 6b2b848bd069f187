"""Random ops without any state: functions of two seeds, with TensorFlow's numbers."""
from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, ClassVar

import numpy as np

from graphc.ir.dims import Size
from graphc.ir.dtypes import FLOATING, DType, float32, float64, int32, int64
from graphc.ir.known import require_nonnegative
from graphc.ir.op import Op, Sample, attr, operand_field, register
from graphc.ir.spec import Spec
from graphc.ops.random.draws import check_choice, chosen, running_sums
from graphc.ops.random.philox import groups

KEY = 0x02461E293EC8F720       # under which TensorFlow mixes the seeds
STEPS = {"f16": 2**10, "bf16": 2**7}        # of uniform numbers of 16 bits
_SHAPES = ((), (17,), (2, 3, 5), (0, 3), (600,))


def stream_of(seed: np.ndarray) -> tuple[int, int]:
    """Key and run of the stream of two seeds."""
    a, b, c, d = (int(w) for w in groups(KEY, int(seed[1]), 0, 1, int(seed[0]))[0])
    return a | b << 32, c | d << 32


def stream(seed: np.ndarray, count: int, group: int = 0) -> np.ndarray:
    """uint64[count, 4]: groups of words of that stream, from `group` on."""
    return groups(*stream_of(seed), 0, count, group)


class Stateless(Op):
    """kernel: fills the result from the mixed seeds."""

    results = ("output",)
    kernel: ClassVar[str]

    def check(self, *given: Spec) -> None:
        self.check_source(*given)
        sizes = getattr(self, "shape", None)
        if sizes is not None and any(isinstance(size, int) and size < 0 for size in sizes):
            raise ValueError(f"shape {sizes} has a negative size")
        require_nonnegative(sizes or (), "a shape must not have a negative size")

    def check_source(self, *given: Spec) -> None:
        """Of what says which stream it is."""
        seed = given[0]
        if seed.dtype not in (int32, int64):
            raise TypeError(f"argument 'seed' must be int32 or int64, but is {seed.dtype.name}")
        if seed.shape is not None and (len(seed.shape) != 1 or (isinstance(seed.shape[0], int) and seed.shape[0] != 2)):
            raise ValueError(f"seed must have shape [2], not {seed.shown()}")

    def stream(self, *given: np.ndarray) -> tuple[int, int]:
        """Key and run of the stream that `given` says, the first inputs."""
        return stream_of(given[0])

    def words(self, count: int, group: int, *given: np.ndarray) -> np.ndarray:
        """uint64[count, 4]: groups of words of that stream."""
        return groups(*self.stream(*given), 0, count, group)

    def mixed(self, b: Any, *given: Any) -> Any:
        """key and run of that stream, int64[2]."""
        seed = given[0]
        wide, made = b.temporary(int64, (2,)), b.temporary(int64, (2,))
        b.require("equal", seed.shape[0], 2, "the two numbers of a seed")
        b.map(lambda s, x: s.cast(x, int64), [seed], [wide])
        b.call("mixed_seeds", [wide, made])
        return made

    def grad(self, g, node, *dys):
        return [None] * len(node.inputs)


class _Floating(Stateless):
    moves = True               # its kernel makes float32 and float64, which it brings to 16 bits itself
    operands = ("shape", "seed")
    types: ClassVar = {"T": "shape", "Tseed": "seed"}

    @property
    def drawn(self) -> DType:
        """The dtype of the kernel's numbers."""
        return float32 if self.dtype.is_half else self.dtype  # type: ignore[attr-defined]

    def result_dtypes(self, *inputs: Spec) -> tuple[DType, ...]:
        return (self.dtype,)

    def infer(self, *given: Spec) -> Spec:
        self.check(*given)
        if self.dtype not in FLOATING:
            raise TypeError(f"{self.type} makes floating point numbers, not {self.dtype.name}")
        return Spec(self.dtype, self.shape)  # type: ignore[attr-defined]

    def reference(self, *given: np.ndarray) -> np.ndarray:  # type: ignore[override]
        count = math.prod(self.shape)  # type: ignore[attr-defined]
        width = 4 if self.drawn == float32 else 2
        found = [v for group in range(-(-count // width)) for v in self.group(group, *given)]
        return self.dtype.array(np.array(found[:count], self.drawn.numpy)).reshape(self.shape)  # type: ignore[attr-defined]

    def group(self, group: int, *given: np.ndarray) -> list[float]:
        """The numbers of a group of words."""
        raise NotImplementedError

    def lower(self, b: Any, inputs: Any, outputs: Any) -> None:
        y = outputs[0]
        made = b.temporary(float32, y.shape) if y.dtype.is_half else y
        b.call(self.kernel, [self.mixed(b, *inputs), made], [y.elements])
        if y.dtype.is_half:
            b.map(lambda s, v: s.cast(self.rounded(s, v), y.dtype), [made], [y])

    def rounded(self, s: Any, x: Any) -> Any:
        """What of a float32 number becomes one of 16 bits."""
        return x


def _samples() -> list[Sample]:
    return [Sample({"shape": shape, "dtype": dtype}, (np.array(seed, t),), gradient=False, tolerance=1e-5)
            for shape, seed, t in zip(_SHAPES, ((1, 2), (-3, 2**40), (2**62 + 5, -1), (0, 0), (7, 8)),
                                      (np.int32, np.int64, np.int64, np.int32, np.int32), strict=True)
            for dtype in (float32, float64)]


def uniforms(words: Any, dtype: DType) -> list[float]:
    """TensorFlow's numbers in [0, 1) of four words."""
    w = [int(x) for x in words]
    if dtype.is_half:
        return [(x & STEPS[dtype.short] - 1) / STEPS[dtype.short] for x in w]
    if dtype == float32:
        return [(x & 0x7FFFFF) / 2**23 for x in w]
    return [((w[i] & 0xFFFFF) * 2**32 + w[i + 1]) / 2**52 for i in (0, 2)]


def normals(words: Any, dtype: DType) -> Iterator[float]:
    """Box and Muller's numbers."""
    u = uniforms(words, dtype)
    for first, second in zip(u[::2], u[1::2], strict=True):
        radius = math.sqrt(-2 * math.log(max(first, 1e-7)))
        yield radius * math.sin(2 * math.pi * second)
        yield radius * math.cos(2 * math.pi * second)


@register
class StatelessRandomUniform(_Floating):
    """Evenly distributed in [0, 1)"""

    kernel = "stateless_uniform"
    shape: tuple[Size, ...] = operand_field("ints")
    dtype: DType = attr("type", float32)
    samples = _samples()

    def group(self, group: int, *given: np.ndarray) -> list[float]:
        return uniforms(self.words(1, group, *given)[0], self.dtype)

    def rounded(self, s: Any, x: Any) -> Any:
        """Its last bits: 10 of float16, 7 of bfloat16."""
        steps = STEPS[self.dtype.short]
        word = s.cast(s("mul", x, s.constant(2.0**23, float32)), int32)
        return s("mul", s.cast(s("and", word, s.constant(steps - 1, int32)), float32), s.constant(1 / steps, float32))


@register
class StatelessRandomNormal(_Floating):
    """Normally distributed with mean 0 and deviation 1"""

    kernel = "stateless_normal"
    shape: tuple[Size, ...] = operand_field("ints")
    dtype: DType = attr("type", float32)
    samples = _samples()

    def group(self, group: int, *given: np.ndarray) -> list[float]:
        return list(normals(self.words(1, group, *given)[0], self.drawn))


@register
class StatelessTruncatedNormal(_Floating):
    """Normally distributed with mean 0 and deviation 1 within two deviations"""

    kernel = "stateless_truncated_normal"
    shape: tuple[Size, ...] = operand_field("ints")
    dtype: DType = attr("type", float32)
    samples = _samples()

    def group(self, group: int, *given: np.ndarray) -> list[float]:
        width = 4 if self.drawn == float32 else 2
        words = self.words(64, group * width * 64, *given)
        return [v for four in words for v in normals(four, self.drawn) if abs(v) < 2][:width]


@register
class StatelessRandomUniformInt(Stateless):
    """Whole numbers from minval on, below maxval"""

    checks_data = True
    refusal = "Need minval < maxval, got {0} >= {1}"
    operands = ("shape", "seed", "minval", "maxval")
    types: ClassVar = {"T": "shape", "Tseed": "seed", "dtype": "minval"}
    shape: tuple[Size, ...] = operand_field("ints")
    samples = [Sample({"shape": shape}, (np.array((3, -4), np.int32), np.array(low, t), np.array(high, t)),
                      gradient=False)
               for t, low, high in ((np.int32, -3, 10), (np.int64, -2**40, 2**62 + 5), (np.int32, -2**31, 2**31 - 1))
               for shape in _SHAPES]

    def result_dtypes(self, *inputs: Spec) -> tuple[DType, ...]:
        return (inputs[-1].dtype,)

    def infer(self, *inputs: Spec) -> Spec:
        *given, low, high = inputs
        self.check(*given)
        if low.dtype not in (int32, int64) or low.dtype != high.dtype:
            raise TypeError(f"minval and maxval must both be int32 or int64, but are {low.dtype.name} and "
                            f"{high.dtype.name}")
        for name, bound in (("minval", low), ("maxval", high)):
            if bound.shape is not None and bound.shape != ():
                raise ValueError(f"argument '{name}' must be a scalar, but is {bound.shown()}")
        if low.value and high.value and isinstance(low.value[0], int) and isinstance(high.value[0], int) \
                and low.value[0] >= high.value[0]:
            raise ValueError(f"Need minval < maxval, got {low.value[0]} >= {high.value[0]}")
        return Spec(low.dtype, self.shape)

    def reference(self, *inputs: np.ndarray) -> np.ndarray:  # type: ignore[override]
        *given, low, high = inputs
        count = math.prod(self.shape)  # type: ignore[arg-type]
        words = [int(w) for w in self.words(count, 0, *given).ravel()]
        if low.dtype == np.int64:
            words = [words[2 * i] + words[2 * i + 1] * 2**32 for i in range(count)]
        found = [int(low) + w % (int(high) - int(low)) for w in words[:count]]
        return np.array(found, low.dtype).reshape(self.shape)  # type: ignore[arg-type]

    def lower(self, b: Any, inputs: Any, outputs: Any) -> None:
        *given, low, high = inputs
        b.call("stateless_int", [self.mixed(b, *given), low, high, outputs[0]], [outputs[0].elements])


@register
class StatelessMultinomial(Stateless):
    """Classes, chosen with the probabilities softmax(logits), num_samples for each row."""

    checks_data = True
    operands = ("logits", "num_samples", "seed")
    types: ClassVar = {"T": "logits", "Tseed": "seed"}
    num_samples: Size = operand_field("int")
    output_dtype: DType = attr("type", int64)
    samples = [Sample({"num_samples": n, "output_dtype": out}, (shape, np.array((5, 6), np.int32)), (dtype,),
                      gradient=False)
               for n, out, shape, dtype in ((5, int64, (2, 7), float32), (1, int32, (3, 1), float64),
                                            (0, int64, (2, 3), float32), (4, int64, (0, 3), float32),
                                            (3, int64, (2, 4), int32))]

    def result_dtypes(self, *inputs: Spec) -> tuple[DType, ...]:
        return (self.output_dtype,)

    def infer(self, logits: Spec, seed: Spec) -> Spec:  # type: ignore[override]
        self.check(seed)
        check_choice(logits, self.num_samples)
        if self.output_dtype not in (int32, int64):
            raise TypeError(f"output_dtype must be int32 or int64, but is {self.output_dtype.name}")
        return Spec(self.output_dtype, None if logits.shape is None else (logits.shape[0], self.num_samples))

    def reference(self, logits: np.ndarray, seed: np.ndarray) -> np.ndarray:  # type: ignore[override]
        count = len(logits) * self.num_samples
        u = [v for four in stream(seed, -(-count // 2)) for v in uniforms(four, float64)][:count]  # type: ignore[operator]
        made = chosen(logits, np.array(u).reshape(len(logits), self.num_samples))  # type: ignore[arg-type]
        return made.astype(self.output_dtype.numpy)

    def lower(self, b: Any, inputs: Any, outputs: Any) -> None:
        (logits, seed), y = inputs, outputs[0]
        u = b.temporary(float64, y.shape)
        b.call("stateless_uniform", [self.mixed(b, seed), u], [y.elements])
        b.call("search_sums", [running_sums(b, logits), u, y], [logits.shape[0], logits.shape[1], self.num_samples])
