"""contrib.training: create_train_op, train, evaluate_once and evaluate_repeatedly."""
from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import graphc as gc

training = gc.contrib.training


@pytest.fixture(autouse=True)
def own_graph() -> None:
    gc.reset_default_graph()
    gc.summary.FileWriterCache.clear()


def loss_of_two() -> tuple[Any, Any, Any]:
    """(loss, v, w): gradients 2 v and 3."""
    v, w = gc.Variable([3.0, 4.0], name="v"), gc.Variable(1.0, name="w")
    return gc.add(gc.reduce_sum(gc.square(v)), 3.0 * w, name="total"), v, w


def one_step(**more: Any) -> list[Any]:
    """[loss, v, w, global step] of one step of plain descent by 0.5."""
    loss, v, w = loss_of_two()
    train_op = training.create_train_op(loss, gc.train.GradientDescentOptimizer(0.5), **more)
    assert train_op in gc.get_collection(gc.GraphKeys.TRAIN_OP) and train_op.op.name == "train_op/control_dependency"
    with gc.Session() as session:
        session.run(gc.global_variables_initializer())
        value = session.run(train_op)
        step = gc.train.get_global_step()
        return [value, session.run(v).tolist(), session.run(w), None if step is None else session.run(step)]


def test_a_train_op_steps_and_gives_the_loss() -> None:
    assert one_step() == [28, [0, 0], -0.5, 1]


def test_train_ops_without_a_step_of_some_variables() -> None:
    assert one_step(global_step=None)[3] is None
    gc.reset_default_graph()
    loss, v, w = loss_of_two()
    train_op = training.create_train_op(loss, gc.train.GradientDescentOptimizer(0.5), variables_to_train=[w])
    with gc.Session() as session:
        session.run(gc.global_variables_initializer())
        session.run(train_op)
        assert session.run(v).tolist() == [3, 4] and session.run(w) == -0.5
    with pytest.raises(ValueError, match=r"not among the trainable variables: .*global_step"):
        training.create_train_op(loss, gc.train.GradientDescentOptimizer(0.5),
                                 variables_to_train=[gc.train.get_global_step()])


def test_transformed_gradients() -> None:
    assert one_step(transform_grads_fn=training.clip_gradient_norms_fn(1.0))[1:3] == [
        pytest.approx([3 - 0.3, 4 - 0.4]), 0.5]
    gc.reset_default_graph()
    assert one_step(transform_grads_fn=lambda pairs: training.multiply_gradients(pairs, {"v": 0.5}))[1:3] == [
        [1.5, 2], -0.5]
    gc.reset_default_graph()
    _, v, w = loss_of_two()
    with pytest.raises(ValueError, match="multiple of `None` gradient: of v"):
        training.multiply_gradients([(None, v)], {v: 2.0})
    for pairs, factors in (((), {v: 1}), ([], {}), ([], [1])):
        with pytest.raises(ValueError):
            training.multiply_gradients(pairs, factors)
    assert training.clip_gradient_norms([(None, w)], 1.0) == [(None, w)]


def test_rows_of_gradients() -> None:
    table = gc.Variable(np.ones((3, 2), np.float32))
    loss = gc.reduce_sum(gc.gather(table, [0, 0]))
    fns = lambda pairs: training.multiply_gradients(training.clip_gradient_norms(pairs, 1.0), {table: 2.0})  # noqa: E731
    train_op = training.create_train_op(loss, gc.train.GradientDescentOptimizer(1.0), transform_grads_fn=fns)
    with gc.Session() as session:
        session.run(gc.global_variables_initializer())
        session.run(train_op)
        np.testing.assert_allclose(session.run(table), [[-1, -1], [1, 1], [1, 1]], atol=1e-6)


def test_update_ops_run_before_the_loss(caplog: pytest.LogCaptureFixture) -> None:
    loss, _v, _w = loss_of_two()
    seen = gc.Variable(0.0, trainable=False)
    update = gc.assign_add(seen, 1.0)
    gc.add_to_collection(gc.GraphKeys.UPDATE_OPS, update)
    with_updates = training.create_train_op(loss, gc.train.GradientDescentOptimizer(0.5))
    assert not caplog.records
    without = training.create_train_op(loss, gc.train.GradientDescentOptimizer(0.5), update_ops=[])
    assert "does not contain all the update_ops" in caplog.text
    with gc.Session() as session:
        session.run(gc.global_variables_initializer())
        session.run(with_updates)
        assert session.run(seen) == 1
        session.run(without)
        assert session.run(seen) == 1


