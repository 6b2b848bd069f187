"""Maps on the device: shapes, broadcasts, transposes, slices, dtypes, random numbers, results in place; bit for bit."""
from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import graphc as gc

from on_both import check_close, check_equal

RANDOM = np.random.default_rng(0)


def floats(*shape: int, dtype: Any = np.float32) -> np.ndarray:
    return RANDOM.standard_normal(shape).astype(dtype)


@pytest.mark.parametrize("rows", [0, 1, 3, 300])
def test_elementwise_with_a_row_broadcast(device: Any, rows: int) -> None:
    def build() -> Any:
        x = gc.placeholder(gc.float32, [None, 17])
        y = gc.placeholder(gc.float32, [17])
        z = gc.tanh(x * 2.0) + y
        return [z, gc.cast(z > 0, gc.int32), gc.exp(-x) / (1.0 + y * y)]

    check_equal(build, floats(rows, 17), floats(17))


def test_transposes_slices_pads_and_joins(device: Any) -> None:
    def build() -> Any:
        x = gc.placeholder(gc.float32, [None, 5, 7])
        y = gc.transpose(x, [2, 0, 1]) * 2.0
        return [y, x[:, ::2, 1:-1] + 1.0, gc.pad(x, [[0, 0], [1, 2], [0, 3]]), gc.concat([x, -x], 1),
                gc.reverse(x, [1]), gc.tile(x, [1, 2, 1]), gc.stack([x, x + 1.0], 2)]

    check_equal(build, floats(4, 5, 7))


@pytest.mark.parametrize("shape", [(33, 50), (16, 16), (100, 17), (40, 31)])
def test_transposes_by_tiles(device: Any, shape: tuple[int, int]) -> None:
    def build() -> Any:
        x, y = gc.placeholder(gc.float32, [None, None, 3]), gc.placeholder(gc.float32, [None, None])
        turned = gc.transpose(x, [2, 1, 0])
        return [turned * 2.0 + y, gc.transpose(y) + 1.0, gc.cast(turned, gc.float64)]

    check_equal(build, floats(*shape, 3), floats(*reversed(shape)))


@pytest.mark.parametrize("dtype", ["float32", "float64", "int32", "int64", "uint8", "int8", "int16", "uint16", "bool",
                                   "float16"])
def test_every_dtype(device: Any, dtype: str) -> None:
    kind = getattr(gc, dtype)

    def build() -> Any:
        x, y = gc.placeholder(kind, [None]), gc.placeholder(kind, [None])
        if dtype == "bool":
            return [gc.logical_and(x, y), gc.logical_not(x), gc.cast(x, gc.float32)]
        return [x + y, x * y, gc.maximum(x, y), gc.cast(x, gc.float32), x < y, gc.where(x < y, x, y)]

    given = [(RANDOM.standard_normal(501) * 50).astype(dtype) for _ in range(2)]
    check_equal(build, *given)


def test_complex_numbers(device: Any) -> None:
    def build() -> Any:
        x = gc.placeholder(gc.complex64, [None, 3])
        return [x * x, gc.conj(x), gc.real(x) + gc.imag(x), gc.transpose(x)]

    check_equal(build, (floats(6, 3) + 1j * floats(6, 3)).astype(np.complex64))


def test_random_numbers_count_runs(device: Any) -> None:
    def build() -> Any:
        return [gc.random_normal([33]), gc.random_uniform([4, 5], 0, 100, gc.int32), gc.truncated_normal([7], seed=1)]

    check_equal(build, runs=3)


def test_a_long_program_with_many_results(device: Any) -> None:
    def build() -> Any:
        x = gc.placeholder(gc.float32, [None])
        found = []
        for k in range(12):
            x = gc.sin(x * 1.5 + k) * gc.sigmoid(x)
            found.append(x)
        return found

    check_equal(build, floats(1000))


@pytest.mark.parametrize("shape", [(0, 7), (7, 0), (1, 1), (5, 3), (3, 700), (700, 3), (2, 9000), (9000, 2)])
def test_reductions_along_rows_and_columns(device: Any, shape: tuple[int, int]) -> None:
    def build() -> Any:
        x = gc.placeholder(gc.float32, [None, None])
        return [gc.reduce_sum(x, 1), gc.reduce_sum(x, 0), gc.reduce_sum(x), gc.reduce_max(x, 1), gc.reduce_min(x, 0),
                gc.reduce_sum(gc.square(x - 1.0), 1, keepdims=True) * x, gc.reduce_prod(x * 0.01 + 1.0, 0)]

    check_close(build, floats(*shape), tolerance=2e-5)


def test_integer_and_boolean_reductions_are_exact(device: Any) -> None:
    def build() -> Any:
        x = gc.placeholder(gc.int32, [None, 41])
        return [gc.reduce_sum(x, 0), gc.reduce_sum(x, 1), gc.reduce_max(x), gc.reduce_min(x, 1),
                gc.reduce_all(x > 0, 1), gc.reduce_any(x > 90, 0), gc.reduce_sum(gc.cast(x, gc.int64))]

    check_equal(build, RANDOM.integers(-100, 100, (57, 41)).astype(np.int32))


def test_a_sum_repeats_to_the_bit(device: Any) -> None:
    def build() -> Any:
        x = gc.placeholder(gc.float32, [None])
        return [gc.reduce_sum(x), gc.reduce_mean(x * x)]

    from on_both import results
    given = floats(30000)
    first, second = (results("/gpu:0", build, [given]) for _ in range(2))
    assert [a.tobytes() for a in first] == [b.tobytes() for b in second]


@pytest.mark.parametrize("axes", [[0], [1], [2], [0, 2], [0, 1, 2], [1, 2]])
def test_reductions_of_three_axes(device: Any, axes: list[int]) -> None:
    def build() -> Any:
        x = gc.placeholder(gc.float64, [None, 6, None])
        return [gc.reduce_sum(x, axes), gc.reduce_mean(gc.exp(x), axes, keepdims=True) + x]

    check_close(build, floats(5, 6, 11, dtype=np.float64), tolerance=1e-12)
