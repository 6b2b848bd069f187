"""set_random_mode("tensorflow"): the numbers that TensorFlow draws. drawn_by_tensorflow.json: two runs of each of CASES
by TensorFlow 2.21 (compat.v1), in one session."""
from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import graphc as gc
from graphc.ops.random import tensorflow_numbers as numbers
from graphc.ops.random import tensorflow_rejection as rejection
from graphc.ops.random.philox import CHUNK, groups

RECORDED = json.loads((Path(__file__).parent / "drawn_by_tensorflow.json").read_text())
CASES: dict[str, Any] = {
    "uniform": lambda: gc.random_uniform([5], seed=7),
    "uniform64": lambda: gc.random_uniform([3], -2, 5, dtype=gc.float64, seed=7),
    "uniform16": lambda: gc.random_uniform([6], dtype=gc.float16, seed=7),
    "int32": lambda: gc.random_uniform([6], -5, 1000, dtype=gc.int32, seed=8),
    "int64": lambda: gc.random_uniform([3], -5, 2**60, dtype=gc.int64, seed=8),
    "normal": lambda: gc.random_normal([7], 1.0, 2.0, seed=9),
    "normal64": lambda: gc.random_normal([3], dtype=gc.float64, seed=9),
    "normal16": lambda: gc.random_normal([5], dtype=gc.float16, seed=9),
    "truncated": lambda: gc.truncated_normal([9], seed=10),
    "truncated64": lambda: gc.truncated_normal([5], dtype=gc.float64, seed=10),
    "multinomial": lambda: gc.multinomial([[0.1, 0.5, 0.2, 1.0], [3.0, 0.1, 0.2, 0.3]], 5, seed=11),
    "gamma": lambda: gc.random_gamma([3], [0.5, 1.0, 3.0], seed=12),
    "gamma64": lambda: gc.random_gamma([2], [0.5, 3.0], dtype=gc.float64, seed=12),
    "poisson": lambda: gc.random_poisson([0.5, 4.0, 30.0], [4], seed=13),
    "poisson64": lambda: gc.random_poisson(np.array([0.5, 4.0, 30.0]), [2], dtype=gc.float64, seed=13),
    "shuffle": lambda: gc.random_shuffle(list(range(10)), seed=14),
    "shuffle2": lambda: gc.random_shuffle(np.arange(12).reshape(6, 2), seed=14),
    "crop": lambda: gc.random_crop(np.arange(30).reshape(5, 6), [2, 3], seed=15),
    "dropout": lambda: gc.nn.dropout(gc.ones([8]), keep_prob=0.5, seed=16),
    "glorot": lambda: gc.glorot_uniform_initializer(seed=17)([2, 3]),
    "he": lambda: gc.variance_scaling_initializer(seed=18)([2, 3]),
}


@pytest.fixture(autouse=True)
def exact() -> Iterator[None]:
    gc.reset_default_graph()
    gc.set_random_mode("tensorflow")
    yield
    gc.set_random_mode("graphc")


@pytest.mark.parametrize("name", CASES)
def test_two_runs_of_an_op(name: str) -> None:
    made = CASES[name]()
    for _ in range(2):                  # a new session starts anew
        with gc.Session() as session:
            for wanted in RECORDED[name]:
                found = session.run(made)
                np.testing.assert_allclose(found, np.array(wanted), rtol=1e-3 if "16" in name else 1e-6, atol=1e-7)


def test_graph_seed_and_op_seed() -> None:
    gc.set_random_seed(42)
    drawn = [gc.random_uniform([3], seed=5), gc.truncated_normal([3], seed=6)]
    with gc.Session() as session:
        for found, key in zip(session.run(drawn), ("graph42_u", "graph42_t"), strict=True):
            np.testing.assert_allclose(found, RECORDED[key][0], rtol=1e-6)


def test_other_sizes_from_run_to_run() -> None:
    n = gc.placeholder(gc.int32, [1])
    drawn = gc.random_uniform(n, seed=5)
    with gc.Session() as session:
        for wanted in RECORDED["sizes"]:
            np.testing.assert_allclose(session.run(drawn, {n: [len(wanted)]}), wanted, rtol=1e-6)


def test_numbers_of_a_graph_seed_that_are_published() -> None:
    """random_uniform([], -10, 10) after set_random_seed(2), of ops that TensorFlow 1 built as number 31 and 38."""
    gc.set_random_seed(2)
    drawn = [gc.random_uniform([], -10, 10, seed=31), gc.random_uniform([], -10, 10, seed=38)]
    with gc.Session() as session:
        assert list(map(str, session.run(drawn))) == ["9.123926", "-4.5340395"]


