"""top_k, in_top_k, unique, bincount, search_sorted, segment: against NumPy, tiles in any order; what they refuse."""
import numpy as np
import pytest

from kernel_harness import NUMPY, backwards, filled, load

NUMBERS = ["f32", "f64", "i32", "i64"]
OK, OUT_OF_RANGE, INVALID = 0, 1, 2


def numbers(shape, dtype, low=-9, high=10, seed=0):
    return np.random.default_rng(seed).integers(low, high, shape).astype(NUMPY[dtype])


def spread(count, dtype):
    """Numbers of all sizes and signs, infinities and the ends of the range among them; each one several times."""
    draw = np.random.default_rng(count)
    if dtype[0] == "f":
        made = draw.standard_normal(count) * 10.0 ** draw.integers(-30, 30, count)
        made[:4] = np.inf, -np.inf, 0.0, -0.0
    else:
        ends = np.iinfo(NUMPY[dtype])
        made = draw.integers(ends.min, ends.max, count, NUMPY[dtype], endpoint=True) >> draw.integers(0, 31, count)
        made[:2] = ends.min, ends.max
    return made.astype(NUMPY[dtype])[draw.integers(0, count // 2, count)]


@pytest.mark.parametrize("dtype", NUMBERS)
def test_top_k(dtype):
    kernel = load("top_k")[f"top_k.{dtype}"]
    for rows, n, k in [(0, 3, 2), (1, 1, 1), (3, 17, 5), (2, 65, 65), (40, 1000, 31), (3, 5, 0), (2, 31, 30),
                       (2, 300, 9), (2, 300, 8), (3, 1000, 1000)]:
        x = numbers((rows, n), dtype) if k < 1000 else spread(rows * n, dtype).reshape(rows, n)
        if dtype[0] == "f" and n > 3:
            x[:, n // 2] = np.nan
            x[:, n // 3:n // 3 + 2] = -0.0
        values, indices = filled((rows, k), dtype), filled((rows, k), "i32")
        assert kernel(x, values, indices, dims=[rows, n, k], order=backwards) == OK
        order = n - 1 - np.argsort(x[:, ::-1], axis=1, kind="stable")[:, ::-1][:, :k]
        np.testing.assert_array_equal(indices, order)
        np.testing.assert_array_equal(values, np.take_along_axis(x, order, 1))


@pytest.mark.parametrize("index", ["i32", "i64"])
def test_in_top_k(index):
    kernel = load("in_top_k")[f"in_top_k.{index}"]
    x = numbers((50, 17), "f32", 0, 40)
    x[3, 4], x[5, 0] = np.nan, np.inf
    targets = numbers(50, index, -1, 19)
    for k in (0, 1, 5, 40):
        out = filled(50, "bool")
        assert kernel(x, targets, out, dims=[50, 17, k], order=backwards) == OK
        for row, target, found in zip(x, targets, out, strict=True):
            inside = 0 <= target < 17 and np.isfinite(row[target])
            greater = np.sum(row > row[target]) if inside else 0
            if np.isfinite(row).all():
                assert found == (inside and greater < k)
            elif not inside:
                assert not found


@pytest.mark.parametrize("index", ["i32", "i64"])
@pytest.mark.parametrize("dtype", NUMBERS)
def test_unique(dtype, index):
    kernel = load("unique")[f"unique.{dtype}.{index}"]
    for n in (0, 1, 17, 1000):
        x = numbers(n, dtype, -20, 20)
        if dtype[0] == "f" and n > 5:
            x[:4] = [0.0, -0.0, np.nan, np.nan]
        places, first, count = filled(n, index), filled(n, "i64"), filled(1, "i64")
        assert kernel(x, places, first, count, dims=[n]) == OK
        known: dict = {}
        wanted = [known.setdefault(v if v == v else object(), len(known)) for v in x.tolist()]
        assert count[0] == len(known)
        np.testing.assert_array_equal(places, wanted)
        np.testing.assert_array_equal(first[:count[0]], [wanted.index(i) for i in range(len(known))])


@pytest.mark.parametrize("dtype", NUMBERS)
def test_bincount(dtype):
    kernel = load("bincount")[f"bincount.{dtype}"]
    for n, size in ((0, 3), (17, 5), (1000, 12), (5, 0)):
        values, weights = numbers(n, "i32", 0, 9), numbers(n, dtype)
        for given in (weights, weights[:0]):
            bins = filled(size, dtype)
            assert kernel(values, given, bins, dims=[n, len(given), size]) == OK
            wanted = np.zeros(max(size, 9))
            np.add.at(wanted, values, given if len(given) else 1)
            np.testing.assert_array_equal(bins, wanted[:size])
    assert kernel(np.array([3, -1], np.int32), numbers(0, dtype), filled(4, dtype), dims=[2, 0, 4]) == INVALID


@pytest.mark.parametrize("index", ["i32", "i64"])
@pytest.mark.parametrize("dtype", NUMBERS)
def test_search_sorted(dtype, index):
    kernel = load("search_sorted")[f"search_sorted.{dtype}.{index}"]
    for rows, n, count in ((0, 3, 2), (1, 0, 4), (3, 17, 31), (2, 65, 5000)):
        row, values = np.sort(numbers((rows, n), dtype), -1), numbers((rows, count), dtype, -11, 12)
        for upper, side in enumerate(("left", "right")):
            out = filled((rows, count), index)
            assert kernel(row, values, out, dims=[rows, n, count], attrs=[upper], order=backwards) == OK
            for found, r, v in zip(out, row, values, strict=True):
                np.testing.assert_array_equal(found, np.searchsorted(r, v, side))


@pytest.mark.parametrize("index", ["i32", "i64"])
def test_segment_count(index):
    kernel = load("segment_count")[f"segment_count.{index}"]
    for ids, status, wanted in (([], OK, 0), ([0], OK, 1), ([0, 0, 5], OK, 6), ([1, 0], INVALID, 0),
                                ([-1, 0], OUT_OF_RANGE, 0)):
        count = filled(1, "i64")
        assert kernel(np.array(ids, NUMPY[index]), count, dims=[len(ids)]) == status
        assert status != OK or count[0] == wanted


COMBINED = [np.add, None, None, np.multiply, np.minimum, np.maximum]


@pytest.mark.parametrize("index", ["i32", "i64"])
@pytest.mark.parametrize("dtype", NUMBERS)
def test_segment(dtype, index):
    kernel = load("segment")[f"segment.{dtype}.{index}"]
    bounds = (np.finfo if dtype[0] == "f" else np.iinfo)(NUMPY[dtype])
    for n, inner, rows in [(0, 3, 2), (6, 1, 7), (31, 5, 9), (40, 1000, 12), (3, 0, 2)]:
        for ascending in (0, 1):
            ids = numbers(n, index, 0 if ascending else -1, rows)
            ids = np.sort(ids) if ascending else ids
            data = numbers((n, inner), dtype, 1, 3)
            for how in range(6):
                if how in (1, 2) and (not ascending or dtype[0] == "i"):
                    continue
                neutral = {3: 1, 4: bounds.max, 5: bounds.min}.get(how, 0)
                wanted = np.full((rows, inner), neutral if not ascending or how == 3 else 0, NUMPY[dtype])
                for i in np.unique(ids[ids >= 0]):
                    part = data[ids == i]
                    function = COMBINED[how] or np.add
                    by = {1: len(part), 2: len(part)**0.5}.get(how, 1)
                    wanted[i] = function.reduce(part, 0, dtype=part.dtype) / by
                out = filled((rows, inner), dtype)
                assert kernel(data, ids, out, dims=[n, inner, rows], attrs=[how, ascending], order=backwards) == OK
                np.testing.assert_allclose(out, wanted, rtol=1e-5)
    data, out = numbers((3, 2), dtype), filled((4, 2), dtype)
    for ids, ascending, status in (([0, 4, 1], 0, OUT_OF_RANGE), ([0, 1, 4], 1, OUT_OF_RANGE), ([0, 2, 1], 1, INVALID),
                                   ([-1, 0, 1], 1, OUT_OF_RANGE), ([-1, 0, 1], 0, OK)):
        assert kernel(data, np.array(ids, NUMPY[index]), out, dims=[3, 2, 4], attrs=[0, ascending]) == status
