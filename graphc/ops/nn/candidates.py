"""Candidate sampling: classes drawn at random, and how often each is expected among them.

A draw is a function of (key, run, iteration, number), as of all random ops (ops/random/random.py). With `unique` no
class is drawn twice: drawing goes on until it is new, and the expected count is that of being drawn at least once in so
many tries. For a seed the numbers are not TensorFlow's; their distribution is.
"""
from __future__ import annotations

import math
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np

from graphc.errors import UnimplementedError
from graphc.ir.dtypes import float32, float64, int64
from graphc.ir.elementwise import check_rank
from graphc.ir.op import Effect, Op, Sample, attr, register
from graphc.ir.spec import Spec, require_equal
from graphc.ops.random.philox import uniform

_TRUE = (np.array([[0, 3], [7, 1], [5, 5]]), np.array([[2], [9]]), np.zeros((0, 1), np.int64))


def _samples(range_max: int = 10, **more: Any) -> list[Sample]:
    return [Sample({"num_true": true.shape[1], "num_sampled": count, "unique": unique, "range_max": range_max,
                    "seed": 1, "seed2": 2, "key": 1234567 + count, **more}, (true,), gradient=False)
            for true in _TRUE for unique, count in ((True, 4), (False, 17), (True, 0))]


class _Sampler(Op):
    operands = ("true_classes",)
    results = ("sampled_candidates", "true_expected_count", "sampled_expected_count")
    effect = Effect.RANDOM
    checks_data = True
    refusal = "so many different classes (unique=True) did not come up: too few of them are likely; draw fewer"
    kind: ClassVar[int]

    def result_dtypes(self, *inputs: Spec) -> tuple[Any, ...]:
        return int64, float32, float32

    def infer(self, *inputs: Spec) -> tuple[Spec, ...]:
        true = inputs[0]
        if true.dtype != int64:
            raise TypeError(f"argument 'true_classes' has dtype {true.dtype.name}, but must be int64; cast it "
                            "(gc.cast)")
        check_rank("true_classes", true, 2)
        if self.num_sampled < 0 or self.range_max < 1:
            raise ValueError(f"num_sampled must not be negative and range_max be positive, but they are "
                             f"{self.num_sampled} and {self.range_max}")
        if self.unique and self.num_sampled > self.choices():
            raise ValueError(f"num_sampled {self.num_sampled} must not be more than the {self.choices()} classes that "
                             "can be drawn if they are unique")
        if true.shape is not None:
            require_equal(true.shape[1], self.num_true, "columns of true_classes and num_true")
        drawn = (self.num_sampled,)
        return Spec(int64, drawn), Spec(float32, true.shape), Spec(float32, drawn)

    def choices(self) -> int:
        """How many classes can be drawn."""
        return self.range_max

    def sums(self, b: Any, *weights: Any) -> Any:
        """Running sums of the probabilities, for a kernel that draws by them."""
        return b.constant(np.zeros(0))

    def chance(self, b: Any, classes: Any, *weights: Any) -> Any:
        """The classes' probabilities, float64."""
        made = b.temporary(float64, classes.shape)
        b.map(lambda s, c: self.scalar_chance(s, s.cast(c, float64)), [classes], [made])
        return made

    def scalar_chance(self, s: Any, c: Any) -> Any:
        raise NotImplementedError

    def probabilities(self, classes: np.ndarray, *weights: np.ndarray) -> np.ndarray:
        """The same, of the reference."""
        raise NotImplementedError

    def draw(self, u: float, *weights: np.ndarray) -> int:
        """The class of one even number, of the reference."""
        raise NotImplementedError

    def reference(self, *inputs: np.ndarray, run: int = 0, iteration: int = 0) -> tuple[np.ndarray, ...]:
        found: list[int] = []
        tries, numbers = 0, np.zeros(0)
        while len(found) < self.num_sampled:
            if tries == len(numbers):
                numbers = uniform(self.key, run, iteration, 2 * tries + 64, float64)
            value = min(max(self.draw(numbers[tries], *inputs[1:]), 0), self.range_max - 1)
            tries += 1
            if not self.unique or value not in found:
                found.append(value)
        sampled = np.array(found, np.int64)

        def counts(classes: np.ndarray) -> np.ndarray:
            chance = np.broadcast_to(self.probabilities(classes, *inputs[1:]), classes.shape)
            if tries == self.num_sampled:
                return (chance * self.num_sampled).astype(np.float32)
            with np.errstate(divide="ignore"):
                return (-np.expm1(tries * np.log1p(-chance))).astype(np.float32)

        return sampled, counts(inputs[0]), counts(sampled)

    def lower(self, b: Any, inputs: Any, outputs: Any) -> None:
        (true, *weights), (sampled, of_true, of_sampled) = inputs, outputs
        tries, sums = b.temporary(int64, (1,)), self.sums(b, *weights)
        b.call("candidates", [b.counter(), sums, sampled, tries], dims=[self.num_sampled, sums.elements],
               attrs=[self.range_max, self.kind, int(self.unique), self.key])
        for classes, y in ((true, of_true), (sampled, of_sampled)):
            chance = self.chance(b, classes, *weights)
            b.map(self.expected, [chance, tries.squeeze((0,)).broadcast(y.shape)], [y])

    def expected(self, s: Any, p: Any, tries: Any) -> Any:
        """From a probability and the number of tries."""
        count = s.constant(self.num_sampled, int64)
        repeated = s("mul", s.cast(tries, float64), s("log1p", s("neg", p)))
        once = s("neg", s("expm1", repeated))
        plain = s("mul", p, s.constant(self.num_sampled, float64))
        return s.cast(s("select", s("equal", tries, count), plain, once), float32)

    def grad(self, g, node, *_):
        return [None] * len(node.inputs)