def test_each_iteration_takes_the_next_numbers_and_a_branch_only_if_taken() -> None:
    _, total = gc.while_loop(lambda i, a: i < 3, lambda i, a: (i + 1, a + gc.random_uniform([2], seed=4)),
                             [0, gc.zeros([2])])
    taken = gc.placeholder(gc.bool, [])
    branch = gc.cond(taken, lambda: gc.random_normal([2], seed=1), lambda: gc.zeros([2]))
    with gc.Session() as session:       # recorded from TensorFlow
        np.testing.assert_allclose(session.run(total), [2.772623, 0.5864818], rtol=1e-6)
        np.testing.assert_allclose(session.run(branch, {taken: True}), [-0.8113182, 1.4845988], rtol=1e-6)
        session.run(branch, {taken: False})
        np.testing.assert_allclose(session.run(total), [1.6834815, 1.3506764], rtol=1e-6)
        np.testing.assert_allclose(session.run(branch, {taken: True}), [1.3587774, 0.5417413], rtol=1e-6)


def test_forward_and_gradient_see_one_draw() -> None:
    x = gc.placeholder(gc.float32, [None, 4])
    y = gc.nn.dropout(x * 2.0, 0.5, seed=3)
    gradient = gc.gradients(y, x)[0]
    with gc.Session() as session:
        for rows in (2, 3, 2):
            values = session.run([y, gradient], {x: np.ones((rows, 4))})
            np.testing.assert_array_equal(*values)


def test_different_fetches_share_the_stream_of_an_op() -> None:
    drawn = gc.random_uniform([5], seed=7)
    with gc.Session() as session:
        session.run(drawn)
        np.testing.assert_allclose(session.run([drawn, drawn * 2.0])[0], RECORDED["uniform"][1], rtol=1e-6)


def test_a_graph_seed_alone_changes_nothing() -> None:
    gc.set_random_seed(3)
    drawn = gc.random_uniform([4])
    exact = gc.Session().run(drawn)
    gc.set_random_mode("graphc")
    assert gc.Session().run(drawn).tolist() == exact.tolist()


def test_without_seeds_runs_and_sessions_differ() -> None:
    drawn = gc.random_uniform([4])
    with gc.Session() as a, gc.Session() as b:
        assert len({tuple(s.run(drawn)) for s in (a, a, b)}) >= 2


def test_mode_is_that_of_the_session() -> None:
    drawn = gc.random_uniform([5], seed=7)
    exact = gc.Session()
    gc.set_random_mode("graphc")
    own = gc.Session()
    np.testing.assert_allclose(exact.run(drawn), RECORDED["uniform"][0], rtol=1e-6)
    assert not np.allclose(own.run(drawn), RECORDED["uniform"][0])
    with pytest.raises(ValueError, match="'mode' must be one of graphc, tensorflow, but is 'numpy'"):
        gc.set_random_mode("numpy")


@pytest.mark.parametrize("dtype", [gc.float32, gc.float64, gc.float16, gc.bfloat16, gc.int32, gc.int64])
def test_maps_make_what_numpy_makes(dtype: gc.DType) -> None:
    """Over many numbers, the second execution, too: what a map computes in the session against NumPy."""
    if dtype.is_integer:
        drawn = [gc.random_uniform([1001], -9, 2**31 - 5, dtype=dtype, seed=5)]
    else:
        drawn = [gc.random_uniform([1001], dtype=dtype, seed=5), gc.random_normal([1001], dtype=dtype, seed=5)]
    with gc.Session() as session:
        for run in range(2):
            stream = numbers.Stream(87654321, 5, run * 1001 * numbers.EACH)
            if dtype.is_integer:
                wanted = [numbers.uniform_int(stream, 1001, -9, 2**31 - 5, dtype)]
            else:
                wanted = [numbers.uniform(stream, 1001, dtype), numbers.normal(stream, 1001, dtype)]
            for found, expected in zip(session.run(drawn), wanted, strict=True):
                coarse = {gc.float16: 2e-3, gc.bfloat16: 2e-2}.get(dtype, 1e-5)
                wide = [v.astype(np.float64) for v in (found, expected)]
                np.testing.assert_allclose(*wide, rtol=coarse, atol=1e-6)


