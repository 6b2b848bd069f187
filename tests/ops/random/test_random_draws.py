"""Random ops beyond uniform and normal numbers: their statistics, for fixed seeds; forms and errors; stateless numbers
against TensorFlow's."""
from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import graphc as gc
from graphc import errors


@pytest.fixture(autouse=True)
def graph() -> Iterator[gc.Graph]:
    with gc.Graph().as_default() as made:
        yield made


def run(fetches: Any, feeds: Any = None) -> Any:
    with gc.Session() as session:
        return session.run(fetches, feeds)


def within(found: float, expected: float, deviation: float, count: int) -> None:
    """A mean of `count` numbers, 6 deviations wide: one seed in 500 million fails, and the seeds are fixed."""
    assert abs(found - expected) <= 6 * deviation / np.sqrt(count), (found, expected)


N = 100_000


@pytest.mark.parametrize("alpha", [0.05, 0.5, 1.0, 2.5, 40.0])
@pytest.mark.parametrize("dtype", [gc.float32, gc.float64])
def test_gamma(alpha: float, dtype: gc.DType) -> None:
    x = run(gc.random_gamma([N], alpha, beta=2.0, dtype=dtype, seed=1))
    assert x.dtype == dtype.as_numpy_dtype and (x > 0).all()
    within(x.mean(), alpha / 2, np.sqrt(alpha) / 2, N)
    within(np.mean((x - alpha / 2) ** 2), alpha / 4, np.sqrt((2 * alpha**2 + 6 * alpha) / 16), N)
    assert len(np.unique(x[x > 1e-30])) > 0.98 * np.sum(x > 1e-30)


def test_gamma_broadcasts_and_has_a_gradient() -> None:
    alpha, beta = gc.constant([0.7, 3.0]), gc.constant([[1.0], [2.0], [4.0]])
    x = gc.random_gamma([5000], alpha, beta, seed=3)
    assert x.shape.as_list() == [5000, 3, 2]
    by_alpha, by_beta = gc.gradients(gc.reduce_mean(x, 0), [alpha, beta])
    first, second = run([by_alpha, by_beta])
    np.testing.assert_allclose(first, [1.75, 1.75], rtol=0.1)          # d mean / d alpha = 1 / beta
    np.testing.assert_allclose(second[:, 0], [-3.7, -0.925, -0.231], rtol=0.1)


@pytest.mark.parametrize("rate", [0.0, 0.3, 4.0, 9.9, 10.1, 50.0, 3000.0])
@pytest.mark.parametrize("dtype", [gc.float32, gc.int64])
def test_poisson(rate: float, dtype: gc.DType) -> None:
    x = run(gc.random_poisson(np.float64(rate), [N], dtype=dtype, seed=1)).astype(np.float64)
    assert (x == np.round(x)).all() and (x >= 0).all()
    within(x.mean(), rate, np.sqrt(rate), N)
    within(np.mean((x - rate) ** 2), rate, np.sqrt(rate + 2 * rate**2), N)


def test_poisson_of_vectors() -> None:
    x = gc.random_poisson(gc.constant([1.0, 20.0]), [30_000], seed=2)
    assert x.shape.as_list() == [30_000, 2] and x.dtype == gc.float32
    np.testing.assert_allclose(run(x).mean(0), [1, 20], rtol=0.05)


def test_shuffling_gives_every_order_alike() -> None:
    counts: dict[tuple[int, ...], int] = {}
    shuffled = gc.random_shuffle(gc.range(3), seed=1)
    with gc.Session() as session:
        for _ in range(1200):
            order = tuple(session.run(shuffled).tolist())
            counts[order] = counts.get(order, 0) + 1
    assert len(counts) == 6
    for count in counts.values():
        within(count / 1200, 1 / 6, np.sqrt(5 / 36), 1200)


