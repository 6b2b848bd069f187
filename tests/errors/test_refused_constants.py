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
