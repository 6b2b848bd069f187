"""While a run computes, results below the smallest normal number are 0; operands, and code of others, keep theirs."""
from __future__ import annotations

import warnings

import numpy as np
import pytest

import graphc as gc

SMALL = np.float32(1e-40)


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("count", [1, 100_000])
def test_results_are_flushed_on_every_thread(threads: int, count: int) -> None:
    x = gc.placeholder(gc.float32, [None])
    fetches = [x * 1e-30, gc.matmul(x[:, None], [[1e-30]])[:, 0], gc.reduce_sum(x * 1e-30)]
    with gc.Session(config=gc.ConfigProto(intra_op_parallelism_threads=threads)) as session:
        for _ in range(8):                               # the evaluator, and code
            found = session.run(fetches, {x: np.full(count, 1e-10, np.float32)})
    for value in found:
        assert not np.any(value)


def test_operands_are_read_as_they_are() -> None:
    x = gc.placeholder(gc.float32, [3])
    with gc.Session() as session:
        moved, larger, logarithm, wide = session.run(
            [gc.reverse(x, [0]), x > 0.0, gc.log(x), gc.cast(x, gc.float64)], {x: np.full(3, SMALL)})
    np.testing.assert_array_equal(moved, SMALL)
    assert larger.all()
    np.testing.assert_allclose(logarithm, np.log(np.float64(SMALL)), rtol=1e-5)
    np.testing.assert_array_equal(wide, np.float64(SMALL))


def test_python_keeps_its_own_mode() -> None:
    found = []

    def called(x: np.ndarray) -> np.ndarray:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            found.append(np.float32(1e-10) * np.float32(1e-30))
            np.finfo(np.float32)
        return x

    given = gc.placeholder(gc.float32, [2])
    y = gc.py_func(called, [given], gc.float32) * 1e-30
    with gc.Session() as session:
        assert not session.run(y, {given: [1e-10, 1e-10]}).any()
        with pytest.raises(gc.errors.InvalidArgumentError):
            session.run(gc.check_numerics(given * 2.0, "no"), {given: [np.nan, 1.0]})
    found.append(np.float32(1e-10) * np.float32(1e-30))
    assert all(value > 0 for value in found)
