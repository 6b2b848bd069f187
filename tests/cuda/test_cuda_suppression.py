"""Suppressed boxes on the device: the CPU's picks and bits."""
from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import graphc as gc
from graphc.exec.cuda.calls import suppression

from on_both import check_equal, refused

RANDOM = np.random.default_rng(13)


def boxes(count: int, *more: int) -> np.ndarray:
    """Many of them near one another, corners in any order, some without an area."""
    first = RANDOM.integers(0, 12, (count, *more, 2)) / 16
    made = np.concatenate([first, first + RANDOM.integers(-2, 6, first.shape) / 16], axis=-1)
    return made.astype(np.float32)


def scores(*shape: int) -> np.ndarray:
    """With equal ones, both zeros, and what is no number."""
    made = (RANDOM.integers(-4, 12, shape) / 8).astype(np.float32)
    made.flat[::7] = -0.0
    made.flat[5::11], made.flat[6::23] = np.nan, np.inf
    return made


@pytest.mark.parametrize(("count", "sigma"), [(0, 0.0), (1, 0.4), (3, 0.0), (300, 0.0), (31, 0.4)])
def test_boxes(device: Any, count: int, sigma: float) -> None:
    def build() -> Any:
        given, score = gc.placeholder(gc.float32, [None, 4]), gc.placeholder(gc.float32, [None])
        found = [gc.image.non_max_suppression_with_scores(given, score, 20, limit, least, soft_nms_sigma=sigma)
                 for limit, least in ((0.3, 0.1), (0.0, float("-inf")))]
        return [value for one in found for value in one]

    before = device.work["launch"]
    check_equal(build, boxes(count), scores(count))
    assert device.work["launch"] > before


def test_a_table_of_overlaps(device: Any) -> None:
    def build() -> Any:
        table, score = gc.placeholder(gc.float32, [None, None]), gc.placeholder(gc.float32, [None])
        return [gc.image.non_max_suppression_overlaps(table, score, 9, limit, 0.0) for limit in (0.5, -1.0)]

    check_equal(build, RANDOM.random((31, 31)).astype(np.float32), scores(31))


@pytest.mark.parametrize(("kinds", "classes", "clip", "room"), [
    (1, 3, False, 1 << 20), (4, 4, True, 1), (1, 33, True, 1 << 20)])
def test_classes(device: Any, kinds: int, classes: int, clip: bool, room: int, monkeypatch: Any) -> None:
    monkeypatch.setattr(suppression, "ROOM", room)             # a class at a time, or all

    def build() -> Any:
        given = gc.placeholder(gc.float32, [2, None, kinds, 4])
        score = gc.placeholder(gc.float32, [2, None, classes])
        return list(gc.image.combined_non_max_suppression(given, score, 4, 17, 0.4, 0.0, clip_boxes=clip))

    check_equal(build, boxes(2, 17, kinds) * 3 - 1, scores(2, 17, classes))


def test_more_classes_than_threads(device: Any) -> None:
    def build() -> Any:
        given = gc.placeholder(gc.float32, [1, None, 1, 4])
        score = gc.placeholder(gc.float32, [1, None, 260])
        return list(gc.image.combined_non_max_suppression(given, score, 1, 3, 0.4, 0.9))

    check_equal(build, boxes(1, 2, 1), scores(1, 2, 260))


def test_a_limit_that_is_no_overlap_is_the_cpus_error(device: Any) -> None:
    def build() -> Any:
        given, limit = gc.placeholder(gc.float32, [None, 4]), gc.placeholder(gc.float32, [])
        return [gc.image.non_max_suppression(given, gc.reduce_sum(given, 1), 3, limit)]

    for limit in (1.5, -0.1, np.nan):
        refused(build, boxes(5), np.float32(limit))
