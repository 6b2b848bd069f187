"""Constants that an op refuses give the run's error, with op and line, not the folding pass' own."""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import graphc as gc


def _label_of_no_class() -> Any:
    return gc.nn.sparse_softmax_cross_entropy_with_logits(labels=[3], logits=[[1.0, 2.0, 3.0]])


def _more_labels_than_time() -> Any:
    labels = gc.SparseTensor([[0, 0], [0, 1], [0, 2]], [1, 0, 1], [1, 3])
    return gc.nn.ctc_loss(labels, gc.zeros([2, 1, 3]), [2])


def _longer_than_time() -> Any:
    return gc.nn.ctc_greedy_decoder(gc.zeros([2, 1, 3]), [5])[1]


@pytest.mark.parametrize("build, op", [
    (_label_of_no_class, "SparseSoftmaxCrossEntropyWithLogits"), (_more_labels_than_time, "CTCLoss"),
    (_longer_than_time, "CTCGreedyDecoder"),
])
def test_refused_constants_are_errors_of_the_run(build: Callable[[], Any], op: str) -> None:
    refused = build()
    with gc.Session() as session, pytest.raises(gc.errors.InvalidArgumentError, match=rf"{op}.*\n.*built at"):
        session.run(refused)


SIZES = {
    "zeros": lambda: gc.zeros([2.5]), "strings": lambda: gc.zeros(["a"]),
    "reshape": lambda: gc.reshape([1, 2], gc.constant([2.0])),
    "tile": lambda: gc.tile([1], gc.constant([2.0])), "depth": lambda: gc.one_hot([1], gc.constant(2.0)),
    "shift": lambda: gc.roll([1, 2], gc.constant(1.0), 0), "paddings": lambda: gc.pad([1], gc.constant([[1.0, 1.0]])),
    "eye": lambda: gc.eye(gc.constant(2.0)), "a list with tensors": lambda: gc.fill([gc.constant(2.0), 3], 1),
}


@pytest.mark.parametrize("name", SIZES)
def test_sizes_that_are_no_integers_are_refused_where_the_op_is_built(name: str) -> None:
    with pytest.raises(TypeError, match=r"argument '\w+': integers are needed, not <gc.Tensor"):
        SIZES[name]()


@pytest.mark.parametrize("build", [
    lambda: gc.signal.frame([1.0, 2.0], 2, 0), lambda: gc.signal.stft([1.0, 2.0], 2, 0),
    lambda: gc.signal.overlap_and_add([[1.0, 2.0]], 0)])
def test_frames_move_on(build: Callable[[], Any]) -> None:
    with pytest.raises(ValueError, match="frame_step must be at least 1, but is 0"):
        build()
