"""Kernels that sort, scan, search and combine rows on the device, one by one, against NumPy: ragged sizes, equal
elements, NaNs, indices that are not there."""
from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from on_device import numbers, run_call, unset

from graphc.exec.cuda.calls import scans
from graphc.kernels.contracts.calls import Status

from on_both import TYPES, assert_same_bits

SIZES = [0, 1, 3, 17, 31, 33, 65, 700]


def random(*seeds: int) -> np.random.Generator:
    return np.random.default_rng([5, *seeds])


def best_first(row: np.ndarray) -> np.ndarray:
    """Places of the greatest first, NaN as greatest, the lower place first of equals."""
    if row.dtype.kind != "f":
        return np.argsort(-row.astype(np.int64), kind="stable")
    known = np.where(np.isnan(row), np.inf, row)
    return np.lexsort((np.arange(row.size), -known, ~np.isnan(row)))


@pytest.mark.parametrize("dtype", ["f32", "i64"])
@pytest.mark.parametrize("n", SIZES)
def test_top_k(device: Any, n: int, dtype: str) -> None:
    for rows, k in ((3, min(n, 5)), (1, n), (2, min(n, 40))):
        x = numbers(random(n, k), (rows, n), dtype)
        outcome = run_call(device, f"top_k.{dtype}", [x], [unset((rows, k), dtype), unset((rows, k), "i32")],
                           (rows, n, k))
        places = np.stack([best_first(row)[:k] for row in x]).astype(np.int32)
        assert_same_bits(outcome.outputs[1], places)
        assert_same_bits(outcome.outputs[0], np.take_along_axis(x, places, 1))


@pytest.mark.parametrize(("n", "depth"), [(0, 2), (1, 1), (17, 3), (65, 2), (300, 1)])
def test_row_order(device: Any, n: int, depth: int) -> None:
    rows = random(n).integers(-2, 3, (n, depth))
    [order] = run_call(device, "row_order", [rows], [unset(n, "i64")], (n, depth)).outputs
    assert_same_bits(order, np.array(sorted(range(n), key=lambda i: (*rows[i], i)), np.int64))


