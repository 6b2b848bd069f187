"""inside, first_equal, sum_equal, set_rows, combine_rows: rows of a table, by index, against NumPy."""
import numpy as np
import pytest

from kernel_harness import NUMPY, backwards, close, filled, load, normal

SIZES = [(0, 3, 4), (1, 1, 1), (3, 5, 17), (31, 7, 65), (300, 100, 640), (5, 3, 0), (65, 2, 1)]


@pytest.mark.parametrize("dtype", ["i32", "i64"])
def test_inside(dtype):
    kernel = load("inside")[f"inside.{dtype}"]
    for n in (0, 1, 17):
        x, y = np.arange(n).astype(NUMPY[dtype]), filled(n, dtype)
        assert kernel(x, y, dims=[n, 17]) == 0
        np.testing.assert_array_equal(x, y)
    for bad in (-1, 17, np.iinfo(NUMPY[dtype]).min):
        assert kernel(np.array([3, bad], NUMPY[dtype]), filled(2, dtype), dims=[2, 17]) == 1


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


@pytest.mark.parametrize("index", ["i32", "i64"])
@pytest.mark.parametrize("dtype", ["f32", "f64", "i64", "bool", "u8", "i16", "u64"])
def test_set_rows(dtype, index):
    kernel = load("set_rows")[f"set_rows.{dtype}.{index}"]
    for count, axis, inner in SIZES:
        indices = np.random.default_rng(2).integers(0, axis, count).astype(NUMPY[index])
        rows, out = normal((count, inner), dtype, 1), normal((axis, inner), dtype, 2)
        wanted = out.copy()
        for i, row in zip(indices, rows, strict=True):
            wanted[i] = row
        assert kernel(indices, rows, out, dims=[count, axis, inner], order=backwards) == 0
        np.testing.assert_array_equal(out, wanted)
        if count and inner:
            indices[count // 2] = axis
            assert kernel(indices, rows, out, dims=[count, axis, inner]) == 1


@pytest.mark.parametrize("dtype", ["f32", "f64", "i32", "i64"])
@pytest.mark.parametrize("kind", range(6))
def test_combine_rows(dtype, kind):
    kernel = load("combine_rows")[f"combine_rows.{dtype}.i32"]
    combine = (np.add, np.subtract, np.multiply, np.divide, np.minimum, np.maximum)[kind]
    if kind == 3 and dtype[0] == "i":
        return                                       # no op divides integers so
    for count, axis, inner in SIZES:
        indices = np.random.default_rng(2).integers(0, axis, count).astype(np.int32)
        rows, out = normal((count, inner), dtype, 1), normal((axis, inner), dtype, 2)
        if kind in (2, 3):
            rows = np.where(rows > 0, 1, -1).astype(rows.dtype)
        wanted = out.copy()
        for i, row in zip(indices, rows, strict=True):
            wanted[i] = combine(wanted[i], row)
        assert kernel(indices, rows, out, dims=[count, axis, inner], attrs=[kind], order=backwards) == 0
        np.testing.assert_array_equal(out, wanted)
        if count and inner:
            indices[count // 2] = -1
            assert kernel(indices, rows, out, dims=[count, axis, inner], attrs=[kind]) == 1
