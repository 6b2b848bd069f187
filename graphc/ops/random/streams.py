"""Random ops with TensorFlow's numbers: each has a stream of its own in a session, from which every execution takes.

Snapshots make these nodes of ops with seeds, if the session wants them (gc.set_random_mode). Numbers that a map can
make are computed by one, which is told where the stream stands; all others are drawn in Python by the session's stream
(session/resources/streams.py). They are no part of a saved graph.
"""
from __future__ import annotations

import math
import zlib
from typing import Any, ClassVar

from graphc.ir.dtypes import FLOATING, DType, float32, float64, int32, int64
from graphc.ir.op import Op
from graphc.ir.records import dataclass
from graphc.ir.spec import Shape, Spec
from graphc.ops.control.session_objects import SessionObject
from graphc.ops.random import tensorflow_numbers as numbers
from graphc.ops.random.random import STEPS, Bounded

POSITION = Spec(int64, ())
DRAWN = frozenset({"RandomUniform", "RandomStandardNormal", "RandomUniformInt", "TruncatedNormal", "RandomShuffle",
                   "Multinomial", "RandomGamma", "RandomPoissonV2"})


@dataclass(frozen=True)
class RandomStream(SessionObject):
    """Stands for what the session keeps of one random op: how many groups of words it has used."""

    type: ClassVar[str] = "_RandomStream"
    kind = "random stream"
    seed: int
    seed2: int


def seed_of(name: str) -> int:
    """The second seed of an op that has none in a graph that has one."""
    return zlib.crc32(name.encode()) & 0x7FFFFFFF


def is_drawn(op: Op, name: str) -> bool:
    """Whether TensorFlow's numbers are known: the op, of this full name, has a seed of its own."""
    made: Any = op
    return op.type in DRAWN and (made.seed, made.seed2) != (0, 0) and made.seed2 != seed_of(name)


def map_of(op: Op, dtype: DType) -> MadeAt | None:
    """The map that makes the op's numbers, given where its stream stands; None: the session draws them."""
    made: Any = op
    if op.type in ("RandomUniform", "RandomStandardNormal") and dtype in FLOATING:
        return MadeAt(op.type, made.seed, made.seed2, made.shape, dtype)
    if op.type == "RandomUniformInt" and dtype == int32:
        return MadeAt(op.type, made.seed, made.seed2, made.shape, dtype)
    return None


@dataclass(frozen=True)
class MadeAt(Bounded):
    """The numbers of a stream from group `position` on. kind: the type of the op whose they are."""

    type: ClassVar[str] = "_MadeAt"
    operands = ("position", "bounds*")
    moves = True
    kind: str
    seed: int
    seed2: int
    shape: Shape
    dtype: DType

    def infer(self, *inputs: Spec) -> Spec:
        return Spec(self.dtype, self.shape)

    def lower(self, b: Any, inputs: Any, outputs: Any) -> None:
        y = outputs[0]
        make = {"RandomUniform": self._uniform, "RandomStandardNormal": self._normal,
                "RandomUniformInt": self._whole}[self.kind]

        def number(s: Any, position: Any, *bounds: Any) -> Any:
            return s.cast(make(s, s("mul", position, s.constant(4, int64)), s.linear(), *bounds), y.dtype)

        b.map(number, [x.broadcast(y.shape) for x in inputs], [y])

    # One number as a scalar expression. first: number of the first word; i: of the number.

    def _word(self, s: Any, first: Any, number: Any, primitive: str = "philox_bits", dtype: DType = int64) -> Any:
        key, run, zero = (s.constant(v, int64) for v in (signed(self.seed), signed(self.seed2), 0))
        return s.typed(primitive, dtype, key, run, zero, s("add", first, number))

    def _single(self, s: Any, first: Any, number: Any) -> Any:
        return self._word(s, first, number, "philox", float32)

    def _double(self, s: Any, first: Any, number: Any) -> Any:
        """Of the words `number` and the one after it."""
        high = s("and", self._word(s, first, number), s.constant(0xFFFFF, int64))
        low = self._word(s, first, s("add", number, s.constant(1, int64)))
        whole = s("add", s("mul", high, s.constant(2**32, int64)), low)
        return s("mul", s.cast(whole, float64), s.constant(2.0**-52, float64))

    def _uniform(self, s: Any, first: Any, i: Any) -> Any:
        if self.dtype == float64:
            return self._double(s, first, s("add", i, i))
        if not self.dtype.is_half:
            return self._single(s, first, i)
        steps = int(STEPS[self.dtype.short])
        bits = s("and", self._word(s, first, i), s.constant(steps - 1, int64))
        return s("mul", s.cast(bits, float32), s.constant(1 / steps, float32))

    def _normal(self, s: Any, first: Any, i: Any) -> Any:
        odd = s("and", i, s.constant(1, int64))
        even = s("sub", i, odd)
        if self.dtype == float64:
            d, even = float64, s("add", even, even)
            u, v = self._double(s, first, even), self._double(s, first, s("add", even, s.constant(2, int64)))
        else:
            d = float32
            u, v = self._single(s, first, even), self._single(s, first, s("add", even, s.constant(1, int64)))
        u = s("max", u, s.constant(numbers.SMALLEST, d))
        radius = s("sqrt", s("mul", s.constant(-2.0, d), s("log", u)))
        angle = s.cast(s("mul", s.constant(2 * math.pi, float64), s.cast(v, float64)), d)
        wave = s("select", s("equal", odd, s.constant(0, int64)), s("sin", angle), s("cos", angle))
        return s("mul", wave, radius)

    def _whole(self, s: Any, first: Any, i: Any, low: Any, high: Any) -> Any:
        low, high = s.cast(low, int64), s.cast(high, int64)
        return s("add", low, s("mod", self._word(s, first, i), s("sub", high, low)))


def signed(seed: int) -> int:
    """A seed, modulo 2^64, as a word of int64."""
    return (seed + 2**63) % 2**64 - 2**63
