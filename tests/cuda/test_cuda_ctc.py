"""Connectionist temporal classification on the device, against the CPU's: the loss, the greedy decoder, errors."""
from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import graphc as gc
from graphc.exec.cuda.calls import ctc

from on_both import check_close, check_equal, refused

RANDOM = np.random.default_rng(11)


def sparse(rows: list[list[int]]) -> tuple[np.ndarray, np.ndarray]:
    """(indices, values) of labels."""
    places = [[i, j] for i, row in enumerate(rows) for j in range(len(row))]
    return np.array(places, np.int64).reshape(-1, 2), np.array([v for row in rows for v in row], np.int32)


def build(batch: int, classes: int, **options: Any) -> Any:
    def made() -> Any:
        x = gc.placeholder(gc.float32, [None, batch, classes])
        indices, values = gc.placeholder(gc.int64, [None, 2]), gc.placeholder(gc.int32, [None])
        lengths = gc.placeholder(gc.int32, [batch])
        labels = gc.SparseTensor(indices, values, [batch, 50])
        loss = gc.nn.ctc_loss(labels, x, lengths, **options)
        return [loss, *gc.gradients(loss * gc.constant(np.arange(batch) + 0.5, gc.float32), x)]
    return made


def logits(time: int, batch: int, classes: int) -> np.ndarray:
    return (RANDOM.standard_normal((time, batch, classes)) * 3).astype(np.float32)


@pytest.mark.parametrize("options", [{}, {"preprocess_collapse_repeated": True}, {"ctc_merge_repeated": False}],
                         ids=lambda options: next(iter(options), "plain"))
def test_losses_and_gradients(device: Any, options: dict[str, bool]) -> None:
    rows = [[1, 1, 2], [], [0], [3, 2, 2, 3]]
    x, lengths = logits(9, 4, 5), np.array([9, 4, 1, 7], np.int32)
    x[2, 0, 1], x[3, 3, 2] = -np.inf, 80
    check_close(build(4, 5, **options), x, *sparse(rows), lengths, tolerance=1e-6)


def test_sequences_some_at_a_time_and_more_classes_than_threads(device: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(ctc, "ROOM", 1)
    check_close(build(2, 260), logits(5, 2, 260), *sparse([[3, 258], [2]]), np.array([5, 3], np.int32), tolerance=1e-6)


def test_a_step_that_has_all_checks_and_is_alone(device: Any) -> None:
    check_close(lambda: build(1, 3)()[:1], logits(4, 1, 3), *sparse([[1, 0]]), np.array([4], np.int32), tolerance=1e-6)


@pytest.mark.parametrize("time", [0, 2])
def test_nothing(device: Any, time: int) -> None:
    check_close(build(2, 3), logits(time, 2, 3), *sparse([[], []]), np.array([0, time], np.int32))


def test_too_long_labels_may_be_left_out(device: Any) -> None:
    rows = sparse([[1, 1, 0], [1]])
    given = logits(4, 2, 3), *rows, np.array([2, 4], np.int32)
    check_close(build(2, 3, ignore_longer_outputs_than_inputs=True), *given, tolerance=1e-6)
    assert "Not enough time" in refused(build(2, 3), *given)


@pytest.mark.parametrize(("rows", "lengths", "said"), [
    ([[0], [1]], [5, 1], "5"), ([[0], [1]], [1, -1], "-1"), ([[0, 2, 1], [1]], [4, 4], ""),
    ([[0], [-1]], [4, 4], "-1")])
def test_refused_labels_and_lengths_are_the_cpus_errors(device: Any, rows: Any, lengths: Any, said: str) -> None:
    assert said in refused(build(2, 3), logits(4, 2, 3), *sparse(rows), np.array(lengths, np.int32))


@pytest.mark.parametrize("merge", [False, True])
@pytest.mark.parametrize(("time", "classes"), [(0, 3), (1, 1), (9, 4), (17, 300)])
def test_the_best_path(device: Any, time: int, classes: int, merge: bool) -> None:
    def build() -> Any:
        x, lengths = gc.placeholder(gc.float32, [None, 3, classes]), gc.placeholder(gc.int32, [3])
        [path], score = gc.nn.ctc_greedy_decoder(x, lengths, merge)
        return [path.indices, path.values, path.dense_shape, score]

    x, before = np.round(logits(time, 3, classes)), device.work["launch"]      # with equal ones
    lengths = np.array([time, time // 2, 0], np.int32)
    check_equal(build, x, lengths)
    for place, value in ((0, np.nan), (classes - 1, np.nan), (classes // 2, np.inf), (0, -np.inf)):
        x[:time // 2 + 1, :, place] = value
        check_equal(build, x, lengths)
    assert device.work["launch"] > before
    lengths[1] = time + 1
    assert str(time + 1) in refused(build, x, lengths)