def _looked_up(b: Any, table: Any, classes: Any, count: int) -> Any:
    """The table's numbers (float64) of the classes, 0 for one that it does not have."""
    inside, found = b.temporary(int64, classes.shape), b.temporary(float64, classes.shape)
    b.map(lambda s, c: s("min", s("max", c, s.constant(0, int64)), s.constant(count - 1, int64)), [classes], [inside])
    b.call("gather", [table, inside, found], dims=[1, count, 1, classes.elements])
    made = b.temporary(float64, classes.shape)
    b.map(lambda s, c, i, p: s("select", s("equal", c, i), p, s.constant(0, float64)), [classes, inside, found], [made])
    return made


@register
class LogUniformCandidateSampler(_Sampler):
    """Class c with probability log((c + 2) / (c + 1)) / log(range_max + 1): Zipf's distribution, of sorted classes"""

    kind = 0
    num_true: int = attr("int")
    num_sampled: int = attr("int")
    unique: bool = attr("bool")
    range_max: int = attr("int")
    seed: int = attr("int", 0)
    seed2: int = attr("int", 0)
    key: int = attr("int", 0, name="_key")
    samples = _samples()

    def scalar_chance(self, s: Any, c: Any) -> Any:
        one, two = s.constant(1, float64), s.constant(2, float64)
        ratio = s("div", s("add", c, two), s("add", c, one))
        return s("div", s("log", ratio), s.constant(math.log(self.range_max + 1), float64))

    def probabilities(self, classes: np.ndarray, *weights: np.ndarray) -> np.ndarray:
        return np.log((classes + 2) / (classes + 1)) / np.log(self.range_max + 1)

    def draw(self, u: float, *weights: np.ndarray) -> int:
        return int(np.exp(u * np.log(self.range_max + 1))) - 1


@register
class UniformCandidateSampler(_Sampler):
    """Every class with the same probability"""

    kind = 1
    num_true: int = attr("int")
    num_sampled: int = attr("int")
    unique: bool = attr("bool")
    range_max: int = attr("int")
    seed: int = attr("int", 0)
    seed2: int = attr("int", 0)
    key: int = attr("int", 0, name="_key")
    samples = _samples()

    def scalar_chance(self, s: Any, c: Any) -> Any:
        return s.constant(1 / self.range_max, float64)

    def probabilities(self, classes: np.ndarray, *weights: np.ndarray) -> np.ndarray:
        return np.asarray(1 / self.range_max)

    def draw(self, u: float, *weights: np.ndarray) -> int:
        return int(u * self.range_max)


