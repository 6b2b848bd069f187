"""What optimizers ask of their arguments, name and leave behind; updates of rows happen in place or not at all."""
from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import graphc as gc
from graphc.plan.compile import compile_graph
from graphc.plan.plan import BufferKind, Call, DimKind, Map

SPARSE = {
    "sgd": lambda: gc.train.GradientDescentOptimizer(0.1), "momentum": lambda: gc.train.MomentumOptimizer(0.1, 0.9),
    "adagrad": lambda: gc.train.AdagradOptimizer(0.1), "adadelta": lambda: gc.train.AdadeltaOptimizer(0.1),
    "rmsprop": lambda: gc.train.RMSPropOptimizer(0.1, centered=True), "ftrl": lambda: gc.train.FtrlOptimizer(0.1),
    "proximal": lambda: gc.train.ProximalAdagradOptimizer(0.1),
    "lazy_adam": lambda: gc.contrib.opt.LazyAdamOptimizer(0.1),
}


@pytest.fixture(autouse=True)
def graph():
    with gc.Graph().as_default() as made:
        yield made


def lookup(rows: int = 1000) -> tuple[Any, Any, Any]:
    table, ids = gc.Variable(gc.ones([rows, 8]), name="table"), gc.placeholder(gc.int32, [None])
    return table, ids, gc.reduce_sum(gc.gather(table, ids) ** 2)


@pytest.mark.parametrize("name", SPARSE)
def test_no_step_is_as_large_as_the_table(name: str) -> None:
    """Every buffer of that size is a variable itself, and no map goes over it."""
    _, ids, loss = lookup()
    step = SPARSE[name]().minimize(loss)
    body = compile_graph([], [step], [ids], [1]).plan.bodies[0]
    large = [b for b in body.buffers if _elements(body, b) == 8000]
    assert large and all(b.kind == BufferKind.STATE for b in large)
    written = [body.buffers[s.operands[-1]] for s in body.steps if isinstance(s, Call)
               and s.kernel.startswith("scatter_nd")]
    assert written and all(b.kind == BufferKind.STATE for b in written)
    for s in body.steps:
        if isinstance(s, Map):
            assert all(_elements(body, body.buffers[a.buffer]) != 8000 for a in (*s.loads, *s.stores))


def test_adam_moves_every_row_in_place() -> None:
    _, ids, loss = lookup()
    body = compile_graph([], [gc.train.AdamOptimizer(0.1).minimize(loss)], [ids], [1]).plan.bodies[0]
    assert all(b.kind == BufferKind.STATE for b in body.buffers if _elements(body, b) == 8000)


def _elements(body: Any, buffer: Any) -> int | None:
    dims = [body.dims[d] for d in buffer.dims]
    return int(np.prod([d.value for d in dims])) if all(d.kind == DimKind.CONST for d in dims) else None


@pytest.mark.parametrize("name", [*SPARSE, "adam"])
def test_a_bad_index_changes_nothing(name: str) -> None:
    table, ids, _ = lookup(5)
    optimizer = SPARSE.get(name, lambda: gc.train.AdamOptimizer(0.1))()
    # The gather of the loss would find a bad index first: these come from elsewhere.
    slices = gc.IndexedSlices(gc.ones([3, 8]), ids, gc.constant([5, 8]))
    step = optimizer.apply_gradients([(slices, table)])
    with gc.Session() as session:
        session.run(gc.global_variables_initializer())
        before = session.run(gc.global_variables())
        for bad in ([1, 5, 0], [-1, 1, 1]):
            with pytest.raises(gc.errors.InvalidArgumentError, match=r"is not in \[0, 5\)"):
                session.run(step, {ids: bad})
        for a, b in zip(before, session.run(gc.global_variables()), strict=True):
            np.testing.assert_array_equal(a, b)
        session.run(step, {ids: [4, 1, 4]})
        assert (session.run(table)[[1, 4]] != 1).all()


def test_reads_beside_a_step() -> None:
    """Values from before the step, the variable object from behind it."""
    table, ids, loss = lookup(5)
    step = gc.train.GradientDescentOptimizer(0.25).minimize(loss)
    with gc.Session() as session:
        session.run(gc.global_variables_initializer())
        _, value, read, after = session.run([step, loss, gc.gather(table, ids), table], {ids: [2, 2]})
        assert value == 16 and (read == 1).all()
        np.testing.assert_array_equal(after[:, 0], [1, 1, 0, 1, 1])


def test_steps_in_a_loop() -> None:
    """What is read is the value at the start of the run."""
    table, ids, _ = lookup(5)

    def body(i: Any) -> Any:
        with gc.control_dependencies([gc.scatter_sub(table, ids, 0.5 * gc.gather(table, ids))]):
            return i + 1

    done = gc.while_loop(lambda i: i < 3, body, [0])
    with gc.Session() as session:
        session.run(gc.global_variables_initializer())
        session.run(done, {ids: [0, 3]})
        np.testing.assert_allclose(session.run(table)[:, 0], [-0.5, 1, 1, -0.5, 1])