def test_shuffling_keeps_rows_and_draws_anew_in_each_run() -> None:
    rows = np.arange(300).reshape(100, 3)
    shuffled = gc.random_shuffle(rows, seed=4)
    assert shuffled.shape.as_list() == [100, 3] and gc.gradients(shuffled * 1, shuffled) is not None
    with gc.Session() as session:
        first, second = session.run(shuffled), session.run(shuffled)
    np.testing.assert_array_equal(first[np.argsort(first[:, 0])], rows)
    assert (first != second).any() and (first != rows).any()
    with gc.Session() as session:
        np.testing.assert_array_equal(session.run(shuffled), first)
    x = gc.constant([1.0, 2.0])
    assert gc.gradients(gc.random_shuffle(x), x) == [None]


@pytest.mark.parametrize("function", [gc.multinomial, gc.random.multinomial, gc.random.categorical])
def test_choices_have_the_probabilities_of_the_logits(function: Callable[..., gc.Tensor]) -> None:
    p = np.array([[0.1, 0.2, 0.7, 0.0], [0.25, 0.25, 0.25, 0.25]])
    with np.errstate(divide="ignore"):
        chosen = run(function(np.log(p).astype(np.float32) + 3, N, seed=5))
    assert chosen.dtype == np.int64 and chosen.shape == (2, N)
    for row, probabilities in zip(chosen, p, strict=True):
        for value, probability in enumerate(probabilities):
            within(np.mean(row == value), probability, np.sqrt(probability * (1 - probability)), N)


def test_choices_refuse() -> None:
    with pytest.raises(ValueError, match="should be a matrix"):
        gc.multinomial([0.1, 0.2], 3)
    with pytest.raises(ValueError, match="nonnegative"):
        gc.multinomial([[0.1, 0.2]], -1)
    with pytest.raises(TypeError, match="int32 or int64"):
        gc.random.categorical([[0.1]], 1, dtype=gc.float32)
    assert run(gc.random.categorical([[0.1]], 2, dtype=gc.int32)).dtype == np.int32
    logits, n = gc.placeholder(gc.float32, [None, None]), gc.placeholder(gc.int32, [])
    chosen = gc.multinomial(logits, n)
    assert run(chosen, {logits: np.zeros((3, 4)), n: 5}).shape == (3, 5)


def test_crops() -> None:
    x = gc.placeholder(gc.int32, [None, 5])
    crop = gc.random_crop(x, [2, 3], seed=1)
    assert crop.shape.as_list() == [2, 3]
    value, seen = np.arange(20).reshape(4, 5), set()
    with gc.Session() as session:
        for _ in range(100):
            found = session.run(crop, {x: value})
            row, column = divmod(int(found[0, 0]), 5)
            np.testing.assert_array_equal(found, value[row:row + 2, column:column + 3])
            seen.add((row, column))
        with pytest.raises(errors.InvalidArgumentError, match=r"'random_crop': axis 0 .* 2 is greater than 1"):
            session.run(crop, {x: value[:1]})
    assert len(seen) == 9
    with pytest.raises(ValueError, match=r"Need value\.shape >= size"):
        gc.random_crop(np.zeros((2, 2)), [3, 1])


