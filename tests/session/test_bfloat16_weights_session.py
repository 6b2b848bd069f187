"""Weights kept as bfloat16 in whole programs, as on a machine that multiplies no bfloat16: the option, loops, branches,
threads, gradients, training."""
from __future__ import annotations

import numpy as np
import pytest

import graphc as gc
from graphc.exec import bfloat16
from graphc.kernels.contracts.bfloat16 import WEIGHTS
from graphc.kernels.cpu.math.matmul_choice import BFLOAT16, BFLOAT16_WIDE

ON = gc.ConfigProto()
ON.graph_options.rewrite_options.auto_mixed_precision_onednn_bfloat16 = 1
WAYS = tuple(f"format {number}" for number in (BFLOAT16, BFLOAT16_WIDE))


@pytest.fixture(autouse=True)
def _machine_without(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bfloat16, "machine_bfloat16", lambda: WEIGHTS)


def values(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def rounded(w: np.ndarray) -> np.ndarray:
    """To bfloat16, by graphc's own casts."""
    with gc.Graph().as_default():
        return gc.Session().run(gc.cast(gc.cast(gc.constant(w), gc.bfloat16), gc.float32))


def products(session: gc.Session, fetch: gc.Tensor, feeds: dict) -> list[str]:
    """What ran, one line a call of a product."""
    told = gc.RunMetadata()
    session.run(fetch, feeds, gc.RunOptions(trace_level=gc.RunOptions.FULL_TRACE), told)
    return [line for line in told.kernels if "matmul" in line and "format" in line]


def network(x: gc.Tensor, first: object, second: object) -> gc.Tensor:
    """Behind and in front of other ops, with epilogues."""
    y = gc.nn.relu(gc.matmul(x * 2.0, first) + gc.constant(values(65, seed=3)))
    return gc.tanh(gc.matmul(y, second, transpose_b=True) / 8.0) + 1.0


def test_results_are_those_of_rounded_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = values(40, 65, seed=1), values(33, 65, seed=2)
    x = gc.placeholder(gc.float32, [None, 40])
    y, z = network(x, first, second), network(x, rounded(first), rounded(second))
    session, plain = gc.Session(config=ON), gc.Session()
    for rows in (1, 2, 17, 0, 1):
        fed = {x: values(rows, 40)}
        found = session.run(y, fed)
        np.testing.assert_array_equal(found, plain.run(z, fed))
        if rows:
            assert not np.array_equal(found, plain.run(y, fed))
            np.testing.assert_allclose(found, plain.run(y, fed), atol=0.05)
            assert [any(way in line for way in WAYS) for line in products(session, y, fed)] == [True, True]
            assert not any(way in line for line in products(plain, y, fed) for way in WAYS)
    monkeypatch.setenv("GRAPHC_WEIGHTS", "bfloat16")
    np.testing.assert_array_equal(gc.Session().run(y, fed), found)


def test_threads_do_not_matter() -> None:
    x, w = gc.placeholder(gc.float32, [None, 300]), gc.constant(values(300, 1025))
    y = gc.nn.relu(gc.matmul(x, w))
    for rows in (1, 4, 65):
        fed, results = {x: values(rows, 300, seed=rows)}, []
        for threads in (1, 2, 5):
            config = gc.ConfigProto(intra_op_parallelism_threads=threads)
            config.MergeFrom(ON)
            results.append(gc.Session(config=config).run(y, fed))
        for other in results[1:]:
            np.testing.assert_array_equal(results[0], other)


def test_in_loops_and_branches_and_with_gradients() -> None:
    w = values(48, 48) / 7

    def loop(start: gc.Tensor, weights: np.ndarray) -> gc.Tensor:
        inside = gc.constant(weights)
        return gc.while_loop(lambda i, y: i < 5, lambda i, y: [i + 1, gc.cond(
            i < 3, lambda: gc.tanh(gc.matmul(y, inside)), lambda: gc.matmul(y, inside) * 0.5)], [0, start])[1]

    x = gc.placeholder(gc.float32, [None, 48])
    fed, session, plain = {x: values(9, 48, seed=1)}, gc.Session(config=ON), gc.Session()
    y, z = loop(x, w), loop(x, rounded(w))
    np.testing.assert_array_equal(session.run(y, fed), plain.run(z, fed))
    found, wanted = session.run(gc.gradients(y, x)[0], fed), plain.run(gc.gradients(z, x)[0], fed)
    np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-5)


def test_variables_are_packed_anew_and_training_is_exact() -> None:
    """A weight that the run changes is never packed, so each step is float32's; what only reads it sees it rounded."""
    x, w = gc.placeholder(gc.float32, [None, 40]), gc.Variable(values(40, 64))
    y = gc.matmul(x, w)
    step = w.assign_sub(0.01 * gc.gradients(gc.reduce_sum(y * y), w)[0]).op
    with gc.control_dependencies([step]):
        both = gc.identity(y)
    fed, ends = {x: values(8, 40, seed=5)}, []
    for config in (ON, None):
        session = gc.Session(config=config)
        session.run(gc.global_variables_initializer())
        for _ in range(3):
            session.run([step, both], fed)
            seen, kept = session.run(y, fed), session.run(w)
        wanted = gc.Session().run(gc.matmul(x, rounded(kept) if config else kept), fed)
        np.testing.assert_array_equal(seen, wanted)
        ends.append(kept)
    np.testing.assert_array_equal(*ends)


def test_a_word_that_is_none_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRAPHC_WEIGHTS", "bf16")
    x = gc.placeholder(gc.float32, [None])
    with pytest.raises(gc.errors.InvalidArgumentError, match='must be "float32" or "bfloat16", but is \'bf16\''):
        gc.Session().run(x + 1.0, {x: [1.0]})


def test_numbers_that_are_none() -> None:
    w = values(32, 64)
    w[3, 5], w[4, 6], w[5, 7] = np.nan, np.inf, 3.4e38
    x = gc.placeholder(gc.float32, [None, 32])
    found = gc.Session(config=ON).run(gc.matmul(x, w), {x: np.ones((3, 32), np.float32)})
    assert np.isnan(found[:, 5]).all() and np.isposinf(found[:, [6, 7]]).all()
    assert np.isfinite(np.delete(found, [5, 6, 7], axis=1)).all()