def test_a_table_with_dense_and_sparse_gradients() -> None:
    table, _, loss = lookup(4)
    pairs = gc.train.AdagradOptimizer(0.5).compute_gradients(loss + gc.reduce_sum(table))
    assert isinstance(pairs[0][0], gc.Tensor)
    sparse = gc.train.AdagradOptimizer(0.5).compute_gradients(loss)
    assert isinstance(sparse[0][0], gc.IndexedSlices)


class ByHand(gc.train.Optimizer):
    """A user's optimizer, which is given every row once."""

    seen: Any = None

    def __init__(self) -> None:
        super().__init__(False, "ByHand")

    def _apply_sparse(self, grad: Any, var: Any) -> Any:
        self.seen = grad
        return gc.scatter_sub(var, grad.indices, grad.values * grad.values)

    def _apply_dense(self, grad: Any, var: Any) -> Any:
        return var.assign_sub(grad)


def test_a_users_optimizer_gets_distinct_rows() -> None:
    table, ids, loss = lookup(5)
    optimizer = ByHand()
    step = optimizer.minimize(loss)
    with gc.Session() as session:
        session.run(gc.global_variables_initializer())
        seen, _ = session.run([optimizer.seen, step], {ids: [3, 1, 3]})
        assert seen.indices.tolist() == [3, 1]
        np.testing.assert_array_equal(seen.values[:, 0], [4, 2])
        np.testing.assert_array_equal(session.run(table)[:, 0], [1, -3, 1, -15, 1])


def test_names(graph: Any) -> None:
    with gc.variable_scope("net"):
        w = gc.get_variable("w", [2])
    loss = gc.reduce_sum(w)
    with gc.name_scope("train"):
        adam, rms = gc.train.AdamOptimizer(), gc.train.RMSPropOptimizer(0.1, name="RMS")
        step = adam.minimize(loss, name="step")
        rms.minimize(loss)
    assert step.name == "train/step" and step in graph.get_collection(gc.GraphKeys.TRAIN_OP)
    assert [v.name for v in adam.variables()] == ["net/w/Adam:0", "net/w/Adam_1:0", "train/beta1_power:0",
                                                  "train/beta2_power:0"]
    assert adam.get_slot_names() == ["m", "v"] and rms.get_slot_names() == ["momentum", "rms"]
    assert adam.get_slot(w, "m").name == "net/w/Adam:0" and adam.get_slot(w, "rms") is None
    assert [v.name for v in rms.variables()] == ["net/w/RMS:0", "net/w/RMS_1:0"]
    assert gc.trainable_variables() == [w] and adam.get_name() == "Adam"
    assert {op.type for op in graph.get_operations() if op.name.startswith("train/step/update_net/w/")} >= {"ApplyAdam"}


def test_constraints() -> None:
    w = gc.Variable([3.0, -3.0], constraint=lambda x: gc.clip_by_value(x, -1.0, 1.0))
    step = gc.train.GradientDescentOptimizer(0.1).minimize(gc.reduce_sum(w))
    with gc.Session() as session:
        session.run(gc.global_variables_initializer())
        session.run(step)
        np.testing.assert_array_equal(session.run(w), [1, -1])
    with pytest.raises(RuntimeError, match="Cannot use a constraint function on a sparse variable"):
        gc.train.GradientDescentOptimizer(0.1).minimize(gc.reduce_sum(gc.gather(w, [0])))


def test_refusals() -> None:
    w, n = gc.Variable([1.0]), gc.Variable(1)
    sgd = gc.train.GradientDescentOptimizer(0.1)
    loss = gc.reduce_sum(w)
    with pytest.raises(ValueError, match=r"gate_gradients must be one of: Optimizer.GATE_NONE"):
        sgd.minimize(loss, gate_gradients=7)
    with pytest.raises(ValueError, match=r"Invalid type int32 for .*, expected: "):
        sgd.minimize(n * 2)
    with pytest.raises(TypeError, match="Argument is not a variable: 3"):
        sgd.compute_gradients(loss, [3])
    with pytest.raises(TypeError, match="Gradient must be convertible to a Tensor or IndexedSlices, or None"):
        sgd.apply_gradients([(object(), w)])
    with pytest.raises(ValueError, match="No variables provided"):
        sgd.apply_gradients([])
    with pytest.raises(ValueError, match="No gradients provided for any variable"):
        sgd.apply_gradients([(None, w)])
    with pytest.raises(ValueError, match="Must specify the optimizer name"):
        gc.train.AdamOptimizer(name="")
    for make in (gc.train.AdagradOptimizer, gc.train.ProximalAdagradOptimizer):
        with pytest.raises(ValueError, match=r"initial_accumulator_value must be positive: 0\.0"):
            make(0.1, initial_accumulator_value=0.0)
    with pytest.raises(ValueError, match=r"learning_rate_power 0.5 needs to be negative or zero"):
        gc.train.FtrlOptimizer(0.1, learning_rate_power=0.5)
    with pytest.raises(ValueError, match=r"l1_regularization_strength -1.0 needs to be positive or zero"):
        gc.train.FtrlOptimizer(0.1, l1_regularization_strength=-1.0)
    with pytest.raises(ValueError, match=r"must be positive: 0.0"):
        gc.train.AdagradDAOptimizer(0.1, gc.train.get_or_create_global_step(), 0.0)


