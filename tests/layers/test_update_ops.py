"""minimize() warns of batch norm's updates that it leaves out, and never runs them itself."""
from __future__ import annotations

import warnings
from typing import Any

import pytest

import graphc as gc


def _loss() -> Any:
    x = gc.placeholder(gc.float32, [None, 3])
    y = gc.layers.dense(gc.layers.batch_normalization(x, training=True), 1)
    return gc.reduce_mean(gc.square(y))


def _minimize(loss: Any) -> Any:
    return gc.train.GradientDescentOptimizer(0.1).minimize(loss)


def test_updates_left_out_are_told_once_with_the_users_line() -> None:
    loss = _loss()
    with pytest.warns(UserWarning, match=r"leaves out 2 ops of the collection UPDATE_OPS.*AssignMovingAvg") as told:
        train_op = _minimize(loss)
    assert told[0].filename == __file__
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        _minimize(loss)
    with gc.Session() as session:
        session.run(gc.global_variables_initializer())
        mean = next(v for v in gc.global_variables() if "moving_mean" in v.name)
        session.run(train_op, {loss.graph.get_tensor_by_name("Placeholder:0"): [[1.0, 2.0, 3.0], [2.0, 2.0, 2.0]]})
        assert session.run(mean).tolist() == [0.0, 0.0, 0.0]


def test_updates_that_run_around_minimize_are_not_told_of() -> None:
    loss = _loss()
    with warnings.catch_warnings(), gc.control_dependencies(gc.get_collection(gc.GraphKeys.UPDATE_OPS)):
        warnings.simplefilter("error")
        _minimize(loss)


def test_a_loss_that_waits_is_not_enough() -> None:
    """The train op needs the gradients only, never the value of the loss."""
    loss = _loss()
    with gc.control_dependencies(gc.get_collection(gc.GraphKeys.UPDATE_OPS)):
        loss = gc.identity(loss)
    with pytest.warns(UserWarning, match="UPDATE_OPS"):
        _minimize(loss)


def test_updates_of_another_network_are_none_of_the_loss() -> None:
    x = gc.placeholder(gc.float32, [None, 3])
    gc.layers.batch_normalization(x, training=True)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        _minimize(gc.reduce_mean(gc.square(gc.layers.dense(x, 1))))
