"""Kernels on the device: products, softmax and losses, rows by index; against the CPU's, and what they refuse."""
from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import graphc as gc

from on_both import ON_GPU, check_close, check_equal, results

RANDOM = np.random.default_rng(1)
SIZES = [(1, 1, 1), (17, 33, 5), (3, 70, 65), (64, 64, 32), (5, 3, 700), (36, 72, 300)]
SIZES += [(1000, 777, 513), (2048, 1500, 260)] if ON_GPU else []


def floats(*shape: int, dtype: Any = np.float32) -> np.ndarray:
    return RANDOM.standard_normal(shape).astype(dtype)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("dtype", ["float32", "float64", "int32", "int64"])
@pytest.mark.parametrize("turned", [(False, False), (True, False), (False, True), (True, True)])
def test_matmul(device: Any, size: tuple[int, int, int], dtype: str, turned: tuple[bool, bool]) -> None:
    m, n, k = size

    def build() -> Any:
        a, b = gc.placeholder(getattr(gc, dtype), [None, None]), gc.placeholder(getattr(gc, dtype), [None, None])
        c = gc.matmul(a, b, transpose_a=turned[0], transpose_b=turned[1])
        return [c, c * 2 + 1]

    shapes = [(k, m) if turned[0] else (m, k), (n, k) if turned[1] else (k, n)]
    given = [(floats(*shape) * 3).astype(dtype) for shape in shapes]
    if dtype.startswith("int"):
        check_equal(build, *given)
    else:
        left, right = (np.abs(x.T if turn else x).astype(np.float64) for x, turn in zip(given, turned, strict=True))
        most = 2 * k * np.finfo(dtype).epsneg * (left @ right)         # two sums of k products, each in its own order
        ours, theirs = results("/gpu:0", build, given), results("/cpu:0", build, given)
        assert ours[0].dtype == theirs[0].dtype == dtype
        for times, a, b in zip((1, 2), ours, theirs, strict=True):
            assert (np.abs(a - b) <= times * most + np.finfo(dtype).eps * np.abs(b)).all()


def test_batches_of_products(device: Any) -> None:
    def build() -> Any:
        a, b = gc.placeholder(gc.float32, [None, 9, 5]), gc.placeholder(gc.float32, [None, 5, 4])
        return [gc.matmul(a, b), gc.matmul(a, b[:1])]

    check_close(build, floats(7, 9, 5), floats(7, 5, 4))


def test_a_product_over_nothing_is_zeros(device: Any) -> None:
    def build() -> Any:
        a, b = gc.placeholder(gc.float32, [None, None]), gc.placeholder(gc.float32, [None, 4])
        return [gc.matmul(a, b)]

    check_equal(build, floats(3, 0), floats(0, 4))
    check_equal(build, floats(0, 5), floats(5, 4))


@pytest.mark.parametrize("shape", [(0, 5), (1, 1), (13, 10), (300, 3), (5, 65), (4, 1000), (2, 8000), (2, 8200)])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_softmax_and_losses(device: Any, shape: tuple[int, int], dtype: str) -> None:
    def build() -> Any:
        kind = getattr(gc, dtype)
        x, p = gc.placeholder(kind, [None, shape[1]]), gc.placeholder(kind, [None, shape[1]])
        labels = gc.placeholder(gc.int32, [None])
        dense = gc.nn.softmax_cross_entropy_with_logits_v2(labels=p, logits=x)
        sparse = gc.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=x)
        gradients = [*gc.gradients(dense, x), *gc.gradients(sparse, x)]
        return [gc.nn.softmax(x), gc.nn.log_softmax(x), dense, sparse, *gradients]

    labels = RANDOM.integers(0, shape[1], shape[0]).astype(np.int32)
    given = (floats(*shape) * 4).astype(dtype)
    weights = np.abs(floats(*shape)).astype(dtype)
    check_close(build, given, weights / np.maximum(weights.sum(1, keepdims=True), 1e-3), labels, tolerance=1e-5)


@pytest.mark.parametrize("cols", [7, 9000])
def test_softmax_of_numbers_that_are_none(device: Any, cols: int) -> None:
    def build() -> Any:
        x, labels = gc.placeholder(gc.float32, [None, cols]), gc.placeholder(gc.int32, [None])
        loss = gc.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=x)
        return [gc.nn.softmax(x), gc.nn.log_softmax(x), loss]

    given = floats(6, cols)
    given[0, 3], given[1, 2], given[2, 5], given[3] = np.nan, np.inf, -np.inf, -np.inf
    given[4], given[5] = 3e38, -3e38
    check_close(build, given, np.array([0, 2, 5, 1, 6, 0], np.int32))


@pytest.mark.parametrize("wrong", [-1, 7])
def test_a_label_that_is_no_class_is_the_cpus_error(device: Any, wrong: int) -> None:
    def build() -> Any:
        x, labels = gc.placeholder(gc.float32, [None, 7]), gc.placeholder(gc.int64, [None])
        return [gc.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=x, name="loss")]

    said = []
    for where in ("/cpu:0", "/gpu:0"):
        with pytest.raises(gc.errors.InvalidArgumentError) as caught:
            results(where, build, [floats(3, 7), np.array([1, wrong, 2])])
        said.append(str(caught.value))
    assert said[0] == said[1] and f"index {wrong} is not in [0, 7)" in said[0] and "loss" in said[0]


@pytest.mark.parametrize("dtype", ["float32", "int64", "bool"])
def test_gather_and_its_gradient(device: Any, dtype: str) -> None:
    def build() -> Any:
        x, i = gc.placeholder(getattr(gc, dtype), [6, None]), gc.placeholder(gc.int64, [None])
        y = gc.gather(x, i)
        return [y, gc.gather(x, gc.cast(i, gc.int32) % 3, axis=1),
                *(map(gc.convert_to_tensor, gc.gradients(y * 2.0, x)) if dtype == "float32" else [])]

    check_equal(build, (floats(6, 5) * 9).astype(dtype), np.array([0, 5, 5, 2, 0, 3]))


@pytest.mark.parametrize("wrong", [-1, 6])
def test_a_bad_index_is_the_cpus_error(device: Any, wrong: int) -> None:
    def build() -> Any:
        return [gc.gather(gc.placeholder(gc.float32, [6]), gc.placeholder(gc.int32, [None]), name="taken")]

    said = []
    for where in ("/cpu:0", "/gpu:0"):
        with pytest.raises(gc.errors.InvalidArgumentError) as caught:
            results(where, build, [floats(6), np.array([1, wrong, 2], np.int32)])
        said.append(str(caught.value))
    assert said[0] == said[1] and f"index {wrong} is not in [0, 6)" in said[0] and "taken" in said[0]