def test_rates_may_be_functions_tensors_and_variables() -> None:
    for rate in (lambda: 0.5, gc.constant(0.5), gc.Variable(0.5, trainable=False)):
        w = gc.Variable([1.0])
        step = gc.train.MomentumOptimizer(rate, 0.0).minimize(gc.reduce_sum(w), var_list=[w])
        with gc.Session() as session:
            session.run(gc.global_variables_initializer())
            session.run(step)
            assert session.run(w) == [0.5]


def test_sync_replicas_of_one_process() -> None:
    w, step = gc.Variable([1.0]), gc.train.get_or_create_global_step()
    average = gc.train.ExponentialMovingAverage(0.5)
    sync = gc.train.SyncReplicasOptimizer(gc.train.MomentumOptimizer(0.5, 0.0), 1, variable_averages=average,
                                          variables_to_average=[w])
    with pytest.raises(ValueError, match="apply_gradients should be called"):
        sync.make_session_run_hook(True)
    with pytest.raises(ValueError, match="Global step is required"):
        sync.minimize(gc.reduce_sum(w))
    op = sync.minimize(gc.reduce_sum(w), global_step=step)
    assert sync.get_slot_names() == ["momentum"] and sync.get_slot(w, "momentum") is not None
    sync.make_session_run_hook(is_chief=True)
    with gc.Session() as session:
        session.run(gc.global_variables_initializer())
        session.run(op)
        assert session.run([w, step, average.average(w)]) == [0.5, 1, 0.75]


def test_moving_average_optimizer() -> None:
    w = gc.Variable([1.0], name="w")
    optimizer = gc.contrib.opt.MovingAverageOptimizer(gc.train.GradientDescentOptimizer(0.5), average_decay=0.5)
    with pytest.raises(RuntimeError, match="Must call apply_gradients or minimize before"):
        optimizer.swapping_saver()
    op = optimizer.minimize(gc.reduce_sum(w))
    assert op.name == "train_with_avg"
    with gc.Session() as session:
        session.run(gc.global_variables_initializer())
        session.run(op)
        assert session.run([w, optimizer.average(w)]) == [0.5, 0.75]


def test_weight_decay_of_some_variables() -> None:
    a, b = gc.Variable([1.0]), gc.Variable([1.0])
    loss = 0.0 * gc.reduce_sum(a) + 0.0 * gc.reduce_sum(b)
    step = gc.contrib.opt.MomentumWOptimizer(0.25, 0.1, 0.9).minimize(loss, decay_var_list=[a])
    kind = gc.contrib.opt.extend_with_decoupled_weight_decay(gc.train.GradientDescentOptimizer)
    more = kind(0.5, learning_rate=0.1).minimize(loss)
    with gc.Session() as session:
        session.run(gc.global_variables_initializer())
        session.run(step)
        assert session.run([a, b]) == [0.75, 1.0]
        session.run(more)
        assert session.run([a, b]) == [0.375, 0.5]


def test_lars_skips() -> None:
    w = gc.Variable([3.0, 4.0], name="batch_norm")
    step = gc.contrib.opt.LARSOptimizer(0.5, momentum=0.0, skip_list=["batch"]).minimize(gc.reduce_sum(w))
    with gc.Session() as session:
        session.run(gc.global_variables_initializer())
        session.run(step)
        np.testing.assert_array_equal(session.run(w), [2.5, 3.5])


def test_sign_decay() -> None:
    w, step = gc.Variable([1.0]), gc.train.get_or_create_global_step()
    optimizer = gc.contrib.opt.AddSignOptimizer(0.5, sign_decay_fn=lambda s: 1.0 - gc.cast(s, gc.float32))
    with pytest.raises(ValueError, match="sign_decay_fn needs global_step"):
        optimizer.minimize(gc.reduce_sum(w))
    op = optimizer.minimize(gc.reduce_sum(w), global_step=step)
    with gc.Session() as session:
        session.run(gc.global_variables_initializer())
        session.run(op)
        assert session.run(w) == [0.0]
        session.run(op)
        assert session.run(w) == [-0.5]


def test_minimize_passes_its_arguments_by_name() -> None:
    class Scaled(gc.train.GradientDescentOptimizer):
        def compute_gradients(self, loss: Any, var_list: Any = None, **more: Any) -> Any:
            return [(2.0 * g, v) for g, v in super().compute_gradients(loss, var_list, **more)]

        def apply_gradients(self, grads_and_vars: Any, **more: Any) -> Any:
            return super().apply_gradients(grads_and_vars, **more)

    w, steps = gc.Variable([1.0]), gc.train.get_or_create_global_step()
    step = Scaled(0.25).minimize(gc.reduce_sum(w), global_step=steps)
    with gc.Session() as session:
        session.run(gc.global_variables_initializer())
        session.run(step)
        assert session.run([w, steps]) == [[0.5], 1]
