"""first_equal, sum_equal: against NumPy."""
import numpy as np
import pytest

from kernel_harness import NUMPY, backwards, close, filled, load, normal

SIZES = [(0, 3, 4), (1, 1, 1), (3, 5, 17), (31, 7, 65), (300, 100, 640), (5, 3, 0), (65, 2, 1)]


@pytest.mark.parametrize("dtype", ["i32", "i64"])
def test_first_equal(dtype):
    kernel = load("first_equal")[f"first_equal.{dtype}"]
    generator = np.random.default_rng(1)
    limits = np.iinfo(NUMPY[dtype])
    for n in (0, 1, 3, 17, 65, 1000):
        for low, high in ((0, 5), (0, 1000), (limits.min, limits.max), (0, 1)):
            x, first = generator.integers(low, high, n).astype(NUMPY[dtype]), filled(n, "i64")
            x[n // 2:] = x[:n - n // 2]
            assert kernel(x, first, dims=[n]) == 0
            seen = {}
            assert first.tolist() == [seen.setdefault(v, i) for i, v in enumerate(x.tolist())]
    strided = (np.arange(512) << (20 if dtype == "i32" else 40)).astype(NUMPY[dtype])
    first = filled(512, "i64")
    assert kernel(strided, first, dims=[512]) == 0
    np.testing.assert_array_equal(first, [list(strided).index(v) for v in strided])


@pytest.mark.parametrize("dtype", ["f32", "f64", "i32", "i64"])
def test_sum_equal(dtype):
    kernel = load("sum_equal")[f"sum_equal.{dtype}"]
    for n, axis, inner in SIZES:
        indices = np.random.default_rng(2).integers(0, axis, n)
        first = np.array([np.flatnonzero(indices == i)[0] for i in indices], np.int64)
        rows, out = normal((n, inner), dtype, 1), filled((n, inner), dtype)
        assert kernel(rows, first, out, dims=[n, inner], order=backwards) == 0
        wanted = np.zeros((axis, inner))
        np.add.at(wanted, indices, rows)
        close(out, wanted[indices], dtype, 30)
        if n and inner:
            for bad in (n, -1):
                first[0] = bad
                assert kernel(rows, first, out, dims=[n, inner]) == 1