# Of TensorFlow 2.21, seeds (1, 2) and (-3, 2**40).
SEEDS = ((1, 2), (-3, 2**40))
TENSORFLOW: dict[str, tuple[Callable[[Any], gc.Tensor], list[list[float]]]] = {
    "uniform f32": (lambda s: gc.random.stateless_uniform([5], s), [
        [0.8440604209899902, 0.19204533100128174, 0.9962232112884521, 0.16038739681243896, 0.27199018001556396],
        [0.32622551918029785, 0.13708150386810303, 0.09345376491546631, 0.009512543678283691, 0.790054202079773]]),
    "uniform f64": (lambda s: gc.random.stateless_uniform([5], s, dtype=gc.float64), [
        [0.7524837538451801, 0.9697857725627486, 0.17592233912897481, 0.8555556648693279, 0.514811871731222],
        [0.609805040316808, 0.7476304657934467, 0.32043400199397887, 0.5294954628483293, 0.27512523293027424]]),
    "normal f32": (lambda s: gc.random.stateless_normal([5], s), [
        [0.544110119342804, 0.20738030970096588, 0.0735643208026886, 0.04643455147743225, -1.301589846611023],
        [1.1355960369110107, 0.9750663638114929, 0.1300569325685501, 2.173398733139038, -0.4497252106666565]]),
    "normal f64": (lambda s: gc.random.stateless_normal([5], s, dtype=gc.float64), [
        [-0.1423118100189212, 0.7406072461585091, -1.469047669443883, 1.147747453689489, -0.7218813856153005],
        [-0.9944911773072073, -0.014807300007557188, -0.2780016745687902, -1.4828597238514523, 1.563958525197221]]),
    "truncated f32": (lambda s: gc.random.stateless_truncated_normal([5], s), [
        [0.544110119342804, 0.20738030970096588, 0.0735643208026886, 0.04643455147743225, 0.16820591688156128],
        [1.1355960369110107, 0.9750663638114929, 0.1300569325685501, -0.4497252106666565, 0.3129221796989441]]),
    "truncated f64": (lambda s: gc.random.stateless_truncated_normal([5], s, dtype=gc.float64), [
        [-0.1423118100189212, 0.7406072461585091, -0.552387756244845, -0.734450092480207, -0.39842023956588357],
        [-0.9944911773072073, -0.014807300007557188, 0.7270441955997637, 0.3855545477822938, 1.4710077765644205]]),
    "int32": (lambda s: gc.random.stateless_uniform([5], s, -3, 1000, gc.int32), [
        [97, 284, 647, 168, 310], [654, 788, 77, 803, 826]]),
    "int64": (lambda s: gc.random.stateless_uniform([5], s, -3, 2**50, gc.int64), [
        [163763913997431, 149069389329324, 877156886518676, 95924865832466, 802297210205442],
        [435282900487987, 342726697267336, 407750721196776, 288037822548938, 1080461522885988]]),
    "choices": (lambda s: gc.random.stateless_multinomial(
        np.log([[0.1, 0.2, 0.7], [0.4, 0.3, 0.3]]).astype(np.float32), 5, s)[0], [[2, 2, 1, 2, 2], [2, 2, 2, 2, 1]]),
}


@pytest.mark.parametrize("name", TENSORFLOW)
def test_stateless_numbers_are_those_of_tensorflow(name: str) -> None:
    function, expected = TENSORFLOW[name]
    seed = gc.placeholder(gc.int64, [2])
    numbers = function(seed)
    with gc.Session() as session:
        for given, row in zip(SEEDS, expected, strict=True):
            for _ in range(2):
                np.testing.assert_allclose(session.run(numbers, {seed: given}), row, rtol=3e-6)


def test_stateless_numbers_of_many() -> None:
    seed = [7, 8]
    uniform, normal, cut = run([f([N], seed) for f in (gc.random.stateless_uniform, gc.random.stateless_normal,
                                                       gc.random.stateless_truncated_normal)])
    within(uniform.mean(), 0.5, np.sqrt(1 / 12), N)
    within(normal.mean(), 0, 1, N)
    within((normal**2).mean(), 1, np.sqrt(2), N)
    assert np.abs(cut).max() < 2 and 0.87 < cut.std() < 0.89
    np.testing.assert_array_equal(run(gc.random.stateless_uniform([7], seed)), uniform[:7])


def test_stateless_ops_refuse() -> None:
    with pytest.raises(ValueError, match=r"seed must have shape \[2\]"):
        gc.random.stateless_uniform([3], [1, 2, 3])
    with pytest.raises(TypeError, match="int32 or int64"):
        gc.random.stateless_uniform([3], gc.constant([1.0, 2.0]))
    with pytest.raises(ValueError, match="Must specify maxval"):
        gc.random.stateless_uniform([3], [1, 2], dtype=gc.int32)
    with pytest.raises(ValueError, match="minval < maxval"):
        gc.random.stateless_uniform([3], [1, 2], 5, 5, gc.int32)
    low = gc.placeholder(gc.int32, [])
    with pytest.raises(errors.InvalidArgumentError, match="minval < maxval, got 9 >= 5"):
        run(gc.random.stateless_uniform([3], [1, 2], low, 5, gc.int32), {low: 9})
