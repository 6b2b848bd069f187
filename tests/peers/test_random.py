"""Random ops against TensorFlow by what they draw: for a seed the numbers are others, the distributions the same.

Two samples of 20,000 numbers are compared by the largest distance of their distribution functions. Seeds are fixed on
both sides, so a test always says the same.
"""
from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from both import Program, compare_program

import graphc as gc
from graphc.ir.op import OPS, Effect, Sample

from samples import build, registered

COUNT = 20_000
FURTHEST = 2.2 * np.sqrt(2 / COUNT)  # exceeded by one of 8,000 pairs of samples of one distribution
SEEDS = {"seed": 11, "seed2": 7, "key": 99991}
SHAPE = {"shape": (COUNT,)}
FLOATS = (gc.float32, gc.float64)
WEIGHTS = np.log([[0.1, 0.2, 0.3, 0.4], [0.7, 0.01, 0.01, 0.28]]).astype(np.float32)
CASES: list[tuple[str, dict[str, Any], tuple[Any, ...]]] = [
    *(
        (op, {**SHAPE, "dtype": dtype}, ())
        for op in ("RandomUniform", "RandomStandardNormal", "TruncatedNormal")
        for dtype in FLOATS
    ),
    *(("RandomUniformInt", SHAPE, (dtype(-5), dtype(12))) for dtype in (np.int32, np.int64)),
    *(("RandomGamma", SHAPE, (dtype(alpha),)) for dtype in (np.float32, np.float64) for alpha in (0.3, 1, 4.5)),
    *(
        ("RandomPoissonV2", {**SHAPE, "dtype": dtype}, (np.float32(rate),))
        for dtype in (gc.float32, gc.int64)
        for rate in (0.7, 14)
    ),
    ("ParameterizedTruncatedNormal", SHAPE, tuple(map(np.float32, (0.5, 2, -1, 3)))),
    *(("Multinomial", {"num_samples": COUNT, "output_dtype": dtype}, (WEIGHTS,)) for dtype in (gc.int32, gc.int64)),
]
PLACES = {"ExtractGlimpse", "FractionalAvgPool", "FractionalMaxPool"}     # what is random is where they read
SAMPLERS = ("UniformCandidateSampler", "LogUniformCandidateSampler", "FixedUnigramCandidateSampler")


def drawn(op_type: str, fields: dict[str, Any], values: tuple[Any, ...]) -> tuple[list[Any], list[Any]]:
    op = OPS[op_type]
    built = build(op, Sample({**fields, **SEEDS}), [np.asarray(v) for v in values])
    ours, theirs = compare_program(Program(built, built, [], built.outputs, tuple(map(np.asarray, values)), False))
    assert ours.error is None and theirs.error is None, (ours.error, theirs.error)
    assert ours.known_shapes == theirs.known_shapes
    return ours.values, theirs.values


def furthest(a: np.ndarray, b: np.ndarray) -> float:
    """The largest distance of two samples' distribution functions."""
    a, b = (np.sort(x.ravel().astype(np.float64)) for x in (a, b))
    every = np.concatenate([a, b])
    below = [np.searchsorted(x, every, side="right") / len(x) for x in (a, b)]
    return float(np.abs(below[0] - below[1]).max())


@pytest.mark.parametrize(("op_type", "fields", "values"), CASES)
def test_draws_from_the_same_distribution(op_type: str, fields: dict[str, Any], values: tuple[Any, ...]) -> None:
    (ours,), (theirs,) = drawn(op_type, fields, values)
    assert (ours.shape, ours.dtype) == (theirs.shape, theirs.dtype)
    for a, b in zip(np.atleast_2d(ours), np.atleast_2d(theirs), strict=True):
        assert furthest(a, b) < FURTHEST


def test_distance_tells_distributions_apart() -> None:
    generator = np.random.default_rng(0)
    normal = generator.normal(size=COUNT)
    assert (
        furthest(normal, generator.normal(size=COUNT)) < FURTHEST < furthest(normal, generator.normal(0.05, 1, COUNT))
    )


def test_shuffled_rows_stand_anywhere() -> None:
    rows = np.arange(7)
    places = []
    for seed in range(200):
        SEEDS.update(seed=seed + 1, key=7919 * seed + 1)
        (ours,), (theirs,) = drawn("RandomShuffle", {}, (rows,))
        assert sorted(ours) == sorted(theirs) == rows.tolist()
        places.append((ours, theirs))
    found = np.array(places)  # [draw, whose, place]
    for place in range(7):
        counts = [np.bincount(found[:, who, place], minlength=7) for who in (0, 1)]
        for count in counts:  # 200 / 7 each, give or take
            assert (np.abs(count - 200 / 7) < 4.5 * np.sqrt(200 / 7)).all()


@pytest.mark.parametrize("op_type", SAMPLERS)
@pytest.mark.parametrize("unique", [False, True])
def test_candidates(op_type: str, unique: bool) -> None:
    """The classes' frequencies, and, where draws are independent, the expected counts, which are no chance then."""
    true = np.array([[0, 3], [5, 1], [4, 4]])
    fields: dict[str, Any] = {"num_true": 2, "num_sampled": 4 if unique else COUNT, "unique": unique, "range_max": 8}
    if op_type.startswith("Fixed"):
        fields.update(unigrams=(1.0, 4.0, 2.0, 3.0, 0.5, 7.0, 0.25, 1.0), distortion=0.75)
    runs = []
    for seed in range(150 if unique else 1):
        SEEDS.update(seed=seed + 1, key=7919 * seed + 1)
        runs.append(drawn(op_type, fields, (true,)))
    ours, theirs = (np.concatenate([run[who][0] for run in runs]) for who in (0, 1))
    assert furthest(ours, theirs) < 2.2 * np.sqrt(2 / len(ours))
    if not unique:
        np.testing.assert_allclose(runs[0][0][1], runs[0][1][1], rtol=1e-5)
    else:
        assert all(len(set(run[who][0])) == 4 for run in runs for who in (0, 1))
        means = [np.mean([run[who][1] for run in runs], 0) for who in (0, 1)]
        np.testing.assert_allclose(means[0], means[1], rtol=0.1)


def test_every_random_op_is_here() -> None:
    random = {t for t in registered() if OPS[t].effect is Effect.RANDOM and not t.startswith("_")}
    assert random == {case[0] for case in CASES} | set(SAMPLERS) | PLACES | {"RandomShuffle"}
