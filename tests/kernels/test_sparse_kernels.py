"""row_order, row_groups, find_rows, check_rows, sparse_matmul, edit_distance: against NumPy and plain Python."""
from __future__ import annotations

import numpy as np
import pytest

from graphc.kernels.contracts.calls import Status

from kernel_harness import backwards, close, filled, load, normal

SIZES = [(0, 2, 3), (1, 1, 1), (3, 2, 2), (17, 3, 2), (31, 1, 5), (65, 2, 4), (2500, 2, 40), (65, 4, 2)]


def rows_of(n: int, depth: int, high: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(-1, high, (n, depth))


def order_of(rows: np.ndarray) -> list[int]:
    return sorted(range(len(rows)), key=lambda i: tuple(rows[i]))


@pytest.mark.parametrize(("n", "depth", "high"), [*SIZES, (5, 0, 1)])
def test_row_order(n: int, depth: int, high: int) -> None:
    kernel = load("row_order")["row_order"]
    rows = rows_of(n, depth, high)
    for given in (rows, rows[order_of(rows)], rows[order_of(rows)][::-1].copy(), rows << 40):
        order = filled(n, "i64")
        assert kernel(given, order, dims=[n, depth]) == 0
        assert order.tolist() == order_of(given)


def test_row_order_of_all_numbers() -> None:
    """Many rows in many runs are sorted by their bytes: the ends of int64 among them, and columns that are all one."""
    kernel = load("row_order")["row_order"]
    draw = np.random.default_rng(5)
    rows = draw.integers(-2 ** 63, 2 ** 63 - 1, (700, 4), endpoint=True) >> draw.integers(0, 62, (700, 4))
    rows[:2], rows[:, 1], rows[:, 2] = [[-2 ** 63] * 4, [2 ** 63 - 1] * 4], 7, rows[:, 2] & 3
    order = filled(len(rows), "i64")
    assert kernel(rows, order, dims=[700, 4]) == 0
    assert order.tolist() == order_of(rows)


@pytest.mark.parametrize(("n", "depth", "high"), SIZES)
def test_row_groups(n: int, depth: int, high: int) -> None:
    kernel = load("row_groups")["row_groups"]
    rows = rows_of(n, depth, high)
    order = np.array(order_of(rows), np.int64)
    for width in range(depth + 1):
        group, count = filled(n, "i64"), filled(1, "i64")
        assert kernel(rows, order, group, count, dims=[n, depth, width]) == 0
        known = sorted({tuple(r[:width]) for r in rows.tolist()})
        assert group.tolist() == [known.index(tuple(r[:width])) for r in rows.tolist()]
        assert count[0] == len(known)
    if n:
        for bad in (n, -1):
            assert kernel(rows, np.full(n, bad), group, count, dims=[n, depth, 1]) == Status.INDEX_OUT_OF_RANGE


@pytest.mark.parametrize(("n", "depth", "high"), SIZES)
@pytest.mark.parametrize("m", [0, 1, 40])
def test_find_rows(n: int, depth: int, high: int, m: int) -> None:
    kernel = load("find_rows")["find_rows"]
    rows, table = rows_of(n, depth, high), rows_of(m, depth, high, 1)
    order = np.array(order_of(table), np.int64)
    place = filled(n, "i64")
    assert kernel(rows, table, order, place, dims=[n, m, depth], order=backwards) == 0
    listed = table.tolist()
    assert place.tolist() == [listed.index(r) if r in listed else -1 for r in rows.tolist()]
    ascending = rows[order_of(rows)]                                    # then each is looked for behind the last one
    assert kernel(ascending, table, order, place, dims=[n, m, depth], order=backwards) == 0
    assert place.tolist() == [listed.index(r) if r in listed else -1 for r in ascending.tolist()]
    if n and m:
        assert kernel(rows, table, order + m, place, dims=[n, m, depth]) == Status.INDEX_OUT_OF_RANGE


def test_check_rows() -> None:
    kernel = load("check_rows")["check_rows"]
    for n, depth, high in SIZES:
        rows = np.unique(np.maximum(rows_of(n, depth, high), 0), axis=0)
        sizes, y = np.full(depth, high), filled(rows.shape, "i64")
        for ordered in (0, 1):
            assert kernel(rows, sizes, y, dims=rows.shape, attrs=[ordered], order=backwards) == 0
            np.testing.assert_array_equal(y, rows)
        if len(rows) > 1:
            for wrong in (rows[::-1].copy(), rows[np.maximum(np.arange(len(rows)) - 1, 0)]):
                assert kernel(wrong, sizes, y, dims=rows.shape, attrs=[0]) == 0
                assert kernel(wrong, sizes, y, dims=rows.shape, attrs=[1]) == Status.INVALID_VALUE
        if n:
            status = Status.INDEX_OUT_OF_RANGE if depth == 1 else Status.INDEX_TUPLE
            for bad in (high, -1):
                wrong = rows.copy()
                wrong[-1, -1] = bad
                assert kernel(wrong, sizes, y, dims=rows.shape, attrs=[0]) == status


@pytest.mark.parametrize("dtype", ["f32", "f64", "i32", "i64"])
@pytest.mark.parametrize(("n", "m", "k", "p"), [(0, 3, 2, 4), (1, 1, 1, 1), (17, 3, 5, 31), (65, 17, 3, 1),
                                                (300, 40, 60, 700), (5, 3, 2, 0), (2, 1, 1, 65)])
def test_sparse_matmul(dtype: str, n: int, m: int, k: int, p: int) -> None:
    kernel = load("sparse_matmul")[f"sparse_matmul.{dtype}"]
    generator = np.random.default_rng(0)
    indices = np.stack([generator.integers(0, m, n), generator.integers(0, k, n)], 1)
    values, b, out = normal(n, dtype, 1), normal((k, p), dtype, 2), filled((m, p), dtype)
    wanted = np.zeros((m, p))
    np.add.at(wanted, indices[:, 0], values[:, None].astype(np.float64) * b[indices[:, 1]])
    for swapped, given in ((0, indices), (1, indices[:, ::-1].copy())):
        assert kernel(given, values, b, out, dims=[n, m, k, p], attrs=[swapped], order=backwards) == 0
        close(out, wanted, dtype, 30)
    for bad in ([[m, 0]], [[0, k]], [[-1, 0]], [[0, -1]]):
        if n and p:
            wrong = np.concatenate([bad, indices[1:]])
            status = kernel(wrong, values, b, out, dims=[n, m, k, p], attrs=[0])
            assert status == Status.INDEX_OUT_OF_RANGE


def steps(a: list[int], b: list[int]) -> int:
    if not a or not b:
        return len(a) + len(b)
    return min(steps(a[1:], b) + 1, steps(a, b[1:]) + 1, steps(a[1:], b[1:]) + (a[0] != b[0]))


@pytest.mark.parametrize("normalized", [0, 1])
def test_edit_distance(normalized: int) -> None:
    kernel = load("edit_distance")["edit_distance"]
    generator = np.random.default_rng(0)
    for groups, h, t in ((1, 0, 0), (1, 5, 4), (4, 9, 7), (5, 3, 0), (5, 0, 3), (3, 12, 12), (0, 0, 0)):
        found, truth = generator.integers(0, 3, h), generator.integers(0, 3, t)
        a, b = (np.sort(generator.integers(0, max(groups, 1), n)) for n in (h, t))
        out = filled(groups, "f32")
        assert kernel(found, a, truth, b, out, dims=[h, t, groups], attrs=[normalized]) == 0
        for i in range(groups):
            one, two = found[a == i].tolist(), truth[b == i].tolist()
            wanted = float(steps(one, two))
            if normalized and wanted:
                wanted = wanted / len(two) if two else np.inf
            assert out[i] == np.float32(wanted)
    out = filled(2, "f32")
    for a, status in (([0, 2], Status.INDEX_OUT_OF_RANGE), ([-1, 0], Status.INDEX_OUT_OF_RANGE),
                      ([1, 0], Status.INVALID_VALUE)):
        none, two = np.zeros(0, np.int64), np.zeros(2, np.int64)
        assert kernel(two, np.array(a), none, none, out, dims=[2, 0, 2], attrs=[0]) == status
        assert kernel(none, none, two, np.array(a), out, dims=[0, 2, 2], attrs=[0]) == status
