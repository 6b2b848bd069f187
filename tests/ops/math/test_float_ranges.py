"""Ranges of floating point tensors: count and numbers, dtypes of mixtures, in loops, no gradients, a delta of 0."""
from __future__ import annotations

import numpy as np
import pytest

import graphc as gc

CASES = [(0, 5, 1), (0.5, 2.1, 0.4), (3, -1, -0.75), (2, 2, 1), (5, 1, 1), (0, 1, 0.1), (-3, 31, 17)]


@pytest.mark.parametrize("dtype", [gc.float32, gc.float64, gc.float16])
def test_numbers_known_when_run(dtype: gc.DType) -> None:
    operands = [gc.placeholder(dtype, []) for _ in range(3)]
    made = gc.range(*operands)
    doubled = gc.reduce_sum(gc.tile(gc.expand_dims(made, 1), [1, 2]))
    assert made.dtype == dtype and made.shape.as_list() == [None]
    with gc.Session() as session:
        for case in CASES:
            start, limit, delta = (dtype.as_numpy_dtype(v) for v in case)
            found, total = session.run([made, doubled], dict(zip(operands, case, strict=True)))
            count = max(0, int(np.ceil(np.float32(np.float64(limit) - np.float64(start)) / np.float32(delta))
                               if dtype != gc.float64 else np.ceil((limit - start) / delta)))
            wanted = np.float64(start) + np.arange(count) * np.float64(delta)
            np.testing.assert_allclose(found, wanted, rtol=2e-3 if dtype == gc.float16 else 1e-6, atol=1e-6)
            np.testing.assert_allclose(total, 2 * np.sum(wanted), rtol=1e-2, atol=1e-2)
        with pytest.raises(gc.errors.InvalidArgumentError, match="delta must not be 0"):
            session.run(made, dict(zip(operands, (0, 1, 0), strict=True)))
    with pytest.raises(ValueError, match="delta"):
        gc.range(operands[0], delta=0)


def test_the_largest_dtype_wins_and_floats_go_before_integers() -> None:
    n = gc.constant(2)
    assert gc.range(n, 5.5).dtype == gc.range(n, delta=0.5).dtype == gc.float32
    assert gc.range(gc.constant(2., gc.float64), n).dtype == gc.float64
    assert gc.range(n, gc.constant(4, gc.int64)).dtype == gc.int64
    assert gc.range(n, dtype=gc.float32).dtype == gc.float32
    with gc.Session() as session:
        np.testing.assert_array_equal(session.run(gc.range(n, 5.5)), [2, 3, 4, 5])


def test_in_a_loop_and_without_gradients() -> None:
    x = gc.placeholder(gc.float32, [])
    halves = gc.range(0., x * 2., 0.5)
    assert gc.gradients(gc.reduce_sum(halves), x) == [None]
    total = gc.while_loop(lambda i, t: i < 4, lambda i, t: (
        i + 1, t + gc.reduce_sum(gc.range(0., gc.cast(i, gc.float32), 0.5)) * x), (0, 0.))[1]
    with gc.Session() as session:
        assert session.run(total, {x: 2.}) == 22.
        assert session.run(gc.gradients(total, x), {x: 2.}) == [11.]