@pytest.mark.parametrize("dtype", [gc.float32, gc.float64])
@pytest.mark.parametrize("first", [0, 256 * 5])
def test_truncated_numbers_are_the_first_of_each_group_within_two(dtype: gc.DType, first: int) -> None:
    """Over more than one piece of CHUNK groups, against one group after the other."""
    stream, each = numbers.Stream(2**63 - 5, 77, first), numbers.width(dtype)
    count = each * (CHUNK + 3) - 1
    found = numbers.truncated_normal(stream, count, dtype)
    assert found.shape == (count,) and found.dtype == dtype.as_numpy_dtype
    for row in [0, 1, CHUNK - 1, CHUNK, CHUNK + 2, *np.flatnonzero(np.abs(found[::each]) > 1.9)[:20].tolist()]:
        words = stream.groups(8, behind=row * each * numbers.EACH // 4)
        drawn = numbers.normals(words, dtype == gc.float64).ravel()
        expected = drawn[np.abs(drawn) < 2][:each]
        np.testing.assert_array_equal(found[row * each:(row + 1) * each], expected[:count - row * each])


# Of random_gamma([2000], ALPHAS, float64, seed=12) and random_poisson(RATES, [2000], float64, seed=13) by TensorFlow
# 2.21, in two runs: the sums, and the last row.
ALPHAS = [0.3, 0.5, 0.99, 1.0, 1.5, 3.0, 20.0, 1000.0]
RATES = [0.0, 0.5, 4.0, 9.99, 10.0, 11.0, 30.0, 1000.0, 1e6]
MANY_GAMMAS = [
    [[587.8842621109901, 969.433918613992, 2022.691862770791, 2016.939835703075, 2996.511776586899, 6001.493722598502,
      40256.32737235242, 1999893.987152254],
     [0.2253714303385856, 0.11586580868815981, 1.0159205340784137, 0.5236573542925085, 0.5646141663497226,
      2.13064655801521, 19.815422934531107, 986.2858428675237]],
    [[622.4811674942597, 974.8042903564997, 2036.7877703993133, 2067.73314252612, 3004.4920465826685,
      6033.1088761333185, 39921.47629890141, 1999861.8965990788],
     [0.7381815748514989, 0.16558176503984876, 0.6813981734652961, 1.0120057605344772, 1.3043806075770874,
      1.9243647351061495, 24.203348206048602, 952.9791772352369]]]
MANY_POISSONS = [
    [[0, 995, 8058, 20053, 20159, 22246, 60001, 2000989, 2000060708], [0, 1, 1, 12, 9, 10, 32, 997, 1001395]],
    [[0, 1047, 8140, 19903, 20098, 22178, 60124, 2000370, 1999993074], [0, 0, 8, 7, 9, 14, 31, 980, 1000865]]]


def test_many_numbers_by_rejection() -> None:
    gammas = gc.random_gamma([2000], [0.01, *ALPHAS], dtype=gc.float64, seed=12)
    poissons = gc.random_poisson(np.array(RATES), [2000], dtype=gc.float64, seed=13)
    with gc.Session() as session:
        for run in range(2):
            found, counts = session.run([gammas, poissons])
            np.testing.assert_allclose([found.sum(0)[1:], found[-1, 1:]], MANY_GAMMAS[run], rtol=1e-13)
            np.testing.assert_array_equal([counts.sum(0), counts[-1]], MANY_POISSONS[run])


def test_numbers_by_rejection_are_the_same_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    stream, edges = numbers.Stream(3, 2**63 - 1, 256 * 9), np.array([0.2, 1.0, 7.0, 0.0, -1.0, np.nan, np.inf, 50.0])
    whole = [draw(stream, 40, edges) for draw in (rejection.gamma, rejection.poisson)]
    monkeypatch.setattr(rejection, "AT_ONCE", 33)
    for draw, expected in zip((rejection.gamma, rejection.poisson), whole, strict=True):
        assert expected.shape == (40, 8) and np.isnan(expected).all(0).sum() == 3
        np.testing.assert_array_equal(draw(stream, 40, edges), expected)


def test_places_in_ascending_rows() -> None:
    rows = np.cumsum(np.random.RandomState(0).randint(0, 3, [5, 37]), 1)
    wanted = np.random.RandomState(1).randint(-1, rows.max() + 2, [5, 200])
    expected = [np.searchsorted(row, some, side="right") for row, some in zip(rows, wanted, strict=True)]
    np.testing.assert_array_equal(numbers.first_above(rows, wanted), expected)
    assert numbers.first_above(rows[:, :1], wanted).max() == 1 and numbers.first_above(rows, wanted[:, :0]).size == 0


def test_words_are_the_same_in_pieces() -> None:
    whole = groups(3, 5, -1, 2 * CHUNK + 7, 2**64 - 100)
    np.testing.assert_array_equal(whole[CHUNK - 2:CHUNK + 2], groups(3, 5, -1, 4, 2**64 - 100 + CHUNK - 2))
    np.testing.assert_array_equal(whole[-3:], groups(3, 5, -1, 3, 2 * CHUNK + 4 - 100))
