"""gather_nd, scatter_nd, checked_indices: against NumPy."""
from __future__ import annotations

import numpy as np
import pytest

from kernel_harness import NUMPY, backwards, close, filled, load, normal

# batch, sizes of the indexed axes, inner, number of tuples
CASES = [(1, (3,), 1, 1), (1, (5, 7), 3, 31), (3, (4, 2, 3), 5, 17), (2, (6,), 700, 65), (1, (2, 3), 4, 0),
         (0, (3,), 4, 5), (2, (3, 3), 0, 5), (2, (), 5, 3), (1, (2, 1, 2, 1, 2, 1, 2), 9, 40)]
HOW = ("update", "add", "sub", "mul", "div", "min", "max")
DTYPES = ["f32", "f64", "i32", "i64", "bool", "u8", "i8", "i16", "u16", "u32", "u64"]


def tuples(batch: int, sizes: tuple[int, ...], count: int, index: str) -> np.ndarray:
    generator = np.random.default_rng(batch + count)
    columns = [generator.integers(0, size, (batch, count)) for size in sizes]
    made = np.stack(columns, -1) if columns else np.zeros((batch, count, 0))
    return made.astype(NUMPY[index])


def dims(batch: int, sizes: tuple[int, ...], inner: int, count: int) -> list[int]:
    return [batch, count, inner, *sizes, *(1,) * (7 - len(sizes))]


def places(indices: np.ndarray, b: int, j: int) -> tuple[int, ...]:
    return (b, *(int(i) for i in indices[b, j]))


@pytest.mark.parametrize("index", ["i32", "i64"])
@pytest.mark.parametrize("dtype", DTYPES[:-1])
def test_gather_nd(dtype: str, index: str) -> None:
    kernel = load("gather_nd")[f"gather_nd.{dtype}.{index}"]
    for batch, sizes, inner, count in CASES:
        params, indices = normal((batch, *sizes, inner), dtype, 1), tuples(batch, sizes, count, index)
        out, given = filled((batch, count, inner), dtype), dims(batch, sizes, inner, count)
        assert kernel(params, indices, out, dims=given, attrs=[len(sizes)], order=backwards) == 0
        for b in range(batch):
            for j in range(count):
                np.testing.assert_array_equal(out[b, j], params[places(indices, b, j)])
        if batch and count and sizes:
            for bad in (-1, sizes[-1]):
                indices[0, count // 2, -1] = bad
                expected = 1 if len(sizes) == 1 else 6
                assert kernel(params, indices, out, dims=given, attrs=[len(sizes)]) == expected


def change(how: str, old: np.ndarray, new: np.ndarray) -> np.ndarray:
    if how == "div":
        return old / new if old.dtype.kind == "f" else np.fix(old.astype(np.float64) / new)
    return {"update": lambda: new, "add": lambda: old + new, "sub": lambda: old - new, "mul": lambda: old * new,
            "min": lambda: np.minimum(old, new), "max": lambda: np.maximum(old, new)}[how]()


@pytest.mark.parametrize("dtype", DTYPES)
def test_scatter_nd(dtype: str) -> None:
    for how in HOW if dtype != "bool" else HOW[:1]:
        kernel = load("scatter_nd")[f"scatter_nd.{dtype}"]
        for batch, sizes, inner, count in CASES:
            table, indices = normal((batch, *sizes, inner), dtype, 1), tuples(batch, sizes, count, "i64")
            updates, attrs = normal((batch, count, inner), dtype, 2), [len(sizes), HOW.index(how)]
            if how == "div":
                updates[updates == 0] = 1
            if how == "mul":
                updates[...] = np.clip(updates, -1, 1) if dtype[0] != "u" else updates % 2
            wanted, given = table.copy(), dims(batch, sizes, inner, count)
            with np.errstate(all="ignore"):
                for b in range(batch):
                    for j in range(count):
                        wanted[places(indices, b, j)] = change(how, wanted[places(indices, b, j)], updates[b, j])
            assert kernel(indices, updates, table, dims=given, attrs=attrs, order=backwards) == 0
            close(table, wanted, dtype, 1e3)
            if batch and count and inner and sizes:
                indices[0, count // 2, 0] = sizes[0]
                assert kernel(indices, updates, table, dims=given, attrs=attrs) == (1 if len(sizes) == 1 else 6)


@pytest.mark.parametrize("dtype", ["i32", "i64", "i8", "u8"])
def test_scatter_div_of_integers(dtype: str) -> None:
    kernel = load("scatter_nd")[f"scatter_nd.{dtype}"]
    lowest = np.iinfo(NUMPY[dtype]).min
    table = np.array([lowest, 7], NUMPY[dtype])
    divisors = np.array([-1 if lowest else 1, 2], NUMPY[dtype])
    assert kernel(np.array([0, 1]), divisors, table, dims=dims(1, (2,), 1, 2), attrs=[1, 4]) == 0
    np.testing.assert_array_equal(table, [lowest, 3])
    divisors[1] = 0
    assert kernel(np.array([0, 1]), divisors, table, dims=dims(1, (2,), 1, 2), attrs=[1, 4]) == 4


@pytest.mark.parametrize("index", ["i32", "i64"])
def test_checked_indices(index: str) -> None:
    kernel = load("checked_indices")[f"checked_indices.{index}"]
    for _, sizes, _, count in CASES:
        indices = tuples(1, sizes, count, index)[0]
        out, given = filled(indices.shape, index), [count, *sizes, *(1,) * (7 - len(sizes))]
        assert kernel(indices, out, dims=given, attrs=[len(sizes)]) == 0
        np.testing.assert_array_equal(out, indices)
        if count and sizes:
            indices[-1, -1] = sizes[-1]
            assert kernel(indices, out, dims=given, attrs=[len(sizes)]) == (1 if len(sizes) == 1 else 6)