def test_the_loss_must_be_finite() -> None:
    v = gc.Variable(1.0)
    loss = gc.log(v - 2.0)
    optimizer = gc.train.GradientDescentOptimizer(0.5)
    checked = training.create_train_op(loss, optimizer)
    free = training.create_train_op(loss, optimizer, check_numerics=False)
    with gc.Session() as session:
        session.run(gc.global_variables_initializer())
        assert np.isnan(session.run(free))
        with pytest.raises(gc.errors.InvalidArgumentError, match="LossTensor is inf or nan"):
            session.run(checked)


def test_summaries_of_gradients() -> None:
    loss, _v, _w = loss_of_two()
    training.create_train_op(loss, gc.train.GradientDescentOptimizer(0.5), summarize_gradients=True)
    assert [t.op.name for t in gc.get_collection(gc.GraphKeys.SUMMARIES)] == [
        f"summarize_grads/{name}_gradient{end}" for name in "vw" for end in ("", "_norm")]


def test_training_then_evaluation(tmp_path: Path) -> None:
    folder = str(tmp_path)
    loss = loss_of_two()[0]
    train_op = training.create_train_op(loss, gc.train.GradientDescentOptimizer(0.5))
    last = training.train(train_op, folder, hooks=[gc.train.StopAtStepHook(last_step=3)], save_summaries_steps=None)
    assert last == pytest.approx(-6) and gc.train.latest_checkpoint(folder) == str(tmp_path / "model.ckpt-3")
    for name in ("save_checkpoint_secs", "save_summaries_steps"):
        with pytest.raises(ValueError, match=f"logdir cannot be None when {name}"):
            training.train(train_op, None, **{"save_checkpoint_secs": None, "save_summaries_steps": None, name: 1})

    gc.reset_default_graph()
    loss, _v, w = loss_of_two()
    gc.train.get_or_create_global_step()
    gc.summary.scalar("w", w)
    runs = gc.get_variable("runs", [], gc.int32, initializer=gc.zeros_initializer(), trainable=False,
                           collections=[gc.GraphKeys.LOCAL_VARIABLES])
    hooks = [training.StopAfterNEvalsHook(4), training.SummaryAtEndHook(str(tmp_path / "eval"))]
    found = training.evaluate_once(gc.train.latest_checkpoint(folder), eval_ops=gc.assign_add(runs, 1), hooks=hooks,
                                   final_ops={"w": w, "runs": runs})
    assert found == {"w": -3.5, "runs": 4} and training.get_or_create_eval_step().op.name == "eval_step"
    gc.summary.FileWriterCache.clear()
    told = [(e.step, e.summary.value[0].simple_value) for p in (tmp_path / "eval").iterdir()
            for e in gc.train.summary_iterator(str(p)) if e.WhichOneof("what") == "summary"]
    assert told == [(3, -3.5)]


def test_repeated_evaluation(tmp_path: Path) -> None:
    _loss, v, w = loss_of_two()
    saver = gc.train.Saver([v, w])
    bump = w.assign_add(1.0)
    value = gc.identity(w)
    with gc.Session() as session:
        session.run(gc.global_variables_initializer())
        saver.save(session, str(tmp_path / "m"), global_step=0)
        asked = []

        def timed_out() -> bool:
            asked.append(1)
            session.run(bump)
            saver.save(session, str(tmp_path / "m"), global_step=len(asked))
            return len(asked) == 3

        seen: list[float] = []

        class Looks(gc.train.SessionRunHook):
            def end(self, inner: Any) -> None:
                seen.append(float(inner.run(value)))

        scaffold = gc.train.Scaffold(saver=saver)
        last = training.evaluate_repeatedly(str(tmp_path), scaffold=scaffold, final_ops=value, eval_interval_secs=0,
                                            hooks=[Looks()], timeout=0, timeout_fn=timed_out)
    assert seen == [1, 2, 3] and last == 3
    assert list(gc.train.checkpoints_iterator(str(tmp_path), timeout=0)) == [str(tmp_path / "m-3")]
    assert training.wait_for_new_checkpoint(str(tmp_path), str(tmp_path / "m-3"), timeout=0) is None
    with pytest.raises(ValueError, match="above 0"):
        training.evaluate_repeatedly(str(tmp_path), max_number_of_evaluations=0)