@pytest.mark.parametrize(("dtype", "index"), [("f32", "i32"), ("f64", "i64"), ("i64", "i32")])
@pytest.mark.parametrize("n", [0, 1, 17, 65, 300])
def test_unique(device: Any, n: int, dtype: str, index: str) -> None:
    x = numbers(random(n), n, dtype)
    if n > 20:
        x[n // 2] = -0.0
        x[n - 2] = 0.0
    known: list[int] = []
    places = np.empty(n, np.int64)
    for i, value in enumerate(x):
        same = [place for place, j in enumerate(known) if x[j] == value]
        places[i] = same[0] if same else len(known)
        known += [] if same else [i]
    outputs = [unset(n, index), unset(n, "i64"), unset(1, "i64")]
    found, first, count = run_call(device, f"unique.{dtype}.{index}", [x], outputs, (n,)).outputs
    assert_same_bits(found, places.astype(found.dtype))
    assert count.tolist() == [len(known)] and first.tolist() == known + [0] * (n - len(known))


@pytest.mark.parametrize("name", ["argmax", "argmin"])
@pytest.mark.parametrize("dtype,index", [("f32", "i64"), ("f64", "i32"), ("i32", "i64"), ("i64", "i64"), ("u8", "i32")])
@pytest.mark.parametrize("shape", [(0, 3, 1), (3, 1, 1), (5, 2, 3), (3, 31, 1), (2, 65, 2), (300, 7, 1), (2, 700, 1),
                                   (1, 9000, 1), (1, 300, 2)])
def test_where_the_extreme_is(device: Any, shape: tuple[int, int, int], name: str, dtype: str, index: str) -> None:
    x = numbers(random(*shape), shape, dtype)
    x[1:2] = np.nan if dtype.startswith("f") else 0
    best = "max" if name == "argmax" else "min"
    if dtype.startswith("f"):                  # NaNs are never the best
        x_seen = np.where(np.isnan(x), -np.inf if best == "max" else np.inf, x)
    else:
        x_seen = x
    wanted = getattr(np, name)(x_seen, 1).astype(TYPES[index])
    [found] = run_call(device, f"{name}.{dtype}.{index}", [x], [unset(wanted.shape, index)], shape).outputs
    assert_same_bits(found, wanted)


@pytest.mark.parametrize("product", [False, True])
@pytest.mark.parametrize("dtype", ["f32", "i64"])
@pytest.mark.parametrize("shape", [(0, 3, 1), (2, 0, 3), (1, 1, 1), (3, 17, 5), (1, 3000, 1), (2, 1100, 2),
                                   (1, 9000, 1)])
@pytest.mark.parametrize("kind", [(0, 0), (1, 0), (0, 1), (1, 1)])
def test_scans(device: Any, shape: tuple[int, int, int], dtype: str, product: bool, kind: tuple[int, int]) -> None:
    exclusive, reverse = kind
    x = random(*shape).integers(-3, 4, shape).astype(np.float32 if dtype == "f32" else np.int64)
    if product:                        # stays finite, and exact
        x = np.where(x % 2, 1, -1).astype(x.dtype) * np.where(np.arange(shape[1])[:, None] % 100 == 50, 2, 1).astype(
            x.dtype)
    run = x[:, ::-1] if reverse else x
    wanted = (np.cumprod if product else np.cumsum)(run, 1, x.dtype)
    if exclusive and shape[1]:
        wanted = np.concatenate([np.full_like(wanted[:, :1], product), wanted[:, :-1]], 1)
    name = f"{'cumprod' if product else 'cumsum'}.{dtype}"
    [y] = run_call(device, name, [x], [unset(shape, dtype)], shape, kind).outputs
    assert_same_bits(y, np.ascontiguousarray(wanted[:, ::-1] if reverse else wanted))


def test_a_scan_of_many_columns_adds_one_by_one(device: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(scans, "MANY", 8)
    x = random(1).standard_normal((2, 130, 5)).astype(np.float32)
    [y] = run_call(device, "cumsum.f32", [x], [unset(x.shape, "f32")], x.shape, (0, 0)).outputs
    assert_same_bits(y, np.cumsum(x, 1, np.float32))


def test_a_scan_keeps_nan_and_infinity_to_what_comes_later(device: Any) -> None:
    x = np.ones((1, 3000, 1), np.float32)
    x[0, 1500], x[0, 2500] = np.inf, np.nan
    [y] = run_call(device, "cumsum.f32", [x], [unset(x.shape, "f32")], x.shape, (0, 0)).outputs
    with np.errstate(invalid="ignore"):
        assert_same_bits(y, np.cumsum(x, 1, np.float32))


@pytest.mark.parametrize("n", SIZES)
def test_nonzero(device: Any, n: int) -> None:
    mask = random(n).random(n) < 0.4
    places = np.flatnonzero(mask)
    [found] = run_call(device, "nonzero", [mask], [unset(places.size, "i64")], (n, places.size)).outputs
    assert_same_bits(found, places)


@pytest.mark.parametrize("n", [0, 1, 17, 65, 300])
@pytest.mark.parametrize("how", range(6))
def test_segments_that_ascend(device: Any, n: int, how: int) -> None:
    index = "i32" if n % 2 else "i64"
    ids = np.sort(random(n).integers(0, 9, n)).astype(index.replace("i", "int"))
    data, rows = random(n, how).integers(-4, 5, (n, 3)).astype(np.float32), int(ids[-1]) + 1 if n else 0
    wanted = np.full((rows, 3), how == 3, np.float32)
    for row in set(ids.tolist()):
        part = data[ids == row]
        wanted[row] = [part.sum(0), part.mean(0), part.sum(0) / np.sqrt(np.float32(len(part))), part.prod(0),
                       part.min(0), part.max(0)][how]
    outcome = run_call(device, f"segment.f32.{index}", [data, ids], [unset((rows, 3), "f32")], (n, 3, rows), (how, 1))
    np.testing.assert_allclose(outcome.outputs[0], wanted, rtol=1e-6)
    assert not outcome.failures
    [count] = run_call(device, f"segment_count.{index}", [ids], [unset(1, "i64")], (n,)).outputs
    assert count.tolist() == [rows]


def test_segments_that_do_not_ascend_are_refused(device: Any) -> None:
    ids = np.array([0, 2, 2, 1, 3, 0], np.int32)
    outcome = run_call(device, "segment.f32.i32", [np.ones((6, 2), np.float32), ids], [unset((4, 2), "f32")], (6, 2, 4),
                       (0, 1))
    assert [(f.status, f.a, f.b) for f in outcome.failures] == [(Status.INVALID_VALUE, 2, 1)]
    outcome = run_call(device, "segment_count.i32", [ids], [unset(1, "i64")], (6,))
    assert [(f.status, f.a, f.b) for f in outcome.failures] == [(Status.INVALID_VALUE, 2, 1)]


@pytest.mark.parametrize("n", [1, 31, 65, 500])
@pytest.mark.parametrize("inner", [1, 3])
def test_rows_are_added_in_their_order(device: Any, n: int, inner: int) -> None:
    """To the bit: floats of very different sizes."""
    generator = random(n, inner)
    sizes = 10.0 ** generator.integers(-6, 7, (2, n, 1))
    updates = (generator.standard_normal((2, n, inner)) * sizes).astype(np.float32)
    ids = generator.integers(0, 5, n)
    wanted = np.zeros((2, 7, inner), np.float32)
    for j, row in enumerate(ids):
        wanted[:, row] += updates[:, j]
    made = [unset((2, 7, inner), "f32")]
    [out] = run_call(device, "scatter_add.f32.i64", [updates, ids], made, (2, 7, inner, n)).outputs
    assert_same_bits(out, wanted)


@pytest.mark.parametrize("how", range(7))
@pytest.mark.parametrize("dtype", ["f32", "i32", "i64", "u8", "i8", "u16", "u64"])
def test_scatters(device: Any, how: int, dtype: str) -> None:
    generator = random(how)
    table, updates = (numbers(generator, (2, 5, 3), dtype, False), numbers(generator, (2, 40, 3), dtype, False))
    if how == 4:
        updates = np.where(updates == 0, 1, updates).astype(updates.dtype)
    rows, wanted = generator.integers(0, 5, (2, 40)), table.copy()
    with np.errstate(all="ignore"):
        for b in range(2):
            for j, row in enumerate(rows[b]):
                x, u = wanted[b, row], updates[b, j]
                quotient = x / u if x.dtype.kind == "f" else np.trunc(x.astype(float) / u.astype(float))
                made = (u, x + u, x - u, x * u, np.nan_to_num(quotient), np.minimum(x, u), np.maximum(x, u))
                wanted[b, row] = made[how]
    dims = (2, 40, 3, 5, 1, 1, 1, 1, 1, 1)
    outcome = run_call(device, f"scatter_nd.{dtype}", [rows, updates], [table], dims, (1, how))
    assert not outcome.failures
    assert_same_bits(outcome.outputs[0], wanted)


def test_a_tuple_that_names_no_place_is_told_with_its_number_and_the_sizes(device: Any) -> None:
    indices = np.array([[0, 1], [1, 3], [2, 0], [-1, 0]])
    table = np.zeros((2, 3, 2), np.float32)
    dims = (1, 4, 2, 2, 3, 1, 1, 1, 1, 1)
    outcome = run_call(device, "scatter_nd.f32", [indices, np.ones((4, 2), np.float32)], [table], dims, (2, 1))
    [failure] = outcome.failures
    assert (failure.status, failure.a, failure.b) == (Status.INDEX_TUPLE, 1, 2)
    assert failure.detail == (1, 3, 0, 0, 0, 0, 0, 2, 3, 1, 1, 1, 1, 1)


def test_integers_are_not_divided_by_zero(device: Any) -> None:
    updates = np.array([[3], [0]], np.int32)
    dims = (1, 2, 1, 2, 1, 1, 1, 1, 1, 1)
    outcome = run_call(device, "scatter_nd.i32", [np.array([0, 1]), updates], [np.ones((2, 1), np.int32)], dims, (1, 4))
    assert [f.status for f in outcome.failures] == [Status.DIVISION_BY_ZERO]


@pytest.mark.parametrize("swapped", [0, 1])
@pytest.mark.parametrize("n", [0, 1, 40])
def test_sparse_products(device: Any, n: int, swapped: int) -> None:
    generator = random(n)
    pairs = np.stack([generator.integers(0, 6, n), generator.integers(0, 7, n)], 1)
    values, b = generator.standard_normal(n).astype(np.float32), generator.standard_normal((7, 5)).astype(np.float32)
    wanted = np.zeros((6, 5), np.float32)
    for (i, j), value in zip(pairs, values, strict=True):
        wanted[i] += value * b[j]
    given = [pairs[:, ::-1] if swapped else pairs, values, b]
    outcome = run_call(device, "sparse_matmul.f32", given, [unset((6, 5), "f32")], (n, 6, 7, 5), (swapped,))
    assert not outcome.failures
    assert_same_bits(outcome.outputs[0], wanted)


@pytest.mark.parametrize(("n", "depth", "width"), [(0, 2, 1), (1, 2, 2), (17, 2, 1), (65, 3, 2), (300, 1, 0)])
def test_runs_of_equal_tuples(device: Any, n: int, depth: int, width: int) -> None:
    rows = random(n).integers(0, 4, (n, depth))
    order = np.array(sorted(range(n), key=lambda i: (*rows[i], i)), np.int64)
    runs = dict.fromkeys(tuple(rows[i, :width]) for i in order)
    numbers = {run: number for number, run in enumerate(runs)}
    outcome = run_call(device, "row_groups", [rows, order], [unset(n, "i64"), unset(1, "i64")], (n, depth, width))
    assert outcome.outputs[0].tolist() == [numbers[tuple(row[:width])] for row in rows]
    assert outcome.outputs[1].tolist() == [len(runs)] and not outcome.failures


@pytest.mark.parametrize(("n", "m", "depth"), [(0, 3, 2), (5, 0, 2), (40, 33, 2), (17, 300, 1), (3, 4, 0)])
def test_tuples_are_found(device: Any, n: int, m: int, depth: int) -> None:
    rows, table = random(n).integers(0, 5, (n, depth)), random(m).integers(0, 5, (m, depth))
    order = np.array(sorted(range(m), key=lambda i: (*table[i], i)), np.int64)
    wanted = [next((int(j) for j in order if (table[j] == row).all()), -1) for row in rows]
    outcome = run_call(device, "find_rows", [rows, table, order], [unset(n, "i64")], (n, m, depth))
    assert outcome.outputs[0].tolist() == wanted and not outcome.failures


@pytest.mark.parametrize(("rows", "status", "a", "b"), [
    ([[0, 0], [0, 2], [1, 1]], None, 0, 0), ([[0, 0], [0, 3], [0, 1]], Status.INDEX_TUPLE, 1, 2),
    ([[0, 2], [0, 1], [0, 3]], Status.INVALID_VALUE, 1, 1), ([[0, 2], [1, 0], [1, 0]], Status.INVALID_VALUE, 2, 0),
    ([[0, 2], [0, -1], [0, 1]], Status.INDEX_TUPLE, 1, 2)])
def test_tuples_that_are_outside_or_in_no_order_are_refused(device: Any, rows: list[list[int]], status: Status | None,
                                                            a: int, b: int) -> None:
    given = np.array(rows)
    outcome = run_call(device, "check_rows", [given, np.array([2, 3])], [unset((3, 2), "i64")], (3, 2), (1,))
    assert [(f.status, f.a, f.b) for f in outcome.failures] == ([(status, a, b)] if status is not None else [])
    if status == Status.INDEX_TUPLE:
        assert outcome.failures[0].detail == (*rows[a], 0, 0, 0, 0, 0, 2, 3, 1, 1, 1, 1, 1)
    assert (outcome.outputs[0] == given).all()
    long = np.zeros((2, 9), np.int64)
    long[1, 6] = 4
    outcome = run_call(device, "check_rows", [long, np.full(9, 4)], [unset((2, 9), "i64")], (2, 9), (0,))
    assert [(f.status, f.a, f.b) for f in outcome.failures] == [(Status.INDEX_OUT_OF_RANGE, 4, 4)]


def test_a_permutation_with_a_number_twice_is_refused(device: Any) -> None:
    x = np.array([2, 0, 1, 0], np.int32)
    outcome = run_call(device, "invert_permutation.i32", [x], [unset(4, "i32")], (4,))
    assert [(f.status, f.a, f.b) for f in outcome.failures] == [(Status.INVALID_VALUE, 0, 4)]


@pytest.mark.parametrize("inner", [0, 3])
def test_a_tuple_outside_is_refused_of_empty_rows_too(device: Any, inner: int) -> None:
    table, rows, dims = np.zeros((4, inner), np.float32), np.ones((2, inner), np.float32), (1, 2, inner, 4, *(1,) * 6)
    for index in (4, -1):
        indices = np.array([0, index])
        outcome = run_call(device, "gather_nd.f32.i64", [table, indices], [unset((2, inner), "f32")], dims, (1,))
        assert [(f.status, f.a, f.b) for f in outcome.failures] == [(Status.INDEX_OUT_OF_RANGE, index, 4)]
        outcome = run_call(device, "scatter_nd.f32", [indices, rows], [table.copy()], dims, (1, 0))
        assert [(f.status, f.a, f.b) for f in outcome.failures] == [(Status.INDEX_OUT_OF_RANGE, index, 4)]
