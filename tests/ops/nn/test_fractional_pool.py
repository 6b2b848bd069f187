"""Fractional pooling: windows that are drawn, gradients that follow them, sizes as TensorFlow rounds them, refusals."""
from __future__ import annotations

import itertools

import numpy as np
import pytest

import graphc as gc
from graphc.ir.apply import apply
from graphc.ops.nn.fractional_pool import FractionalAvgPoolGrad, FractionalMaxPoolGrad

X = (np.arange(42) * 17 % 42).reshape(1, 6, 7, 1).astype(np.float32)
DY = (np.arange(20) - 9).reshape(1, 4, 5, 1)
EDGES = np.array([0, 2, 3, 5, 6]), np.array([0, 1, 3, 4, 6, 7])


def value(*tensors: gc.Tensor, runs: int = 1) -> list[np.ndarray]:
    with gc.Session() as session:
        return [session.run(list(tensors)) for _ in range(runs)][-1]


@pytest.mark.parametrize("pseudo", [False, True])
@pytest.mark.parametrize(("size", "ratio"), [(23, 1.3), (24, 2.0), (10, 3.7), (7, 1.0), (5, 5.0)])
def test_windows_cover_everything_in_two_sizes(pseudo: bool, size: int, ratio: float) -> None:
    seen = set()
    x = gc.constant(np.zeros((1, size, 1, 1), np.float32))
    _, rows, columns = gc.nn.fractional_max_pool(x, [1, ratio, 1, 1], pseudo_random=pseudo)
    with gc.Session() as session:
        for _ in range(20):
            edges, alone = session.run([rows, columns])
            steps = np.diff(edges)
            assert edges[0] == 0 and edges[-1] == size and len(steps) == int(np.float32(size) / np.float32(ratio))
            assert set(steps) <= {size // len(steps), size // len(steps) + 1}
            assert alone.tolist() == [0, 1]
            seen.add(tuple(edges))
    assert (len(seen) > 1) == bool(size % len(steps))


def test_the_mean_and_the_largest_of_the_windows_drawn() -> None:
    for overlapping in (False, True):
        for function, of in ((gc.nn.fractional_max_pool, np.max), (gc.nn.fractional_avg_pool, np.mean)):
            y, rows, columns = value(*function(gc.constant(X), [1, 1.5, 1.4, 1], overlapping=overlapping))
            for i, (top, bottom) in enumerate(itertools.pairwise(rows)):
                for j, (left, right) in enumerate(itertools.pairwise(columns)):
                    window = X[0, top:bottom + overlapping, left:right + overlapping, 0]
                    np.testing.assert_allclose(y[0, i, j, 0], of(window), rtol=1e-6)


def test_sizes_are_rounded_as_in_float32() -> None:
    """11 / 1.1 is less than 10 of the float32 number 1.1, and 10 in float32."""
    known = gc.nn.fractional_max_pool(gc.constant(np.zeros((1, 11, 4, 1), np.float32)), [1, 1.1, 1.5, 1])[0]
    assert known.shape.as_list() == [1, 10, 2, 1]
    x = gc.placeholder(gc.float32, [None, None, None, 1])
    y, rows, columns = gc.nn.fractional_avg_pool(x, [1, 1.1, 1.5, 1])
    assert y.shape.as_list() == [None, None, None, 1]
    with gc.Session() as session:
        found = session.run([y, rows, columns], {x: np.ones((2, 11, 4, 1), np.float32)})
        assert [v.shape for v in found] == [(2, 10, 2, 1), (11,), (3,)]
        with pytest.raises(gc.errors.InvalidArgumentError, match="nothing would be left"):
            session.run(y, {x: np.ones((2, 11, 1, 1), np.float32)})


def test_deterministic_draws_are_the_same_in_every_run() -> None:
    x = gc.constant(np.zeros((1, 40, 30, 1), np.float32))
    drawn = [gc.nn.fractional_max_pool(x, [1, 1.4, 1.7, 1], deterministic=True, seed=seed, seed2=1)[1]
             for seed in (5, 5, 6)]
    other = gc.nn.fractional_max_pool(x, [1, 1.4, 1.7, 1])[1]
    with gc.Session() as session:
        first, second = session.run([*drawn, other]), session.run([*drawn, other])
    with gc.Session() as session:
        third = session.run(drawn)
    for a, b, c in zip(first, second, third, strict=False):
        np.testing.assert_array_equal(a, b)
        np.testing.assert_array_equal(a, c)
    np.testing.assert_array_equal(first[0], first[1])
    assert not np.array_equal(first[0], first[2])
    assert not np.array_equal(first[3], second[3])


@pytest.mark.parametrize("overlapping", [False, True])
@pytest.mark.parametrize("function", [gc.nn.fractional_max_pool, gc.nn.fractional_avg_pool])
def test_gradients_see_the_draw_of_the_forward_pass(function: object, overlapping: bool) -> None:
    x = gc.placeholder(gc.float64, [None, None, None, 2])
    y, *_ = function(x, [1, 1.6, 1.3, 1], True, overlapping, True, 7)  # type: ignore[operator]
    weights = np.cos(np.arange(100.0))
    total = gc.reduce_sum(gc.reshape(y, [-1]) * weights[:3 * 5 * 2])
    slope = gc.gradients(total, x)[0]
    at = np.random.default_rng(0).permutation(70).reshape(1, 5, 7, 2) / 7.0
    with gc.Session() as session:
        found = session.run(slope, {x: at})
        for place in [(0, 0, 0, 0), (0, 2, 3, 1), (0, 4, 6, 0), (0, 3, 5, 1)]:
            moved = [at.copy(), at.copy()]
            moved[0][place] += 1e-4
            moved[1][place] -= 1e-4
            ahead, behind = (session.run(total, {x: m}) for m in moved)
            assert abs((ahead - behind) / 2e-4 - found[place]) < 1e-6
    if function is gc.nn.fractional_max_pool:
        with pytest.raises(LookupError, match="FractionalMaxPoolGrad"):
            gc.gradients(slope, x)


def test_gradients_of_given_windows_are_tensorflows() -> None:
    mean = [[-1.5, -2.38888884, -0.888888896, -2.05555558, -1.83333337, -0.666666687, -2.33333325]] * 2 + [
        [-2.5, -3.88888884, -1.38888884, -3.05555558, -2.5, -0.833333313, -2.5],
        [-0.833333313, -1.11111116, -0.277777791, -0.277777791, 0.277777791, 0.277777791, 1.94444442],
        [0.166666672, 0.388888896, 0.222222224, 0.722222209, 0.944444418, 0.444444448, 2.11111116],
        [3.16666675, 5.72222233, 2.55555558, 7.05555534, 7.94444466, 3.44444442, 15.1111107]]
    cut = [[-1, -2, 0, -2, -1, 0, -2], [-1, -2, 0, -2, -1, 0, -2], [-2, -3, -1, -3, -2, 0, -2], [0, -1, 0, 0, 0, 0, 1],
           [0, 0, 0, 0, 0, 0, 2], [3, 5, 2, 7, 7, 3, 15]]
    largest = [[0, 0, 0, 0, 0, 0, -5], [-9, 0, 0, 0, 0, -6, 0], [0, 0, 0, -17, 0, 0, 0], [0, -6, 0, 0, 0, 0, 4],
               [0, 0, 0, 0, 7, 0, 0], [0, 6, 9, 0, 17, 0, 10]]
    for dtype, expected in ((np.float32, mean), (np.int32, cut)):
        found = apply(FractionalAvgPoolGrad, list(X.shape), DY.astype(dtype), *EDGES, overlapping=True)
        np.testing.assert_allclose(value(found)[0][0, :, :, 0], expected, rtol=1e-6)
    y = np.array([[X[:, a:b + 1, c:d + 1].max() for c, d in itertools.pairwise(EDGES[1])]
                  for a, b in itertools.pairwise(EDGES[0])], np.float32).reshape(DY.shape)
    found = apply(FractionalMaxPoolGrad, X, y, DY.astype(np.float32), *EDGES, overlapping=True)
    np.testing.assert_array_equal(value(found)[0][0, :, :, 0], largest)


def test_windows_outside_of_the_picture_are_refused() -> None:
    rows = gc.placeholder(gc.int64, [None])
    dx = apply(FractionalAvgPoolGrad, list(X.shape), DY.astype(np.float32), rows, EDGES[1])
    with gc.Session() as session:
        session.run(dx, {rows: EDGES[0]})
        for wrong in ([0, 2, 3, 5, 7], [-1, 2, 3, 5, 6], [0, 2, 2, 5, 6], [0, 3, 2, 5, 6]):
            with pytest.raises(gc.errors.InvalidArgumentError, match="must rise and stay inside"):
                session.run(dx, {rows: wrong})


def test_refusals() -> None:
    def pool(ratio: list[float], **more: object) -> None:
        gc.nn.fractional_max_pool(gc.constant(X), ratio, **more)

    with pytest.raises(ValueError, match="cannot be smaller than 1"):
        pool([1, 0.5, 1, 1])
    with pytest.raises(ValueError, match="nothing would be left"):
        pool([1, 6.5, 1, 1])
    with pytest.raises(gc.errors.UnimplementedError, match="along batch and channels"):
        pool([2, 1, 1, 1])
    with pytest.raises(ValueError, match="must be 4 numbers"):
        pool([1, 2])
    with pytest.raises(ValueError, match="must be 0 if deterministic is False"):
        pool([1, 2, 2, 1], seed=3)
    with pytest.raises(TypeError, match="takes float32, float64, int32, int64 only"):
        gc.nn.fractional_avg_pool(gc.constant(X.astype(np.uint8)), [1, 2, 2, 1])