@register
class FixedUnigramCandidateSampler(_Sampler):
    """Class c with a probability in proportion to unigrams[c - num_reserved_ids] ^ distortion; reserved ids never"""

    kind = 2
    num_true: int = attr("int")
    num_sampled: int = attr("int")
    unique: bool = attr("bool")
    range_max: int = attr("int")
    vocab_file: str = attr("string", "")
    distortion: float = attr("float", 1.0)
    num_reserved_ids: int = attr("int", 0)
    num_shards: int = attr("int", 1)
    shard: int = attr("int", 0)
    unigrams: tuple[float, ...] = attr("list(float)", ())
    seed: int = attr("int", 0)
    seed2: int = attr("int", 0)
    key: int = attr("int", 0, name="_key")
    samples = [*_samples(unigrams=(1.0, 4.0, 2.0, 0.0, 3.0, 1.0, 1.0, 1.0, 8.0, 2.0)),
               *_samples(unigrams=(3.0, 1.0, 2.0, 2.0, 5.0, 7.0, 0.5, 0.25), num_reserved_ids=2, distortion=0.75),
               *_samples(10, unigrams=tuple(map(float, range(1, 20))), num_reserved_ids=1, num_shards=2, shard=0)]

    def infer(self, *inputs: Spec) -> tuple[Spec, ...]:
        if self.vocab_file:
            raise UnimplementedError(f"FixedUnigramCandidateSampler reads no vocab_file ({self.vocab_file!r}); give "
                                     "the counts as unigrams (gc.nn.fixed_unigram_candidate_sampler reads the file)")
        if not 0 <= self.shard < self.num_shards:
            raise ValueError(f"shard must be from 0 to num_shards - 1, but shard is {self.shard} and num_shards "
                             f"{self.num_shards}")
        given, listed = self.weights(), self.unigrams
        if len(given) != self.range_max or not sum(given) > 0 or min(listed) < 0:
            shards = "" if self.num_shards == 1 else f" (of shard {self.shard} of {self.num_shards})"
            raise ValueError(f"num_reserved_ids and the number of unigrams{shards} must add up to range_max = "
                             f"{self.range_max}, and unigrams be from 0 on with a positive sum, but there are "
                             f"{self.num_reserved_ids} and {len(listed)}")
        return super().infer(*inputs)

    def weights(self) -> list[float]:
        """0 for each reserved class, then unigrams ^ distortion; of both only what the shard has."""
        made = [0.0 for i in range(self.num_reserved_ids) if i % self.num_shards == self.shard]
        first = len(made)
        return made + [u ** self.distortion if u > 0 else 0.0 for i, u in enumerate(self.unigrams, first)
                       if i % self.num_shards == self.shard]

    def choices(self) -> int:
        return sum(1 for weight in self.weights() if weight > 0)

    def table(self) -> np.ndarray:
        weights = np.array(self.weights())
        return weights / weights.sum()

    def sums(self, b: Any, *weights: Any) -> Any:
        table = self.table()
        sums = np.cumsum(table)
        # What rounding leaves above the last sum is the last class that has a probability.
        sums[np.flatnonzero(table)[-1]:] = 1.0
        return b.constant(sums)

    def chance(self, b: Any, classes: Any, *weights: Any) -> Any:
        return _looked_up(b, b.constant(self.table()), classes, self.range_max)

    def probabilities(self, classes: np.ndarray, *given: np.ndarray) -> np.ndarray:
        weights = self._expected_weights()
        inside = (classes >= 0) & (classes < self.range_max)
        return np.where(inside, (weights / weights.sum())[np.where(inside, classes, 0)], 0)

    def _expected_weights(self) -> np.ndarray:
        """The same, of the reference."""
        unigrams = np.array(self.unigrams)
        reserved = np.zeros(self.num_reserved_ids)[self.shard::self.num_shards]
        skipped = (self.shard - len(reserved)) % self.num_shards
        counted = np.where(unigrams > 0, unigrams ** self.distortion, 0)
        return np.concatenate([reserved, counted[skipped::self.num_shards]])

    def draw(self, u: float, *given: np.ndarray) -> int:
        weights = self._expected_weights()
        return int(np.searchsorted(np.cumsum(weights / weights.sum()), u, side="right"))


@register
class _WeightedCandidateSampler(_Sampler):
    """Class c with a probability in proportion to weights[c], positive numbers that a run computes"""

    kind = 2
    operands = ("true_classes", "weights")
    types = {"T": "weights"}
    num_true: int = attr("int")
    num_sampled: int = attr("int")
    unique: bool = attr("bool")
    range_max: int = attr("int")
    seed: int = attr("int", 0)
    seed2: int = attr("int", 0)
    key: int = attr("int", 0, name="_key")
    samples = [replace(s, inputs=(*s.inputs, np.array([1, 4, 2, 9, 3, 1, 1, 2, 8, 1], np.float64))) for s in _samples()]

    def infer(self, *inputs: Spec) -> tuple[Spec, ...]:
        true, weights = inputs
        if weights.dtype != float64:
            raise TypeError(f"argument 'weights' has dtype {weights.dtype.name}, but must be float64; cast it "
                            "(gc.cast)")
        check_rank("weights", weights, 1)
        if weights.shape is not None:
            require_equal(weights.shape[0], self.range_max, "'weights' must be range_max numbers")
        return super().infer(true)

    def sums(self, b: Any, *weights: Any) -> Any:
        made = b.temporary(float64, (self.range_max,))
        b.call("cumsum", [self._shares(b, *weights), made], [1, self.range_max, 1], [0, 0])
        return made

    def _shares(self, b: Any, weights: Any) -> Any:
        total, made = b.temporary(float64, ()), b.temporary(float64, (self.range_max,))
        b.reduce("add", weights, total, (0,))
        b.elementwise(lambda s, w, t: s("div", w, t), [weights, total], [made])
        return made

    def chance(self, b: Any, classes: Any, *weights: Any) -> Any:
        return _looked_up(b, self._shares(b, *weights), classes, self.range_max)

    def probabilities(self, classes: np.ndarray, *weights: np.ndarray) -> np.ndarray:
        inside = (classes >= 0) & (classes < self.range_max)
        return np.where(inside, weights[0][np.where(inside, classes, 0)] / weights[0].sum(), 0)

    def draw(self, u: float, *weights: np.ndarray) -> int:
        return int(np.searchsorted(np.cumsum(weights[0] / weights[0].sum()), u, side="right"))
