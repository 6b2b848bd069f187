"""SyncReplicasOptimizer in one process: what is averaged, when it is applied, what it has for TensorFlow's scripts."""
from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import graphc as gc


@pytest.fixture(autouse=True)
def graph() -> Iterator[gc.Graph]:
    with gc.Graph().as_default() as made:
        yield made


def test_the_mean_of_several_steps_is_applied_once() -> None:
    w, b, x = gc.Variable([1.0, 2.0]), gc.Variable(0.0), gc.placeholder(gc.float32, [2])
    unused, step = gc.Variable(5.0), gc.train.get_or_create_global_step()
    average = gc.train.ExponentialMovingAverage(0.5)
    sync = gc.train.SyncReplicasOptimizer(gc.train.MomentumOptimizer(0.5, 0.5), 3, total_num_replicas=1,
                                          variable_averages=average, variables_to_average=[w])
    train = sync.minimize(gc.reduce_sum(w * x) + b, global_step=step, var_list=[w, b, unused])
    assert isinstance(train, gc.Operation) and sync.get_slot(w, "momentum") is not None
    with gc.Session() as session:
        session.run(gc.global_variables_initializer())
        session.run(sync.chief_init_op)
        for value in ([1, 2], [3, 0]):
            session.run(train, {x: value})
        assert session.run([w, b, step])[0].tolist() == [1, 2] and session.run(step) == 0
        session.run(train, {x: [5, 4]})                             # means: 3, 2, 1
        found = session.run([w, b, step, unused, average.average(w)])
        assert [np.asarray(f).tolist() for f in found] == [[-0.5, 1.0], -0.5, 1, 5.0, [0.25, 1.5]]
        for _ in range(3):
            session.run(train, {x: [1, 1]})                         # momentum: 1 + 3 / 2, 1 + 2 / 2, 1 + 1 / 2
        found = session.run([w, b, step])
        assert [np.asarray(f).tolist() for f in found] == [[-1.75, 0.0], -1.25, 2]


def test_rows_are_averaged_over_the_steps_that_have_them() -> None:
    table, ids = gc.Variable(np.zeros((3, 2), np.float32)), gc.placeholder(gc.int32, [None])
    step = gc.train.get_or_create_global_step()
    sync = gc.train.SyncReplicasOptimizer(gc.train.GradientDescentOptimizer(1.0), 2)
    train = sync.minimize(gc.reduce_sum(gc.gather(table, ids)), global_step=step)
    with gc.Session() as session:
        session.run(gc.global_variables_initializer())
        session.run(train, {ids: [0, 2]})
        session.run(train, {ids: [2]})
        assert session.run([table, step])[0].tolist() == [[-1, -1], [0, 0], [-1, -1]]


@pytest.mark.parametrize("count", [1, 4])
def test_what_scripts_ask_for(count: int) -> None:
    w, step = gc.Variable([1.0]), gc.train.get_or_create_global_step()
    sync = gc.train.SyncReplicasOptimizer(gc.train.GradientDescentOptimizer(0.5), count, total_num_replicas=1)
    for ask, message in ((sync.get_chief_queue_runner, "Should be called after apply_gradients"),
                         (sync.get_init_tokens_op, "should be called after apply_gradients"),
                         (lambda: sync.make_session_run_hook(True), "apply_gradients should be called")):
        with pytest.raises(ValueError, match=message):
            ask()
    train = sync.minimize(gc.reduce_sum(w), global_step=step)
    if count > 1:
        with pytest.raises(ValueError, match=r"Too few tokens to finish the first step: 2 \(given\) vs 3 \(needed\)"):
            sync.get_init_tokens_op(2)
    runner, tokens, hook = sync.get_chief_queue_runner(), sync.get_init_tokens_op(), sync.make_session_run_hook(True)
    hook.begin()
    with gc.Session() as session:
        with pytest.raises(RuntimeError, match="variables not initialized: Variable"):
            hook.after_create_session(session, None)
        session.run(gc.global_variables_initializer())
        session.run([sync.local_step_init_op, tokens])
        hook.after_create_session(session, None)
        assert runner.create_threads(session, coord=gc.train.Coordinator(), start=True) == []
        for _ in range(count):
            session.run(train)
        assert session.run([w, step]) == [0.5, 1]


def test_threads_in_any_order() -> None:
    w, v, step = gc.Variable([1.0, 2.0]), gc.Variable(1.0), gc.train.get_or_create_global_step()
    sync = gc.train.SyncReplicasOptimizer(gc.train.GradientDescentOptimizer(1.0), 3)
    train = sync.minimize(gc.reduce_sum(w) + v, global_step=step)
    errors: list[Any] = []
    with gc.Session() as session:
        session.run(gc.global_variables_initializer())

        def replica() -> None:
            try:
                for _ in range(50):
                    session.run(train)
            except BaseException as error:
                errors.append(error)

        threads = [threading.Thread(target=replica, daemon=True) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
            assert not thread.is_alive()
        assert not errors
        steps, values, single = session.run([step, w, v])
        assert 0 < steps <= 200 // 3
        np.testing.assert_allclose([*(values - [1, 2]), single - 1], -steps)


@pytest.mark.parametrize("count", [1, 2])
def test_variables_have_the_names_that_the_optimizer_gives_them(count: int) -> None:
    w, step = gc.Variable([1.0], name="w"), gc.train.get_or_create_global_step()
    sync = gc.train.SyncReplicasOptimizer(gc.train.AdamOptimizer(), count)
    train = sync.minimize(gc.reduce_sum(w), global_step=step)
    names = [v.op.name for v in gc.global_variables()]
    assert names == ["w", "global_step", "beta1_power", "beta2_power", "w/Adam", "w/Adam_1"], names
    with pytest.raises(ValueError, match="No gradients provided for any variable"):
        sync.apply_gradients([(None, w)], step)
    with gc.Session() as session:
        session.run(gc.global_variables_initializer())
        session.run(train)
        session.run(train)
        assert session.run(step) == 2 // count


@pytest.mark.parametrize(("given", "argument"), [((0, 1), "replicas_to_aggregate"), ((1, 0), "total_num_replicas")])
def test_counts_are_positive(given: Any, argument: str) -> None:
    with pytest.raises(ValueError, match=f"'{argument}' must be positive, but is 0"):
        gc.train.SyncReplicasOptimizer(gc.train.AdamOptimizer(), *given)
